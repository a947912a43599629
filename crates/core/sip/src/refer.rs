//! What a REFER asks for, and which of our dialogs a Replaces names (RFC 3515, RFC 3891).

use crate::endpoint::Calls;
use crate::header::{BadReferTo, ReferTo, ReplacesField};
use crate::message::text::trim;
use crate::session::Stage;
use crate::{HeaderId, Message, Refer, Replaces, SessionId};
use base::Pii;

/// A REFER, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub refer: Refer,
    /// RFC 4488: the transferor does not want to hear how it goes.
    pub silent: bool,
}

/// A REFER in the dialog of session `of`.
///
/// # Errors
/// The status that refuses it.
pub(crate) fn read(request: &Message, of: SessionId, calls: &Calls) -> Result<Asked, u16> {
    // RFC 3515 2.4.2: exactly one Refer-To.
    let mut targets = request.headers(HeaderId::ReferTo);
    let (Some(target), None) = (targets.next(), targets.next()) else {
        return Err(400);
    };
    let target = ReferTo::parse(&target).map_err(status_of)?;
    let replaces = target.replaces.map(|field| named(&field, of, calls));
    let silent = request.header(HeaderId::ReferSub).is_some_and(|value| {
        let word = value.split(|byte| *byte == b';').next().unwrap_or_default();
        trim(word).eq_ignore_ascii_case(b"false")
    });
    Ok(Asked { refer: Refer { to: Pii::new(target.user.into()), replaces }, silent })
}

fn status_of(bad: BadReferTo) -> u16 {
    match bad {
        BadReferTo::Malformed => 400,
        BadReferTo::Scheme => 416,
        BadReferTo::Method => 403,
    }
}

/// The dialog that the transferor wants joined: any other of ours that lives, ringing or confirmed.
fn named(field: &ReplacesField, of: SessionId, calls: &Calls) -> Replaces {
    match find(field, calls).filter(|(id, _)| *id != of) {
        Some((id, stage)) if stage != Stage::Over && !(field.early_only && stage == Stage::Confirmed) => Replaces::Session(id),
        _ => Replaces::Unknown,
    }
}

fn find(field: &ReplacesField, calls: &Calls) -> Option<(SessionId, Stage)> {
    let (id, session) = calls.of_dialog(&field.call_id, &field.to_tag)?;
    session.is_with(|remote_tag| field.is_with(remote_tag)).then(|| (id, session.stage()))
}

/// The session that an INVITE takes the place of; `None` without a Replaces.
///
/// # Errors
/// The status that refuses the INVITE (RFC 3891 3).
pub(crate) fn replaced(invite: &Message, calls: &Calls) -> Result<Option<SessionId>, u16> {
    let mut fields = invite.headers(HeaderId::Replaces);
    let (field, more) = (fields.next(), fields.next());
    let Some(field) = field else {
        return Ok(None);
    };
    let field = ReplacesField::parse(&field).filter(|_| more.is_none()).ok_or(400u16)?;
    match find(&field, calls) {
        None => Err(481),
        Some((_, Stage::Over)) => Err(603),
        // Only the one who made an early dialog may have it replaced.
        Some((_, Stage::EarlyTheirs)) => Err(481),
        Some((_, Stage::Confirmed)) if field.early_only => Err(486),
        Some((id, Stage::EarlyOurs | Stage::Confirmed)) => Ok(Some(id)),
    }
}

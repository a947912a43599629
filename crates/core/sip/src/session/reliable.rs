//! Provisionals of ours that must arrive (RFC 3262 3).
//!
//! ```text
//!  ┌──────┐ 1xx with RSeq          ┌──────┐ T1, doubled each time: again
//!  │ Idle ├────────────────────────▶ Open ├───┐
//!  │      ◀────────────────────────┤      ◀───┘
//!  └──────┘ PRACK: 200             └──┬───┘
//!                              64*T1  ▼
//!                     the INVITE is refused with 504
//! ```
//! Only one is open at a time; the next waits. A 2xx waits too, if the open one holds an SDP.

use super::Leg;
use crate::desk::Desk;
use crate::header::RAck;
use crate::respond::{SDP, supports};
use crate::transaction::TxId;
use crate::transaction::timer::{PATIENCE, T1, Wait};
use crate::{Builder, HeaderId, Message, Method};
use bytes::Bytes;
use std::time::Duration;

/// What the peer's INVITE says about 100rel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    No,
    /// Supported: where it matters.
    Possible,
    /// Require: each one.
    Always,
}

#[derive(Debug)]
pub(super) struct Reliable {
    pub wanted: Wanted,
    /// RSeq of the last one.
    last: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    status: u16,
    bytes: Bytes,
    interval: Duration,
    has_sdp: bool,
}

impl Reliable {
    pub fn of(invite: &Message) -> Reliable {
        let requires = invite.values(HeaderId::Require).any(|tag| tag.eq_ignore_ascii_case(b"100rel"));
        let wanted = match (requires, supports(invite, "100rel")) {
            (true, _) => Wanted::Always,
            (false, true) => Wanted::Possible,
            (false, false) => Wanted::No,
        };
        Reliable { wanted, last: 0, open: None }
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub fn holds_sdp(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.has_sdp)
    }

    /// Sends one; none may be open. The first RSeq is random, 1 to 2^31 - 1 (RFC 3262 3).
    pub fn send(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, status: u16, head: Builder, sdp: Option<&Bytes>) {
        self.last = match self.last {
            0 => u32::try_from(1 + desk.random.below((1 << 31) - 2)).unwrap_or(1),
            last => last.saturating_add(1),
        };
        let head = head.header(HeaderId::Require, "100rel").write(HeaderId::RSeq, self.last);
        let bytes = match sdp {
            Some(sdp) => head.body(SDP, sdp),
            None => head.finish(),
        };
        desk.respond(tx, status, bytes.clone());
        desk.arm(leg.id, Wait::RepeatReliable, T1);
        desk.arm(leg.id, Wait::Prack, PATIENCE);
        self.open = Some(Open { status, bytes, interval: T1, has_sdp: sdp.is_some() });
    }

    /// The interval doubles each time; unlike a 2xx's it has no upper bound.
    pub fn repeat(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId) {
        if let Some(open) = &mut self.open {
            open.interval = open.interval.saturating_mul(2);
            desk.respond(tx, open.status, open.bytes.clone());
            desk.arm(leg.id, Wait::RepeatReliable, open.interval);
        }
    }

    /// Whether a PRACK is for the one that is open; then it is open no more. `Some(true)`: it held an SDP.
    pub fn acknowledge(&mut self, desk: &mut Desk<'_>, leg: &Leg, prack: &Message, sequence: u32) -> Option<bool> {
        let rack = prack.header(HeaderId::RAck).as_deref().and_then(RAck::parse)?;
        if rack != (RAck { rseq: self.last, sequence, method: Method::Invite }) {
            return None;
        }
        let open = self.open.take()?;
        self.silence(desk, leg);
        Some(open.has_sdp)
    }

    /// RFC 3262 3: after a final response nothing is repeated, but a PRACK may still come.
    pub fn silence(&self, desk: &mut Desk<'_>, leg: &Leg) {
        desk.disarm(leg.id, Wait::RepeatReliable);
        desk.disarm(leg.id, Wait::Prack);
    }
}

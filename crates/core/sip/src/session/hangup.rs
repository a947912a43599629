//! Every way out of a session.

use super::challenge;
use super::{Leg, State, forks, reason};
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::transaction::timer::Wait;
use crate::transaction::{Errand, TxId};
use crate::{EndedBy, HeaderId, Message, Method, Output, Reason, Refusal};

/// Our BYE is out.
#[derive(Debug)]
pub(crate) struct Closing {
    pub dialog: Dialog,
    by: EndedBy,
    reason: Option<Reason>,
    challenged: bool,
}

/// `Input::HangUp`: what is right depends on how far the session is.
pub(super) fn on_hang_up(state: State, desk: &mut Desk<'_>, leg: &mut Leg, reason: Option<Reason>) -> State {
    match state {
        State::Incoming(incoming) => {
            let refusal = Refusal { status: 480, phrase: None, reason, retry_after: None };
            incoming.on_reject(desk, leg, &refusal)
        }
        State::Outgoing(outgoing) => outgoing.leave(desk, leg, EndedBy::Us, reason),
        State::Established(established) => established.on_hang_up(desk, leg, reason),
        State::Closing(_) | State::Over(_) => state,
    }
}

/// The peer's BYE (RFC 3261 15.1.2): 200, and what it left pending gets 487.
pub(super) fn on_bye(state: State, desk: &mut Desk<'_>, leg: &mut Leg, tx: TxId, reason: Option<Reason>) -> State {
    desk.reply(tx, 200, None, |builder| builder);
    match state {
        State::Incoming(incoming) => incoming.on_cancel(desk, leg, reason),
        State::Outgoing(outgoing) => outgoing.leave(desk, leg, EndedBy::Peer, reason),
        State::Established(mut established) => {
            established.give_up_theirs(desk);
            end(desk, leg, EndedBy::Peer, reason);
            State::Over(Some(Box::new(established.dialog)))
        }
        // Both hung up at once: ours is complete when it is answered.
        State::Closing(_) | State::Over(_) => state,
    }
}

/// Sends BYE; the session ends when that is answered, or can't be.
pub(super) fn bye(desk: &mut Desk<'_>, leg: &mut Leg, mut dialog: Dialog, by: EndedBy, why: Option<Reason>) -> State {
    quiet(desk, leg);
    let (builder, flow) = dialog.request(desk, Method::Bye);
    let bytes = builder.maybe(HeaderId::Reason, why.as_ref().map(reason::print)).finish();
    let closing = Box::new(Closing { dialog, by, reason: why, challenged: false });
    match desk.request(flow, bytes, leg.id, Errand::Bye) {
        Some(_) => State::Closing(closing),
        None => closing.end(desk, leg),
    }
}

/// A BYE whose fate does not matter.
pub(super) fn stray_bye(desk: &mut Desk<'_>, leg: &Leg, mut dialog: Dialog) {
    let (builder, flow) = dialog.request(desk, Method::Bye);
    desk.request(flow, builder.finish(), leg.id, Errand::Stray);
}

/// The peer does not answer or knows nothing of the dialog any more. With a dialog, a BYE says so (RFC 3261
/// 12.2.1.2, 13.3.1.4).
pub(super) fn lost(desk: &mut Desk<'_>, leg: &Leg, dialog: Option<Dialog>) -> State {
    if let Some(dialog) = dialog {
        stray_bye(desk, leg, dialog);
    }
    end(desk, leg, EndedBy::Lost, None);
    State::Over(None)
}

/// The last word about a session.
pub(super) fn end(desk: &mut Desk<'_>, leg: &Leg, by: EndedBy, reason: Option<Reason>) {
    quiet(desk, leg);
    desk.out.push(Output::Ended { session: leg.id, by, reason });
}

/// All that a session waits for, but a subscription, which may outlive it.
const QUIETED: [Wait; 10] = [
    Wait::RepeatAnswer,
    Wait::Acknowledge,
    Wait::RepeatRinging,
    Wait::RepeatReliable,
    Wait::Prack,
    Wait::Provisional,
    Wait::Cancelled,
    Wait::Glare,
    Wait::Refresh,
    Wait::Expiry,
];

pub(super) fn quiet(desk: &mut Desk<'_>, leg: &Leg) {
    for wait in QUIETED {
        desk.disarm(leg.id, wait);
    }
}

impl Closing {
    /// Any final answer to the BYE ends the session (RFC 3261 15.1.1), but a challenge is answered once.
    pub fn on_response(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, response: &Message, status: u16) -> State {
        if status < 200 {
            return State::Closing(self);
        }
        if matches!(status, 401 | 407) && !self.challenged {
            self.challenged = true;
            let (builder, flow) = self.dialog.request(desk, Method::Bye);
            let uri = self.dialog.request_uri();
            if let Some((id, value)) = challenge::answer(desk, leg, response, &Method::Bye, &uri, b"") {
                let why = self.reason.as_ref().map(reason::print);
                let bytes = builder.header(id, value).maybe(HeaderId::Reason, why).finish();
                if desk.request(flow, bytes, leg.id, Errand::Bye).is_some() {
                    return State::Closing(self);
                }
            }
        }
        self.end(desk, leg)
    }

    /// A 2xx to a re-INVITE that our BYE overtook wants its ACK all the same.
    pub fn on_late_reinvite(&self, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message, status: u16) {
        if let (200..300, Ok((sequence, _))) = (status, response.cseq()) {
            forks::acknowledge(desk, leg, &self.dialog, sequence, None);
        }
    }

    pub fn end(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg) -> State {
        let reason = if self.by == EndedBy::Peer { self.reason } else { None };
        end(desk, leg, self.by, reason);
        State::Over(Some(Box::new(self.dialog)))
    }
}

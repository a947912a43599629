//! INVITE sessions: one leg of a call, from its INVITE to its end.
//!
//! ```text
//!   INVITE in                                          INVITE out
//!  ┌────▼─────┐ Reject, CANCEL, BYE                   ┌─────▼────┐ 300-699, nobody, HangUp and CANCEL
//!  │ Incoming ├──────────────────────────┐  ┌─────────┤ Outgoing │
//!  └────┬─────┘                          │  │         └─────┬────┘
//!   200 │ Answer                         │  │           2xx │ ACK
//!  ┌────▼────────────────────────────────▼──▼───────────────▼────┐
//!  │ Established: Offers::Unacknowledged until the ACK (UAS),    │
//!  │ then re-INVITEs both ways                                   ├──┐ BYE in: 200
//!  └────┬────────────────────────────────────────────────────────┘  │ no ACK, 481, 408: lost
//!       │ HangUp: BYE                                               │
//!  ┌────▼─────┐ any answer to it, or none                      ┌────▼───┐
//!  │ Closing  ├────────────────────────────────────────────────▶  Over  │ stays while a client transaction
//!  └──────────┘                                                └────────┘ may bring late 200s
//! ```
//! `Incoming` lives in `caller.rs` with `reliable.rs`, `Outgoing` in `callee.rs` with `early.rs`, the offers of
//! `Established` in `reoffer.rs` and `ours.rs`, its session timer in `refresh.rs`, every way out in `hangup.rs`, the ACKs
//! to 2xx with the forks nobody wants in `forks.rs`. A transfer, in `transfer.rs`, may outlive all of it. `wire.rs` says
//! which message meets which state.

mod callee;
mod caller;
mod challenge;
mod early;
mod forks;
mod hangup;
mod invite;
mod lease;
mod ours;
mod reason;
mod refresh;
mod reliable;
mod reoffer;
mod transfer;
mod wire;

use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::transaction::TxId;
use crate::{Dial, DialCredential, Message, Reason, Refusal, SessionId};
use bytes::Bytes;
use callee::Outgoing;
use caller::Incoming;
use forks::Acks;
use hangup::Closing;
pub(crate) use lease::too_short;
use reoffer::Established;
use transfer::Transfer;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    leg: Leg,
    state: State,
    transfer: Transfer,
    /// REFERs of this dialog that were accepted.
    referrals: u32,
}

/// What a session keeps in all its states.
#[derive(Debug)]
pub(crate) struct Leg {
    pub id: SessionId,
    pub call_id: String,
    pub local_tag: String,
    /// Only for sessions that we dialled, and only for its realm (security row 26).
    credential: Option<DialCredential>,
    /// Dialled to where a phone of ours is registered: requests go there, whatever its Contact says (row 48).
    registered: bool,
    acks: Acks,
    /// The highest sequence number that a PRACK of ours had, in whatever fork: a BYE to a late 200 goes above it.
    spent: u32,
}

#[derive(Debug)]
pub(crate) enum State {
    Incoming(Box<Incoming>),
    Outgoing(Box<Outgoing>),
    Established(Box<Established>),
    Closing(Box<Closing>),
    /// With the dialog only while a transfer is still reported in it.
    Over(Option<Box<Dialog>>),
}

/// How far a session is, as Replaces asks (RFC 3891 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// We dialled and nobody answered yet.
    EarlyOurs,
    /// It came in and is not answered.
    EarlyTheirs,
    Confirmed,
    Over,
}

impl Session {
    /// From an INVITE that came in and has its transaction.
    pub fn incoming(id: SessionId, tx: TxId, dialog: Dialog, tag: String, invite: &Message) -> Session {
        let leg = Leg::new(id, dialog.call_id.clone(), tag, None);
        Session::new(leg, State::Incoming(Box::new(Incoming::new(tx, dialog, invite))))
    }

    /// Dials; `registered`: to a phone's registration. If that fails at once, the session is over and `Failed` was said.
    pub fn dial(desk: &mut Desk<'_>, id: SessionId, mut dial: Box<Dial>, registered: bool) -> Session {
        let credential = dial.credential.take();
        let mut leg = Leg { registered, ..Leg::new(id, dial.call_id.to_string(), desk.tag(), credential) };
        let state = Outgoing::start(desk, &mut leg, dial);
        Session::new(leg, state)
    }

    fn new(leg: Leg, state: State) -> Session {
        Session { leg, state, transfer: Transfer::None, referrals: 0 }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    pub fn stage(&self) -> Stage {
        match self.state {
            State::Incoming(_) => Stage::EarlyTheirs,
            State::Outgoing(_) => Stage::EarlyOurs,
            State::Established(_) => Stage::Confirmed,
            State::Closing(_) | State::Over(_) => Stage::Over,
        }
    }

    /// Call-ID and our tag: how requests in the dialog find their session.
    pub fn dialog_key(&self) -> (String, String) {
        (self.leg.call_id.clone(), self.leg.local_tag.clone())
    }

    pub fn on_ring(&mut self, desk: &mut Desk<'_>, status: u16, sdp: Option<Bytes>) {
        if let State::Incoming(incoming) = &mut self.state {
            incoming.on_ring(desk, &self.leg, status, sdp);
        }
    }

    pub fn on_answer(&mut self, desk: &mut Desk<'_>, sdp: Bytes) {
        self.step(desk, |state, leg, desk| match state {
            State::Incoming(incoming) => incoming.on_answer(desk, leg, sdp),
            other => other,
        });
    }

    pub fn on_reject(&mut self, desk: &mut Desk<'_>, refusal: &Refusal) {
        self.step(desk, |state, leg, desk| match state {
            State::Incoming(incoming) => incoming.on_reject(desk, leg, refusal),
            other => other,
        });
    }

    pub fn on_hang_up(&mut self, desk: &mut Desk<'_>, reason: Option<Reason>) {
        self.step(desk, |state, leg, desk| hangup::on_hang_up(state, desk, leg, reason));
    }

    pub fn on_reoffer(&mut self, desk: &mut Desk<'_>, sdp: Bytes) {
        match &mut self.state {
            State::Incoming(incoming) => incoming.on_reoffer(desk, &self.leg, sdp),
            State::Established(established) => established.on_reoffer(desk, &self.leg, sdp),
            State::Outgoing(_) | State::Closing(_) | State::Over(_) => {}
        }
    }

    pub fn on_answer_reoffer(&mut self, desk: &mut Desk<'_>, sdp: Bytes) {
        self.step(desk, |state, leg, desk| match state {
            State::Incoming(incoming) => incoming.on_answer_reoffer(desk, leg, sdp),
            State::Outgoing(mut outgoing) => {
                outgoing.on_answer_reoffer(desk, leg, sdp);
                State::Outgoing(outgoing)
            }
            State::Established(mut established) => {
                established.on_answer(desk, leg, sdp);
                State::Established(established)
            }
            State::Closing(_) | State::Over(_) => state,
        });
    }

    pub fn on_refuse_reoffer(&mut self, desk: &mut Desk<'_>, refusal: &Refusal) {
        self.step(desk, |state, leg, desk| match state {
            State::Incoming(incoming) => incoming.on_refuse_reoffer(desk, leg, refusal),
            State::Outgoing(mut outgoing) => {
                outgoing.on_refuse_reoffer(desk, leg, refusal);
                State::Outgoing(outgoing)
            }
            State::Established(mut established) => {
                established.on_refuse(desk, leg, refusal);
                State::Established(established)
            }
            State::Closing(_) | State::Over(_) => state,
        });
    }

    fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Incoming(incoming) => Some(&mut incoming.dialog),
            State::Established(established) => Some(&mut established.dialog),
            State::Closing(closing) => Some(&mut closing.dialog),
            State::Over(dialog) => dialog.as_deref_mut(),
            State::Outgoing(_) => None,
        }
    }

    fn step(&mut self, desk: &mut Desk<'_>, next: impl FnOnce(State, &mut Leg, &mut Desk<'_>) -> State) {
        let state = std::mem::replace(&mut self.state, State::Over(None));
        self.state = next(state, &mut self.leg, desk);
        self.settle_transfer(desk);
    }
}

impl Leg {
    fn new(id: SessionId, call_id: String, local_tag: String, credential: Option<DialCredential>) -> Leg {
        Leg { id, call_id, local_tag, credential, registered: false, acks: Acks::default(), spent: 0 }
    }
}

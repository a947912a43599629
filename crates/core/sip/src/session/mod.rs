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
//! `Incoming` lives in `caller.rs`, `Outgoing` in `callee.rs`, the offers of `Established` in `reoffer.rs`, every way
//! out in `hangup.rs`, and the ACKs to 2xx with the forks nobody wants in `forks.rs`.

mod callee;
mod caller;
mod challenge;
mod forks;
mod hangup;
mod reason;
mod reoffer;

use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::transaction::timer::Wait;
use crate::transaction::{Errand, TxId};
use crate::{Dial, DialCredential, EndedBy, Flow, HeaderId, Message, Method, Output, Reason, Refusal, SessionId};
use bytes::Bytes;
use callee::Outgoing;
use caller::Incoming;
use forks::Acks;
use hangup::Closing;
use reoffer::{Established, Offers};

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    leg: Leg,
    state: State,
}

/// What a session keeps in all its states.
#[derive(Debug)]
pub(crate) struct Leg {
    pub id: SessionId,
    pub call_id: String,
    pub local_tag: String,
    /// Only for sessions that we dialled, and only for its realm (security row 26).
    credential: Option<DialCredential>,
    acks: Acks,
}

#[derive(Debug)]
pub(crate) enum State {
    Incoming(Box<Incoming>),
    Outgoing(Box<Outgoing>),
    Established(Box<Established>),
    Closing(Box<Closing>),
    Over,
}

impl Session {
    /// From an INVITE that came in and has its transaction. `offered`: it had an offer.
    pub fn incoming(id: SessionId, tx: TxId, dialog: Dialog, tag: String, offered: bool) -> Session {
        let leg = Leg::new(id, dialog.call_id.clone(), tag, None);
        Session { leg, state: State::Incoming(Box::new(Incoming::new(tx, dialog, offered))) }
    }

    /// Dials. If that fails at once, the session is over and `Failed` was said.
    pub fn dial(desk: &mut Desk<'_>, id: SessionId, mut dial: Box<Dial>) -> Session {
        let credential = dial.credential.take();
        let mut leg = Leg::new(id, dial.call_id.to_string(), desk.tag(), credential);
        let state = Outgoing::start(desk, &mut leg, dial);
        Session { leg, state }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
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
        self.step(|state, leg| match state {
            State::Incoming(incoming) => incoming.on_answer(desk, leg, sdp),
            other => other,
        });
    }

    pub fn on_reject(&mut self, desk: &mut Desk<'_>, refusal: &Refusal) {
        self.step(|state, leg| match state {
            State::Incoming(incoming) => incoming.on_reject(desk, leg, refusal),
            other => other,
        });
    }

    pub fn on_hang_up(&mut self, desk: &mut Desk<'_>, reason: Option<Reason>) {
        self.step(|state, leg| hangup::on_hang_up(state, desk, leg, reason));
    }

    pub fn on_reoffer(&mut self, desk: &mut Desk<'_>, sdp: Bytes) {
        if let State::Established(established) = &mut self.state {
            established.on_reoffer(desk, &self.leg, sdp);
        }
    }

    pub fn on_answer_reoffer(&mut self, desk: &mut Desk<'_>, sdp: Bytes) {
        if let State::Established(established) = &mut self.state {
            established.on_answer(desk, &self.leg, sdp);
        }
    }

    pub fn on_refuse_reoffer(&mut self, desk: &mut Desk<'_>, refusal: &Refusal) {
        if let State::Established(established) = &mut self.state {
            established.on_refuse(desk, &self.leg, refusal);
        }
    }

    /// RFC 3261 9.2: a CANCEL that found an INVITE of this session's; it has its own 200 already.
    pub fn on_cancel(&mut self, desk: &mut Desk<'_>, errand: Errand, cancel: &Message) {
        self.step(|state, leg| match state {
            State::Incoming(incoming) => incoming.on_cancel(desk, leg, reason::parse(cancel)),
            State::Established(mut established) if errand == Errand::Reinvite => {
                established.on_cancelled(desk, leg);
                State::Established(established)
            }
            other => other,
        });
    }

    /// An ACK to a 2xx of ours.
    pub fn on_ack(&mut self, desk: &mut Desk<'_>, ack: &Message, flow: Flow) {
        if !self.knows(ack) {
            return;
        }
        self.step(|state, leg| match state {
            State::Established(established) => established.on_ack(desk, leg, ack, flow),
            other => other,
        });
    }

    /// RFC 3261 12.2.2: whether the request's tags are this dialog's. Our own tag found the session.
    pub fn knows(&self, request: &Message) -> bool {
        let tag = request.from().ok().and_then(|from| from.tag).unwrap_or_default();
        match &self.state {
            State::Incoming(incoming) => incoming.dialog.remote_tag == tag,
            State::Outgoing(outgoing) => outgoing.knows_fork(&tag),
            State::Established(established) => established.dialog.remote_tag == tag,
            State::Closing(closing) => closing.dialog.remote_tag == tag,
            State::Over => false,
        }
    }

    /// A request in the dialog, not ACK and not CANCEL, that [`Self::knows`].
    pub fn on_request(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message, flow: Flow) {
        let sequence = request.cseq().map_or(0, |(sequence, _)| sequence);
        let in_order = match self.dialog_mut() {
            Some(dialog) => {
                let in_order = dialog.advance(sequence);
                if in_order {
                    dialog.flow = flow;
                }
                in_order
            }
            // Early forks of ours have no dialog of their own: what comes in one is answered as it comes.
            None => true,
        };
        if !in_order {
            return desk.reply(tx, 500, None, |builder| builder);
        }
        match request.method() {
            Some(Method::Bye) => self.step(|state, leg| hangup::on_bye(state, desk, leg, tx, reason::parse(request))),
            Some(Method::Invite) => self.on_reinvite(desk, tx, request),
            Some(Method::Info) => self.on_info(desk, tx, request),
            Some(Method::Options) => desk.reply(tx, 200, None, crate::respond::capabilities),
            _ => desk.reply(tx, 405, None, |builder| builder.header(HeaderId::Allow, crate::desk::ALLOW)),
        }
    }

    fn on_reinvite(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message) {
        match &mut self.state {
            State::Established(established) => established.on_reinvite(desk, &self.leg, tx, request),
            // 14.2: the first INVITE has no final response yet.
            State::Incoming(_) => reoffer::refuse_for_now(desk, tx),
            State::Outgoing(_) | State::Closing(_) | State::Over => desk.reply(tx, 481, None, |builder| builder),
        }
    }

    fn on_info(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message) {
        if !matches!(self.state, State::Incoming(_) | State::Established(_)) {
            return desk.reply(tx, 481, None, |builder| builder);
        }
        desk.reply(tx, 200, None, |builder| builder);
        let content_type = request.content_type().ok().flatten().map(|kind| kind.essence).unwrap_or_default();
        desk.out.push(Output::Info { session: self.leg.id, content_type: content_type.into(), body: request.body() });
    }

    /// A response to a request of this session's, as its transaction lets it through.
    pub fn on_response(&mut self, desk: &mut Desk<'_>, errand: Errand, tx: TxId, response: &Message) {
        let Some(status) = response.status() else {
            return;
        };
        let to_invite = matches!(errand, Errand::Invite | Errand::Reinvite);
        if to_invite && (200..300).contains(&status) && self.leg.acks.repeat(desk, response) {
            return;
        }
        self.step(|state, leg| match (state, errand) {
            (State::Outgoing(outgoing), Errand::Invite) => outgoing.on_response(desk, leg, response, status),
            (State::Established(established), Errand::Invite) if established.dialog.is_with(response) => {
                State::Established(established)
            }
            (state, Errand::Invite) => {
                forks::on_late_response(desk, leg, tx, response, status);
                state
            }
            (State::Established(established), Errand::Reinvite) => established.on_response(desk, leg, response, status),
            (State::Closing(closing), Errand::Reinvite) => {
                closing.on_late_reinvite(desk, leg, response, status);
                State::Closing(closing)
            }
            (State::Closing(closing), Errand::Bye) => closing.on_response(desk, leg, response, status),
            (state, _) => state,
        });
    }

    /// Nobody answered a request of this session's.
    pub fn on_timed_out(&mut self, desk: &mut Desk<'_>, errand: Errand) {
        self.step(|state, leg| match (state, errand) {
            (State::Outgoing(outgoing), Errand::Invite) => outgoing.on_no_answer(desk, leg, 408),
            (State::Established(established), Errand::Reinvite) if established.is_reoffering() => {
                hangup::lost(desk, leg, Some(established.dialog))
            }
            (State::Closing(closing), Errand::Bye) => closing.end(desk, leg),
            (state, _) => state,
        });
    }

    /// A request of this session's could not be sent, or the stream that it was on ended; `flow` was its way.
    pub fn on_broken(&mut self, desk: &mut Desk<'_>, errand: Errand, flow: Flow) {
        self.step(|state, leg| match (state, errand) {
            (State::Outgoing(outgoing), Errand::Invite) => outgoing.on_no_answer(desk, leg, 503),
            (State::Incoming(_), Errand::Invite) => {
                hangup::end(desk, leg, EndedBy::Lost, None);
                State::Over
            }
            (State::Established(established), _) => established.on_broken(desk, leg, errand, flow),
            (State::Closing(closing), Errand::Bye) => closing.end(desk, leg),
            (state, _) => state,
        });
    }

    pub fn on_stream_lost(&mut self, flow: Flow) {
        if let Some(dialog) = self.dialog_mut() {
            dialog.on_stream_lost(flow);
        }
    }

    pub fn on_wait(&mut self, desk: &mut Desk<'_>, wait: Wait) {
        self.step(|state, leg| match (state, wait) {
            (State::Incoming(mut incoming), Wait::RepeatRinging) => {
                incoming.repeat_ringing(desk, leg);
                State::Incoming(incoming)
            }
            (State::Outgoing(outgoing), Wait::Provisional) => {
                outgoing.on_silence(desk, leg);
                State::Outgoing(outgoing)
            }
            (State::Outgoing(outgoing), Wait::Cancelled) => outgoing.on_cancel_unheard(desk, leg),
            (State::Established(mut established), Wait::RepeatAnswer) => {
                established.repeat_answer(desk, leg);
                State::Established(established)
            }
            (State::Established(established), Wait::Acknowledge) => established.on_no_ack(desk, leg),
            (State::Established(mut established), Wait::Glare) => {
                established.on_glare_over(desk, leg);
                State::Established(established)
            }
            (state, _) => state,
        });
    }

    fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Incoming(incoming) => Some(&mut incoming.dialog),
            State::Established(established) => Some(&mut established.dialog),
            State::Closing(closing) => Some(&mut closing.dialog),
            State::Outgoing(_) | State::Over => None,
        }
    }

    fn step(&mut self, next: impl FnOnce(State, &mut Leg) -> State) {
        let state = std::mem::replace(&mut self.state, State::Over);
        self.state = next(state, &mut self.leg);
    }
}

impl Leg {
    fn new(id: SessionId, call_id: String, local_tag: String, credential: Option<DialCredential>) -> Leg {
        Leg { id, call_id, local_tag, credential, acks: Acks::default() }
    }
}

/// A confirmed dialog with nothing going on in it.
fn established(dialog: Dialog, offers: Offers) -> State {
    State::Established(Box::new(Established::new(dialog, offers)))
}

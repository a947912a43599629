//! What comes from the wire and the clock, brought to the state that it meets.

use super::{Session, State, forks, hangup, reason, reoffer};
use crate::desk::{ALLOW, Desk};
use crate::refer::Asked;
use crate::transaction::timer::Wait;
use crate::transaction::{Errand, TxId};
use crate::{Flow, HeaderId, Message, Method, Output};

impl Session {
    /// RFC 3261 9.2: a CANCEL that found an INVITE of this session's; it has its own 200 already.
    pub fn on_cancel(&mut self, desk: &mut Desk<'_>, errand: Errand, cancel: &Message) {
        self.step(desk, |state, leg, desk| match state {
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
        self.step(desk, |state, leg, desk| match state {
            State::Established(established) => established.on_ack(desk, leg, ack, flow),
            other => other,
        });
    }

    /// RFC 3261 12.2.2: whether the request's tags are this dialog's. Our own tag found the session.
    pub fn knows(&self, request: &Message) -> bool {
        let tag = request.from().ok().and_then(|from| from.tag).unwrap_or_default();
        self.is_with(|known| known == tag)
    }

    /// Whether a tag of the peer's, early or confirmed, is the one that `wanted` knows.
    pub fn is_with(&self, wanted: impl Fn(&str) -> bool) -> bool {
        match &self.state {
            State::Incoming(incoming) => wanted(&incoming.dialog.remote_tag),
            State::Outgoing(outgoing) => outgoing.knows_fork(wanted),
            State::Established(established) => wanted(&established.dialog.remote_tag),
            State::Closing(closing) => wanted(&closing.dialog.remote_tag),
            State::Over(_) => false,
        }
    }

    /// A request in the dialog, not ACK and not CANCEL, that [`Self::knows`]; `asked`: what a REFER is for.
    pub fn on_request(
        &mut self,
        desk: &mut Desk<'_>,
        tx: TxId,
        request: &Message,
        flow: Flow,
        asked: Option<Result<Asked, u16>>,
    ) {
        let sequence = request.cseq().map_or(0, |(sequence, _)| sequence);
        let tag = request.from().ok().and_then(|from| from.tag).unwrap_or_default();
        let dialog = match &mut self.state {
            State::Outgoing(outgoing) => outgoing.dialog_with(&tag),
            _ => self.dialog_mut(),
        };
        let in_order = dialog.is_some_and(|dialog| {
            let in_order = dialog.advance(sequence);
            if in_order {
                dialog.flow = flow;
            }
            in_order
        });
        if !in_order {
            return desk.reply(tx, 500, None, |builder| builder);
        }
        match request.method() {
            Some(Method::Bye) => self.step(desk, |state, leg, desk| hangup::on_bye(state, desk, leg, tx, reason::parse(request))),
            Some(Method::Invite) => self.on_reinvite(desk, tx, request),
            Some(Method::Prack) => self.on_prack(desk, tx, request),
            Some(Method::Update) => self.on_update(desk, tx, request),
            Some(Method::Refer) => self.on_refer(desk, tx, request, asked),
            Some(Method::Info) => self.on_info(desk, tx, request),
            Some(Method::Options) => desk.reply(tx, 200, None, crate::respond::capabilities),
            _ => desk.reply(tx, 405, None, |builder| builder.header(HeaderId::Allow, ALLOW)),
        }
    }

    fn on_reinvite(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message) {
        match &mut self.state {
            State::Established(established) => established.on_offer(desk, &self.leg, tx, request),
            // 14.2: the first INVITE has no final response yet.
            State::Incoming(_) => reoffer::refuse_for_now(desk, tx),
            State::Outgoing(_) | State::Closing(_) | State::Over(_) => desk.reply(tx, 481, None, |builder| builder),
        }
    }

    fn on_prack(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message) {
        self.step(desk, |state, leg, desk| match state {
            State::Incoming(incoming) => incoming.on_prack(desk, leg, tx, request),
            State::Established(mut established) => {
                established.on_prack(desk, leg, tx, request);
                State::Established(established)
            }
            other => {
                desk.reply(tx, 481, None, |builder| builder);
                other
            }
        });
    }

    fn on_update(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message) {
        match &mut self.state {
            State::Incoming(incoming) => incoming.on_update(desk, &self.leg, tx, request),
            State::Outgoing(outgoing) => outgoing.on_update(desk, &self.leg, tx, request),
            State::Established(established) => established.on_update(desk, &self.leg, tx, request),
            State::Closing(_) | State::Over(_) => desk.reply(tx, 481, None, |builder| builder),
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
        if errand == Errand::Notify {
            return self.on_notified(desk, tx, response, status);
        }
        let to_invite = matches!(errand, Errand::Invite | Errand::Reinvite);
        if to_invite && (200..300).contains(&status) && self.leg.acks.repeat(desk, response) {
            return;
        }
        self.step(desk, |state, leg, desk| match (state, errand) {
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
            (State::Outgoing(mut outgoing), Errand::Prack) => {
                outgoing.on_pracked(desk, leg, tx, response);
                State::Outgoing(outgoing)
            }
            (State::Established(established), Errand::Refresh) => established.on_refreshed(desk, leg, tx, response, status),
            (state, _) => state,
        });
    }

    /// Nobody answered a request of this session's.
    pub fn on_timed_out(&mut self, desk: &mut Desk<'_>, errand: Errand) {
        if errand == Errand::Notify {
            return self.end_subscription(desk);
        }
        self.step(desk, |state, leg, desk| match (state, errand) {
            (State::Outgoing(outgoing), Errand::Invite) => outgoing.on_no_answer(desk, leg, 408),
            (State::Established(established), Errand::Reinvite) if established.is_reoffering() => {
                hangup::lost(desk, leg, Some(established.dialog))
            }
            (State::Established(established), Errand::Refresh) => established.lose(desk, leg, true),
            (State::Closing(closing), Errand::Bye) => closing.end(desk, leg),
            (state, _) => state,
        });
    }

    /// A request of this session's could not be sent, or the stream that it was on ended; `flow` was its way.
    pub fn on_broken(&mut self, desk: &mut Desk<'_>, errand: Errand, flow: Flow) {
        if errand == Errand::Notify {
            return self.end_subscription(desk);
        }
        self.step(desk, |state, leg, desk| match (state, errand) {
            (State::Outgoing(outgoing), Errand::Invite) => outgoing.on_no_answer(desk, leg, 503),
            (State::Incoming(incoming), Errand::Invite) => incoming.on_broken(desk, leg),
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
        if wait == Wait::Subscription {
            return self.on_subscription_due(desk);
        }
        self.step(desk, |state, leg, desk| match (state, wait) {
            (State::Incoming(mut incoming), Wait::RepeatRinging) => {
                incoming.repeat_ringing(desk, leg);
                State::Incoming(incoming)
            }
            (State::Incoming(mut incoming), Wait::RepeatReliable) => {
                incoming.repeat_reliable(desk, leg);
                State::Incoming(incoming)
            }
            (State::Incoming(incoming), Wait::Prack) => incoming.on_no_prack(desk, leg),
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
            (State::Established(mut established), Wait::Refresh) => {
                established.on_refresh_due(desk, leg);
                State::Established(established)
            }
            (State::Established(established), Wait::Expiry) => established.lose(desk, leg, true),
            (state, _) => state,
        });
    }
}

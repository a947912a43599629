//! From the wire and the ears to people, and from people to the wire.

use super::{Who, World, way};
use crate::line::News;
use crate::people::{Act, Event};
use crate::report::{CallReport, CalledReport, ConversationReport, OwnCallReport};
use crate::sdp::Audio;
use crate::streams::{self, Noticed, StreamId};
use sip::{EndedBy, Input, Output, Refusal, SessionId};
use std::net::SocketAddr;
use std::time::Instant;

impl World<'_> {
    pub(super) fn on_trunk(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Answered { session, sdp } => {
                    self.stamp_answer(Who::Caller(session));
                    self.agree(Who::Caller(session), &sdp);
                    self.happen(Who::Caller(session), Event::Connected);
                }
                Output::Incoming { session, .. } => {
                    let refusal = Refusal { status: 404, phrase: None, reason: None, retry_after: None };
                    let more = self.trunk.input(Input::Reject { session, refusal });
                    self.on_trunk(more);
                }
                other => self.on_any(Who::Caller, other),
            }
        }
    }

    pub(super) fn on_phones(&mut self, news: News) {
        let now = Instant::now();
        for response in news.registrations {
            let next = self.agents.iter_mut().find_map(|a| {
                let mine = a.registration.as_mut().filter(|r| response.call_id() == Ok(r.call_id()))?;
                let next = mine.on_response(now, &response);
                a.report.registered |= mine.is_registered();
                a.report.refusal = mine.refusal();
                next
            });
            next.iter().for_each(|bytes| self.phones.send(bytes));
        }
        for told in news.told {
            let call = self.calls.iter().find(|(_, (_, p))| p.machine.report.call_id == told.call_id).map(|(id, _)| *id);
            match call {
                Some(session) => self.happen(Who::Agent(session), Event::PassedOn(told.status)),
                None => self.told_late(&told.call_id, told.status),
            }
        }
        for output in news.outputs {
            match output {
                Output::Incoming { session, invite, .. } => self.ring(now, session, &invite),
                Output::Confirmed { session, .. } => self.happen(Who::Agent(session), Event::Connected),
                Output::Answered { session, sdp } => {
                    self.agree(Who::Own(session), &sdp);
                    self.happen(Who::Own(session), Event::Connected);
                }
                other => {
                    let own = session_of(&other).is_some_and(|session| self.own.contains_key(&session));
                    self.on_any(if own { Who::Own } else { Who::Agent }, other);
                }
            }
        }
    }

    /// The last word about a transfer may come when the leg is gone.
    fn told_late(&mut self, call_id: &str, status: u16) {
        let conversation = self.report.conversations.iter_mut().rev().find(|c| c.call_id == call_id);
        if let Some(passed_on) = conversation.and_then(|c| c.passed_on.as_mut()).filter(|p| p.status == 0) {
            passed_on.status = status;
        }
    }

    /// What means the same on both sides.
    pub(super) fn on_any(&mut self, side: fn(SessionId) -> Who, output: Output) {
        match output {
            Output::Failed { session, status } => self.happen(side(session), Event::Failed(status)),
            Output::Ended { session, by, .. } => self.happen(side(session), Event::Ended { by_us: by == EndedBy::Us }),
            Output::Reoffered { session, sdp } => self.reoffered(side(session), sdp.as_deref()),
            _ => {}
        }
    }

    fn leg(&mut self, who: Who) -> Option<(StreamId, SocketAddr, &mut Option<Audio>)> {
        match who {
            Who::Caller(id) => self.callers.get_mut(&id).map(|p| (p.stream, p.media, &mut p.agreed)),
            Who::Agent(id) => self.calls.get_mut(&id).map(|(_, p)| (p.stream, p.media, &mut p.agreed)),
            Who::Own(id) => self.own.get_mut(&id).map(|(_, p)| (p.stream, p.media, &mut p.agreed)),
            Who::Outside(id) => self.called.get_mut(&id).map(|p| (p.stream, p.media, &mut p.agreed)),
        }
    }

    /// The answer to our offer.
    pub(super) fn agree(&mut self, who: Who, sdp: &[u8]) {
        let Some((stream, _, _)) = self.leg(who) else { return };
        if let Some(audio) = Audio::read(sdp) {
            self.plane.go(stream, way(&audio));
        }
    }

    fn reoffered(&mut self, who: Who, sdp: Option<&[u8]>) {
        let Some((stream, media, agreed)) = self.leg(who) else { return };
        let offer = sdp.and_then(Audio::read);
        let answer = offer.as_ref().and_then(|o| o.answer(media)).or_else(|| agreed.clone());
        let Some(answer) = answer else { return };
        if let Some(offer) = &offer {
            self.plane.go(stream, way(offer));
        }
        let (sdp, session) = (answer.write(2).into(), session_of_who(who));
        self.input(who, Input::AnswerReoffer { session, sdp });
    }

    /// Into the endpoint of that person's line, and what comes of it.
    pub(super) fn input(&mut self, who: Who, input: Input) {
        match who {
            Who::Caller(_) => {
                let outputs = self.trunk.input(input);
                self.on_trunk(outputs);
            }
            Who::Agent(_) | Who::Own(_) => {
                let outputs = self.phones.input(input);
                self.on_phones(News { outputs, ..News::default() });
            }
            Who::Outside(_) => {
                if let Some(outputs) = self.outside.as_mut().map(|line| line.input(input)) {
                    self.on_outside(outputs);
                }
            }
        }
    }

    pub(super) fn on_ear(&mut self, event: streams::Event) {
        let stream = match event {
            streams::Event::First { stream, .. } | streams::Event::Noticed { stream, .. } => stream,
            streams::Event::Closed { stream, heard, sent } => return self.closed(stream, *heard, sent),
        };
        let Some(who) = self.who.get(&stream).copied() else { return };
        match event {
            streams::Event::First { at, .. } => {
                self.first(who, at);
                self.happen(who, Event::FirstPacket);
            }
            streams::Event::Noticed { what: Noticed::Tone(hz), since, .. } => {
                self.heard(who, hz, since);
                self.happen(who, Event::Tone(hz));
            }
            _ => {}
        }
    }

    /// Hands an event to its person, and does what the person does.
    pub(super) fn happen(&mut self, who: Who, event: Event) {
        let now = Instant::now();
        let (act, over, stream) = match who {
            Who::Caller(id) => {
                let Some(person) = self.callers.get_mut(&id) else { return };
                (person.machine.handle(now, event), person.machine.is_over(), person.stream)
            }
            Who::Agent(id) => {
                let Some((_, person)) = self.calls.get_mut(&id) else { return };
                let act = person.machine.handle(now, event);
                (act, person.machine.is_over(), person.stream)
            }
            Who::Own(id) => {
                let Some((_, person)) = self.own.get_mut(&id) else { return };
                (person.machine.handle(now, event), person.machine.is_over(), person.stream)
            }
            Who::Outside(id) => {
                let Some(person) = self.called.get_mut(&id) else { return };
                (person.machine.handle(now, event), person.machine.is_over(), person.stream)
            }
        };
        if over {
            self.plane.close(stream);
            self.promise(who);
        }
        self.consulting(who, event);
        if let Some(act) = act {
            self.act(who, stream, act);
        }
    }

    fn act(&mut self, who: Who, stream: StreamId, act: Act) {
        self.stamp(who, act);
        let session = session_of_who(who);
        let input = match act {
            Act::Consult => return self.consult(session),
            Act::Resume => return self.resume(session),
            Act::PassOn => return self.pass_on(session),
            Act::Press(key) => return self.plane.press(stream, &key.to_string()),
            Act::Say(hz) => return self.plane.say(stream, Some(hz)),
            Act::HangUp => Input::HangUp { session, reason: None },
            Act::Refuse => {
                let refusal = Refusal { status: 486, phrase: None, reason: None, retry_after: None };
                Input::Reject { session, refusal }
            }
            Act::Answer(hz) => {
                let Some((_, _, Some(audio))) = self.leg(who) else { return };
                let sdp = audio.write(1).into();
                self.input(who, Input::Answer { session, sdp });
                self.plane.say(stream, Some(hz));
                return self.plane.unmute(stream);
            }
        };
        self.input(who, input);
    }

    /// A leg's last word: the person goes into the report.
    fn closed(&mut self, stream: StreamId, heard: streams::Heard, sent: u64) {
        match self.who.remove(&stream) {
            Some(Who::Caller(id)) => {
                let Some(person) = self.callers.remove(&id) else { return };
                let stream = stream.0 as u32;
                self.trunk.forget(&person.machine.report.call_id);
                self.report.calls.push(CallReport { stream, heard, sent, moments: person.moments, ..person.machine.report });
            }
            Some(Who::Agent(id)) => {
                let Some((place, person)) = self.calls.remove(&id) else { return };
                self.phones.forget(&person.machine.report.call_id);
                let Some(agent) = self.agents.get_mut(place) else { return };
                match &person.machine {
                    call if call.was_answered() => {
                        agent.report.answered += 1;
                        let stream = stream.0 as u32;
                        let report = ConversationReport { stream, heard, sent, moments: person.moments, ..person.machine.report };
                        self.report.conversations.push(report);
                    }
                    call if call.refused => agent.report.refused += 1,
                    _ => agent.report.missed += 1,
                }
            }
            Some(Who::Own(id)) => {
                let Some((place, person)) = self.own.remove(&id) else { return };
                self.phones.forget(&person.machine.report.call_id);
                self.report.own_calls.push(OwnCallReport { heard, sent, ..person.machine.report });
                self.next_own_call(place);
            }
            Some(Who::Outside(id)) => {
                let Some(person) = self.called.remove(&id) else { return };
                if let Some(line) = &mut self.outside {
                    line.forget(&person.machine.report.call_id);
                }
                self.kept_promise(&person.machine.report);
                self.report.called.push(CalledReport { heard, sent, ..person.machine.report });
            }
            None => {}
        }
    }
}

fn session_of_who(who: Who) -> SessionId {
    let (Who::Caller(session) | Who::Agent(session) | Who::Own(session) | Who::Outside(session)) = who;
    session
}

/// Of the outputs that both a call that rings at a phone and one that it makes can have.
fn session_of(output: &Output) -> Option<SessionId> {
    match output {
        Output::Failed { session, .. } | Output::Ended { session, .. } | Output::Reoffered { session, .. } => Some(*session),
        _ => None,
    }
}

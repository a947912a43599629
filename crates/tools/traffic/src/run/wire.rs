//! From the wire and the ears to people, and from people to the wire.

use super::{Who, World, way};
use crate::line::News;
use crate::people::{Act, Event};
use crate::report::{CallReport, ConversationReport};
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
        for output in news.outputs {
            match output {
                Output::Incoming { session, invite, .. } => self.ring(now, session, &invite),
                Output::Confirmed { session, .. } => self.happen(Who::Agent(session), Event::Connected),
                other => self.on_any(Who::Agent, other),
            }
        }
    }

    /// What means the same on both sides.
    fn on_any(&mut self, side: fn(SessionId) -> Who, output: Output) {
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
        }
    }

    /// The answer to our offer.
    fn agree(&mut self, who: Who, sdp: &[u8]) {
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
        let body = answer.write(2).into();
        match who {
            Who::Caller(session) => {
                let outputs = self.trunk.input(Input::AnswerReoffer { session, sdp: body });
                self.on_trunk(outputs);
            }
            Who::Agent(session) => {
                let outputs = self.phones.input(Input::AnswerReoffer { session, sdp: body });
                self.on_phones(News { outputs, registrations: vec![] });
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
            streams::Event::First { .. } => self.happen(who, Event::FirstPacket),
            streams::Event::Noticed { what: Noticed::Tone(hz), .. } => self.happen(who, Event::Tone(hz)),
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
        };
        if over {
            self.plane.close(stream);
        }
        if let Some(act) = act {
            self.act(who, stream, act);
        }
    }

    fn act(&mut self, who: Who, stream: StreamId, act: Act) {
        let (Who::Caller(session) | Who::Agent(session)) = who;
        let input = match act {
            Act::Press(key) => return self.plane.press(stream, &key.to_string()),
            Act::Say(hz) => return self.plane.say(stream, Some(hz)),
            Act::HangUp => Input::HangUp { session, reason: None },
            Act::Refuse => {
                let refusal = Refusal { status: 486, phrase: None, reason: None, retry_after: None };
                Input::Reject { session, refusal }
            }
            Act::Answer => {
                let Some((_, _, Some(audio))) = self.leg(who) else { return };
                let sdp = audio.write(1).into();
                self.plane.unmute(stream);
                Input::Answer { session, sdp }
            }
        };
        match who {
            Who::Caller(_) => {
                let outputs = self.trunk.input(input);
                self.on_trunk(outputs);
            }
            Who::Agent(_) => {
                let outputs = self.phones.input(input);
                self.on_phones(News { outputs, registrations: vec![] });
            }
        }
    }

    /// A leg's last word: the person goes into the report.
    fn closed(&mut self, stream: StreamId, heard: streams::Heard, sent: u64) {
        match self.who.remove(&stream) {
            Some(Who::Caller(id)) => {
                let Some(person) = self.callers.remove(&id) else { return };
                self.report.calls.push(CallReport { heard, sent, ..person.machine.report });
            }
            Some(Who::Agent(id)) => {
                let Some((place, person)) = self.calls.remove(&id) else { return };
                let Some(agent) = self.agents.get_mut(place) else { return };
                match &person.machine {
                    call if call.was_answered() => {
                        agent.report.answered += 1;
                        self.report.conversations.push(ConversationReport { heard, sent, ..person.machine.report });
                    }
                    call if call.refused => agent.report.refused += 1,
                    _ => agent.report.missed += 1,
                }
            }
            None => {}
        }
    }
}

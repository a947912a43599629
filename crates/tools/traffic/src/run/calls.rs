//! New calls: those that callers place, and those that ring at an agent's phone.

use super::{GLANCE, Person, REGISTERING, Who, World, way};
use crate::audio::Law;
use crate::line::News;
use crate::people::{AgentCall, Caller, Habit, Pass};
use crate::plan::caller_tone;
use crate::register::Registration;
use crate::report::{CallReport, ConversationReport, Moments, Ring};
use crate::sdp::Audio;
use crate::streams::{self, StreamId, Through, Way};
use base::{Pii, Random};
use sip::{Dial, Input, Refusal, SessionId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

impl World<'_> {
    pub(super) fn place_calls(&mut self, now: Instant) {
        if self.opened.is_none() {
            let ready = self.agents.iter().all(|a| a.registration.as_ref().is_none_or(Registration::is_registered));
            if !ready && now < self.start + REGISTERING {
                self.next_call = now + Duration::from_millis(20);
                return;
            }
            self.opened = Some(now);
            self.next_call = now;
            (0..self.plan.callers.at_once).for_each(|_| self.call(now));
        }
        while self.next_call <= now && self.plan.callers.per_minute > 0.0 && !self.plan.numbers.is_empty() {
            self.call(now);
            // Arrivals at random: the time to the next is exponential.
            let minutes = -(1.0 - self.random.unit()).ln() / self.plan.callers.per_minute;
            self.next_call += Duration::from_secs_f64((minutes * 60.0).min(86_400.0));
        }
        if self.plan.callers.per_minute <= 0.0 {
            self.next_call = now + GLANCE;
        }
    }

    fn call(&mut self, now: Instant) {
        let full = self.plan.callers.live.is_some_and(|most| self.callers.len() >= most as usize);
        if full || self.plan.callers.at_most.is_some_and(|most| self.started >= u64::from(most)) {
            return;
        }
        let mut own = Random::from_seed(self.random.bits());
        let Some(number) = self.plan.numbers.get(own.below(self.plan.numbers.len() as u64) as usize) else { return };
        let Some((stream, media)) = self.open(self.trunk.local()) else { return };
        let both = if own.below(2) == 0 { [Law::Pcmu, Law::Pcma] } else { [Law::Pcma, Law::Pcmu] };
        let laws = self.plan.load.law.map_or(both.to_vec(), |law| vec![law]);
        let audio = Audio::phone(media, &laws, if own.below(2) == 0 { 101 } else { 96 });
        let session = self.trunk.new_session();
        let call_id = format!("{}@{}", base::Random::from_seed(own.bits() ^ self.entropy()).token(), media.ip());
        let report = CallReport {
            number: number.clone(),
            call_id: call_id.clone(),
            from: format!("+1555010{:04}", self.started % 10_000),
            tone_hz: caller_tone(self.started as usize),
            start_ms: now.saturating_duration_since(self.start).as_millis() as u64,
            ..CallReport::default()
        };
        let dial = Dial {
            uri: format!("sip:{number}@{}", self.plan.server).into(),
            flow: self.trunk.flow(),
            call_id: call_id.into(),
            from_display: Pii::new("".into()),
            from_user: Pii::new(report.from.as_str().into()),
            sdp: audio.write(1).into(),
            credential: None,
            provisional_within: Duration::from_secs(32),
            withheld: false,
            auto_answer: false,
            headers: vec![],
        };
        let machine = Caller::new(&self.plan.callers, own, report, now);
        let moments = Moments { dialled_us: Some(self.micros(Instant::now())), ..Moments::default() };
        self.who.insert(stream, Who::Caller(session));
        self.callers.insert(session, Person { machine, stream, media, agreed: Some(audio), moments });
        self.started += 1;
        let outputs = self.trunk.input(Input::Invite { session, dial: Box::new(dial) });
        self.on_trunk(outputs);
    }

    /// Two runs with one seed at one server must not share a Call-ID.
    pub(super) fn entropy(&self) -> u64 {
        u64::from(self.trunk.local().port()) << 32 | u64::from(std::process::id())
    }

    /// A socket for sound, its own or a shared one, beside the line that the call is on.
    pub(super) fn open(&mut self, beside: SocketAddr) -> Option<(StreamId, SocketAddr)> {
        let shared = self.shared.iter().position(|(_, at)| at.ip() == beside.ip());
        let (through, media) = match shared.and_then(|place| self.shared.remove(place)) {
            Some((port, at)) => {
                self.shared.push_back((port, at));
                (Through::Shared(port), at)
            }
            None => {
                let socket = streams::bind((beside.ip(), 0).into()).ok()?;
                let at = socket.local_addr().ok()?;
                (Through::Own(socket), at)
            }
        };
        self.last_stream += 1;
        let stream = StreamId(self.last_stream);
        self.plane.open(stream, through);
        Some((stream, media))
    }

    /// An INVITE for an agent's phone.
    pub(super) fn ring(&mut self, now: Instant, session: SessionId, invite: &sip::IncomingInvite) {
        let place = self.plan.agents.iter().position(|spec| *spec.user == *invite.dialled);
        let offer = invite.offer.as_deref().and_then(Audio::read);
        let busy = self.own.values().any(|(owner, _)| Some(*owner) == place);
        let opened = if busy { None } else { self.open(self.phones.local()) };
        let (Some(place), Some(offer), Some((stream, media))) = (place, offer, opened) else {
            let status = if busy { 486 } else { 488 };
            let refusal = Refusal { status, phrase: None, reason: None, retry_after: None };
            self.phones.forget(&invite.call_id);
            let outputs = self.phones.input(Input::Reject { session, refusal });
            return self.on_phones(News { outputs, ..News::default() });
        };
        let at_us = self.micros(now);
        let (Some(spec), Some(phone)) = (self.plan.agents.get(place), self.agents.get_mut(place)) else { return };
        phone.report.offers += 1;
        phone.report.rings.push(Ring { at_us, from: invite.caller.reveal().to_string() });
        let tone = phone.report.tone_hz;
        let report = ConversationReport {
            user: spec.user.clone(),
            call_id: invite.call_id.to_string(),
            display: invite.caller_name.reveal().to_string(),
            from: invite.caller.reveal().to_string(),
            start_ms: now.saturating_duration_since(self.start).as_millis() as u64,
            ..ConversationReport::default()
        };
        let (habit, pass) = (Habit::draw(spec, &mut self.random), Pass::draw(spec, &mut self.random));
        let machine = AgentCall::new(habit, pass, tone, report, now);
        self.who.insert(stream, Who::Agent(session));
        let agreed = offer.answer(media);
        self.calls.insert(session, (place, Person { machine, stream, media, agreed, moments: Moments::default() }));
        self.plane.go(stream, Way { send: false, ..way(&offer) });
        let outputs = self.phones.input(Input::Ring { session, status: 180, sdp: None });
        self.on_phones(News { outputs, ..News::default() });
    }
}

//! Calls that the agents' phones make: their own, and those by which they consult before they pass a call on.

use super::{Person, Who, World};
use crate::audio::Law;
use crate::people::{Event, NEVER, OwnCall};
use crate::plan::{OwnCalls, Purpose};
use crate::register::Registration;
use crate::report::{Moments, OwnCallReport};
use crate::sdp::Audio;
use base::{Pii, Random};
use sip::{Dial, Input, SessionId};
use std::time::{Duration, Instant};

/// A consultation that nobody ends is ended after this.
const LONGEST_CONSULT: Duration = Duration::from_secs(60);
/// When a phone was busy, or nobody was to be called, it is looked at again after this.
const LATER: Duration = Duration::from_millis(500);

/// One call to make.
struct Errand {
    purpose: Purpose,
    dialled: String,
    keys: String,
    lasts: Duration,
}

impl World<'_> {
    pub(super) fn place_own_calls(&mut self, now: Instant) {
        let plan = self.plan;
        for (place, spec) in plan.agents.iter().enumerate().filter(|(_, spec)| !spec.own.is_empty()) {
            let due = self.agents.get(place).map(|phone| phone.own.clone()).unwrap_or_default();
            let Some(at) = due.iter().position(|due| now >= *due) else { continue };
            let errand = spec.own.get(at).filter(|_| self.is_free(place)).and_then(|calls| self.errand(calls));
            let Some(errand) = errand else {
                self.postpone(place, at, now + LATER);
                continue;
            };
            // The next comes after this one has ended.
            let next = if self.dial(place, errand).is_some() { NEVER } else { LATER };
            self.postpone(place, at, now + next);
        }
    }

    /// Once one of its own calls is over, each that waited for that has its time again.
    pub(super) fn next_own_call(&mut self, place: usize) {
        let (now, Some(spec)) = (Instant::now(), self.plan.agents.get(place)) else { return };
        let Some(phone) = self.agents.get_mut(place) else { return };
        for (due, calls) in phone.own.iter_mut().zip(&spec.own) {
            if *due > now + NEVER / 2 {
                *due = now + calls.every.draw(&mut self.random);
            }
        }
    }

    fn postpone(&mut self, place: usize, at: usize, until: Instant) {
        if let Some(due) = self.agents.get_mut(place).and_then(|phone| phone.own.get_mut(at)) {
            *due = until;
        }
    }

    fn is_free(&self, place: usize) -> bool {
        let registered = |phone: &super::Phone| phone.registration.as_ref().is_none_or(Registration::is_registered);
        let busy = self.calls.values().any(|(owner, _)| *owner == place) || self.own.values().any(|(owner, _)| *owner == place);
        self.opened.is_some() && !busy && self.agents.get(place).is_some_and(registered)
    }

    fn errand(&mut self, calls: &OwnCalls) -> Option<Errand> {
        let talking = |user: &String| self.calls.values().any(|(_, p)| p.machine.report.user == *user && p.machine.is_talking());
        let open: Vec<_> = calls.to.iter().filter(|to| to.while_talking.as_ref().is_none_or(talking)).collect();
        let dialled = open.get(self.random.below(open.len() as u64) as usize)?.dial.clone();
        let lasts = calls.lasts.draw(&mut self.random);
        Some(Errand { purpose: calls.purpose, dialled, keys: calls.keys.clone(), lasts })
    }

    fn dial(&mut self, place: usize, errand: Errand) -> Option<SessionId> {
        let now = Instant::now();
        let (stream, media) = self.open(self.phones.local())?;
        let (phone, spec) = (self.agents.get(place)?, self.plan.agents.get(place)?);
        let audio = Audio::phone(media, &[Law::Pcma, Law::Pcmu], 101);
        let session = self.phones.new_session();
        let call_id = format!("{}@{}", Random::from_seed(self.random.bits() ^ self.entropy()).token(), media.ip());
        let report = OwnCallReport {
            user: spec.user.clone(),
            purpose: errand.purpose,
            dialled: errand.dialled.clone(),
            call_id: call_id.clone(),
            start_ms: now.saturating_duration_since(self.start).as_millis() as u64,
            ..OwnCallReport::default()
        };
        let dial = Dial {
            uri: format!("sip:{}@{}", errand.dialled, self.plan.server).into(),
            flow: self.phones.flow(),
            call_id: call_id.into(),
            from_display: Pii::new("".into()),
            from_user: Pii::new(spec.user.as_str().into()),
            sdp: audio.write(1).into(),
            credential: phone.registration.as_ref().and_then(Registration::credential),
            provisional_within: Duration::from_secs(32),
            withheld: false,
            auto_answer: false,
            headers: vec![],
        };
        let machine = OwnCall::new(phone.report.tone_hz, &errand.keys, errand.lasts, report, now);
        self.who.insert(stream, Who::Own(session));
        self.own.insert(session, (place, Person { machine, stream, media, agreed: Some(audio), moments: Moments::default() }));
        self.input(Who::Own(session), Input::Invite { session, dial: Box::new(dial) });
        Some(session)
    }

    /// The caller hears music while the agent asks somebody else.
    pub(super) fn consult(&mut self, call: SessionId) {
        let Some((place, to)) = self.calls.get(&call).and_then(|(place, p)| Some((*place, p.machine.pass()?.to.clone()))) else {
            return;
        };
        self.hold(call, true);
        let errand = Errand { purpose: Purpose::Consult, dialled: to, keys: String::new(), lasts: LONGEST_CONSULT };
        match self.dial(place, errand) {
            Some(consult) => drop(self.consults.insert(consult, call)),
            None => self.happen(Who::Agent(call), Event::ThirdGone),
        }
    }

    pub(super) fn resume(&mut self, call: SessionId) {
        self.hold(call, false);
        self.end_consult(call);
    }

    fn hold(&mut self, session: SessionId, held: bool) {
        let Some(audio) = self.calls.get(&session).and_then(|(_, p)| p.agreed.clone()) else { return };
        let audio = Audio { sends: true, receives: !held, ..audio };
        let sdp = audio.write(if held { 2 } else { 3 }).into();
        self.input(Who::Agent(session), Input::Reoffer { session, sdp });
    }

    /// What happens to a consultation matters to the call that it is about, and the other way round.
    pub(super) fn consulting(&mut self, who: Who, event: Event) {
        let over = matches!(event, Event::Failed(_) | Event::Ended { .. });
        match who {
            Who::Own(consult) => {
                let Some(call) = self.consults.get(&consult).copied() else { return };
                match event {
                    Event::Connected => self.happen(Who::Agent(call), Event::ThirdAnswered),
                    _ if over => {
                        self.consults.remove(&consult);
                        self.happen(Who::Agent(call), Event::ThirdGone);
                    }
                    _ => {}
                }
            }
            Who::Agent(call) if over => self.end_consult(call),
            _ => {}
        }
    }

    fn end_consult(&mut self, call: SessionId) {
        let consult = self.consults.iter().find(|(_, about)| **about == call).map(|(consult, _)| *consult);
        if let Some(consult) = consult {
            self.consults.remove(&consult);
            self.happen(Who::Own(consult), Event::Stop);
        }
    }

    pub(super) fn pass_on(&mut self, session: SessionId) {
        let consult = self.consults.iter().find(|(_, about)| **about == session).map(|(consult, _)| *consult);
        let Some((_, person)) = self.calls.get(&session) else { return };
        let (call_id, to) = (person.machine.report.call_id.clone(), person.machine.pass().map(|pass| pass.to.clone()));
        let replaces = consult.and_then(|id| self.own.get(&id)).map(|(_, p)| p.machine.report.call_id.clone());
        let asked = to.is_some_and(|to| self.phones.refer(&call_id, &to, replaces.as_deref()));
        if !asked {
            self.happen(Who::Agent(session), Event::PassedOn(481));
        }
    }
}

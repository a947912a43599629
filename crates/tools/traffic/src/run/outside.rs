//! The people whom the centre calls: customers who are called back, and whoever the agents dial.

use super::{Person, Who, World, way};
use crate::people::{CalledPerson, Event, Habit};
use crate::plan::caller_tone;
use crate::report::{CallReport, CalledReport, Moments, Outcome, same};
use crate::sdp::Audio;
use crate::streams::Way;
use sip::{IncomingInvite, Input, Output, Refusal, SessionId};
use std::time::Instant;

impl World<'_> {
    pub(super) fn on_outside(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Incoming { session, invite, .. } => self.ring_outside(session, &invite),
                Output::Confirmed { session, .. } => self.happen(Who::Outside(session), Event::Connected),
                other => self.on_any(Who::Outside, other),
            }
        }
    }

    /// A caller who asked to be called back is at home as soon as the line is closed.
    pub(super) fn promise(&mut self, who: Who) {
        let Who::Caller(id) = who else { return };
        let report = self.callers.get(&id).map(|p| &p.machine.report).filter(|r| r.outcome == Outcome::AskedForCallback);
        let known = |report: &&CallReport| self.promised.iter().any(|(_, call_id, _)| *call_id == report.call_id);
        if let Some(report) = report.filter(|report| self.outside.is_some() && !known(report)) {
            self.promised.push((report.from.clone(), report.call_id.clone(), report.tone_hz));
        }
    }

    /// Whoever has spoken with an agent waits for no other call.
    pub(super) fn kept_promise(&mut self, report: &CalledReport) {
        if report.wait_ms.is_some() {
            self.promised.retain(|(_, call_id, _)| report.called_back.as_ref() != Some(call_id));
        }
    }

    fn ring_outside(&mut self, session: SessionId, invite: &IncomingInvite) {
        let now = Instant::now();
        let offer = invite.offer.as_deref().and_then(Audio::read);
        let opened = self.outside.as_ref().map(|line| line.local()).and_then(|at| self.open(at));
        let (Some(offer), Some((stream, media)), Some(spec)) = (offer, opened, &self.plan.outside) else {
            let refusal = Refusal { status: 488, phrase: None, reason: None, retry_after: None };
            return self.input(Who::Outside(session), Input::Reject { session, refusal });
        };
        let promised = self.promised.iter().find(|(number, ..)| same(number, &invite.dialled)).cloned();
        let tone_hz = promised.as_ref().map_or_else(|| caller_tone(self.report.called.len()), |(_, _, hz)| *hz);
        let report = CalledReport {
            number: invite.dialled.to_string(),
            called_back: promised.map(|(_, call_id, _)| call_id),
            call_id: invite.call_id.to_string(),
            tone_hz,
            start_ms: now.saturating_duration_since(self.start).as_millis() as u64,
            ..CalledReport::default()
        };
        let habit = Habit::of((spec.never_answers, spec.refuses), spec.answer_after, Some(spec.talk), &mut self.random);
        let machine = CalledPerson::new(habit, report, now);
        self.who.insert(stream, Who::Outside(session));
        let agreed = offer.answer(media);
        self.called.insert(session, Person { machine, stream, media, agreed, moments: Moments::default() });
        self.plane.go(stream, Way { send: false, ..way(&offer) });
        self.input(Who::Outside(session), Input::Ring { session, status: 180, sdp: None });
    }
}

//! The two figures, from what phones and callers noted.

use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use traffic::{AgentReport, CallReport, Outcome, Report, Ring};

/// Whoever pressed the last key this long before stands in the queue.
const IN_QUEUE_US: u64 = 1_000_000;
/// What began this long before the end has come about by then, or never.
const LAST_US: u64 = 1_000_000;

/// Milliseconds of a number of samples.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Spread {
    pub samples: usize,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(mut micros: Vec<u64>) -> Spread {
        micros.sort_unstable();
        let at = |share: f64| {
            let place = (micros.len() as f64 * share).ceil() as usize;
            micros.get(place.saturating_sub(1)).map_or(0.0, |us| *us as f64 / 1_000.0)
        };
        Spread { samples: micros.len(), p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Samples {
    /// From the BYE that frees an agent to the next INVITE at the agent's phone, while somebody waits: all, those after
    /// the agent's own BYE, and those after the caller's.
    pub free_to_invite: Spread,
    pub after_own_bye: Spread,
    pub after_callers_bye: Spread,
    /// Frees after which nobody had been waiting, or nobody came any more.
    pub nobody_waited: usize,
    /// From the 200 of the agent's phone to the first packet with the caller's voice there, with the agent's voice at the
    /// caller, and to the later of the two.
    pub answer_to_audio: Spread,
    pub caller_heard: Spread,
    pub agent_heard: Spread,
    /// Conversations in which one side never heard the other, or heard somebody else.
    pub unheard: usize,
    /// Of the whole run.
    pub calls: usize,
    pub conversations: usize,
    pub failed: usize,
    pub packets_sent: u64,
    pub packets_heard: u64,
    pub packets_lost: u64,
    pub gaps_over_60ms: u64,
}

impl Samples {
    /// `counted`: the moments that count, in microseconds since the run began.
    pub fn of(report: &Report, counted: Range<u64>) -> Samples {
        let callers: BTreeMap<&str, &CallReport> = report.calls.iter().map(|call| (call.from.as_str(), call)).collect();
        let mut samples = Samples::of_the_whole(report);
        samples.audio(report, &callers, &counted);
        samples.rings(report, &callers, &counted);
        samples
    }

    fn of_the_whole(report: &Report) -> Samples {
        let legs =
            || report.calls.iter().map(|c| (&c.heard, c.sent)).chain(report.conversations.iter().map(|c| (&c.heard, c.sent)));
        let failed = [Outcome::Rejected, Outcome::Dismissed, Outcome::Lost].map(|outcome| report.count(outcome));
        Samples {
            calls: report.calls.len(),
            conversations: report.conversations.len(),
            failed: failed.iter().sum(),
            packets_sent: legs().map(|(_, sent)| sent).sum(),
            packets_heard: legs().map(|(heard, _)| heard.packets).sum(),
            packets_lost: legs().map(|(heard, _)| heard.lost).sum(),
            gaps_over_60ms: legs().map(|(heard, _)| heard.gaps_over_60ms).sum(),
            ..Samples::default()
        }
    }

    fn audio(&mut self, report: &Report, callers: &BTreeMap<&str, &CallReport>, counted: &Range<u64>) {
        let (mut there, mut here, mut both) = (vec![], vec![], vec![]);
        let tones: BTreeMap<&str, u32> = report.agents.iter().map(|agent| (agent.user.as_str(), agent.tone_hz)).collect();
        let until = counted.end.saturating_sub(LAST_US);
        for conversation in &report.conversations {
            let Some(answered) = conversation.moments.answered_us.filter(|at| (counted.start..until).contains(at)) else {
                continue;
            };
            let call = callers.get(conversation.from.as_str());
            let heard = conversation.moments;
            let at_the_phone = heard.heard_us.filter(|_| call.is_some_and(|call| heard.heard_hz == Some(call.tone_hz)));
            let agent = tones.get(conversation.user.as_str());
            let heard = call.map(|call| call.moments).unwrap_or_default();
            let at_the_caller = heard.heard_us.filter(|_| heard.heard_hz.as_ref() == agent);
            let (Some(phone), Some(caller)) = (at_the_phone, at_the_caller) else {
                self.unheard += 1;
                continue;
            };
            here.push(phone.saturating_sub(answered));
            there.push(caller.saturating_sub(answered));
            both.push(phone.max(caller).saturating_sub(answered));
        }
        self.answer_to_audio = Spread::of(both);
        (self.caller_heard, self.agent_heard) = (Spread::of(here), Spread::of(there));
    }

    fn rings(&mut self, report: &Report, callers: &BTreeMap<&str, &CallReport>, counted: &Range<u64>) {
        let agents: BTreeMap<&str, &AgentReport> = report.agents.iter().map(|agent| (agent.user.as_str(), agent)).collect();
        let until = counted.end.saturating_sub(LAST_US);
        let (mut own, mut theirs) = (vec![], vec![]);
        for one in &report.conversations {
            let caller = callers.get(one.from.as_str()).and_then(|call| call.moments.hung_up_us);
            let by_caller = caller.filter(|at| one.moments.hung_up_us.is_none_or(|own| *at < own));
            let freed = by_caller.or(one.moments.hung_up_us).filter(|at| (counted.start..until).contains(at));
            let (Some(freed), Some(agent)) = (freed, agents.get(one.user.as_str())) else { continue };
            let next = agent.rings.iter().find(|ring| ring.at_us > freed);
            let waited = |ring: &&Ring| {
                let key = callers.get(ring.from.as_str()).and_then(|call| call.moments.key_us);
                key.is_some_and(|key| key + IN_QUEUE_US < freed)
            };
            match next.filter(waited) {
                Some(ring) if by_caller.is_some() => theirs.push(ring.at_us - freed),
                Some(ring) => own.push(ring.at_us - freed),
                None => self.nobody_waited += 1,
            }
        }
        self.free_to_invite = Spread::of([own.clone(), theirs.clone()].concat());
        (self.after_own_bye, self.after_callers_bye) = (Spread::of(own), Spread::of(theirs));
    }
}

//! What a demonstration proves: its own sums, each recording, the invariants, and that callers heard the same.

use base::fact::What;
use metrics::{Callbacks, Figures, Transfers};
use serde::Serialize;
use shell_store::{Filter, Store};
use std::collections::BTreeMap;
use std::process::ExitCode;
use traffic::{Outcome, Report};

/// One object; its names are those of the figures.
#[derive(Serialize)]
pub struct Summary {
    incoming: u64,
    rejected: u64,
    ivr_abandoned: u64,
    ivr_ended: u64,
    queued: u64,
    in_ivr: u64,
    offered: u64,
    answered: u64,
    abandoned: u64,
    other_exits: u64,
    waiting: u64,
    service_level: Option<f64>,
    service_level_formula: String,
    asa_ms: Option<u64>,
    recordings_expected: u64,
    recordings_complete: u64,
    tickets_opened: u64,
    events: u64,
    invariant_breaches: u64,
    languages: BTreeMap<String, u64>,
    callbacks: Callbacks,
    transfers: Transfers,
    voicemails: u64,
    /// Times that a supervisor took part in a call.
    monitored: u64,
    agents_own_calls: u64,
    callers: Callers,
    /// What does not hold; empty when all is well.
    failures: Vec<String>,
}

/// The other side's view.
#[derive(Serialize)]
struct Callers {
    calls: usize,
    talked: usize,
    left_in_ivr: usize,
    left_in_queue: usize,
    rejected: usize,
    lost: usize,
    /// Who asked to be called back, who was and heard an agent then, and who spoke a message.
    asked_for_callback: usize,
    called_back: usize,
    left_message: usize,
    /// Transfers that phones asked for and were told the end of.
    passed_on_blind: usize,
    passed_on_attended: usize,
    /// Times that a supervisor's phone heard both.
    supervisor_heard_both: usize,
    /// Gaps of over 60 ms in what was heard, in all calls.
    gaps: u64,
    longest_gap_ms: u64,
}

impl Summary {
    pub fn new(figures: &Figures, store: &Store, report: &Report) -> Result<Summary, String> {
        let tickets = store.ticket_counts().map_err(|e| e.to_string())?.values().sum();
        let (calls, visits, recordings) = (&figures.totals.calls, &figures.totals.visits, &figures.recordings);
        let mut summary = Summary {
            incoming: calls.incoming,
            rejected: calls.rejected,
            ivr_abandoned: calls.ivr_abandoned,
            ivr_ended: calls.ivr_ended,
            queued: calls.queued,
            in_ivr: calls.in_ivr,
            offered: visits.offered,
            answered: visits.answered,
            abandoned: visits.abandoned,
            other_exits: visits.other_exits,
            waiting: visits.waiting,
            service_level: visits.service_level,
            service_level_formula: visits.service_level_formula.clone(),
            asa_ms: visits.asa_ms,
            recordings_expected: recordings.expected,
            recordings_complete: recordings.complete,
            tickets_opened: tickets,
            events: figures.events,
            invariant_breaches: figures.invariant_breaches,
            languages: figures.languages.iter().map(|(lang, n)| (lang.to_string(), *n)).collect(),
            callbacks: figures.totals.callbacks.clone(),
            transfers: figures.totals.transfers.clone(),
            voicemails: calls.voicemails_left,
            monitored: figures.supervision.monitors,
            agents_own_calls: figures.agents.iter().map(|a| a.outgoing + a.internal).sum(),
            callers: Callers::of(report),
            failures: Vec::new(),
        };
        summary.failures = summary.judge(figures);
        summary.failures.extend(unheard(report));
        summary.failures.extend(unlike(store)?);
        Ok(summary)
    }

    fn judge(&self, figures: &Figures) -> Vec<String> {
        let mut failures = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                failures.push(what);
            }
        };
        must(figures.totals.calls.sums_hold(), "incoming is not rejected + ivr_abandoned + ivr_ended + queued + in_ivr".into());
        must(figures.totals.visits.sums_hold(), "offered is not answered + abandoned + other_exits + waiting".into());
        must(
            self.recordings_complete == self.recordings_expected,
            format!("{} of {} recordings are complete", self.recordings_complete, self.recordings_expected),
        );
        must(
            self.recordings_expected >= self.answered,
            format!("{} answered, {} recordings owed", self.answered, self.recordings_expected),
        );
        // A phone may miss the last word about what it did: it knows of no more than we do. Whoever speaks a message into
        // the very moment of an agent's answer has left none.
        let callers = &self.callers;
        let blind = self.transfers.blind + self.transfers.to_queue + self.transfers.external;
        for (known, all, what) in [
            (callers.passed_on_blind as u64, blind, "blind transfers that phones know of, of"),
            (callers.passed_on_attended as u64, self.transfers.attended, "attended transfers that phones know of, of"),
            (callers.called_back as u64, self.callbacks.connected, "customers who were called back, of"),
            (callers.supervisor_heard_both as u64, self.monitored, "times a supervisor heard both, of"),
            (self.voicemails, callers.left_message as u64, "messages kept, of"),
        ] {
            must(known <= all, format!("{known} {what} {all}"));
        }
        failures
    }

    pub fn print(&self, as_json: bool) -> ExitCode {
        if as_json {
            match serde_json::to_string(self) {
                Ok(line) => println!("{line}"),
                Err(error) => return super::fail(&error.to_string()),
            }
        } else {
            println!("{self}");
        }
        if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Who spoke with somebody for a while and heard nobody: callers, agents, and customers who were called back.
fn unheard(report: &Report) -> Vec<String> {
    let callers = report.calls.iter().filter(|c| c.outcome == Outcome::Talked).map(|c| (&c.call_id, c.talk_ms, &c.heard));
    let agents = report.conversations.iter().map(|c| (&c.call_id, Some(report.together_ms(c)), &c.heard));
    let called = report.called.iter().map(|c| (&c.call_id, c.talk_ms, &c.heard));
    let deaf = callers
        .chain(agents)
        .chain(called)
        .filter(|(_, talk, heard)| talk.is_some_and(|ms| ms > 2_000) && heard.tones_ms.is_empty());
    deaf.map(|(id, ..)| format!("{id} heard no tone")).collect()
}

/// Recordings that are not as long as their conversation, to half a second.
fn unlike(store: &Store) -> Result<Vec<String>, String> {
    let filter = Filter { kind: None, limit: usize::MAX, ..Filter::default() };
    let facts = store.read_facts(&filter).map_err(|e| e.to_string())?;
    let mut spoken = BTreeMap::new();
    let mut failures = Vec::new();
    for logged in &facts {
        match &logged.fact.what {
            What::AgentLegEnded { talk_ms, hold_ms, .. } => {
                spoken.insert(logged.fact.about.conversation, talk_ms + hold_ms);
            }
            // The first part is the conversation; others are consultations. A message has no conversation.
            What::RecordingStored { recording, duration_ms, .. } if recording.n == 1 => {
                let Some(spoke) = spoken.get(&Some(recording.conversation)).copied() else { continue };
                if spoke.abs_diff(*duration_ms) > 500 {
                    failures.push(format!("recording {recording} is {duration_ms} ms long, its conversation {spoke} ms"));
                }
            }
            _ => (),
        }
    }
    Ok(failures)
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = |ms: Option<u64>| ms.map_or("–".to_string(), |ms| format!("{:.1} s", ms as f64 / 1_000.0));
        let level = self.service_level.map_or("–".to_string(), |l| format!("{:.1} %", l * 100.0));
        let languages: Vec<String> = self.languages.iter().map(|(lang, n)| format!("{lang} {n}")).collect();
        writeln!(
            f,
            "Calls      {} incoming = {} rejected + {} left in the menu + {} ended there + {} queued + {} still in it",
            self.incoming, self.rejected, self.ivr_abandoned, self.ivr_ended, self.queued, self.in_ivr
        )?;
        writeln!(
            f,
            "Visits     {} offered = {} answered + {} abandoned + {} other exits + {} waiting",
            self.offered, self.answered, self.abandoned, self.other_exits, self.waiting
        )?;
        writeln!(f, "Service    {level} ({}), ASA {}", self.service_level_formula, seconds(self.asa_ms))?;
        writeln!(f, "Recordings {} of {} complete", self.recordings_complete, self.recordings_expected)?;
        writeln!(f, "Tickets    {} opened", self.tickets_opened)?;
        writeln!(
            f,
            "Callbacks  {} asked for = {} connected + {} failed + {} waiting + {} joined by a new call + {} cancelled",
            self.callbacks.requested,
            self.callbacks.connected,
            self.callbacks.failed,
            self.callbacks.waiting,
            self.callbacks.joined,
            self.callbacks.cancelled
        )?;
        writeln!(
            f,
            "Transfers  {} blind, {} attended, {} to a queue, {} outside; {} messages; {} calls of agents' own",
            self.transfers.blind,
            self.transfers.attended,
            self.transfers.to_queue,
            self.transfers.external,
            self.voicemails,
            self.agents_own_calls
        )?;
        writeln!(
            f,
            "Supervisor {} times in a call, {} times heard both sides",
            self.monitored, self.callers.supervisor_heard_both
        )?;
        writeln!(f, "Languages  {}", languages.join(", "))?;
        writeln!(
            f,
            "Heard      {} callers spoke with an agent; {} gaps over 60 ms, the longest {} ms",
            self.callers.talked, self.callers.gaps, self.callers.longest_gap_ms
        )?;
        write!(f, "Log        {} events, {} broken invariants", self.events, self.invariant_breaches)?;
        for failure in &self.failures {
            write!(f, "\nFAILED     {failure}")?;
        }
        Ok(())
    }
}

impl Callers {
    fn of(report: &Report) -> Callers {
        Callers {
            calls: report.calls.len(),
            talked: report.count(Outcome::Talked),
            left_in_ivr: report.count(Outcome::LeftInIvr),
            left_in_queue: report.count(Outcome::LeftInQueue),
            rejected: report.count(Outcome::Rejected),
            lost: report.count(Outcome::Lost),
            asked_for_callback: report.count(Outcome::AskedForCallback),
            called_back: report.called_back(),
            left_message: report.count(Outcome::LeftMessage),
            passed_on_blind: report.passed_on(false),
            passed_on_attended: report.passed_on(true),
            supervisor_heard_both: report.listened(),
            gaps: report.calls.iter().map(|c| c.heard.gaps_over_60ms).sum(),
            longest_gap_ms: report.calls.iter().map(|c| c.heard.longest_gap_ms).max().unwrap_or(0),
        }
    }
}

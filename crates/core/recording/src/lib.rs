//! What is owed: each conversation owes one recording of one or more parts.
//!
//! ```text
//!            Owed                Started            Closed / Failed, no part running
//!  (nothing) ────▶ owed ────────────────▶ running ───────────────▶ complete | partial | failed
//!                   │ not started in time    ▲                          │
//!                   └─▶ Overdue (alarm)      └───────── Started ────────┘   a further part
//!  Owed { eligible: false } ─▶ excluded: consent refused or policy; outside the denominator
//! ```
//!
//! Invariant: `expected = open + complete + partial + failed`, at every moment.

use base::fact::Kept;
use base::{ConversationId, Instant, Now, RecordingId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A conversation whose recorder has not begun after this long is an alarm.
pub const START_WITHIN: Duration = Duration::from_secs(5);

/// Settled conversations remembered, so that a further part corrects their count instead of making a new one.
const REMEMBERED: usize = 4096;

/// What enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A conversation began. `eligible` false: consent refused, or the queue's policy records nothing.
    Owed { conversation: ConversationId, eligible: bool },
    /// The recorder wrote the part's first frame. Of a conversation not known here, it is owed by that.
    Started { recording: RecordingId },
    /// The part's file is closed. The first word about a part's end stands.
    Closed { recording: RecordingId, kept: Kept },
    /// There is no file, or none that can be played.
    Failed { recording: RecordingId },
    /// The deadline passed.
    Due,
}

/// What leaves. Both are alarms or their end; figures come from the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// No part began within [`START_WITHIN`].
    Overdue { conversation: ConversationId },
    /// No part is running; `kept` is the worst of the parts. Again after each further part.
    Settled { conversation: ConversationId, kept: Kept },
}

/// One part of a recording, for whoever lists what is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Running,
    Ended(Kept),
}

/// The sums. `expected` counts eligible conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub expected: u64,
    pub complete: u64,
    pub partial: u64,
    pub failed: u64,
    /// Owed or running.
    pub open: u64,
    /// Not eligible.
    pub excluded: u64,
}

impl Coverage {
    /// Complete / settled eligible conversations; none when nothing has settled.
    pub fn ratio(&self) -> Option<f64> {
        let settled = self.complete + self.partial + self.failed;
        (settled > 0).then(|| self.complete as f64 / settled as f64)
    }

    pub fn sums_hold(&self) -> bool {
        self.expected == self.open + self.complete + self.partial + self.failed
    }
}

#[derive(Clone, Debug)]
struct Debt {
    eligible: bool,
    parts: BTreeMap<u16, Part>,
    /// Alarm if nothing started by then.
    due: Option<Instant>,
}

impl Debt {
    /// `None` while a part runs or is still to come.
    fn settled(&self) -> Option<Kept> {
        let mut ended = Vec::with_capacity(self.parts.len());
        for part in self.parts.values() {
            match part {
                Part::Running => return None,
                Part::Ended(kept) => ended.push(*kept),
            }
        }
        match ended.as_slice() {
            [] => None,
            all if all.iter().all(|k| *k == Kept::Complete) => Some(Kept::Complete),
            all if all.iter().all(|k| *k == Kept::Failed) => Some(Kept::Failed),
            _ => Some(Kept::Partial),
        }
    }
}

/// The ledger of one epoch.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    debts: BTreeMap<ConversationId, Debt>,
    /// Those with an alarm set, soonest first.
    due: BTreeSet<(Instant, ConversationId)>,
    settled: VecDeque<ConversationId>,
    coverage: Coverage,
}

impl Ledger {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Owed { conversation, eligible } => self.on_owed(now, conversation, eligible),
            Input::Started { recording } => self.on_started(recording),
            Input::Closed { recording, kept } => self.on_ended(recording, kept, out),
            Input::Failed { recording } => self.on_ended(recording, Kept::Failed, out),
            Input::Due => self.on_due(now, out),
        }
    }

    /// When [`Input::Due`] is wanted.
    pub fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Eligible conversations that are owed or running, with their parts.
    pub fn open(&self) -> impl Iterator<Item = (ConversationId, impl Iterator<Item = (RecordingId, Part)>)> {
        self.debts.iter().filter(|(_, d)| d.eligible && d.settled().is_none()).map(|(c, d)| {
            let conversation = *c;
            (conversation, d.parts.iter().map(move |(n, part)| (RecordingId { conversation, n: *n }, *part)))
        })
    }

    fn on_owed(&mut self, now: Now, conversation: ConversationId, eligible: bool) {
        if self.debts.contains_key(&conversation) {
            return;
        }
        let due = eligible.then(|| now.mono + START_WITHIN);
        self.due.extend(due.map(|due| (due, conversation)));
        self.debts.insert(conversation, Debt { eligible, parts: BTreeMap::new(), due });
        if eligible {
            self.coverage.expected += 1;
            self.coverage.open += 1;
        } else {
            self.coverage.excluded += 1;
            self.remember(conversation);
        }
    }

    fn on_started(&mut self, recording: RecordingId) {
        self.change(recording, |debt| {
            debt.parts.entry(recording.n).or_insert(Part::Running);
        });
    }

    fn on_ended(&mut self, recording: RecordingId, kept: Kept, out: &mut Vec<Output>) {
        let changed = self.change(recording, |debt| {
            let part = debt.parts.entry(recording.n).or_insert(Part::Running);
            if *part == Part::Running {
                *part = Part::Ended(kept);
            }
        });
        if let Some(kept) = changed {
            out.push(Output::Settled { conversation: recording.conversation, kept });
            self.remember(recording.conversation);
        }
    }

    fn on_due(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some((due, conversation)) = self.due.first().copied()
            && due <= now.mono
        {
            self.due.pop_first();
            out.push(Output::Overdue { conversation });
        }
    }

    /// Changes one part and moves the conversation's count along. Gives its new end, if that is new.
    fn change(&mut self, recording: RecordingId, change: impl FnOnce(&mut Debt)) -> Option<Kept> {
        let conversation = recording.conversation;
        let Coverage { expected, open, .. } = &mut self.coverage;
        let debt = self.debts.entry(conversation).or_insert_with(|| {
            *expected += 1;
            *open += 1;
            Debt { eligible: true, parts: BTreeMap::new(), due: None }
        });
        let parts = debt.parts.clone();
        let before = debt.settled();
        change(debt);
        if let Some(due) = debt.due.take() {
            self.due.remove(&(due, conversation));
        }
        let after = debt.settled();
        let changed = debt.parts != parts;
        if debt.eligible && before != after {
            *self.place(before) -= 1;
            *self.place(after) += 1;
        }
        if changed { after } else { None }
    }

    fn place(&mut self, kept: Option<Kept>) -> &mut u64 {
        match kept {
            None => &mut self.coverage.open,
            Some(Kept::Complete) => &mut self.coverage.complete,
            Some(Kept::Partial) => &mut self.coverage.partial,
            Some(Kept::Failed) => &mut self.coverage.failed,
        }
    }

    /// Bounds what is kept of the past; the sums stay.
    fn remember(&mut self, conversation: ConversationId) {
        if !self.settled.contains(&conversation) {
            self.settled.push_back(conversation);
        }
        while self.settled.len() > REMEMBERED {
            let Some(oldest) = self.settled.pop_front() else { return };
            if self.debts.get(&oldest).is_some_and(|d| !d.eligible || d.settled().is_some()) {
                self.debts.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Input::*;

    fn part(text: &str) -> RecordingId {
        text.parse().unwrap()
    }

    fn run(ledger: &mut Ledger, inputs: &[Input]) -> Vec<Output> {
        let mut out = Vec::new();
        for input in inputs {
            ledger.handle(Now::default(), *input, &mut out);
            assert!(ledger.coverage().sums_hold(), "{:?} after {input:?}", ledger.coverage());
        }
        out
    }

    fn owed(conversation: &str, eligible: bool) -> Input {
        Owed { conversation: conversation.parse().unwrap(), eligible }
    }

    #[test]
    fn a_conversation_is_open_until_its_part_is_closed() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        run(&mut ledger, &[owed("1-1-1.c1", true), Started { recording: p }]);
        assert_eq!(
            ledger.open().map(|(c, parts)| (c, parts.collect::<Vec<_>>())).collect::<Vec<_>>(),
            [(p.conversation, vec![(p, Part::Running)])]
        );
        let out = run(&mut ledger, &[Closed { recording: p, kept: Kept::Complete }]);
        assert_eq!(out, [Output::Settled { conversation: p.conversation, kept: Kept::Complete }]);
        assert_eq!(ledger.open().count(), 0);
        assert_eq!(ledger.coverage().ratio(), Some(1.0));
    }

    #[test]
    fn one_part_that_failed_makes_the_recording_partial_and_all_of_them_failed() {
        let mut ledger = Ledger::new();
        let (a, b) = (part("1-1-1.c1.p1"), part("1-1-1.c1.p2"));
        run(&mut ledger, &[owed("1-1-1.c1", true), Started { recording: a }, Failed { recording: a }]);
        assert_eq!(ledger.coverage().failed, 1);
        run(&mut ledger, &[Started { recording: b }]);
        assert_eq!((ledger.coverage().failed, ledger.coverage().open), (0, 1), "a further part reopens it");
        run(&mut ledger, &[Closed { recording: b, kept: Kept::Complete }]);
        assert_eq!((ledger.coverage().expected, ledger.coverage().partial), (1, 1));
        assert_eq!(ledger.coverage().ratio(), Some(0.0));
    }

    #[test]
    fn what_is_not_eligible_is_shown_but_outside_the_denominator() {
        let mut ledger = Ledger::new();
        run(&mut ledger, &[owed("1-1-1.c1", false)]);
        assert_eq!(ledger.coverage(), Coverage { excluded: 1, ..Coverage::default() });
        assert_eq!(ledger.coverage().ratio(), None);
        assert_eq!(ledger.deadline(), None);
    }

    #[test]
    fn a_recorder_that_does_not_begin_is_an_alarm_once() {
        let mut ledger = Ledger::new();
        run(&mut ledger, &[owed("1-1-1.c1", true)]);
        assert_eq!(ledger.deadline(), Some(Instant::ZERO + START_WITHIN));
        let late = Now::default().plus(START_WITHIN);
        let mut out = Vec::new();
        ledger.handle(late, Due, &mut out);
        ledger.handle(late, Due, &mut out);
        assert_eq!(out, [Output::Overdue { conversation: part("1-1-1.c1.p1").conversation }]);
        assert_eq!(ledger.deadline(), None);
    }

    #[test]
    fn the_first_word_about_a_part_stands_and_repeats_count_once() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        let closed = Closed { recording: p, kept: Kept::Complete };
        let out = run(&mut ledger, &[owed("1-1-1.c1", true), owed("1-1-1.c1", true), closed, closed, Failed { recording: p }]);
        assert_eq!(out.len(), 1);
        assert_eq!((ledger.coverage().expected, ledger.coverage().complete), (1, 1));
    }

    #[test]
    fn a_part_from_before_a_restart_is_owed_by_its_existence() {
        let mut ledger = Ledger::new();
        run(&mut ledger, &[Closed { recording: part("1-1-9.c1.p1"), kept: Kept::Partial }]);
        assert_eq!((ledger.coverage().expected, ledger.coverage().partial), (1, 1));
    }

    #[test]
    fn the_past_is_bounded_and_the_sums_stay() {
        let mut ledger = Ledger::new();
        for n in 0..(REMEMBERED as u32 + 100) {
            let p = part(&format!("1-1-{n}.c1.p1"));
            run(&mut ledger, &[Started { recording: p }, Closed { recording: p, kept: Kept::Complete }]);
        }
        assert_eq!(ledger.coverage().complete, REMEMBERED as u64 + 100);
        assert_eq!(ledger.debts.len(), REMEMBERED);
    }
}

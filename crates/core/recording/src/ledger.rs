//! What is owed: each conversation owes one recording of one or more parts, or is excluded with a reason.
//!
//! ```text
//!  part:         Asked             Started            Stopping             Closed, Failed
//!      (nothing) ────▶ asked ─────────────▶ running ───────────▶ stopping ───────────────▶ ended
//!                        │ ALARM_AFTER        │   ▲ Grew
//!                        ▼                    └───┘ not for ALARM_AFTER
//!                  alarm: not started           └──▶ alarm: stalled     (until it starts, grows or ends)
//!
//!  conversation: Owed ─▶ open ─▶ each part ended: complete | partial | failed ─▶ open again by a further part
//!                Excluded ─▶ consent refused or policy; outside the denominator
//! ```
//!
//! What is wrong now is told at once ([`Ledger::troubles`]), also of a part that ended while its conversation goes on, and
//! where no fact of it gets into the log because that is on the same disk.
//!
//! Invariant: `expected = open + complete + partial + failed`, at every moment.

use crate::Trouble;
use base::fact::{Excluded, Kept, RecordingAlarm};
use base::{ConversationId, Instant, Now, RecordingId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A recording that has not begun after this long is an alarm, and one of which the recorder says for as long that
/// nothing was committed. With the second between two signs of life that is an alarm within five seconds.
pub const ALARM_AFTER: Duration = Duration::from_secs(4);

/// Conversations that are over and settled which are remembered, so that a further part corrects their count instead of
/// making a new one.
const REMEMBERED: usize = 4096;

/// What enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A conversation began that is to be recorded.
    Owed { conversation: ConversationId },
    /// One began that is not.
    Excluded { conversation: ConversationId, reason: Excluded },
    /// The recorder was told to begin a part.
    Asked { recording: RecordingId },
    /// The recorder wrote the part's first frame. Of a conversation not known here, it is owed by that.
    Started { recording: RecordingId },
    /// Frames of it were committed since the recorder said so last.
    Grew { recording: RecordingId },
    /// The recorder was told to close it: no further growth is expected.
    Stopping { recording: RecordingId },
    /// The part's file is closed. The first word about a part's end stands.
    Closed { recording: RecordingId, kept: Kept },
    /// There is no file, or none that can be played.
    Failed { recording: RecordingId },
    /// The conversation is over; no further part of it is asked for.
    Ended { conversation: ConversationId },
    /// The deadline passed.
    Due,
}

/// What leaves: alarms and their ends. Figures come from the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    Alarm { recording: RecordingId, alarm: RecordingAlarm },
    AlarmEnded { recording: RecordingId, alarm: RecordingAlarm, lasted: Duration },
}

/// How far one part of a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Asked,
    Running,
    /// The recorder was told to close it.
    Stopping,
    Ended(Kept),
}

/// The sums. `expected` counts conversations that are not excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub expected: u64,
    pub complete: u64,
    pub partial: u64,
    pub failed: u64,
    /// Owed or running.
    pub open: u64,
    pub excluded: BTreeMap<Excluded, u64>,
}

impl Coverage {
    /// Complete / settled conversations; none when nothing has settled.
    pub fn ratio(&self) -> Option<f64> {
        let settled = self.complete + self.partial + self.failed;
        (settled > 0).then(|| self.complete as f64 / settled as f64)
    }

    pub fn sums_hold(&self) -> bool {
        self.expected == self.open + self.complete + self.partial + self.failed
    }
}

#[derive(Clone, Copy, Debug)]
struct Part {
    state: State,
    /// Alarm if nothing was heard of it by then.
    due: Option<Instant>,
    /// What stands, and since when.
    alarm: Option<(RecordingAlarm, Instant)>,
}

#[derive(Clone, Debug, Default)]
struct Debt {
    excluded: bool,
    parts: BTreeMap<u16, Part>,
    ended: bool,
}

impl Debt {
    /// The worst of the parts; `None` while one runs or is still to come.
    fn settled(&self) -> Option<Kept> {
        let mut ended = Vec::with_capacity(self.parts.len());
        for part in self.parts.values() {
            match part.state {
                State::Asked | State::Running | State::Stopping => return None,
                State::Ended(kept) => ended.push(kept),
            }
        }
        match ended.as_slice() {
            [] => None,
            all if all.iter().all(|k| *k == Kept::Complete) => Some(Kept::Complete),
            all if all.iter().all(|k| *k == Kept::Failed) => Some(Kept::Failed),
            _ => Some(Kept::Partial),
        }
    }

    fn is_over(&self) -> bool {
        self.ended && (self.excluded || self.settled().is_some())
    }
}

/// The ledger of one epoch.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    debts: BTreeMap<ConversationId, Debt>,
    /// Parts with an alarm set, soonest first.
    due: BTreeSet<(Instant, RecordingId)>,
    over: VecDeque<ConversationId>,
    coverage: Coverage,
    /// What is wrong, or will be if it stays so, and since when.
    troubles: BTreeMap<RecordingId, (Trouble, Instant)>,
}

impl Ledger {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let now = now.mono;
        match input {
            Input::Owed { conversation } => self.on_owed(conversation),
            Input::Excluded { conversation, reason } => self.on_excluded(conversation, reason),
            Input::Asked { recording } => self.on_asked(now, recording),
            Input::Started { recording } => self.on_started(now, recording, out),
            Input::Grew { recording } => self.on_grew(now, recording, out),
            Input::Stopping { recording } => self.on_stopping(now, recording),
            Input::Closed { recording, kept } => self.on_ended(now, recording, kept, out),
            Input::Failed { recording } => self.on_ended(now, recording, Kept::Failed, out),
            Input::Ended { conversation } => self.on_conversation_ended(conversation),
            Input::Due => self.on_due(now, out),
        }
    }

    /// When [`Input::Due`] is wanted.
    pub fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The recordings with which something is wrong now.
    pub fn troubles(&self, now: Instant) -> impl Iterator<Item = (RecordingId, Trouble)> {
        let stays = move |(trouble, since): &(Trouble, Instant)| now.since(*since) >= trouble.patience();
        self.troubles.iter().filter(move |(_, of)| stays(of)).map(|(recording, (trouble, _))| (*recording, *trouble))
    }

    /// Whether the conversation is owed or excluded, or was and is remembered.
    pub fn knows(&self, conversation: ConversationId) -> bool {
        self.debts.contains_key(&conversation)
    }

    /// Conversations that owe a recording which is not settled, with their parts.
    pub fn open(&self) -> impl Iterator<Item = (ConversationId, impl Iterator<Item = (RecordingId, State)>)> {
        self.debts.iter().filter(|(_, d)| !d.excluded && d.settled().is_none()).map(|(c, d)| {
            let conversation = *c;
            (conversation, d.parts.iter().map(move |(n, part)| (RecordingId { conversation, n: *n }, part.state)))
        })
    }

    fn on_owed(&mut self, conversation: ConversationId) {
        let Coverage { expected, open, .. } = &mut self.coverage;
        self.debts.entry(conversation).or_insert_with(|| {
            *expected += 1;
            *open += 1;
            Debt::default()
        });
    }

    fn on_excluded(&mut self, conversation: ConversationId, reason: Excluded) {
        let excluded = &mut self.coverage.excluded;
        self.debts.entry(conversation).or_insert_with(|| {
            *excluded.entry(reason).or_default() += 1;
            Debt { excluded: true, ..Debt::default() }
        });
    }

    fn on_asked(&mut self, now: Instant, recording: RecordingId) {
        self.change(recording, |_| ());
        self.watch(recording, Some(now + ALARM_AFTER));
    }

    fn on_started(&mut self, now: Instant, recording: RecordingId, out: &mut Vec<Output>) {
        let before = self.change(recording, |part| match part.state {
            State::Asked => part.state = State::Running,
            State::Running | State::Stopping | State::Ended(_) => {}
        });
        self.end_alarm(now, recording, out);
        self.goes_on(recording.conversation);
        self.watch(recording, (before == State::Asked).then_some(now + ALARM_AFTER));
    }

    fn on_grew(&mut self, now: Instant, recording: RecordingId, out: &mut Vec<Output>) {
        if self.state(recording) == Some(State::Running) {
            self.end_alarm(now, recording, out);
            self.watch(recording, Some(now + ALARM_AFTER));
        }
    }

    fn on_stopping(&mut self, now: Instant, recording: RecordingId) {
        match self.state(recording) {
            // It is still to begin, or that is an alarm.
            Some(State::Asked) => drop(self.change(recording, |part| part.state = State::Stopping)),
            Some(State::Running) => {
                self.change(recording, |part| part.state = State::Stopping);
                self.watch(recording, None);
                self.troubles.entry(recording).or_insert((Trouble::NotClosed, now));
            }
            Some(State::Stopping | State::Ended(_)) | None => {}
        }
    }

    fn on_ended(&mut self, now: Instant, recording: RecordingId, kept: Kept, out: &mut Vec<Output>) {
        let was_to_run = matches!(self.state(recording), Some(State::Asked | State::Running));
        self.change(recording, |part| {
            if !matches!(part.state, State::Ended(_)) {
                part.state = State::Ended(kept);
            }
        });
        self.watch(recording, None);
        self.end_alarm(now, recording, out);
        self.troubles.remove(&recording);
        if was_to_run && self.debts.get(&recording.conversation).is_some_and(|debt| !debt.ended && !debt.excluded) {
            self.troubles.insert(recording, (Trouble::Over, now));
        }
        self.remember(recording.conversation);
    }

    fn on_conversation_ended(&mut self, conversation: ConversationId) {
        if let Some(debt) = self.debts.get_mut(&conversation) {
            debt.ended = true;
            self.goes_on(conversation);
            self.remember(conversation);
        }
    }

    fn on_due(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some((due, recording)) = self.due.first().copied()
            && due <= now
        {
            self.due.pop_first();
            let Some(part) = self.part(recording) else { continue };
            let alarm = if part.state == State::Running { RecordingAlarm::Stalled } else { RecordingAlarm::NotStarted };
            part.due = None;
            part.alarm = Some((alarm, now));
            self.troubles.insert(recording, (alarm.into(), now));
            out.push(Output::Alarm { recording, alarm });
        }
    }

    /// Without the parts that are over: a further one runs, or none is owed any more.
    fn goes_on(&mut self, conversation: ConversationId) {
        let parts = RecordingId { conversation, n: 0 }..=RecordingId { conversation, n: u16::MAX };
        let over = self.troubles.range(parts).filter(|(_, (trouble, _))| *trouble == Trouble::Over).map(|(part, _)| *part);
        for part in over.collect::<Vec<_>>() {
            self.troubles.remove(&part);
        }
    }

    fn end_alarm(&mut self, now: Instant, recording: RecordingId, out: &mut Vec<Output>) {
        if let Some((alarm, since)) = self.part(recording).and_then(|part| part.alarm.take()) {
            self.troubles.remove(&recording);
            out.push(Output::AlarmEnded { recording, alarm, lasted: now.since(since) });
        }
    }

    /// Sets a part's alarm, or calls it off.
    fn watch(&mut self, recording: RecordingId, due: Option<Instant>) {
        let Some(part) = self.part(recording) else { return };
        let before = std::mem::replace(&mut part.due, due);
        if let Some(before) = before {
            self.due.remove(&(before, recording));
        }
        self.due.extend(due.map(|due| (due, recording)));
    }

    fn state(&self, recording: RecordingId) -> Option<State> {
        self.debts.get(&recording.conversation)?.parts.get(&recording.n).map(|part| part.state)
    }

    fn part(&mut self, recording: RecordingId) -> Option<&mut Part> {
        self.debts.get_mut(&recording.conversation)?.parts.get_mut(&recording.n)
    }

    /// Changes one part, which is owed by its existence, and moves the conversation's count along. Gives the state it had.
    fn change(&mut self, recording: RecordingId, change: impl FnOnce(&mut Part)) -> State {
        self.on_owed(recording.conversation);
        let Some(debt) = self.debts.get_mut(&recording.conversation) else { return State::Asked };
        let before = debt.settled();
        let part = debt.parts.entry(recording.n).or_insert(Part { state: State::Asked, due: None, alarm: None });
        let had = part.state;
        change(part);
        let (after, excluded) = (debt.settled(), debt.excluded);
        if !excluded && before != after {
            *self.place(before) -= 1;
            *self.place(after) += 1;
        }
        had
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
        let over = self.debts.get(&conversation).is_some_and(Debt::is_over);
        if over && !self.over.contains(&conversation) {
            self.over.push_back(conversation);
        }
        while self.over.len() > REMEMBERED {
            let Some(oldest) = self.over.pop_front() else { return };
            if self.debts.get(&oldest).is_some_and(Debt::is_over) {
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
        run_at(ledger, Now::default(), inputs)
    }

    fn run_at(ledger: &mut Ledger, now: Now, inputs: &[Input]) -> Vec<Output> {
        let mut out = Vec::new();
        for input in inputs {
            ledger.handle(now, *input, &mut out);
            assert!(ledger.coverage().sums_hold(), "{:?} after {input:?}", ledger.coverage());
        }
        out
    }

    fn at(seconds: f64) -> Now {
        Now::default().plus(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn a_conversation_is_open_until_its_part_is_closed() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        let conversation = p.conversation;
        run(&mut ledger, &[Owed { conversation }, Asked { recording: p }, Started { recording: p }]);
        assert_eq!(
            ledger.open().map(|(c, parts)| (c, parts.collect::<Vec<_>>())).collect::<Vec<_>>(),
            [(conversation, vec![(p, State::Running)])]
        );
        run(&mut ledger, &[Stopping { recording: p }, Ended { conversation }, Closed { recording: p, kept: Kept::Complete }]);
        assert_eq!(ledger.open().count(), 0);
        assert_eq!(ledger.coverage().ratio(), Some(1.0));
    }

    #[test]
    fn one_part_that_failed_makes_the_recording_partial_and_all_of_them_failed() {
        let mut ledger = Ledger::new();
        let (a, b) = (part("1-1-1.c1.p1"), part("1-1-1.c1.p2"));
        run(&mut ledger, &[Asked { recording: a }, Started { recording: a }, Failed { recording: a }]);
        assert_eq!(ledger.coverage().failed, 1);
        run(&mut ledger, &[Asked { recording: b }]);
        assert_eq!((ledger.coverage().failed, ledger.coverage().open), (0, 1), "a further part reopens it");
        run(&mut ledger, &[Closed { recording: b, kept: Kept::Complete }]);
        assert_eq!((ledger.coverage().expected, ledger.coverage().partial), (1, 1));
        assert_eq!(ledger.coverage().ratio(), Some(0.0));
    }

    #[test]
    fn what_is_excluded_is_shown_by_its_reason_and_outside_the_denominator() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        run(&mut ledger, &[Input::Excluded { conversation: p.conversation, reason: base::fact::Excluded::Policy }]);
        let excluded = [(base::fact::Excluded::Policy, 1)].into();
        assert_eq!(*ledger.coverage(), Coverage { excluded, ..Coverage::default() });
        assert_eq!((ledger.coverage().ratio(), ledger.deadline(), ledger.open().count()), (None, None, 0));
        assert!(ledger.knows(p.conversation));
    }

    #[test]
    fn a_recorder_that_does_not_begin_is_an_alarm_once_until_it_begins() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        run(&mut ledger, &[Asked { recording: p }]);
        assert_eq!(ledger.deadline(), Some(Instant::ZERO + ALARM_AFTER));
        let alarm = RecordingAlarm::NotStarted;
        assert_eq!(run_at(&mut ledger, at(4.0), &[Due, Due]), [Output::Alarm { recording: p, alarm }]);
        assert_eq!(ledger.deadline(), None);
        let lasted = Duration::from_secs(2);
        assert_eq!(
            run_at(&mut ledger, at(6.0), &[Started { recording: p }]),
            [Output::AlarmEnded { recording: p, alarm, lasted }]
        );
    }

    #[test]
    fn a_recording_that_stops_growing_is_an_alarm_until_it_grows_again() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        run(&mut ledger, &[Asked { recording: p }, Started { recording: p }]);
        for second in 1..10 {
            assert_eq!(run_at(&mut ledger, at(f64::from(second)), &[Due, Grew { recording: p }]), []);
        }
        let alarm = RecordingAlarm::Stalled;
        assert_eq!(run_at(&mut ledger, at(12.9), &[Due]), []);
        assert_eq!(run_at(&mut ledger, at(13.0), &[Due]), [Output::Alarm { recording: p, alarm }]);
        let lasted = Duration::from_secs(7);
        let ended = Output::AlarmEnded { recording: p, alarm, lasted };
        assert_eq!(run_at(&mut ledger, at(20.0), &[Due, Grew { recording: p }]), [ended]);
        assert_eq!(run_at(&mut ledger, at(24.0), &[Due]).len(), 1, "and again, if it stops again");
    }

    #[test]
    fn one_that_is_being_closed_need_not_grow_and_its_alarm_ends_with_it() {
        let mut ledger = Ledger::new();
        let (p, q) = (part("1-1-1.c1.p1"), part("1-1-2.c1.p1"));
        run(&mut ledger, &[Asked { recording: p }, Started { recording: p }, Stopping { recording: p }]);
        assert_eq!(run_at(&mut ledger, at(9.0), &[Due, Grew { recording: p }]), []);
        run(&mut ledger, &[Asked { recording: q }, Stopping { recording: q }]);
        assert_eq!(run_at(&mut ledger, at(9.0), &[Due]).len(), 1, "it never began");
        let alarm = RecordingAlarm::NotStarted;
        let ended = Output::AlarmEnded { recording: q, alarm, lasted: Duration::from_secs(51) };
        assert_eq!(run_at(&mut ledger, at(60.0), &[Failed { recording: q }]), [ended]);
        assert_eq!(ledger.deadline(), None);
    }

    #[test]
    fn what_is_wrong_is_told_from_the_alarm_on_until_it_grows_again() {
        let mut ledger = Ledger::new();
        let (p, q) = (part("1-1-1.c1.p1"), part("1-1-2.c1.p1"));
        run(&mut ledger, &[Asked { recording: p }, Started { recording: p }, Asked { recording: q }]);
        let told = |ledger: &Ledger, seconds: f64| ledger.troubles(at(seconds).mono).collect::<Vec<_>>();
        assert_eq!(told(&ledger, 3.9), []);
        run_at(&mut ledger, at(4.0), &[Due]);
        assert_eq!(told(&ledger, 4.0), [(p, Trouble::Stalled), (q, Trouble::NotStarted)]);
        run_at(&mut ledger, at(5.0), &[Grew { recording: p }, Started { recording: q }]);
        assert_eq!(told(&ledger, 60.0), []);
    }

    #[test]
    fn a_part_that_ended_while_its_conversation_goes_on_is_wrong_until_another_one_runs_or_nobody_talks() {
        let (p, next) = (part("1-1-1.c1.p1"), part("1-1-1.c1.p2"));
        let conversation = p.conversation;
        for end in [Failed { recording: p }, Closed { recording: p, kept: Kept::Partial }] {
            for mend in [Started { recording: next }, Ended { conversation }] {
                let mut ledger = Ledger::new();
                run(&mut ledger, &[Owed { conversation }, Asked { recording: p }, Started { recording: p }, end]);
                assert_eq!(ledger.troubles(at(0.9).mono).count(), 0, "the next one may be on its way");
                assert_eq!(ledger.troubles(at(1.0).mono).collect::<Vec<_>>(), [(p, Trouble::Over)]);
                run_at(&mut ledger, at(2.0), &[Asked { recording: next }, mend]);
                assert_eq!(ledger.troubles(at(9.0).mono).count(), 0, "{end:?}, {mend:?}");
            }
        }
        let mut ledger = Ledger::new();
        run(&mut ledger, &[Closed { recording: p, kept: Kept::Partial }]);
        assert_eq!(ledger.troubles(at(9.0).mono).count(), 0, "of before a restart nobody talks any more");
    }

    #[test]
    fn a_part_that_is_not_closed_is_wrong_until_it_is() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        let conversation = p.conversation;
        run(&mut ledger, &[Asked { recording: p }, Started { recording: p }, Stopping { recording: p }, Ended { conversation }]);
        assert_eq!(ledger.troubles(at(4.9).mono).count(), 0);
        assert_eq!(ledger.troubles(at(5.0).mono).collect::<Vec<_>>(), [(p, Trouble::NotClosed)]);
        run_at(&mut ledger, at(6.0), &[Closed { recording: p, kept: Kept::Complete }]);
        assert_eq!(ledger.troubles(at(60.0).mono).count(), 0);
    }

    #[test]
    fn the_first_word_about_a_part_stands_and_repeats_count_once() {
        let mut ledger = Ledger::new();
        let p = part("1-1-1.c1.p1");
        let (owed, closed) = (Owed { conversation: p.conversation }, Closed { recording: p, kept: Kept::Complete });
        run(
            &mut ledger,
            &[owed, owed, Asked { recording: p }, closed, closed, Failed { recording: p }, Started { recording: p }],
        );
        assert_eq!((ledger.coverage().expected, ledger.coverage().complete), (1, 1));
        assert_eq!(ledger.deadline(), None);
    }

    #[test]
    fn a_part_from_before_a_restart_is_owed_by_its_existence() {
        let mut ledger = Ledger::new();
        run(&mut ledger, &[Closed { recording: part("1-1-9.c1.p1"), kept: Kept::Partial }]);
        assert_eq!((ledger.coverage().expected, ledger.coverage().partial), (1, 1));
    }

    #[test]
    fn the_past_is_bounded_and_neither_the_sums_nor_who_still_talks_go_with_it() {
        let mut ledger = Ledger::new();
        let lasts = part("1-1-999999.c1.p1");
        run(&mut ledger, &[Asked { recording: lasts }, Failed { recording: lasts }]);
        for n in 0..(REMEMBERED as u32 + 100) {
            let p = part(&format!("1-1-{n}.c1.p1"));
            run(&mut ledger, &[Started { recording: p }, Closed { recording: p, kept: Kept::Complete }]);
            run(&mut ledger, &[Ended { conversation: p.conversation }]);
        }
        assert_eq!(ledger.coverage().complete, REMEMBERED as u64 + 100);
        assert_eq!(ledger.debts.len(), REMEMBERED + 1);
        assert!(ledger.knows(lasts.conversation));
    }
}

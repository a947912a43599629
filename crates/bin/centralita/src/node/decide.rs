//! The decision thread: one owner of the Centre, applying inputs in order.
//!
//! It shares no lock with those who bring inputs or read: they come through the [`Way`], answers and signs of change go
//! through the [`Teller`], the snapshot through [`Published`], the journal's frames through a queue. What stays, of the
//! outlets that others own:
//! - to wake one of our threads that sleeps is a system call, and a datagram is sent by one;
//! - a SIP message over TCP looks its connection up in a sharded table, whose shard is locked while it is read, and wakes
//!   the connection's task on the runtime, whose queue of tasks has a lock;
//! - the log's and media's channels wake a sleeping receiver under a lock of theirs;
//! - memory comes from the allocator.

use super::birth::Digester;
use super::stopwatch::Stopwatches;
use super::teller::{Teller, Told};
use super::way::{Brought, Way};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use base::fact::{Fact, What};
use base::{CallId, Instant, Pii};
use engine::{Centre, Entry, Input, Output, Promise, Reply, Snapshot};
use ring::rand::{SecureRandom, SystemRandom};
use shell_handoff::{Published, Taken, Taker};
use shell_signalling::Signalling;
use shell_store::Promised;
use shell_store::journal::Journal;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Inputs taken at once: between two batches the timers are looked at, and the facts of one go to the log together.
const BATCH: usize = 64;
/// A snapshot is made at most this often, and after this many times as long as the last one took: what it costs grows
/// with the calls.
const SNAPSHOT: Duration = Duration::from_millis(50);
const SNAPSHOT_REST: u32 = 8;

/// Where the Centre's outputs go.
#[derive(Clone)]
pub struct Outlets {
    pub way: Arc<Way>,
    pub signalling: Signalling,
    pub media: Arc<shell_media::Handle>,
    pub log: shell_store::Handle,
    pub journal: Arc<Journal>,
}

/// The Centre as readers see it, and their sign to look again.
#[derive(Clone)]
pub struct Screen {
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub changed: Arc<watch::Sender<u64>>,
    pub stopwatches: Arc<Stopwatches>,
}

impl Screen {
    pub fn new() -> Screen {
        let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
        Screen { snapshot, changed: Arc::new(watch::channel(0).0), stopwatches: Arc::default() }
    }
}

/// A decision thread that runs, and the end of its last call.
pub struct Deciding {
    pub thread: JoinHandle<()>,
    pub drained: oneshot::Receiver<()>,
}

pub struct Decider {
    centre: Centre,
    inputs: Taker<Brought>,
    clock: Clock,
    to: Outlets,
    snapshot: Published<Snapshot>,
    pace: Pace,
    teller: Teller,
    stopwatches: Arc<Stopwatches>,
    drained: Option<oneshot::Sender<()>>,
    /// Requests so far, and who asked the last one until it is answered.
    asked: u64,
    answer: Option<oneshot::Sender<Reply>>,
    /// Signalling opens connections on this runtime.
    runtime: tokio::runtime::Handle,
    /// Facts of the batch so far.
    facts: Vec<Fact>,
    digester: Digester,
}

impl Decider {
    /// Begins to decide, in a thread of its own.
    pub fn start(
        centre: Centre,
        inputs: Taker<Brought>,
        clock: Clock,
        to: Outlets,
        screen: &Screen,
    ) -> std::io::Result<Deciding> {
        let (sender, drained) = oneshot::channel();
        let decider = Decider {
            centre,
            inputs,
            clock,
            to,
            snapshot: Published::over(screen.snapshot.clone()),
            pace: Pace::default(),
            teller: Teller::start(screen.changed.clone())?,
            stopwatches: screen.stopwatches.clone(),
            drained: Some(sender),
            asked: 0,
            answer: None,
            runtime: tokio::runtime::Handle::current(),
            facts: Vec::new(),
            digester: Digester::default(),
        };
        let thread = std::thread::Builder::new().name("decide".into()).spawn(|| decider.run_or_abort())?;
        Ok(Deciding { thread, drained })
    }

    /// Without decisions there is no node: a panic ends the process, whoever supervises it starts it again, and the
    /// next epoch closes what this one left open.
    fn run_or_abort(self) {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.run())).is_err() {
            tracing::error!("the decision thread panicked: the node ends");
            std::process::abort();
        }
    }

    /// Runs until the way is closed.
    fn run(mut self) {
        let _inside = self.runtime.clone().enter();
        let random = SystemRandom::new();
        let mut batch = Vec::with_capacity(BATCH + 1);
        loop {
            let deadline = self.centre.deadline();
            let wanted = [deadline, self.pace.due()].into_iter().flatten().min();
            let taken = self.inputs.take(&mut batch, BATCH, wanted.map(|at| self.clock.system(at)));
            if taken == Taken::Closed {
                break;
            }
            let began = std::time::Instant::now();
            // Also before a batch: a way that is never empty must not starve the timers.
            let due = deadline.is_some_and(|at| at <= self.clock.now().mono).then_some(Brought::Input(Input::Due));
            for brought in due.into_iter().chain(batch.drain(..)) {
                self.bring(brought, &random);
            }
            if self.pace.due().is_some_and(|at| at <= self.clock.now().mono) {
                self.publish();
            }
            if !self.facts.is_empty() {
                self.to.log.facts(std::mem::take(&mut self.facts));
            }
            self.stopwatches.batch.note(began.elapsed());
        }
    }

    fn bring(&mut self, brought: Brought, random: &SystemRandom) {
        match brought {
            Brought::Input(input) => {
                self.apply(input, random);
            }
            Brought::Asked { who, request, answer } => {
                self.asked += 1;
                self.answer = Some(answer);
                self.apply(Input::Asked { number: self.asked, who, request }, random);
            }
            Brought::Site { setup, who, applied } => {
                let sha256 = setup.sha256;
                self.centre.stage(setup);
                if self.apply(Input::Configure { sha256, who: Some(who) }, random) {
                    self.publish();
                    self.teller.tell(Told::Done(applied));
                }
            }
        }
    }

    /// False if it was not: without randomness nothing is.
    fn apply(&mut self, input: Input, random: &SystemRandom) -> bool {
        let mut entropy = [0u8; 32];
        if random.fill(&mut entropy).is_err() {
            tracing::error!("the system gave no randomness: the input is refused");
            return false;
        }
        let entry = Entry { now: self.clock.now(), entropy, input };
        self.to.journal.append(&entry);
        let mut outputs = Vec::new();
        self.handle(entry, &mut outputs);
        self.to.journal.gave(self.digester.of(&outputs));
        self.pace.changed();
        self.deliver(outputs);
        true
    }

    fn handle(&mut self, entry: Entry, outputs: &mut Vec<Output>) {
        let audits = self.centre.next_audit().is_some_and(|at| at <= entry.now.mono);
        let began = std::time::Instant::now();
        self.centre.handle(entry, outputs);
        if audits {
            self.stopwatches.audit.note(began.elapsed());
        }
    }

    fn publish(&mut self) {
        let began = std::time::Instant::now();
        self.snapshot.publish(self.centre.snapshot());
        let took = began.elapsed();
        self.stopwatches.snapshot.note(took);
        self.pace.published(self.clock.now().mono, took);
        self.teller.tell(Told::Changed);
    }

    fn reply(&mut self, number: u64, reply: Reply) {
        let Some(answer) = self.answer.take_if(|_| number == self.asked) else { return };
        if is_of_a_change(&reply) {
            // Whoever asked for a change may look at once.
            self.publish();
        }
        self.teller.tell(Told::Answer(answer, reply));
    }

    fn keep(&self, user: Arc<str>, bindings: &[sip::Binding]) {
        // No bindings are no bytes, which forgets the phone.
        let bytes = if bindings.is_empty() { Ok(Vec::new()) } else { postcard::to_stdvec(bindings) };
        match bytes {
            Ok(bytes) => self.to.log.bindings(user, bytes),
            Err(error) => tracing::error!(%error, "bindings cannot be kept"),
        }
    }

    fn keep_promise(&self, call: CallId, promise: Option<&Promise>) {
        let promised = |p: &Promise| -> serde_json::Result<Promised> {
            Ok(Promised { tenant: p.tenant.clone(), party: p.party, rendered: Pii::new(serde_json::to_vec(p)?) })
        };
        match promise.map(promised).transpose() {
            Ok(promised) => self.to.log.promise(call, promised),
            Err(error) => tracing::error!(%error, %call, "a callback cannot be kept over a restart"),
        }
    }

    fn deliver(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { flow, bytes } => self.to.signalling.send(flow, bytes),
                Output::CloseConnection { flow } => self.to.signalling.close(flow),
                Output::Media(command) => self.to.media.send(command),
                Output::Fact(fact) => {
                    match &fact.what {
                        What::NodeBreach { invariant, detail } => {
                            tracing::error!(%invariant, %detail, "a routing invariant is broken");
                        }
                        What::NodeBreachEnded { invariant, detail } => {
                            tracing::warn!(%invariant, %detail, "a routing invariant holds again");
                        }
                        _ => (),
                    }
                    if fact.about.cause == Some(base::Cause::NoPorts) {
                        tracing::warn!(call = ?fact.about.call, "no RTP port is free: `media.ports` is too small, or others use it");
                    }
                    self.facts.push(fact);
                }
                Output::Party { tenant, party, number, name } => self.to.log.party(tenant, party, number, name),
                Output::UserToUser { tenant, call, party, value } => self.to.log.user_to_user(tenant, call, party, value),
                Output::Bindings { user, bindings } => self.keep(user, &bindings),
                Output::Promised { call, promise } => self.keep_promise(call, promise.as_deref()),
                Output::Reply { number, reply } => self.reply(number, reply),
                Output::Suspicious { remote, what } => tracing::warn!("suspicious from {remote}: {what}"),
                Output::Drained => {
                    if let Some(drained) = self.drained.take() {
                        self.teller.tell(Told::Done(drained));
                    }
                }
            }
        }
    }
}

/// The others changed nothing.
fn is_of_a_change(reply: &Reply) -> bool {
    matches!(reply, Reply::Done | Reply::Pending)
}

/// When the next snapshot is wanted.
#[derive(Default)]
struct Pace {
    /// The moment before which none is.
    rests: Instant,
    changed: bool,
}

impl Pace {
    fn changed(&mut self) {
        self.changed = true;
    }

    fn published(&mut self, now: Instant, took: Duration) {
        *self = Pace { rests: now + SNAPSHOT.max(took * SNAPSHOT_REST), changed: false };
    }

    /// None while the last one shows what there is.
    fn due(&self) -> Option<Instant> {
        self.changed.then_some(self.rests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_last_change_of_a_burst_is_seen_when_the_rest_is_over_and_not_at_the_next_beat() {
        let mut pace = Pace::default();
        assert_eq!(pace.due(), None);
        pace.changed();
        assert_eq!(pace.due(), Some(Instant::ZERO));
        let first = Instant::ZERO + 1_000 * MS;
        pace.published(first, MS);
        assert_eq!(pace.due(), None, "nobody wakes for what is shown");
        pace.changed();
        assert_eq!(pace.due(), Some(first + SNAPSHOT));
    }

    #[test]
    fn a_snapshot_that_takes_long_is_made_less_often() {
        let mut pace = Pace::default();
        pace.published(Instant::ZERO, 40 * MS);
        pace.changed();
        assert_eq!(pace.due(), Some(Instant::ZERO + 320 * MS));
    }

    #[test]
    fn a_snapshot_is_made_for_what_changed_something_and_not_for_a_question() {
        let why = Reply::Why(Box::default());
        let no = [why, Reply::Unknown { what: "call".into() }, Reply::Refused { why: "no".into() }];
        assert!(!no.iter().any(is_of_a_change));
        assert!([Reply::Done, Reply::Pending].iter().all(is_of_a_change));
    }
}

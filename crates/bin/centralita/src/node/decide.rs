//! The decision thread: one owner of the Centre, applying inputs in order.

use super::birth::Digester;
use super::stopwatch::Stopwatches;
use super::way::Way;
use crate::clock::Clock;
use arc_swap::ArcSwap;
use base::fact::Fact;
use base::{CallId, Instant, Pii};
use engine::{Centre, Entry, Input, Output, Promise, Snapshot};
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
/// A snapshot is made at most this often; what it costs grows with the calls.
const SNAPSHOT: Duration = Duration::from_millis(50);

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
    inputs: Taker<Input>,
    clock: Clock,
    to: Outlets,
    snapshot: Published<Snapshot>,
    changed: Arc<watch::Sender<u64>>,
    stopwatches: Arc<Stopwatches>,
    drained: Option<oneshot::Sender<()>>,
    /// Signalling opens connections on this runtime.
    runtime: tokio::runtime::Handle,
    /// When the last snapshot was made.
    published: Instant,
    /// Facts of the batch so far.
    facts: Vec<Fact>,
    digester: Digester,
}

impl Decider {
    /// Begins to decide, in a thread of its own.
    pub fn start(centre: Centre, inputs: Taker<Input>, clock: Clock, to: Outlets, screen: &Screen) -> std::io::Result<Deciding> {
        let (sender, drained) = oneshot::channel();
        let decider = Decider {
            centre,
            inputs,
            clock,
            to,
            snapshot: Published::over(screen.snapshot.clone()),
            changed: screen.changed.clone(),
            stopwatches: screen.stopwatches.clone(),
            drained: Some(sender),
            runtime: tokio::runtime::Handle::current(),
            published: Instant::ZERO,
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
            let taken = self.inputs.take(&mut batch, BATCH, deadline.map(|at| self.clock.system(at)));
            if taken == Taken::Closed {
                break;
            }
            let began = std::time::Instant::now();
            // Also before a batch: a way that is never empty must not starve the timers.
            let due = deadline.is_some_and(|at| at <= self.clock.now().mono).then_some(Input::Due);
            for input in due.into_iter().chain(batch.drain(..)) {
                self.apply(input, &random);
            }
            self.publish(SNAPSHOT);
            if !self.facts.is_empty() {
                self.to.log.facts(std::mem::take(&mut self.facts));
            }
            self.stopwatches.batch.note(began.elapsed());
        }
    }

    fn apply(&mut self, input: Input, random: &SystemRandom) {
        let mut entropy = [0u8; 32];
        if random.fill(&mut entropy).is_err() {
            tracing::error!("the system gave no randomness: the input is refused");
            return;
        }
        let staged = match &input {
            Input::Configure { sha256, .. } => self.to.way.staged(*sha256),
            _ => None,
        };
        if let Some(staged) = &staged {
            self.centre.stage(staged.setup.clone());
        }
        let entry = Entry { now: self.clock.now(), entropy, input };
        self.to.journal.append(&entry);
        let mut outputs = Vec::new();
        self.handle(entry, &mut outputs);
        self.to.journal.gave(self.digester.of(&outputs));
        if staged.is_some() || outputs.iter().any(|o| matches!(o, Output::Reply { .. })) {
            // Whoever asked for a change may look at once.
            self.publish(Duration::ZERO);
        }
        self.deliver(outputs);
        if let Some(staged) = staged {
            // Whoever asked may have gone.
            let _ = staged.applied.send(());
        }
    }

    fn handle(&mut self, entry: Entry, outputs: &mut Vec<Output>) {
        let audits = self.centre.next_audit().is_some_and(|at| at <= entry.now.mono);
        let began = std::time::Instant::now();
        self.centre.handle(entry, outputs);
        if audits {
            self.stopwatches.audit.note(began.elapsed());
        }
    }

    /// If the last one is so old.
    fn publish(&mut self, age: Duration) {
        let now = self.clock.now().mono;
        if now.since(self.published) >= age {
            self.published = now;
            let began = std::time::Instant::now();
            self.snapshot.publish(self.centre.snapshot());
            self.stopwatches.snapshot.note(began.elapsed());
            self.changed.send_modify(|n| *n += 1);
        }
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
                    if let base::fact::What::NodeBreach { invariant, detail } = &fact.what {
                        tracing::error!(%invariant, %detail, "a routing invariant is broken");
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
                Output::Reply { number, reply } => self.to.way.answered(number, reply),
                Output::Suspicious { remote, what } => tracing::warn!("suspicious from {remote}: {what}"),
                Output::Drained => {
                    if let Some(drained) = self.drained.take() {
                        let _ = drained.send(());
                    }
                }
            }
        }
    }
}

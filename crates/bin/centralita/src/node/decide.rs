//! The decision thread: one owner of the Centre, applying inputs in order.

use super::way::{self, Way};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use base::Instant;
use crossbeam::channel::Receiver;
use engine::{Centre, Entry, Input, Output, Snapshot};
use ring::rand::{SecureRandom, SystemRandom};
use shell_signalling::Signalling;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// A snapshot is made at most this often; what it costs grows with the calls.
const SNAPSHOT: Duration = Duration::from_millis(50);

/// Everything that the Centre's outputs go to.
pub struct Decider {
    pub centre: Centre,
    pub inputs: Receiver<Input>,
    pub clock: Clock,
    pub way: Arc<Way>,
    pub signalling: Signalling,
    pub media: Arc<shell_media::Handle>,
    pub log: shell_store::Handle,
    pub journal: Arc<shell_store::journal::Journal>,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub changed: Arc<watch::Sender<u64>>,
    pub drained: Option<oneshot::Sender<()>>,
    /// Signalling opens connections on this runtime.
    pub runtime: tokio::runtime::Handle,
    /// Set by whoever ends the node: the thread leaves at its next input.
    pub stop: Arc<AtomicBool>,
}

impl Decider {
    /// Without decisions there is no node: a panic ends the process, whoever supervises it starts it again, and the
    /// next epoch closes what this one left open.
    pub fn run_or_abort(self) {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.run())).is_err() {
            tracing::error!("the decision thread panicked: the node ends");
            std::process::abort();
        }
    }

    /// Runs until told to stop, or until nobody can send any more.
    fn run(mut self) {
        let _inside = self.runtime.clone().enter();
        let random = SystemRandom::new();
        let mut outputs = Vec::new();
        let mut published = Instant::ZERO;
        while let Some(input) = way::take(&self.inputs, &self.clock, self.centre.deadline()) {
            if self.stop.load(Ordering::Acquire) {
                break;
            }
            let mut entropy = [0u8; 32];
            if random.fill(&mut entropy).is_err() {
                tracing::error!("the system gave no randomness: the input is refused");
                continue;
            }
            let entry = Entry { now: self.clock.now(), entropy, input };
            let now = entry.now.mono;
            self.journal.append(&entry);
            self.centre.handle(entry, &mut outputs);
            let asked = outputs.iter().any(|o| matches!(o, Output::Reply { .. }));
            // Whoever asked for a change may look at once.
            if asked || now.since(published) >= SNAPSHOT {
                published = now;
                self.snapshot.store(Arc::new(self.centre.snapshot()));
                self.changed.send_modify(|n| *n += 1);
            }
            self.deliver(&mut outputs);
        }
    }

    fn keep(&self, user: Arc<str>, bindings: &[sip::Binding]) {
        // No bindings are no bytes, which forgets the phone.
        let bytes = if bindings.is_empty() { Ok(Vec::new()) } else { postcard::to_stdvec(bindings) };
        match bytes {
            Ok(bytes) => self.log.bindings(user, bytes),
            Err(error) => tracing::error!(%error, "bindings cannot be kept"),
        }
    }

    fn deliver(&mut self, outputs: &mut Vec<Output>) {
        let mut facts = Vec::new();
        for output in outputs.drain(..) {
            match output {
                Output::Send { flow, bytes } => self.signalling.send(flow, bytes),
                Output::CloseConnection { flow } => self.signalling.close(flow),
                Output::Media(command) => self.media.send(command),
                Output::Fact(fact) => {
                    if let base::fact::What::NodeBreach { invariant, detail } = &fact.what {
                        tracing::error!(%invariant, %detail, "a routing invariant is broken");
                    }
                    if fact.about.cause == Some(base::Cause::NoPorts) {
                        tracing::warn!(call = ?fact.about.call, "no RTP port is free: `media.ports` is too small, or others use it");
                    }
                    facts.push(fact);
                }
                Output::Party { tenant, party, number, name } => self.log.party(tenant, party, number, name),
                Output::Bindings { user, bindings } => self.keep(user, &bindings),
                Output::Reply { number, reply } => self.way.answered(number, reply),
                Output::Suspicious { remote, what } => tracing::warn!("suspicious from {remote}: {what}"),
                Output::Drained => {
                    if let Some(drained) = self.drained.take() {
                        let _ = drained.send(());
                    }
                }
            }
        }
        if !facts.is_empty() {
            self.log.facts(facts);
        }
    }
}

//! The engine's second driver: a whole centre, its callers, its agents and a bad network, from one seed.
//!
//! Nothing here waits: time jumps from event to event. The people are scripted over [`sip::Endpoint`]s of their own,
//! the media plane answers as the real one does, datagrams get lost, late, doubled and out of order, and now and then
//! the process dies and another epoch takes over from its facts.
//!
//! After each input the engine's audit must be empty and the facts must add up; at the end every call has ended, the
//! figures' sums hold, and the journal of each epoch, replayed, gives the same outputs. [`run`] says the first thing
//! that went wrong, with its seed.
//!
//! Where what is: `world` the agenda and who meets whom; `node` one process of the centre; `network` the datagrams;
//! `plane` the media plane; `line` a SIP endpoint with an address; `callers`, `phones` and `register` the people;
//! `ledger` what facts must never say.

mod callers;
mod dice;
mod ledger;
mod line;
mod network;
mod node;
mod phones;
mod plane;
mod register;
mod setup;
mod world;

use std::fmt;

/// One simulated day.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Inputs of the engine before the centre drains.
    pub inputs: usize,
    /// Tells each input on standard error.
    pub trace: bool,
}

/// What a day was made of, so that a test can see that it was worth simulating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub inputs: u64,
    pub facts: u64,
    pub calls: u64,
    pub visits: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub overflowed: u64,
    pub recordings: u64,
    pub crashes: u64,
    pub reloads: u64,
}

impl Summary {
    pub fn add(&mut self, other: &Summary) {
        self.inputs += other.inputs;
        self.facts += other.facts;
        self.calls += other.calls;
        self.visits += other.visits;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.overflowed += other.overflowed;
        self.recordings += other.recordings;
        self.crashes += other.crashes;
        self.reloads += other.reloads;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} inputs, {} facts, {} calls, {} visits ({} answered, {} abandoned, {} overflowed), {} recordings, {} crashes, {} reloads",
            self.inputs,
            self.facts,
            self.calls,
            self.visits,
            self.answered,
            self.abandoned,
            self.overflowed,
            self.recordings,
            self.crashes,
            self.reloads
        )
    }
}

/// The first thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    /// Seconds of virtual time.
    pub at: String,
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} at {}: {}", self.seed, self.at, self.why)
    }
}

/// Simulates one day.
pub fn run(plan: &Plan) -> Result<Summary, Failure> {
    world::World::new(plan).run()
}

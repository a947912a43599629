//! The engine's second driver: a whole centre, its callers, its agents and a bad network, from one seed.
//!
//! Nothing here waits: time jumps from event to event. The people are scripted over [`sip::Endpoint`]s of their own,
//! the media plane answers as the real one does, datagrams get lost, late, doubled and out of order, and now and then
//! the process dies and another epoch takes over from its facts.
//!
//! After each input the engine's audit must be empty, the facts must add up, and who takes whom must agree with a second
//! reckoning; at the end every call has ended, the figures' sums hold, and the journal of each epoch, read back and
//! replayed, gives the same outputs. [`run`] says the first law that was broken; [`shrink`] finds the few acts that
//! break it.
//!
//! Where what is: `world` the agenda and who meets whom; `script` the acts of a day by name; `node` one process of the
//! centre; `checks` the laws; `network` the datagrams; `plane` the media plane; `wire` a SIP endpoint with an address;
//! `people` who calls, is called, and works here; `batch` many days on every core; `shrink` from a long day to a short
//! script; `mutants` faults put in on purpose, each of which must be caught.

mod batch;
mod checks;
mod dice;
#[cfg(feature = "mutations")]
mod mutants;
mod network;
mod node;
mod people;
mod plane;
mod script;
mod setup;
mod shrink;
mod summary;
mod wire;
mod world;

pub use batch::{Base, Batch, Outcome, base, batch};
#[cfg(feature = "mutations")]
pub use mutants::{Caught, hunt, table};
pub use script::{Act, ActId};
pub use shrink::{Shrunk, shrink};
pub use summary::Summary;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

/// One simulated day.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Inputs of the engine before the centre drains.
    pub inputs: usize,
    /// Tells each input on standard error.
    pub trace: bool,
    /// Only these acts are done; `None`: all that the seed has in store.
    pub only: Option<Arc<BTreeSet<ActId>>>,
}

impl Plan {
    pub fn new(seed: u64, inputs: usize) -> Plan {
        Plan { seed, inputs, trace: false, only: None }
    }
}

/// The first law that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    /// Inputs so far, and seconds of virtual time.
    pub inputs: u64,
    pub at: String,
    pub law: String,
    pub how: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, input {} at {}: {}: {}", self.seed, self.inputs, self.at, self.law, self.how)
    }
}

/// Simulates one day.
pub fn run(plan: &Plan) -> Result<Summary, Failure> {
    day(plan, false).0
}

/// The same, with the acts that were done.
pub fn run_told(plan: &Plan) -> (Result<Summary, Failure>, Vec<Act>) {
    day(plan, true)
}

/// A panic of the centre's is a broken law as others are.
fn day(plan: &Plan, told: bool) -> (Result<Summary, Failure>, Vec<Act>) {
    quietly();
    let mut world = world::World::new(plan, told);
    SIMULATES.set(true);
    let ran = catch_unwind(AssertUnwindSafe(|| world.day()));
    SIMULATES.set(false);
    let result = match ran {
        Ok(Ok(())) => Ok(world.summary()),
        Ok(Err(broken)) => Err(world.failure(broken)),
        Err(_) => Err(world.failure(checks::Broken { law: "nothing panics".into(), how: PANIC.take() })),
    };
    (result, world.acts())
}

thread_local! {
    static SIMULATES: Cell<bool> = const { Cell::new(false) };
    static PANIC: Cell<String> = const { Cell::new(String::new()) };
}

/// What panics in a day is kept for its failure instead of being printed for each of many tries.
fn quietly() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match SIMULATES.get() {
            true => PANIC.set(info.to_string().replace('\n', " ")),
            false => before(info),
        }));
    });
}

//! How a replay went, and whether that is a proof.

use base::fact::{Fact, Logged};
use base::{Instant, Wall};
use shell_store::StoreError;
use std::collections::BTreeMap;
use std::time::Duration;

/// Journal and log are written each on its own: with a kill, one has this much less than the other at most.
const BEHIND: Duration = Duration::from_secs(2);

/// How it went.
#[derive(Debug, Default)]
pub struct Replayed {
    pub epoch: u32,
    /// Of the program that wrote the journal.
    pub version: String,
    pub inputs: u64,
    pub from: Wall,
    pub to: Wall,
    pub configurations: u64,
    /// Inputs whose outputs had a digest, which is the same.
    pub digests: u64,
    /// Facts that were said.
    pub facts: u64,
    /// Facts that the log has of the epoch; `None`: there is no log.
    pub logged: Option<u64>,
    /// The file ends inside a frame.
    pub torn: bool,
    /// The journal's last frame is the one that a stop writes.
    pub closed: bool,
    /// Where the journal does not read, and more follows.
    pub damage: Option<StoreError>,
    /// From the journal's last input to the last fact that only the log has, or from the first that it lost to that input.
    pub apart: Duration,
    pub difference: Option<Difference>,
}

impl Replayed {
    /// Facts that were said and are the log's.
    pub fn compared(&self) -> u64 {
        self.facts.min(self.logged.unwrap_or(0))
    }

    /// Facts of the log that the journal does not lead to.
    pub fn beyond(&self) -> u64 {
        self.logged.unwrap_or(0).saturating_sub(self.facts)
    }

    /// Facts that the log has lost.
    pub fn lost(&self) -> u64 {
        self.logged.map_or(0, |logged| self.facts.saturating_sub(logged))
    }

    /// Why this is no proof that the day went so: a sentence for the operator.
    pub fn fault(&self) -> Option<String> {
        let explained = !self.closed && self.apart <= BEHIND;
        if let Some(at) = &self.difference {
            return Some(format!("input {} gives something else than it gave then", at.input));
        }
        if let Some(damage) = &self.damage {
            let inputs = self.inputs;
            return Some(format!(
                "input {} does not read: {damage}; only the {inputs} before it were compared, and are the same",
                inputs + 1
            ));
        }
        let (beyond, lost, apart) = (self.beyond(), self.lost(), self.apart.as_secs_f64());
        if beyond > 0 && !explained {
            return Some(format!(
                "the log has {beyond} facts more, up to {apart:.1} s after the journal's last input: of those nothing is known"
            ));
        }
        (lost > 0 && !explained).then(|| {
            format!("the log has only {} of the {} facts: its last {apart:.1} s are missing", self.compared(), self.facts)
        })
    }
}

/// The first input whose decisions are others now.
#[derive(Debug)]
pub struct Difference {
    /// From 1.
    pub input: u64,
    pub at: Wall,
    pub mono: Instant,
    pub what: String,
    /// What the log has from there on, as many as are said now, and what is said now.
    pub then: Vec<Logged>,
    pub now: Vec<Fact>,
    /// Outputs that are no facts, by kind: the journal keeps only their digest.
    pub others: BTreeMap<&'static str, u64>,
}

impl Difference {
    pub(super) fn empty() -> Difference {
        let (then, now, others) = (Vec::new(), Vec::new(), BTreeMap::new());
        Difference { input: 0, at: Wall::default(), mono: Instant::ZERO, what: String::new(), then, now, others }
    }
}

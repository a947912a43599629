//! What may be wrong with a recording that should run.

use base::fact::RecordingAlarm;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A part that ended is followed by the next one, or by its conversation's end, well within this.
const BETWEEN_PARTS: Duration = Duration::from_secs(1);
/// To close a part takes a hash and a sync: where it takes this long, the disk has stopped.
const CLOSES_WITHIN: Duration = Duration::from_secs(5);

/// What is wrong with a recording at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The recorder was told to begin it, and did not say that it has.
    NotStarted,
    /// Nothing of it was committed for a while.
    Stalled,
    /// It failed or was cut short, and its conversation goes on without one.
    Over,
    /// The recorder was told to close it, and did not say that it has.
    NotClosed,
}

impl Trouble {
    /// For how long it may be so before it is told: an alarm has waited already.
    pub(crate) fn patience(self) -> Duration {
        match self {
            Trouble::NotStarted | Trouble::Stalled => Duration::ZERO,
            Trouble::Over => BETWEEN_PARTS,
            Trouble::NotClosed => CLOSES_WITHIN,
        }
    }
}

impl From<RecordingAlarm> for Trouble {
    fn from(alarm: RecordingAlarm) -> Self {
        match alarm {
            RecordingAlarm::NotStarted => Trouble::NotStarted,
            RecordingAlarm::Stalled => Trouble::Stalled,
        }
    }
}

//! What must never be, whatever happened: kept apart from the centre and from every other reader of its facts.
//!
//! `calls`, `agents` and `recordings` read facts and nothing else: each thing begins once, ends once, and lasts as long
//! as its facts say. `shifts` and `returns` count from them what strategies compare, and who had a caller last. `rules`
//! knows the site file as well: what it promises, read off the facts. `second` matches agents and calls by its own
//! reckoning on what the centre shows of itself. `promises` remembers what was asked for.

mod agents;
mod calls;
mod promises;
mod recordings;
mod returns;
mod rules;
mod second;
mod shifts;
mod wraps;

pub use promises::Promises;
pub use second::Second;

use agents::Agents;
use base::fact::{Logged, What};
use calls::Calls;
use engine::Setup;
use recordings::Recordings;
use returns::Returns;
use rules::Rules;
use shifts::Shifts;
use std::fmt;
use wraps::Wraps;

/// A law that was broken, by its name, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub law: String,
    pub how: String,
}

pub type Checked<T = ()> = Result<T, Broken>;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.how)
    }
}

pub fn broken<T>(law: &str, how: impl fmt::Display) -> Checked<T> {
    Err(Broken { law: law.into(), how: how.to_string() })
}

pub fn must(holds: bool, law: &str, how: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken { law: law.into(), how: how() }) }
}

/// One fact as the checks see it.
pub struct Seen<'a> {
    pub logged: &'a Logged,
    pub setup: &'a Setup,
    /// How often the site changed so far, restarts included: a promise counts while it stays the same.
    pub site: u32,
    /// The fact is about a party whose number many people share.
    pub shared_party: bool,
}

/// Everything that reads facts.
#[derive(Default)]
pub struct Ledger {
    calls: Calls,
    agents: Agents,
    recordings: Recordings,
    rules: Rules,
    wraps: Wraps,
    shifts: Shifts,
    returns: Returns,
}

impl Ledger {
    pub fn read(&mut self, seen: &Seen) -> Checked {
        let logged = seen.logged;
        self.one(seen).map_err(|broken| {
            let how = format!("fact {}-{} {}: {}", logged.epoch, logged.seq, logged.fact.what.name(), broken.how);
            Broken { how, ..broken }
        })
    }

    fn one(&mut self, seen: &Seen) -> Checked {
        self.rules.before(seen, &self.calls)?;
        self.calls.read(seen)?;
        self.agents.read(seen, &self.calls)?;
        self.recordings.read(seen)?;
        self.wraps.read(seen)?;
        self.shifts.read(seen);
        self.returns.read(seen, &self.shifts);
        self.rules.after(seen, &self.calls)
    }

    /// The site is another from now on.
    pub fn on_reload(&mut self) {
        self.wraps.forget();
    }

    /// The process is another one from now on.
    pub fn on_restart(&mut self) {
        self.wraps.on_restart();
        self.rules.on_restart();
        self.shifts = Shifts::default();
        self.returns.on_restart();
    }

    /// When the centre has drained: every call is over, every recording accounted for.
    pub fn close(&self) -> Checked {
        self.calls.close()?;
        self.recordings.close()
    }

    pub fn incoming(&self) -> u64 {
        self.calls.incoming
    }

    /// Visits of callers on the line.
    pub fn visits(&self) -> u64 {
        self.calls.visits_offered
    }

    pub fn conversations(&self) -> u64 {
        self.calls.conversations
    }

    pub fn own_calls(&self) -> u64 {
        self.calls.own_calls
    }

    /// Facts of this type so far.
    pub fn count(&self, what: &str) -> u64 {
        self.calls.counts.get(what).copied().unwrap_or(0)
    }

    pub fn view(&self) -> &Calls {
        &self.calls
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub fn shifts(&self) -> &Shifts {
        &self.shifts
    }

    pub fn returns(&self) -> &Returns {
        &self.returns
    }
}

/// Facts that come after a call's end.
fn is_afterwards(what: &What) -> bool {
    matches!(
        what,
        What::RecordingStarted { .. }
            | What::RecordingStored { .. }
            | What::RecordingFailed { .. }
            | What::RecordingAlarm { .. }
            | What::RecordingAlarmEnded { .. }
            | What::VoicemailLeft { .. }
            | What::LegClosed { .. }
            | What::WrapUpCoded { .. }
    )
}

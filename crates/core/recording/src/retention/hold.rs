//! Legal holds: what may not be deleted, by whomever, until it is released.
//!
//! A hold is a line of the log of accesses, told by that line's number; so is its release. Whoever reads the log from its
//! beginning knows them all. One that can't be read keeps everything: a hold that is lost can't be made good.

use super::Row;
use base::id::BadId;
use base::{AgentId, PartyId, QueueId, RecordingId, Tenant, Wall};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What a release names, before the number of the hold.
pub const RELEASED: &str = "hold=";

/// Which recordings, those to come too. All that is given must hold.
///
/// As text a recording's id, or words such as `queue=acme/soporte from=2026-10-01T00:00:00.000000Z`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub recording: Option<RecordingId>,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    /// The callers that one number is, one for each tenant: any of them. Empty: all callers.
    pub parties: Vec<PartyId>,
    /// Begun at or after this, and before that.
    pub from: Option<Wall>,
    pub to: Option<Wall>,
}

impl Selector {
    pub fn one(recording: RecordingId) -> Self {
        Selector { recording: Some(recording), ..Selector::default() }
    }

    /// It says nothing, and would select everything.
    pub fn is_empty(&self) -> bool {
        *self == Selector::default()
    }

    pub fn selects(&self, row: &Row) -> bool {
        fn is<T: PartialEq>(wanted: &Option<T>, found: &Option<T>) -> bool {
            wanted.is_none() || wanted == found
        }
        self.recording.is_none_or(|recording| recording == row.recording)
            && is(&self.tenant, &row.tenant)
            && is(&self.queue, &row.queue)
            && is(&self.agent, &row.agent)
            && (self.parties.is_empty() || row.party.is_some_and(|party| self.parties.contains(&party)))
            && self.from.is_none_or(|from| row.started >= from)
            && self.to.is_none_or(|to| row.started < to)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.recording.map(|recording| recording.to_string()));
        words.extend(self.tenant.as_ref().map(|tenant| format!("tenant={tenant}")));
        words.extend(self.queue.as_ref().map(|queue| format!("queue={queue}")));
        words.extend(self.agent.as_ref().map(|agent| format!("agent={agent}")));
        words.extend(self.parties.iter().map(|party| format!("party={party}")));
        words.extend(self.from.map(|from| format!("from={from}")));
        words.extend(self.to.map(|to| format!("to={to}")));
        f.write_str(&words.join(" "))
    }
}

/// Why a text selects nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSelector {
    #[error("expected a recording, or words such as queue=acme/soporte, found \"{0}\"")]
    Word(String),
    #[error("expected {expected}, found \"{found}\"")]
    Value { expected: &'static str, found: String },
    #[error("expected at least one of recording, tenant, queue, agent, caller, from, to")]
    Empty,
}

impl From<BadId> for BadSelector {
    fn from(bad: BadId) -> Self {
        BadSelector::Value { expected: bad.expected, found: bad.found }
    }
}

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Selector, BadSelector> {
        let mut selector = Selector::default();
        for word in text.split_ascii_whitespace() {
            let Some((name, value)) = word.split_once('=') else {
                selector.recording = Some(word.parse()?);
                continue;
            };
            match name {
                "tenant" => selector.tenant = Some(value.parse()?),
                "queue" => selector.queue = Some(value.parse()?),
                "agent" => selector.agent = Some(value.parse()?),
                "party" => selector.parties.push(value.parse()?),
                "from" => selector.from = Some(value.parse()?),
                "to" => selector.to = Some(value.parse()?),
                _ => return Err(BadSelector::Word(word.into())),
            }
        }
        if selector.is_empty() { Err(BadSelector::Empty) } else { Ok(selector) }
    }
}

/// One that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub selector: Selector,
    /// RFC 3339.
    pub at: String,
    pub who: String,
    pub why: String,
}

/// Those that count now, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    all: BTreeMap<u64, Held>,
    /// Of those of one recording alone, so that many of them are found at once.
    single: BTreeMap<RecordingId, Vec<u64>>,
}

impl Holds {
    pub fn set(&mut self, number: u64, held: Held) {
        if let Some(recording) = held.selector.recording {
            self.single.entry(recording).or_default().push(number);
        }
        self.all.insert(number, held);
    }

    /// None: there is no such hold, or not any more.
    pub fn release(&mut self, number: u64) -> Option<Held> {
        let held = self.all.remove(&number)?;
        if let Some(numbers) = held.selector.recording.and_then(|recording| self.single.get_mut(&recording)) {
            numbers.retain(|other| *other != number);
        }
        Some(held)
    }

    pub fn get(&self, number: u64) -> Option<&Held> {
        self.all.get(&number)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &Held)> {
        self.all.iter().map(|(number, held)| (*number, held))
    }

    /// The first hold that keeps a recording.
    pub fn of(&self, row: &Row) -> Option<u64> {
        let single = self.single.get(&row.recording).into_iter().flatten().copied();
        let selects = |number: &u64| self.all.get(number).is_some_and(|held| held.selector.selects(row));
        let broad = self.all.iter().filter(|(_, held)| held.selector.recording.is_none()).map(|(number, _)| *number);
        single.chain(broad).find(selects)
    }
}

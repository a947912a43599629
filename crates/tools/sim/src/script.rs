//! The script of a day: what people do and what befalls them, act by act.
//!
//! Each act has a name for good: who acts, for which time, and which step of that. A day can be run again with only some
//! of its acts; that is how a failure shrinks.

use base::Instant;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Who or what acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A call that comes in by the trunk.
    Caller,
    /// The same caller again, whom something cut off.
    Again,
    /// An agent's phone, about a call that rings it.
    Rung(u8),
    /// An agent's phone that dials.
    Dials(u8),
    /// An agent's phone as such: it registers.
    Phone(u8),
    /// Somebody outside whom the centre calls.
    Outside,
    /// Agents and supervisors at their desks.
    Desk,
    /// Datagrams of one link.
    Network(u8),
    Plane,
    /// What befalls the centre: reloads, crashes, silence.
    Fate,
}

type Named = (char, fn(u8) -> Actor);

const LETTERS: [Named; 10] = [
    ('c', |_| Actor::Caller),
    ('a', |_| Actor::Again),
    ('r', Actor::Rung),
    ('d', Actor::Dials),
    ('p', Actor::Phone),
    ('o', |_| Actor::Outside),
    ('k', |_| Actor::Desk),
    ('n', Actor::Network),
    ('m', |_| Actor::Plane),
    ('f', |_| Actor::Fate),
];

impl Actor {
    /// The letter and the number of one of several.
    fn parts(self) -> (usize, u8) {
        match self {
            Actor::Caller => (0, 0),
            Actor::Again => (1, 0),
            Actor::Rung(n) => (2, n),
            Actor::Dials(n) => (3, n),
            Actor::Phone(n) => (4, n),
            Actor::Outside => (5, 0),
            Actor::Desk => (6, 0),
            Actor::Network(n) => (7, n),
            Actor::Plane => (8, 0),
            Actor::Fate => (9, 0),
        }
    }
}

/// The name of an act: `c12.3` is step 3 of the twelfth caller, `r2-5.0` the answer of phone 2 to its fifth call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActId {
    pub actor: Actor,
    pub n: u32,
    pub step: u8,
}

impl ActId {
    pub fn new(actor: Actor, n: u32, step: u8) -> Self {
        ActId { actor, n, step }
    }

    pub fn step(self, step: usize) -> Self {
        ActId { step: u8::try_from(step).unwrap_or(u8::MAX), ..self }
    }

    pub fn number(self) -> u64 {
        let (letter, which) = self.actor.parts();
        (letter as u64) << 56 | u64::from(which) << 48 | u64::from(self.n) << 8 | u64::from(self.step)
    }
}

impl fmt::Display for ActId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (letter, which) = self.actor.parts();
        let letter = LETTERS[letter].0;
        match self.actor {
            Actor::Rung(_) | Actor::Dials(_) | Actor::Phone(_) | Actor::Network(_) => write!(f, "{letter}{which}-")?,
            _ => write!(f, "{letter}")?,
        }
        write!(f, "{}.{}", self.n, self.step)
    }
}

impl FromStr for ActId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (_, actor) = LETTERS.iter().find(|(letter, _)| text.starts_with(*letter))?;
            let (n, step) = text.get(1..)?.split_once('.')?;
            let (which, n) = n.split_once('-').unwrap_or(("0", n));
            Some(ActId { actor: actor(which.parse().ok()?), n: n.parse().ok()?, step: step.parse().ok()? })
        };
        read().ok_or_else(|| format!("expected an act such as c12.3 or r2-5.0, found \"{text}\""))
    }
}

/// One act that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub id: ActId,
    pub at: Instant,
    pub what: String,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.6} s  {:<10} {}", self.at.0 as f64 / 1e9, self.id.to_string(), self.what)
    }
}

/// Which acts may be done, and which were.
#[derive(Default)]
pub struct Script {
    /// `None`: all.
    pub only: Option<Arc<BTreeSet<ActId>>>,
    /// Whether acts are written down.
    pub written: bool,
    pub acts: Vec<Act>,
}

impl Script {
    /// Whether this act is done. What is done is written down.
    pub fn may(&mut self, id: ActId, at: Instant, what: impl FnOnce() -> String) -> bool {
        let may = self.only.as_ref().is_none_or(|only| only.contains(&id));
        if may && self.written {
            self.acts.push(Act { id, at, what: what() });
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_act_reads_back() {
        for actor in [Actor::Caller, Actor::Rung(2), Actor::Dials(7), Actor::Phone(1), Actor::Network(13), Actor::Fate] {
            let id = ActId::new(actor, 1234, 5);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!("c12.3".parse(), Ok(ActId::new(Actor::Caller, 12, 3)));
        assert!("x1.2".parse::<ActId>().is_err() && "c1".parse::<ActId>().is_err());
    }
}

//! Broken invariants that last: each is told when it begins and when it ends, and not again meanwhile.
//!
//! ```text
//!            found                        a round without it
//!  unknown ─────────▶ stands (breach) ───────────────────────▶ unknown (breach ended)
//!                      ▲    │
//!                      └────┘ found again
//! ```

use crate::Breach;
use std::collections::BTreeMap;

/// Breaches of one auditor that stand at once; those beyond are told when there is room.
const MOST: usize = 64;

/// What one auditor found broken.
#[derive(Default)]
pub(crate) struct Alarms {
    /// Whether it was found in this round.
    standing: BTreeMap<Breach, bool>,
}

impl Alarms {
    /// Those of them that begin.
    pub fn found(&mut self, breaches: impl IntoIterator<Item = Breach>) -> Vec<Breach> {
        let mut begun = Vec::new();
        for breach in breaches {
            if let Some(again) = self.standing.get_mut(&breach) {
                *again = true;
            } else if self.standing.len() < MOST {
                self.standing.insert(breach.clone(), true);
                begun.push(breach);
            }
        }
        begun
    }

    /// Everything was looked at once: those that were not found again, and end.
    pub fn round(&mut self) -> Vec<Breach> {
        let mut ended = Vec::new();
        self.standing.retain(|breach, found| {
            if !*found {
                ended.push(breach.clone());
            }
            std::mem::take(found)
        });
        ended
    }

    pub fn standing(&self) -> impl Iterator<Item = &Breach> {
        self.standing.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(details: &[&str]) -> Vec<Breach> {
        details.iter().map(|detail| Breach { invariant: "index".into(), detail: (*detail).into() }).collect()
    }

    #[test]
    fn a_breach_that_lasts_is_told_when_it_begins_and_when_it_ends() {
        let mut alarms = Alarms::default();
        assert_eq!(alarms.found(breaches(&["a", "b", "a"])), breaches(&["a", "b"]));
        assert_eq!(alarms.round(), []);
        assert_eq!(alarms.found(breaches(&["b", "c"])), breaches(&["c"]));
        assert_eq!(alarms.round(), breaches(&["a"]));
        assert_eq!(alarms.standing().cloned().collect::<Vec<_>>(), breaches(&["b", "c"]));
        assert_eq!(alarms.round(), breaches(&["b", "c"]));
        assert_eq!(alarms.found(breaches(&["a"])), breaches(&["a"]));
    }

    #[test]
    fn a_thousand_breaches_at_once_are_told_as_far_as_there_is_room() {
        let mut alarms = Alarms::default();
        let many: Vec<String> = (0..1_000).map(|n| format!("{n:03}")).collect();
        let many = || breaches(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((alarms.found(many()).len(), alarms.found(many()).len()), (MOST, 0));
        alarms.round();
        assert_eq!((alarms.round().len(), alarms.found(many()).len()), (MOST, MOST));
    }
}

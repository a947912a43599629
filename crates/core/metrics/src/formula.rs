//! The service level has no single formula: the raw counters are stored, the formula is chosen per queue and named
//! beside the number.

use crate::interval::QueueSums;
use base::Outcome;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// With a answered, b abandoned, T threshold, S short abandon; `<=` throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Formula {
    /// a<=T / a
    Answered,
    /// a<=T / (a + b)
    Offered,
    /// (a<=T + b<=T) / (a + b)
    AbandonedOk,
    /// a<=T / (a + b with wait > S + the exits that count as missed)
    ShortExcluded(Switches),
}

/// Which exits count as missed in `short_excluded`. By default those forced on the caller do, so that throwing
/// callers out never improves the figure, and those by choice leave the denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches([bool; 7]);

/// The exits with a switch, forced ones first.
const EXITS: [(Outcome, &str, bool); 7] = [
    (Outcome::Overflowed, "overflowed", true),
    (Outcome::Timeout, "timeout", true),
    (Outcome::NoAgents, "no_agents", true),
    (Outcome::System, "system", true),
    (Outcome::KeyExit, "key_exit", false),
    (Outcome::Callback, "callback", false),
    (Outcome::Voicemail, "voicemail", false),
];

impl Default for Switches {
    fn default() -> Self {
        Switches(EXITS.map(|(_, _, missed)| missed))
    }
}

impl Default for Formula {
    fn default() -> Self {
        Formula::ShortExcluded(Switches::default())
    }
}

impl Formula {
    /// The share from 0 to 1; none when the denominator is empty.
    pub fn share(self, q: &QueueSums) -> Option<f64> {
        let (a, b) = (q.answered, q.abandoned);
        let (good, all) = match self {
            Formula::Answered => (q.answered_in_time, a),
            Formula::Offered => (q.answered_in_time, a + b),
            Formula::AbandonedOk => (q.answered_in_time + q.abandoned_in_time, a + b),
            Formula::ShortExcluded(Switches(missed)) => {
                let exits = EXITS.iter().zip(missed).filter(|(_, missed)| *missed).map(|((exit, ..), _)| q.ended(*exit));
                (q.answered_in_time, a + (b - q.short_abandons.min(b)) + exits.sum::<u64>())
            }
        };
        (all > 0).then(|| good as f64 / all as f64)
    }
}

/// The name, with each switch that stands against its default: `short_excluded-timeout+callback`.
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Formula::Answered => f.write_str("answered"),
            Formula::Offered => f.write_str("offered"),
            Formula::AbandonedOk => f.write_str("abandoned_ok"),
            Formula::ShortExcluded(Switches(missed)) => {
                f.write_str("short_excluded")?;
                for ((_, name, default), missed) in EXITS.iter().zip(missed) {
                    if missed != default {
                        write!(f, "{}{name}", if *missed { '+' } else { '-' })?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Formula {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "answered" => return Ok(Formula::Answered),
            "offered" => return Ok(Formula::Offered),
            "abandoned_ok" => return Ok(Formula::AbandonedOk),
            _ => {}
        }
        let expected = || {
            format!(
                "expected answered, offered, abandoned_ok or short_excluded with switches such as -timeout or +callback, found \"{s}\""
            )
        };
        let mut rest = s.strip_prefix("short_excluded").ok_or_else(expected)?;
        let mut switches = Switches::default();
        while let Some(sign) = rest.chars().next() {
            let missed = match sign {
                '+' => true,
                '-' => false,
                _ => return Err(expected()),
            };
            let name = &rest[1..];
            let end = name.find(['+', '-']).unwrap_or(name.len());
            let at = EXITS.iter().position(|(_, exit, _)| *exit == &name[..end]).ok_or_else(expected)?;
            switches.0[at] = missed;
            rest = &name[end..];
        }
        Ok(Formula::ShortExcluded(switches))
    }
}

impl From<Formula> for String {
    fn from(f: Formula) -> String {
        f.to_string()
    }
}

impl TryFrom<String> for Formula {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums() -> QueueSums {
        QueueSums {
            offered: 20,
            answered: 10,
            abandoned: 5,
            timeout: 3,
            callback: 2,
            answered_in_time: 8,
            abandoned_in_time: 4,
            short_abandons: 1,
            ..QueueSums::default()
        }
    }

    #[test]
    fn the_four_formulas_read_one_set_of_counters_differently() {
        let share = |name: &str| name.parse::<Formula>().unwrap().share(&sums());
        assert_eq!(share("answered"), Some(8.0 / 10.0));
        assert_eq!(share("offered"), Some(8.0 / 15.0));
        assert_eq!(share("abandoned_ok"), Some(12.0 / 15.0));
        assert_eq!(share("short_excluded"), Some(8.0 / 17.0));
        assert_eq!(share("short_excluded-timeout"), Some(8.0 / 14.0));
        assert_eq!(share("short_excluded+callback"), Some(8.0 / 19.0));
    }

    #[test]
    fn nothing_offered_gives_no_value_never_one() {
        for name in ["answered", "offered", "abandoned_ok", "short_excluded"] {
            assert_eq!(name.parse::<Formula>().unwrap().share(&QueueSums::default()), None);
        }
    }

    #[test]
    fn the_switches_are_part_of_the_name_and_it_reads_back() {
        for name in ["answered", "offered", "abandoned_ok", "short_excluded", "short_excluded-timeout+callback"] {
            assert_eq!(name.parse::<Formula>().unwrap().to_string(), name);
        }
        assert_eq!(Formula::default().to_string(), "short_excluded");
        for bad in ["", "short", "short_excluded-", "short_excluded*x", "short_excluded+answered", "short_excludedé"] {
            assert!(bad.parse::<Formula>().is_err(), "{bad}");
        }
    }
}

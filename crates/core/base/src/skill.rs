//! What an agent can do and what a visit asks for.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A skill's name, such as `lang:es` or `app:sap`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Skill(pub Arc<str>);

impl Skill {
    pub fn new(name: &str) -> Self {
        Skill(name.into())
    }
}
impl fmt::Display for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An agent's skills with their levels, 1 to 10. A missing skill is not level 0: it satisfies no comparison.
pub type Skills = BTreeMap<Skill, u8>;

/// One comparison: the skill at this level or above.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Need {
    pub skill: Skill,
    pub at_least: u8,
}

/// What a visit asks for: every need must hold. Kept sorted, one need per skill (the highest level). Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Requirement(Arc<[Need]>);

impl Requirement {
    pub fn new(needs: impl IntoIterator<Item = Need>) -> Self {
        let mut by_skill: BTreeMap<Skill, u8> = BTreeMap::new();
        for need in needs {
            let level = by_skill.entry(need.skill).or_insert(0);
            *level = (*level).max(need.at_least);
        }
        Requirement(by_skill.into_iter().map(|(skill, at_least)| Need { skill, at_least }).collect())
    }

    pub fn needs(&self) -> &[Need] {
        &self.0
    }

    pub fn and(&self, other: &Requirement) -> Self {
        Self::new(self.0.iter().chain(other.0.iter()).cloned())
    }

    pub fn met_by(&self, skills: &Skills) -> bool {
        self.0.iter().all(|n| skills.get(&n.skill).is_some_and(|level| *level >= n.at_least))
    }
}

/// `lang:es >= 3 and app:sap >= 5`; empty asks for nothing.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, n) in self.0.iter().enumerate() {
            let and = if i == 0 { "" } else { " and " };
            write!(f, "{and}{} >= {}", n.skill, n.at_least)?;
        }
        Ok(())
    }
}

impl From<Requirement> for String {
    fn from(r: Requirement) -> String {
        r.to_string()
    }
}

impl FromStr for Requirement {
    type Err = String;
    /// A skill alone means level 1 or above.
    fn from_str(s: &str) -> Result<Self, String> {
        let parts = s.split(" and ").map(str::trim).filter(|p| !p.is_empty());
        let need = |part: &str| {
            let (skill, level) = part.split_once(">=").map_or((part, "1"), |(s, l)| (s.trim(), l.trim()));
            let at_least = level.parse().ok().filter(|l| (1..=10).contains(l));
            let at_least = at_least.ok_or_else(|| format!("expected a level from 1 to 10, found \"{level}\""))?;
            let fits = |b: u8| b.is_ascii_alphanumeric() || b":-_.".contains(&b);
            if skill.is_empty() || !skill.bytes().all(fits) {
                return Err(format!("expected `skill >= level`, found \"{part}\""));
            }
            Ok(Need { skill: Skill::new(skill), at_least })
        };
        Ok(Self::new(parts.map(need).collect::<Result<Vec<_>, _>>()?))
    }
}
impl TryFrom<String> for Requirement {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_skill_is_not_level_zero() {
        let asks: Requirement = "lang:es >= 3 and app:sap >= 5".parse().unwrap();
        let mut has = Skills::from([(Skill::new("lang:es"), 3)]);
        assert!(!asks.met_by(&has));
        has.insert(Skill::new("app:sap"), 5);
        assert!(asks.met_by(&has));
        assert!(Requirement::default().met_by(&Skills::new()));
    }

    #[test]
    fn it_reads_back_and_says_what_it_expected() {
        let asks: Requirement = "lang:es and app:sap >= 5 and lang:es >= 2".parse().unwrap();
        assert_eq!(asks.to_string(), "app:sap >= 5 and lang:es >= 2");
        assert_eq!("lang:es >= 11".parse::<Requirement>().unwrap_err(), "expected a level from 1 to 10, found \"11\"");
    }
}

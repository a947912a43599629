//! What the simulated people are to do. JSON, so that it can be handed to a process of its own.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// A span of milliseconds; a value of it is drawn evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub min_ms: u64,
    pub max_ms: u64,
}

impl Span {
    pub const fn ms(min_ms: u64, max_ms: u64) -> Span {
        Span { min_ms, max_ms }
    }

    pub fn draw(self, random: &mut base::Random) -> std::time::Duration {
        let width = self.max_ms.saturating_sub(self.min_ms);
        std::time::Duration::from_millis(self.min_ms.saturating_add(random.below(width.saturating_add(1))))
    }
}

/// One run. The same seed makes the same people, in the same order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Where the server listens for SIP over UDP.
    pub server: SocketAddr,
    /// Where callers send from: an address that the site knows as a trunk. Port 0 takes a free one.
    #[serde(default = "loopback")]
    pub trunk: SocketAddr,
    /// Where the agents' phones are. Must be no trunk of the site.
    #[serde(default = "loopback")]
    pub phones: SocketAddr,
    pub callers: CallerMix,
    #[serde(default)]
    pub agents: Vec<AgentSpec>,
    /// Numbers to dial, one drawn for each call.
    pub numbers: Vec<String>,
    /// New calls come for this long.
    pub duration_ms: u64,
    /// Then those that are left go on for at most this long before they hang up.
    #[serde(default)]
    pub drain_ms: u64,
    pub seed: u64,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallerMix {
    /// Calls come at random, this many in a minute on average.
    pub per_minute: f64,
    /// No more calls than this in all.
    pub at_most: Option<u32>,
    /// This many at once when the run begins.
    pub at_once: u32,
    pub languages: Vec<LanguageShare>,
    /// Keys of the menu after the language; one is drawn. Empty: none is pressed.
    pub services: Vec<char>,
    /// From the beginning of a prompt to the key.
    pub thinks: Span,
    /// Parts of 1: those who leave before they pressed everything, and those who leave while they wait.
    pub leaves_in_ivr: f64,
    pub leaves_in_queue: f64,
    /// How long those who leave while waiting wait, from the last key.
    pub patience: Span,
    /// From hearing an agent to hanging up, unless the agent does first.
    pub talk: Span,
}

impl Default for CallerMix {
    fn default() -> Self {
        let share = |lang: &str, key, weight| LanguageShare { lang: lang.into(), key, weight };
        CallerMix {
            per_minute: 30.0,
            at_most: None,
            at_once: 0,
            languages: vec![share("es", '1', 4), share("en", '2', 3), share("pt", '3', 2), share("fr", '4', 1)],
            services: vec!['1', '2'],
            thinks: Span::ms(500, 1_500),
            leaves_in_ivr: 0.0,
            leaves_in_queue: 0.0,
            patience: Span::ms(2_000, 15_000),
            talk: Span::ms(4_000, 12_000),
        }
    }
}

/// A language, the key that chooses it, and how many of the callers speak it, by weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanguageShare {
    pub lang: String,
    pub key: char,
    pub weight: u32,
}

/// One agent's phone and habits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSpec {
    pub user: String,
    /// It registers with this password. `None`: the site knows its address, and it only answers.
    #[serde(default)]
    pub password: Option<String>,
    /// From the INVITE to the 200; 180 goes at once.
    #[serde(default = "answers")]
    pub answer_after: Span,
    /// Hangs up after this long, unless the caller does first. `None`: never first.
    #[serde(default)]
    pub talk: Option<Span>,
    /// Part of 1: calls that are left ringing, and calls that are refused with 486.
    #[serde(default)]
    pub never_answers: f64,
    #[serde(default)]
    pub refuses: f64,
}

impl AgentSpec {
    pub fn new(user: &str, password: &str) -> Self {
        AgentSpec {
            user: user.into(),
            password: Some(password.into()),
            answer_after: answers(),
            talk: None,
            never_answers: 0.0,
            refuses: 0.0,
        }
    }
}

fn answers() -> Span {
    Span::ms(500, 3_000)
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The tones by which people are known: agents high, callers below them, 100 Hz apart.
const AGENT_TONES: std::ops::RangeInclusive<u32> = 17..=33;
const CALLER_TONES: std::ops::RangeInclusive<u32> = 10..=16;

/// The tone of the agent with this place in the plan; shared when there are more than 17.
pub fn agent_tone(place: usize) -> u32 {
    tone(AGENT_TONES, place)
}

/// The tone of the caller with this number.
pub fn caller_tone(number: usize) -> u32 {
    tone(CALLER_TONES, number)
}

/// Every tone that anybody may speak.
pub fn all_tones() -> impl Iterator<Item = u32> {
    CALLER_TONES.chain(AGENT_TONES).map(|hundreds| hundreds * 100)
}

fn tone(range: std::ops::RangeInclusive<u32>, place: usize) -> u32 {
    let count = range.clone().count();
    range.clone().nth(place % count).unwrap_or(*range.start()) * 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_plan_is_enough() {
        let text = r#"{"server":"127.0.0.1:5060","callers":{"per_minute":60},"agents":[{"user":"ana","password":"x"}],
            "numbers":["100"],"duration_ms":1000,"seed":1}"#;
        let plan: Plan = serde_json::from_str(text).unwrap();
        assert_eq!(plan.agents, [AgentSpec::new("ana", "x")]);
        assert_eq!(plan.callers, CallerMix { per_minute: 60.0, ..CallerMix::default() });
        let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
    }

    #[test]
    fn a_span_is_drawn_within_its_ends() {
        let mut random = base::Random::from_seed(1);
        let drawn: Vec<_> = (0..200).map(|_| Span::ms(3, 5).draw(&mut random).as_millis()).collect();
        assert!([3, 4, 5].iter().all(|ms| drawn.contains(ms)) && drawn.iter().all(|ms| (3..=5).contains(ms)));
        assert_eq!(Span::ms(7, 2).draw(&mut random).as_millis(), 7);
    }

    #[test]
    fn agents_and_callers_share_no_tone() {
        assert!((0..50).all(|i| agent_tone(i) >= 1_700 && caller_tone(i) <= 1_600));
        assert_ne!(agent_tone(0), agent_tone(1));
    }
}

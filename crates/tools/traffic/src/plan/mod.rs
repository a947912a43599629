//! What the simulated people are to do. JSON, so that it can be handed to a process of its own.

mod agents;
mod callers;

pub use agents::{AgentSpec, OwnCalls, Purpose, Target, Transfers};
pub use callers::{CallerMix, LanguageShare, Outside};

use crate::audio::Law;
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
    /// The people whom the centre calls: its customers at home, and whoever else has a telephone.
    #[serde(default)]
    pub outside: Option<Outside>,
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
    #[serde(default)]
    pub load: Load,
}

/// How very many calls are made cheap, and what is known of each of their packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Load {
    /// The legs of each side share so many sockets for their sound. 0: each has its own.
    pub shared_ports: u32,
    /// Voices carry who speaks and when, so that each packet's way is known. Only a relay that leaves the sound alone
    /// brings them through.
    pub stamped: bool,
    /// Callers offer nothing else. `None`: both, one or the other first.
    pub law: Option<Law>,
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

/// Whether a tone is some agent's.
pub fn is_agents(hz: u32) -> bool {
    hz >= AGENT_TONES.start() * 100
}

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

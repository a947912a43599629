//! Who calls, and what they do.

use benches::Size;
use benches::site::{PASSWORD, Site};
use std::net::SocketAddr;
use std::time::Duration;
use traffic::{AgentSpec, CallerMix, Load, Plan, Span};

/// Conversations of a usual length are seen to their end only in a run of this length.
const A_WHILE: Duration = Duration::from_secs(30);

/// A desk with more callers than agents: whoever hangs up has the next call at once. Either side may hang up first.
pub fn plan(size: Size, site: &Site, server: SocketAddr) -> Plan {
    let talk = if size.hold >= A_WHILE { Span::ms(15_000, 40_000) } else { Span::ms(1_000, 2_000) };
    let agent =
        |user: &String| AgentSpec { answer_after: Span::ms(300, 1_500), talk: Some(talk), ..AgentSpec::new(user, PASSWORD) };
    Plan {
        server,
        trunk: site.at(2, 0),
        phones: site.at(3, 0),
        callers: CallerMix {
            per_minute: f64::from(size.rate) * 60.0,
            live: Some(size.calls),
            leaves_in_ivr: 0.02,
            leaves_in_queue: 0.05,
            patience: Span::ms(10_000, 40_000),
            talk,
            speaks_at_once: true,
            ..CallerMix::default()
        },
        outside: None,
        agents: site.agents.iter().map(agent).collect(),
        numbers: vec!["100".into()],
        // Until it is told to stop.
        duration_ms: 3_600_000,
        drain_ms: 0,
        seed: 20_261_122,
        load: Load::default(),
    }
}

//! Who calls whom: a desk whose agents answer after 300 ms, and voices that say in each packet whose it is.

use crate::bare::SHARED_PORTS;
use benches::site::{NOBODY, PASSWORD, Site};
use std::net::SocketAddr;
use traffic::audio::Law;
use traffic::{AgentSpec, CallerMix, Load, Plan, Span};

/// Calls come until it is told to stop.
pub fn plan(callers: CallerMix, site: &Site, server: SocketAddr) -> Plan {
    let agent = |user: &String| AgentSpec { answer_after: Span::ms(300, 300), ..AgentSpec::new(user, PASSWORD) };
    Plan {
        server,
        trunk: site.at(2, 0),
        phones: site.at(3, 0),
        callers,
        outside: None,
        agents: site.agents.iter().map(agent).collect(),
        numbers: vec!["100".into()],
        duration_ms: 3_600_000,
        drain_ms: 0,
        seed: 20_261_122,
        load: Load { shared_ports: SHARED_PORTS, stamped: true, law: Some(Law::Pcma) },
    }
}

/// So many call where nobody answers, within a second, and stay: they hear what the server plays, by its own clock.
pub fn waiting(calls: u32, site: &Site, server: SocketAddr) -> Plan {
    let callers = CallerMix {
        per_minute: f64::from(calls) * 60.0,
        live: Some(calls),
        at_most: Some(calls),
        speaks_at_once: true,
        ..CallerMix::default()
    };
    let plan = plan(callers, site, server);
    Plan { agents: vec![], numbers: vec![NOBODY.into()], phones: site.at(4, 0), seed: plan.seed + 1, ..plan }
}

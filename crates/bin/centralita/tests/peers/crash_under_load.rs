//! kill -9 under many recorded conversations: each recording plays up to its last second, and the ledger knows of
//! each what happened.

use crate::support::line::Line;
use crate::support::server::{Agent, PASSWORD, Server, Site};
use crate::support::sound::{Recording, sounding_ms};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use traffic::{AgentSpec, CallerMix, Load, Plan, Span};

const PORTS: std::ops::RangeInclusive<u16> = 20_000..=20_899;
/// A header is valid each second; what the disk is given besides is given in blocks.
const AT_MOST_LOST_MS: u64 = 1_000;
/// From the fact of its beginning to the first packet, and from the clock that is read here to the kill.
const EDGES_MS: u64 = 300;

/// Conversations at once. Each has two legs, and each leg two ports.
const CALLS: usize = 200;

fn plan(site: &Site, server: std::net::SocketAddr, users: &[&'static str]) -> Plan {
    let agent = |user: &&str| AgentSpec { answer_after: Span::ms(50, 200), ..AgentSpec::new(user, PASSWORD) };
    Plan {
        server,
        trunk: site.at(2, 0),
        phones: site.at(3, 0),
        callers: CallerMix {
            per_minute: 2_400.0,
            at_most: Some(users.len() as u32),
            thinks: Span::ms(100, 300),
            talk: Span::ms(120_000, 120_000),
            speaks_at_once: true,
            ..CallerMix::default()
        },
        agents: users.iter().map(agent).collect(),
        numbers: vec!["100".into()],
        duration_ms: 120_000,
        drain_ms: 0,
        seed: 20_261_123,
        load: Load { shared_ports: 4, ..Load::default() },
        outside: None,
    }
}

#[test]
fn recordings_under_way_lose_at_most_their_last_second_and_each_is_accounted_for() {
    let users: Vec<&'static str> = (0..CALLS).map(|n| &*format!("agent{n}").leak()).collect();
    let site = Site::new(users.iter().map(|user| Agent::registers_by_sha_256(user))).ports("20000-20899");
    let mut server = site.serve();
    let stop = Arc::new(AtomicBool::new(false));
    let people = std::thread::spawn({
        let (plan, stop) = (plan(&site, server.sip, &users), stop.clone());
        move || traffic::run(&plan, &stop, &mut |_| {}).map(drop)
    });
    server.facts_of("recording.started", CALLS);
    let beats = server.of_type("node.heartbeat").len();
    server.facts_of("node.heartbeat", beats + 1);
    let killed_ms = wall_ms();
    server.program.kill();
    stop.store(true, Ordering::Relaxed);
    people.join().unwrap().unwrap();
    assert!(server.of_type("call.ended").is_empty(), "all of them talk");
    let started: BTreeMap<String, u64> = begun(&server);
    drop(server);
    for port in PORTS {
        UdpSocket::bind((site.at(1, 0).ip(), port)).unwrap_or_else(|e| panic!("port {port}: {e}"));
    }

    let mut server = site.serve();
    server.fact("node.stopped", |data| data["clean"] == false);
    for kind in ["call.ended", "agent_leg.ended", "recording.stored"] {
        server.facts_of(kind, CALLS);
    }
    for kind in ["call.ended", "agent_leg.ended"] {
        let causes: BTreeSet<_> = server.of_type(kind).iter().map(|data| data["cause"].to_string()).collect();
        assert_eq!(causes, BTreeSet::from(["\"node_lost\"".to_string()]), "{kind}");
    }
    assert_eq!(server.of_type("recording.failed").len(), 0);
    let stored: Vec<Value> = server.of_type("recording.stored").into_iter().cloned().collect();
    let known: BTreeSet<&str> = stored.iter().filter_map(|data| data["recording"].as_str()).collect();
    assert_eq!(known.len(), CALLS, "each once");
    let mut most_lost = 0;
    for data in &stored {
        let name = data["recording"].as_str().unwrap();
        assert_eq!((&data["kept"], &data["reason"]), (&"partial".into(), &"node_lost".into()), "{data}");
        let recording = Recording::read(&site.wav(data));
        assert_eq!(data["duration_ms"], recording.duration_ms(), "{data}");
        let lost = (killed_ms - started[name]).saturating_sub(recording.duration_ms());
        most_lost = most_lost.max(lost);
        assert!(lost <= AT_MOST_LOST_MS + EDGES_MS, "{name} lost {lost} ms");
        for channel in [&recording.left, &recording.right] {
            let sounding = sounding_ms(channel);
            assert!(sounding + 800 >= recording.duration_ms(), "{name}: {sounding} of {}", recording.duration_ms());
        }
    }
    println!("at most {most_lost} ms lost");
    server.is_at_rest();
    // It takes calls again, on the same ports.
    let mut line = Line::calls(&server, |_| ());
    line.ear.until_sound();
    line.hangs_up();
    server.is_at_rest();
    server.stop();
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis() as u64
}

/// When each recording began, by the wall clock.
fn begun(server: &Server<'_>) -> BTreeMap<String, u64> {
    let begun = server.facts.iter().filter(|fact| fact["type"] == "recording.started").map(|fact| {
        let at: jiff::Timestamp = fact["time"].as_str().unwrap().parse().unwrap();
        (fact["data"]["recording"].as_str().unwrap().to_string(), at.as_millisecond() as u64)
    });
    begun.collect()
}

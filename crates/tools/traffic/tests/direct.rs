//! Callers who dial the agents' phones directly, without a centre between them: what is said is heard, and the report
//! says so. The plan's server is then its own phones' address.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use traffic::{AgentSpec, CallerMix, Outcome, Plan, Report, Span};

/// A port that was free a moment ago.
fn address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn plan(agent: AgentSpec) -> Plan {
    let phones = address();
    Plan {
        server: phones,
        trunk: "127.0.0.1:0".parse().unwrap(),
        phones,
        callers: CallerMix { per_minute: 600.0, at_most: Some(3), talk: Span::ms(1_000, 1_000), ..CallerMix::default() },
        outside: None,
        numbers: vec![agent.user.clone()],
        agents: vec![AgentSpec { password: None, answer_after: Span::ms(50, 200), ..agent }],
        duration_ms: 5_000,
        drain_ms: 3_000,
        seed: 1,
    }
}

fn run(plan: &Plan) -> Report {
    traffic::run(plan, &AtomicBool::new(false), &mut |_| {}).unwrap()
}

#[test]
fn both_sides_hear_each_other_and_nothing_is_lost() {
    let report = run(&plan(AgentSpec::new("ana", "")));
    assert_eq!(report.count(Outcome::Talked), 3, "{report:#?}");
    let agent = &report.agents[0];
    assert_eq!((agent.offers, agent.answered, report.conversations.len()), (3, 3, 3));
    for call in &report.calls {
        assert_eq!(call.agent_hz, Some(agent.tone_hz));
        assert!(call.heard.tones_ms[&agent.tone_hz] >= 900, "{call:#?}");
        assert_eq!((call.heard.lost, call.heard.sequence_jumps, call.heard.timestamp_jumps), (0, 0, 0), "{call:#?}");
        let other = report.conversations.iter().find(|c| c.call_id == call.call_id).unwrap();
        assert!(other.heard.tones_ms[&call.tone_hz] >= 700, "{other:#?}");
        assert!(call.ended_by_us && !other.ended_by_us);
    }
}

#[test]
fn an_agent_who_hangs_up_first_is_seen_by_both() {
    let talk = Some(Span::ms(500, 500));
    let report = run(&plan(AgentSpec { talk, ..AgentSpec::new("ana", "") }));
    assert_eq!(report.count(Outcome::Talked), 3, "{report:#?}");
    assert!(report.calls.iter().all(|c| !c.ended_by_us));
    assert!(report.conversations.iter().all(|c| c.ended_by_us && c.talk_ms < 900));
}

#[test]
fn a_busy_agent_refuses() {
    let report = run(&plan(AgentSpec { refuses: 1.0, ..AgentSpec::new("ana", "") }));
    assert_eq!((report.count(Outcome::Rejected), report.agents[0].refused), (3, 3), "{report:#?}");
    assert!(report.calls.iter().all(|c| c.status == 486));
}

#[test]
fn a_call_that_nobody_answers_is_cancelled_when_the_run_is_stopped() {
    let plan = plan(AgentSpec { never_answers: 1.0, ..AgentSpec::new("ana", "") });
    let plan = Plan { drain_ms: 0, ..plan };
    let stop = AtomicBool::new(false);
    let mut told = 0;
    let report = traffic::run(&plan, &stop, &mut |progress| {
        told += 1;
        stop.store(progress.live == 3 || told > 4, Ordering::Relaxed);
    });
    let report = report.unwrap();
    assert_eq!((report.count(Outcome::Cut), report.agents[0].missed), (3, 3), "{report:#?}");
    assert!(report.calls.iter().all(|c| c.ended_by_us));
}

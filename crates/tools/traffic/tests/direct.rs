//! Callers who dial the agents' phones directly, without a centre between them: what is said is heard, and the report
//! says so. The plan's server is then its own phones' address.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use traffic::audio::Law;
use traffic::{AgentSpec, CallerMix, Load, Outcome, Plan, Report, Span};

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
        load: Load::default(),
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

#[test]
fn each_sides_moments_are_in_their_order_and_name_the_other() {
    let mut plan = plan(AgentSpec::new("ana", ""));
    plan.callers.speaks_at_once = true;
    let report = run(&plan);
    let agent = &report.agents[0];
    assert_eq!((report.conversations.len(), agent.rings.len()), (3, 3), "{report:#?}");
    for conversation in &report.conversations {
        let call = report.calls.iter().find(|call| call.from == conversation.from).expect("who calls is known at the phone");
        let rang = agent.rings.iter().find(|ring| ring.from == call.from).unwrap().at_us;
        let (phone, caller) = (conversation.moments, call.moments);
        let answered = phone.answered_us.unwrap();
        assert!(rang < answered && answered < phone.heard_us.unwrap() && answered < caller.heard_us.unwrap(), "{report:#?}");
        assert_eq!((phone.heard_hz, caller.heard_hz), (Some(call.tone_hz), Some(agent.tone_hz)));
        assert!(caller.heard_us < caller.hung_up_us && phone.hung_up_us.is_none(), "{report:#?}");
        // The caller's microphone was open before: no key and no agent had to come first.
        assert!(phone.heard_us.unwrap() < answered + 500_000, "{report:#?}");
    }
}

#[test]
fn no_more_calls_live_at_once_than_asked_for() {
    let mut plan = plan(AgentSpec::new("ana", ""));
    plan.callers.live = Some(1);
    let report = run(&plan);
    assert_eq!(report.count(Outcome::Talked), 3, "{report:#?}");
    let next = report.calls.iter().skip(1);
    assert!(report.calls.iter().zip(next).all(|(one, next)| next.start_ms + 1 >= one.start_ms + one.total_ms), "{report:#?}");
}

#[test]
fn stamped_voices_are_known_to_the_last_packet_also_through_shared_ports() {
    let mut plan = plan(AgentSpec::new("ana", ""));
    plan.callers.live = Some(1);
    plan.load = Load { shared_ports: 1, stamped: true, law: Some(Law::Pcma) };
    let report = run(&plan);
    assert_eq!((report.count(Outcome::Talked), report.conversations.len()), (3, 3), "{report:#?}");
    for conversation in &report.conversations {
        let call = report.calls.iter().find(|call| call.call_id == conversation.call_id).unwrap();
        assert_eq!((&conversation.heard.streams, &call.heard.streams), (&vec![call.stream], &vec![conversation.stream]));
        assert_eq!((conversation.heard.stamped_lost, call.heard.stamped_lost, call.heard.lost), (0, 0, 0));
        assert!(call.heard.stamped >= 45 && conversation.heard.tones_ms[&call.tone_hz] >= 700, "{report:#?}");
    }
    let heard: u64 = report.calls.iter().map(|call| call.heard.stamped).sum();
    assert!(report.delay.packets > heard && report.delay.max_us > 0 && (report.unsent, report.retransmissions) == (0, 0));
}

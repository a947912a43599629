//! A small day by `traffic`: many callers of every kind at once. What they saw and heard is the second opinion on the
//! server's facts, and each recording is held against the two people it should hold.

use crate::support::server::{Agent, PASSWORD, Server, Site};
use crate::support::sound::{Recording, listen};
use serde_json::Value;
use std::sync::atomic::AtomicBool;
use traffic::{AgentSpec, CallReport, CallerMix, Load, Outcome, Plan, Report, Span};

const AGENTS: [&str; 4] = ["ana", "bruno", "carla", "diego"];

fn plan(site: &Site, server: std::net::SocketAddr) -> Plan {
    let agent = |(place, user): (usize, &&str)| AgentSpec {
        answer_after: Span::ms(200, 1_500),
        talk: (place % 2 == 0).then_some(Span::ms(3_000, 6_000)),
        never_answers: if place == 3 { 0.5 } else { 0.0 },
        refuses: if place == 2 { 0.2 } else { 0.0 },
        ..AgentSpec::new(user, PASSWORD)
    };
    Plan {
        server,
        trunk: site.at(2, 0),
        phones: site.at(3, 0),
        callers: CallerMix {
            per_minute: 60.0,
            at_most: Some(24),
            leaves_in_ivr: 0.15,
            leaves_in_queue: 0.15,
            patience: Span::ms(1_000, 9_000),
            talk: Span::ms(3_000, 7_000),
            ..CallerMix::default()
        },
        agents: AGENTS.iter().enumerate().map(agent).collect(),
        numbers: vec!["100".into()],
        duration_ms: 60_000,
        drain_ms: 30_000,
        seed: 20_261_122,
        load: Load::default(),
        outside: None,
    }
}

#[test]
fn what_callers_saw_and_heard_is_what_the_facts_and_recordings_say() {
    let site = Site::new(AGENTS.map(Agent::registers_by_sha_256)).ring("3s");
    let mut server = site.serve();
    let report = traffic::run(&plan(&site, server.sip), &AtomicBool::new(false), &mut |_| {}).unwrap();
    assert!(report.agents.iter().all(|a| a.registered), "{:?}", report.agents);
    assert_eq!(report.count(Outcome::Lost) + report.count(Outcome::Rejected), 0, "{:#?}", report.calls);
    server.facts_of("call.ended", report.calls.len());
    server.facts_of("recording.stored", report.conversations.len());
    server.is_at_rest();

    add_up(&server, &report);
    for call in &report.calls {
        sounded_well(call, &report);
    }
    let stored: Vec<Value> = server.of_type("recording.stored").into_iter().cloned().collect();
    assert_eq!(stored.len(), report.conversations.len());
    for data in stored {
        holds_both(&site, &data, &report);
    }
    server.stop();
}

/// Each call ended in exactly one way, in the facts as for its caller.
fn add_up(server: &Server<'_>, report: &Report) {
    assert_eq!(server.of_type("call.arrived").len(), report.calls.len());
    assert_eq!(server.of_type("agent_leg.connected").len(), report.conversations.len());
    let left = |outcome: &str| server.of_type("queue.left").into_iter().filter(|d| d["outcome"] == outcome).count();
    let ended = server.of_type("call.ended");
    let in_ivr = ended.iter().filter(|d| d["visits"] == 0 && d["cause"] == "caller_hung_up").count();
    assert_eq!(left("answered"), report.conversations.len());
    assert_eq!(in_ivr + left("abandoned") + left("answered"), report.calls.len(), "{}", server.story());
    // Who leaves in the moment of the answer may not have heard the agent.
    assert!(report.count(Outcome::Talked) <= left("answered"));
    assert!(in_ivr >= report.count(Outcome::LeftInIvr) && left("abandoned") <= report.count(Outcome::LeftInQueue));
    for lang in ["es", "en", "pt", "fr"] {
        let chose = server.of_type("ivr.language_selected").into_iter().filter(|d| d["lang"] == lang).count();
        let pressed = |keys: usize| report.calls.iter().filter(|c| c.lang == lang && c.keys.len() >= keys).count();
        // Who hangs up with the first key still in the air may not have chosen.
        assert!((pressed(2)..=pressed(1)).contains(&chose), "{lang}: {chose} in the facts, {} to {}", pressed(2), pressed(1));
    }
}

/// One source, one sequence, one time line from the first prompt to the agent; nothing missing.
fn sounded_well(call: &CallReport, report: &Report) {
    let heard = &call.heard;
    assert_eq!((heard.malformed, heard.source_changes, heard.sequence_jumps, heard.lost), (0, 0, 0, 0), "{call:#?}");
    // A generator that was late itself can't blame a gap on the server.
    if report.lateness.p99_us < 10_000 {
        assert_eq!(heard.gaps_over_60ms, 0, "{call:#?}");
    }
    assert!(call.first_packet_ms.is_some_and(|ms| ms <= 60), "{call:#?}");
}

/// The sidecar names the two legs; their tones are in their channels.
fn holds_both(site: &Site, stored: &Value, report: &Report) {
    assert_eq!(stored["kept"], "complete", "{stored}");
    let file = site.wav(stored);
    let sidecar: Value = serde_json::from_slice(&std::fs::read(file.with_extension("json")).unwrap()).unwrap();
    let call = report.calls.iter().find(|c| sidecar["sip_call_id_caller"] == *c.call_id).expect("the caller's leg is known");
    let agent = report.conversations.iter().find(|c| sidecar["sip_call_id_agent"] == *c.call_id).expect("and the agent's");
    let agent_hz = report.agents.iter().find(|a| a.user == agent.user).unwrap().tone_hz;
    let recording = Recording::read(&file);
    let right = listen(&recording.right, agent_hz);
    assert!(right.total_ms + 500 >= agent.talk_ms && right.longest_gap_ms <= 60, "{right:?} of {}", agent.talk_ms);
    if let (Some(talk_ms), Some(hz)) = (call.talk_ms, call.agent_hz) {
        assert_eq!(hz, agent_hz, "the caller heard the agent that the sidecar names");
        let left = listen(&recording.left, call.tone_hz);
        assert!(left.total_ms + 500 >= talk_ms && left.longest_gap_ms <= 60, "{left:?} of {talk_ms}");
    }
    assert!(recording.duration_ms().abs_diff(agent.talk_ms) <= 300, "{} of {}", recording.duration_ms(), agent.talk_ms);
}

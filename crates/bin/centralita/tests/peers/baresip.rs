//! baresip as an agent that registered and as a caller with a file as microphone; the judge is the sound on both sides.

use crate::support::baresip::Phone;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::{Recording, listen, sounding_ms};
use crate::support::{Baresip, http};
use serde_json::Value;

const CALLER_HZ: u32 = 1_000;
const AGENT_HZ: u32 = 1_500;

/// Of the conversation, as the facts have it, at most this much may be missing at its ends.
const EDGES_MS: u64 = 500;

fn agent(codec: &'static str) -> Phone {
    Phone { user: "ana", host: 3, codec, hz: AGENT_HZ, registers: true }
}

/// Sites that take this too, last.
fn with_g722() -> Site {
    Site::new([Agent::registers("ana")]).codecs("[\"pcma\", \"pcmu\", \"g722\"]")
}

fn with_opus() -> Site {
    Site::new([Agent::registers("ana")]).codecs("[\"pcma\", \"pcmu\", \"opus\"]")
}

fn talk_ms(server: &mut Server<'_>) -> u64 {
    server.fact("agent_leg.ended", |_| true)["data"]["talk_ms"].as_u64().unwrap()
}

/// Caller left, agent right, each whole and nothing of the other.
fn is_both_sides(recording: &Recording, talk_ms: u64) {
    let (left, right) = (listen(&recording.left, CALLER_HZ), listen(&recording.right, AGENT_HZ));
    assert!(left.total_ms + EDGES_MS >= talk_ms && left.longest_gap_ms <= 60, "{left:?} of {talk_ms}");
    assert!(right.total_ms + EDGES_MS >= talk_ms && right.longest_gap_ms <= 60, "{right:?} of {talk_ms}");
    assert!(recording.duration_ms().abs_diff(talk_ms) <= 200, "{} of {talk_ms}", recording.duration_ms());
    assert_eq!((listen(&recording.left, AGENT_HZ).total_ms, listen(&recording.right, CALLER_HZ).total_ms), (0, 0));
}

#[test]
fn a_registered_agent_hears_the_caller_and_is_recorded() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    let mut ana = Baresip::start(&server, &agent("PCMU"));
    let file = site.folder.path().join("caller.pcap");
    let script = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(CALLER_HZ, 20_000)];
    pcap::write(&file, &script);
    let caller = Sipp::caller("caller").with("sound", file.display()).with("talks", 10_000);
    caller.start(&server).succeeds_within(within(10_000));
    let arrived = server.fact("call.arrived", |_| true);
    let talk_ms = talk_ms(&mut server);
    is_both_sides(&server.recording(&arrived), talk_ms);
    let heard = listen(&ana.heard().left, CALLER_HZ);
    assert!(heard.total_ms + EDGES_MS >= talk_ms && heard.longest_gap_ms <= 60, "the agent heard {heard:?} of {talk_ms}");
    server.stop();
}

/// A caller who listens, chooses, waits and talks; what it heard all the while.
fn calls(site: Site, codec: &'static str, agents: &'static str) {
    let site = site.ring("10s");
    let mut server = site.serve();
    // The agent's phone is there only when the call waits, so that the caller hears music first.
    let mut caller = Baresip::start(&server, &Phone { user: "bob", host: 2, codec, hz: CALLER_HZ, registers: false });
    caller.dial(&format!("sip:100@{}", server.sip));
    server.fact("ivr.entered", |_| true);
    caller.keys("2");
    server.fact("ivr.language_selected", |data| data["lang"] == "en");
    caller.keys("1");
    server.fact("queue.entered", |_| true);
    let mut ana = Baresip::start(&server, &agent(agents));
    server.fact("agent_leg.connected", |_| true);
    // Two heartbeats are at least five seconds of conversation.
    let beats = server.of_type("node.heartbeat").len();
    server.facts_of("node.heartbeat", beats + 2);
    caller.keys("b");
    let arrived = server.fact("call.arrived", |_| true);
    let talk_ms = talk_ms(&mut server);
    is_both_sides(&server.recording(&arrived), talk_ms);
    for (side, codec) in [("customer", codec), ("agent", agents)] {
        let closed = server.fact("leg.closed", |data| data["side"] == side);
        assert_eq!(closed["data"]["quality"]["codec"], codec, "{side}");
    }
    let heard = caller.heard().left;
    let agent = listen(&heard, AGENT_HZ);
    assert!(agent.total_ms + EDGES_MS >= talk_ms && agent.longest_gap_ms <= 60, "the caller heard {agent:?} of {talk_ms}");
    let before = sounding_ms(&heard) - agent.total_ms;
    assert!(before >= 2_000, "before the agent, prompts and music sounded for {before} ms only");
    let other = listen(&ana.heard().left, CALLER_HZ);
    assert!(other.total_ms + EDGES_MS >= talk_ms && other.longest_gap_ms <= 60, "the agent heard {other:?} of {talk_ms}");
    let keys: Vec<_> = server.of_type("ivr.input").iter().map(|data| data["key"].clone()).collect();
    assert_eq!(keys, ["2", "1"]);
    let rows = http::json(server.web, "/api/v1/recordings");
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    server.stop();
}

#[test]
fn a_caller_hears_prompts_music_and_the_agent_in_pcmu() {
    calls(Site::new([Agent::registers("ana")]), "PCMU", "PCMU");
}

#[test]
fn a_caller_hears_prompts_music_and_the_agent_in_pcma() {
    calls(Site::new([Agent::registers("ana")]), "PCMA", "PCMA");
}

#[test]
fn a_caller_hears_prompts_music_and_the_agent_in_g722() {
    calls(with_g722(), "G722", "G722");
}

#[test]
fn a_caller_in_pcmu_and_an_agent_in_g722_understand_each_other() {
    calls(with_g722(), "PCMU", "G722");
}

#[test]
fn a_caller_hears_prompts_music_and_the_agent_in_opus() {
    calls(with_opus(), "opus", "opus");
}

#[test]
fn a_caller_in_opus_and_an_agent_in_pcma_understand_each_other() {
    calls(with_opus(), "opus", "PCMA");
}

#[test]
fn an_agent_pauses_logs_out_and_comes_back_by_feature_codes() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    let mut ana = Baresip::start(&server, &agent("PCMU"));
    server.until_agent("ana", "available");
    let mut last = 0;
    for (code, state) in [("*13", "paused"), ("*14", "available"), ("*12", "logged_out"), ("*11", "available")] {
        ana.dial(&format!("sip:{code}@{}", server.sip));
        ana.is_hung_up_on();
        // While the code is dialled the agent is engaged; what was asked for is there when that ends.
        let later = |data: &Value| data["mono_ns"].as_u64() > Some(last);
        let ended = |data: &Value| data["state"] == state && data["previous"] == "engaged";
        let changed = server.fact("agent.state_changed", |data| ended(data) && later(data));
        let since = server.of_type("agent.state_changed").into_iter().filter(|data| later(data));
        assert!(since.map(|data| &data["cause"]).any(|cause| cause == "by_feature_code"), "{code}");
        last = changed["data"]["mono_ns"].as_u64().unwrap();
    }
    // A feature code is no call of a customer.
    let figures = http::json(server.web, "/api/v1/figures");
    assert_eq!(figures["totals"]["calls"]["incoming"], 0, "{figures}");
    server.stop();
}

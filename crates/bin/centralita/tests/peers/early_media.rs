//! What is heard before anybody answers: of the other side, and of us.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::{listen, sounding_ms};

const AGENT_HZ: u32 = 1_500;
/// What a network says while it rings, and who then answers.
const NETWORK_HZ: u32 = 1_100;
const CALLED_HZ: u32 = 1_900;

/// The trunk answers an agent's call with 183 and a tone, after two seconds with 200 and another one.
#[test]
fn an_agent_who_dials_hears_the_network_before_the_answer_and_who_was_called_after_it() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    let sound = |name: &str, hz| {
        let file = site.folder.path().join(name);
        pcap::write(&file, &[Say::Tone(hz, 20_000)]);
        file.to_string_lossy().into_owned()
    };
    let called = Sipp::at("called_early", 2, 5060).with("early", sound("early.pcap", NETWORK_HZ));
    let mut called = called.with("sound", sound("called.pcap", CALLED_HZ)).with("talks", 2_500).start(&server);
    let mut ana = Baresip::start(&server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: AGENT_HZ, registers: true });
    ana.dial(&format!("sip:5550199@{}", server.sip));
    called.succeeds_within(within(5_000));
    let heard = ana.heard().left;
    let (network, answered) = (listen(&heard, NETWORK_HZ), listen(&heard, CALLED_HZ));
    assert!(network.total_ms.abs_diff(2_000) <= 400 && network.longest_gap_ms <= 60, "{network:?}");
    assert!(answered.total_ms.abs_diff(2_500) <= 400 && answered.longest_gap_ms <= 60, "{answered:?}");
    assert!(sounding_ms(&heard).abs_diff(network.total_ms + answered.total_ms) <= 100, "and nothing beside them");
    server.fact("call.ended", |_| true);
    server.is_at_rest();
    server.stop();
}

/// The number is unanswered until an agent is there: prompts and music are our early media.
#[test]
fn a_caller_hears_prompts_and_music_before_an_agent_answers_and_then_the_agent() {
    let site = Site::new([Agent::registers("ana")]).unanswered();
    let mut server = site.serve();
    let mut bob = Baresip::start(&server, &Phone { user: "bob", host: 2, codec: "PCMU", hz: 1_000, registers: false });
    bob.keys(&format!("dsip:100@{}\n", server.sip));
    server.fact("ivr.entered", |_| true);
    bob.keys("1");
    server.fact("ivr.language_selected", |_| true);
    bob.keys("1");
    server.fact("queue.entered", |_| true);
    assert!(server.of_type("call.answered").is_empty(), "nobody has answered yet: {}", server.story());
    let mut ana = Baresip::start(&server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: AGENT_HZ, registers: true });
    let connected = server.fact("agent_leg.connected", |_| true);
    let answered = server.fact("call.answered", |_| true);
    assert!(answered["data"]["mono_ns"].as_u64() <= connected["data"]["mono_ns"].as_u64().map(|ns| ns + 1_000_000_000));
    let beats = server.of_type("node.heartbeat").len();
    server.facts_of("node.heartbeat", beats + 2);
    bob.keys("b");
    let ended = server.fact("agent_leg.ended", |_| true)["data"].clone();
    let talk_ms = ended["talk_ms"].as_u64().unwrap();
    let heard = bob.heard().left;
    let agent = listen(&heard, AGENT_HZ);
    assert!(agent.total_ms + 500 >= talk_ms && agent.longest_gap_ms <= 60, "{agent:?} of {talk_ms}");
    let before = sounding_ms(&heard) - agent.total_ms;
    assert!(before >= 2_000, "prompts and music sounded for {before} ms only");
    let other = listen(&ana.heard().left, 1_000);
    assert!(other.total_ms + 500 >= talk_ms && other.longest_gap_ms <= 60, "{other:?} of {talk_ms}");
    server.stop();
}

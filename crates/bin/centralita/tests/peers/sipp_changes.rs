//! A caller by sipp whose stream changes in mid call: it takes another codec, or began one way. sipp speaks from captures;
//! what it is sent comes to a port beside its own, where the test listens. The agent's phone is baresip.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::line::Ear;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::Sipp;
use crate::support::sound::{Recording, listen, sounding_ms};
use std::net::UdpSocket;
use traffic::audio::Law;

const AGENT_HZ: u32 = 1_500;
/// What the caller says before its second offer, and after it.
const BEFORE_HZ: u32 = 700;
const AFTER_HZ: u32 = 1_000;
/// How long the scenarios talk after the second offer.
const AFTER_MS: u64 = 3_000;

/// What is left of a call whose stream changed.
struct Call {
    /// What the agent's phone heard.
    agent: Vec<i16>,
    /// What the caller was sent.
    ear: Ear,
    recording: Recording,
    talk_ms: u64,
    hold_ms: u64,
}

/// A caller who begins in this codec, is given to ana, and hangs up.
fn calls(caller: Sipp, law: Law) -> Call {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    let mut ana = Baresip::start(&server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: AGENT_HZ, registers: true });
    let ear = Ear::new(UdpSocket::bind(site.at(2, 6_064)).unwrap());
    let (before, after) = (site.folder.path().join("before.pcap"), site.folder.path().join("after.pcap"));
    let keys = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(BEFORE_HZ, 20_000)];
    pcap::write_as(7, law, &before, &keys);
    pcap::write_as(8, Law::Pcmu, &after, &[Say::Tone(AFTER_HZ, 20_000)]);
    let caller = caller.with("law", law.payload()).with("talks", 9_000);
    caller.with("sound", before.display()).with("after", after.display()).run(&server);
    let ended = server.fact("agent_leg.ended", |_| true)["data"].clone();
    let [talk_ms, hold_ms] = ["talk_ms", "hold_ms"].map(|name| ended[name].as_u64().unwrap());
    let recording = recorded(&mut server);
    assert!(recording.duration_ms().abs_diff(talk_ms + hold_ms) <= 200, "its timeline is whole: {ended}");
    server.stop();
    Call { agent: ana.heard().left, ear, recording, talk_ms, hold_ms }
}

fn recorded(server: &mut Server<'_>) -> Recording {
    let arrived = server.fact("call.arrived", |_| true);
    let recording = server.recording(&arrived);
    server.is_at_rest();
    recording
}

/// A tone without a hole, of about this length.
fn lasts(who: &str, channel: &[i16], hz: u32, span_ms: u64) {
    let heard = listen(channel, hz);
    assert!(heard.total_ms.abs_diff(span_ms) <= 500 && heard.longest_gap_ms <= 60, "{who}, {hz} Hz: {heard:?} of {span_ms}");
}

#[test]
fn a_caller_that_takes_another_codec_is_heard_on_and_spoken_to_in_it() {
    let caller = Sipp::caller("changes").with("way", "sendrecv").with("answer", "sendrecv");
    let mut call = calls(caller, Law::Pcma);
    for (who, channel) in [("the agent", &call.agent), ("left", &call.recording.left)] {
        lasts(who, channel, BEFORE_HZ, call.talk_ms - AFTER_MS);
        lasts(who, channel, AFTER_HZ, AFTER_MS);
    }
    assert_eq!(call.ear.laws(), [Law::Pcma, Law::Pcmu], "the codec of each offer, and no way back");
    let later = call.ear.packets().iter().filter(|packet| packet.law == Law::Pcmu);
    let later: Vec<i16> = later.flat_map(|packet| packet.samples.iter().copied()).collect();
    lasts("the caller in PCMU", &later, AGENT_HZ, AFTER_MS);
    lasts("the caller", &call.ear.heard(), AGENT_HZ, call.talk_ms);
    lasts("right", &call.recording.right, AGENT_HZ, call.talk_ms);
}

/// RFC 3264 6.1: to sendonly the answer is recvonly, and nothing is sent.
#[test]
fn a_caller_that_offered_to_speak_only_is_sent_nothing_until_it_offers_both_ways() {
    let caller = Sipp::caller("changes").with("way", "sendonly").with("answer", "recvonly");
    let mut call = calls(caller, Law::Pcmu);
    let sent = call.ear.heard();
    lasts("the caller", &sent, AGENT_HZ, AFTER_MS);
    let other_ms = sounding_ms(&sent) - listen(&sent, AGENT_HZ).total_ms;
    assert!(other_ms <= 40, "no prompt and no music before: {other_ms} ms");
    // Who does not listen is on hold: the agent hears music.
    assert!(call.hold_ms >= 1_000, "held for {}", call.hold_ms);
    for (who, channel) in [("the agent", &call.agent), ("left", &call.recording.left)] {
        lasts(who, channel, AFTER_HZ, AFTER_MS);
        assert_eq!(listen(channel, BEFORE_HZ).total_ms, 0, "{who}");
    }
    lasts("right", &call.recording.right, AGENT_HZ, AFTER_MS);
}

/// RFC 3264 6.1: to recvonly the answer is sendonly.
#[test]
fn a_caller_that_offered_to_listen_only_hears_everything_and_is_heard_once_it_offers_both_ways() {
    let caller = Sipp::caller("listens_first").with("way", "recvonly").with("answer", "sendonly");
    let mut call = calls(caller, Law::Pcmu);
    let sent = call.ear.heard();
    lasts("the caller", &sent, AGENT_HZ, call.talk_ms);
    let before_ms = sounding_ms(&sent) - listen(&sent, AGENT_HZ).total_ms;
    assert!(before_ms >= 2_000, "prompts and music sounded for {before_ms} ms only");
    for (who, channel) in [("the agent", &call.agent), ("left", &call.recording.left)] {
        lasts(who, channel, AFTER_HZ, AFTER_MS);
        let other_ms = sounding_ms(channel) - listen(channel, AFTER_HZ).total_ms;
        assert!(other_ms <= 40, "{who}: {other_ms} ms before it spoke");
    }
    lasts("right", &call.recording.right, AGENT_HZ, call.talk_ms);
}

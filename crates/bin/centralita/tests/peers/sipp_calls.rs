//! Whole calls by sipp: keys, sound both ways, hold, and who hangs up.

use crate::support::http;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::{listen, sounding_ms};
use serde_json::Value;

const CALLER_HZ: u32 = 1_000;
const AGENT_HZ: u32 = 1_700;

fn site() -> Site {
    Site::new([Agent::at("ana", 3, 5070)])
}

/// A caller who chooses Spanish and support, and then speaks; an agent who speaks at once. Their captures.
fn sounds(server: &Server<'_>) -> (String, String) {
    let file = |name: &str| server.site.folder.path().join(name);
    let caller = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(CALLER_HZ, 20_000)];
    pcap::write(&file("caller.pcap"), &caller);
    pcap::write(&file("agent.pcap"), &[Say::Tone(AGENT_HZ, 20_000)]);
    let text = |name| file(name).to_string_lossy().into_owned();
    (text("caller.pcap"), text("agent.pcap"))
}

/// The call was answered by ana, is recorded whole, and each side is in its channel without a gap.
fn was_a_conversation(server: &mut Server<'_>) -> Value {
    let arrived = server.fact("call.arrived", |_| true);
    let ended = server.fact("agent_leg.ended", |_| true);
    let recording = server.recording(&arrived);
    let talk_ms = ended["data"]["talk_ms"].as_u64().unwrap() + ended["data"]["hold_ms"].as_u64().unwrap();
    assert!(recording.duration_ms().abs_diff(talk_ms) <= 200, "{} ms of {talk_ms}", recording.duration_ms());
    let (caller, agent) = (listen(&recording.left, CALLER_HZ), listen(&recording.right, AGENT_HZ));
    assert!(caller.total_ms + 400 >= talk_ms && caller.longest_gap_ms <= 60, "{caller:?} of {talk_ms}");
    assert!(agent.total_ms + 400 >= talk_ms && agent.longest_gap_ms <= 60, "{agent:?} of {talk_ms}");
    assert_eq!((listen(&recording.right, CALLER_HZ).total_ms, listen(&recording.left, AGENT_HZ).total_ms), (0, 0));
    server.fact("call.ended", |_| true);
    server.fact("wrapup.ended", |_| true);
    server.is_at_rest();
    arrived
}

/// A caller of 11 s over this transport, and what became of it.
fn calls_and_hangs_up(caller: Sipp) {
    let site = site();
    let mut server = site.serve();
    let (caller_sound, agent_sound) = sounds(&server);
    let mut agent = Sipp::at("agent", 3, 5070).with("rings", 300).with("sound", agent_sound).start(&server);
    caller.with("sound", caller_sound).with("talks", 11_000).run(&server);
    agent.succeeds_within(within(0));
    was_a_conversation(&mut server);
    let keys: Vec<&Value> = server.of_type("ivr.input").iter().map(|data| &data["key"]).collect();
    assert_eq!(keys, ["1", "1"]);
    let left = server.fact("queue.left", |_| true);
    assert_eq!((&left["data"]["outcome"], &left["data"]["lang"]), (&"answered".into(), &"es".into()));
    let ended = server.fact("call.ended", |_| true);
    assert_eq!(ended["data"]["cause"], "caller_hung_up");
    server.stop();
}

#[test]
fn a_caller_is_understood_answered_and_recorded() {
    calls_and_hangs_up(Sipp::caller("caller"));
}

#[test]
fn over_tcp_it_is_the_same() {
    calls_and_hangs_up(Sipp::caller("caller").over_tcp());
}

#[test]
fn an_agent_who_hangs_up_first_ends_the_callers_call() {
    let site = site();
    let mut server = site.serve();
    let (caller, agent) = sounds(&server);
    let mut agent = Sipp::at("agent_hangs_up", 3, 5070).with("talks", 3_000).with("sound", agent).start(&server);
    Sipp::caller("caller_stays").with("sound", caller).with("patience", 20_000).run(&server);
    agent.succeeds_within(within(0));
    was_a_conversation(&mut server);
    assert_eq!(server.fact("agent_leg.ended", |_| true)["data"]["cause"], "agent_hung_up");
    server.stop();
}

#[test]
fn both_hang_up_at_once_and_both_are_answered() {
    let site = site();
    let mut server = site.serve();
    let (caller, agent) = sounds(&server);
    let mut agent = Sipp::at("agent_race", 3, 5070).with("talks", 3_000).with("sound", agent).start(&server);
    // It is in the queue after about 6.4 s, and the agent talks for 3 s; either order is a fair race.
    Sipp::caller("caller_race").with("sound", caller).with("talks", 9_400).run(&server);
    agent.succeeds_within(within(0));
    was_a_conversation(&mut server);
    server.stop();
}

#[test]
fn hold_in_each_of_three_ways_and_resume() {
    let site = site();
    let mut server = site.serve();
    let (caller, agent) = sounds(&server);
    let mut agent = Sipp::at("agent", 3, 5070).with("rings", 100).with("sound", agent).start(&server);
    Sipp::caller("hold").with("sound", caller).with("talks", 8_000).run(&server);
    agent.succeeds_within(within(0));
    let ended = server.fact("agent_leg.ended", |_| true);
    assert_eq!((server.of_type("agent_leg.held").len(), server.of_type("agent_leg.resumed").len()), (3, 3));
    assert!(server.of_type("agent_leg.held").iter().all(|held| held["by_agent"] == false));
    let held_ms: u64 = server.of_type("agent_leg.resumed").iter().filter_map(|r| r["held_ms"].as_u64()).sum();
    assert!(ended["data"]["hold_ms"].as_u64().unwrap().abs_diff(held_ms) <= 3, "{held_ms}: {ended}");
    assert!((2_900..4_000).contains(&held_ms), "{held_ms}");
    let arrived = server.fact("call.arrived", |_| true);
    let recording = server.recording(&arrived);
    let talk_ms = ended["data"]["talk_ms"].as_u64().unwrap();
    assert!(recording.duration_ms().abs_diff(talk_ms + held_ms) <= 200, "the time line is kept: {}", recording.duration_ms());
    for (channel, hz) in [(&recording.left, CALLER_HZ), (&recording.right, AGENT_HZ)] {
        // sipp's captures play on in the holds; each of the three is silence on both sides.
        let heard = listen(channel, hz);
        assert!(heard.total_ms.abs_diff(talk_ms) <= 500 && sounding_ms(channel) <= talk_ms + 300, "{heard:?} of {talk_ms}");
    }
    server.fact("call.ended", |_| true);
    server.is_at_rest();
    server.stop();
}

#[test]
fn what_a_caller_says_in_the_menu_is_not_recorded_and_a_pause_is_silence_on_both_sides() {
    const MENU_HZ: u32 = 600;
    let site = site();
    let mut server = site.serve();
    let (caller, agent) = sounds(&server);
    // They speak from the first moment on, and otherwise once they wait.
    let menu = |span| Say::Tone(MENU_HZ, span);
    let says = [menu(800), Say::Key('1'), menu(1_200), Say::Key('1'), menu(2_500), Say::Tone(CALLER_HZ, 20_000)];
    pcap::write(caller.as_ref(), &says);
    let mut agent = Sipp::at("agent", 3, 5070).with("rings", 300).with("sound", agent).start(&server);
    let mut caller = Sipp::caller("caller").with("sound", caller).with("talks", 12_000).start(&server);
    let started = server.fact("recording.started", |_| true);
    let call = started["data"]["call_id"].as_str().unwrap();
    let pause = format!("/api/v1/calls/{call}/pause-recording");
    assert_eq!(http::post(server.web, &pause, r#"{"cause": "card", "seconds": 2}"#), 200);
    let live = http::json(server.web, &format!("/api/v1/calls/{call}"));
    assert_eq!((&live["recording_paused"]["cause"], &live["policy"]), (&"card".into(), &"tenant acme: all".into()));
    server.fact("recording.resumed", |data| data["by"] == "timed_out");
    caller.succeeds_within(within(20));
    agent.succeeds_within(within(0));
    let arrived = server.fact("call.arrived", |_| true);
    let ended = server.fact("agent_leg.ended", |_| true);
    let recording = server.recording(&arrived);
    let talk_ms = ended["data"]["talk_ms"].as_u64().unwrap();
    assert!(recording.duration_ms().abs_diff(talk_ms) <= 200, "{} ms of {talk_ms}", recording.duration_ms());
    assert_eq!(listen(&recording.left, MENU_HZ).total_ms, 0);
    for (channel, hz) in [(&recording.left, CALLER_HZ), (&recording.right, AGENT_HZ)] {
        // The pause may begin before the first tone does.
        let heard = listen(channel, hz);
        assert!((heard.total_ms + 2_000).abs_diff(talk_ms) <= 500, "all but two seconds are heard: {heard:?} of {talk_ms}");
        assert!(sounding_ms(channel) + 1_850 <= talk_ms, "in the gap is nothing at all: {heard:?} of {talk_ms}");
    }
    server.stop();
}

#[test]
fn keys_by_info_are_keys() {
    let site = site();
    let mut server = site.serve();
    Sipp::caller("info").run(&server);
    server.fact("call.ended", |_| true);
    let inputs = server.of_type("ivr.input");
    assert_eq!(inputs.iter().map(|data| &data["key"]).collect::<Vec<_>>(), ["3", "2"]);
    assert_eq!(server.fact("ivr.language_selected", |_| true)["data"]["lang"], "pt");
    server.stop();
}

#[test]
fn tones_are_keys_where_telephone_event_was_not_offered() {
    let site = site();
    let mut server = site.serve();
    let file = server.site.folder.path().join("tones.pcap");
    pcap::write(&file, &[Say::Silence(800), Say::Tones('3'), Say::Silence(1_200), Say::Tones('2'), Say::Silence(1_000)]);
    Sipp::caller("caller_plain").with("sound", file.to_string_lossy()).with("talks", 3_600).run(&server);
    server.fact("call.ended", |_| true);
    let inputs = server.of_type("ivr.input");
    assert_eq!(inputs.iter().map(|data| &data["key"]).collect::<Vec<_>>(), ["3", "2"]);
    assert_eq!(server.fact("ivr.language_selected", |_| true)["data"]["lang"], "pt");
    server.stop();
}

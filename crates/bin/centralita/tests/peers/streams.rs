//! What becomes of a call's sound when the stream of one side changes: it holds, begins late or one way, or takes another
//! codec. The caller is written here; the agent's phone is baresip, and what it heard is in its own file.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::line::{Line, Order};
use crate::support::raw::{Raw, Request};
use crate::support::server::{Agent, Server, Site};
use crate::support::sound::{Recording, listen, quiet_ms, sounding_ms};
use serde_json::Value;
use std::time::Duration;
use traffic::audio::Law;
use traffic::sdp::Audio;

const CALLER_HZ: u32 = 1_000;
const AGENT_HZ: u32 = 1_500;
/// Long enough for what happens in it to be told from what happens at its ends.
const A_WHILE: Duration = Duration::from_millis(1_500);

fn site() -> Site {
    Site::new([Agent::registers("ana")])
}

fn ana(server: &Server<'_>) -> Baresip {
    Baresip::start(server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: AGENT_HZ, registers: true })
}

/// A caller who speaks with ana, and hears her.
fn in_conversation(server: &mut Server<'_>) -> Line {
    let mut line = Line::calls(server, |_| ());
    line.asks_for_support(server);
    line.mouth.tell(Order::Say(Some(CALLER_HZ)));
    line.ear.until_tone(AGENT_HZ);
    line
}

/// The one recording, and the `agent_leg.ended` of its conversation.
fn recorded(server: &mut Server<'_>) -> (Recording, Value) {
    let arrived = server.fact("call.arrived", |_| true);
    let recording = server.recording(&arrived);
    let ended = server.fact("agent_leg.ended", |_| true)["data"].clone();
    server.is_at_rest();
    (recording, ended)
}

fn ms(data: &Value, name: &str) -> u64 {
    data[name].as_u64().unwrap_or_else(|| panic!("{name} in {data}"))
}

/// Two parts of a tone, with a hole of about this length between them and nothing missing beside it.
fn has_one_hole(channel: &[i16], hz: u32, talk_ms: u64, hole_ms: u64) {
    let heard = listen(channel, hz);
    assert!(heard.total_ms.abs_diff(talk_ms) <= 500, "{hz} Hz: {heard:?} of {talk_ms}");
    assert!(heard.longest_gap_ms.abs_diff(hole_ms) <= 300, "{hz} Hz: {heard:?}, a hole of {hole_ms}");
}

/// Both sides are recorded before and after the hold, at their time, and nothing in it.
fn is_silent_while_held(recording: &Recording, talk_ms: u64, hold_ms: u64) {
    assert!(recording.duration_ms().abs_diff(talk_ms + hold_ms) <= 200, "its timeline is whole");
    has_one_hole(&recording.left, CALLER_HZ, talk_ms, hold_ms);
    has_one_hole(&recording.right, AGENT_HZ, talk_ms, hold_ms);
    assert!(quiet_ms(&recording.left) + 300 >= hold_ms && quiet_ms(&recording.right) + 300 >= hold_ms, "no music in it");
}

#[test]
fn a_caller_who_holds_hears_nothing_the_agent_hears_music_and_the_recording_is_silent() {
    let site = site();
    let mut server = site.serve();
    let mut ana = ana(&server);
    let mut line = in_conversation(&mut server);
    line.ear.listens_for(A_WHILE);
    let mut offer = Audio::phone(line.at, &[Law::Pcmu], 101);
    offer.receives = false;
    assert!(!line.offers(&offer).sends, "the answer to sendonly says that nothing comes");
    let before = line.ear.packets().len();
    // It goes on to speak: phones play music of their own to whom they hold.
    line.ear.listens_for(A_WHILE);
    let while_held = line.ear.packets().len() - before;
    assert!(while_held <= 2, "{while_held} packets to who holds");
    offer.receives = true;
    assert!(line.offers(&offer).sends);
    line.ear.until_tone(AGENT_HZ);
    line.ear.listens_for(A_WHILE);
    line.hangs_up();
    let (recording, ended) = recorded(&mut server);
    let (talk_ms, hold_ms) = (ms(&ended, "talk_ms"), ms(&ended, "hold_ms"));
    assert!(hold_ms >= 1_500, "{ended}");
    has_one_hole(&line.ear.heard(), AGENT_HZ, talk_ms, hold_ms);
    let heard = ana.heard().left;
    has_one_hole(&heard, CALLER_HZ, talk_ms, hold_ms);
    let music_ms = sounding_ms(&heard) - listen(&heard, CALLER_HZ).total_ms;
    assert!(music_ms + 700 >= hold_ms, "music sounded for {music_ms} of {hold_ms}");
    is_silent_while_held(&recording, talk_ms, hold_ms);
    server.stop();
}

#[test]
fn an_agent_who_holds_hears_nothing_the_caller_hears_music_and_the_recording_is_silent() {
    let site = site();
    let mut server = site.serve();
    let mut ana = ana(&server);
    let mut line = in_conversation(&mut server);
    line.ear.listens_for(A_WHILE);
    ana.keys("x");
    server.fact("agent_leg.held", |data| data["by_agent"] == true);
    line.ear.listens_for(A_WHILE);
    ana.keys("X");
    server.fact("agent_leg.resumed", |_| true);
    line.ear.until_tone(AGENT_HZ);
    line.ear.listens_for(A_WHILE);
    line.hangs_up();
    let (recording, ended) = recorded(&mut server);
    let (talk_ms, hold_ms) = (ms(&ended, "talk_ms"), ms(&ended, "hold_ms"));
    let heard = line.ear.heard();
    has_one_hole(&heard, AGENT_HZ, talk_ms, hold_ms);
    let before = sounding_ms(&heard) - listen(&heard, AGENT_HZ).total_ms;
    assert!(before + 700 >= hold_ms, "{before} ms of prompts and of music");
    let heard = ana.heard().left;
    // baresip 1.0 writes down what it hears only until its first hold.
    let caller = listen(&heard, CALLER_HZ);
    assert_eq!(sounding_ms(&heard), caller.total_ms, "who holds hears no music");
    assert!(caller.total_ms >= 1_300 && caller.longest_gap_ms <= 60, "{caller:?}");
    is_silent_while_held(&recording, talk_ms, hold_ms);
    server.stop();
}

#[test]
fn a_caller_who_sends_nothing_before_it_hears_something_is_heard_from_then_on() {
    let site = site();
    let mut server = site.serve();
    let mut ana = ana(&server);
    // Nothing leaves it until the first prompt has come.
    let mut line = Line::calls(&server, |_| ());
    line.ear.until_sound();
    line.asks_for_support(&mut server);
    line.mouth.tell(Order::Say(Some(CALLER_HZ)));
    line.ear.until_tone(AGENT_HZ);
    line.ear.listens_for(A_WHILE);
    line.hangs_up();
    is_whole(&mut server, &mut line, &mut ana);
    server.stop();
}

/// From its beginning or end to the other: each hears the other, and both are in the recording.
fn is_whole(server: &mut Server<'_>, line: &mut Line, ana: &mut Baresip) {
    let (recording, ended) = recorded(server);
    let talk_ms = ms(&ended, "talk_ms") + ms(&ended, "hold_ms");
    for (who, channel, hz) in [
        ("the agent", &ana.heard().left, CALLER_HZ),
        ("the caller", &line.ear.heard(), AGENT_HZ),
        ("left", &recording.left, CALLER_HZ),
        ("right", &recording.right, AGENT_HZ),
    ] {
        let heard = listen(channel, hz);
        assert!(heard.total_ms + 500 >= talk_ms && heard.longest_gap_ms <= 60, "{who}: {heard:?} of {talk_ms}");
    }
    assert!(recording.duration_ms().abs_diff(talk_ms) <= 200, "{} of {talk_ms}", recording.duration_ms());
}

/// A caller that at first only sends, or only receives; then both. Until then no key comes by RTP in the second way.
fn begins_one_way(sends: bool) {
    let site = site();
    let mut server = site.serve();
    let mut ana = ana(&server);
    let mut line = Line::calls(&server, |offer| (offer.sends, offer.receives) = (sends, !sends));
    line.mouth.tell(Order::Say(None));
    if sends {
        line.ear.listens_for(A_WHILE);
        assert_eq!(line.ear.packets().len(), 0, "nothing is sent to who does not listen");
    } else {
        line.ear.until_sound();
    }
    line.informs('1');
    server.fact("ivr.language_selected", |_| true);
    line.informs('1');
    server.fact("agent_leg.connected", |_| true);
    line.mouth.tell(Order::Say(Some(CALLER_HZ)));
    let both = Audio::phone(line.at, &[Law::Pcmu], 101);
    if sends {
        line.ear.listens_for(A_WHILE);
        assert_eq!(line.ear.packets().len(), 0);
    } else {
        line.ear.until_tone(AGENT_HZ);
    }
    assert!(line.offers(&both).sends);
    line.ear.until_tone(AGENT_HZ);
    line.ear.listens_for(A_WHILE);
    line.hangs_up();
    let (recording, ended) = recorded(&mut server);
    let (talk_ms, hold_ms) = (ms(&ended, "talk_ms"), ms(&ended, "hold_ms"));
    let heard = [listen(&ana.heard().left, CALLER_HZ), listen(&line.ear.heard(), AGENT_HZ)];
    let kept = [listen(&recording.left, CALLER_HZ), listen(&recording.right, AGENT_HZ)];
    for side in heard.iter().chain(&kept) {
        assert!(side.total_ms >= 1_300 && side.longest_gap_ms <= 60, "{heard:?} {kept:?}: {ended}");
    }
    // Who does not listen is on hold from the beginning; who does not speak listens.
    assert_eq!(hold_ms >= 1_500, sends, "{ended}");
    assert!(sends || heard[1].total_ms + 500 >= talk_ms, "{heard:?} of {talk_ms}");
    assert!(recording.duration_ms().abs_diff(talk_ms + hold_ms) <= 200, "its timeline is whole");
    server.stop();
}

#[test]
fn a_caller_who_only_listens_at_first_hears_the_agent_and_is_heard_once_it_speaks() {
    begins_one_way(false);
}

#[test]
fn a_caller_who_only_speaks_at_first_is_on_hold_until_it_listens() {
    begins_one_way(true);
}

#[test]
fn a_codec_changed_in_mid_call_is_heard_by_nobody_and_the_recordings_timeline_is_whole() {
    let site = site();
    let mut server = site.serve();
    let mut ana = ana(&server);
    let mut line = in_conversation(&mut server);
    line.ear.listens_for(A_WHILE);
    for law in [Law::Pcma, Law::Pcmu] {
        let agreed = line.offers(&Audio::phone(line.at, &[law], 101));
        assert_eq!(agreed.laws, [law]);
        line.mouth.tell(Order::In(law));
        line.ear.listens_for(A_WHILE);
    }
    line.hangs_up();
    is_whole(&mut server, &mut line, &mut ana);
    assert_eq!(line.ear.laws(), [Law::Pcmu, Law::Pcma, Law::Pcmu], "and it is spoken to in what was agreed");
    server.stop();
}

#[test]
fn asked_for_an_offer_in_mid_call_the_server_offers_the_numbers_that_were_agreed_on() {
    let site = site();
    let mut server = site.serve();
    let raw = Raw::trunk(&server);
    let send = |method, sequence, tag: &str, formats: Option<&str>| {
        let ip = raw.from.ip();
        let sdp = formats.map(|formats| {
            let maps = "a=rtpmap:98 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\na=rtpmap:101 speex/8000\r\n";
            let media = format!("m=audio 7000 RTP/AVP {formats}\r\n{maps}");
            format!("v=0\r\no=- 1 {sequence} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n{media}")
        });
        let body = sdp.as_deref().map(|sdp| ("application/sdp", sdp));
        raw.send(&Request { call: "numbers", method, sequence, tag, body });
    };
    send("INVITE", 1, "", Some("98 96 101"));
    let answer = raw.answer_to("numbers", "1 INVITE");
    let formats =
        |text: &str| text.lines().find_map(|l| l.strip_prefix("m=audio ")?.split_once(" RTP/AVP ")).unwrap().1.to_string();
    assert_eq!((answer.status, formats(&answer.text).as_str()), (200, "98 96"), "{}", answer.text);
    let tag = answer.tag.clone();
    send("ACK", 1, &tag, None);
    send("INVITE", 2, &tag, None);
    let offer = raw.answer_to("numbers", "2 INVITE");
    assert_eq!((offer.status, formats(&offer.text).as_str()), (200, "98 0 96"), "{}", offer.text);
    assert!(offer.text.contains("a=rtpmap:98 PCMA/8000") && offer.text.contains("a=rtpmap:96 telephone-event/8000"));
    send("ACK", 2, &tag, Some("98 96"));
    send("BYE", 3, &tag, None);
    assert_eq!(raw.answer_to("numbers", "3 BYE").status, 200);
    server.is_at_rest();
    server.stop();
}

//! A softphone that passes its call on with its own transfer key (calls.md line 9): the REFER is baresip's.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::{Recording, listen};
use serde_json::Value;

const CALLER_HZ: u32 = 1_000;
const ANA_HZ: u32 = 1_500;
const BRUNO_HZ: u32 = 1_700;
const TALKS_MS: u64 = 16_000;

fn phone(user: &'static str, host: u8, hz: u32) -> Phone {
    Phone { user, host, codec: "PCMU", hz, registers: true }
}

/// What became of a call that ana passed on.
struct Passed {
    transferred: Value,
    ended: Value,
    /// All that bruno's phone heard.
    bruno: Vec<i16>,
}

/// With its transfer key alone.
fn passes_on_to(target: &str) -> Passed {
    passes_on(|server, ana| ana.keys(&format!("tsip:{target}@{}\n", server.sip)))
}

/// A caller in conversation with ana; bruno's phone comes only then, so that it was not rung first.
fn passes_on(passes: impl FnOnce(&mut Server<'_>, &mut Baresip)) -> Passed {
    let site = Site::new([Agent::registers("ana"), Agent::registers("bruno")]);
    let mut server = site.serve();
    let mut ana = Baresip::traced(&server, &phone("ana", 3, ANA_HZ));
    let file = site.folder.path().join("caller.pcap");
    let script = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(CALLER_HZ, 30_000)];
    pcap::write(&file, &script);
    let mut caller = Sipp::caller("caller").with("sound", file.display()).with("talks", TALKS_MS).start(&server);
    server.fact("agent_leg.connected", |data| data["agent_id"] == "acme/ana");
    let mut bruno = Baresip::start(&server, &phone("bruno", 4, BRUNO_HZ));
    server.until_agent("bruno", "available");
    passes(&mut server, &mut ana);
    let transferred = server.fact("agent_leg.transferred", |_| true)["data"].clone();
    server.fact("agent_leg.connected", |data| data["agent_id"] == "acme/bruno");
    caller.succeeds_within(within(TALKS_MS));
    let talked = talk_ms(&mut server, "acme/bruno");
    let stored = server.fact("recording.stored", |data| data["agent_id"] == "acme/bruno")["data"].clone();
    assert_eq!(stored["kept"], "complete", "{stored}");
    let recording = Recording::read(&site.wav(&stored));
    for (channel, hz) in [(&recording.left, CALLER_HZ), (&recording.right, BRUNO_HZ)] {
        let heard = listen(channel, hz);
        assert!(heard.total_ms + 500 >= talked && heard.longest_gap_ms <= 60, "{hz} Hz: {heard:?} of {talked}");
    }
    let ended = server.fact("call.ended", |_| true)["data"].clone();
    server.stop();
    Passed { transferred, ended, bruno: bruno.heard().left }
}

fn talk_ms(server: &mut Server<'_>, agent: &str) -> u64 {
    server.fact("agent_leg.ended", |data| data["agent_id"] == agent)["data"]["talk_ms"].as_u64().unwrap()
}

#[test]
fn line_09_an_agent_passes_a_call_to_a_queue_and_the_next_agent_has_it() {
    let Passed { transferred: passed, ended, .. } = passes_on_to("billing");
    assert_eq!((&passed["kind"], &passed["to"]), (&"to_queue".into(), &"queue/billing".into()), "{passed}");
    assert_eq!(ended["visits"], 2, "one call, a new visit: {ended}");
}

#[test]
fn line_09_an_agent_passes_a_call_to_a_colleague_without_asking() {
    let Passed { transferred: passed, ended, .. } = passes_on_to("202");
    assert_eq!((&passed["kind"], &passed["to"]), (&"blind".into(), &"agent/bruno".into()), "{passed}");
    assert_eq!(ended["visits"], 1, "no queue was asked: {ended}");
}

/// Its second line rings the colleague, and the REFER of its first one names that line (RFC 5589 7.3). baresip 1.0 has a key
/// for each step and none for the whole, so Replaces is typed.
#[test]
fn line_09_an_agent_asks_a_colleague_first_and_then_passes_the_call_on() {
    let Passed { transferred, ended, bruno } = passes_on(|server, ana| {
        ana.is_answered();
        ana.keys("x");
        server.fact("agent_leg.held", |data| data["by_agent"] == true);
        let colleague = format!("sip:202@{}", server.sip);
        ana.dial(&colleague);
        let beats = server.of_type("node.heartbeat").len();
        server.facts_of("node.heartbeat", beats + 1);
        ana.keys("@1\n");
        ana.keys(&format!("t<{colleague}?Replaces={}>\n", ana.replaces("202")));
    });
    assert_eq!((&transferred["kind"], &transferred["to"]), (&"attended".into(), &"agent/bruno".into()), "{transferred}");
    assert_eq!(ended["visits"], 1, "no queue was asked: {ended}");
    let (asked, passed_on) = (listen(&bruno, ANA_HZ), listen(&bruno, CALLER_HZ));
    assert!(asked.total_ms >= 300 && asked.longest_gap_ms <= 60, "ana asks: {asked:?}");
    assert!(passed_on.total_ms >= 1_000 && passed_on.longest_gap_ms <= 60, "and then it is the caller: {passed_on:?}");
}

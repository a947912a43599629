//! A softphone that passes its call on with its own transfer key (calls.md line 9): the REFER is baresip's.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::{Recording, listen};
use serde_json::Value;

const CALLER_HZ: u32 = 1_000;
const BRUNO_HZ: u32 = 1_700;
const TALKS_MS: u64 = 16_000;

fn phone(user: &'static str, host: u8, hz: u32) -> Phone {
    Phone { user, host, codec: "PCMU", hz, registers: true }
}

/// A caller in conversation with ana; bruno's phone comes only then, so that it was not rung first.
fn passes_on_to(target: &str) -> (Value, Value) {
    let site = Site::new([Agent::registers("ana"), Agent::registers("bruno")]);
    let mut server = site.serve();
    let mut ana = Baresip::start(&server, &phone("ana", 3, 1_500));
    let file = site.folder.path().join("caller.pcap");
    let script = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(CALLER_HZ, 30_000)];
    pcap::write(&file, &script);
    let mut caller = Sipp::caller("caller").with("sound", file.display()).with("talks", TALKS_MS).start(&server);
    server.fact("agent_leg.connected", |data| data["agent_id"] == "acme/ana");
    let _bruno = Baresip::start(&server, &phone("bruno", 4, BRUNO_HZ));
    server.until_agent("bruno", "available");
    ana.keys(&format!("tsip:{target}@{}\n", server.sip));
    let passed = server.fact("agent_leg.transferred", |_| true)["data"].clone();
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
    (passed, ended)
}

fn talk_ms(server: &mut Server<'_>, agent: &str) -> u64 {
    server.fact("agent_leg.ended", |data| data["agent_id"] == agent)["data"]["talk_ms"].as_u64().unwrap()
}

#[test]
fn line_09_an_agent_passes_a_call_to_a_queue_and_the_next_agent_has_it() {
    let (passed, ended) = passes_on_to("billing");
    assert_eq!((&passed["kind"], &passed["to"]), (&"to_queue".into(), &"queue/billing".into()), "{passed}");
    assert_eq!(ended["visits"], 2, "one call, a new visit: {ended}");
}

#[test]
fn line_09_an_agent_passes_a_call_to_a_colleague_without_asking() {
    let (passed, ended) = passes_on_to("202");
    assert_eq!((&passed["kind"], &passed["to"]), (&"blind".into(), &"agent/bruno".into()), "{passed}");
    assert_eq!(ended["visits"], 1, "no queue was asked: {ended}");
}

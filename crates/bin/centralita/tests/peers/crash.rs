//! kill -9 while people talk: the log opens, the recordings play, and after the restart nobody is stuck.

use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::{Recording, listen};
use crate::support::{Program, http};
use std::path::{Path, PathBuf};

const CALLER_HZ: u32 = 1_000;

fn sounds(server: &Server<'_>) -> (String, String) {
    let file = |name: &str| server.site.folder.path().join(name);
    let script = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(CALLER_HZ, 60_000)];
    pcap::write(&file("caller.pcap"), &script);
    pcap::write(&file("agent.pcap"), &[Say::Tone(1_700, 60_000)]);
    let text = |name| file(name).to_string_lossy().into_owned();
    (text("caller.pcap"), text("agent.pcap"))
}

fn agent(server: &Server<'_>, host: u8, sound: &str) -> Program {
    Sipp::at("agent", host, 5070).with("rings", 100).with("sound", sound).start(server)
}

#[test]
fn the_log_opens_the_recordings_play_and_nobody_is_stuck() {
    let site = Site::new([Agent::at("ana", 3, 5070), Agent::at("bruno", 4, 5070)]);
    let mut server = site.serve();
    let (caller, says) = sounds(&server);
    let mut agents = [agent(&server, 3, &says), agent(&server, 4, &says)];
    let long = |port| Sipp::at("long_call", 2, port).with("sound", caller.clone()).with("talks", 60_000);
    let mut callers = [long(5060).start(&server), long(5080).start(&server)];
    server.facts_of("agent_leg.connected", 2);
    let beats = server.of_type("node.heartbeat").len();
    server.facts_of("node.heartbeat", beats + 2);
    server.program.kill();
    let acknowledged = server.facts.clone();
    callers.iter_mut().chain(&mut agents).for_each(Program::kill);
    drop(server);

    log_is_whole(&site.folder.path().join("data"));
    let recordings = wavs(&site.recordings());
    assert_eq!(recordings.len(), 2, "{recordings:?}");
    for file in &recordings {
        let recording = Recording::read(file);
        let heard = listen(&recording.left, CALLER_HZ);
        assert!(recording.duration_ms() >= 5_000 && heard.total_ms + 500 >= recording.duration_ms(), "{heard:?}");
    }

    let mut server = site.serve();
    let lost = |data: &serde_json::Value| data["cause"] == "node_lost";
    server.fact("node.stopped", |data| data["clean"] == false);
    for kind in ["agent_leg.ended", "call.ended"] {
        server.facts_of(kind, 2);
        assert_eq!(server.of_type(kind).into_iter().filter(|data| lost(data)).count(), 2, "{kind}: {}", server.story());
    }
    let missing: Vec<_> = acknowledged.iter().filter(|fact| !server.facts.contains(fact)).collect();
    assert_eq!(missing, Vec::<&serde_json::Value>::new(), "what was acknowledged is in the log");
    for name in ["ana", "bruno"] {
        server.fact("wrapup.ended", |data| data["agent_id"] == format!("acme/{name}"));
        server.until_agent(name, "available");
    }
    server.is_at_rest();

    // The same agents take calls again.
    let (mut ana, mut bruno) = (agent(&server, 3, &says), agent(&server, 4, &says));
    let ended = server.of_type("call.ended").len();
    let again = |port| Sipp::at("caller", 2, port).with("sound", caller.clone()).with("talks", 9_000);
    let mut second = again(5080).start(&server);
    again(5060).start(&server).succeeds_within(within(9_000));
    second.succeeds_within(within(9_000));
    server.facts_of("call.ended", ended + 2);
    ana.succeeds_within(within(0));
    bruno.succeeds_within(within(0));
    server.facts_of("wrapup.ended", 4);
    server.is_at_rest();
    server.stop();
}

/// The phone of the only agent answers nobody, so that the caller waits and asks for a call back.
#[test]
fn who_was_promised_a_call_is_promised_it_after_kill_9_and_after_a_stop() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let file = site.folder.path().join("caller.pcap");
    let script = [
        Say::Silence(800),
        Say::Key('1'),
        Say::Silence(1_200),
        Say::Key('1'),
        Say::Silence(6_000),
        Say::Key('7'),
        Say::Silence(2_000),
        Say::Key('1'),
        Say::Silence(30_000),
    ];
    pcap::write(&file, &script);
    let sound = file.to_string_lossy().into_owned();
    let mut caller = Sipp::at("long_call", 2, 5060).with("sound", sound).with("talks", 60_000).start(&server);
    let requested = server.fact("callback.requested", |_| true);
    let call = requested["data"]["call_id"].as_str().unwrap().to_string();
    let beats = server.of_type("node.heartbeat").len();
    server.facts_of("node.heartbeat", beats + 1);
    server.program.kill();
    caller.kill();
    drop(server);

    let mut server = site.serve();
    is_promised(&mut server, &call, 2);
    server.stop();
    let mut server = site.serve();
    is_promised(&mut server, &call, 3);
    assert!(server.of_type("callback.done").is_empty() && server.of_type("call.ended").is_empty(), "{}", server.story());
    assert!(!server.story().contains("node.breach"), "{}", server.story());
}

/// In line again, with what was waited.
fn is_promised(server: &mut Server<'_>, call: &str, times: usize) {
    server.facts_of("callback.requested", times);
    server.facts_of("queue.entered", times + 1);
    let credit = server.of_type("queue.entered").last().and_then(|data| data["credit_ms"].as_u64());
    assert!(credit > Some(5_000), "{credit:?}");
    let calls = http::json(server.web, "/api/v1/calls");
    // The only agent's phone is tried in vain now and then.
    let waits = calls[0]["place"] == "callback" || calls[0]["place"] == "offer";
    assert!(calls[0]["call"] == call && waits, "{calls}");
}

fn log_is_whole(data: &Path) {
    let files = std::fs::read_dir(data).unwrap().map(|f| f.unwrap().path());
    let databases: Vec<PathBuf> = files.filter(|f| f.extension().is_some_and(|e| e == "db" || e == "sqlite")).collect();
    assert!(!databases.is_empty(), "no database in {}", data.display());
    for file in databases {
        let opened = rusqlite::Connection::open(&file).unwrap();
        let verdict: String = opened.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "{}", file.display());
    }
}

fn wavs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { wavs(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|e| e == "wav")).collect()
}

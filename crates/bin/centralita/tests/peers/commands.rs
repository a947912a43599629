//! The command line against a whole server: what a person at a terminal is told and can do.

use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// What a command prints; it succeeds.
fn told(server: &Server<'_>, line: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_centralita"));
    let output = command.args(["--api", &format!("http://{}", server.web)]).args(line.split(' ')).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn why_a_call_waits_and_who_got_it_can_be_read_and_mended_at_a_terminal() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let sound = |name: &str, says: &[Say]| {
        let file = server.site.folder.path().join(name);
        pcap::write(&file, says);
        file.to_string_lossy().into_owned()
    };
    let keys = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(1_000, 20_000)];
    let (caller_says, agent_says) = (sound("caller.pcap", &keys), sound("agent.pcap", &[Say::Tone(1_700, 3_000)]));
    assert_eq!(told(&server, "agent pause acme/ana --reason lunch"), "acme/ana: pause done\n");
    let mut agent = Sipp::at("agent", 3, 5070).with("rings", 300).with("sound", agent_says).start(&server);
    let mut caller = Sipp::caller("caller").with("sound", caller_says).with("talks", 11_000).start(&server);
    let entered = server.fact("queue.entered", |_| true);
    let call = entered["data"]["call_id"].as_str().unwrap().to_string();

    let why = told(&server, &format!("call why {call}"));
    assert_tells(
        &why,
        &["place", "queue, acme/soporte", "number 1, score", "lang:es >= 3", "1 paused", "No agent was tried yet."],
    );
    server.until_somebody_waits("soporte");
    let queue = told(&server, "queue show acme/soporte");
    assert_tells(&queue, &[&call, "1 paused", "acme/ana  paused", "lunch"]);

    assert_eq!(told(&server, &format!("call move {call} acme/billing")), format!("{call}: waits in acme/billing\n"));
    let moved = server.fact("queue.entered", |data| data["queue"] == "acme/billing");
    assert_eq!(moved["data"]["visit_id"], format!("{call}.v2"));
    let acted = server.fact("supervisor.acted", |data| data["call_id"] == call.as_str());
    assert!(!acted["data"]["who"].as_str().unwrap().is_empty(), "{acted}");

    assert_eq!(told(&server, "agent ready acme/ana"), "acme/ana: ready done\n");
    server.fact("agent_leg.connected", |_| true);
    caller.succeeds_within(within(0));
    agent.succeeds_within(within(0));
    server.fact("call.ended", |_| true);
    server.is_at_rest();
    let why = told(&server, &format!("call why {call}"));
    assert_tells(&why, &["ended, acme/billing", "acme/ana of acme/billing: accepted after 0:00", "had the best score", "chosen"]);
    server.stop();
}

#[test]
fn a_queue_that_is_closed_takes_nobody_until_it_is_opened() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let keys = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(1_000, 20_000)];
    let file = server.site.folder.path().join("caller.pcap");
    pcap::write(&file, &keys);
    assert_eq!(told(&server, "queue close acme/soporte"), "acme/soporte: closed until it follows its hours again\n");
    let caller = Sipp::caller("caller_stays").with("sound", file.to_string_lossy()).with("patience", 30_000).start(&server);
    let refused = server.fact("queue.refused", |_| true);
    assert_eq!((&refused["data"]["queue"], &refused["data"]["cause"]), (&"acme/soporte".into(), &"closed".into()));
    let overridden = server.fact("config.overridden", |_| true);
    assert_eq!((&overridden["data"]["what"], &overridden["data"]["to"]), (&"queue acme/soporte".into(), &"closed".into()));
    server.fact("call.ended", |_| true);
    assert_eq!(told(&server, "queue open acme/soporte"), "acme/soporte: open until it follows its hours again\n");
    server.facts_of("config.overridden", 2);
    drop(caller);
    server.stop();
}

#[test]
fn an_export_that_is_stopped_leaves_nothing_half_and_the_old_file_as_it_was() {
    // A node that sends the beginning of a recording and no more.
    let node = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", node.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.wav"), "old").unwrap();
    for (file, force, with) in [("new.wav", None, "INT"), ("old.wav", Some("--force"), "TERM")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_centralita"));
        command.args(["--api", &api, "recording", "export", "1-1-1.c1.p1", "--out", file]).args(force);
        let export = command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // Asked for: the file is open.
        let (mut asked, _) = node.accept().unwrap();
        let _ = asked.read(&mut [0; 4_096]).unwrap();
        asked.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nRIFF").unwrap();
        assert!(Command::new("kill").args([&format!("-{with}"), &export.id().to_string()]).status().unwrap().success());
        let ended = export.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && said.contains("was not exported: somebody stopped it"), "{with}: {said}");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["old.wav"]);
        assert_eq!(fs::read_to_string(folder.path().join("old.wav")).unwrap(), "old");
    }
}

//! The command line against a whole server: what a person at a terminal is told and can do.

use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use std::process::Command;

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

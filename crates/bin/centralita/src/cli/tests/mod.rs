//! The client against a real server on a loopback port, with little behind its doors.

mod acts;
pub(super) mod fixtures;
mod node;

use super::client::Client;
use super::{Common, run_into};
use base::fact::What;
use clap::Parser;
use fixtures::{WAV, logged};
use node::{Line, Node, run};
use serde_json::Value;
use std::io::Write;
use std::sync::Arc;

#[test]
fn lists_are_aligned_tables_and_json_is_the_apis_own() {
    let node = Node::start(None);
    let (status, out, err) = node.run("queue list");
    assert_eq!((status, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("QUEUE         WAITING  LONGEST"), "{out}");
    assert!(lines[1].starts_with("acme/soporte        1     1:01"), "{out}");
    assert!(lines[1].contains("80.0 %  short_excluded"));
    let (_, out, _) = node.run("queue list --json");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()[0]["offered"], 5);
    assert!(node.run("agent list").1.contains("acme/ana  talking"));
    assert!(node.run("call list").1.contains("1-3-42  queue"));
    assert!(node.run("queue show acme/soporte").1.contains("service level       80.0 % (short_excluded)"));
}

#[test]
fn a_call_is_shown_with_its_ticket_its_recording_and_its_events() {
    let node = Node::start(None);
    let (status, out, _) = node.run("call show 1-3-42");
    assert_eq!(status, 0);
    for part in
        ["caller             +525559999", "T-000007", "1-3-42.c1.p1", "call.arrived", "number=+525550001", "MOS OUT", "48.2 ms"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    let leg = out.lines().find(|line| line.contains("PCMA")).unwrap();
    let cells: Vec<&str> = leg.split_whitespace().collect();
    assert_eq!(cells[1..9], ["open", "PCMA", "4.39", "0.00", "%", "1.5", "ms", "3.21"], "{leg}");
    assert!(!out.contains('\u{1b}'), "no escape reaches the terminal");
    assert!(node.run("ticket show T-7").1.contains("waited              1:01"));
    assert!(node.run("recording show 1-3-42.c1.p1").1.contains("kept          complete"));
}

#[test]
fn what_is_recorded_is_shown_by_policy() {
    let node = Node::start(None);
    let (status, out, err) = node.run("recording coverage");
    assert_eq!((status, err.as_str()), (0, ""));
    let cells = |line: &str| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).map(str::to_string).collect::<Vec<_>>();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(cells(lines[1])[..2], ["all", "3"], "{out}");
    let support = cells(lines[2]);
    assert_eq!(support, ["queue acme/soporte: 25 %", "1", "1", "0", "0", "0", "100.0 %", "consent_refused 1, share 2"], "{out}");
}

#[test]
fn what_is_unknown_wrong_or_not_there_says_so_and_has_a_status() {
    let node = Node::start(None);
    let (status, _, err) = node.run("queue show acme/none");
    assert_eq!(
        (status, err.as_str()),
        (1, "error: there is no queue acme/none\n  expected: one of those that `centralita queue list` lists\n")
    );
    let (status, _, err) = node.run("--json queue show acme/none");
    assert_eq!((status, &serde_json::from_str::<Value>(&err).unwrap()["error"]), (1, &"there is no queue acme/none".into()));
    assert_eq!(run("--api ftp://127.0.0.1 queue list").0, 2);
    assert_eq!(node.run("events --type a'b").0, 2);
    let unset = Common { api: String::new(), token: Some(String::new()), json: false };
    assert!(Client::new(&unset).is_ok(), "a variable set to nothing is none");
    assert!(Line::try_parse_from(["centralita", "queue", "show", "No such"]).is_err());
    let gone = node.address;
    drop(node);
    let (status, _, err) = run(&format!("--api http://{gone} queue list"));
    assert_eq!(status, 1);
    assert!(err.starts_with(&format!("error: nothing listens at http://{gone}: is `centralita serve` running?")), "{err}");
}

#[test]
fn a_token_opens_what_is_closed_without_it() {
    let node = Node::start(Some("sesame"));
    let (status, _, err) = node.run("queue list");
    assert_eq!(status, 1);
    assert!(err.contains("--token or CENTRALITA_TOKEN"), "{err}");
    assert_eq!(node.run("queue list --token sesame").0, 0);
}

#[test]
fn a_recording_is_saved_once_and_never_over_another_file() {
    let node = Node::start(None);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.wav");
    let save = format!("recording save 1-3-42.c1.p1 --out {}", file.display());
    assert_eq!(node.run(&save).1, format!("1-3-42.c1.p1: 14 bytes in {}\n", file.display()));
    assert_eq!(std::fs::read(&file).unwrap(), WAV);
    let (status, _, err) = node.run(&save);
    assert_eq!(status, 1);
    assert!(err.contains("--force"), "{err}");
    assert_eq!(node.run(&format!("{save} --force")).0, 0);
    assert_eq!(node.run("recording save 1-3-42.c1.p1 --out -").1.as_bytes(), WAV);
    let (status, ..) = node.run(&format!("recording save 1-3-42.c9.p1 --out {}", folder.path().join("b.wav").display()));
    assert_eq!((status, folder.path().join("b.wav").exists()), (1, false));
    assert_eq!(node.run(&format!("recording save 1-3-42.c9.p1 --force --out {}", file.display())).0, 1);
    assert_eq!(std::fs::read(&file).unwrap(), WAV, "what is there stays until there is something better");
    let device = folder.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &device).unwrap();
    let (status, _, err) = node.run(&format!("recording save 1-3-42.c1.p1 --force --out {}", device.display()));
    assert!(status == 1 && err.contains("No space left"), "{err}");
    assert!(device.symlink_metadata().is_ok(), "what was not made here is not removed");
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.wav", "full"]);
    let (_, log, _) = node.run("recording access-log");
    assert_eq!(log.matches("export").count(), 4, "what there was no file for was not exported: {log}");
}

#[test]
fn events_are_lines_and_following_goes_on_until_the_reader_has_gone() {
    let node = Node::start(None);
    let (_, out, _) = node.run("events --type call.answered");
    assert_eq!(out, "1970-01-01 00:00:00.000  call.answered             call/1-3-42\n");
    let (_, out, _) = node.run("events --json");
    assert_eq!(out.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["id"].clone()).collect::<Vec<_>>(), ["3-1", "3-2"]);
    // A reader that leaves after the third line, as `head -3` does.
    let (status, out) = follow(&node, 3);
    assert_eq!(status, 0);
    let third: Value = serde_json::from_str(out.lines().nth(2).unwrap()).unwrap();
    assert_eq!((&third["id"], &third["data"]["duration_ms"]), (&"3-3".into(), &5.into()));
}

/// Follows as `events --follow --json`, with a fact appended as soon as the stream listens, up to `lines` lines.
fn follow(node: &Node, lines: usize) -> (u8, String) {
    struct Head<'a> {
        node: &'a Node,
        text: Vec<u8>,
        lines: usize,
    }
    impl Write for Head<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            let lines = self.text.iter().filter(|b| **b == b'\n').count();
            if lines >= self.lines { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        }
    }
    let mut out = Head { node, text: Vec::new(), lines };
    let facts = out.node.facts.clone();
    let (done, until) = std::sync::mpsc::channel::<()>();
    let feeder = std::thread::spawn(move || {
        // Whoever subscribes gets the fact; one that was told before is dropped by its place.
        while until.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
            let _ = facts.send(Arc::from([logged(3, What::CallEnded { duration_ms: 5, visits: 1 })]));
            std::thread::yield_now();
        }
    });
    let line = Line::try_parse_from(["centralita", "--api", &format!("http://{}", node.address), "--json", "events", "--follow"])
        .unwrap();
    let status = run_into(line.command, &line.common, &mut out, &mut Vec::new());
    drop(done);
    feeder.join().unwrap();
    (status, String::from_utf8(out.text).unwrap())
}

#[test]
fn recordings_are_played_verified_erased_and_it_is_written_down() {
    let node = Node::start(None);
    assert_eq!(node.run("recording play 1-3-42.c1.p1 --to - --reason audit").1.as_bytes(), WAV);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heard.wav");
    for line in ["play 1-3-42.c1.p1 --to -", "export 1-3-42.c1.p1 --out -", "verify 1-3-42.c1.p1"] {
        // As it was called before.
        assert_eq!(node.run(&format!("recording {line} --why was-called-so")).0, 0, "{line}");
    }
    let (_, log, _) = node.run("recording access-log");
    assert_eq!((log.matches("audit").count(), log.matches("was-called-so").count()), (1, 3), "{log}");
    let (status, _, err) = node.run("recording play 1-3-42.c1.p1 --to no-such-player");
    assert!(status == 1 && err.contains("`no-such-player`: there is no no-such-player here"), "{err}");
    // `tee` hears it all, as a player would.
    let (api, to) = (format!("http://{}", node.address), format!("tee {}", file.display()));
    let words = ["centralita", "--api", &api, "recording", "play", "1-3-42.c1.p1", "--to", &to];
    let line = Line::try_parse_from(words).unwrap();
    assert_eq!(run_into(line.command, &line.common, &mut Vec::new(), &mut Vec::new()), 0);
    assert_eq!(std::fs::read(&file).unwrap(), WAV);
    assert!(node.run("recording verify 1-3-42.c1.p1").1.contains("heard      caller"));
    let (status, out, err) = node.run("recording verify");
    assert_eq!((status, out.lines().last()), (1, Some("1 complete, 1 orphan; 2:02 of sound read")), "{err}");
    assert_eq!(node.run("recording verify --all").0, 1);
    let (status, out, _) = node.run("recording orphans");
    assert!(status == 1 && out.contains("1-3-42.c1.p1         orphan    no row"), "{out}");
    assert!(Line::try_parse_from(["centralita", "recording", "erase", "1-3-42.c1.p1"]).is_err(), "a reason is asked for");
    let (status, out, _) = node.run("recording erase 1-3-42.c1.p1 --reason asked-for");
    assert_eq!(status, 0);
    assert!(out.contains("erased") && out.contains("asked-for"), "{out}");
    assert_eq!(node.run("recording rekey").1, "1 wrapped anew, 0 were already\n");

    let (_, out, _) = node.run("recording access-log");
    let acts: Vec<&str> = out.lines().skip(1).map(|line| line.split_whitespace().nth(4).unwrap()).collect();
    assert_eq!(acts, ["play", "play", "export", "verify", "play", "verify", "verify", "verify", "erase", "rekey"]);
    let (status, out, _) = node.run("recording access-log --check");
    assert_eq!(status, 0);
    let head = out.trim().rsplit(' ').next().unwrap();
    node.run("recording export 1-3-42.c1.p1 --out -");
    assert_eq!(node.run(&format!("recording access-log --check --head {head}")).0, 0);
    let (status, _, err) = node.run(&format!("recording access-log --check --head {}", "0".repeat(64)));
    assert_eq!(status, 1);
    assert!(err.contains("the access log was cut"), "{err}");
    assert!(Line::try_parse_from(["centralita", "recording", "access-log", "--accept"]).is_err(), "a reason is asked for");
    assert_eq!(node.run("recording access-log --accept --reason a-new-disk").1, "Log is taken as it is\n");
    assert_eq!(node.run("recording retention --clock-is-right --reason summer").1, "Clock is taken as it is\n");
    let (_, out, _) = node.run("recording access-log");
    assert!(out.contains("accept  Log") && out.contains("summer"), "{out}");
}

#[test]
fn what_goes_and_what_is_held_is_asked_for_and_told() {
    let node = Node::start(None);
    let (status, out, _) = node.run("recording retention --days 7");
    assert_eq!(status, 0);
    for line in [
        "1-3-42.c1.p1  1970-01-01 00:00:00.000  412.3 kB",
        "goes now: older than its maximum  1 recording, 412.3 kB",
        "held beyond its maximum           1 recording, 2.0 MB",
        "within 11 d",
        "all: 3.0 GB, 90.0 MB a day (by the last 7 d); budget 2.5 GB, reached on 2026-11-22",
        "disk: 900.0 MB free, full on 2026-12-02",
        "ALARM: the budget is passed by 500.0 MB: what is left is held or within its minimum, and the next may go at 2026-11-23",
    ] {
        assert!(out.contains(line), "{line} in\n{out}");
    }
    let (_, out, _) = node.run("--json recording retention");
    assert_eq!(serde_json::from_str::<serde_json::Value>(out.lines().last().unwrap()).unwrap()["plan"]["held"]["recordings"], 1);
    assert_eq!(
        node.run("recording hold --queue acme/soporte --reason court").1,
        "hold 7 keeps queue acme/soporte: 1 recording now\n"
    );
    assert_eq!(
        node.run("recording hold 1-3-42.c1.p1 --reason late").1,
        "hold 7 keeps 1-3-42.c1.p1: nothing of it is there\n",
        "it was erased, and may be held all the same"
    );
    assert_eq!(node.run("recording hold --caller 5215550001 --reason court").0, 1, "nobody has that number");
    let (status, _, err) = node.run("recording hold --reason everything");
    assert!(
        status == 2 && err.ends_with("one or more of a recording, --tenant, --queue, --agent, --caller, --from, --to\n"),
        "{err}"
    );
    assert!(node.run("recording holds").1.contains("1-3-42.c1.p1  2026-11-22 12:00:00"));
    assert_eq!(node.run("recording release 7 --reason done").1, "hold 7 keeps 1-3-42.c1.p1 no more\n");
    assert_eq!(node.run("recording release 8 --reason done").0, 1);
    let (status, _, err) = node.run("recording erase 1-3-42.c1.p1 --reason young");
    assert!(status == 1 && err.contains("its minimum has not passed"), "{err}");
    let (_, log, _) = node.run("recording access-log");
    let refused = log.lines().last().unwrap();
    assert!(refused.contains("erase") && refused.ends_with("young  its minimum has not passed"), "{log}");
    assert_eq!(node.run("recording erase 1-3-42.c1.p1 --reason young --early").0, 0);
    assert!(node.run("recording show 1-3-42.c1.p1").1.contains("on disk       sealed_flac"));
}

#[test]
fn what_is_asked_for_the_wrong_way_is_told_in_the_words_that_were_typed() {
    let node = Node::start(None);
    let table = [
        ("find --from 2026-11-23T00:00:00Z --to 2026-11-22T00:00:00Z", 2, "--from (2026-11-23 00:00:00.000) is not before --to"),
        ("hold --from 2026-11-23T00:00:00Z --to 2026-11-22T00:00:00Z --reason court", 2, "--from (2026-11-23"),
        ("find --shortest 90 --longest 60", 2, "--shortest (90 s) is more than --longest (60 s)"),
        ("hold --agent acme/anna --reason court", 1, "no agent is called acme/anna (did you mean acme/ana?)"),
        ("erase 1-3-42.c9.p1 --reason court", 1, "one of those that `centralita recording list` lists"),
        ("release 8 --reason court", 1, "one of those that `centralita recording holds` lists"),
    ];
    for (line, wanted, told) in table {
        let (status, _, err) = node.run(&format!("recording {line}"));
        assert!(status == wanted && err.contains(told), "{line}: {err}");
    }
    assert_eq!(
        node.run("recording find --agent acme/anna").1,
        "No recordings. No agent is called acme/anna (did you mean acme/ana?)\n"
    );
    let refused = |line: &str| {
        let line = ["centralita", "recording"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(line).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let table = [
        ("find --shortest abc", "expected a length in seconds, a whole number from 0 to 31536000"),
        ("pause 1-3-42 --seconds 9999", "expected seconds, a whole number from 1 to 3600"),
        ("access-log --check --head abc", "expected a hash of 64 hexadecimal digits"),
        ("release seven --reason x", "expected the number of a hold"),
    ];
    for (line, told) in table {
        assert!(refused(line).contains(told), "{line}: {}", refused(line));
    }
    // A blank can't be typed here: a reason of one is the API's to refuse.
    let pause =
        ["centralita", "--api", &format!("http://{}", node.address), "recording", "erase", "1-3-42.c1.p1", "--reason", " "];
    let mut err = Vec::new();
    let line = Line::try_parse_from(pause).unwrap();
    assert_eq!(run_into(line.command, &line.common, &mut Vec::new(), &mut err), 2);
    assert!(String::from_utf8(err).unwrap().ends_with("expected: --reason: a text that is not empty\n"));
}

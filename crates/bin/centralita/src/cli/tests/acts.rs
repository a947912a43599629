//! What can be done, and what is told about why.

use super::fixtures::call;
use super::node::{Line, Node};
use base::fact::Monitor;
use base::{Pii, QueueId, Skill};
use clap::Parser;
use engine::{Request, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn an_agent_is_asked_and_each_reply_has_its_words_and_its_status() {
    let node = Node::start(None);
    assert_eq!(node.run("agent log-in acme/ana").1, "acme/ana: log-in done\n");
    assert_eq!(node.run("agent log-out acme/ana").1, "acme/ana: log-out follows when the call ends\n");
    let (status, out, err) = node.run("agent ready acme/ana");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("error: the agent is not logged in\n  expected: "), "{err}");
    assert_eq!(node.run("agent pause acme/ana --reason lunch").0, 0);
    assert_eq!(node.run("call hang-up 1-3-42").1, "1-3-42: hung up\n");
    let asked = node.asked.lock().unwrap();
    let pause = acd::Ask::Pause { reason: "lunch".into() };
    assert_eq!(asked[3..], [Request::Agent { agent: "acme/ana".parse().unwrap(), ask: pause }, Request::HangUp { call: call() }]);
}

#[test]
fn everything_that_can_be_done_has_a_command() {
    let node = Node::start(None);
    let (call, ana, sup) = (call(), "acme/ana".parse().unwrap(), || "acme/sup".parse().unwrap());
    let (billing, bea) = (|| "acme/billing".parse::<QueueId>().unwrap(), "acme/bea".parse().unwrap());
    let number = || Target::Number(Pii::new("+525550001000".into()));
    let skills = BTreeMap::from([(Skill::new("lang:es"), 9), (Skill::new("app:sap"), 5)]);
    let agent = |ask| Request::Agent { agent: "acme/ana".parse().unwrap(), ask };
    let cases = [
        ("call transfer 1-3-42 queue/acme/billing", Request::Transfer { call, to: Target::Queue(billing()) }),
        ("call transfer 1-3-42 +525550001000", Request::Transfer { call, to: number() }),
        ("call consult 1-3-42 agent/acme/bea", Request::Consult { call, to: Target::Agent(bea) }),
        ("call complete 1-3-42", Request::CompleteTransfer { call }),
        ("call end-consult 1-3-42", Request::EndConsult { call }),
        ("call conference 1-3-42", Request::Conference { call }),
        ("call monitor 1-3-42 --by acme/sup", Request::Monitor { call, supervisor: sup(), mode: Monitor::Listen }),
        ("call monitor 1-3-42 --by acme/sup --mode barge", Request::Monitor { call, supervisor: sup(), mode: Monitor::Barge }),
        ("call stop-monitor 1-3-42 --by acme/sup", Request::StopMonitor { call, supervisor: sup() }),
        ("call take-over 1-3-42 --by acme/sup", Request::TakeOver { call, supervisor: sup() }),
        ("call move 1-3-42 acme/billing", Request::Move { call, queue: billing() }),
        ("call prioritise 1-3-42 -30", Request::Prioritise { call, priority_s: -30 }),
        ("call cancel-callback 1-3-42", Request::CancelCallback { call }),
        ("agent dial acme/ana +525550001000", Request::Dial { agent: ana, to: number() }),
        (
            "agent skills acme/ana lang:es=9 app:sap=5",
            Request::SetSkills { agent: "acme/ana".parse().unwrap(), skills: Some(skills) },
        ),
        ("agent skills acme/ana --as-written", Request::SetSkills { agent: "acme/ana".parse().unwrap(), skills: None }),
        ("agent pause acme/ana", agent(acd::Ask::Pause { reason: "".into() })),
        ("agent wrap-up acme/ana", agent(acd::Ask::WrapUp)),
        ("agent code acme/ana solved", agent(acd::Ask::Code { code: "solved".into() })),
        ("queue open acme/billing", Request::SetOpen { queue: billing(), open: Some(true) }),
        ("queue close acme/billing", Request::SetOpen { queue: billing(), open: Some(false) }),
        ("queue follow-hours acme/billing", Request::SetOpen { queue: billing(), open: None }),
    ];
    for (line, request) in cases {
        let (status, out, err) = node.run(line);
        assert_eq!((status, err.as_str()), (0, ""), "{line}");
        assert_eq!(out.lines().count(), 1, "{line}: {out}");
        assert_eq!(node.asked.lock().unwrap().pop(), Some(request), "{line}");
        let (_, out, _) = node.run(&format!("{line} --json"));
        assert_eq!(out, "\"done\"\n", "{line}");
    }
    assert_eq!(node.run("agent skills acme/ana lang:es").0, 2);
    assert!(Line::try_parse_from(["centralita", "call", "transfer", "1-3-42", "somewhere"]).is_err());
}

#[test]
fn why_a_call_waits_is_told_so_that_a_person_understands() {
    let node = Node::start(None);
    let (status, out, _) = node.run("call why 1-3-42");
    let expected = "\
call                   1-3-42
place                  queue, acme/soporte
in line                number 2, score 75.0
asks for               lang:es >= 3
waits for              3 talking, 1 wrap up
free, but not offered  acme/carlos: busy a moment ago
kept for               acme/ana, for another 0:05
next step              in 0:10: lang:es >= 2 will do
expected wait          0:30, at most 1:30
leaves by itself in    1:40

1970-01-01 00:00:00.000  acme/ana of acme/soporte: rings
  Chosen by most skilled of 2 free, idle for 0:09.
  Let in by step 2 of the queue's relaxation, after 0:30: billing >= 3 will do.
    CANDIDATE  MEASURE    IDLE
    acme/ana   levels 14  0:09  chosen
    acme/bea   levels 9   0:09
    WAITING    SCORE
    1-3-42.v1   12.5

";
    assert_eq!((status, out.as_str()), (0, expected));
    let (_, out, _) = node.run("call why 1-3-42 --json");
    let row = serde_json::from_str::<Value>(&out).unwrap();
    assert_eq!((&row["waits"]["position"], &row["decisions"][0]["why"]["let_in"]["step"]["number"]), (&json!(2), &json!(2)));
}

#[test]
fn a_queue_is_shown_with_what_each_call_waits_for_and_what_its_agents_do() {
    let node = Node::start(None);
    let (status, out, _) = node.run("queue show acme/soporte");
    assert_eq!(status, 0);
    let cells = |head: &str| -> Vec<String> {
        let line = out.lines().find(|line| line.trim_start().starts_with(head)).unwrap_or_else(|| panic!("{head}: {out}"));
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_string).collect()
    };
    let waiting = ["2", "1-3-42", "75.0", "0:00", "es", "lang:es >= 3", "3 talking, 1 wrap up", "0:30, at most 1:30", "1:40"];
    assert_eq!(cells("2  1-3-42"), waiting);
    assert_eq!(cells("acme/ana")[..2], ["acme/ana", "talking"]);
}

#[test]
fn a_call_shows_who_takes_part() {
    let node = Node::start(None);
    let (_, out, _) = node.run("call show 1-3-42");
    assert!(out.contains("consent            refused by key"), "{out}");
    assert!(out.contains("recording paused   by acme/ana (card) until 2026-11-22"), "{out}");
    assert!(out.contains("monitored by       acme/sup (listen)"), "{out}");
    assert!(out.contains("with               agent/bea") && out.contains("expected wait      0:30, at most 1:30"), "{out}");
}

#[test]
fn a_reload_says_what_counts_now_or_points_at_what_is_wrong() {
    let node = Node::start(None);
    let (status, out, err) = node.run("reload");
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.ends_with("The site is read again (0123456789ab). Calls in progress go on.\n"), "{out}");
    assert!(out.contains(" --> site.toml:3:9\n"), "warnings are shown: {out}");
    *node.broken.lock().unwrap() = true;
    let (status, out, err) = node.run("reload");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.contains(" --> site.toml:3:9\n  |\n3 | a = \u{fffd}[2J"), "{err}");
    assert!(err.ends_with("error: the site file has 1 error: the old one still counts\n"), "{err}");
    let (_, _, err) = node.run("reload --json");
    assert_eq!(serde_json::from_str::<Value>(&err).unwrap()["findings"][0]["line"], 3);
}

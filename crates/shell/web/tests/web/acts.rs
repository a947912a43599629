//! Everything that the Centre can be asked, through its routes; why a call waits; a reload.

use crate::fakes::{CALL, Fake, agent, call, logged};
use crate::http::{ask, get, post};
use acd::{Candidate, Change, Estimate, Expected, LetIn, RelaxStep, Rival, Rule, Strategy, Waits, Why};
use base::fact::{About, Fact, Logged, Monitor, What};
use base::{AgentState, Cause, Instant, Pii, QueueId, Skill, Wall};
use engine::{Decision, Reply, Request, Target, WhyReport};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use shell_web::{Finding, NotReloaded, Reloaded};
use std::collections::BTreeMap;
use std::time::Duration;

fn queue(name: &str) -> QueueId {
    format!("acme/{name}").parse().unwrap()
}

#[tokio::test]
async fn each_act_on_a_call_is_the_request_it_says() {
    let fake = Fake::new();
    *fake.asked.reply.lock().unwrap() = Some(Reply::Done);
    let served = fake.serve(None).await;
    let (call, sup) = (call(), agent("sup"));
    let number = Target::Number(Pii::new("+525550001000".into()));
    let by = r#"{"supervisor": "acme/sup"}"#;
    let cases = [
        ("hang-up", "", Request::HangUp { call }),
        ("transfer", r#"{"to": {"queue": "acme/billing"}}"#, Request::Transfer { call, to: Target::Queue(queue("billing")) }),
        ("transfer", r#"{"to": {"number": "+525550001000"}}"#, Request::Transfer { call, to: number }),
        ("consult", r#"{"to": {"agent": "acme/ana"}}"#, Request::Consult { call, to: Target::Agent(agent("ana")) }),
        ("complete", "", Request::CompleteTransfer { call }),
        ("end-consult", "", Request::EndConsult { call }),
        ("conference", "", Request::Conference { call }),
        (
            "monitor",
            r#"{"supervisor": "acme/sup", "mode": "whisper"}"#,
            Request::Monitor { call, supervisor: sup.clone(), mode: Monitor::Whisper },
        ),
        ("stop-monitor", by, Request::StopMonitor { call, supervisor: sup.clone() }),
        ("take-over", by, Request::TakeOver { call, supervisor: sup }),
        ("move", r#"{"queue": "acme/billing"}"#, Request::Move { call, queue: queue("billing") }),
        ("prioritise", r#"{"priority_s": -60}"#, Request::Prioritise { call, priority_s: -60 }),
        ("cancel-callback", "", Request::CancelCallback { call }),
        ("pause-recording", "", Request::PauseRecording { call, cause: "card".into(), for_s: 120 }),
        ("pause-recording", r#"{"seconds": 60}"#, Request::PauseRecording { call, cause: "card".into(), for_s: 60 }),
        (
            "pause-recording",
            r#"{"seconds": 9, "cause": "a password"}"#,
            Request::PauseRecording { call, cause: "a password".into(), for_s: 9 },
        ),
        ("resume-recording", "", Request::ResumeRecording { call }),
    ];
    for (verb, body, request) in cases {
        let answer = post(served.address, &format!("/api/v1/calls/{CALL}/{verb}"), body).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!("done")), "{verb}");
        assert_eq!(fake.asked.requests.lock().unwrap().pop(), Some(request), "{verb}");
    }
}

#[tokio::test]
async fn each_act_on_an_agent_or_a_queue_is_the_request_it_says() {
    let fake = Fake::new();
    *fake.asked.reply.lock().unwrap() = Some(Reply::Done);
    let served = fake.serve(None).await;
    let ana = agent("ana");
    let skills = BTreeMap::from([(Skill::new("lang:es"), 9)]);
    let (soporte, to) = (queue("soporte"), Target::Number(Pii::new("5550001000".into())));
    let cases = [
        ("agents/acme/ana/dial", r#"{"to": {"number": "5550001000"}}"#, Request::Dial { agent: ana.clone(), to }),
        (
            "agents/acme/ana/skills",
            r#"{"skills": {"lang:es": 9}}"#,
            Request::SetSkills { agent: ana.clone(), skills: Some(skills) },
        ),
        ("agents/acme/ana/desk", "", Request::Desk { agent: ana.clone(), open: true }),
        ("agents/acme/ana/desk", r#"{"open": false}"#, Request::Desk { agent: ana.clone(), open: false }),
        ("agents/acme/ana/skills", r#"{"skills": null}"#, Request::SetSkills { agent: ana, skills: None }),
        ("queues/acme/soporte/open", "", Request::SetOpen { queue: soporte.clone(), open: Some(true) }),
        ("queues/acme/soporte/close", "", Request::SetOpen { queue: soporte.clone(), open: Some(false) }),
        ("queues/acme/soporte/follow-hours", "", Request::SetOpen { queue: soporte, open: None }),
    ];
    for (path, body, request) in cases {
        assert_eq!(post(served.address, &format!("/api/v1/{path}"), body).await.status, StatusCode::OK, "{path}");
        assert_eq!(fake.asked.requests.lock().unwrap().pop(), Some(request), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_understood_asks_nobody_and_is_told_what_would_be() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let cases = [
        ("calls/1-3-42/transfer", ""),
        ("calls/1-3-42/transfer", r#"{"to": "acme/billing"}"#),
        ("calls/1-3-42/transfer", r#"{"to": {"queue": "NO SUCH"}}"#),
        // A dial string is no number (security.md, row 37).
        ("calls/1-3-42/transfer", r#"{"to": {"number": "5550001000@evil.example"}}"#),
        ("calls/1-3-42/transfer", r#"{"to": {"number": "+"}}"#),
        ("calls/1-3-42/transfer", r#"{"to": {"number": "123456789012345678901"}}"#),
        ("calls/1-3-42/monitor", r#"{"supervisor": "acme/sup", "mode": "spy"}"#),
        ("calls/1-3-42/take-over", r#"{"who": "acme/sup"}"#),
        ("calls/1-3-42/prioritise", r#"{"priority_s": 9999999}"#),
        ("calls/1-3-42/pause-recording", r#"{"minutes": 2}"#),
        ("agents/acme/ana/skills", r#"{"skills": {"lang:es": 11}}"#),
        ("agents/acme/ana/skills", r#"{"skills": {"lang:es >= 3": 5}}"#),
        ("agents/acme/ana/skills", r#"{"skills": {"a and b": 5}}"#),
        ("agents/acme/ana/code", "{}"),
    ];
    for (path, body) in cases {
        let answer = post(served.address, &format!("/api/v1/{path}"), body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} with {body}: {}", answer.text());
        assert!(answer.json()["expected"].as_str().unwrap().contains('{'), "{}", answer.text());
    }
    for path in ["calls/1-3-42/sell", "queues/acme/soporte/burn", "agents/acme/ana/sing", "recordings/1-3-42.c1.p1/hum"] {
        assert_eq!(post(served.address, &format!("/api/v1/{path}"), "").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(fake.asked.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_asks_is_told_bounded_and_without_tricks() {
    let fake = Fake::new();
    *fake.asked.reply.lock().unwrap() = Some(Reply::Done);
    let served = fake.serve(None).await;
    let long = "x".repeat(500);
    let most = "x".repeat(64);
    for (given, expected) in [(None, "api"), (Some("  "), "api"), (Some("maría\t"), "maría"), (Some(&long), most.as_str())] {
        let headers: Vec<(&str, &str)> = given.map(|who| ("x-centralita-who", who)).into_iter().collect();
        ask(served.address, Method::POST, "/api/v1/queues/acme/soporte/open", &headers, "").await;
        assert_eq!(&**fake.asked.who.lock().unwrap(), expected);
    }
}

fn decided(rule: Rule) -> Why {
    let candidate = |name: &str, value| Candidate { agent: agent(name), value, idle: Duration::from_secs(9).into() };
    Why {
        rule,
        score_ms: 12_500,
        idle: Duration::from_millis(9_500).into(),
        agents: 2,
        visits: 1,
        candidates: [candidate("ana", -14), candidate("beatriz", -9)].into_iter().collect(),
        rivals: [Rival { visit: "1-3-42.v1".parse().unwrap(), score_ms: 12_500 }].into_iter().collect(),
        let_in: None,
    }
}

fn let_in_early(rule: Rule) -> Why {
    let change = Change::Lower { skill: Skill::new("billing"), to: 3 };
    let step = RelaxStep { number: 2, after: Duration::from_secs(30), change };
    Why { let_in: Some(LetIn { step: step.into(), early: true }), ..decided(rule) }
}

fn offer_fact(seq: u64, offer: &str, what: What, cause: Option<Cause>) -> Logged {
    let about = About {
        call: Some(call()),
        offer: Some(offer.parse().unwrap()),
        agent: Some(agent("ana")),
        queue: Some(queue("soporte")),
        cause,
        ..About::default()
    };
    let logged = logged(seq, Some(call()), What::CallAnswered {});
    Logged { fact: Fact { about, what, now: logged.fact.now }, ..logged }
}

#[tokio::test]
async fn why_a_call_waits_and_who_was_tried_is_told_from_the_centre_and_the_log() {
    let fake = Fake::new();
    let why = serde_json::to_value(decided(Rule::Strategy(Strategy::MostSkilled))).unwrap();
    fake.archive.append(offer_fact(5, "1-3-42.v1.o1", What::OfferSent { legs: 1, why }, None));
    fake.archive.append(offer_fact(6, "1-3-42.v1.o1", What::OfferTimedOut { ring_ms: 8000 }, Some(Cause::NoAnswer)));
    let newest = Decision {
        offer: "1-3-42.v1.o2".parse().unwrap(),
        agent: agent("beatriz"),
        queue: queue("soporte"),
        at: Wall(0),
        why: let_in_early(Rule::BestScore),
    };
    let waits = Waits {
        requires: "lang:es >= 3".parse().unwrap(),
        position: 2,
        score_ms: 75_000,
        agents: BTreeMap::from([(AgentState::Talking, 3), (AgentState::Paused, 1)]),
        barred: vec![(agent("carlos"), "busy a moment ago".into())],
        next: Some((Instant::ZERO, Change::Lower { skill: Skill::new("lang:es"), to: 2 })),
        sticky: None,
        expected: Some(Expected { p50: Duration::from_secs(30), p90: Duration::from_secs(90), from: Estimate::Position }),
    };
    let report = WhyReport { waits: Some(waits), decisions: vec![newest] };
    *fake.asked.reply.lock().unwrap() = Some(Reply::Why(Box::new(report)));
    let served = fake.serve(None).await;
    let row = get(served.address, &format!("/api/v1/calls/{CALL}/why")).await.json();
    assert_eq!(fake.asked.requests.lock().unwrap().pop(), Some(Request::Why { call: call() }));
    let waits = &row["waits"];
    assert_eq!((&waits["requires"], &waits["position"]), (&json!("lang:es >= 3"), &json!(2)));
    assert_eq!(waits["agents"], json!({ "talking": 3, "paused": 1 }));
    assert_eq!(waits["barred"], json!([{ "agent": "acme/carlos", "why": "busy a moment ago" }]));
    assert_eq!(waits["next"], json!({ "in_ms": 0, "change": { "lower": { "skill": "lang:es", "to": 2 } } }));
    assert_eq!(waits["expected"], json!({ "p50_ms": 30_000, "p90_ms": 90_000, "from": "position" }));
    let first = &row["decisions"][0];
    assert_eq!((&first["end"], &first["cause"], &first["ring_ms"]), (&json!("timed_out"), &json!("no_answer"), &json!(8000)));
    assert_eq!(first["why"]["rule"], json!({ "strategy": "most_skilled" }));
    assert_eq!(first["why"]["candidates"][0], json!({ "agent": "acme/ana", "value": -14, "idle_ms": 9000 }));
    assert_eq!(first["why"]["rivals"][0], json!({ "visit": "1-3-42.v1", "score_ms": 12_500 }));
    let second = &row["decisions"][1];
    assert_eq!(
        (&second["offer"], &second["end"], &second["why"]["rule"]),
        (&json!("1-3-42.v1.o2"), &Value::Null, &json!("best_score"))
    );
    let step = json!({ "number": 2, "after_ms": 30_000, "change": { "lower": { "skill": "billing", "to": 3 } } });
    assert_eq!((&first["why"]["let_in"], &second["why"]["let_in"]), (&Value::Null, &json!({ "step": step, "early": true })));
}

#[tokio::test]
async fn of_a_call_that_is_over_the_log_tells_why() {
    let fake = Fake::new();
    let why = serde_json::to_value(let_in_early(Rule::Sticky)).unwrap();
    fake.archive.append(offer_fact(5, "1-3-42.v1.o1", What::OfferSent { legs: 1, why }, None));
    fake.archive.append(offer_fact(6, "1-3-42.v1.o1", What::OfferAccepted { ring_ms: 3000 }, None));
    // Facts of the first form kept no why.
    fake.archive.append(offer_fact(7, "1-3-42.v1.o2", What::OfferSent { legs: 1, why: Value::Null }, None));
    // As it was written when it did not name the step.
    let why = json!({
        "rule": "best_score", "score_ms": 12_500, "idle": { "secs": 9, "nanos": 500_000_000 }, "agents": 2, "visits": 1,
        "candidates": [{ "agent": "acme/ana", "value": 0, "idle": { "secs": 9, "nanos": 500_000_000 } }],
        "rivals": [{ "visit": "1-3-42.v1", "score_ms": 12_500 }],
    });
    fake.archive.append(offer_fact(8, "1-3-42.v1.o3", What::OfferSent { legs: 1, why }, None));
    *fake.asked.reply.lock().unwrap() = Some(Reply::Unknown { what: "call 1-3-42".into() });
    let mut snapshot = (**fake.snapshot.load()).clone();
    snapshot.calls.clear();
    fake.snapshot.store(snapshot.into());
    let served = fake.serve(None).await;
    let row = get(served.address, &format!("/api/v1/calls/{CALL}/why")).await.json();
    assert_eq!((&row["place"], &row["waits"], &row["queue"]), (&json!("ended"), &Value::Null, &json!("acme/soporte")));
    assert_eq!((&row["decisions"][0]["why"]["rule"], &row["decisions"][0]["end"]), (&json!("sticky"), &json!("accepted")));
    assert_eq!(row["decisions"][0]["why"]["let_in"]["step"]["number"], 2);
    assert_eq!(row["decisions"][1]["why"], Value::Null);
    let old = &row["decisions"][2]["why"];
    assert_eq!((&old["rule"], &old["idle_ms"], &old["let_in"]), (&json!("best_score"), &json!(9_500), &Value::Null));
    assert_eq!(old["candidates"], json!([{ "agent": "acme/ana", "value": 0, "idle_ms": 9500 }]));
    assert_eq!(get(served.address, "/api/v1/calls/9-9-9/why").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn of_a_queue_each_waiting_call_tells_what_it_waits_for() {
    let fake = Fake::new();
    let waits = Waits {
        requires: "lang:es >= 1".parse().unwrap(),
        position: 1,
        score_ms: 12_000,
        agents: BTreeMap::new(),
        barred: Vec::new(),
        next: None,
        sticky: None,
        expected: None,
    };
    *fake.asked.reply.lock().unwrap() = Some(Reply::Why(Box::new(WhyReport { waits: Some(waits), decisions: Vec::new() })));
    let served = fake.serve(None).await;
    let rows = get(served.address, "/api/v1/queues/acme/soporte/why").await.json();
    assert_eq!((&rows[0]["call"], &rows[0]["waits"]["score_ms"]), (&json!("1-3-43"), &json!(12_000)));
    assert_eq!((&rows[1]["call"], &rows[1]["callback"]), (&json!("1-3-44"), &json!(true)));
    assert_eq!(get(served.address, "/api/v1/queues/globex/billing/why").await.json(), json!([]));
    assert_eq!(get(served.address, "/api/v1/queues/acme/none/why").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn calls_and_visits_show_who_takes_part_and_how_long_it_will_yet_take() {
    let served = Fake::new().serve(None).await;
    let calls = get(served.address, "/api/v1/calls").await.json();
    assert_eq!((&calls[0]["third"], &calls[0]["direction"]), (&json!("agent/beatriz"), &json!("incoming")));
    assert_eq!(calls[0]["monitors"], json!([{ "supervisor": "acme/sup", "mode": "whisper" }]));
    let expected = json!({ "p50_ms": 40_000, "p90_ms": 95_000, "from": "position" });
    assert_eq!((&calls[1]["place"], &calls[1]["expected"]), (&json!("callback"), &expected));
    let visits = get(served.address, "/api/v1/queues/acme/soporte").await.json()["visits"].clone();
    assert_eq!((&visits[0]["callback"], &visits[0]["expected"]), (&json!(false), &expected));
    assert_eq!((&visits[1]["callback"], &visits[1]["credit_ms"]), (&json!(true), &json!(60_000)));
}

#[tokio::test]
async fn a_reload_tells_what_counts_now_or_why_the_old_site_stays() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let finding = Finding { file: "site.toml".into(), line: 3, column: 9, message: "no".into(), ..Finding::default() };
    let good = Reloaded { sha256: "00ff".into(), warnings: vec![finding.clone()] };
    *fake.reloads.answer.lock().unwrap() = Some(Ok(good));
    let answer = ask(served.address, Method::POST, "/api/v1/reload", &[("x-centralita-who", "maria")], "").await;
    assert_eq!((answer.status, &answer.json()["sha256"]), (StatusCode::OK, &json!("00ff")));
    assert_eq!(answer.json()["warnings"][0]["line"], 3);
    assert_eq!(*fake.reloads.who.lock().unwrap(), "maria");
    let refused =
        NotReloaded { error: "the site file is wrong".into(), expected: "one without errors".into(), findings: vec![finding] };
    *fake.reloads.answer.lock().unwrap() = Some(Err(refused));
    let answer = post(served.address, "/api/v1/reload", "").await;
    assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::CONFLICT, &json!("the site file is wrong")));
    assert_eq!(answer.json()["findings"][0]["column"], 9);
}

#[tokio::test]
async fn a_new_token_counts_from_the_next_request_on() {
    let fake = Fake::new();
    let served = fake.serve(Some("old")).await;
    let with = |token: &'static str| {
        let at = served.address;
        async move { ask(at, Method::GET, "/api/v1/queues", &[("authorization", token)], "").await.status }
    };
    assert_eq!(with("Bearer old").await, StatusCode::OK);
    fake.access.set(Some("new")).unwrap();
    assert_eq!((with("Bearer old").await, with("Bearer new").await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
}

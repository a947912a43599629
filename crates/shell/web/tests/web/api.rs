//! The API over real connections, with fakes behind the doors.

use crate::fakes::{CALL, Fake, HOSTILE, agent, call, logged, ticket};
use crate::http::{self, Events, ask, data, get, post};
use acd::Ask;
use base::fact::{ConsentBy, Excluded, What};
use engine::{Reply, Request};
use hyper::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn queues_show_their_figures_and_who_waits() {
    let served = Fake::new().serve(None).await;
    let queues = get(served.address, "/api/v1/queues").await.json();
    assert_eq!(queues.as_array().unwrap().len(), 5);
    let unseen = get(served.address, "/api/v1/queues/acme/new").await.json();
    assert_eq!((&unseen["offered"], &unseen["visits"]), (&0.into(), &serde_json::json!([])), "no visit yet");
    let one = get(served.address, "/api/v1/queues/acme/soporte").await.json();
    assert_eq!((&one["queue"], &one["waiting_now"], &one["offered"]), (&"acme/soporte".into(), &2.into(), &48.into()));
    assert_eq!(one["service_level_formula"], "short_excluded");
    let waiting = &one["visits"][0];
    assert_eq!((&waiting["call"], &waiting["requires"]), (&"1-3-43".into(), &"lang:es >= 1".into()));
    assert!((12_000..14_000).contains(&waiting["waited_ms"].as_u64().unwrap()), "{waiting}");
    let silent = get(served.address, "/api/v1/queues/globex/billing").await.json();
    assert!(silent["service_level"].is_null(), "nothing offered has no service level");
}

#[tokio::test]
async fn agents_show_the_day_and_the_moment_and_the_silent_are_there_too() {
    let served = Fake::new().serve(None).await;
    let all = get(served.address, "/api/v1/agents").await.json();
    assert_eq!(all.as_array().unwrap().len(), 11);
    let ana = get(served.address, "/api/v1/agents/acme/ana").await.json();
    assert_eq!((&ana["calls"], &ana["live"]["state"], &ana["live"]["pending"]), (&17.into(), &"talking".into(), &"pause".into()));
    assert_eq!(ana["live"]["call"], CALL);
    let zoe = get(served.address, "/api/v1/agents/acme/zoe").await.json();
    assert_eq!((&zoe["state"], &zoe["calls"]), (&"logged_out".into(), &0.into()));
    assert_eq!(ana["queues"], serde_json::json!(["acme/new"]), "the site says what an agent serves, not the last login");
}

#[tokio::test]
async fn what_does_not_exist_is_a_404_and_what_is_no_id_a_400_and_both_say_what_was_expected() {
    let served = Fake::new().serve(None).await;
    let unknown = [
        "/api/v1/queues/acme/none",
        "/api/v1/agents/acme/none",
        "/api/v1/calls/9-9-9",
        "/api/v1/tickets/T-999",
        "/api/v1/recordings/1-3-42.c9.p9",
        "/api/v1/recordings/1-3-42.c9.p9/audio",
        "/api/v1/nothing",
        "/nothing",
    ];
    let bad = [
        "/api/v1/queues/acme/No%20such",
        "/api/v1/calls/x",
        "/api/v1/tickets/-1",
        "/api/v1/recordings/..%2F..%2Fetc%2Fpasswd",
        "/api/v1/recordings/..%2F..%2Fetc%2Fpasswd/audio",
        "/api/v1/events?after=x",
        "/api/v1/events?type=%27%20OR%201=1",
        "/api/v1/events?sort=seq;DROP%20TABLE",
        "/api/v1/events?limit=0",
        "/api/v1/tickets?limit=1000000",
        "/api/v1/events?call=x",
        "/api/v1/recordings?agent=x",
        "/api/v1/recordings?caller=%2B52-abc",
        "/api/v1/recordings?from=yesterday",
        "/api/v1/recordings?kept=lost",
        "/api/v1/recordings?after=1-x",
        "/api/v1/recordings?lang=1x1",
        "/api/v1/recordings?from=2026-11-23&to=2026-11-22",
        "/api/v1/recordings?from=2026-11-22&to=2026-11-22",
        "/api/v1/recordings?shortest_ms=90000&longest_ms=60000",
        "/api/v1/events/stream?after=1-x",
    ];
    for (paths, status) in [(&unknown[..], StatusCode::NOT_FOUND), (&bad[..], StatusCode::BAD_REQUEST)] {
        for path in paths {
            let answer = get(served.address, path).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            let body = answer.json();
            assert!(
                !body["error"].as_str().unwrap().is_empty() && !body["expected"].as_str().unwrap().is_empty(),
                "{path}: {body}"
            );
        }
    }
    let wrong = post(served.address, "/api/v1/queues", "").await;
    assert_eq!(
        (wrong.status, wrong.json()["expected"].as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, Some("GET to read, POST to act"))
    );
}

#[tokio::test]
async fn an_agent_is_asked_through_the_one_door_and_the_reply_is_a_status() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let cases = [
        ("log-in", "", Ask::LogIn, Reply::Done, StatusCode::OK),
        ("log-out", "", Ask::LogOut, Reply::Pending, StatusCode::ACCEPTED),
        ("ready", "", Ask::Ready, Reply::Refused { why: "not logged in".into() }, StatusCode::CONFLICT),
        (
            "pause",
            r#"{"reason": "almuerzo"}"#,
            Ask::Pause { reason: "almuerzo".into() },
            Reply::Unknown { what: "agent".into() },
            StatusCode::NOT_FOUND,
        ),
        ("pause", "", Ask::Pause { reason: "".into() }, Reply::Done, StatusCode::OK),
        ("wrap-up", "", Ask::WrapUp, Reply::Done, StatusCode::OK),
        ("code", r#"{"code": "solved"}"#, Ask::Code { code: "solved".into() }, Reply::Done, StatusCode::OK),
    ];
    for (verb, body, ask, reply, status) in cases {
        *fake.asked.reply.lock().unwrap() = Some(reply);
        let answer = post(served.address, &format!("/api/v1/agents/acme/ana/{verb}"), body).await;
        assert_eq!(answer.status, status, "{verb}: {}", answer.text());
        let asked = fake.asked.requests.lock().unwrap().pop();
        assert_eq!(asked, Some(Request::Agent { agent: agent("ana"), ask }));
    }
    *fake.asked.reply.lock().unwrap() = None;
    assert_eq!(post(served.address, "/api/v1/agents/acme/ana/ready", "").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_pause_without_a_proper_reason_asks_nobody() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let long = format!(r#"{{"reason": "{}"}}"#, "x".repeat(65));
    for body in [
        "lunch",
        r#"{"reason": ""}"#,
        r#"{"reason": "a\nb"}"#,
        r#"{"reason": "a", "until": 5}"#,
        r#"{"reason": "\u001b[31m"}"#,
        &long,
    ] {
        let answer = post(served.address, "/api/v1/agents/acme/ana/pause", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.json()["expected"].as_str().unwrap().contains("lunch"));
    }
    let huge = "x".repeat(100_000);
    assert_eq!(post(served.address, "/api/v1/agents/acme/ana/pause", &huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post(served.address, "/api/v1/agents/acme/ana/fire", "").await.status, StatusCode::NOT_FOUND);
    assert!(fake.asked.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_call_carries_its_ticket_its_recording_and_its_events() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let list = get(served.address, "/api/v1/calls").await.json();
    assert_eq!(
        (&list[0]["call"], &list[0]["place"], &list[0]["caller"]),
        (&CALL.into(), &"conversation".into(), &"+525559999".into())
    );
    let one = get(served.address, &format!("/api/v1/calls/{CALL}")).await.json();
    assert_eq!(one["tickets"][0]["number"], "T-000007");
    assert_eq!(one["recordings"][0]["recording"], "1-3-42.c1.p1");
    assert_eq!((one["events"].as_array().unwrap().len(), &one["events"][0]["type"]), (2, &"call.arrived".into()));
    let (leg, open) = (&one["legs"][0], &one["legs"][0]["open"]);
    assert_eq!((open, &leg["codec"], &leg["received"]["packets"]), (&true.into(), &"PCMA".into(), &500.into()), "{leg}");
    let (paused, consent) = (&one["recording_paused"], &one["consent"]);
    assert_eq!((&paused["who"], &paused["cause"]), (&"ana".into(), &"card".into()));
    assert!((1..=60_000).contains(&paused["left_ms"].as_u64().unwrap()));
    assert_eq!((&consent["answer"], &consent["by"]), (&"accepted".into(), &"key".into()));
    let desk = get(served.address, "/api/v1/agents/acme/ana").await.json();
    assert_eq!(desk["live"]["recording_paused"]["until"], paused["until"], "the agent's desk says so");
    assert_eq!(one["name"], HOSTILE, "as text in JSON it is harmless");
    let ended = get(served.address, "/api/v1/calls/1-3-41").await.json();
    assert_eq!((&ended["place"], &ended["lang"]), (&"ended".into(), &"es".into()));
    *fake.asked.reply.lock().unwrap() = Some(Reply::Done);
    assert_eq!(post(served.address, &format!("/api/v1/calls/{CALL}/hang-up"), "").await.status, StatusCode::OK);
    assert_eq!(fake.asked.requests.lock().unwrap().pop(), Some(Request::HangUp { call: call() }));
}

#[tokio::test]
async fn a_call_says_by_which_policy_it_is_recorded_or_why_it_is_not() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let policy = || "queue acme/soporte: 25 %".to_string();
    fake.archive.facts.lock().unwrap().push(logged(5, Some(call()), What::RecordingOwed { policy: policy() }));
    let one = get(served.address, &format!("/api/v1/calls/{CALL}")).await.json();
    assert_eq!((&one["policy"], one["excluded"].is_null()), (&policy().into(), true));
    let ended = Some("1-3-41".parse().unwrap());
    fake.archive.facts.lock().unwrap().push(logged(
        6,
        ended,
        What::ConsentRefused { step: "agree".into(), by: ConsentBy::Silence },
    ));
    fake.archive.facts.lock().unwrap().push(logged(
        7,
        ended,
        What::RecordingExcluded { reason: Excluded::NoConsent, policy: policy() },
    ));
    let one = get(served.address, "/api/v1/calls/1-3-41").await.json();
    assert_eq!((&one["policy"], &one["excluded"]), (&policy().into(), &"no_consent".into()));
    assert_eq!((&one["consent"]["answer"], &one["consent"]["by"]), (&"refused".into(), &"silence".into()));
}

#[tokio::test]
async fn events_come_as_cloud_events_filtered_and_page_by_page() {
    let served = Fake::new().serve(None).await;
    let ids = |answer: http::Answer| -> Vec<String> {
        answer.json()["events"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(ids(get(served.address, "/api/v1/events").await), ["3-1", "3-2", "3-3", "3-4"]);
    assert_eq!(ids(get(served.address, "/api/v1/events?after=3-2&limit=1").await), ["3-3"]);
    assert_eq!(ids(get(served.address, "/api/v1/events?newest=true&limit=2").await), ["3-3", "3-4"]);
    assert_eq!(ids(get(served.address, "/api/v1/events?type=call").await), ["3-1", "3-2", "3-4"]);
    assert_eq!(ids(get(served.address, "/api/v1/events?type=call.ended").await), ["3-4"]);
    assert_eq!(ids(get(served.address, &format!("/api/v1/events?call={CALL}")).await), ["3-1", "3-2"]);
    let page = get(served.address, "/api/v1/events?after=3-4").await.json();
    assert_eq!((page["events"].as_array().unwrap().len(), &page["next"]), (0, &"3-4".into()));
    let envelope = get(served.address, "/api/v1/events?limit=1").await.json()["events"][0].clone();
    assert_eq!(
        (&envelope["specversion"], &envelope["source"], &envelope["subject"]),
        (&"1.0".into(), &"/centralita/acme/1".into(), &"call/1-3-42".into())
    );
}

#[tokio::test]
async fn a_follower_that_comes_back_misses_nothing_and_gets_nothing_twice() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let mut events = Events::open(served.address, "/api/v1/events/stream", &[("last-event-id", "3-2")]).await;
    assert!(events.next().await.unwrap().contains("id: 3-3"));
    assert_eq!(data(&events.next().await.unwrap())["id"], "3-4");
    fake.archive.append(logged(5, Some(call()), What::CallEnded { duration_ms: 1, visits: 1 }));
    assert_eq!(data(&events.next().await.unwrap())["id"], "3-5");
    // More than the channel holds, at once: the reader falls behind and reads the store instead.
    for seq in 6..60 {
        fake.archive.append(logged(seq, Some(call()), What::CallAnswered {}));
    }
    for seq in 6..60 {
        assert_eq!(data(&events.next().await.unwrap())["id"], format!("3-{seq}"));
    }
}

#[tokio::test]
async fn a_follower_without_a_mark_hears_what_is_new_and_only_what_it_asked_for() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let mut events = Events::open(served.address, "/api/v1/events/stream?type=call.ended", &[]).await;
    fake.archive.append(logged(5, None, What::NodeHeartbeat { calls: 1 }));
    fake.archive.append(logged(6, Some(call()), What::CallEnded { duration_ms: 1, visits: 1 }));
    assert_eq!(data(&events.next().await.unwrap())["id"], "3-6");
    served.stop().await.unwrap();
    assert_eq!(events.next().await, None, "the end of the node ends its streams");
}

#[tokio::test]
async fn tickets_are_read_by_number_and_two_tenants_may_share_one() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    assert_eq!(get(served.address, "/api/v1/tickets").await.json()[0]["number"], "T-000007");
    assert_eq!(get(served.address, "/api/v1/tickets?call=1-1-1").await.json().as_array().unwrap().len(), 0);
    assert_eq!(get(served.address, "/api/v1/tickets/7").await.json()["call"], CALL);
    fake.archive.tickets.lock().unwrap().push(ticket("zeta", 7));
    let both = get(served.address, "/api/v1/tickets/T-000007").await;
    assert_eq!((both.status, both.json()["expected"].as_str()), (StatusCode::CONFLICT, Some("?tenant= with one of acme, zeta")));
    assert_eq!(get(served.address, "/api/v1/tickets/T-000007?tenant=zeta").await.json()["tenant"], "zeta");
}

#[tokio::test]
async fn a_recording_is_heard_by_its_id_whole_or_from_the_middle() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let row = get(served.address, "/api/v1/recordings?call=1-3-42").await.json()[0].clone();
    assert_eq!((&row["kept"], &row["agent"]), (&"complete".into(), &"acme/ana".into()));
    assert!(row.as_object().unwrap().keys().all(|key| !key.contains("file") && !key.contains("path")));
    let path = "/api/v1/recordings/1-3-42.c1.p1/audio";
    let whole = get(served.address, path).await;
    assert_eq!(
        (whole.status, &whole.headers["content-type"], &whole.body[..]),
        (StatusCode::OK, &"audio/wav".parse().unwrap(), &fake.archive.wav[..])
    );
    let part = ask(served.address, Method::GET, path, &[("range", "bytes=70000-70009")], "").await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &fake.archive.wav[70_000..70_010]));
    assert_eq!(part.headers["content-range"], "bytes 70000-70009/100000");
    let outside = ask(served.address, Method::GET, path, &[("range", "bytes=100000-")], "").await;
    assert_eq!(outside.status, StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn figures_come_at_once_and_again_after_a_change() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let figures = get(served.address, "/api/v1/figures").await.json();
    assert_eq!((&figures["site"], &figures["totals"]["visits"]["answered"]), (&"Acme <soporte>".into(), &66.into()));
    assert_eq!((&figures["languages"]["es"], &figures["names"]["acme/ana"]), (&51.into(), &"Ana Torres".into()));
    let mut events = Events::open(served.address, "/api/v1/figures/stream", &[]).await;
    assert_eq!(data(&events.next().await.unwrap())["totals"]["waiting_now"], 6);
    fake.publish(|f| f.totals.waiting_now = 99);
    assert_eq!(data(&events.next().await.unwrap())["totals"]["waiting_now"], 99);
    assert_eq!(data(&events.next().await.unwrap())["totals"]["waiting_now"], 99, "a quiet node is heard of too");
}

#[tokio::test]
async fn health_is_a_status_that_a_monitor_understands() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let well = get(served.address, "/api/v1/health").await;
    assert_eq!((well.status, &well.json()["status"], &well.json()["version"]), (StatusCode::OK, &"ok".into(), &"0.1.0".into()));
    fake.health.lock().unwrap().alarms.push("the disk is full".into());
    let ill = get(served.address, "/api/v1/health").await;
    assert_eq!((ill.status, &ill.json()["alarms"][0]), (StatusCode::SERVICE_UNAVAILABLE, &"the disk is full".into()));
}

#[tokio::test]
async fn metrics_are_text_for_prometheus() {
    let fake = Fake::new();
    fake.health.lock().unwrap().breaches = 3;
    let served = fake.serve(None).await;
    let page = get(served.address, "/metrics").await;
    assert_eq!(page.headers["content-type"], "text/plain; version=0.0.4");
    for line in [
        "centralita_queue_waiting{queue=\"acme/soporte\"} 2",
        "centralita_calls_incoming_total 104",
        "centralita_agents{state=\"talking\"} 2",
        "centralita_engine_calls{place=\"conversation\"} 1",
        "centralita_invariant_breaches_total 3",
        "centralita_log_bytes 4096",
    ] {
        assert!(page.text().lines().any(|l| l == line), "{line} is missing in\n{}", page.text());
    }
}

#[tokio::test]
async fn a_fault_in_one_request_is_a_500_and_the_next_is_served() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let health = fake.health.clone();
    // A poisoned lock makes the health door panic.
    let _ = std::thread::spawn(move || {
        let _held = health.lock().unwrap();
        panic!("on purpose");
    })
    .join();
    let answer = get(served.address, "/api/v1/health").await;
    assert_eq!((answer.status, answer.json()["expected"].as_str()), (StatusCode::INTERNAL_SERVER_ERROR, Some("a bug report")));
    assert_eq!(get(served.address, "/api/v1/queues").await.status, StatusCode::OK);
}

/// The clock is virtual: it jumps on whenever nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_question_is_shown_the_door() {
    let served = Fake::new().serve(None).await;
    let mut slow = tokio::net::TcpStream::connect(served.address).await.unwrap();
    slow.write_all(b"GET /api/v1/queues HTTP/1.1\r\nhost: local").await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert!((10..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_that_tells_no_path() {
    let fake = Fake::new();
    *fake.archive.broken.lock().unwrap() = true;
    let served = fake.serve(None).await;
    for path in ["/api/v1/tickets", "/api/v1/events", "/api/v1/recordings", "/api/v1/calls/1-3-42", "/api/v1/events/stream"] {
        let answer = get(served.address, path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!answer.text().contains("/var/lib"));
    }
    assert_eq!(get(served.address, "/api/v1/queues").await.status, StatusCode::OK, "figures need no store");
}

#[tokio::test]
async fn with_a_token_every_route_but_the_page_asks_for_it() {
    let served = Fake::new().serve(Some("sesame")).await;
    let routes = [
        "/api/v1/queues",
        "/api/v1/agents",
        "/api/v1/calls",
        "/api/v1/events",
        "/api/v1/events/stream",
        "/api/v1/tickets",
        "/api/v1/recordings",
        "/api/v1/recordings/1-3-42.c1.p1/audio",
        "/api/v1/figures",
        "/api/v1/figures/stream",
        "/api/v1/definitions",
        "/api/v1/health",
        "/metrics",
        "/nothing",
    ];
    for path in routes {
        assert_eq!(get(served.address, path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        for wrong in ["Bearer sesam", "Bearer ", "Basic sesame", "sesame"] {
            let answer = ask(served.address, Method::GET, path, &[("authorization", wrong)], "").await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} with {wrong}");
        }
    }
    assert_eq!(post(served.address, "/api/v1/agents/acme/ana/ready", "").await.status, StatusCode::UNAUTHORIZED);
    for path in ["/", "/wallboard.css", "/wallboard.js", "/words.js", "/meanings.js", "/icon.svg"] {
        assert_eq!(get(served.address, path).await.status, StatusCode::OK, "{path}");
    }
    let with = [("authorization", "Bearer sesame"), ("host", "wall.example")];
    assert_eq!(ask(served.address, Method::GET, "/api/v1/queues", &with, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_token_only_loopback_names_are_answered() {
    let served = Fake::new().serve(None).await;
    for path in ["/", "/api/v1/figures", "/metrics"] {
        let rebound = ask(served.address, Method::GET, path, &[("host", "evil.example:8080")], "").await;
        assert_eq!(rebound.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        for ours in ["localhost:9000", "127.0.0.1", "[::1]:8080"] {
            assert_eq!(
                ask(served.address, Method::GET, path, &[("host", ours)], "").await.status,
                StatusCode::OK,
                "{path} at {ours}"
            );
        }
    }
}

#[tokio::test]
async fn no_page_of_another_site_can_make_a_browser_act_here() {
    let fake = Fake::new();
    *fake.asked.reply.lock().unwrap() = Some(Reply::Done);
    let served = fake.serve(None).await;
    let path = "/api/v1/agents/acme/ana/log-out";
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = ask(served.address, Method::POST, path, &[("origin", origin)], "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert!(fake.asked.requests.lock().unwrap().is_empty());
    let own = format!("http://{}", served.address);
    assert_eq!(ask(served.address, Method::POST, path, &[("origin", &own)], "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_loads_nothing_from_outside_and_runs_nothing_inline() {
    let served = Fake::new().serve(None).await;
    let page = get(served.address, "/").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let lower = page.text().to_lowercase();
    for inline in ["http://", "https://", "style=", "onclick", "onload", "onerror", "<script>", "javascript:"] {
        assert!(!lower.contains(inline), "{inline}");
    }
    let script = get(served.address, "/wallboard.js").await;
    for dangerous in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https://"] {
        assert!(!script.text().contains(dangerous), "{dangerous}");
    }
}

#[tokio::test]
async fn an_open_address_without_a_token_is_not_served() {
    let fake = Fake::new();
    let error = fake.serve_at("0.0.0.0:0".parse().unwrap(), None, "x").await.stop().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("token"), "{error}");
    fake.serve_at("0.0.0.0:0".parse().unwrap(), Some("t"), "x").await.stop().await.unwrap();
}

#[tokio::test]
async fn whoever_listens_is_written_down_before_anything_is_heard() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let audio = "/api/v1/recordings/1-3-42.c1.p1/audio";
    let who = [("x-centralita-who", "ana")];
    ask(served.address, Method::GET, audio, &who, "").await;
    ask(served.address, Method::GET, &format!("{audio}?as=export&why=court+order"), &who, "").await;
    let expected = ["ana play 1-3-42.c1.p1 ", "ana export 1-3-42.c1.p1 court order"];
    assert_eq!(*fake.shelf.0.lock().unwrap(), expected);
    let unwritten = ask(served.address, Method::GET, &format!("{audio}?why=the+disk+is+full"), &who, "").await;
    assert_eq!(unwritten.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!unwritten.body.windows(4).any(|w| w == b"RIFF"), "what can't be written down is not heard");
}

#[tokio::test]
async fn a_recording_is_verified_or_erased_with_a_reason_by_its_id() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let json = [("content-type", "application/json"), ("x-centralita-who", "ana")];
    let post = async |path: &str, body: &str| ask(served.address, Method::POST, path, &json, body).await;
    assert_eq!(post("/api/v1/recordings/1-3-42.c1.p1/verify", "{}").await.json()["outcome"], "complete");
    assert_eq!(post("/api/v1/recordings/1-3-42.c1.p1/erase", "{}").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post("/api/v1/recordings/1-3-42.c1.p1/erase", r#"{"why":"asked for"}"#).await.json()["outcome"], "erased");
    assert_eq!(post("/api/v1/recordings/1-3-42.c9.p9/verify", "{}").await.status, StatusCode::NOT_FOUND);
    assert!(!fake.shelf.0.lock().unwrap().iter().any(|line| line.contains("c9.p9")), "what nobody knows was not accessed");
    assert_eq!(post("/api/v1/recordings/..%2Fx/erase", r#"{"why":"x"}"#).await.status, StatusCode::BAD_REQUEST);
    let all = post("/api/v1/recordings/verify", "").await;
    assert_eq!(String::from_utf8_lossy(&all.body).lines().count(), 2);
    assert!(fake.shelf.0.lock().unwrap().contains(&"ana erase 1-3-42.c1.p1 asked for".to_string()));
    let log = get(served.address, "/api/v1/recordings/accesses").await;
    assert_eq!(vault::access::check(std::str::from_utf8(&log.body).unwrap()).unwrap().head.n, 2);
}

#[tokio::test]
async fn what_is_wrong_with_one_recording_is_said_and_is_no_fault_of_the_node() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let json = [("content-type", "application/json"), ("x-centralita-who", "ana")];
    let post = async |path: &str, body: &str| ask(served.address, Method::POST, path, &json, body).await;
    let gone = get(served.address, "/api/v1/recordings/1-3-42.c1.p7/audio").await;
    assert_eq!((gone.status, &gone.json()["error"]), (StatusCode::GONE, &"1-3-42.c1.p7 was erased: asked for".into()));
    let sealed = get(served.address, "/api/v1/recordings/1-3-42.c1.p8/audio").await;
    assert_eq!((sealed.status, &sealed.json()["expected"]), (StatusCode::UNPROCESSABLE_ENTITY, &"its master key".into()));
    let silent = get(served.address, "/api/v1/recordings/1-3-42.c1.p6/audio").await;
    assert_eq!(
        (silent.status, &silent.json()["error"]),
        (StatusCode::NOT_FOUND, &"there is no sound of recording 1-3-42.c1.p6".into())
    );
    let held = post("/api/v1/recordings/1-3-42.c1.p1/erase", r#"{"why":"held"}"#).await;
    assert_eq!((held.status, &held.json()["error"]), (StatusCode::CONFLICT, &"hold 7 keeps it: a court".into()));
    assert_eq!(post("/api/v1/recordings/1-3-42.c1.p1/erase", r#"{"why":"young"}"#).await.status, StatusCode::CONFLICT);
    let early = post("/api/v1/recordings/1-3-42.c1.p1/erase", r#"{"why":"young","early":true}"#).await;
    assert_eq!(early.json()["outcome"], "erased");
    let outside = [("range", "bytes=1000000-"), ("x-centralita-who", "ana")];
    let nothing = ask(served.address, Method::GET, "/api/v1/recordings/1-3-42.c1.p1/audio", &outside, "").await;
    assert_eq!(nothing.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let written = [
        "api play 1-3-42.c1.p7 : 1-3-42.c1.p7 was erased: asked for",
        "api play 1-3-42.c1.p8 : 1-3-42.c1.p8: its key does not open",
        "api play 1-3-42.c1.p6 : there is no sound of recording 1-3-42.c1.p6",
        "ana erase 1-3-42.c1.p1 held: hold 7 keeps it: a court",
        "ana erase 1-3-42.c1.p1 young: its minimum has not passed",
        "ana erase 1-3-42.c1.p1 young",
    ];
    assert_eq!(*fake.shelf.0.lock().unwrap(), written, "what was refused says so, and what gave nothing out is not there");
}

#[tokio::test]
async fn spans_the_wrong_way_round_and_names_that_nobody_has_are_told() {
    let served = Fake::new().serve(None).await;
    let error = |row: serde_json::Value| row["error"].as_str().unwrap().to_string();
    let turned = get(served.address, "/api/v1/recordings?from=2026-11-23&to=2026-11-22T08:00:00Z").await.json();
    assert_eq!(error(turned), "`from` (2026-11-23) is not before `to` (2026-11-22T08:00:00Z): nothing begins between them");
    let turned = get(served.address, "/api/v1/recordings?shortest_ms=90500&longest_ms=60000").await.json();
    assert_eq!(error(turned), "`shortest_ms` (90.5 s) is more than `longest_ms` (60 s)");
    let none = get(served.address, "/api/v1/recordings?agent=acme/anna").await;
    assert_eq!((none.status, none.json()), (StatusCode::OK, serde_json::json!([])));
    assert_eq!(none.headers["x-centralita-hint"], "no agent is called acme/anna (did you mean acme/ana?)");
    assert!(!get(served.address, "/api/v1/recordings?agent=acme/ana").await.headers.contains_key("x-centralita-hint"));
}

#[tokio::test]
async fn a_hold_needs_something_to_hold_and_a_reason() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let json = [("content-type", "application/json"), ("x-centralita-who", "ana")];
    let post = async |path: &str, body: &str| ask(served.address, Method::POST, path, &json, body).await;
    for bad in
        [r#"{"why":"everything"}"#, r#"{"queue":"acme/soporte"}"#, r#"{"queue":"x","why":"a"}"#, r#"{"from":"now","why":"a"}"#]
    {
        assert_eq!(post("/api/v1/recordings/hold", bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    let held = post("/api/v1/recordings/hold", r#"{"queue":"acme/soporte","from":"2026-11-22","why":"a court"}"#).await;
    assert_eq!((held.status, &held.json()["of"]), (StatusCode::CREATED, &"queue=acme/soporte".into()));
    let noted = fake.shelf.0.lock().unwrap().remove(0);
    assert!(noted.contains("Wall(1795327200000000)"), "a day begins where the node is: {noted}");
    let turned = post("/api/v1/recordings/hold", r#"{"from":"2026-11-23","to":"2026-11-22","why":"a court"}"#).await;
    assert_eq!(turned.status, StatusCode::BAD_REQUEST);
    let stranger = post("/api/v1/recordings/hold", r#"{"agent":"acme/anna","why":"a court"}"#).await;
    let told = "no agent is called acme/anna (did you mean acme/ana?)";
    assert_eq!((stranger.status, &stranger.json()["error"]), (StatusCode::NOT_FOUND, &told.into()));
    assert!(fake.shelf.0.lock().unwrap().is_empty(), "nothing was held");
    let nobody = post("/api/v1/recordings/hold", r#"{"caller":"+5215550001","why":"a court"}"#).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert_eq!(get(served.address, "/api/v1/recordings/holds").await.json()[0]["hold"], 7);
    assert_eq!(post("/api/v1/recordings/release", r#"{"hold":7}"#).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post("/api/v1/recordings/release", r#"{"hold":7,"why":"done"}"#).await.json()["hold"], 7);
    assert_eq!(post("/api/v1/recordings/release", r#"{"hold":8,"why":"done"}"#).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_plan_comes_line_by_line_and_ends_with_what_it_comes_to() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let plan = get(served.address, "/api/v1/recordings/retention?days=2").await;
    let lines: Vec<serde_json::Value> =
        String::from_utf8_lossy(&plan.body).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["cause"], &lines[0]["at"]), (3, &"maximum".into(), &"2026-11-22T14:00:00.000000Z".into()));
    assert_eq!(lines[2]["plan"]["now"], "2026-11-22T14:00:00.000000Z");
    let orphans = get(served.address, "/api/v1/recordings/orphans").await;
    assert_eq!(String::from_utf8_lossy(&orphans.body).lines().count(), 1);
}

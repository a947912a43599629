//! Supervisors: listen, whisper, barge in, take over; and line 18 of calls.md.

use crate::office::{Office, agent_id, to_agent, to_queue};
use base::fact::Monitor;
use engine::{Reply, Request};

fn monitors(o: &mut Office, mode: Monitor) {
    let call = o.call();
    assert_eq!(o.asks(Request::Monitor { call, supervisor: agent_id("eva"), mode }), Reply::Done);
}

fn all(o: &Office) -> [String; 3] {
    ["caller", "ana", "eva"].map(|who| o.hears(who))
}

#[test]
fn a_supervisor_listens_whispers_and_barges_in() {
    let mut o = Office::with_ana();
    monitors(&mut o, Monitor::Listen);
    assert_eq!((o.rings("eva"), o.state("eva").as_str()), (true, "engaged"));
    assert_eq!(o.hears("caller"), "ana", "nobody notices the ringing");
    o.answers("eva");
    assert_eq!(all(&o), ["ana", "caller", "ana caller"]);
    assert_eq!(o.played("eva").last().map(String::as_str), Some("agent-listening"));
    monitors(&mut o, Monitor::Whisper);
    assert_eq!(all(&o), ["ana", "caller eva", "ana caller"]);
    monitors(&mut o, Monitor::Barge);
    assert_eq!(all(&o), ["ana eva", "caller eva", "ana caller"]);
    assert_eq!(o.view().monitors, [(agent_id("eva"), Monitor::Barge)]);
    o.pass(4);
    let call = o.call();
    assert_eq!(o.asks(Request::StopMonitor { call, supervisor: agent_id("eva") }), Reply::Done);
    assert_eq!((all(&o), o.state("eva").as_str()), (["ana".into(), "caller".into(), "gone".into()], "available"));
    let ended = o.fact("supervisor.monitor_ended");
    assert_eq!((&ended["who"], &ended["monitored_ms"], &ended["agent_id"]), (&"desk".into(), &4_000.into(), &"acme/eva".into()));
    assert_eq!(o.count("supervisor.acted"), 4);
    o.close();
}

#[test]
fn a_supervisor_listens_by_feature_code_and_changes_the_mode_by_keys() {
    let mut o = Office::with_ana();
    o.dials("eva", "*17201");
    assert_eq!(o.centre.snapshot().calls.len(), 1);
    assert_eq!(all(&o), ["ana", "caller", "ana caller"]);
    o.presses("eva", '5');
    assert_eq!(all(&o), ["ana", "caller eva", "ana caller"]);
    o.presses("eva", '6');
    assert_eq!(all(&o), ["ana eva", "caller eva", "ana caller"]);
    o.presses("eva", '4');
    assert_eq!(all(&o), ["ana", "caller", "ana caller"]);
    assert_eq!(o.fact("supervisor.acted")["who"], "acme/eva");
    o.presses("eva", '7');
    assert_eq!(all(&o), ["eva", "gone", "caller"]);
    assert_eq!((o.state("ana").as_str(), o.state("eva").as_str()), ("wrap_up", "talking"));
    assert_eq!(o.fact("agent_leg.ended")["cause"], "by_supervisor");
    o.close();
}

#[test]
fn only_a_supervisor_may_listen() {
    let mut o = Office::with_ana();
    o.dials("beto", "*17201");
    assert!(!o.in_call("beto"));
    let call = o.call();
    let reply = o.asks(Request::Monitor { call, supervisor: agent_id("beto"), mode: Monitor::Listen });
    assert!(matches!(reply, Reply::Refused { .. }));
    o.dials("eva", "*17202");
    assert!(!o.in_call("eva"), "beto has no call");
    assert_eq!(o.count("supervisor.monitor_started"), 0);
    o.close();
}

#[test]
fn line_18_a_supervisors_exit_never_ends_a_call() {
    let mut o = Office::with_ana();
    monitors(&mut o, Monitor::Barge);
    o.answers("eva");
    o.hangs_up("eva");
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str(), o.count("call.ended")), ("ana", "caller", 0));
    o.close();
}

#[test]
fn line_18_a_supervisors_phone_that_does_not_answer_disturbs_nobody() {
    let mut o = Office::with_ana();
    monitors(&mut o, Monitor::Listen);
    o.refuses("eva", 486);
    assert_eq!((o.view().monitors.len(), o.state("eva").as_str(), o.hears("caller").as_str()), (0, "available", "ana"));
    assert_eq!(o.count("supervisor.monitor_ended"), 0, "it never began");
    o.close();
}

#[test]
fn line_18_monitoring_follows_transfers() {
    let mut o = Office::with_ana();
    monitors(&mut o, Monitor::Whisper);
    o.answers("eva");
    let call = o.call();
    o.asks(Request::Transfer { call, to: to_agent("beto") });
    assert_eq!(o.hears("eva"), "-");
    o.answers("beto");
    assert_eq!((o.hears("eva").as_str(), o.hears("beto").as_str()), ("beto caller", "caller eva"));
    o.asks(Request::Transfer { call, to: to_queue("soporte") });
    assert!(o.in_call("eva"));
    o.hangs_up("caller");
    assert!(!o.in_call("eva"), "with the call monitoring ends");
    o.close();
}

#[test]
fn a_supervisor_takes_over_by_request_and_only_who_takes_part() {
    let mut o = Office::with_ana();
    let call = o.call();
    let take_over = Request::TakeOver { call, supervisor: agent_id("eva") };
    assert!(matches!(o.asks(take_over.clone()), Reply::Refused { .. }));
    monitors(&mut o, Monitor::Listen);
    o.answers("eva");
    o.pass(3);
    assert_eq!(o.asks(take_over), Reply::Done);
    assert_eq!((o.hears("caller").as_str(), o.hears("eva").as_str(), o.in_call("ana")), ("eva", "caller", false));
    assert_eq!(
        (&o.fact("agent_leg.connected")["agent_id"], &o.fact("agent_leg.connected")["queue"]),
        (&"acme/eva".into(), &"acme/soporte".into())
    );
    assert_eq!(o.view().agent, Some(agent_id("eva")));
    o.hangs_up("caller");
    assert_eq!(o.state("eva"), "wrap_up");
    o.close();
}

#[test]
fn agent_and_customer_hear_a_beep_where_the_account_wants_it() {
    for tone in [true, false] {
        let mut o = Office::with(|site| site.accounts.values_mut().for_each(|a| a.monitor_tone = tone)).calls_ana();
        monitors(&mut o, Monitor::Listen);
        o.answers("eva");
        let beeps = ["caller", "ana"].map(|who| o.played(who).contains(&"beep".to_string()));
        assert_eq!(beeps, [tone, tone]);
        assert_eq!(o.hears("caller"), "ana", "they go on hearing each other");
        o.close();
    }
}

#[test]
fn a_supervisor_hears_a_consultation_and_whispers_into_it() {
    let mut o = Office::with_ana();
    monitors(&mut o, Monitor::Whisper);
    o.answers("eva");
    let call = o.call();
    o.asks(Request::Consult { call, to: to_agent("beto") });
    o.answers("beto");
    assert_eq!(o.hears("eva"), "ana beto");
    assert_eq!((o.hears("ana").as_str(), o.hears("beto").as_str(), o.hears("caller").as_str()), ("beto eva", "ana", "hold"));
    o.close();
}

#[test]
fn of_contradictory_commands_the_last_wins_and_both_are_in_the_log() {
    let mut o = Office::open();
    let queue: base::QueueId = "acme/soporte".parse().unwrap();
    o.asks(Request::SetOpen { queue: queue.clone(), open: Some(true) });
    o.asks(Request::SetOpen { queue, open: Some(false) });
    o.dials("caller", "100");
    assert_eq!((o.count("queue.refused"), o.fact("queue.refused")["cause"].as_str()), (1, Some("closed")));
    assert_eq!((o.count("supervisor.acted"), o.count("config.overridden")), (2, 2));
    assert_eq!(o.fact("config.overridden")["to"], "closed");
    o.close();
}

#[test]
fn a_waiting_call_is_moved_and_raised_by_request() {
    let mut o = Office::with(|site| site.agents.values_mut().for_each(|a| a.acd.starts_logged_in = false));
    o.dials("caller", "100");
    let call = o.call();
    assert_eq!(o.asks(Request::Prioritise { call, priority_s: 90 }), Reply::Done);
    assert_eq!(o.centre.snapshot().visits[0].priority_s, 90);
    o.pass(5);
    assert_eq!(o.asks(Request::Move { call, queue: "acme/ventas".parse().unwrap() }), Reply::Done);
    let entered = o.fact("queue.entered");
    assert_eq!((&entered["queue"], &entered["credit_ms"]), (&"acme/ventas".into(), &5_000.into()));
    assert_eq!(o.fact("queue.left")["outcome"], "overflowed");
    o.close();
}

#[test]
fn a_move_that_changes_nothing_is_refused_with_its_reason_and_is_nobodys_act() {
    let mut o = Office::with(|site| {
        site.agents.values_mut().for_each(|a| a.acd.starts_logged_in = false);
        site.queues.values_mut().for_each(|queue| queue.capacity = 1);
    });
    o.dials("other", "100");
    let first = o.call();
    let to = |call, queue: &str| Request::Move { call, queue: queue.parse().unwrap() };
    assert_eq!(o.asks(to(first, "acme/ventas")), Reply::Done);
    o.dials("caller", "100");
    let call = o.centre.snapshot().calls.last().unwrap().call;
    assert_eq!(o.asks(to(call, "acme/ventas")), Reply::Refused { why: "the queue is full".into() });
    assert_eq!(o.asks(to(call, "acme/soporte")), Reply::Refused { why: "it waits there already".into() });
    assert_eq!((o.count("supervisor.acted"), o.count("queue.entered")), (1, 3));
    o.close();
}

#[test]
fn after_a_crash_monitoring_and_conversation_are_closed_at_the_last_moment_known() {
    let mut o = Office::with_ana();
    monitors(&mut o, Monitor::Listen);
    o.answers("eva");
    o.pass(3);
    let log = o.facts.iter().zip(1..);
    let log: Vec<_> = log.map(|(fact, seq)| base::fact::Logged { epoch: 1, seq, fact: fact.clone() }).collect();
    let open = engine::Open::fold(&log);
    let mut next = Office::open();
    next.facts.clear();
    next.feed(engine::Input::Resume(Box::new(engine::Resume { open, ..engine::Resume::default() })));
    let closed: Vec<_> = next.story().into_iter().take_while(|name| name != "node.started").collect();
    assert_eq!(
        closed,
        ["agent_leg.ended", "supervisor.monitor_ended", "call.ended", "recording.failed", "node.stopped"],
        "the recording was begun, and nobody mended it"
    );
    assert_eq!(next.fact("call.ended")["cause"], "node_lost");
}

#[test]
fn who_is_logged_out_may_listen_and_is_given_no_customer() {
    let mut o = Office::with_ana();
    o.asks(Request::Agent { agent: agent_id("eva"), ask: acd::Ask::LogOut });
    monitors(&mut o, Monitor::Barge);
    o.answers("eva");
    let call = o.call();
    let refused = o.asks(Request::TakeOver { call, supervisor: agent_id("eva") });
    assert_eq!(refused, Reply::Refused { why: "the supervisor is logged out".into() });
    o.presses("eva", '7');
    assert_eq!((all(&o), o.state("ana").as_str()), (["ana eva".into(), "caller eva".into(), "ana caller".into()], "talking"));
    o.close();
}

#[test]
fn listening_to_a_call_that_is_never_answered_ends_before_it() {
    let mut o = Office::open();
    o.asks(Request::Dial { agent: agent_id("ana"), to: to_agent("beto") });
    monitors(&mut o, Monitor::Listen);
    o.answers("eva");
    o.refuses("ana", 486);
    let story = o.story();
    assert!(story.windows(2).any(|next| next == ["supervisor.monitor_ended", "call.rejected"]), "{story:?}");
    o.close();
}

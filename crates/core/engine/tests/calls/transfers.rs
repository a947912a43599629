//! Line 9 of calls.md: calls passed on, by request and by REFER.

use crate::line::Line;
use crate::office::{Office, agent_id, to_agent, to_number, to_queue};
use engine::{Place, Reply, Request};

fn transfers(office: &mut Office, to: engine::Target) {
    let call = office.call();
    assert_eq!(office.asks(Request::Transfer { call, to }), Reply::Done);
}

#[test]
fn line_09_a_blind_transfer_to_an_agent_is_the_same_call_with_its_next_conversation() {
    let mut o = Office::with_ana();
    o.pass(5);
    transfers(&mut o, to_agent("beto"));
    assert_eq!((o.state("ana").as_str(), o.place(), o.hears("caller").as_str()), ("wrap_up", Place::Offer, "hold"));
    assert!(!o.in_call("ana") && o.rings("beto"));
    assert_eq!(o.state("beto"), "engaged");
    o.pass(3);
    o.answers("beto");
    assert_eq!((o.hears("caller").as_str(), o.hears("beto").as_str()), ("beto", "caller"));
    assert_eq!((o.state("beto").as_str(), o.place()), ("talking", Place::Conversation));
    assert_eq!(o.fact("agent_leg.transferred")["to"], "agent/beto");
    assert_eq!(o.fact("agent_leg.transferred")["kind"], "blind");
    assert_eq!(o.fact("agent_leg.ended")["talk_ms"], 5_000);
    assert_eq!(o.fact("agent_leg.connected")["conversation_id"], "1-1-1.c2");
    o.hangs_up("caller");
    assert_eq!(o.state("beto"), "wrap_up", "the wrap-up is that of the call's queue");
    o.close();
}

#[test]
fn line_09_a_blind_transfer_by_refer_ends_its_subscription_with_the_answer() {
    let mut o = Office::with_ana();
    o.refers("ana", "202", false);
    assert_eq!(o.state("ana"), "wrap_up");
    assert!(o.rings("beto") && o.in_call("ana"), "the phone waits to hear how it went");
    assert_eq!(o.line("ana").notified, [100]);
    assert_eq!(o.hears("ana"), "-");
    o.answers("beto");
    let ana = o.first("ana");
    assert_eq!((ana.notified.as_slice(), ana.over), (&[100, 200][..], true));
    assert_eq!(o.hears("beto"), "caller");
    o.close();
}

#[test]
fn line_09_nobody_answers_a_blind_transfer_and_the_agent_is_called_back() {
    let mut o = Office::with_ana();
    o.refers("ana", "202", false);
    o.refuses("beto", 486);
    let first = o.first("ana");
    assert_eq!((first.notified.as_slice(), first.over), (&[100, 486][..], true));
    assert!(o.rings("ana"), "recalled");
    assert_eq!((o.hears("caller").as_str(), o.state("beto").as_str()), ("hold", "available"));
    o.answers("ana");
    assert_eq!((o.hears("caller").as_str(), o.state("ana").as_str()), ("ana", "talking"));
    o.close();
}

#[test]
fn line_09_nobody_answers_the_recall_either_and_the_caller_has_the_old_place_in_front() {
    let mut o = Office::with_ana();
    transfers(&mut o, to_agent("beto"));
    o.pass(30);
    assert!(o.rings("ana") && !o.rings("beto"), "recalled when beto did not answer");
    o.pass(30);
    assert_eq!(o.place(), Place::Offer, "back in soporte, and ana is offered the call again");
    let entered = o.fact("queue.entered");
    assert_eq!(entered["queue"], "acme/soporte");
    assert!(entered["priority_s"].as_i64().unwrap() > 1_000_000, "in front of everybody");
    assert_eq!(o.played("caller").last().map(String::as_str), Some("apology"));
    o.answers("ana");
    assert_eq!(o.hears("ana"), "caller");
    o.close();
}

#[test]
fn line_09_an_agent_in_another_call_is_not_called_back() {
    let mut o = Office::with_ana();
    transfers(&mut o, to_agent("beto"));
    o.dials("ana", "203");
    assert!(o.rings("eva"));
    o.refuses("beto", 480);
    assert_eq!(o.fact("queue.entered")["visit_id"], "1-1-1.v2", "at once to the old place");
    o.close();
}

#[test]
fn line_09_a_transfer_to_a_queue_keeps_the_wait_and_begins_a_new_visit() {
    let mut o = Office::open();
    o.dials("caller", "100");
    o.pass(7);
    o.answers("ana");
    o.pass(10);
    transfers(&mut o, to_queue("ventas"));
    assert_eq!((o.state("ana").as_str(), o.place(), o.hears("caller").as_str()), ("wrap_up", Place::Offer, "music"));
    let entered = o.fact("queue.entered");
    assert_eq!((&entered["queue"], &entered["visit_id"]), (&"acme/ventas".into(), &"1-1-1.v2".into()));
    assert_eq!(entered["credit_ms"], 7_000, "the wait, not the talk");
    assert_eq!(o.fact("agent_leg.transferred")["kind"], "to_queue");
    o.pass(2);
    o.answers("beto");
    assert_eq!(o.fact("agent_leg.connected")["wait_ms"], 9_000);
    assert_eq!(o.hears("beto"), "caller");
    o.close();
}

#[test]
fn line_09_a_queue_that_does_not_take_the_call_gives_it_back_to_the_agent() {
    let mut o = Office::with_ana();
    o.refers("ana", "cerrada", false);
    assert_eq!(o.count("queue.refused"), 1);
    assert_eq!(o.first("ana").notified, [100, 480]);
    assert!(o.rings("ana"));
    o.answers("ana");
    assert_eq!(o.hears("caller"), "ana");
    o.close();
}

#[test]
fn line_09_a_transfer_by_refer_to_a_queue_is_told_when_the_call_is_in() {
    let mut o = Office::with_ana();
    o.refers("ana", "ventas", false);
    assert_eq!(o.first("ana").notified, [100, 200]);
    assert!(o.rings("beto") && !o.in_call("ana"));
    o.close();
}

#[test]
fn line_09_a_transfer_to_a_number_leaves_the_centre() {
    let mut o = Office::with_ana();
    transfers(&mut o, to_number("+525599"));
    assert_eq!((o.place(), o.hears("caller").as_str()), (Place::External, "hold"));
    o.answers("+525599");
    assert_eq!((o.hears("caller").as_str(), o.hears("+525599").as_str()), ("+525599", "caller"));
    assert_eq!((o.state("ana").as_str(), o.count("call.forwarded")), ("wrap_up", 1));
    assert_eq!(o.fact("agent_leg.transferred")["to"], "number");
    assert_eq!(o.view().third.as_deref(), Some("number"));
    o.hangs_up("+525599");
    assert_eq!(o.fact("call.ended")["cause"], "transferred");
    o.close();
}

#[test]
fn line_09_the_caller_leaves_while_a_transfer_rings() {
    let mut o = Office::with_ana();
    o.refers("ana", "202", false);
    o.hangs_up("caller");
    assert!(!o.rings("beto"));
    assert_eq!(o.first("ana").notified, [100, 487]);
    assert_eq!(o.state("beto"), "available");
    assert_eq!(o.fact("call.ended")["cause"], "caller_hung_up");
    o.close();
}

#[test]
fn line_09_a_phone_that_asked_by_refer_may_hang_up_before_it_is_told() {
    let mut o = Office::with_ana();
    o.refers("ana", "202", false);
    o.hangs_up("ana");
    assert!(o.rings("beto"));
    o.answers("beto");
    assert_eq!(o.hears("caller"), "beto");
    o.close();
}

#[test]
fn a_refer_from_the_caller_or_to_nowhere_is_refused() {
    let mut o = Office::with_ana();
    o.refers("caller", "202", false);
    o.refers("ana", "nadie", false);
    o.refers("ana", "201", false);
    assert_eq!((o.count("agent_leg.transferred"), o.hears("caller").as_str()), (0, "ana"));
    assert!(o.lines.iter().all(|line| line.notified.is_empty()));
    o.close();
}

#[test]
fn who_is_transferred_before_ever_waiting_hears_ringing() {
    let mut o = Office::open();
    o.dials("ana", "+525577");
    o.answers("+525577");
    assert_eq!(o.hears("ana"), "+525577");
    transfers(&mut o, to_agent("beto"));
    assert_eq!(o.hears("+525577"), "ringback");
    o.answers("beto");
    assert_eq!((o.hears("+525577").as_str(), o.state("ana").as_str()), ("beto", "available"));
    assert_eq!(o.state("beto"), "talking");
    o.hangs_up("beto");
    assert_eq!(o.state("beto"), "available", "no queue, no wrap-up");
    o.close();
}

#[test]
fn requests_that_cannot_be_are_refused_and_do_nothing() {
    let mut o = Office::with_ana();
    let call = o.call();
    let nobody = "1-1-99".parse().unwrap();
    let unknown = |reply: Reply| matches!(reply, Reply::Unknown { .. });
    let refused = |reply: Reply| matches!(reply, Reply::Refused { .. });
    assert!(unknown(o.asks(Request::Transfer { call: nobody, to: to_agent("beto") })));
    assert!(unknown(o.asks(Request::Transfer { call, to: to_agent("nadie") })));
    assert!(unknown(o.asks(Request::Transfer { call, to: to_queue("ninguna") })));
    assert!(unknown(o.asks(Request::Consult { call, to: to_queue("ninguna") })));
    assert!(refused(o.asks(Request::Dial { agent: agent_id("lola"), to: to_queue("ventas") })));
    assert!(refused(o.asks(Request::CompleteTransfer { call })));
    assert!(refused(o.asks(Request::Conference { call })));
    assert!(refused(o.asks(Request::Prioritise { call, priority_s: 5 })));
    assert_eq!(o.count("supervisor.acted"), 0);
    assert_eq!(o.hears("caller"), "ana");
    o.close();
}

#[test]
fn a_caller_who_leaves_while_the_transfer_rings_crosses_the_answer() {
    let mut o = Office::with_ana();
    transfers(&mut o, to_agent("beto"));
    o.on_line("beto", |line| line.respond(180, None));
    o.hangs_up("caller");
    assert!(o.first("beto").over, "cancelled");
    o.close();
}

#[test]
fn the_first_of_two_transfers_asked_at_once_wins_and_the_other_is_refused() {
    let mut o = Office::with_ana();
    transfers(&mut o, to_agent("beto"));
    let call = o.call();
    assert!(matches!(o.asks(Request::Transfer { call, to: to_queue("ventas") }), Reply::Refused { .. }));
    o.on_line("beto", Line::answer);
    assert_eq!(o.hears("caller"), "beto");
    o.close();
}

#[test]
fn another_phone_of_the_agent_takes_the_line_over_by_replaces() {
    let mut o = Office::with_ana();
    let line = o.first("ana");
    let replaces = format!("Replaces: {};to-tag={};from-tag={}\r\n", line.call_id, line.remote_tag, line.local_tag);
    o.dials_with("beto", "201", &replaces);
    assert_eq!(o.last("beto").statuses.last(), Some(&481), "not beto's line");
    o.dials_with("ana", "201", &replaces);
    assert!(o.first("ana").over);
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str(), o.state("ana").as_str()), ("ana", "caller", "talking"));
    assert_eq!(o.voices("c1.p1"), "caller|ana");
    o.close();
}

#[test]
fn the_facts_of_wrap_up_say_its_length_also_of_an_agent_who_is_called_back_at_once() {
    let mut o = Office::with_ana();
    o.asks(Request::Agent { agent: agent_id("eva"), ask: acd::Ask::LogOut });
    let call = o.call();
    assert_eq!(o.asks(Request::Transfer { call, to: to_agent("eva") }), Reply::Done);
    assert!(o.rings("ana"), "nobody is there: she is called back");
    assert_eq!(o.fact("wrapup.started")["limit_ms"], 20_000);
    o.close();
}

/// Two agents in soporte, where who comes back has the last agent again; ana, the first of them, talks with the caller.
fn with_sticky_agents() -> Office {
    Office::with(|site| {
        let soporte: base::QueueId = "acme/soporte".parse().unwrap();
        site.queues.get_mut(&soporte).unwrap().sticky = std::time::Duration::from_secs(60);
        site.agents.get_mut(&agent_id("beto")).unwrap().acd.queues = vec![soporte];
        site.agents.get_mut(&agent_id("beto")).unwrap().acd.rank = 1;
        site.queues.values_mut().for_each(|queue| queue.strategy = acd::Strategy::TopDown);
    })
    .calls_ana()
}

#[test]
fn whom_an_agent_passed_on_to_the_queue_does_not_wait_for_that_agent() {
    let mut o = with_sticky_agents();
    o.pass(5);
    transfers(&mut o, to_queue("soporte"));
    assert_eq!(o.state("ana"), "wrap_up");
    assert!(o.rings("beto") && !o.rings("ana"), "ana had the caller last, and passed the call on");
    o.answers("beto");
    assert_eq!(o.hears("caller"), "beto");
    o.close();
}

#[test]
fn whom_an_agent_passed_on_to_the_queue_may_have_that_agent_again_where_nobody_else_is() {
    let mut o = with_sticky_agents();
    let ask = acd::Ask::LogOut;
    assert_eq!(o.asks(Request::Agent { agent: agent_id("beto"), ask }), Reply::Done);
    transfers(&mut o, to_queue("soporte"));
    assert_eq!((o.state("ana").as_str(), o.place()), ("wrap_up", Place::Queue));
    o.pass(21);
    assert!(o.rings("ana"), "after the wrap-up, as anybody's call");
    o.close();
}

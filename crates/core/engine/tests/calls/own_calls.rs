//! Agents' own calls: line 13 of calls.md, and the emergency calls of line 17.

use crate::line::Line;
use crate::office::{Office, agent_id, to_agent, to_number, to_queue};
use engine::{Input, Place, Reply, Request};
use recording::Rule;

#[test]
fn line_13_early_media_of_an_outbound_call_is_relayed_without_a_second_ringback() {
    let mut o = Office::open();
    o.dials("ana", "+525577");
    assert_eq!(o.state("ana"), "engaged");
    o.on_line("+525577", Line::early);
    assert_eq!(o.line("ana").statuses, [100, 183]);
    assert_eq!(o.hears("ana"), "+525577", "what the network plays, and nothing of ours");
    o.on_line("+525577", Line::answer);
    assert_eq!((o.hears("ana").as_str(), o.hears("+525577").as_str()), ("+525577", "ana"));
    assert_eq!((o.place(), o.state("ana").as_str()), (Place::External, "engaged"));
    o.close();
}

#[test]
fn line_13_an_outbound_call_shows_the_tenants_number_and_has_facts_recording_and_state() {
    let mut o = Office::open();
    o.dials("ana", "+525577");
    let invite = o.line("+525577");
    assert!(invite.shows.is_empty() && invite.from().contains("+525550000000"), "{}", invite.from());
    o.answers("+525577");
    o.pass(9);
    let arrived = o.fact("call.arrived");
    assert_eq!((&arrived["direction"], &arrived["number"]), (&"outgoing".into(), &"".into()));
    assert_eq!(arrived["agent_id"], "acme/ana", "whose call it is, for the figures");
    assert!(arrived["party_id"].is_string(), "the customer, for the ticket");
    assert_eq!(o.voices("c1.p1"), "+525577|ana");
    o.hangs_up("ana");
    assert_eq!(o.fact("agent_leg.ended")["talk_ms"], 9_000);
    assert_eq!((o.state("ana").as_str(), o.count("call.ended")), ("available", 1));
    o.close();
}

#[test]
fn line_13_an_outbound_call_is_recorded_only_where_the_account_wants_it() {
    let mut o = Office::with(|site| site.recording.accounts.values_mut().for_each(|a| a.outbound = Rule::NONE));
    o.dials("ana", "+525577");
    o.answers("+525577");
    assert_eq!(o.voices("c1.p1"), "not recorded");
    o.close();
}

#[test]
fn line_13_an_internal_call_rings_the_colleague_and_blocks_both() {
    let mut o = Office::open();
    o.dials("ana", "202");
    o.on_line("beto", |line| line.respond(180, None));
    assert_eq!(o.line("ana").statuses, [100, 180]);
    o.on_line("beto", Line::answer);
    assert_eq!((o.hears("ana").as_str(), o.hears("beto").as_str()), ("beto", "ana"));
    assert_eq!((o.state("ana").as_str(), o.state("beto").as_str()), ("engaged", "engaged"));
    assert_eq!(o.fact("call.arrived")["direction"], "internal");
    o.dials("caller", "100");
    assert!(!o.rings("ana"), "a call of her own blocks her in all queues");
    o.hangs_up("beto");
    assert!(o.rings("ana"));
    o.close();
}

#[test]
fn an_own_call_that_fails_passes_the_far_ends_status_back() {
    let mut o = Office::open();
    for (status, seen) in [(486, 486), (404, 404), (603, 603), (302, 480)] {
        o.dials("ana", "+525577");
        o.refuses("+525577", status);
        let line = o.last("ana");
        assert_eq!((line.statuses.last(), line.over), (Some(&seen), true), "{status}");
    }
    assert_eq!((o.count("call.rejected"), o.state("ana").as_str()), (4, "available"));
    o.close();
}

#[test]
fn an_own_call_given_up_while_it_rings_is_cancelled_at_the_far_end() {
    let mut o = Office::open();
    o.dials("ana", "202");
    o.on_line("beto", |line| line.respond(180, None));
    o.on_line("ana", Line::cancel);
    assert!(!o.rings("beto"));
    assert_eq!((o.state("beto").as_str(), o.state("ana").as_str()), ("available", "available"));
    assert_eq!(o.fact("call.rejected")["status"], 487);
    o.close();
}

#[test]
fn an_own_call_that_nobody_answers_ends_by_itself() {
    let mut o = Office::open();
    o.dials("ana", "202");
    o.on_line("beto", |line| line.respond(180, None));
    o.pass(31);
    assert_eq!(o.fact("call.rejected")["cause"], "no_answer");
    assert!(!o.rings("beto"));
    o.close();
}

#[test]
fn call_waiting_is_off_for_own_calls_too() {
    let mut o = Office::with_ana();
    o.dials("beto", "201");
    let line = o.last("beto");
    assert_eq!((line.statuses.last(), o.hears("caller").as_str()), (Some(&486), "ana"));
    o.close();
}

#[test]
fn from_the_desk_the_own_phone_rings_first_and_hears_ringback() {
    let mut o = Office::open();
    let dial = Request::Dial { agent: agent_id("ana"), to: to_number("+525577") };
    assert_eq!(o.asks(dial.clone()), Reply::Done);
    assert!(o.rings("ana") && !o.rings("+525577"));
    assert!(matches!(o.asks(dial), Reply::Refused { .. }), "one call at a time");
    o.answers("ana");
    assert_eq!((o.rings("+525577"), o.hears("ana").as_str(), o.state("ana").as_str()), (true, "ringback", "engaged"));
    o.answers("+525577");
    assert_eq!(o.hears("ana"), "+525577");
    o.hangs_up("+525577");
    assert!(!o.in_call("ana"));
    o.close();
}

#[test]
fn from_the_desk_nothing_is_dialled_when_the_own_phone_does_not_answer() {
    let mut o = Office::open();
    o.asks(Request::Dial { agent: agent_id("ana"), to: to_agent("beto") });
    o.pass(31);
    assert!(!o.rings("ana") && !o.rings("beto"));
    assert_eq!((o.state("ana").as_str(), o.fact("call.rejected")["cause"].as_str()), ("available", Some("no_answer")));
    o.close();
}

#[test]
fn from_the_desk_a_call_given_up_after_the_own_phone_answered_is_over_on_both_sides() {
    let mut o = Office::open();
    o.asks(Request::Dial { agent: agent_id("ana"), to: to_agent("beto") });
    o.answers("ana");
    o.hangs_up("ana");
    assert!(!o.rings("beto"));
    o.close();
}

#[test]
fn line_17_an_emergency_call_always_goes_out_by_the_sites_trunk() {
    let mut o = Office::with(|site| site.accounts.values_mut().for_each(|a| a.trunk = None));
    o.dials("ana", "+525577");
    assert_eq!(o.fact("call.rejected")["status"], 404, "this tenant's calls do not leave");
    o.dials("ana", "911");
    assert!(o.rings("911"));
    assert_eq!(o.line("911").address.to_string(), "10.0.1.2:5060");
    o.answers("911");
    assert_eq!(o.hears("ana"), "911");
    o.close();
}

#[test]
fn a_phone_that_dials_nothing_known_is_refused_and_no_number_is_in_the_log() {
    let mut o = Office::open();
    o.dials("ana", "no-such-thing");
    let arrived = o.fact("call.arrived");
    assert_eq!((&arrived["number"], o.fact("call.rejected")["status"].as_u64()), (&"".into(), Some(404)));
    o.close();
}

#[test]
fn line_17_an_emergency_call_makes_its_way_out_of_a_consultation() {
    let mut o = Office::with_ana();
    let call = o.call();
    o.asks(Request::Consult { call, to: to_agent("beto") });
    o.answers("beto");
    o.dials("ana", "911");
    assert!(o.rings("911") && !o.in_call("beto"), "whoever was consulted is hung up");
    o.answers("911");
    assert_eq!((o.hears("ana/2").as_str(), o.hears("caller").as_str()), ("911", "hold"));
    o.close();
}

#[test]
fn a_node_that_stops_dials_for_nobody() {
    let mut o = Office::open();
    o.feed(Input::Drain { grace_ms: 10_000 });
    let reply = o.asks(Request::Dial { agent: agent_id("ana"), to: to_number("+525577") });
    assert!(matches!(reply, Reply::Refused { .. }), "{reply:?}");
    o.close();
}

#[test]
fn line_17_an_emergency_call_goes_out_also_from_whoever_is_asked_in_a_consultation() {
    let mut o = Office::with_ana();
    let call = o.call();
    assert_eq!(o.asks(Request::Consult { call, to: to_agent("eva") }), Reply::Done);
    o.answers("eva");
    o.dials("eva", "911");
    o.answers("911");
    assert_eq!((o.hears("911").as_str(), o.hears("caller").as_str()), ("eva", "ana"));
    assert!(matches!(o.asks(Request::CompleteTransfer { call }), Reply::Refused { .. }), "nobody is consulted any more");
    o.close();
}

#[test]
fn line_17_an_emergency_call_goes_out_also_from_whom_a_call_is_passed_back_to() {
    let mut o = Office::with_ana();
    let call = o.call();
    assert_eq!(o.asks(Request::Transfer { call, to: to_agent("ana") }), Reply::Done);
    assert!(o.rings("ana"));
    o.dials("ana", "911");
    assert!(!o.rings("ana"), "neither for the transfer nor to be recalled");
    o.answers("911");
    assert_eq!((o.hears("911").as_str(), o.hears("caller").as_str()), ("ana", "music"));
    o.close();
}

#[test]
fn line_17_an_emergency_call_goes_out_also_while_the_customer_of_a_callback_is_dialled() {
    const CUSTOMER: &str = "+525512345678";
    let mut o = Office::open();
    o.asks(Request::Agent { agent: agent_id("ana"), ask: acd::Ask::LogOut });
    o.dials(CUSTOMER, "100");
    o.presses(CUSTOMER, '7');
    o.presses(CUSTOMER, '1');
    o.asks(Request::Agent { agent: agent_id("ana"), ask: acd::Ask::LogIn });
    o.answers("ana");
    assert!(o.rings(CUSTOMER), "the customer");
    o.dials("ana", "911");
    assert!(!o.rings(CUSTOMER), "the next agent may have the callback");
    o.answers("911");
    assert_eq!((o.hears("ana").as_str(), o.count("callback.done")), ("911", 0));
    let kept = o.centre.snapshot().calls.into_iter().find(|call| call.place == Place::Callback).unwrap();
    assert_eq!(o.asks(Request::CancelCallback { call: kept.call }), Reply::Done);
    o.close();
}

#[test]
fn line_06_an_offer_answered_while_the_phones_own_call_has_no_port_yet_is_withdrawn() {
    let mut o = Office::open();
    o.dials("caller", "100");
    o.plane.slow = true;
    o.dials("ana", "202");
    assert!(!o.rings("ana"), "the agent makes a call");
    o.ports_open();
    assert!(o.rings("beto"));
    o.answers("beto");
    assert_eq!((o.hears("ana").as_str(), o.state("ana").as_str()), ("beto", "engaged"));
    o.close();
}

#[test]
fn line_06_whom_a_queue_found_for_a_consultation_makes_no_other_call() {
    let mut o = Office::with_ana();
    let call = o.call();
    assert_eq!(o.asks(Request::Consult { call, to: to_queue("ventas") }), Reply::Done);
    o.answers("beto");
    o.dials("beto", "+525577");
    assert_eq!(o.last("beto").statuses.last(), Some(&486));
    o.close();
}

/// Ana speaks with beto, of whom nothing is recorded; other internal calls are.
fn beto_is_never_recorded() -> Office {
    let mut o = Office::with(|site| {
        site.recording.accounts.values_mut().for_each(|account| account.internal = Rule::ALL);
        site.recording.agents.insert(agent_id("beto"), Rule::NONE);
    });
    o.dials("ana", "202");
    o.answers("beto");
    o
}

#[test]
fn an_internal_call_to_an_agent_who_is_never_recorded_is_not_recorded() {
    let o = beto_is_never_recorded();
    assert_eq!((o.fact("recording.excluded")["policy"].as_str(), o.count("recording.owed")), (Some("agent acme/beto: none"), 0));
    o.close();
}

type PassesOn = fn(&mut Office);

fn asks(o: &mut Office, request: fn(base::CallId) -> Request) {
    assert_eq!(o.asks(request(o.call())), Reply::Done);
}

#[test]
fn who_is_never_recorded_is_in_no_recording_after_the_internal_call_is_passed_on() {
    let ways: [(&str, &str, PassesOn); 5] = [
        ("to an agent", "eva", |o| asks(o, |call| Request::Transfer { call, to: to_agent("eva") })),
        ("to an agent, by the phone", "eva", |o| o.refers("ana", "203", false)),
        ("to a queue", "ana", |o| asks(o, |call| Request::Transfer { call, to: to_queue("soporte") })),
        ("to a queue, by the phone", "ana", |o| o.refers("ana", "soporte", false)),
        ("to who is consulted", "eva", |o| {
            asks(o, |call| Request::Consult { call, to: to_agent("eva") });
            asks(o, |call| Request::CompleteTransfer { call });
        }),
    ];
    for (way, next, passes_on) in ways {
        let mut o = beto_is_never_recorded();
        passes_on(&mut o);
        o.answers(next);
        assert_eq!(o.hears("beto"), next, "{way}");
        assert_eq!((o.count("recording.excluded"), o.count("recording.owed")), (2, 0), "{way}");
        assert_eq!(o.fact("recording.excluded")["policy"], "agent acme/beto: none", "{way}");
        o.close();
    }
}

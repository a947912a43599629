//! The rules of SIP at the door, as sipp sees them: refusals, repetitions, lost messages, the drain.

use crate::support::pcap::{self, Say};
use crate::support::raw::Raw;
use crate::support::server::{Server, Site};
use crate::support::sipp::{Sipp, within};

fn site() -> Site {
    Site::new([crate::support::server::Agent::at("ana", 3, 5070)])
}

fn silence(server: &Server<'_>) -> String {
    let file = server.site.folder.path().join("silence.pcap");
    pcap::write(&file, &[Say::Silence(20_000)]);
    file.to_string_lossy().into_owned()
}

/// An INVITE that is refused: a good one, but for what the test changes.
fn refused(scenario: Sipp, server: &Server<'_>, status: u16) {
    let good = [("hops", "70"), ("payload", "0 PCMU/8000"), ("header", "Supported: timer")];
    good.iter().fold(scenario.with("status", status), |s, (word, value)| s.with(word, value)).run(server);
}

#[test]
fn options_say_what_is_understood() {
    let site = site();
    let mut server = site.serve();
    Sipp::caller("options").with("status", 200).with("allow", "true").run(&server);
    Sipp::caller("options").over_tcp().with("status", 200).with("allow", "true").run(&server);
    server.stop();
}

#[test]
fn what_cannot_be_served_is_refused_before_it_is_answered() {
    let site = site();
    let mut server = site.serve();
    let call = || Sipp::caller("refused");
    refused(call().service("999"), &server, 404);
    let rejected = server.fact("call.rejected", |_| true);
    assert_eq!((&rejected["data"]["status"], &rejected["data"]["cause"]), (&404.into(), &"unknown_number".into()));
    refused(call().with("payload", "18 G729/8000"), &server, 488);
    refused(call().with("hops", "0"), &server, 483);
    refused(call().with("header", "Require: no-such-extension"), &server, 420);
    // No trunk sends from there: prove who you are.
    refused(Sipp::at("refused", 9, 5060), &server, 401);
    server.is_at_rest();
    server.stop();
}

#[test]
fn a_fault_that_can_be_answered_is_a_400() {
    let site = site();
    let mut server = site.serve();
    Sipp::caller("bad").run(&server);
    server.stop();
}

#[test]
fn what_belongs_to_no_call_is_a_481() {
    let site = site();
    let mut server = site.serve();
    Sipp::caller("stranger_bye").run(&server);
    server.stop();
}

/// sipp hides repetitions, so here a socket is the peer.
#[test]
fn an_invite_that_comes_three_times_is_one_call() {
    let site = site();
    let mut server = site.serve();
    let trunk = Raw::trunk(&server);
    (0..3).for_each(|_| trunk.invite("three"));
    let answers: Vec<_> = (0..3).map(|_| trunk.answer("three")).collect();
    assert!(answers.iter().all(|a| a.status == 200 && a.tag == answers[0].tag));
    trunk.hang_up("three", &answers[0].tag);
    server.fact("call.ended", |_| true);
    assert_eq!(server.of_type("call.arrived").len(), 1);
    server.stop();
}

#[test]
fn when_the_rtp_ports_are_used_up_new_calls_hear_it_and_the_others_live() {
    let site = site().ports("20000-20009");
    let mut server = site.serve();
    let trunk = Raw::trunk(&server);
    let calls: Vec<String> = (0..6).map(|n| format!("call{n}")).collect();
    let answers: Vec<_> = calls.iter().map(|call| (call, trunk.invite(call), trunk.answer(call))).collect();
    let refused: Vec<_> = answers.iter().filter(|(.., a)| a.status != 200).collect();
    assert!((1..6).contains(&refused.len()), "{} of 6 were refused", refused.len());
    assert!(refused.iter().all(|(.., a)| a.status == 480 && a.text.contains("Q.850;cause=34")), "{}", refused[0].2.text);
    server.fact("call.rejected", |data| data["cause"] == "no_ports");
    answers.iter().filter(|(.., a)| a.status == 200).for_each(|(call, _, a)| trunk.hang_up(call, &a.tag));
    server.facts_of("call.ended", 6 - refused.len());
    server.is_at_rest();
    // What they had is free again.
    trunk.invite("after");
    let after = trunk.answer("after");
    assert_eq!(after.status, 200);
    trunk.hang_up("after", &after.tag);
    server.stop();
}

#[test]
fn a_200_is_repeated_until_its_ack() {
    let site = site();
    let mut server = site.serve();
    let mut caller = Sipp::caller("late_ack").start(&server);
    caller.succeeds_within(within(5_000));
    assert_eq!(server.fact("call.ended", |_| true)["data"]["cause"], "caller_hung_up");
    let messages = std::fs::read_to_string(&caller.logs[1]).unwrap();
    let copies = messages.split("message received").filter(|m| m.contains("SIP/2.0 200") && m.contains("CSeq: 1 INVITE")).count();
    assert_eq!(copies, 3);
    server.stop();
}

#[test]
fn a_call_without_an_ack_is_ended_after_32_s() {
    let site = site();
    let mut server = site.serve();
    Sipp::caller("no_ack").start(&server).succeeds_within(within(40_000));
    server.fact("call.ended", |_| true);
    server.is_at_rest();
    server.stop();
}

#[test]
fn a_cancel_after_the_answer_changes_nothing() {
    let site = site();
    let mut server = site.serve();
    Sipp::caller("cancel_after_answer").run(&server);
    let ended = server.fact("call.ended", |_| true);
    assert!(ended["data"]["duration_ms"].as_u64().unwrap() >= 1_000, "{ended}");
    server.stop();
}

#[test]
fn after_sigterm_new_calls_get_503_and_the_old_one_lives_to_its_end() {
    let site = site();
    let mut server = site.serve();
    let sound = silence(&server);
    let mut caller = Sipp::caller("caller").with("sound", sound).with("talks", 5_000).start(&server);
    server.fact("call.answered", |_| true);
    server.program.signal("TERM");
    server.until_draining();
    refused(Sipp::at("refused", 2, 5080), &server, 503);
    Sipp::at("options", 2, 5081).with("status", 503).with("allow", "false").run(&server);
    caller.succeeds_within(within(5_000));
    assert_eq!(server.fact("call.ended", |_| true)["data"]["cause"], "caller_hung_up");
    server.fact("node.stopped", |data| data["clean"] == true);
    server.program.succeeds_within(within(0));
}

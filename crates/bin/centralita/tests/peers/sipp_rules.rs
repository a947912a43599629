//! The rules of SIP at the door, as sipp sees them: refusals, repetitions, lost messages, the drain.

use crate::support::pcap::{self, Say};
use crate::support::server::{PATIENCE, Server, Site};
use crate::support::sipp::{Sipp, within};
use std::collections::BTreeSet;
use std::net::UdpSocket;

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
    let trunk = UdpSocket::bind(site.at(2, 5060)).unwrap();
    trunk.set_read_timeout(Some(PATIENCE)).unwrap();
    let from = trunk.local_addr().unwrap();
    let send = |method: &str, tag: &str| {
        let head = format!("{method} sip:100@{} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}\r\n", server.sip);
        let who = format!("From: <sip:a@{}>;tag=x\r\nTo: <sip:100@b>{tag}\r\nCall-ID: three@{from}\r\n", from.ip());
        let sequence = if method == "BYE" { 2 } else { 1 };
        let rest =
            format!("CSeq: {sequence} {method}\r\nContact: <sip:a@{from}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
        trunk.send_to(format!("{head}{who}{rest}").as_bytes(), server.sip).unwrap();
    };
    (0..3).for_each(|_| send("INVITE", ""));
    let mut tags = BTreeSet::new();
    let mut buffer = [0; 4_096];
    for _ in 0..3 {
        // Of the three, at least the second and the third get the 200 that the first got.
        let tag = loop {
            let (length, _) = trunk.recv_from(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.starts_with("SIP/2.0 200") {
                break text.lines().find_map(|l| Some(l.strip_prefix("To:")?.split_once(";tag=")?.1.to_string())).unwrap();
            }
        };
        tags.insert(tag);
    }
    assert_eq!(tags.len(), 1);
    let tag = format!(";tag={}", tags.first().unwrap());
    send("ACK", &tag);
    send("BYE", &tag);
    server.fact("call.ended", |_| true);
    assert_eq!(server.of_type("call.arrived").len(), 1);
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

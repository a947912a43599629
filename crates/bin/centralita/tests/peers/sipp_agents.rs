//! Agents' phones by sipp: registering, ringing, refusing, and the moments in which a caller leaves.

use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, PATIENCE, Server, Site};
use crate::support::sipp::{Sipp, register, within};

/// A caller who presses both keys within 2.6 s and speaks; the capture's path.
fn caller_sound(server: &Server<'_>) -> String {
    let file = server.site.folder.path().join("caller.pcap");
    let script = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(1_000, 20_000)];
    pcap::write(&file, &script);
    file.to_string_lossy().into_owned()
}

fn agent_sound(server: &Server<'_>) -> String {
    let file = server.site.folder.path().join("agent.pcap");
    pcap::write(&file, &[Say::Tone(1_700, 10_000)]);
    file.to_string_lossy().into_owned()
}

fn answering(server: &Server<'_>, host: u8, port: u16) -> crate::support::Program {
    Sipp::at("agent", host, port).with("rings", 100).with("sound", agent_sound(server)).start(server)
}

#[test]
fn a_phone_that_registered_gets_the_call() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    register(&server, "ana", 3, 5070);
    let mut agent = answering(&server, 3, 5070);
    Sipp::caller("caller").with("sound", caller_sound(&server)).with("talks", 6_000).run(&server);
    agent.succeeds_within(within(0));
    server.fact("recording.stored", |data| data["kept"] == "complete");
    assert_eq!(server.fact("queue.left", |_| true)["data"]["outcome"], "answered");
    server.stop();
}

#[test]
fn a_wrong_password_does_not_register() {
    let site = Site::new([Agent::registers("ana")]);
    let server = site.serve();
    Sipp::at("register", 3, 5070).service("ana").with("password", "wrong").with("status", 401).run(&server);
    // An unknown user can't be told from a known one (security row 31).
    Sipp::at("register", 3, 5071).service("nobody").with("password", "wrong").with("status", 401).run(&server);
    server.stop();
}

#[test]
fn a_caller_who_leaves_while_it_rings_cancels_it_and_the_agent_is_free_again() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let mut agent = Sipp::at("agent_cancelled", 3, 5070).with("patience", 15_000).start(&server);
    Sipp::caller("caller").with("sound", caller_sound(&server)).with("talks", 5_000).run(&server);
    agent.succeeds_within(within(0));
    let left = server.fact("queue.left", |_| true);
    assert_eq!((&left["data"]["outcome"], &left["data"]["ringing"]), (&"abandoned".into(), &true.into()));
    server.fact("offer.cancelled", |_| true);
    server.fact("call.ended", |_| true);
    assert_eq!(server.agent("ana")["state"], "available");
    assert!(server.of_type("offer.timed_out").is_empty() && server.of_type("recording.started").is_empty());
    server.is_at_rest();
    server.stop();
}

#[test]
fn an_answer_that_crosses_the_cancel_gets_ack_and_bye() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let mut agent = Sipp::at("agent_crossing", 3, 5070).with("patience", 15_000).start(&server);
    Sipp::caller("caller").with("sound", caller_sound(&server)).with("talks", 5_000).run(&server);
    agent.succeeds_within(within(0));
    assert_eq!(server.fact("queue.left", |_| true)["data"]["outcome"], "abandoned");
    server.fact("call.ended", |_| true);
    assert_eq!(server.agent("ana")["state"], "available");
    server.stop();
}

#[test]
fn cancel_waits_for_the_first_provisional() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    // The caller is gone 1.5 s before the phone says anything.
    let mut agent = Sipp::at("agent_slow", 3, 5070).with("silence", 2_500).start(&server);
    Sipp::caller("caller").with("sound", caller_sound(&server)).with("talks", 4_000).run(&server);
    agent.succeeds_within(within(0));
    assert_eq!(server.fact("queue.left", |_| true)["data"]["outcome"], "abandoned");
    server.stop();
}

#[test]
fn who_lets_it_ring_is_passed_over() {
    let site = Site::new([Agent::at("ana", 3, 5070), Agent::at("bruno", 4, 5070)]).ring("2s");
    let mut server = site.serve();
    let mut ana = Sipp::at("agent_cancelled", 3, 5070).with("patience", 15_000).start(&server);
    let mut bruno = answering(&server, 4, 5070);
    let mut caller = Sipp::caller("caller").with("sound", caller_sound(&server)).with("talks", 9_000).start(&server);
    // Whoever is chosen first: the one who answers may be bruno at once, so ana is asked only if she was offered it.
    let accepted = server.fact("offer.accepted", |_| true);
    assert_eq!(accepted["data"]["agent_id"], "acme/bruno");
    caller.succeeds_within(within(9_000));
    bruno.succeeds_within(within(0));
    if server.of_type("offer.timed_out").is_empty() {
        ana.kill();
    } else {
        ana.succeeds_within(within(0));
        assert_eq!(server.of_type("offer.timed_out")[0]["agent_id"], "acme/ana");
    }
    server.stop();
}

/// A phone that says no in this way is not asked again at once; the other one gets the call.
fn refuses(status: u16, header: &str, cause: &str) {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let mut ana = Sipp::at("agent_refuses", 3, 5070).with("status", status).with("header", header).start(&server);
    let mut caller = Sipp::caller("caller").with("sound", caller_sound(&server)).with("talks", 6_000).start(&server);
    let rejected = server.fact("offer.rejected", |_| true);
    assert_eq!(rejected["data"]["cause"], cause, "{}", server.story());
    ana.succeeds_within(within(0));
    caller.succeeds_within(within(6_000));
    server.fact("call.ended", |_| true);
    server.is_at_rest();
    server.stop();
}

#[test]
fn a_busy_phone_is_a_rejection() {
    refuses(486, "Retry-After: 5", "busy");
}

#[test]
fn a_diversion_is_never_followed() {
    refuses(302, "Contact: <sip:+15559999999@192.0.2.1>", "diverted");
}

#[test]
fn a_phone_that_says_nothing_for_4_s_is_passed_over() {
    let site = Site::new([Agent::at("ana", 3, 5070), Agent::at("bruno", 4, 5070)]).ring("20s");
    let mut server = site.serve();
    // Nothing listens at ana's address.
    let mut bruno = answering(&server, 4, 5070);
    let mut caller = Sipp::caller("caller").with("sound", caller_sound(&server)).with("talks", 11_000).start(&server);
    let accepted = server.fact_within(PATIENCE, "offer.accepted", |_| true);
    assert_eq!(accepted["data"]["agent_id"], "acme/bruno");
    if let Some(passed) = server.of_type("offer.rejected").first() {
        assert_eq!((&passed["agent_id"], &passed["cause"]), (&"acme/ana".into(), &"unreachable".into()));
        assert!((3_900..6_000).contains(&passed["ring_ms"].as_u64().unwrap()), "{passed}");
    }
    caller.succeeds_within(within(11_000));
    bruno.succeeds_within(within(0));
    server.stop();
}

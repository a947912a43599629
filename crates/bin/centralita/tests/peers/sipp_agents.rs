//! Agents' phones by sipp: registering, ringing, refusing, and the moments in which a caller leaves. The caller is
//! baresip, because it does what it is told when it is told.

use crate::support::baresip::Phone;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, register, within};
use crate::support::sound::listen;
use crate::support::{Baresip, Program};

/// A caller who has pressed both keys and waits in the queue; it hangs up by `keys("b")`.
fn waiting(server: &mut Server<'_>) -> Baresip {
    let phone = Phone { user: "bob", host: 2, codec: "PCMU", hz: 1_000, registers: false };
    let mut caller = Baresip::start(server, &phone);
    caller.dial(&format!("sip:100@{}", server.sip));
    caller.keys("1");
    server.fact("ivr.language_selected", |_| true);
    caller.keys("1");
    server.fact("queue.entered", |_| true);
    caller
}

/// An agent's phone that rings for 100 ms, answers, and speaks until the caller hangs up.
fn answering(server: &Server<'_>, host: u8) -> Program {
    let sound = server.site.folder.path().join("agent.pcap");
    pcap::write(&sound, &[Say::Tone(1_700, 20_000)]);
    Sipp::at("agent", host, 5070).with("rings", 100).with("sound", sound.display()).start(server)
}

fn ringing(server: &mut Server<'_>) {
    server.fact("agent.state_changed", |data| data["state"] == "ringing");
}

/// The caller left before anybody answered, and nobody is the worse for it.
fn was_abandoned(server: &mut Server<'_>) {
    assert_eq!(server.fact("queue.left", |_| true)["data"]["outcome"], "abandoned");
    server.fact("call.ended", |data| data["cause"] == "caller_hung_up");
    server.until_agent("ana", "available");
    assert!(server.of_type("offer.timed_out").is_empty() && server.of_type("recording.started").is_empty());
    server.is_at_rest();
    server.stop();
}

fn ana() -> Site {
    Site::new([Agent::at("ana", 3, 5070)])
}

fn ana_and_bruno() -> Site {
    Site::new([Agent::at("ana", 3, 5070), Agent::at("bruno", 4, 5070)])
}

#[test]
fn a_phone_that_registered_gets_the_call() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    register(&server, "ana", 3, 5070);
    let mut agent = answering(&server, 3);
    let mut caller = waiting(&mut server);
    server.fact("recording.started", |_| true);
    caller.keys("b");
    agent.succeeds_within(within(0));
    server.fact("recording.stored", |data| data["kept"] == "complete");
    assert_eq!(server.fact("queue.left", |_| true)["data"]["outcome"], "answered");
    server.stop();
}

#[test]
fn a_wrong_password_does_not_register() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    Sipp::at("register", 3, 5070).service("ana").with("password", "wrong").with("status", 401).run(&server);
    server.stop();
}

#[test]
fn a_caller_who_leaves_while_it_rings_cancels_it_and_the_agent_is_free_again() {
    let site = ana();
    let mut server = site.serve();
    let mut agent = Sipp::at("agent_cancelled", 3, 5070).with("patience", 30_000).start(&server);
    let mut caller = waiting(&mut server);
    ringing(&mut server);
    caller.keys("b");
    agent.succeeds_within(within(0));
    server.fact("offer.cancelled", |_| true);
    assert_eq!(server.fact("queue.left", |_| true)["data"]["ringing"], true);
    was_abandoned(&mut server);
}

#[test]
fn an_answer_that_crosses_the_cancel_gets_ack_and_bye() {
    let site = ana();
    let mut server = site.serve();
    let mut agent = Sipp::at("agent_crossing", 3, 5070).with("patience", 30_000).start(&server);
    let mut caller = waiting(&mut server);
    ringing(&mut server);
    caller.keys("b");
    agent.succeeds_within(within(0));
    was_abandoned(&mut server);
}

#[test]
fn cancel_waits_for_the_first_provisional() {
    let site = ana();
    let mut server = site.serve();
    // The caller is gone long before the phone says anything.
    let mut agent = Sipp::at("agent_slow", 3, 5070).with("silence", 2_500).start(&server);
    let mut caller = waiting(&mut server);
    server.fact("offer.sent", |_| true);
    caller.keys("b");
    server.fact("queue.left", |_| true);
    agent.succeeds_within(within(0));
    was_abandoned(&mut server);
}

#[test]
fn who_lets_it_ring_is_passed_over() {
    let site = ana_and_bruno().ring("2s");
    let mut server = site.serve();
    let mut ana = Sipp::at("agent_cancelled", 3, 5070).with("patience", 30_000).start(&server);
    let mut bruno = answering(&server, 4);
    let mut caller = waiting(&mut server);
    // Both have been idle equally long, so either may be first; ana never answers.
    server.fact("agent_leg.connected", |data| data["agent_id"] == "acme/bruno");
    caller.keys("b");
    bruno.succeeds_within(within(0));
    server.fact("call.ended", |_| true);
    match server.of_type("offer.timed_out").first() {
        None => ana.kill(),
        Some(missed) => {
            assert_eq!(missed["agent_id"], "acme/ana");
            assert!((1_900..3_000).contains(&missed["ring_ms"].as_u64().unwrap()), "{missed}");
            ana.succeeds_within(within(0));
        }
    }
    server.stop();
}

/// A phone that says no in this way: the caller goes on waiting, and nobody is called elsewhere.
fn refuses(status: u16, header: &str, cause: &str) {
    let site = ana();
    let mut server = site.serve();
    let mut phone = Sipp::at("agent_refuses", 3, 5070).with("status", status).with("header", header).start(&server);
    let mut caller = waiting(&mut server);
    let rejected = server.fact("offer.rejected", |_| true);
    assert_eq!(rejected["data"]["cause"], cause, "{}", server.story());
    phone.succeeds_within(within(0));
    // The same phone is asked again after the queue's retry delay, and takes it.
    let mut again = answering(&server, 3);
    server.fact("agent_leg.connected", |_| true);
    caller.keys("b");
    again.succeeds_within(within(0));
    server.fact("wrapup.ended", |_| true);
    assert_eq!(server.of_type("offer.timed_out").len(), 0);
    server.is_at_rest();
    server.stop();
}

#[test]
fn a_busy_phone_is_asked_again_without_blame() {
    refuses(486, "Retry-After: 5", "busy");
}

#[test]
fn a_diversion_is_never_followed() {
    refuses(302, "Contact: <sip:+15559999999@192.0.2.1>", "diverted");
}

#[test]
fn a_phone_that_says_nothing_for_4_s_is_passed_over() {
    let site = ana_and_bruno().ring("20s");
    let mut server = site.serve();
    // Nothing listens at ana's address.
    let mut bruno = answering(&server, 4);
    let mut caller = waiting(&mut server);
    server.fact("agent_leg.connected", |data| data["agent_id"] == "acme/bruno");
    if let Some(passed) = server.of_type("offer.rejected").first() {
        assert_eq!((&passed["agent_id"], &passed["cause"]), (&"acme/ana".into(), &"unreachable".into()));
        assert!((3_900..6_000).contains(&passed["ring_ms"].as_u64().unwrap()), "{passed}");
    }
    caller.keys("b");
    bruno.succeeds_within(within(0));
    server.stop();
}

#[test]
fn a_phone_that_dies_costs_the_caller_an_apology_and_no_place() {
    let site = ana_and_bruno().silent_after("3s");
    let mut server = site.serve();
    let mut ana = Sipp::at("agent_dies", 3, 5070).with("patience", 30_000).start(&server);
    let mut bruno = Sipp::at("agent_dies", 4, 5070).with("patience", 30_000).start(&server);
    let mut caller = waiting(&mut server);
    // Whoever was first is gone after three seconds; then the other one, and the caller waits again each time.
    server.facts_of("queue.entered", 2);
    let lost = server.fact("agent_leg.ended", |_| true);
    assert_eq!(lost["data"]["cause"], "unreachable");
    let again = server.of_type("queue.entered")[1];
    assert_eq!((&again["queue"], &again["position"]), (&"acme/soporte".into(), &1.into()));
    server.facts_of("agent_leg.ended", 2);
    caller.keys("b");
    server.fact("call.ended", |data| data["cause"] == "caller_hung_up");
    ana.succeeds_within(within(0));
    bruno.succeeds_within(within(0));
    server.is_at_rest();
    server.stop();
}

#[test]
fn an_agent_holds_and_the_caller_hears_music() {
    let site = ana();
    let mut server = site.serve();
    let sound = site.folder.path().join("agent.pcap");
    pcap::write(&sound, &[Say::Tone(1_700, 30_000)]);
    let mut agent = Sipp::at("agent_holds", 3, 5070).with("sound", sound.display()).start(&server);
    let mut caller = waiting(&mut server);
    let resumed = server.fact("agent_leg.resumed", |_| true);
    assert!(server.of_type("agent_leg.held")[0]["by_agent"].as_bool().unwrap());
    let held_ms = resumed["data"]["held_ms"].as_u64().unwrap();
    let beats = server.of_type("node.heartbeat").len();
    server.facts_of("node.heartbeat", beats + 1);
    caller.keys("b");
    agent.succeeds_within(within(0));
    let ended = server.fact("agent_leg.ended", |_| true);
    let talk_ms = ended["data"]["talk_ms"].as_u64().unwrap();
    let heard = listen(&caller.heard().left, 1_700);
    // sipp's capture plays on while it holds; what the caller hears in that time is music.
    assert!(heard.total_ms.abs_diff(talk_ms) <= 500, "{heard:?} of {talk_ms}");
    assert!(heard.longest_gap_ms + 200 >= held_ms, "{heard:?}, held for {held_ms}");
    server.stop();
}

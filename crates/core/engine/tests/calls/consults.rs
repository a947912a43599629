//! Line 9 of calls.md: consultations, by request and in a phone's second dialog; conferences; attended transfers.

use crate::line::Line;
use crate::office::{Office, agent_id, to_agent, to_number, to_queue};
use engine::{Place, Reply, Request};
use recording::Rule;

fn consults(o: &mut Office, to: engine::Target) {
    let call = o.call();
    assert_eq!(o.asks(Request::Consult { call, to }), Reply::Done);
}

fn done(o: &mut Office, request: impl FnOnce(base::CallId) -> Request) {
    let request = request(o.call());
    assert_eq!(o.asks(request), Reply::Done);
}

#[test]
fn line_09_an_agent_consults_while_the_customer_hears_music_and_comes_back() {
    let mut o = Office::with_ana();
    o.pass(5);
    consults(&mut o, to_agent("beto"));
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("hold", "ringback"));
    assert_eq!((o.state("beto").as_str(), o.place()), ("engaged", Place::Conversation));
    o.pass(4);
    o.answers("beto");
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str(), o.hears("beto").as_str()), ("hold", "beto", "ana"));
    assert_eq!(o.view().third.as_deref(), Some("agent/beto"));
    o.pass(10);
    done(&mut o, |call| Request::EndConsult { call });
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str(), o.in_call("beto")), ("ana", "caller", false));
    assert_eq!(o.state("beto"), "available");
    o.pass(1);
    o.hangs_up("caller");
    let ended = o.fact("agent_leg.ended");
    assert_eq!((&ended["talk_ms"], &ended["hold_ms"], &ended["consult_ms"]), (&20_000.into(), &0.into(), &10_000.into()));
    o.close();
}

#[test]
fn line_09_an_attended_transfer_by_request_gives_the_customer_to_whom_was_consulted() {
    let mut o = Office::with_ana();
    consults(&mut o, to_agent("beto"));
    o.answers("beto");
    o.pass(6);
    done(&mut o, |call| Request::CompleteTransfer { call });
    assert_eq!((o.hears("caller").as_str(), o.hears("beto").as_str()), ("beto", "caller"));
    assert_eq!((o.state("ana").as_str(), o.state("beto").as_str()), ("wrap_up", "talking"));
    assert_eq!(
        (&o.fact("agent_leg.transferred")["kind"], &o.fact("agent_leg.ended")["consult_ms"]),
        (&"attended".into(), &6_000.into())
    );
    o.close();
}

#[test]
fn line_09_completed_before_the_third_party_answers_it_keeps_ringing() {
    let mut o = Office::with_ana();
    consults(&mut o, to_agent("beto"));
    done(&mut o, |call| Request::CompleteTransfer { call });
    assert!(o.rings("beto") && !o.in_call("ana"));
    assert_eq!(o.lines.iter().filter(|line| line.owner == "beto").count(), 1, "the same phone goes on ringing");
    assert_eq!((o.hears("caller").as_str(), o.place()), ("hold", Place::Offer));
    o.answers("beto");
    assert_eq!(o.hears("beto"), "caller");
    o.close();
}

#[test]
fn line_09_completed_before_the_answer_and_never_answered_it_recalls_the_agent() {
    let mut o = Office::with_ana();
    consults(&mut o, to_agent("beto"));
    done(&mut o, |call| Request::CompleteTransfer { call });
    o.pass(30);
    assert!(o.rings("ana") && !o.rings("beto"));
    o.answers("ana");
    assert_eq!((o.hears("caller").as_str(), o.state("ana").as_str()), ("ana", "talking"));
    o.close();
}

#[test]
fn line_09_a_phone_consults_in_a_second_dialog_of_the_same_call() {
    let mut o = Office::with_ana();
    o.holds("ana", true);
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str(), o.state("ana").as_str()), ("hold", "-", "holding"));
    o.pass(3);
    o.dials("ana", "202");
    assert_eq!(o.centre.snapshot().calls.len(), 1, "the second dialog belongs to the call");
    o.on_line("beto", |line| line.respond(180, None));
    assert_eq!(o.line("ana").statuses, [100, 180]);
    o.on_line("beto", Line::answer);
    assert_eq!((o.hears("ana/2").as_str(), o.hears("beto").as_str(), o.hears("caller").as_str()), ("beto", "ana/2", "hold"));
    assert_eq!(o.state("ana"), "talking", "who consults does not hold");
    o.pass(7);
    o.refers("ana", "202", true);
    assert_eq!((o.hears("caller").as_str(), o.hears("beto").as_str()), ("beto", "caller"));
    assert!(!o.in_call("ana"), "both dialogs are over");
    assert_eq!(o.first("ana").notified, [100, 200]);
    let ended = o.fact("agent_leg.ended");
    assert_eq!((&ended["hold_ms"], &ended["consult_ms"]), (&3_000.into(), &7_000.into()));
    assert_eq!(o.fact("agent_leg.transferred")["kind"], "attended");
    o.close();
}

/// A call with ana, whose phone holds it; 301 asks the queue that beto serves.
fn holding() -> Office {
    let extension = |site: &mut site::Site| drop(site.queue_extensions.insert("acme/ventas".parse().unwrap(), "301".into()));
    let mut o = Office::with(extension).calls_ana();
    o.holds("ana", true);
    o.pass(3);
    o
}

#[test]
fn line_09_a_phone_consults_a_queue_and_passes_the_customer_to_whom_it_found() {
    let mut o = holding();
    o.dials("ana", "301");
    assert_eq!((o.centre.snapshot().calls.len(), o.line("ana").statuses.as_slice()), (1, [100, 180].as_slice()));
    assert!(o.rings("beto"), "the queue's agent");
    assert_eq!(o.place(), Place::Conversation, "the customer waits for nobody");
    o.answers("beto");
    assert_eq!((o.hears("ana/2").as_str(), o.hears("beto").as_str(), o.hears("caller").as_str()), ("beto", "ana/2", "hold"));
    o.pass(7);
    o.refers("ana", "301", true);
    assert_eq!((o.hears("caller").as_str(), o.hears("beto").as_str()), ("beto", "caller"));
    assert!(!o.in_call("ana"), "both dialogs are over");
    assert_eq!(o.first("ana").notified, [100, 200]);
    let ended = o.fact("agent_leg.ended");
    assert_eq!((&ended["hold_ms"], &ended["consult_ms"]), (&3_000.into(), &7_000.into()), "counted apart");
    o.close();
}

#[test]
fn line_09_a_phone_that_passes_the_customer_on_before_the_queue_found_anybody_leaves_them_in_line() {
    let mut o = holding();
    o.dials("ana", "ventas");
    assert!(o.rings("beto"));
    o.refers("ana", "ventas", true);
    assert_eq!((o.hears("caller").as_str(), o.place(), o.in_call("ana")), ("music", Place::Offer, false));
    o.answers("beto");
    assert_eq!(o.hears("caller"), "beto");
    o.close();
}

#[test]
fn line_09_a_queue_that_is_closed_or_given_up_leaves_the_agent_with_the_customer() {
    let mut o = holding();
    o.dials("ana", "cerrada");
    assert_eq!(o.last("ana").statuses.last(), Some(&480));
    o.dials("ana", "301");
    o.on_line("ana", Line::cancel);
    assert!(!o.rings("beto"));
    o.holds("ana", false);
    assert_eq!((o.hears("caller").as_str(), o.state("beto").as_str()), ("ana", "available"));
    o.close();
}

#[test]
fn a_queue_is_asked_by_whom_has_a_customer_and_by_nobody_else() {
    let mut o = Office::open();
    o.dials("ana", "ventas");
    assert_eq!(o.last("ana").statuses.last(), Some(&403));
    o.close();
}

#[test]
fn line_09_an_attended_transfer_before_the_answer_ends_with_its_final_status() {
    let mut o = Office::with_ana();
    o.holds("ana", true);
    o.dials("ana", "202");
    o.on_line("beto", |line| line.respond(180, None));
    o.refers("ana", "202", true);
    assert!(o.rings("beto"));
    assert_eq!((o.hears("caller").as_str(), o.state("ana").as_str()), ("hold", "wrap_up"));
    o.refuses("beto", 603);
    assert_eq!(o.first("ana").notified, [100, 603]);
    assert!(o.rings("ana"), "recalled");
    o.close();
}

#[test]
fn a_consultation_that_is_not_answered_ends_the_second_dialog_with_its_status() {
    let mut o = Office::with_ana();
    o.holds("ana", true);
    o.dials("ana", "202");
    o.refuses("beto", 486);
    let second = o.last("ana");
    assert_eq!((second.statuses.last(), second.over), (Some(&486), true));
    o.holds("ana", false);
    assert_eq!((o.hears("caller").as_str(), o.state("ana").as_str()), ("ana", "talking"));
    o.close();
}

#[test]
fn who_hangs_up_the_second_dialog_goes_back_to_the_customer() {
    let mut o = Office::with_ana();
    o.holds("ana", true);
    o.dials("ana", "202");
    o.answers("beto");
    o.hangs_up("ana");
    assert!(!o.in_call("beto"));
    o.holds("ana", false);
    assert_eq!(o.hears("caller"), "ana");
    o.close();
}

#[test]
fn a_second_dialog_cancelled_while_it_rings_stops_the_ringing() {
    let mut o = Office::with_ana();
    o.dials("ana", "202");
    assert!(o.rings("beto"));
    o.on_line("ana", Line::cancel);
    assert!(!o.rings("beto"));
    assert_eq!((o.hears("caller").as_str(), o.state("beto").as_str()), ("ana", "available"));
    o.close();
}

#[test]
fn a_conference_is_one_conversation_of_three() {
    let mut o = Office::with_ana();
    consults(&mut o, to_agent("beto"));
    o.answers("beto");
    done(&mut o, |call| Request::Conference { call });
    assert_eq!(o.hears("caller"), "ana beto");
    assert_eq!(o.hears("ana"), "beto caller");
    assert_eq!(o.hears("beto"), "ana caller");
    assert_eq!(o.voices("c1.p1"), "caller|ana beto");
    assert_eq!(o.fact("agent_leg.conferenced")["joined"], true);
    o.hangs_up("beto");
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("ana", "caller"));
    assert_eq!(o.fact("agent_leg.conferenced")["joined"], false);
    o.close();
}

#[test]
fn who_leaves_a_conference_leaves_the_customer_with_the_third() {
    let mut o = Office::with_ana();
    consults(&mut o, to_number("+525599"));
    o.answers("+525599");
    done(&mut o, |call| Request::Conference { call });
    o.hangs_up("ana");
    assert_eq!((o.hears("caller").as_str(), o.hears("+525599").as_str()), ("+525599", "caller"));
    assert_eq!((o.place(), o.state("ana").as_str()), (Place::External, "wrap_up"));
    o.close();
}

#[test]
fn who_hangs_up_while_consulting_by_request_passes_the_customer_on() {
    let mut o = Office::with_ana();
    consults(&mut o, to_agent("beto"));
    o.answers("beto");
    o.hangs_up("ana");
    assert_eq!(o.hears("caller"), "beto");
    o.close();
}

#[test]
fn the_customer_who_leaves_during_a_consultation_ends_the_call_for_all() {
    let mut o = Office::with_ana();
    consults(&mut o, to_agent("beto"));
    o.answers("beto");
    o.hangs_up("caller");
    assert!(!o.in_call("ana") && !o.in_call("beto"));
    assert_eq!((o.state("ana").as_str(), o.state("beto").as_str()), ("wrap_up", "available"));
    o.close();
}

#[test]
fn an_agent_whose_phone_dies_while_consulting_loses_the_third_too_and_the_caller_waits_again() {
    let mut o = Office::with_ana();
    consults(&mut o, to_agent("beto"));
    o.answers("beto");
    let rtp = o.first("ana").rtp;
    let leg = *o.plane.legs.iter().find(|(_, ear)| ear.rtp == rtp).unwrap().0;
    o.feed(engine::Input::Media(media::Input::Silent { leg, millis: 30_000 }));
    assert!(!o.in_call("beto"));
    assert_eq!(o.fact("queue.entered")["visit_id"], "1-1-1.v2");
    o.close();
}

#[test]
fn line_10_a_consultation_is_its_own_recording_part_where_the_account_wants_it() {
    let mut o = Office::with_ana();
    assert_eq!(o.voices("c1.p1"), "caller|ana");
    consults(&mut o, to_agent("beto"));
    assert_eq!(o.voices("c1.p1"), "caller|", "what the agent says meanwhile is not the customer's");
    o.answers("beto");
    assert_eq!(o.voices("c1.p2"), "beto|ana");
    done(&mut o, |call| Request::EndConsult { call });
    assert_eq!((o.voices("c1.p1").as_str(), o.voices("c1.p2").as_str()), ("caller|ana", "not recorded"));
    o.close();

    let mut o = Office::with(|site| site.recording.accounts.values_mut().for_each(|a| a.consults = Rule::NONE)).calls_ana();
    consults(&mut o, to_agent("beto"));
    o.answers("beto");
    assert_eq!(o.voices("c1.p2"), "not recorded");
    o.close();
}

#[test]
fn line_10_whose_own_or_queues_word_is_none_is_in_no_consultation_and_not_in_the_conference() {
    let agent: fn(&mut site::Site) = |site| site.recording.agents.extend([(agent_id("beto"), Rule::NONE)]);
    let queue: fn(&mut site::Site) = |site| site.recording.queues.extend([("acme/ventas".parse().unwrap(), Rule::NONE)]);
    for (says, to, heard) in [
        (agent, to_agent("beto"), false),
        (agent, to_queue("ventas"), false),
        (queue, to_queue("ventas"), false),
        (queue, to_agent("beto"), true),
    ] {
        let mut o = Office::with(says).calls_ana();
        consults(&mut o, to);
        o.answers("beto");
        assert_eq!(o.voices("c1.p2"), if heard { "beto|ana" } else { "not recorded" });
        done(&mut o, |call| Request::Conference { call });
        assert_eq!(o.hears("caller"), "ana beto");
        assert_eq!(o.voices("c1.p1"), if heard { "caller|ana beto" } else { "caller|ana" });
        o.hangs_up("beto");
        assert_eq!(o.voices("c1.p1"), "caller|ana");
        o.close();
    }
}

#[test]
fn line_10_the_side_that_waits_hears_music_whichever_side_holds() {
    let mut o = Office::with_ana();
    o.holds("caller", true);
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("-", "hold"));
    assert_eq!(o.fact("agent_leg.held")["by_agent"], false);
    o.pass(2);
    o.holds("caller", false);
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("ana", "caller"));
    assert_eq!(o.fact("agent_leg.resumed")["held_ms"], 2_000);
    o.close();
}

#[test]
fn line_09_a_consulting_transfer_to_a_queue_is_a_visit_with_the_customers_wait_and_counts_apart() {
    let mut o = Office::open();
    o.dials("caller", "100");
    o.pass(7);
    o.answers("ana");
    o.pass(2);
    consults(&mut o, to_queue("ventas"));
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str(), o.place()), ("hold", "hold", Place::Conversation));
    assert_eq!(o.fact("queue.entered")["credit_ms"], 7_000);
    assert!(o.rings("beto"));
    o.pass(3);
    o.answers("beto");
    assert_eq!((o.hears("ana").as_str(), o.hears("beto").as_str(), o.hears("caller").as_str()), ("beto", "ana", "hold"));
    assert_eq!((o.state("beto").as_str(), o.fact("queue.left")["outcome"].as_str()), ("talking", Some("answered")));
    assert_eq!(o.voices("c1.p2"), "beto|ana");
    o.pass(5);
    done(&mut o, |call| Request::CompleteTransfer { call });
    assert_eq!((o.hears("caller").as_str(), o.state("ana").as_str(), o.state("beto").as_str()), ("beto", "wrap_up", "talking"));
    assert_eq!(o.fact("agent_leg.ended")["consult_ms"], 5_000);
    assert_eq!(
        (&o.fact("agent_leg.connected")["wait_ms"], &o.fact("agent_leg.connected")["queue"]),
        (&7_000.into(), &"acme/ventas".into())
    );
    o.close();
}

#[test]
fn line_09_completed_before_the_queue_answers_the_customer_waits_there_in_person() {
    let mut o = Office::with(|site| {
        site.agents.values_mut().for_each(|a| a.acd.starts_logged_in = a.extension.as_deref() == Some("201"))
    });
    o = o.calls_ana();
    consults(&mut o, to_queue("ventas"));
    o.pass(4);
    done(&mut o, |call| Request::CompleteTransfer { call });
    assert_eq!((o.place(), o.hears("caller").as_str(), o.state("ana").as_str()), (Place::Queue, "music", "wrap_up"));
    assert_eq!(o.fact("agent_leg.transferred")["kind"], "to_queue");
    o.pass(6);
    o.asks(Request::Agent { agent: crate::office::agent_id("beto"), ask: acd::Ask::LogIn });
    o.answers("beto");
    assert_eq!(o.fact("agent_leg.connected")["wait_ms"], 6_000, "the consultation was none of the customer's wait");
    o.close();
}

#[test]
fn line_09_completed_before_the_phone_that_consults_has_a_port_the_call_goes_on_all_the_same() {
    let mut o = Office::with_ana();
    o.plane.slow = true;
    o.dials("ana", "202");
    done(&mut o, |call| Request::CompleteTransfer { call });
    o.ports_open();
    o.answers("beto");
    assert_eq!((o.hears("caller").as_str(), o.state("ana").as_str()), ("beto", "wrap_up"));
    o.close();
    let mut o = Office::with_ana();
    o.plane.slow = true;
    o.dials("ana", "ventas");
    done(&mut o, |call| Request::CompleteTransfer { call });
    assert_eq!(o.fact("queue.entered")["queue"], "acme/ventas");
    o.ports_open();
    o.answers("beto");
    assert_eq!((o.hears("caller").as_str(), o.count("queue.entered")), ("beto", 2));
    o.close();
}

#[test]
fn line_09_a_consultation_with_a_queue_is_given_up_refused_or_ended_without_harm() {
    let mut o = Office::with_ana();
    consults(&mut o, to_queue("cerrada"));
    assert_eq!((o.hears("caller").as_str(), o.count("queue.refused")), ("ana", 1));
    consults(&mut o, to_queue("ventas"));
    o.on_line("beto", |line| line.respond(180, None));
    done(&mut o, |call| Request::EndConsult { call });
    assert!(!o.rings("beto"));
    assert_eq!((o.hears("caller").as_str(), o.state("beto").as_str()), ("ana", "available"));
    consults(&mut o, to_queue("ventas"));
    o.answers("beto");
    o.hangs_up("beto");
    assert_eq!((o.hears("caller").as_str(), o.state("beto").as_str()), ("ana", "available"));
    consults(&mut o, to_queue("ventas"));
    o.on_line("beto", |line| line.respond(180, None));
    o.hangs_up("caller");
    assert!(!o.rings("beto"));
    o.close();
}

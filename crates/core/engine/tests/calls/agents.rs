//! What an agent's phone does and hears: lines 1 to 8, 12 and 18 of calls.md, as far as they are the engine's.

use crate::line::Line;
use crate::office::{Office, agent_id};
use engine::{Place, Reply, Request};

#[test]
fn line_08_an_auto_answered_call_begins_with_a_zip_tone_while_the_caller_hears_music() {
    let auto = |site: &mut site::Site| site.agents.values_mut().for_each(|a| a.auto_answer = true);
    let mut o = Office::with(auto);
    o.plays_last = true;
    o.dials("caller", "100");
    o.answers("ana");
    assert_eq!(o.played("ana"), ["zip"]);
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str(), o.place()), ("music", "-", Place::Conversation));
    let ends = o.plane.plays_end();
    ends.into_iter().for_each(|input| o.feed(engine::Input::Media(input)));
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("ana", "caller"));
    o.close();
}

#[test]
fn line_08_a_greeting_that_never_ends_does_not_keep_caller_and_agent_apart() {
    let mut o = Office::with(|site| site.agents.values_mut().for_each(|a| a.auto_answer = true));
    o.plays_last = true;
    o.dials("caller", "100");
    o.answers("ana");
    o.pass(11);
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("ana", "caller"));
    o.close();
}

#[test]
fn line_08_the_phone_shows_account_language_and_caller() {
    let mut o = Office::open();
    o.dials("caller", "100");
    assert_eq!(o.line("ana").shows, "acme · es · caller");
    o.close();
}

#[test]
fn line_07_an_outside_phone_has_the_call_when_a_key_was_pressed() {
    let mut o = Office::with(|site| site.agents.values_mut().for_each(|a| a.press_to_accept = true));
    o.dials("caller", "100");
    o.answers("ana");
    assert_eq!((o.place(), o.played("ana")), (Place::Offer, vec!["agent-press-to-accept".to_string()]));
    o.presses("ana", '9');
    assert_eq!(o.place(), Place::Offer);
    o.presses("ana", '1');
    assert_eq!((o.hears("caller").as_str(), o.state("ana").as_str()), ("ana", "talking"));
    o.close();
}

#[test]
fn line_07_a_voicemail_that_answers_an_outside_phone_is_no_agent() {
    let mut o = Office::with(|site| site.agents.values_mut().for_each(|a| a.press_to_accept = true));
    o.dials("caller", "100");
    o.answers("ana");
    o.pass(16);
    assert!(!o.in_call("ana"));
    assert_eq!((o.count("offer.timed_out"), o.place()), (1, Place::Queue));
    o.close();
}

#[test]
fn line_07_a_diverted_call_is_rejected_and_not_followed() {
    let mut o = Office::open();
    o.dials("caller", "100");
    o.refuses("ana", 302);
    assert_eq!(o.fact("offer.rejected")["cause"], "diverted");
    assert_eq!(o.lines.len(), 2, "nobody else was rung");
    o.close();
}

#[test]
fn line_01_the_caller_leaves_while_the_phone_rings() {
    let mut o = Office::open();
    o.dials("caller", "100");
    o.on_line("ana", |line| line.respond(180, None));
    o.hangs_up("caller");
    assert!(!o.rings("ana"));
    let left = o.fact("queue.left");
    assert_eq!((&left["outcome"], &left["ringing"]), (&"abandoned".into(), &true.into()));
    assert_eq!((o.count("offer.cancelled"), o.state("ana").as_str()), (1, "available"));
    o.close();
}

#[test]
fn line_04_the_agent_ends_first_and_the_caller_is_told() {
    let mut o = Office::with_ana();
    o.hangs_up("ana");
    assert!(!o.in_call("caller"));
    assert_eq!(o.fact("call.ended")["cause"], "agent_hung_up");
    o.close();
}

#[test]
fn line_04_a_phone_that_dies_gives_the_caller_an_apology_and_the_front_of_the_line() {
    let mut o = Office::open();
    o.dials("caller", "100");
    o.pass(6);
    o.answers("ana");
    let rtp = o.line("ana").rtp;
    let leg = *o.plane.legs.iter().find(|(_, ear)| ear.rtp == rtp).unwrap().0;
    o.feed(engine::Input::Media(media::Input::Silent { leg, millis: 30_000 }));
    assert_eq!(o.played("caller"), ["apology"]);
    let entered = o.fact("queue.entered");
    assert_eq!(entered["credit_ms"], 6_000);
    assert!(entered["priority_s"].as_i64().unwrap() > 1_000_000);
    assert_eq!(o.fact("agent_leg.ended")["cause"], "unreachable");
    o.close();
}

#[test]
fn line_12_a_conversation_lasts_as_long_as_something_renews_it() {
    let mut o = Office::with_ana();
    o.pass(4 * 3_600);
    assert_eq!(o.hears("caller"), "ana", "never a fixed cap");
    o.holds("ana", true);
    o.pass(3_600);
    assert_eq!(o.hears("caller"), "hold", "nor for a hold");
    o.dead_air = true;
    o.pass(81);
    assert_eq!(o.fact("call.ended")["cause"], "lease_ended");
    assert!(!o.in_call("ana") && !o.in_call("caller"));
    o.close();
}

#[test]
fn line_06_a_call_that_comes_by_feature_code_blocks_the_agent_until_it_is_over() {
    let mut o = Office::open();
    o.plays_last = true;
    o.dials("ana", "*14");
    assert_eq!(o.state("ana"), "engaged");
    o.dials("caller", "100");
    assert!(!o.rings("ana"));
    let ends = o.plane.plays_end();
    ends.into_iter().for_each(|input| o.feed(engine::Input::Media(input)));
    assert!(o.rings("ana"));
    o.close();
}

#[test]
fn line_18_a_logout_during_a_call_is_pending() {
    let mut o = Office::with_ana();
    let ask = Request::Agent { agent: agent_id("ana"), ask: acd::Ask::LogOut };
    assert_eq!(o.asks(ask), Reply::Pending);
    assert_eq!(o.state("ana"), "talking");
    o.hangs_up("caller");
    o.pass(25);
    assert_eq!(o.state("ana"), "logged_out");
    o.close();
}

#[test]
fn an_agent_codes_a_conversation_and_extends_wrap_up_by_feature_code() {
    let mut o = Office::with_ana();
    o.hangs_up("caller");
    assert_eq!(o.state("ana"), "wrap_up");
    o.dials("ana", "*16resuelto");
    assert_eq!(o.fact("wrapup.coded")["code"], "resuelto");
    assert_eq!(o.fact("wrapup.coded")["visit_id"], "1-1-1.v1");
    o.dials("ana", "*15");
    o.pass(30);
    assert_eq!(o.state("ana"), "wrap_up");
    o.close();
}

#[test]
fn an_agent_pauses_the_recording_by_feature_code_and_goes_on_with_it() {
    let mut o = Office::with_ana();
    let voices = |o: &Office| o.plane.recordings.values().map(|(left, right)| (left.len(), right.len())).collect::<Vec<_>>();
    o.dials("ana", "*18");
    assert!(o.fact("recording.paused")["who"].as_str().unwrap().ends_with("/ana"));
    assert_eq!(voices(&o), [(0, 0)]);
    o.pass(5);
    o.dials("ana", "*19");
    assert_eq!((o.fact("recording.resumed")["by"].as_str(), voices(&o)), (Some("asked"), vec![(1, 1)]));
    o.dials("ana", "*19");
    assert_eq!(o.facts.iter().filter(|f| f.what.name() == "recording.resumed").count(), 1, "there is nothing to go on with");
    o.close();
}

#[test]
fn answering_an_unanswered_number_hears_the_queue_unbilled_until_an_agent_is_there() {
    let mut o = Office::open();
    o.dials("caller", "101");
    assert_eq!((o.line("caller").statuses.as_slice(), o.line("caller").up), (&[100, 183][..], false));
    assert_eq!((o.hears("caller").as_str(), o.count("call.answered")), ("music", 0));
    o.pass(5);
    o.answers("ana");
    assert_eq!((o.line("caller").up, o.count("call.answered")), (true, 1));
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("ana", "caller"));
    o.close();
}

#[test]
fn why_a_call_is_where_it_is_can_be_asked() {
    let mut o = Office::open();
    o.dials("caller", "100");
    let call = o.call();
    let Reply::Why(report) = o.asks(Request::Why { call }) else { panic!("not a why") };
    let decision = report.decisions.first().expect("one decision");
    assert_eq!((decision.agent.as_str(), decision.queue.as_str()), ("acme/ana", "acme/soporte"));
    assert_eq!(o.fact("offer.sent")["why"]["agents"], 1);
    assert_eq!(o.count("supervisor.acted"), 0, "to ask is not to act");
    o.close();
}

#[test]
fn line_02_the_phone_that_lost_is_told_that_the_call_was_completed_elsewhere() {
    let mut o = Office::with(|site| {
        site.queues.values_mut().for_each(|q| q.strategy = acd::Strategy::RingAll);
        site.agents.values_mut().for_each(|a| a.acd.queues = vec!["acme/soporte".parse().unwrap()]);
    });
    o.dials("caller", "100");
    assert!(o.rings("ana") && o.rings("beto") && o.rings("eva"));
    o.on_line("beto", |line| line.respond(180, None));
    o.on_line("eva", |line| line.respond(180, None));
    o.on_line("ana", Line::answer);
    let beto = o.first("beto");
    assert_eq!(beto.reason.as_deref(), Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    assert_eq!(o.hears("caller"), "ana");
    o.close();
}

#[test]
fn line_20_hops_and_branches_are_handed_on_and_bounded() {
    let mut o = Office::with(|site| {
        site.queues.values_mut().for_each(|q| q.strategy = acd::Strategy::RingAll);
        site.agents.values_mut().for_each(|a| a.acd.queues = vec!["acme/soporte".parse().unwrap()]);
    });
    o.dials_with("caller", "100", "Max-Breadth: 2\r\n");
    let rung = ["ana", "beto", "eva"].into_iter().filter(|agent| o.rings(agent)).count();
    assert_eq!(rung, 2, "three agents are offered the call, and two branches may be open");
    let phone = o.lines.iter().find(|line| line.ringing).unwrap();
    assert_eq!((phone.header("Max-Breadth").as_deref(), phone.header("Max-Forwards").as_deref()), (Some("1"), Some("69")));
    o.hangs_up("caller");
    o.dials_with("caller", "100", "Max-Breadth: 0\r\n");
    assert_eq!(o.last("caller").statuses, [440]);
    o.close();
}

#[test]
fn line_08_the_callers_language_is_whispered_before_the_bridge() {
    let mut o = Office::with(|site| site.agents.values_mut().for_each(|a| a.whisper = true));
    o.plays_last = true;
    o.dials("caller", "100");
    o.answers("ana");
    assert_eq!((o.played("ana"), o.hears("caller").as_str()), (vec!["whisper-es".to_string()], "music"));
    let ends = o.plane.plays_end();
    ends.into_iter().for_each(|input| o.feed(engine::Input::Media(input)));
    assert_eq!(o.hears("caller"), "ana");
    o.close();
}

#[test]
fn line_08_whose_customer_it_is_is_whispered_before_the_language() {
    let mut o = Office::with(|site| {
        site.agents.values_mut().for_each(|a| a.whisper = true);
        site.accounts.values_mut().for_each(|account| account.whisper = Some("acme".into()));
    });
    o.plays_last = true;
    o.dials("caller", "100");
    o.answers("ana");
    assert_eq!((o.played("ana"), o.hears("caller").as_str()), (vec!["acme".to_string(), "whisper-es".into()], "music"));
    let ends = o.plane.plays_end();
    ends.into_iter().for_each(|input| o.feed(engine::Input::Media(input)));
    assert_eq!(o.hears("caller"), "ana");
    o.close();
}

#[test]
fn a_caller_who_leaves_during_the_greeting_ends_the_conversation_that_had_begun() {
    let mut o = Office::with(|site| site.agents.values_mut().for_each(|a| a.auto_answer = true));
    o.plays_last = true;
    o.dials("caller", "100");
    o.answers("ana");
    o.hangs_up("caller");
    assert_eq!((o.count("agent_leg.ended"), o.state("ana").as_str()), (1, "wrap_up"));
    o.close();
}

#[test]
fn a_reload_that_was_refused_is_in_the_log() {
    let mut o = Office::open();
    o.feed(engine::Input::ConfigRejected { findings: 3 });
    assert_eq!(o.fact("config.rejected")["findings"], 3);
    o.close();
}

#[test]
fn skills_set_by_a_supervisor_count_at_once_and_are_in_the_log() {
    let needy = |site: &mut site::Site| {
        let needs = [base::Need { skill: base::Skill::new("app:sap"), at_least: 5 }];
        site.queues.values_mut().for_each(|q| q.requires = base::Requirement::new(needs.clone()));
    };
    let mut o = Office::with(needy);
    o.dials("caller", "100");
    assert!(!o.rings("ana"));
    let skills: base::Skills = [(base::Skill::new("app:sap"), 7)].into_iter().collect();
    assert_eq!(o.asks(Request::SetSkills { agent: agent_id("ana"), skills: Some(skills) }), Reply::Done);
    assert!(o.rings("ana"));
    assert_eq!(o.fact("config.overridden")["what"], "skills of agent acme/ana");
    assert_eq!(o.fact("supervisor.acted")["act"], "set skills");
    o.close();
}

fn desk(o: &mut Office, open: bool) {
    assert_eq!(o.asks(Request::Desk { agent: agent_id("ana"), open }), Reply::Done);
}

#[test]
fn line_18_a_closed_browser_has_30_s_then_its_agent_is_unreachable_until_it_is_back() {
    let mut o = Office::open();
    desk(&mut o, true);
    o.pass(20);
    desk(&mut o, true);
    o.pass(29);
    assert_eq!(o.state("ana"), "available", "each sign has 30 s");
    o.pass(1);
    assert_eq!(o.state("ana"), "unreachable");
    let changed = o.fact("agent.state_changed");
    assert_eq!((&changed["state"], &changed["reason"]), (&"unreachable".into(), &"desk_gone".into()));
    let shown = o.centre.snapshot().agents.into_iter().find(|a| a.agent == agent_id("ana")).and_then(|a| a.reason);
    assert_eq!(shown.as_deref(), Some("desk_gone"));
    o.dials("caller", "100");
    assert!(!o.rings("ana"));
    desk(&mut o, true);
    assert!(o.rings("ana"), "back with its desk");
    assert_eq!(o.count("supervisor.acted"), 0, "a sign of life is nobody's act");
    o.close();
}

#[test]
fn line_18_a_closed_browser_ends_no_call() {
    let mut o = Office::with_ana();
    desk(&mut o, true);
    o.pass(60);
    assert_eq!((o.state("ana").as_str(), o.hears("caller").as_str()), ("talking", "ana"));
    o.hangs_up("caller");
    assert_eq!(o.state("ana"), "wrap_up");
    o.pass(20);
    assert_eq!(o.state("ana"), "unreachable", "after the call, and its wrap-up");
    o.close();
}

#[test]
fn line_18_who_closes_the_desk_on_purpose_or_acts_on_the_phone_needs_none() {
    let mut o = Office::open();
    desk(&mut o, true);
    desk(&mut o, false);
    o.pass(60);
    assert_eq!(o.state("ana"), "available");
    desk(&mut o, true);
    o.pass(60);
    assert_eq!(o.state("ana"), "unreachable");
    o.dials("ana", "*14");
    o.pass(15);
    assert_eq!(o.state("ana"), "available");
    o.close();
}

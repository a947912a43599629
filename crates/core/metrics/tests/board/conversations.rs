//! What an agent does with a call: passes it on, confers, gives it a code; and the agent's own calls.

use crate::script::*;
use base::fact::{About, Direction, Excluded, Monitor, RecordingAlarm, Transfer, What};
use base::{AgentState, Cause};

/// Call `n` comes to the agent at once.
fn talks<'a>(s: &'a mut Script, n: u32, who: &str) -> &'a mut Script {
    s.arrives(n).enters(n, "soporte").answers(n, "soporte", who)
}

#[test]
fn a_transfer_back_to_the_same_queue_is_one_call_with_two_visits_and_two_waits() {
    let mut s = Script::new();
    s.logs_in("ana").logs_in("bea").arrives(1).enters(1, "soporte").at(4.0).answers(1, "soporte", "ana");
    s.at(30.0).transfers(1, "soporte", "ana", Transfer::ToQueue).hangs_up(1, "soporte", "ana", 26_000);
    s.enters(1, "soporte").at(36.0).answers(1, "soporte", "bea").at(56.0).hangs_up(1, "soporte", "bea", 20_000);
    s.ends(1, Cause::CallerHungUp);
    let f = s.hour();
    let (c, v) = (&f.totals.calls, &of(&f, "soporte").visits);
    assert_eq!((c.incoming, c.queued, c.reached_agent, c.lost), (1, 1, 1, 0));
    assert_eq!((v.offered, v.answered, v.asa_ms, v.handled, v.aht_ms), (2, 2, Some(5_000), 2, Some(23_000)));
    let t = &of(&f, "soporte").transfers;
    assert_eq!((t.to_queue, t.blind, t.attended, t.external, t.rate), (1, 0, 0, 0, Some(0.5)));
}

#[test]
fn transfers_are_split_by_kind_and_the_rate_is_of_ended_conversations() {
    let mut s = Script::new();
    s.logs_in("ana");
    let kinds = [Some(Transfer::Blind), Some(Transfer::Attended), Some(Transfer::External), Some(Transfer::ToQueue), None];
    for (n, kind) in (1..).zip(kinds) {
        talks(&mut s, n, "ana");
        if let Some(kind) = kind {
            s.transfers(n, "soporte", "ana", kind);
        }
        s.hangs_up(n, "soporte", "ana", 1_000);
    }
    // One that is passed on and not over yet is in neither.
    talks(&mut s, 6, "ana").transfers(6, "soporte", "ana", Transfer::Blind);
    let f = s.hour();
    for t in [&of(&f, "soporte").transfers, &who(&f, "ana").transfers, &f.totals.transfers] {
        assert_eq!((t.blind, t.attended, t.external, t.to_queue, t.rate), (1, 1, 1, 1, Some(0.8)));
    }
    assert_eq!(of(&f, "ventas").transfers.rate, None, "nothing to divide by");
}

#[test]
fn a_conference_is_one_conversation_of_its_agent_and_its_talk_counts_once() {
    let mut s = Script::new();
    s.logs_in("ana").logs_in("bea");
    talks(&mut s, 1, "ana").at(20.0);
    let conferenced = |joined| What::AgentLegConferenced { joined, to: "agent/bea".into() };
    s.becomes("bea", AgentState::Engaged).say(s_talk(1), conferenced(true));
    s.at(50.0).say(s_talk(1), conferenced(false)).becomes("bea", AgentState::Available);
    s.at(60.0).hangs_up(1, "soporte", "ana", 60_000);
    let f = s.at(70.0).hour();
    let v = &of(&f, "soporte").visits;
    assert_eq!((v.handled, v.talk_ms, v.conferences, v.aht_ms), (1, 60_000, 1, Some(60_000)));
    assert_eq!((who(&f, "ana").talk_ms, who(&f, "bea").talk_ms, who(&f, "bea").engaged_ms), (60_000, 0, 30_000));
    assert_eq!((who(&f, "bea").handled, f.totals.calls.reached_agent), (0, 1));
}

#[test]
fn time_in_consultation_is_part_of_the_talk_and_told_apart() {
    let mut s = Script::new();
    s.logs_in("ana");
    talks(&mut s, 1, "ana").at(60.0).say(s_talk(1), What::AgentLegEnded { talk_ms: 50_000, hold_ms: 10_000, consult_ms: 15_000 });
    let v = &s.hour().totals.visits;
    assert_eq!((v.talk_ms, v.consult_ms, v.hold_ms, v.aht_ms), (50_000, 15_000, 10_000, Some(60_000)));
}

#[test]
fn an_agents_own_calls_are_its_own_figures_and_no_customers() {
    let mut s = Script::new();
    s.logs_in("ana")
        .at(100.0)
        .dials(1, "ana", Direction::Outgoing)
        .at(110.0)
        .reaches(1, "ana")
        .at(150.0)
        .is_done(1, "ana", 40_000);
    s.at(200.0).dials(2, "ana", Direction::Internal).at(205.0).reaches(2, "ana").at(215.0).is_done(2, "ana", 10_000);
    s.at(300.0).dials(3, "ana", Direction::Outgoing).at(320.0).is_done_unreached(3, "ana");
    let f = s.at(400.0).hour();
    let a = who(&f, "ana");
    assert_eq!((a.outgoing, a.outgoing_talk_ms, a.internal, a.internal_talk_ms), (2, 40_000, 1, 10_000));
    assert_eq!((a.calls, a.handled, a.aht_ms, a.talk_ms), (0, 0, None, 0));
    assert_eq!((f.totals.calls.incoming, f.totals.calls.live_now, f.totals.visits.offered), (0, 0, 0));
    assert_eq!(f.recordings.expected, 0, "nothing is owed of a call that nobody records");
}

#[test]
fn time_in_own_calls_is_logged_in_and_neither_busy_nor_available() {
    let mut s = Script::new();
    s.logs_in("ana").at(30.0);
    talks(&mut s, 1, "ana").at(60.0).hangs_up(1, "soporte", "ana", 30_000).at(70.0).becomes("ana", AgentState::Available);
    s.at(100.0).dials(2, "ana", Direction::Outgoing).at(160.0).is_done_unreached(2, "ana");
    let f = s.at(170.0).hour();
    let a = who(&f, "ana");
    assert_eq!((a.available_ms, a.talk_ms, a.wrap_ms, a.engaged_ms, a.logged_in_ms), (70_000, 30_000, 10_000, 60_000, 170_000));
    assert_eq!((a.occupancy, a.utilisation), (Some(40.0 / 110.0), Some(40.0 / 170.0)));
}

#[test]
fn an_own_call_across_a_boundary_is_cut_so_that_each_quarters_states_add_up() {
    let mut s = Script::new();
    s.logs_in("ana").at(880.0).dials(1, "ana", Direction::Outgoing).at(930.0).is_done_unreached(1, "ana");
    let (first, second) = (s.figures(0.0, QUARTER), s.figures(QUARTER, 2.0 * QUARTER));
    assert_eq!((who(&first, "ana").engaged_ms, who(&second, "ana").engaged_ms), (20_000, 30_000));
    assert_eq!((who(&first, "ana").logged_in_ms, who(&second, "ana").logged_in_ms), (900_000, 30_000));
}

#[test]
fn an_own_call_owes_a_recording_once_one_began() {
    let mut s = Script::new();
    s.logs_in("ana").dials(1, "ana", Direction::Outgoing).reaches(1, "ana");
    let recording = "1-1-1.c1.p1".parse().unwrap();
    s.say(s_talk(1), What::RecordingStarted { recording }).at(9.0).is_done(1, "ana", 9_000);
    assert_eq!((s.hour().recordings.expected, s.hour().recordings.open), (1, 1));
    s.say(s_talk(1), What::RecordingFailed { recording, reason: "disk_full".into() });
    assert_eq!((s.hour().recordings.failed, s.hour().recordings.open), (1, 0));
}

#[test]
fn an_own_call_after_a_conversation_takes_neither_its_queue_nor_its_wrap_up() {
    let mut s = Script::new();
    s.logs_in("ana");
    talks(&mut s, 1, "ana").at(30.0).hangs_up(1, "soporte", "ana", 30_000);
    // During wrap-up she calls a colleague.
    s.at(35.0).dials(2, "ana", Direction::Internal).reaches(2, "ana").at(45.0).is_done(2, "ana", 10_000).wraps_up("ana", 99_000);
    let f = s.hour();
    let v = &of(&f, "soporte").visits;
    assert_eq!((v.handled, v.talk_ms, v.wrap_ms), (1, 30_000, 0));
    assert_eq!((who(&f, "ana").internal_talk_ms, who(&f, "ana").aht_ms), (10_000, Some(30_000)));
}

#[test]
fn codes_are_counted_once_for_each_conversation_and_the_last_one_stands() {
    let mut s = Script::new();
    s.logs_in("ana");
    // Given while she talks, and changed in wrap-up.
    talks(&mut s, 1, "ana").codes(1, "soporte", "ana", "otro").at(9.0).hangs_up(1, "soporte", "ana", 9_000);
    s.codes(1, "soporte", "ana", "resuelto").at(880.0).wraps_up("ana", 5_000);
    // Ended in one quarter, coded in the next: it counts where the conversation ended.
    talks(&mut s, 2, "ana").at(895.0).hangs_up(2, "soporte", "ana", 15_000).at(905.0).codes(2, "soporte", "ana", "resuelto");
    s.wraps_up("ana", 10_000);
    // Told of by the visit, as after the call; and one for a call that the agent never had.
    let late = About { agent: Some(agent("ana")), ..s.visit(2, "soporte") };
    s.at(906.0).say(late, What::WrapUpCoded { code: "resuelto".into() });
    s.say(About { agent: Some(agent("ana")), ..s.visit(9, "soporte") }, What::WrapUpCoded { code: "otro".into() });
    // Without a code.
    talks(&mut s, 3, "ana").at(950.0).hangs_up(3, "soporte", "ana", 1_000).wraps_up("ana", 0);
    let first = s.figures(0.0, QUARTER);
    let resolved = [("resuelto".to_string(), 2)].into();
    assert_eq!((&of(&first, "soporte").dispositions, &who(&first, "ana").dispositions), (&resolved, &resolved));
    assert_eq!((&s.hour().totals.dispositions, s.figures(QUARTER, 2.0 * QUARTER).totals.dispositions.len()), (&resolved, 0));
}

#[test]
fn what_supervisors_did_is_counted_where_it_happened() {
    let mut s = Script::new();
    let sup = || "sup".to_string();
    s.at(880.0).say(About::default(), What::SupervisorActed { who: sup(), act: "close acme/soporte".into() });
    s.say(of_call(1), What::MonitorStarted { who: sup(), mode: Monitor::Listen });
    s.at(910.0).say(of_call(1), What::MonitorEnded { who: sup(), monitored_ms: 30_000 });
    s.say(of_call(1), What::MonitorStarted { who: sup(), mode: Monitor::Barge });
    let (first, second) = (s.figures(0.0, QUARTER).supervision, s.figures(QUARTER, 2.0 * QUARTER).supervision);
    assert_eq!((first.acts, first.monitors, first.monitored_ms), (1, 1, 0));
    assert_eq!((second.acts, second.monitors, second.monitored_ms), (0, 1, 30_000));
}

/// The first conversation of the call, as ana's facts tell of it.
fn s_talk(n: u32) -> About {
    let conversation = format!("1-1-{n}.c1").parse().ok();
    About { conversation, agent: Some(agent("ana")), ..of_call(n) }
}

#[test]
fn what_is_excluded_is_shown_by_its_reason_and_outside_what_is_expected() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    s.arrives(2).enters(2, "soporte").answers(2, "soporte", "bea");
    let about = s.conversation(2, "soporte", "bea");
    let excluded = || What::RecordingExcluded { reason: Excluded::Policy, policy: String::new() };
    s.say(about.clone(), excluded());
    s.say(about.clone(), excluded());
    s.say(about, What::AgentLegEnded { talk_ms: 1, hold_ms: 0, consult_ms: 0 });
    let r = s.hour().recordings;
    assert_eq!((r.expected, r.open, r.excluded), (1, 1, [("policy".to_string(), 1)].into()));
    assert_eq!((r.accounted, r.coverage), (Some(1.0), None));
}

#[test]
fn coverage_is_shown_for_each_policy_and_adds_up_to_the_whole() {
    let mut s = Script::new();
    let (support, all) = (|| "queue acme/soporte: 25 %".to_string(), || "tenant acme: all".to_string());
    s.logs_in("ana");
    for n in 1..=4 {
        s.arrives(n).enters(n, "soporte").answers(n, "soporte", "ana");
        let about = s.conversation(n, "soporte", "ana");
        let owed = |policy| What::RecordingOwed { policy };
        let excluded = |reason| What::RecordingExcluded { reason, policy: support() };
        s.say(
            about.clone(),
            match n {
                1 => owed(all()),
                2 => owed(support()),
                3 => excluded(Excluded::Share),
                _ => excluded(Excluded::ConsentRefused),
            },
        );
        match n {
            2 => s.hangs_up(2, "soporte", "ana", 1),
            _ => s.say(about, What::AgentLegEnded { talk_ms: 1, hold_ms: 0, consult_ms: 0 }),
        };
    }
    let r = s.hour().recordings;
    let of_policy = &r.by_policy[&support()];
    assert_eq!((of_policy.expected, of_policy.complete, of_policy.open, of_policy.coverage), (1, 1, 0, Some(1.0)));
    assert_eq!(of_policy.excluded, [("share".to_string(), 1), ("consent_refused".to_string(), 1)].into());
    assert_eq!((r.by_policy[&all()].expected, r.by_policy[&all()].open), (1, 1));
    assert_eq!((r.expected, r.complete, r.open, r.excluded), (2, 1, 1, of_policy.excluded.clone()));
}

#[test]
fn an_own_call_is_expected_from_the_moment_it_is_said_to_be_owed() {
    let mut s = Script::new();
    s.logs_in("ana");
    s.dials(1, "ana", Direction::Outgoing).reaches(1, "ana");
    assert_eq!(s.hour().recordings.expected, 0);
    s.say(s.talk(1, "ana"), What::RecordingOwed { policy: "outbound acme: all".into() });
    assert_eq!((s.hour().recordings.expected, s.hour().recordings.open), (1, 1));
}

#[test]
fn a_recording_of_which_nothing_is_heard_after_its_conversation_is_missing_until_something_is() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    let about = s.conversation(1, "soporte", "ana");
    s.at(10.0).say(about.clone(), What::AgentLegEnded { talk_ms: 1, hold_ms: 0, consult_ms: 0 });
    assert_eq!((s.at(100.0).hour().recordings.missing, s.hour().recordings.accounted), (0, Some(1.0)));
    assert_eq!((s.at(100.1).hour().recordings.missing, s.hour().recordings.accounted), (1, Some(0.0)));
    let recording = base::RecordingId { conversation: about.conversation.unwrap(), n: 1 };
    s.say(about, What::RecordingFailed { recording, reason: "x".into() });
    assert_eq!((s.hour().recordings.missing, s.hour().recordings.failed), (0, 1));
}

#[test]
fn an_alarm_is_counted_when_it_begins_and_stands_until_it_ends() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    let about = s.conversation(1, "soporte", "ana");
    let recording = base::RecordingId { conversation: about.conversation.unwrap(), n: 1 };
    let (begins, ends) = (
        What::RecordingAlarm { recording, alarm: RecordingAlarm::Stalled },
        What::RecordingAlarmEnded { recording, alarm: RecordingAlarm::Stalled, lasted_ms: 1 },
    );
    s.say(about.clone(), begins.clone());
    assert_eq!((s.hour().recordings.alarms, s.hour().recordings.alarms_now), (1, 1));
    s.say(about.clone(), ends);
    assert_eq!((s.hour().recordings.alarms, s.hour().recordings.alarms_now), (1, 0));
    s.say(about, begins).hangs_up(1, "soporte", "ana", 1);
    assert_eq!((s.hour().recordings.alarms, s.hour().recordings.alarms_now), (2, 0), "it ends with its recording");
}

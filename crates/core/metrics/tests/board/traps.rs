//! The traps of counting, each one a test (metrics.md of the design).

use crate::script::*;
use base::fact::{About, Direction, Kept, What};
use base::{AgentState, Cause, Lang, Outcome};
use metrics::{Board, Folded, Formula, Mark, View};

#[test]
fn a_call_waiting_across_a_boundary_counts_where_it_came_and_waits_in_both() {
    let mut s = Script::new();
    s.at(880.0).arrives(1).enters(1, "soporte");
    let before = s.at(895.0).figures(0.0, QUARTER);
    assert_eq!((of(&before, "soporte").visits.waiting, of(&before, "soporte").visits.waiting_ms), (1, 15_000));
    s.at(930.0).answers(1, "soporte", "ana");
    let (first, second) = (s.figures(0.0, QUARTER), s.figures(QUARTER, 2.0 * QUARTER));
    let (a, b) = (&of(&first, "soporte").visits, &of(&second, "soporte").visits);
    assert_eq!((a.offered, a.answered, a.waiting, b.offered, b.answered), (1, 1, 0, 0, 0));
    assert_eq!((a.waiting_ms, b.waiting_ms), (20_000, 30_000));
    assert_eq!((a.asa_ms, b.asa_ms), (Some(50_000), None));
    assert_eq!(of(&s.hour(), "soporte").visits.waiting_ms, 50_000);
}

#[test]
fn an_abandon_while_ringing_is_an_abandon_with_its_ringing_in_the_wait_and_no_rona() {
    let mut s = Script::new();
    s.logs_in("ana").at(1.0).arrives(1).enters(1, "soporte").at(4.0).rings(1, "soporte", "ana");
    s.at(11.0).leaves(1, "soporte", Outcome::Abandoned).stops_ringing(1, "soporte", "ana").ends(1, Cause::CallerHungUp);
    let f = s.hour();
    let q = &of(&f, "soporte").visits;
    assert_eq!((q.abandoned, q.abandoned_ringing, q.time_to_abandon_ms, q.rona, q.offers), (1, 1, Some(10_000), 0, 1));
    assert_eq!((who(&f, "ana").rona, who(&f, "ana").ringing_ms), (0, 7_000));
    assert_eq!((f.totals.calls.lost, f.totals.calls.queued), (1, 1));
}

#[test]
fn a_phone_that_rings_out_is_rona_and_the_visit_goes_on() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").rings(1, "soporte", "ana").at(15.0).rings_out(1, "soporte", "ana");
    let f = s.hour();
    assert_eq!((who(&f, "ana").rona, of(&f, "soporte").visits.rona, of(&f, "soporte").waiting_now), (1, 1, 1));
    assert_eq!(who(&f, "ana").state, AgentState::Paused);
}

#[test]
fn a_transfer_back_to_the_same_queue_is_one_call_and_two_visits() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").at(2.0).answers(1, "soporte", "ana");
    s.at(10.0).hangs_up(1, "soporte", "ana", 8_000).enters(1, "soporte").at(40.0).leaves(1, "soporte", Outcome::Abandoned);
    s.ends(1, Cause::CallerHungUp);
    let f = s.hour();
    let q = &of(&f, "soporte").visits;
    assert_eq!((f.totals.calls.incoming, f.totals.calls.queued, q.offered, q.answered, q.abandoned), (1, 1, 2, 1, 1));
    assert_eq!((f.totals.calls.reached_agent, f.totals.calls.lost), (1, 0), "it had an agent");
}

#[test]
fn an_overflow_is_one_call_and_a_visit_in_each_queue() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "ventas").at(30.0).leaves(1, "ventas", Outcome::Overflowed).enters(1, "soporte");
    s.at(36.0).answers(1, "soporte", "ana");
    let f = s.hour();
    assert_eq!((f.totals.visits.offered, f.totals.calls.queued, f.totals.visits.other_exits), (2, 1, 1));
    assert_eq!((of(&f, "ventas").visits.service_level, of(&f, "soporte").visits.service_level), (Some(0.0), Some(1.0)));
}

#[test]
fn nothing_offered_gives_no_value() {
    let f = Script::new().at(10.0).hour();
    let v = &of(&f, "soporte").visits;
    assert_eq!((v.service_level, v.asa_ms, v.aht_ms, v.wait_p90_ms, v.abandonment_rate), (None, None, None, None, None));
    assert_eq!((v.service_level_formula.as_str(), f.queues.len()), ("short_excluded", 2));
    assert_eq!((f.recordings.coverage, f.totals.calls.abandonment_rate_incoming), (None, None));
}

#[test]
fn the_longest_wait_includes_those_who_still_wait() {
    let mut s = Script::new();
    s.arrives(1).enters(1, "soporte").at(20.0).arrives(2).enters(2, "soporte").at(50.0).leaves(1, "soporte", Outcome::Abandoned);
    let f = s.at(200.0).hour();
    let q = of(&f, "soporte");
    assert_eq!((q.longest_wait_ms, q.visits.longest_waited_ms, q.waiting_now), (180_000, 180_000, 1));
    assert_eq!((f.totals.longest_wait_ms, f.totals.waiting_now), (180_000, 1));
}

#[test]
fn waits_are_compared_with_at_most_and_an_answer_at_the_threshold_is_in_time() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").arrives(2).enters(2, "soporte").arrives(3).enters(3, "soporte");
    s.at(5.0).leaves(3, "soporte", Outcome::Abandoned);
    s.at(20.0).answers(1, "soporte", "ana").at(20.001).answers(2, "soporte", "ana");
    let f = s.hour();
    let v = &of(&f, "soporte").visits;
    assert_eq!((v.answered, v.answered_in_time, v.short_abandons), (2, 1, 1));
    assert_eq!((v.service_level, v.abandonment_rate, v.abandonment_rate_without_short), (Some(0.5), Some(1.0 / 3.0), Some(0.0)));
}

#[test]
fn throwing_callers_out_never_improves_the_service_level() {
    let level = |outcome| {
        let mut s = Script::new();
        s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana").arrives(2).enters(2, "soporte");
        s.at(60.0).leaves(2, "soporte", outcome);
        of(&s.hour(), "soporte").visits.service_level
    };
    use Outcome::*;
    for forced in [Timeout, NoAgents, Overflowed, System, Abandoned] {
        assert_eq!(level(forced), Some(0.5), "{forced}");
    }
    for chosen in [KeyExit, Callback, Voicemail] {
        assert_eq!(level(chosen), Some(1.0), "{chosen}");
    }
}

#[test]
fn the_formula_is_each_queues_own_and_named_beside_the_number() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana").arrives(2).enters(2, "soporte");
    s.at(6.0).leaves(2, "soporte", Outcome::Abandoned);
    let mut view = View::new(s.now(), base::Wall(MIDNIGHT), base::Wall(MIDNIGHT + 3_600_000_000));
    view.formulas.insert(queue("soporte"), Formula::Answered);
    let f = s.board.figures(&view);
    let q = &of(&f, "soporte").visits;
    assert_eq!((q.service_level, q.service_level_formula.as_str()), (Some(1.0), "answered"));
    assert_eq!((f.totals.visits.service_level, f.totals.visits.service_level_formula.as_str()), (Some(0.5), "short_excluded"));
}

#[test]
fn talk_in_a_call_with_two_agents_is_each_agents_own_and_counted_once_for_each() {
    let mut s = Script::new();
    s.logs_in("ana").logs_in("bea").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    // Bea joins: a second conversation in the same call.
    s.at(10.0).becomes("bea", AgentState::Talking);
    let second = About {
        conversation: Some("1-1-1.c2".parse().unwrap()),
        agent: Some(agent("bea")),
        queue: Some(queue("soporte")),
        ..of_call(1)
    };
    s.say(second.clone(), What::AgentLegConnected { wait_ms: 0 });
    s.at(40.0)
        .say(second, What::AgentLegEnded { talk_ms: 30_000, hold_ms: 0, consult_ms: 0 })
        .becomes("bea", AgentState::Available);
    s.at(60.0).hangs_up(1, "soporte", "ana", 60_000);
    let f = s.at(70.0).hour();
    assert_eq!((who(&f, "ana").talk_ms, who(&f, "bea").talk_ms), (60_000, 30_000));
    let v = &of(&f, "soporte").visits;
    assert_eq!((v.talk_ms, v.handled, v.aht_ms, f.totals.calls.reached_agent), (90_000, 2, Some(45_000), 1));
}

#[test]
fn wrap_up_after_logout_belongs_to_the_conversation_and_not_to_the_time_logged_in() {
    let mut s = Script::new();
    s.logs_in("ana").at(10.0).arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    s.at(40.0).hangs_up(1, "soporte", "ana", 30_000);
    s.at(45.0).becomes("ana", AgentState::LoggedOut);
    s.at(55.0).wraps_up("ana", 15_000);
    let f = s.at(100.0).hour();
    let a = who(&f, "ana");
    assert_eq!((a.logged_in_ms, a.wrap_ms, a.talk_ms, a.available_ms), (45_000, 5_000, 30_000, 10_000));
    assert_eq!((a.occupancy, a.utilisation), (Some(35.0 / 45.0), Some(35.0 / 45.0)));
    assert_eq!(
        (of(&f, "soporte").visits.wrap_ms, of(&f, "soporte").visits.aht_ms, a.aht_ms),
        (15_000, Some(45_000), Some(45_000))
    );
}

#[test]
fn wrap_up_counts_in_the_interval_in_which_its_conversation_ended() {
    let mut s = Script::new();
    s.logs_in("ana").at(800.0).arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    s.at(895.0).hangs_up(1, "soporte", "ana", 95_000).at(915.0).wraps_up("ana", 20_000).becomes("ana", AgentState::Available);
    let (first, second) = (s.figures(0.0, QUARTER), s.figures(QUARTER, 2.0 * QUARTER));
    assert_eq!((of(&first, "soporte").visits.aht_ms, of(&second, "soporte").visits.aht_ms), (Some(115_000), None));
    assert_eq!((who(&first, "ana").wrap_ms, who(&second, "ana").wrap_ms), (5_000, 15_000), "the agent's time is cut");
}

#[test]
fn a_step_of_the_wall_clock_changes_no_duration() {
    let told = |jump: f64| {
        let mut s = Script::new();
        s.logs_in("ana").at(10.0).arrives(1).enters(1, "soporte");
        s.wall_jumps(jump);
        s.at(20.0).answers(1, "soporte", "ana").at(50.0).hangs_up(1, "soporte", "ana", 30_000).at(60.0);
        let f = s.figures(-2.0 * 3600.0, 3.0 * 3600.0);
        let (a, q) = (who(&f, "ana").clone(), of(&f, "soporte").visits.clone());
        (a.available_ms, a.talk_ms, a.wrap_ms, a.logged_in_ms, q.asa_ms, q.waiting_ms, q.aht_ms)
    };
    for jump in [3600.0, -3600.0, 0.123] {
        assert_eq!(told(jump), told(0.0), "{jump}");
    }
}

#[test]
fn a_log_replayed_twice_counts_once_and_a_gap_changes_nothing() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    let before = s.board.clone();
    for logged in s.log.clone() {
        assert_eq!(s.board.apply(&logged), Folded::Known);
    }
    let mut later = s.log.last().unwrap().clone();
    later.seq += 2;
    assert_eq!(s.board.apply(&later), Folded::Gap(Mark { epoch: 1, seq: s.log.len() as u64 }));
    (later.epoch, later.seq) = (2, 2);
    assert_eq!(s.board.apply(&later), Folded::Gap(before.mark()));
    assert_eq!(s.board, before);
}

#[test]
fn a_restart_at_midnight_with_calls_in_progress_logs_nobody_off_and_leaves_nobody_waiting() {
    let mut s = Script::starting(-700.0);
    s.at(-600.0).logs_in("ana").logs_in("bea");
    s.at(-100.0).arrives(1).enters(1, "soporte").answers(1, "soporte", "ana").arrives(2).enters(2, "soporte");
    s.at(-5.0).say(About::default(), What::NodeHeartbeat { calls: 2 });
    // Epoch 2 closes both calls at the last sign of life, restarts after midnight, and restores the logins.
    s.dies_and_starts(7.0, |s| {
        let lost = |about: About| About { cause: Some(Cause::NodeLost), ..about };
        s.leaves(2, "soporte", Outcome::System).ends(2, Cause::NodeLost);
        let talk = s.conversation(1, "soporte", "ana");
        let recording = "1-1-1.c1.p1".parse().unwrap();
        s.say(lost(talk.clone()), What::AgentLegEnded { talk_ms: 95_000, hold_ms: 0, consult_ms: 0 }).ends(1, Cause::NodeLost);
        let kept = Kept::Partial;
        let stored =
            What::RecordingStored { recording, file: "f".into(), duration_ms: 9, sha256: "s".into(), kept, reason: None };
        s.say(lost(talk), stored);
    });
    let f = s.at(8.0).figures(-86_400.0, 86_400.0);
    assert!(f.agents.iter().all(|a| a.state != AgentState::LoggedOut), "{:?}", f.agents);
    assert_eq!((f.totals.waiting_now, f.totals.calls.live_now, f.totals.visits.system, f.totals.calls.lost), (0, 0, 1, 1));
    assert_eq!((f.recordings.expected, f.recordings.partial, f.recordings.open), (1, 1, 0));
    s.becomes("ana", AgentState::WrapUp).becomes("bea", AgentState::Available);
    s.at(12.0).say(About::default(), What::NodeHeartbeat { calls: 0 });
    let day = s.at(20.0).figures(0.0, 86_400.0);
    assert_eq!((who(&day, "ana").logged_in_ms, who(&day, "bea").logged_in_ms), (20_000, 20_000), "from midnight, without a hole");
    assert_eq!((who(&day, "ana").wrap_ms, who(&day, "bea").available_ms), (12_000, 20_000));
    let eve = s.figures(-3600.0, 0.0);
    assert_eq!((who(&eve, "ana").logged_in_ms, who(&eve, "ana").talk_ms), (600_000, 100_000));
}

#[test]
fn an_agent_who_left_the_site_over_a_restart_is_logged_out_at_the_first_heartbeat() {
    let mut s = Script::new();
    s.logs_in("ana").logs_in("bea").at(50.0);
    s.dies_and_starts(60.0, |_| {});
    s.becomes("ana", AgentState::Available);
    s.at(65.0).say(About::default(), What::NodeHeartbeat { calls: 0 });
    let f = s.at(100.0).hour();
    assert_eq!((who(&f, "ana").state, who(&f, "ana").logged_in_ms), (AgentState::Available, 100_000));
    assert_eq!((who(&f, "bea").state, who(&f, "bea").logged_in_ms), (AgentState::LoggedOut, 65_000));
}

#[test]
fn the_five_ends_of_a_call_add_up_to_those_that_came() {
    let mut s = Script::new();
    s.arrives(1).say(About { cause: Some(Cause::Overloaded), ..of_call(1) }, What::CallRejected { status: 503 });
    s.arrives(2).ends(2, Cause::CallerHungUp);
    s.arrives(3).ends(3, Cause::FlowEnded);
    s.arrives(4).enters(4, "soporte").leaves(4, "soporte", Outcome::Voicemail).ends(4, Cause::FlowEnded);
    s.arrives(5);
    s.arrives(6).say(About { cause: Some(Cause::UnknownNumber), ..of_call(6) }, What::CallRejected { status: 404 });
    s.arrives(7).say(About { queue: Some(queue("soporte")), ..of_call(7) }, What::QueueRefused {}).ends(7, Cause::QueueFull);
    // A feature code is no customer contact.
    let code = What::CallArrived { direction: Direction::FeatureCode, trunk: "".into(), number: "*11".into() };
    s.say(of_call(8), code).ends(8, Cause::CallerHungUp);
    let f = s.hour();
    let c = &f.totals.calls;
    assert_eq!((c.incoming, c.rejected, c.ivr_abandoned, c.ivr_ended, c.queued, c.in_ivr), (7, 2, 1, 2, 1, 1));
    assert_eq!(
        (c.lost, c.live_now, of(&f, "soporte").visits.refused),
        (2, 1, 1),
        "overloaded and refused; voicemail is a choice"
    );
    assert_eq!(c.abandonment_rate_incoming, Some(1.0 / 7.0));
}

#[test]
fn a_call_counts_in_the_language_it_chose_last() {
    let mut s = Script::new();
    s.arrives(1)
        .selects(1, Lang::EN)
        .selects(1, Lang::ES)
        .arrives(2)
        .selects(2, Lang::ES)
        .arrives(3)
        .selects(3, Lang::PT)
        .arrives(4);
    assert_eq!(s.hour().languages, [(Lang::ES, 2), (Lang::PT, 1)].into());
}

#[test]
fn agents_are_counted_by_state_in_each_queue_they_serve() {
    let mut s = Script::new();
    s.logs_in("ana").logs_in("bea").arrives(1).enters(1, "soporte").rings(1, "soporte", "bea");
    let f = s.hour();
    let by_state = [(AgentState::Available, 1), (AgentState::Ringing, 1)].into();
    assert_eq!((&of(&f, "soporte").agents_by_state, of(&f, "ventas").agents_by_state.len()), (&by_state, 0));
    let bea = who(&f, "bea");
    assert_eq!((bea.call, bea.queue.clone()), (Some(call(1)), Some(queue("soporte"))));
    s.answers(1, "soporte", "bea").at(5.0).hangs_up(1, "soporte", "bea", 5_000);
    assert_eq!(who(&s.hour(), "bea").call, Some(call(1)), "in wrap-up the call is still on the screen");
    s.becomes("bea", AgentState::Available);
    assert_eq!(who(&s.hour(), "bea").call, None);
}

#[test]
fn a_recording_is_open_until_its_conversation_and_each_part_have_ended() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    assert_eq!((s.hour().recordings.expected, s.hour().recordings.open), (1, 1));
    s.at(9.0).hangs_up(1, "soporte", "ana", 9_000);
    let r = s.hour().recordings;
    assert_eq!((r.complete, r.open, r.coverage), (1, 0, Some(1.0)));
    // The next one's recorder never begins: it stays owed, and shows.
    s.becomes("ana", AgentState::Available).arrives(2).enters(2, "soporte");
    let about = About { conversation: Some("1-1-2.c1".parse().unwrap()), agent: Some(agent("ana")), ..of_call(2) };
    s.say(about.clone(), What::AgentLegConnected { wait_ms: 0 })
        .say(about, What::AgentLegEnded { talk_ms: 1, hold_ms: 0, consult_ms: 0 });
    let r = s.hour().recordings;
    assert_eq!((r.expected, r.complete, r.open), (2, 1, 1));
}

#[test]
fn intervals_older_than_three_days_are_forgotten_and_the_sums_still_hold() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte");
    let days = 4.0 * 86_400.0;
    s.at(days).arrives(2).enters(2, "soporte").at(days + 1.0).answers(1, "soporte", "ana");
    assert_eq!(
        s.board.intervals(base::Wall(0), base::Wall(i64::MAX)).map(|(at, _)| at).min().unwrap().0,
        MIDNIGHT + 86_400_000_000
    );
    let f = s.figures(days - 3600.0, days + 3600.0);
    assert_eq!((f.totals.visits.offered, f.totals.visits.waiting, f.totals.calls.incoming), (1, 1, 1));
}

#[test]
fn a_board_reads_back_from_its_checkpoint_and_goes_on() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana").at(30.0);
    let bytes = s.board.checkpoint();
    assert_eq!(Board::restore(&bytes).as_ref(), Some(&s.board));
    assert_eq!(Board::restore(&bytes[1..]), None);
    assert_eq!(Board::restore(&[]), None);
}

#[test]
fn a_checkpoint_of_another_form_is_never_read_as_this_one() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).selects(1, Lang::ES).enters(1, "soporte").rings(1, "soporte", "ana").answers(1, "soporte", "ana");
    s.at(1000.0)
        .hangs_up(1, "soporte", "ana", 1_000_000)
        .wraps_up("ana", 1)
        .ends(1, Cause::CallerHungUp)
        .arrives(2)
        .enters_expecting(2, "soporte", Some((1, 2)))
        .asks_for_a_callback(2, "soporte")
        .dials(3, "ana", Direction::Outgoing)
        .reaches(3, "ana")
        .arrives(4)
        .enters_expecting(4, "soporte", Some((1, 2)))
        .answers(4, "soporte", "ana")
        .transfers(4, "soporte", "ana", base::fact::Transfer::Blind)
        .codes(4, "soporte", "ana", "resuelto")
        .hangs_up(4, "soporte", "ana", 1)
        .sounds(4, 4.36, 0.01, 1_500);
    let sum =
        s.board.checkpoint().iter().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    assert_eq!(
        sum, 6_702_904_935_316_247_697,
        "what a board holds has changed: raise FORM in board.rs, then write the new sum here"
    );
}

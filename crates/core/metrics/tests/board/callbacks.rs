//! Callbacks, and who is lost: what counts for a caller who is not on the line, or never was let in.

use crate::script::*;
use base::fact::{About, CallbackEnd, What};
use base::{AgentState, Cause, Outcome};

#[test]
fn a_caller_who_takes_a_callback_has_not_abandoned_and_leaves_the_service_level() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    s.arrives(2).enters(2, "soporte").at(30.0).asks_for_a_callback(2, "soporte");
    let f = s.at(40.0).hour();
    let (q, v) = (of(&f, "soporte"), &of(&f, "soporte").visits);
    assert_eq!((v.offered, v.answered, v.abandoned, v.callback, v.waiting), (2, 1, 0, 1, 0));
    assert_eq!((v.service_level, v.abandonment_rate), (Some(1.0), Some(0.0)), "an exit by choice");
    assert_eq!((q.callbacks.requested, q.callbacks.waiting, q.callbacks_now), (1, 1, 1));
    assert_eq!((f.totals.calls.lost, f.totals.calls.live_now), (0, 2));
}

#[test]
fn a_callback_that_waits_counts_in_the_queues_length_and_not_in_the_longest_wait_of_those_on_the_line() {
    let mut s = Script::new();
    s.arrives(1).enters(1, "soporte").at(10.0).asks_for_a_callback(1, "soporte");
    s.at(50.0).arrives(2).enters(2, "soporte");
    let f = s.at(70.0).hour();
    let q = of(&f, "soporte");
    assert_eq!((q.waiting_now, q.callbacks_now, q.visits.waiting, q.longest_wait_ms), (2, 1, 1, 20_000));
    assert_eq!(q.visits.waiting_ms, 10_000 + 60_000 + 20_000, "the integral of the length, the kept place included");
    assert_eq!((f.totals.waiting_now, f.totals.callbacks_now, f.totals.longest_wait_ms), (2, 1, 20_000));
}

#[test]
fn a_callback_that_connects_is_handled_and_its_place_is_no_second_visit() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").at(10.0).asks_for_a_callback(1, "soporte");
    s.at(60.0).rings(1, "soporte", "ana").say(s_visit(1), What::CallbackAttempted { n: 1 });
    s.at(70.0).answers(1, "soporte", "ana").is_called_back(1, "soporte", CallbackEnd::Connected);
    s.at(100.0).hangs_up(1, "soporte", "ana", 30_000).ends(1, Cause::AgentHungUp);
    let f = s.hour();
    let (c, v) = (&of(&f, "soporte").callbacks, &of(&f, "soporte").visits);
    assert_eq!((c.requested, c.connected, c.waiting, c.attempts, c.mean_wait_ms), (1, 1, 0, 1, Some(60_000)));
    assert_eq!((v.offered, v.callback, v.answered, v.asa_ms, v.handled, v.talk_ms), (1, 1, 0, None, 1, 30_000));
    assert_eq!((f.totals.calls.reached_agent, f.totals.calls.lost), (1, 0));
    assert_eq!(who(&f, "ana").calls, 1);
}

#[test]
fn an_agent_who_answers_a_callback_that_nobody_takes_up_has_reached_no_caller() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").at(10.0).asks_for_a_callback(1, "soporte");
    // Agent first: the agent's 200, then the customer does not answer, and the place waits again.
    s.at(20.0).rings(1, "soporte", "ana").at(25.0).leaves(1, "soporte", Outcome::Answered).enters(1, "soporte");
    let f = s.at(30.0).hour();
    assert_eq!(f.totals.callbacks.places, 2);
    assert_eq!((f.totals.calls.reached_agent, of(&f, "soporte").visits.answered), (0, 0));
    assert_eq!((of(&f, "soporte").waiting_now, of(&f, "soporte").callbacks_now, of(&f, "soporte").visits.offered), (1, 1, 1));
}

#[test]
fn failed_and_cancelled_callbacks_are_lost_calls_and_one_that_the_caller_joined_is_not() {
    let lost = |end| {
        let mut s = Script::new();
        s.arrives(1).enters(1, "soporte").at(9.0).asks_for_a_callback(1, "soporte");
        s.at(99.0).leaves(1, "soporte", Outcome::System).is_called_back(1, "soporte", end).ends(1, Cause::Callback);
        let f = s.hour();
        let c = &f.totals.callbacks;
        assert_eq!((c.requested, c.waiting, c.failed + c.cancelled + c.joined), (1, 0, 1));
        assert_eq!((f.totals.visits.abandoned, f.totals.visits.system, f.totals.waiting_now), (0, 0, 0));
        f.totals.calls.lost
    };
    assert_eq!((lost(CallbackEnd::Failed), lost(CallbackEnd::Cancelled), lost(CallbackEnd::Joined)), (1, 1, 0));
}

#[test]
fn a_queue_that_does_not_hold_the_place_of_a_callback_turns_nobody_away() {
    let mut s = Script::new();
    s.arrives(1).enters(1, "soporte").at(9.0).asks_for_a_callback(1, "soporte");
    s.at(50.0).leaves(1, "soporte", Outcome::Timeout);
    s.say(About { cause: Some(Cause::QueueFull), ..s_visit(1) }, What::QueueRefused {}).at(60.0).enters(1, "soporte");
    let f = s.hour();
    assert_eq!((of(&f, "soporte").visits.refused, f.totals.visits.timeout, f.totals.callbacks.waiting), (0, 0, 1));
}

#[test]
fn a_callback_that_a_dead_node_left_open_has_failed() {
    let mut s = Script::new();
    s.arrives(1).enters(1, "soporte").at(9.0).asks_for_a_callback(1, "soporte").at(20.0);
    s.dies_and_starts(30.0, |s| {
        s.leaves(1, "soporte", Outcome::System).ends(1, Cause::NodeLost);
    });
    let c = s.hour().totals;
    assert_eq!((c.callbacks.failed, c.callbacks.waiting, c.calls.lost, c.waiting_now), (1, 0, 1, 0));
}

#[test]
fn a_callback_counts_where_it_was_asked_for_however_late_it_comes() {
    let mut s = Script::new();
    s.logs_in("ana").at(890.0).arrives(1).enters(1, "soporte").at(895.0).asks_for_a_callback(1, "soporte");
    s.at(930.0).say(s_visit(1), What::CallbackAttempted { n: 1 });
    s.at(940.0).answers(1, "soporte", "ana").is_called_back(1, "soporte", CallbackEnd::Connected);
    let (first, second) = (s.figures(0.0, QUARTER), s.figures(QUARTER, 2.0 * QUARTER));
    let (a, b) = (&first.totals.callbacks, &second.totals.callbacks);
    assert_eq!((a.requested, a.connected, a.attempts), (1, 1, 0));
    assert_eq!((b.requested, b.connected, b.attempts), (0, 0, 1), "an attempt counts where it was made");
}

#[test]
fn whoever_is_turned_away_at_the_door_is_lost_and_says_why() {
    let mut s = Script::new();
    let refused = |s: &mut Script, n, cause| {
        let about = About { queue: Some(queue("soporte")), cause: Some(cause), ..of_call(n) };
        s.arrives(n).say(about, What::QueueRefused {}).ends(n, cause);
    };
    refused(&mut s, 1, Cause::Dissuaded);
    refused(&mut s, 2, Cause::Closed);
    refused(&mut s, 3, Cause::QueueFull);
    refused(&mut s, 4, Cause::NoAgents);
    // The tenant's channels were used up: there was not even a queue.
    s.arrives(5).say(About { cause: Some(Cause::ChannelLimit), ..of_call(5) }, What::CallRejected { status: 486 });
    let f = s.hour();
    let v = &of(&f, "soporte").visits;
    assert_eq!((v.refused, v.refused_dissuaded, v.refused_closed, v.offered), (4, 1, 1, 0));
    assert_eq!((f.totals.calls.lost, f.totals.calls.rejected), (5, 1));
}

#[test]
fn voicemail_and_a_key_are_exits_by_choice_and_messages_are_counted_apart() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    let message = || What::VoicemailLeft { recording: "1-1-2.c1.p1".parse().unwrap(), duration_ms: 9_000 };
    s.arrives(2).enters(2, "soporte").at(40.0).leaves(2, "soporte", Outcome::Voicemail);
    s.say(About { queue: Some(queue("soporte")), ..of_call(2) }, message()).ends(2, Cause::CallerHungUp);
    s.arrives(3).enters(3, "soporte").at(80.0).leaves(3, "soporte", Outcome::KeyExit).ends(3, Cause::FlowEnded);
    // From the menu, without a queue.
    s.arrives(4).say(of_call(4), message()).ends(4, Cause::CallerHungUp);
    let f = s.hour();
    let v = &of(&f, "soporte").visits;
    assert_eq!((v.service_level, v.voicemail, v.key_exit, v.voicemails_left), (Some(1.0), 1, 1, 1));
    assert_eq!((f.totals.calls.voicemails_left, f.totals.calls.lost), (2, 0));
}

#[test]
fn a_caller_who_came_to_somebody_outside_is_not_lost() {
    let mut s = Script::new();
    s.arrives(1).enters(1, "soporte").at(60.0).leaves(1, "soporte", Outcome::Overflowed).say(of_call(1), What::CallForwarded {});
    s.say(of_call(1), What::CallForwarded {}).ends(1, Cause::CallerHungUp);
    let f = s.hour();
    assert_eq!((f.totals.calls.forwarded, f.totals.calls.lost, f.totals.calls.reached_agent), (1, 0, 0));
    assert_eq!(s.becomes("ana", AgentState::Available).hour().totals.visits.service_level, Some(0.0), "it was an exit by force");
}

fn s_visit(n: u32) -> About {
    About { queue: Some(queue("soporte")), ..of_call(n) }
}

//! Agents: wrap-up modes none, optional, timed, forced until coded, with a cap; per agent, over all queues.

use crate::script::check;

/// The beginning of each: ana is logged in and takes one call at second 1.
fn after_a_call(queue: &str, agent: &str, then: &str) {
    check(&format!(
        "queue support {queue}
         queue sales
         agent ana serves=support,sales {agent}
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          1 | c1#1 accepts      | c1#1 accepted 0s; c1 answered 0s ringing; ana talking
          {then}"
    ));
}

#[test]
fn wrap_up_none_is_over_with_the_conversation() {
    after_a_call(
        "wrap_up=none",
        "",
        "2 | ana wraps up        | ana refused wrap up: this conversation has no wrap-up
         9 | ana released        | ana available
         9 | ana wraps up        | ana refused wrap up: no conversation",
    );
}

#[test]
fn the_wrap_up_of_a_queue_that_is_gone_is_not_that_of_the_one_in_its_place() {
    after_a_call(
        "wrap_up=timed:30:60",
        "",
        "no support
         queue other wrap_up=timed:10:20
         5 | reload              |
         9 | ana released        | ana available",
    );
}

#[test]
fn wrap_up_optional_follows_only_if_the_agent_asked_and_lasts_until_ready_or_the_cap() {
    after_a_call(
        "wrap_up=optional:60",
        "",
        "9 | ana released        | ana available
         9 | c2 enters support   | c2 in support at 1; offer c2#1 to ana; ana reserved
        10 | c2#1 accepts        | c2#1 accepted 1s; c2 answered 1s ringing; ana talking
        11 | ana wraps up        | ana later: wrap up
        12 | ana released        | ana wrap_up
        13 | ana wraps up        | ana refused wrap up: it can't last longer
        14 | ana is ready        | ana available
        14 | c3 enters support   | c3 in support at 1; offer c3#1 to ana; ana reserved
        15 | c3#1 accepts        | c3#1 accepted 1s; c3 answered 1s ringing; ana talking
        16 | ana wraps up        | ana later: wrap up
        20 | ana released        | ana wrap_up
        80 | -                   | ana available",
    );
}

#[test]
fn line_18_wrap_up_timed_can_be_made_longer_up_to_the_cap() {
    after_a_call(
        "wrap_up=timed:20:50",
        "",
        "9 | ana released        | ana wrap_up
        10 | c2 enters sales     | c2 in sales at 1
        20 | ana wraps up        |
        30 | ana wraps up        |
        40 | ana wraps up        | ana refused wrap up: it can't last longer
        59 | -                   | ana available; offer c2#1 to ana; ana reserved",
    );
}

#[test]
fn wrap_up_forced_lasts_until_the_conversation_is_coded_and_no_longer_than_the_cap() {
    after_a_call(
        "wrap_up=forced:60",
        "",
        "9 | ana released        | ana wrap_up
        10 | ana is ready        | ana refused ready: the conversation is not coded yet
        11 | ana pauses lunch    | ana later: pause
        12 | ana codes solved    | ana coded c1 solved; ana paused(lunch)
        13 | ana is ready        | ana available
        13 | ana codes late      | ana refused code: no conversation to code
        14 | c2 enters support   | c2 in support at 1; offer c2#1 to ana; ana reserved
        14 | c2#1 accepts        | c2#1 accepted 0s; c2 answered 0s ringing; ana talking
        20 | ana released        | ana wrap_up
        80 | -                   | ana available",
    );
}

#[test]
fn what_is_coded_during_the_conversation_needs_no_forced_wrap_up() {
    after_a_call(
        "wrap_up=forced:60",
        "",
        "5 | ana codes open      | ana coded c1 open
         6 | ana codes solved    | ana coded c1 solved
         9 | ana released        | ana available",
    );
}

#[test]
fn an_agents_own_wrap_up_goes_before_the_queues() {
    after_a_call(
        "wrap_up=forced:600",
        "wrap_up=timed:5:5",
        "9 | ana released        | ana wrap_up
        14 | -                   | ana available",
    );
}

#[test]
fn wrap_up_is_over_all_queues_and_a_timed_one_can_be_coded() {
    after_a_call(
        "wrap_up=20",
        "",
        "9 | ana released        | ana wrap_up
        10 | c2 enters sales     | c2 in sales at 1
        11 | ana codes solved    | ana coded c1 solved
        12 | ana is ready        | ana available; offer c2#1 to ana; ana reserved",
    );
}

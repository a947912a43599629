//! What agents do, and what becomes of them.

use crate::script::check;

#[test]
fn an_agent_logs_in_takes_a_call_and_wraps_up() {
    check(
        "queue support wrap_up=10
         agent ana serves=support
           0 | load             |
           1 | ana logs in      | ana unreachable
           2 | ana registers    | ana available
           5 | c1 enters support| c1 in support at 1; offer c1#1 to ana; ana reserved
         5.5 | c1#1 rings       | ana ringing
           9 | c1#1 accepts     | c1#1 accepted 4s; c1 answered 4s ringing; ana talking
          20 | ana holds        | ana holding
          25 | ana resumes      | ana talking
          60 | ana released     | ana wrap_up
          70 | -                | ana available",
    );
}

#[test]
fn ready_ends_wrap_up_and_a_queue_without_wrap_up_has_none() {
    check(
        "queue slow wrap_up=30
         queue fast
         agent ana serves=slow,fast
         0 | load            |
         0 | ana registers   |
         0 | ana logs in     | ana available
         1 | c1 enters slow  | c1 in slow at 1; offer c1#1 to ana; ana reserved
         2 | c1#1 accepts    | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
         3 | ana released    | ana wrap_up
         4 | c2 enters fast  | c2 in fast at 1
         5 | ana is ready    | ana available; offer c2#1 to ana; ana reserved
         6 | c2#1 accepts    | c2#1 accepted 1s; c2 answered 2s ringing; ana talking
         7 | ana released    | ana available",
    );
}

#[test]
fn a_call_that_rings_out_pauses_the_agent_and_the_visit_keeps_its_place() {
    check(
        "queue support ring=15
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          1 | ana logs in       | ana available
          2 | bob logs in       | bob available
          3 | bob pauses lunch  | bob paused(lunch)
          4 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          5 | c2 enters support | c2 in support at 2
         19 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 15s; ana paused(no_answer)
         20 | bob is ready      | bob available; offer c1#2 to bob; bob reserved
         21 | ana is ready      | ana available; offer c2#1 to ana; ana reserved",
    );
}

#[test]
fn too_many_calls_in_a_row_that_ring_out_log_the_agent_out() {
    check(
        "queue support ring=10
         agent ana serves=support misses=2
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
         10 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 10s; ana paused(no_answer)
         11 | ana is ready      | ana available; offer c1#2 to ana; ana reserved
         12 | c1#2 accepts      | c1#2 accepted 1s; c1 answered 12s ringing; ana talking
         13 | ana released      | ana available
         14 | c2 enters support | c2 in support at 1; offer c2#1 to ana; ana reserved
         24 | -                 | withdraw c2#1; c2#1 timed_out(no_answer) 10s; ana paused(no_answer)
         25 | ana is ready      | ana available; offer c2#2 to ana; ana reserved
         35 | -                 | withdraw c2#2; c2#2 timed_out(no_answer) 10s; ana logged_out
         36 | ana is ready      | ana refused ready: not logged in
         37 | ana logs in       | ana available; offer c2#3 to ana; ana reserved",
    );
}

#[test]
fn who_says_no_did_not_miss_the_call() {
    check(
        "queue support ring=10
         agent ana serves=support misses=2
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
         10 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 10s; ana paused(no_answer)
         11 | ana is ready      | ana available; offer c1#2 to ana; ana reserved
         12 | c1#2 declined     | c1#2 rejected(declined) 1s; ana available
         22 | -                 | offer c1#3 to ana; ana reserved
         32 | -                 | withdraw c1#3; c1#3 timed_out(no_answer) 10s; ana paused(no_answer)",
    );
}

#[test]
fn line_06_a_busy_phone_blocks_its_agent_for_every_call_until_the_delay_is_over() {
    check(
        "queue support retry=10
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          1 | c1#1 busy         | c1#1 rejected(busy) 1s; ana available
          2 | c2 enters support | c2 in support at 2
         11 | -                 | offer c1#2 to ana; ana reserved",
    );
}

#[test]
fn who_declines_or_diverts_is_free_for_other_calls_at_once_and_for_this_one_later() {
    check(
        "queue support retry=10
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          1 | c1#1 declined     | c1#1 rejected(declined) 1s; ana available
          2 | c2 enters support | c2 in support at 2; offer c2#1 to ana; ana reserved
          3 | c2#1 diverted     | c2#1 rejected(diverted) 1s; ana available
         11 | -                 | offer c1#2 to ana; ana reserved
         12 | c1#2 accepts      | c1#2 accepted 1s; c1 answered 12s ringing; ana talking
         13 | -                 |",
    );
}

#[test]
fn an_unreachable_phone_sends_the_call_to_the_next_agent_and_comes_back_by_itself() {
    check(
        "queue support retry=30
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          6 | c1#1 unreachable  | c1#1 rejected(unreachable) 4s; ana unreachable; offer c1#2 to bob; bob reserved
          7 | c1#2 accepts      | c1#2 accepted 1s; c1 answered 5s ringing; bob talking
         36 | -                 | ana available",
    );
}

#[test]
fn a_new_registration_ends_unreachable_but_does_not_try_the_same_call_again() {
    check(
        "queue support retry=30
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          6 | c1#1 unreachable  | c1#1 rejected(unreachable) 4s; ana unreachable
          8 | ana registers     | ana available
          9 | c2 enters support | c2 in support at 2; offer c2#1 to ana; ana reserved
         10 | c2 hangs up       | withdraw c2#1; c2#1 cancelled(caller_hung_up) 1s; ana available; c2 abandoned(caller_hung_up) 1s ringing
         36 | -                 | offer c1#2 to ana; ana reserved",
    );
}

#[test]
fn an_agent_whose_last_phone_is_gone_waits_for_one() {
    check(
        "queue support
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          1 | ana vanishes      | ana unreachable
          2 | c1 enters support | c1 in support at 1
          3 | ana is ready      | ana refused ready: no phone is there
          4 | ana pauses lunch  | ana paused(lunch)
          5 | ana is ready      | ana unreachable
          6 | ana registers     | ana available; offer c1#1 to ana; ana reserved
          7 | ana vanishes      |
          8 | c1#1 unreachable  | c1#1 rejected(unreachable) 2s; ana unreachable
         18 | -                 |",
    );
}

#[test]
fn what_is_asked_in_a_conversation_waits_for_the_end_of_wrap_up_and_the_last_wins() {
    check(
        "queue support wrap_up=10
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          1 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          2 | ana logs out      | ana later: log out
          3 | ana pauses lunch  | ana later: pause
          4 | ana released      | ana wrap_up
          5 | c2 enters support | c2 in support at 1
         14 | -                 | ana paused(lunch)
         15 | ana pauses coach  | ana paused(coach)
         16 | ana logs out      | ana logged_out
         17 | ana logs out      |",
    );
}

#[test]
fn in_wrap_up_a_pause_or_a_logout_ends_it() {
    check(
        "queue support wrap_up=10
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          1 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          2 | ana logs out      | ana later: log out
          3 | ana released      | ana wrap_up
          4 | ana logs in       |
         13 | -                 | ana available
         14 | c2 enters support | c2 in support at 1; offer c2#1 to ana; ana reserved
         15 | c2#1 accepts      | c2#1 accepted 1s; c2 answered 1s ringing; ana talking
         16 | ana released      | ana wrap_up
         17 | ana logs out      | ana logged_out",
    );
}

#[test]
fn who_logs_out_or_pauses_while_it_rings_gives_the_call_to_another_at_once() {
    check(
        "queue support
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | ana logs out      | withdraw c1#1; c1#1 withdrawn(requested) 1s; ana logged_out; offer c1#2 to bob; bob reserved
          4 | bob pauses lunch  | withdraw c1#2; c1#2 withdrawn(requested) 1s; bob paused(lunch)
          5 | c1#1 accepts      |
          6 | ana logs in       | ana available; offer c1#3 to ana; ana reserved",
    );
}

#[test]
fn a_call_of_the_agents_own_blocks_all_queues_and_leaves_the_idle_clock_alone() {
    check(
        "queue support
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | ana dials outbound       | ana engaged(outbound)
          3 | c1 enters support | c1 in support at 1; offer c1#1 to bob; bob reserved
          4 | c2 enters support | c2 in support at 2
          5 | ana dialled       | ana available; offer c2#1 to ana; ana reserved",
    );
}

#[test]
fn line_16_longest_idle_counts_from_the_end_of_wrap_up_and_a_cancelled_offer_changes_nothing() {
    check(
        "queue support wrap_up=5
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1 hangs up       | withdraw c1#1; c1#1 cancelled(caller_hung_up) 1s; ana available; c1 abandoned(caller_hung_up) 1s ringing
          4 | c2 enters support | c2 in support at 1; offer c2#1 to ana; ana reserved
          5 | c2#1 accepts      | c2#1 accepted 1s; c2 answered 1s ringing; ana talking
          6 | ana released      | ana wrap_up
         11 | -                 | ana available
         12 | c3 enters support | c3 in support at 1; offer c3#1 to bob; bob reserved
         13 | c4 enters support | c4 in support at 2; offer c4#1 to ana; ana reserved",
    );
}

#[test]
fn after_a_restart_logins_survive_and_conversations_are_wrap_up() {
    check(
        "queue support wrap_up=10
         agent ana serves=support starts
         agent bob serves=support
         agent eva serves=support
         agent leo serves=support starts
          0 | load               | ana unreachable; leo unreachable
          0 | ana was talking    | ana wrap_up
          0 | bob was paused lunch | bob paused(lunch)
          0 | eva was ringing    | eva unreachable
          0 | leo was logged_out | leo logged_out
          1 | ana registers      |
          2 | eva registers      | eva available
         10 | -                  | ana available",
    );
}

#[test]
fn reason_codes_are_none_optional_or_forced_per_tenant() {
    for (reasons, follows) in [
        ("", ["ana paused", "ana paused(lunch)", "ana paused(nap)"]),
        ("reasons none", ["ana paused", "ana paused", "ana paused"]),
        ("reasons optional", ["ana paused", "ana paused(lunch)", "ana paused(nap)"]),
        (
            "reasons optional lunch coach",
            ["ana paused", "ana paused(lunch)", "ana refused pause: the reason must be one of coach, lunch"],
        ),
        ("reasons forced", ["ana refused pause: a pause needs a reason", "ana paused(lunch)", "ana paused(nap)"]),
        (
            "reasons forced lunch",
            [
                "ana refused pause: the reason must be one of lunch",
                "ana paused(lunch)",
                "ana refused pause: the reason must be one of lunch",
            ],
        ),
    ] {
        for (pause, follows) in ["pauses", "pauses lunch", "pauses nap"].into_iter().zip(follows) {
            check(&format!(
                "agent ana
                 {reasons}
                 0 | load          |
                 0 | ana registers |
                 0 | ana logs in   | ana available
                 1 | ana {pause}   | {follows}"
            ));
        }
    }
}

#[test]
fn busy_rejected_and_unreachable_have_delays_of_their_own() {
    for (what, retried) in [("busy", 5), ("declined", 6), ("diverted", 6), ("unreachable", 7)] {
        let state = if what == "unreachable" { "unreachable" } else { "available" };
        let back = if what == "unreachable" { "ana available; " } else { "" };
        check(&format!(
            "queue support retry=5:6:7
             agent ana serves=support
              0 | load              |
              0 | ana registers     |
              0 | ana logs in       | ana available
              1 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
              2 | c1#1 {what}       | c1#1 rejected({what}) 1s; ana {state}
              {} | -                | {back}offer c1#2 to ana; ana reserved",
            2 + retried
        ));
    }
}

/// Each ask in each state: what follows, in words.
#[test]
fn every_ask_in_every_state_is_applied_kept_or_refused() {
    let talking = "2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
                   3 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking\n";
    let ringing = "2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved\n";
    let withdrawn = "withdraw c1#1; c1#1 withdrawn(requested) 7s; ";
    let wrapping = format!("{talking} 4 | ana released | ana wrap_up\n");
    let asks = ["logs in", "logs out", "pauses lunch", "is ready", "wraps up", "codes x"];
    let table: [(&str, &str, &str, [&str; 6]); 8] = [
        (
            "logged out",
            "10",
            "1 | ana logs out | ana logged_out\n",
            [
                "ana available",
                "",
                "ana refused pause: not logged in",
                "ana refused ready: not logged in",
                "ana refused wrap up: not logged in",
                "ana refused code: not logged in",
            ],
        ),
        (
            "available",
            "10",
            "",
            [
                "",
                "ana logged_out",
                "ana paused(lunch)",
                "",
                "ana refused wrap up: no conversation",
                "ana refused code: no conversation to code",
            ],
        ),
        (
            "ringing",
            "10",
            ringing,
            [
                "",
                "{withdrawn}ana logged_out",
                "{withdrawn}ana paused(lunch)",
                "",
                "ana refused wrap up: no conversation",
                "ana refused code: no conversation to code",
            ],
        ),
        (
            "talking",
            "10",
            talking,
            [
                "ana later: log in",
                "ana later: log out",
                "ana later: pause",
                "ana later: ready",
                "ana later: wrap up",
                "ana coded c1 x",
            ],
        ),
        ("wrap-up", "30", &wrapping, ["", "ana logged_out", "ana paused(lunch)", "ana available", "", "ana coded c1 x"]),
        (
            "forced wrap-up",
            "forced:30",
            &wrapping,
            [
                "",
                "ana later: log out",
                "ana later: pause",
                "ana refused ready: the conversation is not coded yet",
                "ana refused wrap up: it can't last longer",
                "ana coded c1 x; ana available",
            ],
        ),
        (
            "paused",
            "10",
            "1 | ana pauses coach | ana paused(coach)\n",
            [
                "",
                "ana logged_out",
                "ana paused(lunch)",
                "ana available",
                "ana refused wrap up: no conversation",
                "ana refused code: no conversation to code",
            ],
        ),
        (
            "own call",
            "10",
            "1 | ana dials outbound | ana engaged(outbound)\n",
            [
                "ana later: log in",
                "ana later: log out",
                "ana later: pause",
                "ana later: ready",
                "ana refused wrap up: no conversation",
                "ana refused code: no conversation to code",
            ],
        ),
    ];
    for (state, wrap_up, before, follows) in table {
        for (ask, follows) in asks.into_iter().zip(follows) {
            let follows = follows.replace("{withdrawn}", withdrawn);
            let wrap_up = if wrap_up.starts_with("forced") { wrap_up.to_string() } else { format!("timed:{wrap_up}:60") };
            eprintln!("{state}: {ask}");
            check(&format!(
                "queue support wrap_up={wrap_up}
                 agent ana serves=support
                  0 | load          |
                  0 | ana registers |
                  0 | ana logs in   | ana available
                  {before}
                  9 | ana {ask}     | {follows}"
            ));
        }
    }
}

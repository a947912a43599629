//! Agents: any call we know of blocks the agent in all queues (calls.md line 6), pending states, and what restarts the
//! idle clock (calls.md line 16).

use crate::script::check;

#[test]
fn line_06_a_call_of_the_agents_own_blocks_all_queues_and_gives_back_what_was_before() {
    check(
        "queue support
         queue sales
         agent ana serves=support,sales
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | ana dials outbound| ana engaged(outbound)
          3 | c1 enters support | c1 in support at 1; offer c1#1 to bob; bob reserved
          4 | c2 enters sales   | c2 in sales at 1
          5 | ana dials monitoring | ana engaged(monitoring)
          6 | ana dialled       | ana available; offer c2#1 to ana; ana reserved
          7 | c2 hangs up       | withdraw c2#1; c2#1 cancelled(caller_hung_up) 1s; ana available; c2 abandoned(caller_hung_up) 3s ringing
          8 | ana pauses lunch  | ana paused(lunch)
          9 | ana dials internal| ana engaged(internal)
         10 | ana dialled       | ana paused(lunch)",
    );
}

#[test]
fn a_call_of_the_agents_own_withdraws_an_offer_that_rings() {
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
          3 | c1#1 rings        | ana ringing
          4 | ana dials outbound| withdraw c1#1; c1#1 withdrawn(own_call) 2s; ana engaged(outbound); offer c1#2 to bob; bob reserved",
    );
}

#[test]
fn what_is_asked_during_the_agents_own_call_is_pending_and_the_last_wins() {
    check(
        "queue support
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana dials feature_code |
          1 | ana logs in       | ana engaged(feature_code)
          2 | ana dialled       | ana available
          3 | ana dials outbound| ana engaged(outbound)
          4 | ana logs out      | ana later: log out
          5 | ana pauses lunch  | ana later: pause
          6 | ana vanishes      |
          7 | ana dialled       | ana paused(lunch)
          8 | ana dials internal| ana engaged(internal)
          9 | ana is ready      | ana later: ready
         10 | ana registers     |
         11 | ana dialled       | ana available",
    );
}

#[test]
fn wrap_up_goes_on_below_the_agents_own_call() {
    check(
        "queue support wrap_up=20
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          0 | c1#1 accepts      | c1#1 accepted 0s; c1 answered 0s ringing; ana talking
         10 | ana released      | ana wrap_up
         12 | ana dials outbound| ana engaged(outbound)
         15 | ana dialled       | ana wrap_up
         16 | ana dials outbound| ana engaged(outbound)
         17 | ana codes solved  | ana coded c1 solved
         18 | ana logs out      | ana later: log out
         30 | -                 |
         40 | ana dialled       | ana logged_out",
    );
}

#[test]
fn a_conversation_outlasts_a_call_of_the_agents_own() {
    check(
        "queue support
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          0 | c1#1 accepts      | c1#1 accepted 0s; c1 answered 0s ringing; ana talking
         10 | ana dials internal|
         11 | ana released      | ana engaged(internal)
         12 | ana dialled       | ana available",
    );
}

/// Ana is idle since 0, Bob since 1; at 10 both are free again after what Ana did. Who gets the call at 11?
fn idle_after(restarts: &str, what: &str) -> String {
    let script = |winner: &str| {
        format!(
            "queue support ring=2
             agent ana serves=support misses=0
             agent bob serves=support
             {restarts}
              0 | load              |
              0 | ana registers     |
              0 | bob registers     |
              0 | ana logs in       | ana available
              1 | bob logs in       | bob available
              {what}
             11 | c9 enters support | c9 in support at 1; offer c9#1 to {winner}; {winner} reserved"
        )
    };
    let ana_wins = std::panic::catch_unwind(|| drop(check(&script("ana")))).is_ok();
    let winner = if ana_wins { "ana" } else { "bob" };
    check(&script(winner));
    winner.into()
}

#[test]
fn line_16_whether_a_pause_an_internal_call_or_rona_restarts_the_idle_clock_is_a_setting() {
    let pause = "5 | ana pauses lunch  | ana paused(lunch)
                10 | ana is ready      | ana available";
    let call = |work: &str| format!("5 | ana dials {work} | ana engaged({work})\n10 | ana dialled | ana available");
    let rona = "3 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
                5 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 2s; ana paused(no_answer); offer c1#2 to bob; bob reserved
                6 | c1 hangs up       | withdraw c1#2; c1#2 cancelled(caller_hung_up) 1s; bob available; c1 abandoned(caller_hung_up) 3s ringing
               10 | ana is ready      | ana available";
    for (restarts, what, winner) in [
        ("", pause, "ana"),
        ("restarts pause", pause, "bob"),
        ("restarts own_call,no_answer", pause, "ana"),
        ("", &call("internal"), "ana"),
        ("restarts own_call", &call("internal"), "bob"),
        ("restarts own_call", &call("outbound"), "bob"),
        ("restarts own_call", &call("feature_code"), "ana"),
        ("restarts own_call", &call("monitoring"), "ana"),
        ("", rona, "ana"),
        ("restarts no_answer", rona, "bob"),
        ("restarts pause", rona, "ana"),
    ] {
        assert_eq!(idle_after(restarts, what), winner, "{restarts}: {what}");
    }
}

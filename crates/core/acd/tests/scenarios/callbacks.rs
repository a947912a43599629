//! The caller's side: a callback keeps the place.

use crate::script::check;

#[test]
fn agent_first_waits_in_line_and_is_offered_like_any_visit() {
    check(
        "queue support capacity=2 announce=30
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support | c1 in support at 1
          5 | c2 enters support | c2 in support at 2
         20 | c1 leaves callback | c1 callback(requested) 20s
         20 | c1/2 enters support waited=20 agent_first | c1/2 in support at 1 after 20s
         21 | c3 enters support | c3 refused by support: queue_full
         35 | -                 | tell c2 position 2 after 30s
         40 | ana logs in       | ana available; offer c1/2#1 to ana; ana reserved
         41 | c1/2#1 accepts    | c1/2#1 accepted 1s; c1/2 answered 21s ringing; ana talking",
    );
}

#[test]
fn after_a_call_in_vain_there_is_no_offer_before_its_time_and_the_place_is_kept() {
    check(
        "queue support
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support waited=100 agent_first=30 | c1 in support at 1 after 100s
          5 | c2 enters support | c2 in support at 2
         10 | ana logs in       | ana available; offer c2#1 to ana; ana reserved
         11 | c2#1 accepts      | c2#1 accepted 1s; c2 answered 6s ringing; ana talking
         12 | c3 enters support | c3 in support at 2
         30 | -                 |
         31 | ana released      | ana available; offer c1#1 to ana; ana reserved",
    );
}

#[test]
fn customer_first_dials_when_an_agent_is_free_and_does_not_hold_the_agent() {
    check(
        "queue support callback=20
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support waited=60 customer_first | c1 in support at 1 after 60s
          1 | ana logs in       | ana available; call the customer of c1
          2 | c2 enters support | c2 in support at 2; offer c2#1 to ana; ana reserved
          3 | c2#1 accepts      | c2#1 accepted 1s; c2 answered 1s ringing; ana talking
          4 | c3 enters support | c3 in support at 2
          5 | c1 answers        |
          6 | c1 answers        |
          7 | ana released      | ana available; offer c1#1 to ana; ana reserved
          8 | c1 hangs up       | withdraw c1#1; c1#1 cancelled(caller_hung_up) 1s; ana available; c1 abandoned(caller_hung_up) 8s ringing
            |                   | offer c3#1 to ana; ana reserved",
    );
}

#[test]
fn one_customer_is_dialled_for_each_free_agent() {
    check(
        "queue support callback=20
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | c1 enters support customer_first | c1 in support at 1
          1 | c2 enters support customer_first | c2 in support at 2
          2 | c3 enters support customer_first | c3 in support at 3
          3 | ana logs in       | ana available; call the customer of c1
          4 | bob logs in       | bob available; call the customer of c2
          5 | c1 leaves system  | c1 system 5s; call the customer of c3
          6 | c2 answers        | offer c2#1 to ana; ana reserved
          7 | c2#1 accepts      | c2#1 accepted 1s; c2 answered 6s ringing; ana talking
          8 | ana logs out      | ana later: log out
          9 | c4 enters support customer_first | c4 in support at 2; call the customer of c4",
    );
}

#[test]
fn a_customer_who_is_dialled_is_not_dialled_for_ever() {
    check(
        "queue support callback=20
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          1 | c1 enters support customer_first=10 | c1 in support at 1
         10 | -                 | call the customer of c1
         60 | -                 | c1 timeout(no_answer) 59s
         61 | c1 answers        |",
    );
}

#[test]
fn while_its_customer_is_dialled_a_callback_does_not_go_to_another_queue() {
    check(
        "queue support callback=20 overflow=30:sales
         queue sales
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support customer_first | c1 in support at 1
         25 | ana logs in       | ana available; call the customer of c1
         40 | c1 answers        | offer c1#1 to ana; ana reserved
         41 | c1#1 declined     | c1#1 rejected(declined) 1s; ana available
         51 | -                 | offer c1#2 to ana; ana reserved
         70 | -                 | withdraw c1#2; c1#2 withdrawn(timeout) 19s; ana available
            |                   | c1 overflowed(timeout) 70s ringing to sales; c1/2 in sales at 1 after 70s",
    );
}

#[test]
fn a_callback_is_never_abandoned_and_always_has_an_end() {
    check(
        "queue support
          0 | load              |
          0 | c1 enters support agent_first    | c1 in support at 1
          0 | c2 enters support customer_first | c2 in support at 2
          5 | c1 hangs up       | c1 system(caller_hung_up) 5s
      86400 | -                 | c2 timeout(timeout) 86400s",
    );
}

#[test]
fn a_callback_is_taken_by_a_queue_that_closed_or_was_left_alone() {
    check(
        "queue support join_empty=logged_out hours=00:01-00:02 dissuade_length=0
          0 | load              |
          0 | c1 enters support agent_first | c1 in support at 1
          0 | c2 enters support agent_first | c2 in support at 2",
    );
}

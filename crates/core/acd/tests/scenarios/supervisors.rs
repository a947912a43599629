//! Supervisors: move a waiting call, change an agent's skills, open or close a queue; take over.

use crate::script::check;

#[test]
fn a_supervisor_moves_a_waiting_call_and_it_keeps_what_it_waited() {
    check(
        "queue support
         queue sales overflow=30:support hours=00:30-00:40
         queue full capacity=0
         queue other/sales
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support | c1 in support at 1
          2 | ana logs in       | ana available; offer c1#1 to ana; ana reserved
          4 | move c1 full      |
          4 | move c1 other/sales |
          4 | move c1 support   |
          4 | move c1 nowhere   |
          5 | move c1 sales     | withdraw c1#1; c1#1 withdrawn(by_supervisor) 3s; ana available
            |                   | c1 overflowed(by_supervisor) 5s ringing to sales; c1/2 in sales at 1 after 5s
          6 | move c1 support   |
         35 | -                 | c1/2 overflowed(timeout) 30s to support; c1/3 in support at 1 after 35s; offer c1/3#1 to ana; ana reserved",
    );
}

#[test]
fn a_supervisor_prioritises_a_call_and_the_reported_wait_stays_what_it_is() {
    check(
        "queue support
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support | c1 in support at 1
          1 | c2 enters support | c2 in support at 2
          2 | c3 enters support | c3 in support at 3
          3 | prioritise c3 60  |
          4 | prioritise c3 10  |
          4 | prioritise c2 9   |
          5 | prioritise c9 99  |
          6 | ana logs in       | ana available; offer c2#1 to ana; ana reserved
          7 | c2 hangs up       | withdraw c2#1; c2#1 cancelled(caller_hung_up) 1s; ana available; c2 abandoned(caller_hung_up) 6s ringing
            |                   | offer c3#1 to ana; ana reserved
          8 | c3#1 accepts      | c3#1 accepted 1s; c3 answered 6s ringing; ana talking",
    );
}

#[test]
fn skills_set_by_a_supervisor_count_at_once_until_they_are_taken_back() {
    check(
        "queue support requires=es>=3
         agent ana serves=support es=2
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          1 | c1 enters support | c1 in support at 1
          2 | ana learns es=3   | offer c1#1 to ana; ana reserved
          3 | ana forgets       |
          4 | c1#1 declined     | c1#1 rejected(declined) 2s; ana available
          5 | c2 enters support | c2 in support at 2
          6 | ana learns es=9   | offer c2#1 to ana; ana reserved
         agent ana serves=support es=1
          7 | reload            |
          8 | c2#1 declined     | c2#1 rejected(declined) 2s; ana available
          9 | c3 enters support | c3 in support at 3; offer c3#1 to ana; ana reserved
         14 | -                 |
         18 | -                 |",
    );
}

#[test]
fn a_queue_is_opened_and_closed_by_hand_and_the_last_word_counts() {
    check(
        "queue support hours=00:00-00:01
         queue sales
          0 | load              |
          0 | close support     |
          1 | c1 enters support | c1 refused by support: closed
          2 | open support      |
         90 | c2 enters support | c2 in support at 1
         queue sales capacity=50
         91 | reload            |
         92 | c3 enters support | c3 in support at 2
         93 | hours support     |
         94 | c4 enters support | c4 refused by support: closed
         95 | close sales       |
         96 | c5 enters sales   | c5 refused by sales: closed
         97 | close nowhere     |",
    );
}

#[test]
fn a_conversation_that_was_passed_on_or_taken_over_is_one_like_any() {
    check(
        "queue support wrap_up=10
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          4 | c2 enters support | c2 in support at 1; offer c2#1 to bob; bob reserved
          5 | bob takes c1 support | withdraw c2#1; c2#1 withdrawn(transferred) 1s; bob talking
          6 | ana released      | ana wrap_up
          7 | bob takes c9      |
          8 | bob released      | bob wrap_up
         16 | -                 | ana available; offer c2#2 to ana; ana reserved
         18 | -                 | bob available
         19 | bob takes c8      | bob talking
         20 | bob released      | bob available",
    );
}

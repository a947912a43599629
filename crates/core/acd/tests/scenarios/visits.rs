//! How calls wait, in which order, and how they leave.

use crate::script::check;

#[test]
fn the_first_in_line_is_served_first_and_priority_moves_a_call_by_its_seconds() {
    check(
        "queue support
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          1 | c1 enters support | c1 in support at 1
          2 | c2 enters support | c2 in support at 2
          9 | c3 enters support priority=5 | c3 in support at 3
         10 | c4 enters support priority=9 | c4 in support at 2
         11 | c5 enters support waited=60  | c5 in support at 1 after 60s
         12 | ana logs in       | ana available; offer c5#1 to ana; ana reserved
         13 | c5#1 accepts      | c5#1 accepted 1s; c5 answered 2s ringing; ana talking
         14 | ana released      | ana available; offer c1#1 to ana; ana reserved
         15 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 14s ringing; ana talking
         16 | ana released      | ana available; offer c4#1 to ana; ana reserved
         17 | c4 hangs up       | withdraw c4#1; c4#1 cancelled(caller_hung_up) 1s; ana available; c4 abandoned(caller_hung_up) 7s ringing
            |                   | offer c2#1 to ana; ana reserved",
    );
}

#[test]
fn nobody_starves_who_waits_long_enough_goes_before_whatever_priority() {
    check(
        "queue support weight=2
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support priority=-100 | c1 in support at 1
         49 | c2 enters support | c2 in support at 1
         51 | c3 enters support | c3 in support at 3
         51 | c4 enters support priority=3 | c4 in support at 2
         60 | ana logs in       | ana available; offer c2#1 to ana; ana reserved
         60 | c2 hangs up       | withdraw c2#1; c2#1 cancelled(caller_hung_up) 0s; ana available; c2 abandoned(caller_hung_up) 11s ringing
            |                   | offer c4#1 to ana; ana reserved
         61 | c4 hangs up       | withdraw c4#1; c4#1 cancelled(caller_hung_up) 1s; ana available; c4 abandoned(caller_hung_up) 10s ringing
            |                   | offer c1#1 to ana; ana reserved",
    );
}

#[test]
fn an_agent_takes_the_best_score_of_all_queues_and_weights_decide_with_time() {
    check(
        "queue gold weight=3
         queue basic
         agent ana serves=gold,basic
          0 | load              |
          0 | ana registers     |
          0 | c1 enters basic   | c1 in basic at 1
         10 | c2 enters gold    | c2 in gold at 1
         14 | ana logs in       | ana available; offer c1#1 to ana; ana reserved
         14 | ana logs out      | withdraw c1#1; c1#1 withdrawn(requested) 0s; ana logged_out
         16 | ana logs in       | ana available; offer c2#1 to ana; ana reserved",
    );
}

#[test]
fn a_missing_skill_is_not_level_zero_and_the_queue_asks_too() {
    check(
        "queue support requires=app>=2
         agent ana serves=support app=2 es=3
         agent bob serves=support app=1 es=9
         agent eva serves=support app=9
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | eva registers     |
          0 | bob logs in       | bob available
          0 | eva logs in       | eva available
          1 | c1 enters support asks=es>=3 | c1 in support at 1
          2 | c2 enters support            | c2 in support at 2; offer c2#1 to eva; eva reserved
          3 | ana logs in       | ana available; offer c1#1 to ana; ana reserved",
    );
}

#[test]
fn a_caller_may_leave_in_line_or_by_a_key_and_only_once() {
    check(
        "queue support
         agent ana serves=support
          0 | load              |
          0 | c1 enters support | c1 in support at 1
          0 | c2 enters support | c2 in support at 2
          4 | c1 hangs up       | c1 abandoned(caller_hung_up) 4s
          5 | c1 hangs up       |
          5 | c2 leaves key_exit| c2 key_exit(requested) 5s
          6 | ana registers     |
          6 | ana logs in       | ana available",
    );
}

#[test]
fn who_does_not_fit_is_refused_at_the_door() {
    check(
        "queue small capacity=1
         queue strict join_empty=logged_out requires=es>=5
         agent ana serves=strict es=5
         agent bob serves=strict es=4
         0 | load              |
         0 | c1 enters small   | c1 in small at 1
         1 | c2 enters small   | c2 refused by small: queue_full
         2 | c1 hangs up       | c1 abandoned(caller_hung_up) 2s
         3 | c3 enters small   | c3 in small at 1
         4 | bob logs in       | bob unreachable
         5 | c4 enters strict  | c4 refused by strict: no_agents
         6 | ana logs in       | ana unreachable
         7 | c5 enters strict  | c5 in strict at 1
         8 | c6 enters strict asks=es>=6 | c6 refused by strict: no_agents
         9 | c7 enters nowhere | c7 refused by nowhere: closed",
    );
}

#[test]
fn a_visit_overflows_at_its_age_even_while_it_rings_and_keeps_what_it_waited() {
    check(
        "queue first ring=20 overflow=30:second
         queue second
         agent ana serves=first
         agent bob serves=second
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | c1 enters first   | c1 in first at 1
         15 | c9 enters second  | c9 in second at 1
         20 | ana logs in       | ana available; offer c1#1 to ana; ana reserved
         30 | -                 | withdraw c1#1; c1#1 withdrawn(timeout) 10s; ana available
            |                   | c1 overflowed(timeout) 30s ringing to second; c1/2 in second at 1 after 30s
         31 | bob logs in       | bob available; offer c1/2#1 to bob; bob reserved
         32 | c1/2#1 accepts    | c1/2#1 accepted 1s; c1/2 answered 2s ringing; bob talking",
    );
}

#[test]
fn an_overflow_that_is_refused_or_has_nowhere_to_go_ends_the_visit() {
    check(
        "queue alone overflow=10
         queue to_full overflow=10:full
         queue to_empty overflow=10:empty
         queue to_nowhere overflow=10:nowhere
         queue full capacity=0
         queue empty join_empty=logged_out
          0 | load                 |
          0 | c1 enters alone      | c1 in alone at 1
          1 | c2 enters to_full    | c2 in to_full at 1
          2 | c3 enters to_empty   | c3 in to_empty at 1
          3 | c4 enters to_nowhere | c4 in to_nowhere at 1
         10 | -                    | c1 timeout(timeout) 10s
         11 | -                    | c2 timeout(queue_full) 10s
         12 | -                    | c3 no_agents(no_agents) 10s
         13 | -                    | c4 timeout(closed) 10s",
    );
}

#[test]
fn a_chain_of_overflows_does_not_bite_its_tail() {
    check(
        "queue a overflow=10:b
         queue b overflow=10:a
          0 | load         |
          0 | c1 enters a  | c1 in a at 1
         10 | -            | c1 overflowed(timeout) 10s to b; c1/2 in b at 1 after 10s
         20 | -            | c1/2 timeout(loop) 10s",
    );
}

#[test]
fn the_position_is_told_at_intervals_when_it_improved_and_never_to_the_head() {
    check(
        "queue support announce=30
          0 | load              |
          0 | c1 enters support | c1 in support at 1
          1 | c2 enters support | c2 in support at 2
          2 | c3 enters support | c3 in support at 3
         30 | -                 |
         31 | -                 | tell c2 position 2 after 30s
         32 | -                 | tell c3 position 3 after 30s
         40 | c1 hangs up       | c1 abandoned(caller_hung_up) 40s
         50 | c4 enters support priority=100 | c4 in support at 1
         61 | -                 |
         62 | -                 |
         70 | c4 hangs up       | c4 abandoned(caller_hung_up) 20s
         91 | -                 |
         92 | -                 | tell c3 position 2 after 90s",
    );
}

#[test]
fn the_expected_wait_is_told_in_whole_minutes_and_never_longer_than_before() {
    check(
        "queue support announce_wait=30
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support | c1 in support at 1
         10 | c2 enters support | c2 in support at 2
         11 | c3 enters support | c3 in support at 3
         12 | c4 enters support | c4 in support at 4
         30 | -                 |
         40 | -                 |
         41 | -                 |
         42 | -                 |
         50 | ana logs in       | ana available; offer c1#1 to ana; ana reserved
         50 | c1#1 accepts      | c1#1 accepted 0s; c1 answered 50s ringing; ana talking
         70 | -                 |
         71 | -                 | tell c3 position 2 and 120s to wait after 60s
         72 | -                 | tell c4 position 3 and 120s to wait after 60s
         73 | c5 enters support priority=500 | c5 in support at 1
         81 | ana released      | ana available; offer c5#1 to ana; ana reserved
         81 | c5#1 accepts      | c5#1 accepted 0s; c5 answered 8s ringing; ana talking
        100 | -                 |
        101 | -                 | tell c3 position 2 and 60s to wait after 90s
        102 | -                 | tell c4 position 3 and 60s to wait after 90s
        110 | ana released      | ana available; offer c2#1 to ana; ana reserved
        110 | c2#1 accepts      | c2#1 accepted 0s; c2 answered 100s ringing; ana talking
        131 | -                 |
        132 | -                 |",
    );
}

#[test]
fn ring_all_has_one_winner_and_who_becomes_free_is_rung_too() {
    check(
        "queue sales ring_all
         agent ana serves=sales
         agent bob serves=sales
         agent eva serves=sales
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | eva registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | c1 enters sales   | c1 in sales at 1; offer c1#1 to ana; ana reserved; offer c1#2 to bob; bob reserved
          3 | eva logs in       | eva available; offer c1#3 to eva; eva reserved
          4 | c2 enters sales   | c2 in sales at 2
          5 | c1#1 declined     | c1#1 rejected(declined) 3s; ana available; offer c2#1 to ana; ana reserved
          6 | c1#2 accepts      | c1#2 accepted 4s; withdraw c1#3; c1#3 withdrawn(call_waiting) 3s; eva available
            |                   | c1 answered 4s ringing; bob talking; offer c2#2 to eva; eva reserved
          7 | c1#3 accepts      |
          8 | c2 hangs up       | withdraw c2#1; c2#1 cancelled(caller_hung_up) 3s; ana available
            |                   | withdraw c2#2; c2#2 cancelled(caller_hung_up) 2s; eva available; c2 abandoned(caller_hung_up) 4s ringing",
    );
}

#[test]
fn when_several_become_free_at_once_the_longest_idle_takes_the_best_score() {
    check(
        "queue sales ring_all
         queue support wrap_up=9
         agent ana serves=sales,support
         agent bob serves=sales,support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | bob logs in       | bob available
          1 | ana logs in       | ana available
          2 | c1 enters sales   | c1 in sales at 1; offer c1#1 to bob; bob reserved; offer c1#2 to ana; ana reserved
          3 | c2 enters support | c2 in support at 1
          4 | c3 enters support priority=60 | c3 in support at 1
          5 | c1 hangs up       | withdraw c1#1; c1#1 cancelled(caller_hung_up) 3s; bob available
            |                   | withdraw c1#2; c1#2 cancelled(caller_hung_up) 3s; ana available; c1 abandoned(caller_hung_up) 3s ringing
            |                   | offer c3#1 to bob; bob reserved; offer c2#1 to ana; ana reserved",
    );
}

#[test]
fn an_answer_that_crosses_the_end_of_its_ringing_is_an_answer() {
    check(
        "queue support ring=10
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
         10 | c1#1 accepts      | c1#1 accepted 10s; c1 answered 10s ringing; ana talking",
    );
}

#[test]
fn a_reload_leaves_waiting_calls_in_their_places_and_follows_the_new_rules() {
    check(
        "queue support requires=es>=5
         queue sales
         agent ana serves=support es=4
         agent bob serves=support es=5
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | c1 enters support | c1 in support at 1
          2 | c2 enters sales   | c2 in sales at 1
          3 | c3 enters support | c3 in support at 2
          4 | bob logs in       | bob available; offer c1#1 to bob; bob reserved
         queue support requires=es>=4 overflow=60
         no sales
         no bob
          5 | reload            | c2 system(closed) 3s; withdraw c1#1; c1#1 withdrawn(closed) 1s; bob logged_out
            |                   | offer c1#2 to ana; ana reserved
          6 | c1#2 accepts      | c1#2 accepted 1s; c1 answered 5s ringing; ana talking
         no ana
          7 | reload            |
          8 | ana released      | ana logged_out
          9 | ana logs in       |
         63 | -                 | c3 timeout(timeout) 60s",
    );
}

#[test]
fn a_call_that_goes_on_to_a_queue_that_rings_all_takes_nobody_from_who_waits_longer() {
    check(
        "queue vip overflow=10:sales
         queue support relax=5:raise:20
         queue sales ring_all
         agent bea serves=sales
         agent ana serves=vip,support,sales
          0 | load              |
          0 | bea registers     |
          0 | ana registers     |
          0 | bea logs in       | bea available
          1 | ana logs in       | ana available
          2 | c1 enters vip     | c1 in vip at 1; offer c1#1 to ana; ana reserved
          3 | c2 enters support | c2 in support at 1
          8 | -                 |
         12 | -                 | withdraw c1#1; c1#1 withdrawn(timeout) 10s; ana available
            |                   | c1 overflowed(timeout) 10s ringing to sales; c1/2 in sales at 1 after 10s
            |                   | offer c2#1 to ana; ana reserved; offer c1/2#1 to bea; bea reserved",
    );
}

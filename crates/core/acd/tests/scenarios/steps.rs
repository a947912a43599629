//! Matching, relaxation without losing place and per-agent-group delay.

use crate::script::check;

#[test]
fn steps_lower_and_drop_skills_at_cumulative_ages_and_the_visit_keeps_its_place() {
    check(
        "queue support requires=es>=5 relax=30:lower:es:3,60:drop:es
         agent ana serves=support es=5
         agent bob serves=support es=3
         agent eva serves=support
          0 | load              |
          0 | bob registers     |
          0 | eva registers     |
          0 | ana logs in       | ana unreachable
          0 | bob logs in       | bob available
          0 | eva logs in       | eva available
          1 | c1 enters support | c1 in support at 1
         11 | c2 enters support | c2 in support at 2
         31 | -                 | offer c1#1 to bob; bob reserved
         41 | -                 |
         51 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 20s; bob paused(no_answer)
         52 | bob is ready      | bob available; offer c1#2 to bob; bob reserved
         61 | -                 |
         71 | -                 | offer c2#1 to eva; eva reserved
         72 | -                 | withdraw c1#2; c1#2 timed_out(no_answer) 20s; bob paused(no_answer)
         73 | eva pauses        | withdraw c2#1; c2#1 withdrawn(requested) 2s; eva paused
         74 | eva is ready      | eva available; offer c1#3 to eva; eva reserved",
    );
}

#[test]
fn a_step_widens_to_agents_of_a_group_who_are_not_of_the_queue() {
    check(
        "queue support relax=30:widen:backup requires=es>=2
         queue sales
         agent ana serves=support es=2
         agent bob serves=sales groups=backup es=2
         agent eva serves=sales groups=backup es=1
          0 | load              |
          0 | bob registers     |
          0 | eva registers     |
          0 | ana logs in       | ana unreachable
          0 | bob logs in       | bob available
          0 | eva logs in       | eva available
          1 | c1 enters support | c1 in support at 1
         31 | -                 | offer c1#1 to bob; bob reserved
         32 | c2 enters support | c2 in support at 2
         51 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 20s; bob paused(no_answer)
         52 | bob is ready      | bob available; offer c1#2 to bob; bob reserved",
    );
}

#[test]
fn a_step_raises_the_priority_and_moves_the_visit_in_line() {
    check(
        "queue support relax=30:raise:100
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          1 | c1 enters support | c1 in support at 1
          2 | c2 enters support priority=50 | c2 in support at 1
         30 | ana logs in       | ana available; offer c2#1 to ana; ana reserved
         30 | ana logs out      | withdraw c2#1; c2#1 withdrawn(requested) 0s; ana logged_out
         31 | -                 |
         31 | c3 enters support priority=60 | c3 in support at 3
         31 | ana logs in       | ana available; offer c1#1 to ana; ana reserved",
    );
}

#[test]
fn steps_that_match_nobody_logged_in_are_skipped_at_once_and_count_again_when_somebody_logs_in() {
    check(
        "queue support requires=es>=5 relax=60:lower:es:3
         agent ana serves=support es=5
         agent bob serves=support es=3
         agent eva serves=support es=3
          0 | load              |
          0 | bob registers     |
          0 | eva registers     |
          0 | c1 enters support | c1 in support at 1
          1 | bob logs in       | bob available; offer c1#1 to bob; bob reserved
          2 | eva logs in       | eva available
          3 | ana logs in       | ana unreachable
          4 | c2 enters support | c2 in support at 2
          5 | c1#1 accepts      | c1#1 accepted 4s; c1 answered 5s ringing; bob talking
          6 | ana logs out      | ana logged_out; offer c2#1 to eva; eva reserved",
    );
}

#[test]
fn agents_of_a_delayed_group_are_offered_a_visit_only_from_that_age_on() {
    check(
        "queue support delay=backup:20
         queue sales
         agent ana serves=support
         agent bob serves=support,sales groups=backup
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | bob logs in       | bob available
          1 | c1 enters support | c1 in support at 1
         11 | ana logs in       | ana available; offer c1#1 to ana; ana reserved
         12 | c2 enters support | c2 in support at 2
         13 | c3 enters sales   | c3 in sales at 1; offer c3#1 to bob; bob reserved
         14 | c3 hangs up       | withdraw c3#1; c3#1 cancelled(caller_hung_up) 1s; bob available; c3 abandoned(caller_hung_up) 1s ringing
         21 | -                 |
         31 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 20s; ana paused(no_answer); offer c1#2 to bob; bob reserved
         32 | -                 |",
    );
}

#[test]
fn who_is_let_in_by_a_step_is_not_held_back_by_a_delay() {
    check(
        "queue support delay=backup:60 relax=20:widen:backup
         agent bob serves=support groups=backup
          0 | load              |
          0 | bob registers     |
          0 | bob logs in       | bob available
          1 | c1 enters support | c1 in support at 1
         21 | -                 | offer c1#1 to bob; bob reserved",
    );
}

#[test]
fn rules_reload_for_calls_already_waiting() {
    check(
        "queue support requires=es>=5
         agent ana serves=support es=5
         agent bob serves=support es=3
          0 | load              |
          0 | bob registers     |
          0 | ana logs in       | ana unreachable
          0 | bob logs in       | bob available
          1 | c1 enters support | c1 in support at 1
         21 | c2 enters support | c2 in support at 2
         queue support requires=es>=5 relax=30:drop:es
         41 | reload            | offer c1#1 to bob; bob reserved
         51 | -                 |",
    );
}

#[test]
fn who_is_out_of_the_site_and_still_talks_holds_no_step_back() {
    check(
        "queue support requires=es>=5 relax=30:drop:es
         agent ana serves=support es=5
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          0 | bob logs in       | bob available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          2 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          3 | c2 enters support | c2 in support at 1
         no ana
          4 | reload            | offer c2#1 to bob; bob reserved",
    );
}

#[test]
fn steps_and_overflow_count_from_the_visits_start_and_a_callbacks_from_before() {
    check(
        "queue support requires=es>=5 relax=30:drop:es overflow=50:sales
         queue sales relax=5:drop:es
         agent ana serves=support,sales es=5
         agent bob serves=support,sales
          0 | load              |
          0 | bob registers     |
          0 | ana logs in       | ana unreachable
          0 | bob logs in       | bob available
          1 | c1 enters support waited=900 | c1 in support at 1 after 900s
         11 | c2 enters support waited=29 agent_first | c2 in support at 2 after 29s
         12 | -                 | offer c2#1 to bob; bob reserved
         31 | -                 |
         32 | -                 | withdraw c2#1; c2#1 timed_out(no_answer) 20s; bob paused(no_answer)
         51 | -                 | c1 overflowed(timeout) 50s to sales; c1/2 in sales at 1 after 950s
         56 | -                 |
         61 | -                 | c2 overflowed(timeout) 50s to sales; c2/2 in sales at 2 after 79s",
    );
}

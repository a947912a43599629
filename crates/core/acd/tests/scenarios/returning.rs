//! Callers who come back: sticky agents (Matching), and who was cut off (The caller's side, calls.md line 15).

use crate::script::check;

#[test]
fn the_agent_who_had_this_caller_last_is_preferred() {
    check(
        "queue support sticky=30
         queue sales
         agent ana serves=support,sales
         agent bob serves=support,sales
          0 | load                      |
          0 | ana registers             |
          0 | bob registers             |
          0 | ana logs in               | ana available
          1 | bob logs in               | bob available
          2 | c1 enters sales party=7   | c1 in sales at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 accepts              | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          4 | ana released              | ana available
          5 | c2 enters support         | c2 in support at 1; offer c2#1 to bob; bob reserved
          6 | c2 hangs up               | withdraw c2#1; c2#1 cancelled(caller_hung_up) 1s; bob available; c2 abandoned(caller_hung_up) 1s ringing
          7 | c3 enters support party=7 | c3 in support at 1; offer c3#1 to ana; ana reserved
          8 | c3#1 accepts              | c3#1 accepted 1s; c3 answered 1s ringing; ana talking
          9 | c4 enters support party=7 | c4 in support at 1
         10 | c5 enters support         | c5 in support at 2; offer c5#1 to bob; bob reserved
         11 | c6 enters sales party=7 priority=100 | c6 in sales at 1
         12 | ana released              | ana available; offer c4#1 to ana; ana reserved",
    );
}

#[test]
fn a_visit_is_kept_so_long_and_no_longer() {
    check(
        "queue support sticky=30
         agent ana serves=support
         agent bob serves=support
          0 | load                      |
          0 | ana registers             |
          0 | bob registers             |
          0 | ana logs in               | ana available
          1 | bob logs in               | bob available
          2 | c1 enters support party=7 | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 accepts              | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          4 | c2 enters support party=7 | c2 in support at 1
         34 | -                         | offer c2#1 to bob; bob reserved",
    );
}

#[test]
fn a_visit_is_released_at_once_when_its_agent_goes_away_or_does_not_take_it() {
    check(
        "queue support sticky=300
         agent ana serves=support
         agent bob serves=support
          0 | load                      |
          0 | ana registers             |
          0 | bob registers             |
          0 | ana logs in               | ana available
          1 | bob logs in               | bob available
          2 | c1 enters support party=7 | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 accepts              | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          4 | c2 enters support party=7 | c2 in support at 1
          5 | ana pauses lunch          | ana later: pause
          6 | ana released              | ana paused(lunch); offer c2#1 to bob; bob reserved
          7 | c2 hangs up               | withdraw c2#1; c2#1 cancelled(caller_hung_up) 1s; bob available; c2 abandoned(caller_hung_up) 3s ringing
          8 | c3 enters support party=7 | c3 in support at 1; offer c3#1 to bob; bob reserved
          9 | c3 hangs up               | withdraw c3#1; c3#1 cancelled(caller_hung_up) 1s; bob available; c3 abandoned(caller_hung_up) 1s ringing
         10 | ana is ready              | ana available
         11 | c4 enters support party=7 | c4 in support at 1; offer c4#1 to ana; ana reserved
         12 | c4#1 declined             | c4#1 rejected(declined) 1s; ana available; offer c4#2 to bob; bob reserved",
    );
}

#[test]
fn a_visit_is_released_when_its_agent_can_not_serve_it_any_more() {
    let until_kept = "queue support sticky=300
         agent ana serves=support es=3
         agent bob serves=support es=3
          0 | load                      |
          0 | ana registers             |
          0 | bob registers             |
          0 | ana logs in               | ana available
          1 | bob logs in               | bob available
          2 | c1 enters support party=7 asks=es | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 accepts              | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          4 | c2 enters support party=7 asks=es | c2 in support at 1\n";
    check(&format!("{until_kept} 5 | ana learns en=3 | offer c2#1 to bob; bob reserved"));
    check(&format!("{until_kept} agent ana serves=support\n 5 | reload | offer c2#1 to bob; bob reserved"));
    check(&format!("{until_kept} no ana\n 5 | reload | offer c2#1 to bob; bob reserved"));
}

#[test]
fn the_last_agent_is_remembered_within_the_tenant_for_callers_who_are_known() {
    check(
        "queue support sticky=30
         queue other/support sticky=30
         agent ana serves=support,other/support
         agent bob serves=support,other/support
          0 | load                      |
          0 | ana registers             |
          0 | bob registers             |
          0 | ana logs in               | ana available
          1 | bob logs in               | bob available
          2 | c1 enters support party=7 | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 accepts              | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          4 | ana released              | ana available
          5 | c2 enters other/support party=7 | c2 in support at 1; offer c2#1 to bob; bob reserved
          6 | c2 hangs up               | withdraw c2#1; c2#1 cancelled(caller_hung_up) 1s; bob available; c2 abandoned(caller_hung_up) 1s ringing
          7 | c3 enters support         | c3 in support at 1; offer c3#1 to bob; bob reserved",
    );
}

#[test]
fn a_caller_who_was_cut_off_and_is_back_in_time_gets_the_old_place() {
    check(
        "queue support return=60
         queue sales
          0 | load                      |
          0 | c1 enters support party=7 priority=3 | c1 in support at 1
         10 | c2 enters support         | c2 in support at 2
         20 | c1 is cut off             | c1 abandoned(no_media) 20s
         30 | c3 enters sales party=7   | c3 in sales at 1
         40 | c4 enters support party=8 | c4 in support at 2
         70 | c5 enters support party=7 | c5 in support at 1 after 70s
         71 | c5 hangs up               | c5 abandoned(caller_hung_up) 1s
         72 | c6 enters support party=7 | c6 in support at 3",
    );
}

#[test]
fn the_old_place_is_not_given_after_the_callers_own_bye_nor_too_late_nor_to_who_is_not_known() {
    check(
        "queue support return=60
          0 | load                      |
          0 | c1 enters support party=7 | c1 in support at 1
          0 | c2 enters support party=8 | c2 in support at 2
          0 | c3 enters support         | c3 in support at 3
         10 | c4 enters support         | c4 in support at 4
         20 | c1 hangs up               | c1 abandoned(caller_hung_up) 20s
         20 | c2 is cut off             | c2 abandoned(no_media) 20s
         20 | c3 is cut off             | c3 abandoned(no_media) 20s
         30 | c5 enters support party=7 | c5 in support at 2
         30 | c6 enters support         | c6 in support at 3
         80 | -                         |
         81 | c7 enters support party=8 | c7 in support at 4",
    );
}

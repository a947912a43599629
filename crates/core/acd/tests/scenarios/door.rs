//! The caller's side: who may enter, and who waits in vain.

use crate::script::{check, moment, queue};

#[test]
fn join_empty_refuses_when_every_agent_who_could_serve_is_in_a_listed_state() {
    check(
        "queue support join_empty=logged_out,paused requires=es>=3 relax=60:lower:es:2
         queue open
         agent ana serves=support es=3
         agent bob serves=support es=2
         agent eva serves=support es=1
          0 | load              |
          0 | eva registers     |
          0 | eva logs in       | eva available
          1 | c1 enters support | c1 refused by support: no_agents
          2 | ana logs in       | ana unreachable
          3 | c2 enters support | c2 in support at 1
          4 | c3 enters support asks=en | c3 refused by support: no_agents
          5 | ana pauses        | ana paused
          6 | c4 enters support | c4 refused by support: no_agents
          7 | bob logs in       | bob unreachable
          8 | c5 enters support | c5 in support at 2
          9 | c6 enters open    | c6 in open at 1",
    );
}

#[test]
fn leave_empty_ends_visits_when_the_last_agent_who_could_serve_them_goes() {
    check(
        "queue support leave_empty=logged_out,paused
         agent ana serves=support es=3
         agent bob serves=support en=3
          0 | load              |
          0 | ana logs in       | ana unreachable
          0 | bob logs in       | bob unreachable
          1 | c1 enters support asks=es | c1 in support at 1
          2 | c2 enters support asks=en | c2 in support at 2
          3 | c3 enters support         | c3 in support at 3
          4 | c4 enters support asks=es agent_first | c4 in support at 4
          5 | ana pauses        | ana paused; c1 no_agents(no_agents) 4s
          6 | bob logs out      | bob logged_out; c2 no_agents(no_agents) 4s; c3 no_agents(no_agents) 3s
          7 | c5 enters support | c5 in support at 2; c5 no_agents(no_agents) 0s",
    );
}

#[test]
fn a_visit_that_rings_does_not_leave_before_that_is_over() {
    check(
        "queue support leave_empty=reserved,paused
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | ana logs in       | ana available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
         21 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 20s; ana paused(no_answer); c1 no_agents(no_agents) 20s",
    );
}

#[test]
fn a_visit_whose_offer_ended_leaves_although_another_one_rings() {
    check(
        "queue support leave_empty=reserved,ringing,paused
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | bob logs in       | bob available
          1 | ana logs in       | ana available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to bob; bob reserved
          2 | c2 enters support | c2 in support at 2; offer c2#1 to ana; ana reserved
         21 | -                 | withdraw c1#1; c1#1 timed_out(no_answer) 20s; bob paused(no_answer); c1 no_agents(no_agents) 20s",
    );
}

#[test]
fn dissuasion_by_length_and_by_calls_per_agent_always_admits_when_nobody_waits() {
    check(
        "queue short dissuade_length=2
         queue never dissuade_length=0
         queue busy dissuade_per_agent=150
         agent ana serves=busy
         agent bob serves=busy
          0 | load              |
          0 | c1 enters short   | c1 in short at 1
          1 | c2 enters short   | c2 in short at 2
          2 | c3 enters short   | c3 refused by short: dissuaded
          3 | c4 enters short waited=9 | c4 in short at 1 after 9s
          4 | c5 enters never   | c5 in never at 1
          5 | c6 enters never   | c6 refused by never: dissuaded
          6 | ana logs in       | ana unreachable
          7 | c7 enters busy    | c7 in busy at 1
          8 | c8 enters busy    | c8 in busy at 2
          9 | c9 enters busy    | c9 refused by busy: dissuaded
         10 | bob logs in       | bob unreachable
         11 | c10 enters busy   | c10 in busy at 3",
    );
}

#[test]
fn dissuasion_by_expected_wait_begins_when_something_is_known_of_it() {
    check(
        "queue support dissuade_wait=40
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support | c1 in support at 1
         10 | c2 enters support | c2 in support at 2
         50 | ana logs in       | ana available; offer c1#1 to ana; ana reserved
         50 | c1#1 accepts      | c1#1 accepted 0s; c1 answered 50s ringing; ana talking
         60 | c3 enters support | c3 refused by support: dissuaded
         61 | c4 enters support agent_first | c4 in support at 2
         62 | c2 hangs up       | c2 abandoned(caller_hung_up) 52s
         63 | c4 leaves system  | c4 system 2s
         64 | c5 enters support | c5 in support at 1",
    );
}

#[test]
fn a_queue_keeps_its_hours_and_who_waits_when_it_closes_is_served() {
    let scene = check(
        "queue support hours=00:01-00:02
         agent ana serves=support
          0 | load              |
          0 | ana registers     |
         59 | c1 enters support | c1 refused by support: closed
         60 | c2 enters support | c2 in support at 1
        119 | c3 enters support | c3 in support at 2
        120 | c4 enters support | c4 refused by support: closed
        121 | c5 enters support waited=5 | c5 in support at 2 after 5s
        130 | ana logs in       | ana available; offer c2#1 to ana; ana reserved",
    );
    let open = |second| scene.acd.is_open(&queue("support"), moment(second).wall);
    assert!(!open(59.0) && open(60.0) && open(119.9) && !open(120.0) && open(24.0 * 3_600.0 + 61.0));
    assert!(!scene.acd.is_open(&queue("nowhere"), moment(60.0).wall));
}

#[test]
fn overflow_goes_along_the_chain_to_the_first_queue_that_takes_the_call() {
    check(
        "queue first overflow=10:full
         queue full capacity=0 overflow=10:night
         queue night hours=00:30-00:40 overflow=10:empty
         queue empty join_empty=logged_out overflow=10:last
         queue last overflow=10:first
          0 | load            |
          0 | c1 enters first | c1 in first at 1
         10 | -               | c1 overflowed(timeout) 10s to last; c1/2 in last at 1 after 10s
         20 | -               | c1/2 timeout(loop) 10s",
    );
}

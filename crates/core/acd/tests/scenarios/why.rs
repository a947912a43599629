//! Matching: every decision keeps a why, and for a call still waiting, what it waits for.

use crate::script::{Scene, agent, check, moment, visit};
use acd::{Change, Output, Owner, Rule, Strategy, Waits, Why, Work};
use base::{AgentState, Cause, Skill};
use std::time::Duration;

fn offered(scene: &Scene) -> Why {
    let why = scene.out.iter().find_map(|o| if let Output::Offer { why, .. } = o { Some(why.clone()) } else { None });
    why.expect("the last step offers a call")
}

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn names(why: &Why) -> Vec<(String, i64)> {
    why.candidates.iter().map(|c| (c.agent.name().to_string(), c.value)).collect()
}

fn scores(why: &Why) -> Vec<(u32, i64)> {
    why.rivals.iter().map(|r| (r.visit.call.n, r.score_ms)).collect()
}

fn waits(scene: &Scene, call: &str, at: f64) -> Waits {
    scene.acd.waits(visit(call), moment(at)).expect("it waits")
}

#[test]
fn a_decision_says_which_agents_there_were_and_what_the_strategy_compared() {
    let scene = check(
        "queue support strategy=most_skilled requires=es>=3
         agent ana serves=support es=5
         agent bob serves=support es=8
         agent eva serves=support es=4
         agent leo serves=support es=4
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | eva registers     |
          0 | leo registers     |
          0 | ana logs in       | ana available
          1 | eva logs in       | eva available
          2 | bob logs in       | bob available
          3 | leo logs in       | leo available
          5 | c1 enters support waited=7 priority=2 | c1 in support at 1 after 7s; offer c1#1 to bob; bob reserved",
    );
    let why = offered(&scene);
    assert_eq!((why.rule, why.score_ms, why.idle.into()), (Rule::Strategy(Strategy::MostSkilled), 9_000, secs(3)));
    assert_eq!((why.agents, why.visits), (4, 1));
    assert_eq!(names(&why), [("bob".into(), -8), ("ana".into(), -5), ("eva".into(), -4)]);
    assert_eq!(scores(&why), [(1, 9_000)]);
}

#[test]
fn a_decision_says_which_visits_a_freed_agent_could_have_taken() {
    let scene = check(
        "queue support
         queue gold weight=3
         agent ana serves=support,gold
          0 | load              |
          0 | ana registers     |
          0 | c1 enters support | c1 in support at 1
          1 | c2 enters support | c2 in support at 2
          2 | c3 enters support | c3 in support at 3
          4 | c4 enters gold    | c4 in gold at 1
         10 | ana logs in       | ana available; offer c4#1 to ana; ana reserved",
    );
    let why = offered(&scene);
    assert_eq!((why.rule, why.score_ms, why.agents, why.visits), (Rule::BestScore, 18_000, 1, 4));
    assert_eq!(scores(&why), [(4, 18_000), (1, 10_000), (2, 9_000)]);
    assert_eq!(names(&why), [("ana".into(), 0)]);
}

#[test]
fn who_said_no_is_not_counted_and_a_kept_visit_says_that_it_was_kept() {
    let scene = check(
        "queue support sticky=30
         agent ana serves=support
         agent bob serves=support
          0 | load                      |
          0 | ana registers             |
          0 | bob registers             |
          0 | ana logs in               | ana available
          1 | bob logs in               | bob available
          2 | c1 enters support party=7 | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 declined             | c1#1 rejected(declined) 1s; ana available; offer c1#2 to bob; bob reserved",
    );
    let why = offered(&scene);
    assert_eq!((why.agents, names(&why)), (1, vec![("bob".into(), 0)]));
    let scene = check(
        "queue support sticky=30
         agent ana serves=support
         agent bob serves=support
          0 | load                      |
          0 | ana registers             |
          0 | ana logs in               | ana available
          2 | c1 enters support party=7 | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1#1 accepts              | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          4 | c2 enters support         | c2 in support at 1
          5 | c3 enters support party=7 | c3 in support at 2
          9 | ana released              | ana available; offer c3#1 to ana; ana reserved",
    );
    let why = offered(&scene);
    assert_eq!((why.rule, why.score_ms, why.agents, why.visits), (Rule::Sticky, 4_000, 1, 2));
    assert_eq!(scores(&why), [(3, 4_000), (2, 5_000)]);
}

/// Number and age of the step, and whether it came early.
fn let_in(script: &str) -> Option<(u32, u64, bool)> {
    let by = offered(&check(script)).let_in?;
    Some((by.step.number, by.step.after.as_secs(), by.early))
}

#[test]
fn an_offer_names_the_step_that_let_its_agent_in_as_the_site_file_numbers_them() {
    let ana = "queue support requires=es>=5 ring=100 relax=30:lower:es:3,50:raise:10,60:drop:es
         agent ana serves=support es=5
         agent bob serves=support es=3
         agent eva serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | eva registers     |
          0 | ana logs in       | ana available
          0 | bob logs in       | bob available
          0 | eva logs in       | eva available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved\n";
    let bob = format!(
        "{ana}
          2 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          3 | c2 enters support | c2 in support at 1
          4 | c3 enters support | c3 in support at 2
         33 | -                 | offer c2#1 to bob; bob reserved\n"
    );
    let eva = format!(
        "{bob}
         34 | -                 |
         53 | -                 |
         54 | -                 |
         63 | -                 |
         64 | -                 | offer c3#1 to eva; eva reserved\n"
    );
    assert_eq!(let_in(ana), None, "ana is who was asked for");
    assert_eq!(let_in(&bob), Some((1, 30, false)));
    assert_eq!(let_in(&eva), Some((3, 60, false)), "the second raises the priority and lets nobody in");
    let by = offered(&check(&eva)).let_in.unwrap();
    assert_eq!(by.step.change, Change::Drop { skill: Skill::new("es") });
    // Whoever is asked for is let in by no step, however old the call is.
    let ana_again = format!(
        "{eva} 65 | c4 enters support | c4 in support at 3\n 66 | ana released | ana available; offer c4#1 to ana; ana reserved"
    );
    assert_eq!(let_in(&ana_again), None);
    let late = format!(
        "{eva} 65 | c3#1 declined | c3#1 rejected(declined) 1s; eva available\n 66 | ana released | ana available; offer c3#2 to ana; ana reserved"
    );
    assert_eq!(let_in(&late), None);
}

#[test]
fn a_step_that_is_not_waited_for_is_named_as_early() {
    let skipped = "queue support requires=es>=5 relax=30:lower:es:3
         agent bob serves=support es=3
          0 | load              |
          0 | bob registers     |
          0 | bob logs in       | bob available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to bob; bob reserved\n";
    assert_eq!(let_in(skipped), Some((1, 30, true)), "nobody who is logged in has more");
    let kept = "queue support requires=es>=5 relax=30:drop:es sticky=20
         queue sales
         agent ana serves=support es=5
         agent bob serves=support,sales
          0 | load                    |
          0 | bob registers           |
          0 | bob logs in             | bob available
          0 | ana logs in             | ana unreachable
          1 | c1 enters sales party=7 | c1 in sales at 1; offer c1#1 to bob; bob reserved
          2 | c1#1 accepts            | c1#1 accepted 1s; c1 answered 1s ringing; bob talking
          3 | bob released            | bob available
          4 | c2 enters support party=7 | c2 in support at 1; offer c2#1 to bob; bob reserved";
    assert_eq!(offered(&check(kept)).rule, Rule::Sticky);
    assert_eq!(let_in(kept), Some((1, 30, true)), "it is kept for bob");
}

#[test]
fn whom_a_delay_holds_back_a_step_lets_in_and_the_delays_end_does_without_one() {
    let site = |delay: u32| {
        format!(
            "queue support delay=backup:{delay} relax=20:widen:backup
             agent bob serves=support groups=backup
              0 | load              |
              0 | bob registers     |
              0 | bob logs in       | bob available
              1 | c1 enters support | c1 in support at 1\n"
        )
    };
    let offer = "offer c1#1 to bob; bob reserved";
    assert_eq!(let_in(&format!("{} 21 | - | {offer}", site(60))), Some((1, 20, false)));
    assert_eq!(let_in(&format!("{} 11 | - | {offer}", site(10))), None);
}

#[test]
fn a_waiting_call_says_what_it_waits_for() {
    let scene = check(
        "queue support requires=es>=5 relax=30:lower:es:3,50:raise:10,60:drop:es delay=backup:100 sticky=40
         agent ana serves=support es=5
         agent bob serves=support es=5
         agent eva serves=support es=3
         agent leo serves=support es=6 groups=backup
          0 | load              |
          0 | ana registers     |
          0 | leo registers     |
          0 | eva registers     |
          0 | ana logs in       | ana available
          0 | bob logs in       | bob unreachable
          0 | eva logs in       | eva available
          0 | leo logs in       | leo available
          1 | c1 enters support party=7 | c1 in support at 1; offer c1#1 to ana; ana reserved
          2 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          5 | c2 enters support party=7 priority=3 | c2 in support at 1",
    );
    let w = waits(&scene, "c2", 15.0);
    assert_eq!((w.requires.to_string().as_str(), w.position, w.score_ms), ("es >= 5", 1, 13_000));
    assert_eq!(w.agents, [(AgentState::Talking, 1), (AgentState::Unreachable, 1)].into());
    assert_eq!(
        w.barred.iter().map(|(a, why)| (a.name(), &**why)).collect::<Vec<_>>(),
        [("leo", "of a group whose delay is not over")]
    );
    let at = |second: f64| moment(second).mono;
    assert_eq!(w.next, Some((at(35.0), Change::Lower { skill: base::Skill::new("es"), to: 3 })));
    assert_eq!(w.sticky, Some((agent("ana"), at(45.0))));
    assert!(scene.acd.waits(visit("c1"), moment(15.0)).is_none());
}

#[test]
fn a_waiting_call_names_who_did_not_take_it_and_a_skipped_step_is_not_to_come() {
    let scene = check(
        "queue support requires=es>=5 relax=30:lower:es:3,60:drop:es retry=100
         agent eva serves=support es=3
          0 | load              |
          0 | eva registers     |
          0 | eva logs in       | eva available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to eva; eva reserved
          2 | c1#1 declined     | c1#1 rejected(declined) 1s; eva available",
    );
    let w = waits(&scene, "c1", 5.0);
    assert_eq!(w.requires.to_string(), "es >= 3");
    assert_eq!(w.agents, [(AgentState::Available, 1)].into());
    assert_eq!(
        w.barred.iter().map(|(a, why)| (a.name(), &**why)).collect::<Vec<_>>(),
        [("eva", "it did not take this call a moment ago")]
    );
    assert_eq!(w.next, Some((moment(61.0).mono, Change::Drop { skill: base::Skill::new("es") })));
}

#[test]
fn every_state_that_waits_shows_its_owner_its_cause_and_its_deadline() {
    let at = |script: &str| {
        let table = format!(
            "queue support wrap_up=20 ring=15 retry=5:6:7
             agent ana serves=support
              0 | load              |
              0 | ana registers     |
              0 | ana logs in       | ana available
              1 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
              {script}"
        );
        let view = check(&table).acd.agent(&agent("ana")).unwrap();
        (view.state, view.owner, view.cause, view.deadline.map(|d| d.0 / 1_000_000_000))
    };
    let accepts = "2 | c1#1 accepts | c1#1 accepted 1s; c1 answered 1s ringing; ana talking\n";
    let (talking, wrapping) = (accepts.to_string(), format!("{accepts} 9 | ana released | ana wrap_up\n"));
    use AgentState as S;
    for (script, expected) in [
        ("", (S::Reserved, Owner::Acd, Cause::CallWaiting, Some(16))),
        ("2 | c1#1 rings | ana ringing", (S::Ringing, Owner::Acd, Cause::CallWaiting, Some(16))),
        (&talking, (S::Talking, Owner::Engine, Cause::CallWaiting, None)),
        (&wrapping, (S::WrapUp, Owner::Acd, Cause::Requested, Some(29))),
        (&format!("{wrapping} 10 | ana dials internal | ana engaged(internal)"), (S::Engaged, Owner::Engine, Cause::OwnCall, None)),
        ("3 | c1#1 busy | c1#1 rejected(busy) 2s; ana available", (S::Available, Owner::Acd, Cause::Busy, Some(8))),
        ("3 | c1#1 declined | c1#1 rejected(declined) 2s; ana available", (S::Available, Owner::Agent, Cause::Declined, None)),
        (
            "3 | c1#1 unreachable | c1#1 rejected(unreachable) 2s; ana unreachable",
            (S::Unreachable, Owner::Acd, Cause::Unreachable, Some(10)),
        ),
        (
            "16 | - | withdraw c1#1; c1#1 timed_out(no_answer) 15s; ana paused(no_answer)",
            (S::Paused, Owner::Agent, Cause::NoAnswer, None),
        ),
        (
            "3 | c1 hangs up | withdraw c1#1; c1#1 cancelled(caller_hung_up) 2s; ana available; c1 abandoned(caller_hung_up) 2s ringing
             4 | ana vanishes | ana unreachable",
            (S::Unreachable, Owner::Registrar, Cause::Unreachable, None),
        ),
    ] {
        assert_eq!(at(script), expected, "{script}");
    }
    let view = check("queue q\nagent ana serves=q\n0 | load |\n0 | ana dials outbound |").acd.agent(&agent("ana")).unwrap();
    assert_eq!((view.state, view.owner, view.work), (S::LoggedOut, Owner::Agent, Some(Work::Outbound)));
}

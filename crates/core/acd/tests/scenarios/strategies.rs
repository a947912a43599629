//! Matching, strategies per queue. Of equals the longest idle; a freed agent takes the best score, whatever the strategy.

use crate::script::{agent, check, moment, queue, visit};
use acd::{Acd, Agent, Caller, Config, Input, Output, Queue, Strategy};
use base::{Outcome, Requirement};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn most_skilled_first_takes_the_highest_levels_in_what_is_asked() {
    check(
        "queue support strategy=most_skilled requires=es>=3
         agent ana serves=support es=5 sap=9
         agent bob serves=support es=8
         agent eva serves=support es=8
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | eva registers     |
          0 | ana logs in       | ana available
          1 | eva logs in       | eva available
          2 | bob logs in       | bob available
          3 | c1 enters support | c1 in support at 1; offer c1#1 to eva; eva reserved
          4 | c2 enters support | c2 in support at 2; offer c2#1 to bob; bob reserved
          5 | c3 enters support asks=sap>=1 | c3 in support at 3; offer c3#1 to ana; ana reserved",
    );
}

#[test]
fn primary_first_is_most_skilled_with_the_first_type_of_each_agent_highest() {
    check(
        "queue sales strategy=most_skilled requires=sales>=1
         queue care strategy=most_skilled requires=care>=1
         agent ana serves=sales,care sales=5 care=9
         agent bob serves=sales,care sales=9 care=5
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          5 | bob logs in       | bob available
          6 | c1 enters sales   | c1 in sales at 1; offer c1#1 to bob; bob reserved
          7 | c2 enters sales   | c2 in sales at 2; offer c2#1 to ana; ana reserved",
    );
}

#[test]
fn least_skilled_sufficient_first_keeps_experts_free() {
    check(
        "queue support strategy=least_skilled requires=es>=3
         agent ana serves=support es=4
         agent bob serves=support es=4 en=9
         agent eva serves=support es=9
         agent leo serves=support es=2
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | eva registers     |
          0 | leo registers     |
          0 | leo logs in       | leo available
          0 | eva logs in       | eva available
          1 | bob logs in       | bob available
          2 | ana logs in       | ana available
          3 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          4 | c1#1 declined     | c1#1 rejected(declined) 1s; ana available; offer c1#2 to bob; bob reserved
          5 | c2 enters support | c2 in support at 2; offer c2#1 to ana; ana reserved
          6 | c3 enters support | c3 in support at 3; offer c3#1 to eva; eva reserved
          7 | c4 enters support | c4 in support at 4",
    );
}

#[test]
fn fewest_calls_counts_conversations_since_login() {
    check(
        "queue support strategy=fewest_calls
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          2 | c1#1 accepts      | c1#1 accepted 1s; c1 answered 1s ringing; ana talking
          3 | ana released      | ana available
          4 | bob logs in       | bob available
          5 | c2 enters support | c2 in support at 1; offer c2#1 to bob; bob reserved
          6 | c2#1 accepts      | c2#1 accepted 1s; c2 answered 1s ringing; bob talking
          7 | bob released      | bob available
          8 | ana logs out      | ana logged_out
          9 | ana logs in       | ana available
         10 | c3 enters support | c3 in support at 1; offer c3#1 to ana; ana reserved",
    );
}

#[test]
fn least_occupied_compares_the_share_of_the_time_since_login_in_conversation_and_wrap_up() {
    check(
        "queue support strategy=least_occupied wrap_up=5
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
         10 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
         10 | c1#1 accepts      | c1#1 accepted 0s; c1 answered 0s ringing; ana talking
         20 | ana released      | ana wrap_up
         25 | -                 | ana available
         26 | c2 enters support | c2 in support at 1; offer c2#1 to bob; bob reserved
         26 | c2#1 accepts      | c2#1 accepted 0s; c2 answered 0s ringing; bob talking
         30 | bob released      | bob wrap_up
         35 | -                 | bob available
         36 | c3 enters support | c3 in support at 1; offer c3#1 to bob; bob reserved
         37 | c4 enters support | c4 in support at 2; offer c4#1 to ana; ana reserved",
    );
}

#[test]
fn round_robin_takes_who_was_offered_a_call_longest_ago() {
    check(
        "queue support strategy=round_robin
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          1 | bob logs in       | bob available
          2 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          3 | c1 hangs up       | withdraw c1#1; c1#1 cancelled(caller_hung_up) 1s; ana available; c1 abandoned(caller_hung_up) 1s ringing
          4 | c2 enters support | c2 in support at 1; offer c2#1 to bob; bob reserved
          5 | c2 hangs up       | withdraw c2#1; c2#1 cancelled(caller_hung_up) 1s; bob available; c2 abandoned(caller_hung_up) 1s ringing
          6 | c3 enters support | c3 in support at 1; offer c3#1 to ana; ana reserved",
    );
}

/// Right after a crash a promised callback is offered in the clock's first moment.
#[test]
fn round_robin_knows_an_offer_in_the_first_moment_of_the_clock_from_none() {
    check(
        "queue support strategy=round_robin
         agent ana serves=support
         agent bob serves=support
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | ana logs in       | ana available
          0 | c1 enters support | c1 in support at 1; offer c1#1 to ana; ana reserved
          1 | c1 hangs up       | withdraw c1#1; c1#1 cancelled(caller_hung_up) 1s; ana available; c1 abandoned(caller_hung_up) 1s ringing
          2 | bob logs in       | bob available
          3 | c2 enters support | c2 in support at 1; offer c2#1 to bob; bob reserved",
    );
}

#[test]
fn top_down_goes_by_rank() {
    check(
        "queue support strategy=top_down
         agent ana serves=support rank=2
         agent bob serves=support rank=1
         agent eva serves=support rank=1
          0 | load              |
          0 | ana registers     |
          0 | bob registers     |
          0 | eva registers     |
          0 | ana logs in       | ana available
          1 | eva logs in       | eva available
          2 | bob logs in       | bob available
          3 | c1 enters support | c1 in support at 1; offer c1#1 to eva; eva reserved
          4 | c2 enters support | c2 in support at 2; offer c2#1 to bob; bob reserved
          5 | c3 enters support | c3 in support at 3; offer c3#1 to ana; ana reserved",
    );
}

#[test]
fn a_freed_agent_takes_the_best_score_whatever_the_strategy() {
    check(
        "queue sales strategy=top_down
         queue support strategy=most_skilled weight=2
         agent ana serves=sales,support
          0 | load              |
          0 | ana registers     |
          0 | c1 enters sales   | c1 in sales at 1
          5 | c2 enters support | c2 in support at 1
          6 | c3 enters support priority=60 | c3 in support at 1
          9 | ana logs in       | ana available; offer c3#1 to ana; ana reserved
          9 | c3 hangs up       | withdraw c3#1; c3#1 cancelled(caller_hung_up) 0s; ana available; c3 abandoned(caller_hung_up) 3s ringing
            |                   | offer c1#1 to ana; ana reserved",
    );
}

/// Whom 300 calls are offered to, one after the other, each hung up at once; `bars`: the first of them says no to each.
fn drawn(seed: u64, bars: bool) -> Vec<String> {
    let mut acd = Acd::new(seed);
    let names = ["ana", "bob", "eva"];
    let a = Agent { queues: vec![queue("support")], starts_logged_in: true, ..Agent::default() };
    let support = Queue { strategy: Strategy::Random, ..Queue::default() };
    let agents = names.map(|name| (agent(name), a.clone())).into();
    let mut out = Vec::new();
    let config = Config { queues: [(queue("support"), support)].into(), agents, ..Config::default() };
    acd.handle(moment(0.0), Input::Configure(Arc::new(config)), &mut out);
    for name in names {
        acd.handle(moment(0.0), Input::Reachable { agent: agent(name), reachable: true }, &mut out);
    }
    let mut chosen = Vec::new();
    for n in 0..300 {
        let id = visit(&format!("c{n}"));
        out.clear();
        let (requires, waited, caller) = (Requirement::default(), Duration::ZERO, Caller::OnTheLine);
        let enter = Input::Enqueue {
            visit: id,
            queue: queue("support"),
            requires,
            priority_s: 0,
            waited,
            lang: None,
            party: None,
            caller,
        };
        acd.handle(moment(f64::from(n)), enter, &mut out);
        if let Some(Output::Offer { offer, .. }) = out.iter().find(|o| matches!(o, Output::Offer { .. })).filter(|_| bars) {
            let result = acd::OfferResult::Rejected(base::Cause::Declined);
            acd.handle(moment(f64::from(n)), Input::OfferResult { offer: *offer, result }, &mut out);
        }
        let offered =
            out.iter().filter_map(|o| if let Output::Offer { agent, .. } = o { Some(agent.name().to_string()) } else { None });
        chosen.extend(offered);
        let leave = Input::Leave { visit: id, outcome: Outcome::Abandoned, cut_off: None };
        acd.handle(moment(f64::from(n)), leave, &mut out);
    }
    chosen
}

#[test]
fn random_gives_each_free_agent_the_same_chance_from_the_routing_seed_alone() {
    let one = drawn(7, false);
    assert_eq!(one, drawn(7, false));
    assert_ne!(one, drawn(8, false));
    for name in ["ana", "bob", "eva"] {
        let times = one.iter().filter(|chosen| *chosen == name).count();
        assert!((70..130).contains(&times), "{name} was chosen {times} times of 300");
    }
    let twice = drawn(7, true);
    assert!(twice.len() == 600 && twice.chunks(2).all(|pair| pair[0] != pair[1]), "who said no is not drawn again");
}

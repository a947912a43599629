//! What-if, on days whose truth is known: they are simulated, told as facts, read back, and asked about.

mod truth;

use acd::Strategy;
use metrics::Formula;
use std::collections::BTreeMap;
use study::whatif::{Answer, Change, Question};
use truth::{Told, Truth};

fn ask(told: &Told, change: &Change) -> Answer {
    let sites = BTreeMap::from([(truth::SITE.to_string(), told.config.clone())]);
    Question { facts: &told.facts, sites: &sites, change, seeds: 8, formula: Formula::default() }.answer().unwrap()
}

/// The figure of all queues.
fn total<'a>(answer: &'a Answer, figure: &str) -> &'a study::whatif::Line {
    answer.totals.iter().find(|line| line.figure == figure).unwrap()
}

#[test]
fn the_model_of_a_day_gives_what_happened_on_it() {
    let told = Truth::default().tell(1);
    let answer = ask(&told, &Change::default());
    for (figure, reach) in [("service level", 0.02), ("abandonment", 0.01), ("ASA", 2.0), ("occupancy", 0.01)] {
        let line = total(&answer, figure);
        let (happened, was) = (line.happened.unwrap(), line.was.unwrap());
        assert!((happened - was.mean).abs() < reach, "{figure}: {happened} against {was:?}\n{answer}");
        assert_eq!(line.difference.unwrap().mean, 0.0, "nothing was changed");
    }
}

#[test]
fn two_agents_more_give_what_two_agents_more_would_have_given() {
    let told = Truth::default().tell(2);
    let answer = ask(&told, &Change { agents: 2, ..Change::default() });
    let more = Truth { agents: Truth::default().agents + 2, ..Truth::default() };
    let truth = ask(&more.tell(2), &Change::default());
    for (figure, reach) in [("service level", 0.025), ("abandonment", 0.012), ("ASA", 2.5), ("occupancy", 0.012)] {
        let (said, true_one) = (total(&answer, figure).would.unwrap(), total(&truth, figure).happened.unwrap());
        assert!((said.mean - true_one).abs() < reach, "{figure}: {said:?}, truth {true_one}\n{answer}");
        let before = total(&answer, figure).happened.unwrap();
        assert!((true_one - before).abs() > reach, "{figure}: {before} to {true_one} shows nothing");
    }
}

#[test]
fn with_fewer_agents_the_drawn_patience_tells_how_many_would_have_left() {
    let told = Truth::default().tell(3);
    let answer = ask(&told, &Change { agents: -2, ..Change::default() });
    let fewer = Truth { agents: Truth::default().agents - 2, ..Truth::default() };
    let truth = ask(&fewer.tell(3), &Change::default());
    for (figure, reach) in [("service level", 0.04), ("abandonment", 0.02)] {
        let (said, true_one) = (total(&answer, figure).would.unwrap(), total(&truth, figure).happened.unwrap());
        assert!((said.mean - true_one).abs() < reach, "{figure}: {said:?}, truth {true_one}\n{answer}");
    }
}

#[test]
fn a_skill_more_and_another_strategy_are_seen_where_they_matter() {
    let told = Truth { mixed: true, ..Truth::default() }.tell(4);
    let english: Vec<_> = told.config.agents.keys().take(6).cloned().collect();
    let skills = english.iter().map(|agent| (agent.clone(), base::Skill::new("lang:es"), 5)).collect();
    let answer = ask(&told, &Change { skills, ..Change::default() });
    assert!(total(&answer, "service level").difference.unwrap().mean > 0.02, "{answer}");
    let change = Change { strategies: vec![(None, Strategy::TopDown)], ..Change::default() };
    let answer = ask(&told, &change);
    let shift: f64 = answer.agents.values().map(|line| line.difference.unwrap().mean.abs()).sum();
    assert!(shift > 0.3, "who works most is another: {answer}");
}

#[test]
fn the_same_question_has_the_same_answer() {
    let told = Truth { hours: 4, ..Truth::default() }.tell(5);
    let change = Change { agents: 1, ..Change::default() };
    assert_eq!(ask(&told, &change), ask(&told, &change));
}

#[test]
fn a_site_that_is_not_at_hand_is_named() {
    let told = Truth { hours: 1, ..Truth::default() }.tell(6);
    let (sites, change) = (BTreeMap::new(), Change::default());
    let question = Question { facts: &told.facts, sites: &sites, change: &change, seeds: 1, formula: Formula::default() };
    assert_eq!(question.answer().unwrap_err(), format!("the site {} of this log is not at hand", truth::SITE));
}

//! What-if, on days whose truth is known: they are simulated, told as facts, read back, and asked about.

mod truth;

use acd::Strategy;
use metrics::Formula;
use std::collections::BTreeMap;
use study::whatif::{Answer, Change, Question};
use truth::{Told, Truth};

fn ask(told: &Told, change: &Change) -> Answer {
    ask_by(told, change, 8).unwrap()
}

fn ask_by(told: &Told, change: &Change, seeds: u64) -> Result<Answer, String> {
    let sites = BTreeMap::from([(truth::SITE.to_string(), told.config.clone())]);
    Question { epochs: &told.epochs, sites: &sites, change, seeds, formula: Formula::default() }.answer()
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
    let question = Question { epochs: &told.epochs, sites: &sites, change: &change, seeds: 1, formula: Formula::default() };
    assert_eq!(question.answer().unwrap_err(), format!("the site {} of this log is not at hand", truth::SITE));
}

/// A short day; what is asked of it needs no precise figures.
fn morning(seed: u64) -> Told {
    Truth { hours: 3, ..Truth::default() }.tell(seed)
}

fn noted<'a>(answer: &'a Answer, words: &str) -> &'a str {
    answer.notes.iter().find(|note| note.contains(words)).unwrap_or_else(|| panic!("\"{words}\" is not in {:#?}", answer.notes))
}

#[test]
fn what_a_change_does_not_touch_is_the_same_on_both_sides_in_every_seed() {
    let told = morning(7).with_a_twin_tenant();
    let answer = ask_by(&told, &Change { agents: 2, ..Change::default() }, 3).unwrap();
    let lines = |queue: &str| &answer.queues[&queue.parse().unwrap()];
    assert!(lines("globex/soporte").iter().all(|line| line.happened.is_some() && line.was == line.would), "{answer}");
    assert!(lines("acme/soporte").iter().any(|line| line.was != line.would), "{answer}");
    for (agent, line) in answer.agents.iter().filter(|(agent, _)| agent.as_str().starts_with("globex/")) {
        assert_eq!(line.was, line.would, "{agent}");
    }
}

#[test]
fn calls_that_find_no_queue_in_the_changed_site_are_counted_and_named() {
    let told = morning(8).with_a_twin_tenant();
    let mut site = told.config.clone();
    site.queues.retain(|queue, _| queue.as_str().starts_with("acme/"));
    let answer = ask_by(&told, &Change { site: Some(site), ..Change::default() }, 1).unwrap();
    let calls = told.epochs[0].iter().filter(|l| l.fact.what.name() == "queue.entered").count() / 2;
    noted(&answer, &format!("{calls} calls find no queue"));
    noted(&answer, &format!("{calls} to globex/soporte"));
}

#[test]
fn each_queue_has_the_occupancy_of_those_who_serve_it() {
    let told = morning(9).with_a_twin_tenant();
    let answer = ask_by(&told, &Change { agents: -3, ..Change::default() }, 2).unwrap();
    let of = |queue: &str| answer.queues[&queue.parse().unwrap()].iter().find(|line| line.figure == "occupancy").unwrap();
    let (acme, globex) = (of("acme/soporte"), of("globex/soporte"));
    assert!(acme.difference.unwrap().mean > 0.05 && globex.difference.unwrap().mean == 0.0, "{answer}");
    assert!((acme.happened.unwrap() - total(&answer, "occupancy").happened.unwrap()).abs() < 1e-9, "the twins are alike");
}

#[test]
fn too_many_agents_and_no_seeds_at_all_are_no_question() {
    let told = Truth { hours: 1, ..Truth::default() }.tell(10);
    let error = |agents, seeds| ask_by(&told, &Change { agents, ..Change::default() }, seeds).unwrap_err();
    assert_eq!(error(1, 0), "0 seeds: 1 to 1000 can be asked for");
    assert_eq!(error(100_000, 1), "100000 agents: up to 1000 more or fewer can be asked for");
}

#[test]
fn a_skill_that_nobody_asks_for_is_said_to_be_one() {
    let told = Truth { hours: 1, ..Truth::default() }.tell(11);
    let agent = told.config.agents.keys().next().unwrap().clone();
    let skills = vec![(agent.clone(), base::Skill::new("knitting"), 5), (agent, base::Skill::new("lang:es"), 7)];
    let answer = ask_by(&told, &Change { skills, ..Change::default() }, 1).unwrap();
    noted(&answer, "no call of these days asked for the skill knitting");
    assert!(!answer.notes.iter().any(|note| note.contains("asked for the skill lang:es")));
}

#[test]
fn a_day_with_a_restart_is_asked_about_as_one() {
    let (before, after) = (morning(12), morning(13));
    let offered = |told: &Told| total(&ask_by(told, &Change::default(), 1).unwrap(), "offered").happened.unwrap();
    let both = Told { config: before.config.clone(), epochs: [&before, &after].map(|told| told.epochs[0].clone()).into() };
    let answer = ask_by(&both, &Change { agents: 1, ..Change::default() }, 2).unwrap();
    let line = total(&answer, "offered");
    assert_eq!(line.happened.unwrap(), offered(&before) + offered(&after));
    assert!((line.would.unwrap().mean - line.happened.unwrap()).abs() < 1.0, "{answer}");
    noted(&answer, "2 epochs: whoever waited or talked at a restart is cut off there");
}

#[test]
fn whom_the_rule_logs_out_for_missed_calls_has_not_logged_out_and_comes_back_as_others_did() {
    let mut told = morning(14);
    let facts = &mut told.epochs[0];
    // Of its first miss the log says a logout by the rule instead of a pause.
    let state = |what: &base::fact::What| match what {
        base::fact::What::AgentStateChanged { state, .. } => Some(*state),
        _ => None,
    };
    let for_a_miss =
        |l: &&mut base::fact::Logged| l.fact.about.cause == Some(base::Cause::NoAnswer) && state(&l.fact.what).is_some();
    let missed = facts.iter_mut().find(for_a_miss).expect("somebody misses a call in three hours");
    let agent = missed.fact.about.agent.clone().unwrap();
    if let base::fact::What::AgentStateChanged { state, .. } = &mut missed.fact.what {
        *state = base::AgentState::LoggedOut;
    }
    let at = missed.fact.now.mono;
    let day = study::whatif::Day::read(facts.iter());
    assert_eq!(day.logins, [std::time::Duration::from_secs(120)]);
    let of_agent = |input: &acd::Input| matches!(input, acd::Input::AgentAsked { agent: who, .. } if *who == agent);
    assert!(!day.acts.iter().any(|(when, act)| *when == at && of_agent(act)), "{:?}", day.acts);
}

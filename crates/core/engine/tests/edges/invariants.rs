//! The routing invariants (routing.md), each by its number: what breaks one is found, and a day's acts break none.

use crate::callbacks::{ANA, FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::fact::What;
use base::{Instant, OfferId};
use engine::{Breach, CallView, Input, Place, Request, Snapshot, audit};
use std::collections::{BTreeMap, BTreeSet};

fn ask(stage: &mut Stage, ask: acd::Ask) {
    stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask });
}

fn calls(stage: &mut Stage, call_id: &str) {
    stage.call(TRUNK, call_id, "5512345678", "5550001000", "");
}

/// A caller who waits; with `ana`, whose phone rings.
fn waiting(ana: bool) -> Stage {
    let mut stage = Stage::new(&site(""), FLOW);
    if ana {
        ask(&mut stage, acd::Ask::LogIn);
    }
    calls(&mut stage, "a");
    stage
}

fn talking() -> Stage {
    let mut stage = waiting(true);
    stage.answer(ANA);
    stage
}

/// What the audit says of a snapshot that somebody tampered with.
fn found(stage: &Stage, tamper: impl FnOnce(&mut Snapshot)) -> BTreeSet<String> {
    let mut snapshot = stage.snapshot();
    assert_eq!(audit(&snapshot), []);
    tamper(&mut snapshot);
    audit(&snapshot).into_iter().map(|breach| breach.invariant.to_string()).collect()
}

/// A day in which offers end in each way, and calls, too.
fn day() -> Stage {
    let mut stage = waiting(true);
    stage.wait(21.0);
    ask(&mut stage, acd::Ask::Ready);
    stage.refuse(ANA, 486);
    stage.wait(11.0);
    stage.bye(TRUNK, "a");
    calls(&mut stage, "b");
    stage.answer(ANA);
    stage.wait(30.0);
    stage.bye(TRUNK, "b");
    stage.wait(2.0);
    calls(&mut stage, "c");
    ask(&mut stage, acd::Ask::LogOut);
    stage.wait(5.0);
    stage.bye(TRUNK, "c");
    stage.wait(5.0);
    stage
}

#[test]
fn invariant_1_a_call_is_in_exactly_one_place_and_counts_in_its_queue_while_on_offer() {
    let stage = waiting(false);
    let one_place = BTreeSet::from(["one place".to_string()]);
    assert!(found(&stage, |s| s.calls[0].place = Place::Ivr).contains("one place"));
    assert!(found(&stage, |s| s.calls[0].visit = None).contains("one place"));
    assert!(found(&stage, |s| s.visits.clear()).is_superset(&one_place));
    let rings = waiting(true);
    assert_eq!((rings.place(1), rings.snapshot().visits.len()), (Place::Offer, 1), "on offer, it waits still");
}

#[test]
fn invariant_2_an_agent_has_at_most_one_offer_or_conversation() {
    let stage = talking();
    let again = |s: &mut Snapshot| {
        let other = CallView { call: base::CallId { n: 99, ..s.calls[0].call }, ..s.calls[0].clone() };
        s.calls.push(other);
    };
    assert!(found(&stage, again).contains("one conversation"));
    let rings = waiting(true);
    assert!(found(&rings, |s| s.agents[0].offer = None).contains("one offer"));
}

#[test]
fn invariant_3_every_state_that_waits_has_a_deadline_and_resolves_itself() {
    let rings = waiting(true);
    assert!(found(&rings, |s| s.agents[0].deadline = None).contains("every wait ends"));
    let late = |s: &mut Snapshot| {
        s.now.mono = Instant(100_000_000_000);
        s.calls[0].deadline = Some(Instant(1));
    };
    assert!(found(&talking(), late).contains("every wait ends"));
    let mut alone = rings;
    alone.wait(30.0);
    assert_eq!(alone.snapshot().agents[0].state, base::AgentState::Paused, "nobody had to do anything");
    assert_eq!(alone.place(1), Place::Queue);
}

#[test]
fn invariant_4_an_offer_ends_exactly_once_in_one_of_five_ways() {
    let stage = day();
    let mut ends: BTreeMap<OfferId, Vec<String>> = BTreeMap::new();
    for fact in &stage.facts {
        let Some(offer) = fact.about.offer.filter(|_| fact.what.name().starts_with("offer.")) else { continue };
        let ends = ends.entry(offer).or_default();
        if fact.what.name() != "offer.sent" {
            ends.push(fact.what.name());
        }
    }
    assert!(ends.values().all(|ends| ends.len() == 1), "{ends:?}");
    let kinds: BTreeSet<&str> = ends.values().flatten().map(String::as_str).collect();
    let all = ["offer.accepted", "offer.cancelled", "offer.rejected", "offer.timed_out", "offer.withdrawn"];
    assert_eq!(kinds, BTreeSet::from(all));
}

#[test]
fn invariant_5_a_call_ends_once_with_one_cause_and_a_conversation_owes_a_recording() {
    let stage = day();
    for call in 1..=3 {
        let ended = stage.facts_of(call, "call.ended");
        assert_eq!(ended.len(), 1, "{:?}", stage.story(call));
        assert!(ended[0].0.cause.is_some());
    }
    assert_eq!((stage.facts_of(2, "agent_leg.connected").len(), stage.facts_of(2, "recording.stored").len()), (1, 1));
}

#[test]
fn invariant_7_the_same_journal_gives_the_same_decisions() {
    assert_eq!(day().facts, day().facts);
}

#[test]
fn a_breach_that_lasts_is_in_the_log_when_it_begins_and_when_it_ends() {
    let mut stage = waiting(false);
    let breach = |detail: &str| Breach { invariant: "one place".into(), detail: detail.into() };
    let (a, b) = (breach("a"), breach("b"));
    for found in [vec![a.clone()], vec![a.clone()], vec![a.clone(), b.clone()], vec![b.clone()], vec![b], vec![]] {
        stage.give(Input::Audited { found });
        // Its own beats end nothing that the audit of the snapshot found.
        stage.wait(3.0);
    }
    let told = stage.facts.iter().filter_map(|fact| match &fact.what {
        What::NodeBreach { detail, .. } => Some(format!("{detail} begins")),
        What::NodeBreachEnded { detail, .. } => Some(format!("{detail} ends")),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["a begins", "b begins", "a ends", "b ends"]);
    stage.give(Input::Audited { found: vec![a.clone()] });
    assert_eq!((stage.snapshot().breaches, stage.snapshot().audit_round), (vec![a], 1));
}

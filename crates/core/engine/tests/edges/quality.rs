//! What each leg was like to hear is its last fact, whether or not its call lives.

use crate::callbacks::{ANA, FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::fact::What;
use base::quality::Side;
use media::{Codec, Stats};

/// Its legs carry a second of audio each way.
fn stage() -> Stage {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.counted = Stats { codec: Some(Codec::Pcma), received: 50, sent: 50, ..Stats::default() };
    stage
}

#[test]
fn each_leg_that_carried_audio_says_at_its_end_how_it_sounded_even_after_its_call() {
    let mut stage = stage();
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    stage.wait(3.0);
    let leg = stage.customer(1);
    assert!(stage.facts_of(1, "leg.closed").is_empty());
    stage.bye(TRUNK, "first");
    let ended = stage.fact(1, "call.ended").0.rev;
    let (about, what) = stage.fact(1, "leg.closed");
    let What::LegClosed { side: Side::Customer, quality } = what else { panic!("{what:?}") };
    assert_eq!((quality.codec.as_str(), quality.received.packets, quality.sent.packets), ("PCMA", 50, 50));
    assert!(quality.received.rated.mos > Some(4.3), "{quality:?}");
    assert_eq!((about.leg, about.rev), (Some(leg), ended + 1), "its call's facts are counted on");
    assert!(about.party.is_some() && about.tenant.is_some());
}

#[test]
fn the_leg_of_an_agent_says_whose_it_was() {
    let mut stage = stage();
    stage.ask(engine::Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogIn });
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    let invite = stage.answer(ANA);
    stage.plays().into_iter().for_each(|leg| stage.heard_on(leg));
    stage.wait(5.0);
    stage.hang_up(ANA, &invite);
    let of_agent = |(_, what): &(_, &What)| matches!(what, What::LegClosed { side: Side::Agent, .. });
    let (about, _) = stage.facts_of(1, "leg.closed").into_iter().find(of_agent).unwrap();
    assert_eq!(about.agent.as_ref().unwrap().as_str(), "acme/ana");
    assert_eq!(about.queue.as_ref().unwrap().as_str(), "acme/support");
}

#[test]
fn a_leg_that_carried_nothing_says_nothing() {
    let mut stage = stage();
    stage.counted = Stats { strangers: 1_000, ..Stats::default() };
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    stage.bye(TRUNK, "first");
    assert!(stage.facts_of(1, "leg.closed").is_empty());
    assert_eq!(stage.snapshot().ports, 0, "its port is free all the same");
}

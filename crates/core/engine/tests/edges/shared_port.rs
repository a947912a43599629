//! Trunks whose calls share one RTP port.

use crate::callbacks::{ANA, FLOW, site};
use crate::stage::{Stage, TRUNK};
use engine::Request;
use media::Command;

fn stage() -> Stage {
    let site =
        site("").replace("[media]", "[media]\nshared_port = 19998").replace("port = 5060\n", "port = 5060\nshares_port = true\n");
    Stage::new(&site, FLOW)
}

fn opened(stage: &Stage) -> Vec<u16> {
    stage.commands.iter().filter_map(|c| if let Command::Open { port, .. } = c { Some(*port) } else { None }).collect()
}

#[test]
fn calls_of_a_trunk_that_shares_its_port_take_none_and_phones_have_their_own() {
    let mut stage = stage();
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.call(TRUNK, "b", "5587654321", "5550001000", "");
    assert_eq!((opened(&stage), stage.snapshot().ports), (vec![19_998, 19_998], 0));
    assert!(stage.status(TRUNK, "b").unwrap().0.contains("m=audio 19998 "));
    stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogIn });
    stage.answer(ANA);
    assert_eq!((opened(&stage)[2], stage.snapshot().ports), (20_000, 1));
    stage.bye(TRUNK, "a");
    stage.bye(TRUNK, "b");
    stage.wait(60.0);
    assert_eq!(stage.snapshot().ports, 0);
    stage.call(TRUNK, "c", "5512345678", "5550001000", "");
    // Then the agent's phone.
    assert_eq!(opened(&stage)[3..], [19_998, 20_002], "the shared one was not put among the free ones");
}

//! Line 9 of calls.md: blind and attended transfers, by request and by REFER.

use crate::office::{Office, to_agent, to_number, to_queue};
use engine::{Place, Reply, Request};

fn transfers(office: &mut Office, to: engine::Target) {
    let call = office.call();
    assert_eq!(office.asks(Request::Transfer { call, to }), Reply::Done);
}

#[test]
fn line_09_a_blind_transfer_to_an_agent_is_the_same_call_with_its_next_conversation() {
    let mut o = Office::with_ana();
    o.pass(5);
    transfers(&mut o, to_agent("beto"));
    assert_eq!((o.state("ana").as_str(), o.place(), o.hears("caller").as_str()), ("wrap_up", Place::Offer, "hold"));
    assert!(!o.in_call("ana") && o.rings("beto"));
    assert_eq!(o.state("beto"), "engaged");
    o.pass(3);
    o.answers("beto");
    assert_eq!((o.hears("caller").as_str(), o.hears("beto").as_str()), ("beto", "caller"));
    assert_eq!((o.state("beto").as_str(), o.place()), ("talking", Place::Conversation));
    assert_eq!(o.fact("agent_leg.transferred")["to"], "agent/beto");
    assert_eq!(o.fact("agent_leg.transferred")["kind"], "blind");
    assert_eq!(o.fact("agent_leg.ended")["talk_ms"], 5_000);
    assert_eq!(o.fact("agent_leg.connected")["conversation_id"], "1-1-1.c2");
    o.hangs_up("caller");
    assert_eq!(o.state("beto"), "wrap_up", "the wrap-up is that of the call's queue");
    o.close();
}

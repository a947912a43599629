//! The phones and desks of one agent.

use crate::callbacks::{FLOW, site};
use crate::peer::flow;
use crate::stage::{Stage, TRUNK, at};
use base::Wall;
use base::fact::What;
use engine::{Reply, Request, Resume};
use sip::Binding;

const DESK: &str = "10.0.3.1:5060";
const HOME: &str = "10.0.3.2:5060";

fn bound(address: &str) -> Binding {
    Binding {
        contact: format!("sip:ana@{address}").into(),
        flow: flow(at(address)),
        call_id: format!("reg-{address}").into(),
        cseq: 1,
        user_agent: "test".into(),
        expires: Wall(i64::MAX),
    }
}

/// Ana's phone registers, and does so twice.
fn two_phones() -> Stage {
    let phone = "phone = { uri = \"sip:ana@10.0.3.1:5060\", address = \"10.0.3.1:5060\" }";
    let site = site("").replace(phone, "logged_in = true\nphone = { user = \"ana\", password = \"one-two\" }");
    let bindings = vec![("ana".into(), vec![bound(DESK), bound(HOME)])];
    Stage::resumed(&site, FLOW, Resume { bindings, ..Resume::default() })
}

#[test]
fn line_06_two_registrations_of_one_agent_fork_as_one_offer() {
    let mut stage = two_phones();
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    assert!(stage.rung(DESK).is_some() && stage.rung(HOME).is_some());
    assert!(matches!(stage.fact(1, "offer.sent").1, What::OfferSent { legs: 2, .. }));
    assert_eq!(stage.facts_of(1, "offer.sent").len(), 1);
    stage.refuse(DESK, 486);
    assert!(stage.rung(HOME).is_some(), "the other one may yet answer");
    stage.answer(HOME);
    assert_eq!(stage.facts_of(1, "offer.accepted").len(), 1);
    assert!(stage.facts_of(1, "offer.rejected").is_empty());
}

#[test]
fn line_06_the_phone_that_did_not_answer_is_told_who_did() {
    let mut stage = two_phones();
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.answer(DESK);
    assert!(stage.rung(HOME).is_none());
    let cancel = stage.inbox[&at(HOME)].iter().find(|message| message.method() == "CANCEL").unwrap();
    assert_eq!(cancel.header("Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
}

#[test]
fn line_06_a_second_login_takes_over_and_is_audited() {
    let mut stage = Stage::new(&site(""), FLOW);
    let log_in = || Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogIn };
    stage.ask(log_in());
    assert!(matches!(stage.ask(log_in()), Reply::Done | Reply::Refused { .. }));
    let named = |name: &str| stage.facts.iter().filter(|fact| fact.what.name() == name).count();
    assert_eq!((named("agent.logged_in"), named("supervisor.acted")), (1, 2), "one session, and who asked for it");
}

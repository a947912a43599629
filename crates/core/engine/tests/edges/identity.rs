//! Who calls, and whom.

use crate::callbacks::{FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::fact::What;

fn two_tenants() -> String {
    let both =
        site("").replace("[[trunks]]\nname = \"carrier\"", "[[tenants]]\nname = \"globex\"\n[[trunks]]\nname = \"carrier\"");
    let number = "[[numbers]]\nnumber = \"+525550002000\"\ntenant = \"globex\"\nflow = \"desk\"\n";
    let queue = "[queues.\"globex/support\"]\nrequires = \"\"\n";
    both.replace("[queues.\"acme/support\"]", &format!("{number}{queue}[queues.\"acme/support\"]"))
}

#[test]
fn line_14_diversion_chooses_the_tenant() {
    let mut stage = Stage::new(&two_tenants(), FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "Diversion: <sip:5550002000@carrier>;reason=unconditional\r\n");
    stage.call(TRUNK, "b", "5512345678", "5550001000", "");
    stage.call(TRUNK, "c", "5512345678", "5550001000", "Diversion: <sip:5577777777@carrier>;reason=unconditional\r\n");
    let tenants: Vec<_> = stage.snapshot().calls.iter().map(|c| (c.tenant.to_string(), c.number.to_string())).collect();
    let names = |tenant: &str, number: &str| (tenant.to_string(), number.to_string());
    let [acme, globex] = [names("acme", "5550001000"), names("globex", "+525550002000")];
    assert_eq!(tenants, [globex, acme.clone(), acme]);
    assert!(matches!(stage.fact(1, "call.arrived").1, What::CallArrived { number, .. } if number == "+525550002000"));
}

#[test]
fn line_14_privacy_means_withheld_everywhere() {
    let mut stage = Stage::new(&site(""), FLOW);
    let identity = "P-Asserted-Identity: <sip:5512345678@carrier>\r\nPrivacy: id\r\n";
    stage.call(TRUNK, "a", "anonymous", "5550001000", identity);
    let snapshot = stage.snapshot();
    assert_eq!((snapshot.calls[0].party, snapshot.calls[0].caller.reveal().as_ref()), (None, ""));
    assert!(stage.facts.iter().all(|fact| !format!("{fact:?}").contains("5512345678")));
}

#[test]
fn line_14_one_caller_is_one_party_however_the_number_is_written_and_the_raw_value_is_kept() {
    let mut stage = Stage::new(&site(""), FLOW);
    for (n, from) in ["5512345678", "+525512345678", "+5215512345678", "0445512345678", "5587654321"].iter().enumerate() {
        stage.call(TRUNK, &format!("call-{n}"), from, "5550001000", "");
    }
    let calls = stage.snapshot().calls;
    assert!(calls[..4].iter().all(|c| c.party.is_some() && c.party == calls[0].party));
    assert_ne!(calls[4].party, calls[0].party);
    assert_eq!(calls[2].caller.reveal().as_ref(), "+5215512345678");
}

#[test]
fn line_14_user_to_user_is_kept_for_the_desk_and_in_no_fact() {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "User-to-User: 00c0ffee;encoding=hex\r\n");
    let view = &stage.snapshot().calls[0];
    assert!(view.user_to_user.as_ref().is_some_and(|uui| uui.reveal().starts_with("00c0ffee")));
    assert!(stage.facts.iter().all(|fact| !format!("{fact:?}").contains("c0ffee")));
}

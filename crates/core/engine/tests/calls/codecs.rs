//! What phones are offered: what their site allows, and first what they will hear.

use crate::office::Office;
use sip::sdp::AudioCodec::{G722, Opus, Pcma, Pcmu};

/// What ana's phone is offered for a caller who speaks this, where calls may use these.
fn offered(codec: u8, allowed: &[sip::sdp::AudioCodec]) -> String {
    let mut o = Office::with(|site| site.media.codecs = allowed.to_vec());
    o.codec = codec;
    o.dials("caller", "100");
    let offered = o.line("ana").offered();
    o.close();
    offered
}

#[test]
fn a_phone_is_offered_first_what_the_caller_speaks() {
    assert_eq!(offered(8, &[Pcma, Pcmu]), "8 0 101");
    assert_eq!(offered(0, &[Pcma, Pcmu]), "0 8 101");
    assert_eq!(offered(9, &[Pcma, Pcmu, G722]), "9 8 0 101");
    assert_eq!(offered(0, &[G722, Pcma, Pcmu]), "0 9 8 101");
    assert_eq!(offered(96, &[Pcma, G722, Opus]), "96 8 9 101 102");
}

#[test]
fn a_phone_is_not_offered_what_it_may_not_use() {
    let mut o = Office::with(|site| {
        site.media.codecs = vec![Pcma, Pcmu, G722];
        site.agents.values_mut().for_each(|agent| agent.codecs = Some(vec![Pcmu, Pcma]));
    });
    o.codec = 9;
    o.dials("caller", "100");
    assert_eq!(o.line("ana").offered(), "0 8 101");
    o.answers("ana");
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("ana", "caller"));
    o.close();
}

#[test]
fn a_caller_in_opus_and_a_phone_that_knows_none_are_joined() {
    let mut o = Office::with(|site| {
        site.media.codecs = vec![Pcma, Opus];
        site.agents.values_mut().for_each(|agent| agent.codecs = Some(vec![Pcma]));
    });
    o.codec = 96;
    o.dials("caller", "100");
    assert_eq!(o.line("ana").offered(), "8 101");
    o.codec = 8;
    o.answers("ana");
    assert_eq!((o.hears("caller").as_str(), o.hears("ana").as_str()), ("ana", "caller"));
    o.close();
}

#[test]
fn a_caller_who_speaks_nothing_that_is_allowed_is_refused_before_a_port_is_taken() {
    let mut o = Office::open();
    o.codec = 9;
    o.dials("caller", "100");
    assert_eq!(o.last("caller").statuses, [100, 488]);
    o.close();
}

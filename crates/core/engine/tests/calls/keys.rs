//! Keys as tones, of phones that know no telephone-event: the plane listens where they count, and nowhere else.

use crate::office::{Office, agent_id, to_agent};
use base::fact::Monitor;
use engine::{Place, Request};

fn plain() -> Office {
    let mut o = Office::open();
    o.plain = true;
    o
}

#[test]
fn a_caller_without_telephone_event_walks_the_menu_by_tones() {
    let mut o = plain();
    o.asks(Request::Agent { agent: agent_id("ana"), ask: acd::Ask::LogOut });
    o.dials("+525512345678", "100");
    assert_eq!(o.place(), Place::Queue);
    o.presses("+525512345678", '7');
    o.presses("+525512345678", '1');
    assert_eq!((o.place(), o.count("ivr.input")), (Place::Callback, 2), "{:?}", o.story());
    let call = o.call();
    o.asks(Request::CancelCallback { call });
    o.close();
}

#[test]
fn in_a_conversation_nobodys_audio_is_searched() {
    let mut o = plain();
    o.dials("caller", "100");
    assert!(o.hears_keys_of("caller") && o.rings("ana"));
    o.answers("ana");
    assert!(!o.hears_keys_of("caller") && !o.hears_keys_of("ana"));
    let call = o.call();
    o.asks(Request::Consult { call, to: to_agent("eva") });
    o.answers("eva");
    assert!(["caller", "ana", "eva"].iter().all(|who| !o.hears_keys_of(who)));
    o.close();
}

#[test]
fn a_phone_with_telephone_event_is_never_listened_to() {
    let mut o = Office::open();
    o.dials("caller", "100");
    assert!(!o.hears_keys_of("caller"));
    o.presses("caller", '7');
    assert_eq!(o.count("ivr.input"), 1);
    o.close();
}

#[test]
fn who_is_to_accept_a_call_by_a_key_may_do_so_by_a_tone() {
    let mut o = Office::with(|site| site.agents.values_mut().for_each(|a| a.press_to_accept = true));
    o.plain = true;
    o.dials("caller", "100");
    o.answers("ana");
    assert!(o.hears_keys_of("ana"));
    o.presses("ana", '1');
    assert_eq!((o.hears("caller"), o.hears_keys_of("ana")), ("ana".into(), false));
    o.close();
}

#[test]
fn a_supervisor_changes_the_mode_by_tones() {
    let mut o = Office::with_ana();
    o.plain = true;
    o.dials("eva", "*17201");
    o.presses("eva", '5');
    assert_eq!(o.view().monitors, [(agent_id("eva"), Monitor::Whisper)]);
    o.presses("eva", '7');
    assert_eq!((o.hears("caller"), o.hears_keys_of("eva")), ("eva".into(), false));
    o.close();
}

#[test]
fn who_presses_by_info_is_not_listened_to_as_well() {
    let mut o = plain();
    o.plays_last = true;
    o.dials("caller", "100");
    o.on_line("caller", |line| line.inform('7'));
    assert_eq!((o.count("ivr.input"), o.hears_keys_of("caller")), (1, false));
    o.close();
}

//! A trunk on the other side of a NAT: it is told the NAT's outside, and the phones inside are not.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::line::{Line, Order};
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::listen;
use std::net::SocketAddr;
use std::time::Duration;
use traffic::audio::Law;
use traffic::sdp::Audio;

const OUTSIDE: u8 = 40;

fn site() -> Site {
    Site::new([Agent::registers("ana")]).behind_nat(OUTSIDE)
}

fn ana(server: &Server<'_>) -> Baresip {
    Baresip::start(server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: 1_500, registers: true })
}

/// The host in the Contact of a message, and the one in the `c=` line of its SDP.
fn shows(message: &str, outside: SocketAddr) {
    let contact = message.lines().find(|l| l.starts_with("Contact:")).unwrap_or_default();
    assert!(contact.contains(&format!("@{}:5060", outside.ip())), "{message}");
    assert!(message.contains(&format!("c=IN IP4 {}\r\n", outside.ip())), "{message}");
}

#[test]
fn a_trunk_beyond_a_nat_is_told_its_outside_and_phones_inside_are_not() {
    let site = site();
    let mut server = site.serve();
    let mut ana = ana(&server);
    let mut line = Line::calls(&server, |_| ());
    shows(&line.answer, site.at(OUTSIDE, 0));
    assert_eq!(line.server.ip(), site.at(OUTSIDE, 0).ip());
    // What the NAT would do.
    line.mouth.tell(Order::To(SocketAddr::new(server.sip.ip(), line.server.port())));
    line.asks_for_support(&mut server);
    line.mouth.tell(Order::Say(Some(1_000)));
    line.ear.until_tone(1_500);
    line.offers(&Audio::phone(line.at, &[Law::Pcma], 101));
    shows(&line.answer, site.at(OUTSIDE, 0));
    line.mouth.tell(Order::In(Law::Pcma));
    line.ear.listens_for(Duration::from_secs(1));
    line.hangs_up();
    // The phone spoke to the address that it was told: it reached us.
    let talk_ms = server.fact("agent_leg.ended", |_| true)["data"]["talk_ms"].as_u64().unwrap();
    for (heard, hz) in [(line.ear.heard(), 1_500), (ana.heard().left, 1_000)] {
        let heard = listen(&heard, hz);
        assert!(heard.total_ms + 500 >= talk_ms && heard.longest_gap_ms <= 60, "{heard:?} of {talk_ms}");
    }
    server.is_at_rest();
    server.stop();
}

#[test]
fn a_call_that_leaves_by_a_trunk_beyond_a_nat_shows_its_outside() {
    let site = site();
    let mut server = site.serve();
    let sound = site.folder.path().join("called.pcap");
    pcap::write(&sound, &[Say::Tone(1_900, 10_000)]);
    let called = Sipp::at("called_early", 2, 5060).with("early", sound.display()).with("sound", sound.display());
    let mut called = called.with("talks", 500).start(&server);
    let mut ana = ana(&server);
    ana.dial(&format!("sip:5550199@{}", server.sip));
    called.succeeds_within(within(3_000));
    server.fact("call.ended", |_| true);
    let messages = std::fs::read_to_string(site.folder.path().join("called_early-2-5060.msg")).unwrap();
    let invite = messages.split("INVITE sip:").nth(1).expect("an INVITE");
    shows(invite, site.at(OUTSIDE, 0));
    assert!(invite.contains(&format!("Via: SIP/2.0/UDP {}:5060", site.at(OUTSIDE, 0).ip())), "{invite}");
    server.is_at_rest();
    server.stop();
}

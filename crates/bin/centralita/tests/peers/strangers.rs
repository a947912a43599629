//! Whoever sends to a live port without being asked to, or more than is asked: rows 17 to 19 of the list of attacks, garbage,
//! floods, and the one who has a reason to come from elsewhere. The judge is what the two people hear, and the recording.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::line::{Ear, Line, Mouth, Order};
use crate::support::server::{Agent, Server, Site};
use crate::support::sound::{Recording, listen};
use serde_json::Value;
use std::net::UdpSocket;
use std::time::Duration;

const CALLER_HZ: u32 = 1_000;
const AGENT_HZ: u32 = 1_500;
const STRANGER_HZ: u32 = 2_100;

/// A caller who speaks with ana, and both are heard.
fn in_conversation<'a>(site: &'a Site) -> (Server<'a>, Line, Baresip) {
    let mut server = site.serve();
    let ana = Baresip::start(&server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: AGENT_HZ, registers: true });
    let mut line = Line::calls(&server, |_| ());
    line.asks_for_support(&mut server);
    line.mouth.tell(Order::Say(Some(CALLER_HZ)));
    line.ear.until_tone(AGENT_HZ);
    (server, line, ana)
}

fn site() -> Site {
    Site::new([Agent::registers("ana")])
}

/// What was heard of a call that is over.
struct Heard {
    by_caller: Vec<i16>,
    by_agent: Vec<i16>,
    recording: Recording,
    talk_ms: u64,
    /// The customer's `leg.closed`.
    leg: Value,
}

fn hangs_up(server: &mut Server<'_>, line: &mut Line, ana: &mut Baresip) -> Heard {
    line.hangs_up();
    let arrived = server.fact("call.arrived", |_| true);
    let recording = server.recording(&arrived);
    let talk_ms = server.fact("agent_leg.ended", |_| true)["data"]["talk_ms"].as_u64().unwrap();
    let leg = server.fact("leg.closed", |data| data["side"] == "customer")["data"].clone();
    let stored = server.fact("recording.stored", |_| true)["data"].clone();
    assert_eq!(stored["kept"], "complete", "{stored}");
    server.is_at_rest();
    Heard { by_caller: line.ear.heard(), by_agent: ana.heard().left, recording, talk_ms, leg }
}

impl Heard {
    /// Both heard each other all the while, both are recorded, and nobody else is heard anywhere.
    fn is_untouched(&self) {
        for (who, channel, hz) in [
            ("the agent", &self.by_agent, CALLER_HZ),
            ("the caller", &self.by_caller, AGENT_HZ),
            ("left", &self.recording.left, CALLER_HZ),
            ("right", &self.recording.right, AGENT_HZ),
        ] {
            let heard = listen(channel, hz);
            assert!(heard.total_ms + 500 >= self.talk_ms && heard.longest_gap_ms <= 60, "{who}: {heard:?} of {}", self.talk_ms);
            assert_eq!(listen(channel, STRANGER_HZ).total_ms, 0, "{who}");
        }
        let talk_ms = self.recording.duration_ms();
        assert!(talk_ms.abs_diff(self.talk_ms) <= 200, "{talk_ms} of {}", self.talk_ms);
    }

    fn strangers(&self) -> u64 {
        self.leg["quality"]["strangers"].as_u64().unwrap()
    }
}

/// Somebody at another address, with a stream that could not be better.
fn stranger(server: &Server<'_>, line: &Line, port: u16) -> (Mouth, Ear) {
    let socket = UdpSocket::bind(server.site.at(9, port)).unwrap();
    let mouth = Mouth::new(socket.try_clone().unwrap());
    mouth.tell(Order::To(line.server));
    (mouth, Ear::new(socket))
}

#[test]
fn row_17_who_sprays_a_live_port_gets_nothing_of_the_call() {
    let site = site();
    let (mut server, mut line, mut ana) = in_conversation(&site);
    let mut sprayers: Vec<(Mouth, Ear)> = (0..8).map(|n| stranger(&server, &line, 9_000 + n)).collect();
    sprayers.iter().for_each(|(mouth, _)| mouth.tell(Order::Say(Some(STRANGER_HZ))));
    line.ear.listens_for(Duration::from_secs(3));
    let heard = hangs_up(&mut server, &mut line, &mut ana);
    heard.is_untouched();
    assert!(heard.strangers() >= 8 * 100, "they were heard and turned away: {}", heard.leg);
    let leaked: usize = sprayers.iter_mut().map(|(_, ear)| ear.packets().len()).sum();
    assert_eq!(leaked, 0, "packets of the call to strangers");
    server.stop();
}

/// The caller has not said a word when the stranger comes, and so might be behind a NAT: the worst moment.
#[test]
fn row_17_who_comes_before_the_callers_first_packet_gets_five_more_than_it_sends() {
    let site = site();
    let mut server = site.serve();
    let mut line = Line::calls(&server, |_| ());
    let (mouth, mut ear) = stranger(&server, &line, 9_000);
    // It proves itself, says no more, and waits for what comes.
    mouth.tell(Order::Say(Some(STRANGER_HZ)));
    line.ear.listens_for(Duration::from_millis(300));
    mouth.tell(Order::Quiet);
    line.ear.until_sound();
    let leaked = ear.packets().len() as u64;
    assert!(leaked <= mouth.sent() + 5, "{leaked} packets to a stranger who sent {}", mouth.sent());
    // And the caller has its call to itself as soon as it speaks.
    line.mouth.tell(Order::Press('1'));
    server.fact("ivr.language_selected", |_| true);
    line.ear.until_sound();
    assert_eq!(ear.packets().len() as u64, leaked);
    line.hangs_up();
    server.fact("call.ended", |_| true);
    server.stop();
}

#[test]
fn row_18_what_is_injected_into_a_live_call_is_in_no_ear_and_not_in_the_recording() {
    let site = site();
    let (mut server, mut line, mut ana) = in_conversation(&site);
    // The very packets of the caller's own stream, with another sound, from the next port of the caller's own host.
    let socket = UdpSocket::bind(server.site.at(2, 7_002)).unwrap();
    let injector = Mouth::new(socket);
    injector.tell(Order::To(line.server));
    injector.tell(Order::Say(Some(STRANGER_HZ)));
    line.ear.listens_for(Duration::from_secs(3));
    let heard = hangs_up(&mut server, &mut line, &mut ana);
    heard.is_untouched();
    assert!(heard.strangers() >= 100, "{}", heard.leg);
    server.stop();
}

#[test]
fn row_19_a_burst_takes_no_live_stream_over() {
    let site = site();
    let (mut server, mut line, mut ana) = in_conversation(&site);
    let burst = UdpSocket::bind(server.site.at(9, 9_000)).unwrap();
    let mut voice = traffic::streams::Voice::new(traffic::audio::Law::Pcmu, Some(101), 5);
    voice.say(Some(STRANGER_HZ));
    for _ in 0..20 {
        for _ in 0..100 {
            burst.send_to(voice.next_packet(), line.server).unwrap();
        }
        line.ear.listens_for(Duration::from_millis(100));
    }
    let heard = hangs_up(&mut server, &mut line, &mut ana);
    heard.is_untouched();
    burst.set_nonblocking(true).unwrap();
    assert!(burst.recv(&mut [0; 2_048]).is_err(), "nothing came back");
    server.stop();
}

/// A router gives the caller another port: after 5 s of silence from the old one it is believed, and not before.
#[test]
fn a_caller_whose_port_changes_is_heard_again_and_a_stranger_who_tries_at_the_same_time_is_not() {
    let site = site();
    let (mut server, mut line, mut ana) = in_conversation(&site);
    line.ear.listens_for(Duration::from_secs(1));
    let (mouth, mut ear) = stranger(&server, &line, 9_000);
    // A sprayer's packets, none of which follow another.
    let other = UdpSocket::bind(server.site.at(2, 7_100)).unwrap();
    line.mouth.tell(Order::From(other.try_clone().unwrap()));
    let mut moved = Ear::new(other);
    mouth.tell(Order::Say(Some(STRANGER_HZ)));
    mouth.tell(Order::Lose(2));
    moved.until_tone(AGENT_HZ);
    moved.listens_for(Duration::from_secs(1));
    let heard = hangs_up(&mut server, &mut line, &mut ana);
    let (left, by_agent) = (listen(&heard.recording.left, CALLER_HZ), listen(&heard.by_agent, CALLER_HZ));
    assert!((4_500..=5_600).contains(&left.longest_gap_ms), "as long as the rule says: {left:?}");
    // What baresip writes down knows no time in which nothing came.
    for there in [left, by_agent] {
        assert!(there.total_ms + 5_900 >= heard.talk_ms && there.total_ms >= 2_000, "{there:?} of {}", heard.talk_ms);
    }
    let injected = listen(&heard.recording.left, STRANGER_HZ).total_ms + listen(&heard.by_agent, STRANGER_HZ).total_ms;
    assert_eq!(injected, 0);
    let agent = listen(&heard.recording.right, AGENT_HZ);
    assert!(agent.total_ms + 500 >= heard.talk_ms && agent.longest_gap_ms <= 60, "{agent:?}");
    assert_eq!(ear.packets().len(), 0);
    server.stop();
}

/// Bytes of every length, among them what looks like RTP and RTCP, from the caller's own host and from another.
#[test]
fn a_hundred_thousand_packets_of_garbage_are_not_heard() {
    let site = site();
    let (mut server, mut line, mut ana) = in_conversation(&site);
    let sockets = [(2, 7_004), (9, 9_000), (9, 9_001)].map(|(host, port)| UdpSocket::bind(server.site.at(host, port)).unwrap());
    let mut random = base::Random::from_seed(20_261_123);
    for n in 0..100_000u32 {
        let length = random.below(240) as usize;
        let mut packet: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| random.bits().to_le_bytes()).collect();
        packet.truncate(length);
        // Half of it has the version of RTP, and a payload type that was agreed; a tenth is RTCP of some kind.
        if let (0..=4, [first, second, ..]) = (n % 10, &mut packet[..]) {
            (*first, *second) = (0x80 | (*first & 0x3F), if n % 5 == 0 { 200 + (*second % 8) } else { *second & 0x80 });
        }
        let to = if n % 7 == 0 { line.server.port() + 1 } else { line.server.port() };
        let socket = &sockets[n as usize % sockets.len()];
        let _ = socket.send_to(&packet, (line.server.ip(), to));
        // A tenth of the machine's breath, so that the kernel's queue holds the call's own packets too.
        if n % 50 == 49 {
            line.ear.listens_for(Duration::from_millis(1));
        }
    }
    let heard = hangs_up(&mut server, &mut line, &mut ana);
    heard.is_untouched();
    assert!(heard.strangers() >= 50_000, "{}", heard.leg);
    server.stop();
}

/// The caller itself sends ten times what was agreed: its call is cut to a bound, and another call hears nothing of it.
#[test]
fn who_sends_ten_times_the_rate_is_cut_and_others_do_not_notice() {
    let site = Site::new([Agent::registers("ana")]);
    let (mut server, mut line, mut ana) = in_conversation(&site);
    let flood = Line::calls_beside(&server, "flood", 5_066, 7_010);
    flood.mouth.tell(Order::Say(Some(STRANGER_HZ)));
    flood.mouth.tell(Order::Times(10));
    line.ear.listens_for(Duration::from_secs(4));
    let mut flood = flood;
    flood.hangs_up();
    let closed = server.fact("leg.closed", |data| data["quality"]["excess"].as_u64() > Some(0))["data"].clone();
    let (sent, excess) = (flood.mouth.sent(), closed["quality"]["excess"].as_u64().unwrap());
    // 200 a second, and a second's worth at once.
    assert!(sent >= 1_500 && excess + 200 * 6 >= sent && excess >= 500, "{excess} of {sent}");
    let heard = hangs_up(&mut server, &mut line, &mut ana);
    heard.is_untouched();
    server.stop();
}

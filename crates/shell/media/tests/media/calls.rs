//! Calls over real sockets: what a caller hears, what the engine is told.

use crate::common::*;
use media::{Command, Input, Session, Sound, dtmf, tone};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

fn prompt(play: u32) -> Command {
    Command::Play { leg: CALLER, play, sounds: vec![Sound::Prompt("main/es/low".into())] }
}

#[test]
fn line_19_a_prompt_starts_at_once_and_is_heard_whole_without_a_gap() {
    let room = Room::new();
    let caller = room.peer(CALLER);
    // Another program may hold this machine's cores for a moment; a plane that is late by itself is late each time.
    let played = (0..5).any(|play| {
        let asked = Instant::now();
        room.send(prompt(play));
        let got = caller.get_some(50);
        assert_eq!(room.wait(|i| matches!(i, Input::PlayDone { .. })), Input::PlayDone { leg: CALLER, play });
        assert!(tone::carries(&audio(&got), 8_000, 440.0));
        assert!(got[0].header.marker && got[1..].iter().all(|g| !g.header.marker));
        for pair in got.windows(2) {
            assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
            assert_eq!(pair[1].header.timestamp, pair[0].header.timestamp.wrapping_add(160));
            assert_eq!(pair[1].header.ssrc, pair[0].header.ssrc);
        }
        let gap = got.windows(2).map(|p| p[1].at - p[0].at).max().unwrap();
        let whole = got[49].at - got[0].at;
        let first = got[0].at - asked;
        println!("first packet after {first:?}, widest gap {gap:?}, 980 ms took {whole:?}");
        first < Duration::from_millis(20)
            && gap < Duration::from_millis(60)
            && whole.abs_diff(Duration::from_millis(980)) < Duration::from_millis(10)
    });
    assert!(played, "late in five plays of five");
}

#[test]
fn another_book_of_prompts_counts_for_the_next_prompt() {
    let room = Room::new();
    let caller = room.peer(CALLER);
    let mut other = media::PromptBook::default();
    other.insert("main/es/low", media::Prompt::from_samples(&tone::sine(8_000, 1_000.0, 8_000.0, 8_000)));
    room.handle.as_ref().unwrap().use_prompts(std::sync::Arc::new(other));
    room.send(prompt(1));
    assert!(tone::carries(&audio(&caller.get_some(50)), 8_000, 1_000.0));
}

#[test]
fn a_key_is_told_once() {
    let room = Room::new();
    let mut caller = room.peer(CALLER);
    for (timestamp, key) in [(8_000, '4'), (16_000, '#')] {
        for n in 0..8u16 {
            let event = dtmf::Event { code: dtmf::Event::code(key).unwrap(), end: n >= 5, duration: 160 * (n.min(5) + 1) };
            caller.packet(101, n == 0, timestamp, &event.to_bytes());
        }
    }
    room.send(prompt(1));
    let told: Vec<Input> =
        std::iter::repeat_with(|| room.wait(|_| true)).take_while(|i| !matches!(i, Input::PlayDone { .. })).collect();
    assert_eq!(told, [Input::Digit { leg: CALLER, key: '4' }, Input::Digit { leg: CALLER, key: '#' }]);
}

#[test]
fn a_bridge_carries_both_voices_and_hold_gives_music() {
    let room = Room::new();
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    talk((&mut caller, 440.0), (&mut agent, 700.0), 50);
    let (to_caller, to_agent) = (caller.get_some(50), agent.get_some(50));
    assert!(tone::carries(&audio(&to_caller), 8_000, 700.0) && tone::carries(&audio(&to_agent), 8_000, 440.0));

    room.send(Command::Configure { leg: AGENT, session: Session { send: false, ..agent.session() } });
    room.send(Command::Loop { leg: CALLER, prompt: "music/hold".into() });
    let first = caller.get();
    assert!(first.header.marker);
    assert_eq!(first.header.sequence, to_caller[49].header.sequence.wrapping_add(1));
    talk((&mut caller, 440.0), (&mut agent, 700.0), 25);
    assert!(tone::carries(&audio(&caller.get_some(20)), 8_000, 1_200.0));

    room.send(Command::Stop { leg: CALLER });
    room.send(Command::Configure { leg: AGENT, session: agent.session() });
    talk((&mut caller, 440.0), (&mut agent, 700.0), 10);
    let again = agent.get().header;
    assert_eq!(again.sequence, to_agent[49].header.sequence.wrapping_add(1), "on hold the agent got nothing");
    room.send(Command::Close { leg: CALLER });
    let Input::Closed { stats, .. } = room.wait(|i| matches!(i, Input::Closed { .. })) else { unreachable!() };
    assert!(stats.received >= 75 && stats.sent >= 70, "{stats:?}");
    assert_eq!((stats.lost, stats.strangers, stats.excess), (0, 0, 0));
}

#[test]
fn line_11_each_leg_gets_reports_on_the_port_above() {
    let room = Room::new();
    let port = free_ports();
    room.send(Command::Open { leg: CALLER, address: Ipv4Addr::LOCALHOST.into(), port });
    room.wait(|i| matches!(i, Input::Opened { .. }));
    let theirs = free_ports();
    let peer = Peer { socket: UdpSocket::bind((Ipv4Addr::LOCALHOST, theirs)).unwrap(), ..Peer::new(CALLER, port) };
    let reports = UdpSocket::bind((Ipv4Addr::LOCALHOST, theirs + 1)).unwrap();
    reports.set_read_timeout(Some(PATIENCE)).unwrap();
    room.send(Command::Configure { leg: CALLER, session: peer.session() });
    room.send(Command::Loop { leg: CALLER, prompt: "music/hold".into() });
    let mut buffer = [0; 500];
    let (len, from) = reports.recv_from(&mut buffer).unwrap();
    assert_eq!((buffer[1], from.port()), (200, port + 1), "a sender report");
    assert!(media::rtcp::read(&buffer[..len], 0).is_some());
}

#[test]
fn a_port_in_use_is_told_and_harms_nobody() {
    let room = Room::new();
    let caller = room.peer(CALLER);
    for (taken, port) in [(caller.plane.port(), caller.plane.port()), (caller.plane.port(), caller.plane.port() - 1)] {
        room.send(Command::Open { leg: AGENT, address: Ipv4Addr::LOCALHOST.into(), port });
        assert_eq!(room.wait(|_| true), Input::OpenFailed { leg: AGENT, port }, "RTP or RTCP would be on {taken}");
    }
    room.send(Command::Open { leg: AGENT, address: Ipv4Addr::LOCALHOST.into(), port: 65_535 });
    assert_eq!(room.wait(|_| true), Input::OpenFailed { leg: AGENT, port: 65_535 });
    room.send(prompt(1));
    caller.get_some(50);
}

#[test]
fn a_closed_leg_frees_its_ports() {
    let room = Room::new();
    let caller = room.peer(CALLER);
    room.send(Command::Close { leg: CALLER });
    room.wait(|i| matches!(i, Input::Closed { .. }));
    UdpSocket::bind(caller.plane).unwrap();
}

#[test]
fn a_peer_that_says_nothing_is_silent_once() {
    let room = Room::with(|config| config.plane.silent_after = Duration::from_millis(200));
    let mut caller = room.peer(CALLER);
    let Input::Silent { leg, millis } = room.wait(|_| true) else { panic!("expected Silent") };
    assert!(leg == CALLER && millis >= 200);
    caller.say(440.0);
    assert_eq!(room.wait(|_| true), Input::Heard { leg: CALLER });
}

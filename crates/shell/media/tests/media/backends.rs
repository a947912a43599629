//! The same ports over epoll and over io_uring. Where the system refuses the latter, only what it falls back to is seen.

use crate::common::*;
use crate::recordings::closed;
use base::{CallId, LegId};
use media::{Command, tone};
use shell_media::{Arrival, PacketIo, Port, UdpIo, UringIo, Way};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn leg(n: u16) -> LegId {
    LegId { call: CallId { node: 1, epoch: 1, n: 1 }, n }
}

/// Runs the scenario over each backend that is here.
macro_rules! over_both {
    ($($name:ident => $scenario:ident;)*) => {$(
        #[test]
        fn $name() {
            $scenario(UdpIo::new().unwrap());
            match UringIo::with_shared_port(None) {
                Ok(io) => $scenario(io),
                Err(why) => println!("{}: io_uring is refused here: {why}", stringify!($name)),
            }
        }
    )*};
}

over_both! {
    a_thousand_packets_come_in_order_from_where_they_were_sent => thousand;
    what_is_sent_is_heard_and_reports_have_their_own_port => both_ports;
    a_port_is_free_at_once_when_its_leg_goes => free_at_once;
    what_came_for_a_leg_that_went_is_never_the_next_ones => not_the_next_ones;
    a_flooded_leg_leaves_room_for_another => flood;
    a_port_that_nobody_listens_on_ends_nothing => refused;
    a_packet_over_ipv6_says_where_it_came_from => ipv6;
    a_wake_from_another_thread_ends_the_wait => woken;
    when_it_ends_its_ports_are_free => ended;
}

#[test]
fn a_conversation_over_io_uring_is_heard_by_both_and_recorded() {
    let room = Room::with(|config| config.way = Way::IoUring);
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 50);
    let heard = [(caller.get_some(50), 700.0), (agent.get_some(50), 440.0)];
    assert!(heard.iter().all(|(got, hertz)| tone::carries(&audio(got), 8_000, *hertz)));
    room.send(Command::StopRecording { recording: RECORDING });
    let (_, complete, reason) = closed(&room);
    assert!(complete, "{reason}");
    let (left, right) = channels(&room.wav());
    let carries = |side: &[i16], hertz| tone::carries(&side[onset(side)..][..6_000], 8_000, hertz);
    assert!(carries(&left, 440.0) && carries(&right, 700.0));
}

/// Binds the leg to a pair that is free.
fn bound(io: &mut impl PacketIo, leg: LegId, address: IpAddr) -> SocketAddr {
    let port = std::iter::repeat_with(free_ports).find(|port| io.bind(leg, address, *port).is_ok()).unwrap();
    SocketAddr::new(address, port)
}

fn socket(address: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn put(peer: &UdpSocket, packet: &[u8], to: SocketAddr) {
    peer.send_to(packet, to).unwrap();
}

fn next(io: &mut impl PacketIo) -> (Arrival, Vec<u8>) {
    let mut buffer = [0; 2_048];
    loop {
        if let Some(arrival) = io.receive(&mut buffer) {
            return (arrival, buffer[..arrival.len].to_vec());
        }
        let before = std::time::Instant::now();
        io.wait(Some(PATIENCE)).unwrap();
        assert!(before.elapsed() < PATIENCE, "nothing came");
    }
}

fn thousand(mut io: impl PacketIo) {
    let at = bound(&mut io, leg(1), LOOPBACK);
    let peer = socket(LOOPBACK);
    for burst in 0..20u32 {
        (0..50).for_each(|n| put(&peer, &(burst * 50 + n).to_be_bytes(), at));
        for n in 0..50 {
            let (arrival, packet) = next(&mut io);
            assert_eq!((arrival.leg, arrival.port, arrival.from), (leg(1), Port::Rtp, peer.local_addr().unwrap()));
            assert_eq!(packet, (burst * 50 + n).to_be_bytes());
        }
    }
}

fn both_ports(mut io: impl PacketIo) {
    let at = bound(&mut io, leg(1), LOOPBACK);
    let peer = socket(LOOPBACK);
    for (port, expected) in [(Port::Rtp, at.port()), (Port::Rtcp, at.port() + 1)] {
        io.send(leg(1), port, peer.local_addr().unwrap(), b"out");
        io.wait(Some(Duration::ZERO)).unwrap();
        let mut buffer = [0; 16];
        let (len, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..len], from.port()), (&b"out"[..], expected));
        peer.send_to(b"in", from).unwrap();
        assert_eq!(next(&mut io).0.port, port);
    }
}

fn free_at_once(mut io: impl PacketIo) {
    let at = bound(&mut io, leg(1), LOOPBACK);
    for n in 2..50 {
        io.unbind(leg(n - 1));
        io.bind(leg(n), LOOPBACK, at.port()).unwrap();
    }
    io.unbind(leg(49));
    UdpSocket::bind(at).unwrap();
}

fn not_the_next_ones(mut io: impl PacketIo) {
    let at = bound(&mut io, leg(1), LOOPBACK);
    let peer = socket(LOOPBACK);
    (0..10).for_each(|_| put(&peer, b"old", at));
    io.wait(Some(PATIENCE)).unwrap();
    io.unbind(leg(1));
    io.bind(leg(2), LOOPBACK, at.port()).unwrap();
    peer.send_to(b"new", at).unwrap();
    let (arrival, packet) = next(&mut io);
    assert_eq!((arrival.leg, &packet[..]), (leg(2), &b"new"[..]));
}

fn flood(mut io: impl PacketIo) {
    let loud = bound(&mut io, leg(1), LOOPBACK);
    let quiet = bound(&mut io, leg(2), LOOPBACK);
    let peer = socket(LOOPBACK);
    for _ in 0..10 {
        (0..500).for_each(|_| put(&peer, &[0; 200], loud));
        peer.send_to(b"heard", quiet).unwrap();
        let mut before = 0;
        while next(&mut io).0.leg != leg(2) {
            before += 1;
            (0..2).for_each(|_| put(&peer, &[0; 200], loud));
        }
        assert!(before < 4_096, "{before} of the loud one before it");
    }
}

fn refused(mut io: impl PacketIo) {
    let at = bound(&mut io, leg(1), LOOPBACK);
    let gone = socket(LOOPBACK).local_addr().unwrap();
    for _ in 0..10 {
        io.send(leg(1), Port::Rtp, gone, b"nobody");
        io.wait(Some(Duration::ZERO)).unwrap();
    }
    socket(LOOPBACK).send_to(b"still", at).unwrap();
    assert_eq!(next(&mut io).1, b"still");
}

fn ipv6(mut io: impl PacketIo) {
    let address = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let at = bound(&mut io, leg(1), address);
    let peer = socket(address);
    peer.send_to(b"six", at).unwrap();
    let (arrival, packet) = next(&mut io);
    assert_eq!((arrival.from, &packet[..]), (peer.local_addr().unwrap(), &b"six"[..]));
    io.send(leg(1), Port::Rtp, arrival.from, b"back");
    io.wait(Some(Duration::ZERO)).unwrap();
    assert_eq!(peer.recv_from(&mut [0; 16]).unwrap(), (4, at));
}

fn woken(mut io: impl PacketIo) {
    for _ in 0..3 {
        let waker = io.waker();
        let other = std::thread::spawn(move || waker.ring().unwrap());
        io.wait(None).unwrap();
        other.join().unwrap();
        assert!(io.receive(&mut [0; 16]).is_none());
    }
}

fn ended(mut io: impl PacketIo) {
    let at = bound(&mut io, leg(1), LOOPBACK);
    io.wait(Some(Duration::ZERO)).unwrap();
    drop(io);
    UdpSocket::bind(at).unwrap();
}

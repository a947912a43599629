//! Legs that share one port: each hears its own, whoever else sends there.

use crate::common::*;
use base::LegId;
use media::{Command, Input};
use shell_media::UdpIo;
use std::net::UdpSocket;

/// Legs 0 and 1 hear each other, and so on in pairs; all on one port, but the last one.
fn room(legs: u16) -> (Room, Vec<Peer>) {
    let port = std::iter::repeat_with(free_ports).find(|port| port.is_multiple_of(2)).unwrap();
    let room = Room::with(|config| config.shared_port = Some(port));
    let open = |n: u16| {
        let leg = LegId { call: CALL, n };
        if n + 1 == legs {
            return room.peer(leg);
        }
        room.send(Command::Open { leg, address: std::net::Ipv4Addr::LOCALHOST.into(), port });
        assert_eq!(room.wait(|_| true), Input::Opened { leg, port });
        let peer = Peer::new(leg, port);
        room.send(Command::Configure { leg, session: peer.session() });
        peer
    };
    let peers: Vec<Peer> = (0..legs).map(open).collect();
    (0..legs).for_each(|n| room.hear(LegId { call: CALL, n }, &[LegId { call: CALL, n: n ^ 1 }]));
    (room, peers)
}

#[test]
fn more_legs_than_fit_into_one_batch_share_a_port_and_each_hears_its_own() {
    let (_room, mut peers) = room(150);
    for round in 0..5 {
        for peer in &mut peers {
            let body = [peer.leg.n as u8; 160];
            peer.packet(8, false, 160 * round, &body);
        }
        for (n, peer) in peers.iter().enumerate() {
            let got = peer.get();
            assert_eq!(got.payload, [(n ^ 1) as u8; 160], "leg {n} in round {round}");
        }
    }
    assert!(peers.iter().all(|peer| peer.drain().is_empty()), "nothing comes twice");
}

#[test]
fn row_18_on_a_shared_port_a_stranger_is_nobody() {
    let (room, mut peers) = room(3);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 0..50u16 {
        let line = media::rtp::Line { marker: false, sequence: n, timestamp: 160 * u32::from(n), ssrc: 0 };
        let packet = media::rtp::Packet::new(8, line, &[1; 160]);
        stranger.send_to(packet.as_bytes(), peers[0].plane).unwrap();
    }
    peers[0].packet(8, false, 0, &[7; 160]);
    assert_eq!(peers[1].get().payload, [7; 160]);
    assert!(peers[1].drain().is_empty());
    for leg in peers.iter().map(|peer| peer.leg) {
        room.send(Command::Close { leg });
        let closed = room.wait(|i| matches!(i, Input::Closed { .. }));
        let Input::Closed { stats, .. } = closed else { unreachable!() };
        assert_eq!(stats.received, u64::from(leg.n == 0));
    }
}

#[test]
fn a_leg_that_has_gone_leaves_the_port_to_the_others() {
    let (room, mut peers) = room(5);
    room.send(Command::Close { leg: peers[2].leg });
    room.wait(|i| matches!(i, Input::Closed { .. }));
    peers[0].packet(8, false, 0, &[7; 160]);
    assert_eq!(peers[1].get().payload, [7; 160]);
    // All of them gone, the port is free, and can be shared anew.
    for n in [0, 1, 3] {
        room.send(Command::Close { leg: peers[n].leg });
        room.wait(|i| matches!(i, Input::Closed { .. }));
    }
    UdpSocket::bind(peers[0].plane).unwrap();
    assert!(UdpIo::with_shared_port(Some(peers[0].plane.port())).is_ok());
}

#[test]
fn a_leg_that_waits_for_anothers_address_has_it_when_that_one_goes() {
    let (room, mut peers) = room(5);
    // Leg 2's peer is said to be where leg 0's is: the carrier uses the port again before our old leg has closed.
    let same = peers[0].session();
    room.send(Command::Configure { leg: peers[2].leg, session: same });
    peers[0].packet(8, false, 0, &[7; 160]);
    assert_eq!(peers[1].get().payload, [7; 160], "still the first one's");
    room.send(Command::Close { leg: peers[0].leg });
    room.wait(|i| matches!(i, Input::Closed { .. }));
    peers[0].packet(8, false, 160, &[8; 160]);
    assert_eq!(peers[3].get().payload, [8; 160], "now leg 2's");
}

//! The same plane over a network that loses packets and refuses ports.

use crate::common::*;
use base::LegId;
use crossbeam::channel;
use media::{Command, Input, Sound, tone};
use shell_media::{Arrival, Config, MediaPlane, PacketIo, Port, UdpIo, Waker};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Loses every fifth packet that is sent, and has no port for the agent.
struct Lossy {
    inner: UdpIo,
    sent: u32,
}

impl PacketIo for Lossy {
    fn bind(&mut self, leg: LegId, address: IpAddr, port: u16) -> std::io::Result<()> {
        if leg == AGENT { Err(std::io::ErrorKind::AddrInUse.into()) } else { self.inner.bind(leg, address, port) }
    }
    fn unbind(&mut self, leg: LegId) {
        self.inner.unbind(leg);
    }
    fn wait(&mut self, timeout: Option<Duration>) -> std::io::Result<()> {
        self.inner.wait(timeout)
    }
    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival> {
        self.inner.receive(buffer)
    }
    fn send(&mut self, leg: LegId, port: Port, to: SocketAddr, packet: &[u8]) {
        self.sent += 1;
        if !self.sent.is_multiple_of(5) {
            self.inner.send(leg, port, to, packet);
        }
    }
    fn waker(&self) -> Arc<Waker> {
        self.inner.waker()
    }
}

#[test]
fn a_lossy_network_costs_its_packets_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, inputs) = channel::unbounded();
    let io = Lossy { inner: UdpIo::new().unwrap(), sent: 0 };
    let config = Config::new(folder.path(), Arc::new(prompts()));
    let handle = MediaPlane::start_on(config, Arc::new(move |input| drop(sender.send(input))), vec![io]).unwrap();
    let next = || inputs.recv_timeout(PATIENCE).unwrap();

    handle.send(Command::Open { leg: AGENT, address: Ipv4Addr::LOCALHOST.into(), port: 4_000 });
    assert_eq!(next(), Input::OpenFailed { leg: AGENT, port: 4_000 });
    let port = std::iter::repeat_with(free_ports)
        .find(|port| {
            handle.send(Command::Open { leg: CALLER, address: Ipv4Addr::LOCALHOST.into(), port: *port });
            next() == (Input::Opened { leg: CALLER, port: *port })
        })
        .unwrap();
    let caller = Peer::new(CALLER, port);
    handle.send(Command::Configure { leg: CALLER, session: caller.session() });
    handle.send(Command::Play { leg: CALLER, play: 1, sounds: vec![Sound::Prompt("main/es/low".into())] });
    assert_eq!(next(), Input::PlayDone { leg: CALLER, play: 1 });
    let got = caller.get_some(40);
    assert!(audio(&got).chunks(160).all(|frame| tone::carries(frame, 8_000, 440.0)), "what came is whole");
    let lost = got.windows(2).filter(|p| p[1].header.sequence.wrapping_sub(p[0].header.sequence) == 2).count();
    assert!(got.windows(2).all(|p| p[1].header.timestamp.wrapping_sub(p[0].header.timestamp).is_multiple_of(160)));
    assert!((9..=10).contains(&lost), "{lost} of 50 lost, each seen as a hole");
}

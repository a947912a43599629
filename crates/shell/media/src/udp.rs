//! A UDP socket for each port of a leg, watched by epoll.

use crate::io::{Arrival, PacketIo, Port};
use base::LegId;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const WAKE: Token = Token(usize::MAX);
/// Packets of one socket before the next has its turn.
const TURN: u8 = 8;
/// Expedited forwarding (RFC 3246), for networks that heed it.
const EXPEDITED: u32 = 46 << 2;

pub struct UdpIo {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    /// By token: even slots are RTP, odd ones RTCP of the leg before.
    sockets: Vec<Option<Bound>>,
    free: Vec<usize>,
    slots: BTreeMap<LegId, usize>,
    /// Slots that may have packets, and what is left of their turn.
    ready: VecDeque<(usize, u8)>,
}

struct Bound {
    leg: LegId,
    socket: UdpSocket,
    queued: bool,
}

impl UdpIo {
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        Ok(UdpIo {
            poll,
            events: Events::with_capacity(1_024),
            waker,
            sockets: vec![],
            free: vec![],
            slots: BTreeMap::new(),
            ready: VecDeque::new(),
        })
    }

    fn register(&mut self, slot: usize, leg: LegId, mut socket: UdpSocket) -> io::Result<()> {
        self.poll.registry().register(&mut socket, Token(slot), Interest::READABLE)?;
        if let Some(place) = self.sockets.get_mut(slot) {
            *place = Some(Bound { leg, socket, queued: false });
        }
        Ok(())
    }

    fn deregister(&mut self, slot: usize) {
        if let Some(mut bound) = self.sockets.get_mut(slot).and_then(Option::take) {
            let _ = self.poll.registry().deregister(&mut bound.socket);
        }
    }
}

impl PacketIo for UdpIo {
    fn bind(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()> {
        if self.slots.contains_key(&leg) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let above = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let rtp = bind(SocketAddr::new(address, port))?;
        let rtcp = bind(SocketAddr::new(address, above))?;
        let slot = self.free.pop().unwrap_or(self.sockets.len());
        if slot == self.sockets.len() {
            self.sockets.extend([None, None]);
        }
        let registered = self.register(slot, leg, rtp).and_then(|()| self.register(slot + 1, leg, rtcp));
        self.slots.insert(leg, slot);
        registered.inspect_err(|_| self.unbind(leg))
    }

    fn unbind(&mut self, leg: LegId) {
        if let Some(slot) = self.slots.remove(&leg) {
            self.deregister(slot);
            self.deregister(slot + 1);
            self.free.push(slot);
        }
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        // What was not read to its end gives no second event.
        let timeout = if self.ready.is_empty() { timeout } else { Some(Duration::ZERO) };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let slot = event.token().0;
            if let Some(bound) = self.sockets.get_mut(slot).and_then(Option::as_mut).filter(|b| !b.queued) {
                bound.queued = true;
                self.ready.push_back((slot, TURN));
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival> {
        while let Some((slot, left)) = self.ready.pop_front() {
            let Some(bound) = self.sockets.get_mut(slot).and_then(Option::as_mut) else { continue };
            match bound.socket.recv_from(buffer) {
                Ok((len, from)) => {
                    match left {
                        0 => self.ready.push_back((slot, TURN)),
                        _ => self.ready.push_front((slot, left - 1)),
                    }
                    let port = if slot.is_multiple_of(2) { Port::Rtp } else { Port::Rtcp };
                    return Some(Arrival { leg: bound.leg, port, from, len });
                }
                // An earlier send's error may be told here; packets may still lie behind it.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock && left > 0 => self.ready.push_front((slot, left - 1)),
                Err(_) => bound.queued = false,
            }
        }
        None
    }

    fn send(&mut self, leg: LegId, port: Port, to: SocketAddr, packet: &[u8]) {
        let Some(slot) = self.slots.get(&leg) else { return };
        let slot = slot + usize::from(port == Port::Rtcp);
        if let Some(bound) = self.sockets.get(slot).and_then(Option::as_ref) {
            let _ = bound.socket.send_to(packet, to);
        }
    }

    fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    // A wish to the network; a system that refuses it still carries calls.
    let _ = match address {
        SocketAddr::V4(_) => socket2::SockRef::from(&socket).set_tos_v4(EXPEDITED),
        SocketAddr::V6(_) => socket2::SockRef::from(&socket).set_tclass_v6(EXPEDITED),
    };
    Ok(socket)
}

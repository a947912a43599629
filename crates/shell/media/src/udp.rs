//! A UDP socket for each port of a leg, watched by epoll.
//!
//! Level-triggered, and each socket is read once a round: a packet costs one read and no second one that finds nothing, and
//! a leg that is flooded has one turn a round like the others. Legs on the shared port have their packets in batches.

use crate::io::{Arrival, PacketIo, Port};
use crate::shared::{self, Shared};
use crate::waker::Waker;
use base::LegId;
use rustc_hash::FxHashMap;
use rustix::event::{Timespec, epoll};
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

const WAKE: u64 = u64::MAX;
const SHARED_RTP: u64 = WAKE - 1;
const SHARED_RTCP: u64 = WAKE - 2;
/// Sockets of one round.
const ROUND: usize = 1_024;
/// Expedited forwarding (RFC 3246), for networks that heed it.
const EXPEDITED: u32 = 46 << 2;

pub struct UdpIo {
    poll: OwnedFd,
    waker: Arc<Waker>,
    /// By place: even ones are RTP, odd ones RTCP of the leg before.
    sockets: Vec<Option<Bound>>,
    free: Vec<usize>,
    places: FxHashMap<LegId, usize>,
    /// This round's sockets that have something, and how many of them had their turn.
    round: Vec<u64>,
    turn: usize,
    /// The port that many legs may have, and its sockets while one has.
    shared_port: Option<u16>,
    shared: Option<Shared>,
}

struct Bound {
    leg: LegId,
    socket: UdpSocket,
}

impl UdpIo {
    pub fn new() -> io::Result<Self> {
        UdpIo::with_shared_port(None)
    }

    /// All legs that are bound to this port share it.
    pub fn with_shared_port(shared_port: Option<u16>) -> io::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let waker = Arc::new(Waker::new()?);
        epoll::add(&poll, &*waker, epoll::EventData::new_u64(WAKE), epoll::EventFlags::IN)?;
        let round = Vec::with_capacity(ROUND);
        let places = FxHashMap::default();
        Ok(UdpIo { poll, waker, sockets: vec![], free: vec![], places, round, turn: 0, shared_port, shared: None })
    }

    fn join(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()> {
        let shared = match &mut self.shared {
            Some(shared) if shared.rtp.local_addr()?.ip() != address => return Err(io::ErrorKind::AddrInUse.into()),
            Some(shared) => shared,
            None => {
                let shared = shared::open(|port| bind(SocketAddr::new(address, port)), port)?;
                for (socket, place) in [(&shared.rtp, SHARED_RTP), (&shared.rtcp, SHARED_RTCP)] {
                    epoll::add(&self.poll, socket, epoll::EventData::new_u64(place), epoll::EventFlags::IN)?;
                }
                self.shared.insert(shared)
            }
        };
        shared.join(leg);
        Ok(())
    }

    fn register(&mut self, place: usize, leg: LegId, socket: UdpSocket) -> io::Result<()> {
        epoll::add(&self.poll, &socket, epoll::EventData::new_u64(place as u64), epoll::EventFlags::IN)?;
        if let Some(bound) = self.sockets.get_mut(place) {
            *bound = Some(Bound { leg, socket });
        }
        Ok(())
    }
}

impl PacketIo for UdpIo {
    fn bind(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()> {
        if self.places.contains_key(&leg) || self.shared.as_ref().is_some_and(|shared| shared.holds(leg)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if self.shared_port == Some(port) {
            return self.join(leg, address, port);
        }
        let above = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let rtp = bind(SocketAddr::new(address, port))?;
        let rtcp = bind(SocketAddr::new(address, above))?;
        let place = self.free.pop().unwrap_or(self.sockets.len());
        if place == self.sockets.len() {
            self.sockets.extend([None, None]);
        }
        let registered = self.register(place, leg, rtp).and_then(|()| self.register(place + 1, leg, rtcp));
        self.places.insert(leg, place);
        registered.inspect_err(|_| self.unbind(leg))
    }

    fn unbind(&mut self, leg: LegId) {
        if let Some(place) = self.places.remove(&leg) {
            // A socket that is closed is watched no more.
            self.sockets.iter_mut().skip(place).take(2).for_each(|bound| *bound = None);
            self.free.push(place);
        }
        if let Some(shared) = &mut self.shared {
            shared.flush();
            shared.leave(leg);
        }
        // The sockets too: who comes next may have another address.
        self.shared = self.shared.take().filter(|shared| !shared.is_empty());
    }

    fn expect(&mut self, leg: LegId, from: SocketAddr) {
        if self.shared.as_mut().is_some_and(|shared| !shared.expect(leg, from)) {
            tracing::warn!(%leg, "the shared RTP port hears another leg from the same address: this trunk needs a port for each leg");
        }
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if let Some(shared) = &mut self.shared {
            shared.flush();
        }
        if self.turn < self.round.len() || self.shared.as_ref().is_some_and(Shared::has_more) {
            return Ok(());
        }
        self.turn = 0;
        self.round.clear();
        let timeout = timeout.map(|t| Timespec { tv_sec: t.as_secs().cast_signed(), tv_nsec: t.subsec_nanos().into() });
        let mut events = [MaybeUninit::uninit(); ROUND];
        match epoll::wait(&self.poll, &mut events, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            waited => self.round.extend(waited?.0.iter().map(|event| event.data.u64())),
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival> {
        loop {
            if let Some((leg, from, port, len)) = self.shared.as_mut().and_then(|shared| shared.next(buffer)) {
                return Some(Arrival { leg, port, from, len });
            }
            let place = self.round.get(self.turn).copied()?;
            self.turn += 1;
            if place == WAKE {
                self.waker.clear();
                continue;
            }
            if let (SHARED_RTP | SHARED_RTCP, Some(shared)) = (place, &mut self.shared) {
                shared.read(if place == SHARED_RTP { Port::Rtp } else { Port::Rtcp });
                continue;
            }
            let place = place as usize;
            // One that was closed in this round, or that only has an earlier send's error to tell, has no packet.
            let Some(Some(bound)) = self.sockets.get(place) else { continue };
            if let Ok((len, from)) = bound.socket.recv_from(buffer) {
                let port = if place.is_multiple_of(2) { Port::Rtp } else { Port::Rtcp };
                return Some(Arrival { leg: bound.leg, port, from, len });
            }
        }
    }

    fn send(&mut self, leg: LegId, port: Port, to: SocketAddr, packet: &[u8]) {
        let Some(place) = self.places.get(&leg) else {
            if let Some(shared) = self.shared.as_mut().filter(|shared| shared.holds(leg)) {
                shared.send(port, to, packet);
            }
            return;
        };
        let place = place + usize::from(port == Port::Rtcp);
        if let Some(Some(bound)) = self.sockets.get(place) {
            let _ = bound.socket.send_to(packet, to);
        }
    }

    fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }
}

pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    // A wish to the network; a system that refuses it still carries calls.
    let _ = match address {
        SocketAddr::V4(_) => socket2::SockRef::from(&socket).set_tos_v4(EXPEDITED),
        SocketAddr::V6(_) => socket2::SockRef::from(&socket).set_tclass_v6(EXPEDITED),
    };
    Ok(socket)
}

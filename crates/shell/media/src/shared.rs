//! One pair of sockets for many legs: what comes is told apart by where it comes from, which each leg's SDP has said, and
//! is read and written many packets at a time. About a quarter of the CPU of a socket for each leg is saved.
//!
//! It is for peers with a port for each call who send from where their SDP says they receive: a carrier, not a phone
//! behind a NAT. What comes from anywhere else belongs to nobody and is dropped.

use crate::io::Port;
use base::LegId;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Packets in one system call.
const BATCH: usize = 64;
/// Longer than G.711 with 60 ms and headers.
const LONGEST: usize = 1_024;
/// What the kernel keeps while we are busy, as far as the system allows it: 400 legs for 100 ms.
const WAITING: usize = 2 << 20;

thread_local! {
    /// The kernel's lists of messages, which can't be handed from thread to thread. Two: sending leaves other addresses in
    /// a list than reading wants there.
    static READ: RefCell<MultiHeaders<SockaddrStorage>> = RefCell::new(MultiHeaders::preallocate(BATCH, None));
    static SENT: RefCell<MultiHeaders<SockaddrStorage>> = RefCell::new(MultiHeaders::preallocate(BATCH, None));
}

/// The legs of a shared port.
pub(crate) struct Shared {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    /// Whose packets come from there.
    legs: FxHashMap<SocketAddr, LegId>,
    sources: FxHashMap<LegId, Option<SocketAddr>>,
    came: Came,
    leaving: Leaving,
}

/// Packets read and not yet asked for.
struct Came {
    buffers: Box<[[u8; LONGEST]; BATCH]>,
    heads: Vec<(LegId, SocketAddr, Port, usize, usize)>,
    taken: usize,
}

/// Packets to be sent together.
struct Leaving {
    bytes: Vec<u8>,
    packets: Vec<(SocketAddr, usize)>,
}

impl Shared {
    /// `rtp` and `rtcp` are bound.
    pub fn new(rtp: UdpSocket, rtcp: UdpSocket) -> Self {
        // A smaller buffer loses packets in a burst, no more.
        let _ = socket2::SockRef::from(&rtp).set_recv_buffer_size(WAITING);
        let came = Came { buffers: Box::new([[0; LONGEST]; BATCH]), heads: Vec::with_capacity(BATCH), taken: 0 };
        let leaving = Leaving { bytes: Vec::with_capacity(BATCH * LONGEST), packets: Vec::with_capacity(BATCH) };
        Shared { rtp, rtcp, legs: FxHashMap::default(), sources: FxHashMap::default(), came, leaving }
    }

    pub fn join(&mut self, leg: LegId) {
        self.sources.insert(leg, None);
    }

    pub fn holds(&self, leg: LegId) -> bool {
        self.sources.contains_key(&leg)
    }

    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    pub fn leave(&mut self, leg: LegId) {
        if let Some(source) = self.sources.remove(&leg) {
            self.forget(leg, source);
        }
    }

    /// From now on the leg's packets come from there. False: another leg's do, and go on doing so.
    pub fn expect(&mut self, leg: LegId, from: SocketAddr) -> bool {
        // Held (RFC 3264 8.4, the old way): it still sends reports from where it was.
        if from.ip().is_unspecified() || from.port() == 0 {
            return true;
        }
        let Some(source) = self.sources.get_mut(&leg) else { return true };
        let before = source.replace(from);
        self.forget(leg, before.filter(|before| *before != from));
        *self.legs.entry(from).or_insert(leg) == leg
    }

    fn forget(&mut self, leg: LegId, source: Option<SocketAddr>) {
        let Some(source) = source.filter(|source| self.legs.get(source) == Some(&leg)) else { return };
        self.legs.remove(&source);
        // One that came to the same address before this one went.
        let waits = self.sources.iter().filter(|(other, at)| **other != leg && **at == Some(source));
        if let Some(next) = waits.map(|(other, _)| *other).min() {
            self.legs.insert(source, next);
        }
    }

    /// Reads what has come to one of the sockets, at most [`BATCH`] packets.
    pub fn read(&mut self, port: Port) {
        let Came { buffers, heads, taken } = &mut self.came;
        heads.clear();
        *taken = 0;
        let socket = if port == Port::Rtp { &self.rtp } else { &self.rtcp };
        READ.with_borrow_mut(|headers| {
            let mut slices = buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
            let read = recvmmsg(socket.as_raw_fd(), headers, &mut slices, MsgFlags::MSG_DONTWAIT, None);
            // Nothing there, or a signal: it is asked again when something is.
            for (at, message) in read.into_iter().flatten().enumerate() {
                if message.flags.contains(MsgFlags::MSG_TRUNC) {
                    continue;
                }
                let Some(from) = message.address.as_ref().and_then(address) else { continue };
                let reports_of = below(from).filter(|_| port == Port::Rtcp);
                let leg = reports_of.and_then(|rtp| self.legs.get(&rtp)).or_else(|| self.legs.get(&from));
                heads.extend(leg.map(|leg| (*leg, from, port, at, message.bytes)));
            }
        });
    }

    /// The next of those read.
    pub fn next(&mut self, buffer: &mut [u8]) -> Option<(LegId, SocketAddr, Port, usize)> {
        let (leg, from, port, at, len) = *self.came.heads.get(self.came.taken)?;
        self.came.taken += 1;
        let len = len.min(buffer.len()).min(LONGEST);
        buffer[..len].copy_from_slice(&self.came.buffers[at][..len]);
        Some((leg, from, port, len))
    }

    /// Some were read and not yet asked for.
    pub fn has_more(&self) -> bool {
        self.came.taken < self.came.heads.len()
    }

    /// Audio goes out with the next batch, reports at once.
    pub fn send(&mut self, port: Port, to: SocketAddr, packet: &[u8]) {
        if port == Port::Rtcp {
            let _ = self.rtcp.send_to(packet, to);
            return;
        }
        self.leaving.bytes.extend_from_slice(packet);
        self.leaving.packets.push((to, packet.len()));
        if self.leaving.packets.len() == BATCH {
            self.flush();
        }
    }

    /// Sends what has gathered. What the network does not take now is lost.
    pub fn flush(&mut self) {
        let Leaving { bytes, packets } = &mut self.leaving;
        if packets.is_empty() {
            return;
        }
        let mut rest = &bytes[..];
        let slices: [[IoSlice; 1]; BATCH] = std::array::from_fn(|n| {
            let (packet, after) = rest.split_at(packets.get(n).map_or(0, |(_, len)| *len));
            rest = after;
            [IoSlice::new(packet)]
        });
        let to: [Option<SockaddrStorage>; BATCH] = std::array::from_fn(|n| packets.get(n).map(|(to, _)| (*to).into()));
        let mut from = 0;
        SENT.with_borrow_mut(|headers| {
            while from < packets.len() {
                let slices = slices.iter().take(packets.len()).skip(from);
                let sent = sendmmsg(self.rtp.as_raw_fd(), headers, slices, &to[from..packets.len()], [], MsgFlags::MSG_DONTWAIT);
                // The kernel stops at the first that it can't send: that one is passed over.
                from += sent.map_or(0, Iterator::count).max(1);
            }
        });
        bytes.clear();
        packets.clear();
    }
}

/// Reports come from the port above the sound's, or from the same.
fn below(from: SocketAddr) -> Option<SocketAddr> {
    Some(SocketAddr::new(from.ip(), from.port().checked_sub(1)?))
}

fn address(from: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = from.as_sockaddr_in().map(|v4| SocketAddr::from((v4.ip(), v4.port())));
    v4.or_else(|| from.as_sockaddr_in6().map(|v6| SocketAddr::from((v6.ip(), v6.port()))))
}

/// Both sockets, or none.
pub(crate) fn open(bind: impl Fn(u16) -> io::Result<UdpSocket>, port: u16) -> io::Result<Shared> {
    let above = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(Shared::new(bind(port)?, bind(above)?))
}

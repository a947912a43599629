//! A UDP socket for each port of a leg, read and written through a ring of requests (io_uring).

use crate::io::{Arrival, PacketIo, Port};
use crate::ring::{Came, Key, Ring};
use crate::shared::{self, Shared};
use crate::udp::bind;
use crate::waker::Waker;
use base::LegId;
use rustc_hash::FxHashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

/// Packets that wait to be asked for at most, of all legs: what else comes waits in the sockets.
const BUFFERS: u16 = 4_096;

pub struct UringIo {
    ring: Ring<At>,
    waker: Arc<Waker>,
    legs: FxHashMap<LegId, [Key; 2]>,
    shared_port: Option<u16>,
    shared: Option<(Shared, [Key; 2])>,
}

#[derive(Clone, Copy)]
enum At {
    Leg(LegId, Port),
    Shared(Port),
    Wake,
}

impl UringIo {
    /// Fails where the kernel or the container has no io_uring for us.
    pub fn with_shared_port(shared_port: Option<u16>) -> io::Result<UringIo> {
        let mut ring = Ring::new(BUFFERS)?;
        let waker = Arc::new(Waker::new()?);
        ring.watch(waker.as_fd().try_clone_to_owned()?, At::Wake)?;
        Ok(UringIo { ring, waker, legs: FxHashMap::default(), shared_port, shared: None })
    }

    fn join(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()> {
        if self.shared.is_none() {
            let shared = shared::open(|port| bind(SocketAddr::new(address, port)), port)?;
            let [rtp, rtcp] = [shared.rtp.as_fd().try_clone_to_owned()?, shared.rtcp.as_fd().try_clone_to_owned()?];
            let rtp = self.ring.watch(rtp, At::Shared(Port::Rtp))?;
            let rtcp = self.ring.watch(rtcp, At::Shared(Port::Rtcp)).inspect_err(|_| self.ring.close(rtp))?;
            self.shared = Some((shared, [rtp, rtcp]));
        }
        let Some((shared, _)) = &mut self.shared else { return Ok(()) };
        if shared.rtp.local_addr()?.ip() != address {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        shared.join(leg);
        Ok(())
    }
}

impl PacketIo for UringIo {
    fn bind(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()> {
        if self.legs.contains_key(&leg) || self.shared.as_ref().is_some_and(|(shared, _)| shared.holds(leg)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if self.shared_port == Some(port) {
            return self.join(leg, address, port);
        }
        let above = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let rtp = bind(SocketAddr::new(address, port))?;
        let rtcp = bind(SocketAddr::new(address, above))?;
        let rtp = self.ring.listen(rtp, At::Leg(leg, Port::Rtp))?;
        let rtcp = self.ring.listen(rtcp, At::Leg(leg, Port::Rtcp)).inspect_err(|_| self.ring.close(rtp))?;
        self.legs.insert(leg, [rtp, rtcp]);
        Ok(())
    }

    fn unbind(&mut self, leg: LegId) {
        for key in self.legs.remove(&leg).into_iter().flatten() {
            self.ring.close(key);
        }
        if let Some((shared, _)) = &mut self.shared {
            shared.flush();
            shared.leave(leg);
        }
        // The sockets too: who comes next may have another address.
        if let Some((shared, keys)) = self.shared.take_if(|(shared, _)| shared.is_empty()) {
            keys.into_iter().for_each(|key| self.ring.close(key));
            drop(shared);
        }
    }

    fn expect(&mut self, leg: LegId, from: SocketAddr) {
        if self.shared.as_mut().is_some_and(|(shared, _)| !shared.expect(leg, from)) {
            tracing::warn!(%leg, "the shared RTP port hears another leg from the same address: this trunk needs a port for each leg");
        }
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let mut timeout = timeout;
        if let Some((shared, _)) = &mut self.shared {
            shared.flush();
            timeout = if shared.has_more() { Some(Duration::ZERO) } else { timeout };
        }
        self.ring.wait(timeout)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival> {
        loop {
            if let Some((leg, from, port, len)) = self.shared.as_mut().and_then(|(shared, _)| shared.next(buffer)) {
                return Some(Arrival { leg, port, from, len });
            }
            match self.ring.next(buffer)? {
                Came::Packet { at: At::Leg(leg, port), from, len } => return Some(Arrival { leg, port, from, len }),
                Came::Ready(At::Wake) => self.waker.clear(),
                Came::Ready(At::Shared(port)) => {
                    if let Some((shared, _)) = &mut self.shared {
                        shared.read(port);
                    }
                }
                Came::Packet { .. } | Came::Ready(_) => {}
            }
        }
    }

    fn send(&mut self, leg: LegId, port: Port, to: SocketAddr, packet: &[u8]) {
        if let Some([rtp, rtcp]) = self.legs.get(&leg) {
            self.ring.send(if port == Port::Rtp { *rtp } else { *rtcp }, to, packet);
        } else if let Some((shared, _)) = self.shared.as_mut().filter(|(shared, _)| shared.holds(leg)) {
            shared.send(port, to, packet);
        }
    }

    fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }
}

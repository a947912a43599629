//! A UDP socket for sound, which many legs may share: read and written many packets at a time, each arrival with the
//! moment at which the kernel took it. So neither figure depends on when this process came to look.

use mio::net::UdpSocket;
use nix::cmsg_space;
use nix::sys::socket::sockopt::{RcvBuf, ReceiveTimestampns};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg, sendmmsg, setsockopt};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Packets in one call of the kernel.
pub const BATCH: usize = 64;
/// Longer than any packet of sound.
const LONGEST: usize = 512;
/// What a shared port's kernel buffer holds while nobody looks, as far as the system allows it.
const WAITING: usize = 4 << 20;

/// The buffers of all ports: one is read or written at a time.
pub struct Batch {
    received: MultiHeaders<SockaddrStorage>,
    sent: MultiHeaders<SockaddrStorage>,
    buffers: Box<[[u8; LONGEST]; BATCH]>,
}

/// A packet that came: when, by the wall clock since 1970, from where, and its bytes.
pub struct Arrival<'a> {
    pub at: Duration,
    pub from: SocketAddr,
    pub bytes: &'a [u8],
}

impl Batch {
    pub fn new() -> Batch {
        Batch {
            received: MultiHeaders::preallocate(BATCH, Some(cmsg_space!(TimeSpec))),
            sent: MultiHeaders::preallocate(BATCH, None),
            buffers: Box::new([[0; LONGEST]; BATCH]),
        }
    }

    /// Everything that waits in the socket.
    pub fn receive(&mut self, socket: &UdpSocket, mut hear: impl FnMut(Arrival)) {
        while self.receive_some(socket, &mut hear) == BATCH {}
    }

    fn receive_some(&mut self, socket: &UdpSocket, hear: &mut impl FnMut(Arrival)) -> usize {
        let mut slices = self.buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        let flags = MsgFlags::MSG_DONTWAIT;
        // Nothing there, or a signal: then there will be another look.
        let Ok(messages) = recvmmsg(socket.as_raw_fd(), &mut self.received, &mut slices, flags, None) else { return 0 };
        let mut count = 0;
        for message in messages {
            count += 1;
            let bytes = message.iovs().next().unwrap_or_default();
            if let Some((at, from)) = arrived(&message) {
                hear(Arrival { at, from, bytes });
            }
        }
        count
    }

    /// How many of the packets went out; one that could not is one that was lost.
    pub fn send(&mut self, socket: &UdpSocket, packets: &[(SocketAddr, &[u8])]) -> usize {
        packets.chunks(BATCH).map(|some| self.send_some(socket, some)).sum()
    }

    fn send_some(&mut self, socket: &UdpSocket, packets: &[(SocketAddr, &[u8])]) -> usize {
        let slices: [[IoSlice; 1]; BATCH] = std::array::from_fn(|n| [IoSlice::new(packets.get(n).map_or(&[], |p| p.1))]);
        let to: [Option<SockaddrStorage>; BATCH] = std::array::from_fn(|n| packets.get(n).map(|p| p.0.into()));
        let (slices, to) = (slices.iter().take(packets.len()), to.get(..packets.len()).unwrap_or_default());
        sendmmsg(socket.as_raw_fd(), &mut self.sent, slices, to, [], MsgFlags::MSG_DONTWAIT).map_or(0, Iterator::count)
    }
}

fn arrived(message: &RecvMsg<SockaddrStorage>) -> Option<(Duration, SocketAddr)> {
    let at = message.cmsgs().ok()?.find_map(|told| match told {
        ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
        _ => None,
    })?;
    let from = message.address.as_ref()?;
    let v4 = from.as_sockaddr_in().map(|v4| SocketAddr::from((v4.ip(), v4.port())));
    let from = v4.or_else(|| from.as_sockaddr_in6().map(|v6| SocketAddr::from((v6.ip(), v6.port()))))?;
    Some((at, from))
}

/// A socket whose arrivals carry their moment.
///
/// # Errors
/// When the address can't be bound.
pub fn bind(at: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(at)?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    setsockopt(&socket, RcvBuf, &WAITING)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn more_packets_than_fit_into_a_batch_come_in_their_order_with_sender_and_moment() {
        let [one, other] = [(); 2].map(|()| UdpSocket::from_std(bind("127.0.0.1:0".parse().unwrap()).unwrap()));
        let to = other.local_addr().unwrap();
        let texts: Vec<[u8; 1]> = (0..150).map(|n| [n]).collect();
        let packets: Vec<(SocketAddr, &[u8])> = texts.iter().map(|text| (to, &text[..])).collect();
        let mut batch = Batch::new();
        assert_eq!(batch.send(&one, &packets), 150);
        let mut came = Vec::new();
        while came.len() < 150 {
            batch.receive(&other, |arrival| came.push((arrival.from, arrival.bytes.to_vec(), arrival.at)));
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        for (n, (from, bytes, at)) in came.iter().enumerate() {
            assert_eq!((*from, &bytes[..]), (one.local_addr().unwrap(), &[n as u8][..]));
            assert!(*at <= now && *at + Duration::from_secs(600) > now, "{at:?} of {now:?}");
        }
    }
}

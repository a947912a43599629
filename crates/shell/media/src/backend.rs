//! Which backend a media thread has: what is wished, or what the system allows.

use crate::io::{Arrival, PacketIo, Port};
use crate::udp::UdpIo;
use crate::uring::UringIo;
use crate::waker::Waker;
use base::LegId;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The kernel's way to read and write packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    #[default]
    Epoll,
    /// From Linux 6.1 on, where the container allows it; else the other one.
    IoUring,
}

pub(crate) enum Backend {
    Epoll(Box<UdpIo>),
    IoUring(Box<UringIo>),
}

/// The call, on the one that is there.
macro_rules! either {
    ($self:ident, $io:ident => $call:expr) => {
        match $self {
            Backend::Epoll($io) => $call,
            Backend::IoUring($io) => $call,
        }
    };
}

impl Backend {
    pub fn new(way: Way, shared_port: Option<u16>) -> io::Result<Backend> {
        Backend::or_epoll(way, shared_port, || UringIo::with_shared_port(shared_port))
    }

    /// What a ring is set up with came in Linux 6.1, after all that is asked of it: where one can be made it works.
    fn or_epoll(way: Way, shared_port: Option<u16>, ring: impl FnOnce() -> io::Result<UringIo>) -> io::Result<Backend> {
        if way == Way::IoUring {
            match ring() {
                Ok(io) => return Ok(Backend::IoUring(Box::new(io))),
                Err(why) => tracing::warn!(%why, "io_uring is refused here: packets go through epoll"),
            }
        }
        Ok(Backend::Epoll(Box::new(UdpIo::with_shared_port(shared_port)?)))
    }
}

impl PacketIo for Backend {
    fn bind(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()> {
        either!(self, io => io.bind(leg, address, port))
    }

    fn unbind(&mut self, leg: LegId) {
        either!(self, io => io.unbind(leg));
    }

    fn expect(&mut self, leg: LegId, from: SocketAddr) {
        either!(self, io => io.expect(leg, from));
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        either!(self, io => io.wait(timeout))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival> {
        either!(self, io => io.receive(buffer))
    }

    fn send(&mut self, leg: LegId, port: Port, to: SocketAddr, packet: &[u8]) {
        either!(self, io => io.send(leg, port, to, packet));
    }

    fn waker(&self) -> Arc<Waker> {
        either!(self, io => io.waker())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn where_io_uring_is_refused_packets_go_through_epoll() {
        for errno in [1, 13, 22, 38] {
            let io = Backend::or_epoll(Way::IoUring, None, || Err(Error::from_raw_os_error(errno)));
            let Ok(mut io @ Backend::Epoll(_)) = io else { panic!("errno {errno} is no reason to end") };
            io.wait(Some(Duration::ZERO)).unwrap();
        }
        let asked = || -> io::Result<UringIo> { Err(ErrorKind::Other.into()) };
        assert!(matches!(Backend::or_epoll(Way::Epoll, None, asked), Ok(Backend::Epoll(_))));
    }
}

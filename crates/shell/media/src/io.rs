//! The port between the media thread and the network. Behind it stand a socket for each leg and a port
//! that legs share; tests put a network that loses and refuses there.

use crate::waker::Waker;
use base::LegId;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Which of a leg's two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Rtp,
    Rtcp,
}

/// A packet that came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub leg: LegId,
    pub port: Port,
    pub from: SocketAddr,
    /// How much of the buffer it fills.
    pub len: usize,
}

pub trait PacketIo: Send {
    /// Binds RTP on `port` and RTCP on the port above, or neither.
    fn bind(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()>;

    fn unbind(&mut self, leg: LegId);

    /// The leg's peer said that it sends from there. Only where legs share a port does that matter.
    fn expect(&mut self, _leg: LegId, _from: SocketAddr) {}

    /// Waits for packets, the waker, or the time-out.
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// The next packet that is here; none when all have been read. Legs take turns.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival>;

    /// Sends, or drops the packet if the network takes none now: audio that waits is worse than audio that is lost.
    fn send(&mut self, leg: LegId, port: Port, to: SocketAddr, packet: &[u8]);

    /// Ends [`PacketIo::wait`] from another thread.
    fn waker(&self) -> Arc<Waker>;
}

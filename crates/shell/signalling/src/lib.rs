//! SIP over UDP and TCP: bytes in, bytes out. What they mean is decided by `engine::Centre`.
//!
//! Reading and framing happen here; parsing does not. Everything is bounded: a datagram by its size, a stream by
//! the framer's caps, connections by number and by address, what waits to be written by a queue per connection.

mod local;
mod tcp;
mod udp;

use bytes::Bytes;
use local::Local;
use sip::{Flow, Transport};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::watch;

/// Where observations go: the way to the decision thread.
pub trait Sink: Send + Sync + 'static {
    /// Never blocks. `Err` hands the input back: the way is full, and the shell answers what it can.
    fn offer(&self, input: sip::Input) -> Result<(), sip::Input>;
}

#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// The address that peers see, if it is not the one listened on (NAT).
    pub advertise: Option<IpAddr>,
    pub tcp: bool,
    /// Connections at once, and from one address.
    pub max_connections: usize,
    pub max_per_address: usize,
}

impl Config {
    pub fn new(listen: SocketAddr) -> Self {
        Config { listen, advertise: None, tcp: true, max_connections: 2_000, max_per_address: 200 }
    }
}

/// The running transports. Cheap to clone; `send` never blocks.
#[derive(Clone)]
pub struct Signalling {
    udp: udp::Udp,
    tcp: Option<tcp::Tcp>,
    address: SocketAddr,
    local: Arc<Local>,
    stop: Arc<watch::Sender<bool>>,
}

/// Binds both transports to the same port (a free one if `listen` has port 0) and starts reading.
pub async fn start(config: Config, sink: Arc<dyn Sink>) -> io::Result<Signalling> {
    let (stop, stopped) = watch::channel(false);
    let socket = udp::bind(config.listen)?;
    let address = socket.local_addr()?;
    let local = Arc::new(Local::new(address, config.advertise));
    let udp = udp::Udp::start(socket, local.clone(), sink.clone(), stopped.clone());
    let tcp = match config.tcp {
        true => Some(tcp::Tcp::start(address, &config, local.clone(), sink, stopped).await?),
        false => None,
    };
    Ok(Signalling { udp, tcp, address, local, stop: Arc::new(stop) })
}

impl Signalling {
    /// The address bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of ours that this peer can reach.
    pub fn local_towards(&self, remote: SocketAddr) -> SocketAddr {
        self.local.towards(remote)
    }

    pub fn send(&self, flow: Flow, bytes: Bytes) {
        match (flow.transport, &self.tcp) {
            (Transport::Udp, _) => self.udp.send(flow, bytes),
            (Transport::Tcp, Some(tcp)) => tcp.send(flow, bytes),
            (Transport::Tcp, None) => tracing::warn!(peer = %flow.remote, "a message for TCP, which is switched off"),
        }
    }

    pub fn close(&self, flow: Flow) {
        if let Some(tcp) = &self.tcp {
            tcp.close(flow);
        }
    }

    /// Stops reading. What is queued to be written still goes out.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }
}

/// Seconds after which a caller whom we could not even hear may try again: spread, so that they do not come
/// back together.
fn retry_after(source: SocketAddr) -> u32 {
    5 + u32::from(source.port()) % 26
}

/// Offers one message; if the way is full, a new call is told so at once and anything else is dropped to be
/// retransmitted by its sender (the way keeps room for what is not a new call).
fn offer(sink: &dyn Sink, flow: Flow, bytes: Bytes) -> Option<Bytes> {
    match sink.offer(sip::Input::Received { flow, bytes }) {
        Ok(()) => None,
        Err(sip::Input::Received { bytes, .. }) => sip::overloaded(&bytes, flow.remote, retry_after(flow.remote)),
        Err(_) => None,
    }
}

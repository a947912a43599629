//! One UDP socket, read by one task.

use crate::local::Local;
use crate::{Sink, offer};
use bytes::Bytes;
use sip::{Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::watch;

/// The largest datagram there is.
const DATAGRAM: usize = 65_535;
/// Room for a burst of INVITEs while the decision thread is busy (400 in a second, each sent three times).
const KERNEL_BUFFER: usize = 4 << 20;

pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel may grant less; that is not an error.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

#[derive(Clone)]
pub struct Udp {
    socket: Arc<UdpSocket>,
    sink: Arc<dyn Sink>,
}

impl Udp {
    pub fn start(socket: UdpSocket, local: Arc<Local>, sink: Arc<dyn Sink>, mut stopped: watch::Receiver<bool>) -> Self {
        let udp = Udp { socket: Arc::new(socket), sink };
        let reader = udp.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = reader.read(&local) => (),
                _ = stopped.wait_for(|stop| *stop) => (),
            }
        });
        udp
    }

    async fn read(&self, local: &Local) {
        let mut buffer = vec![0u8; DATAGRAM];
        loop {
            // An error here is an ICMP answer to something sent before; it belongs to no datagram.
            let Ok((length, remote)) = self.socket.recv_from(&mut buffer).await else { continue };
            let flow = Flow { transport: Transport::Udp, local: local.towards(remote), remote, connection: 0 };
            if let Some(refusal) = offer(&*self.sink, flow, Bytes::copy_from_slice(&buffer[..length])) {
                self.send(flow, refusal);
            }
        }
    }

    /// A full kernel buffer loses the datagram, as the network might: SIP over UDP retransmits.
    pub fn send(&self, flow: Flow, bytes: Bytes) {
        match self.socket.try_send_to(&bytes, flow.remote) {
            Ok(_) => (),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => (),
            Err(error) => {
                tracing::debug!(peer = %flow.remote, %error, "could not send");
                let _ = self.sink.offer(sip::Input::TransportFailed { flow });
            }
        }
    }
}

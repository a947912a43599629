//! TCP connections, ours and the peers'. One reading and one writing task each.

use crate::local::Local;
use crate::{Config, Sink, offer};
use bytes::Bytes;
use dashmap::DashMap;
use sip::framing::{Frame, Framer};
use sip::{Flow, Transport};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Messages that may wait to be written to one peer; a peer that does not read loses its connection.
const QUEUED: usize = 256;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A message that began must be whole by then (security row 23).
const MESSAGE_WITHIN: Duration = Duration::from_secs(20);
/// A connection without a word is closed. Phones send a keep-alive each two minutes or sooner (RFC 5626 4.4.1).
const IDLE: Duration = Duration::from_secs(600);
/// Before its first whole message a stranger gets less.
const FIRST_WORD: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub struct Tcp {
    shared: Arc<Shared>,
}

struct Shared {
    connections: DashMap<u64, Connection>,
    by_remote: DashMap<SocketAddr, u64>,
    next: AtomicU64,
    local: Arc<Local>,
    sink: Arc<dyn Sink>,
    max_connections: usize,
    max_per_address: usize,
}

struct Connection {
    remote: SocketAddr,
    outgoing: mpsc::Sender<Bytes>,
}

impl Tcp {
    pub async fn start(
        address: SocketAddr,
        config: &Config,
        local: Arc<Local>,
        sink: Arc<dyn Sink>,
        stopped: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let shared = Arc::new(Shared {
            connections: DashMap::new(),
            by_remote: DashMap::new(),
            next: AtomicU64::new(1),
            local,
            sink,
            max_connections: config.max_connections,
            max_per_address: config.max_per_address,
        });
        tokio::spawn(accept(listener, shared.clone(), stopped));
        Ok(Tcp { shared })
    }

    /// Over the connection named, else over one to the same peer, else over a new one.
    pub fn send(&self, flow: Flow, bytes: Bytes) {
        let id = self.shared.live(flow);
        let queued = id.and_then(|id| self.shared.connections.get(&id).map(|c| c.outgoing.try_send(bytes.clone()).is_ok()));
        match (queued, id) {
            (Some(true), _) => (),
            (Some(false), Some(id)) => self.shared.lost(id, flow),
            _ => self.connect(flow, bytes),
        }
    }

    pub fn close(&self, flow: Flow) {
        if let Some(id) = self.shared.live(flow) {
            self.shared.forget(id);
        }
    }

    fn connect(&self, flow: Flow, bytes: Bytes) {
        let (outgoing, queue) = mpsc::channel(QUEUED);
        let _ = outgoing.try_send(bytes);
        let id = self.shared.admit(flow.remote, outgoing);
        let shared = self.shared.clone();
        tokio::spawn(async move {
            match timeout(CONNECT_WITHIN, TcpStream::connect(flow.remote)).await {
                Ok(Ok(stream)) => shared.serve(id, stream, queue).await,
                _ => shared.lost(id, flow),
            }
        });
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        // Out of descriptors or the like: a tight loop would make it worse.
        let Ok((stream, remote)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if shared.full(remote.ip()) {
            tracing::warn!(peer = %remote, "too many connections: refused");
            continue;
        }
        let (outgoing, queue) = mpsc::channel(QUEUED);
        let id = shared.admit(remote, outgoing);
        let shared = shared.clone();
        tokio::spawn(async move { shared.serve(id, stream, queue).await });
    }
}

impl Shared {
    fn full(&self, ip: IpAddr) -> bool {
        self.connections.len() >= self.max_connections
            || self.connections.iter().filter(|c| c.remote.ip() == ip).count() >= self.max_per_address
    }

    fn admit(&self, remote: SocketAddr, outgoing: mpsc::Sender<Bytes>) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections.insert(id, Connection { remote, outgoing });
        self.by_remote.insert(remote, id);
        id
    }

    fn live(&self, flow: Flow) -> Option<u64> {
        if self.connections.contains_key(&flow.connection) {
            return Some(flow.connection);
        }
        let id = *self.by_remote.get(&flow.remote)?;
        self.connections.contains_key(&id).then_some(id)
    }

    fn lost(&self, id: u64, flow: Flow) {
        self.forget(id);
        let _ = self.sink.offer(sip::Input::TransportFailed { flow: Flow { connection: id, ..flow } });
    }

    fn forget(&self, id: u64) {
        if let Some((_, connection)) = self.connections.remove(&id) {
            self.by_remote.remove_if(&connection.remote, |_, current| *current == id);
        }
    }

    async fn serve(&self, id: u64, stream: TcpStream, queue: mpsc::Receiver<Bytes>) {
        let Ok(remote) = stream.peer_addr() else { return self.forget(id) };
        let flow = Flow { transport: Transport::Tcp, local: self.local.towards(remote), remote, connection: id };
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        // Whichever side ends first ends the connection: our `close` drops the queue's sender.
        tokio::select! {
            () = self.read(flow, reader) => (),
            () = write(writer, queue) => (),
        }
        self.lost(id, flow);
    }

    async fn read(&self, flow: Flow, mut reader: OwnedReadHalf) {
        let mut framer = Framer::new();
        let mut buffer = vec![0u8; 16 * 1024];
        let mut known = false;
        loop {
            let patience = match (known, framer.pending() == 0) {
                (false, _) => FIRST_WORD,
                (true, false) => MESSAGE_WITHIN,
                (true, true) => IDLE,
            };
            let Ok(Ok(length @ 1..)) = timeout(patience, reader.read(&mut buffer)).await else { return };
            framer.push(&buffer[..length]);
            loop {
                match framer.next() {
                    Some(Ok(Frame::Message(bytes))) => {
                        known = true;
                        if let Some(refusal) = offer(&*self.sink, flow, bytes) {
                            self.answer(flow, refusal);
                        }
                    }
                    // RFC 5626 4.4.1: a double CRLF is answered by a single one.
                    Some(Ok(Frame::KeepAlive)) => self.answer(flow, Bytes::from_static(b"\r\n")),
                    Some(Err(error)) => {
                        tracing::warn!(peer = %flow.remote, %error, "a stream that is not SIP: closed");
                        return;
                    }
                    None => break,
                }
            }
        }
    }

    fn answer(&self, flow: Flow, bytes: Bytes) {
        if let Some(connection) = self.connections.get(&flow.connection) {
            let _ = connection.outgoing.try_send(bytes);
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = queue.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

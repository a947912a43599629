//! Real sockets on loopback: what goes in comes out whole, and nothing a peer does takes the node with it.

use bytes::Bytes;
use shell_signalling::{Config, Signalling, Sink, start};
use sip::{Flow, Input, Transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;

const INVITE: &str = "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1;rport\r\n\
    From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n\
    Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

struct Seen {
    inputs: mpsc::UnboundedSender<Input>,
    full: AtomicBool,
}

impl Sink for Seen {
    fn offer(&self, input: Input) -> Result<(), Input> {
        if self.full.load(Ordering::Relaxed) {
            return Err(input);
        }
        let _ = self.inputs.send(input);
        Ok(())
    }
}

async fn node(change: impl FnOnce(&mut Config)) -> (Signalling, Arc<Seen>, mpsc::UnboundedReceiver<Input>) {
    let (inputs, seen) = mpsc::unbounded_channel();
    let sink = Arc::new(Seen { inputs, full: AtomicBool::new(false) });
    let mut config = Config::new("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    (start(config, sink.clone()).await.unwrap(), sink, seen)
}

async fn received(seen: &mut mpsc::UnboundedReceiver<Input>) -> (Flow, Bytes) {
    loop {
        if let Input::Received { flow, bytes } = seen.recv().await.unwrap() {
            return (flow, bytes);
        }
    }
}

#[tokio::test]
async fn a_datagram_arrives_whole_and_the_answer_goes_back_to_its_source() {
    let (signalling, _, mut seen) = node(|_| ()).await;
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    peer.send_to(INVITE.as_bytes(), signalling.address()).await.unwrap();
    let (flow, bytes) = received(&mut seen).await;
    assert_eq!(bytes, INVITE.as_bytes());
    assert_eq!((flow.transport, flow.remote, flow.local), (Transport::Udp, peer.local_addr().unwrap(), signalling.address()));
    signalling.send(flow, Bytes::from_static(b"SIP/2.0 100 Trying\r\n\r\n"));
    let mut buffer = [0u8; 100];
    let (length, from) = peer.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..length], from), (&b"SIP/2.0 100 Trying\r\n\r\n"[..], signalling.address()));
}

#[tokio::test]
async fn a_stream_is_cut_into_messages_wherever_the_segments_fall() {
    let (signalling, _, mut seen) = node(|_| ()).await;
    let mut peer = TcpStream::connect(signalling.address()).await.unwrap();
    let two = format!("{INVITE}{INVITE}");
    for piece in two.as_bytes().chunks(37) {
        peer.write_all(piece).await.unwrap();
    }
    for _ in 0..2 {
        let (flow, bytes) = received(&mut seen).await;
        assert_eq!(bytes, INVITE.as_bytes());
        signalling.send(flow, Bytes::from_static(b"answer"));
        let mut answer = [0u8; 6];
        peer.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"answer");
    }
}

#[tokio::test]
async fn a_keep_alive_is_answered_and_reaches_nobody() {
    let (signalling, _, mut seen) = node(|_| ()).await;
    let mut peer = TcpStream::connect(signalling.address()).await.unwrap();
    peer.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0u8; 2];
    peer.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\r\n");
    peer.write_all(INVITE.as_bytes()).await.unwrap();
    assert_eq!(received(&mut seen).await.1, INVITE.as_bytes());
}

#[tokio::test]
async fn a_connection_is_opened_to_a_peer_that_has_none_and_its_loss_is_reported() {
    let (signalling, _, mut seen) = node(|_| ()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let remote = listener.local_addr().unwrap();
    let flow = Flow { transport: Transport::Tcp, local: signalling.address(), remote, connection: 0 };
    signalling.send(flow, Bytes::from_static(b"hello"));
    let (mut peer, _) = listener.accept().await.unwrap();
    let mut hello = [0u8; 5];
    peer.read_exact(&mut hello).await.unwrap();
    drop((peer, listener));
    assert!(matches!(seen.recv().await.unwrap(), Input::TransportFailed { flow } if flow.remote == remote));
    signalling.send(flow, Bytes::from_static(b"nobody listens"));
    assert!(matches!(seen.recv().await.unwrap(), Input::TransportFailed { flow } if flow.remote == remote));
}

#[tokio::test]
async fn one_address_cannot_take_every_connection() {
    let (signalling, _, mut seen) = node(|c| c.max_per_address = 3).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut peer = TcpStream::connect(signalling.address()).await.unwrap();
        peer.write_all(INVITE.as_bytes()).await.unwrap();
        received(&mut seen).await;
        open.push(peer);
    }
    let mut refused = TcpStream::connect(signalling.address()).await.unwrap();
    assert_eq!(refused.read(&mut [0u8; 1]).await.unwrap_or(0), 0);
    open[0].write_all(INVITE.as_bytes()).await.unwrap();
    assert_eq!(received(&mut seen).await.1, INVITE.as_bytes());
}

#[tokio::test]
async fn what_is_not_sip_closes_its_own_connection_only() {
    let (signalling, _, mut seen) = node(|_| ()).await;
    let mut good = TcpStream::connect(signalling.address()).await.unwrap();
    let mut bad = TcpStream::connect(signalling.address()).await.unwrap();
    // More than any header may be, without an end of line.
    let _ = bad.write_all(&vec![b'x'; 300_000]).await;
    let mut rest = Vec::new();
    let _ = bad.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    good.write_all(INVITE.as_bytes()).await.unwrap();
    assert_eq!(received(&mut seen).await.1, INVITE.as_bytes());
}

#[tokio::test]
async fn when_the_way_is_full_a_new_call_hears_503_with_a_time_to_come_back() {
    let (signalling, sink, _) = node(|_| ()).await;
    sink.full.store(true, Ordering::Relaxed);
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    peer.send_to(INVITE.as_bytes(), signalling.address()).await.unwrap();
    let mut buffer = [0u8; 2000];
    let (length, _) = peer.recv_from(&mut buffer).await.unwrap();
    let text = String::from_utf8_lossy(&buffer[..length]);
    assert!(text.starts_with("SIP/2.0 503 "), "{text}");
    let after: u32 = text.lines().find_map(|l| l.strip_prefix("Retry-After: ")).unwrap().trim().parse().unwrap();
    assert!((5..=30).contains(&after), "{after}");
}

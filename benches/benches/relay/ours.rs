//! Our plane and our recorder, as they serve calls.

use crate::peers::{Peers, Phase, Traffic};
use base::{CallId, ConversationId, LegId, RecordingId};
use benches::sidecar::sidecar;
use media::{Codec, Command, Input, PromptBook, Session};
use shell_media::{Config, Handle, MediaPlane, UringIo, Way};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

/// All that work for a packet.
const THREADS: [&str; 3] = ["media-0", "recorder", "recorder-close"];

/// Over io_uring it fails where the kernel or the container has none for us.
pub fn relay(traffic: Traffic, recorded: bool, way: Way) -> std::io::Result<Phase> {
    let ring = if way == Way::IoUring { Some(UringIo::with_shared_port(None)?) } else { None };
    let mut peers = Peers::new(traffic);
    let folder = tempfile::tempdir().expect("a folder");
    let (sender, inputs) = mpsc::channel();
    let config = Config::new(folder.path(), Arc::new(PromptBook::default()));
    let sink = Arc::new(move |input| {
        // At the end nobody listens any more.
        let _ = sender.send(input);
    });
    let handle = match ring {
        Some(io) => MediaPlane::start_on(config, sink, vec![io]),
        None => MediaPlane::start(config, sink),
    };
    let handle = handle.expect("threads");
    for n in traffic.legs() {
        handle.send(Command::Open { leg: leg(n), address: Ipv4Addr::LOCALHOST.into(), port: traffic.port(n).port() });
        await_input(&inputs, |input| matches!(input, Input::Opened { .. }));
        let remote = peers.address(n);
        let session = Session { dtmf: Some(101), ..Session::plain(remote, Codec::Pcma, 8) };
        handle.send(Command::Configure { leg: leg(n), session });
    }
    traffic.legs().for_each(|n| handle.send(Command::Hear { leg: leg(n), others: vec![leg(n ^ 1)] }));
    if recorded {
        (0..traffic.calls).for_each(|call| record(&handle, call));
        (0..traffic.calls).for_each(|_| await_input(&inputs, |input| matches!(input, Input::RecordingStarted { .. })));
    }
    let phase = peers.measure(traffic, &THREADS);
    handle.stop();
    Ok(phase)
}

fn await_input(inputs: &Receiver<Input>, wanted: impl Fn(&Input) -> bool) {
    while !wanted(&inputs.recv().expect("the plane runs")) {}
}

fn record(handle: &Handle, n: u32) {
    let [left, right] = [leg(2 * n), leg(2 * n + 1)];
    let recording = RecordingId { conversation: ConversationId { call: left.call, n: 1 }, n: 1 };
    let sidecar = sidecar(recording);
    let file = format!("bench/{n}").into();
    handle.send(Command::Record { recording, left: vec![left], right: vec![right], file, sidecar });
}

fn leg(n: u32) -> LegId {
    LegId { call: CallId { node: 1, epoch: 1, n: n / 2 }, n: (n % 2) as u16 }
}

//! Disks that stall or break in the middle, and a writer that panics: calls go on, and each recording says what became
//! of it.

use crate::common::*;
use crate::disk::{Fate, Faulty, Step, is_sidecar};
use crate::recordings::{closed, stalled};
use media::{Command, Input, tone};
use shell_media::{Arrival, Config, Disk, MediaPlane, PacketIo, Port, UdpIo, Waker};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// What happens once, at the write of audio that passes this many bytes, or at its sync if none does.
fn breaks_after(bytes: i64, how: fn() -> io::Error) -> Arc<dyn Disk> {
    let left = AtomicI64::new(bytes);
    Faulty::disk(move |step| {
        let (path, bytes) = match step {
            Step::Write { path, bytes, .. } => (path, *bytes as i64),
            Step::Sync { path } => (path, 1 << 40),
            Step::Other => return Fate::Done,
        };
        // A key is there, and synced, before there is audio.
        if is_sidecar(path) || path.extension().is_some_and(|e| e == "key") {
            return Fate::Done;
        }
        let before = left.fetch_sub(bytes, Ordering::Relaxed);
        if before > 0 && before <= bytes { Fate::Half(how()) } else { Fate::Done }
    })
}

/// A conversation of 1.6 s that breaks after some bytes, and what the recorder says of it, while both go on talking.
fn broken(disk: Arc<dyn Disk>, sealed: bool) -> (Room, bool, String) {
    let with = |config: &mut shell_media::Config| config.disk = disk;
    let room = if sealed { Room::sealed(with) } else { Room::with(with) };
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 80);
    assert!(tone::carries(&audio(&caller.get_some(80)), 8_000, 700.0), "the call goes on");
    room.send(Command::StopRecording { recording: RECORDING });
    let (_, complete, reason) = closed(&room);
    // The writer works for the next one.
    let recording = base::RecordingId { n: 2, ..RECORDING };
    let (sidecar, file) = (Box::new(media::Sidecar { recording, ..sidecar() }), "acme/next".into());
    room.send(Command::Record { recording, left: vec![CALLER], right: vec![AGENT], file, sidecar });
    talk((&mut caller, 440.0), (&mut agent, 700.0), 20);
    room.send(Command::StopRecording { recording });
    let next = room.wait(|i| matches!(i, Input::RecordingClosed { .. } | Input::RecordingFailed { .. }));
    assert!(matches!(next, Input::RecordingClosed { complete: true, .. }), "{next:?}");
    (room, complete, reason)
}

#[test]
fn an_error_in_the_middle_cuts_one_recording_and_says_so() {
    for sealed in [false, true] {
        let eio = || io::Error::other("EIO");
        let (room, complete, reason) = broken(breaks_after(20_000, eio), sealed);
        assert_eq!((complete, reason.as_str()), (false, "write_failed"));
        let (left, _) = heard(room.sound().unwrap());
        assert!(left.len() >= 3_200 && tone::carries(&left[onset(&left)..], 8_000, 440.0), "{}", left.len());
    }
}

#[test]
fn an_fsync_that_fails_is_told_and_never_taken_back() {
    let (room, complete, reason) = broken(breaks_after(1 << 30, || io::Error::other("EIO")), false);
    assert_eq!((complete, reason.as_str()), (false, "write_failed"));
    assert_eq!((&room.note()["state"], &room.note()["reason"]), (&"partial".into(), &"write_failed".into()));
}

#[test]
fn a_writer_that_panics_loses_one_recording_and_works_on() {
    for sealed in [false, true] {
        let (room, complete, reason) = broken(breaks_after(20_000, || panic!("a writer that is killed")), sealed);
        assert_eq!((complete, reason.as_str()), (false, "writer_lost"));
        assert_eq!(room.note()["reason"], "writer_lost");
        let (left, _) = heard(room.sound().unwrap());
        assert!(left.len() >= 3_200 && tone::carries(&left[onset(&left)..], 8_000, 440.0), "{}", left.len());
    }
}

#[test]
fn a_thread_that_panics_as_it_closes_a_recording_closes_the_next_one() {
    let room = Room::with(|config| config.disk = breaks_after(1 << 30, || panic!("a closer that is killed")));
    let _peers = (room.peer(CALLER), room.peer(AGENT));
    for (n, file) in [(1, "acme/a"), (2, "acme/b")] {
        let recording = base::RecordingId { n, ..RECORDING };
        let sidecar = Box::new(media::Sidecar { recording, ..sidecar() });
        room.send(Command::Record { recording, left: vec![CALLER], right: vec![AGENT], file: file.into(), sidecar });
        room.send(Command::StopRecording { recording });
        let end = room.wait(|i| matches!(i, Input::RecordingClosed { .. } | Input::RecordingFailed { .. }));
        match n {
            1 => assert_eq!(end, Input::RecordingFailed { recording, reason: "closer_lost".into() }),
            _ => assert!(matches!(end, Input::RecordingClosed { complete: true, .. }), "{end:?}"),
        }
    }
}

#[test]
fn a_disk_that_stalls_for_five_seconds_costs_nothing() {
    let gate = Arc::new((Mutex::new(true), Condvar::new()));
    let room = Room::with(|config| config.disk = stalled(&gate));
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 250);
    assert!(tone::carries(&audio(&caller.get_some(250)), 8_000, 700.0), "the call goes on");
    agent.get_some(250);
    *gate.0.lock().unwrap() = false;
    gate.1.notify_all();
    room.send(Command::StopRecording { recording: RECORDING });
    let (duration, complete, reason) = closed(&room);
    assert!(complete && duration >= 5_000, "{duration} {reason}");
    let (left, right) = heard(room.sound().unwrap());
    for (channel, hertz) in [(left, 440.0), (right, 700.0)] {
        let spoken = &channel[onset(&channel)..];
        let heard = spoken.chunks_exact(1_600).take(24).filter(|block| tone::carries(block, 8_000, hertz)).count();
        assert!(heard >= 22, "{heard} of 24 blocks of {hertz} Hz");
    }
}

/// A network whose first wait ends the thread.
struct Ends(UdpIo, fn() -> io::Result<()>);

impl PacketIo for Ends {
    fn bind(&mut self, leg: base::LegId, address: IpAddr, port: u16) -> io::Result<()> {
        self.0.bind(leg, address, port)
    }
    fn unbind(&mut self, leg: base::LegId) {
        self.0.unbind(leg);
    }
    fn wait(&mut self, _timeout: Option<Duration>) -> io::Result<()> {
        (self.1)()
    }
    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival> {
        self.0.receive(buffer)
    }
    fn send(&mut self, leg: base::LegId, port: Port, to: SocketAddr, packet: &[u8]) {
        self.0.send(leg, port, to, packet);
    }
    fn waker(&self) -> Arc<Waker> {
        self.0.waker()
    }
}

#[test]
fn a_media_thread_that_ends_by_itself_is_counted() {
    for how in [|| panic!("a packet that nobody thought of"), || Err(io::Error::other("no poller"))] {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path(), Arc::new(prompts()));
        let handle = MediaPlane::start_on(config, Arc::new(|_| ()), vec![Ends(UdpIo::new().unwrap(), how)]).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while handle.fallen() == 0 {
            assert!(Instant::now() < deadline, "its end was not counted");
            std::thread::yield_now();
        }
        handle.use_prompts(Arc::new(prompts()));
        assert_eq!(handle.fallen(), 1);
        handle.stop();
    }
}

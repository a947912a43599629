//! Recordings over real sockets and a real disk, and over disks that are full, slow or gone.

use crate::common::*;
use crate::disk::{Fate, Faulty, Step};
use media::placement::{BLOCK, Block};
use media::{Command, Input, Tape, tone};
use shell_media::{Disk, OsDisk, Tapes, repair};
use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};

pub fn closed(room: &Room) -> (u64, bool, String) {
    match room.wait(|i| matches!(i, Input::RecordingClosed { .. })) {
        Input::RecordingClosed { duration_ms, complete, reason, .. } => (duration_ms, complete, reason.to_string()),
        _ => unreachable!(),
    }
}

#[test]
fn a_conversation_is_on_disk_with_the_caller_left_and_the_agent_right() {
    let room = Room::new();
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    assert_eq!(room.note()["state"], "recording");
    talk((&mut caller, 440.0), (&mut agent, 700.0), 100);
    // The last packet has been seen when the other side has it.
    caller.get_some(100);
    agent.get_some(100);
    room.send(Command::StopRecording { recording: RECORDING });
    let (duration, complete, reason) = closed(&room);
    assert!(complete, "{reason}");
    let (left, right) = channels(&room.wav());
    assert!((1_990..3_500).contains(&duration) && left.len() as u64 / 8 == duration);
    let (l, r) = (onset(&left), onset(&right));
    assert!(l.abs_diff(r) <= 400, "both spoke at once: {l} {r}");
    assert!(tone::carries(&left[l..l + 12_000], 8_000, 440.0) && tone::carries(&right[r..r + 12_000], 8_000, 700.0));
    assert!(tone::amplitude(&left, 8_000, 700.0) < 100.0 && tone::amplitude(&right, 8_000, 440.0) < 100.0);
    let note = room.note();
    assert_eq!((&note["state"], &note["reason"], &note["agent"]), (&"complete".into(), &"".into(), &"acme/ana".into()));
    assert_eq!(note["duration_ms"], duration);
    let file = std::fs::read(room.wav()).unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, &file);
    assert_eq!(note["sha256"], hash.as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>());
    let mut heard = vec![];
    room.sound().unwrap().read_to_end(&mut heard).unwrap();
    assert!(heard == file, "what is heard is the file, to the byte");
    assert_eq!(repair(room.folder.path(), &BTreeSet::new(), None).unwrap(), [], "nothing to mend");
}

#[test]
fn stopping_the_plane_closes_its_recordings() {
    let mut room = Room::new();
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 20);
    room.handle.take().unwrap().stop();
    let (duration, complete, _) = closed(&room);
    assert!(complete && duration >= 390);
    assert_eq!(channels(&room.wav()).0.len() as u64 / 8, duration);
}

#[test]
fn blocks_without_a_call_become_a_recording_and_none_is_lost_where_the_ring_holds_one() {
    let folder = tempfile::tempdir().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let sink = Arc::new(move |input| drop(tell.send(input)));
    let tapes = Tapes::start(folder.path().into(), Arc::new(OsDisk), None, 1, sink).unwrap();
    let (file, sidecar) = (FILE.into(), Box::new(sidecar()));
    tapes.hand(Tape::Open { recording: RECORDING, file, sidecar, channels: 2 });
    for n in 0..200u16 {
        let samples = [n.cast_signed(); 2 * BLOCK].into();
        tapes.hand(Tape::Block { recording: RECORDING, block: Block { first: u64::from(n) * BLOCK as u64, samples } });
    }
    tapes.hand(Tape::Close { recording: RECORDING, frames: 200 * BLOCK as u64, proof: None });
    tapes.finish();
    let told: Vec<Input> = told.iter().collect();
    assert!(matches!(told.last(), Some(Input::RecordingClosed { complete: true, duration_ms: 40_000, .. })), "{told:?}");
    let (left, right) = channels(&folder.path().join(format!("{FILE}.wav")));
    assert!(left == right && left.iter().enumerate().all(|(n, sample)| usize::from(sample.unsigned_abs()) == n / BLOCK));
}

#[test]
fn a_file_is_never_overwritten_and_never_outside() {
    let room = Room::new();
    let _peers = (room.peer(CALLER), room.peer(AGENT));
    std::fs::create_dir_all(room.wav().parent().unwrap()).unwrap();
    std::fs::write(room.wav(), "precious").unwrap();
    for (file, why) in [(FILE, "file_exists"), ("../../etc/x", "bad_file_name"), ("/tmp/x", "bad_file_name")] {
        let sidecar = Box::new(sidecar());
        room.send(Command::Record { recording: RECORDING, left: vec![CALLER], right: vec![AGENT], file: file.into(), sidecar });
        let failed = Input::RecordingFailed { recording: RECORDING, reason: why.into() };
        assert_eq!(room.wait(|_| true), failed);
        room.send(Command::StopRecording { recording: RECORDING });
    }
    assert_eq!(std::fs::read(room.wav()).unwrap(), b"precious");
}

/// The recording is cut off by a full disk while both go on talking.
pub fn is_cut_off_by(room: &Room) {
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 100);
    let (duration, complete, reason) = closed(room);
    assert_eq!((complete, reason.as_str()), (false, "disk_full"));
    talk((&mut caller, 440.0), (&mut agent, 700.0), 10);
    assert!(tone::carries(&audio(&caller.get_some(110)), 8_000, 700.0), "the call goes on");
    let (left, _) = heard(room.sound().unwrap());
    assert_eq!(left.len() as u64 / 8, duration);
    assert!(duration >= 400 && tone::carries(&left[onset(&left)..], 8_000, 440.0), "what is there can be heard: {duration}");
}

#[test]
fn a_disk_that_fills_up_cuts_the_recording_and_not_the_call() {
    let room = Room::with(|config| config.disk = Faulty::full_after(44 + 40_000));
    is_cut_off_by(&room);
    assert_eq!((&room.note()["state"], &room.note()["reason"]), (&"partial".into(), &"disk_full".into()));
}

#[test]
fn a_disk_that_is_full_from_the_start_fails_the_recording() {
    let room = Room::with(|config| config.disk = Faulty::full_after(10));
    let _peers = (room.peer(CALLER), room.peer(AGENT));
    room.send(Command::Record {
        recording: RECORDING,
        left: vec![CALLER],
        right: vec![AGENT],
        file: FILE.into(),
        sidecar: Box::new(sidecar()),
    });
    assert_eq!(room.wait(|_| true), Input::RecordingFailed { recording: RECORDING, reason: "disk_full".into() });
    assert!(!room.wav().exists());
}

/// A file system of 64 KB, if this system lets us mount one.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new() -> Option<Mounted> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder.path()).stderr(Stdio::null());
        mount.status().is_ok_and(|s| s.success()).then_some(Mounted(folder))
    }
}
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_real_file_system_that_is_full_cuts_the_recording_and_not_the_call() {
    let Some(mounted) = Mounted::new() else {
        println!("no right to mount a file system here; the test with a quota covers this");
        return;
    };
    let room = Room::with(|config| config.recordings = mounted.0.path().into());
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 150);
    let (duration, complete, reason) = closed(&room);
    assert_eq!((complete, reason.as_str()), (false, "disk_full"));
    assert!(tone::carries(&audio(&caller.get_some(150)), 8_000, 700.0));
    let (left, _) = channels(&mounted.0.path().join(format!("{FILE}.wav")));
    assert!(left.len() as u64 / 8 == duration && duration >= 1_000);
}

/// A disk that takes nothing until it is let go.
pub fn stalled(gate: &Arc<(Mutex<bool>, Condvar)>) -> Arc<dyn Disk> {
    let gate = gate.clone();
    Faulty::disk(move |step| {
        let (stalled, changed) = &*gate;
        // Headers are small; a block of audio is 6,400 bytes.
        let waits = matches!(step, Step::Write { bytes: 1_001.., .. });
        drop(changed.wait_while(stalled.lock().unwrap(), |stalled| *stalled && waits).unwrap());
        Fate::Done
    })
}

#[test]
fn a_disk_that_stalls_holds_up_no_audio_and_leaves_a_hole_in_its_place() {
    let gate = Arc::new((Mutex::new(true), Condvar::new()));
    let disk = stalled(&gate);
    let room = Room::with(|config| (config.disk, config.ring) = (disk, 2));
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 120);
    assert!(tone::carries(&audio(&caller.get_some(120)), 8_000, 700.0), "the call goes on");
    *gate.0.lock().unwrap() = false;
    gate.1.notify_all();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 60);
    agent.get_some(180);
    room.send(Command::StopRecording { recording: RECORDING });
    let (duration, complete, reason) = closed(&room);
    assert_eq!((complete, reason.as_str()), (false, "recorder_behind"));
    assert!(duration >= 3_500, "as long as the call: {duration}");
    let (left, _) = channels(&room.wav());
    let silent = left.chunks(1_600).filter(|block| tone::loudness(block) < 1.0).count();
    let end = &left[left.len() - 4_800..left.len() - 1_600];
    assert!((3..15).contains(&silent), "{silent} blocks are lost");
    assert!(tone::carries(end, 8_000, 440.0), "what came after is in its place");
}

/// The process that is killed: records what comes, and says its ports and how far it is.
#[test]
fn child_that_records_until_it_is_killed() {
    let Ok(folder) = std::env::var("RECORD_INTO") else { return };
    let sealed = std::env::var("SEALED").is_ok_and(|sealed| sealed == "true");
    let room = Room::with(|config| {
        config.recordings = folder.into();
        config.keys = sealed.then(|| Arc::new(keys(&["2026"])));
    });
    let (caller, agent) = (room.peer(CALLER), room.peer(AGENT));
    let peer = |port: &str| std::env::var(port).unwrap().parse().unwrap();
    for (leg, remote, peer) in [(CALLER, peer("CALLER"), &caller), (AGENT, peer("AGENT"), &agent)] {
        room.send(Command::Configure { leg, session: media::Session { remote, ..peer.session() } });
    }
    room.join(CALLER, AGENT);
    room.record();
    println!("\nports {} {}", caller.plane.port(), agent.plane.port());
    room.wait(|i| matches!(i, Input::Closed { .. }));
}

fn start_child(folder: &Path, sealed: bool, caller: &Peer, agent: &Peer) -> (Child, Vec<u16>) {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "recordings::child_that_records_until_it_is_killed", "--nocapture"])
        .env("RECORD_INTO", folder)
        .env("SEALED", sealed.to_string())
        .env("CALLER", caller.socket.local_addr().unwrap().to_string())
        .env("AGENT", agent.socket.local_addr().unwrap().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = io::BufReader::new(child.stdout.take().unwrap()).lines();
    let ports = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ports ").map(str::to_owned));
    let ports = ports.expect("the child to say its ports").split(' ').map(|p| p.parse().unwrap()).collect();
    (child, ports)
}

/// A process that is killed with a recording of three seconds.
pub fn killed(sealed: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut caller, mut agent) = (Peer::new(CALLER, 1), Peer::new(AGENT, 1));
    let (mut child, ports) = start_child(folder.path(), sealed, &caller, &agent);
    caller.plane.set_port(ports[0]);
    agent.plane.set_port(ports[1]);
    talk((&mut caller, 440.0), (&mut agent, 700.0), 150);
    child.kill().unwrap();
    child.wait().unwrap();
    folder
}

#[test]
fn a_process_that_is_killed_leaves_a_playable_file_up_to_its_last_second() {
    let folder = killed(false);
    let wav = folder.path().join(format!("{FILE}.wav"));
    let (left, right) = channels(&wav);
    assert!(left.len() >= 16_000, "three seconds were said, {} ms are there before any repair", left.len() / 8);
    assert!(tone::carries(&left[onset(&left)..], 8_000, 440.0) && tone::carries(&right[onset(&right)..], 8_000, 700.0));

    let repaired = repair(folder.path(), &BTreeSet::new(), None).unwrap();
    assert_eq!(repaired.len(), 1);
    assert_eq!((&*repaired[0].reason, &*repaired[0].file, repaired[0].recording), ("node_lost", FILE, RECORDING));
    let after = channels(&wav).0.len();
    assert!(after >= left.len() && after as u64 / 8 == repaired[0].duration_ms);
    let note: serde_json::Value = serde_json::from_slice(&std::fs::read(wav.with_extension("json")).unwrap()).unwrap();
    assert_eq!((&note["state"], &note["reason"]), (&"partial".into(), &"node_lost".into()));
    assert_eq!(repair(folder.path(), &BTreeSet::new(), None).unwrap(), [], "it is mended once");
    let told = repair(folder.path(), &BTreeSet::from([RECORDING]), None).unwrap();
    assert_eq!(told, repaired, "a log that does not know its end is told again");
}

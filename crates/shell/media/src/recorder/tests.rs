//! The recorder's threads without the media threads: what is handed to them, and what becomes of it on the way.

use super::*;
use media::Tally;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Frames of a block.
const BLOCK: u64 = 1_600;
const FIRST: &str = "1-1-1.c1.p1";
const SECOND: &str = "1-1-2.c1.p1";

fn id(text: &str) -> RecordingId {
    text.parse().unwrap()
}

fn open(text: &str) -> Tape {
    let recording = id(text);
    let sidecar = Sidecar {
        call: recording.call(),
        recording,
        tenant: "acme".into(),
        queue: None,
        agent: "acme/ana".into(),
        lang: None,
        start: "2026-11-22T12:00:00Z".into(),
        sip_call_id_caller: "a".into(),
        sip_call_id_agent: "b".into(),
    };
    Tape::Open { recording, file: text.into(), sidecar: Box::new(sidecar), channels: 2 }
}

/// What is said in the `n`th block.
fn said(n: u64) -> Vec<i16> {
    (0..2 * BLOCK).map(|k| ((n * 977 + k * 31) % 20_000) as i16 - 10_000).collect()
}

fn block(text: &str, n: u64, samples: Vec<i16>) -> Tape {
    Tape::Block { recording: id(text), block: Block { first: n * BLOCK, samples: samples.into() } }
}

/// Of four blocks, as the media threads count it.
fn close(text: &str, change: impl FnOnce(&mut Proof)) -> Tape {
    let mut tally = Tally::default();
    (0..4).for_each(|n| tally.take(&said(n)));
    let mut proof = Proof { tally, received: [4 * BLOCK; 2], dropped: [0; 2] };
    change(&mut proof);
    Tape::Close { recording: id(text), frames: 4 * BLOCK, proof: Some(proof) }
}

fn blocks(text: &str) -> Vec<Tape> {
    (0..4).map(|n| block(text, n, said(n))).collect()
}

/// How the recordings ended, in order, once all of this was handed over one by one.
fn run(folder: &Path, disk: Arc<dyn Disk>, tapes: Vec<Tape>) -> Vec<(bool, String)> {
    let ends = Arc::new(Mutex::new(vec![]));
    let told = ends.clone();
    let sink = move |input| {
        if let Input::RecordingClosed { complete, reason, .. } = input {
            told.lock().unwrap().push((complete, reason.to_string()));
        }
    };
    let (mut door, threads) = start(folder.into(), disk, None, 64, Arc::new(sink)).unwrap();
    tapes.into_iter().for_each(|tape| door.hand(tape));
    door.finish();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    Arc::into_inner(ends).map(|ends| ends.into_inner().unwrap()).unwrap_or_default()
}

fn ends(change: impl FnOnce(&mut Vec<Tape>), close: Tape) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut tapes = blocks(FIRST);
    change(&mut tapes);
    let all = [vec![open(FIRST)], tapes, vec![close]].concat();
    run(folder.path(), Arc::new(OsDisk), all).remove(0)
}

#[test]
fn what_was_handed_over_is_what_is_on_the_disk_or_the_recording_says_that_it_is_not() {
    let whole = || close(FIRST, |_| {});
    assert_eq!(ends(|_| {}, whole()), (true, String::new()));
    let lost = |reason: &str| (false, reason.to_string());
    assert_eq!(ends(|tapes| drop(tapes.remove(1)), whole()), lost("recorder_behind"));
    assert_eq!(ends(|tapes| drop(tapes.pop()), whole()), lost("recorder_behind"), "the last one");
    // As long as it should be, and all the same not what was said.
    assert_eq!(ends(|tapes| tapes[1] = block(FIRST, 1, vec![0; 2 * BLOCK as usize]), whole()), lost("sound_lost"));
    assert_eq!(ends(|tapes| tapes[1] = block(FIRST, 1, said(0)), whole()), lost("sound_lost"));
    let mut changed = said(2);
    changed[77] ^= 1;
    assert_eq!(ends(|tapes| tapes[2] = block(FIRST, 2, changed), whole()), lost("sound_lost"));
}

#[test]
fn sound_that_was_received_and_found_no_place_is_missing() {
    let dropped = |samples| close(FIRST, move |proof| proof.dropped[1] = samples);
    assert_eq!(ends(|_| {}, dropped(2_000)), (true, String::new()), "a quarter of a second");
    assert_eq!(ends(|_| {}, dropped(2_001)), (false, "sound_dropped".into()));
}

#[test]
fn the_sidecar_says_how_much_sound_came_in_packets() {
    let folder = tempfile::tempdir().unwrap();
    let tapes = [vec![open(FIRST)], blocks(FIRST), vec![close(FIRST, |proof| proof.received = [6_400, 800])]].concat();
    run(folder.path(), Arc::new(OsDisk), tapes);
    let note: Note = serde_json::from_slice(&std::fs::read(folder.path().join(format!("{FIRST}.json"))).unwrap()).unwrap();
    assert_eq!((note.duration_ms, note.received_ms), (800, vec![800, 100]));
}

/// A disk on which a sidecar can't be replaced once, the first time that it says how a recording ended.
struct FullOnce(AtomicBool);

impl Disk for FullOnce {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        OsDisk.make_folder(folder)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        OsDisk.create(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(path)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        OsDisk.sync_folder(folder)
    }
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let ended = !String::from_utf8_lossy(content).contains("\"recording\": \"recording\"");
        let ended = ended && !String::from_utf8_lossy(content).contains("\"state\": \"recording\"");
        if ended && !self.0.swap(true, Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        OsDisk.replace(path, content)
    }
}

#[test]
fn a_sidecar_for_which_there_was_no_room_is_written_when_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let one = |text| [vec![open(text)], blocks(text), vec![close(text, |_| {})]].concat();
    let ends = run(folder.path(), Arc::new(FullOnce(AtomicBool::new(false))), [one(FIRST), one(SECOND)].concat());
    assert_eq!(ends, [(false, "disk_full".to_string()), (true, String::new())]);
    for (text, state, reason) in [(FIRST, State::Partial, "disk_full"), (SECOND, State::Complete, "")] {
        let note: Note = serde_json::from_slice(&std::fs::read(folder.path().join(format!("{text}.json"))).unwrap()).unwrap();
        assert_eq!((note.state, &*note.reason), (state, reason), "{text}");
        assert!(!note.sha256.is_empty());
    }
}

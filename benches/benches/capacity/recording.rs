//! Recording alone: how many streams one writer thread keeps up with, beside what the disk takes in order.

use crate::Asked;
use crate::table::Table;
use base::{CallId, ConversationId, RecordingId};
use benches::cpu;
use benches::pin;
use benches::sidecar::sidecar;
use media::placement::{BLOCK, Block};
use media::{Input, Tape};
use shell_media::{OsDisk, Tapes};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use vault::Keyring;
use vault::keys::MasterKey;

/// Streams that it must keep up with.
const STREAMS: f64 = 400.0;
/// Two channels of 16 bit at 8 kHz.
const BYTES_A_SECOND: u64 = 32_000;
const BLOCKS_A_SECOND: u64 = 5;
/// As the server has it.
const RING: usize = 12_288;
/// What the disk is given at once when it only writes.
const PART: usize = 1 << 20;

pub fn run(asked: &Asked, table: &mut Table) {
    let (streams, seconds) = (asked.number("--streams", 1_000, 3), asked.number("--recorded", 20, 1));
    let bytes = u64::from(streams) * u64::from(seconds) * BYTES_A_SECOND;
    let megabytes = bytes as f64 / 1e6;
    table.figure("recording alone", format!("{streams} streams of {seconds} s, {megabytes:.0} MB"));
    for (form, keys) in [("in the clear", None), ("sealed", Some(Arc::new(keys())))] {
        let folder = tempfile::tempdir().expect("a folder for the run");
        let disk = sequential(&folder.path().join("in-order"), bytes).expect("a disk with room");
        let took = record(folder.path(), streams, seconds, keys);
        let all = f64::from(streams) * f64::from(seconds);
        let (kept, closed) = (all / took.written.as_secs_f64(), all / took.closed.as_secs_f64());
        let target = if asked.measured { STREAMS } else { 0.0 };
        let said = format!("{kept:.0}, {:.0} MB/s; {:.2} of a core", megabytes / took.written.as_secs_f64(), took.writer);
        table.target(format!("  {form}: streams one writer keeps up with"), format!(">= {target}"), said, kept >= target);
        table.figure(
            "    until each is synced, read back and hashed",
            format!("{closed:.0}; opening one {:.2?}", took.opened / streams),
        );
        let (put, synced) = (megabytes / disk.put.as_secs_f64(), megabytes / disk.synced.as_secs_f64());
        let (ours, whole) =
            (disk.put.as_secs_f64() / took.written.as_secs_f64(), disk.synced.as_secs_f64() / took.closed.as_secs_f64());
        table.figure(
            "    the disk in order, and ours of it",
            format!("{put:.0} MB/s, {ours:.2}; synced {synced:.0} MB/s, {whole:.2}"),
        );
    }
}

struct Took {
    /// All of them, with key and note synced.
    opened: Duration,
    /// The last block is with the kernel.
    written: Duration,
    /// From the first block to the last recording that is on the disk and verified.
    closed: Duration,
    /// Of a core, while it wrote.
    writer: f64,
}

/// As fast as it goes. Writer and closer have one core, whoever makes the blocks the other.
fn record(folder: &Path, streams: u32, seconds: u32, keys: Option<Arc<Keyring>>) -> Took {
    let (tell, told) = channel();
    let (first, last) = pin::cores();
    pin::to(first);
    let sink = Arc::new(move |input| drop(tell.send(input)));
    let tapes = Tapes::start(folder.into(), Arc::new(OsDisk), keys, RING, sink).expect("threads");
    pin::to(last);
    let began = Instant::now();
    (1..=streams).for_each(|n| open(&tapes, &told, n));
    let opened = began.elapsed();
    let (before, began) = (writer(), Instant::now());
    let samples: Box<[i16]> = (0..2 * BLOCK).map(|n| (n * 7_919 % 16_000) as i16 - 8_000).collect();
    let blocks = u64::from(seconds) * BLOCKS_A_SECOND;
    for at in 0..blocks {
        for n in 1..=streams {
            let block = Block { first: at * BLOCK as u64, samples: samples.clone() };
            tapes.hand(Tape::Block { recording: recording(n), block });
        }
    }
    // One more: that it was begun says that everything before was written.
    open(&tapes, &told, streams + 1);
    let written = began.elapsed();
    let used = (writer() - before).as_secs_f64() / written.as_secs_f64();
    (1..=streams).for_each(|n| tapes.hand(Tape::Close { recording: recording(n), frames: blocks * BLOCK as u64, proof: None }));
    tapes.finish();
    let closed = began.elapsed();
    let whole = told.iter().filter(|input| matches!(input, Input::RecordingClosed { complete: true, .. })).count();
    assert!(whole >= streams as usize, "{whole} of {streams} are complete");
    Took { opened, written, closed, writer: used }
}

fn open(tapes: &Tapes, told: &Receiver<Input>, n: u32) {
    let recording = recording(n);
    let sidecar = sidecar(recording);
    tapes.hand(Tape::Open { recording, file: format!("bench/{n}").into(), sidecar, channels: 2 });
    while !matches!(told.recv().expect("the recorder runs"), Input::RecordingStarted { recording: begun } if begun == recording) {
    }
}

fn recording(n: u32) -> RecordingId {
    RecordingId { conversation: ConversationId { call: CallId { node: 1, epoch: 1, n }, n: 1 }, n: 1 }
}

fn keys() -> Keyring {
    let key = MasterKey::parse("bench", &"5a".repeat(32)).expect("32 bytes in hexadecimal");
    Keyring::new(vec![key]).expect("one key")
}

/// What the writer's thread has used.
fn writer() -> Duration {
    cpu::own().get("recorder").copied().unwrap_or_default()
}

struct Disk {
    put: Duration,
    synced: Duration,
}

/// One file, from its beginning to its end.
fn sequential(file: &Path, bytes: u64) -> io::Result<Disk> {
    let part: Vec<u8> = (0..PART).map(|n| (n * 7_919) as u8).collect();
    let mut out = File::create_new(file)?;
    let (began, mut left) = (Instant::now(), bytes);
    while left > 0 {
        let some = left.min(PART as u64);
        out.write_all(&part[..some as usize])?;
        left -= some;
    }
    let put = began.elapsed();
    out.sync_all()?;
    let synced = began.elapsed();
    std::fs::remove_file(file)?;
    Ok(Disk { put, synced })
}

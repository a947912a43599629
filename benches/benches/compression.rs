//! What FLAC makes of recordings, and what it costs: `cargo bench -p benches --bench compression`.
//!
//! Without more it takes conversations that it makes of the prompts' voices, through A-law as a trunk gives them: one
//! with lines that are silent between two words, and one with the noise of a room on both. `-- FOLDER` takes all WAVs
//! below a folder instead, such as a demonstration's recordings. Every stream is decoded and held against what it was.

// A bench that cannot go on says so and stops.
#![allow(clippy::unwrap_used)]

use base::Random;
use media::Law;
use rustix::time::{ClockId, clock_gettime};
use std::path::{Path, PathBuf};
use std::time::Duration;
use vault::flac::{Decoder, Encoder};
use vault::wav;

const RATE: u32 = 8_000;
/// Bytes that are handed over at once, as the keeper does.
const PIECE: usize = 1 << 16;
/// Frames of a conversation that is made here: twenty minutes.
const LONG: usize = 20 * 60 * RATE as usize;
/// Between two who speak by turns.
const PAUSE: usize = RATE as usize / 3;
/// So many calls, all day long, for what a disk needs.
const CALLS: f64 = 400.0;

fn main() {
    let folder = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    println!("{:<34} {:>8} {:>7} {:>10} {:>10} {:>12}", "recordings", "hours", "ratio", "CPU s / h", "to read", "400 calls, TB");
    match folder {
        Some(folder) => measure(&folder, &wavs(Path::new(&folder))),
        None => {
            let voices = voices();
            measure("two voices, silence between", &[conversation(&voices, 0)]);
            measure("two voices, a room's noise at -55 dB", &[conversation(&voices, 58)]);
            measure("two voices, a loud room at -45 dB", &[conversation(&voices, 184)]);
        }
    }
}

/// Stereo PCM of each.
fn measure(what: &str, all: &[Vec<u8>]) {
    let (mut before, mut after, mut encoding, mut decoding) = (0, 0, Duration::ZERO, Duration::ZERO);
    for pcm in all {
        let mut flac = vec![];
        let began = cpu();
        let mut encoder = Encoder::new(2, RATE, pcm.len() as u64 / 4, &mut flac).unwrap();
        pcm.chunks(PIECE).for_each(|piece| encoder.take(piece, &mut flac).unwrap());
        encoder.finish(&mut flac).unwrap();
        encoding += cpu() - began;
        let began = cpu();
        let mut decoder = Decoder::new(&flac[..]).unwrap();
        let (mut block, mut at) = (vec![], 0);
        while decoder.block(&mut block).unwrap() {
            assert!(pcm[at..].starts_with(&block), "it is not what it was");
            at += block.len();
        }
        assert_eq!(at, pcm.len());
        decoding += cpu() - began;
        (before, after) = (before + pcm.len(), after + flac.len());
    }
    let hours = before as f64 / f64::from(RATE) / 4.0 / 3_600.0;
    let ratio = after as f64 / before as f64;
    let a_day = CALLS * 24.0 * 3_600.0 * f64::from(RATE) * 4.0 * ratio / 1e12;
    let cost = |spent: Duration| spent.as_secs_f64() / hours;
    println!("{what:<34} {hours:>8.2} {ratio:>7.3} {:>10.2} {:>10.2} {a_day:>12.3}", cost(encoding), cost(decoding));
}

/// Of this thread.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The PCM of every WAV that is a recording's.
fn wavs(folder: &Path) -> Vec<Vec<u8>> {
    let read = |path: PathBuf| {
        let bytes = std::fs::read(path).ok()?;
        (wav::read(&bytes)? == (2, RATE)).then(|| bytes[wav::HEADER..].to_vec())
    };
    below(folder).into_iter().filter_map(read).collect()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut all: Vec<_> = files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "wav")).collect();
    all.extend(folders.iter().flat_map(|folder| below(folder)));
    all.sort();
    all
}

/// What the prompts say, at 8 kHz.
fn voices() -> Vec<Vec<i16>> {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr-flows");
    let spoken = |path: &PathBuf| {
        let mut wav = hound::WavReader::open(path).ok()?;
        let samples: Vec<i16> = wav.samples().collect::<Result<_, _>>().ok()?;
        media::resample::to_8k(&samples, wav.spec().sample_rate)
    };
    let voices: Vec<_> = below(&flows).iter().filter_map(spoken).filter(|v| v.len() > RATE as usize).collect();
    assert!(voices.len() > 10, "the prompts are not rendered");
    voices
}

/// Left and right by turns, each through A-law, over noise of this amplitude.
fn conversation(voices: &[Vec<i16>], noise: i32) -> Vec<u8> {
    let mut sides = [vec![], vec![]];
    for (turn, voice) in (0..).zip(voices.iter().cycle()) {
        let [speaks, listens] = if turn % 2 == 0 { [0, 1] } else { [1, 0] };
        sides[speaks].extend(voice);
        sides[speaks].extend([0; PAUSE]);
        let length = sides[speaks].len();
        sides[listens].resize(length, 0);
        if length > LONG {
            break;
        }
    }
    let mut dice = Random::from_seed(7);
    let mut line = |sample: i16| {
        let width = 2 * noise as u64 + 1;
        let noise = dice.below(width) as i32 - noise;
        let spoken = (i32::from(sample) + noise).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        Law::Pcma.decoder()[usize::from(Law::Pcma.encode(spoken))]
    };
    let [left, right] = &sides;
    left.iter().zip(right).flat_map(|(l, r)| [line(*l), line(*r)]).flat_map(i16::to_le_bytes).collect()
}

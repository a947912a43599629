//! Text and audio of every prompt agree: nobody hears what was changed since, and no file is silence.

// The tests read files of the repository; the core itself reads none.
#![allow(clippy::disallowed_methods)]

use ring::digest::{SHA256, digest};
use std::path::{Path, PathBuf};

fn sha256(bytes: &[u8]) -> String {
    let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Every file below the folders of prompts.
fn prompts(extension: &str) -> Vec<PathBuf> {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ivr-flows");
    let mut open = vec![flows];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.components().any(|part| part.as_os_str() == "prompts")
                && path.extension().is_some_and(|e| e == extension)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_text_was_rendered_as_it_stands() {
    let texts = prompts("txt");
    assert!(texts.len() > 300, "{} texts", texts.len());
    for path in texts {
        let written = std::fs::read_to_string(&path).unwrap();
        let (text, mark) = written.trim_end().split_once('\n').unwrap_or_else(|| panic!("{}: not rendered", path.display()));
        let audio =
            std::fs::read(path.with_extension("wav")).unwrap_or_else(|_| panic!("{}: no audio beside it", path.display()));
        let expected = format!("rendered from {} to {}", sha256(text.as_bytes()), sha256(&audio));
        assert_eq!(mark, expected, "{}: run ivr-flows/render.py", path.display());
    }
}

#[test]
fn every_audio_has_a_text_and_is_16_khz_mono_with_a_voice_in_it() {
    let mut total = 0;
    for path in prompts("wav") {
        assert!(path.with_extension("txt").exists(), "{}: no text beside it", path.display());
        let audio = std::fs::read(&path).unwrap();
        total += audio.len();
        let number = |at: usize| u32::from_le_bytes(audio[at..at + 4].try_into().unwrap());
        assert_eq!(&audio[..4], b"RIFF", "{}", path.display());
        // PCM, one channel; 16,000 samples and 32,000 bytes a second; two bytes each, of 16 bits.
        assert_eq!(
            [number(20), number(24), number(28), number(32)],
            [0x0001_0001, 16_000, 32_000, 0x0010_0002],
            "{}",
            path.display()
        );
        let samples: Vec<f64> =
            audio[44..].as_chunks().0.iter().map(|two| f64::from(i16::from_le_bytes(*two)) / 32_768.0).collect();
        let power = samples.iter().map(|s| s * s).sum::<f64>() / samples.len() as f64;
        let seconds = samples.len() as f64 / 16_000.0;
        assert!(
            (0.4..30.0).contains(&seconds) && power.sqrt() > 0.01,
            "{}: {seconds:.1} s, rms {:.4}",
            path.display(),
            power.sqrt()
        );
        assert!(samples.iter().all(|s| s.abs() < 0.99), "{}: clipped", path.display());
    }
    assert!(total < 28_000_000, "{total} bytes: the prompts are to stay small");
}

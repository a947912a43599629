//! Where the files of a recording lie and what the one beside the audio says.

use media::Sidecar;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of the header that hound writes for this format.
pub(crate) const WAV_HEADER: u64 = 44;
/// Bytes of one sample; a frame has one for each channel.
pub(crate) const SAMPLE_BYTES: u64 = 2;
pub(crate) const RATE: u32 = 8_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Recording,
    Complete,
    Partial,
}

/// The sidecar's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    #[serde(flatten)]
    pub about: Sidecar,
    /// Below the recordings folder, without extension.
    pub file: Arc<str>,
    pub state: State,
    /// Why it is partial; empty otherwise.
    pub reason: Arc<str>,
    pub sample_rate: u32,
    /// Left, right; or who is alone.
    pub channels: Vec<Arc<str>>,
    pub frames: u64,
    pub duration_ms: u64,
    /// Of the whole WAV file, in hexadecimal; empty while it is recorded.
    pub sha256: Arc<str>,
}

impl Note {
    /// What is written at the start.
    pub fn new(about: Sidecar, file: Arc<str>, channels: u16) -> Self {
        Note {
            about,
            file,
            state: State::Recording,
            reason: "".into(),
            sample_rate: RATE,
            channels: ["caller", "agent"].into_iter().take(channels.into()).map(Arc::from).collect(),
            frames: 0,
            duration_ms: 0,
            sha256: "".into(),
        }
    }

    /// At the end: partial if there is a reason.
    pub fn end(&mut self, frames: u64, sha256: Arc<str>, reason: &str) {
        self.state = if reason.is_empty() { State::Complete } else { State::Partial };
        self.reason = reason.into();
        self.frames = frames;
        self.duration_ms = frames / u64::from(RATE / 1_000);
        self.sha256 = sha256;
    }

    pub fn to_json(&self) -> io::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }
}

/// The WAV and the sidecar of a recording; `file` must stay below the folder.
pub(crate) fn paths(folder: &Path, file: &str) -> io::Result<(PathBuf, PathBuf)> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let part = |p: &str| !p.is_empty() && p.len() <= 128 && !p.starts_with('.') && p.bytes().all(allowed);
    if file.split('/').count() > 8 || !file.split('/').all(part) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected names of letters, digits, - _ . joined by /"));
    }
    let path = folder.join(file);
    Ok((add(&path, ".wav"), add(&path, ".json")))
}

/// Adds an extension; `with_extension` would cut a name with a dot in it.
fn add(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(extension);
    name.into()
}

/// The hash of a whole file, in hexadecimal.
pub(crate) fn sha256(path: &Path) -> io::Result<Arc<str>> {
    use std::io::Read;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => context.update(&buffer[..n]),
        }
    }
    Ok(context.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_folder() {
        let folder = Path::new("/var/rec");
        let (wav, json) = paths(folder, "acme/2026-10-01/1-3-42.c1.p1").unwrap();
        assert_eq!(wav, Path::new("/var/rec/acme/2026-10-01/1-3-42.c1.p1.wav"));
        assert_eq!(json, Path::new("/var/rec/acme/2026-10-01/1-3-42.c1.p1.json"));
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", ".hidden", "a\0b", "a b", "a\\b", "ñ"] {
            assert!(paths(folder, bad).is_err(), "{bad:?}");
        }
        assert!(paths(folder, &"x/".repeat(20)).is_err());
        assert!(paths(folder, &"x".repeat(300)).is_err());
    }
}

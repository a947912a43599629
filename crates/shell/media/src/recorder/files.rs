//! Where the files of a recording lie and what the one beside the audio says.

use media::Sidecar;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const RATE: u32 = 8_000;

/// What the audio is on disk, told by the file's extension, and by its header if it is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// In the clear: stereo or mono, 16 bit.
    #[default]
    Wav,
    /// In the clear, smaller ([`vault::flac`]).
    Flac,
    /// Samples, sealed ([`vault::sealed`]).
    Sealed,
    /// FLAC, sealed.
    SealedFlac,
}

impl Form {
    /// One of each extension, in the order in which audio is looked for: where a crash left two, the first counts.
    pub(crate) const FILES: [Form; 3] = [Form::Wav, Form::Flac, Form::Sealed];

    pub fn name(self) -> &'static str {
        match self {
            Form::Wav => "wav",
            Form::Flac => "flac",
            Form::Sealed => "sealed",
            Form::SealedFlac => "sealed_flac",
        }
    }

    /// The same, compressed.
    pub fn compressed(self) -> Form {
        match self {
            Form::Wav | Form::Flac => Form::Flac,
            Form::Sealed | Form::SealedFlac => Form::SealedFlac,
        }
    }

    pub fn is_sealed(self) -> bool {
        matches!(self, Form::Sealed | Form::SealedFlac)
    }

    pub fn extension(self) -> &'static str {
        match self {
            Form::Wav => ".wav",
            Form::Flac => ".flac",
            Form::Sealed | Form::SealedFlac => ".sealed",
        }
    }
}

/// Of what a sidecar's hash is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashOf {
    /// Of the WAV that an export gives, whatever the file is on disk.
    #[default]
    Wav,
    /// Of the file as it is on disk: there was no key to open it when a crash had cut it.
    File,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Recording,
    Complete,
    Partial,
    /// On purpose: the audio is gone, `reason` says why, the figures stay.
    Erased,
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
    /// In hexadecimal; empty while it is recorded.
    pub sha256: Arc<str>,
    #[serde(default)]
    pub sha256_of: HashOf,
    #[serde(default)]
    pub form: Form,
    /// The channels in which there is something but silence.
    #[serde(default)]
    pub heard: Vec<Arc<str>>,
    /// Of each channel, how much sound packets brought; the rest is silence, or was concealed. Empty where nobody knows:
    /// after a crash.
    #[serde(default)]
    pub received_ms: Vec<u64>,
}

impl Note {
    /// What is written at the start.
    pub fn new(about: Sidecar, file: Arc<str>, channels: u16, form: Form) -> Self {
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
            sha256_of: HashOf::Wav,
            form,
            heard: vec![],
            received_ms: vec![],
        }
    }

    /// Which channels are not silent, from left to right.
    pub fn hear(&mut self, heard: &[bool]) {
        let channels = self.channels.iter().zip(heard);
        self.heard = channels.filter(|(_, heard)| **heard).map(|(name, _)| name.clone()).collect();
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

/// Where a recording's files are: one for each extension, beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places(PathBuf);

impl Places {
    /// `file` must stay below the folder.
    pub fn new(folder: &Path, file: &str) -> io::Result<Places> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let part = |p: &str| !p.is_empty() && p.len() <= 128 && !p.starts_with('.') && p.bytes().all(allowed);
        if file.split('/').count() > 8 || !file.split('/').all(part) {
            let expected = "expected names of letters, digits, - _ . joined by /";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, expected));
        }
        Ok(Places(folder.join(file)))
    }

    pub fn audio(&self, form: Form) -> PathBuf {
        add(&self.0, form.extension())
    }

    pub fn sidecar(&self) -> PathBuf {
        add(&self.0, ".json")
    }

    /// The key of a sealed recording.
    pub fn key(&self) -> PathBuf {
        add(&self.0, ".key")
    }

    /// In which kind of file the audio is there; what is in a sealed one its header says.
    /// An error that is not its absence says nothing of it.
    pub fn file(&self) -> io::Result<Option<Form>> {
        for form in Form::FILES {
            match std::fs::metadata(self.audio(form)) {
                Ok(file) if file.is_file() => return Ok(Some(form)),
                Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    return Err(error);
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Bytes of audio on the disk, in every form in which it is there.
    pub fn bytes(&self) -> u64 {
        let length = |form| std::fs::metadata(self.audio(form)).map_or(0, |file| file.len());
        Form::FILES.into_iter().map(length).sum()
    }
}

/// Adds an extension; `with_extension` would cut a name with a dot in it.
pub(super) fn add(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(extension);
    name.into()
}

/// The hash of all that is read, in hexadecimal.
pub(crate) fn sha256(source: &mut dyn io::Read) -> io::Result<Arc<str>> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match source.read(&mut buffer)? {
            0 => break,
            n => context.update(&buffer[..n]),
        }
    }
    Ok(base::hex::encode(context.finish().as_ref()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_folder() {
        let folder = Path::new("/var/rec");
        let places = Places::new(folder, "acme/2026-10-01/1-3-42.c1.p1").unwrap();
        assert_eq!(places.audio(Form::Wav), Path::new("/var/rec/acme/2026-10-01/1-3-42.c1.p1.wav"));
        assert_eq!(places.sidecar(), Path::new("/var/rec/acme/2026-10-01/1-3-42.c1.p1.json"));
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", ".hidden", "a\0b", "a b", "a\\b", "ñ"] {
            assert!(Places::new(folder, bad).is_err(), "{bad:?}");
        }
        assert!(Places::new(folder, &"x/".repeat(20)).is_err());
        assert!(Places::new(folder, &"x".repeat(300)).is_err());
    }
}

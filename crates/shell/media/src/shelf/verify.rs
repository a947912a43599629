//! A recording on disk, read from end to end and held against what is on record.

use super::Shelf;
use crate::recorder::{Form, HashOf, Note, Places, RATE, SoundError, State, measure};
use base::RecordingId;
use serde::Serialize;
use vault::verdict::{Expected, Verdict, judge};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Complete,
    Partial,
    Failed,
    /// On purpose.
    Erased,
    /// It is still recorded.
    Running,
    /// There is a file of which the log knows nothing.
    Orphan,
}

/// What was found of one recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub recording: RecordingId,
    pub outcome: Outcome,
    /// Empty if it is complete.
    pub reason: String,
    pub form: Option<Form>,
    pub duration_ms: u64,
    /// The channels in which there is something but silence.
    pub heard: Vec<String>,
}

impl Verified {
    pub fn orphan(recording: RecordingId) -> Self {
        Verified::without(recording, Outcome::Orphan, "there is a file, and no row in the log")
    }

    pub fn running(recording: RecordingId) -> Self {
        Verified::without(recording, Outcome::Running, "it is still recorded")
    }

    pub fn unread(recording: RecordingId, error: &std::io::Error) -> Self {
        Verified::without(recording, Outcome::Failed, &format!("its file can't be looked at: {error}"))
    }

    pub fn missing(recording: RecordingId) -> Self {
        Verified::without(recording, Outcome::Failed, "there is a row in the log, and no file")
    }

    fn without(recording: RecordingId, outcome: Outcome, reason: &str) -> Self {
        Verified { recording, outcome, reason: reason.into(), form: None, duration_ms: 0, heard: vec![] }
    }
}

impl Shelf {
    /// `sha256` and `duration_ms` are the log's.
    pub fn verify(&self, file: &str, recording: RecordingId, sha256: Option<&str>, duration_ms: Option<u64>) -> Verified {
        let failed = |reason: &str| Verified::without(recording, Outcome::Failed, reason);
        let Ok(places) = Places::new(&self.folder, file) else { return failed("the log has a name that is none of ours") };
        let note = std::fs::read(places.sidecar()).ok().and_then(|json| serde_json::from_slice::<Note>(&json).ok());
        let Some(note) = note else {
            return match places.file() {
                Ok(None) => Verified::missing(recording),
                Ok(Some(_)) => failed("its sidecar is missing or is none of ours"),
                Err(error) => Verified::unread(recording, &error),
            };
        };
        match note.state {
            State::Erased => return Verified::without(recording, Outcome::Erased, &note.reason),
            State::Recording => return Verified::without(recording, Outcome::Running, ""),
            State::Complete | State::Partial => {}
        }
        let sound = match self.sound(file, recording) {
            Ok(sound) => sound,
            Err(SoundError::NoAudio) => return Verified::missing(recording),
            Err(error) => return failed(&error.to_string()),
        };
        let form = Some(sound.form());
        let content = match measure(sound) {
            Ok(content) => content,
            Err(error) => return failed(&error.to_string()),
        };
        // A hash of the file as a crash left it says nothing about the WAV.
        let hash = sha256.or(Some(&note.sha256)).filter(|_| note.sha256_of == HashOf::Wav);
        let partial = if note.state == State::Partial { &*note.reason } else { "" };
        let expected = Expected { frames: Some(note.frames), sha256: hash, partial };
        let (outcome, reason) = match judge(&expected, &content) {
            Verdict::Complete if duration_ms.is_some_and(|d| d != note.duration_ms) => {
                (Outcome::Failed, "length_differs".to_string())
            }
            Verdict::Complete => (Outcome::Complete, String::new()),
            Verdict::Partial(reason) => (Outcome::Partial, reason),
            Verdict::Failed(reason) => (Outcome::Failed, reason.to_string()),
        };
        let heard = note.channels.iter().zip(&content.heard).filter(|(_, heard)| **heard).map(|(name, _)| name.to_string());
        let duration_ms = content.frames / u64::from(RATE / 1_000);
        Verified { recording, outcome, reason, form, duration_ms, heard: heard.collect() }
    }
}

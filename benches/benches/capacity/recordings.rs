//! Every conversation's recording, listened to: is it as long as the conversation, and are both voices in it?

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use traffic::audio::FRAME;
use traffic::audio::tone::goertzel;
use traffic::{CallReport, ConversationReport, Report};

/// Milliseconds.
const OFF_MS: u64 = 250;
/// Of a frame's energy, where somebody speaks.
const CLEAR: f32 = 0.5;

#[derive(Clone, Debug, Default)]
pub struct Checked {
    conversations: usize,
    missing: usize,
    off: usize,
    voiceless: usize,
    most_off_ms: u64,
}

impl Checked {
    pub fn are_whole(&self) -> bool {
        self.conversations > 0 && self.missing + self.off + self.voiceless == 0
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked { conversations, missing, off, voiceless, most_off_ms } = self;
        write!(f, "{off} off, {voiceless} voiceless, {missing} missing of {conversations}; most {most_off_ms} ms")
    }
}

/// Against what the phones saw. They know a conversation by its Call-ID, which the note beside a recording has.
pub fn check(folder: &Path, report: &Report) -> Checked {
    let mut notes = BTreeMap::new();
    collect(folder, &mut notes);
    let callers: BTreeMap<&str, &CallReport> = report.calls.iter().map(|call| (call.from.as_str(), call)).collect();
    let tones: BTreeMap<&str, u32> = report.agents.iter().map(|agent| (agent.user.as_str(), agent.tone_hz)).collect();
    let mut checked = Checked::default();
    for one in &report.conversations {
        checked.conversations += 1;
        let call = callers.get(one.from.as_str());
        let caller = call.map_or(0, |call| call.tone_hz);
        let agent = tones.get(one.user.as_str()).copied().unwrap_or(0);
        match notes.get(&one.call_id).and_then(|wav| read(wav)) {
            Some(recorded) => checked.listen(lasted_ms(one, call.copied()), &recorded, [caller, agent]),
            None => checked.missing += 1,
        }
    }
    checked
}

/// From the agent's 200 to whichever BYE was sent first.
fn lasted_ms(one: &ConversationReport, call: Option<&CallReport>) -> u64 {
    let ends = [one.moments.hung_up_us, call.and_then(|call| call.moments.hung_up_us)];
    let (began, ended) = (one.moments.answered_us, ends.into_iter().flatten().min());
    began.zip(ended).map_or(one.talk_ms, |(began, ended)| ended.saturating_sub(began) / 1_000)
}

/// Recordings by each Call-ID that stands in the note beside them.
fn collect(folder: &Path, notes: &mut BTreeMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, notes);
        } else if path.extension().is_some_and(|kind| kind == "json")
            && let Some(note) = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok())
        {
            words(&note).into_iter().for_each(|word| drop(notes.insert(word, path.with_extension("wav"))));
        }
    }
}

/// Whatever text stands in a note: Call-IDs cannot be taken for anything else.
fn words(note: &Value) -> Vec<String> {
    match note {
        Value::String(word) => vec![word.clone()],
        Value::Array(all) => all.iter().flat_map(words).collect(),
        Value::Object(all) => all.values().flat_map(words).collect(),
        _ => vec![],
    }
}

/// Both channels.
fn read(wav: &Path) -> Option<[Vec<i16>; 2]> {
    let samples: Vec<i16> = hound::WavReader::open(wav).ok()?.into_samples().collect::<Result<_, _>>().ok()?;
    Some([0, 1].map(|side| samples.chunks_exact(2).filter_map(|both| both.get(side).copied()).collect()))
}

impl Checked {
    fn listen(&mut self, lasted_ms: u64, recorded: &[Vec<i16>; 2], tones: [u32; 2]) {
        let [left, _] = recorded;
        let off = (left.len() as u64 / 8).abs_diff(lasted_ms);
        self.most_off_ms = self.most_off_ms.max(off);
        self.off += usize::from(off > OFF_MS);
        let voice = |(side, hz): (&Vec<i16>, u32)| side.chunks_exact(FRAME).filter(|frame| speaks(frame, hz)).count() as u64 * 20;
        let spoken = recorded.iter().zip(tones).map(voice).min().unwrap_or(0);
        self.voiceless += usize::from(spoken + OFF_MS < lasted_ms);
    }
}

fn speaks(frame: &[i16], hz: u32) -> bool {
    let energy: f32 = frame.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    energy > 0.0 && goertzel(frame, hz) / energy > CLEAR
}

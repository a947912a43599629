//! Every conversation's recording, listened to: is it as long as the conversation, and are both voices in it?

use benches::server::program;
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
/// Of those that are wrong, so many are told of and kept.
const TOLD: usize = 10;
/// Of a frame's energy, where somebody speaks.
const CLEAR: f32 = 0.5;

#[derive(Clone, Debug, Default)]
pub struct Checked {
    conversations: usize,
    missing: usize,
    off: usize,
    /// Voices of which nothing is there, and those that are there for less than the conversation.
    voiceless: usize,
    short: usize,
    most_off_ms: u64,
    told: usize,
}

/// One conversation: how long it was, and who spoke in it.
struct Owed<'a> {
    one: &'a ConversationReport,
    call: Option<&'a CallReport>,
    lasted_ms: u64,
    /// The caller's tone, then the agent's.
    tones: [u32; 2],
}

impl Checked {
    pub fn are_whole(&self) -> bool {
        self.conversations > 0 && self.missing + self.off + self.voiceless + self.short == 0
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked { conversations, missing, off, voiceless, short, most_off_ms, .. } = self;
        write!(f, "{off} off, {voiceless} voiceless, {short} short, {missing} missing of {conversations}; most {most_off_ms} ms")
    }
}

/// Against what the phones saw. They know a conversation by its Call-ID, which the note beside a recording has. What is
/// not as it should be is told, and its file kept beside the programs of this build.
pub fn check(folder: &Path, report: &Report) -> Checked {
    let mut notes = BTreeMap::new();
    collect(folder, &mut notes);
    let callers: BTreeMap<&str, &CallReport> = report.calls.iter().map(|call| (call.from.as_str(), call)).collect();
    let tones: BTreeMap<&str, u32> = report.agents.iter().map(|agent| (agent.user.as_str(), agent.tone_hz)).collect();
    let mut checked = Checked::default();
    for one in &report.conversations {
        checked.conversations += 1;
        let call = callers.get(one.from.as_str()).copied();
        let tones = [call.map_or(0, |call| call.tone_hz), tones.get(one.user.as_str()).copied().unwrap_or(0)];
        let owed = Owed { one, call, lasted_ms: lasted_ms(one, call), tones };
        let wav = notes.get(&one.call_id);
        match wav.and_then(|wav| Some((wav, read(wav)?))) {
            Some((wav, recorded)) => checked.listen(&owed, &recorded, wav),
            None => {
                checked.missing += 1;
                eprintln!("no recording of {owed}");
            }
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
    fn listen(&mut self, owed: &Owed, recorded: &[Vec<i16>; 2], wav: &Path) {
        let [left, _] = recorded;
        let off = (left.len() as u64 / 8).abs_diff(owed.lasted_ms);
        self.most_off_ms = self.most_off_ms.max(off);
        self.off += usize::from(off > OFF_MS);
        let heard: Vec<Vec<bool>> = recorded.iter().zip(owed.tones).map(|(side, hz)| frames(side, hz)).collect();
        let mut wrong = off > OFF_MS;
        for voice in &heard {
            let spoken = voice.iter().filter(|speaks| **speaks).count() as u64 * 20;
            if spoken + OFF_MS < owed.lasted_ms {
                wrong = true;
                *(if spoken == 0 { &mut self.voiceless } else { &mut self.short }) += 1;
            }
        }
        if wrong && self.told < TOLD {
            self.told += 1;
            let [caller, agent] = [0, 1].map(|side| heard.get(side).map_or(String::new(), |voice| stretches(voice)));
            let kept = keep(wav);
            eprintln!("{owed}: {} ms recorded; caller heard {caller}; agent {agent}; {kept}", left.len() / 8);
        }
    }
}

impl fmt::Display for Owed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owed { one, call, lasted_ms, tones } = self;
        let answered = one.moments.answered_us.unwrap_or(0).cast_signed();
        let after = |us: Option<u64>| us.map_or("never".into(), |us| format!("{} ms", (us.cast_signed() - answered) / 1_000));
        let theirs = call.map(|call| call.moments).unwrap_or_default();
        write!(f, "conversation {} of {} ms, tones {tones:?}, of a call that was ", one.call_id, lasted_ms)?;
        write!(f, "{:?}, keys {:?}, ", call.map(|call| call.outcome), call.map(|call| call.keys.as_str()))?;
        write!(f, "sent {:?}; after the agent's 200: last key {}, ", call.map(|call| call.sent), after(theirs.key_us))?;
        write!(f, "caller heard the agent {} and hung up {}; ", after(theirs.heard_us), after(theirs.hung_up_us))?;
        write!(f, "agent heard the caller {} and hung up {}", after(one.moments.heard_us), after(one.moments.hung_up_us))
    }
}

/// Of each 20 ms whether this voice speaks in them.
fn frames(side: &[i16], hz: u32) -> Vec<bool> {
    side.chunks_exact(FRAME).map(|frame| speaks(frame, hz)).collect()
}

/// From when to when a voice is heard, in milliseconds.
fn stretches(voice: &[bool]) -> String {
    let mut told = vec![];
    let mut from = 0;
    for part in voice.chunk_by(|one, next| one == next) {
        if part.first() == Some(&true) {
            told.push(format!("{}-{}", from * 20, (from + part.len()) * 20));
        }
        from += part.len();
    }
    format!("[{}]", told.join(", "))
}

/// Where a recording and its note are looked at later.
fn keep(wav: &Path) -> String {
    let folder = program("capacity-recordings");
    let kept = fs::create_dir_all(&folder).ok().and_then(|()| {
        let to = folder.join(wav.file_name()?);
        fs::copy(wav, &to).ok()?;
        fs::copy(wav.with_extension("json"), to.with_extension("json")).ok()?;
        Some(to)
    });
    kept.map_or("not kept".into(), |to| to.display().to_string())
}

fn speaks(frame: &[i16], hz: u32) -> bool {
    let energy: f32 = frame.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    energy > 0.0 && goertzel(frame, hz) / energy > CLEAR
}

//! Recordings that are compressed once they are closed: nothing that is heard of them changes, and no crash costs one.

use crate::common::*;
use crate::recordings::killed;
use crate::sealed::recorded;
use shell_media::{Compressed, Form, Found, NotCompressed, Outcome, Shelf, SoundError, repair};
use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub fn shelf(folder: &Path) -> Shelf {
    Shelf::new(folder.into(), Some(Arc::new(keys(&["2026"]))))
}

pub fn wav(shelf: &Shelf) -> Vec<u8> {
    let mut bytes = vec![];
    shelf.sound(FILE, RECORDING).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

pub fn at(folder: &Path, extension: &str) -> PathBuf {
    folder.join(format!("{FILE}{extension}"))
}

/// The extensions that are there.
pub fn there(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(at(folder, "").parent().unwrap()).unwrap();
    let mut all: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all.iter().filter_map(|name| Some(name.strip_prefix("1-1-1.c1.p1")?.to_string())).collect()
}

/// The same conversation in the clear.
pub fn in_the_clear(folder: &Path) -> Vec<u8> {
    let bytes = wav(&shelf(folder));
    std::fs::write(at(folder, ".wav"), &bytes).unwrap();
    std::fs::remove_file(at(folder, ".sealed")).unwrap();
    std::fs::remove_file(at(folder, ".key")).unwrap();
    let mut note: serde_json::Value = serde_json::from_slice(&std::fs::read(at(folder, ".json")).unwrap()).unwrap();
    note["form"] = "wav".into();
    std::fs::write(at(folder, ".json"), note.to_string()).unwrap();
    bytes
}

fn smaller(compressed: Compressed) -> bool {
    matches!(compressed, Compressed::Smaller { from, to } if to > 0 && to < from)
}

#[test]
fn a_sealed_conversation_stays_sealed_and_gives_back_every_bit() {
    let room = recorded();
    let folder = room.folder.path();
    let shelf = shelf(folder);
    let before = wav(&shelf);
    assert!(smaller(shelf.compress(FILE, RECORDING).unwrap()));
    assert_eq!(there(folder), [".json", ".key", ".sealed"]);
    assert_eq!(shelf.compress(FILE, RECORDING).unwrap(), Compressed::Already);
    assert!(wav(&shelf) == before);
    let mut sound = shelf.sound(FILE, RECORDING).unwrap();
    for at in [50_000, 30_001, 0, 44, before.len() - 1, 16_428, 16_427, before.len()] {
        sound.seek(SeekFrom::Start(at as u64)).unwrap();
        let mut rest = vec![];
        sound.read_to_end(&mut rest).unwrap();
        assert!(rest == before[at..], "from {at}");
    }
    let verified = shelf.verify(FILE, RECORDING, None, None);
    assert_eq!((verified.outcome, verified.form), (Outcome::Complete, Some(Form::SealedFlac)));
    assert!(matches!(shelf.find(FILE).unwrap(), Found::Audio { form: Form::SealedFlac, bytes } if bytes < before.len() as u64));
    let stranger = Shelf::new(folder.into(), Some(Arc::new(keys(&["2027"]))));
    assert!(matches!(stranger.sound(FILE, RECORDING), Err(SoundError::Key(_))));
    assert!(shelf.erase(FILE, "asked for").unwrap());
    assert_eq!(there(folder), [".json"]);
    assert_eq!(shelf.find(FILE).unwrap(), Found::Erased { why: "asked for".into() });
    assert_eq!(shelf.compress(FILE, RECORDING).unwrap(), Compressed::Nothing);
}

#[test]
fn one_in_the_clear_is_never_without_its_audio_whenever_it_is_cut_short() {
    let room = recorded();
    let folder = room.folder.path();
    let before = in_the_clear(folder);
    let shelf = shelf(folder);
    // A crash while it was encoded.
    std::fs::write(at(folder, ".flac.new"), "half").unwrap();
    assert!(smaller(shelf.compress(FILE, RECORDING).unwrap()));
    assert_eq!(there(folder), [".flac", ".json"]);
    assert!(wav(&shelf) == before);
    // A crash before the old audio was removed.
    std::fs::write(at(folder, ".wav"), &before).unwrap();
    assert!(wav(&shelf) == before);
    assert!(smaller(shelf.compress(FILE, RECORDING).unwrap()));
    assert_eq!(there(folder), [".flac", ".json"]);
    // And one while it was erased meanwhile.
    std::fs::write(at(folder, ".flac.new"), "half").unwrap();
    shelf.erase(FILE, "asked for").unwrap();
    assert_eq!(there(folder), [".json"]);
}

#[test]
fn sound_that_a_crash_left_beside_a_recording_is_gone_after_the_next_start() {
    let room = recorded();
    let folder = room.folder.path();
    for left in [".flac.new", ".sealed.new"] {
        std::fs::write(at(folder, left), "half").unwrap();
    }
    let other = at(folder, "").with_file_name("notes.flac.new");
    std::fs::write(&other, "not ours").unwrap();
    repair(folder, &BTreeSet::new(), None).unwrap();
    assert_eq!(there(folder), [".json", ".key", ".sealed"]);
    assert!(other.exists(), "what has no recording's name is nobody's business");
}

#[test]
fn what_is_not_what_was_recorded_is_left_as_it_is() {
    let room = recorded();
    let folder = room.folder.path();
    let mut bytes = in_the_clear(folder);
    bytes[9_000] ^= 1;
    std::fs::write(at(folder, ".wav"), &bytes).unwrap();
    assert!(matches!(shelf(folder).compress(FILE, RECORDING), Err(NotCompressed::Differs)));
    assert_eq!(there(folder), [".json", ".wav"]);
    assert!(std::fs::read(at(folder, ".wav")).unwrap() == bytes);
}

#[test]
fn a_stream_that_was_cut_or_changed_is_an_error_and_never_silence() {
    let room = recorded();
    let folder = room.folder.path();
    in_the_clear(folder);
    let shelf = shelf(folder);
    shelf.compress(FILE, RECORDING).unwrap();
    let whole = std::fs::read(at(folder, ".flac")).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for bytes in [&whole[..whole.len() - 1], &whole[..42], &whole[..10], &changed] {
        std::fs::write(at(folder, ".flac"), bytes).unwrap();
        assert_eq!(shelf.verify(FILE, RECORDING, None, None).outcome, Outcome::Failed, "{} bytes", bytes.len());
    }
}

#[test]
fn what_a_crash_had_cut_is_still_known_to_be_cut() {
    let folder = killed(true);
    let folder = folder.path();
    assert_eq!(shelf(folder).compress(FILE, RECORDING).unwrap(), Compressed::Nothing, "it is still recorded");
    repair(folder, &BTreeSet::new(), Some(&keys(&["2026"]))).unwrap();
    let before = wav(&shelf(folder));
    assert!(smaller(shelf(folder).compress(FILE, RECORDING).unwrap()));
    assert!(wav(&shelf(folder)) == before);
    assert!(!shelf(folder).sound(FILE, RECORDING).unwrap().is_whole());
    let verified = shelf(folder).verify(FILE, RECORDING, None, None);
    assert_eq!((verified.outcome, verified.reason.as_str()), (Outcome::Partial, "node_lost"));
}

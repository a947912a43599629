//! The process ends after each step that the shelf asks of the disk, at a write in the middle of it. After the next start a
//! recording is as it was or as it should be, and nothing between.

use crate::common::*;
use crate::compressed::{at, in_the_clear, shelf, there, wav};
use crate::disk::Faulty;
use crate::sealed::recorded;
use shell_media::{Compressed, Found, Outcome, Shelf, repair};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Two seconds of both; nobody records into it any more.
struct Recorded {
    folder: tempfile::TempDir,
    wav: Vec<u8>,
}

fn conversation(sealed: bool) -> Recorded {
    let mut room = recorded();
    let wav = if sealed { wav(&shelf(room.folder.path())) } else { in_the_clear(room.folder.path()) };
    if let Some(plane) = room.handle.take() {
        plane.stop();
    }
    Recorded { folder: room.folder, wav }
}

/// Each time in a copy, whose process ends one step later; `check` is shown what the next start finds. How many ends.
fn at_every_step(of: &Recorded, ids: &[&str], act: impl Fn(&Shelf), check: impl Fn(&Path, &Shelf)) -> usize {
    let keys = Arc::new(keys(ids));
    for steps in 0.. {
        let copy = tempfile::tempdir().unwrap();
        let folder = copy.path();
        fs::create_dir_all(at(folder, "").parent().unwrap()).unwrap();
        for extension in there(of.folder.path()) {
            fs::copy(at(of.folder.path(), &extension), at(folder, &extension)).unwrap();
        }
        let (disk, asked) = Faulty::ends_after(steps);
        act(&Shelf::on(disk, folder.into(), Some(keys.clone())));
        assert_eq!(repair(folder, &BTreeSet::new(), Some(&keys)).unwrap(), [], "none was open");
        check(folder, &Shelf::new(folder.into(), Some(keys.clone())));
        if asked.load(Ordering::Relaxed) <= steps {
            return steps;
        }
    }
    unreachable!()
}

fn is_whole(shelf: &Shelf, before: &[u8], when: &str) {
    assert!(wav(shelf) == before, "{when}");
    assert_eq!(shelf.verify(FILE, RECORDING, None, None).outcome, Outcome::Complete, "{when}");
}

#[test]
fn a_compression_that_ends_anywhere_costs_no_sound_and_leaves_nothing_half_done() {
    for sealed in [false, true] {
        let of = conversation(sealed);
        let after: &[&str] = if sealed { &[".json", ".key", ".sealed"] } else { &[".flac", ".json"] };
        let check = |folder: &Path, shelf: &Shelf| {
            let found = there(folder);
            is_whole(shelf, &of.wav, &format!("{found:?}"));
            assert!(found.iter().all(|name| !name.ends_with(".new")), "{found:?}");
            let compressed = shelf.compress(FILE, RECORDING).unwrap();
            assert!(matches!(compressed, Compressed::Smaller { .. } | Compressed::Already), "{found:?}");
            is_whole(shelf, &of.wav, &format!("{found:?}, and compressed again"));
            assert_eq!(there(folder), after);
        };
        let ends = at_every_step(&of, &["2026"], |shelf| drop(shelf.compress(FILE, RECORDING)), check);
        assert!(ends > 10, "{ends}");
    }
}

#[test]
fn an_erasure_that_ends_anywhere_is_finished_by_the_next_one_and_no_key_outlives_its_sound() {
    for (sealed, compressed, twice) in [(false, false, false), (false, true, true), (true, true, false)] {
        let of = conversation(sealed);
        if compressed {
            shelf(of.folder.path()).compress(FILE, RECORDING).unwrap();
        }
        if twice {
            fs::write(at(of.folder.path(), ".wav"), &of.wav).unwrap();
        }
        let all = there(of.folder.path());
        let check = |folder: &Path, shelf: &Shelf| {
            let found = there(folder);
            if found == all && !matches!(shelf.find(FILE).unwrap(), Found::Erased { .. }) {
                is_whole(shelf, &of.wav, "not begun");
            } else if sealed {
                assert!(shelf.sound(FILE, RECORDING).is_err(), "{found:?}: the key goes first");
            }
            shelf.erase(FILE, "asked for").unwrap();
            assert_eq!(there(folder), [".json"], "{found:?}");
            assert_eq!(shelf.find(FILE).unwrap(), Found::Erased { why: "asked for".into() });
        };
        let ends = at_every_step(&of, &["2026"], |shelf| drop(shelf.erase(FILE, "asked for")), check);
        assert!(ends > 5, "{ends}");
    }
}

#[test]
fn a_key_that_is_wrapped_anew_opens_wherever_that_ends() {
    let of = conversation(true);
    let check = |folder: &Path, shelf: &Shelf| {
        is_whole(shelf, &of.wav, &format!("{:?}", there(folder)));
        assert_eq!(there(folder), [".json", ".key", ".sealed"]);
        shelf.rekey(FILE, RECORDING).unwrap();
        is_whole(&Shelf::new(folder.into(), Some(Arc::new(keys(&["2027"])))), &of.wav, "by the new key alone");
    };
    let ends = at_every_step(&of, &["2027", "2026"], |shelf| drop(shelf.rekey(FILE, RECORDING)), check);
    assert!(ends > 4, "{ends}");
}

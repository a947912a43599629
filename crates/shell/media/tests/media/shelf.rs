//! Recordings that are closed: verified, erased, their keys wrapped anew.

use crate::common::*;
use crate::disk::{Fate, Faulty};
use crate::recordings::killed;
use crate::sealed::recorded;
use shell_media::{NotErased, Outcome, Rekeyed, Shelf, repair};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

fn shelf(folder: &Path, ids: &[&str]) -> Shelf {
    Shelf::new(folder.into(), Some(Arc::new(keys(ids))))
}

#[test]
fn a_recording_is_verified_against_the_log_and_erased_with_its_key() {
    let room = recorded();
    let (folder, note) = (room.folder.path(), room.note());
    let shelf = shelf(folder, &["2026"]);
    let (hash, length) = (note["sha256"].as_str().unwrap(), note["duration_ms"].as_u64());
    let verify = |hash, length| shelf.verify(FILE, RECORDING, Some(hash), length);
    let good = verify(hash, length);
    assert_eq!((good.outcome, good.reason.as_str(), Some(good.duration_ms)), (Outcome::Complete, "", length));
    assert_eq!(good.heard, ["caller", "agent"]);
    assert_eq!(note["heard"], serde_json::json!(["caller", "agent"]), "the sidecar says it too");
    let zeros = "0".repeat(64);
    let wrong = [verify(&zeros, length), verify(hash, Some(1))].map(|v| (v.outcome, v.reason));
    assert_eq!(wrong, [(Outcome::Failed, "content_differs".into()), (Outcome::Failed, "length_differs".into())]);

    let path = folder.join(format!("{FILE}.sealed"));
    let mut file = std::fs::read(&path).unwrap();
    file[5_000] ^= 1;
    std::fs::write(&path, &file).unwrap();
    assert_eq!(verify(hash, length).outcome, Outcome::Failed);
    let whole = file.len();
    file[5_000] ^= 1;
    file.truncate(32 + 12_820);
    std::fs::write(&path, &file).unwrap();
    assert_eq!(verify(hash, length).reason, "length_differs", "{whole} bytes were cut");

    let mut found = vec![];
    shelf
        .walk(&mut |file, id| {
            found.len() < 9 && {
                found.push((file.to_string(), id));
                true
            }
        })
        .unwrap();
    assert_eq!(found, [(FILE.to_string(), RECORDING)]);
    assert!(shelf.erase(FILE, "asked for").unwrap());
    assert!(!shelf.erase(FILE, "again").unwrap());
    let erased = verify(hash, length);
    assert_eq!((erased.outcome, erased.reason.as_str()), (Outcome::Erased, "asked for"));
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["1-1-1.c1.p1.json"]);
    assert_eq!(repair(folder, &BTreeSet::new(), None).unwrap(), []);
    std::fs::remove_file(path.with_extension("json")).unwrap();
    assert_eq!(verify(hash, length).reason, "there is a row in the log, and no file");
}

#[test]
fn a_volume_that_goes_away_while_something_is_erased_makes_it_an_error_and_leaves_no_folder() {
    for sidecar in [true, false] {
        let room = recorded();
        let (folder, away) = (room.folder.path().join("mount"), room.folder.path().join("away"));
        let first = FILE.split('/').next().unwrap();
        std::fs::create_dir(&folder).unwrap();
        std::fs::rename(room.folder.path().join(first), folder.join(first)).unwrap();
        if !sidecar {
            std::fs::remove_file(folder.join(format!("{FILE}.json"))).unwrap();
        }
        let (mount, aside) = (folder.clone(), away.clone());
        let disk = Faulty::disk(move |_| {
            if !aside.exists() {
                std::fs::rename(&mount, &aside).unwrap();
                std::fs::create_dir(&mount).unwrap();
            }
            Fate::Done
        });
        let shelf = Shelf::on(disk, folder.clone(), Some(Arc::new(keys(&["2026"]))));
        assert!(matches!(shelf.erase(FILE, "asked for"), Err(NotErased::Io(_))), "with a sidecar: {sidecar}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is made where the volume would be");
        for kind in ["key", "sealed"] {
            assert!(away.join(format!("{FILE}.{kind}")).exists());
        }
    }
}

#[test]
fn a_recording_that_runs_is_not_erased_and_one_that_a_crash_cut_is_partial() {
    let folder = killed(true);
    let shelf = shelf(folder.path(), &["2026"]);
    assert!(matches!(shelf.erase(FILE, "too early"), Err(NotErased::Running)));
    assert_eq!(shelf.verify(FILE, RECORDING, None, None).outcome, Outcome::Running);
    let repaired = repair(folder.path(), &BTreeSet::new(), Some(&keys(&["2026"]))).unwrap();
    let verified = shelf.verify(FILE, RECORDING, Some(&repaired[0].sha256), Some(repaired[0].duration_ms));
    assert_eq!((verified.outcome, verified.reason.as_str()), (Outcome::Partial, "node_lost"));
}

#[test]
fn another_master_key_wraps_anew_and_leaves_the_audio_alone() {
    let room = recorded();
    let folder = room.folder.path();
    let path = folder.join(format!("{FILE}.sealed"));
    let before = std::fs::read(&path).unwrap();
    let both = shelf(folder, &["2027", "2026"]);
    assert!(shelf(folder, &["2027"]).rekey(FILE, RECORDING).is_err(), "the old key is needed for it");
    assert_eq!(both.rekey(FILE, RECORDING).unwrap(), Some(Rekeyed::Wrapped));
    assert_eq!(both.rekey(FILE, RECORDING).unwrap(), Some(Rekeyed::Kept));
    assert!(std::fs::read(&path).unwrap() == before);
    assert!(shelf(folder, &["2026"]).sound(FILE, RECORDING).is_err());
    let (left, _) = heard(shelf(folder, &["2027"]).sound(FILE, RECORDING).unwrap());
    assert!(media::tone::carries(&left[onset(&left)..], 8_000, 440.0));
}

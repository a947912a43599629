//! The process ends after each step of a round of the keeper, or of an erasure that a person asked for. What the next
//! start finds is held against what was promised: folder, catalogue, holds and the log of accesses agree.

use super::super::super::shelf::tests::{filled, id, open};
use super::{forms, round};
use crate::node::shelf::Shelf;
use shell_media::{Disk, DiskFile, Found, OsDisk, repair};
use shell_web::{HoldAsk, Shelf as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

/// The recordings: due, due and held, young.
const AGES: &[i64] = &[9, 9, 2];
const RULES: &str = "[retention]\nmaximum = \"5d\"\n[compression]\nform = \"flac\"\nafter = \"1d\"\n";

/// Keeps how everything stood after each step, and before it if something was written elsewhere meanwhile: as a process
/// that is killed there would leave it.
struct Moments {
    of: PathBuf,
    kept: Arc<Mutex<Vec<tempfile::TempDir>>>,
    /// Of the data folder's files, when it was looked at last.
    sizes: Mutex<Vec<u64>>,
}

impl Moments {
    fn keep(&self) {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.of, copy.path());
        self.kept.lock().unwrap().push(copy);
    }

    fn around<T>(&self, step: impl FnOnce() -> T) -> T {
        let data = fs::read_dir(self.of.join("data")).unwrap();
        let sizes: Vec<u64> = data.map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
        if *self.sizes.lock().unwrap() != sizes {
            *self.sizes.lock().unwrap() = sizes;
            self.keep();
        }
        let done = step();
        self.keep();
        done
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

impl Disk for Moments {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        self.around(|| OsDisk.make_folder(folder))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.around(|| OsDisk.create(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.around(|| OsDisk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.around(|| OsDisk.remove(path))
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.around(|| OsDisk.sync_folder(folder))
    }
}

/// Three recordings, one of them held, and every moment of `act`.
fn moments(rules: &str, act: impl FnOnce(Shelf)) -> Vec<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), rules, AGES));
    let (mut keeper, _runs) = round(open(folder.path(), ""));
    keeper.beat(false);
    assert_eq!(forms(&keeper, 3), ["wav"; 3]);
    drop(keeper);
    let mut shelf = open(folder.path(), rules);
    let held = HoldAsk { recording: Some(id(2)), ..HoldAsk::default() };
    shelf.hold("ana", &held, "a lawsuit").unwrap().unwrap();
    let kept = Arc::<Mutex<Vec<_>>>::default();
    let disk = Moments { of: folder.path().into(), kept: kept.clone(), sizes: Mutex::default() };
    shelf.files = shell_media::Shelf::on(Arc::new(disk), folder.path().join("recordings"), None);
    act(shelf);
    std::mem::take(&mut kept.lock().unwrap())
}

/// What each recording is by folder and catalogue, which must say the same; it plays, or is gone for good.
fn agrees(shelf: &Shelf, n: u32, when: &str) -> &'static str {
    let row = shelf.store.recording(id(n)).unwrap().unwrap();
    let file = row.file.clone().unwrap();
    let found = shelf.files.find(&file).unwrap();
    let (_, form, bytes) = super::super::seen(id(n), &found);
    assert_eq!((row.form.as_deref(), row.bytes), (Some(form), Some(bytes)), "{n} {when}");
    let outcome = shelf.verify(id(n)).unwrap().unwrap().outcome;
    match found {
        Found::Audio { .. } => assert_eq!(outcome, "complete", "{n} {when}"),
        Found::Erased { .. } => assert_eq!(outcome, "erased", "{n} {when}"),
        Found::Missing => panic!("{n} is nowhere {when}"),
    }
    outcome
}

fn nothing_half_done(folder: &Path, when: &str) {
    let day = fs::read_dir(folder.join("recordings/2026/11/22")).unwrap();
    let names: BTreeSet<String> = day.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.ends_with(".new")), "{names:?} {when}");
}

fn erased_by_log(shelf: &Shelf, n: u32) -> bool {
    shelf.accesses().unwrap().contains(&format!("\"act\":\"erase\",\"recording\":\"{}\"", id(n)))
}

#[test]
fn wherever_a_round_ends_the_next_start_finds_what_was_promised_and_finishes_it() {
    let moments = moments(RULES, |shelf| round(shelf).0.beat(true));
    assert!(moments.len() > 40, "{}", moments.len());
    for (n, moment) in moments.iter().enumerate() {
        let (folder, when) = (moment.path(), format!("at moment {n}"));
        repair(&folder.join("recordings"), &BTreeSet::new(), None).unwrap();
        nothing_half_done(folder, &when);
        // Nothing is due by these rules: what was begun is finished, and nothing else.
        let (mut keeper, _runs) = round(open(folder, ""));
        keeper.beat(false);
        for of in 1..=3 {
            let outcome = agrees(&keeper.shelf, of, &when);
            assert_eq!(outcome == "erased", erased_by_log(&keeper.shelf, of), "{of} {when}");
        }
        assert_eq!(agrees(&keeper.shelf, 2, &when), "complete", "it is held");
        assert_eq!(agrees(&keeper.shelf, 3, &when), "complete", "it is young");
        assert_eq!(keeper.kept.alarms(), Vec::<String>::new(), "{when}");
        drop(keeper);
        let (mut keeper, _runs) = round(open(folder, RULES));
        keeper.beat(true);
        assert_eq!(forms(&keeper, 3), ["erased", "flac", "flac"], "{when}");
        nothing_half_done(folder, &when);
    }
}

#[test]
fn an_erasure_that_a_person_asked_for_is_finished_by_the_next_start_and_by_nobody_who_hears_of_a_hold() {
    let moments = moments("", |shelf| drop(shelf.erase("ana", id(1), "asked for", false).unwrap()));
    assert!(moments.len() > 8, "{}", moments.len());
    for (n, moment) in moments.iter().enumerate() {
        let (folder, when) = (moment.path(), format!("at moment {n}"));
        repair(&folder.join("recordings"), &BTreeSet::new(), None).unwrap();
        let (mut keeper, _runs) = round(open(folder, ""));
        let is_begun = forms(&keeper, 1) == ["erasing"];
        assert!(is_begun, "{when}");
        if n == 0 {
            let held = HoldAsk { recording: Some(id(1)), ..HoldAsk::default() };
            let hold = keeper.shelf.hold("ana", &held, "a lawsuit").unwrap().unwrap();
            keeper.beat(false);
            assert_eq!(agrees(&keeper.shelf, 1, &when), "complete", "held before anything of it was gone");
            keeper.shelf.release("ana", hold.hold, "over").unwrap();
            continue;
        }
        keeper.beat(false);
        assert_eq!(agrees(&keeper.shelf, 1, &when), "erased");
    }
}

#[test]
fn an_erasure_of_which_only_the_log_of_accesses_knows_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[9, 9]);
    shelf.note("ana", vault::access::Act::Verify, "all", "so that the store knows the log").unwrap();
    drop(shelf);
    let log = shell_media::AccessLog::open(&folder.path().join("data/recording-access.log")).unwrap();
    let erase = vault::access::Access {
        at: "2026-11-23T12:00:00Z".into(),
        who: "ana".into(),
        act: vault::access::Act::Erase,
        recording: id(1).to_string(),
        why: "asked for".into(),
        refused: None,
    };
    log.note(&erase, |_| {}).unwrap();
    // What was refused is no erasure.
    let held = vault::access::Access { recording: id(2).to_string(), refused: Some("held".into()), ..erase };
    log.note(&held, |_| {}).unwrap();
    let (mut keeper, _runs) = round(open(folder.path(), ""));
    keeper.beat(false);
    assert_eq!(forms(&keeper, 2), ["erased", "wav"]);
    assert_eq!(agrees(&keeper.shelf, 1, "after a start"), "erased");
}

//! What goes wrong while recordings are erased and compressed, and what the catalogue says of it then.

use super::super::super::shelf::tests::{filled, id, open};
use super::{forms, round, there};
use crate::node::keeper::WHO;
use crate::node::shelf::Shelf;
use shell_media::{Disk, DiskFile, OsDisk};
use shell_web::{Accept, Fault, Shelf as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, io};

/// Of a file.
#[derive(PartialEq)]
enum Step {
    Make,
    Remove,
}

type Refuses = dyn Fn(Step, &Path) -> Option<io::ErrorKind> + Send + Sync;

/// A disk that refuses to make or remove some files.
struct Refusing(Box<Refuses>);

impl Refusing {
    fn lets(&self, step: Step, path: &Path) -> io::Result<()> {
        (self.0)(step, path).map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl Disk for Refusing {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        OsDisk.make_folder(folder)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.lets(Step::Make, path)?;
        OsDisk.create(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.lets(Step::Remove, path)?;
        OsDisk.remove(path)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        OsDisk.sync_folder(folder)
    }
}

fn on(mut shelf: Shelf, folder: &Path, refuses: impl Fn(Step, &Path) -> Option<io::ErrorKind> + Send + Sync + 'static) -> Shelf {
    shelf.files = shell_media::Shelf::on(Arc::new(Refusing(Box::new(refuses))), folder.join("recordings"), None);
    shelf
}

/// As long as it is true, no audio can be removed.
fn no_audio_goes(broken: &Arc<AtomicBool>) -> impl Fn(Step, &Path) -> Option<io::ErrorKind> + Send + Sync + 'static {
    let broken = broken.clone();
    move |_, path| {
        let refused = broken.load(Ordering::Relaxed) && path.extension().is_some_and(|kind| kind == "wav");
        refused.then_some(io::ErrorKind::PermissionDenied)
    }
}

/// One that a person wanted erased, of which the disk lets nothing go, so that it is "erasing"; then a restart.
fn begun(folder: &Path) {
    let broken = Arc::new(AtomicBool::new(true));
    let (mut keeper, _runs) = round(on(filled(folder, "", &[9, 9]), folder, no_audio_goes(&broken)));
    keeper.beat(false);
    assert!(matches!(keeper.shelf.erase("ana", id(1), "asked for by her", false), Err(Fault::Failed(_))));
    assert_eq!(forms(&keeper, 1), ["erasing"]);
    assert!(there(folder, "1-1-1.c1.p1.wav"));
}

fn sidecar(folder: &Path, n: u32) -> String {
    fs::read_to_string(folder.join(format!("recordings/2026/11/22/{}.json", id(n)))).unwrap()
}

#[test]
fn an_erasure_waits_while_the_log_of_accesses_is_in_doubt_and_is_finished_after_it() {
    let folder = tempfile::tempdir().unwrap();
    begun(folder.path());
    let log = folder.path().join("data/recording-access.log");
    fs::write(&log, fs::read_to_string(&log).unwrap().replace("ana", "bea")).unwrap();
    let (mut keeper, _runs) = round(open(folder.path(), ""));
    keeper.beat(false);
    assert_eq!(forms(&keeper, 1), ["erasing"]);
    assert!(there(folder.path(), "1-1-1.c1.p1.wav"), "a hold may be missing");
    let alarm = keeper.kept.alarms().remove(0);
    assert!(alarm.contains("1-1-1.c1.p1 can't be deleted: the log of accesses was changed"), "{alarm}");
    keeper.shelf.accept("dan", Accept::Log, "a disk was changed").unwrap();
    keeper.beat(false);
    assert_eq!(forms(&keeper, 2), ["erased", "wav"]);
    assert!(sidecar(folder.path(), 1).contains("it was cut short, and finished later"));
}

#[test]
fn what_is_finished_later_says_why_it_was_asked_for_and_only_retentions_own_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    begun(folder.path());
    let (mut keeper, _runs) = round(open(folder.path(), ""));
    keeper.beat(false);
    assert!(sidecar(folder.path(), 1).contains("\"reason\": \"asked for by her\""), "{}", sidecar(folder.path(), 1));
    assert_eq!((forms(&keeper, 1)[0].as_str(), keeper.kept.deleted), ("erased", 0));
    drop(keeper);

    let broken = Arc::new(AtomicBool::new(true));
    let shelf = open(folder.path(), "[retention]\nmaximum = \"5d\"");
    let (mut keeper, _runs) = round(on(shelf, folder.path(), no_audio_goes(&broken)));
    keeper.beat(true);
    assert_eq!((forms(&keeper, 2)[1].as_str(), keeper.kept.deleted), ("erasing", 0));
    broken.store(false, Ordering::Relaxed);
    keeper.beat(false);
    assert_eq!((keeper.kept.deleted, keeper.kept.deleted_bytes), (1, 32_044), "of {WHO}, without a start anew");
    assert!(sidecar(folder.path(), 2).contains("older than its maximum"));
}

#[test]
fn an_erasure_of_which_the_catalogue_can_not_be_told_is_refused_before_anything_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, _runs) = round(filled(folder.path(), "", &[9]));
    keeper.beat(false);
    let other = rusqlite::Connection::open(folder.path().join("data/centralita.db")).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON access_head BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    other.execute_batch(full).unwrap();
    let Err(Fault::Failed(error)) = keeper.shelf.erase("ana", id(1), "asked for", false) else { panic!("it is done") };
    assert!(error.contains("the catalogue can't be told of it: ") && error.contains("the disk is full"), "{error}");
    other.execute_batch("DROP TRIGGER full").unwrap();
    assert!(there(folder.path(), "1-1-1.c1.p1.wav"));
    keeper.shelf.note("bea", vault::access::Act::Verify, "all", "").unwrap();
    keeper.beat(true);
    assert_eq!(forms(&keeper, 1), ["wav"]);
    assert_eq!(keeper.shelf.erase("ana", id(1), "again", false).unwrap().unwrap().outcome, "erased");
}

#[test]
fn with_a_full_disk_what_is_due_goes_though_it_can_not_be_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "[retention]\nmaximum = \"5d\"\n[compression]\nform = \"flac\"\nafter = \"1d\"";
    let full = |step: Step, path: &Path| {
        let refused = step == Step::Make && path.to_str().is_some_and(|path| path.ends_with(".flac.new"));
        refused.then_some(io::ErrorKind::StorageFull)
    };
    let (mut keeper, _runs) = round(on(filled(folder.path(), rules, &[9, 2]), folder.path(), full));
    keeper.beat(true);
    assert_eq!(forms(&keeper, 2), ["erased", "wav"]);
    assert!(keeper.kept.alarms()[0].contains("1-1-1.c1.p1 can't be compressed now"), "{:?}", keeper.kept.alarms());
}

#[test]
fn what_somebody_erases_while_it_is_compressed_stays_erasing() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "[compression]\nform = \"flac\"\nafter = \"1d\"";
    let shelf = filled(folder.path(), rules, &[9, 9, 9]);
    // The third is erased when the first is compressed; the first, when it is compressed itself. The disk lets no audio go.
    let erases: Arc<Mutex<Option<Arc<Shelf>>>> = Arc::default();
    let (asks, broken) = (erases.clone(), Arc::new(AtomicBool::new(true)));
    let refused = no_audio_goes(&broken);
    let disk = move |step: Step, path: &Path| {
        let shelf = if path.ends_with("1-1-1.c1.p1.flac.new") { asks.lock().unwrap().take() } else { None };
        for n in shelf.iter().flat_map(|_| [1, 3]) {
            let erased = shelf.as_ref().map(|shelf| shelf.erase("ana", id(n), "asked for", false));
            assert!(matches!(erased, Some(Err(Fault::Failed(_)))));
        }
        refused(step, path)
    };
    let (mut keeper, _runs) = round(on(shelf, folder.path(), disk));
    keeper.look().unwrap();
    *erases.lock().unwrap() = Some(keeper.shelf.clone());
    // As a round ends that had begun to compress before.
    let mut rows = keeper.shelf.store.of_form("wav", &"acme".parse().unwrap(), keeper.shelf.clock.now().wall, 9).unwrap();
    rows.sort();
    for (id, file) in rows {
        keeper.compress_one(id, &file, "wav").unwrap();
    }
    assert_eq!(forms(&keeper, 3), ["erasing", "wav", "erasing"]);
    broken.store(false, Ordering::Relaxed);
    keeper.beat(false);
    assert_eq!(forms(&keeper, 3), ["erased", "flac", "erased"]);
}

mod ends;
mod faults;

use super::super::shelf::tests::{filled, id, open, with_a_failed_one};
use super::*;
use std::path::Path;

fn round(shelf: Shelf) -> (Round, mpsc::Sender<()>) {
    let (runs, over) = mpsc::channel();
    let shown = Arc::default();
    (Round { shelf: Arc::new(shelf), kept: Kept::default(), shown, failed: BTreeSet::new(), over }, runs)
}

fn forms(round: &Round, count: u32) -> Vec<String> {
    let row = |n| round.shelf.store.recording(id(n)).unwrap().unwrap();
    (1..=count).map(|n| row(n).form.unwrap_or_default()).collect()
}

fn there(folder: &Path, name: &str) -> bool {
    folder.join("recordings/2026/11/22").join(name).exists()
}

#[test]
fn what_is_past_its_maximum_goes_by_itself_and_it_is_written_down_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (mut round, _runs) = round(filled(folder.path(), "[retention.tenants.acme]\nmaximum = \"5d\"", &[9, 9, 2]));
    round.beat(true);
    assert_eq!(forms(&round, 3), ["erased", "wav", "wav"]);
    assert!(!there(folder.path(), "1-1-1.c1.p1.wav") && there(folder.path(), "1-1-1.c1.p1.json"));
    let sidecar = std::fs::read_to_string(folder.path().join("recordings/2026/11/22/1-1-1.c1.p1.json")).unwrap();
    assert!(sidecar.contains("\"erased\"") && sidecar.contains("older than its maximum"), "{sidecar}");
    let log = std::fs::read_to_string(folder.path().join("data/recording-access.log")).unwrap();
    assert!(log.contains("\"who\":\"retention\",\"act\":\"erase\",\"recording\":\"1-1-1.c1.p1\""), "{log}");
    assert_eq!(log.lines().count(), 1);
    let kept = round.shown.load_full();
    assert_eq!((kept.deleted, kept.deleted_bytes, kept.alarms()), (1, 32_044, vec![]));
    round.beat(true);
    assert_eq!(round.kept.deleted, 1, "there is nothing left to do");
    assert_eq!(round.kept.planned.plan.found.recordings, 2);
}

#[test]
fn a_budget_that_the_minimum_keeps_from_being_kept_is_an_alarm_and_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "[retention]\nminimum = \"30d\"\nbudget = \"100MB\"", &[40, 31, 9]);
    // As if each were large.
    let (mut round, _runs) = round(shelf);
    round.beat(false);
    let large = [1, 2, 3].map(|n| (id(n), "wav", 60_000_000));
    round.shelf.store.on_disk(&large).unwrap();
    round.beat(true);
    assert_eq!(forms(&round, 3), ["erased", "erased", "wav"], "the oldest, until it is kept");
    assert!(round.kept.alarms().is_empty());
    round.shelf.store.on_disk(&[(id(3), "wav", 160_000_000)]).unwrap();
    round.beat(true);
    let alarm = round.kept.alarms().remove(0);
    assert!(alarm.starts_with("recordings take 60000000 bytes more than the budget: the next may go at 20"), "{alarm}");
    assert_eq!(forms(&round, 3)[2], "wav");
}

#[test]
fn what_is_closed_for_long_enough_becomes_flac_of_those_tenants_that_want_it() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "[compression]\nform = \"flac\"\nafter = \"2d\"\n[compression.tenants.globex]\nform = \"none\"";
    let (mut round, _runs) = round(filled(folder.path(), rules, &[9, 9, 1]));
    round.beat(false);
    assert_eq!(forms(&round, 3), ["flac", "wav", "wav"], "none of globex, and none that is too young");
    assert!(there(folder.path(), "1-1-1.c1.p1.flac") && !there(folder.path(), "1-1-1.c1.p1.wav"));
    let row = round.shelf.store.recording(id(1)).unwrap().unwrap();
    assert!(row.bytes.unwrap() < 32_044);
    assert_eq!((round.kept.compressed, round.kept.saved_bytes), (1, 32_044 - row.bytes.unwrap()));
}

#[test]
fn one_that_cannot_be_compressed_stays_as_it_is_and_keeps_no_other_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "[compression]\nform = \"flac\"", &[9, 9, 9]);
    let path = folder.path().join("recordings/2026/11/22/1-1-1.c1.p1.wav");
    let mut wav = std::fs::read(&path).unwrap();
    wav[9_000] ^= 1;
    std::fs::write(&path, &wav).unwrap();
    let (mut round, _runs) = round(shelf);
    round.beat(false);
    assert_eq!(forms(&round, 3), ["wav", "flac", "flac"]);
    assert_eq!(std::fs::read(&path).unwrap(), wav);
    assert_eq!(round.kept.alarms(), ["recordings that can't be compressed: 1"]);
}

#[test]
fn one_that_has_lost_its_files_keeps_no_other_from_being_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut round, _runs) = round(filled(folder.path(), "[retention]\nmaximum = \"5d\"", &[12, 11, 10, 9, 2]));
    round.beat(false);
    let day = folder.path().join("recordings/2026/11/22");
    for gone in ["1-1-1.c1.p1.wav", "1-1-1.c1.p1.json", "1-1-2.c1.p1.json"] {
        std::fs::remove_file(day.join(gone)).unwrap();
    }
    std::fs::write(day.join("1-1-3.c1.p1.json"), "no note of ours").unwrap();
    round.beat(true);
    assert_eq!(forms(&round, 5), ["missing", "erased", "wav", "erased", "wav"], "audio goes without its sidecar, too");
    assert!(!there(folder.path(), "1-1-2.c1.p1.wav") && there(folder.path(), "1-1-3.c1.p1.wav"));
    assert!(round.kept.alarms()[0].contains("1-1-3.c1.p1 can't be deleted"), "{:?}", round.kept.alarms());
    let log = std::fs::read_to_string(folder.path().join("data/recording-access.log")).unwrap();
    assert_eq!(log.lines().count(), 2, "what could not be done is not written down as done: {log}");
}

#[test]
fn what_should_go_and_is_still_recorded_by_its_sidecar_is_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let (mut round, _runs) = round(filled(folder.path(), "[retention]\nmaximum = \"5d\"", &[9, 9]));
    let sidecar = folder.path().join("recordings/2026/11/22/1-1-1.c1.p1.json");
    let text = std::fs::read_to_string(&sidecar).unwrap().replace("\"complete\"", "\"recording\"");
    std::fs::write(&sidecar, text).unwrap();
    round.beat(true);
    assert_eq!(forms(&round, 2), ["wav", "erased"]);
    assert!(round.kept.alarms()[0].starts_with("recordings that should go, and may not: 1"), "{:?}", round.kept.alarms());
    let log = std::fs::read_to_string(folder.path().join("data/recording-access.log")).unwrap();
    assert_eq!(log.lines().count(), 1);
}

#[test]
fn a_volume_that_is_away_makes_nothing_missing_and_what_is_back_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[9, 9]);
    let (recordings, away) = (folder.path().join("recordings"), folder.path().join("away"));
    std::fs::rename(&recordings, &away).unwrap();
    let (mut round, _runs) = round(shelf);
    round.beat(true);
    std::fs::create_dir(&recordings).unwrap();
    round.beat(true);
    assert_eq!(forms(&round, 2), ["", ""], "nobody can say");
    assert!(round.kept.alarms()[0].contains("as if its volume was away"), "{:?}", round.kept.alarms());
    round.shelf.store.on_disk(&[(id(1), shell_store::MISSING, 0)]).unwrap();
    std::fs::remove_dir(&recordings).unwrap();
    std::fs::rename(&away, &recordings).unwrap();
    round.beat(false);
    assert_eq!(forms(&round, 2), ["missing", "wav"]);
    round.beat(true);
    assert_eq!(forms(&round, 2), ["wav", "wav"]);
    assert_eq!(round.kept.alarms(), Vec::<String>::new());
}

#[test]
fn nothing_goes_by_a_clock_that_is_doubted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut round, _runs) = round(filled(folder.path(), "[retention]\nmaximum = \"5d\"", &[9]));
    let now = round.shelf.clock.now().wall;
    round.shelf.store.believe_clock(base::Wall(now.0 - 31 * 86_400_000_000)).unwrap();
    round.beat(true);
    round.beat(true);
    assert_eq!(forms(&round, 1), ["wav"]);
    assert!(round.kept.alarms()[0].contains("--clock-is-right"), "{:?}", round.kept.alarms());
    round.shelf.store.believe_clock(now).unwrap();
    round.beat(true);
    assert_eq!(forms(&round, 1), ["erased"]);
    assert!(round.shelf.store.believed_clock().unwrap().unwrap() > now);
}

#[test]
fn audio_of_a_recording_that_failed_is_counted_and_goes_at_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (mut round, _runs) = round(with_a_failed_one(folder.path(), "[retention]\nmaximum = \"30d\""));
    round.beat(true);
    assert_eq!((forms(&round, 1), round.kept.planned.plan.found.recordings), (vec!["wav".to_string()], 1));
    let shelf = open_again(round, folder.path(), "[retention]\nmaximum = \"5d\"");
    let (mut round, _runs) = self::round(shelf);
    round.beat(true);
    assert_eq!(forms(&round, 1), ["erased"]);
}

fn open_again(round: Round, folder: &Path, rules: &str) -> Shelf {
    drop(round);
    open(folder, rules)
}

#[test]
fn what_a_database_from_before_does_not_say_is_looked_up_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[9, 9]);
    std::fs::remove_file(folder.path().join("recordings/2026/11/22/1-1-2.c1.p1.wav")).unwrap();
    let (mut round, _runs) = round(shelf);
    round.beat(false);
    assert_eq!(forms(&round, 2), ["wav", "missing"]);
    drop(round);
    assert_eq!(open(folder.path(), "").store.paged(Which::Unseen, 9).count(), 0);
}

use super::*;
use base::fact::{About, Fact, Kept, What};
use base::{Now, Wall};
use serde_json::json;
use shell_store::Which;
use shell_web::Shelf as _;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SITE: &str = r#"name = "acme"
[sip]
listen = "127.0.0.1:5060"
[media]
ports = "20000-20999"
[web]
listen = "127.0.0.1:8080"
[[tenants]]
name = "acme"
[[tenants]]
name = "globex"
"#;

const DAY: i64 = 86_400_000_000;

/// Closed recordings of `acme` and `globex` by turns, one for each age in days, the first of the call 1-1-1.
pub fn filled(folder: &Path, rules: &str, ages: &[i64]) -> Shelf {
    stocked(folder, ages);
    // As one of which nobody has asked for anything yet.
    std::fs::write(folder.join("data").join(LOG), "").unwrap();
    open(folder, rules)
}

/// The same, and no log of accesses.
fn stocked(folder: &Path, ages: &[i64]) {
    let clock = Clock::start();
    let store = Arc::new(Store::open(&folder.join("data")).unwrap());
    let writer = shell_store::Writer::start(store.clone(), store.begin_epoch().unwrap()).unwrap();
    for (n, age) in (1..).zip(ages) {
        let started = Wall(clock.now().wall.0 - age * DAY - 3_600_000_000);
        let recording = id(n);
        let file = written(folder, recording);
        writer.handle().facts(vec![stored(recording, started, &file)]);
    }
    writer.close();
}

/// As after a restart.
pub fn open(folder: &Path, rules: &str) -> Shelf {
    open_by(folder, rules, Clock::start())
}

pub fn open_by(folder: &Path, rules: &str, clock: Clock) -> Shelf {
    let text = format!("data = {:?}\nrecordings = {:?}\n{SITE}{rules}", folder.join("data"), folder.join("recordings"));
    let site = site::Site::parse(&text, "site.toml").unwrap();
    let setup = Setup { site, flows: BTreeMap::new(), sha256: [0; 32] };
    let store = Arc::new(Store::open(&folder.join("data")).unwrap());
    Shelf::open(Arc::new(ArcSwap::from_pointee(setup)), None, store, clock).unwrap()
}

pub fn id(n: u32) -> RecordingId {
    format!("1-1-{n}.c1.p1").parse().unwrap()
}

fn tenant(recording: RecordingId) -> &'static str {
    if recording.call().n % 2 == 1 { "acme" } else { "globex" }
}

fn stored(recording: RecordingId, started: Wall, file: &str) -> Fact {
    let mut meter = vault::verdict::Meter::new(2);
    meter.take(&wav());
    let what = What::RecordingStored {
        recording,
        file: file.into(),
        duration_ms: 1_000,
        sha256: meter.finish(true).sha256,
        kept: Kept::Complete,
        reason: None,
    };
    let tenant = tenant(recording);
    let about = About {
        call: Some(recording.call()),
        tenant: Some(tenant.parse().unwrap()),
        queue: Some(format!("{tenant}/support").parse().unwrap()),
        party: Some(base::PartyId(7)),
        lang: Some(base::Lang::ES),
        ..About::default()
    };
    Fact { now: Now { wall: started, ..Now::default() }, about, what }
}

/// A second of a tone.
fn wav() -> Vec<u8> {
    let samples = (0..16_000).map(|n| ((f64::from(n) * 0.3).sin() * 8_000.0) as i16).flat_map(i16::to_le_bytes);
    vault::wav::header(2, 8_000, 8_000).into_iter().chain(samples).collect()
}

fn written(folder: &Path, recording: RecordingId) -> String {
    let file = format!("2026/11/22/{recording}");
    let path = folder.join("recordings").join(&file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(format!("{}.wav", path.display()), wav()).unwrap();
    let mut meter = vault::verdict::Meter::new(2);
    meter.take(&wav());
    let note = json!({
        "call": recording.call().to_string(), "recording": recording.to_string(), "tenant": tenant(recording), "queue": null,
        "agent": "acme/ana", "lang": null, "start": "2026-11-22T12:00:00Z", "sip_call_id_caller": "a", "sip_call_id_agent": "b",
        "file": file, "state": "complete", "reason": "", "sample_rate": 8_000, "channels": ["caller", "agent"],
        "frames": 8_000, "duration_ms": 1_000, "sha256": meter.finish(true).sha256,
    });
    std::fs::write(format!("{}.json", path.display()), note.to_string()).unwrap();
    file
}

fn held(fault: Result<Option<Looked>, Fault>) -> String {
    match fault {
        Err(Fault::Conflict { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

fn outcome(shelf: &Shelf, n: u32) -> &'static str {
    shelf.verify(id(n)).unwrap().unwrap().outcome
}

#[test]
fn rows_without_a_file_and_files_without_a_row_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[1, 1, 1]);
    let day = folder.path().join("recordings/2026/11/22");
    std::fs::remove_file(day.join("1-1-1.c1.p1.json")).unwrap();
    for gone in ["wav", "json"] {
        std::fs::remove_file(day.join(format!("1-1-2.c1.p1.{gone}"))).unwrap();
    }
    for name in ["1-1-9.c1.p1.wav", "1-1-8.c1.p1.sealed", "1-1-7.c1.p1.flac", "notes.wav"] {
        std::fs::write(day.join(name), vault::wav::header(2, 8_000, 0)).unwrap();
    }
    let look = |verifies: bool| {
        let mut found = Vec::new();
        let mut tell = |looked: Looked| {
            found.push((looked.recording.to_string(), looked.outcome, looked.reason));
            true
        };
        if verifies {
            shelf.verify_all(&mut tell).unwrap()
        } else {
            shelf.orphans(&mut tell).unwrap()
        }
        found.sort();
        found
    };
    let all = look(true);
    let told: Vec<(&str, &str)> = all.iter().map(|(id, outcome, _)| (id.as_str(), *outcome)).collect();
    let orphans = [("1-1-7.c1.p1", "orphan"), ("1-1-8.c1.p1", "orphan"), ("1-1-9.c1.p1", "orphan")];
    let rows = [("1-1-1.c1.p1", "failed"), ("1-1-2.c1.p1", "failed"), ("1-1-3.c1.p1", "complete")];
    assert_eq!(told, [&rows[..], &orphans].concat());
    assert!(all[0].2.contains("sidecar") && all[1].2.contains("no file"), "{all:?}");
    let alone = look(false);
    let told: Vec<(&str, &str)> = alone.iter().map(|(id, outcome, _)| (id.as_str(), *outcome)).collect();
    assert_eq!(told, [&[("1-1-2.c1.p1", "failed")][..], &orphans].concat());
    let mut first = 0;
    let mut enough = |_| {
        first += 1;
        false
    };
    shelf.verify_all(&mut enough).unwrap();
    assert_eq!(first, 1, "whoever has read enough is told no more");
}

#[test]
fn what_is_held_is_erased_by_nobody_also_after_a_restart_until_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[1, 1]);
    let queue = HoldAsk { queue: Some("acme/support".parse().unwrap()), ..HoldAsk::default() };
    let hold = shelf.hold("ana", &queue, "a court").unwrap().unwrap();
    assert_eq!((hold.hold, hold.of.as_str()), (1, "queue=acme/support"));
    assert_eq!(hold.recordings, Some(1), "also where nobody has looked at what is on the disk yet");
    drop(shelf);
    let shelf = open(folder.path(), "");
    let error = held(shelf.erase("bea", id(1), "asked for", true));
    assert!(error.contains("hold 1 keeps 1-1-1.c1.p1") && error.contains("by ana: a court"), "{error}");
    assert_eq!(outcome(&shelf, 1), "complete");
    assert_eq!(shelf.erase("bea", id(2), "asked for", false).unwrap().unwrap().outcome, "erased", "another queue's");
    let log = shelf.accesses().unwrap();
    assert_eq!(log.matches("\"act\":\"erase\"").count(), 1, "only what was done: {log}");
    let again = shelf.erase("cid", id(2), "once more", false).unwrap().unwrap();
    assert_eq!((again.outcome, again.reason.as_str()), ("erased", "asked for"));
    assert_eq!(shelf.accesses().unwrap(), log, "where nothing is left to erase nothing is written down");
    shelf.refused("bea", Act::Erase, "1-1-1.c1.p1", "asked for", "hold 1 keeps it");
    shelf.refused("bea", Act::Release, "hold=1", "not hers to end", "held");
    assert_eq!(shelf.release("ana", 1, "the court is done").unwrap().unwrap().hold, 1);
    assert_eq!((shelf.release("ana", 1, "again").unwrap(), shelf.holds().unwrap()), (None, vec![]));
    drop(shelf);
    let shelf = open(folder.path(), "");
    assert_eq!(shelf.erase("bea", id(1), "asked for", false).unwrap().unwrap().outcome, "erased");
    assert_eq!(shelf.store.recording(id(1)).unwrap().unwrap().form.as_deref(), Some("erased"));
    let one = |n| HoldAsk { recording: Some(id(n)), ..HoldAsk::default() };
    assert!(shelf.hold("ana", &one(9), "nothing").unwrap().is_none(), "there is no such recording");
    let caller = HoldAsk { caller: Some(base::Pii::new("5215550001".into())), ..HoldAsk::default() };
    assert!(shelf.hold("ana", &caller, "nobody").unwrap().is_none());
}

#[test]
fn a_log_of_accesses_that_was_changed_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "[retention]\nmaximum = \"1d\"", &[2]);
    shelf.note("ana", Act::Play, "1-1-1.c1.p1", "").unwrap();
    drop(shelf);
    let log = folder.path().join("data/recording-access.log");
    std::fs::write(&log, std::fs::read_to_string(&log).unwrap().replace("ana", "bea")).unwrap();
    let shelf = open(folder.path(), "[retention]\nmaximum = \"1d\"");
    assert!(held(shelf.erase("ana", id(1), "asked for", true)).contains("a hold may be missing"));
    assert_eq!(outcome(&shelf, 1), "complete");
}

#[test]
fn a_hold_says_how_many_recordings_it_keeps_now() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[3, 3, 2, 1, 1]);
    for (recording, file) in shelf.store.paged(Which::Unseen, 10).flat_map(Result::unwrap) {
        shelf.tell(recording, &shelf.files.find(&file).unwrap()).unwrap();
    }
    let keeps = |ask: &HoldAsk| shelf.hold("ana", ask, "a court").unwrap().unwrap().recordings;
    let acme = HoldAsk { tenant: Some("acme".parse().unwrap()), ..HoldAsk::default() };
    let (now, ago) = (shelf.clock.now().wall, |days: i64| Some(Wall(shelf.clock.now().wall.0 - days * DAY)));
    let one = HoldAsk { recording: Some(id(2)), ..HoldAsk::default() };
    shelf.erase("ana", id(5), "asked for", true).unwrap();
    assert_eq!(keeps(&acme), Some(2), "of three one is gone");
    assert_eq!(keeps(&HoldAsk { from: ago(3), ..acme.clone() }), Some(1));
    assert_eq!(keeps(&HoldAsk { to: ago(3), ..acme.clone() }), Some(1));
    assert_eq!(keeps(&HoldAsk { from: Some(now), ..acme }), Some(0), "those to come");
    assert_eq!((keeps(&one), keeps(&HoldAsk { recording: Some(id(5)), ..one })), (Some(1), Some(0)));
}

#[test]
fn without_a_master_key_there_is_nothing_to_wrap_keys_with() {
    let folder = tempfile::tempdir().unwrap();
    let Err(Fault::Conflict { error, expected }) = filled(folder.path(), "", &[1]).may_rekey() else { panic!("it may") };
    assert!(error.starts_with("no master key is configured") && expected.starts_with("[[vault.keys]]"), "{error}: {expected}");
}

/// With a hold on the queue of acme, as its second line of three.
fn with_a_hold(folder: &Path) -> PathBuf {
    let shelf = filled(folder, "", &[2, 2]);
    shelf.note("ana", Act::Play, "1-1-1.c1.p1", "").unwrap();
    let queue = HoldAsk { queue: Some("acme/support".parse().unwrap()), ..HoldAsk::default() };
    assert_eq!(shelf.hold("ana", &queue, "a court").unwrap().unwrap().hold, 2);
    shelf.note("bea", Act::Play, "1-1-2.c1.p1", "").unwrap();
    folder.join("data").join(LOG)
}

#[test]
fn a_log_of_accesses_that_was_cut_moved_or_emptied_loses_no_hold() {
    let cut = |log: &Path, lines: usize| {
        let text = std::fs::read_to_string(log).unwrap();
        std::fs::write(log, text.split_inclusive('\n').take(lines).collect::<String>()).unwrap();
    };
    let harm: [&dyn Fn(&Path); 4] =
        [&|log| cut(log, 2), &|log| cut(log, 1), &|log| cut(log, 0), &|log| std::fs::remove_file(log).unwrap()];
    for harm in harm {
        let folder = tempfile::tempdir().unwrap();
        let log = with_a_hold(folder.path());
        harm(&log);
        let shelf = open(folder.path(), "[retention]\nmaximum = \"1d\"");
        for n in [1, 2] {
            assert!(held(shelf.erase("bea", id(n), "asked for", true)).contains("a hold may be missing"));
        }
        assert!(shelf.plan(&mut |_, _, _| Ok(true)).unwrap().stopped.unwrap().contains("was cut or lost: line 3"));
        assert!(shelf.hold("ana", &HoldAsk { recording: Some(id(2)), ..HoldAsk::default() }, "another").is_err());
        shelf.note("cid", Act::Play, "1-1-2.c1.p1", "").unwrap();
        drop(shelf);
        let shelf = open(folder.path(), "");
        assert!(held(shelf.erase("bea", id(1), "asked for", true)).contains("a hold may be missing"), "still, with more lines");
        assert_eq!(shelf.holds().unwrap().len(), 1, "it is listed all the same");

        let done = shelf.accept("dan", Accept::Log, "a disk was changed").unwrap();
        assert!(
            done.starts_with("a new log of accesses begins with 1 holds; the one before is recording-access.log.2"),
            "{done}"
        );
        let text = shelf.accesses().unwrap();
        assert!(text.starts_with("{\"n\":1,\"at\":\"2") && text.contains("\"act\":\"accept\",\"recording\":\"log\""), "{text}");
        assert!(
            text.contains("\"who\":\"ana\",\"act\":\"hold\",\"recording\":\"queue=acme/support\",\"why\":\"a court\""),
            "{text}"
        );
        assert_eq!(vault::access::check(&text).unwrap().head.n, 2);
        assert!(shelf.accept("dan", Accept::Log, "again").is_err(), "there is nothing to accept any more");
        drop(shelf);
        let shelf = open(folder.path(), "");
        assert!(held(shelf.erase("bea", id(1), "asked for", true)).contains("hold 2 keeps 1-1-1.c1.p1"));
        assert_eq!(shelf.erase("bea", id(2), "asked for", false).unwrap().unwrap().outcome, "erased");
    }
}

#[test]
fn a_log_that_is_put_aside_while_the_node_runs_is_missed_and_its_holds_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[2, 2]);
    let one = HoldAsk { recording: Some(id(1)), ..HoldAsk::default() };
    shelf.hold("ana", &one, "a court").unwrap();
    let log = folder.path().join("data").join(LOG);
    std::fs::rename(&log, log.with_extension("aside")).unwrap();
    assert!(shelf.note("bea", Act::Play, "1-1-1.c1.p1", "").unwrap_err().contains("moved away"));
    drop(shelf);
    let shelf = open(folder.path(), "");
    assert!(held(shelf.erase("bea", id(2), "asked for", true)).contains("a hold may be missing"));
    shelf.accept("dan", Accept::Log, "put aside by mistake").unwrap();
    assert!(held(shelf.erase("bea", id(1), "asked for", true)).contains("keeps 1-1-1.c1.p1"));
}

#[test]
fn a_log_without_a_past_is_in_doubt_where_recordings_have_one() {
    let folder = tempfile::tempdir().unwrap();
    stocked(folder.path(), &[2]);
    let shelf = open(folder.path(), "");
    assert!(held(shelf.erase("bea", id(1), "asked for", true)).contains("is new, and the recordings are not"));
}

#[test]
fn erasing_what_is_nowhere_says_so_and_puts_its_row_right() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "", &[2, 2]);
    for gone in ["wav", "json"] {
        std::fs::remove_file(folder.path().join(format!("recordings/2026/11/22/1-1-1.c1.p1.{gone}"))).unwrap();
    }
    let looked = shelf.erase("bea", id(1), "asked for", false).unwrap().unwrap();
    assert_eq!((looked.outcome, looked.reason.as_str()), ("failed", "there is a row in the log, and no file"));
    assert_eq!(shelf.store.recording(id(1)).unwrap().unwrap().form.as_deref(), Some("missing"));
    assert_eq!(shelf.accesses().unwrap(), "", "what was not done is not written down as done");
}

#[test]
fn a_recording_that_failed_is_kept_by_a_hold_on_its_caller() {
    let folder = tempfile::tempdir().unwrap();
    drop(with_a_failed_one(folder.path(), ""));
    let shelf = open(folder.path(), "");
    let selector = recording::retention::Selector { parties: vec![base::PartyId(7)], ..Default::default() };
    let (at, who, why) = ("now".into(), "ana".into(), "a court".into());
    shelf.ledger().holds.set(9, recording::retention::Held { selector, at, who, why });
    assert!(held(shelf.erase("bea", id(1), "asked for", true)).contains("hold 9 keeps 1-1-1.c1.p1"));
}

/// A recording of ten days ago that failed, and left audio.
pub fn with_a_failed_one(folder: &Path, rules: &str) -> Shelf {
    let started = Wall(Clock::start().now().wall.0 - 10 * DAY);
    let shelf = filled(folder, rules, &[]);
    let writer = shell_store::Writer::start(shelf.store.clone(), shelf.store.begin_epoch().unwrap()).unwrap();
    let failed = What::RecordingFailed { recording: id(1), reason: "disk_full".into() };
    writer.handle().facts(vec![Fact { what: failed, ..stored(id(1), started, "") }]);
    writer.close();
    let day = started.to_string()[..10].replace('-', "/");
    let made = folder.join("recordings").join(written(folder, id(1)));
    std::fs::create_dir_all(folder.join("recordings").join(&day)).unwrap();
    for kind in ["wav", "json"] {
        let to = folder.join("recordings").join(&day).join(format!("{}.{kind}", id(1)));
        std::fs::rename(format!("{}.{kind}", made.display()), to).unwrap();
    }
    shelf
}

#[test]
fn a_clock_that_nobody_can_believe_stops_what_would_be_deleted() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), "", &[2]));
    let shelf = open_by(folder.path(), "", Clock::ahead(Duration::from_secs(2 * 3_600)));
    assert!(shelf.clock_doubt().unwrap().unwrap().contains("was set by more than an hour"));
    drop(shelf);
    let shelf = open(folder.path(), "");
    assert_eq!(shelf.clock_doubt().unwrap(), None, "nothing is known that speaks against it");
    shelf.believe_clock().unwrap();
    let now = shelf.clock.now().wall;
    shelf.store.believe_clock(Wall(now.0 - 31 * DAY)).unwrap();
    let doubt = shelf.clock_doubt().unwrap().unwrap();
    assert!(doubt.contains("was last known to be right at") && doubt.contains("--clock-is-right"), "{doubt}");
    let stopped = shelf.plan(&mut |_, _, _| Ok(true)).unwrap().stopped.unwrap();
    assert!(stopped.contains("--clock-is-right"), "{stopped}");
    shelf.accept("ana", Accept::Clock, "it was off for the summer").unwrap();
    assert_eq!(shelf.clock_doubt().unwrap(), None);
    assert!(shelf.accesses().unwrap().contains("\"act\":\"accept\",\"recording\":\"clock\""));
}

#[test]
fn what_is_within_its_minimum_is_erased_by_whoever_answers_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "[retention]\nminimum = \"30d\"", &[29, 31]);
    assert!(held(shelf.erase("ana", id(1), "asked for", false)).contains("within its minimum"));
    assert_eq!(shelf.erase("ana", id(1), "asked for by right", true).unwrap().unwrap().outcome, "erased");
    assert_eq!(shelf.erase("ana", id(2), "asked for", false).unwrap().unwrap().outcome, "erased");
}

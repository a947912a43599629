use super::*;
use base::fact::{About, Fact, Kept, What};
use base::{Now, Wall};
use serde_json::json;
use shell_web::Shelf as _;
use std::collections::BTreeMap;
use std::path::Path;

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
    drop(store);
    open(folder, rules)
}

/// As after a restart.
pub fn open(folder: &Path, rules: &str) -> Shelf {
    let text = format!("data = {:?}\nrecordings = {:?}\n{SITE}{rules}", folder.join("data"), folder.join("recordings"));
    let site = site::Site::parse(&text, "site.toml").unwrap();
    let setup = Setup { site, flows: BTreeMap::new(), sha256: [0; 32] };
    let store = Arc::new(Store::open(&folder.join("data")).unwrap());
    Shelf::open(Arc::new(ArcSwap::from_pointee(setup)), None, store, Clock::start()).unwrap()
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
    drop(shelf);
    let shelf = open(folder.path(), "");
    let error = held(shelf.erase("bea", id(1), "asked for", true));
    assert!(error.contains("hold 1 keeps 1-1-1.c1.p1") && error.contains("by ana: a court"), "{error}");
    assert_eq!(outcome(&shelf, 1), "complete");
    assert_eq!(shelf.erase("bea", id(2), "asked for", false).unwrap().unwrap().outcome, "erased", "another queue's");
    let log = shelf.accesses().unwrap();
    assert!(!log.contains("\"act\":\"erase\",\"recording\":\"1-1-1"), "what was not done is not written down as done");
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
    let shelf = filled(folder.path(), "[retention]\nmaximum = \"1h\"", &[1]);
    shelf.note("ana", Act::Play, "1-1-1.c1.p1", "").unwrap();
    drop(shelf);
    let log = folder.path().join("data/recording-access.log");
    std::fs::write(&log, std::fs::read_to_string(&log).unwrap().replace("ana", "bea")).unwrap();
    let shelf = open(folder.path(), "[retention]\nmaximum = \"1h\"");
    assert!(held(shelf.erase("ana", id(1), "asked for", true)).contains("a hold may be missing"));
    assert_eq!(outcome(&shelf, 1), "complete");
}

#[test]
fn what_is_within_its_minimum_is_erased_by_whoever_answers_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = filled(folder.path(), "[retention]\nminimum = \"30d\"", &[29, 31]);
    assert!(held(shelf.erase("ana", id(1), "asked for", false)).contains("within its minimum"));
    assert_eq!(shelf.erase("ana", id(1), "asked for by right", true).unwrap().unwrap().outcome, "erased");
    assert_eq!(shelf.erase("ana", id(2), "asked for", false).unwrap().unwrap().outcome, "erased");
}

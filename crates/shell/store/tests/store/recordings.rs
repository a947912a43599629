//! Recordings are found by what is known of them, page by page, and their table is made again from the log.

use crate::common::*;
use base::fact::{About, Fact, Kept, What};
use base::{CallId, Lang, Now, PartyId, Pii, RecordingId, Wall};
use shell_store::{Audio, RecordingFilter, RecordingState, Store, Which, Writer};
use std::path::Path;
use std::sync::Arc;

const NONE: [u32; 0] = [];
const START: i64 = 1_800_000_000_000_000;

/// The `n`th recording, begun in minute `n`: its call, its language by thirds, its agent by halves.
fn part(n: u32) -> RecordingId {
    format!("1-1-{n}.c1.p1").parse().unwrap()
}

fn about(n: u32) -> About {
    let agent = if n.is_multiple_of(2) { "acme/ana" } else { "acme/bea" };
    let lang = [Lang::ES, Lang::EN, Lang::PT][n as usize % 3];
    About {
        tenant: Some("acme".parse().unwrap()),
        call: Some(CallId { node: 1, epoch: 1, n }),
        party: Some(PartyId(u64::from(n) % 5)),
        queue: Some(if n < 10 { "acme/ventas" } else { "acme/soporte" }.parse().unwrap()),
        agent: Some(agent.parse().unwrap()),
        lang: Some(lang),
        ..About::default()
    }
}

fn at(n: u32, what: What) -> Fact {
    let now = Now { wall: Wall(START + i64::from(n) * 60_000_000), ..Now::default() };
    Fact { now, about: about(n), what }
}

fn stored(n: u32) -> Fact {
    let kept = if n == 7 { Kept::Partial } else { Kept::Complete };
    let (file, sha256, reason) = (format!("2026/{n}"), "00".into(), None);
    at(n, What::RecordingStored { recording: part(n), file, duration_ms: u64::from(n) * 1_000, sha256, kept, reason })
}

/// Forty recordings, the last of which runs; the callers' numbers end in 0 to 4.
fn filled(dir: &Path) -> Arc<Store> {
    let store = Arc::new(Store::open(dir).unwrap());
    let writer = Writer::start(store.clone(), 1).unwrap();
    for n in 0..40 {
        let mut facts = vec![at(n, What::RecordingStarted { recording: part(n) })];
        facts.extend((n < 39).then(|| stored(n)));
        writer.handle().facts(facts);
        let number: Arc<str> = format!("521555000{}", n % 5).into();
        writer.handle().party("acme".parse().unwrap(), PartyId(u64::from(n) % 5), Pii::new(number), Pii::new("".into()));
    }
    writer.close();
    store
}

fn found(store: &Store, filter: RecordingFilter) -> Vec<u32> {
    let filter = RecordingFilter { limit: if filter.limit == 0 { 100 } else { filter.limit }, ..filter };
    store.recordings(&filter).unwrap().iter().map(|r| r.call.n).collect()
}

#[test]
fn they_are_found_by_each_thing_that_is_known_of_them_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let any = RecordingFilter::default;
    let minute = |n: i64| Some(Wall(START + n * 60_000_000));
    let all: Vec<u32> = (0..40).rev().collect();
    assert_eq!(found(&store, any()), all);
    let of = |wanted: &dyn Fn(&u32) -> bool| all.iter().copied().filter(|n| wanted(n)).collect::<Vec<_>>();
    assert_eq!(found(&store, RecordingFilter { call: Some("1-1-9".parse().unwrap()), ..any() }), [9]);
    assert_eq!(found(&store, RecordingFilter { agent: Some("acme/ana".parse().unwrap()), ..any() }), of(&|n| n % 2 == 0));
    assert_eq!(found(&store, RecordingFilter { queue: Some("acme/ventas".parse().unwrap()), ..any() }), of(&|n| *n < 10));
    assert_eq!(found(&store, RecordingFilter { lang: Some(Lang::PT), ..any() }), of(&|n| n % 3 == 2));
    assert_eq!(found(&store, RecordingFilter { tenant: Some("acme".parse().unwrap()), ..any() }), all);
    assert_eq!(found(&store, RecordingFilter { tenant: Some("globex".parse().unwrap()), ..any() }), NONE);
    assert_eq!(found(&store, RecordingFilter { state: Some(RecordingState::Running), ..any() }), [39]);
    let partial = Some(RecordingState::Ended(Kept::Partial));
    assert_eq!(found(&store, RecordingFilter { state: partial, ..any() }), [7]);
    assert_eq!(found(&store, RecordingFilter { from: minute(3), to: minute(6), ..any() }), [5, 4, 3]);
    assert_eq!(found(&store, RecordingFilter { shortest_ms: Some(36_000), ..any() }), [38, 37, 36]);
    assert_eq!(found(&store, RecordingFilter { longest_ms: Some(2_000), ..any() }), [2, 1, 0]);
    let ana_in_spanish = RecordingFilter { agent: Some("acme/ana".parse().unwrap()), lang: Some(Lang::ES), ..any() };
    assert_eq!(found(&store, ana_in_spanish), of(&|n| n % 6 == 0));
}

#[test]
fn a_caller_is_found_by_number_until_erased() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let of = |number: &str| RecordingFilter { caller: Some(Pii::new(number.into())), ..RecordingFilter::default() };
    let threes: Vec<u32> = (0..40).rev().filter(|n| n % 5 == 3).collect();
    assert_eq!(found(&store, of("5215550003")), threes);
    assert_eq!(found(&store, of("+5215550003")), threes);
    assert_eq!(found(&store, of("5215550009")), NONE);
    assert!(store.erase_party(&"acme".parse().unwrap(), PartyId(3)).unwrap());
    assert_eq!(found(&store, of("5215550003")), NONE);
}

#[test]
fn a_page_begins_where_the_one_before_ended_also_while_more_come() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let page = |after| RecordingFilter { lang: Some(Lang::ES), after, limit: 5, ..RecordingFilter::default() };
    assert_eq!(found(&store, page(None)), [39, 36, 33, 30, 27]);
    write(&store, 2, vec![at(42, What::RecordingStarted { recording: part(42) })]);
    assert_eq!(found(&store, page(Some(part(27)))), [24, 21, 18, 15, 12]);
    assert_eq!(found(&store, page(Some(part(12)))), [9, 6, 3, 0]);
    assert_eq!(found(&store, page(Some(part(0)))), NONE);
    assert_eq!(found(&store, page(Some(part(99)))), NONE, "after one that is not there is nothing");
}

#[test]
fn what_is_on_the_disk_is_asked_for_once_and_found_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let pages: Vec<_> = store.paged(Which::Unseen, 15).map(Result::unwrap).collect();
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [15, 15, 9], "the last one runs");
    let unseen = pages.concat();
    assert_eq!(unseen[0], (part(0), "2026/0".into()));
    assert_eq!(store.files((0, 0), 100, Audio::Seen).unwrap(), []);
    assert_eq!(store.files((0, 0), 100, Audio::Possible).unwrap().len(), 40, "nobody looked, and the last one runs");
    let form = |n: u64| ["wav", "sealed", "flac", shell_store::ERASED, shell_store::MISSING][n as usize % 5];
    let found: Vec<_> = (0..).zip(&unseen).map(|(n, (id, _))| (*id, form(n), n)).collect();
    store.on_disk(&found).unwrap();
    assert_eq!(store.paged(Which::Unseen, 100).count(), 0);
    let first = store.files((0, 0), 10, Audio::Seen).unwrap();
    let numbers = |files: &[shell_store::StoredFile]| files.iter().map(|f| f.recording.call().n).collect::<Vec<_>>();
    assert_eq!(numbers(&first), [0, 1, 2, 5, 6, 7, 10, 11, 12, 15]);
    assert_eq!(numbers(&store.files(first[9].place, 2, Audio::Seen).unwrap()), [16, 17]);
    let possible = store.files((0, 0), 100, Audio::Possible).unwrap();
    assert_eq!(possible.len(), 40 - 15, "of 39 that were seen every fourth and fifth of five is gone");
    let one = store.about(part(7)).unwrap().unwrap();
    assert_eq!((one.bytes, one.party, one.started), (7, Some(PartyId(2)), Wall(START + 7 * 60_000_000)));
    assert_eq!(store.recording(part(7)).unwrap().unwrap().form.as_deref(), Some("flac"));
    let acme = "acme".parse().unwrap();
    // The one begun in minute 10 lasts 10 s.
    let ended = |seconds: i64| store.of_form("wav", &acme, Wall(START + seconds * 1_000_000), 100).unwrap().len();
    assert_eq!((ended(609), ended(611)), (2, 3));
    assert_eq!(store.of_form("wav", &"globex".parse().unwrap(), Wall(i64::MAX), 9).unwrap(), []);
    let number = Pii::new("+5215550003".into());
    assert_eq!(store.parties(&number, None).unwrap(), [PartyId(3)]);
    assert_eq!(store.parties(&number, Some(&"globex".parse().unwrap())).unwrap(), []);
}

#[test]
fn what_is_being_erased_stays_so_whatever_somebody_saw_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let form = || store.recording(part(1)).unwrap().unwrap().form;
    let is = |form: &str| Some(form.to_string());
    let erases = |n| {
        let head = shell_store::AccessHead { n, hash: String::new() };
        store.keep_access(&head, &shell_store::AccessChange::Erases(part(1))).unwrap();
    };
    store.on_disk(&[(part(1), "wav", 9)]).unwrap();
    assert!(store.changes(part(1), "wav").unwrap());
    assert_eq!(form(), None);
    erases(1);
    assert!(!store.changes(part(1), "wav").unwrap());
    store.on_disk(&[(part(1), "flac", 5)]).unwrap();
    store.on_disk(&[(part(1), shell_store::MISSING, 0)]).unwrap();
    assert_eq!(form(), is(shell_store::ERASING));
    store.now_on_disk((part(1), "wav", 9)).unwrap();
    assert_eq!(form(), is("wav"), "who erases may say that it does not");
    erases(2);
    store.on_disk(&[(part(1), shell_store::ERASED, 0)]).unwrap();
    store.on_disk(&[(part(1), "flac", 5)]).unwrap();
    assert_eq!(form(), is(shell_store::ERASED));
}

#[test]
fn a_database_of_the_form_before_finds_its_recordings_from_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |store: &Store| store.recordings(&RecordingFilter { limit: 100, ..RecordingFilter::default() }).unwrap();
    let before = rows(&filled(dir.path()));
    let older = "DROP TABLE recording; DROP INDEX party_by_number; PRAGMA user_version = 3;
        CREATE TABLE recording (recording TEXT PRIMARY KEY, place INTEGER NOT NULL, call TEXT NOT NULL, tenant TEXT, queue TEXT,
        agent TEXT, lang TEXT, started INTEGER NOT NULL, duration_ms INTEGER, kept TEXT, sha256 TEXT, file TEXT, reason TEXT)
        STRICT, WITHOUT ROWID;";
    sql(dir.path()).execute_batch(older).unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(rows(&store), before);
    assert_eq!(before.len(), 40);
}

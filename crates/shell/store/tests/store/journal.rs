//! The journal reads back what was written, up to the last whole frame.

use shell_store::journal::{Digest, Header, Journal, Recorded, Retention, path_of, read_journal};
use shell_store::{Store, StoreError};
use std::path::Path;

type Entry = (u64, String, Vec<u8>);

fn header(epoch: u32) -> Header {
    Header { epoch, seed: 0x1234_5678_9abc_def0, site_sha256: [7; 32] }
}

fn entry(n: u64) -> Entry {
    (n, format!("entry {n}"), vec![n as u8; (n % 50) as usize])
}

/// What the epoch was born with.
const BIRTH: &str = "born at noon";

/// Of what the entry gave.
fn outputs(n: u64) -> Digest {
    (n + 1).to_le_bytes()
}

fn written(data: &Path, epoch: u32, n: u64) {
    let journal = Journal::start(data, header(epoch), &BIRTH, Retention::default()).unwrap();
    for n in 0..n {
        journal.append(&entry(n));
        journal.gave(outputs(n));
    }
    assert_eq!(journal.close(), None);
}

fn read(data: &Path, epoch: u32) -> (Vec<Entry>, bool) {
    let (read, torn) = recorded(data, epoch);
    (read.into_iter().map(|r| r.entry).collect(), torn)
}

fn recorded(data: &Path, epoch: u32) -> (Vec<Recorded<Entry>>, bool) {
    let (found, birth, mut entries) = read_journal::<String, Entry>(&path_of(data, epoch)).unwrap();
    assert_eq!((found, birth.as_str()), (header(epoch), BIRTH));
    let read = entries.by_ref().map(|e| e.unwrap()).collect();
    (read, entries.is_torn())
}

#[test]
fn each_entry_comes_with_what_it_gave_and_after_a_kill_the_last_one_without() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1, 3);
    let of = |last: Option<Digest>| {
        let all = [Some(outputs(0)), Some(outputs(1)), last];
        all.into_iter().zip(0..).map(|(outputs, n)| Recorded { entry: entry(n), outputs }).collect::<Vec<_>>()
    };
    assert_eq!(recorded(dir.path(), 1), (of(Some(outputs(2))), false));
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(recorded(dir.path(), 1), (of(None), true));
}

#[test]
fn what_was_appended_reads_back_with_its_head() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 3, 500);
    assert_eq!(read(dir.path(), 3), ((0..500).map(entry).collect(), false));
}

#[test]
fn a_tail_torn_at_any_byte_ends_before_its_frame() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1, 3);
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    // Before the frame that closes it.
    let whole = &whole[..whole.len() - 16];
    let last = postcard::to_stdvec(&entry(2)).unwrap().len() + 16;
    for cut in 1..last {
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        assert_eq!(read(dir.path(), 1), (vec![entry(0), entry(1)], true), "cut by {cut}");
    }
    std::fs::write(&path, &whole[..whole.len() - last]).unwrap();
    assert_eq!(read(dir.path(), 1), (vec![entry(0), entry(1)], false));
}

#[test]
fn a_damaged_byte_in_the_last_frame_is_noticed_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1, 2);
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    let whole = &whole[..whole.len() - 16];
    let begin = whole.len() - postcard::to_stdvec(&entry(1)).unwrap().len() - 16;
    for at in begin..whole.len() {
        let mut damaged = whole.to_vec();
        damaged[at] ^= 0x40;
        std::fs::write(&path, &damaged).unwrap();
        // A length that is less than it was leaves something behind the frame.
        match error_after(&path, 1) {
            None => assert_eq!(read(dir.path(), 1), (vec![entry(0)], true), "byte {at}"),
            Some(error) => assert!(at < begin + 4 && error.contains("damaged"), "byte {at}: {error}"),
        }
    }
}

/// The entries before it are those that were written.
fn error_after(path: &Path, whole: u64) -> Option<String> {
    let (_, _, mut entries) = read_journal::<String, Entry>(path).unwrap();
    for n in 0..whole {
        assert_eq!(entries.next().unwrap().unwrap().entry, entry(n));
    }
    let error = entries.next()?.unwrap_err().to_string();
    assert!(entries.next().is_none() && !entries.is_torn() && !entries.is_closed());
    Some(error)
}

#[test]
fn a_damaged_byte_with_more_behind_it_is_no_torn_tail_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1, 40);
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..3).map(|n| postcard::to_stdvec(&entry(n)).unwrap().len() + 16).collect();
    let tail: usize = (3..40).map(|n| postcard::to_stdvec(&entry(n)).unwrap().len() + 16).sum::<usize>() + 16;
    let begin = whole.len() - tail - ends[2];
    for at in begin..begin + ends[2] {
        for bit in [0x01, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= bit;
            std::fs::write(&path, &damaged).unwrap();
            let error = error_after(&path, 2).unwrap_or_else(|| panic!("byte {at} is taken for a torn tail"));
            assert!(error.contains(&format!("is damaged at byte {begin}, in entry 3, and more follows")), "byte {at}: {error}");
        }
    }
}

#[test]
fn a_journal_says_whether_it_was_closed_and_nothing_comes_after_that() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1, 3);
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    let ends = || {
        let (_, _, mut entries) = read_journal::<String, Entry>(&path).unwrap();
        assert_eq!(entries.by_ref().map(Result::unwrap).count(), 3);
        (entries.is_closed(), entries.is_torn())
    };
    assert_eq!(ends(), (true, false));
    std::fs::write(&path, &whole[..whole.len() - 16]).unwrap();
    assert_eq!(ends(), (false, false));
    std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    let error = error_after(&path, 3).unwrap();
    assert!(error.contains(&format!("damaged at byte {}", whole.len())), "{error}");
}

#[test]
fn what_is_no_journal_or_has_a_damaged_head_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1, 1);
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..50 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x01;
        std::fs::write(&path, &damaged).unwrap();
        assert!(read_journal::<String, Entry>(&path).is_err(), "byte {at}");
    }
    std::fs::write(&path, b"CT").unwrap();
    assert!(matches!(read_journal::<String, Entry>(&path), Err(StoreError::File { .. })));
}

#[test]
fn a_journal_of_another_form_says_which_and_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1, 1);
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    let with_form = |form: u16| {
        let mut other = whole.clone();
        other[4..6].copy_from_slice(&form.to_le_bytes());
        std::fs::write(&path, &other).unwrap();
        read_journal::<String, Entry>(&path).err().unwrap().to_string()
    };
    assert!(with_form(2).contains("a journal of form 2, this program reads form 11"), "{}", with_form(2));
    assert!(with_form(99).contains("written by a newer version (form 99, this program knows 11)"), "{}", with_form(99));
}

#[test]
fn the_oldest_journals_make_room_by_number_and_by_size() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    (1..=5).for_each(|epoch| written(dir.path(), epoch, 100));
    let size = std::fs::metadata(path_of(dir.path(), 5)).unwrap().len();
    let keep = |epoch, retention| {
        Journal::start(dir.path(), header(epoch), &BIRTH, retention).unwrap().close();
        (1..=epoch).filter(|e| path_of(dir.path(), *e).exists()).collect::<Vec<_>>()
    };
    assert_eq!(keep(6, Retention { epochs: 4, bytes: 1 << 30 }), [3, 4, 5, 6]);
    assert_eq!(keep(7, Retention { epochs: 20, bytes: size * 3 }), [5, 6, 7]);
}

#[test]
fn a_journal_that_reaches_its_size_ends_with_an_alarm_and_reads_up_to_there() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::start(dir.path(), header(1), &BIRTH, Retention { epochs: 2, bytes: 4096 }).unwrap();
    (0..1000).for_each(|n| journal.append(&entry(n)));
    assert_eq!(journal.close().as_deref(), Some("it reached 4096 bytes"));
    let (entries, torn) = read(dir.path(), 1);
    assert!(!torn && entries.len() > 20);
    assert_eq!(entries, (0..entries.len() as u64).map(entry).collect::<Vec<_>>());
}

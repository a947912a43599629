//! What the question is put to: an epoch's facts, and the sites that counted.

use super::{Failure, refused};
use crate::node::birth::Birth;
use crate::replay::{CannotReplay, Replay, Replayed, Sources, facts};
use acd::Config;
use base::fact::{Logged, What};
use shell_store::journal::read_journal;
use std::collections::BTreeMap;

/// From the log; where there is none, by a replay, which has to be without fault. A note says what is not in it.
pub fn facts_of(sources: &Sources) -> Result<(Vec<Logged>, Option<String>), Failure> {
    let (header, ..) = read_journal::<Birth, engine::Entry>(&sources.journal).map_err(refused)?;
    let epoch = header.epoch;
    if let Some(logged) = facts(&sources.data(), epoch).map_err(refused)?.filter(|logged| !logged.is_empty()) {
        return Ok((logged, None));
    }
    let mut said = Vec::new();
    let replay = Replay::open(sources).map_err(refused)?;
    let replayed = replay.run(|fact| said.push(Logged { epoch, seq: said.len() as u64 + 1, fact: fact.clone() }));
    // What an empty log lost is what is replayed here.
    let replayed = Replayed { logged: None, ..replayed.map_err(refused)? };
    if let Some(fault) = replayed.fault() {
        let error = format!("there is no log, and the journal does not give the day again: {fault}");
        return Err(Failure::Refused { error, expected: "a journal that `centralita replay` finds no fault with".into() });
    }
    let note = (!replayed.closed).then(|| {
        let why = if replayed.torn { "its end is torn" } else { "it was not closed" };
        format!(
            "there is no log of epoch {epoch}: only the first {} inputs of its journal, up to {}, because {why}",
            replayed.inputs, replayed.to
        )
    });
    Ok((said, note))
}

pub fn sites_of(sources: &Sources, facts: &[Logged], sites: &mut BTreeMap<String, Config>) -> Result<(), CannotReplay> {
    for logged in facts {
        let What::ConfigLoaded { site_sha256, .. } = &logged.fact.what else { continue };
        if !sites.contains_key(site_sha256) {
            let bytes = unhex(site_sha256).ok_or_else(|| CannotReplay::NoSite(site_sha256.clone()))?;
            sites.insert(site_sha256.clone(), sources.setup(&bytes)?.site.acd());
        }
    }
    Ok(())
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    base::hex::decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::tests::Epoch;

    /// Of an epoch without a log, its journal as `change` leaves it.
    fn without_a_log(change: impl FnOnce(&mut Vec<u8>)) -> Result<(Vec<Logged>, Option<String>), Failure> {
        let mut epoch = Epoch::begin();
        (0..3).for_each(|_| epoch.work());
        let (dir, journal, _) = epoch.end();
        std::fs::remove_file(dir.path().join("centralita.db")).unwrap();
        let mut bytes = std::fs::read(&journal).unwrap();
        change(&mut bytes);
        std::fs::write(&journal, bytes).unwrap();
        facts_of(&Sources { journal, data: None, sites: Vec::new() })
    }

    #[test]
    fn without_a_log_a_whole_journal_tells_and_a_torn_one_says_how_far() {
        let (whole, note) = without_a_log(|_| ()).unwrap();
        assert!(whole.len() > 10 && note.is_none(), "{note:?}");
        let (less, note) = without_a_log(|bytes| bytes.truncate(bytes.len() - 150)).unwrap();
        let note = note.unwrap();
        assert!(less.len() < whole.len() && note.contains("only the first ") && note.contains("its end is torn"), "{note}");
    }

    #[test]
    fn without_a_log_nothing_is_answered_from_a_damaged_journal() {
        let damaged = without_a_log(|bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
        let Err(Failure::Refused { error, .. }) = damaged else { panic!("{damaged:?}") };
        assert!(error.contains("does not give the day again") && error.contains("is damaged at byte"), "{error}");
    }

    #[test]
    fn a_hash_reads_as_it_is_written() {
        assert_eq!(unhex(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(unhex("0f"), None);
    }
}

//! Every decision of a journal made again, and compared with what was decided then.
//!
//! Compared are, input by input, all outputs by the digest that the journal keeps of them, and every fact with the log,
//! if there is one. After the first difference nothing more is compared: another state gives other outputs.
//!
//! ```text
//!  journal  ├── closed ─────────────▶ log and journal end together, or one of them lost something: a fault
//!           ├── cut, also torn ─────▶ a kill: either may end up to BEHIND before the other; more is a fault
//!           └── damaged, more after ▶ a fault
//! ```

mod replayed;

pub use replayed::{Difference, Replayed};

use crate::load::{self, LoadError};
use crate::node::birth::{Birth, Digester};
use crate::sites;
use base::Instant;
use base::fact::{Fact, Logged};
use engine::{Centre, Entry, Input, Output, Setup};
use shell_store::journal::{Entries, Header, Recorded, read_journal};
use shell_store::{Store, StoreError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where what a replay needs is found.
#[derive(Clone, Debug)]
pub struct Sources {
    pub journal: PathBuf,
    /// The data folder; else the one the journal is in.
    pub data: Option<PathBuf>,
    /// Site files beside those that were kept.
    pub sites: Vec<PathBuf>,
}

/// Why there is no replay, or none further.
#[derive(Debug, thiserror::Error)]
pub enum CannotReplay {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Site(LoadError),
    #[error("the site {0} that counted is not kept beside the journal, and is none of those given")]
    NoSite(String),
    #[error("the key of party ids, {path}: {error}")]
    NoKey { path: PathBuf, error: std::io::Error },
}

/// A journal with everything that its replay needs.
pub struct Replay {
    header: Header,
    birth: Birth,
    entries: Entries<Entry>,
    centre: Centre,
    known: Known,
    log: Option<Vec<Logged>>,
}

/// Setups by their hash.
struct Known {
    data: PathBuf,
    given: Vec<Arc<Setup>>,
}

impl Replay {
    pub fn open(sources: &Sources) -> Result<Replay, CannotReplay> {
        let (header, birth, entries) = read_journal::<Birth, Entry>(&sources.journal)?;
        let data = sources.data();
        let given = sources.sites.iter().map(|path| Ok(Arc::new(load::load(path).map_err(CannotReplay::Site)?.setup)));
        let known = Known { data: data.clone(), given: given.collect::<Result<_, CannotReplay>>()? };
        let boot = birth.again(&header, party_key(&data)?, known.find(&header.site_sha256)?);
        let log = facts(&data, header.epoch)?;
        Ok(Replay { header, birth, entries, centre: Centre::new(boot), known, log })
    }

    /// All of it, or up to the first difference or damage. `each` sees every fact that is said.
    pub fn run(mut self, mut each: impl FnMut(&Fact)) -> Result<Replayed, CannotReplay> {
        let logged = self.log.as_ref().map(|log| log.len() as u64);
        let (epoch, version) = (self.header.epoch, self.birth.version.clone());
        let mut replayed = Replayed { epoch, version, logged, ..Replayed::default() };
        let (mut digester, mut last, mut first_lost) = (Digester::default(), Instant::ZERO, None);
        while let Some(recorded) = self.entries.next() {
            let recorded = match recorded {
                Err(damage @ StoreError::Damaged { .. }) => {
                    replayed.damage = Some(damage);
                    break;
                }
                recorded => recorded?,
            };
            last = recorded.entry.now.mono;
            if let Some(difference) = self.step(recorded, &mut digester, &mut replayed, &mut each)? {
                replayed.difference = Some(difference);
                break;
            }
            if replayed.lost() > 0 {
                first_lost.get_or_insert(last);
            }
        }
        (replayed.torn, replayed.closed) = (self.entries.is_torn(), self.entries.is_closed());
        let beyond = self.log.iter().flatten().skip(at(replayed.facts)).map(|l| l.fact.now.mono).max();
        replayed.apart = beyond.map_or(last.since(first_lost.unwrap_or(last)), |beyond| beyond.since(last));
        Ok(replayed)
    }

    /// One input again.
    fn step(
        &mut self,
        recorded: Recorded<Entry>,
        digester: &mut Digester,
        replayed: &mut Replayed,
        each: &mut impl FnMut(&Fact),
    ) -> Result<Option<Difference>, CannotReplay> {
        let Recorded { entry, outputs } = recorded;
        self.configure(&entry.input, replayed)?;
        let (now, what, mut out) = (entry.now, summary(&entry.input), Vec::new());
        if replayed.inputs == 0 {
            replayed.from = now.wall;
        }
        replayed.inputs += 1;
        replayed.to = now.wall;
        self.centre.handle(entry, &mut out);
        out.iter().filter_map(fact_of).for_each(each);
        let same = outputs.is_none_or(|outputs| outputs == digester.of(&out));
        if !same || !self.facts_agree(&out, replayed.facts) {
            let at = Difference { input: replayed.inputs, at: now.wall, mono: now.mono, what, ..Difference::empty() };
            return Ok(Some(self.describe(at, &out, replayed.facts)));
        }
        replayed.digests += u64::from(outputs.is_some());
        replayed.facts += out.iter().filter(|o| fact_of(o).is_some()).count() as u64;
        Ok(None)
    }

    /// As the node did: the first `Configure` is the one it was born with, the others are handed over beside the way.
    fn configure(&mut self, input: &Input, replayed: &mut Replayed) -> Result<(), CannotReplay> {
        if let Input::Configure { sha256, .. } = input {
            replayed.configurations += 1;
            if replayed.configurations > 1 {
                let setup = self.known.find(sha256)?;
                self.centre.stage(setup);
            }
        }
        Ok(())
    }

    /// What is said now against the log's facts after so many. What the log lost with a kill is no difference.
    fn facts_agree(&self, out: &[Output], after: u64) -> bool {
        let logged = self.log.iter().flatten().skip(at(after));
        out.iter().filter_map(fact_of).zip(logged).all(|(now, then)| *now == then.fact)
    }

    fn describe(&self, at: Difference, out: &[Output], after: u64) -> Difference {
        let now: Vec<Fact> = out.iter().filter_map(fact_of).cloned().collect();
        let then = self.log.iter().flatten().skip(self::at(after));
        let then = then.take_while(|l| l.fact.now.mono <= at.mono).take(now.len().max(8)).cloned().collect();
        let mut others = BTreeMap::new();
        for output in out.iter().filter(|o| fact_of(o).is_none()) {
            *others.entry(kind_of(output)).or_insert(0) += 1;
        }
        Difference { then, now, others, ..at }
    }
}

impl Sources {
    /// `<data>/journal/<epoch>.jnl`.
    pub fn data(&self) -> PathBuf {
        let beside = || self.journal.parent().and_then(Path::parent).unwrap_or(Path::new(".")).to_path_buf();
        self.data.clone().unwrap_or_else(beside)
    }

    /// The setup of a hash that a log or journal names.
    pub fn setup(&self, sha256: &[u8; 32]) -> Result<Arc<Setup>, CannotReplay> {
        let given = self.sites.iter().map(|path| Ok(Arc::new(load::load(path).map_err(CannotReplay::Site)?.setup)));
        Known { data: self.data(), given: given.collect::<Result<_, CannotReplay>>()? }.find(sha256)
    }
}

impl Known {
    fn find(&self, sha256: &[u8; 32]) -> Result<Arc<Setup>, CannotReplay> {
        if let Some(given) = self.given.iter().find(|setup| setup.sha256 == *sha256) {
            return Ok(given.clone());
        }
        let kept = sites::find(&self.data, sha256).ok_or_else(|| CannotReplay::NoSite(base::hex::encode(sha256)))?;
        Ok(Arc::new(kept.map_err(CannotReplay::Site)?))
    }
}

fn party_key(data: &Path) -> Result<[u8; 32], CannotReplay> {
    let path = data.join("party.key");
    let read = std::fs::read(&path).and_then(|key| key.try_into().map_err(|_| std::io::Error::other("it has not 32 bytes")));
    read.map_err(|error| CannotReplay::NoKey { path, error })
}

/// An epoch's facts; `None` if there is no log.
pub fn facts(data: &Path, epoch: u32) -> Result<Option<Vec<Logged>>, CannotReplay> {
    if !data.join("centralita.db").is_file() {
        return Ok(None);
    }
    let store = Arc::new(Store::look(data)?);
    let of_epoch = store.facts_after((epoch, 0)).take_while(|l| l.as_ref().map_or(true, |l| l.epoch == epoch));
    Ok(Some(of_epoch.collect::<Result<_, StoreError>>()?))
}

fn at(facts: u64) -> usize {
    usize::try_from(facts).unwrap_or(usize::MAX)
}

fn fact_of(output: &Output) -> Option<&Fact> {
    if let Output::Fact(fact) = output { Some(fact) } else { None }
}

/// Without what belongs to a person.
fn summary(input: &Input) -> String {
    match input {
        Input::Sip(sip::Input::Received { flow, bytes }) => {
            let line = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
            // A response is known by its status, a request by its method: its address is somebody's.
            let word = if words[0].starts_with(b"SIP/") { words.get(1) } else { words.first() };
            let word = String::from_utf8_lossy(word.copied().unwrap_or_default()).into_owned();
            format!("SIP {word} from {flow:?}, {} bytes", bytes.len())
        }
        Input::Resume(resume) => format!("what {} calls and {} agents left", resume.open.calls.len(), resume.open.agents.len()),
        Input::Configure { sha256, .. } => format!("the site {}", base::hex::encode(sha256)),
        other => format!("{other:?}"),
    }
}

fn kind_of(output: &Output) -> &'static str {
    match output {
        Output::Send { .. } => "SIP messages",
        Output::Media(_) => "media commands",
        Output::Fact(_) => "facts",
        Output::Bindings { .. } => "bindings",
        Output::Reply { .. } => "replies",
        Output::Suspicious { .. } => "warnings",
        _ => "other outputs",
    }
}

#[cfg(test)]
pub mod tests;

use super::*;
use crate::load::Texts;
use base::{AgentId, Now, Wall};
use engine::{Boot, Request};
use shell_store::Writer;
use shell_store::journal::{Digest, Journal, Retention, path_of};

const SITE: &str = include_str!("../../../../../deploy/demo.toml");
const FLOW: &str = include_str!("../../../../../ivr-flows/service-desk.yaml");
const KEY: [u8; 32] = [7; 32];

fn texts(comment: &str) -> Texts {
    let flows = [("service-desk".to_string(), FLOW.to_string())].into();
    Texts { folder: "/srv/centralita".into(), site: format!("{SITE}\n# {comment}\n"), flows }
}

/// One epoch of a node without sockets: it is told things as the decision thread is, and keeps what that keeps.
pub struct Epoch {
    dir: tempfile::TempDir,
    store: Arc<Store>,
    writer: Writer,
    journal: Journal,
    centre: Centre,
    digester: Digester,
    told: u64,
    /// What is written of this input is another digest.
    lies_at: Option<u64>,
}

impl Epoch {
    pub fn begin() -> Epoch {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        let store = Arc::new(Store::open(data).unwrap());
        let epoch = store.begin_epoch().unwrap();
        let writer = Writer::start(store.clone(), epoch).unwrap();
        std::fs::write(data.join("party.key"), KEY).unwrap();
        let setup = keep(data, "as it was");
        let boot = Boot {
            node: 1,
            epoch,
            boot_id: "b".into(),
            routing_seed: 9,
            party_key: KEY,
            sip: "127.0.0.1:5060".parse().unwrap(),
            towards: BTreeMap::new(),
            setup: setup.clone(),
        };
        let header = Header { epoch, seed: 9, site_sha256: setup.sha256 };
        let journal = Journal::start(data, header, &Birth::of(&boot), Retention::default()).unwrap();
        let centre = Centre::new(boot);
        let mut epoch = Epoch { dir, store, writer, journal, centre, digester: Digester::default(), told: 0, lies_at: None };
        epoch.tell(Input::Resume(Box::default()));
        epoch.tell(Input::Configure { sha256: setup.sha256, who: None });
        epoch
    }

    fn tell(&mut self, input: Input) {
        self.told += 1;
        let n = self.told;
        let now = Now { mono: Instant(n * 400_000_000), wall: Wall(1_795_000_000_000_000 + n as i64 * 400_000) };
        let entry = Entry { now, entropy: [n as u8; 32], input };
        self.journal.append(&entry);
        let mut out = Vec::new();
        self.centre.handle(entry, &mut out);
        let digest: Digest = if self.lies_at == Some(n) { [1; 8] } else { self.digester.of(&out) };
        self.journal.gave(digest);
        let facts: Vec<Fact> = out.iter().filter_map(fact_of).cloned().collect();
        self.writer.handle().facts(facts);
    }

    /// An OPTIONS from a stranger, an agent who logs in, pauses and comes back, and time that passes.
    pub fn work(&mut self) {
        let agent: AgentId = self.centre.snapshot().agents[0].agent.clone();
        let asks = [acd::Ask::LogIn, acd::Ask::Pause { reason: "break".into() }, acd::Ask::Ready, acd::Ask::LogOut];
        for (number, ask) in asks.into_iter().enumerate() {
            let request = Request::Agent { agent: agent.clone(), ask };
            self.tell(Input::Asked { number: number as u64, who: "test".into(), request });
            self.tell(Input::Due);
        }
    }

    fn reload(&mut self, comment: &str) {
        let setup = keep(self.dir.path(), comment);
        self.centre.stage(setup.clone());
        self.tell(Input::Configure { sha256: setup.sha256, who: None });
    }

    /// The folder, its journal, and how many inputs there were.
    pub fn end(self) -> (tempfile::TempDir, PathBuf, u64) {
        assert_eq!(self.journal.close(), None);
        let epoch = self.store.newest().unwrap().0.max(1);
        self.writer.close();
        drop(self.store);
        let path = path_of(self.dir.path(), epoch);
        (self.dir, path, self.told)
    }
}

fn keep(data: &Path, comment: &str) -> Arc<Setup> {
    let texts = texts(comment);
    let setup = texts.again().unwrap();
    sites::keep(data, &setup.sha256, &texts).unwrap();
    Arc::new(setup)
}

fn replay(journal: &Path) -> Result<Replayed, CannotReplay> {
    let sources = Sources { journal: journal.into(), data: None, sites: Vec::new() };
    Replay::open(&sources)?.run(|_| ())
}

#[test]
fn a_journal_with_reloads_in_between_gives_every_decision_again() {
    let mut epoch = Epoch::begin();
    epoch.work();
    epoch.reload("another comment");
    epoch.work();
    epoch.reload("as it was");
    epoch.work();
    let (_dir, path, told) = epoch.end();
    let replayed = replay(&path).unwrap();
    assert!(replayed.difference.is_none(), "{replayed:?}");
    assert_eq!((replayed.inputs, replayed.digests, replayed.configurations), (told, told, 3));
    assert!(replayed.facts > 20 && replayed.logged == Some(replayed.facts) && replayed.closed, "{replayed:?}");
    assert_eq!(replayed.fault(), None);
}

#[test]
fn a_journal_torn_by_a_kill_is_replayed_up_to_there() {
    let mut epoch = Epoch::begin();
    epoch.work();
    let (_dir, path, told) = epoch.end();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let replayed = replay(&path).unwrap();
    assert!(replayed.difference.is_none() && replayed.torn, "{replayed:?}");
    assert_eq!((replayed.inputs, replayed.digests), (told, told - 1));
    std::fs::write(&path, &whole[..whole.len() - 200]).unwrap();
    let replayed = replay(&path).unwrap();
    assert!(replayed.difference.is_none() && replayed.inputs < told && replayed.beyond() > 0, "{replayed:?}");
    assert_eq!(replayed.fault(), None, "a kill explains that");
}

#[test]
fn a_journal_cut_in_half_is_no_success_since_the_log_goes_on() {
    let mut epoch = Epoch::begin();
    (0..4).for_each(|_| epoch.work());
    let (_dir, path, told) = epoch.end();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let replayed = replay(&path).unwrap();
    assert!(replayed.difference.is_none() && replayed.inputs < told, "{replayed:?}");
    let fault = replayed.fault().unwrap();
    assert!(fault.contains(&format!("the log has {} facts more", replayed.beyond())), "{fault}");
}

#[test]
fn a_bit_that_flipped_in_the_middle_is_damage_at_a_byte_and_an_input() {
    let mut epoch = Epoch::begin();
    (0..4).for_each(|_| epoch.work());
    let (_dir, path, told) = epoch.end();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&path, &bytes).unwrap();
    let replayed = replay(&path).unwrap();
    assert!(replayed.inputs > 1 && replayed.inputs < told && !replayed.torn, "{replayed:?}");
    let (fault, next) = (replayed.fault().unwrap(), replayed.inputs + 1);
    assert!(fault.contains("is damaged at byte ") && fault.contains(&format!(", in entry {next}, ")), "{fault}");
}

#[test]
fn a_log_that_lost_its_tail_or_is_not_there_was_not_compared() {
    let mut epoch = Epoch::begin();
    (0..4).for_each(|_| epoch.work());
    let (dir, path, _) = epoch.end();
    let whole = replay(&path).unwrap();
    let database = dir.path().join("centralita.db");
    let log = rusqlite::Connection::open(&database).unwrap();
    log.execute_batch("DROP TRIGGER fact_is_never_deleted; DELETE FROM fact WHERE seq > 10").unwrap();
    drop(log);
    let replayed = replay(&path).unwrap();
    assert_eq!((replayed.facts, replayed.logged, replayed.compared()), (whole.facts, Some(10), 10));
    assert!(replayed.fault().unwrap().contains("only 10 of the"), "{:?}", replayed.fault());
    std::fs::remove_file(&database).unwrap();
    let alone = replay(&path).unwrap();
    assert_eq!((alone.facts, alone.logged, alone.compared(), alone.fault()), (whole.facts, None, 0, None));
}

#[test]
fn the_first_input_that_gave_something_else_is_named_with_its_facts() {
    let mut epoch = Epoch::begin();
    epoch.work();
    epoch.lies_at = Some(epoch.told + 3);
    epoch.work();
    let lie = epoch.lies_at.unwrap();
    let (_dir, path, _) = epoch.end();
    let difference = replay(&path).unwrap().difference.unwrap();
    assert_eq!(difference.input, lie);
    assert!(difference.what.contains("Pause"), "{}", difference.what);
    let facts: Vec<String> = difference.now.iter().map(|fact| fact.what.name()).collect();
    assert!(facts.contains(&"agent.state_changed".to_string()), "{facts:?}");
    assert_eq!(difference.then.iter().map(|l| &l.fact).collect::<Vec<_>>(), difference.now.iter().collect::<Vec<_>>());
}

#[test]
fn another_site_than_the_one_that_counted_is_not_taken_and_is_named() {
    let (dir, path, _) = Epoch::begin().end();
    std::fs::remove_dir_all(dir.path().join("sites")).unwrap();
    let error = replay(&path).unwrap_err().to_string();
    let named = base::hex::encode(&texts("as it was").again().unwrap().sha256);
    assert!(error.contains(&named) && error.contains("is not kept"), "{error}");
}

#[test]
fn without_the_key_of_party_ids_nothing_is_compared() {
    let (dir, path, _) = Epoch::begin().end();
    std::fs::remove_file(dir.path().join("party.key")).unwrap();
    assert!(replay(&path).unwrap_err().to_string().starts_with("the key of party ids"));
}

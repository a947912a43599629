//! Legal holds, and whether a recording may go. They are lines of the log of accesses, read from its beginning at start,
//! and held against what the store remembers of that log.

use super::{Shelf, kept_head, plan::row, text};
use base::RecordingId;
use recording::retention::{Held, Holds, Keeps, RELEASED, Row, Selector};
use shell_store::{AccessChange, AccessHead, Audio, ERASED, KeptHold, MISSING, Store, Which};
use shell_web::{Fault, HoldAsk, HoldRow};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use vault::access::{Access, Act, Head, Line, check};

/// The holds, as far as the log can be believed.
#[derive(Default)]
pub struct Ledger {
    pub holds: Holds,
    /// Why there may be more of them: then nothing is erased.
    pub doubt: Option<String>,
    /// A hold of which nobody here knows what it keeps.
    unread: Option<String>,
    begun: BTreeMap<RecordingId, Begun>,
}

/// An erasure that is not finished, as its line says.
pub struct Begun {
    pub who: String,
    pub why: String,
}

/// Erasures of which it is known who began them; a broken disk may leave more.
const BEGUN: usize = 100_000;
/// Rows read at once.
const PAGE: u32 = 1_000;

impl Ledger {
    /// `is_new`: there was no such file. The store is told of a log that is as it remembers it.
    pub fn read(log: &str, is_new: bool, store: &Store) -> shell_store::Result<Ledger> {
        let (head, kept) = (store.access_head()?, store.kept_holds()?);
        let mut ledger = Ledger::default();
        for line in log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            ledger.take(line);
        }
        let checked = check(log);
        let follows = |head: &AccessHead, lines: &[Line]| {
            head.n == 0 || lines.iter().any(|line| line.n == head.n && line.hash == head.hash)
        };
        let doubt = match (&checked, &head) {
            (Err(broken), _) => Some(format!("was changed at {broken}")),
            (Ok(checked), Some(head)) if !follows(head, &checked.lines) => {
                Some(format!("was cut or lost: line {} is missing in it, or is another", head.n))
            }
            (Ok(_), None) if is_new && store.has_recordings()? => Some("is new, and the recordings are not".into()),
            (Ok(_), _) => None,
        };
        match (doubt, checked) {
            (None, Ok(checked)) => {
                let told = head.map_or(u64::MAX, |head| head.n);
                let erases: Vec<_> = checked.lines.iter().filter(|line| line.n > told).filter_map(erased).collect();
                store.keep_accesses(&kept_head(&checked.head), &ledger.kept(), &erases)?;
                ledger.read_begun(&checked.lines, store)?;
            }
            (doubt, _) => {
                ledger.remember(kept);
                ledger.doubt = doubt.map(|doubt| format!("the log of accesses {doubt}, and a hold may be missing in it"));
            }
        }
        ledger.doubt = ledger.doubt.take().or_else(|| ledger.unread.clone());
        Ok(ledger)
    }

    /// Of those that are not finished, the last line that says so.
    fn read_begun(&mut self, lines: &[Line], store: &Store) -> shell_store::Result<()> {
        let mut unfinished = BTreeSet::new();
        for page in store.paged(Which::Erasing, PAGE) {
            unfinished.extend(page?.into_iter().map(|(id, _)| id));
        }
        if unfinished.is_empty() {
            return Ok(());
        }
        for line in lines {
            if let Some(id) = erased(line).filter(|id| unfinished.contains(id)) {
                self.begin(id, Begun { who: line.access.who.clone(), why: line.access.why.clone() });
            }
        }
        Ok(())
    }

    pub fn begin(&mut self, id: RecordingId, begun: Begun) {
        if self.begun.len() < BEGUN || self.begun.contains_key(&id) {
            self.begun.insert(id, begun);
        }
    }

    pub fn begun(&self, id: RecordingId) -> Option<&Begun> {
        self.begun.get(&id)
    }

    /// Finished, or never to be.
    pub fn end(&mut self, id: RecordingId) {
        self.begun.remove(&id);
    }

    /// Holds that the store knows of, and the log does not.
    fn remember(&mut self, kept: Vec<KeptHold>) {
        for hold in kept {
            let known =
                |(_, held): (u64, &Held)| held.selector.to_string() == hold.of && held.at == hold.at && held.who == hold.who;
            if self.holds.iter().any(known) {
                continue;
            }
            let next = self.holds.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
            let number = if self.holds.get(hold.hold).is_none() { hold.hold } else { next };
            self.set(number, hold.of, hold.at, hold.who, hold.why);
        }
    }

    fn set(&mut self, number: u64, of: String, at: String, who: String, why: String) {
        match of.parse::<Selector>() {
            Ok(selector) => self.holds.set(number, Held { selector, at, who, why }),
            Err(error) => self.unread = Some(format!("hold {number} can't be read: {error}")),
        }
    }

    fn kept(&self) -> Vec<KeptHold> {
        self.holds.iter().map(|(number, held)| kept(number, held)).collect()
    }

    fn take(&mut self, line: Line) {
        let Line { n, access, .. } = line;
        if access.refused.is_some() {
            return;
        }
        match access.act {
            Act::Hold => self.set(n, access.recording, access.at, access.who, access.why),
            Act::Release => {
                let number = access.recording.strip_prefix(RELEASED).and_then(|number| number.parse().ok());
                number.and_then(|number| self.holds.release(number));
            }
            Act::Export | Act::Play | Act::Verify | Act::Erase | Act::Rekey | Act::Accept => {}
        }
    }
}

/// What goes by this line.
fn erased(line: &Line) -> Option<RecordingId> {
    (line.access.act == Act::Erase && line.access.refused.is_none()).then(|| line.access.recording.parse().ok())?
}

fn kept(hold: u64, held: &Held) -> KeptHold {
    KeptHold { hold, of: held.selector.to_string(), at: held.at.clone(), who: held.who.clone(), why: held.why.clone() }
}

/// Why something is refused while nobody knows what is held.
fn doubted(doubt: &str) -> Fault {
    Fault::conflict(
        doubt,
        "a whole log of accesses: find out what became of it, then `centralita recording access-log --accept --reason …`, \
         which begins a new one with all holds that are known",
    )
}

fn shown(hold: u64, held: &Held) -> HoldRow {
    let (of, at) = (held.selector.to_string(), held.at.clone());
    HoldRow { hold, of, at, who: held.who.clone(), why: held.why.clone(), recordings: None }
}

impl Shelf {
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn all_holds(&self) -> Vec<HoldRow> {
        self.ledger().holds.iter().map(|(hold, held)| shown(hold, held)).collect()
    }

    /// None: no such recording, or nobody of that number.
    pub fn set_hold(&self, who: &str, ask: &HoldAsk, why: &str) -> Result<Option<HoldRow>, Fault> {
        let HoldAsk { recording, tenant, queue, agent, caller, from, to } = ask.clone();
        let parties = match &caller {
            Some(number) => self.store.parties(number, tenant.as_ref()).map_err(text)?,
            None => vec![],
        };
        let unknown = match recording {
            Some(recording) => self.store.recording(recording).map_err(text)?.is_none(),
            None => false,
        };
        if unknown || (caller.is_some() && parties.is_empty()) {
            return Ok(None);
        }
        let selector = Selector { recording, tenant, queue, agent, parties, from, to };
        let mut ledger = self.ledger();
        let access = self.access(who, Act::Hold, &selector.to_string(), why);
        if let Some(doubt) = &ledger.doubt {
            self.refuse(access, doubt);
            return Err(doubted(doubt));
        }
        let held = Held { selector, at: access.at.clone(), who: who.into(), why: why.into() };
        let number = self.written(&access, |number| AccessChange::Set(kept(number, &held)))?;
        let (row, selector) = (shown(number, &held), held.selector.clone());
        ledger.holds.set(number, held);
        drop(ledger);
        // It counts, whether or not anybody can say of how many.
        let counted = self.count(&selector).map_err(|error| tracing::error!(error, "what a hold keeps can't be counted"));
        Ok(Some(HoldRow { recordings: counted.ok(), ..row }))
    }

    /// Recordings that may have audio, those that run now among them.
    fn count(&self, selector: &Selector) -> Result<u64, String> {
        if let Some(recording) = selector.recording {
            let row = self.store.recording(recording).map_err(text)?;
            let gone = |row: &shell_store::Recording| row.form.as_deref().is_some_and(|form| [ERASED, MISSING].contains(&form));
            return Ok(u64::from(row.is_some_and(|row| !gone(&row))));
        }
        let mut count = 0;
        self.oldest_first(Audio::Possible, selector.from, &mut |file| {
            count += u64::from(selector.selects(&row(&file)));
            Ok(selector.to.is_none_or(|to| file.started < to))
        })?;
        Ok(count)
    }

    pub fn end_hold(&self, who: &str, hold: u64, why: &str) -> Result<Option<HoldRow>, Fault> {
        let mut ledger = self.ledger();
        let Some(row) = ledger.holds.get(hold).map(|held| shown(hold, held)) else { return Ok(None) };
        let access = self.access(who, Act::Release, &format!("{RELEASED}{hold}"), why);
        if let Some(doubt) = &ledger.doubt {
            self.refuse(access, doubt);
            return Err(doubted(doubt));
        }
        self.written(&access, |_| AccessChange::Released(hold))?;
        ledger.holds.release(hold);
        Ok(Some(row))
    }

    /// Begins a new log of accesses in the place of one in doubt, which stays beside it: first who did so, then every
    /// hold that is known by the old log or the store, as it was set. Says what was done.
    pub fn accept_log(&self, who: &str, why: &str) -> Result<String, Fault> {
        let mut ledger = self.ledger();
        if let Some(unread) = &ledger.unread {
            return Err(Fault::conflict(unread, "the version of this program that wrote it"));
        }
        if ledger.doubt.is_none() && self.log.is_away().is_none() {
            return Err(Fault::conflict("the log of accesses is as it was written", "one in doubt"));
        }
        let first = self.access(who, Act::Accept, "log", why);
        let aside = format!("{}.{}", super::LOG, first.at.replace(':', ""));
        let held = |(_, held): (u64, &Held)| Access {
            at: held.at.clone(),
            who: held.who.clone(),
            act: Act::Hold,
            recording: held.selector.to_string(),
            why: held.why.clone(),
            refused: None,
        };
        let mut lines = vec![first];
        lines.extend(ledger.holds.iter().map(held));
        let mut anew = Ledger::default();
        for (n, line) in (1..).zip(&lines) {
            anew.take(Line { n, access: line.clone(), prev: String::new(), hash: String::new() });
        }
        let keep = |head: &Head| self.store.keep_accesses(&kept_head(head), &anew.kept(), &[]).map_err(std::io::Error::other);
        self.log.anew(&lines, &aside, keep).map_err(text)?;
        anew.begun = std::mem::take(&mut ledger.begun);
        *ledger = anew;
        self.in_doubt.store(false, Ordering::Release);
        Ok(format!("a new log of accesses begins with {} holds; the one before is {aside}", lines.len() - 1))
    }

    pub(super) fn may_go(&self, ledger: &Ledger, id: RecordingId, early: bool) -> Result<(), Fault> {
        if let Some(doubt) = &ledger.doubt {
            return Err(doubted(doubt));
        }
        let (row, now) = (self.known(id).map_err(text)?, self.clock.now().wall);
        match self.setup.load().site.retention.may_go(&row, &ledger.holds, now, early) {
            Ok(()) => Ok(()),
            Err(Keeps::Hold(hold)) => {
                let held = ledger.holds.get(hold).map(|held| format!(" ({} by {}: {})", held.at, held.who, held.why));
                let error = format!("hold {hold} keeps {id}{}", held.unwrap_or_default());
                Err(Fault::conflict(error, "a recording that no hold keeps"))
            }
            Err(Keeps::Minimum { until }) => {
                let error = format!("{id} is within its minimum: it may go from {until} on");
                Err(Fault::conflict(error, "`early`, by whoever answers for it"))
            }
        }
    }

    /// What is known of a recording, for holds and spans.
    pub(super) fn known(&self, id: RecordingId) -> shell_store::Result<Row> {
        let nobody =
            || Row { recording: id, tenant: None, queue: None, agent: None, party: None, started: Default::default(), bytes: 0 };
        Ok(self.store.about(id)?.map_or_else(nobody, |file| row(&file)))
    }
}

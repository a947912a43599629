//! Legal holds, and whether a recording may go. They are lines of the log of accesses, read from its beginning at start.

use super::{Shelf, plan::row, text};
use base::RecordingId;
use recording::retention::{Held, Holds, RELEASED, Row, Selector};
use shell_web::{Fault, HoldAsk, HoldRow};
use std::sync::{MutexGuard, PoisonError};
use vault::access::{Act, Line, check};

/// The holds, as far as the log can be believed.
#[derive(Default)]
pub struct Ledger {
    pub holds: Holds,
    /// Why there may be more of them: then nothing is erased.
    pub doubt: Option<String>,
}

impl Ledger {
    pub fn read(log: &str) -> Ledger {
        let mut ledger = Ledger::default();
        for line in log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            ledger.take(line);
        }
        if let Err(broken) = check(log) {
            ledger.doubt = Some(format!("the log of accesses was changed at {broken}, and a hold may be missing in it"));
        }
        ledger
    }

    fn take(&mut self, line: Line) {
        let Line { n, access, .. } = line;
        match access.act {
            Act::Hold => match access.recording.parse::<Selector>() {
                Ok(selector) => self.holds.set(n, Held { selector, at: access.at, who: access.who, why: access.why }),
                Err(error) => self.doubt = Some(format!("hold {n} can't be read: {error}")),
            },
            Act::Release => {
                let number = access.recording.strip_prefix(RELEASED).and_then(|number| number.parse().ok());
                number.and_then(|number| self.holds.release(number));
            }
            Act::Export | Act::Play | Act::Verify | Act::Erase | Act::Rekey => {}
        }
    }
}

fn shown(hold: u64, held: &Held) -> HoldRow {
    HoldRow { hold, of: held.selector.to_string(), at: held.at.clone(), who: held.who.clone(), why: held.why.clone() }
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
        let number = self.written(who, Act::Hold, &selector.to_string(), why)?;
        let held = Held { selector, at: self.clock.now().wall.to_string(), who: who.into(), why: why.into() };
        let row = shown(number, &held);
        ledger.holds.set(number, held);
        Ok(Some(row))
    }

    pub fn end_hold(&self, who: &str, hold: u64, why: &str) -> Result<Option<HoldRow>, Fault> {
        let mut ledger = self.ledger();
        let Some(row) = ledger.holds.get(hold).map(|held| shown(hold, held)) else { return Ok(None) };
        self.written(who, Act::Release, &format!("{RELEASED}{hold}"), why)?;
        ledger.holds.release(hold);
        Ok(Some(row))
    }

    pub(super) fn may_go(&self, ledger: &Ledger, id: RecordingId, early: bool) -> Result<(), Fault> {
        if let Some(doubt) = &ledger.doubt {
            return Err(Fault::conflict(doubt, "a whole log of accesses: put the changed one aside, and set its holds again"));
        }
        let row = match self.store.file(id).map_err(text)? {
            Some(file) => row(&file),
            // One that failed has no file by the log; what is known of it is in its row.
            None => self.store.recording(id).map_err(text)?.map_or_else(
                || Row {
                    recording: id,
                    tenant: None,
                    queue: None,
                    agent: None,
                    party: None,
                    started: Default::default(),
                    bytes: 0,
                },
                |r| Row {
                    recording: id,
                    tenant: r.tenant,
                    queue: r.queue,
                    agent: r.agent,
                    party: None,
                    started: r.started,
                    bytes: 0,
                },
            ),
        };
        if let Some(hold) = ledger.holds.of(&row) {
            let why =
                ledger.holds.get(hold).map(|held| format!(" ({} by {}: {})", held.at, held.who, held.why)).unwrap_or_default();
            return Err(Fault::conflict(format!("hold {hold} keeps {id}{why}"), "a recording that no hold keeps"));
        }
        let setup = self.setup.load();
        let span = setup.site.retention.span(row.tenant.as_ref(), row.queue.as_ref());
        let free = row.started.plus(span.minimum.unwrap_or_default());
        if !early && free > self.clock.now().wall {
            let error = format!("{id} is within its minimum: it may go from {free} on");
            return Err(Fault::conflict(error, "\"early\": true, or --early, by whoever answers for it"));
        }
        Ok(())
    }
}

//! What of the recordings goes, when and why: the rule of the core over the rows of the catalogue.

use super::{Shelf, text};
use base::Wall;
use recording::retention::{Cause, DAY, Fate, Holds, Plan, Planner, Policy, Row};
use shell_store::{Audio, StoredFile};
use shell_web::{ForecastRow, Going, PlanLine, PlanRow, ShortRow};

/// Rows read at once.
const PAGE: u32 = 1_000;

/// A plan, and what of it the disk says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    pub now: Wall,
    pub plan: Plan,
    pub disk_free: Option<u64>,
    pub disk_full: Option<Wall>,
    pub stopped: Option<String>,
}

pub fn row(file: &StoredFile) -> Row {
    Row {
        recording: file.recording,
        tenant: file.tenant.clone(),
        queue: file.queue.clone(),
        agent: file.agent.clone(),
        party: file.party,
        started: file.started,
        bytes: file.bytes,
    }
}

impl Shelf {
    /// Every recording with audio that began at or after a moment, oldest first; `act` says whether to go on.
    pub(super) fn oldest_first(
        &self,
        audio: Audio,
        from: Option<Wall>,
        act: &mut dyn FnMut(StoredFile) -> Result<bool, String>,
    ) -> Result<(), String> {
        let mut after = (from.map_or(i64::MIN, |from| from.0), i64::MIN);
        loop {
            let page = self.store.files(after, PAGE, audio).map_err(text)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.place;
            for file in page {
                if !act(file)? {
                    return Ok(());
                }
            }
        }
    }

    /// Looks at all twice; `fate` is told of each, and says whether to go on.
    pub fn plan(&self, fate: &mut dyn FnMut(&StoredFile, Fate, &Policy) -> Result<bool, String>) -> Result<Planned, String> {
        let (holds, stopped): (Holds, _) = {
            let ledger = self.ledger();
            (ledger.holds.clone(), ledger.doubt.clone())
        };
        let stopped = stopped.map_or_else(|| self.clock_doubt(), |doubt| Ok(Some(doubt)))?;
        let setup = self.setup.load_full();
        let policy = &setup.site.retention;
        let now = self.clock.now().wall;
        let mut planner = Planner::new(now, policy, &holds);
        self.oldest_first(Audio::Seen, None, &mut |file| {
            planner.see(&row(&file));
            Ok(true)
        })?;
        self.oldest_first(Audio::Seen, None, &mut |file| {
            let decided = planner.decide(&row(&file));
            fate(&file, decided, policy)
        })?;
        let plan = planner.finish();
        let disk_free = self.files.room().ok();
        let all = plan.forecasts.first();
        let disk_full = disk_free.zip(all).and_then(|(free, all)| all.reaches(now, free));
        Ok(Planned { now, plan, disk_free, disk_full, stopped })
    }

    pub(super) fn tell_plan(&self, days: u32, tell: &mut dyn FnMut(PlanLine) -> bool) -> Result<(), String> {
        let now = self.clock.now().wall;
        let within = now.plus(DAY * days);
        let mut goes_on = true;
        let planned = self.plan(&mut |file, fate, _| {
            let (at, cause) = match fate {
                Fate::Delete(cause) => (now, cause),
                Fate::Kept { until: Some(until) } if days > 0 && until <= within => (until, Cause::Maximum),
                Fate::Kept { .. } | Fate::Held(_) => return Ok(true),
            };
            let StoredFile { recording, tenant, queue, started, bytes, .. } = file.clone();
            goes_on = tell(PlanLine::Going(Going { recording, tenant, queue, started, bytes, at, cause }));
            Ok(goes_on)
        })?;
        if goes_on {
            tell(PlanLine::Plan { plan: Box::new(shown(planned)) });
        }
        Ok(())
    }
}

fn shown(planned: Planned) -> PlanRow {
    let Planned { now, plan, disk_free, disk_full, stopped } = planned;
    let Plan { found, delete, held, overdue, short, due, forecasts, deletes } = plan;
    let short =
        short.into_iter().map(|short| ShortRow { tenant: short.tenant, missing_bytes: short.missing_bytes, next: short.next });
    let forecasts = forecasts.into_iter().map(|forecast| ForecastRow {
        tenant: forecast.tenant,
        bytes: forecast.bytes,
        budget: forecast.budget,
        bytes_per_day: forecast.bytes_per_day,
        drawn_from_ms: u64::try_from(forecast.drawn_from.as_millis()).unwrap_or(u64::MAX),
        full: forecast.full,
    });
    let (short, forecasts) = (short.collect(), forecasts.collect());
    PlanRow { now, found, delete, held, overdue, due, short, forecasts, disk_free, disk_full, deletes, stopped }
}

//! What must hold between two inputs, checked against a recount of everything.
//!
//! The whole at once in tests, after each input. Live in shares: a [`Sweep`] remembers how far it has come, and each share
//! goes on from there, for a bounded cost. What it compares it compares at one moment, so that what changes between two
//! shares is no breach: visits are counted queue by queue (a kind is of one queue), agents in one go.

mod agents;
mod board;
mod sweep;
mod visits;

pub use sweep::{Share, Sweep};

use crate::Acd;
use crate::timers::Timer;
use base::Now;
use std::time::Duration;

/// A deadline may be this late before it counts as missed: `Due` has a way to go.
const GRACE: Duration = Duration::from_secs(1);

/// One broken invariant: an alarm. The names are `one_place`, `one_offer`, `deadline`, `offer_agrees`, `missed_match`,
/// `deserted` and `index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub invariant: &'static str,
    /// Ids and states, no personal data; the same for as long as it lasts.
    pub detail: String,
}

struct Findings(Vec<Breach>);

impl Findings {
    fn unless(&mut self, holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Breach { invariant, detail: detail() });
        }
    }
}

impl Acd {
    /// Empty if all is well. Costs a walk over all agents, visits and pairs of kind and profile.
    pub fn audit(&self, now: Now) -> Vec<Breach> {
        self.audit_share(&mut Sweep::default(), now, usize::MAX).found
    }

    fn audit_timer(&self, timer: Timer, now: Now, found: &mut Findings) {
        let Some(at) = self.timers.at(timer) else { return };
        found.unless(at + GRACE >= now.mono, "deadline", || format!("{timer:?} was due at {at:?}"));
    }

    /// What is cheap to see of the whole.
    fn audit_whole(&self, now: Now, found: &mut Findings) {
        let (known, all) = (self.visit_of.len(), self.visits.len());
        let in_lines: usize = self.queues.iter().map(|(_, q)| q.line.len()).sum();
        found
            .unless(in_lines == all && known == all, "one_place", || format!("{all} visits, {in_lines} in lines, {known} known"));
        let of_kinds: usize = self.board.kinds.iter().map(|(kind, _)| self.board.visits_of(kind)).sum();
        found.unless(of_kinds == all, "index", || format!("{all} visits, {of_kinds} of the kinds"));
        for detail in self.board.disagreements() {
            found.unless(false, "index", || detail);
        }
        let late = self.timers.first().filter(|at| *at + GRACE < now.mono);
        found.unless(late.is_none(), "deadline", || format!("what was due at {late:?} is not done"));
        self.audit_timer(Timer::Returns, now, found);
        let idle = self.woken_agents.is_empty() && self.woken_visits.is_empty() && self.board.stirred.is_empty();
        found.unless(idle && self.board.suspects.is_empty(), "index", || "somebody was woken and not looked at".into());
    }
}

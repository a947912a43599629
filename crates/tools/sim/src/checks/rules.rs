//! What the site file promises about visits, offers and callbacks, read off the facts.

use super::calls::{Calls, Visit};
use super::{Checked, Seen, must};
use acd::Strategy;
use base::fact::What;
use base::{AgentId, Cause, Instant, Outcome, PartyId, QueueId, VisitId, Wall};
use std::collections::BTreeMap;
use std::time::Duration;

/// A deadline may be this late: other inputs come first.
const LATE: Duration = Duration::from_millis(1_200);

#[derive(Default)]
pub struct Rules {
    /// Agents who said no to a visit, and until when they are not asked again.
    refused: BTreeMap<(AgentId, VisitId), Instant>,
    /// Opened or closed by somebody, whatever the hours.
    forced: BTreeMap<QueueId, bool>,
    /// Cut off while waiting: until when they may come back, and what they had waited.
    cut_off: BTreeMap<(PartyId, QueueId), CutOff>,
    last_place: BTreeMap<base::CallId, (QueueId, Duration, u32)>,
}

struct CutOff {
    until: Instant,
    waited: Duration,
    site: u32,
}

impl Rules {
    pub fn on_restart(&mut self) {
        *self = Rules::default();
    }

    /// Whether the agent said no to the visit lately; also when that ends this very moment.
    pub fn refused(&self, agent: &AgentId, visit: VisitId, now: Instant) -> bool {
        self.refused.get(&(agent.clone(), visit)).is_some_and(|until| *until + Duration::from_millis(5) > now)
    }

    /// Before the fact counts.
    pub fn before(&mut self, seen: &Seen, calls: &Calls) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let call = about.call.and_then(|id| calls.all.get(&id));
        let visit = call.and_then(|c| c.visit.as_ref());
        match &fact.what {
            What::OfferSent { .. } => {
                self.offered(seen)?;
                let others = call.filter(|c| c.visit.as_ref().is_some_and(|v| v.site == seen.site)).map_or(0, |c| c.offers.len());
                let all = about.queue.as_ref().and_then(|q| seen.setup.site.queues.get(q));
                let all = all.is_none_or(|q| q.strategy == Strategy::RingAll);
                must(others == 0 || all, "one agent rings at a time", || format!("{:?}", about.offer))
            }
            What::OfferTimedOut { ring_ms }
            | What::OfferRejected { ring_ms }
            | What::OfferAccepted { ring_ms }
            | What::OfferCancelled { ring_ms }
            | What::OfferWithdrawn { ring_ms } => {
                let crashed = about.cause == Some(Cause::NodeLost);
                if let Some(visit) = visit.filter(|v| v.site == seen.site && !crashed) {
                    let timed_out = matches!(fact.what, What::OfferTimedOut { .. });
                    self.rang(seen, &visit.queue, Duration::from_millis(*ring_ms), timed_out)?;
                }
                self.ended(seen)
            }
            What::QueueLeft { wait_ms, outcome, .. } => {
                let Some(visit) = visit else { return Ok(()) };
                let whole = visit.credit + Duration::from_millis(*wait_ms);
                // Who left by a key, or was answered, was not cut off in line.
                if *outcome == Outcome::Abandoned && !visit.consults {
                    self.last_place.insert(visit.id.call, (visit.queue.clone(), whole, visit.site));
                }
                self.refused.retain(|(_, refused), _| *refused != visit.id);
                let limit = seen.setup.site.queues.get(&visit.queue).and_then(|q| q.overflow_after);
                let counts = visit.site == seen.site && !visit.kept && call.is_some_and(|c| c.callback.is_none());
                let limit = limit.filter(|_| counts && about.cause != Some(Cause::NodeLost));
                let waited = Duration::from_millis(*wait_ms);
                must(limit.is_none_or(|limit| waited <= limit + LATE), "no visit is older than its queue lets it be", || {
                    format!("{} waited {waited:?} of {limit:?}", visit.id)
                })
            }
            What::CallEnded { .. } => {
                self.remember(seen);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn offered(&mut self, seen: &Seen) -> Checked {
        let about = &seen.logged.fact.about;
        let (Some(agent), Some(offer)) = (&about.agent, about.offer) else { return Ok(()) };
        let until = self.refused.get(&(agent.clone(), offer.visit)).copied();
        let now = seen.logged.fact.now.mono;
        must(until.is_none_or(|until| until <= now), "who said no is not asked again at once", || {
            format!("{agent} is asked {:?} too early", until.map(|until| until.since(now)))
        })
    }

    fn rang(&self, seen: &Seen, queue: &QueueId, rang: Duration, timed_out: bool) -> Checked {
        let Some(ring) = seen.setup.site.queues.get(queue).map(|q| q.ring) else { return Ok(()) };
        let least = if timed_out { ring.saturating_sub(Duration::from_millis(1)) } else { Duration::ZERO };
        must((least..=ring + LATE).contains(&rang), "a phone rings as long as the site says", || format!("{rang:?} of {ring:?}"))
    }

    fn ended(&mut self, seen: &Seen) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let (Some(agent), Some(offer), Some(queue)) = (&about.agent, about.offer, &about.queue) else { return Ok(()) };
        let retry = seen.setup.site.queues.get(queue).map(|q| q.retry);
        if let (What::OfferRejected { .. }, Some(retry)) = (&fact.what, retry) {
            let after = match about.cause {
                Some(Cause::Busy) => retry.busy,
                Some(Cause::Unreachable) => retry.unreachable,
                _ => retry.rejected,
            };
            let until = fact.now.mono + after.max(Duration::from_secs(1));
            self.refused.insert((agent.clone(), offer.visit), until);
        }
        Ok(())
    }

    /// A caller whom a failure took out of the line may come back.
    fn remember(&mut self, seen: &Seen) {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let (Some(call), Some(party)) = (about.call, about.party) else { return };
        let Some((queue, waited, site)) = self.last_place.remove(&call) else { return };
        let failed = matches!(about.cause, Some(Cause::NoMedia | Cause::TransportFailed | Cause::LeaseEnded));
        let within = seen.setup.site.queues.get(&queue).map_or(Duration::ZERO, |q| q.return_within);
        if failed && site == seen.site {
            self.cut_off.insert((party, queue), CutOff { until: fact.now.mono + within, waited, site });
        }
    }

    /// The fact counts now.
    pub fn after(&mut self, seen: &Seen, calls: &Calls) -> Checked {
        match &seen.logged.fact.what {
            What::QueueEntered { .. } => self.entered(seen, calls),
            What::CallbackAttempted { n } => self.attempted(seen, calls, *n),
            What::ConfigLoaded { .. } => {
                // A queue that comes again later is a new one.
                self.forced.retain(|queue, _| seen.setup.site.queues.contains_key(queue));
                Ok(())
            }
            What::ConfigOverridden { what, to } => {
                if let Some(queue) = what.strip_prefix("queue ").and_then(|queue| queue.parse::<QueueId>().ok()) {
                    match to.as_str() {
                        "" => drop(self.forced.remove(&queue)),
                        to => drop(self.forced.insert(queue, to == "open")),
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn entered(&mut self, seen: &Seen, calls: &Calls) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let Some(call) = about.call.and_then(|call| calls.all.get(&call)) else { return Ok(()) };
        let Some(visit) = &call.visit else { return Ok(()) };
        let Some(queue) = seen.setup.site.queues.get(&visit.queue) else { return Ok(()) };
        let waiting = calls.all.values().filter(|c| c.visit.as_ref().is_some_and(|v| v.queue == visit.queue)).count();
        must(waiting <= queue.capacity, "a full queue is full", || format!("{waiting} wait in {}", visit.queue))?;
        must(visit.credit >= call.waited, "what was waited counts in the next queue", || {
            format!("{} has {:?} of {:?}", visit.id, visit.credit, call.waited)
        })?;
        if visit.credit.is_zero() && !visit.kept {
            let open = self.is_open(&visit.queue, seen, fact.now.wall);
            must(open, "a closed queue is closed", || format!("{} enters {}", visit.id, visit.queue))?;
        }
        self.comes_back(seen, visit)
    }

    fn is_open(&self, queue: &QueueId, seen: &Seen, wall: Wall) -> bool {
        let hours = || seen.setup.site.queues.get(queue).and_then(|q| q.hours.as_ref()).is_none_or(|h| h.is_open(wall));
        self.forced.get(queue).copied().unwrap_or_else(hours)
    }

    fn comes_back(&mut self, seen: &Seen, visit: &Visit) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let Some(party) = about.party.filter(|_| !visit.kept) else { return Ok(()) };
        let Some(cut) = self.cut_off.remove(&(party, visit.queue.clone())) else { return Ok(()) };
        // A call of the same party that overflows comes from elsewhere.
        let in_time = fact.now.mono <= cut.until && cut.site == seen.site && visit.id.n == 1;
        let credit = visit.credit;
        // Who calls by a number that many share is nobody's return, and has no credit.
        let nobody = credit.is_zero() && seen.shared_party;
        must(!in_time || credit >= cut.waited || nobody, "who was cut off has the old place", || {
            format!("{credit:?} of {:?}", cut.waited)
        })
    }

    fn attempted(&self, seen: &Seen, calls: &Calls, n: u8) -> Checked {
        let about = &seen.logged.fact.about;
        let Some(call) = about.call.and_then(|call| calls.all.get(&call)) else { return Ok(()) };
        let Some(callback) = call.callback.as_ref().filter(|c| c.site == seen.site) else { return Ok(()) };
        let terms = about.queue.as_ref().and_then(|queue| seen.setup.site.queues.get(queue)?.callback);
        let Some(terms) = terms else { return Ok(()) };
        must(n <= terms.attempts, "a customer is dialled so often", || format!("{n} of {}", terms.attempts))?;
        let early = callback.before.is_some_and(|at| seen.logged.fact.now.mono < at.mono + terms.retry_after);
        must(!early, "a customer is not dialled again at once", || format!("attempt {n}"))
    }
}

//! Calls: where each is, what it owns, and that all of it ends once.

use super::{Checked, Seen, broken, is_afterwards, must};
use base::fact::{About, CallbackEnd, Direction, What};
use base::{AgentId, CallId, Cause, ConversationId, Now, OfferId, Outcome, QueueId, Requirement, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Default)]
pub struct Calls {
    pub all: BTreeMap<CallId, Call>,
    visits_ended: BTreeSet<VisitId>,
    offers_ended: BTreeSet<OfferId>,
    pub incoming: u64,
    pub visits_offered: u64,
    pub conversations: u64,
    pub own_calls: u64,
    pub counts: BTreeMap<String, u64>,
}

pub struct Call {
    rev: u32,
    pub arrived: Now,
    visits: u16,
    pub visit: Option<Visit>,
    pub offers: BTreeMap<OfferId, (AgentId, Now)>,
    pub conversation: Option<Conversation>,
    /// Asked for and not done yet.
    pub callback: Option<Callback>,
    pub monitors: BTreeMap<AgentId, Now>,
    /// Before the conversation it had.
    pub waited: Duration,
    /// Somebody joined its conversation.
    pub joined: bool,
    /// Its callback outlived the epoch it came in: no clock but the wall's measures it.
    carried: bool,
    over: bool,
}

pub struct Visit {
    pub id: VisitId,
    pub queue: QueueId,
    pub entered: Now,
    pub requires: Requirement,
    pub credit: Duration,
    /// The place of a callback.
    pub kept: bool,
    /// An agent who has the caller asks the queue for somebody to consult.
    pub consults: bool,
    /// The site when it entered.
    pub site: u32,
}

pub struct Conversation {
    pub id: ConversationId,
    pub agent: AgentId,
    since: Now,
    held_since: Option<Now>,
    held_ms: u64,
    transferred: bool,
}

#[derive(Default)]
pub struct Callback {
    pub attempts: u8,
    /// The last attempt, and the one before it.
    last: Option<Now>,
    pub before: Option<Now>,
    /// The site when it was asked for.
    pub site: u32,
}

fn ms(from: Now, to: Now) -> u64 {
    to.mono.since(from.mono).as_millis() as u64
}

/// Sums of parts that were each cut to whole milliseconds.
fn nearly(one: u64, other: u64, cuts: u64) -> bool {
    one.abs_diff(other) <= cuts
}

impl Calls {
    pub fn read(&mut self, seen: &Seen) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        *self.counts.entry(fact.what.name()).or_default() += 1;
        let Some(id) = about.call else { return Ok(()) };
        if let What::CallArrived { direction, .. } = &fact.what {
            self.incoming += u64::from(*direction == Direction::Incoming);
            self.own_calls += u64::from(matches!(direction, Direction::Internal | Direction::Outgoing));
            must(self.all.insert(id, Call::new(fact.now)).is_none(), "a call arrives once", || id.to_string())?;
        }
        let Some(call) = self.all.get_mut(&id) else { return broken("a call arrives first", id) };
        must(about.rev == call.rev + 1, "facts of a call are counted", || format!("{id}: {} follows {}", about.rev, call.rev))?;
        call.rev = about.rev;
        must(!call.over || is_afterwards(&fact.what), "a call ends once", || format!("{id} is over"))?;
        self.of_visit(id, seen)?;
        self.of_offer(id, seen)?;
        self.of_conversation(id, seen)?;
        self.of_callback(id, seen)?;
        self.of_end(id, seen)
    }

    fn of_visit(&mut self, id: CallId, seen: &Seen) -> Checked {
        let (now, about) = (seen.logged.fact.now, &seen.logged.fact.about);
        let Some(call) = self.all.get_mut(&id) else { return Ok(()) };
        match &seen.logged.fact.what {
            What::QueueEntered { requires, credit_ms, .. } => {
                let (Some(visit), Some(queue)) = (about.visit, about.queue.clone()) else {
                    return broken("a visit has a name", id);
                };
                must(call.visit.is_none(), "a call is in one place", || format!("{id} waits already"))?;
                let ended = self.visits_ended.contains(&visit);
                must(visit.n > call.visits && !ended, "a visit begins once", || format!("{visit} after {}", call.visits))?;
                call.visits = visit.n;
                let kept = call.callback.is_some();
                self.visits_offered += u64::from(!kept);
                call.visit = Some(Visit {
                    id: visit,
                    queue,
                    entered: now,
                    requires: requires.clone(),
                    credit: Duration::from_millis(*credit_ms),
                    kept,
                    consults: call.conversation.is_some(),
                    site: seen.site,
                });
            }
            What::QueueLeft { outcome, wait_ms, .. } => {
                // Where a key leads to is another wait.
                call.waited = Duration::ZERO;
                let Some(visit) = call.visit.take().filter(|v| about.visit == Some(v.id)) else {
                    return broken("a visit leaves once", format!("{:?} of {id}", about.visit));
                };
                must(self.visits_ended.insert(visit.id), "a visit leaves once", || visit.id.to_string())?;
                let rings: Vec<OfferId> = call.offers.keys().filter(|o| o.visit == visit.id).copied().collect();
                must(rings.is_empty(), "an offer ends before its visit", || format!("{rings:?}"))?;
                let waited = ms(visit.entered, now);
                must(*wait_ms == waited, "a wait lasts from its beginning", || format!("{wait_ms} ms, not {waited}"))?;
                let abandons = visit.kept && call.callback.is_some() && *outcome == Outcome::Abandoned;
                let reached = call.callback.as_ref().is_some_and(|c| c.attempts > 0);
                must(!abandons || reached, "a kept place is not abandoned", || visit.id.to_string())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn of_offer(&mut self, id: CallId, seen: &Seen) -> Checked {
        let (now, about) = (seen.logged.fact.now, &seen.logged.fact.about);
        let Some(call) = self.all.get_mut(&id) else { return Ok(()) };
        match &seen.logged.fact.what {
            What::OfferSent { .. } => {
                let (Some(offer), Some(agent)) = (about.offer, about.agent.clone()) else {
                    return broken("an offer has a name", id);
                };
                let waits = call.visit.as_ref().is_some_and(|v| v.id == offer.visit);
                must(waits, "an offer is of a waiting visit", || offer.to_string())?;
                must(!self.offers_ended.contains(&offer), "an offer ends once", || format!("{offer} is sent again"))?;
                must(call.offers.insert(offer, (agent, now)).is_none(), "an offer is sent once", || offer.to_string())
            }
            What::OfferAccepted { ring_ms }
            | What::OfferRejected { ring_ms }
            | What::OfferTimedOut { ring_ms }
            | What::OfferCancelled { ring_ms }
            | What::OfferWithdrawn { ring_ms } => {
                let Some(offer) = about.offer else { return broken("an offer has a name", id) };
                must(self.offers_ended.insert(offer), "an offer ends once", || offer.to_string())?;
                // One whose phone was never called has an end and no beginning.
                let Some((agent, sent)) = call.offers.remove(&offer) else { return Ok(()) };
                must(about.agent == Some(agent), "an offer is one agent's", || offer.to_string())?;
                let rang = ms(sent, now);
                // The INVITE waits for a port.
                let fits = (rang..rang + 3_000).contains(ring_ms) || seen.logged.fact.about.cause == Some(Cause::NodeLost);
                must(fits, "an offer rings as long as it says", || format!("{offer}: {ring_ms} ms, sent {rang} ms ago"))
            }
            _ => Ok(()),
        }
    }

    fn of_conversation(&mut self, id: CallId, seen: &Seen) -> Checked {
        let (now, about) = (seen.logged.fact.now, &seen.logged.fact.about);
        let Some(call) = self.all.get_mut(&id) else { return Ok(()) };
        let talk = call.conversation.as_mut();
        match (&seen.logged.fact.what, talk) {
            (What::AgentLegConnected { wait_ms }, None) => {
                call.waited = Duration::from_millis(*wait_ms);
                self.connected(id, about, now)
            }
            (What::AgentLegConnected { .. }, Some(talk)) => broken("one conversation at a time", format!("{} goes on", talk.id)),
            (What::AgentLegHeld { .. }, Some(talk)) => {
                must(talk.held_since.replace(now).is_none(), "held once", || talk.id.to_string())
            }
            (What::AgentLegResumed { held_ms }, Some(talk)) => {
                let Some(since) = talk.held_since.take() else { return broken("resumed after a hold", talk.id) };
                talk.held_ms += held_ms;
                let was = ms(since, now);
                must(*held_ms == was, "a hold lasts from its beginning", || format!("{held_ms} ms, not {was}"))
            }
            (What::AgentLegTransferred { .. }, Some(talk)) => {
                must(!std::mem::replace(&mut talk.transferred, true), "passed on once", || talk.id.to_string())
            }
            (What::AgentLegConferenced { joined, .. }, Some(_)) => {
                let was = std::mem::replace(&mut call.joined, *joined);
                must(was != *joined, "a third joins, then leaves", || format!("{id}: {joined}"))
            }
            (What::AgentLegEnded { talk_ms, hold_ms, consult_ms }, Some(_)) => {
                self.talked(id, about, now, [*talk_ms, *hold_ms, *consult_ms])
            }
            (
                What::AgentLegHeld { .. }
                | What::AgentLegResumed { .. }
                | What::AgentLegTransferred { .. }
                | What::AgentLegConferenced { .. }
                | What::AgentLegEnded { .. },
                None,
            ) => broken("a conversation begins first", id),
            _ => Ok(()),
        }
    }

    fn connected(&mut self, id: CallId, about: &About, now: Now) -> Checked {
        let Some(call) = self.all.get_mut(&id) else { return Ok(()) };
        let (Some(conversation), Some(agent)) = (about.conversation, about.agent.clone()) else {
            return broken("a conversation has a name", id);
        };
        let waits = call.visit.as_ref().is_some_and(|visit| !visit.consults);
        must(!waits, "a call is in one place", || format!("{id} waits still"))?;
        self.conversations += 1;
        call.conversation = Some(Conversation {
            id: conversation,
            agent: agent.clone(),
            since: now,
            held_since: None,
            held_ms: 0,
            transferred: false,
        });
        let other = self.all.iter().find(|(other, c)| **other != id && c.conversation.as_ref().is_some_and(|t| t.agent == agent));
        must(other.is_none(), "one conversation for an agent", || format!("{agent} talks in {:?}", other.map(|o| o.0)))
    }

    fn talked(&mut self, id: CallId, about: &About, now: Now, [talk_ms, hold_ms, consult_ms]: [u64; 3]) -> Checked {
        let Some(call) = self.all.get_mut(&id) else { return Ok(()) };
        let Some(talk) = call.conversation.take() else { return Ok(()) };
        must(about.conversation == Some(talk.id), "one conversation at a time", || talk.id.to_string())?;
        let held = talk.held_ms + talk.held_since.map_or(0, |since| ms(since, now));
        must(nearly(hold_ms, held, 20), "holds add up", || format!("{hold_ms} ms, not {held}"))?;
        let lasted = ms(talk.since, now);
        must(nearly(talk_ms + hold_ms, lasted, 20), "talk and hold are the conversation", || {
            format!("{talk_ms} and {hold_ms} of {lasted} ms")
        })?;
        must(consult_ms <= lasted + 1, "a consultation is within", || format!("{consult_ms} of {lasted} ms"))?;
        let passed_on = about.cause == Some(Cause::Transferred);
        must(passed_on == talk.transferred, "what is passed on ends so", || format!("{}: {:?}", talk.id, about.cause))?;
        // Whoever took part has the call now, if it was passed on.
        let joined = std::mem::take(&mut call.joined);
        must(!joined || passed_on || about.cause == Some(Cause::NodeLost), "a third leaves first", || talk.id.to_string())
    }

    fn of_callback(&mut self, id: CallId, seen: &Seen) -> Checked {
        let (now, about) = (seen.logged.fact.now, &seen.logged.fact.about);
        let Some(call) = self.all.get_mut(&id) else { return Ok(()) };
        match (&seen.logged.fact.what, call.callback.as_mut()) {
            (What::CallbackRequested {}, before) => {
                // Each epoch says again what is promised.
                call.carried |= seen.logged.epoch != id.epoch;
                must(before.is_none() || call.carried, "a callback is asked for once", || id.to_string())?;
                call.callback.get_or_insert(Callback { site: seen.site, ..Callback::default() });
                Ok(())
            }
            (What::CallbackAttempted { n }, Some(callback)) => {
                must(*n == callback.attempts + 1, "attempts are counted", || format!("{n} after {}", callback.attempts))?;
                (callback.attempts, callback.before) = (*n, callback.last.replace(now));
                Ok(())
            }
            (What::CallbackDone { attempts, end, .. }, Some(callback)) => {
                let told = callback.attempts;
                must(*attempts == told, "attempts are counted", || format!("{attempts}, not {told}"))?;
                call.callback = None;
                let late = *end == CallbackEnd::Connected && told == 0;
                must(!late, "a callback that connects was dialled", || id.to_string())
            }
            (What::CallbackAttempted { .. } | What::CallbackDone { .. }, None) => broken("a callback ends once", id),
            (What::MonitorStarted { .. }, _) => {
                let Some(agent) = about.agent.clone() else { return broken("a supervisor has a name", id) };
                must(call.monitors.insert(agent.clone(), now).is_none(), "a supervisor joins once", || agent.to_string())?;
                let elsewhere = self.all.iter().any(|(other, c)| *other != id && c.monitors.contains_key(&agent));
                must(!elsewhere, "a supervisor is in one call", || agent.to_string())
            }
            (What::MonitorEnded { monitored_ms, .. }, _) => {
                // A crash leaves no name.
                let crashed = about.cause == Some(Cause::NodeLost);
                let since = match &about.agent {
                    Some(agent) => call.monitors.remove(agent),
                    None if crashed => call.monitors.pop_first().map(|(_, since)| since),
                    None => None,
                };
                let Some(since) = since else { return broken("a supervisor leaves once", id) };
                let was = ms(since, now);
                must(crashed || *monitored_ms == was, "monitoring lasts from its beginning", || {
                    format!("{monitored_ms}, not {was}")
                })
            }
            _ => Ok(()),
        }
    }

    fn of_end(&mut self, id: CallId, seen: &Seen) -> Checked {
        let Some(call) = self.all.get_mut(&id) else { return Ok(()) };
        let now = seen.logged.fact.now;
        match &seen.logged.fact.what {
            What::CallForwarded {} => must(call.conversation.is_none(), "outside is one place", || format!("{id} talks"))?,
            What::CallEnded { duration_ms, visits } => {
                let lasted = ms(call.arrived, now);
                let same = call.carried || *duration_ms == lasted;
                must(same, "a call lasts from its arrival", || format!("{duration_ms} ms, not {lasted}"))?;
                must(*visits == call.visits, "visits are counted", || format!("{visits}, not {}", call.visits))?;
            }
            What::CallRejected { .. } => {}
            _ => return Ok(()),
        }
        if matches!(seen.logged.fact.what, What::CallForwarded {}) {
            return Ok(());
        }
        must(call.visit.is_none() && call.offers.is_empty(), "a call ends with nothing open", || format!("{id} waits"))?;
        must(call.conversation.is_none(), "a call ends with nothing open", || format!("{id} talks"))?;
        must(call.callback.is_none(), "a callback ends once", || format!("{id} ends before its callback"))?;
        must(call.monitors.is_empty(), "monitoring ends", || format!("{:?} of {id}", call.monitors.keys()))?;
        call.over = true;
        Ok(())
    }

    pub fn close(&self) -> Checked {
        // But for who is to be called back: by the next epoch.
        match self.all.iter().find(|(_, c)| !c.over && c.callback.is_none()) {
            Some((id, _)) => broken("every call ends", format!("{id} did not")),
            None => Ok(()),
        }
    }
}

impl Call {
    fn new(arrived: Now) -> Call {
        Call {
            rev: 0,
            arrived,
            visits: 0,
            visit: None,
            offers: BTreeMap::new(),
            conversation: None,
            callback: None,
            monitors: BTreeMap::new(),
            waited: Duration::ZERO,
            joined: false,
            carried: false,
            over: false,
        }
    }
}

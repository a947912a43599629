//! Double-entry: what the outputs say, kept apart from the ACD and compared with it.

use acd::{Acd, CallFirst, Caller, Config, Input, Output};
use base::{AgentId, AgentState, Instant, OfferEnd, OfferId, Outcome, QueueId, VisitId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Ledger {
    waiting: BTreeMap<VisitId, Waiting>,
    left: BTreeMap<VisitId, Outcome>,
    /// Sent at, to whom.
    ringing: BTreeMap<OfferId, (Instant, AgentId)>,
    ended: BTreeMap<OfferId, OfferEnd>,
    withdrawn: BTreeSet<OfferId>,
    agents: BTreeMap<AgentId, (AgentState, Instant)>,
    sent: Vec<OfferId>,
    /// Who stands behind a visit, as the inputs said.
    callers: BTreeMap<VisitId, Caller>,
}

#[derive(Clone, Debug)]
struct Waiting {
    queue: QueueId,
    entered: Instant,
    caller: Caller,
    /// Since when its customer is being dialled.
    dialled: Option<Instant>,
    /// When, how often they were to be told then, and their position.
    told: Option<(Instant, std::time::Duration, u32)>,
    told_wait: Option<std::time::Duration>,
}

impl Ledger {
    pub fn live_offers(&self) -> Vec<OfferId> {
        self.ringing.keys().copied().collect()
    }

    pub fn ended_offers(&self) -> Vec<OfferId> {
        self.ended.keys().copied().collect()
    }

    /// Visits whose customers were dialled before then, and still are.
    pub fn dialled_before(&self, at: Instant) -> Vec<VisitId> {
        self.waiting.iter().filter(|(_, w)| w.dialled.is_some_and(|since| since < at)).map(|(visit, _)| *visit).collect()
    }

    /// Visits whose customers are being dialled.
    pub fn dialled(&self) -> Vec<VisitId> {
        self.waiting.iter().filter(|(_, w)| w.dialled.is_some()).map(|(visit, _)| *visit).collect()
    }

    /// The offers sent since this was last asked, in order.
    pub fn take_sent(&mut self) -> Vec<OfferId> {
        std::mem::take(&mut self.sent)
    }

    pub fn hear(&mut self, input: &Input) {
        match input {
            Input::Enqueue { visit, caller, .. } if !self.waiting.contains_key(visit) => {
                self.callers.insert(*visit, *caller);
            }
            Input::CustomerAnswered { visit } => {
                if let Some(w) = self.waiting.get_mut(visit).filter(|w| w.dialled.is_some()) {
                    (w.dialled, w.caller) = (None, Caller::OnTheLine);
                }
            }
            _ => {}
        }
    }

    pub fn read(&mut self, now: Instant, outputs: &[Output], config: &Config) {
        for output in outputs {
            match output {
                Output::Entered { .. } | Output::Left { .. } | Output::Announce { .. } | Output::CallCustomer { .. } => {
                    self.of_visit(now, output, config);
                }
                Output::Offer { .. } | Output::Withdraw { .. } | Output::OfferEnded { .. } => self.of_offer(now, output),
                Output::AgentChanged { agent, state, previous, in_previous, .. } => {
                    let before = self.agents.insert(agent.clone(), (*state, now));
                    if let Some((was, since)) = before {
                        assert_eq!((*previous, *in_previous), (was, now.since(since)), "{agent} becomes {state}");
                    }
                }
                Output::Coded { agent, .. } => {
                    let state = self.agents.get(agent).map(|a| a.0);
                    let sensible = [AgentState::Talking, AgentState::Holding, AgentState::WrapUp, AgentState::Engaged];
                    assert!(state.is_some_and(|state| sensible.contains(&state)), "{agent} codes while {state:?}");
                }
                Output::Refused { .. } | Output::AskKept { .. } | Output::AskRefused { .. } => {}
            }
        }
    }

    fn of_visit(&mut self, now: Instant, output: &Output, config: &Config) {
        match output {
            Output::Entered { visit, queue, .. } => {
                let before = VisitId { n: visit.n.saturating_sub(1), ..*visit };
                let caller = self.callers.get(visit).or(self.callers.get(&before)).copied().unwrap_or_default();
                self.callers.insert(*visit, caller);
                let w = Waiting { queue: queue.clone(), entered: now, caller, dialled: None, told: None, told_wait: None };
                assert!(self.waiting.insert(*visit, w).is_none(), "{visit} entered twice");
            }
            Output::Left { visit, outcome, waited, to, .. } => {
                let w = self.waiting.remove(visit).unwrap_or_else(|| panic!("{visit} left, but did not wait"));
                assert_eq!(*waited, now.since(w.entered), "the wait of {visit}");
                assert_eq!(*outcome == Outcome::Overflowed, to.is_some());
                assert!(self.ringing.keys().all(|o| o.visit != *visit), "{visit} left while it rings");
                assert!(*outcome != Outcome::Abandoned || w.caller == Caller::OnTheLine, "nobody was there to abandon");
                self.callers.insert(*visit, w.caller);
                self.left.insert(*visit, *outcome);
            }
            Output::Announce { visit, position, wait, .. } => {
                let w = self.waiting.get_mut(visit).expect("who is told waits");
                assert!(*position > 1 && w.caller == Caller::OnTheLine, "{visit} is told its position {position}");
                let sooner = wait.is_some_and(|wait| w.told_wait.is_none_or(|before| wait < before));
                assert!(wait.is_none_or(|wait| w.told_wait.is_none_or(|before| wait <= before)), "{visit} hears bad news");
                let every = config.queues[&w.queue].announce.every.unwrap_or_default();
                if let Some((at, was, before)) = w.told.replace((now, every, *position)) {
                    // What was planned before a reload stays planned.
                    assert!(now.since(at) >= every.min(was), "{visit} hears it too soon");
                    assert!(*position < before || sooner, "{visit} hears nothing new");
                }
                w.told_wait = wait.or(w.told_wait);
            }
            Output::CallCustomer { visit, .. } => {
                let rings = self.ringing.keys().any(|o| o.visit == *visit);
                let w = self.waiting.get_mut(visit).expect("whose turn it is waits");
                let Caller::Virtual { first: CallFirst::Customer, not_before } = w.caller else { panic!("{visit} is called") };
                assert!(
                    w.dialled.is_none() && !rings && not_before.is_none_or(|at| at <= now),
                    "{visit} is called twice or too early"
                );
                w.dialled = Some(now);
            }
            _ => {}
        }
    }

    fn of_offer(&mut self, now: Instant, output: &Output) {
        match output {
            Output::Offer { offer, agent, why, .. } => {
                let w = self.waiting.get(&offer.visit).unwrap_or_else(|| panic!("{offer} is of no waiting visit"));
                match w.caller {
                    Caller::Virtual { first: CallFirst::Customer, .. } => panic!("{offer} without a customer"),
                    Caller::Virtual { not_before, .. } => assert!(not_before.is_none_or(|at| at <= now), "{offer} too early"),
                    Caller::OnTheLine => {}
                }
                assert_eq!(self.agents.get(agent).map(|a| a.0), Some(AgentState::Available), "{agent} gets {offer}");
                assert!(self.ringing.values().all(|(_, a)| a != agent), "{agent} is rung twice");
                assert!(self.ringing.insert(*offer, (now, agent.clone())).is_none());
                assert!(!self.ended.contains_key(offer), "{offer} is sent again");
                assert!(why.candidates.iter().any(|c| c.agent == *agent), "{offer}: {why:?}");
                assert!(why.rivals.iter().any(|r| r.visit == offer.visit), "{offer}: {why:?}");
                let (agents, visits) = (why.agents as usize, why.visits as usize);
                assert!(agents >= why.candidates.len() && visits >= why.rivals.len(), "{offer}: {why:?}");
                self.sent.push(*offer);
            }
            Output::Withdraw { offer } => assert!(self.withdrawn.insert(*offer) && self.ringing.contains_key(offer)),
            Output::OfferEnded { offer, agent, end, ring, .. } => {
                let (sent, to) = self.ringing.remove(offer).unwrap_or_else(|| panic!("{offer} ended, but did not ring"));
                assert_eq!((*ring, agent), (now.since(sent), &to));
                let stops = !matches!(end, OfferEnd::Accepted | OfferEnd::Rejected);
                assert_eq!(self.withdrawn.contains(offer), stops, "{offer} ended {end}");
                self.ended.insert(*offer, *end);
            }
            _ => {}
        }
    }

    /// Visits = outcomes + still waiting; every state is the one that was told.
    pub fn compare(&mut self, acd: &Acd, config: &Config) {
        let waiting = self.waiting.iter().map(|(v, w)| (*v, w.entered, w.queue.clone(), w.caller));
        assert!(acd.visits().map(|v| (v.visit, v.entered, v.queue, v.caller)).eq(waiting));
        let offers: BTreeSet<OfferId> = acd.visits().flat_map(|v| v.offers).collect();
        assert!(offers.iter().eq(self.ringing.keys()));
        let lengths: usize = config.queues.keys().map(|q| acd.queue_len(q)).sum();
        assert_eq!(lengths, self.waiting.len());
        let accepted = self.ended.values().filter(|end| **end == OfferEnd::Accepted).count();
        assert_eq!(accepted, self.left.values().filter(|outcome| **outcome == Outcome::Answered).count());
        // Who is no longer configured starts anew when configured again.
        self.agents.retain(|id, _| acd.agent(id).is_some());
        for view in acd.agents() {
            let known = self.agents.get(&view.agent).map_or(AgentState::LoggedOut, |a| a.0);
            assert_eq!(known, view.state, "{}", view.agent);
            assert_eq!(view.offer.map(|o| &self.ringing[&o].1), view.offer.map(|_| &view.agent));
            assert!(view.state != AgentState::Available || view.work.is_none(), "{} has {:?}", view.agent, view.work);
        }
    }
}

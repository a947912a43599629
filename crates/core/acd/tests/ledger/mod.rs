//! Double-entry: what the outputs say, kept apart from the ACD and compared with it.

use acd::{Acd, Config, Output};
use base::{AgentId, AgentState, Instant, OfferEnd, OfferId, Outcome, VisitId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Ledger {
    waiting: BTreeMap<VisitId, Instant>,
    left: BTreeMap<VisitId, Outcome>,
    /// Sent at, to whom.
    ringing: BTreeMap<OfferId, (Instant, AgentId)>,
    ended: BTreeMap<OfferId, OfferEnd>,
    withdrawn: BTreeSet<OfferId>,
    agents: BTreeMap<AgentId, (AgentState, Instant)>,
    sent: Vec<OfferId>,
}

impl Ledger {
    pub fn live_offers(&self) -> Vec<OfferId> {
        self.ringing.keys().copied().collect()
    }

    pub fn ended_offers(&self) -> Vec<OfferId> {
        self.ended.keys().copied().collect()
    }

    /// The offers sent since this was last asked, in order.
    pub fn take_sent(&mut self) -> Vec<OfferId> {
        std::mem::take(&mut self.sent)
    }

    pub fn read(&mut self, now: Instant, outputs: &[Output]) {
        for output in outputs {
            self.one(now, output);
        }
    }

    fn one(&mut self, now: Instant, output: &Output) {
        match output {
            Output::Entered { visit, .. } => {
                assert!(!self.left.contains_key(visit), "{visit} enters after it left");
                assert!(self.waiting.insert(*visit, now).is_none(), "{visit} entered twice");
            }
            Output::Left { visit, outcome, waited, to, .. } => {
                let entered = self.waiting.remove(visit).unwrap_or_else(|| panic!("{visit} left, but did not wait"));
                assert_eq!(*waited, now.since(entered), "the wait of {visit}");
                assert_eq!(*outcome == Outcome::Overflowed, to.is_some());
                assert!(self.ringing.keys().all(|o| o.visit != *visit), "{visit} left while it rings");
                self.left.insert(*visit, *outcome);
            }
            Output::Offer { offer, agent, .. } => {
                assert!(self.waiting.contains_key(&offer.visit), "{offer} is of no waiting visit");
                assert_eq!(self.agents.get(agent).map(|a| a.0), Some(AgentState::Available), "{agent} gets {offer}");
                assert!(self.ringing.values().all(|(_, a)| a != agent), "{agent} is rung twice");
                assert!(self.ringing.insert(*offer, (now, agent.clone())).is_none());
                assert!(!self.ended.contains_key(offer), "{offer} is sent again");
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
            Output::AgentChanged { agent, state, previous, in_previous, .. } => {
                let before = self.agents.insert(agent.clone(), (*state, now));
                if let Some((was, since)) = before {
                    assert_eq!((*previous, *in_previous), (was, now.since(since)), "{agent} becomes {state}");
                }
            }
            Output::Refused { .. } | Output::AskKept { .. } | Output::AskRefused { .. } | Output::Announce { .. } => {}
            Output::Coded { .. } | Output::CallCustomer { .. } => {}
        }
    }

    /// Visits = outcomes + still waiting; every state is the one that was told.
    pub fn compare(&mut self, acd: &Acd, config: &Config) {
        assert!(acd.visits().map(|v| (v.visit, v.entered)).eq(self.waiting.iter().map(|(v, t)| (*v, *t))));
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
        }
    }
}

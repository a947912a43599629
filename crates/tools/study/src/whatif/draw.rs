//! One seed's version of a day: what the log does not say is drawn, the same for both sides.
//!
//! Each lot has its own stream, named by the call, or by the agent and how often that one needed one: what a change does
//! not touch draws the same on both sides.

use super::day::{Arrival, Day, Seen};
use super::patience::{Patience, Wait};
use crate::people::{Caller, Fate, Staff};
use acd::Config;
use base::{AgentId, Lang, OfferId, QueueId, Random, Requirement};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Conversations, or rings, of one sort before they are drawn from instead of all.
pub const ENOUGH: usize = 20;

/// Talk and wrap-up of one conversation.
type Handling = (Duration, Option<Duration>);

/// What is drawn from.
#[derive(Default)]
pub struct Deck {
    patience: BTreeMap<QueueId, Patience>,
    /// Talk and wrap-up of answered calls, by queue and language, by queue, and all.
    handled: BTreeMap<(Option<QueueId>, Option<Lang>), Vec<Handling>>,
    /// What calls ask for, by queue and language.
    wishes: BTreeMap<(QueueId, Option<Lang>), Vec<Requirement>>,
    rings: Arc<Rings>,
}

/// What became of phones that were rung, by agent and all.
#[derive(Default)]
struct Rings {
    of_agent: BTreeMap<AgentId, Vec<Fate>>,
    all: Vec<Fate>,
    returns: Vec<Duration>,
    logins: Vec<Duration>,
}

impl Deck {
    /// Of each day with the configuration that it began with.
    pub fn of<'a>(days: impl IntoIterator<Item = (&'a Day, &'a Config)>) -> Deck {
        let mut deck = Deck::default();
        let (mut waits, mut rings): (BTreeMap<QueueId, Vec<Wait>>, _) = (BTreeMap::new(), Rings::default());
        for (day, was) in days {
            day.arrivals.iter().for_each(|arrival| deck.learn(arrival, was));
            day.waits().for_each(|(queue, wait)| waits.entry(queue.clone()).or_default().push(wait));
            for (agent, fates) in &day.rings {
                rings.of_agent.entry(agent.clone()).or_default().extend(fates);
                rings.all.extend(fates);
            }
            rings.returns.extend(&day.returns);
            rings.logins.extend(&day.logins);
        }
        deck.patience = waits.into_iter().map(|(queue, waits)| (queue, Patience::estimate(waits))).collect();
        deck.rings = Arc::new(rings);
        deck
    }

    fn learn(&mut self, arrival: &Arrival, was: &Config) {
        if let Some(talk) = arrival.talk {
            let queue = Some(arrival.queue.clone());
            for sort in [(queue.clone(), arrival.lang), (queue, None), (None, None)] {
                self.handled.entry(sort).or_default().push((talk, arrival.wrap_up));
            }
        }
        if let Some(wish) = Day::own_wish(arrival, was) {
            self.wishes.entry((arrival.queue.clone(), arrival.lang)).or_default().push(wish);
        }
    }

    /// The callers of the day, by this seed.
    pub fn callers(&self, day: &Day, was: &Config, seed: u64) -> Vec<Caller> {
        let callers = day.arrivals.iter().enumerate();
        callers.map(|(n, arrival)| self.caller(arrival, day, was, &mut lot([seed, n as u64, 0]))).collect()
    }

    fn caller(&self, arrival: &Arrival, day: &Day, was: &Config, random: &mut Random) -> Caller {
        let (talk, wrap_up) = match arrival.talk {
            Some(talk) => (talk, arrival.wrap_up),
            None => self.handling(arrival, random),
        };
        let beyond = |waited: Duration, random: &mut Random| self.patience.get(&arrival.queue)?.draw(waited, random);
        let leaves = match arrival.seen {
            Seen::Left(leaving) => Some(leaving),
            Seen::Answered(waited) | Seen::SentAway(waited) => beyond(waited, random),
            Seen::Waits => beyond(day.end.mono.since(arrival.at), random),
            Seen::Refused => beyond(Duration::ZERO, random),
        };
        let drawn = || {
            let sorts = [(arrival.queue.clone(), arrival.lang), (arrival.queue.clone(), None)];
            sorts.iter().find_map(|sort| self.wishes.get(sort)).cloned().unwrap_or_default()
        };
        let requires = Day::own_wish(arrival, was).unwrap_or_else(|| pick(random, &drawn()).unwrap_or_default());
        Caller {
            at: arrival.at,
            queue: arrival.queue.clone(),
            requires,
            priority_s: arrival.priority_s,
            lang: arrival.lang,
            party: arrival.party,
            credit: arrival.credit,
            leaves,
            talk,
            wrap_up,
        }
    }

    fn handling(&self, arrival: &Arrival, random: &mut Random) -> Handling {
        let queue = Some(arrival.queue.clone());
        let sorts = [(queue.clone(), arrival.lang), (queue, None), (None, None)];
        let found = sorts.iter().filter_map(|sort| self.handled.get(sort));
        let enough = found.clone().find(|times| times.len() >= ENOUGH).or(found.clone().next_back());
        enough.and_then(|times| pick(random, times)).unwrap_or((Duration::ZERO, None))
    }

    pub fn staff(&self, seed: u64) -> Drawn {
        Drawn { rings: self.rings.clone(), seed, away: BTreeMap::new() }
    }

    /// Agents whose phones rang too seldom to be drawn from alone, and all whose phones rang.
    pub fn seldom_rung(&self) -> (usize, usize) {
        let seldom = self.rings.of_agent.values().filter(|seen| seen.len() < ENOUGH);
        (seldom.count(), self.rings.of_agent.len())
    }

    pub fn patience(&self) -> &BTreeMap<QueueId, Patience> {
        &self.patience
    }
}

fn pick<T: Clone>(random: &mut Random, among: &[T]) -> Option<T> {
    among.get(random.below(among.len() as u64) as usize).cloned()
}

/// A stream of its own for each name.
fn lot(name: [u64; 3]) -> Random {
    let mix = |sum: u64, part: &u64| (sum ^ part).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    Random::from_seed(name.iter().fold(0, mix))
}

/// FNV-1a: the same number for a name everywhere.
pub fn number_of(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Agents whose phones do what phones did on the day.
pub struct Drawn {
    rings: Arc<Rings>,
    seed: u64,
    /// How often each agent was away for calls that were missed.
    away: BTreeMap<AgentId, u64>,
}

impl Drawn {
    fn lot_of(&mut self, agent: &AgentId) -> Random {
        let times = self.away.entry(agent.clone()).or_default();
        *times += 1;
        lot([self.seed, number_of(agent.as_str()), *times])
    }
}

impl Staff for Drawn {
    fn rung(&mut self, offer: OfferId, agent: &AgentId) -> Fate {
        let own = self.rings.of_agent.get(agent).filter(|seen| seen.len() >= ENOUGH);
        // The same offer of the same call has the same fate on both sides.
        let visit = u64::from(offer.visit.n) << 32 | u64::from(offer.n);
        let mut random = lot([!self.seed, u64::from(offer.visit.call.n), visit]);
        pick(&mut random, own.unwrap_or(&self.rings.all)).unwrap_or(Fate::Answers(Duration::ZERO))
    }

    fn back_after_a_miss(&mut self, agent: &AgentId) -> Option<Duration> {
        let mut random = self.lot_of(agent);
        Some(pick(&mut random, &self.rings.returns).unwrap_or(Duration::from_secs(60)))
    }

    fn back_after_a_logout(&mut self, agent: &AgentId) -> Option<Duration> {
        let mut random = self.lot_of(agent);
        pick(&mut random, &self.rings.logins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Leaving;
    use base::{Instant, Now, Outcome, Wall};

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn arrival(at: u64, seen: Seen) -> Arrival {
        Arrival {
            at: Instant::ZERO + seconds(at),
            queue: "acme/desk".parse().unwrap(),
            requires: None,
            priority_s: 0,
            credit: Duration::ZERO,
            lang: None,
            party: None,
            seen,
            talk: None,
            wrap_up: None,
        }
    }

    #[test]
    fn whoever_still_waits_at_the_logs_end_leaves_after_more_than_that() {
        let left = |after| Seen::Left(Leaving { after: seconds(after), outcome: Outcome::Abandoned });
        let mut arrivals: Vec<Arrival> = (1..=50).map(|n| arrival(0, left(n))).collect();
        arrivals.push(arrival(70, Seen::Waits));
        let end = Now { mono: Instant::ZERO + seconds(100), wall: Wall(0) };
        let (day, was) = (Day { arrivals, end, ..Day::default() }, Config::default());
        let deck = Deck::of([(&day, &was)]);
        let last = |seed| deck.callers(&day, &was, seed).pop().unwrap().leaves.unwrap().after;
        assert!((0..50).all(|seed| last(seed) > seconds(30)));
    }

    #[test]
    fn how_long_one_agent_is_away_does_not_depend_on_how_often_another_was() {
        let day = Day { returns: (1..1000).map(seconds).collect(), ..Day::default() };
        let deck = Deck::of([(&day, &Config::default())]);
        let (ana, ben): (AgentId, AgentId) = ("acme/ana".parse().unwrap(), "globex/ben".parse().unwrap());
        let (mut alone, mut beside) = (deck.staff(1), deck.staff(1));
        for _ in 0..5 {
            beside.back_after_a_miss(&ana);
            beside.back_after_a_miss(&ana);
            assert_eq!(alone.back_after_a_miss(&ben), beside.back_after_a_miss(&ben));
        }
        assert_ne!(deck.staff(1).back_after_a_miss(&ana), deck.staff(2).back_after_a_miss(&ana));
    }
}

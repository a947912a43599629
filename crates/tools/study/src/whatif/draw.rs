//! One seed's version of a day: what the log does not say is drawn, the same for both sides.

use super::day::{Arrival, Day, Seen};
use super::patience::Patience;
use crate::people::{Caller, Fate, Staff};
use acd::Config;
use base::{AgentId, Lang, OfferId, QueueId, Random, Requirement};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Conversations, or rings, of one sort before they are drawn from instead of all.
const ENOUGH: usize = 20;

/// Talk and wrap-up of one conversation.
type Handling = (Duration, Option<Duration>);

/// What is drawn from.
pub struct Deck {
    patience: BTreeMap<QueueId, Patience>,
    /// Talk and wrap-up of answered calls, by queue and language, by queue, and all.
    handled: BTreeMap<(Option<QueueId>, Option<Lang>), Vec<Handling>>,
    /// What calls ask for, by queue and language.
    wishes: BTreeMap<(QueueId, Option<Lang>), Vec<Requirement>>,
    rings: Arc<Rings>,
}

/// What became of phones that were rung, by agent and all.
struct Rings {
    of_agent: BTreeMap<AgentId, Vec<Fate>>,
    all: Vec<Fate>,
    returns: Vec<Duration>,
}

impl Deck {
    pub fn of(day: &Day, was: &Config) -> Deck {
        let mut handled: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut wishes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for arrival in &day.arrivals {
            if let Some(talk) = arrival.talk {
                let queue = Some(arrival.queue.clone());
                for sort in [(queue.clone(), arrival.lang), (queue, None), (None, None)] {
                    handled.entry(sort).or_default().push((talk, arrival.wrap_up));
                }
            }
            if let Some(wish) = Day::own_wish(arrival, was) {
                wishes.entry((arrival.queue.clone(), arrival.lang)).or_default().push(wish);
            }
        }
        let all = day.rings.values().flatten().copied().collect();
        let rings = Rings { of_agent: day.rings.clone(), all, returns: day.returns.clone() };
        Deck { patience: day.patience(), handled, wishes, rings: Arc::new(rings) }
    }

    /// The callers of the day, by this seed.
    pub fn callers(&self, day: &Day, was: &Config, seed: u64) -> Vec<Caller> {
        let callers = day.arrivals.iter().enumerate().map(|(n, arrival)| {
            // A stream for each call: what one needs does not move what the next one gets.
            let mut random = Random::from_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(n as u64));
            self.caller(arrival, was, &mut random)
        });
        callers.collect()
    }

    fn caller(&self, arrival: &Arrival, was: &Config, random: &mut Random) -> Caller {
        let (talk, wrap_up) = match arrival.talk {
            Some(talk) => (talk, arrival.wrap_up),
            None => self.handling(arrival, random),
        };
        let beyond = |waited: Duration, random: &mut Random| self.patience.get(&arrival.queue)?.draw(waited, random);
        let leaves = match arrival.seen {
            Seen::Left(leaving) => Some(leaving),
            Seen::Answered(waited) | Seen::SentAway(waited) => beyond(waited, random),
            Seen::Waits | Seen::Refused => beyond(Duration::ZERO, random),
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
        Drawn { rings: self.rings.clone(), seed, misses: 0 }
    }

    pub fn patience(&self) -> &BTreeMap<QueueId, Patience> {
        &self.patience
    }
}

fn pick<T: Clone>(random: &mut Random, among: &[T]) -> Option<T> {
    among.get(random.below(among.len() as u64) as usize).cloned()
}

/// Agents whose phones do what phones did on the day.
pub struct Drawn {
    rings: Arc<Rings>,
    seed: u64,
    misses: u64,
}

impl Staff for Drawn {
    fn rung(&mut self, offer: OfferId, agent: &AgentId) -> Fate {
        let own = self.rings.of_agent.get(agent).filter(|seen| seen.len() >= ENOUGH);
        // The same offer of the same call has the same fate on both sides.
        let call = u64::from(offer.visit.call.n) << 16 | u64::from(offer.n);
        let mut random = Random::from_seed(self.seed.rotate_left(32) ^ call);
        pick(&mut random, own.unwrap_or(&self.rings.all)).unwrap_or(Fate::Answers(Duration::ZERO))
    }

    fn back_after_a_miss(&mut self, _: &AgentId) -> Option<Duration> {
        self.misses += 1;
        let mut random = Random::from_seed(self.seed.rotate_left(16) ^ self.misses);
        Some(pick(&mut random, &self.rings.returns).unwrap_or(Duration::from_secs(60)))
    }
}

//! Who of the free agents was least occupied: the lowest share of the time since login in conversation and wrap-up.
//!
//! A free agent's busy time stands still and the time since login runs, so that two agents may change places while
//! nothing happens to either. A tournament keeps, for each pair that met, until when its winner stays ahead; asking for
//! the first plays again only what has run out. Joining and leaving replay one path: O(log n).

use crate::seats::Seat;
use base::{Instant, Mutation, mutated};
use std::cmp::Ordering;

/// One free agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entrant {
    /// Nanoseconds in conversation and wrap-up since login.
    pub busy: u64,
    pub login: Instant,
    /// Of equals the longest idle.
    pub seat: Seat,
}

impl Entrant {
    /// Busy and all time since login, both in nanoseconds; the second is never zero.
    pub fn share(&self, now: Instant) -> (u64, u64) {
        (self.busy, now.0.saturating_sub(self.login.0).max(1))
    }

    fn against(&self, other: &Entrant, now: Instant) -> Ordering {
        compare_shares(self.share(now), other.share(now)).then(self.seat.cmp(&other.seat))
    }

    /// The first moment at which this winner may be behind.
    fn ahead_until(&self, other: &Entrant, now: Instant) -> u64 {
        let slope = i128::from(self.busy) - i128::from(other.busy);
        if slope <= 0 {
            return u64::MAX;
        }
        // busy / (t - login) of both is equal at this t.
        let cross = i128::from(self.busy) * i128::from(other.login.0) - i128::from(other.busy) * i128::from(self.login.0);
        let meets = cross.div_euclid(slope) + i128::from(cross.rem_euclid(slope) > 0);
        u64::try_from(meets).unwrap_or(if meets < 0 { 0 } else { u64::MAX }).max(now.0.saturating_add(1))
    }
}

/// Compares two shares without dividing.
pub(crate) fn compare_shares((busy, all): (u64, u64), (other_busy, other_all): (u64, u64)) -> Ordering {
    let order = (u128::from(busy) * u128::from(other_all)).cmp(&(u128::from(other_busy) * u128::from(all)));
    if mutated(Mutation::BusiestFirst) { order.reverse() } else { order }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tournament {
    /// A power of two of them, or none.
    leaves: Vec<Option<Entrant>>,
    /// The winner of each pairing, the root at 1, the children of n at 2n and 2n + 1.
    nodes: Vec<Node>,
    vacant: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    winner: Option<usize>,
    until: u64,
}

impl Tournament {
    /// Gives the number of the leaf, for [`Tournament::leave`].
    pub fn join(&mut self, entrant: Entrant, now: Instant) -> u32 {
        let leaf = self.vacant.pop().unwrap_or_else(|| {
            self.grow(now);
            self.vacant.pop().unwrap_or(0)
        });
        self.leaves[leaf] = Some(entrant);
        self.replay(leaf, now);
        u32::try_from(leaf).expect("an agent has a leaf, and agents are not that many")
    }

    pub fn leave(&mut self, leaf: u32, now: Instant) {
        let leaf = leaf as usize;
        if self.leaves.get_mut(leaf).and_then(Option::take).is_some() {
            self.vacant.push(leaf);
            self.replay(leaf, now);
        }
    }

    pub fn at(&self, leaf: u32) -> Option<&Entrant> {
        self.entrant(leaf as usize)
    }

    fn entrant(&self, leaf: usize) -> Option<&Entrant> {
        self.leaves.get(leaf)?.as_ref()
    }

    /// The least occupied now of those who are not passed over. Time must not run backwards from call to call.
    pub fn first(&mut self, now: Instant, passed_over: impl Fn(&Seat) -> bool) -> Option<Entrant> {
        self.refresh(1, now);
        self.first_below(1, now, &passed_over)
    }

    fn first_below(&self, node: usize, now: Instant, passed_over: &impl Fn(&Seat) -> bool) -> Option<Entrant> {
        let winner = self.entrant(self.node(node).winner?)?;
        if !passed_over(&winner.seat) {
            return Some(*winner);
        }
        if node >= self.leaves.len() {
            return None;
        }
        let [left, right] = [2 * node, 2 * node + 1].map(|child| self.first_below(child, now, passed_over));
        match (left, right) {
            (Some(a), Some(b)) => Some(if a.against(&b, now).is_le() { a } else { b }),
            (a, b) => a.or(b),
        }
    }

    fn grow(&mut self, now: Instant) {
        let (before, after) = (self.leaves.len(), (self.leaves.len() * 2).max(2));
        self.leaves.resize(after, None);
        self.vacant.extend((before..after).rev());
        self.nodes = vec![Node::default(); after];
        (1..after).rev().for_each(|node| self.play(node, now));
    }

    fn replay(&mut self, leaf: usize, now: Instant) {
        let mut node = (self.leaves.len() + leaf) / 2;
        while node > 0 {
            // What the other side of the pairing remembers may have run out.
            self.refresh(2 * node, now);
            self.refresh(2 * node + 1, now);
            self.play(node, now);
            node /= 2;
        }
    }

    fn refresh(&mut self, node: usize, now: Instant) {
        if node < self.leaves.len() && self.nodes[node].until <= now.0 {
            self.refresh(2 * node, now);
            self.refresh(2 * node + 1, now);
            self.play(node, now);
        }
    }

    /// A node or, below the nodes, a leaf.
    fn node(&self, at: usize) -> Node {
        match at.checked_sub(self.leaves.len()) {
            Some(leaf) => Node { winner: self.entrant(leaf).map(|_| leaf), until: u64::MAX },
            None => self.nodes.get(at).copied().unwrap_or_default(),
        }
    }

    fn play(&mut self, node: usize, now: Instant) {
        let (left, right) = (self.node(2 * node), self.node(2 * node + 1));
        let sides = |n: Node| n.winner.and_then(|leaf| Some((leaf, *self.entrant(leaf)?)));
        let (winner, ahead) = match (sides(left), sides(right)) {
            (Some((a, x)), Some((_, y))) if x.against(&y, now).is_le() => (Some(a), x.ahead_until(&y, now)),
            (Some((_, x)), Some((b, y))) => (Some(b), y.ahead_until(&x, now)),
            (a, b) => (a.or(b).map(|(leaf, _)| leaf), u64::MAX),
        };
        self.nodes[node] = Node { winner, until: ahead.min(left.until).min(right.until) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::AgentKey;
    use proptest::prelude::*;

    fn entrant(n: usize, busy: u64, login: u64) -> Entrant {
        Entrant { busy, login: Instant(login), seat: Seat { key: 0, idle_since: Instant(0), lot: 0, agent: AgentKey(n) } }
    }

    #[test]
    fn two_change_places_while_nothing_happens_to_either() {
        let mut free = Tournament::default();
        free.join(entrant(1, 50, 0), Instant(100));
        free.join(entrant(2, 20, 50), Instant(100));
        let first = |free: &mut Tournament, at| free.first(Instant(at), |_| false).map(|e| e.seat.agent.0);
        assert_eq!(first(&mut free, 100), Some(2), "40 % against 50 %");
        let mut free = Tournament::default();
        free.join(entrant(1, 50, 0), Instant(100));
        free.join(entrant(2, 5, 92), Instant(100));
        assert_eq!(first(&mut free, 100), Some(1), "50 % against 62 %");
        assert_eq!(first(&mut free, 103), Some(2), "49 % against 45 %");
        assert_eq!(free.first(Instant(103), |seat| seat.agent.0 == 2).map(|e| e.seat.agent.0), Some(1));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_walk(steps in prop::collection::vec((0usize..12, 0u64..1_000, 0u64..40, any::<bool>()), 1..120)) {
            let (mut free, mut model, mut now) = (Tournament::default(), Vec::<(u32, Entrant)>::new(), 0);
            for (n, (agent, busy, pause, join)) in steps.into_iter().enumerate() {
                now += pause;
                if join {
                    let login = now.saturating_sub(busy.max(1) + pause);
                    let new = Entrant { seat: Seat { lot: n as u64, ..entrant(n, 0, 0).seat }, ..entrant(n, busy.min(now - login), login) };
                    model.push((free.join(new, Instant(now)), new));
                } else if !model.is_empty() {
                    let (leaf, gone) = model.swap_remove(agent % model.len());
                    prop_assert_eq!(free.at(leaf), Some(&gone));
                    free.leave(leaf, Instant(now));
                }
                let passed = |seat: &Seat| seat.lot % 3 == 1;
                let best = |model: &[(u32, Entrant)], all: bool| {
                    let some = model.iter().map(|(_, e)| *e).filter(|e| all || !passed(&e.seat));
                    some.min_by(|a, b| a.against(b, Instant(now)))
                };
                prop_assert_eq!(free.first(Instant(now), |_| false), best(&model, true));
                prop_assert_eq!(free.first(Instant(now), passed), best(&model, false));
            }
        }
    }
}

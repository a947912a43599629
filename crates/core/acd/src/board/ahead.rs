//! What reading ahead reads of the board, and its guesses at what will be best.

use super::Board;
use super::pick::Firsts;
use crate::queue::QueueKey;
use crate::seats::Order;
use crate::visit::VisitKey;
use crate::{SHOWN, Strategy, agent::AgentKey};
use base::{AgentState, Instant, Requirement};
use smallvec::SmallVec;

impl Board {
    pub fn glance_at_profile(&self, profile: usize) -> usize {
        let Some(p) = self.profiles.get(profile) else { return 0 };
        p.seats.free() ^ p.census.of(AgentState::Talking) as usize ^ p.kinds.glance() ^ p.families.glance()
    }

    /// Where its free agents sit.
    pub fn glance_at_seats(&self, profile: usize) -> usize {
        let second = |p: &super::Profile| Some(p.seats.idle().first_two().1?.agent.0);
        self.profiles.get(profile).and_then(second).unwrap_or(0)
    }

    pub fn glance_at_kind(&self, kind: usize) -> usize {
        let Some(k) = self.kinds.get(kind) else { return 0 };
        let behind = k.open.first_two().1.map_or(0, |place| place.visit.0);
        let f = &self.families[k.family];
        behind ^ k.profiles.glance() ^ k.visits ^ f.able as usize ^ f.expect.glance()
    }

    /// What its visits are told to ask.
    pub fn glance_at_asks(&self, kind: usize) -> usize {
        self.asked_at_first(kind).needs().first().map_or(0, |need| usize::from(need.at_least))
    }

    /// The kind whose first is the best for this profile, and that visit; ties are not looked into.
    pub fn likely_visit(&self, profile: usize, now: Instant) -> Option<(usize, VisitKey)> {
        let (rows, now) = self.fronts.rows(now)?;
        let mut best = None;
        self.profiles.get(profile)?.kinds.for_common(&self.waiting, |kind| {
            let score = rows[kind].score(now);
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, kind));
            }
        });
        best.map(|(_, kind)| (kind, self.fronts.of_kind(kind).place.visit))
    }

    /// The kind of those who come to this queue and ask for this, if there was one before.
    pub fn likely_kind(&self, queue: QueueKey, asks: &Requirement) -> Option<usize> {
        let family = self.family_asking(queue, asks)?;
        self.families[family].kinds.first().copied()
    }

    /// The agents whom this order puts first for the kind, each with a profile; ties are not looked into, nor those who
    /// are second in theirs.
    pub fn likely_agents(&self, kind: usize, strategy: Strategy) -> SmallVec<[(usize, AgentKey); SHOWN]> {
        let order = Order::of(strategy);
        let rows = self.fronts.seat_rows(order);
        let mut firsts = Firsts::none((u64::MAX, Instant(u64::MAX)));
        if let Some(kind) = self.kinds.get(kind) {
            kind.profiles.for_common(&self.free, |profile| {
                let row = &rows[profile].seat();
                firsts.meet((row.key, row.idle_since), profile, |_| false);
            });
        }
        let of = |(_, profile): &(_, usize)| (*profile, self.fronts.of_profile(*profile, order).seat.agent);
        firsts.best().iter().map(of).collect()
    }
}

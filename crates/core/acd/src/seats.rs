//! The free agents of one profile, in every order that a queue may ask for.

use crate::agent::AgentKey;
use crate::line::Line;
use crate::occupancy::{Entrant, Tournament};
use crate::{Config, Strategy};
use base::Instant;

/// Where a free agent stands in one order: its key, then idle since, a lot for those idle since the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat {
    pub key: u64,
    pub idle_since: Instant,
    pub lot: u64,
    pub agent: AgentKey,
}

/// A free agent as the orders see it. Nothing of it changes while the agent is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// In the order of idle time: its key is 0.
    pub seat: Seat,
    pub calls: u32,
    /// When the agent was last offered a call since login.
    pub offered: Instant,
    pub rank: u32,
    pub busy: u64,
    pub login: Instant,
    /// No customer is being dialled on this agent's account.
    pub may_dial: bool,
}

impl Standing {
    fn seat(&self, key: u64) -> Seat {
        Seat { key, ..self.seat }
    }
}

/// Which orders some queue asks for; the others are not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    calls: bool,
    offered: bool,
    rank: bool,
    occupancy: bool,
}

impl Orders {
    pub fn of(config: &Config) -> Orders {
        let asked = |strategy| config.queues.values().any(|q| q.strategy == strategy);
        Orders {
            calls: asked(Strategy::FewestCalls),
            offered: asked(Strategy::RoundRobin),
            rank: asked(Strategy::TopDown),
            occupancy: asked(Strategy::LeastOccupied),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    pub idle: Line<Seat>,
    pub calls: Line<Seat>,
    pub offered: Line<Seat>,
    pub rank: Line<Seat>,
    pub occupancy: Tournament,
    /// Those on whose account a customer may be dialled.
    pub may_dial: Line<Seat>,
}

impl Seats {
    /// Gives the leaf in the tournament.
    pub fn take(&mut self, standing: &Standing, orders: Orders, now: Instant) -> usize {
        self.idle.insert(standing.seat);
        if orders.calls {
            self.calls.insert(standing.seat(u64::from(standing.calls)));
        }
        if orders.offered {
            self.offered.insert(standing.seat(standing.offered.0));
        }
        if orders.rank {
            self.rank.insert(standing.seat(u64::from(standing.rank)));
        }
        if standing.may_dial {
            self.may_dial.insert(standing.seat);
        }
        if !orders.occupancy {
            return 0;
        }
        self.occupancy.join(Entrant { busy: standing.busy, login: standing.login, seat: standing.seat }, now)
    }

    pub fn leave(&mut self, standing: &Standing, leaf: usize, orders: Orders, now: Instant) {
        self.idle.remove(&standing.seat);
        self.calls.remove(&standing.seat(u64::from(standing.calls)));
        self.offered.remove(&standing.seat(standing.offered.0));
        self.rank.remove(&standing.seat(u64::from(standing.rank)));
        self.may_dial.remove(&standing.seat);
        if orders.occupancy {
            self.occupancy.leave(leaf, now);
        }
    }

    /// Every order has the agent where the standing says.
    pub fn agree(&self, standing: &Standing, leaf: usize, orders: Orders) -> bool {
        let entrant = Entrant { busy: standing.busy, login: standing.login, seat: standing.seat };
        self.idle.contains(&standing.seat)
            && self.calls.contains(&standing.seat(u64::from(standing.calls))) == orders.calls
            && self.offered.contains(&standing.seat(standing.offered.0)) == orders.offered
            && self.rank.contains(&standing.seat(u64::from(standing.rank))) == orders.rank
            && self.may_dial.contains(&standing.seat) == standing.may_dial
            && (!orders.occupancy || self.occupancy.at(leaf) == Some(&entrant))
    }
}

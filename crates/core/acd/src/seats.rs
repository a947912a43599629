//! The free agents of one profile, in every order that a queue may ask for.

use crate::agent::AgentKey;
use crate::line::Line;
use crate::occupancy::{Entrant, Tournament};
use crate::{Config, Strategy};
use base::{Instant, Mutation, mutated};

/// Of no offer since login; an offer is [`AT_FIRST`] at the soonest, as a clock may begin with it.
pub(crate) const NEVER: Instant = Instant::ZERO;
pub(crate) const AT_FIRST: Instant = Instant(1);

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
    /// When the agent was last offered a call since login, or [`NEVER`].
    pub offered: Instant,
    pub rank: u32,
    pub busy: u64,
    pub login: Instant,
    /// No customer is being dialled on this agent's account.
    pub may_dial: bool,
}

impl Standing {
    pub fn in_order(&self, order: Order) -> Seat {
        let key = match order {
            Order::Idle => 0,
            Order::Calls => u64::from(self.calls),
            Order::Offered if mutated(Mutation::RoundRobinRepeats) => i64::MAX as u64 - self.offered.0,
            Order::Offered => self.offered.0,
            Order::Rank => u64::from(self.rank),
        };
        Seat { key, ..self.seat }
    }

    /// Among those whose shares of time are compared.
    pub fn entrant(&self) -> Entrant {
        Entrant { busy: self.busy, login: self.login, seat: self.seat }
    }
}

/// In which a profile's free agents stand, beside the share of their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Idle,
    Calls,
    Offered,
    Rank,
}

pub(crate) const ORDERS: usize = 4;

/// Which orders some queue asks for; the others are not kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orders {
    kept: [Order; ORDERS],
    len: usize,
    occupancy: bool,
}

impl Default for Orders {
    fn default() -> Self {
        Orders { kept: [Order::Idle; ORDERS], len: 1, occupancy: false }
    }
}

impl Order {
    /// In which the strategy looks at the agents of one profile.
    pub fn of(strategy: Strategy) -> Order {
        match strategy {
            Strategy::FewestCalls => Order::Calls,
            Strategy::RoundRobin => Order::Offered,
            Strategy::TopDown => Order::Rank,
            _ => Order::Idle,
        }
    }
}

impl Orders {
    pub fn of(config: &Config) -> Orders {
        let asked = |strategy| config.queues.values().any(|q| q.strategy == strategy);
        let mut orders = Orders { occupancy: asked(Strategy::LeastOccupied), ..Orders::default() };
        for strategy in [Strategy::FewestCalls, Strategy::RoundRobin, Strategy::TopDown].into_iter().filter(|s| asked(*s)) {
            orders.kept[orders.len] = Order::of(strategy);
            orders.len += 1;
        }
        orders
    }

    pub fn kept(&self) -> &[Order] {
        &self.kept[..self.len]
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    lines: [Line<Seat>; ORDERS],
    pub occupancy: Tournament,
    /// Those on whose account a customer is being dialled.
    dialling: Line<Seat>,
}

impl Seats {
    pub fn in_order(&self, order: Order) -> &Line<Seat> {
        &self.lines[order as usize]
    }

    /// All of them, longest idle first.
    pub fn idle(&self) -> &Line<Seat> {
        self.in_order(Order::Idle)
    }

    pub fn free(&self) -> usize {
        self.idle().len()
    }

    /// Another customer may be dialled on somebody's account.
    pub fn may_dial(&self) -> bool {
        self.free() > self.dialling.len()
    }

    /// The longest idle on whose account no customer is dialled.
    pub fn first_to_dial(&self) -> Option<&Seat> {
        let mut dialling = self.dialling.iter().peekable();
        self.idle().iter().find(|seat| dialling.next_if_eq(seat).is_none())
    }

    /// Gives the leaf in the tournament.
    pub fn take(&mut self, standing: &Standing, orders: Orders, now: Instant) -> u32 {
        for order in orders.kept() {
            self.lines[*order as usize].insert(standing.in_order(*order));
        }
        if !standing.may_dial {
            self.dialling.insert(standing.seat);
        }
        if !orders.occupancy {
            return 0;
        }
        self.occupancy.join(standing.entrant(), now)
    }

    pub fn leave(&mut self, standing: &Standing, leaf: u32, orders: Orders, now: Instant) {
        for order in orders.kept() {
            self.lines[*order as usize].remove(&standing.in_order(*order));
        }
        if !standing.may_dial {
            self.dialling.remove(&standing.seat);
        }
        if orders.occupancy {
            self.occupancy.leave(leaf, now);
        }
    }

    /// Every order has the agent where the standing says.
    pub fn agree(&self, standing: &Standing, leaf: u32, orders: Orders) -> bool {
        orders.kept().iter().all(|order| self.in_order(*order).contains(&standing.in_order(*order)))
            && self.dialling.contains(&standing.seat) != standing.may_dial
            && (!orders.occupancy || self.occupancy.at(leaf) == Some(&standing.entrant()))
    }
}

//! Datagrams: lost, late, doubled, out of order, and whole links that go away for a while.

use crate::dice::Dice;
use crate::script::{ActId, Actor, Script};
use base::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// How bad the network is today.
pub struct Network {
    seed: u64,
    /// Percent.
    loss: u64,
    doubled: u64,
    /// Arrives after its sender retransmitted it.
    very_late: u64,
    /// In thousandths: nothing passes in either direction for a while.
    outages: u64,
    /// The longest ordinary way, in milliseconds: what is longer than the pause between two datagrams reorders them.
    jitter: u64,
    links: BTreeMap<(SocketAddr, SocketAddr), Link>,
}

struct Link {
    number: u8,
    carried: u32,
    down_until: Instant,
}

/// What may befall a datagram.
enum Fate {
    Lost,
    Doubled,
    Late,
    Outage(Duration),
}

impl Network {
    pub fn new(seed: u64, dice: &mut Dice) -> Self {
        let loss = dice.one_of([0, 0, 1, 5, 15]);
        let jitter = dice.one_of([2, 40, 40, 300]);
        let outages = dice.one_of([0, 0, 1, 3]);
        let (doubled, very_late) = (dice.below(4), dice.below(3));
        Network { seed, loss, doubled, very_late, outages, jitter, links: BTreeMap::new() }
    }

    /// After how long each copy arrives. `what` is the datagram in words.
    pub fn carry(
        &mut self,
        at: Instant,
        link: (SocketAddr, SocketAddr),
        what: impl Fn() -> String,
        script: &mut Script,
    ) -> Vec<Duration> {
        let known = u8::try_from(self.links.len()).unwrap_or(u8::MAX);
        let fresh = || Link { number: known, carried: 0, down_until: Instant::ZERO };
        let state = self.links.entry(link).or_insert_with(fresh);
        state.carried += 1;
        let id = ActId::new(Actor::Network(state.number), state.carried, 0);
        let mut dice = Dice::of(self.seed, id);
        let usual = dice.millis(1, self.jitter.max(2));
        let fate = match dice.below(1_000) {
            n if n < self.loss * 10 => Fate::Lost,
            n if n < (self.loss + self.doubled) * 10 => Fate::Doubled,
            n if n < (self.loss + self.doubled + self.very_late) * 10 => Fate::Late,
            n if n >= 1_000 - self.outages => Fate::Outage(dice.seconds(1, 40)),
            _ => return if at < state.down_until { Vec::new() } else { vec![usual] },
        };
        let words = match &fate {
            Fate::Lost => "loses".to_string(),
            Fate::Doubled => "doubles".to_string(),
            Fate::Late => "delays".to_string(),
            Fate::Outage(span) => format!("is down for {} s from", span.as_secs()),
        };
        if !script.may(id, at, || format!("the network from {} to {} {words} {}", link.0, link.1, what())) {
            return vec![usual];
        }
        match fate {
            Fate::Lost => Vec::new(),
            _ if at < state.down_until => Vec::new(),
            Fate::Doubled => vec![usual, dice.millis(1, self.jitter.max(40))],
            Fate::Late => vec![dice.millis(400, 3_000)],
            Fate::Outage(span) => {
                state.down_until = at + span;
                Vec::new()
            }
        }
    }
}

//! Who hears whom.
//!
//! ```text
//!            nobody ──▶ silence       what is played goes before all three,
//!   hears    one    ──▶ relay         and they go on when it ends
//!            more   ──▶ mix
//! ```

use super::{Output, Plane, Timer};
use crate::mix::{Due, Mix};
use crate::rtp::FRAME;
use base::{Instant, LegId};

impl Plane {
    pub(super) fn on_hear(&mut self, now: Instant, id: LegId, mut others: Vec<LegId>, out: &mut Vec<Output>) {
        others.retain(|other| *other != id && self.legs.contains_key(other));
        others.sort_unstable();
        others.dedup();
        let somebody = !others.is_empty();
        self.set_hears(now, id, others, out);
        if somebody {
            self.stop(now, id, out);
        }
    }

    /// A leg that closes hears nobody and is heard by nobody.
    pub(super) fn part(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        self.set_hears(now, id, vec![], out);
        for listener in self.legs.get(&id).map_or(vec![], |leg| leg.heard_by.clone()) {
            let rest = self.legs.get(&listener).map_or(vec![], |l| l.hears.iter().copied().filter(|h| *h != id).collect());
            self.set_hears(now, listener, rest, out);
        }
    }

    /// A leg says nothing for a while: to those who hear only it, what comes later is a splice.
    pub(super) fn pause(&mut self, id: LegId) {
        for listener in self.legs.get(&id).map_or(vec![], |leg| leg.heard_by.clone()) {
            if let Some(leg) = self.legs.get_mut(&listener).filter(|leg| leg.mix.is_none()) {
                leg.cut();
            }
        }
    }

    /// Nothing is played any more: a mix goes on where the last frame ends. A relay does so with its next packet.
    pub(super) fn resume(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let start = leg.start(now);
        if let Some(mix) = &mut leg.mix {
            mix.restart(start);
            leg.splice.interrupt();
            self.on_mix(now, id, out);
        }
    }

    /// Sends the frames that are due, at most five, and sets the next time.
    pub(super) fn on_mix(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let law = leg.law();
        let Some(mut mix) = leg.mix.take() else { return };
        if leg.player.is_some() {
            mix.pass(now);
        }
        let mut frame = [0; FRAME];
        while let Some(Due { at, moved }) = mix.step(now, law, &mut frame) {
            if moved || !leg.sends() {
                leg.splice.interrupt();
            }
            if let Some((to, packet)) = leg.packet(now, at, &frame) {
                out.push(Output::Send { leg: id, to, packet });
            }
        }
        self.timers.set(Timer::Mix(id), mix.due());
        leg.mix = Some(mix);
    }

    fn set_hears(&mut self, now: Instant, id: LegId, others: Vec<LegId>, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.hears != others) else { return };
        let before = std::mem::replace(&mut leg.hears, others.clone());
        for other in before {
            if let Some(other) = self.legs.get_mut(&other) {
                other.heard_by.retain(|listener| *listener != id);
            }
        }
        for other in others {
            if let Some(other) = self.legs.get_mut(&other) {
                other.heard_by.push(id);
            }
        }
        self.tune(now, id, out);
    }

    /// Relays or mixes, as whom it hears now demands.
    fn tune(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.hears.len() < 2 {
            leg.cut();
            leg.mix = None;
            self.timers.cancel(Timer::Mix(id));
            return;
        }
        if leg.mix.is_none() {
            leg.cut();
            leg.mix = Some(Box::new(Mix::new(leg.start(now))));
        }
        if let Some(mix) = &mut leg.mix {
            mix.set_sources(&leg.hears);
        }
        self.on_mix(now, id, out);
    }
}

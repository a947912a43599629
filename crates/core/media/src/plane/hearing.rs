//! Who hears whom.
//!
//! ```text
//!            nobody ──▶ silence       what is played goes before all three,
//!   hears    one    ──▶ relay         and they go on when it ends
//!            more   ──▶ mix           one whose codec the listener does not have is mixed alone, and so is one who may
//!                                     say more than the listener can be sent
//! ```

use super::{Output, Plane, Timer};
use crate::Codec;
use crate::mix::{Due, Mix};
use crate::rtp::FRAME;
use base::{Instant, LegId, Now};

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
        for listener in self.legs.get(&id).map_or(vec![], |leg| leg.heard_by.to_vec()) {
            let rest = self.legs.get(&listener).map_or(vec![], |l| l.hears.iter().copied().filter(|h| *h != id).collect());
            self.set_hears(now, listener, rest, out);
        }
    }

    /// A leg says nothing for a while: to those who hear only it, what comes later is a splice.
    pub(super) fn pause(&mut self, id: LegId) {
        for listener in self.legs.get(&id).map_or(vec![], |leg| leg.heard_by.to_vec()) {
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
        self.release(now, id, out);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let listener = (leg.codec(), leg.limits());
        let Some(mut mix) = leg.mix.take() else { return };
        if leg.player.is_some() {
            mix.pass(now);
        }
        let mut frame = [0; FRAME];
        while let Some((Due { at, moved }, length)) = mix.step(now, listener, &mut frame) {
            if moved || !leg.sends() {
                leg.splice.interrupt();
            }
            if let Some((to, packet)) = leg.packet(now, at, &frame[..length]) {
                out.push(Output::Send { leg: id, to, packet });
            }
        }
        self.timers.set(Timer::Mix(id), mix.due());
        leg.mix = Some(mix);
    }

    /// Whoever waits for a packet that this mix needs now waits no longer: what is behind it must not be late too.
    fn release(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        while let Some(other) = self.needed(now, id) {
            self.give_up(other, out);
        }
    }

    /// Somebody who waits for a packet whose sound belongs into the frame that this leg is due.
    fn needed(&self, now: Instant, id: LegId) -> Option<LegId> {
        let leg = self.legs.get(&id)?;
        let mix = leg.mix.as_ref().filter(|mix| mix.due() <= now)?;
        let waits_for = |other: &LegId| self.legs.get(other).and_then(|leg| leg.voice.as_ref()?.waits_for());
        let is_needed = |other: &&LegId| waits_for(other).is_some_and(|(ssrc, timestamp)| mix.needs(**other, ssrc, timestamp));
        leg.hears.iter().find(is_needed).copied()
    }

    fn set_hears(&mut self, now: Instant, id: LegId, others: Vec<LegId>, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.hears != others) else { return };
        let before = std::mem::replace(&mut leg.hears, others.clone());
        for other in before {
            if let Some(other) = self.legs.get_mut(&other) {
                other.heard_by.retain(|listener| *listener != id);
            }
            self.note_mixed(other);
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
        let (mixes, cap) = (self.mixes(id), self.config.jitter_buffer);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if mixes && leg.mix.is_none() {
            leg.mix = Some(Box::new(Mix::new(leg.start(now), (leg.codec(), leg.limits()), cap)));
            leg.cut();
        } else if !mixes {
            leg.cut();
            leg.mix = None;
            self.timers.cancel(Timer::Mix(id));
        }
        if let Some(mix) = &mut leg.mix {
            mix.set_sources(&leg.hears);
        }
        for other in leg.hears.clone() {
            self.note_mixed(other);
        }
        if mixes {
            self.on_mix(now, id, out);
        }
    }

    /// Whether what this leg hears must be made anew, and not only passed on.
    pub(super) fn mixes(&self, id: LegId) -> bool {
        let Some(leg) = self.legs.get(&id) else { return false };
        match leg.hears[..] {
            [] => false,
            [other] => self.legs.get(&other).is_some_and(|other| leg.is_limited() || !other.speaks.relays_to(leg.codec())),
            _ => true,
        }
    }

    /// This leg speaks another codec from now on. Those who can't be sent it are mixed to at once; those who can again, when
    /// it has kept to it for a while: a peer that goes to and fro would make and drop a mix with each packet.
    pub(super) fn on_other_codec(&mut self, now: Now, id: LegId, codec: Codec, out: &mut Vec<Output>) {
        self.flush(id, out);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.speak(codec);
        for listener in leg.heard_by.clone() {
            if self.legs.get(&listener).is_some_and(|leg| leg.mix.is_none()) && self.mixes(listener) {
                self.tune(now.mono, listener, out);
            }
        }
    }

    /// Codecs have changed: this leg and those who hear it may have to be mixed to now, or no longer.
    pub(super) fn retune(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        let listeners = self.legs.get(&id).map_or(vec![], |leg| leg.heard_by.to_vec());
        for listener in listeners.into_iter().chain([id]) {
            let mixed = self.legs.get(&listener).is_some_and(|leg| leg.mix.is_some());
            if mixed != self.mixes(listener) {
                self.tune(now, listener, out);
            }
        }
    }

    fn note_mixed(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        let mixed = leg.heard_by.iter().any(|listener| self.legs.get(listener).is_some_and(|l| l.mix.is_some()));
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.mixed = mixed;
        }
    }
}

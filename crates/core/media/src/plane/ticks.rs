//! What is due: frames of 20 ms, reports, silence, blocks of recordings, leases.

use super::{Output, Plane, Timer};
use crate::player::{FRAME_TIME, Step};
use crate::rtp::FRAME;
use crate::{Input, LEASE};
use base::{Instant, LegId, Now};
use std::time::Duration;

impl Plane {
    pub fn on_tick(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.due(now.mono) {
            match timer {
                Timer::Player(leg) => self.on_player(now.mono, leg, out),
                Timer::Mix(leg) => self.on_mix(now.mono, leg, out),
                Timer::Report(leg) => self.on_report(now, leg, out),
                Timer::Held(leg) => self.on_held(now.mono, leg, out),
                Timer::Silence(leg) => self.on_silence(now.mono, leg, out),
                Timer::Block(recording) => self.on_block(now.mono, recording, out),
                Timer::Lease => self.on_lease(now.mono, out),
            }
        }
    }

    /// Sends the frames that are due, at most five, and sets the next time.
    pub(super) fn on_player(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        self.timers.cancel(Timer::Player(id));
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let codec = leg.plays_in();
        let Some(mut player) = leg.player.take() else { return };
        loop {
            match player.step(now, codec) {
                Step::Frame { at, moved, frame } => {
                    if moved || !leg.sends() {
                        leg.splice.interrupt();
                    }
                    let mut fitted = [0; FRAME];
                    let frame = leg.fit(frame, &mut fitted);
                    if let Some((to, packet)) = leg.packet(now, at, frame) {
                        out.push(Output::Send { leg: id, to, packet });
                    }
                }
                Step::Done { play } => {
                    out.push(Output::Input(Input::PlayDone { leg: id, play }));
                    return self.resume(now, id, out);
                }
                Step::Wait => break,
            }
        }
        // A player that has nothing to say although it is due must not be asked again at once.
        let next = if player.due() > now { player.due() } else { now + FRAME_TIME };
        leg.player = Some(player);
        self.timers.set(Timer::Player(id), next);
    }

    fn on_report(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        let interval = self.report_interval();
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if let Some(to) = leg.rtcp_to() {
            out.push(Output::SendRtcp { leg: id, to, packet: leg.report(now, false) });
        }
        out.push(Output::Measured { leg: id, stats: Box::new(leg.stats()) });
        self.timers.set(Timer::Report(id), now.mono + interval);
    }

    /// Signs of life only move `heard`, so that a packet costs no timer; the time is taken up here.
    fn on_silence(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if !leg.owes_audio() {
            return;
        }
        let due = leg.heard + self.config.silent_after;
        if due > now {
            self.timers.set(Timer::Silence(id), due);
            return;
        }
        leg.silent = true;
        let millis = u64::try_from(now.since(leg.heard).as_millis()).unwrap_or(u64::MAX);
        out.push(Output::Input(Input::Silent { leg: id, millis }));
    }

    fn on_lease(&mut self, now: Instant, out: &mut Vec<Output>) {
        let mut legs: Vec<LegId> = self.legs.keys().copied().collect();
        legs.retain(|id| self.legs.get_mut(id).is_some_and(|leg| std::mem::take(&mut leg.alive)));
        if !legs.is_empty() {
            out.push(Output::Input(Input::Alive { legs }));
        }
        self.timers.set(Timer::Lease, now + LEASE);
    }

    /// 5 s, spread over half to one and a half, so that legs do not report in step; the first after half of it (RFC 3550
    /// section 6.2).
    pub(super) fn report_interval(&mut self) -> Duration {
        Duration::from_millis(2_500 + self.random.below(5_000))
    }
}

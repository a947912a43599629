//! One function per command of the engine. A command for a leg that is not open is void: its call has ended.

use super::{Output, Plane, Tape, Timer};
use crate::leg::Leg;
use crate::placement::{Placement, Side};
use crate::player::{FRAME_TIME, Player, Stretch};
use crate::{Command, Input, Session, Sidecar, Sound};
use base::{LegId, Now, RecordingId};
use std::net::IpAddr;
use std::sync::Arc;

impl Plane {
    pub fn on_command(&mut self, now: Now, command: Command, out: &mut Vec<Output>) {
        match command {
            Command::Open { leg, address, port } => self.on_open(leg, address, port, out),
            Command::Configure { leg, session } => self.on_configure(now, leg, session),
            Command::Play { leg, play, sounds } => self.on_play(now, leg, play, sounds, out),
            Command::Loop { leg, prompt } => self.on_loop(now, leg, prompt, out),
            Command::Stop { leg } => self.stop(leg),
            Command::Bridge { a, b } => self.on_bridge(a, b),
            Command::Unbridge { a, b } => self.on_unbridge(a, b),
            Command::Record { recording, left, right, file, sidecar } => {
                self.on_record(now, recording, [left, right], file, sidecar, out);
            }
            Command::StopRecording { recording } => self.on_stop_recording(now, recording, out),
            Command::Close { leg } => self.on_close(now, leg, out),
        }
    }

    /// How the binding that [`Output::Bind`] asked for went.
    pub fn on_bound(&mut self, now: Now, leg: LegId, port: u16, bound: bool, out: &mut Vec<Output>) {
        if !bound {
            out.push(Output::Input(Input::OpenFailed { leg, port }));
            return;
        }
        self.legs.insert(leg, Leg::new(now.mono, &mut self.random));
        let first = self.report_interval();
        self.timers.set(Timer::Report(leg), now.mono + first);
        out.push(Output::Input(Input::Opened { leg, port }));
    }

    /// Ends everything, as if each recording were stopped and each leg closed.
    pub fn on_shutdown(&mut self, now: Now, out: &mut Vec<Output>) {
        for recording in self.recordings.keys().copied().collect::<Vec<_>>() {
            self.on_stop_recording(now, recording, out);
        }
        for leg in self.legs.keys().copied().collect::<Vec<_>>() {
            self.on_close(now, leg, out);
        }
    }

    fn on_open(&mut self, leg: LegId, address: IpAddr, port: u16, out: &mut Vec<Output>) {
        if self.legs.contains_key(&leg) {
            out.push(Output::Input(Input::OpenFailed { leg, port }));
        } else {
            out.push(Output::Bind { leg, address, port });
        }
    }

    fn on_configure(&mut self, now: Now, id: LegId, session: Session) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.configure(now.mono, session);
        if leg.owes_audio() && !leg.silent {
            self.timers.set(Timer::Silence(id), leg.heard + self.config.silent_after);
        }
        if let Some(other) = leg.other.filter(|_| !leg.receives()) {
            self.interrupt(other);
        }
    }

    fn on_play(&mut self, now: Now, id: LegId, play: u32, sounds: Vec<Sound>, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let find = |sound| match sound {
            Sound::Silence(time) => {
                Some(Stretch::Silence(time.as_millis().div_ceil(FRAME_TIME.as_millis()).min(u64::MAX.into()) as u64))
            }
            Sound::Prompt(key) => {
                let found = self.prompts.find(&key).cloned().map(Stretch::Prompt);
                if found.is_none() {
                    out.push(Output::UnknownSound { leg: id, key });
                }
                found
            }
        };
        let stretches = sounds.into_iter().filter_map(find).collect();
        leg.start_player(Player::once(play, stretches, leg.start(now.mono)));
        self.on_player(now.mono, id, out);
    }

    fn on_loop(&mut self, now: Now, id: LegId, key: Arc<str>, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match self.prompts.find(&key).filter(|p| p.frames() > 0) {
            Some(prompt) => leg.start_loop(now.mono, key, prompt.clone()),
            None => {
                leg.stop_player();
                out.push(Output::UnknownSound { leg: id, key });
            }
        }
        self.on_player(now.mono, id, out);
    }

    fn stop(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.stop_player();
        }
        self.timers.cancel(Timer::Player(id));
    }

    fn on_bridge(&mut self, a: LegId, b: LegId) {
        if a == b || !self.legs.contains_key(&a) || !self.legs.contains_key(&b) {
            return;
        }
        for (id, other) in [(a, b), (b, a)] {
            self.stop(id);
            self.part(id);
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.other = Some(other);
            }
        }
    }

    fn on_unbridge(&mut self, a: LegId, b: LegId) {
        if self.legs.get(&a).is_some_and(|leg| leg.other == Some(b)) {
            self.part(a);
        }
    }

    /// Takes a leg out of its bridge; the other leg is then alone too.
    fn part(&mut self, id: LegId) {
        let Some(other) = self.legs.get_mut(&id).and_then(|leg| leg.other.take()) else { return };
        self.interrupt(id);
        self.interrupt(other);
        if let Some(leg) = self.legs.get_mut(&other) {
            leg.other = None;
        }
    }

    /// What this leg was sent ends: what comes later, even from the same source, is a splice.
    fn interrupt(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.splice.interrupt();
        }
    }

    fn on_record(
        &mut self,
        now: Now,
        id: RecordingId,
        legs: [LegId; 2],
        file: Arc<str>,
        sidecar: Box<Sidecar>,
        out: &mut Vec<Output>,
    ) {
        if self.recordings.contains_key(&id) || !legs.iter().any(|leg| self.legs.contains_key(leg)) {
            out.push(Output::Input(Input::RecordingFailed { recording: id, reason: "no_such_leg".into() }));
            return;
        }
        let placement = Placement::new(now.mono);
        self.timers.set(Timer::Block(id), placement.due());
        self.recordings.insert(id, placement);
        for (leg, side) in legs.iter().zip([Side::Left, Side::Right]) {
            if let Some(leg) = self.legs.get_mut(leg) {
                leg.recordings.push((id, side));
            }
        }
        out.push(Output::Tape(Tape::Open { recording: id, file, sidecar }));
    }

    fn on_stop_recording(&mut self, now: Now, id: RecordingId, out: &mut Vec<Output>) {
        let Some(mut placement) = self.recordings.remove(&id) else { return };
        self.timers.cancel(Timer::Block(id));
        for leg in self.legs.values_mut() {
            leg.recordings.retain(|(recording, _)| *recording != id);
        }
        while let Some(block) = placement.rest(now.mono) {
            out.push(Output::Tape(Tape::Block { recording: id, block }));
        }
        out.push(Output::Tape(Tape::Close { recording: id, frames: placement.committed() }));
    }

    fn on_close(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        self.stop(id);
        self.part(id);
        self.timers.cancel(Timer::Report(id));
        self.timers.cancel(Timer::Silence(id));
        let Some(mut leg) = self.legs.remove(&id) else { return };
        if let Some(to) = leg.rtcp_to() {
            out.push(Output::SendRtcp { leg: id, to, packet: leg.report(now, true) });
        }
        out.push(Output::Unbind { leg: id });
        // Nobody is left to be recorded: the file must not stay open for ever.
        for (recording, _) in &leg.recordings {
            let still = self.legs.values().any(|leg| leg.recordings.iter().any(|(r, _)| r == recording));
            if !still {
                self.on_stop_recording(now, *recording, out);
            }
        }
        out.push(Output::Input(Input::Closed { leg: id, stats: leg.stats() }));
    }
}

//! One function per command of the engine. A command for a leg that is not open is void: its call has ended.

use super::{Output, Plane, Timer};
use crate::leg::Leg;
use crate::player::{FRAME_TIME, Player, Stretch};
use crate::{Command, Input, LEASE, Session, Sound, Tone};
use base::{Instant, LegId, Now};
use std::net::IpAddr;
use std::sync::Arc;

impl Plane {
    pub fn on_command(&mut self, now: Now, command: Command, out: &mut Vec<Output>) {
        match command {
            Command::Open { leg, address, port } => self.on_open(leg, address, port, out),
            Command::Configure { leg, session } => self.on_configure(now, leg, session, out),
            Command::Play { leg, play, sounds } => self.on_play(now, leg, play, sounds, out),
            Command::Loop { leg, prompt } => self.on_loop(now, leg, prompt, out),
            Command::LoopTone { leg, tone } => self.on_loop_tone(now, leg, tone, out),
            Command::Stop { leg } => self.stop(now.mono, leg, out),
            Command::Hear { leg, others } => self.on_hear(now.mono, leg, others, out),
            Command::HearKeys { leg, wanted } => self.on_hear_keys(leg, wanted),
            Command::Record { recording, left, right, file, sidecar } => {
                self.on_record(now, recording, [&left, &right], (file, sidecar), out);
            }
            Command::RecordLegs { recording, left, right } => self.on_record_legs(recording, [&left, &right]),
            Command::RecordWaiting { recording } => self.on_record_waiting(recording),
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
        if self.legs.is_empty() {
            self.timers.set(Timer::Lease, now.mono + LEASE);
        }
        self.legs.insert(leg, Leg::new(now.mono, &mut self.random));
        let first = self.report_interval() / 2;
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

    fn on_configure(&mut self, now: Now, id: LegId, session: Session, out: &mut Vec<Output>) {
        if self.legs.get(&id).is_some_and(|leg| leg.session.as_ref() != Some(&session)) {
            self.flush(id, out);
        }
        let Some(leg) = self.legs.get_mut(&id) else { return };
        out.push(Output::Expect { leg: id, from: session.remote });
        leg.configure(now.mono, session);
        if leg.owes_audio() && !leg.silent {
            self.timers.set(Timer::Silence(id), leg.heard + self.config.silent_after);
        }
        if !leg.receives() {
            self.pause(id);
        }
        self.retune(now.mono, id, out);
    }

    fn on_hear_keys(&mut self, id: LegId, wanted: bool) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.hear_keys(wanted);
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
            Sound::Tone(tone) => Some(Stretch::Prompt(self.prompts.tone(tone).clone())),
        };
        let stretches = sounds.into_iter().filter_map(find).collect();
        leg.start_player(Player::once(play, stretches, leg.start(now.mono)));
        self.on_player(now.mono, id, out);
    }

    fn on_loop(&mut self, now: Now, id: LegId, key: Arc<str>, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match self.prompts.find(&key).filter(|p| p.frames() > 0) {
            Some(prompt) => {
                leg.start_loop(now.mono, key, prompt.clone());
                self.on_player(now.mono, id, out);
            }
            None => {
                out.push(Output::UnknownSound { leg: id, key });
                self.stop(now.mono, id, out);
            }
        }
    }

    fn on_loop_tone(&mut self, now: Now, id: LegId, tone: Tone, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.start_player(Player::tone(self.prompts.tone(tone).clone(), leg.start(now.mono)));
        self.on_player(now.mono, id, out);
    }

    pub(super) fn stop(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.player.is_some()) else { return };
        leg.stop_player();
        self.timers.cancel(Timer::Player(id));
        self.resume(now, id, out);
    }

    fn on_close(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        self.flush(id, out);
        self.part(now.mono, id, out);
        for timer in [Timer::Player(id), Timer::Report(id), Timer::Silence(id), Timer::Held(id)] {
            self.timers.cancel(timer);
        }
        let Some(mut leg) = self.legs.remove(&id) else { return };
        if let Some(to) = leg.rtcp_to() {
            out.push(Output::SendRtcp { leg: id, to, packet: leg.report(now, true) });
        }
        out.push(Output::Unbind { leg: id });
        self.end_recordings_of(now, id, &leg.recordings, out);
        if self.legs.is_empty() {
            self.timers.cancel(Timer::Lease);
        }
        out.push(Output::Input(Input::Closed { leg: id, stats: Box::new(leg.stats()) }));
    }
}

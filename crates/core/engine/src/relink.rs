//! The media plane, the clock of holds, the recording and the timers follow the call's state.

use crate::centre::Centre;
use crate::hears::{Hears, hears};
use base::{CallId, LegId, Mutation, mutated};
use media::{Command, Tone};

/// What the side that waits hears.
const MUSIC: &str = "music/hold";

impl Centre {
    /// Brings the media plane, the clock of holds, the recording and the timers in step with the call's state.
    pub(crate) fn relink(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let told = hears(call);
        let before = std::mem::replace(&mut call.heard, told.clone());
        for (leg, now) in &told {
            let was = before.get(leg).unwrap_or(&Hears::Nothing);
            if was != now {
                self.tell_hears(*leg, was, now);
            }
        }
        self.hear_keys(id);
        self.count_hold(id);
        self.record_voices(id);
        self.rearm(id);
    }

    fn tell_hears(&mut self, leg: LegId, was: &Hears, now: &Hears) {
        let heard_legs = matches!(was, Hears::Legs(_));
        let others = match now {
            Hears::Legs(legs) => Some(legs.clone()),
            _ => heard_legs.then(Vec::new),
        };
        if let Some(others) = others.filter(|_| !mutated(Mutation::HearsTheWrongOnes)) {
            self.tell_media(Command::Hear { leg, others });
        }
        match now {
            Hears::Music => self.tell_media(Command::Loop { leg, prompt: MUSIC.into() }),
            Hears::Ringback => self.tell_media(Command::LoopTone { leg, tone: Tone::Ringback }),
            Hears::Nothing | Hears::Flow if matches!(was, Hears::Music | Hears::Ringback) => {
                self.tell_media(Command::Stop { leg });
            }
            Hears::Nothing if *was == Hears::Flow => self.tell_media(Command::Stop { leg }),
            _ => {}
        }
    }
}

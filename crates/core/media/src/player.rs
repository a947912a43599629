//! What one leg plays: a list once, or one sound in a loop, a frame of 20 ms at a time on an absolute schedule.

use crate::Codec;
use crate::codec::silence;
use crate::prompt::Prompt;
use base::Instant;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The length of one frame.
pub const FRAME_TIME: Duration = Duration::from_millis(20);
/// A schedule that is later than this is moved, not caught up with: five frames at once are enough.
pub(crate) const CATCH_UP: Duration = Duration::from_millis(100);

/// A stretch of what is heard.
#[derive(Clone, Debug)]
pub enum Stretch {
    Prompt(Arc<Prompt>),
    /// In frames.
    Silence(u64),
}

#[derive(Clone, Debug)]
enum Mode {
    Once {
        play: u32,
    },
    /// A tone has no key: it begins anew each time.
    Loop {
        key: Option<Arc<str>>,
    },
}

#[derive(Clone, Debug)]
pub struct Player {
    mode: Mode,
    stretches: VecDeque<Stretch>,
    position: u64,
    due: Instant,
}

/// What a due player does.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// This frame, due at that moment; `moved` if the schedule was too late and starts anew with it.
    Frame { at: Instant, moved: bool, frame: &'a [u8] },
    /// The last frame has been heard.
    Done { play: u32 },
    /// Not due yet.
    Wait,
}

impl Player {
    /// Plays the list from `start`; `play` is its name.
    pub fn once(play: u32, stretches: VecDeque<Stretch>, start: Instant) -> Player {
        Player { mode: Mode::Once { play }, stretches, position: 0, due: start }
    }

    /// Plays one sound again and again from `start`, beginning with frame `position`.
    pub fn looped(key: Arc<str>, prompt: Arc<Prompt>, position: u64, start: Instant) -> Player {
        Player { mode: Mode::Loop { key: Some(key) }, stretches: [Stretch::Prompt(prompt)].into(), position, due: start }
    }

    /// Plays a tone again and again from `start`.
    pub fn tone(prompt: Arc<Prompt>, start: Instant) -> Player {
        Player { mode: Mode::Loop { key: None }, stretches: [Stretch::Prompt(prompt)].into(), position: 0, due: start }
    }

    /// Whether it goes on until it is stopped.
    pub fn loops(&self) -> bool {
        matches!(self.mode, Mode::Loop { .. })
    }

    pub fn due(&self) -> Instant {
        self.due
    }

    /// A looped sound's key, and the frame it goes on with.
    pub fn position(&self) -> Option<(&Arc<str>, u64)> {
        match &self.mode {
            Mode::Loop { key } => key.as_ref().map(|key| (key, self.position)),
            Mode::Once { .. } => None,
        }
    }

    /// The next frame, if it is due.
    pub fn step(&mut self, now: Instant, codec: Codec) -> Step<'_> {
        if now < self.due {
            return Step::Wait;
        }
        self.skip_what_ended();
        let Some(stretch) = self.stretches.front() else {
            let Mode::Once { play } = self.mode else { return Step::Wait };
            return Step::Done { play };
        };
        let moved = now.since(self.due) > CATCH_UP;
        let at = if moved { now } else { self.due };
        self.due = at + FRAME_TIME;
        let position = usize::try_from(self.position).unwrap_or(usize::MAX);
        self.position = self.position.saturating_add(1);
        let frame = match stretch {
            Stretch::Prompt(prompt) => prompt.frame(position, codec).unwrap_or_else(|| silence(codec)),
            Stretch::Silence(_) => silence(codec),
        };
        Step::Frame { at, moved, frame }
    }

    fn skip_what_ended(&mut self) {
        while let Some(stretch) = self.stretches.front() {
            let length = match stretch {
                Stretch::Prompt(prompt) => prompt.frames() as u64,
                Stretch::Silence(frames) => *frames,
            };
            if self.position < length {
                return;
            }
            self.position = 0;
            if matches!(self.mode, Mode::Once { .. }) || length == 0 {
                self.stretches.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;
    use crate::rtp::FRAME;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }
    /// A prompt whose n-th frame is full of its own value.
    fn numbered(first: i16, frames: i16) -> Arc<Prompt> {
        let samples: Vec<i16> = (0..frames).flat_map(|n| [(first + n) * 1_000; FRAME]).collect();
        Arc::new(Prompt::from_samples(&samples))
    }
    fn heard(player: &mut Player, now: Instant) -> Option<i16> {
        match player.step(now, Codec::Pcma) {
            Step::Frame { frame, .. } => {
                Some((i32::from(Law::Pcma.decoder()[usize::from(frame[0])]) as f64 / 1_000.0).round() as i16)
            }
            _ => None,
        }
    }

    #[test]
    fn a_list_is_played_without_a_gap_and_is_done_when_its_last_frame_was_heard() {
        let list = [Stretch::Prompt(numbered(1, 2)), Stretch::Silence(1), Stretch::Prompt(numbered(5, 1))];
        let mut player = Player::once(3, list.into(), at(7));
        assert_eq!(player.step(at(6), Codec::Pcma), Step::Wait);
        let frames: Vec<_> = (0..4).map(|n| heard(&mut player, at(7 + 20 * n))).collect();
        assert_eq!(frames, [Some(1), Some(2), Some(0), Some(5)]);
        assert_eq!(player.step(at(86), Codec::Pcma), Step::Wait);
        assert_eq!(player.step(at(87), Codec::Pcma), Step::Done { play: 3 });
    }

    #[test]
    fn a_loop_goes_on_where_it_was_left() {
        let music = numbered(1, 3);
        let mut player = Player::looped("m".into(), music.clone(), 0, at(0));
        let frames: Vec<_> = (0..5).map(|n| heard(&mut player, at(20 * n)).unwrap()).collect();
        assert_eq!(frames, [1, 2, 3, 1, 2]);
        let (_, position) = player.position().unwrap();
        assert_eq!(heard(&mut Player::looped("m".into(), music, position, at(0)), at(0)), Some(3));
    }

    #[test]
    fn a_late_schedule_catches_up_and_a_lost_one_starts_anew() {
        let mut player = Player::looped("m".into(), numbered(1, 9), 0, at(0));
        let burst = std::iter::from_fn(|| heard(&mut player, at(90))).count();
        assert_eq!(burst, 5, "0, 20, 40, 60 and 80 ms");
        assert!(matches!(player.step(at(1_000), Codec::Pcmu), Step::Frame { moved: true, at: t, .. } if t == at(1_000)));
        assert_eq!(player.step(at(1_001), Codec::Pcmu), Step::Wait);
    }

    #[test]
    fn empty_sounds_end() {
        let empty = Arc::new(Prompt::from_samples(&[]));
        let list = [Stretch::Prompt(empty.clone()), Stretch::Silence(0)];
        assert_eq!(Player::once(1, list.into(), at(0)).step(at(0), Codec::Pcmu), Step::Done { play: 1 });
        assert_eq!(Player::looped("e".into(), empty, 0, at(0)).step(at(0), Codec::Pcmu), Step::Wait);
    }
}

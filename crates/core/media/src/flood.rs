//! How many packets of one peer are taken in a second, and how much sound: a peer that sends ten times its rate is cut to
//! this, and the others on its thread don't notice. What decoding costs goes by the sound, of which one packet may hold 120 ms.

use base::Instant;
use std::time::Duration;

/// 200 a second: audio in packets of 10 ms, and a key's besides.
const SPACING: Duration = Duration::from_millis(5);
/// A second's worth may come at once: what a network held back and then let go.
const BURST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    packets: Budget,
    sound: Budget,
    excess: u64,
}

/// So much in any time, and [`BURST`] beyond (the cell rate algorithm of ITU-T I.371 annex A).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    /// When all that was taken would have come at the full rate.
    due: Instant,
}

impl Rate {
    /// Whether one more may be taken now, that holds so much sound; counted if not.
    pub fn allows(&mut self, now: Instant, sound: Duration) -> bool {
        let allowed = self.packets.is_left(now) && self.sound.is_left(now);
        if allowed {
            self.packets.spend(now, SPACING);
            self.sound.spend_sound(now, sound);
        }
        self.excess += u64::from(!allowed);
        allowed
    }

    pub fn excess(&self) -> u64 {
        self.excess
    }
}

impl Budget {
    pub fn is_left(&self, now: Instant) -> bool {
        self.due <= now + BURST
    }

    /// Sound may come at one and a quarter of its time: no clock is that wrong.
    pub fn spend_sound(&mut self, now: Instant, sound: Duration) {
        self.spend(now, sound * 4 / 5);
    }

    fn spend(&mut self, now: Instant, span: Duration) {
        self.due = self.due.max(now) + span;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Duration = Duration::from_millis(5);

    /// How many of `n` packets, one each `us`, are taken.
    fn taken(rate: &mut Rate, start_ms: u64, n: u64, us: u64) -> usize {
        (0..n).filter(|i| rate.allows(Instant((start_ms * 1_000 + i * us) * 1_000), SOUND)).count()
    }

    #[test]
    fn audio_passes_whole_and_ten_times_its_rate_does_not() {
        let mut rate = Rate::default();
        assert_eq!(taken(&mut rate, 0, 3_000, 20_000), 3_000);
        assert_eq!(taken(&mut rate, 60_000, 6_000, 10_000), 6_000);
        let flood = taken(&mut rate, 120_000, 5_000, 2_000);
        assert!((2_000..=2_210).contains(&flood), "{flood} in 10 s");
        assert_eq!(rate.excess(), 5_000 - flood as u64);
    }

    #[test]
    fn what_a_network_held_back_passes_at_once() {
        let mut rate = Rate::default();
        taken(&mut rate, 0, 50, 20_000);
        assert_eq!(taken(&mut rate, 3_000, 100, 0), 100);
    }

    #[test]
    fn long_packets_are_taken_for_as_much_sound_as_time_and_a_quarter() {
        let (mut rate, long) = (Rate::default(), Duration::from_millis(120));
        let taken = (0..2_000u64).filter(|n| rate.allows(Instant(n * 5_000_000), long)).count();
        assert!((104..=116).contains(&taken), "{taken} of 120 ms in 10 s");
        assert!((0..1_000u64).all(|n| rate.allows(Instant((20_000 + n * 120) * 1_000_000), long)));
    }
}

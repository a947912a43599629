//! What a leg hears of several others: every 20 ms one frame, the sum of what they said.
//!
//! ```text
//!   packets of each source ──▶ its track ──┐
//!                                          ├─ + ──▶ cut where too loud ──▶ encoded in the listener's law
//!   packets of another     ──▶ its track ──┘
//! ```
//! For a listener whose codec is wideband all this is at 16 kHz: voices of the telephone's width are doubled, and for the
//! others what wideband voices say at 8 kHz is taken. Each track holds its packets back for as long as its own network is uneven ([`crate::playout`]).

use crate::codec::Encoder;
use crate::placement::saturate;
use crate::player::{CATCH_UP, FRAME_TIME};
use crate::rates::Doubler;
use crate::rtp::FRAME;
use crate::said::{Origin, Said, Samples};
use crate::track::{Terms, Track};
use crate::voice::LONGEST;
use crate::{Codec, Limits};
use base::{Instant, LegId};
use std::time::Duration;

/// What is kept of each source at most, beyond the longest delay: 300 ms, the longest packet among it.
const AHEAD: i64 = 2_400;

#[derive(Debug)]
pub(crate) struct Mix {
    encoder: Encoder,
    limits: Limits,
    terms: Terms,
    start: Instant,
    due: Instant,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    leg: LegId,
    track: Track,
    /// Where the listener's codec is wideband and this one's is not.
    doubler: Doubler,
}

/// A frame that is due at that moment; `moved` if the schedule was too late and starts anew with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub at: Instant,
    pub moved: bool,
}

impl Mix {
    /// For a listener of this codec, who can be sent so much of it. No packet is held back for longer than `cap`.
    pub fn new(start: Instant, (codec, limits): (Codec, Limits), cap: Duration) -> Self {
        let cap = samples(cap);
        let terms = Terms { window: cap + AHEAD, lateness: cap, live: true, scale: scale(codec) };
        Mix { encoder: Encoder::within(codec, limits), limits, terms, start, due: start, sources: vec![] }
    }

    /// How long this source is held back.
    #[cfg(test)]
    pub fn delay_ms(&self, leg: LegId) -> i64 {
        self.sources.iter().find(|source| source.leg == leg).map_or(0, |source| source.track.delay()) / 8
    }

    #[cfg(test)]
    pub fn is_wide(&self) -> bool {
        self.terms.scale > 1
    }

    pub fn due(&self) -> Instant {
        self.due
    }

    /// Whom it mixes from now on; what the ones who stay have said stays.
    pub fn set_sources(&mut self, legs: &[LegId]) {
        self.sources.retain(|source| legs.contains(&source.leg));
        for leg in legs {
            if self.sources.iter().all(|source| source.leg != *leg) {
                let track = Track::new(self.terms, self.place(self.due));
                self.sources.push(Source { leg: *leg, track, doubler: Doubler::default() });
            }
        }
    }

    /// The next frame is due then, whatever was before.
    pub fn restart(&mut self, at: Instant) {
        self.due = at;
    }

    /// What a source says; false if it came too late to be heard.
    pub fn hear(&mut self, now: Instant, from: LegId, said: &Said<'_>) -> bool {
        let arrival = self.place(now);
        let Some(Source { track, doubler, .. }) = self.sources.iter_mut().find(|source| source.leg == from) else { return true };
        if self.terms.scale == 1 || said.samples.is_empty() || said.origin == Origin::TooLate {
            return track.place(arrival, said);
        }
        if let Some(wide) = said.wide {
            return track.place(arrival, &Said { samples: Samples::Linear(wide), ..*said });
        }
        let (mut narrow, mut wide) = ([0; LONGEST], [0; 2 * LONGEST]);
        let length = said.samples.len().min(LONGEST);
        said.samples.write(0, &mut narrow[..length]);
        let count = doubler.double(&narrow[..length], &mut wide);
        track.place(arrival, &Said { samples: Samples::Linear(&wide[..count]), ..*said })
    }

    /// Whether what this source says at this timestamp belongs into the next frame, or into one before.
    pub fn needs(&self, from: LegId, ssrc: u32, timestamp: u32) -> bool {
        let source = self.sources.iter().find(|source| source.leg == from);
        let place = source.and_then(|source| source.track.expects(ssrc, timestamp));
        place.is_some_and(|place| place < self.place(self.due) + FRAME as i64)
    }

    /// Fills in the next frame, if it is due, and says how many bytes it has.
    pub fn step(&mut self, now: Instant, listener: (Codec, Limits), frame: &mut [u8; FRAME]) -> Option<(Due, usize)> {
        let due = self.advance(now)?;
        let place = self.place(due.at);
        if (self.encoder.codec(), self.limits) != listener {
            self.use_codec(listener);
        }
        let length = if self.terms.scale == 1 {
            let sum = self.sum(place);
            self.encoder.encode(&sum, frame)
        } else {
            let sum = self.sum(place);
            self.encoder.encode_wide(&sum, frame)
        };
        Some((due, length))
    }

    /// Lets pass what is due: the leg hears something else now.
    pub fn pass(&mut self, now: Instant) {
        while let Some(Due { at, .. }) = self.advance(now) {
            let place = self.place(at);
            self.sources.iter_mut().for_each(|source| source.track.skip_to(place));
        }
    }

    /// The listener has another codec: if it is of another width, what waits to be heard is not.
    fn use_codec(&mut self, (codec, limits): (Codec, Limits)) {
        (self.encoder, self.limits) = (Encoder::within(codec, limits), limits);
        if self.terms.scale != scale(codec) {
            self.terms.scale = scale(codec);
            let (terms, first) = (self.terms, self.place(self.due));
            self.sources.iter_mut().for_each(|source| source.track = Track::new(terms, first));
        }
    }

    /// What all of them say next.
    fn sum<const N: usize>(&mut self, place: i64) -> [i16; N] {
        let mut sums = [0; N];
        for source in &mut self.sources {
            source.track.skip_to(place);
            source.track.take(&mut sums);
        }
        sums.map(saturate)
    }

    fn advance(&mut self, now: Instant) -> Option<Due> {
        if now < self.due {
            return None;
        }
        let moved = now.since(self.due) > CATCH_UP;
        let at = if moved { now } else { self.due };
        self.due = at + FRAME_TIME;
        Some(Due { at, moved })
    }

    /// Below zero before it starts.
    fn place(&self, at: Instant) -> i64 {
        samples(at.since(self.start)) - samples(self.start.since(at))
    }
}

fn scale(codec: Codec) -> u8 {
    1 + u8::from(codec.is_wide())
}

/// Of 8 kHz.
fn samples(span: Duration) -> i64 {
    i64::try_from(span.as_micros() / 125).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;
    use base::CallId;

    const LAW: Law = Law::Pcma;
    const LISTENER: (Codec, Limits) = (Codec::Pcma, Limits { bitrate: 0, rate: 0 });
    const CAP: Duration = Duration::from_millis(200);
    const CALL: CallId = CallId { node: 1, epoch: 1, n: 1 };
    const A: LegId = LegId { call: CALL, n: 1 };
    const B: LegId = LegId { call: CALL, n: 2 };

    fn packet((ssrc, timestamp): (u32, u32), payload: &[u8]) -> Said<'_> {
        Said {
            ssrc,
            sequence: (timestamp / 160) as u16,
            timestamp,
            samples: Samples::Law(payload, LAW),
            wide: None,
            origin: Origin::Packet,
        }
    }

    /// Samples of what is concealed at the end of a level of 4,000 until it is below 500.
    const FADE: usize = 431;

    struct Listener {
        mix: Mix,
        heard: Vec<i16>,
        /// Those that were dropped.
        late: Vec<u32>,
    }

    impl Listener {
        fn new() -> Self {
            let mut mix = Mix::new(Instant(0), LISTENER, CAP);
            mix.set_sources(&[A, B]);
            Listener { mix, heard: vec![], late: vec![] }
        }
        fn until(&mut self, ms: u64) {
            let mut frame = [0; FRAME];
            for now in (0..=ms).map(|ms| Instant(ms * 1_000_000)) {
                while self.mix.step(now, LISTENER, &mut frame).is_some() {
                    self.heard.extend(frame.iter().map(|b| LAW.decoder()[usize::from(*b)]));
                }
            }
        }
        /// The n-th packet of 20 ms, each full of the same value.
        fn packet(&mut self, ms: u64, from: LegId, n: u32, value: i16) {
            self.until(ms - 1);
            let in_time = self.mix.hear(Instant(ms * 1_000_000), from, &packet((1, n * 160), &[LAW.encode(value); 160]));
            self.late.extend((!in_time).then_some(n));
        }
        fn loud(&self) -> Vec<usize> {
            (0..self.heard.len()).filter(|i| self.heard[*i].abs() > 500).collect()
        }
    }

    #[test]
    fn a_packet_is_heard_40_ms_after_it_came_whatever_the_jitter() {
        let mut listener = Listener::new();
        for (n, late) in [(0, 0), (1, 19), (2, 5), (3, 20), (4, 0), (5, 11)] {
            listener.packet(20 + 20 * n + late, A, n as u32, 4_000);
        }
        listener.until(400);
        assert_eq!(listener.loud(), (480..480 + 960 + FADE).collect::<Vec<_>>());
    }

    #[test]
    fn reordered_packets_and_duplicates_are_heard_once_in_order() {
        let mut listener = Listener::new();
        for (ms, n, value) in [(20, 0, 1_000), (60, 2, 3_000), (61, 1, 2_000), (62, 1, 2_000), (80, 3, 4_000)] {
            listener.packet(ms, A, n, value);
        }
        listener.until(400);
        let steps: Vec<i32> = (0..4).map(|n| (f64::from(listener.heard[480 + 160 * n + 80]) / 1_000.0).round() as i32).collect();
        assert_eq!(steps, [1, 2, 3, 4]);
        assert_eq!(listener.loud().len(), 640 + FADE);
    }

    #[test]
    fn a_network_that_becomes_slower_costs_a_faded_pause_and_no_word_after_it() {
        let mut listener = Listener::new();
        for n in 0..20u32 {
            let late = if n < 10 { 0 } else { 150 };
            listener.packet(20 + 20 * u64::from(n) + late, A, n, 4_000);
        }
        listener.until(900);
        let loud = listener.loud();
        assert!((20 * 160..=20 * 160 + 2 * FADE).contains(&loud.len()), "each packet is heard whole: {}", loud.len());
        let pauses: Vec<_> = loud.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 1).collect();
        assert!(pauses.len() == 1 && (600..=700).contains(&pauses[0]), "130 ms more delay, of which 55 fade: {pauses:?}");
    }

    #[test]
    fn a_source_that_was_late_for_a_moment_comes_back_to_its_delay() {
        let mut listener = Listener::new();
        for n in 0..599u64 {
            // For 100 ms nothing comes, then five at once.
            let slot = if (10..15).contains(&n) { 15 } else { n };
            listener.packet(1_000 + 20 * slot, A, n as u32, 0);
        }
        listener.packet(1_000 + 20 * 599, A, 599, 4_000);
        listener.until(14_000);
        let delay = listener.loud()[0] / 8 - (1_000 + 20 * 599);
        assert!((20..=65).contains(&delay), "{delay} ms");
    }

    #[test]
    fn a_straggler_delays_nobody() {
        let mut listener = Listener::new();
        let at = |n: u64| if n == 400 { 20 + 20 * n + 91 } else { 20 + 20 * n };
        let mut order: Vec<u64> = (0..500).collect();
        order.sort_by_key(|n| at(*n));
        order.iter().for_each(|n| listener.packet(at(*n), A, *n as u32, if *n < 499 { 2_000 } else { 9_000 }));
        listener.until(10_200);
        assert!(listener.heard[480..80_480].iter().all(|s| s.abs() > 500), "20 ms are concealed");
        assert!(listener.heard[80_480 - 159..80_480].iter().all(|s| *s > 8_000), "40 ms after it came");
        assert_eq!(listener.late, [400]);
    }

    #[test]
    fn after_something_else_was_heard_it_goes_on_with_what_is_said_now() {
        let mut listener = Listener::new();
        let at = |ms: u64| Instant(ms * 1_000_000);
        for n in 0..200u32 {
            let now = at(20 + 20 * u64::from(n));
            listener.mix.pass(now);
            let value = if n < 150 { 1_000 } else { 2_000 };
            listener.mix.hear(now, A, &packet((1, n * 160), &[LAW.encode(value); 160]));
        }
        listener.mix.restart(at(4_007));
        let mut frame = [0; FRAME];
        assert_eq!(listener.mix.step(at(4_006), LISTENER, &mut frame), None);
        assert_eq!(listener.mix.step(at(4_007), LISTENER, &mut frame), Some((Due { at: at(4_007), moved: false }, FRAME)));
        assert_eq!(frame, [LAW.encode(2_000); FRAME]);
        assert_eq!(listener.mix.due(), at(4_027));
    }

    #[test]
    fn who_is_no_source_any_more_is_not_heard() {
        let mut listener = Listener::new();
        listener.packet(20, B, 0, 4_000);
        listener.mix.set_sources(&[A]);
        listener.packet(40, B, 1, 4_000);
        listener.until(400);
        assert!(listener.loud().is_empty());
    }

    #[test]
    fn voices_are_added_up_and_cut_where_they_are_too_loud() {
        let mut listener = Listener::new();
        for (n, a, b) in [(0, 4_000, 8_000), (1, 30_000, 30_000), (2, -30_000, -30_000), (3, 20_000, -20_000)] {
            listener.packet(20 + 20 * u64::from(n), A, n, a);
            listener.packet(20 + 20 * u64::from(n), B, n, b);
        }
        listener.until(200);
        let level = |n: usize| listener.heard[480 + 160 * n + 80];
        assert!((11_600..12_400).contains(&level(0)) && level(1) > 31_000 && level(2) < -31_000 && level(3).abs() < 500);
    }

    #[test]
    fn what_is_kept_of_a_source_is_bounded() {
        let mut mix = Mix::new(Instant(0), LISTENER, CAP);
        mix.set_sources(&[A]);
        for n in 0..50_000u32 {
            mix.hear(Instant(1), A, &packet((n % 3, n.wrapping_mul(2_900)), &[0; 1_400]));
        }
        assert!(mix.sources[0].track.end() <= mix.terms.window);
    }
}

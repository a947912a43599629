//! One speaker's samples on the time base of whoever listens: placed as packets come, taken in order.
//!
//! ```text
//!   first                     by its timestamp, if that goes on; else by arrival
//!     ├── window: what came, zeros where nothing did ──┤
//!     └─▶ taken by the listener, frame by frame
//! ```
//! Within a stream the RTP timestamp places the samples (so jitter makes no clicks); its offset to the arrival
//! time is followed slowly, so that a clock that drifts by 100 ppm (0.36 s an hour) never pulls two speakers apart.

use std::collections::VecDeque;

/// An offset of 20 ms, averaged, is taken up …
pub(crate) const DRIFT: i64 = 160;
/// … in steps of 5 ms, so that no word is cut.
const STEP: i64 = 40;
/// A packet this far from where its timestamp says, 400 ms, has a new time base.
const JUMP: i64 = 3_200;
/// The average follows over about 64 packets, 1.3 s.
const SMOOTHING: i64 = 64;

/// How a listener wants what it hears to be placed. In samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Nothing is placed further ahead of the first sample than this.
    pub window: i64,
    /// A packet later than this by its timestamp would never be heard: the stream is delayed by as much from there on.
    pub lateness: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Track {
    terms: Terms,
    anchor: Option<Anchor>,
    /// Where the window begins.
    first: i64,
    window: VecDeque<i16>,
}

/// The sample at which a timestamp lies.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    place: i64,
    /// How much later than its place a packet comes, averaged; scaled by [`SMOOTHING`].
    late: i64,
}

impl Track {
    pub fn new(terms: Terms, first: i64) -> Self {
        Track { terms, anchor: None, first, window: VecDeque::new() }
    }

    /// Puts a packet's bytes where they belong: at `arrival`, if its stream (SSRC, timestamp) is new. Before the window
    /// or beyond its end they are dropped.
    pub fn place(&mut self, arrival: i64, stream: (u32, u32), payload: &[u8], decoder: &[i16; 256]) {
        let from = self.follow(arrival, stream) - self.first;
        for (byte, place) in payload.iter().zip(from..self.terms.window) {
            let Ok(place) = usize::try_from(place) else { continue };
            if place >= self.window.len() {
                self.window.resize(place + 1, 0);
            }
            self.window[place] = decoder[usize::from(*byte)];
        }
    }

    /// Adds the next samples to `sum`, and forgets them.
    pub fn take(&mut self, sum: &mut [i32]) {
        let here = sum.len().min(self.window.len());
        for (sum, sample) in sum.iter_mut().zip(self.window.drain(..here)) {
            *sum += i32::from(sample);
        }
        self.first += sum.len() as i64;
    }

    /// Forgets what lies before a place.
    pub fn skip_to(&mut self, place: i64) {
        let passed = usize::try_from(place - self.first).unwrap_or(0);
        self.window.drain(..passed.min(self.window.len()));
        self.first = self.first.max(place);
    }

    /// Nothing is left to be taken.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// Where this packet lies: by its timestamp if that goes on from before, else at its arrival.
    fn follow(&mut self, arrival: i64, (ssrc, timestamp): (u32, u32)) -> i64 {
        let fresh = Anchor { ssrc, timestamp, place: arrival, late: 0 };
        let Some(anchor) = self.anchor.filter(|a| a.ssrc == ssrc) else {
            self.anchor = Some(fresh);
            return arrival;
        };
        let step = i64::from(timestamp.wrapping_sub(anchor.timestamp) as i32);
        let place = anchor.place + step;
        let deviation = arrival - place;
        if deviation.abs() > JUMP || (deviation > self.terms.lateness && step > 0) {
            self.anchor = Some(fresh);
            return arrival;
        }
        // A straggler says nothing about where the stream is now.
        if step > 0 {
            let late = anchor.late + deviation - anchor.late / SMOOTHING;
            let shift = if (late / SMOOTHING).abs() > DRIFT { STEP * late.signum() } else { 0 };
            self.anchor = Some(Anchor { ssrc, timestamp, place: place + shift, late: late - shift * SMOOTHING });
            return place + shift;
        }
        place
    }
}

#[cfg(test)]
impl Track {
    /// How far the window reaches.
    pub fn end(&self) -> i64 {
        self.window.len() as i64
    }
}

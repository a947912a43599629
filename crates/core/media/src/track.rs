//! One speaker's samples on the time base of whoever listens: placed as packets come, taken in order.
//!
//! ```text
//!   first                     by its timestamp, if that goes on; else by arrival
//!     ├── window: what came, zeros where nothing did ──┤
//!     └─▶ taken by the listener, frame by frame
//! ```
//! Within a stream the RTP timestamp places the samples (so jitter makes no clicks); its offset to the arrival
//! time is followed slowly, so that a clock that drifts by 100 ppm (0.36 s an hour) never pulls two speakers apart.

use crate::voice::Said;
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

    /// Puts a packet's samples where they belong: at `arrival`, if its stream is new. Before the window or beyond its end
    /// they are dropped.
    pub fn place(&mut self, arrival: i64, said: &Said<'_>) {
        let from = self.follow(arrival, (said.ssrc, said.timestamp)) - self.first;
        let passed = usize::try_from(-from).unwrap_or(0).min(said.samples.len());
        let from = usize::try_from(from).unwrap_or(0);
        let room = usize::try_from(self.terms.window).unwrap_or(0).saturating_sub(from);
        let length = (said.samples.len() - passed).min(room);
        if length == 0 {
            return;
        }
        if self.window.len() < from + length {
            self.window.resize(from + length, 0);
        }
        // The window goes round in its memory: two stretches, in each of which samples lie side by side.
        let (front, back) = self.window.as_mut_slices();
        let split = front.len().saturating_sub(from).min(length);
        if split > 0 {
            said.samples.write(passed, &mut front[from..from + split]);
        }
        let from = (from + split).saturating_sub(front.len());
        said.samples.write(passed + split, &mut back[from..from + length - split]);
    }

    /// Adds the next samples to `sum`, and forgets them.
    pub fn take(&mut self, sum: &mut [i32]) {
        let here = sum.len().min(self.window.len());
        let (front, back) = self.window.as_slices();
        let add = |sums: &mut [i32], samples: &[i16]| {
            sums.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += i32::from(*sample));
        };
        add(&mut sum[..here], front);
        add(&mut sum[front.len().min(here)..here], back);
        self.window.drain(..here);
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

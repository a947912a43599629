//! One speaker's samples on the time base of whoever listens: placed as packets come, taken in order.
//!
//! ```text
//!   first                     by its timestamp, if that goes on; else by arrival
//!     ├── window: what came, and where nothing did ────┤
//!     └─▶ taken by the listener, frame by frame
//! ```
//! Within a stream the RTP timestamp places the samples (so jitter makes no clicks); its offset to the arrival
//! time is followed slowly, so that a clock that drifts by 100 ppm (0.36 s an hour) never pulls two speakers apart. For
//! somebody who listens now, [`crate::playout`] says how long each packet is held back.

use crate::conceal::Concealer;
use crate::playout::Playout;
use crate::said::{Origin, Said};
use std::collections::VecDeque;

/// An offset of 20 ms, averaged, is taken up …
pub(crate) const DRIFT: i64 = 160;
/// … in steps of 5 ms, so that no word is cut.
pub(crate) const STEP: i64 = 40;
/// A packet this far from where its timestamp says, 400 ms, has a new time base.
const JUMP: i64 = 3_200;
/// What lies in the window where nothing came: no codec gives this value.
const NOTHING: i16 = i16::MIN;
/// Samples of 8 kHz that are handed out at once.
const PART: usize = 160;
/// Those of the widest voice, for each of 8 kHz.
const WIDEST: usize = 2;
/// The average follows over about 64 packets, 1.3 s.
const SMOOTHING: i64 = 64;

/// How a listener wants what it hears to be placed. In samples of 8 kHz, as all places are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Nothing is placed further ahead of the first sample than this.
    pub window: i64,
    /// A packet later than this by its timestamp would never be heard: the stream is delayed by as much from there on. Of
    /// one that is heard live, the longest delay.
    pub lateness: i64,
    /// Who listens can't wait to see whether a voice goes on: what has not come is lost. Else it is, if more came behind it.
    pub live: bool,
    /// How many samples it takes for each of these, and is given: 1, or 2 of a wideband voice.
    pub scale: u8,
}

/// What a packet of a recorded voice needs lies together: much else is in the caches when it comes.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    terms: Terms,
    clock: Clock,
    /// Where the window begins, in its own samples.
    first: i64,
    window: VecDeque<i16>,
    concealer: Box<Concealer>,
    /// The last packet had no sound: that nothing comes is no loss.
    mute: bool,
}

/// What says where a packet lies.
#[derive(Clone, Debug)]
enum Clock {
    Arrival(Option<Anchor>),
    Playout(Box<Playout>),
}

/// The sample at which a timestamp lies.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    place: i64,
    /// How much later than its place a packet comes, averaged; scaled by [`SMOOTHING`].
    late: i64,
}

impl Track {
    pub fn new(terms: Terms, first: i64) -> Self {
        let clock = if terms.live { Clock::Playout(Box::new(Playout::new(terms.lateness))) } else { Clock::Arrival(None) };
        let (first, concealer) = (first * i64::from(terms.scale), Box::new(Concealer::new(terms.scale.into())));
        Track { terms, clock, first, window: VecDeque::new(), concealer, mute: false }
    }

    /// Puts a packet's samples where they belong: at `arrival`, if its stream is new, or as long after as it is held back.
    /// Before the window or beyond its end they are dropped; false if none will be heard.
    pub fn place(&mut self, arrival: i64, said: &Said<'_>) -> bool {
        if said.origin == Origin::TooLate {
            // How long it took counts for those behind it.
            if let Clock::Playout(playout) = &mut self.clock {
                playout.place(arrival, said);
            }
            return false;
        }
        self.mute = said.samples.is_empty();
        if self.mute {
            self.pass(said);
            return true;
        }
        let place = match &mut self.clock {
            Clock::Playout(playout) => playout.place(arrival, said),
            Clock::Arrival(_) => Some(self.follow(arrival, said)),
        };
        place.is_some_and(|(from, lost)| self.put(from, lost, said))
    }

    fn put(&mut self, from: i64, lost: bool, said: &Said<'_>) -> bool {
        let scale = i64::from(self.terms.scale);
        let from = from * scale - self.first;
        let passed = usize::try_from(-from).unwrap_or(0).min(said.samples.len());
        // Of what comes half too late, one sample more is left out: there the concealer leads over.
        let passed = if passed > 0 { (passed + 1).min(said.samples.len()) } else { 0 };
        let from = if passed > 0 { 1 } else { usize::try_from(from).unwrap_or(0) };
        let room = usize::try_from(self.terms.window * scale).unwrap_or(0).saturating_sub(from);
        let length = (said.samples.len() - passed).min(room);
        if length == 0 {
            return false;
        }
        if from < self.window.len() {
            let end = (from + length).max(self.window.len());
            self.window.resize(end, NOTHING);
            self.fit_in(from, length, |n| said.samples.at(passed + n));
            return true;
        }
        if self.window.len() < from {
            // Nobody spoke, or packets are missing; a pause of a step is one that we made.
            let pause = !lost && from - self.window.len() > (STEP * scale) as usize;
            self.window.resize(from, if pause { 0 } else { NOTHING });
        }
        let mut part = [0; WIDEST * PART];
        for done in (0..length).step_by(part.len()) {
            let part = &mut part[..(length - done).min(WIDEST * PART)];
            said.samples.write(passed + done, part);
            self.window.extend(&*part);
        }
        true
    }

    /// Where sound of this timestamp will be heard, if that is known.
    pub fn expects(&self, ssrc: u32, timestamp: u32) -> Option<i64> {
        match &self.clock {
            Clock::Playout(playout) => playout.expects(ssrc, timestamp),
            Clock::Arrival(_) => None,
        }
    }

    /// A key or comfort noise takes a number, and leaves no hole.
    fn pass(&mut self, said: &Said<'_>) {
        match &mut self.clock {
            Clock::Playout(playout) => playout.pass(said),
            Clock::Arrival(anchor) => {
                let follows = |a: &&mut Anchor| a.ssrc == said.ssrc && a.sequence.wrapping_add(1) == said.sequence;
                anchor.as_mut().filter(follows).into_iter().for_each(|anchor| anchor.sequence = said.sequence);
            }
        }
    }

    /// Puts samples where some are already: these stay, and at both ends of what is new a step leads over.
    fn fit_in(&mut self, from: usize, length: usize, samples: impl Fn(usize) -> i16) {
        let step = STEP * i64::from(self.terms.scale);
        let is_there = |n: &usize| self.window.get(from + n).is_some_and(|sample| *sample != NOTHING);
        let before = (0..length).take_while(is_there).count();
        let after = (before..length).rev().take_while(is_there).count();
        for n in 0..length {
            let Some(place) = self.window.get_mut(from + n) else { return };
            // How much of the new sample is heard, of a step.
            let share = match n {
                _ if n < before && before < length => step - (before - n) as i64,
                _ if n >= length - after => step - (n - (length - after)) as i64 - 1,
                _ if *place == NOTHING => step,
                _ => 0,
            };
            let share = share.clamp(0, step);
            let old = if *place == NOTHING { 0 } else { i64::from(*place) };
            *place = ((old * (step - share) + i64::from(samples(n)) * share) / step) as i16;
        }
    }

    /// Adds the next samples to `sum`, and forgets them. What is missing is concealed.
    pub fn take(&mut self, sum: &mut [i32]) {
        self.first += sum.len() as i64;
        let part = PART * usize::from(self.terms.scale);
        let here = sum.len().min(self.window.len());
        let (front, back) = self.window.as_mut_slices();
        let split = front.len().min(here);
        let (of_front, of_back) = sum[..here].split_at_mut(split);
        for (samples, sums) in [(&mut front[..split], of_front), (&mut back[..here - split], of_back)] {
            self.concealer.fill(samples);
            add(sums, samples);
        }
        self.window.drain(..here);
        // What follows in the last part belongs to it.
        let begun = here.next_multiple_of(part).min(sum.len()) - here;
        let (begun, empty) = sum[here..].split_at_mut(begun);
        self.make_up(begun);
        for sums in empty.chunks_mut(part) {
            if self.is_over() || self.concealer.is_silent() {
                self.concealer.rest();
            } else {
                self.make_up(sums);
            }
        }
    }

    /// Nothing is there to be taken: at most a part.
    fn make_up(&mut self, sums: &mut [i32]) {
        let mut made = [if self.is_over() { 0 } else { NOTHING }; WIDEST * PART];
        let made = &mut made[..sums.len()];
        self.concealer.fill(made);
        add(sums, made);
    }

    /// Where the window ends is no loss.
    fn is_over(&self) -> bool {
        !self.terms.live || self.mute
    }

    /// Forgets what lies before a place.
    pub fn skip_to(&mut self, place: i64) {
        let place = place * i64::from(self.terms.scale);
        let passed = usize::try_from(place - self.first).unwrap_or(0);
        self.window.drain(..passed.min(self.window.len()));
        self.first = self.first.max(place);
    }

    /// Nothing is left to be taken.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// Where this packet lies: by its timestamp if that goes on from before, else at its arrival; and whether what is
    /// missing before it was lost.
    fn follow(&mut self, arrival: i64, said: &Said<'_>) -> (i64, bool) {
        let &Said { ssrc, sequence, timestamp, .. } = said;
        let fresh = Anchor { ssrc, sequence, timestamp, place: arrival, late: 0 };
        let Clock::Arrival(known) = &mut self.clock else { return (arrival, false) };
        let Some(anchor) = known.filter(|a| a.ssrc == ssrc) else {
            *known = Some(fresh);
            return (arrival, false);
        };
        let step = i64::from(timestamp.wrapping_sub(anchor.timestamp) as i32);
        let place = anchor.place + step;
        let deviation = arrival - place;
        if deviation.abs() > JUMP || (deviation > self.terms.lateness && step > 0) {
            *known = Some(fresh);
            return (arrival, deviation.abs() <= JUMP);
        }
        // A straggler says nothing about where the stream is now.
        if step > 0 {
            let late = anchor.late + deviation - anchor.late / SMOOTHING;
            let shift = if (late / SMOOTHING).abs() > DRIFT { STEP * late.signum() } else { 0 };
            *known = Some(Anchor { ssrc, sequence, timestamp, place: place + shift, late: late - shift * SMOOTHING });
            return (place + shift, sequence != anchor.sequence.wrapping_add(1));
        }
        (place, false)
    }
}

impl Concealer {
    /// Fills the holes, one stretch after the other. Mostly there are none: that is seen in many samples at once.
    fn fill(&mut self, samples: &mut [i16]) {
        if !samples.iter().fold(false, |hole, sample| hole | (*sample == NOTHING)) {
            return self.came(samples);
        }
        for stretch in samples.chunk_by_mut(|a, b| (*a == NOTHING) == (*b == NOTHING)) {
            if stretch.first() == Some(&NOTHING) {
                self.missing(stretch);
            } else {
                self.came(stretch);
            }
        }
    }
}

/// No sum goes round: it is of a handful of voices.
fn add(sums: &mut [i32], samples: &[i16]) {
    sums.iter_mut().zip(samples).for_each(|(sum, sample)| *sum = sum.wrapping_add(i32::from(*sample)));
}

#[cfg(test)]
impl Track {
    pub fn delay(&self) -> i64 {
        match &self.clock {
            Clock::Playout(playout) => playout.delay(),
            Clock::Arrival(_) => 0,
        }
    }

    /// How far the window reaches.
    pub fn end(&self) -> i64 {
        self.window.len() as i64
    }
}

#[cfg(test)]
mod tests;

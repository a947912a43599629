//! How good the predictions were, and what is made of it.

use super::flow::Spread;
use super::{OfFamily, OfLine, Quote, octave};
use std::time::Duration;

/// Steps of the quantiles, in standard deviations, and where they end.
const STEP_50: f64 = 0.01;
const STEP_90: f64 = 0.03;
const FAR: f64 = 8.0;
/// How fast the record of the two predictions fades.
const FADE: f64 = 0.02;

/// By how many standard deviations the quantiles are moved from the gamma's own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tuned {
    pub p50: f64,
    pub p90: f64,
    graded: f64,
}

impl Tuned {
    /// The first steps are wide.
    fn step(&mut self, step: f64, late50: bool, late90: bool) {
        self.graded += 1.0;
        let step = step * (1.0 + 5.0 / (1.0 + self.graded / 20.0));
        let moved = |z: f64, by: f64, late: bool, p: f64| (z + step * by * if late { p } else { p - 1.0 }).clamp(-FAR, FAR);
        self.p50 = moved(self.p50, STEP_50, late50, 0.5);
        self.p90 = moved(self.p90, STEP_90, late90, 0.9);
    }
}

/// What was said, against what became of it.
pub(super) fn grade(family: &mut OfFamily, line: &mut OfLine, quote: &Quote, waited: Duration) {
    // The further back, the later one hears of a mistake: smaller steps, or many go the same way for nothing.
    let step = 1.0 / (1.0 + f64::from(quote.ahead) / 32.0);
    let late = |said_ms: u32| waited.as_millis() > u128::from(said_ms);
    let (late50, late90) = (late(quote.p50_ms), late(quote.p90_ms));
    let Some((by_line, by_family)) = quote.by else { return line.guessed.step(2.0 * step, late50, late90) };
    line.tuned[octave(quote.ahead)].step(step / 2.0, late50, late90);
    family.tuned.step(step / 2.0, late50, late90);
    let waited = waited.as_secs_f64();
    family.wrong_by_line += FADE * (wrong(by_line.into(), waited) - family.wrong_by_line);
    family.wrong_by_family += FADE * (wrong(by_family.into(), waited) - family.wrong_by_family);
}

/// How many times too long or too short, less one, squared; a second either way is nothing.
fn wrong(said: f64, waited: f64) -> f64 {
    let (a, b) = (said + 1.0, waited + 1.0);
    let times = (a.max(b) / a.min(b)).min(5.0) - 1.0;
    times * times
}

/// Both predictions in one, each by how well it did; and the mean of each.
pub(super) fn blend(by_line: Option<Spread>, by_family: Option<Spread>, of: &OfFamily) -> Option<(Spread, (f64, f64))> {
    let line = by_line.or(by_family)?;
    let family = by_family.unwrap_or(line);
    let (a, b) = (of.wrong_by_family * of.wrong_by_family, of.wrong_by_line * of.wrong_by_line);
    let share = if a + b > 0.0 { a / (a + b) } else { 0.5 };
    let mean = share * line.mean + (1.0 - share) * family.mean;
    let around = |s: Spread| s.variance + (s.mean - mean) * (s.mean - mean);
    let variance = share * around(line) + (1.0 - share) * around(family);
    Some((Spread { mean, variance }, (line.mean, family.mean)))
}

//! Patience: how long callers wait before they leave on their own, from a day on which most were answered before.
//!
//! Who was answered would have waited longer than they did, nobody knows how much longer: their patience is censored.
//! Kaplan and Meier's estimate of the share that still waits at each time uses both. For a caller who was answered,
//! a time is drawn from that estimate given that it is longer than the wait that was seen. Beyond the last leaving that
//! was seen, callers are taken to leave at the mean rate of the day.

use crate::people::Leaving;
use base::{Outcome, Random};
use std::time::Duration;

/// One caller's wait: left on their own as this outcome, or (`None`) taken out of the line by an answer or a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    pub lasted: Duration,
    pub left: Option<Outcome>,
}

#[derive(Clone, Debug, Default)]
pub struct Patience {
    /// Each leaving that was seen: when, as what, and the share of callers that would wait longer.
    leavings: Vec<(Duration, Outcome, f64)>,
    waits: usize,
    /// Leavings a second of waiting.
    rate: f64,
}

impl Patience {
    pub fn estimate(mut waits: Vec<Wait>) -> Patience {
        // At one time, who leaves is counted before who is answered: the estimator's convention.
        waits.sort_by_key(|w| (w.lasted, w.left.is_none()));
        let mut share = 1.0;
        let mut leavings = Vec::new();
        for (n, wait) in waits.iter().enumerate() {
            if let Some(outcome) = wait.left {
                let at_risk = (waits.len() - n) as f64;
                share *= 1.0 - 1.0 / at_risk;
                leavings.push((wait.lasted, outcome, share));
            }
        }
        let seconds: f64 = waits.iter().map(|w| w.lasted.as_secs_f64()).sum();
        let rate = if seconds > 0.0 { leavings.len() as f64 / seconds } else { 0.0 };
        Patience { leavings, waits: waits.len(), rate }
    }

    /// Callers it was made of, and how many of them left on their own.
    pub fn seen(&self) -> (usize, usize) {
        (self.waits, self.leavings.len())
    }

    /// The share of callers who would still wait after this long.
    pub fn survival(&self, after: Duration) -> f64 {
        let passed = self.leavings.partition_point(|(at, ..)| *at <= after);
        passed.checked_sub(1).map_or(1.0, |last| self.leavings[last].2)
    }

    /// A time to leave, later than `waited`. `None`: nobody was ever seen to leave.
    pub fn draw(&self, waited: Duration, random: &mut Random) -> Option<Leaving> {
        let target = (1.0 - random.unit()) * self.survival(waited);
        let from = self.leavings.partition_point(|(at, ..)| *at <= waited);
        if let Some((after, outcome, _)) = self.leavings[from..].iter().find(|(.., share)| *share <= target) {
            return Some(Leaving { after: *after, outcome: *outcome });
        }
        let (last, outcome, share) = self.leavings.last()?;
        let beyond = (self.survival(waited).min(*share) / target).ln() / self.rate;
        Some(Leaving { after: (*last).max(waited) + Duration::from_secs_f64(beyond.min(86_400.0)), outcome: *outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::exponential;

    fn seconds(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    #[test]
    fn kaplan_and_meier_by_hand() {
        let left = |s| Wait { lasted: seconds(s), left: Some(Outcome::Abandoned) };
        let answered = |s| Wait { lasted: seconds(s), left: None };
        let p = Patience::estimate(vec![left(2.0), answered(2.0), left(5.0), answered(6.0), left(9.0)]);
        assert_eq!(p.seen(), (5, 3));
        let close = |s: f64, share: f64| assert!((p.survival(seconds(s)) - share).abs() < 1e-12, "{s}");
        close(1.9, 1.0);
        close(2.0, 4.0 / 5.0);
        close(5.0, 4.0 / 5.0 * 2.0 / 3.0);
        close(9.0, 0.0);
    }

    #[test]
    fn censored_patience_gives_back_the_true_one() {
        let mut random = Random::from_seed(3);
        let (mut waits, mut truth) = (Vec::new(), Vec::new());
        for _ in 0..20_000 {
            let patience = exponential(&mut random, seconds(120.0));
            let answered = exponential(&mut random, seconds(60.0));
            let left = (patience <= answered).then_some(Outcome::Abandoned);
            waits.push(Wait { lasted: patience.min(answered), left });
            truth.push(patience);
        }
        let estimate = Patience::estimate(waits.clone());
        let mut drawn: Vec<Duration> = waits
            .iter()
            .map(|w| if w.left.is_some() { w.lasted } else { estimate.draw(w.lasted, &mut random).unwrap().after })
            .collect();
        assert!(waits.iter().zip(&drawn).all(|(w, d)| *d >= w.lasted));
        truth.sort();
        drawn.sort();
        for percent in [10, 25, 50, 75] {
            let at = |times: &[Duration]| times[times.len() * percent / 100].as_secs_f64();
            let (was, is) = (at(&truth), at(&drawn));
            assert!((is / was - 1.0).abs() < 0.06, "{percent} %: {is} is not {was}");
        }
    }

    #[test]
    fn where_nobody_left_nobody_leaves() {
        let p = Patience::estimate(vec![Wait { lasted: seconds(10.0), left: None }]);
        assert_eq!(p.draw(seconds(3.0), &mut Random::from_seed(1)), None);
        assert_eq!(Patience::default().draw(seconds(3.0), &mut Random::from_seed(1)), None);
    }
}

//! Chances with a distribution, from a seeded stream.

use base::Random;
use std::time::Duration;

/// Exponential with this mean; a mean of zero gives zero.
pub fn exponential(random: &mut Random, mean: Duration) -> Duration {
    // 1 - unit lies in (0, 1]: its logarithm is finite.
    mean.mul_f64(-(1.0 - random.unit()).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_has_its_mean_and_its_median() {
        let mut random = Random::from_seed(1);
        let mut drawn: Vec<f64> = (0..100_000).map(|_| exponential(&mut random, Duration::from_secs(3)).as_secs_f64()).collect();
        drawn.sort_by(f64::total_cmp);
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        assert!((mean - 3.0).abs() < 0.05, "{mean}");
        assert!((drawn[50_000] - 3.0 * 2f64.ln()).abs() < 0.05, "{}", drawn[50_000]);
        assert_eq!(exponential(&mut random, Duration::ZERO), Duration::ZERO);
    }
}

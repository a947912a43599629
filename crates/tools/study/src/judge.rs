//! What was measured against what is expected: batch means, and intervals corrected for how many are looked at.

/// A figure as a quotient of two sums, known for each batch. A mean is one over a count, a rate one over time.
#[derive(Clone, Debug, Default)]
pub struct Quotient {
    batches: Vec<(f64, f64)>,
}

impl Quotient {
    pub fn push(&mut self, above: f64, below: f64) {
        self.batches.push((above, below));
    }

    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    pub fn value(&self) -> f64 {
        self.batches.iter().map(|(y, _)| y).sum::<f64>() / self.batches.iter().map(|(_, x)| x).sum::<f64>()
    }

    /// By the residuals of the batches around the common quotient (the delta method).
    pub fn standard_error(&self) -> f64 {
        let (n, value) = (self.batches.len() as f64, self.value());
        let below = self.batches.iter().map(|(_, x)| x).sum::<f64>() / n;
        let residuals: f64 = self.batches.iter().map(|(y, x)| (y - value * x).powi(2)).sum();
        (residuals / (n * (n - 1.0))).sqrt() / below
    }
}

/// One line of a table of oracles.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    pub expected: f64,
    /// Half a unit of the last digit in which the expectation is known; zero where it is computed.
    pub rounding: f64,
    pub measured: f64,
    pub standard_error: f64,
    pub batches: usize,
}

/// A row with its interval.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub row: Row,
    /// Half the interval's width.
    pub reach: f64,
    pub within: bool,
}

impl Row {
    pub fn new(name: impl Into<String>, expected: f64, measured: &Quotient) -> Row {
        Row {
            name: name.into(),
            expected,
            rounding: 0.0,
            measured: measured.value(),
            standard_error: measured.standard_error(),
            batches: measured.batches(),
        }
    }

    pub fn rounded(mut self, digits: i32) -> Row {
        self.rounding = 0.5 * 10f64.powi(-digits);
        self
    }
}

/// Intervals that hold together with 99 %: each is widened for the number of rows (Šidák).
pub fn judge(rows: Vec<Row>) -> Vec<Verdict> {
    let each = 1.0 - 0.99f64.powf(1.0 / rows.len().max(1) as f64);
    let verdict = |row: Row| {
        let reach = student(1.0 - each / 2.0, row.batches.saturating_sub(1).max(1)) * row.standard_error + row.rounding;
        let within = (row.measured - row.expected).abs() <= reach;
        Verdict { row, reach, within }
    };
    rows.into_iter().map(verdict).collect()
}

/// The quantile of Student's t, by its expansion around the normal one (Abramowitz and Stegun 26.7.5): good to a
/// hundredth for 15 degrees of freedom and more.
pub fn student(p: f64, freedom: usize) -> f64 {
    let (z, v) = (normal(p), freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / v + second / v.powi(2) + third / v.powi(3)
}

/// The quantile of the normal distribution (Abramowitz and Stegun 26.2.23): good to 0.00045.
pub fn normal(p: f64) -> f64 {
    if p < 0.5 {
        return -normal(1.0 - p);
    }
    let t = (-2.0 * (1.0 - p).ln()).sqrt();
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.9, 1.2816), (0.975, 1.9600), (0.995, 2.5758), (0.9995, 3.2905), (0.025, -1.96)] {
            assert!((normal(p) - z).abs() < 0.0006, "{p}: {}", normal(p));
        }
        for (p, freedom, t) in [(0.975, 30, 2.0423), (0.995, 30, 2.7500), (0.9995, 30, 3.6460), (0.995, 20, 2.8453)] {
            assert!((student(p, freedom) - t).abs() < 0.01, "{p} {freedom}: {}", student(p, freedom));
        }
    }

    #[test]
    fn an_interval_is_wider_the_more_rows_are_looked_at() {
        let mut q = Quotient::default();
        (0..20).for_each(|i| q.push(if i % 2 == 0 { 0.9 } else { 1.1 }, 1.0));
        let one = judge(vec![Row::new("a", 1.05, &q)]);
        let many = judge(vec![Row::new("a", 1.05, &q); 100]);
        assert!((q.value() - 1.0).abs() < 1e-12 && many[0].reach > one[0].reach * 1.4);
        let off = Row::new("b", 1.2, &q);
        assert!(one[0].within && !judge(vec![off.clone()])[0].within);
        assert!(judge(vec![off.rounded(0)])[0].within);
    }
}

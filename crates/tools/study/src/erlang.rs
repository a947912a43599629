//! The exact answers, where there are any: Erlang B, C and A, and M/M/n with a bounded number of places.
//!
//! The load is a = lambda / mu in Erlangs; all times are in one unit, whichever it is.

/// Erlang B: the share of calls that find all `n` busy where nobody may wait.
pub fn erlang_b(n: u32, a: f64) -> f64 {
    (1..=n).fold(1.0, |b, k| a * b / (f64::from(k) + a * b))
}

/// Erlang C: the share of calls that wait where all wait for ever. Needs a < n.
pub fn erlang_c(n: u32, a: f64) -> f64 {
    let (b, n) = (erlang_b(n, a), f64::from(n));
    n * b / (n - a * (1.0 - b))
}

/// The mean wait of all calls of M/M/n, in units of the handling time.
pub fn erlang_c_wait(n: u32, a: f64) -> f64 {
    erlang_c(n, a) / (f64::from(n) - a)
}

/// The share of calls of M/M/n that wait at most `t`, in units of the handling time.
pub fn erlang_c_level(n: u32, a: f64, t: f64) -> f64 {
    1.0 - erlang_c(n, a) * (-(f64::from(n) - a) * t).exp()
}

/// M/M/n with room for `places` calls in all: the share turned away, and the mean wait of those who came in, in units of
/// the handling time.
pub fn bounded(n: u32, places: u32, a: f64) -> (f64, f64) {
    let mut weight = 1.0;
    let (mut all, mut waiting, mut full) = (1.0, 0.0, 1.0);
    for k in 1..=places {
        weight *= a / f64::from(k.min(n));
        all += weight;
        waiting += weight * f64::from(k.saturating_sub(n));
        full = weight;
    }
    let blocked = full / all;
    (blocked, waiting / all / (a * (1.0 - blocked)))
}

/// M/M/n+M (Erlang A): callers wait exponentially long and leave.
#[derive(Clone, Copy, Debug)]
pub struct ErlangA {
    pub n: u32,
    /// Calls in a unit of time.
    pub rate: f64,
    pub handling: f64,
    pub patience: f64,
}

/// What Erlang A says exactly, but for an integral computed to ten digits. Shares of all calls, unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct ErlangAFigures {
    /// Calls that find nobody free.
    pub waiting: f64,
    pub abandoned: f64,
    /// The mean wait of all calls, of those answered, and of those who left.
    pub wait: f64,
    pub wait_answered: f64,
    pub wait_abandoned: f64,
    /// The mean length of the line.
    pub line: f64,
    pub occupancy: f64,
    pub answered_within: f64,
    pub abandoned_within: f64,
}

impl ErlangA {
    /// `within`: the threshold T of the service level.
    pub fn figures(&self, within: f64) -> ErlangAFigures {
        let (theta, mu, n) = (1.0 / self.patience, 1.0 / self.handling, f64::from(self.n));
        let states = self.states();
        let waiting: f64 = states[self.n as usize..].iter().sum();
        let line: f64 = states[self.n as usize..].iter().enumerate().map(|(k, p)| k as f64 * p).sum();
        let abandoned = theta * line / self.rate;
        let wait = line / self.rate;

        // The wait that a caller of endless patience would have: density lambda p(n-1) exp(lambda G(x) - n mu x) with
        // G(x) the integral of the patience's survival.
        let before = states[self.n as usize - 1];
        let stays = |x: f64| (-theta * x).exp();
        let density = |x: f64| self.rate * before * (self.rate * (1.0 - stays(x)) / theta - n * mu * x).exp();
        let answered_within = 1.0 - waiting + integral(within, |x| density(x) * stays(x));
        // Beyond forty time constants of either kind nothing is left to integrate.
        let end = 40.0 * self.patience.max(self.handling);
        let abandoned_within = integral(within, |x| density(x) * (1.0 - stays(x)))
            + (1.0 - stays(within)) * (integral(end, density) - integral(within, density));
        let waited_answered = integral(end, |x| x * density(x) * stays(x));
        ErlangAFigures {
            waiting,
            abandoned,
            wait,
            wait_answered: waited_answered / (1.0 - abandoned),
            wait_abandoned: (wait - waited_answered) / abandoned,
            line,
            occupancy: self.rate * self.handling * (1.0 - abandoned) / n,
            answered_within,
            abandoned_within,
        }
    }

    /// Probabilities of the number of calls, until nothing is left of them.
    fn states(&self) -> Vec<f64> {
        let (theta, mu) = (1.0 / self.patience, 1.0 / self.handling);
        let mut states = vec![1.0];
        loop {
            let k = states.len() as u32;
            let leave = f64::from(k.min(self.n)) * mu + f64::from(k.saturating_sub(self.n)) * theta;
            let next = states[states.len() - 1] * self.rate / leave;
            states.push(next);
            let all: f64 = states.iter().sum();
            if k > self.n && next < all * 1e-17 {
                return states.iter().map(|p| p / all).collect();
            }
        }
    }
}

/// Simpson's rule over [0, to], in steps that double in number until the tenth digit stands.
fn integral(to: f64, f: impl Fn(f64) -> f64) -> f64 {
    let rule = |steps: usize| {
        let h = to / steps as f64;
        let inner: f64 = (1..steps).map(|i| f(h * i as f64) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
        h / 3.0 * (f(0.0) + inner + f(to))
    };
    let mut steps = 1_024;
    let mut last = rule(steps);
    while steps < 1 << 20 {
        steps *= 2;
        let next = rule(steps);
        if (next - last).abs() <= 1e-10 * next.abs() {
            return next;
        }
        last = next;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, digits: i32) {
        assert!((found - expected).abs() <= 0.5001 * 10f64.powi(-digits), "{found} is not {expected}");
    }

    /// The project's table of metrics, section Oracles.
    #[test]
    fn erlang_c_gives_the_known_values() {
        for (n, a, c) in
            [(2, 1.0, 0.333333), (3, 2.0, 0.444444), (6, 5.0, 0.587516), (110, 100.0, 0.237008), (420, 400.0, 0.230285)]
        {
            near(erlang_c(n, a), c, 6);
        }
        // Calls, period, handling time, T: agents, P(W), ASA, service level.
        let load = |calls: f64, handling: f64| calls * handling / 1_800.0;
        for (calls, handling, t, n, waits, asa, level) in [
            (100.0, 180.0, 20.0, 12, 0.44939, 40.445, 0.64016),
            (100.0, 180.0, 20.0, 13, 0.28527, 17.116, 0.79559),
            (100.0, 180.0, 20.0, 14, 0.17413, 7.836, 0.88835),
            (360.0, 240.0, 15.0, 55, 0.23870, 8.184, 0.84588),
        ] {
            let a = load(calls, handling);
            near(erlang_c(n, a), waits, 5);
            near(erlang_c_wait(n, a) * handling, asa, 3);
            near(erlang_c_level(n, a, t / handling), level, 5);
        }
    }

    #[test]
    fn a_bounded_room_gives_the_pooled_row_of_the_skill_table() {
        let (blocked, wait) = bounded(90, 120, 84.0);
        near(wait * 10.0, 0.45, 4);
        near(blocked, 0.00364, 5);
    }
}

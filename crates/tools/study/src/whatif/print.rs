//! The answer as a person reads it.

use super::{Answer, Line, Spread};
use std::fmt;

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<34} {:>10} {:>18} {:>18} {:>18}", "", "happened", "model, as it was", "with the change", "difference")?;
        section(f, "all queues", &self.totals)?;
        for (queue, lines) in &self.queues {
            section(f, queue.as_str(), lines)?;
        }
        if !self.agents.is_empty() {
            writeln!(f, "occupancy")?;
        }
        for (agent, line) in &self.agents {
            row(f, agent.as_str(), line)?;
        }
        writeln!(f, "\nMean and standard deviation over {} seeds. Service level: {}.", self.seeds, self.service_level_formula)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "- {note}"))
    }
}

fn section(f: &mut fmt::Formatter<'_>, name: &str, lines: &[Line]) -> fmt::Result {
    writeln!(f, "{name}")?;
    lines.iter().try_for_each(|line| row(f, line.figure, line))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, line: &Line) -> fmt::Result {
    let unit = unit_of(line.figure);
    let happened = line.happened.map_or("-".into(), |v| unit.show(v));
    let of = |s: Option<Spread>, sign: bool| s.map_or("-".into(), |s| unit.spread(s, sign));
    let (was, would, difference) = (of(line.was, false), of(line.would, false), of(line.difference, true));
    writeln!(f, "  {name:<32} {happened:>10} {was:>18} {would:>18} {difference:>18}")
}

#[derive(Clone, Copy)]
enum Unit {
    Count,
    Percent,
    Seconds,
}

fn unit_of(figure: &str) -> Unit {
    match figure {
        "offered" => Unit::Count,
        "ASA" => Unit::Seconds,
        _ => Unit::Percent,
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        format!("{}{}", self.number(value), self.name())
    }

    fn spread(self, s: Spread, sign: bool) -> String {
        let mean = self.number(s.mean);
        let plus = if sign && s.mean > 0.0 && !is_zero(&mean) { "+" } else { "" };
        format!("{plus}{mean} ±{}{}", self.number(s.deviation), self.name())
    }

    /// A zero has no sign, also one that is rounded to.
    fn number(self, value: f64) -> String {
        let text = match self {
            Unit::Count => format!("{value:.0}"),
            Unit::Percent => format!("{:.1}", 100.0 * value),
            Unit::Seconds => format!("{value:.1}"),
        };
        if is_zero(&text) { text.trim_start_matches('-').into() } else { text }
    }

    fn name(self) -> &'static str {
        match self {
            Unit::Count => "",
            Unit::Percent => " %",
            Unit::Seconds => " s",
        }
    }
}

fn is_zero(number: &str) -> bool {
    number.chars().all(|c| matches!(c, '-' | '0' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_has_no_sign() {
        let nothing = Spread { mean: -0.000_01, deviation: 0.0 };
        assert_eq!(Unit::Percent.spread(nothing, true), "0.0 ±0.0 %");
        assert_eq!(Unit::Seconds.spread(Spread { mean: 0.01, deviation: -0.0 }, true), "0.0 ±0.0 s");
        assert_eq!(Unit::Count.spread(Spread { mean: 3.0, deviation: 0.2 }, true), "+3 ±0");
        assert_eq!(Unit::Seconds.show(-0.04), "0.0 s");
        assert_eq!(Unit::Percent.show(-0.04), "-4.0 %");
    }
}

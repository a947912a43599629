//! The answer as a person reads it.

use super::{Answer, Line, Spread};
use std::fmt::{self, Write};

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
        match self {
            Unit::Count => format!("{value:.0}"),
            Unit::Percent => format!("{:.1} %", 100.0 * value),
            Unit::Seconds => format!("{value:.1} s"),
        }
    }

    fn spread(self, s: Spread, sign: bool) -> String {
        let mut text = String::new();
        let plus = if sign && s.mean > 0.0 { "+" } else { "" };
        // Writing to a string does not fail.
        let _ = match self {
            Unit::Count => write!(text, "{plus}{:.0} ±{:.0}", s.mean, s.deviation),
            Unit::Percent => write!(text, "{plus}{:.1} ±{:.1} %", 100.0 * s.mean, 100.0 * s.deviation),
            Unit::Seconds => write!(text, "{plus}{:.1} ±{:.1} s", s.mean, s.deviation),
        };
        text
    }
}

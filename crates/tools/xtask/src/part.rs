//! The parts of a test run and what each counted.

use clap::ValueEnum;
use std::fmt;
use std::time::{Duration, Instant};

/// In the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// Peers that nobody here wrote, installed from the distribution
    Install,
    /// Formatting
    Format,
    /// Clippy with warnings denied, the cores' purity included
    Clippy,
    /// Compiling the tests
    Build,
    /// Unit tests, documentation tests, dependency edges, the simulator
    Unit,
    /// sipp and baresip against the server
    Interop,
    /// A real browser against the wallboard
    Browser,
    /// The points of RFC 4475 and 5118, with the RFCs' own messages if they are on this machine
    Corpus,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().as_ref().map_or("", |v| v.get_name()))
    }
}

/// What a part counted; `failures` name what failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failures: Vec<String>,
}

impl Tally {
    pub fn one(name: &str, passed: bool) -> Self {
        match passed {
            true => Tally { passed: 1, failures: vec![] },
            false => Tally { passed: 0, failures: vec![name.to_string()] },
        }
    }

    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
    }
}

/// One line of the table at the end.
pub struct Line {
    pub part: Part,
    pub took: Duration,
    pub tally: Tally,
}

/// The run so far.
#[derive(Default)]
pub struct Report(pub Vec<Line>);

impl Report {
    /// Runs a part and keeps its time and its counts.
    pub fn time(&mut self, part: Part, run: impl FnOnce() -> Tally) {
        println!("== {part}");
        let start = Instant::now();
        let tally = run();
        self.0.push(Line { part, took: start.elapsed(), tally });
    }

    pub fn all_passed(&self) -> bool {
        self.0.iter().all(|l| l.tally.failures.is_empty())
    }
}

/// The failures by name, the minutes per part, and the sums alone on the last line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            for failure in &line.tally.failures {
                writeln!(f, "FAILED {}: {failure}", line.part)?;
            }
        }
        writeln!(f, "\n{:<10} {:>7} {:>7} {:>7}", "part", "minutes", "passed", "failed")?;
        for Line { part, took, tally } in &self.0 {
            let minutes = took.as_secs_f64() / 60.0;
            writeln!(f, "{part:<10} {minutes:>7.1} {:>7} {:>7}", tally.passed, tally.failures.len())?;
        }
        let minutes = self.0.iter().map(|l| l.took.as_secs_f64()).sum::<f64>() / 60.0;
        let passed: u64 = self.0.iter().map(|l| l.tally.passed).sum();
        let failed: usize = self.0.iter().map(|l| l.tally.failures.len()).sum();
        writeln!(f, "{:<10} {minutes:>7.1}\n", "all")?;
        write!(f, "{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_stand_alone_on_the_last_line() {
        let mut report = Report::default();
        report.time(Part::Format, || Tally::one("formatting", true));
        report.time(Part::Unit, || Tally { passed: 40, failures: vec!["sip::a_call".into(), "sip::b".into()] });
        let text = report.to_string();
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed"));
        assert!(text.starts_with("FAILED unit: sip::a_call\n"));
        assert!(!report.all_passed());
    }
}

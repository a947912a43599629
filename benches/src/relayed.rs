//! What the bench `relay` says, for whoever runs it and reads along.

/// What one run of it came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    /// It says itself that something else was going on: another run may be better.
    Busy,
    /// It was none, and another would be none either.
    Failed(String),
}

/// From its output, and how it ended.
pub fn verdict(said: &str, ended_well: bool) -> Verdict {
    let says = |answer: &str| said.lines().any(|line| line.starts_with(answer));
    if says("valid: no") {
        Verdict::Busy
    } else if !ended_well {
        Verdict::Failed("the bench `relay` was not built or broke off".into())
    } else if !says("valid: yes") || ratios(said).next().is_none() {
        Verdict::Failed("the bench `relay` told no ratio".into())
    } else {
        Verdict::Valid
    }
}

/// Which relay, how many times the bare one's CPU it took for a packet, and how many at most are its target.
pub fn ratios(said: &str) -> impl Iterator<Item = (&str, f64, f64)> {
    said.lines().filter_map(ratio)
}

/// `our plane: 1.24 times the bare relay, at most 1.3: reached`
fn ratio(line: &str) -> Option<(&str, f64, f64)> {
    let (what, rest) = line.split_once(": ")?;
    let (ratio, rest) = rest.split_once(" times the bare relay, at most ")?;
    Some((what, ratio.parse().ok()?, rest.split_once(':')?.0.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_that_told_ratios_counts_and_only_a_busy_machine_is_asked_again() {
        let told =
            "relay  packets\nour plane: 1.24 times the bare relay, at most 1.3: reached\nover io_uring: not here: refused\n";
        assert_eq!(ratios(told).collect::<Vec<_>>(), [("our plane", 1.24, 1.3)]);
        let failed = |why: &str| Verdict::Failed(format!("the bench `relay` {why}"));
        for (said, ended_well, verdict) in [
            (format!("{told}valid: yes\n"), true, Verdict::Valid),
            (format!("{told}valid: no: the machine was busy with something else\n"), false, Verdict::Busy),
            ("valid: yes\n".into(), true, failed("told no ratio")),
            (told.into(), true, failed("told no ratio")),
            (String::new(), false, failed("was not built or broke off")),
            (format!("{told}valid: yes\n"), false, failed("was not built or broke off")),
        ] {
            assert_eq!(super::verdict(&said, ended_well), verdict, "{said}");
        }
    }
}

//! How the machines' tests print and compare their tables: one line for each state and event that does something.

use super::{Act, Acts};

/// State, event, next state, what is done.
pub type Row = (String, String, String, Acts);

pub fn print(rows: Vec<Row>) -> String {
    let mut text = String::new();
    for (state, event, next, acts) in rows {
        if state == next && acts.is_empty() {
            continue;
        }
        let acts: Vec<String> = acts.into_iter().map(name).collect();
        text.push_str(&format!("{state} {event} {next} {}\n", acts.join(" ")));
    }
    text
}

fn name(act: Act) -> String {
    match act {
        Act::Transmit => "transmit".into(),
        Act::Acknowledge => "ack".into(),
        Act::Pass => "pass".into(),
        Act::Arm(timer, after) => format!("{timer:?}={}", after.as_millis()),
        Act::Disarm(timer) => format!("-{timer:?}"),
        Act::TimedOut => "timed-out".into(),
        Act::Broken => "broken".into(),
        Act::Gone => "gone".into(),
    }
}

/// What the table does not list is checked to be "no change, nothing done".
pub fn compare(found: &str, expected: &str) {
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected: Vec<String> = expected.lines().map(squeeze).filter(|line| !line.is_empty()).collect();
    let found: Vec<String> = found.lines().map(squeeze).collect();
    assert_eq!(found, expected);
}

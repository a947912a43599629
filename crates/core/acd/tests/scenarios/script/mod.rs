//! Scenarios as aligned tables: at which second, what happens, what follows.
//!
//! A call `c1` waits as visit `c1`, after an overflow as `c1/2`; its offers are `c1#1`, `c1#2` and so on. Lines that
//! begin with `queue`, `agent`, `reasons` or `restarts` say how the site is; those after `reload` take effect with it. A
//! line without a time goes on with what follows. After each step the audit must find nothing, and no deadline may be
//! passed over: time passes with the event `-`.

mod parse;
mod show;

use acd::{Acd, Config, Input, Output};
use base::{Instant, Now, Wall};
use std::sync::Arc;

pub use parse::{agent, queue, visit};

struct Step<'a> {
    at: f64,
    event: &'a str,
    follows: Vec<String>,
}

/// What a table ends with.
pub struct Scene {
    pub acd: Acd,
    /// Of the last step.
    pub out: Vec<Output>,
}

/// Runs the table. Panics with the step at which something else came.
pub fn check(script: &str) -> Scene {
    let mut acd = Acd::new(1);
    let mut config = Config::default();
    let mut last: Option<Step> = None;
    let mut out = Vec::new();
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if parse::site_line(line, &mut config) {
            continue;
        }
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [time, event, follows] = columns[..] else { panic!("expected `at | event | what follows`, found {line:?}") };
        if !time.is_empty() {
            let step = Step { at: time.parse().unwrap(), event, follows: Vec::new() };
            run(last.replace(step), &mut acd, &config, &mut out);
        }
        let step = last.as_mut().expect("a time before the first event");
        step.follows.extend(follows.split(';').map(str::trim).filter(|f| !f.is_empty()).map(String::from));
    }
    run(last, &mut acd, &config, &mut out);
    Scene { acd, out }
}

fn run(step: Option<Step>, acd: &mut Acd, config: &Config, out: &mut Vec<Output>) {
    let Some(Step { at, event, follows }) = step else { return };
    let now = moment(at);
    let input = parse::event(event, config);
    if let Some(deadline) = acd.deadline().filter(|d| !matches!(input, Input::Configure(_)) && *d < now.mono) {
        panic!("before {at} | {event}: something is due at {}", deadline.0 as f64 / 1e9);
    }
    out.clear();
    acd.handle(now, input, out);
    let came: Vec<String> = out.iter().map(show::output).collect();
    assert_eq!(came, follows, "\nat {at} | {event}\ncame: {}\n", came.join("; "));
    assert_eq!(acd.audit(now), [], "at {at} | {event}");
}

pub fn moment(seconds: f64) -> Now {
    let nanos = (seconds * 1e9).round() as u64;
    Now { mono: Instant(nanos), wall: Wall((nanos / 1_000) as i64) }
}

pub fn shared(config: &Config) -> Arc<Config> {
    Arc::new(config.clone())
}

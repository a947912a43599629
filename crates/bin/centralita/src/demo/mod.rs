//! `centralita demo`: a whole centre on loopback. The callers and agents are a process of their own that makes real
//! SIP and RTP calls; what they saw and heard is the second opinion on the centre's own figures.

mod people;
mod place;
mod summary;

use crate::node::{Node, Window};
use people::People;
use place::Place;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;
use summary::Summary;
use tokio::signal::unix::{SignalKind, signal};
use traffic::Said;

pub use people::traffic;

/// Calls that are left when the time is over may end by themselves for this long.
const LAST_CALLS: Duration = Duration::from_secs(25);
/// What nobody ended by then is ended by the centre.
const GRACE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub struct Options {
    /// End by itself after this long, such as `60s` or `5m`; else with Ctrl-C.
    #[arg(long, value_parser = span)]
    duration: Option<Duration>,
    /// New calls in a minute, on average.
    #[arg(long, default_value_t = 75.0)]
    calls_per_minute: f64,
    /// The same seed brings the same people in the same order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep log and recordings here instead of in a new temporary folder.
    #[arg(long)]
    dir: Option<std::path::PathBuf>,
}

fn span(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        unit => return Err(format!("expected a time such as 60s, 5m or 1h, found the unit `{unit}`")),
    };
    let seconds: u64 = digits.parse().map_err(|_| format!("expected a time such as 60s, 5m or 1h, found `{text}`"))?;
    Ok(Duration::from_secs(seconds.saturating_mul(scale)))
}

pub fn run(options: &Options, as_json: bool) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no threads: {error}")),
    };
    match runtime.block_on(demonstrate(options)) {
        Ok(summary) => summary.print(as_json),
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

async fn demonstrate(options: &Options) -> Result<Summary, String> {
    let place = Place::prepare(options.dir.clone())?;
    let loaded = place.setup()?;
    let site = loaded.setup.site.clone();
    let numbers: Vec<&str> = site.numbers.iter().map(|n| n.number.as_str()).collect();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let window: Window = Box::new(|now| (base::Wall(0), now.wall.plus(Duration::from_secs(900))));
    // The embedded site names no master keys.
    let node = Node::start(loaded, None, window, None).await.map_err(|e| e.to_string())?;
    eprintln!("Wallboard  http://{}", node.web);
    eprintln!("SIP        {} (UDP and TCP); dial {} from a softphone on this machine", node.sip, numbers.join(" or "));
    eprintln!("Kept in    {}", place.dir.display());
    let plan = people::plan(node.sip, &site, place::outside(&site), options, LAST_CALLS);
    let mut people = People::start(&plan)?;
    let mut report = None;
    let (mut stopping, mut stopped) = (false, false);
    while report.is_none() {
        tokio::select! {
            said = people.next() => match said? {
                Said::Progress(progress) => show(&node, &progress),
                Said::Report(done) => report = Some(done),
            },
            _ = interrupt.recv(), if !stopped => stopping = true,
            _ = terminate.recv(), if !stopped => stopping = true,
        }
        if stopping {
            people.stop().await;
            eprintln!("\nNo new calls; those that are left may end by themselves.");
            stopping = false;
            stopped = true;
        }
    }
    let people = people.wait().await;
    let store = node.store.clone();
    let figures = node.figures.clone();
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    let ended = node.drain(GRACE).await;
    people?;
    if ended.log.lost > 0 {
        return Err(format!("{} facts were lost", ended.log.lost));
    }
    Summary::new(&figures.load(), &store, &report.unwrap_or_default())
}

/// One line that is written over on a terminal, one in five seconds elsewhere.
fn show(node: &Node, people: &traffic::Progress) {
    let figures = node.figures.load();
    let (calls, visits) = (&figures.totals.calls, &figures.totals.visits);
    let level = visits.service_level.map_or("–".to_string(), |l| format!("{:.0} %", l * 100.0));
    let line = format!(
        "{:>4} s  calls {:>4}, live {:>3}, waiting {:>3}, answered {:>4}, abandoned {:>3}, service level {level:>5}, phones {}",
        people.elapsed_ms / 1_000,
        calls.incoming,
        calls.live_now,
        figures.totals.waiting_now,
        visits.answered,
        visits.abandoned,
        people.registered,
    );
    if std::io::stderr().is_terminal() {
        eprint!("\r{line}");
    } else if (people.elapsed_ms / 1_000).is_multiple_of(5) {
        eprintln!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_seconds_minutes_or_hours() {
        assert_eq!(span("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(span("90"), Ok(Duration::from_secs(90)));
        assert_eq!(span("5m"), Ok(Duration::from_secs(300)));
        assert!(span("5 parsecs").unwrap_err().contains("60s"));
        assert!(span("").is_err());
    }
}

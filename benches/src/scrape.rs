//! What the server says of itself, once a second, as Prometheus would ask for it.

use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(1);

/// One page of `/metrics`: each series with its labels as they stand.
pub struct Page(BTreeMap<String, f64>);

pub fn read(web: SocketAddr) -> Option<Page> {
    let mut stream = TcpStream::connect_timeout(&web, EVERY).ok()?;
    stream.set_read_timeout(Some(5 * EVERY)).ok()?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {web}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let rows = text.lines().filter(|line| line.starts_with("centralita_"));
    let row = |line: &str| line.rsplit_once(' ').and_then(|(name, value)| Some((name.to_string(), value.parse().ok()?)));
    Some(Page(rows.filter_map(row).collect()))
}

impl Page {
    fn value(&self, name: &str) -> Option<f64> {
        self.0.get(&format!("centralita_{name}")).copied()
    }

    /// What was counted between two pages.
    pub fn since(&self, before: &Page) -> Decided {
        let took = |name: &str| Took::of(name, before, self);
        Decided {
            batch: took("decision_batch_seconds"),
            audit: took("decision_audit_seconds"),
            snapshot: took("decision_snapshot_seconds"),
        }
    }
}

/// Times of the decision thread, by its own clock.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Decided {
    pub batch: Took,
    pub audit: Took,
    pub snapshot: Took,
}

/// From a histogram: percentiles are the upper bounds of their buckets. Milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Took {
    pub count: f64,
    pub mean: f64,
    pub p50_at_most: Option<f64>,
    pub p99_at_most: Option<f64>,
    pub all_at_most: Option<f64>,
}

impl Took {
    fn of(name: &str, before: &Page, after: &Page) -> Took {
        let grew = |series: &str| Some(after.value(series)? - before.value(series).unwrap_or(0.0));
        let count = grew(&format!("{name}_count")).unwrap_or(0.0);
        let sum = grew(&format!("{name}_sum")).unwrap_or(0.0);
        let prefix = format!("centralita_{name}_bucket{{le=\"");
        let bounds = after.0.range(prefix.clone()..).map_while(|(series, _)| series.strip_prefix(&prefix)?.strip_suffix("\"}"));
        let mut buckets: Vec<(f64, f64)> = bounds
            .filter_map(|bound| Some((bound.parse().ok()?, grew(&format!("{name}_bucket{{le=\"{bound}\"}}"))?)))
            .filter(|(bound, _): &(f64, f64)| bound.is_finite())
            .collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let at =
            |share: f64| buckets.iter().find(|(_, within)| count > 0.0 && *within >= count * share).map(|(bound, _)| bound * 1e3);
        Took { count, mean: sum / count.max(1.0) * 1e3, p50_at_most: at(0.5), p99_at_most: at(0.99), all_at_most: at(1.0) }
    }
}

/// What was seen of the live audit.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Watched {
    pub reads: u64,
    /// Reads that gave no page.
    pub failed: u64,
    pub most_breaches: f64,
    pub most_sessions: f64,
    pub recordings_complete: f64,
    pub recordings_other: f64,
}

pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Watched>,
}

impl Watch {
    pub fn start(web: SocketAddr) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        Watch { stop, thread: std::thread::spawn(move || watch(web, &asked)) }
    }

    pub fn stop(self) -> Watched {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// Once more after it was told to stop: what came last is seen.
fn watch(web: SocketAddr, stop: &AtomicBool) -> Watched {
    let mut watched = Watched::default();
    let mut next = Instant::now();
    loop {
        let last = stop.load(Ordering::Relaxed);
        match read(web) {
            Some(page) => watched.note(&page),
            None => watched.failed += 1,
        }
        if last {
            return watched;
        }
        next += EVERY;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

impl Watched {
    fn note(&mut self, page: &Page) {
        self.reads += 1;
        // A page without the metric proves nothing.
        self.most_breaches = self.most_breaches.max(page.value("invariant_breaches_total").unwrap_or(f64::INFINITY));
        self.most_sessions = self.most_sessions.max(page.value("engine_sessions").unwrap_or(0.0));
        let kept = |how: &str| page.value(&format!("recordings_total{{kept=\"{how}\"}}")).unwrap_or(0.0);
        self.recordings_complete = kept("complete");
        self.recordings_other = kept("partial") + kept("failed");
    }
}

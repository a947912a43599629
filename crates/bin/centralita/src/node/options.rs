//! What the consumers of the log and the web are told: from when to when the figures are, where tickets go, how the
//! node is.

use super::decide::{Outlets, Screen};
use super::keeper::Kept;
use super::{StartError, at, secret};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use base::{Now, RecordingId, Wall};
use engine::{Setup, Snapshot};
use recording::Trouble;
use shell_handoff::Refused;
use shell_store::{MetricsOptions, Store, Tickets, TicketsOptions};
use shell_web::{Gauge, Health};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// From and to of the figures, for a moment.
pub type Window = Box<dyn Fn(Now) -> (Wall, Wall) + Send>;

/// The day that it is where this machine is.
pub fn today() -> Window {
    let zone = jiff::tz::TimeZone::system();
    Box::new(move |now| {
        let begins = |at: jiff::Zoned| at.start_of_day().map(|d| Wall(d.timestamp().as_microsecond()));
        let here = jiff::Timestamp::from_microsecond(now.wall.0).map(|t| t.to_zoned(zone.clone()));
        let day = here.and_then(|here| Ok((begins(here.clone())?, begins(here.tomorrow()?)?)));
        day.unwrap_or((Wall(0), now.wall))
    })
}

/// When a day such as `2026-11-22` begins where this machine is.
pub fn begins(day: &str) -> Option<Wall> {
    let day: jiff::civil::Date = Some(day).filter(|day| day.len() == 10)?.parse().ok()?;
    let begins = day.to_zoned(jiff::tz::TimeZone::system()).ok()?;
    Some(Wall(begins.timestamp().as_microsecond()))
}

pub fn figures_options(clock: Clock, window: Window, changed: Arc<watch::Sender<u64>>) -> MetricsOptions {
    MetricsOptions {
        clock: Arc::new(move || clock.now()),
        window,
        formula: metrics::Formula::default(),
        formulas: BTreeMap::new(),
        changed: Box::new(move || changed.send_modify(|n| *n += 1)),
    }
}

/// Who speaks in events and tickets.
pub fn source(site: &site::Site) -> String {
    format!("/centralita/{}/{}", site.name, site.node)
}

/// The ticket book's consumer, and the sender of its outbox.
pub fn ticketing(
    setup: &Setup,
    store: &Arc<Store>,
    log: &shell_store::Handle,
    clock: Clock,
) -> Result<(Tickets, shell_outbound::Sender), StartError> {
    const WEBHOOK: &str = "webhook";
    let webhooks: Vec<_> = setup.site.webhook.iter().map(|w| (WEBHOOK.to_string(), w.clone())).collect();
    let destinations = webhooks.iter().map(|(name, _)| name.clone()).collect();
    let options = shell_outbound::Options {
        webhooks,
        rows: store.clone(),
        clock: Arc::new(move || clock.now()),
        seed: secret::seed().map_err(at("the webhook"))?,
    };
    let outbound = shell_outbound::Sender::start(options).map_err(at("the webhook"))?;
    let (rules, source) = (setup.site.tickets.clone(), source(&setup.site));
    let options = TicketsOptions { rules, destinations, source, changed: Box::new(outbound.waker()) };
    let tickets = Tickets::start(store.clone(), log, options).map_err(at("the ticket book"))?;
    Ok((tickets, outbound))
}

/// What a person should look at now.
pub fn health(
    outlets: &Outlets,
    figures: Arc<ArcSwap<metrics::Figures>>,
    screen: Screen,
    clock: Clock,
    kept: Arc<ArcSwap<Kept>>,
) -> Arc<dyn Fn() -> Health + Send + Sync> {
    let started = clock.now().wall;
    let (log, way, journal) = (outlets.log.clone(), outlets.way.clone(), Arc::downgrade(&outlets.journal));
    let media = Arc::downgrade(&outlets.media);
    Arc::new(move || {
        let (state, kept) = (log.health(), kept.load_full());
        let lost = (state.lost > 0).then(|| format!("{} facts were lost", state.lost));
        let inputs = (way.refused().pushed > 0).then(|| "the decision thread stood still, and inputs were lost".to_string());
        let failing = state.failing.map(|why| format!("the log cannot be written: {why}"));
        let journal = journal.upgrade().and_then(|j| j.failed()).map(|why| format!("the journal ended: {why}"));
        let fallen = media.upgrade().map_or(0, |media| media.fallen());
        let media = (fallen > 0).then(|| format!("{fallen} media threads ended, and their calls have no sound"));
        let snapshot = screen.snapshot.load();
        let recordings = unrecorded(&snapshot.troubles);
        Health {
            version: env!("CARGO_PKG_VERSION").into(),
            started,
            breaches: figures.load().invariant_breaches,
            last_breaches: snapshot.breaches.clone(),
            alarms: [lost, inputs, failing, journal, media, recordings].into_iter().flatten().chain(kept.alarms()).collect(),
            gauges: [gauges(state.waiting as f64, way.refused(), &snapshot), kept.gauges()].concat(),
            histograms: screen.stopwatches.shown(),
        }
    })
}

/// The first of them by name, and how many there are.
fn unrecorded(troubles: &[(RecordingId, Trouble)]) -> Option<String> {
    const NAMED: usize = 3;
    let one = |(recording, trouble): &(RecordingId, Trouble)| {
        let what = match trouble {
            Trouble::NotStarted => "has not begun",
            Trouble::Stalled => "does not grow",
            Trouble::Over => "ended, and its conversation goes on",
            Trouble::NotClosed => "is not closed",
        };
        format!("{recording} {what}")
    };
    let named: Vec<String> = troubles.iter().take(NAMED).map(one).collect();
    let more = troubles.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    (!troubles.is_empty()).then(|| format!("recordings are not made as they should be: {}{more}", named.join(", ")))
}

fn gauges(log_waiting: f64, refused: Refused, snapshot: &Snapshot) -> Vec<Gauge> {
    let gauge = |name, help, value| Gauge { name, help, value };
    vec![
        gauge("log_waiting", "Rows that wait in memory for the log's disk", log_waiting),
        gauge(
            "inputs_refused",
            "Datagrams and requests, since the start, that found no room on the way to the decision thread.",
            refused.offered as f64,
        ),
        gauge(
            "inputs_lost",
            "Inputs of media and of the node, since the start, for which not even the spill had room: an alarm.",
            refused.pushed as f64,
        ),
        gauge(
            "recordings_in_trouble",
            "Recordings now that have not begun, do not grow, ended before their conversation, or are not closed: an alarm.",
            snapshot.troubles.len() as f64,
        ),
        gauge("invariants_broken", "Invariants broken now, as far as the live audit has come.", snapshot.breaches.len() as f64),
        gauge(
            "audit_round_beats",
            "In how many beats, one a second, the live audit last looked at everything: a beat looks at 500 calls and at \
             what costs as much as 1000 visits. 0 before the first round is over.",
            f64::from(snapshot.audit_round),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_in_trouble_are_told_by_name_and_number() {
        assert_eq!(unrecorded(&[]), None);
        let all = [Trouble::NotStarted, Trouble::Stalled, Trouble::Over, Trouble::NotClosed];
        let part = |n: usize| format!("1-1-{n}.c1.p1").parse::<RecordingId>().unwrap();
        let troubles: Vec<_> = all.into_iter().enumerate().map(|(n, trouble)| (part(n), trouble)).collect();
        let told = unrecorded(&troubles).unwrap();
        assert!(told.ends_with("1-1-2.c1.p1 ended, and its conversation goes on, and 1 more"), "{told}");
        assert!(unrecorded(&troubles[3..]).unwrap().ends_with("1-1-3.c1.p1 is not closed"));
    }
}

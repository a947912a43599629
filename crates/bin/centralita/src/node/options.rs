//! What the consumers of the log and the web are told: from when to when the figures are, where tickets go, how the
//! node is.

use super::stopwatch::Stopwatches;
use super::{StartError, at, secret};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use base::{Now, Wall};
use engine::Setup;
use shell_store::journal::Journal;
use shell_store::{MetricsOptions, Store, Tickets, TicketsOptions};
use shell_web::{Gauge, Health};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
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
    log: shell_store::Handle,
    journal: Weak<Journal>,
    figures: Arc<ArcSwap<metrics::Figures>>,
    stopwatches: Arc<Stopwatches>,
    clock: Clock,
) -> Arc<dyn Fn() -> Health + Send + Sync> {
    let started = clock.now().wall;
    Arc::new(move || {
        let state = log.health();
        let lost = (state.lost > 0).then(|| format!("{} facts were lost", state.lost));
        let failing = state.failing.map(|why| format!("the log cannot be written: {why}"));
        let journal = journal.upgrade().and_then(|j| j.failed()).map(|why| format!("the journal ended: {why}"));
        Health {
            version: env!("CARGO_PKG_VERSION").into(),
            started,
            breaches: figures.load().invariant_breaches,
            last_breaches: Vec::new(),
            alarms: [lost, failing, journal].into_iter().flatten().collect(),
            gauges: vec![Gauge {
                name: "log_waiting",
                help: "Rows that wait in memory for the log's disk",
                value: state.waiting as f64,
            }],
            histograms: stopwatches.shown(),
        }
    })
}

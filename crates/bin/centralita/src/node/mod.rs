//! A running node: every shell wired to the Centre. What `serve` and `demo` have in common.

mod archive;
mod auditor;
mod before;
pub mod birth;
mod decide;
mod keeper;
mod lines;
mod options;
mod reload;
mod secret;
mod shelf;
mod stopwatch;
mod teller;
mod way;
mod web;

use crate::clock::Clock;
use crate::load::Loaded;
use arc_swap::ArcSwap;
use auditor::Auditor;
use before::{Disk, boot, journal};
use decide::{Decider, Deciding, Outlets, Screen};
use engine::{Centre, Input};
use lines::Lines;
use options::{figures_options, ticketing};
use shell_store::{Metrics, Store, Tickets, Writer};
use shell_web::Reload;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use vault::Keyring;
use way::Way;
use web::{Behind, Web};

pub use options::{Window, today};

/// What keeps a node from starting, and where.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct StartError {
    what: String,
    why: String,
}

fn at<E: Display>(what: impl Display) -> impl FnOnce(E) -> StartError {
    move |error| StartError { what: what.to_string(), why: error.to_string() }
}

/// Every part of a node that lives until it is stopped.
pub struct Node {
    /// Addresses that were bound.
    pub sip: SocketAddr,
    pub web: SocketAddr,
    pub figures: Arc<ArcSwap<metrics::Figures>>,
    pub store: Arc<Store>,
    outlets: Outlets,
    writer: Writer,
    metrics: Metrics,
    tickets: Tickets,
    outbound: shell_outbound::Sender,
    deciding: Deciding,
    auditor: Auditor,
    doors: Web,
}

impl Node {
    /// `keys`: none, and recordings are in the clear. `window`: what the figures are of, from and to, for a moment.
    /// `file`: where the site is read again from.
    pub async fn start(
        loaded: Loaded,
        keys: Option<Arc<Keyring>>,
        window: Window,
        file: Option<PathBuf>,
    ) -> Result<Node, StartError> {
        let Loaded { setup, texts, .. } = loaded;
        let setup = Arc::new(setup);
        let clock = Clock::start();
        let Disk { store, epoch, resume, writer } = Disk::open(&setup, keys.as_deref())?;
        let log = writer.handle();
        let (way, inputs) = Way::new();
        let way = Arc::new(way);
        // Before anything that the wire says.
        way.push(Input::Resume(Box::new(resume)));
        way.push(Input::Configure { sha256: setup.sha256, who: None });
        let lines = Lines::open(&setup.site, keys.clone(), &way).await?;
        let (tickets, outbound) = ticketing(&setup, &store, &log, clock)?;
        let screen = Screen::new();
        let options = figures_options(clock, window, screen.changed.clone());
        let metrics = Metrics::start(store.clone(), &log, options).map_err(at("the figures"))?;
        let figures = metrics.figures();

        let boot = boot(&setup, epoch, &store, &lines.signalling)?;
        let journal = Arc::new(journal(&texts, &boot)?);
        let (signalling, media) = (lines.signalling.clone(), lines.media.clone());
        let outlets = Outlets { way, signalling, media, log, journal };
        let deciding = Decider::start(Centre::new(boot), inputs, clock, outlets.clone(), &screen);
        let deciding = deciding.map_err(at("the decision thread"))?;
        let auditor = Auditor::start(screen.snapshot.clone(), outlets.way.clone(), screen.stopwatches.clone());
        let auditor = auditor.map_err(at("the audit"))?;

        let (sip, web) = (lines.signalling.address(), lines.web);
        let (setup, outside) = (&setup, &outlets);
        let behind =
            Behind { setup, keys, file, store: store.clone(), outlets: outside, screen, figures: figures.clone(), clock };
        let doors = Web::open(lines, behind)?;
        Ok(Node { sip, web, figures, store, outlets, writer, metrics, tickets, outbound, deciding, auditor, doors })
    }

    /// How long calls may go on once the node ends.
    pub fn grace(&self) -> Duration {
        self.doors.reloader.setup.load().site.shutdown
    }

    /// Reads the site again, on a thread of its own; the log says how it went.
    pub fn reload(&self, who: &'static str) {
        let reloader = self.doors.reloader.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(refused) = reloader.reload(who) {
                refused.findings.iter().for_each(|finding| eprintln!("{}\n", finding.shown));
            }
        });
    }
}

/// What the node says when it has ended.
pub struct Ended {
    /// Every call ended before the deadline, or was ended by it; the log is whole.
    pub log: shell_store::Health,
}

impl Node {
    /// Ends the drain that goes on, whatever its time: for whoever asks a second time.
    pub fn hurry(&self) -> impl Fn() + Send + 'static {
        let way = self.outlets.way.clone();
        move || {
            way.push(Input::Drain { grace_ms: 0 });
        }
    }

    /// Takes no more calls, lets those there are end within `grace`, closes recordings and log.
    pub async fn drain(self, grace: Duration) -> Ended {
        let Node { outlets, writer, metrics, tickets, outbound, deciding, auditor, doors, .. } = self;
        let Outlets { way, signalling, media, journal, .. } = outlets;
        way.push(Input::Drain { grace_ms: grace.as_millis() as u64 });
        // The Centre keeps the deadline; this is for a Centre that is gone.
        let _ = tokio::time::timeout(grace + Duration::from_secs(15), deciding.drained).await;
        let threads = move || {
            drop(auditor);
            way.close();
            if deciding.thread.join().is_err() {
                tracing::error!("the decision thread panicked");
            }
            // The last holders: media closes what the deadline cut short, the journal its file.
            drop((media, journal));
            let log = writer.close();
            metrics.close();
            tickets.close();
            log
        };
        let log = tokio::task::spawn_blocking(threads).await.unwrap_or_default();
        outbound.stop().await;
        signalling.stop();
        doors.close().await;
        Ended { log }
    }
}

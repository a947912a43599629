//! A running node: every shell wired to the Centre. What `serve` and `demo` have in common.

mod archive;
mod before;
pub mod birth;
mod decide;
mod lines;
mod options;
mod reload;
mod secret;
mod way;

use crate::clock::Clock;
use crate::load::Loaded;
use arc_swap::ArcSwap;
use archive::{Names, StoreArchive};
use base::Instant;
use before::{Disk, boot};
use birth::{Birth, Digester};
use decide::Decider;
use engine::{Centre, Input};
use lines::Lines;
use options::{figures_options, health, ticketing};
use reload::Reloader;
use shell_handoff::Published;
use shell_signalling::Signalling;
use shell_store::journal::{Header, Journal, Retention};
use shell_store::{Metrics, Store, Tickets, Writer};
use shell_web::{Access, Doors, Reload};
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use way::Way;

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
    way: Arc<Way>,
    signalling: Signalling,
    media: Arc<shell_media::Handle>,
    writer: Writer,
    journal: Arc<Journal>,
    metrics: Metrics,
    tickets: Tickets,
    outbound: shell_outbound::Sender,
    decider: JoinHandle<()>,
    drained: oneshot::Receiver<()>,
    reloader: Arc<Reloader>,
    web_stop: watch::Sender<bool>,
    web_task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Node {
    /// `window`: what the figures are of, from and to, for a moment. `file`: where the site is read again from.
    pub async fn start(loaded: Loaded, window: Window, file: Option<PathBuf>) -> Result<Node, StartError> {
        let Loaded { setup, texts, .. } = loaded;
        let setup = Arc::new(setup);
        let site = &setup.site;
        let clock = Clock::start();
        let Disk { store, epoch, resume, writer } = Disk::open(&setup)?;
        let log = writer.handle();
        let (way, inputs) = Way::new();
        let way = Arc::new(way);
        // Before anything that the wire says.
        way.push(Input::Resume(Box::new(resume)));
        way.push(Input::Configure { sha256: setup.sha256 });
        let Lines { signalling, listener, web, media, prompts } = Lines::open(site, &way).await?;
        let (changed, changes) = watch::channel(0u64);
        let changed = Arc::new(changed);
        let source = format!("/centralita/{}/{}", site.name, site.node);
        let (tickets, outbound) = ticketing(&setup, &store, &log, &source, clock)?;
        let metrics =
            Metrics::start(store.clone(), &log, figures_options(clock, window, changed.clone())).map_err(at("the figures"))?;

        let (drained_sender, drained) = oneshot::channel();
        let snapshot = Arc::new(ArcSwap::from_pointee(engine::Snapshot::default()));
        let boot = boot(&setup, epoch, &store, &signalling)?;
        crate::sites::keep(&site.data, &setup.sha256, &texts).map_err(at("the site's text beside the journal"))?;
        let header = Header { epoch, seed: boot.routing_seed, site_sha256: setup.sha256 };
        let birth = Birth::of(&boot);
        let journal = Arc::new(Journal::start(&site.data, header, &birth, Retention::default()).map_err(at("the journal"))?);
        let decider = Decider {
            centre: Centre::new(boot),
            inputs,
            clock,
            way: way.clone(),
            signalling: signalling.clone(),
            media: media.clone(),
            log: log.clone(),
            journal: journal.clone(),
            snapshot: Published::over(snapshot.clone()),
            changed,
            drained: Some(drained_sender),
            runtime: tokio::runtime::Handle::current(),
            published: Instant::ZERO,
            facts: Vec::new(),
            digester: Digester::default(),
        };
        let decider = decider.start().map_err(at("the decision thread"))?;

        let archive =
            StoreArchive::start(store.clone(), &log, site.recordings.clone(), Names::of(site)).map_err(at("the log"))?;
        let access = Access::new(site.web.token.as_ref().map(|t| t.reveal().as_str())).map_err(at("the web"))?;
        let reloader = Arc::new(Reloader {
            file,
            setup: ArcSwap::new(setup.clone()),
            prompts: Mutex::new(prompts),
            way: way.clone(),
            media: Arc::downgrade(&media),
            signalling: signalling.clone(),
            archive: archive.clone(),
            access: access.clone(),
        });
        let (web_stop, mut stopped) = watch::channel(false);
        let figures = metrics.figures();
        let doors = Doors {
            snapshot,
            figures: figures.clone(),
            changed: changes,
            clock: Arc::new(move || clock.now()),
            ask: way.clone(),
            reload: reloader.clone(),
            archive,
            health: health(log, Arc::downgrade(&journal), figures.clone(), clock),
        };
        let config = shell_web::Config { access, source, site: site.name.clone() };
        let ended = async move { drop(stopped.wait_for(|stop| *stop).await) };
        let web_task = tokio::spawn(shell_web::serve(listener, config, doors, ended));
        Ok(Node {
            sip: signalling.address(),
            web,
            figures,
            store,
            way,
            signalling,
            media,
            writer,
            journal,
            metrics,
            tickets,
            outbound,
            decider,
            drained,
            reloader,
            web_stop,
            web_task,
        })
    }

    /// How long calls may go on once the node ends.
    pub fn grace(&self) -> Duration {
        self.reloader.setup.load().site.shutdown
    }

    /// Reads the site again, on a thread of its own; the log says how it went.
    pub fn reload(&self, who: &'static str) {
        let reloader = self.reloader.clone();
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
        let way = self.way.clone();
        move || {
            way.push(Input::Drain { grace_ms: 0 });
        }
    }

    /// Takes no more calls, lets those there are end within `grace`, closes recordings and log.
    pub async fn drain(self, grace: Duration) -> Ended {
        let Node {
            way,
            signalling,
            media,
            writer,
            journal,
            metrics,
            tickets,
            outbound,
            decider,
            drained,
            web_stop,
            web_task,
            ..
        } = self;
        way.push(Input::Drain { grace_ms: grace.as_millis() as u64 });
        // The Centre keeps the deadline; this is for a Centre that is gone.
        let _ = tokio::time::timeout(grace + Duration::from_secs(15), drained).await;
        let threads = move || {
            way.close();
            if decider.join().is_err() {
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
        let _ = web_stop.send(true);
        let _ = web_task.await;
        Ended { log }
    }
}

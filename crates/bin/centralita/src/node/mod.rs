//! A running node: every shell wired to the Centre. What `serve` and `demo` have in common.

mod archive;
mod before;
mod decide;
mod options;
mod secret;
mod way;

use crate::clock::Clock;
use arc_swap::ArcSwap;
use base::Instant;
use archive::StoreArchive;
use before::{boot, resume, writable};
use decide::Decider;
use engine::{Centre, Input, Setup};
use options::{figures_options, health, names, ticketing};
use shell_handoff::Published;
use shell_signalling::Signalling;
use shell_store::journal::{Header, Journal, Retention};
use shell_store::{Metrics, Store, Tickets, Writer};
use shell_web::Doors;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
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
    web_stop: watch::Sender<bool>,
    web_task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Node {
    /// `window`: what the figures are of, from and to, for a moment.
    pub async fn start(setup: Setup, window: Window) -> Result<Node, StartError> {
        let setup = Arc::new(setup);
        let site = &setup.site;
        let clock = Clock::start();
        writable(&site.recordings).map_err(at(format!("the recordings folder {}", site.recordings.display())))?;
        let store = Arc::new(Store::open(&site.data).map_err(at("the data folder"))?);
        let epoch = store.begin_epoch().map_err(at("the log"))?;
        let resume = resume(&store, epoch, &setup)?;
        let writer = Writer::start(store.clone(), epoch).map_err(at("the log"))?;
        let log = writer.handle();

        let (way, inputs) = Way::new();
        let way = Arc::new(way);
        // Before anything that the wire says.
        way.push(Input::Resume(Box::new(resume)));
        way.push(Input::Configure { sha256: setup.sha256 });
        let mut sip = shell_signalling::Config::new(site.sip.listen);
        sip.advertise = site.sip.advertise;
        sip.tcp = site.sip.tcp;
        let signalling = shell_signalling::start(sip, way.clone()).await.map_err(at(format!("SIP at {}", site.sip.listen)))?;
        let listener =
            tokio::net::TcpListener::bind(site.web.listen).await.map_err(at(format!("the web at {}", site.web.listen)))?;
        let web = listener.local_addr().map_err(at("the web"))?;

        let prompts = shell_media::load_prompts(&site.flows).map_err(at(site.flows.display()))?;
        let mut plane = shell_media::Config::new(site.recordings.clone(), Arc::new(prompts));
        plane.silent_after = site.media.silent_after;
        let media = Arc::new(shell_media::MediaPlane::start(plane, way.clone()).map_err(at("media"))?);

        let (changed, changes) = watch::channel(0u64);
        let changed = Arc::new(changed);
        let source = format!("/centralita/{}/{}", site.name, site.node);
        let (tickets, outbound) = ticketing(&setup, &store, &log, &source, clock)?;
        let metrics =
            Metrics::start(store.clone(), &log, figures_options(clock, window, changed.clone())).map_err(at("the figures"))?;

        let (drained_sender, drained) = oneshot::channel();
        let snapshot = Arc::new(ArcSwap::from_pointee(engine::Snapshot::default()));
        let boot = boot(&setup, epoch, &store, &signalling)?;
        let header = Header { epoch, seed: boot.routing_seed, site_sha256: setup.sha256 };
        let journal = Arc::new(Journal::start(&site.data, header, Retention::default()).map_err(at("the journal"))?);
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
        };
        let decider = std::thread::Builder::new()
            .name("decide".into())
            .spawn(|| decider.run_or_abort())
            .map_err(at("the decision thread"))?;

        let archive = StoreArchive::start(store.clone(), &log, site.recordings.clone(), names(site)).map_err(at("the log"))?;
        let (web_stop, mut stopped) = watch::channel(false);
        let figures = metrics.figures();
        let doors = Doors {
            snapshot,
            figures: figures.clone(),
            changed: changes,
            clock: Arc::new(move || clock.now()),
            ask: way.clone(),
            archive,
            health: health(log, Arc::downgrade(&journal), figures.clone(), clock),
        };
        let config =
            shell_web::Config { token: site.web.token.as_ref().map(|t| t.reveal().clone()), source, site: site.name.clone() };
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
            web_stop,
            web_task,
        })
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

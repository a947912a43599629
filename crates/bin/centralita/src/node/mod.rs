//! A running node: every shell wired to the Centre. What `serve` and `demo` have in common.

mod archive;
mod decide;
mod secret;
mod way;

use crate::clock::Clock;
use arc_swap::ArcSwap;
use archive::StoreArchive;
use base::{AgentId, Now, Wall};
use decide::Decider;
use engine::{Boot, Centre, Input, Open, Repaired, Resume, Setup, Stored};
use shell_signalling::Signalling;
use shell_store::journal::{Header, Journal, Retention};
use shell_store::{Metrics, MetricsOptions, Store, Tickets, TicketsOptions, Writer};
use shell_web::{Doors, Gauge, Health};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use way::Way;

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
    stop: Arc<AtomicBool>,
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
        let stop = Arc::new(AtomicBool::new(false));
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
            snapshot: snapshot.clone(),
            changed,
            drained: Some(drained_sender),
            runtime: tokio::runtime::Handle::current(),
            stop: stop.clone(),
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
            stop,
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
            stop,
            web_stop,
            web_task,
            ..
        } = self;
        way.push(Input::Drain { grace_ms: grace.as_millis() as u64 });
        // The Centre keeps the deadline; this is for a Centre that is gone.
        let _ = tokio::time::timeout(grace + Duration::from_secs(15), drained).await;
        let threads = move || {
            stop.store(true, Ordering::Release);
            way.push(Input::Due);
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

/// What earlier epochs left: open entities from the log, bindings, recordings cut short.
fn resume(store: &Arc<Store>, epoch: u32, setup: &Setup) -> Result<Resume, StartError> {
    let mut open = Open::default();
    for fact in store.last_epoch_facts(epoch).map_err(at("the log"))? {
        open.apply(&fact.map_err(at("the log"))?);
    }
    let bindings = store.bindings().map_err(at("the log"))?;
    let read = |(user, bytes): (String, Vec<u8>)| Some((user.into(), postcard::from_bytes(&bytes).ok()?));
    let repaired = shell_media::repair(&setup.site.recordings, &open.recordings.keys().copied().collect())
        .map_err(at(setup.site.recordings.display()))?;
    Ok(Resume {
        open,
        bindings: bindings.into_iter().filter_map(read).collect(),
        repaired: repaired.into_iter().map(repaired_of).collect(),
    })
}

fn repaired_of(mended: shell_media::Repaired) -> Repaired {
    let shell_media::Repaired { recording, file, duration_ms, sha256, complete, reason } = mended;
    let reason = (!complete).then_some(reason);
    Repaired { recording, stored: (!sha256.is_empty()).then_some(Stored { file, duration_ms, sha256, reason }) }
}

/// Better found out before the first conversation than at it.
fn writable(folder: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&probe, b"centralita")?;
    std::fs::remove_file(&probe)
}

/// What agents are called on screens.
fn names(site: &site::Site) -> BTreeMap<AgentId, Arc<str>> {
    site.agents.iter().map(|(id, agent)| (id.clone(), agent.display.reveal().as_str().into())).collect()
}

/// The ticket book's consumer, and the sender of its outbox.
fn ticketing(
    setup: &Setup,
    store: &Arc<Store>,
    log: &shell_store::Handle,
    source: &str,
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
    let (rules, source) = (setup.site.tickets.clone(), source.to_string());
    let options = TicketsOptions { rules, destinations, source, changed: Box::new(outbound.waker()) };
    let tickets = Tickets::start(store.clone(), log, options).map_err(at("the ticket book"))?;
    Ok((tickets, outbound))
}

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

fn figures_options(clock: Clock, window: Window, changed: Arc<watch::Sender<u64>>) -> MetricsOptions {
    MetricsOptions {
        clock: Arc::new(move || clock.now()),
        window,
        formula: metrics::Formula::default(),
        formulas: BTreeMap::new(),
        changed: Box::new(move || changed.send_modify(|n| *n += 1)),
    }
}

fn health(
    log: shell_store::Handle,
    journal: Weak<Journal>,
    figures: Arc<ArcSwap<metrics::Figures>>,
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
        }
    })
}

fn boot(setup: &Arc<Setup>, epoch: u32, store: &Store, signalling: &Signalling) -> Result<Boot, StartError> {
    let party_key = secret::party_key(store.dir()).map_err(at("the key of party ids"))?;
    let boot_id = store.boot_id(epoch).map_err(at("the log"))?.unwrap_or_default();
    let mut towards: BTreeMap<IpAddr, IpAddr> = BTreeMap::new();
    for agent in setup.site.agents.values() {
        if let site::Phone::Address { addr, .. } = &agent.phone {
            towards.insert(addr.ip(), signalling.local_towards(*addr).ip());
        }
    }
    Ok(Boot {
        node: setup.site.node,
        epoch,
        boot_id: boot_id.into(),
        routing_seed: secret::seed().map_err(at("the routing seed"))?,
        party_key,
        sip: signalling.address(),
        towards,
        setup: setup.clone(),
    })
}

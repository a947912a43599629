//! What a node finds before it begins: what earlier epochs left, keys and seeds, a folder it may write to.

use super::birth::Birth;
use super::{StartError, at, secret};
use crate::load::Texts;
use engine::{Boot, Open, Promise, Repaired, Resume, Setup, Stored};
use shell_signalling::Signalling;
use shell_store::journal::{Header, Journal, Retention};
use shell_store::{Store, Writer};
use site::Site;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use vault::Keyring;

/// The log of a new epoch.
pub struct Disk {
    pub store: Arc<Store>,
    pub epoch: u32,
    pub resume: Resume,
    pub writer: Writer,
}

impl Disk {
    pub fn open(setup: &Setup, keys: Option<&Keyring>) -> Result<Disk, StartError> {
        let site = &setup.site;
        writable(&site.recordings).map_err(at(format!("the recordings folder {}", site.recordings.display())))?;
        let store = Arc::new(Store::open(&site.data).map_err(at("the data folder"))?);
        let epoch = store.begin_epoch().map_err(at("the log"))?;
        let resume = resume(&store, epoch, setup, keys)?;
        let writer = Writer::start(store.clone(), epoch).map_err(at("the log"))?;
        Ok(Disk { store, epoch, resume, writer })
    }
}

/// What earlier epochs left: open entities from the log, bindings, recordings cut short.
fn resume(store: &Arc<Store>, epoch: u32, setup: &Setup, keys: Option<&Keyring>) -> Result<Resume, StartError> {
    let mut open = Open::default();
    for fact in store.last_epoch_facts(epoch).map_err(at("the log"))? {
        open.apply(&fact.map_err(at("the log"))?);
    }
    let bindings = store.bindings().map_err(at("the log"))?;
    let read = |(user, bytes): (String, Vec<u8>)| Some((user.into(), postcard::from_bytes(&bytes).ok()?));
    let repaired = shell_media::repair(&setup.site.recordings, &open.recordings.keys().copied().collect(), keys)
        .map_err(at(setup.site.recordings.display()))?;
    let promises = store.promises().map_err(at("the log"))?;
    Ok(Resume {
        open,
        promises: promises.iter().filter_map(|bytes| promise(bytes)).collect(),
        bindings: bindings.into_iter().filter_map(read).collect(),
        repaired: repaired.into_iter().map(repaired_of).collect(),
    })
}

/// One that does not read is told as cancelled, as its call is closed.
fn promise(bytes: &[u8]) -> Option<Promise> {
    serde_json::from_slice(bytes).inspect_err(|error| tracing::error!(%error, "a callback of before the restart is lost")).ok()
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

/// What the Centre is born with.
pub fn boot(setup: &Arc<Setup>, epoch: u32, store: &Store, signalling: &Signalling) -> Result<Boot, StartError> {
    let party_key = secret::party_key(store.dir()).map_err(at("the key of party ids"))?;
    let boot_id = store.boot_id(epoch).map_err(at("the log"))?.unwrap_or_default();
    let towards = |addr: SocketAddr| (addr.ip(), signalling.local_towards(addr).ip());
    let towards: BTreeMap<IpAddr, IpAddr> = called(&setup.site).map(towards).collect();
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

/// What the Centre is told, from now on, and what a replay needs beside it.
pub fn journal(texts: &Texts, boot: &Boot) -> Result<Journal, StartError> {
    let Setup { site, sha256, .. } = boot.setup.as_ref();
    crate::sites::keep(&site.data, sha256, texts).map_err(at("the site's text beside the journal"))?;
    let header = Header { epoch: boot.epoch, seed: boot.routing_seed, site_sha256: *sha256 };
    Journal::start(&site.data, header, &Birth::of(boot), Retention::default()).map_err(at("the journal"))
}

/// Where the site says that calls are sent: phones that do not register, and trunks.
pub fn called(site: &Site) -> impl Iterator<Item = SocketAddr> {
    let phones = site.agents.values().filter_map(|agent| match &agent.phone {
        site::Phone::Address { addr, .. } => Some(*addr),
        site::Phone::Registered(_) => None,
    });
    phones.chain(site.trunks.iter().filter_map(|trunk| trunk.address))
}

//! What a node finds before it begins: what earlier epochs left, keys and seeds, a folder it may write to.

use super::{StartError, at, secret};
use engine::{Boot, Open, Repaired, Resume, Setup, Stored};
use shell_signalling::Signalling;
use shell_store::Store;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What earlier epochs left: open entities from the log, bindings, recordings cut short.
pub fn resume(store: &Arc<Store>, epoch: u32, setup: &Setup) -> Result<Resume, StartError> {
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
pub fn writable(folder: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&probe, b"centralita")?;
    std::fs::remove_file(&probe)
}

/// What the Centre is born with.
pub fn boot(setup: &Arc<Setup>, epoch: u32, store: &Store, signalling: &Signalling) -> Result<Boot, StartError> {
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

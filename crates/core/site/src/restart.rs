//! What a running node cannot take from another site file.

use crate::model::Site;
use base::Diagnostic;

/// A finding for each setting of `new` that differs and counts only from a start on: addresses and ports that are bound,
/// folders that are open, names that stand in ids and realms, and where tickets go. Empty: `new` can take over.
pub fn needs_restart(old: &Site, new: &Site) -> Vec<Diagnostic> {
    let kept = [
        ("node", old.node == new.node),
        ("name", old.name == new.name),
        ("sip.listen", old.sip.listen == new.sip.listen),
        ("sip.advertise", old.sip.advertise == new.sip.advertise),
        ("sip.tcp", old.sip.tcp == new.sip.tcp),
        ("media.ports", old.media.ports == new.media.ports),
        ("media.io", old.media.io == new.media.io),
        ("media.shared_port", old.media.shared_port == new.media.shared_port),
        ("media.advertise", old.media.advertise == new.media.advertise),
        ("media.silent_after", old.media.silent_after == new.media.silent_after),
        ("media.jitter_buffer", old.media.jitter_buffer == new.media.jitter_buffer),
        ("web.listen", old.web.listen == new.web.listen),
        ("data", old.data == new.data),
        ("recordings", old.recordings == new.recordings),
        ("vault", old.vault == new.vault),
        ("flows", old.flows == new.flows),
        ("tickets", old.tickets == new.tickets),
        ("webhook", old.webhook == new.webhook),
    ];
    let changed = kept.into_iter().filter(|(_, same)| !same);
    changed.map(|(path, _)| new.places.at(path, format!("`{path}` changes only with a restart"))).collect()
}

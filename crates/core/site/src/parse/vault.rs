//! What recordings are on disk.

use crate::model::{KeyFrom, MasterKey, Vault};
use crate::reader::Node;
use std::path::PathBuf;

pub fn vault(n: &mut Node) -> Option<Vault> {
    let keys: Vec<MasterKey> = n.list("keys", master_key);
    for (place, key) in keys.iter().enumerate() {
        if keys[..place].iter().any(|before| before.id == key.id) {
            n.report(n.at(&format!("keys.{place}.id"), format!("two master keys have the id `{}`", key.id)));
        }
    }
    Some(Vault { keys })
}

fn master_key(n: &mut Node) -> Option<MasterKey> {
    let id: Option<String> = n.need("id");
    let (file, variable): (Option<PathBuf>, Option<String>) = (n.opt("file"), n.opt("env"));
    let named = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let named = |id: &String| (1..=64).contains(&id.len()) && id.bytes().all(named);
    if id.as_ref().is_some_and(|id| !named(id)) {
        n.report(n.at("id", "expected 1 to 64 letters, digits, - _ ."));
    }
    let from = match (file, variable) {
        (Some(file), None) => Some(KeyFrom::File(file)),
        (None, Some(variable)) => Some(KeyFrom::Variable(variable)),
        _ => {
            let finding = n.at("", "expected where the key is: either `file` or `env`");
            n.report(finding.help("write file = \"/etc/centralita/recordings.key\" or env = \"CENTRALITA_RECORDINGS_KEY\""));
            None
        }
    };
    Some(MasterKey { id: id?, from: from? })
}

//! The master keys of recordings, from where the site says that they are.

use super::{StartError, at};
use site::KeyFrom;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use vault::{Keyring, MasterKey};

/// More than a key has, in any form.
const MOST: u64 = 1_024;

/// None: recordings are in the clear.
pub fn load(vault: &site::Vault) -> Result<Option<Arc<Keyring>>, StartError> {
    if vault.keys.is_empty() {
        return Ok(None);
    }
    let keys: Result<Vec<_>, _> = vault.keys.iter().map(master_key).collect();
    Keyring::new(keys?).map(|ring| Some(Arc::new(ring))).map_err(at("the master keys of recordings"))
}

fn master_key(key: &site::MasterKey) -> Result<MasterKey, StartError> {
    let what = |place: &dyn std::fmt::Display| format!("the master key `{}` in {place}", key.id);
    match &key.from {
        KeyFrom::File(path) => {
            let text = secret(path).map_err(at(what(&path.display())))?;
            MasterKey::parse(&key.id, &text).map_err(at(what(&path.display())))
        }
        KeyFrom::Variable(name) => {
            // The variable's own error would print what is in it.
            let unread = |error| match error {
                std::env::VarError::NotPresent => "it is not set",
                std::env::VarError::NotUnicode(_) => "it is no text: expected hexadecimal or base64",
            };
            let text = std::env::var(name).map_err(unread).map_err(at(what(name)))?;
            MasterKey::parse(&key.id, &text).map_err(at(what(name)))
        }
    }
}

/// The text of a file that nobody but its owner may read.
fn secret(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let mode = file.metadata()?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let error = format!("others than its owner may use it (mode {mode:o}): expected 600 or 400");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, error));
    }
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_master_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recordings.key");
        fs::write(&file, "00".repeat(32)).unwrap();
        let key = site::MasterKey { id: "2026".into(), from: KeyFrom::File(file.clone()) };
        let vault = site::Vault { keys: vec![key] };
        for (mode, fine) in [(0o644, false), (0o640, false), (0o604, false), (0o600, true), (0o400, true)] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(load(&vault).is_ok(), fine, "{mode:o}");
        }
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "00".repeat(31)).unwrap();
        let error = load(&vault).unwrap_err().to_string();
        assert!(error.contains("recordings.key: expected 32 bytes"), "{error}");
    }
}

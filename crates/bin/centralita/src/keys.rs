//! The master keys of recordings, from where the site says that they are: read here alone, by whoever checks a site and by
//! whoever serves it.

use base::Diagnostic;
use site::{KeyFrom, Site};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use vault::{Keyring, MasterKey};

/// More than a key has, in any form.
const MOST: usize = 1_024;
/// For what is there and is no key: a new one would leave all that the old one sealed closed for ever.
const RESTORE: &str = "put the key back as it is kept elsewhere: what it sealed opens with no other";

/// None: recordings are in the clear. Every key that cannot be used is a finding where the site says where it is.
pub fn load(site: &Site) -> Result<Option<Arc<Keyring>>, Vec<Diagnostic>> {
    let (mut keys, mut found) = (Vec::new(), Vec::new());
    for (n, key) in site.vault.keys.iter().enumerate() {
        match master_key(key) {
            Ok(key) => keys.push(key),
            Err(Unusable { why, help }) => {
                found.push(site.at_master_key(n, format!("the master key `{}` cannot be used: {why}", key.id)).help(help));
            }
        }
    }
    match (keys.is_empty(), found.is_empty()) {
        (_, false) => Err(found),
        (true, true) => Ok(None),
        (false, true) => {
            Keyring::new(keys).map(|ring| Some(Arc::new(ring))).map_err(|bad| vec![site.at_master_key(0, bad.to_string())])
        }
    }
}

/// Why a key is none, and what to do.
struct Unusable {
    why: String,
    help: String,
}

fn master_key(key: &site::MasterKey) -> Result<MasterKey, Unusable> {
    let (place, text) = match &key.from {
        KeyFrom::File(path) => (path.display().to_string(), secret(path)?),
        KeyFrom::Variable(name) => (format!("the variable `{name}`"), variable(name)?),
    };
    MasterKey::parse(&key.id, &text).map_err(|bad| {
        let long = text.trim().chars().count();
        // How long it is helps whoever made it, and nobody else.
        let held = if text.len() > MOST { format!("more than {MOST}") } else { long.to_string() };
        Unusable { why: format!("{place} holds {held} characters: {bad}"), help: RESTORE.into() }
    })
}

/// The text of a file that nobody but its owner may read.
fn secret(path: &Path) -> Result<String, Unusable> {
    let shown = path.display();
    let unreadable = |error| unreadable(path, &error);
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let why = format!("others than its owner may use {shown} (mode {mode:o}): expected mode 600 or 400");
        return Err(Unusable { why, help: format!("`chmod 600 {shown}`") });
    }
    let mut text = String::new();
    file.take(MOST as u64 + 1).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// Only who has no key hears how one is made: another one in its place would leave every recording sealed for ever.
fn unreadable(path: &Path, error: &io::Error) -> Unusable {
    let (shown, why) = (path.display(), format!("cannot read {}: {error}", path.display()));
    let help = match error.kind() {
        io::ErrorKind::NotFound => {
            format!("expected a file of mode 600 or 400: `(umask 077; set -C; openssl rand -hex 32 > {shown})` makes one")
        }
        io::ErrorKind::PermissionDenied => {
            "`check` and `serve` each read it as whoever runs them: run `check` as the node's user, to whom the file belongs"
                .into()
        }
        io::ErrorKind::InvalidData => {
            let why = format!("{shown} holds no text: expected 32 bytes in hexadecimal or base64");
            return Unusable { why, help: "a key of 32 plain bytes becomes text by `xxd -p -c 64`".into() };
        }
        _ => "expected a file that can be read, of mode 600 or 400".into(),
    };
    Unusable { why, help }
}

/// The variable's own error would print what is in it.
fn variable(name: &str) -> Result<String, Unusable> {
    std::env::var(name).map_err(|error| Unusable {
        why: match error {
            std::env::VarError::NotPresent => format!("the variable `{name}` is not set here"),
            std::env::VarError::NotUnicode(_) => format!("the variable `{name}` holds no text: expected hexadecimal or base64"),
        },
        help: "`check` and `serve` each look in the environment that they are started in".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{self, LoadError};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    const SITE: &str = "name = \"a\"\nflows = \".\"\n[sip]\nlisten = \"127.0.0.1:5060\"\n[media]\nports = \"20000-20999\"\n\
                        [web]\nlisten = \"127.0.0.1:8080\"\n[[tenants]]\nname = \"acme\"\n";
    const KEY: &str = "[[vault.keys]]\nid = \"2026\"\nfile = \"recordings.key\"\n";

    /// What is in the file, and its mode; none: it is not there.
    type Held<'a> = Option<(&'a [u8], u32)>;

    /// What is said of a site whose key file is so; nothing: it can be served.
    fn said(folder: &Path, key: Held) -> String {
        let (site, file) = (folder.join("site.toml"), folder.join("recordings.key"));
        fs::write(&site, format!("{SITE}{KEY}")).unwrap();
        let _ = fs::remove_file(&file);
        if let Some((bytes, mode)) = key {
            fs::write(&file, bytes).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        }
        load::to_serve(&site).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_master_key_that_cannot_be_used_is_pointed_at_with_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recordings.key").display().to_string();
        let (hex, short, binary) = ("ab".repeat(32), "ab".repeat(31), [0xff; 32]);
        let form = "expected 32 bytes, in hexadecimal (64 digits) or in base64 (44 characters)";
        let modes = |mode| format!("others than its owner may use {file} (mode {mode}): expected mode 600 or 400");
        let long = "ab".repeat(1_000);
        let cases: [(Held, String); 9] = [
            (None, format!("cannot read {file}: No such file")),
            (Some((short.as_bytes(), 0o600)), format!("{file} holds 62 characters: {form}")),
            (Some((long.as_bytes(), 0o600)), format!("{file} holds more than 1024 characters: {form}")),
            (Some((b"correct horse", 0o600)), format!("{file} holds 13 characters: {form}")),
            (Some((b"", 0o600)), format!("{file} holds 0 characters: {form}")),
            (Some((&binary, 0o600)), format!("{file} holds no text: expected 32 bytes in hexadecimal or base64")),
            (Some((hex.as_bytes(), 0o644)), modes("644")),
            (Some((hex.as_bytes(), 0o640)), modes("640")),
            (Some((hex.as_bytes(), 0o604)), modes("604")),
        ];
        for (key, why) in cases {
            let said = said(folder.path(), key);
            let line = format!("{SITE}{KEY}").lines().position(|line| line.starts_with("file = ")).unwrap() + 1;
            assert!(said.contains(&format!("site.toml:{line}:8")), "{said}");
            assert!(said.contains(&format!("the master key `2026` cannot be used: {why}")), "{said}");
            assert!(said.ends_with("\n1 error") && !said.contains(&hex) && !said.contains("correct horse"), "{said}");
        }
        for mode in [0o600, 0o400] {
            assert_eq!(said(folder.path(), Some((hex.as_bytes(), mode))), "");
        }
        assert_eq!(said(folder.path(), Some((b"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=\n", 0o600))), "");
    }

    #[test]
    fn how_a_key_is_made_is_told_only_to_whoever_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let short = "ab".repeat(31);
        for (held, makes) in [(None, true), (Some(&short), false), (Some(&String::new()), false)] {
            let said = said(folder.path(), held.map(|text| (text.as_bytes(), 0o600)));
            assert_eq!((said.contains("openssl"), said.contains("put the key back")), (makes, !makes), "{said}");
        }
        // Set wherever tests run, and no key.
        let held = site::MasterKey { id: "2026".into(), from: KeyFrom::Variable("PATH".into()) };
        let Err(Unusable { why, help }) = master_key(&held) else { panic!("a path is no key") };
        assert!(why.starts_with("the variable `PATH` holds") && help == RESTORE, "{why}: {help}");
        let path = Path::new("/etc/centralita/recordings.key");
        for (kind, makes) in [
            (io::ErrorKind::NotFound, true),
            (io::ErrorKind::PermissionDenied, false),
            (io::ErrorKind::InvalidData, false),
            (io::ErrorKind::IsADirectory, false),
            (io::ErrorKind::Other, false),
        ] {
            let Unusable { help, .. } = unreadable(path, &kind.into());
            assert_eq!(help.contains("openssl"), makes, "{kind}: {help}");
            assert!(!makes || help.contains("set -C"), "it would overwrite: {help}");
        }
        let denied = unreadable(path, &io::ErrorKind::PermissionDenied.into());
        assert!(denied.help.contains("as the node's user"), "{}", denied.help);
    }

    #[test]
    fn a_master_key_is_told_together_with_whatever_else_is_wrong_and_asked_for_only_where_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site.toml");
        let variable = "[[vault.keys]]\nid = \"2025\"\nenv = \"CENTRALITA_TEST_NOT_SET\"\n";
        fs::write(&site, format!("{SITE}{KEY}{variable}")).unwrap();
        // Whoever replays or compares sites hears no recording.
        load::load(&site).unwrap_or_else(|error| panic!("{error}"));
        fs::write(&site, format!("{SITE}{KEY}{variable}[queues.\"acme/a\"]\noverflow_after = \"1m\"\noverflow_to = \"b\"\n"))
            .unwrap();
        let Err(LoadError::Wrong(found)) = load::to_serve(&site) else { panic!("keys that are not there") };
        let errors: Vec<&str> = found.iter().filter(|found| found.is_error()).map(|found| found.message.as_str()).collect();
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[1].ends_with("the variable `CENTRALITA_TEST_NOT_SET` is not set here"), "{errors:?}");
        assert_eq!(errors[2], "there is no queue `acme/b`");
    }
}

//! A site file and its flows, from disk to a checked [`engine::Setup`].

use crate::keys;
use base::Diagnostic;
use engine::Setup;
use ring::digest;
use serde::{Deserialize, Serialize};
use site::Site;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vault::Keyring;

/// A setup that can go live.
pub struct Loaded {
    pub setup: Setup,
    pub texts: Texts,
    /// What works and is perhaps not what was meant.
    pub warnings: Vec<Diagnostic>,
}

/// Why there is no setup.
#[derive(Debug)]
pub enum LoadError {
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    /// All findings at once.
    Wrong(Vec<Diagnostic>),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Unreadable { path, error } => write!(f, "error: cannot read {}: {error}", path.display()),
            LoadError::Wrong(findings) => {
                for finding in findings {
                    writeln!(f, "{finding}\n")?;
                }
                let errors = findings.iter().filter(|finding| finding.is_error()).count();
                write!(f, "{}", counted(errors, "error"))
            }
        }
    }
}

/// `1 error`, `2 errors`.
pub fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// Everything a setup is made of but prompts: enough to have the same decisions again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// Relative paths in the site count from here.
    pub folder: PathBuf,
    pub site: String,
    /// Those that the site names.
    pub flows: BTreeMap<String, String>,
}

/// Reads and checks a site file with its flows and prompts. Relative paths in it count from its own folder.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    load_and(path, |_| Vec::new())
}

/// The same for a node that could begin here and now, with the master keys of its recordings.
pub fn to_serve(path: &Path) -> Result<(Loaded, Option<Arc<Keyring>>), LoadError> {
    let mut keys = None;
    let loaded = load_and(path, |site| match keys::load(site) {
        Ok(ring) => {
            keys = ring;
            Vec::new()
        }
        Err(found) => found,
    })?;
    Ok((loaded, keys))
}

/// `more`: errors of the site that only the world outside it shows, first among all.
fn load_and(path: &Path, more: impl FnOnce(&Site) -> Vec<Diagnostic>) -> Result<Loaded, LoadError> {
    let text = read(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let site = parse(&text, path, folder)?;
    let mut found = more(&site);
    match setup(site, &text) {
        Ok(mut loaded) if found.is_empty() => {
            loaded.texts.folder = folder.into();
            Ok(loaded)
        }
        Ok(Loaded { warnings: others, .. }) | Err(LoadError::Wrong(others)) => {
            found.extend(others);
            Err(LoadError::Wrong(found))
        }
        Err(unreadable) => Err(unreadable),
    }
}

fn parse(text: &str, path: &Path, folder: &Path) -> Result<Site, LoadError> {
    let mut site = Site::parse(text, &path.display().to_string()).map_err(LoadError::Wrong)?;
    for key in &mut site.vault.keys {
        if let site::KeyFrom::File(file) = &mut key.from {
            *file = folder.join(&*file);
        }
    }
    for relative in [&mut site.data, &mut site.recordings, &mut site.flows] {
        *relative = folder.join(&*relative);
    }
    Ok(site)
}

/// The flows that a parsed site names, checked together with it.
pub fn setup(site: Site, text: &str) -> Result<Loaded, LoadError> {
    if !site.flows.is_dir() {
        let error = std::io::Error::other("the folder of flows is not there");
        return Err(LoadError::Unreadable { path: site.flows.clone(), error });
    }
    // A flow that is not there is a finding of the site's check, which can point at its name.
    let text_of = |name: &String| Some((name.clone(), read(&flow_path(&site, name)).ok()?));
    let flows = site.numbers.iter().map(|n| &n.flow).collect::<BTreeSet<_>>().into_iter().filter_map(text_of).collect();
    let texts = Texts { folder: PathBuf::new(), site: text.into(), flows };
    let setup = texts.setup(site)?;
    let folder = setup.site.flows.clone();
    let has_prompt = |key: &str| prompt_path(&folder, key).is_none_or(|p| p.is_file());
    let flows = setup.flows.iter().map(|(name, flow)| (name.clone(), (**flow).clone())).collect();
    let findings = site::check(&setup.site, &flows, &has_prompt);
    if findings.iter().any(Diagnostic::is_error) {
        return Err(LoadError::Wrong(findings));
    }
    Ok(Loaded { setup, texts, warnings: findings })
}

impl Texts {
    /// The setup as it was when these texts were read, without the checks it passed then.
    pub fn again(&self) -> Result<Setup, LoadError> {
        self.setup(parse(&self.site, Path::new("site.toml"), &self.folder)?)
    }

    fn setup(&self, site: Site) -> Result<Setup, LoadError> {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(self.site.as_bytes());
        let mut flows = BTreeMap::new();
        let mut findings = Vec::new();
        for (name, text) in &self.flows {
            hash.update(text.as_bytes());
            match ivr::Flow::parse(text, &flow_path(&site, name).display().to_string()) {
                Ok(flow) => drop(flows.insert(name.clone(), Arc::new(flow))),
                Err(found) => findings.extend(found),
            }
        }
        if !findings.is_empty() {
            // What follows from a flow that cannot be read is no finding of its own.
            return Err(LoadError::Wrong(findings));
        }
        let sha256 = hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes");
        Ok(Setup { site, flows, sha256 })
    }
}

fn flow_path(site: &Site, name: &str) -> PathBuf {
    site.flows.join(format!("{name}.yaml"))
}

/// `flow/lang/id` is at `flow/prompts/lang/id.wav`; sounds that the media plane makes itself have no file.
fn prompt_path(folder: &Path, key: &str) -> Option<PathBuf> {
    let mut parts = key.splitn(3, '/');
    let (flow, lang, id) = (parts.next()?, parts.next()?, parts.next()?);
    Some(folder.join(flow).join("prompts").join(lang).join(format!("{id}.wav")))
}

fn read(path: &Path) -> Result<String, LoadError> {
    fs::read_to_string(path).map_err(|error| LoadError::Unreadable { path: path.into(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stop_a_site_and_warnings_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("site.toml");
        let site = "name = \"a\"\nflows = \".\"\n[sip]\nlisten = \"127.0.0.1:5060\"\n[media]\nports = \"20000-20999\"\n\
                    [web]\nlisten = \"127.0.0.1:8080\"\n[[tenants]]\nname = \"acme\"\n[queues.\"acme/empty\"]\n";
        fs::write(&file, site).unwrap();
        let loaded = load(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.warnings.len(), 1);
        assert_eq!(loaded.warnings[0].message, "no agent serves the queue `acme/empty`");
        fs::write(&file, format!("{site}overflow_after = \"1m\"\noverflow_to = \"nowhere\"\n")).unwrap();
        let Err(error) = load(&file) else { panic!("a queue that is not there") };
        let shown = error.to_string();
        assert!(shown.contains("error: there is no queue `acme/nowhere`") && shown.contains("warning: no agent"), "{shown}");
        assert!(shown.ends_with("\n1 error"), "{shown}");
    }
}

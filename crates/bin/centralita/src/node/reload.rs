//! The site file and its flows read again while calls go on: all of it, or nothing.
//!
//! ```text
//!   file ─ read, checked ─▶ prompts to the media threads ─▶ Centre (staged, then `Configure`) ─▶ names, token
//!     └ findings ─▶ refused, a fact                             calls in progress keep their flow
//! ```

use super::archive::{Names, StoreArchive};
use super::before::called;
use super::way::Way;
use crate::load::{self, LoadError, Loaded};
use arc_swap::ArcSwap;
use base::Diagnostic;
use engine::{Input, Setup};
use shell_media::Prompts;
use shell_signalling::Signalling;
use shell_web::{Access, Finding, NotReloaded, Reloaded};
use site::Site;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub struct Reloader {
    /// `None`: the site is in no file.
    pub file: Option<PathBuf>,
    /// What counts.
    pub setup: Arc<ArcSwap<Setup>>,
    /// What the media threads have. One reload at a time holds it.
    pub prompts: Mutex<Prompts>,
    pub way: Arc<Way>,
    /// The media threads end with the node, whoever still asks for a reload.
    pub media: Weak<shell_media::Handle>,
    pub signalling: Signalling,
    pub archive: Arc<StoreArchive>,
    pub access: Access,
}

impl shell_web::Reload for Reloader {
    fn reload(&self, who: &str) -> Result<Reloaded, NotReloaded> {
        let reloaded = self.read_again(who);
        match &reloaded {
            Ok(reloaded) => tracing::info!(who, sha256 = reloaded.sha256, "the site was read again and counts from now on"),
            Err(refused) => {
                tracing::error!(who, error = refused.error, "the site was read again and refused");
                // What no finding points at is wrong too.
                let errors = refused.findings.iter().filter(|finding| finding.severity == "error").count().max(1);
                let findings = u32::try_from(errors).unwrap_or(u32::MAX);
                self.way.push(Input::ConfigRejected { findings });
            }
        }
        reloaded
    }
}

impl Reloader {
    fn read_again(&self, who: &str) -> Result<Reloaded, NotReloaded> {
        let mut playing = self.prompts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = &self.file else { return Err(refused("this node's site is in no file", Vec::new())) };
        let Loaded { setup, texts, warnings } = load::load(file).map_err(not_loaded)?;
        self.can_change(&setup.site)?;
        if let Err(error) = crate::sites::keep(&setup.site.data, &setup.sha256, &texts) {
            tracing::error!(%error, "the site's text is not kept: to replay this epoch it must be given");
        }
        let codecs = engine::codecs(&setup.site);
        let prompts = playing.again(&setup.site.flows, &codecs).map_err(|e| refused(&e.to_string(), Vec::new()))?;
        let gone = || refused("the node ends", Vec::new());
        // First, so that a new flow finds its prompts.
        self.media.upgrade().ok_or_else(gone)?.use_prompts(prompts.book().clone());
        *playing = prompts;
        let setup = Arc::new(setup);
        self.way.configure(setup.clone(), who).blocking_recv().map_err(|_| gone())?;
        self.archive.rename(Names::of(&setup.site));
        let token = setup.site.web.token.as_ref().map(|token| token.reveal().as_str());
        self.access.set(token).map_err(|e| refused(&e.to_string(), Vec::new()))?;
        let sha256 = setup.sha256_text();
        self.setup.store(setup);
        Ok(Reloaded { sha256, warnings: warnings.iter().map(finding).collect() })
    }

    /// Whether a running node can take this site.
    fn can_change(&self, new: &Site) -> Result<(), NotReloaded> {
        let old = self.setup.load();
        let found = site::needs_restart(&old.site, new);
        if !found.is_empty() {
            return Err(refused("a setting changed that counts only from a start on", found));
        }
        // From which of our addresses a packet would leave is found out at the start.
        let unknown = |addr: &std::net::SocketAddr| !called(&old.site).any(|known| known.ip() == addr.ip());
        let ours = self.signalling.address().ip();
        match called(new).filter(unknown).find(|addr| self.signalling.local_towards(*addr).ip() != ours) {
            Some(addr) => Err(refused(
                &format!("{addr} is reached from another of this machine's addresses: that takes a restart"),
                Vec::new(),
            )),
            None => Ok(()),
        }
    }
}

fn not_loaded(error: LoadError) -> NotReloaded {
    match error {
        LoadError::Unreadable { .. } => refused(error.to_string().trim_start_matches("error: "), Vec::new()),
        LoadError::Wrong(found) => {
            let errors = found.iter().filter(|finding| finding.is_error()).count();
            refused(&format!("the site has {}", load::counted(errors, "error")), found)
        }
    }
}

fn refused(why: &str, found: Vec<Diagnostic>) -> NotReloaded {
    NotReloaded {
        error: format!("{why}: the old site still counts"),
        expected: "a site file and flows that `centralita check` finds good, with addresses, ports and folders as they were"
            .into(),
        findings: found.iter().map(finding).collect(),
    }
}

fn finding(found: &Diagnostic) -> Finding {
    Finding {
        file: found.file.clone(),
        line: found.line,
        column: found.column,
        severity: if found.is_error() { "error" } else { "warning" },
        message: found.message.clone(),
        help: found.help.clone(),
        shown: found.to_string(),
    }
}

//! The web's doors, opened.

use super::archive::{Names, StoreArchive};
use super::decide::{Outlets, Screen};
use super::keeper::Keeper;
use super::lines::Lines;
use super::options::{begins, health, source};
use super::reload::Reloader;
use super::shelf::Shelf;
use super::{StartError, at};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use engine::Setup;
use shell_store::Store;
use shell_web::{Access, Doors};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vault::Keyring;

pub struct Web {
    pub reloader: Arc<Reloader>,
    stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
    keeper: Keeper,
}

/// What the doors lead to.
pub struct Behind<'a> {
    pub setup: &'a Arc<Setup>,
    pub keys: Option<Arc<Keyring>>,
    /// Where the site is read again from.
    pub file: Option<PathBuf>,
    pub store: Arc<Store>,
    pub outlets: &'a Outlets,
    pub screen: Screen,
    pub figures: Arc<ArcSwap<metrics::Figures>>,
    pub clock: Clock,
}

impl Web {
    pub fn open(lines: Lines, behind: Behind<'_>) -> Result<Web, StartError> {
        let Behind { setup, keys, file, store, outlets, screen, figures, clock } = behind;
        let site = &setup.site;
        let counts = Arc::new(ArcSwap::new(setup.clone()));
        let shelf = Shelf::open(counts.clone(), keys, store.clone(), clock).map_err(at("the log of accesses to recordings"))?;
        let shelf = Arc::new(shelf);
        let archive = StoreArchive::start(store, &outlets.log, shelf.files.clone(), Names::of(site)).map_err(at("the log"))?;
        let access = Access::new(site.web.token.as_ref().map(|t| t.reveal().as_str())).map_err(at("the web"))?;
        let keeper = Keeper::start(shelf.clone()).map_err(at("the thread that keeps recordings"))?;
        let kept = keeper.kept.clone();
        let reloader = Arc::new(Reloader {
            file,
            setup: counts,
            prompts: Mutex::new(lines.prompts),
            way: outlets.way.clone(),
            media: Arc::downgrade(&outlets.media),
            signalling: outlets.signalling.clone(),
            archive: archive.clone(),
            access: access.clone(),
        });
        let media = Arc::downgrade(&outlets.media);
        let doors = Doors {
            snapshot: screen.snapshot.clone(),
            figures: figures.clone(),
            changed: screen.changed.subscribe(),
            clock: Arc::new(move || clock.now()),
            day: Arc::new(begins),
            ask: outlets.way.clone(),
            reload: reloader.clone(),
            archive,
            shelf,
            health: health(outlets, figures, screen, clock, kept),
            quality: Arc::new(move |call| {
                let legs = media.upgrade().map(|media| media.measured(call)).unwrap_or_default();
                legs.into_iter().map(|(leg, stats)| (leg, media::quality::of(&stats))).collect()
            }),
        };
        let config = shell_web::Config { access, source: source(site), site: site.name.clone() };
        let (stop, mut stopped) = watch::channel(false);
        let ended = async move { drop(stopped.wait_for(|stop| *stop).await) };
        let task = tokio::spawn(shell_web::serve(lines.listener, config, doors, ended));
        Ok(Web { reloader, stop, task, keeper })
    }

    /// Ends streams, lets answers under way finish.
    pub async fn close(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
        // What it is at, it ends.
        let keeper = self.keeper;
        let _ = tokio::task::spawn_blocking(move || drop(keeper)).await;
    }
}

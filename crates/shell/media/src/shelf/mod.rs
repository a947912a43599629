//! Recordings that are closed: heard, verified, erased, their keys wrapped anew; and the log of who did it.
//!
//! Names of files come from the store alone, and are checked all the same ([`crate::recorder`]); from outside come ids.

mod access;
mod compress;
mod erase;
mod found;
mod rekey;
mod verify;

pub use access::AccessLog;
pub use compress::{Compressed, NotCompressed};
pub use erase::NotErased;
pub use found::Found;
pub use rekey::Rekeyed;
pub use verify::{Outcome, Verified};

use crate::recorder::{Disk, OsDisk, Places, Sound, SoundError};
use base::RecordingId;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vault::Keyring;

/// The folder of recordings, and what opens those that are sealed.
#[derive(Clone)]
pub struct Shelf {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    keys: Option<Arc<Keyring>>,
    /// Held by whoever destroys a key or wraps it anew: a destroyed one must not come back.
    keys_change: Arc<Mutex<()>>,
}

impl Shelf {
    pub fn new(folder: PathBuf, keys: Option<Arc<Keyring>>) -> Shelf {
        Shelf::on(Arc::new(OsDisk), folder, keys)
    }

    /// With a disk whose steps are somebody else's.
    pub fn on(disk: Arc<dyn Disk>, folder: PathBuf, keys: Option<Arc<Keyring>>) -> Shelf {
        Shelf { folder, disk, keys, keys_change: Arc::default() }
    }

    /// Whether there is a master key; without one recordings are in the clear.
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    fn change_keys(&self) -> MutexGuard<'_, ()> {
        self.keys_change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `file` is below the folder, without extension.
    pub fn sound(&self, file: &str, recording: RecordingId) -> Result<Sound, SoundError> {
        Sound::open_at(&Places::new(&self.folder, file)?, &recording.to_string(), self.keys.as_deref())
    }

    /// Bytes that the disk has left for anybody.
    pub fn room(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// That what is not found below the folder is not there: a volume that is away leaves no folder, or an empty one.
    fn is_here(&self) -> io::Result<()> {
        let away = || io::Error::other(format!("{} is not there or empty, as if its volume was away", self.folder.display()));
        match std::fs::read_dir(&self.folder) {
            Ok(mut list) => list.next().map_or_else(|| Err(away()), |entry| entry.map(drop)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(away()),
            Err(error) => Err(error),
        }
    }

    /// Every file in the folder that has a name as audio of ours has, in any form; `tell` says whether to go on.
    pub fn walk(&self, tell: &mut dyn FnMut(&str, RecordingId) -> bool) -> io::Result<()> {
        crate::recorder::walk(&self.folder, 0, &mut |path| named(&self.folder, path).is_none_or(|(file, id)| tell(&file, id)))
            .map(drop)
    }
}

/// The name below the folder, without extension, and the recording that it says.
fn named(folder: &Path, path: &Path) -> Option<(String, RecordingId)> {
    let file = path.strip_prefix(folder).ok()?.to_str()?;
    let file = crate::recorder::Form::FILES.iter().find_map(|form| file.strip_suffix(form.extension()))?;
    let id = file.rsplit('/').next()?.parse().ok()?;
    Some((file.to_string(), id))
}

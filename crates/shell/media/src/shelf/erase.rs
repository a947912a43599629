//! Erasure: the key first, after which every copy of a sealed file is noise; then the audio; the sidecar stays, and says so.

use super::Shelf;
use crate::recorder::{Disk, Form, Note, OsDisk, Places, State};
use std::fs::File;
use std::io;
use std::path::Path;

/// Why a recording was not erased.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    #[error("it is still recorded")]
    Running,
    /// No audio, no key and no sidecar.
    #[error("there is nothing of it")]
    Missing,
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Shelf {
    /// Whether there is something to erase that may be.
    pub fn may_erase(&self, file: &str) -> Result<(), NotErased> {
        self.to_erase(&Places::new(&self.folder, file)?).map(drop)
    }

    /// False: it had been erased before. What was done is on the disk when this returns. Audio that has lost its sidecar
    /// goes without one.
    pub fn erase(&self, file: &str, why: &str) -> Result<bool, NotErased> {
        let _alone = self.change_keys();
        let places = Places::new(&self.folder, file)?;
        let note = self.to_erase(&places)?;
        let before = note.as_ref().is_some_and(|note| note.state == State::Erased);
        gone(&places.key())?;
        gone(&OsDisk::beside(&places.key()))?;
        for form in Form::FILES {
            gone(&places.audio(form))?;
            gone(&OsDisk::beside(&places.audio(form)))?;
        }
        if let Some(mut note) = note.filter(|_| !before) {
            note.state = State::Erased;
            note.reason = why.into();
            OsDisk.replace(&places.sidecar(), &note.to_json()?)?;
        }
        Ok(!before)
    }

    /// The sidecar, if there is one.
    fn to_erase(&self, places: &Places) -> Result<Option<Note>, NotErased> {
        let json = match std::fs::read(places.sidecar()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if places.file()?.is_some() || places.key().try_exists()? {
                    return Ok(None);
                }
                self.is_here()?;
                return Err(NotErased::Missing);
            }
            read => read?,
        };
        let note: Note = serde_json::from_slice(&json).map_err(io::Error::from)?;
        if note.state == State::Recording { Err(NotErased::Running) } else { Ok(Some(note)) }
    }
}

/// The name is gone from the disk, too.
fn gone(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()),
    }
}

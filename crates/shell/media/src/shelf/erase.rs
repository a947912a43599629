//! Erasure: the key first, after which every copy of a sealed file is noise; then the audio; the sidecar stays, and says so.

use super::Shelf;
use crate::recorder::{Form, Note, Places, State, beside};
use std::path::Path;
use std::{io, iter};

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
        for path in iter::once(places.key()).chain(Form::FILES.map(|form| places.audio(form))) {
            self.gone(&path)?;
            self.gone(&beside(&path))?;
        }
        match note.filter(|_| !before) {
            Some(mut note) => {
                note.state = State::Erased;
                note.reason = why.into();
                self.disk.replace(&places.sidecar(), &note.to_json()?)?;
            }
            // The folder is there still: nothing was taken for gone because its volume was away.
            None => self.disk.sync_folder_of(&places.sidecar())?,
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

    /// The name is gone from the disk, too.
    fn gone(&self, path: &Path) -> io::Result<()> {
        if self.disk.remove_if_there(path)? { self.disk.sync_folder_of(path) } else { Ok(()) }
    }
}

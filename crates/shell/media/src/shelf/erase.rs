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
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Shelf {
    /// False: it had been erased before. What was done is on the disk when this returns.
    pub fn erase(&self, file: &str, why: &str) -> Result<bool, NotErased> {
        let _alone = self.change_keys();
        let places = Places::new(&self.folder, file)?;
        let mut note: Note = serde_json::from_slice(&std::fs::read(places.sidecar())?).map_err(io::Error::from)?;
        if note.state == State::Recording {
            return Err(NotErased::Running);
        }
        let before = note.state == State::Erased;
        gone(&places.key())?;
        gone(&OsDisk::beside(&places.key()))?;
        for form in Form::FILES {
            gone(&places.audio(form))?;
            gone(&OsDisk::beside(&places.audio(form)))?;
        }
        if !before {
            note.state = State::Erased;
            note.reason = why.into();
            OsDisk.replace(&places.sidecar(), &note.to_json()?)?;
        }
        Ok(!before)
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

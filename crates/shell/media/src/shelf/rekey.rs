//! Rotation: the keys of recordings are wrapped by the first master key; audio stays as it is.

use super::Shelf;
use crate::recorder::{Places, random};
use base::RecordingId;
use std::io;
use vault::WrappedKey;
use vault::keys::BadKey;

/// What became of one recording's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rekeyed {
    /// The first master key wraps it now.
    Wrapped,
    /// It did already.
    Kept,
}

impl Shelf {
    /// Of a recording without a key nothing is told.
    pub fn rekey(&self, file: &str, recording: RecordingId) -> io::Result<Option<Rekeyed>> {
        let _alone = self.change_keys();
        let path = Places::new(&self.folder, file)?.key();
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let wrong = |why: BadKey| io::Error::new(io::ErrorKind::InvalidData, why);
        let keys = self.keys.as_ref().ok_or_else(|| wrong(BadKey::NoMaster))?;
        let wrapped = WrappedKey::read(&bytes).map_err(wrong)?;
        Ok(Some(match keys.rewrap(&recording.to_string(), &wrapped, random()?).map_err(wrong)? {
            Some(anew) => {
                self.disk.replace(&path, &anew.to_bytes())?;
                Rekeyed::Wrapped
            }
            None => Rekeyed::Kept,
        }))
    }
}

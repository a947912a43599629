//! What of a recording lies on the disk, without opening it: for the catalogue.

use super::Shelf;
use crate::recorder::{Form, Note, Places, State};
use std::fs::File;
use std::io::{self, Read};
use vault::Header;
use vault::sealed::{Content, HEADER};

/// What there is of one recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Audio, of so many bytes.
    Audio { form: Form, bytes: u64 },
    /// On purpose nothing, and why.
    Erased { why: String },
    /// No audio, and nothing says why.
    Missing,
}

impl Shelf {
    /// An error where nobody can say: the disk can't be asked, or its volume is away.
    pub fn find(&self, file: &str) -> io::Result<Found> {
        let places = Places::new(&self.folder, file)?;
        if let Some(form) = places.file()? {
            let form = if form.is_sealed() { sealed(&places)? } else { form };
            return Ok(Found::Audio { form, bytes: places.bytes() });
        }
        let json = match std::fs::read(places.sidecar()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.is_here()?;
                return Ok(Found::Missing);
            }
            read => read?,
        };
        let erased = serde_json::from_slice::<Note>(&json).ok().filter(|note| note.state == State::Erased);
        Ok(erased.map_or(Found::Missing, |note| Found::Erased { why: note.reason.to_string() }))
    }
}

/// The header is in the clear. One that is none of ours holds samples, as far as anybody can say.
fn sealed(places: &Places) -> io::Result<Form> {
    let mut head = [0; HEADER];
    let read = File::open(places.audio(Form::Sealed))?.read_exact(&mut head);
    let flac = read.is_ok() && Header::read(&head).is_ok_and(|header| header.content == Content::Flac);
    Ok(if flac { Form::SealedFlac } else { Form::Sealed })
}

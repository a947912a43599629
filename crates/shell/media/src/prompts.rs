//! Prompts from disk, beside the built-in sounds.

use media::{BadPrompt, Codec, Prompt, PromptBook};
use ring::digest::{Digest, SHA256, digest};
use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which file could not be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Bad { path: PathBuf, error: BadPrompt },
}

/// The built-in sounds and every `<flows>/<flow>/prompts/<lang>/<id>.wav`, under the key `flow/lang/id`, in G.711 and in the
/// codecs that were asked for.
pub struct Prompts {
    book: Arc<PromptBook>,
    /// By key, the hash of the file that it was read from.
    files: BTreeMap<String, Vec<u8>>,
}

impl Prompts {
    /// A folder that isn't there holds no prompts. The first file that is no prompt is an error.
    pub fn load(flows: &Path, codecs: &[Codec]) -> Result<Prompts, PromptError> {
        Prompts { book: Arc::default(), files: BTreeMap::new() }.read(flows, PromptBook::builtin(codecs))
    }

    /// As it is on disk now, and what only these have, for calls in progress: they may yet ask for a prompt, or speak a codec,
    /// that new ones may not. A file that is as it was is not encoded again.
    pub fn again(&self, flows: &Path, codecs: &[Codec]) -> Result<Prompts, PromptError> {
        let mut prompts = self.read(flows, PromptBook::builtin(&[codecs, self.book.codecs()].concat()))?;
        Arc::make_mut(&mut prompts.book).keep(&self.book);
        Ok(prompts)
    }

    pub fn book(&self) -> &Arc<PromptBook> {
        &self.book
    }

    fn read(&self, flows: &Path, mut book: PromptBook) -> Result<Prompts, PromptError> {
        let files = files(flows)?;
        let loaded = each_at_once(&files, |(key, path)| self.load_one(key, path, book.codecs()));
        let mut hashes = BTreeMap::new();
        for ((key, _), loaded) in files.into_iter().zip(loaded) {
            let (hash, prompt) = loaded?;
            book.insert(&key, prompt);
            hashes.insert(key, hash.as_ref().to_vec());
        }
        Ok(Prompts { book: Arc::new(book), files: hashes })
    }

    fn load_one(&self, key: &str, path: &Path, codecs: &[Codec]) -> Result<(Digest, Arc<Prompt>), PromptError> {
        let bytes = std::fs::read(path).map_err(|error| PromptError::Read { path: path.into(), error })?;
        let hash = digest(&SHA256, &bytes);
        let unchanged = self.book.codecs() == codecs && self.files.get(key).is_some_and(|before| before == hash.as_ref());
        if let Some(prompt) = self.book.find(key).filter(|_| unchanged) {
            return Ok((hash, prompt.clone()));
        }
        let prompt = Prompt::from_wav(&bytes, codecs).map_err(|error| PromptError::Bad { path: path.into(), error })?;
        Ok((hash, Arc::new(prompt)))
    }
}

/// Key and path of each prompt.
fn files(flows: &Path) -> Result<Vec<(String, PathBuf)>, PromptError> {
    let mut files = vec![];
    for (flow, path) in entries(flows)? {
        for (lang, path) in entries(&path.join("prompts"))? {
            let prompts = entries(&path)?.into_iter();
            files
                .extend(prompts.filter_map(|(file, path)| Some((format!("{flow}/{lang}/{}", file.strip_suffix(".wav")?), path))));
        }
    }
    Ok(files)
}

/// What comes of each, in their order, worked out on all cores: to encode minutes of sound takes seconds.
fn each_at_once<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let share = all.len().div_ceil(cores).max(1);
        let threads: Vec<_> = all.chunks(share).map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<_>>())).collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.flatten().collect()
    })
}

/// Names and paths in a folder, sorted; none if it is no folder.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, PromptError> {
    let failed = |error| PromptError::Read { path: folder.into(), error };
    let list = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(vec![]),
        other => other.map_err(failed)?,
    };
    let mut found = vec![];
    for entry in list {
        let entry = entry.map_err(failed)?;
        found.extend(entry.file_name().into_string().ok().map(|name| (name, entry.path())));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second.
    fn write(path: &Path, sample: i16) {
        let spec =
            hound::WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        (0..16_000).for_each(|_| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
    }

    #[test]
    fn read_again_only_what_changed_is_encoded_and_what_is_gone_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("main/prompts/es");
        std::fs::create_dir_all(&folder).unwrap();
        ["same", "other", "gone"].iter().for_each(|id| write(&folder.join(id).with_extension("wav"), 0));
        let before = Prompts::load(dir.path(), &[Codec::G722]).unwrap();
        write(&folder.join("other.wav"), 9_000);
        std::fs::remove_file(folder.join("gone.wav")).unwrap();
        let after = before.again(dir.path(), &[]).unwrap();
        let find = |prompts: &Prompts, id: &str| prompts.book.find(&format!("main/es/{id}")).unwrap().clone();
        let is_the_same = |id| Arc::ptr_eq(&find(&before, id), &find(&after, id));
        assert_eq!(["same", "other", "gone"].map(is_the_same), [true, false, true]);
        assert_eq!(after.book.codecs(), [Codec::G722], "calls in progress may speak it");
        let wider = after.again(dir.path(), &[Codec::G722, Codec::Opus]).unwrap();
        assert!(find(&wider, "same").frame(0, Codec::Opus).is_some(), "another codec, and all are encoded anew");
    }

    #[test]
    fn each_file_is_found_by_flow_language_and_id() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("main/prompts/es");
        std::fs::create_dir_all(&folder).unwrap();
        write(&folder.join("welcome.wav"), 0);
        std::fs::write(folder.join("welcome.txt"), "Hola").unwrap();
        std::fs::write(dir.path().join("main/flow.yaml"), "").unwrap();
        let book = Prompts::load(dir.path(), &[]).unwrap().book;
        assert_eq!(book.find("main/es/welcome").unwrap().frames(), 50);
        assert!(
            ["tone/ringback", "tone/busy", "tone/zip", "tone/beep", "tone/silence", "music/hold"]
                .iter()
                .all(|key| book.find(key).is_some())
        );
        std::fs::write(folder.join("bad.wav"), "RIFF").unwrap();
        let error = Prompts::load(dir.path(), &[]).err().unwrap().to_string();
        assert!(error.contains("main/prompts/es/bad.wav: expected a WAV file"), "{error}");
    }

    #[test]
    fn a_bare_machine_has_the_built_in_sounds() {
        assert_eq!(Prompts::load(Path::new("/nonexistent"), &[]).unwrap().book.keys().count(), 6);
    }
}

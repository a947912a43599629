//! Prompts from disk, beside the built-in sounds.

use media::{BadPrompt, Codec, Prompt, PromptBook};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// Which file could not be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Bad { path: PathBuf, error: BadPrompt },
}

/// The built-in sounds and every `<flows>/<flow>/prompts/<lang>/<id>.wav`, under the key `flow/lang/id`, in G.711 and in these codecs.
/// A folder that isn't there holds no prompts. The first file that is no prompt is an error.
pub fn load_prompts(flows: &Path, codecs: &[Codec]) -> Result<PromptBook, PromptError> {
    let mut book = PromptBook::builtin(codecs);
    let files = files(flows)?;
    let prompts = each_at_once(&files, |(_, path)| load(path, codecs));
    for ((key, _), prompt) in files.iter().zip(prompts) {
        book.insert(key, prompt?);
    }
    Ok(book)
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

fn load(path: &Path, codecs: &[Codec]) -> Result<Prompt, PromptError> {
    let bytes = std::fs::read(path).map_err(|error| PromptError::Read { path: path.into(), error })?;
    Prompt::from_wav(&bytes, codecs).map_err(|error| PromptError::Bad { path: path.into(), error })
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

    #[test]
    fn each_file_is_found_by_flow_language_and_id() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("main/prompts/es");
        std::fs::create_dir_all(&folder).unwrap();
        let spec =
            hound::WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut writer = hound::WavWriter::create(folder.join("welcome.wav"), spec).unwrap();
        (0..16_000).for_each(|_| writer.write_sample(0i16).unwrap());
        writer.finalize().unwrap();
        std::fs::write(folder.join("welcome.txt"), "Hola").unwrap();
        std::fs::write(dir.path().join("main/flow.yaml"), "").unwrap();
        let book = load_prompts(dir.path(), &[]).unwrap();
        assert_eq!(book.find("main/es/welcome").unwrap().frames(), 50);
        assert!(
            ["tone/ringback", "tone/busy", "tone/zip", "tone/beep", "tone/silence", "music/hold"]
                .iter()
                .all(|key| book.find(key).is_some())
        );
        std::fs::write(folder.join("bad.wav"), "RIFF").unwrap();
        let error = load_prompts(dir.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("main/prompts/es/bad.wav: expected a WAV file"), "{error}");
    }

    #[test]
    fn a_bare_machine_has_the_built_in_sounds() {
        assert_eq!(load_prompts(Path::new("/nonexistent"), &[]).unwrap().keys().count(), 6);
    }
}

//! One disk for all that may happen to one: each step is let through, held up, refused, or the last.

use shell_media::{Disk, DiskFile, OsDisk};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What the disk is asked for next.
pub enum Step<'a> {
    /// So many bytes, by which the file grows so much.
    Write {
        path: &'a Path,
        bytes: usize,
        more: u64,
    },
    Sync {
        path: &'a Path,
    },
    /// A file or a name is made, changed or taken away.
    Other,
}

pub enum Fate {
    Done,
    /// Nothing of it happens.
    Refused(io::Error),
    /// Half of what is written is, and nothing else.
    Half(io::Error),
}

type Fault = dyn Fn(&Step) -> Fate + Send + Sync;

#[derive(Clone)]
pub struct Faulty(Arc<Fault>);

struct FaultyFile {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    fault: Arc<Fault>,
    /// Where the next bytes go, and how long the file is.
    next: u64,
    length: u64,
}

impl Faulty {
    pub fn disk(fault: impl Fn(&Step) -> Fate + Send + Sync + 'static) -> Arc<dyn Disk> {
        Arc::new(Faulty(Arc::new(fault)))
    }

    /// One with room for so many bytes, beside sidecars.
    pub fn full_after(bytes: u64) -> Arc<dyn Disk> {
        let left = Mutex::new(bytes);
        Faulty::disk(move |step| {
            let Step::Write { path, more, .. } = step else { return Fate::Done };
            if is_sidecar(path) {
                return Fate::Done;
            }
            let mut left = left.lock().unwrap();
            match left.checked_sub(*more) {
                Some(rest) => {
                    *left = rest;
                    Fate::Done
                }
                None => Fate::Refused(io::ErrorKind::StorageFull.into()),
            }
        })
    }

    /// The process ends after so many steps: nothing it does from then on comes to the disk. With the steps it asked for.
    pub fn ends_after(steps: usize) -> (Arc<dyn Disk>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let disk = Faulty::disk(move |_| {
            let ended = || io::Error::other("the process has ended");
            match count.fetch_add(1, Ordering::Relaxed) {
                n if n < steps => Fate::Done,
                n if n == steps => Fate::Half(ended()),
                _ => Fate::Refused(ended()),
            }
        });
        (disk, asked)
    }

    fn lets(&self, step: &Step) -> io::Result<()> {
        match (self.0)(step) {
            Fate::Done => Ok(()),
            Fate::Refused(error) | Fate::Half(error) => Err(error),
        }
    }
}

/// As it is written, beside the one that it is to replace.
pub fn is_sidecar(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".json.new")
}

impl Disk for Faulty {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        self.lets(&Step::Other)?;
        OsDisk.make_folder(folder)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.lets(&Step::Other)?;
        let (path, fault) = (path.to_path_buf(), self.0.clone());
        Ok(Box::new(FaultyFile { file: OsDisk.create(&path)?, next: 0, length: 0, path, fault }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.lets(&Step::Other)?;
        OsDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.lets(&Step::Other)?;
        OsDisk.remove(path)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.lets(&Step::Other)?;
        OsDisk.sync_folder(folder)
    }
}

impl FaultyFile {
    /// What becomes of these bytes at this place, and how many of them are written.
    fn fate(&mut self, at: u64, bytes: usize) -> (usize, io::Result<()>) {
        let more = (at + bytes as u64).saturating_sub(self.length);
        let (written, fate) = match (self.fault)(&Step::Write { path: &self.path, bytes, more }) {
            Fate::Done => (bytes, Ok(())),
            Fate::Refused(error) => (0, Err(error)),
            Fate::Half(error) => (bytes / 2, Err(error)),
        };
        self.length = self.length.max(at + written as u64);
        (written, fate)
    }
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (written, fate) = self.fate(self.next, bytes.len());
        self.file.write_all(&bytes[..written])?;
        self.next += written as u64;
        fate.map(|()| written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        Faulty(self.fault.clone()).lets(&Step::Sync { path: &self.path })?;
        self.file.sync()
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        Faulty(self.fault.clone()).lets(&Step::Other)?;
        self.length = length;
        self.file.truncate(length)
    }
    fn write_over(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let (written, fate) = self.fate(at, bytes.len());
        self.file.write_over(at, &bytes[..written])?;
        fate
    }
}

//! The port to the disk, so that a full or broken one can be put there.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file being written.
pub trait DiskFile: Write + Send {
    /// All that was written is on the disk when this returns. It is not tried again after an error.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts what a failed write left behind.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Writes over what is at this place; what is written next goes where it would have gone.
    fn write_over(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
}

/// Each call is one step: a process may end between any two of them.
pub trait Disk: Send + Sync {
    /// With those above it; one that is there already is as good.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;
    /// A new file; one that is there already is an error, and so is a folder that is not: its volume is away.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// In the place of what has that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// One that is not there is an error.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder are on the disk when this returns, as are those that are gone.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Puts a whole file there, or leaves the old one.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let beside = beside(path);
        // One that a crash left there is ours: nobody else writes below this folder.
        self.remove_if_there(&beside)?;
        let written = self.create(&beside).and_then(|mut file| file.write_all(content).and_then(|()| file.sync()));
        if let Err(error) = written.and_then(|()| self.rename(&beside, path)) {
            let _ = self.remove(&beside);
            return Err(error);
        }
        // The names themselves: this one's, and the audio's beside it.
        self.sync_folder_of(path)
    }

    /// Whether it was there.
    fn remove_if_there(&self, path: &Path) -> io::Result<bool> {
        match self.remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), |folder| self.sync_folder(folder))
    }
}

/// Where a file is written that is to take another's place; a crash may leave it there.
pub(crate) fn beside(path: &Path) -> PathBuf {
    super::files::add(path, ".new")
}

/// The system's own file system. Files are readable by the group at most: they hold conversations.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o750).create(folder)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn write_over(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }
}

/// What the engine and the sidecar are told of an error.
pub(crate) fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
        io::ErrorKind::FileTooLarge => "file_full",
        io::ErrorKind::AlreadyExists => "file_exists",
        io::ErrorKind::InvalidInput => "bad_file_name",
        io::ErrorKind::InvalidData => "cannot_be_opened",
        _ => "write_failed",
    }
}

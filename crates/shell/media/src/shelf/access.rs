//! The file behind [`vault::access`]: each line is on the disk before what it tells of is done.

use crate::recorder::{self, Disk, DiskFile, OsDisk};
use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use vault::access::{Access, Head, Line};

/// One process writes it.
pub struct AccessLog {
    path: PathBuf,
    tail: Mutex<Tail>,
    is_new: bool,
}

struct Tail {
    file: Box<dyn DiskFile>,
    head: Head,
    /// Bytes of whole lines.
    length: u64,
    /// A write failed, and what it left behind is not cut off yet.
    torn: bool,
    /// Which file it is; none where there is no telling.
    inode: Option<(u64, u64)>,
}

impl AccessLog {
    /// Opens or makes it. A last line that a crash has cut was never answered, and goes; a chain that is broken further up
    /// is left as it is, for the check to find, and goes on from its last line.
    pub fn open(path: &Path) -> io::Result<AccessLog> {
        let is_new = !path.try_exists()?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            tracing::warn!(path = %path.display(), "the access log's last line was cut by a crash, and is dropped");
            file.set_len(whole as u64)?;
            bytes.truncate(whole);
        }
        // A damaged byte is a broken chain, and no reason not to start.
        let text = String::from_utf8_lossy(&bytes);
        let last = text.lines().rev().find_map(|line| serde_json::from_str::<Line>(line).ok());
        let head = last.map_or_else(Head::default, |line| Head { n: line.n, hash: line.hash });
        let inode = inode(&file.metadata()?);
        let tail = Tail { file: Box::new(file), head, length: whole as u64, torn: false, inode: Some(inode) };
        Ok(AccessLog { path: path.into(), tail: Mutex::new(tail), is_new })
    }

    /// It was not there when it was opened.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Why what is written does not go where the log is read.
    pub fn is_away(&self) -> Option<String> {
        self.tail().is_away(&self.path)
    }

    /// On the disk when this returns, as the line of this number; `kept` is told the head before another line comes.
    /// What a failed write left behind is cut off, and the next one tries again.
    pub fn note(&self, access: &Access, kept: impl FnOnce(&Head)) -> io::Result<u64> {
        let mut tail = self.tail();
        if let Some(why) = tail.is_away(&self.path) {
            return Err(io::Error::other(why));
        }
        tail.append(access)?;
        kept(&tail.head);
        Ok(tail.head.n)
    }

    /// A new log of these lines, in the place of this one, which stays beside it under the name that is given.
    pub fn anew(&self, lines: &[Access], aside: &str, kept: impl FnOnce(&Head) -> io::Result<()>) -> io::Result<()> {
        let mut tail = self.tail();
        let beside = recorder::beside(&self.path);
        OsDisk.remove_if_there(&beside)?;
        let mut head = Head::default();
        let text: String = lines.iter().map(|line| head.append(line)).collect();
        let mut file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o640).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let aside = self.path.with_file_name(aside);
        if aside.try_exists()? {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is there already", aside.display())));
        }
        match std::fs::rename(&self.path, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::rename(&beside, &self.path)?;
        OsDisk.sync_folder_of(&self.path)?;
        let inode = Some(inode(&file.metadata()?));
        *tail = Tail { file: Box::new(file), head, length: text.len() as u64, torn: false, inode };
        kept(&tail.head)
    }

    /// All of it, as it is on the disk.
    pub fn read(&self) -> io::Result<String> {
        let _tail = self.tail();
        Ok(String::from_utf8_lossy(&std::fs::read(&self.path)?).into_owned())
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    fn append(&mut self, access: &Access) -> io::Result<()> {
        if self.torn {
            self.file.truncate(self.length)?;
            self.torn = false;
        }
        let mut head = self.head.clone();
        let line = head.append(access);
        if let Err(error) = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync()) {
            self.torn = self.file.truncate(self.length).is_err();
            return Err(error);
        }
        self.length += line.len() as u64;
        self.head = head;
        Ok(())
    }

    fn is_away(&self, path: &Path) -> Option<String> {
        let here = std::fs::metadata(path).map(|file| self.inode.is_none_or(|open| open == inode(&file)));
        match here {
            Ok(true) => None,
            Ok(false) => Some("the log of accesses was replaced while it was written".into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("the log of accesses was moved away while it was written".into())
            }
            Err(error) => Some(format!("the log of accesses can't be looked at: {error}")),
        }
    }
}

fn inode(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use vault::access::{Act, check};

    #[test]
    fn a_log_goes_on_after_a_restart_and_drops_a_line_that_a_crash_has_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let access = access();
        AccessLog::open(&path).unwrap().note(&access, |_| {}).unwrap();
        let mut torn = std::fs::read_to_string(&path).unwrap();
        torn.push_str("{\"n\":2,\"at\":");
        std::fs::write(&path, torn).unwrap();
        let log = AccessLog::open(&path).unwrap();
        log.note(&access, |_| {}).unwrap();
        assert_eq!(check(&log.read().unwrap()).map(|c| c.head.n), Ok(2));
        let mut damaged = std::fs::read(&path).unwrap();
        damaged[10] = 0xFF;
        std::fs::write(&path, damaged).unwrap();
        let log = AccessLog::open(&path).unwrap();
        log.note(&access, |_| {}).unwrap();
        assert!(check(&log.read().unwrap()).is_err(), "it is told by the check, and the node starts");
    }

    fn access() -> Access {
        let (at, who, recording) = ("now".into(), "ana".into(), "1-1-1.c1.p1".into());
        Access { at, who, act: Act::Play, recording, why: String::new(), refused: None }
    }

    /// A disk that is full at its first write, after half of it.
    struct Full(File, bool);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::take(&mut self.1) {
                self.0.write_all(&bytes[..bytes.len() / 2])?;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl DiskFile for Full {
        fn sync(&mut self) -> io::Result<()> {
            self.0.sync_all()
        }
        fn truncate(&mut self, length: u64) -> io::Result<()> {
            self.0.set_len(length)
        }
        fn write_over(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
            self.0.write_over(at, bytes)
        }
    }

    #[test]
    fn a_disk_that_was_full_is_written_again_once_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let log = AccessLog::open(&path).unwrap();
        log.note(&access(), |_| {}).unwrap();
        log.tail().file = Box::new(Full(OpenOptions::new().append(true).open(&path).unwrap(), true));
        assert!(log.note(&access(), |_| panic!("nothing was written")).is_err());
        assert_eq!(log.note(&access(), |head| assert_eq!(head.n, 2)).unwrap(), 2);
        assert_eq!(check(&log.read().unwrap()).map(|checked| checked.head.n), Ok(2));
    }

    #[test]
    fn a_log_that_is_moved_away_is_written_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let log = AccessLog::open(&path).unwrap();
        log.note(&access(), |_| {}).unwrap();
        std::fs::rename(&path, folder.path().join("aside")).unwrap();
        assert!(log.is_away().is_some() && log.note(&access(), |_| {}).is_err());
        std::fs::write(&path, "").unwrap();
        assert!(log.is_away().is_some(), "another file is not this log");
        log.anew(&[access()], "aside-2", |_| Ok(())).unwrap();
        assert_eq!((log.note(&access(), |_| {}).unwrap(), log.is_away()), (2, None));
    }
}

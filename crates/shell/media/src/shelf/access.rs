//! The file behind [`vault::access`]: each line is on the disk before what it tells of is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use vault::access::{Access, Head, Line, check};

/// One process writes it.
pub struct AccessLog {
    path: PathBuf,
    tail: Mutex<Tail>,
}

struct Tail {
    file: File,
    head: Head,
    /// After a failed write nobody knows what the file ends with.
    failed: bool,
}

impl AccessLog {
    /// Opens or makes it. A last line that a crash has cut was never answered, and goes; a chain that is broken further up
    /// is left as it is, for the check to find, and goes on from its last line.
    pub fn open(path: &Path) -> io::Result<AccessLog> {
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
        if let Err(broken) = check(&text) {
            tracing::error!(path = %path.display(), %broken, "the access log's chain is broken");
        }
        let last = text.lines().rev().find_map(|line| serde_json::from_str::<Line>(line).ok());
        let head = last.map_or_else(Head::default, |line| Head { n: line.n, hash: line.hash });
        Ok(AccessLog { path: path.into(), tail: Mutex::new(Tail { file, head, failed: false }) })
    }

    /// On the disk when this returns, as the line of this number.
    pub fn note(&self, access: &Access) -> io::Result<u64> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.failed {
            return Err(io::Error::other("the access log could not be written before; a restart mends it"));
        }
        let mut head = tail.head.clone();
        let line = head.append(access);
        let written = tail.file.write_all(line.as_bytes()).and_then(|()| tail.file.sync_data());
        tail.failed = written.is_err();
        tail.head = head;
        written.map(|()| tail.head.n)
    }

    /// All of it, as it is on the disk.
    pub fn read(&self) -> io::Result<String> {
        let _tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(String::from_utf8_lossy(&std::fs::read(&self.path)?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vault::access::Act;

    #[test]
    fn a_log_goes_on_after_a_restart_and_drops_a_line_that_a_crash_has_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let access =
            Access { at: "now".into(), who: "ana".into(), act: Act::Play, recording: "1-1-1.c1.p1".into(), why: String::new() };
        AccessLog::open(&path).unwrap().note(&access).unwrap();
        let mut torn = std::fs::read_to_string(&path).unwrap();
        torn.push_str("{\"n\":2,\"at\":");
        std::fs::write(&path, torn).unwrap();
        let log = AccessLog::open(&path).unwrap();
        log.note(&access).unwrap();
        assert_eq!(check(&log.read().unwrap()).map(|c| c.head.n), Ok(2));
        let mut damaged = std::fs::read(&path).unwrap();
        damaged[10] = 0xFF;
        std::fs::write(&path, damaged).unwrap();
        let log = AccessLog::open(&path).unwrap();
        log.note(&access).unwrap();
        assert!(check(&log.read().unwrap()).is_err(), "it is told by the check, and the node starts");
    }
}

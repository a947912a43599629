//! The one file of what is kept, and the lock that keeps a second process out.

use crate::clerk::Clerk;
use crate::error::{Result, StoreError};
use crate::schema;
use base::{Pii, Tenant};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use rustix::fs::FlockOperation;
use std::fs::{File, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections that are kept for the next who goes through many rows; of more at once, each opens its own.
const IDLE: usize = 4;

/// `<data>/centralita.db`. Any thread may read; the log is written by the [`crate::Writer`] alone. Whoever asks for
/// something waits neither for a write's fsync nor for whoever goes through all recordings at the lowest priority.
pub struct Store {
    dir: PathBuf,
    file: PathBuf,
    db: Mutex<Connection>,
    /// Makes every change beside the log.
    clerk: Clerk,
    /// Of nobody at the moment, for whoever goes through many rows.
    idle: Mutex<Vec<Connection>>,
    connect: fn(&Path) -> Result<Connection>,
    /// Held as long as this lives: the lock on the folder. None of one that only looks.
    _lock: Option<File>,
}

/// A caller's number and name, from the erasable table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub number: Pii<Arc<str>>,
    pub name: Pii<Arc<str>>,
}

impl Store {
    /// Opens the folder, makes it if it is not there, and locks it. After a kill SQLite rolls its WAL forward here.
    pub fn open(dir: &Path) -> Result<Store> {
        std::fs::create_dir_all(dir).map_err(StoreError::file(dir))?;
        let lock = lock(dir)?;
        let file = dir.join("centralita.db");
        let mut db = schema::connect(&file)?;
        // Numbers are in it; its WAL takes over what it may.
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(StoreError::file(&file))?;
        schema::prepare(&mut db, &file)?;
        let clerk = Clerk::start(schema::connect(&file)?)?;
        let (db, idle) = (db.into(), Mutex::default());
        Ok(Store { dir: dir.into(), file, db, clerk, idle, connect: schema::connect, _lock: Some(lock) })
    }

    /// The folder of a node that may run: nothing is made, locked or written.
    pub fn look(dir: &Path) -> Result<Store> {
        let file = dir.join("centralita.db");
        let clerk = Clerk::start(schema::look(&file)?)?;
        let (db, idle) = (schema::look(&file)?.into(), Mutex::default());
        Ok(Store { dir: dir.into(), file, db, clerk, idle, connect: schema::look, _lock: None })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Raises the durable counter: no epoch is ever used twice. Once at each start.
    pub fn begin_epoch(&self) -> Result<u32> {
        let boot_id = random_id()?;
        self.write(move |tx| {
            let epoch: u32 = tx.query_row("SELECT COALESCE(MAX(epoch), 0) + 1 FROM epoch", [], |row| row.get(0))?;
            tx.execute("INSERT INTO epoch (epoch, boot_id) VALUES (?1, ?2)", params![epoch, boot_id])?;
            Ok(epoch)
        })
    }

    /// The random name of an epoch's boot, within which monotonic times compare.
    pub fn boot_id(&self, epoch: u32) -> Result<Option<String>> {
        Ok(self.db().query_row("SELECT boot_id FROM epoch WHERE epoch = ?1", [epoch], |row| row.get(0)).optional()?)
    }

    /// Every phone's bindings as they were handed to the writer.
    pub fn bindings(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let db = self.db();
        let mut rows = db.prepare_cached("SELECT user, bindings FROM binding ORDER BY user")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every promise to call somebody back, as it was handed to the writer.
    pub fn promises(&self) -> Result<Vec<Vec<u8>>> {
        let db = self.db();
        let mut rows = db.prepare_cached("SELECT promise FROM promise ORDER BY call")?;
        let rows = rows.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Number and name; none if never known, or erased.
    pub fn party(&self, tenant: &Tenant, party: base::PartyId) -> Result<Option<Party>> {
        let sql = "SELECT number, name FROM party WHERE tenant = ?1 AND party = ?2";
        let db = self.db();
        let mut row = db.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row| {
            let (number, name): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(Party { number: Pii::new(number.into()), name: Pii::new(name.into()) })
        };
        Ok(row.query_row(params![tenant.as_str(), party.to_string()], read).optional()?)
    }

    /// What the network said about a call; none if it said nothing, or its party is erased.
    pub fn user_to_user(&self, call: base::CallId) -> Result<Option<Pii<Arc<str>>>> {
        let db = self.db();
        let mut row = db.prepare_cached("SELECT value FROM user_to_user WHERE call = ?1")?;
        let value: Option<String> = row.query_row([call.to_string()], |row| row.get(0)).optional()?;
        Ok(value.map(|value| Pii::new(value.into())))
    }

    /// Erases a person: the log keeps the figures. False if there was nothing. [`StoreError::StillRead`] where somebody who
    /// reads keeps bytes of it from being overwritten, who is waited for as long as for any lock.
    pub fn erase_party(&self, tenant: &Tenant, party: base::PartyId) -> Result<bool> {
        let (tenant, party) = (tenant.to_string(), party.to_string());
        let n = self.write(move |tx| {
            let whose = params![tenant, party];
            tx.execute("DELETE FROM user_to_user WHERE tenant = ?1 AND party = ?2", whose)?;
            tx.execute("DELETE FROM promise WHERE tenant = ?1 AND party = ?2", whose)?;
            Ok(tx.execute("DELETE FROM party WHERE tenant = ?1 AND party = ?2", whose)?)
        })?;
        // The WAL still holds the bytes: fold it into the file, where they are overwritten.
        let busy: bool = self.clerk.alone(|db| Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?))?;
        if busy { Err(StoreError::StillRead) } else { Ok(n > 0) }
    }

    /// A connection of its own, for a thread that writes.
    pub(crate) fn connect(&self) -> Result<Connection> {
        schema::connect(&self.file)
    }

    pub(crate) fn db(&self) -> MutexGuard<'_, Connection> {
        held(&self.db)
    }

    /// A change beside the log, in one transaction; committed when this returns.
    pub(crate) fn write<T: Send + 'static>(&self, change: impl FnOnce(&Transaction) -> Result<T> + Send + 'static) -> Result<T> {
        self.clerk.write(change)
    }

    /// On a connection of the reader's own: of two who go through many rows neither waits for the other.
    pub(crate) fn page<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = held(&self.idle).pop();
        let connection = idle.map_or_else(|| (self.connect)(&self.file), Ok)?;
        let page = read(&connection);
        let mut idle = held(&self.idle);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        page
    }
}

/// A panic while it was held left no half-made change: a transaction that is dropped rolls back.
fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks `<dir>/lock`, which holds the process's number for whoever finds it taken.
fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(StoreError::file(&path))?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut text = String::new();
        let process = Read::take(&mut file, 20).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
        return Err(StoreError::InUse { folder: dir.into(), process });
    }
    let write = |file: &mut File| -> std::io::Result<()> {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(StoreError::file(&path))?;
    Ok(file)
}

/// 128 random bits, as 32 hexadecimal digits.
fn random_id() -> Result<String> {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).map_err(|_| StoreError::Randomness)?;
    Ok(base::hex::encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Audio;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn whoever_asks_waits_neither_for_a_write_nor_for_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let (tell, told) = mpsc::channel();
        let asks = store.clone();
        let asked = store.page(|_| {
            store.write(move |change| {
                change.execute("INSERT INTO believed_clock (only, at) VALUES (1, 7)", [])?;
                std::thread::spawn(move || {
                    let files = asks.files((0, 0), 10, Audio::Seen).unwrap();
                    tell.send((asks.believed_clock().unwrap(), files.len()))
                });
                Ok(told.recv_timeout(Duration::from_secs(20)))
            })
        });
        assert_eq!(asked.unwrap(), Ok((None, 0)));
        assert_eq!(store.believed_clock().unwrap(), Some(base::Wall(7)));
        assert_eq!(held(&store.idle).len(), 2, "each had its own, for the next");
    }

    #[test]
    fn what_a_reader_keeps_in_the_log_of_writes_is_not_said_to_be_erased() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (tenant, whose) = ("acme".parse().unwrap(), base::PartyId(8));
        let sql = "INSERT INTO party (tenant, party, number, name) VALUES ('acme', '8', '+525550007', 'Eva')";
        store.write(move |tx| Ok(tx.execute(&sql.replace("'8'", &format!("'{whose}'")), []).map(drop)?)).unwrap();
        store.clerk.alone(|db| Ok(db.busy_timeout(Duration::from_millis(1))?)).unwrap();
        let erased = store.page(|db| {
            db.execute_batch("BEGIN; SELECT * FROM party")?;
            let erased = store.erase_party(&tenant, whose);
            db.execute_batch("COMMIT").map(|()| erased).map_err(Into::into)
        });
        assert!(matches!(erased.unwrap(), Err(StoreError::StillRead)));
        assert!(!store.erase_party(&tenant, whose).unwrap(), "it was deleted then, and is gone now");
        let left = std::fs::read(folder.path().join("centralita.db-wal")).unwrap_or_default();
        assert!(!left.windows(10).any(|bytes| bytes == b"+525550007"));
    }

    #[test]
    fn nothing_is_written_where_somebody_asks() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let asking = store.db();
        let (tell, told) = mpsc::channel();
        let other = store.clone();
        std::thread::spawn(move || {
            let (at, tenant) = (base::Wall(7), "acme".parse().unwrap());
            let acted = other.act_on_ticket(at, "ana", &tenant, tickets::Number(1), tickets::Act::Close).unwrap();
            let progress =
                tickets::Progress { fate: tickets::Fate::Done, attempts: 1, due_in: Duration::ZERO, last: String::new() };
            tickets::Rows::save(&*other, at, 1, &progress).unwrap();
            let done = [other.replay_outbox(at, 1).unwrap(), other.erase_party(&tenant, base::PartyId(1)).unwrap()];
            let about = other.about("1-1-1.c1.p1".parse().unwrap()).unwrap().is_none();
            tell.send((acted.is_none(), done, about))
        });
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok((true, [false; 2], true)));
        drop(asking);
    }
}

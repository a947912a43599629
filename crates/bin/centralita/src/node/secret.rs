//! Keys that live in the data folder, and seeds from the system.

use ring::rand::{SecureRandom, SystemRandom};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The key that turns numbers into party ids: made once, readable by this user alone.
pub fn party_key(data: &Path) -> io::Result<[u8; 32]> {
    let path = data.join("party.key");
    let mut key = [0u8; 32];
    match File::options().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            fill(&mut key)?;
            file.write_all(&key)?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(&path)?.read_exact(&mut key)?,
        Err(error) => return Err(error),
    }
    Ok(key)
}

pub fn seed() -> io::Result<u64> {
    let mut bytes = [0u8; 8];
    fill(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

fn fill(bytes: &mut [u8]) -> io::Result<()> {
    SystemRandom::new().fill(bytes).map_err(|_| io::Error::other("the system gave no randomness"))
}

//! The texts of each site that counted, beside the journals: a journal names them by their hash only.
//!
//! ```text
//! <data>/sites/<sha256>.json    readable by this user alone: site files hold passwords
//! ```

use crate::load::{LoadError, Texts};
use base::hex;
use engine::Setup;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Texts kept; the oldest make room.
const KEPT: usize = 200;

/// Keeps the texts with this hash. The newest use of a text is its age.
pub fn keep(data: &Path, sha256: &[u8; 32], texts: &Texts) -> io::Result<()> {
    let folder = data.join("sites");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    // Whole or not at all: a kill leaves the other name behind.
    let (path, begun) = (path_of(data, sha256), folder.join("begun"));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&begun)?;
    file.write_all(&serde_json::to_vec(texts)?)?;
    file.sync_all()?;
    fs::rename(begun, path)?;
    make_room(&folder)
}

/// The setup of this hash, if its texts were kept.
pub fn find(data: &Path, sha256: &[u8; 32]) -> Option<Result<Setup, LoadError>> {
    let path = path_of(data, sha256);
    let unreadable = |error| LoadError::Unreadable { path: path.clone(), error };
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        read => read.map_err(unreadable),
    };
    let texts = bytes.and_then(|bytes| serde_json::from_slice::<Texts>(&bytes).map_err(|e| unreadable(e.into())));
    let setup = texts.and_then(|texts| texts.again());
    Some(setup.and_then(|setup| match setup.sha256 == *sha256 {
        true => Ok(setup),
        false => Err(unreadable(io::Error::other("the texts are not those of this hash"))),
    }))
}

fn path_of(data: &Path, sha256: &[u8; 32]) -> PathBuf {
    data.join("sites").join(format!("{}.json", hex::encode(sha256)))
}

fn make_room(folder: &Path) -> io::Result<()> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        kept.push((entry.metadata()?.modified()?, entry.path()));
    }
    kept.sort();
    kept.iter().rev().skip(KEPT).try_for_each(|(_, path)| fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const SITE: &str = include_str!("../../../../deploy/demo.toml");
    const FLOW: &str = include_str!("../../../../ivr-flows/service-desk.yaml");

    fn texts() -> Texts {
        let flows = [("service-desk".to_string(), FLOW.to_string())].into();
        Texts { folder: "/srv/centralita".into(), site: SITE.into(), flows }
    }

    #[test]
    fn a_site_comes_back_by_its_hash_and_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let setup = texts().again().unwrap();
        assert!(find(dir.path(), &setup.sha256).is_none());
        keep(dir.path(), &setup.sha256, &texts()).unwrap();
        let found = find(dir.path(), &setup.sha256).unwrap().unwrap();
        assert_eq!((found.sha256, found.site), (setup.sha256, setup.site));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("sites")), 0o700);
        assert_eq!(mode(&path_of(dir.path(), &setup.sha256)), 0o600);
    }

    #[test]
    fn texts_that_were_changed_are_not_taken_for_the_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let setup = texts().again().unwrap();
        let changed = Texts { site: format!("{SITE}\n# another\n"), ..texts() };
        keep(dir.path(), &setup.sha256, &changed).unwrap();
        let error = find(dir.path(), &setup.sha256).unwrap().err().unwrap().to_string();
        assert!(error.contains("not those of this hash"), "{error}");
    }
}

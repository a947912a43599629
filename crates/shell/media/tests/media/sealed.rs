//! Sealed recordings over real sockets and a real disk: with their key they are heard, and without it they are noise.

use crate::common::*;
use crate::disk::Faulty;
use crate::recordings::{closed, is_cut_off_by, killed};
use media::{Command, tone};
use shell_media::{Sound, SoundError, repair};
use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use vault::Keyring;
use vault::keys::BadKey;

fn sealed(folder: &Path) -> PathBuf {
    folder.join(format!("{FILE}.sealed"))
}

fn open(folder: &Path, keys: Option<&Keyring>) -> Result<Sound, SoundError> {
    Sound::open(folder, FILE, &RECORDING.to_string(), keys)
}

/// Closed in order, with two seconds of both.
pub fn recorded() -> Room {
    let room = Room::sealed(|_| {});
    let (mut caller, mut agent) = (room.peer(CALLER), room.peer(AGENT));
    room.join(CALLER, AGENT);
    room.record();
    talk((&mut caller, 440.0), (&mut agent, 700.0), 100);
    caller.get_some(100);
    agent.get_some(100);
    room.send(Command::StopRecording { recording: RECORDING });
    let (_, complete, reason) = closed(&room);
    assert!(complete, "{reason}");
    room
}

#[test]
fn a_sealed_conversation_is_heard_with_its_key_and_with_no_other() {
    let room = recorded();
    assert!(!room.wav().exists());
    let (left, right) = heard(room.sound().unwrap());
    let (l, r) = (onset(&left), onset(&right));
    assert!(tone::carries(&left[l..l + 12_000], 8_000, 440.0) && tone::carries(&right[r..r + 12_000], 8_000, 700.0));
    let mut wav = vec![];
    room.sound().unwrap().read_to_end(&mut wav).unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, &wav);
    assert_eq!(room.note()["sha256"], hash.as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>());
    assert_eq!((&room.note()["form"], &room.note()["sha256_of"]), (&"sealed".into(), &"wav".into()));
    let file = std::fs::read(sealed(room.folder.path())).unwrap();
    let spoken = &wav[44 + 4 * l..][..64];
    assert!(!file.windows(64).any(|window| window == spoken), "no sample is in the clear");

    let folder = room.folder.path();
    assert!(matches!(open(folder, None), Err(SoundError::NoMaster)));
    assert!(matches!(open(folder, Some(&keys(&["2027"]))), Err(SoundError::Key(BadKey::Unknown(_)))));
    assert!(open(folder, Some(&keys(&["2027", "2026"]))).is_ok());
    std::fs::remove_file(folder.join(format!("{FILE}.key"))).unwrap();
    assert!(matches!(open(folder, Some(&keys(&["2026"]))), Err(SoundError::NoKey)), "erased with its key");
}

#[test]
fn a_player_may_begin_anywhere_in_a_sealed_file() {
    let room = recorded();
    let mut sound = room.sound().unwrap();
    let mut whole = vec![];
    sound.read_to_end(&mut whole).unwrap();
    assert_eq!(whole.len() as u64, sound.length());
    for at in [0, 1, 43, 44, 45, 12_843, 12_844, 12_845, 30_000, whole.len() - 1, whole.len(), whole.len() + 9] {
        sound.seek(SeekFrom::Start(at as u64)).unwrap();
        let mut rest = vec![];
        sound.read_to_end(&mut rest).unwrap();
        assert!(rest == whole[at.min(whole.len())..], "from {at}");
    }
}

#[test]
fn a_changed_byte_is_never_heard() {
    let room = recorded();
    let path = sealed(room.folder.path());
    let mut file = std::fs::read(&path).unwrap();
    let middle = file.len() / 2;
    file[middle] ^= 1;
    std::fs::write(&path, &file).unwrap();
    let error = room.sound().unwrap().read_to_end(&mut vec![]).unwrap_err();
    assert!(error.to_string().contains("was changed"), "{error}");
    // Cut at the end of a chunk it still opens, and says that it is not whole.
    file[middle] ^= 1;
    std::fs::write(&path, &file[..32 + 12_800 + 20]).unwrap();
    let sound = room.sound().unwrap();
    assert_eq!((sound.frames(), sound.is_whole()), (3_200, false));
}

#[test]
fn a_disk_that_fills_up_cuts_a_sealed_recording_and_not_the_call() {
    let room = Room::sealed(|config| config.disk = Faulty::full_after(200 + 40_000));
    is_cut_off_by(&room);
    assert!(!room.sound().unwrap().is_whole());
    assert_eq!((&room.note()["state"], &room.note()["reason"]), (&"partial".into(), &"disk_full".into()));
}

#[test]
fn a_disk_that_is_full_from_the_start_leaves_no_half_of_a_sealed_file() {
    for room_left in [10, 100] {
        let room = Room::sealed(|config| config.disk = Faulty::full_after(room_left));
        let _peers = (room.peer(CALLER), room.peer(AGENT));
        let sidecar = Box::new(sidecar());
        let (left, right) = (vec![CALLER], vec![AGENT]);
        room.send(Command::Record { recording: RECORDING, left, right, file: FILE.into(), sidecar });
        let failed = media::Input::RecordingFailed { recording: RECORDING, reason: "disk_full".into() };
        assert_eq!(room.wait(|_| true), failed);
        assert_eq!(std::fs::read_dir(room.wav().parent().unwrap()).unwrap().count(), 0, "{room_left}");
    }
}

#[test]
fn a_process_that_is_killed_leaves_a_sealed_file_that_opens_up_to_its_last_second() {
    let folder = killed(true);
    let ring = keys(&["2026"]);
    let before = open(folder.path(), Some(&ring)).unwrap().frames();
    assert!(before >= 16_000, "three seconds were said, {} ms open before any repair", before / 8);
    // Half a chunk, as a write that the end of the machine has cut.
    let path = sealed(folder.path());
    let mut file = std::fs::read(&path).unwrap();
    let chunk = file[32..500].to_vec();
    file.extend(chunk);
    std::fs::write(&path, file).unwrap();

    let repaired = repair(folder.path(), &BTreeSet::new(), None).unwrap();
    assert_eq!(repaired.len(), 1);
    assert_eq!((&*repaired[0].reason, &*repaired[0].file, repaired[0].recording), ("node_lost", FILE, RECORDING));
    assert_eq!(repaired[0].duration_ms, before / 8, "counted without a key");
    let note: serde_json::Value = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
    assert_eq!((&note["state"], &note["sha256_of"]), (&"partial".into(), &"file".into()));
    let sound = open(folder.path(), Some(&ring)).unwrap();
    assert_eq!((sound.frames(), sound.is_whole()), (before, false));
    let (left, right) = heard(sound);
    assert!(tone::carries(&left[onset(&left)..], 8_000, 440.0) && tone::carries(&right[onset(&right)..], 8_000, 700.0));
    assert_eq!(repair(folder.path(), &BTreeSet::new(), None).unwrap(), [], "it is mended once");
}

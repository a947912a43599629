//! Three at once over real sockets: who hears whom, and what is recorded of it.

use crate::common::*;
use media::{Command, Input, Sound, Tone, tone};
use shell_media::repair;
use std::collections::BTreeSet;

const ALL: [base::LegId; 3] = [CALLER, AGENT, SUPERVISOR];

fn room_of_three() -> (Room, [Peer; 3]) {
    let room = Room::new();
    let peers = ALL.map(|leg| room.peer(leg));
    (room, peers)
}

fn all_hear(room: &Room, hears: [&[base::LegId]; 3]) {
    ALL.into_iter().zip(hears).for_each(|(leg, others)| room.hear(leg, others));
}

/// What each of them heard in its next `count` packets, without the first ones: a mix has yet to fill its buffers.
fn heard(peers: &[Peer; 3], count: usize) -> [Vec<&'static str>; 3] {
    peers.each_ref().map(|peer| who(&audio(&peer.get_some(count)[10..])))
}

fn assert_one_stream(got: &[Got]) {
    for pair in got.windows(2) {
        assert_eq!(pair[1].header.ssrc, pair[0].header.ssrc);
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        assert!(pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp).cast_signed() >= 160);
    }
}

#[test]
fn three_in_a_conference_each_hear_the_two_others() {
    let (room, mut peers) = room_of_three();
    all_hear(&room, [&[AGENT, SUPERVISOR], &[CALLER, SUPERVISOR], &[CALLER, AGENT]]);
    talk_all(&mut peers, 100);
    assert_eq!(heard(&peers, 90), [["agent", "supervisor"], ["caller", "supervisor"], ["caller", "agent"]]);
}

#[test]
fn a_supervisor_listens_whispers_and_barges_in_on_one_stream_to_each() {
    let (room, mut peers) = room_of_three();
    let mut got: [Vec<Got>; 3] = Default::default();
    let (caller, agent, supervisor) = (&[CALLER][..], &[AGENT][..], &[SUPERVISOR][..]);
    for (hears, expected) in [
        ([agent, caller, &[CALLER, AGENT]], [&["agent"][..], &["caller"], &["caller", "agent"]]),
        ([agent, &[CALLER, SUPERVISOR], &[CALLER, AGENT]], [&["agent"], &["caller", "supervisor"], &["caller", "agent"]]),
        (
            [&[AGENT, SUPERVISOR], &[CALLER, SUPERVISOR], &[CALLER, AGENT]],
            [&["agent", "supervisor"], &["caller", "supervisor"], &["caller", "agent"]],
        ),
        ([supervisor, &[], caller], [&["supervisor"], &[], &["caller"]]),
    ] {
        all_hear(&room, hears);
        // Commands are carried out in order: when this tone has been played, the others have been too.
        room.send(Command::Play { leg: CALLER, play: 1, sounds: vec![Sound::Tone(Tone::Beep)] });
        room.wait(|i| matches!(i, Input::PlayDone { .. }));
        peers.iter().zip(&mut got).for_each(|(peer, got)| got.extend(peer.drain()));
        talk_all(&mut peers, 80);
        for ((peer, got), expected) in peers.iter().zip(&mut got).zip(expected) {
            let heard = peer.drain();
            assert_eq!(who(&audio(heard.get(10..).unwrap_or_default())), expected);
            got.extend(heard);
        }
    }
    got.iter().for_each(|got| assert_one_stream(got));
}

#[test]
fn a_recorded_conference_has_both_sides_and_who_joined_from_when_he_did() {
    let (room, mut peers) = room_of_three();
    room.join(CALLER, AGENT);
    room.record();
    talk_all(&mut peers, 100);
    all_hear(&room, [&[AGENT, SUPERVISOR], &[CALLER, SUPERVISOR], &[CALLER, AGENT]]);
    room.send(Command::RecordLegs { recording: RECORDING, left: vec![CALLER], right: vec![AGENT, SUPERVISOR] });
    talk_all(&mut peers, 100);
    peers[2].get_some(90);
    room.send(Command::StopRecording { recording: RECORDING });
    let closed = room.wait(|i| matches!(i, Input::RecordingClosed { .. }));
    assert!(matches!(closed, Input::RecordingClosed { complete: true, .. }), "{closed:?}");
    let (left, right) = channels(&room.wav());
    let start = onset(&left);
    assert_eq!(who(&left[start..][..30_000]), ["caller"]);
    assert_eq!(who(&right[start + 400..][..15_000]), ["agent"]);
    assert_eq!(who(&right[start + 16_800..][..12_800]), ["agent", "supervisor"]);
}

#[test]
fn a_voicemail_is_a_file_of_one_channel_which_a_crash_leaves_playable() {
    let room = Room::new();
    let mut caller = room.peer(CALLER);
    room.record_legs(&[CALLER], &[]);
    let beat = crossbeam::channel::tick(std::time::Duration::from_millis(20));
    (0..50).for_each(|_| {
        beat.recv().unwrap();
        caller.say(400.0);
    });
    room.send(Command::Close { leg: CALLER });
    let Input::RecordingClosed { duration_ms, complete: true, .. } = room.wait(|i| matches!(i, Input::RecordingClosed { .. }))
    else {
        panic!("expected a complete recording")
    };
    let voice = samples(&room.wav(), 1);
    assert_eq!(voice.len() as u64 / 8, duration_ms);
    assert!(tone::carries(&voice[onset(&voice)..][..7_000], 8_000, 400.0));
    assert_eq!(room.note()["channels"], serde_json::json!(["caller"]));

    // As a crash would leave it: no lengths, half a sample at the end, and a sidecar that says "recording".
    let mut bytes = std::fs::read(room.wav()).unwrap();
    bytes[4..8].fill(0);
    bytes[40..44].fill(0);
    bytes.push(7);
    std::fs::write(room.wav(), bytes).unwrap();
    let mut note = room.note();
    note["state"] = "recording".into();
    std::fs::write(room.wav().with_extension("json"), note.to_string()).unwrap();
    let repaired = repair(room.folder.path(), &BTreeSet::new(), None).unwrap();
    assert_eq!((repaired.len(), repaired[0].duration_ms), (1, duration_ms));
    assert_eq!(samples(&room.wav(), 1), voice);
}

//! Packets without sound, and changes of codec: where a voice is decoded they are neither losses nor the end of a word.

use super::*;
use crate::g722;

const COMFORT_NOISE: u8 = 13;

impl World {
    /// Packets without sound, in A's numbering, 20 ms apart.
    fn pause_a(&mut self, payload: u8, count: u16) {
        let timestamp = (u32::from(self.sequence[&A]) + 1) * 160;
        for n in 1..=count {
            let line = Line { marker: n == 1, sequence: self.next(A), timestamp, ssrc: 1 };
            let event = dtmf::Event { code: 5, end: n == count, duration: n * 160 };
            let body = if payload == COMFORT_NOISE { vec![60] } else { event.to_bytes().to_vec() };
            self.packet(A, home(A), payload, line, &body);
            self.pass(ms(20));
        }
    }

    /// A says its tone in G.722; what is in `lost` does not arrive.
    fn speak_wide(&mut self, encoder: &mut g722::Encoder, count: usize, lost: &[usize]) {
        for n in 0..count {
            let (sequence, mut bytes) = (self.next(A), [0; FRAME]);
            let from = usize::from(sequence) * FRAME;
            encoder.encode(&tone::part(8_000, LOW, 8_000.0, from..from + FRAME), &mut bytes);
            let line = Line { marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc: 1 };
            if !lost.contains(&n) {
                self.packet(A, home(A), 9, line, &bytes);
            }
            self.pass(ms(20));
        }
    }

    /// How loud each 20 ms of what A said are in the recording.
    fn levels(&self) -> Vec<f64> {
        self.channel(0).chunks(FRAME).map(tone::loudness).collect()
    }
}

fn in_g722(leg: LegId) -> Command {
    Command::Configure { leg, session: Session { codec: Codec::G722, payload: 9, ..session(leg) } }
}

#[test]
fn a_key_or_comfort_noise_is_no_lost_packet_in_which_the_voice_is_said_again() {
    for payload in [101, COMFORT_NOISE] {
        for wide in [false, true] {
            let mut w = World::of_three([&[B], &[A], &[A, B]]);
            let mut encoder = g722::Encoder::new();
            let mut speak = |w: &mut World| match wide {
                true => w.speak_wide(&mut encoder, 20, &[]),
                false => w.speak(A, 20, LOW),
            };
            if wide {
                w.command(in_g722(A));
            }
            w.record();
            speak(&mut w);
            w.pause_a(payload, 10);
            speak(&mut w);
            w.command(Command::StopRecording { recording: TAPE });
            let levels = w.levels();
            let what = format!("{payload}, wide {wide}: {levels:?}");
            assert!(levels[1..19].iter().all(|level| *level > 5_000.0), "{what}");
            // G.722 and its filter end 3 ms later.
            let silent = if wide { 20..29 } else { 19..29 };
            assert!(levels[silent].iter().all(|level| *level < 30.0), "{what}");
            assert!(levels[31..48].iter().all(|level| *level > 5_000.0), "{what}");
            let mixed: Vec<f64> = w.heard(C).chunks(FRAME).map(tone::loudness).collect();
            let last = mixed[..30].iter().rposition(|level| *level > 100.0).unwrap();
            assert!(last <= 23, "who listens hears 20 packets, 40 to 60 ms later: {mixed:?}");
        }
    }
}

#[test]
fn a_peer_that_goes_to_and_fro_between_two_codecs_is_one_stream_to_its_listener() {
    let mut w = World::new();
    w.join(A, B);
    let mut encoder = g722::Encoder::new();
    w.speak(A, 10, LOW);
    for _ in 0..50 {
        w.speak_wide(&mut encoder, 1, &[]);
        w.speak(A, 1, LOW);
    }
    let markers = |w: &World| w.got(B).iter().filter(|g| g.header.marker).count();
    assert_eq!(markers(&w), 2, "its first packet, and where the mix begins");
    w.speak(A, 60, LOW);
    assert!(w.plane.legs.get(&B).unwrap().mix.is_none(), "it has kept to one for a second");
    assert_eq!(markers(&w), 3);
    assert_eq!(w.who(B, w.got(B).len() - 5), "A");
}

#[test]
fn what_waits_for_a_lost_packet_when_a_leg_holds_is_recorded() {
    let mut w = World::new();
    w.command(in_g722(A));
    w.join(A, B);
    w.record();
    w.speak_wide(&mut g722::Encoder::new(), 14, &[10]);
    w.command(Command::Configure { leg: A, session: Session { send: false, receive: false, ..session(A) } });
    w.pass(ms(500));
    w.command(Command::StopRecording { recording: TAPE });
    let levels = w.levels();
    assert!(levels[1..13].iter().all(|level| *level > 2_000.0), "{levels:?}");
}

#[test]
fn a_recording_that_stops_has_what_waited_for_a_lost_packet() {
    let mut w = World::new();
    w.command(in_g722(A));
    w.join(A, B);
    w.record();
    w.speak_wide(&mut g722::Encoder::new(), 14, &[10]);
    w.command(Command::StopRecording { recording: TAPE });
    assert!(w.levels()[1..13].iter().all(|level| *level > 2_000.0), "{:?}", w.levels());
}

#[test]
fn g722_that_comes_back_after_g711_is_heard_from_its_first_packet() {
    let mut w = World::new();
    w.command(in_g722(A));
    w.join(A, B);
    w.record();
    let mut encoder = g722::Encoder::new();
    w.speak_wide(&mut encoder, 14, &[10]);
    w.speak(A, 20, LOW);
    w.speak_wide(&mut g722::Encoder::new(), 3, &[]);
    w.pass(ms(100));
    w.command(Command::StopRecording { recording: TAPE });
    let levels = w.levels();
    assert!(levels[1..35].iter().all(|level| *level > 2_000.0), "{levels:?}");
}

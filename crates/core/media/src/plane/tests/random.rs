//! Whatever is asked and whatever comes.

use super::*;
use crate::Tone;

const LEGS: [LegId; 3] = [A, B, C];

fn any_legs() -> impl Strategy<Value = Vec<LegId>> {
    proptest::sample::subsequence(LEGS.to_vec(), 0..=3)
}

fn any_command() -> impl Strategy<Value = Command> {
    let leg = || proptest::sample::select(&LEGS[..]);
    prop_oneof![
        1 => leg().prop_map(|leg| Command::Loop { leg, prompt: "high".into() }),
        1 => leg().prop_map(|leg| Command::LoopTone { leg, tone: Tone::Busy }),
        1 => leg().prop_map(|leg| Command::Play {
            leg,
            play: 1,
            sounds: vec![Sound::Silence(ms(50)), Sound::Prompt("low".into()), Sound::Tone(Tone::Beep)],
        }),
        1 => leg().prop_map(|leg| Command::Stop { leg }),
        4 => (leg(), any_legs()).prop_map(|(leg, others)| Command::Hear { leg, others }),
        1 => (leg(), any::<bool>(), any::<bool>(), proptest::sample::select(&Codec::ALL[..])).prop_map(|(leg, send, receive, codec)| {
            Command::Configure { leg, session: Session { send, receive, codec, payload: codec.static_payload().unwrap_or(96), ..session(leg) } }
        }),
        1 => (any_legs(), any_legs()).prop_map(|(left, right)| Command::RecordLegs { recording: TAPE, left, right }),
        1 => Just(Command::StopRecording { recording: TAPE }),
        1 => leg().prop_map(|leg| Command::Close { leg }),
    ]
}

#[derive(Clone, Debug)]
enum Act {
    Command(Command),
    Talk(Vec<LegId>, u8),
    Key(LegId, u8),
    Garbage(LegId, bool, Vec<u8>),
    /// From the peer itself, in Opus: numbers and timestamps jump, and the bytes are anything.
    Opus(LegId, Vec<(u16, u32, Vec<u8>)>),
    Pass(u16),
}

fn any_opus() -> impl Strategy<Value = (u16, u32, Vec<u8>)> {
    let numbers = prop_oneof![6 => 1..6u16, 1 => Just(0), 1 => any::<u16>()];
    let time = prop_oneof![6 => Just(960), 1 => Just(0x8000_0000), 1 => Just(0x8000_0001), 1 => any::<u32>()];
    (numbers, time, proptest::collection::vec(any::<u8>(), 0..100))
}

fn any_act_in_opus() -> impl Strategy<Value = Act> {
    (proptest::sample::select(&LEGS[..]), proptest::collection::vec(any_opus(), 1..8))
        .prop_map(|(leg, packets)| Act::Opus(leg, packets))
}

fn any_act() -> impl Strategy<Value = Act> {
    let leg = || proptest::sample::select(&LEGS[..]);
    prop_oneof![
        6 => any_command().prop_map(Act::Command),
        4 => (any_legs(), 1..12u8).prop_map(|(legs, n)| Act::Talk(legs, n)),
        1 => (leg(), 1..8u8).prop_map(|(leg, n)| Act::Key(leg, n)),
        2 => (leg(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..220)).prop_map(|(l, r, b)| Act::Garbage(l, r, b)),
        3 => (0..400u16).prop_map(Act::Pass),
    ]
}

impl World {
    fn act(&mut self, act: Act) {
        match act {
            Act::Command(command) => self.command(command),
            Act::Talk(legs, n) => self.talk(&legs, n.into()),
            Act::Key(leg, n) => {
                let timestamp = u32::from(self.sequence.get(&leg).map_or(1, |s| s + 1)) * 160;
                for n in 0..u16::from(n) {
                    let line = Line { marker: n == 0, sequence: self.next(leg), timestamp, ssrc: leg.n.into() };
                    self.packet(leg, home(leg), 101, line, &dtmf::Event { code: 5, end: n > 5, duration: n * 160 }.to_bytes());
                    self.pass(ms(20));
                }
            }
            Act::Garbage(leg, rtp, mut bytes) => {
                if let Some(first) = bytes.first_mut().filter(|_| rtp) {
                    *first = 0x80 | *first & 0x3F;
                }
                self.plane.on_packet(self.now, leg, stranger(), &mut bytes, &mut self.out);
                self.deliver(&bytes);
            }
            Act::Opus(leg, packets) => {
                let speaks = Session { codec: Codec::Opus, payload: 96, ..session(leg) };
                self.command(Command::Configure { leg, session: speaks });
                let mut timestamp = 0u32;
                for (step, ticks, body) in packets {
                    let sequence = self.sequence.entry(leg).or_default();
                    *sequence = sequence.wrapping_add(step);
                    timestamp = timestamp.wrapping_add(ticks);
                    let line = Line { marker: false, sequence: *sequence, timestamp, ssrc: leg.n.into() };
                    self.packet(leg, home(leg), 96, line, &body);
                    self.pass(ms(20));
                }
            }
            Act::Pass(n) => self.pass(ms(n.into())),
        }
    }
}

/// Hearing is told on both sides, and what is mixed are several open legs.
fn check_hearing(plane: &Plane) -> Result<(), TestCaseError> {
    for id in plane.legs.keys() {
        let open = |id: &LegId| plane.legs.get(id).unwrap();
        let leg = open(id);
        prop_assert!(!leg.hears.contains(id) && leg.hears.is_sorted());
        // A mix outlasts its reason for as long as whom it hears may change the codec again.
        let kept = leg.hears.iter().any(|other| !open(other).is_settled());
        let expected = plane.mixes(*id) || (kept && leg.mix.is_some());
        prop_assert_eq!(leg.mix.is_some(), expected);
        prop_assert!(leg.hears.len() < 2 || leg.mix.is_some());
        prop_assert_eq!(leg.mixed, leg.heard_by.iter().any(|listener| plane.legs.get(listener).unwrap().mix.is_some()));
        for other in &leg.hears {
            prop_assert_eq!(open(other).heard_by.iter().filter(|l| *l == id).count(), 1);
        }
        for listener in &leg.heard_by {
            prop_assert!(open(listener).hears.contains(id));
        }
        for (recording, place) in &leg.recordings {
            prop_assert_eq!(plane.recordings.place(recording), Some(*place));
            prop_assert!(plane.recordings.get(recording).unwrap().legs().any(|leg| leg == *id));
        }
    }
    Ok(())
}

/// The sequence steps by one; the audio's timestamp never runs back, unless another clock begins a stream of its own.
fn check_stream(got: &[Got]) -> Result<(), TestCaseError> {
    for pair in got.windows(2) {
        prop_assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
    }
    let audio: Vec<&Got> = got.iter().filter(|g| g.header.payload != 101).collect();
    for pair in audio.windows(2).filter(|pair| pair[0].header.ssrc == pair[1].header.ssrc) {
        let step = pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
        prop_assert!(step.cast_signed() >= 160, "{:?}", pair);
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_each_peer_hears_one_stream(acts in proptest::collection::vec(any_act(), 1..40)) {
        let mut w = World::of_three([&[], &[], &[]]);
        w.record();
        for act in acts {
            w.act(act);
            prop_assert!(w.plane.deadline().is_none_or(|at| at > w.now.mono), "nothing that is due is left");
            check_hearing(&w.plane)?;
        }
        for got in w.got.values() {
            check_stream(got)?;
        }
        LEGS.iter().for_each(|leg| w.command(Command::Close { leg: *leg }));
        prop_assert!(w.plane.recordings.is_empty() && w.plane.deadline().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_peer_sends_in_opus_harms_nobody(
        acts in proptest::collection::vec(prop_oneof![2 => any_act().boxed(), 3 => any_act_in_opus().boxed()], 1..20)
    ) {
        let mut w = World::of_three([&[B, C], &[A], &[A]]);
        w.record();
        for act in acts {
            w.act(act);
            prop_assert!(w.plane.deadline().is_none_or(|at| at > w.now.mono), "nothing that is due is left");
            check_hearing(&w.plane)?;
        }
        LEGS.iter().for_each(|leg| w.command(Command::Close { leg: *leg }));
        prop_assert!(w.plane.recordings.is_empty() && w.plane.deadline().is_none());
    }
}

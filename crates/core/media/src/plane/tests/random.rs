//! Whatever is asked and whatever comes.

use super::*;

fn any_command() -> impl Strategy<Value = Command> {
    let leg = || prop_oneof![Just(A), Just(B)];
    prop_oneof![
        leg().prop_map(|leg| Command::Loop { leg, prompt: "high".into() }),
        leg().prop_map(|leg| Command::Play { leg, play: 1, sounds: vec![Sound::Silence(ms(50)), Sound::Prompt("low".into())] }),
        leg().prop_map(|leg| Command::Stop { leg }),
        (leg(), proptest::sample::subsequence(vec![A, B], 0..=2)).prop_map(|(leg, others)| Command::Hear { leg, others }),
        (leg(), any::<bool>(), any::<bool>())
            .prop_map(|(leg, send, receive)| Command::Configure { leg, session: Session { send, receive, ..session(leg) } }),
        Just(Command::StopRecording { recording: TAPE }),
        leg().prop_map(|leg| Command::Close { leg }),
    ]
}

#[derive(Clone, Debug)]
enum Act {
    Command(Command),
    Speak(LegId, u8),
    Garbage(LegId, bool, Vec<u8>),
    Pass(u16),
}

fn any_act() -> impl Strategy<Value = Act> {
    let leg = || prop_oneof![Just(A), Just(B)];
    prop_oneof![
        4 => any_command().prop_map(Act::Command),
        4 => (leg(), 1..12u8).prop_map(|(leg, n)| Act::Speak(leg, n)),
        2 => (leg(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..220)).prop_map(|(l, r, b)| Act::Garbage(l, r, b)),
        3 => (0..400u16).prop_map(Act::Pass),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_each_peer_hears_one_stream(acts in proptest::collection::vec(any_act(), 1..40)) {
        let mut w = World::new();
        w.record();
        for act in acts {
            match act {
                Act::Command(command) => w.command(command),
                Act::Speak(leg, n) => w.speak(leg, n.into(), 440.0),
                Act::Garbage(leg, rtp, mut bytes) => {
                    if let Some(first) = bytes.first_mut().filter(|_| rtp) {
                        *first = 0x80 | *first & 0x3F;
                    }
                    w.plane.on_packet(w.now, leg, stranger(), &mut bytes, &mut w.out);
                    w.deliver(&bytes);
                }
                Act::Pass(n) => w.pass(ms(n.into())),
            }
            prop_assert!(w.plane.deadline().is_none_or(|at| at > w.now.mono), "nothing that is due is left");
        }
        for got in w.got.values() {
            for pair in got.windows(2) {
                prop_assert_eq!(pair[0].header.ssrc, pair[1].header.ssrc);
                prop_assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
                prop_assert!((pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp) as i32) >= 160);
            }
        }
    }
}

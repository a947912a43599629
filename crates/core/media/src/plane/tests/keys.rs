//! Keys that are heard in the audio.

use super::*;

/// A press of `1` that lasts 100 ms, and as much silence.
fn pressed() -> Vec<u8> {
    let (low, high) = (tone::sine(8_000, 697.0, 6_000.0, 800), tone::sine(8_000, 1_209.0, 6_000.0, 800));
    let both = low.iter().zip(high).map(|(low, high)| low + high).chain([0; 800]);
    both.map(|sample| Law::Pcma.encode(sample)).collect()
}

impl World {
    fn says(&mut self, leg: LegId, bytes: &[u8]) {
        for frame in bytes.chunks(FRAME) {
            let sequence = self.next(leg);
            let line = Line { marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc: leg.n.into() };
            self.packet(leg, home(leg), 8, line, frame);
            self.pass(ms(20));
        }
    }

    fn digits(&self) -> String {
        let key = |input: &Input| if let Input::Digit { leg: A, key } = input { Some(*key) } else { None };
        self.inputs.iter().filter_map(key).collect()
    }

    fn hear_keys(&mut self, wanted: bool) {
        self.command(Command::Configure { leg: A, session: Session { dtmf: None, ..session(A) } });
        self.command(Command::HearKeys { leg: A, wanted });
    }
}

#[test]
fn a_tone_is_a_key_only_while_keys_are_to_be_heard() {
    let mut w = World::new();
    w.says(A, &pressed());
    assert_eq!(w.digits(), "");
    w.hear_keys(true);
    w.says(A, &pressed());
    w.says(A, &pressed());
    assert_eq!(w.digits(), "11");
    w.hear_keys(false);
    w.says(A, &pressed());
    assert_eq!(w.digits(), "11");
}

#[test]
fn where_keys_are_heard_relay_and_recording_stay_as_they_are() {
    let listened = |wanted| {
        let mut w = World::new();
        w.join(A, B);
        w.record();
        w.hear_keys(wanted);
        w.says(A, &pressed());
        w.pass(ms(2_000));
        let relayed: Vec<Vec<u8>> = w.got(B).iter().map(|got| got.payload.clone()).collect();
        (w.digits(), relayed, w.tape)
    };
    let (heard, not) = (listened(true), listened(false));
    assert_eq!((heard.0.as_str(), not.0.as_str()), ("1", ""));
    assert_eq!(heard.1.concat(), pressed());
    assert!(heard.1 == not.1 && heard.2 == not.2);
}

#[test]
fn a_peer_that_is_not_to_speak_presses_no_key() {
    let mut w = World::new();
    w.hear_keys(true);
    w.command(Command::Configure { leg: A, session: Session { dtmf: None, receive: false, ..session(A) } });
    w.says(A, &pressed());
    assert_eq!(w.digits(), "");
}

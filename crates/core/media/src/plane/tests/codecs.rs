//! Legs that speak different codecs, and one that changes in the middle; by what is heard.

use super::*;
use crate::g722;
use crate::rates::Halver;

/// One peer's G.722: what it says, and what it makes of what it hears.
struct Wide {
    encoder: g722::Encoder,
    said: usize,
}

impl Wide {
    fn new() -> Wide {
        Wide { encoder: g722::Encoder::new(), said: 0 }
    }

    /// The next 20 ms of a tone.
    fn frame(&mut self, hertz: f64) -> [u8; FRAME] {
        let mut bytes = [0; FRAME];
        self.encoder.encode(&tone::part(8_000, hertz, 8_000.0, self.said..self.said + FRAME), &mut bytes);
        self.said += FRAME;
        bytes
    }
}

fn narrow(wide: &[i16]) -> Vec<i16> {
    let mut samples = vec![0; wide.len() / 2];
    Halver::default().halve(wide, &mut samples);
    samples
}

fn in_g722(leg: LegId) -> Command {
    Command::Configure { leg, session: Session { codec: Codec::G722, payload: 9, ..session(leg) } }
}

impl World {
    /// A speaks G.722, B the law that it was configured with, for so many frames.
    fn talk_wide(&mut self, wide: &mut Wide, count: usize) {
        for _ in 0..count {
            let sequence = self.next(A);
            let line = Line { marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc: 1 };
            self.packet(A, home(A), 9, line, &wide.frame(LOW));
            self.pass(ms(5));
            self.frame(B, home(B), 2, MIDDLE);
            self.pass(ms(15));
        }
    }

    /// What a leg got in G.722 since `from`.
    fn heard_wide(&self, leg: LegId, from: usize) -> Vec<i16> {
        narrow(&self.heard_at_16k(leg, from))
    }

    fn heard_at_16k(&self, leg: LegId, from: usize) -> Vec<i16> {
        let (mut decoder, mut out) = (g722::Decoder::new(), vec![]);
        for got in self.got(leg)[from..].iter().filter(|g| g.header.payload == 9) {
            let mut samples = [0; 2 * FRAME];
            assert_eq!(decoder.decode(&got.payload, &mut samples), 2 * FRAME);
            out.extend(samples);
        }
        out
    }
}

#[test]
fn two_who_speak_g722_get_each_others_bytes_untouched() {
    let mut w = World::new();
    [A, B].into_iter().for_each(|leg| w.command(in_g722(leg)));
    w.join(A, B);
    let mut wide = Wide::new();
    let said: Vec<[u8; FRAME]> = (0..40).map(|_| wide.frame(LOW)).collect();
    for bytes in &said {
        let sequence = w.next(A);
        let line = Line { marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc: 1 };
        w.packet(A, home(A), 9, line, bytes);
        assert_eq!(
            w.got(B).last().map(|g| (g.at, &g.payload[..], g.header.payload)),
            Some((w.now.mono, &bytes[..], 9)),
            "at once"
        );
        w.pass(ms(20));
    }
    assert_eq!((w.got(B).len(), w.copies), (40, 0));
    assert!(w.plane.legs.get(&A).unwrap().voice.is_none(), "nobody decodes it");
}

#[test]
fn a_caller_in_g722_and_an_agent_in_g711_hear_each_other_and_both_are_recorded() {
    let mut w = World::new();
    w.command(in_g722(A));
    w.join(A, B);
    w.record();
    w.talk_wide(&mut Wide::new(), 100);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.who(B, 5), "A");
    assert_eq!(who(&w.heard_wide(A, 5)[FRAME..]), "B");
    assert_eq!([who(&w.channel(0)[400..15_600]), who(&w.channel(1)[400..15_600])], ["A", "B"]);
    for leg in [A, B] {
        assert!((99..=101).contains(&w.got(leg).len()));
        assert!(w.got(leg).windows(2).all(|p| p[1].header.timestamp.wrapping_sub(p[0].header.timestamp) == 160));
    }
}

#[test]
fn keys_of_a_transcoded_leg_are_said_and_passed_on() {
    let mut w = World::new();
    w.command(in_g722(A));
    w.join(A, B);
    let mut wide = Wide::new();
    w.talk_wide(&mut wide, 10);
    for n in 1..6u16 {
        let line = Line { marker: n == 1, sequence: w.next(A), timestamp: 9_000, ssrc: 1 };
        w.packet(A, home(A), 101, line, &dtmf::Event { code: 7, end: n == 5, duration: n * 160 }.to_bytes());
        w.pass(ms(20));
    }
    w.talk_wide(&mut wide, 10);
    assert!(w.inputs.contains(&Input::Digit { leg: A, key: '7' }));
    assert_eq!(w.got(B).iter().filter(|g| g.header.payload == 101).count(), 5);
}

#[test]
fn keys_are_heard_in_g722_where_they_are_asked_for() {
    let mut w = World::new();
    w.command(in_g722(A));
    w.command(Command::HearKeys { leg: A, wanted: true });
    let mut encoder = g722::Encoder::new();
    let tones = |n: usize, hertz| tone::part(8_000, hertz, 6_000.0, n * FRAME..(n + 1) * FRAME);
    for n in 0..20 {
        let pressed = (5..10).contains(&n);
        let (row, column) = (tones(n, 770.0), tones(n, 1_336.0));
        let said: Vec<i16> = row.iter().zip(column).map(|(r, c)| if pressed { r + c } else { 0 }).collect();
        let mut bytes = [0; FRAME];
        encoder.encode(&said, &mut bytes);
        let line = Line { marker: false, sequence: w.next(A), timestamp: n as u32 * 160, ssrc: 1 };
        w.packet(A, home(A), 9, line, &bytes);
        w.pass(ms(20));
    }
    assert_eq!(
        w.inputs,
        [Input::Opened { leg: A, port: 10_000 }, Input::Opened { leg: B, port: 10_000 }, Input::Digit { leg: A, key: '5' }]
    );
}

#[test]
fn a_codec_change_in_the_middle_is_heard_through_both_ways() {
    let mut w = World::new();
    w.join(A, B);
    w.record();
    w.talk(&[A, B], 50);
    let before = [A, B].map(|leg| w.got(leg).len());
    // As after a re-INVITE; the phone's own stream goes on.
    w.command(in_g722(A));
    w.talk_wide(&mut Wide::new(), 50);
    let changed = [A, B].map(|leg| w.got(leg).len());
    assert_eq!(w.who(B, before[1] + 4), "A");
    assert_eq!(who(&w.heard_wide(A, before[0] + 4)[FRAME..]), "B");
    w.command(Command::Configure { leg: A, session: session(A) });
    w.talk(&[A, B], 50);
    assert_eq!([w.who(A, changed[0] + 1), w.who(B, changed[1] + 4)], ["B", "A"]);
    assert!(w.plane.legs.get(&A).unwrap().mix.is_none() && w.plane.legs.get(&B).unwrap().mix.is_none(), "relayed again");
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.tape.len(), 24_000, "one time base");
    // The tones of the three stretches are not in step.
    for from in [400, 8_400, 16_400] {
        assert_eq!([0, 1].map(|side| who(&w.channel(side)[from..][..7_200])), ["A", "B"], "{from}");
    }
}

#[test]
fn a_phone_that_falls_back_to_g711_by_itself_is_understood() {
    let mut w = World::new();
    [A, B].into_iter().for_each(|leg| w.command(in_g722(leg)));
    w.join(A, B);
    w.speak(A, 60, LOW);
    assert_eq!(who(&w.heard_wide(B, 5)[FRAME..]), "A");
}

#[test]
fn what_a_wideband_leg_says_beyond_the_telephone_reaches_the_wideband_legs_of_a_conference_and_no_other() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    [A, C].into_iter().for_each(|leg| w.command(in_g722(leg)));
    w.record_legs(&[A], &[B]);
    let mut encoder = g722::Encoder::new();
    for n in 0..60 {
        let mut bytes = [0; FRAME];
        encoder.encode_wide(&tone::part(16_000, 5_000.0, 8_000.0, n * 2 * FRAME..(n + 1) * 2 * FRAME), &mut bytes);
        let line = Line { marker: false, sequence: n as u16, timestamp: n as u32 * 160, ssrc: 1 };
        w.packet(A, home(A), 9, line, &bytes);
        w.pass(ms(5));
        w.frame(B, home(B), 2, MIDDLE);
        w.pass(ms(15));
    }
    let at_c = w.heard_at_16k(C, 8);
    assert!((6_500.0..9_500.0).contains(&tone::amplitude(&at_c, 16_000, 5_000.0)), "{}", tone::amplitude(&at_c, 16_000, 5_000.0));
    assert!((7_000.0..9_000.0).contains(&tone::amplitude(&at_c, 16_000, MIDDLE)), "and B");
    // What has no room at 8 kHz is left out there, and does not come back as another tone.
    let at_b = &w.heard(B)[8 * FRAME..];
    assert!(tone::loudness(at_b) < 100.0, "{}", tone::loudness(at_b));
    let mixes = [A, B, C].map(|leg| w.plane.legs.get(&leg).unwrap().mix.as_ref().unwrap().is_wide());
    assert_eq!(mixes, [true, false, true]);
}

#[test]
fn a_loss_in_a_wideband_mix_is_concealed_and_a_codec_change_there_is_heard_through() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    w.command(in_g722(A));
    for n in 0..60 {
        if n != 30 {
            w.talk(&[B], 1);
        } else {
            w.next(B);
            w.pass(ms(20));
        }
    }
    let heard = w.heard_wide(A, 8);
    let levels: Vec<f64> = heard.chunks(FRAME).map(tone::loudness).collect();
    assert!(levels[4..].iter().all(|level| *level > 3_000.0), "no hole: {levels:?}");
    w.command(Command::Configure { leg: A, session: session(A) });
    let before = w.got(A).len();
    w.talk(&[B], 40);
    assert_eq!(w.who(A, before + 6), "B");
    assert!(!w.plane.legs.get(&A).unwrap().mix.as_ref().unwrap().is_wide());
}

#[test]
fn a_conference_of_a_law_and_g722_hears_all() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    w.command(in_g722(A));
    w.talk_wide(&mut Wide::new(), 60);
    assert_eq!([w.who(B, 4), w.who(C, 4)], ["A", "AB"]);
    assert_eq!(who(&w.heard_wide(A, 4)[FRAME..]), "B");
}

#[test]
fn prompts_music_and_silence_are_played_in_g722_as_they_were_encoded_before() {
    let mut w = World::new();
    let mut book = PromptBook::builtin(&[Codec::G722]);
    let said = tone::sine(8_000, HIGH, 8_000.0, 8_000);
    book.insert("said", Prompt::new(&crate::prompt::Source::narrow(said), &[Codec::G722]));
    w.plane.use_prompts(Arc::new(book));
    w.command(in_g722(A));
    let sounds = vec![Sound::Silence(ms(200)), Sound::Prompt("said".into()), Sound::Tone(crate::Tone::Busy)];
    w.command(Command::Play { leg: A, play: 1, sounds });
    w.pass(ms(4_200));
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 1 }));
    let heard = w.heard_wide(A, 0);
    assert!(tone::loudness(&heard[..1_600]) < 20.0, "silence: {}", tone::loudness(&heard[..1_600]));
    assert!(tone::carries(&heard[1_800..9_600], 8_000, HIGH) && tone::carries(&heard[9_800..13_600], 8_000, 425.0));
    assert!(tone::loudness(&heard[13_800..17_600]) < 20.0, "between two tones");
}

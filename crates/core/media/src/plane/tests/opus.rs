//! Legs that speak Opus: relayed untouched, transcoded where they must be, recorded, counted by their own clock.

use super::*;
use crate::opus;
use crate::rates::Halver;

const NUMBER: u8 = 96;

/// One peer's Opus: what it says, and what it makes of what it hears.
struct Peer {
    encoder: opus::Encoder,
    said: usize,
}

impl Peer {
    fn new() -> Peer {
        Peer { encoder: opus::Encoder::new(), said: 0 }
    }

    fn silence(&mut self) -> Vec<u8> {
        let mut bytes = [0; FRAME];
        let length = self.encoder.encode(&[0; FRAME], &mut bytes);
        bytes[..length].to_vec()
    }

    /// The next 20 ms of a tone.
    fn frame(&mut self, hertz: f64) -> Vec<u8> {
        let (mut bytes, mut samples) = ([0; FRAME], [0; FRAME]);
        samples.copy_from_slice(&tone::part(8_000, hertz, 8_000.0, self.said..self.said + FRAME));
        let length = self.encoder.encode(&samples, &mut bytes);
        self.said += FRAME;
        bytes[..length].to_vec()
    }
}

fn in_opus(leg: LegId) -> Command {
    Command::Configure { leg, session: Session { codec: Codec::Opus, payload: NUMBER, dtmf_clock: 48_000, ..session(leg) } }
}

impl World {
    /// A packet of A's in Opus, by a clock that soon goes round.
    fn opus(&mut self, sequence: u16, body: &[u8]) {
        let timestamp = 0xFFFF_F000_u32.wrapping_add(u32::from(sequence) * 960);
        self.packet(A, home(A), NUMBER, Line { marker: false, sequence, timestamp, ssrc: 1 }, body);
    }

    /// A speaks Opus, B the law that it was configured with, for so many frames; of A's, `lost` do not arrive.
    fn talk_opus(&mut self, peer: &mut Peer, count: usize, lost: &[usize]) {
        for n in 0..count {
            let (sequence, body) = (self.next(A), peer.frame(LOW));
            if !lost.contains(&n) {
                self.opus(sequence, &body);
            }
            self.pass(ms(5));
            self.frame(B, home(B), 2, MIDDLE);
            self.pass(ms(15));
        }
    }

    /// What a leg got in Opus since `from`.
    fn heard_opus(&self, leg: LegId, from: usize) -> Vec<i16> {
        let (mut decoder, mut out) = (opus::Decoder::new(), vec![]);
        for got in self.got(leg)[from..].iter().filter(|g| g.header.payload == NUMBER) {
            let mut samples = [0; 2 * FRAME];
            assert_eq!(decoder.decode(&got.payload, &mut samples), 2 * FRAME);
            out.extend(samples);
        }
        let mut samples = vec![0; out.len() / 2];
        Halver::default().halve(&out, &mut samples);
        samples
    }
}

/// Who speaks, where a lossy codec sits between: loud enough, and nobody else.
fn speaks(samples: &[i16]) -> String {
    let level = |hertz| tone::amplitude(samples, 8_000, hertz);
    [('A', LOW), ('B', MIDDLE), ('C', HIGH)]
        .into_iter()
        .filter(|(_, hertz)| level(*hertz) > 4_000.0)
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn two_who_speak_opus_get_each_others_bytes_untouched_by_a_clock_of_48_khz() {
    let mut w = World::new();
    [A, B].into_iter().for_each(|leg| w.command(in_opus(leg)));
    w.join(A, B);
    let mut peer = Peer::new();
    for _ in 0..40 {
        let (sequence, body) = (w.next(A), peer.frame(LOW));
        w.opus(sequence, &body);
        assert_eq!(w.got(B).last().map(|g| (g.at, &g.payload, g.header.payload)), Some((w.now.mono, &body, NUMBER)), "at once");
        w.pass(ms(20));
    }
    assert_eq!((w.got(B).len(), w.copies), (40, 0));
    assert!(w.got(B).windows(2).all(|p| p[1].header.timestamp.wrapping_sub(p[0].header.timestamp) == 960));
    assert!(w.plane.legs.get(&A).unwrap().voice.is_none(), "nobody decodes it");
    // Five seconds more, and both have reported.
    for n in 0..400u64 {
        let (sequence, body) = (w.next(A), peer.frame(LOW));
        w.pass(ms(n % 2 * 10));
        w.opus(sequence, &body);
        w.pass(ms(20 - n % 2 * 10));
    }
    let measured = w.measured[&A];
    assert_eq!((measured.codec, measured.lost), (Some(Codec::Opus), 0));
    assert!((5_000..12_000).contains(&measured.jitter_max_us), "10 ms to and fro, by its clock: {measured:?}");
}

#[test]
fn a_caller_in_opus_and_an_agent_in_g711_hear_each_other_and_both_are_recorded() {
    let mut w = World::new();
    w.command(in_opus(A));
    w.join(A, B);
    w.record();
    w.talk_opus(&mut Peer::new(), 100, &[]);
    w.command(Command::StopRecording { recording: TAPE });
    let at_b: Vec<i16> = w.heard(B)[8 * FRAME..].to_vec();
    assert_eq!((speaks(&at_b), speaks(&w.heard_opus(A, 8))), ("A".to_string(), "B".to_string()));
    assert_eq!([speaks(&w.channel(0)[800..15_600]), speaks(&w.channel(1)[800..15_600])], ["A", "B"]);
    let step = |leg: LegId, ticks: u32| {
        w.got(leg).windows(2).all(|p| p[1].header.timestamp.wrapping_sub(p[0].header.timestamp) == ticks)
    };
    assert!(step(A, 960) && step(B, 160));
    assert!(w.got(A).iter().all(|g| g.payload.len() < 120), "as many bytes as it needs");
}

#[test]
fn lost_packets_of_opus_are_made_up_by_its_decoder() {
    let mut w = World::new();
    w.command(in_opus(A));
    w.join(A, B);
    w.record();
    w.talk_opus(&mut Peer::new(), 100, &[40, 60, 61]);
    w.command(Command::StopRecording { recording: TAPE });
    let levels: Vec<f64> = w.channel(0).chunks(FRAME).map(tone::loudness).collect();
    assert!(levels[4..98].iter().all(|level| *level > 400.0), "{:?}", &levels[36..66]);
}

#[test]
fn what_was_lost_is_heard_as_the_packet_behind_it_says_it_again() {
    // Before the lost packet is silence: only the one behind it knows that a tone began there.
    let mut w = World::new();
    w.command(in_opus(A));
    w.join(A, B);
    let mut peer = Peer::new();
    for n in 0..60u16 {
        let body = if n < 40 { peer.silence() } else { peer.frame(LOW) };
        if n != 41 {
            w.opus(n, &body);
        }
        w.pass(ms(20));
    }
    let levels: Vec<f64> = w.heard(B).chunks(FRAME).map(tone::loudness).collect();
    let first = levels.iter().position(|level| *level > 2_000.0).unwrap();
    assert!(levels[first..first + 15].iter().all(|level| *level > 2_000.0), "{:?}", &levels[36..]);
    assert_eq!(w.measured.get(&A).map_or(0, |stats| stats.discarded), 0);
}

#[test]
fn a_packet_lost_in_a_hundred_holds_an_even_voice_back_no_longer() {
    let delay = |every: usize| {
        let mut w = World::new();
        w.command(in_opus(A));
        w.join(A, B);
        let mut peer = Peer::new();
        for n in 0..1_200u16 {
            let body = peer.frame(LOW);
            if usize::from(n) % every != every - 1 {
                w.opus(n, &body);
            }
            if n % 50 == 7 {
                w.opus(n, &body);
            }
            w.pass(ms(20));
        }
        assert_eq!(w.plane.legs.get(&A).unwrap().discarded, 0, "made up, or a second time: none came too late");
        w.plane.legs.get(&B).unwrap().mix.as_ref().unwrap().delay_ms(A)
    };
    let (even, few, many) = (delay(10_000), delay(500), delay(100));
    assert!(few <= even + 5 && many <= even + 5, "{even} ms, with 0.2 % lost {few}, with 1 % {many}");
}

#[test]
fn who_falls_silent_after_a_loss_is_heard_to_the_last_word() {
    let mut w = World::new();
    w.command(in_opus(A));
    w.join(A, B);
    let mut peer = Peer::new();
    let bodies: Vec<Vec<u8>> = (0..20).map(|_| peer.frame(LOW)).collect();
    for n in (0..18u16).chain([19]) {
        w.opus(n, &bodies[usize::from(n)]);
        w.pass(ms(20));
    }
    w.pass(ms(100));
    assert_eq!(w.plane.legs.get(&A).unwrap().voice.as_ref().unwrap().waits_until(), None);
    let levels: Vec<f64> = w.heard(B).chunks(FRAME).map(tone::loudness).collect();
    assert!(levels.iter().filter(|level| **level > 2_000.0).count() >= 18, "{levels:?}");
}

#[test]
fn a_codec_change_to_opus_and_back_is_a_stream_for_each_clock() {
    let mut w = World::new();
    w.join(A, B);
    w.talk(&[A, B], 50);
    w.command(in_opus(A));
    w.talk_opus(&mut Peer::new(), 50, &[]);
    w.command(Command::Configure { leg: A, session: session(A) });
    w.talk(&[A, B], 50);
    assert_eq!(speaks(&w.heard_opus(A, 0)[10 * FRAME..]), "B");
    let got = w.got(A);
    assert_eq!(got.windows(2).filter(|p| p[0].header.ssrc != p[1].header.ssrc).count(), 2);
    assert_eq!(got[0].header.ssrc, got[got.len() - 1].header.ssrc);
    assert!(got.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
    assert_eq!(w.who(B, w.got(B).len() - 20), "A");
}

#[test]
fn keys_count_their_time_by_the_clock_of_whoever_reads_them() {
    let mut w = World::new();
    w.command(in_opus(A));
    w.join(A, B);
    let press = |w: &mut World, leg: LegId, tick: u16| {
        for n in 1..6u16 {
            let line = Line { marker: n == 1, sequence: w.next(leg), timestamp: 9_000, ssrc: u32::from(leg.n) };
            w.packet(leg, home(leg), 101, line, &dtmf::Event { code: 7, end: n == 5, duration: n * tick }.to_bytes());
            w.pass(ms(20));
        }
    };
    w.talk_opus(&mut Peer::new(), 5, &[]);
    press(&mut w, A, 960);
    press(&mut w, B, 160);
    let last = |leg| w.got(leg).iter().rfind(|g| g.header.payload == 101).and_then(|g| dtmf::Event::read(&g.payload));
    assert_eq!(last(B).map(|event| event.duration), Some(800));
    assert_eq!(last(A).map(|event| event.duration), Some(4_800));
    for leg in [A, B] {
        assert!(w.inputs.contains(&Input::Digit { leg, key: '7' }));
    }
}

#[test]
fn prompts_music_and_silence_are_played_in_opus_as_they_were_encoded_before() {
    let mut w = World::new();
    let mut book = PromptBook::builtin(&[Codec::Opus]);
    let said = tone::sine(8_000, HIGH, 8_000.0, 8_000);
    book.insert("said", Prompt::new(&crate::prompt::Source::narrow(said), &[Codec::Opus]));
    w.plane.use_prompts(Arc::new(book));
    w.command(in_opus(A));
    let sounds = vec![Sound::Silence(ms(200)), Sound::Prompt("said".into()), Sound::Tone(crate::Tone::Busy)];
    w.command(Command::Play { leg: A, play: 1, sounds });
    w.pass(ms(4_200));
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 1 }));
    let heard = w.heard_opus(A, 0);
    assert!(tone::loudness(&heard[..1_600]) < 60.0, "silence: {}", tone::loudness(&heard[..1_600]));
    assert!(tone::amplitude(&heard[2_400..9_000], 8_000, HIGH) > 5_000.0);
    assert!(tone::amplitude(&heard[10_400..13_200], 8_000, 425.0) > 4_000.0);
    assert!(tone::loudness(&heard[14_800..17_000]) < 200.0, "between two tones: {}", tone::loudness(&heard[14_800..17_000]));
}

#[test]
fn garbage_in_place_of_opus_harms_nobody() {
    let mut w = World::new();
    w.command(in_opus(A));
    w.join(A, B);
    w.record();
    let mut random = Random::from_seed(11);
    for _ in 0..300 {
        let body: Vec<u8> = (0..random.below(200)).map(|_| random.bits() as u8).collect();
        let sequence = w.next(A);
        w.opus(sequence, &body);
        w.pass(ms(20));
    }
    w.talk_opus(&mut Peer::new(), 60, &[]);
    w.command(Command::StopRecording { recording: TAPE });
    let tape = w.channel(0);
    assert_eq!(speaks(&tape[tape.len() - 6_400..tape.len() - 400]), "A");
}

#[test]
fn a_peer_that_answers_with_other_numbers_is_heard_by_those_of_our_offer_and_sent_its_own() {
    let mut w = World::new();
    // We offered 96 and 102; the answer says 102 for Opus and 96 for keys.
    let swapped = Session {
        codec: Codec::Opus,
        payload: 102,
        offered: Some(NUMBER),
        dtmf: Some(96),
        dtmf_clock: 48_000,
        events: vec![(101, 8_000), (102, 48_000)],
        ..session(A)
    };
    w.command(Command::Configure { leg: A, session: swapped });
    w.join(A, B);
    let mut peer = Peer::new();
    for n in 0..20 {
        w.opus(n, &peer.frame(LOW));
        w.frame(B, home(B), 2, MIDDLE);
        w.pass(ms(20));
    }
    assert_eq!(speaks(&w.heard(B)[5 * FRAME..]), "A");
    assert!(w.got(A).iter().all(|got| got.header.payload == 102) && w.got(A).len() > 10);
    let line = Line { marker: true, sequence: 20, timestamp: 0xFFFF_F000_u32.wrapping_add(20 * 960), ssrc: 1 };
    w.packet(A, home(A), 102, line, &dtmf::Event { code: 7, end: false, duration: 960 }.to_bytes());
    assert!(w.inputs.contains(&Input::Digit { leg: A, key: '7' }));
}

#[test]
fn a_peer_may_press_its_keys_at_either_clock_and_who_hears_them_gets_them_at_its_own() {
    let mut w = World::new();
    let events = vec![(110, 48_000), (126, 8_000)];
    let session = Session { codec: Codec::Opus, payload: NUMBER, dtmf: Some(110), dtmf_clock: 48_000, events, ..session(A) };
    w.command(Command::Configure { leg: A, session });
    w.join(A, B);
    w.talk_opus(&mut Peer::new(), 5, &[]);
    for (number, code, tick, timestamp) in [(126u8, 3, 160, 9_000u32), (110, 4, 960, 90_000)] {
        for n in 1..6u16 {
            let line = Line { marker: n == 1, sequence: w.next(A), timestamp, ssrc: 1 };
            w.packet(A, home(A), number, line, &dtmf::Event { code, end: n == 5, duration: n * tick }.to_bytes());
            w.pass(ms(20));
        }
    }
    for key in ['3', '4'] {
        assert!(w.inputs.contains(&Input::Digit { leg: A, key }), "{key}");
    }
    let ends = w.got(B).iter().filter(|got| got.header.payload == 101).filter_map(|got| dtmf::Event::read(&got.payload));
    let ends: Vec<_> = ends.filter(|event| event.end).map(|event| (event.code, event.duration)).collect();
    assert_eq!(ends, [(3, 800), (4, 800)]);
}

#[test]
fn a_peer_that_takes_little_hears_prompts_and_others_within_that_and_one_that_takes_more_is_relayed_to() {
    let mut w = World::new();
    let mut book = PromptBook::builtin(&[Codec::Opus]);
    book.insert("said", Prompt::new(&crate::prompt::Source::narrow(tone::sine(8_000, HIGH, 8_000.0, 16_000)), &[Codec::Opus]));
    w.plane.use_prompts(Arc::new(book));
    let in_opus = |leg, rate| {
        let limits = Limits::of(Some(10_000), Some(rate));
        Session { codec: Codec::Opus, payload: NUMBER, dtmf_clock: 48_000, limits, ..session(leg) }
    };
    w.command(Command::Configure { leg: B, session: in_opus(B, 8_000) });
    w.command(Command::Play { leg: B, play: 1, sounds: vec![Sound::Prompt("said".into())] });
    w.pass(ms(2_100));
    w.command(Command::Configure { leg: A, session: Session { limits: Limits::default(), ..in_opus(A, 8_000) } });
    w.join(A, B);
    let played = w.got(B).len();
    w.talk_opus(&mut Peer::new(), 100, &[]);
    assert!(tone::amplitude(&w.heard_opus(B, 10)[..12_000], 8_000, HIGH) > 5_000.0);
    assert_eq!(speaks(&w.heard_opus(B, played + 10)), "A");
    let sent: Vec<_> = w.got(B).iter().map(|got| &got.payload).collect();
    assert!(sent.len() > 190 && sent.iter().all(|packet| packet[0] >> 3 <= 3), "narrowband: {}", sent.len());
    let bits = 8 * 50 * sent.iter().map(|packet| packet.len()).sum::<usize>() / sent.len();
    assert!(bits <= 10_000, "{bits}");
    // It takes as much as all do from now on.
    w.command(Command::Configure { leg: B, session: Session { limits: Limits::default(), ..in_opus(B, 8_000) } });
    w.pass(ms(100));
    let (sequence, body) = (w.next(A), Peer::new().frame(LOW));
    w.opus(sequence, &body);
    assert_eq!(w.got(B).last().map(|got| &got.payload), Some(&body), "untouched");
}

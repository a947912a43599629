//! A voice through a bad network, judged by what is heard of it.

use super::*;
use crate::g711::Law;
use crate::said::Samples;
use base::Random;

/// As somebody in a conference listens: 40 ms behind.
const DELAY: i64 = 320;
const LIVE: Terms = Terms { window: 4_000, lateness: 1_600, live: true, scale: 1 };
const SECONDS: usize = 20;

/// A voice that rises and falls between 100 and 180 Hz, in syllables.
fn voice() -> Vec<i16> {
    let mut phase = 0.0f64;
    let sample = |n: usize| {
        let time = n as f64 / 8_000.0;
        phase += (140.0 + 40.0 * (time * 2.1).sin()) / 8_000.0 * std::f64::consts::TAU;
        let loud = 0.55 + 0.45 * (time * std::f64::consts::TAU * 2.7).sin();
        let partials = [5_000.0, 3_500.0, 1_500.0].iter().enumerate();
        (loud * partials.map(|(k, level)| level * (phase * (k + 1) as f64).sin()).sum::<f64>()) as i16
    };
    (0..SECONDS * 8_000).map(sample).collect()
}

/// A packet of 20 ms and when it comes, in samples.
type Packet = (i64, usize);

/// In the order in which they come: each later by up to `jitter` ms, some lost, some twice.
fn network(seed: u64, jitter: u64, lost: u64) -> Vec<Packet> {
    let mut random = Random::from_seed(seed);
    let mut packets = vec![];
    for n in 0..SECONDS * 50 {
        let copies = if random.below(100) < lost { 0 } else { 1 + usize::from(random.below(100) < 2) };
        for _ in 0..copies {
            packets.push(((n * 160) as i64 + random.below(8 * jitter + 1) as i64, n));
        }
    }
    packets.sort_by_key(|(at, _)| *at);
    packets
}

/// What is heard, frame by frame, from the moment at which the first packet was sent.
fn heard(said: &[i16], packets: &[Packet]) -> Vec<i16> {
    let bytes: Vec<u8> = said.iter().map(|sample| Law::Pcma.encode(*sample)).collect();
    let (mut track, mut out) = (Track::new(LIVE, 0), vec![]);
    let mut packets = packets.iter().peekable();
    for frame in 0..SECONDS as i64 * 50 {
        while let Some((at, n)) = packets.next_if(|(at, _)| *at <= frame * 160) {
            let samples = Samples::Law(&bytes[n * 160..(n + 1) * 160], Law::Pcma);
            let packet = Said {
                ssrc: 1,
                sequence: *n as u16,
                timestamp: *n as u32 * 160,
                samples,
                wide: None,
                origin: crate::said::Origin::Packet,
            };
            track.place(*at, &packet);
        }
        let mut sums = [0; 160];
        track.skip_to(frame * 160);
        track.take(&mut sums);
        out.extend(sums.map(|sum| sum as i16));
    }
    out
}

/// Of each 40 ms: how much it is like what was said some time before, at the best, and how long before, in ms.
fn likeness(said: &[i16], heard: &[i16]) -> Vec<(f64, usize)> {
    let dot = |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let best = |from: usize| {
        let here = &heard[from..from + 320];
        let like = |lag: usize| {
            let there = &said[from - lag..from - lag + 320];
            dot(here, there) / (dot(here, here) * dot(there, there)).sqrt().max(1.0)
        };
        let lags = (0..2_400).step_by(2).map(|lag| (like(lag), lag / 8));
        lags.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default()
    };
    (8_000..said.len() - 320).step_by(1_600).map(best).collect()
}

fn steepest(samples: &[i16]) -> i32 {
    samples.windows(2).map(|w| (i32::from(w[0]) - i32::from(w[1])).abs()).max().unwrap_or(0)
}

/// Where that is.
fn where_steepest(samples: &[i16]) -> (usize, &[i16]) {
    let step = |n: &usize| (i32::from(samples[*n]) - i32::from(samples[n + 1])).abs();
    let at = (0..samples.len() - 1).max_by_key(step).unwrap_or(0);
    (at, &samples[at.saturating_sub(4)..(at + 5).min(samples.len())])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn a_calm_network_is_heard_whole_40_ms_later() {
    let said = voice();
    let heard = heard(&said, &network(1, 0, 0));
    let exact = |(heard, said): (&i16, &i16)| *heard == Law::Pcma.decoder()[usize::from(Law::Pcma.encode(*said))];
    assert!(heard[DELAY as usize..].iter().zip(&said).all(exact));
}

#[test]
fn jitter_loss_disorder_and_duplicates_are_heard_as_one_voice_without_clicks_or_long_delay() {
    let said = voice();
    let usual = steepest(&said);
    for seed in 1..=6 {
        let heard = heard(&said, &network(seed, 60, 5));
        let found = likeness(&said, &heard);
        let alike = median(found.iter().map(|(like, _)| *like).collect());
        let good = found.iter().filter(|(like, _)| *like > 0.9).count();
        assert!(alike > 0.98 && good * 100 >= found.len() * 85, "seed {seed}: {alike}, {good} of {}", found.len());
        let delay = median(found.iter().map(|(_, ms)| *ms as f64).collect());
        assert!(delay <= 120.0, "seed {seed}: {delay} ms");
        let far = found.iter().filter(|(like, ms)| *like > 0.9 && *ms > 200).count();
        assert!(far * 50 <= found.len(), "seed {seed}: {far} stretches more than 200 ms late");
        // Its first packet may be lost: then it begins in the middle of a word.
        let rest = &heard[1_600..];
        assert!(steepest(rest) <= 2 * usual, "seed {seed}: {:?} where the voice has {usual}", where_steepest(rest));
    }
}

#[test]
fn when_the_network_has_calmed_down_the_delay_is_taken_back_without_a_click() {
    let said = voice();
    let (half, mut packets) = (SECONDS as i64 * 4_000, network(9, 90, 0));
    packets.retain(|(at, _)| *at < half);
    packets.extend((0..SECONDS * 50).map(|n| (n as i64 * 160, n)).filter(|(at, _)| *at >= half));
    let heard = heard(&said, &packets);
    let found = likeness(&said, &heard);
    let last: Vec<f64> = found[found.len() - 10..].iter().map(|(_, ms)| *ms as f64).collect();
    assert!(median(last.clone()) <= 65.0, "{last:?}");
    assert!(steepest(&heard) <= 2 * steepest(&said), "{}", steepest(&heard));
}

//! A jitter buffer against networks whose unevenness is known; times in samples of 8 kHz.

use super::*;
use crate::said::Samples;
use base::Random;
use proptest::prelude::*;

/// 200 ms.
const CAP: i64 = 1_600;
const SOUND: [i16; FRAME] = [5_000; FRAME];

/// What became of a stream of packets of 20 ms.
struct Heard {
    /// Of each that was heard: from its arrival to its place.
    held: Vec<i64>,
    /// Those that were not, or not from their beginning.
    late: Vec<usize>,
    /// The delay behind a packet that came at once, at the end.
    delay: i64,
}

impl Heard {
    fn mean_ms(&self) -> f64 {
        self.held.iter().sum::<i64>() as f64 / self.held.len() as f64 / 8.0
    }
}

/// Each packet's delay in the network; a listener takes a frame each 20 ms, from 7 ms on.
fn heard(network: &[i64]) -> Heard {
    let mut order: Vec<(i64, usize)> = network.iter().enumerate().map(|(n, late)| (160 * n as i64 + late, n)).collect();
    order.sort_unstable();
    let mut playout = Playout::new(CAP);
    let mut heard = Heard { held: vec![], late: vec![], delay: 0 };
    for (arrival, n) in order {
        let samples = Samples::Linear(&SOUND);
        let said = Said {
            ssrc: 1,
            sequence: n as u16,
            timestamp: (n as u32).wrapping_mul(160),
            samples,
            wide: None,
            origin: crate::said::Origin::Packet,
        };
        let taken = (arrival - 56).div_euclid(160) * 160 + 56 + 160;
        match playout.place(arrival, &said) {
            Some((place, _)) => {
                heard.held.push(place - arrival);
                heard.delay = place - 160 * n as i64;
                if place < taken {
                    heard.late.push(n);
                }
            }
            None => heard.late.push(n),
        }
    }
    heard
}

/// Five minutes of a network, after which ten seconds are left out while the delay is found.
fn of_network(seed: u64, mut late: impl FnMut(&mut Random) -> f64) -> (Vec<i64>, Heard) {
    let mut random = Random::from_seed(seed);
    let network: Vec<i64> = (0..15_000).map(|_| (8.0 * late(&mut random)) as i64).collect();
    let mut found = heard(&network);
    found.late.retain(|n| *n >= 500);
    (network, found)
}

fn unit(random: &mut Random) -> f64 {
    random.below(1 << 32) as f64 / (1u64 << 32) as f64
}

/// What so many of a hundred do not exceed, in ms.
fn percentile(network: &[i64], percent: f64) -> f64 {
    let mut sorted = network.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() as f64 * percent / 100.0) as usize] as f64 / 8.0
}

#[test]
fn with_jitter_of_a_known_distribution_few_are_late_and_the_delay_is_its_percentile() {
    type Network = fn(&mut Random) -> f64;
    let networks: [(&str, Network); 4] = [
        ("even", |_| 0.0),
        ("uniform to 60 ms", |r| 60.0 * unit(r)),
        ("exponential, mean 12 ms", |r| (-12.0 * (1.0 - unit(r)).ln()).min(150.0)),
        ("bell of 10 ms", |r| (0..12).map(|_| unit(r)).sum::<f64>() * 10.0),
    ];
    for (name, late) in networks {
        for seed in 1..=3 {
            let (network, heard) = of_network(seed, late);
            let lost = heard.late.len() as f64 / 14_500.0;
            assert!(lost < 0.01, "{name}, seed {seed}: {:.2} % late", 100.0 * lost);
            let (low, high) = (percentile(&network, 98.0), percentile(&network, 99.9));
            let delay = heard.delay as f64 / 8.0;
            assert!(
                (low..=high.max(percentile(&network, 99.5) + 15.0) + 25.0).contains(&delay),
                "{name}, seed {seed}: {delay} ms of {low} to {high}"
            );
        }
    }
}

#[test]
fn when_the_network_becomes_uneven_the_delay_grows_at_once() {
    let calm = vec![0; 1_000];
    let rough: Vec<i64> = (0..1_000).map(|n| if n % 4 == 0 { 480 } else { 0 }).collect();
    let heard = heard(&[calm, rough].concat());
    assert_eq!(heard.late, [1_000], "of the second one nothing is lost");
    assert!((480 + LEAST..=480 + LEAST + STEP).contains(&heard.delay), "{}", heard.delay);
}

#[test]
fn when_it_has_calmed_down_the_delay_is_taken_back() {
    let rough: Vec<i64> = (0..500).map(|n| if n % 4 == 0 { 960 } else { 0 }).collect();
    let heard = heard(&[rough, vec![0; 1_000]].concat());
    assert!(heard.held[500] >= 1_100 && heard.delay <= AT_FIRST + SLACK + STEP, "{} {}", heard.held[500], heard.delay);
    assert!(heard.held.windows(2).skip(520).all(|pair| pair[0] - pair[1] <= STEP), "5 ms at a time");
}

#[test]
fn beyond_the_cap_packets_are_dropped_until_it_is_another_path() {
    let mut network = vec![0; 500];
    // A stall of 600 ms, then all at once.
    network.extend((0..30).map(|n| 160 * (30 - n)));
    network.extend(vec![0; 200]);
    // Then a way that takes 400 ms more.
    network.extend(vec![3_200; 200]);
    let heard = heard(&network);
    assert!(heard.held.iter().all(|held| *held <= CAP));
    let dropped = |from: usize, to: usize| heard.late.iter().filter(|n| (from..to).contains(n)).count();
    assert_eq!((dropped(0, 500), dropped(530, 730)), (0, 0));
    assert!((1..=22).contains(&dropped(500, 530)), "{}", dropped(500, 530));
    assert_eq!(dropped(730, 930), IN_A_ROW as usize - 1);
    assert_eq!(heard.delay, 3_200 + AT_FIRST);
}

#[test]
fn clocks_that_drift_for_an_hour_do_not_let_the_delay_grow() {
    for ppm in [-200, 200] {
        let mut random = Random::from_seed(7);
        let network: Vec<i64> = (0..180_000).map(|n| n * 160 * ppm / 1_000_000 + random.below(80) as i64).collect();
        let heard = heard(&network);
        assert!(heard.late.len() < 180, "{ppm}: {} late", heard.late.len());
        assert!(heard.mean_ms() < 45.0, "{ppm}: {} ms", heard.mean_ms());
        let (first, last) = (&heard.held[500..1_500], &heard.held[178_500..179_500]);
        let mean = |held: &[i64]| held.iter().sum::<i64>() / held.len() as i64;
        assert!((mean(first) - mean(last)).abs() <= 80, "{ppm}: {} and {}", mean(first), mean(last));
    }
}

proptest! {
    #[test]
    fn nothing_is_ever_held_back_beyond_the_cap(
        packets in proptest::collection::vec((0i64..2_500, any::<bool>(), 0u32..20_000), 1..400)
    ) {
        let mut playout = Playout::new(CAP);
        let (mut now, mut timestamp, samples) = (0, 0u32, Samples::Linear(&SOUND));
        for (sequence, (pause, jump, by)) in packets.into_iter().enumerate() {
            now += pause;
            timestamp = timestamp.wrapping_add(if jump { by } else { 160 });
            let said = Said { ssrc: 1, sequence: sequence as u16, timestamp, samples, wide: None, origin: crate::said::Origin::Packet };
            if let Some((place, _)) = playout.place(now, &said) {
                prop_assert!(place - now <= CAP, "{} after its arrival", place - now);
            }
        }
    }
}

use super::flow::stages;
use super::*;
use crate::Estimate;

fn at(s: f64) -> Instant {
    Instant((s * 1e9) as u64)
}

/// One line of one family, served by ten agents who take a visit each six seconds between them.
#[derive(Default)]
struct Scene {
    line: OfLine,
    family: OfFamily,
}

impl Scene {
    fn tell(&mut self, now: f64, tell: impl FnOnce(&mut Spot)) {
        let (line, family) = (&mut self.line, &mut self.family);
        tell(&mut Spot { line, family, able_in_line: 10, able_in_family: 10, now: at(now) });
    }

    fn say(&self, before: usize, able: u32) -> Option<Said> {
        predict(&self.line, &self.family, (able, able), Standing { before, others: before, counted: false })
    }

    /// A line that never empties, of which one is taken each six seconds.
    fn busy(taken: usize) -> Scene {
        let mut scene = Scene::default();
        let mut tickets = vec![Ticket::default(); taken + 1];
        scene.tell(0.0, |spot| spot.waits(&mut tickets[0]));
        for n in 1..=taken {
            let now = 6.0 * n as f64;
            scene.tell(now, |spot| spot.waits(&mut tickets[n]));
            scene.tell(now, |spot| spot.rings(&mut tickets[n - 1]));
            scene.tell(now, |spot| spot.leaves(&mut tickets[n - 1], Some(Duration::from_secs(6))));
        }
        scene.tell(6.0 * taken as f64, |spot| spot.leaves(&mut tickets[taken], None));
        scene.line.flow.left = 0.0;
        scene.family.flow.left = 0.0;
        scene
    }
}

#[test]
fn with_n_before_it_a_visit_waits_for_n_and_one_departures() {
    let scene = Scene::busy(500);
    // Not counted in the flow, those before are ringing ones: they need no more agents.
    let mut waiting = scene;
    for _ in 0..9 {
        let mut ticket = Ticket::default();
        waiting.tell(3_000.0, |spot| spot.waits(&mut ticket));
    }
    let said = waiting.say(9, 10).unwrap();
    assert_eq!(said.expected.from, Estimate::Position);
    let p50 = said.expected.p50.as_secs_f64();
    assert!((57.0..60.0).contains(&p50), "the median of ten times six seconds is {p50}");
    let p90 = said.expected.p90.as_secs_f64();
    assert!((82.0..90.0).contains(&p90), "Erlang's P90 of ten stages is 85 s: {p90}");
}

#[test]
fn half_the_agents_take_twice_as_long_and_nobody_never() {
    let mut scene = Scene::busy(500);
    for _ in 0..9 {
        scene.tell(3_000.0, |spot| spot.waits(&mut Ticket::default()));
    }
    let all = scene.say(9, 10).unwrap().expected.p50.as_secs_f64();
    let half = scene.say(9, 5).unwrap().expected.p50.as_secs_f64();
    assert!((half / all - 2.0).abs() < 0.01, "{half} against {all}");
    assert!(scene.say(9, 0).is_none());
}

#[test]
fn with_little_data_it_says_what_the_last_one_waited() {
    let mut scene = Scene::default();
    assert!(scene.say(0, 10).is_none(), "nothing is known");
    let mut ticket = Ticket::default();
    scene.tell(0.0, |spot| spot.waits(&mut ticket));
    ticket.quote = Some(Quote { p50_ms: 0, p90_ms: 0, ahead: 0, by: None });
    scene.tell(30.0, |spot| spot.rings(&mut ticket));
    scene.tell(40.0, |spot| spot.leaves(&mut ticket, Some(Duration::from_secs(40))));
    let said = scene.say(0, 10).unwrap().expected;
    assert_eq!(said.from, Estimate::LastServed);
    assert!(said.p50 >= Duration::from_secs(40) && said.p90 >= Duration::from_secs(80), "{said:?}");
}

#[test]
fn who_finds_an_agent_free_says_nothing_of_the_rate() {
    let mut scene = Scene::default();
    for n in 0..100 {
        let mut ticket = Ticket::default();
        scene.tell(f64::from(n), |spot| spot.waits(&mut ticket));
        scene.tell(f64::from(n), |spot| spot.rings(&mut ticket));
        scene.tell(f64::from(n), |spot| spot.leaves(&mut ticket, Some(Duration::ZERO)));
    }
    assert!(scene.line.flow.time_for(0, 10).is_none());
}

#[test]
fn callers_who_leave_shorten_the_wait_of_those_behind() {
    // Rate 1, each of those ahead leaves at 1/10: 1 + 1/1.1 + ... against the sum itself.
    for n in [1u32, 8, 9, 20, 100, 5_000] {
        let sum = |power: i32| (0..n).map(|j| (1.0 + f64::from(j) / 10.0).powi(-power)).sum::<f64>();
        let found = stages(1.0, 0.1, n);
        assert!((found.mean / sum(1) - 1.0).abs() < 2e-3, "{n}: {} is not {}", found.mean, sum(1));
        assert!((found.variance / sum(2) - 1.0).abs() < 2e-3, "{n}: {} is not {}", found.variance, sum(2));
    }
}

#[test]
fn a_quantile_that_is_too_low_is_raised_until_nine_in_ten_are_under_it() {
    let mut scene = Scene::busy(500);
    let (mut under, mut lot) = (0u32, 12_345u64);
    for n in 0..4_000u32 {
        let said = scene.say(0, 10).unwrap();
        // Exponential, three times as long as the model believes.
        lot = lot.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let waited = Duration::from_secs_f64(-18.0 * (((lot >> 11) as f64 + 1.0) / (1u64 << 53) as f64).ln());
        under += u32::from(n >= 1_000 && waited <= said.expected.p90);
        grade(&mut scene.family, &mut scene.line, &said.quote(), waited);
    }
    assert!((2_640..=2_760).contains(&under), "{under} of 3000");
}

#[test]
fn those_who_ask_for_a_rare_skill_are_told_by_their_own_line() {
    let mut scene = Scene::busy(500);
    scene.family = OfFamily::default();
    let quote = Quote { p50_ms: 0, p90_ms: 0, ahead: 0, by: Some((6.0, 60.0)) };
    for _ in 0..200 {
        grade(&mut scene.family, &mut scene.line, &quote, Duration::from_secs(60));
    }
    let by = |mean: f64| Some(Spread { mean, variance: 1.0 });
    let (spread, _) = blend(by(6.0), by(60.0), &scene.family).unwrap();
    assert!(spread.mean > 55.0, "{}", spread.mean);
}

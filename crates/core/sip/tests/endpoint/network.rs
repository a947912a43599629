//! Two endpoints on a bad network: loss, duplicates, reordering, delay; all from a seed.

use crate::bench::{ANSWER, OFFER, config, dial, ms, secs, udp};
use base::{Now, Random};
use bytes::Bytes;
use sip::{Config, Endpoint, Flow, Input, Output, SessionId, TrunkConfig};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Per thousand.
struct Weather {
    loss: u64,
    doubles: u64,
}

struct World {
    sides: [Side; 2],
    now: Now,
    dice: Random,
    weather: Weather,
    /// By arrival; the second number keeps them apart.
    on_the_way: BTreeMap<(base::Instant, u64), (usize, Flow, Bytes)>,
    sent: u64,
}

struct Side {
    endpoint: Endpoint,
    words: Vec<Output>,
}

fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, side as u8 + 1], 5060))
}

impl World {
    fn new(seed: u64, weather: Weather) -> World {
        let side = |n: usize| {
            let networks = vec![(address(1 - n).ip(), 32)];
            let trunks = vec![TrunkConfig { name: "peer".into(), networks, ports: None }];
            Side { endpoint: Endpoint::new(Config { trunks, ..config() }), words: vec![] }
        };
        let dice = Random::from_seed(seed);
        World { sides: [side(0), side(1)], now: Now::default(), dice, weather, on_the_way: BTreeMap::new(), sent: 0 }
    }

    fn handle(&mut self, side: usize, input: Input) {
        let mut entropy = [side as u8; 32];
        entropy.iter_mut().for_each(|byte| *byte ^= self.dice.bits() as u8);
        let mut out = vec![];
        self.sides[side].endpoint.stir(entropy);
        self.sides[side].endpoint.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Transmit { flow, bytes } => self.send(side, flow, &bytes),
                word => self.sides[side].words.push(word),
            }
        }
    }

    fn send(&mut self, from: usize, flow: Flow, bytes: &Bytes) {
        assert_eq!((flow.local, flow.remote), (address(from), address(1 - from)));
        let copies = 1 + usize::from(self.dice.below(1000) < self.weather.doubles);
        for _ in 0..copies {
            if self.dice.below(1000) >= self.weather.loss {
                self.sent += 1;
                let arrival = self.now.mono + ms(10 + self.dice.below(150));
                let flow = Flow { local: flow.remote, remote: flow.local, ..flow };
                self.on_the_way.insert((arrival, self.sent), (1 - from, flow, bytes.clone()));
            }
        }
    }

    /// Goes on until `span` is over, whatever falls due first.
    fn pass(&mut self, span: std::time::Duration) {
        let end = self.now.plus(span);
        loop {
            let arrival = self.on_the_way.keys().next().map(|(at, _)| *at);
            let deadlines = [0, 1].map(|side| self.sides[side].endpoint.deadline());
            let next = [arrival, deadlines[0], deadlines[1]].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end.mono) else {
                self.now = end;
                return;
            };
            self.now = self.now.plus(next.since(self.now.mono));
            if arrival == Some(next) {
                let (_, (side, flow, bytes)) = self.on_the_way.pop_first().unwrap();
                self.handle(side, Input::Received { flow, bytes });
            } else {
                let side = usize::from(deadlines[0] != Some(next));
                self.handle(side, Input::Due);
            }
        }
    }

    /// Lets time pass until a side has said this.
    fn until(&mut self, side: usize, what: &str, wanted: impl Fn(&Output) -> bool) -> Output {
        for _ in 0..7_000 {
            if let Some(at) = self.sides[side].words.iter().position(&wanted) {
                return self.sides[side].words.remove(at);
            }
            self.pass(ms(10));
        }
        panic!("side {side} never said {what}: {:?}", self.sides.each_ref().map(|side| &side.words))
    }

    fn dial(&mut self) -> (SessionId, SessionId) {
        let session = self.sides[0].endpoint.new_session();
        let flow = Flow { local: address(0), remote: address(1), ..udp(2) };
        self.handle(0, Input::Invite { session, dial: Box::new(sip::Dial { flow, ..dial() }) });
        let incoming = self.until(1, "Incoming", |word| matches!(word, Output::Incoming { .. }));
        let Output::Incoming { session: theirs, .. } = incoming else { unreachable!() };
        (session, theirs)
    }

    fn connect(&mut self) -> (SessionId, SessionId) {
        let (ours, theirs) = self.dial();
        self.handle(1, Input::Ring { session: theirs, status: 180, sdp: None });
        let wait = ms(self.dice.below(3000));
        self.pass(wait);
        self.handle(1, Input::Answer { session: theirs, sdp: ANSWER.into() });
        self.until(0, "Answered", |word| matches!(word, Output::Answered { .. }));
        self.until(1, "Confirmed", |word| matches!(word, Output::Confirmed { .. }));
        (ours, theirs)
    }

    fn expect_end(&mut self) {
        for side in [0, 1] {
            self.until(side, "Ended", |word| matches!(word, Output::Ended { .. } | Output::Failed { .. }));
        }
        self.pass(secs(70));
        for side in &self.sides {
            assert_eq!((side.endpoint.sessions(), side.endpoint.transactions(), side.endpoint.deadline()), (0, 0, None));
        }
    }
}

fn bad(seed: u64) -> World {
    World::new(seed, Weather { loss: 50, doubles: 30 })
}

#[test]
fn every_call_completes_at_5_percent_loss() {
    for seed in 0..200 {
        println!("seed {seed}");
        let mut world = bad(seed);
        let (ours, theirs) = world.connect();
        world.pass(secs(2));
        let (side, session) = if seed % 2 == 0 { (0, ours) } else { (1, theirs) };
        world.handle(side, Input::HangUp { session, reason: None });
        world.expect_end();
    }
}

/// Early media and its PRACK, then two hours of refreshes.
#[test]
fn line_12_a_call_with_early_media_lives_for_hours_at_10_percent_loss() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut world = World::new(seed, Weather { loss: 100, doubles: 50 });
        let (ours, theirs) = world.dial();
        world.handle(1, Input::Ring { session: theirs, status: 183, sdp: Some(ANSWER.into()) });
        if seed % 2 == 0 {
            world.until(0, "Progress", |word| matches!(word, Output::Progress { sdp: Some(_), .. }));
        }
        world.handle(1, Input::Answer { session: theirs, sdp: ANSWER.into() });
        let answered = world.until(0, "Answered", |word| matches!(word, Output::Answered { .. }));
        assert_eq!(answered, Output::Answered { session: ours, sdp: ANSWER.into() });
        world.until(1, "Confirmed", |word| matches!(word, Output::Confirmed { .. }));
        world.pass(secs(7200));
        for side in &world.sides {
            let refreshes = side.words.iter().filter(|word| matches!(word, Output::Refreshed { .. })).count();
            assert!((7..=8).contains(&refreshes), "{:?}", side.words);
        }
        world.handle(0, Input::HangUp { session: ours, reason: None });
        world.expect_end();
    }
}

#[test]
fn hold_and_resume_complete_at_10_percent_loss() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut world = World::new(seed, Weather { loss: 100, doubles: 50 });
        let (ours, theirs) = world.connect();
        for turn in 0..4 {
            let (side, from, to) = if turn % 2 == 0 { (0, ours, theirs) } else { (1, theirs, ours) };
            world.handle(side, Input::Reoffer { session: from, sdp: OFFER.into() });
            world.until(1 - side, "Reoffered", |word| matches!(word, Output::Reoffered { .. }));
            world.handle(1 - side, Input::AnswerReoffer { session: to, sdp: ANSWER.into() });
            world.until(side, "ReofferDone", |word| matches!(word, Output::ReofferDone { result: Ok(_), .. }));
        }
        world.handle(0, Input::HangUp { session: ours, reason: None });
        world.expect_end();
    }
}

#[test]
fn line_05_glare_is_resolved_on_both_sides() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut world = bad(seed);
        let sessions = <[SessionId; 2]>::from(world.connect());
        world.sides.iter_mut().for_each(|side| side.words.clear());
        for side in [0, 1] {
            world.handle(side, Input::Reoffer { session: sessions[side], sdp: OFFER.into() });
        }
        let mut done = [false; 2];
        while done != [true; 2] {
            world.pass(ms(10));
            for side in [0, 1] {
                for word in std::mem::take(&mut world.sides[side].words) {
                    match word {
                        Output::Reoffered { session, .. } => {
                            world.handle(side, Input::AnswerReoffer { session, sdp: ANSWER.into() });
                        }
                        Output::ReofferDone { result, .. } => {
                            assert_eq!(result, Ok(ANSWER.into()));
                            done[side] = true;
                        }
                        Output::Refreshed { .. } => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
            assert!(world.now.mono < base::Instant(60_000_000_000), "glare without end");
        }
        world.handle(1, Input::HangUp { session: sessions[1], reason: None });
        world.expect_end();
    }
}

#[test]
fn line_01_hanging_up_at_any_moment_ends_both_sides() {
    for seed in 0..200 {
        println!("seed {seed}");
        let mut world = bad(seed);
        let (ours, theirs) = world.dial();
        world.handle(1, Input::Ring { session: theirs, status: 180, sdp: None });
        let race = ms(world.dice.below(400));
        // The callee answers, and the caller gives up, within 0.4 s of each other, in either order.
        match seed % 2 {
            0 => {
                world.handle(1, Input::Answer { session: theirs, sdp: ANSWER.into() });
                world.pass(race);
                world.handle(0, Input::HangUp { session: ours, reason: None });
            }
            _ => {
                world.handle(0, Input::HangUp { session: ours, reason: None });
                world.pass(race);
                world.handle(1, Input::Answer { session: theirs, sdp: ANSWER.into() });
            }
        }
        world.expect_end();
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut world = bad(11);
        let (ours, _) = world.connect();
        world.handle(0, Input::HangUp { session: ours, reason: None });
        world.expect_end();
        (world.sent, world.now, world.dice.bits())
    };
    assert_eq!(run(), run());
}

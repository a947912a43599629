//! Callers, agents and customers who do anything at any moment: what must hold holds after each input, everything that
//! began ends, and nothing is left over.

use crate::callbacks::{ANA, CARRIER, FLOW, site};
use crate::peer::Message;
use crate::stage::{Stage, TRUNK};
use base::Random;
use base::fact::What;
use engine::Request;
use std::collections::BTreeMap;

const QUEUES: [&str; 4] = [
    r#"callback = { first = "agent", attempts = 2, retry_after = "60s", ring = "20s" }"#,
    r#"callback = { first = "customer", attempts = 3, retry_after = "30s", ring = "15s" }"#,
    "callback = { first = \"customer\", attempts = 1, retry_after = \"5s\", ring = \"5s\" }\noverflow_after = \"20s\"",
    "callback = { attempts = 2, retry_after = \"10s\" }\nleave_empty = [\"paused\", \"logged_out\"]\ncapacity = 3",
];

struct Storm {
    stage: Stage,
    dice: Random,
    calls: u32,
    answered: BTreeMap<&'static str, Vec<Message>>,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let queue = QUEUES[(seed % 4) as usize];
        let unanswered = if seed % 8 < 4 { "" } else { "\nunanswered = true" };
        let site = site(queue).replace("flow = \"desk\"", &format!("flow = \"desk\"{unanswered}"));
        Storm { stage: Stage::new(&site, FLOW), dice: Random::from_seed(seed), calls: 0, answered: BTreeMap::new() }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.dice.bits() % n
    }

    fn act(&mut self) {
        match self.below(24) {
            0 | 1 => {
                self.calls += 1;
                let from = format!("55123456{:02}", self.below(12));
                self.stage.call(TRUNK, &format!("call-{}", self.calls), &from, "5550001000", "");
            }
            2..=5 => self.press(),
            6..=11 => {
                let plays = self.stage.plays();
                let heard = plays.len().min(1 + self.below(3) as usize);
                plays[..heard].iter().for_each(|leg| self.stage.heard_on(*leg));
            }
            12..=15 => self.pick_up(ANA),
            16 | 17 => self.pick_up(CARRIER),
            18 => self.refuse(),
            19 | 20 => self.hang_up(),
            21 | 22 => self.agent(),
            23 if self.below(10) == 0 => {
                let n = 1 + self.below(u64::from(self.calls) + 1) as u32;
                let call = self.stage.id(n);
                self.stage.ask(Request::CancelCallback { call });
            }
            _ => {
                let seconds = self.below(20) as f64;
                self.stage.wait(seconds);
            }
        }
    }

    fn press(&mut self) {
        let key = b"777111111289#"[self.below(13) as usize] as char;
        let alive: Vec<u32> = self.stage.snapshot().calls.iter().map(|c| c.call.n).collect();
        if alive.is_empty() {
            return;
        }
        let call = alive[self.below(alive.len() as u64) as usize];
        let leg = base::LegId::caller(self.stage.id(call));
        self.stage.give(engine::Input::Media(media::Input::Digit { leg, key }));
    }

    fn pick_up(&mut self, peer: &'static str) {
        if self.stage.rung(peer).is_some() {
            let invite = self.stage.answer(peer);
            self.answered.entry(peer).or_default().push(invite);
        }
    }

    fn refuse(&mut self) {
        let (peer, status) = ([ANA, CARRIER][self.below(2) as usize], [486, 404, 503, 302][self.below(4) as usize]);
        if self.stage.rung(peer).is_some() {
            self.stage.refuse(peer, status);
        }
    }

    fn hang_up(&mut self) {
        let peer = [ANA, CARRIER][self.below(2) as usize];
        if let Some(invite) = self.answered.get_mut(peer).and_then(Vec::pop) {
            return self.stage.hang_up(peer, &invite);
        }
        let call = format!("call-{}", self.below(u64::from(self.calls) + 1));
        if self.stage.status(TRUNK, &call).is_some_and(|m| m.status() == Some(200)) {
            self.stage.bye(TRUNK, &call);
        }
    }

    fn agent(&mut self) {
        let ask = match self.below(10) {
            0 => acd::Ask::LogOut,
            1 => acd::Ask::Pause { reason: "".into() },
            2..=5 => acd::Ask::LogIn,
            _ => acd::Ask::Ready,
        };
        self.stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask });
    }

    /// Everybody leaves, and nobody is to be called back any more.
    fn calm(&mut self) {
        for call in 1..=self.calls {
            let call = self.stage.id(call);
            self.stage.ask(Request::CancelCallback { call });
            self.stage.ask(Request::HangUp { call });
        }
        self.stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogOut });
        self.stage.wait(120.0);
    }
}

fn count(stage: &Stage, call: u32, name: &str) -> usize {
    stage.facts_of(call, name).len()
}

fn settled(seed: u64, storm: &Storm) {
    let stage = &storm.stage;
    let snapshot = stage.snapshot();
    assert!(snapshot.calls.is_empty() && snapshot.visits.is_empty(), "seed {seed}: {:?}", snapshot.calls);
    assert_eq!((snapshot.ports, snapshot.sessions), (0, 0), "seed {seed}");
    for call in 1..=storm.calls {
        let ends = count(stage, call, "call.ended") + count(stage, call, "call.rejected");
        assert_eq!(ends, 1, "seed {seed}, call {call}: {:?}", stage.story(call));
        for (begun, ended) in [
            ("queue.entered", "queue.left"),
            ("callback.requested", "callback.done"),
            ("agent_leg.connected", "agent_leg.ended"),
            ("recording.started", "recording.stored"),
            ("offer.sent", "offer.accepted"),
        ] {
            let refused = ["offer.rejected", "offer.timed_out", "offer.cancelled", "offer.withdrawn"];
            let other: usize = if begun == "offer.sent" { refused.iter().map(|name| count(stage, call, name)).sum() } else { 0 };
            let (began, over) = (count(stage, call, begun), count(stage, call, ended) + other);
            assert_eq!(began, over, "seed {seed}, call {call}: {begun} and {ended} in {:?}", stage.story(call));
        }
        let revs: Vec<u32> = stage.facts.iter().filter(|f| f.about.call == Some(stage.id(call))).map(|f| f.about.rev).collect();
        assert_eq!(revs, (1..=revs.len() as u32).collect::<Vec<_>>(), "seed {seed}, call {call}");
    }
}

#[test]
fn whatever_they_do_every_promise_ends_once_and_nothing_is_left() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..40 {
        let mut storm = Storm::new(seed);
        for _ in 0..400 {
            storm.act();
        }
        storm.calm();
        settled(seed, &storm);
        for fact in &storm.stage.facts {
            let end = if let What::CallbackDone { end, .. } = &fact.what { format!(" {end:?}") } else { String::new() };
            *seen.entry(format!("{}{end}", fact.what.name())).or_default() += 1;
        }
    }
    let all = ["Connected", "Failed", "Joined", "Cancelled"].map(|end| format!("callback.done {end}"));
    for name in all.iter().map(String::as_str).chain(["voicemail.left", "call.forwarded", "agent_leg.connected"]) {
        assert!(seen.get(name).is_some_and(|n| *n > 3), "the storm must reach it: {name} in {seen:?}");
    }
}

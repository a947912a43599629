//! What the ACD says of the wait: to whoever enters, to whoever waits, and at the door (metrics.md, expected wait time).

use acd::{Acd, Agent, Announce, Caller, Config, Dissuade, Estimate, Input, OfferResult, Output, Queue, WrapUp, WrapUpMode};
use base::{AgentId, CallId, Cause, Instant, Now, OfferId, QueueId, Requirement, VisitId, Wall};
use std::sync::Arc;
use std::time::Duration;

const AGENTS: u64 = 4;
/// Each conversation: with four agents one visit is taken each thirty seconds.
const TALK: u64 = 120;

/// Four agents who always answer at once, and a line that is kept as long as a test wants it.
struct Scene {
    acd: Acd,
    now: u64,
    calls: u32,
    /// When each agent's conversation ends.
    talks: Vec<(u64, AgentId)>,
    said: Vec<Output>,
}

fn queue_id() -> QueueId {
    "acme/calls".parse().unwrap()
}

fn agent_id(n: u64) -> AgentId {
    format!("acme/a{n}").parse().unwrap()
}

fn visit(call: u32) -> VisitId {
    VisitId { call: CallId { node: 1, epoch: 1, n: call }, n: 1 }
}

impl Scene {
    fn new(queue: Queue) -> Scene {
        let mut scene = Scene { acd: Acd::new(1), now: 0, calls: 0, talks: Vec::new(), said: Vec::new() };
        scene.configure(queue);
        (0..AGENTS).for_each(|n| scene.tell(Input::Reachable { agent: agent_id(n), reachable: true }));
        scene
    }

    fn configure(&mut self, queue: Queue) {
        let wrap_up = WrapUp { mode: WrapUpMode::None, time: Duration::ZERO, cap: Duration::ZERO };
        let agent = || Agent { queues: vec![queue_id()], starts_logged_in: true, ..Agent::default() };
        let config = Config {
            queues: [(queue_id(), Queue { wrap_up, ..queue })].into(),
            agents: (0..AGENTS).map(|n| (agent_id(n), agent())).collect(),
            ..Config::default()
        };
        self.tell(Input::Configure(Arc::new(config)));
    }

    fn tell(&mut self, input: Input) {
        let now = Now { mono: Instant(self.now * 1_000_000_000), wall: Wall(self.now as i64 * 1_000_000) };
        let mut out = Vec::new();
        self.acd.handle(now, input, &mut out);
        let offers: Vec<(OfferId, AgentId)> = out.iter().filter_map(offer).collect();
        self.said.extend(out);
        for (offer, agent) in offers {
            self.talks.push((self.now + TALK, agent));
            self.tell(Input::OfferResult { offer, result: OfferResult::Accepted });
        }
    }

    fn call(&mut self) -> VisitId {
        self.calls += 1;
        let visit = visit(self.calls);
        self.tell(Input::Enqueue {
            visit,
            queue: queue_id(),
            requires: Requirement::default(),
            priority_s: 0,
            waited: Duration::ZERO,
            lang: None,
            party: None,
            caller: Caller::OnTheLine,
        });
        visit
    }

    /// So many seconds, in each of which conversations that are over end.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1;
            let over: Vec<AgentId> = self.talks.extract_if(.., |(end, _)| *end <= self.now).map(|(_, agent)| agent).collect();
            over.into_iter().for_each(|agent| self.tell(Input::Released { agent, cause: Cause::CallerHungUp }));
            self.tell(Input::Due);
        }
    }

    /// One call each thirty seconds, as many as are taken, behind a line of so many.
    fn busy(queue: Queue, line: u32, calls: u32) -> Scene {
        let mut scene = Scene::new(queue);
        for _ in 0..AGENTS {
            scene.call();
            scene.pass(TALK / AGENTS);
        }
        (0..line).for_each(|_| _ = scene.call());
        for _ in 0..calls {
            scene.call();
            scene.pass(TALK / AGENTS);
        }
        scene.said.clear();
        scene
    }

    fn entered(&self) -> Option<acd::Expected> {
        self.said.iter().rev().find_map(|o| if let Output::Entered { expected, .. } = o { Some(*expected) } else { None })?
    }
}

fn offer(output: &Output) -> Option<(OfferId, AgentId)> {
    if let Output::Offer { offer, agent, .. } = output { Some((*offer, agent.clone())) } else { None }
}

fn quiet() -> Queue {
    Queue { announce: Announce { every: None, position: false, wait: false }, ..Queue::default() }
}

#[test]
fn who_finds_an_agent_free_is_told_nothing_and_who_waits_first_neither() {
    let mut scene = Scene::new(quiet());
    (0..=AGENTS).for_each(|_| _ = scene.call());
    let all = scene.said.iter().filter(|o| matches!(o, Output::Entered { expected: None, .. })).count();
    assert_eq!(all, 5, "nothing is known yet");
}

#[test]
fn with_n_before_it_a_visit_is_told_n_and_one_departures() {
    let mut scene = Scene::busy(quiet(), 5, 60);
    let ahead = scene.acd.queue_len(&queue_id());
    let visit = scene.call();
    let said = scene.entered().unwrap();
    assert_eq!(said.from, Estimate::Position);
    let true_wait = Duration::from_secs(TALK / AGENTS) * (ahead as u32 + 1);
    assert!(said.p50 > true_wait.mul_f64(0.7) && said.p50 < true_wait.mul_f64(1.2), "{said:?}, really {true_wait:?}");
    assert!(said.p90 > said.p50);
    // It comes nearer, and is told so.
    let seen = |scene: &Scene| scene.acd.visits().find(|v| v.visit == visit).unwrap().expected.unwrap();
    let before = seen(&scene);
    scene.pass(90);
    assert!(seen(&scene).p50 < before.p50.mul_f64(0.8), "{before:?} then {:?}", seen(&scene));
}

#[test]
fn fewer_agents_at_work_are_a_longer_wait_at_once() {
    let mut scene = Scene::busy(quiet(), 5, 60);
    let visit = scene.call();
    let seen = |scene: &Scene| scene.acd.visits().find(|v| v.visit == visit).unwrap().expected;
    let before = seen(&scene).unwrap().p50;
    let asks = |n| Input::AgentAsked { agent: agent_id(n), ask: acd::Ask::LogOut, cause: Cause::Requested };
    (0..2).for_each(|n| scene.tell(asks(n)));
    scene.pass(TALK);
    scene.call();
    let after = scene.entered().unwrap().p50;
    let line = scene.acd.queue_len(&queue_id()) as f64;
    assert!(after > before.mul_f64(line / 8.0 * 1.4), "{before:?} then {after:?} in a line of {line}");
}

/// routing.md, the caller's side: expected wait, only when improved, rounded up.
#[test]
fn the_announced_wait_is_whole_minutes_and_never_rises() {
    let announce = Announce { every: Some(Duration::from_secs(20)), position: true, wait: true };
    let mut scene = Scene::busy(Queue { announce, ..Queue::default() }, 8, 60);
    let visit = scene.call();
    // The line grows and its callers go before: what is expected rises, what is said does not.
    for _ in 0..12 {
        scene.pass(20);
        let ahead = scene.call();
        scene.tell(Input::Prioritise { visit: ahead, priority_s: 100 });
    }
    let said: Vec<Duration> = scene.said.iter().filter_map(|o| announced(o, visit)).collect();
    assert!(!said.is_empty());
    assert!(said.iter().all(|wait| wait.as_secs() % 60 == 0 && wait.as_secs() > 0), "{said:?}");
    assert!(said.is_sorted_by(|a, b| a >= b), "{said:?}");
}

fn announced(output: &Output, of: VisitId) -> Option<Duration> {
    if let Output::Announce { visit, wait, .. } = output { wait.filter(|_| *visit == of) } else { None }
}

/// routing.md, the caller's side: dissuasion at the door by expected wait; always admits when nobody waits.
#[test]
fn who_would_wait_too_long_is_dissuaded_and_nobody_is_while_nobody_waits() {
    let dissuade = |minutes: u64| Dissuade { wait: Some(Duration::from_secs(60 * minutes)), ..Dissuade::default() };
    let refused = |scene: &Scene| scene.said.iter().any(|o| matches!(o, Output::Refused { cause: Cause::Dissuaded, .. }));
    let mut scene = Scene::busy(Queue { dissuade: dissuade(60), ..quiet() }, 6, 60);
    scene.call();
    assert!(!refused(&scene), "an hour is not expected");
    // A reload while calls wait: what was learnt of the line stays.
    scene.configure(Queue { dissuade: dissuade(2), ..quiet() });
    scene.call();
    assert!(refused(&scene), "more than two minutes are");
    scene.pass(3_600);
    assert_eq!(scene.acd.queue_len(&queue_id()), 0);
    scene.said.clear();
    (0..=AGENTS).for_each(|_| _ = scene.call());
    assert!(!refused(&scene), "nobody waits");
}

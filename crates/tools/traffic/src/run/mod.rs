//! The run loop: two sockets, one timer, and what each event means to whom.
//!
//! 1. Sleep until a socket, a leg's ear, or the nearest deadline.
//! 2. Read the sockets and hand each output of the endpoints to the person of its session.
//! 3. Do what that person does.
//! 4. Place the calls that are due; once a second tell the progress.
//!
//! When the time is over nobody calls any more; when the drain is over everybody hangs up.

mod calls;
mod wire;

use crate::audio::Bank;
use crate::line::{Line, News};
use crate::people::{AgentCall, Caller, Event};
use crate::plan::{Plan, agent_tone, all_tones};
use crate::register::Registration;
use crate::report::{AgentReport, CallReport, Outcome, Progress, Report};
use crate::sdp::Audio;
use crate::streams::{self, Plane, StreamId, Way};
use base::Random;
use mio::{Events, Interest, Poll, Token, Waker};
use sip::{Input, SessionId};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const TRUNK: Token = Token(0);
const PHONES: Token = Token(1);
const EARS: Token = Token(2);
/// `stop` is looked at this often.
const GLANCE: Duration = Duration::from_millis(100);
/// What agents have left after callers hung up, and everybody before the run ends without them.
const GRACE: Duration = Duration::from_secs(2);
/// Calls begin when every phone is registered, or after this.
const REGISTERING: Duration = Duration::from_secs(5);

/// Runs the plan until its time is over or `stop` is set, and says what was seen and heard.
///
/// # Errors
/// When an address can't be bound.
pub fn run(plan: &Plan, stop: &AtomicBool, tell: &mut dyn FnMut(Progress)) -> io::Result<Report> {
    let mut world = World::new(plan)?;
    while !world.turn(stop, tell)? {}
    Ok(world.finish())
}

/// Whose leg or session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Caller(SessionId),
    Agent(SessionId),
}

/// Somebody on the line, and the leg.
struct Person<M> {
    machine: M,
    stream: StreamId,
    media: SocketAddr,
    /// What was last agreed, for a re-INVITE without an offer.
    agreed: Option<Audio>,
}

struct Phone {
    registration: Option<Registration>,
    report: AgentReport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Calling,
    Draining { until: Instant },
    Leaving { since: Instant },
}

struct World<'a> {
    plan: &'a Plan,
    poll: Poll,
    trunk: Line,
    phones: Line,
    plane: Plane,
    ears: Receiver<streams::Event>,
    random: Random,
    start: Instant,
    /// The first call; later than `start` by the time that registering took.
    opened: Option<Instant>,
    next_call: Instant,
    next_tell: Instant,
    started: u64,
    phase: Phase,
    last_stream: u64,
    who: BTreeMap<StreamId, Who>,
    callers: BTreeMap<SessionId, Person<Caller>>,
    calls: BTreeMap<SessionId, (usize, Person<AgentCall>)>,
    agents: Vec<Phone>,
    report: Report,
}

impl<'a> World<'a> {
    fn new(plan: &'a Plan) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut trunk = Line::bind(plan.trunk, plan.server)?;
        let mut phones = Line::bind(plan.phones, plan.server)?;
        poll.registry().register(&mut trunk.socket, TRUNK, Interest::READABLE)?;
        poll.registry().register(&mut phones.socket, PHONES, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), EARS)?;
        let (to, ears) = channel();
        let tell = move |event| {
            // Nobody listens when the run is over; a wake-up that fails costs one glance.
            let _ = to.send(event);
            let _ = waker.wake();
        };
        let plane = Plane::start(Bank::new(all_tones()), plan.seed, tell)?;
        let mut random = Random::from_seed(plan.seed);
        let now = Instant::now();
        let agents = plan.agents.iter().enumerate().map(|(place, spec)| Phone {
            registration: spec.password.as_deref().map(|password| {
                let own = Random::from_seed(random.bits());
                Registration::new(&spec.user, password, plan.server, phones.local(), own, now)
            }),
            report: AgentReport { user: spec.user.clone(), tone_hz: agent_tone(place), ..AgentReport::default() },
        });
        Ok(World {
            agents: agents.collect(),
            plan,
            poll,
            trunk,
            phones,
            plane,
            ears,
            random,
            start: now,
            opened: None,
            next_call: now,
            next_tell: now + Duration::from_secs(1),
            started: 0,
            phase: Phase::Calling,
            last_stream: 0,
            who: BTreeMap::new(),
            callers: BTreeMap::new(),
            calls: BTreeMap::new(),
            report: Report::default(),
        })
    }

    /// One round of the loop; true when the run is over.
    fn turn(&mut self, stop: &AtomicBool, tell: &mut dyn FnMut(Progress)) -> io::Result<bool> {
        let mut events = Events::with_capacity(64);
        let wait = self.nearest().saturating_duration_since(Instant::now()).min(GLANCE);
        match self.poll.poll(&mut events, Some(wait)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
            _ => {}
        }
        // Sockets are edge-triggered and both are cheap to try, so both are read each time.
        let news = self.trunk.receive();
        self.on_trunk(news.outputs);
        let news = self.phones.receive();
        self.on_phones(news);
        while let Ok(event) = self.ears.try_recv() {
            self.on_ear(event);
        }
        self.on_deadlines();
        let now = Instant::now();
        if now >= self.next_tell {
            self.next_tell += Duration::from_secs(1);
            tell(self.progress(now));
        }
        Ok(self.advance(now, stop.load(Ordering::Relaxed)))
    }

    fn nearest(&self) -> Instant {
        let people = self.callers.values().map(|p| p.machine.due());
        let calls = self.calls.values().map(|(_, p)| p.machine.due());
        let phones = self.agents.iter().filter_map(|a| a.registration.as_ref().map(Registration::due));
        let lines = [self.trunk.deadline(), self.phones.deadline()].into_iter().flatten();
        let own = [self.next_tell, self.next_call.max(self.start)];
        people.chain(calls).chain(phones).chain(lines).chain(own).min().unwrap_or(self.next_tell)
    }

    fn on_deadlines(&mut self) {
        let now = Instant::now();
        if self.trunk.deadline().is_some_and(|at| at <= now) {
            let outputs = self.trunk.input(Input::Due);
            self.on_trunk(outputs);
        }
        if self.phones.deadline().is_some_and(|at| at <= now) {
            let outputs = self.phones.input(Input::Due);
            self.on_phones(News { outputs, registrations: vec![] });
        }
        for phone in &mut self.agents {
            if let Some(bytes) = phone.registration.as_mut().and_then(|r| r.on_due(now)) {
                self.phones.send(&bytes);
            }
        }
        let callers = self.callers.iter().filter(|(_, p)| p.machine.due() <= now).map(|(id, _)| Who::Caller(*id));
        let calls = self.calls.iter().filter(|(_, (_, p))| p.machine.due() <= now).map(|(id, _)| Who::Agent(*id));
        for who in callers.chain(calls).collect::<Vec<_>>() {
            self.happen(who, Event::Due);
        }
    }

    /// Moves through the phases and places the calls that are due; true when everything is over.
    fn advance(&mut self, now: Instant, stop: bool) -> bool {
        match self.phase {
            Phase::Calling => {
                let over = self.opened.is_some_and(|at| now >= at + Duration::from_millis(self.plan.duration_ms));
                let enough = self.plan.callers.at_most.is_some_and(|most| self.started >= u64::from(most));
                if over || stop || (enough && self.callers.is_empty()) {
                    self.phase = Phase::Draining { until: now + Duration::from_millis(self.plan.drain_ms) };
                } else {
                    self.place_calls(now);
                }
                false
            }
            Phase::Draining { until } => {
                if now >= until || self.callers.is_empty() {
                    self.stop_all(false);
                    self.phase = Phase::Leaving { since: now };
                }
                false
            }
            Phase::Leaving { since } => {
                if now >= since + GRACE && self.callers.is_empty() {
                    self.stop_all(true);
                }
                (self.callers.is_empty() && self.calls.is_empty()) || now >= since + 4 * GRACE
            }
        }
    }

    fn stop_all(&mut self, agents: bool) {
        let callers = self.callers.keys().map(|id| Who::Caller(*id));
        let calls = self.calls.keys().map(|id| Who::Agent(*id)).filter(|_| agents);
        for who in callers.chain(calls).collect::<Vec<_>>() {
            self.happen(who, Event::Stop);
        }
    }

    fn progress(&self, now: Instant) -> Progress {
        let registered = self.agents.iter().filter(|a| a.registration.as_ref().is_some_and(Registration::is_registered));
        Progress {
            elapsed_ms: now.saturating_duration_since(self.start).as_millis() as u64,
            started: self.started,
            live: self.callers.len() as u64,
            talking: self.callers.values().filter(|p| p.machine.is_talking()).count() as u64,
            over: self.report.calls.len() as u64,
            registered: registered.count() as u64,
        }
    }

    /// Phones leave, the thread ends, and who is still there is counted as lost.
    fn finish(mut self) -> Report {
        let now = Instant::now();
        for phone in &mut self.agents {
            if let Some(registration) = phone.registration.as_mut().filter(|r| r.is_registered()) {
                let bytes = registration.leave(now);
                self.phones.send(&bytes);
            }
        }
        for person in std::mem::take(&mut self.callers).into_values() {
            self.report.calls.push(CallReport { outcome: Outcome::Lost, ..person.machine.report });
        }
        let World { plane, mut report, agents, .. } = self;
        report.lateness = plane.finish().percentiles();
        report.agents = agents.into_iter().map(|a| a.report).collect();
        report.calls.sort_by_key(|c| c.start_ms);
        report.conversations.sort_by_key(|c| c.start_ms);
        report
    }
}

/// Where and how to speak to a peer that described itself so.
fn way(peer: &Audio) -> Way {
    let law = peer.laws.first().copied().unwrap_or_default();
    Way { remote: peer.at, law, dtmf: peer.dtmf, send: peer.receives }
}

/// Shared by a run and by whoever may end it early.
pub type Stop = Arc<AtomicBool>;

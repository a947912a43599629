//! The run loop: two sockets or three, one timer, and what each event means to whom.
//!
//! 1. Sleep until a socket, a leg's ear, or the nearest deadline.
//! 2. Read the sockets and hand each output of the endpoints to the person of its session.
//! 3. Do what that person does.
//! 4. Place the calls that are due; once a second tell the progress.
//!
//! When the time is over nobody calls any more; when the drain is over everybody hangs up.

mod calls;
mod moments;
mod outside;
mod own;
mod phases;
mod wire;

use crate::audio::Bank;
use crate::line::Line;
use crate::people::{AgentCall, CalledPerson, Caller, Event, OwnCall};
use crate::plan::{Plan, agent_tone, all_tones};
use crate::register::Registration;
use crate::report::{AgentReport, Moments, Progress, Report};
use crate::sdp::Audio;
use crate::streams::{self, Histogram, Plane, PortId, StreamId, Way};
use base::Random;
use mio::{Events, Interest, Poll, Token, Waker};
use sip::SessionId;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const TRUNK: Token = Token(0);
const PHONES: Token = Token(1);
const EARS: Token = Token(2);
const OUTSIDE: Token = Token(3);
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
    /// A call of an agent's own, on the same line as those that ring there.
    Own(SessionId),
    Outside(SessionId),
}

/// Somebody on the line, and the leg.
struct Person<M> {
    machine: M,
    stream: StreamId,
    media: SocketAddr,
    /// What was last agreed, for a re-INVITE without an offer.
    agreed: Option<Audio>,
    moments: Moments,
}

struct Phone {
    registration: Option<Registration>,
    report: AgentReport,
    /// When each of its own kinds of calls is due.
    own: Vec<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Calling,
    Draining { until: Instant },
    Leaving { since: Instant, told: usize },
}

struct World<'a> {
    plan: &'a Plan,
    poll: Poll,
    trunk: Line,
    phones: Line,
    outside: Option<Line>,
    plane: Plane,
    /// Sockets that legs of one side take by turns.
    shared: VecDeque<(PortId, SocketAddr)>,
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
    own: BTreeMap<SessionId, (usize, Person<OwnCall>)>,
    called: BTreeMap<SessionId, Person<CalledPerson>>,
    /// Own calls that consult about another call of the same phone.
    consults: BTreeMap<SessionId, SessionId>,
    /// How late deadlines of calls and phones were kept.
    late: Histogram,
    /// Callers who asked to be called back: their number, their call, the tone they spoke.
    promised: Vec<(String, String, u32)>,
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
        let mut outside = plan.outside.as_ref().map(|o| Line::bind(o.at, plan.server)).transpose()?;
        if let Some(outside) = &mut outside {
            poll.registry().register(&mut outside.socket, OUTSIDE, Interest::READABLE)?;
        }
        let waker = Waker::new(poll.registry(), EARS)?;
        let (to, ears) = channel();
        let tell = move |event| {
            // Nobody listens when the run is over; a wake-up that fails costs one glance.
            let _ = to.send(event);
            let _ = waker.wake();
        };
        let plane = Plane::start(Bank::new(all_tones()), plan.seed, plan.load.stamped, tell)?;
        let sides = [trunk.local().ip(), phones.local().ip()];
        let shared = (0..plan.load.shared_ports * 2).map(|n| share(&plane, n, sides)).collect::<io::Result<_>>()?;
        let mut random = Random::from_seed(plan.seed);
        let now = Instant::now();
        let agents = plan.agents.iter().enumerate().map(|(place, spec)| Phone {
            registration: spec.password.as_deref().map(|password| {
                let own = Random::from_seed(random.bits());
                Registration::new(&spec.user, password, plan.server, phones.local(), own, now)
            }),
            report: AgentReport { user: spec.user.clone(), tone_hz: agent_tone(place), ..AgentReport::default() },
            own: spec.own.iter().map(|calls| now + calls.every.draw(&mut random)).collect(),
        });
        Ok(World {
            agents: agents.collect(),
            plan,
            poll,
            trunk,
            phones,
            outside,
            plane,
            shared,
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
            own: BTreeMap::new(),
            called: BTreeMap::new(),
            consults: BTreeMap::new(),
            late: Histogram::default(),
            promised: Vec::new(),
            report: Report::default(),
        })
    }

    /// One round of the loop; true when the run is over.
    fn turn(&mut self, stop: &AtomicBool, tell: &mut dyn FnMut(Progress)) -> io::Result<bool> {
        let mut events = Events::with_capacity(64);
        let nearest = self.nearest();
        let wait = nearest.saturating_duration_since(Instant::now()).min(GLANCE);
        match self.poll.poll(&mut events, Some(wait)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
            _ => {}
        }
        // Sockets are edge-triggered and all are cheap to try, so all are read each time.
        let news = self.trunk.receive();
        news.trying.iter().for_each(|(call_id, at)| self.trying(call_id, *at));
        self.on_trunk(news.outputs);
        let news = self.phones.receive();
        self.on_phones(news);
        if let Some(news) = self.outside.as_mut().map(Line::receive) {
            self.on_outside(news.outputs);
        }
        while let Ok(event) = self.ears.try_recv() {
            self.on_ear(event);
        }
        if let Some(late) = Instant::now().checked_duration_since(nearest) {
            self.late.count(late);
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
        let own = self.own.values().map(|(_, p)| p.machine.due()).chain(self.called.values().map(|p| p.machine.due()));
        let people = people.chain(own);
        let phones = self.agents.iter().filter_map(|a| a.registration.as_ref().map(Registration::due));
        let lines = [Some(&self.trunk), Some(&self.phones), self.outside.as_ref()];
        let lines = lines.into_iter().flatten().filter_map(Line::deadline);
        let own = [self.next_tell, self.phase.due(Instant::now(), self.next_call.max(self.start))];
        people.chain(calls).chain(phones).chain(lines).chain(own).min().unwrap_or(self.next_tell)
    }

    fn on_deadlines(&mut self) {
        let now = Instant::now();
        let due = |line: &Line| line.deadline().is_some_and(|at| at <= now);
        if due(&self.trunk) {
            let news = self.trunk.on_due();
            self.on_trunk(news.outputs);
        }
        if due(&self.phones) {
            let news = self.phones.on_due();
            self.on_phones(news);
        }
        if let Some(news) = self.outside.as_mut().filter(|line| due(line)).map(Line::on_due) {
            self.on_outside(news.outputs);
        }
        for phone in &mut self.agents {
            if let Some(bytes) = phone.registration.as_mut().and_then(|r| r.on_due(now)) {
                self.phones.send(&bytes);
            }
        }
        let callers = self.callers.iter().filter(|(_, p)| p.machine.due() <= now).map(|(id, _)| Who::Caller(*id));
        let calls = self.calls.iter().filter(|(_, (_, p))| p.machine.due() <= now).map(|(id, _)| Who::Agent(*id));
        let own = self.own.iter().filter(|(_, (_, p))| p.machine.due() <= now).map(|(id, _)| Who::Own(*id));
        let called = self.called.iter().filter(|(_, p)| p.machine.due() <= now).map(|(id, _)| Who::Outside(*id));
        for who in callers.chain(calls).chain(own).chain(called).collect::<Vec<_>>() {
            self.happen(who, Event::Due);
        }
    }
}

/// The socket with this number, on one side and the other by turns.
fn share(plane: &Plane, number: u32, sides: [IpAddr; 2]) -> io::Result<(PortId, SocketAddr)> {
    let [trunk, phones] = sides;
    let socket = streams::bind((if number.is_multiple_of(2) { trunk } else { phones }, 0).into())?;
    let at = socket.local_addr()?;
    plane.share(PortId(number), socket);
    Ok((PortId(number), at))
}

/// Where and how to speak to a peer that described itself so.
fn way(peer: &Audio) -> Way {
    let law = peer.laws.first().copied().unwrap_or_default();
    Way { remote: peer.at, law, dtmf: peer.dtmf, send: peer.receives }
}

/// Shared by a run and by whoever may end it early.
pub type Stop = Arc<AtomicBool>;

//! Doors with nothing behind them but what a test puts there, and a server of them on a loopback port.

use arc_swap::ArcSwap;
use base::fact::{About, Consent, ConsentBy, Direction, Fact, Kept, Logged, Monitor, What};
use base::quality::{LegQuality, Received};
use base::{AgentId, AgentState, CallId, Cause, Instant, Lang, LegId, Now, PartyId, Pii, QueueId, RecordingId, Tenant, Wall};
use engine::{CallView, Place, Reply, Request, Snapshot};
use metrics::{AgentFigures, Figures, QueueFigures, Recordings, Totals, Visits};
use shell_web::{
    Accept, Access, Archive, Ask, Audio, Config, Configured, Doors, FactsAsk, Fault, Gauge, Going, Health, HoldAsk, HoldRow,
    Looked, Named, NotReloaded, Party, PlanLine, PlanRow, RecordingRow, RecordingsAsk, Reload, Reloaded, Shelf, TicketsAsk,
};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tickets::{Impact, Number, Priority, State, Ticket};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;
use vault::access::{Act, Head};

pub const CALL: &str = "1-3-42";
/// Text that must never become more than text.
pub const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";

const NAMES: [(&str, &str); 6] = [
    ("ana", "Ana Torres"),
    ("beatriz", "Beatriz Lima"),
    ("carlos", "Carlos Núñez"),
    ("diego", "Diego de la Fuente y Santibáñez"),
    ("elena", "Elena Rey"),
    ("hugo", "Hugo Petit"),
];

/// 2026-11-22 14:00:00 UTC.
const START: Wall = Wall(1_795_356_000_000_000);

/// What the test holds on to.
pub struct Fake {
    pub archive: Arc<FakeArchive>,
    pub shelf: Arc<FakeShelf>,
    pub asked: Arc<FakeAsk>,
    pub reloads: Arc<FakeReload>,
    pub access: Access,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub figures: Arc<ArcSwap<Figures>>,
    pub health: Arc<Mutex<Health>>,
    pub changed: watch::Sender<u64>,
    started: std::time::Instant,
}

/// A server of it.
pub struct Served {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Served {
    pub async fn stop(mut self) -> std::io::Result<()> {
        self.stop.take();
        self.task.await.expect("the server did not panic")
    }
}

impl Fake {
    pub fn new() -> Fake {
        let health = Health {
            version: "0.1.0".into(),
            started: START,
            gauges: vec![Gauge { name: "log_bytes", help: "Size of the log.", value: 4096.0 }],
            ..Health::default()
        };
        Fake {
            archive: Arc::new(FakeArchive::new()),
            shelf: Arc::default(),
            asked: Arc::default(),
            reloads: Arc::default(),
            access: Access::default(),
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot())),
            figures: Arc::new(ArcSwap::from_pointee(figures())),
            health: Arc::new(Mutex::new(health)),
            changed: watch::channel(0).0,
            started: std::time::Instant::now(),
        }
    }

    pub fn doors(&self) -> Doors {
        let (health, started) = (self.health.clone(), self.started);
        Doors {
            snapshot: self.snapshot.clone(),
            figures: self.figures.clone(),
            changed: self.changed.subscribe(),
            clock: Arc::new(move || now(started.elapsed())),
            // Six hours west of Greenwich, all year.
            day: Arc::new(|day| (day.len() == 10).then(|| format!("{day}T06:00:00Z").parse().ok()).flatten()),
            ask: self.asked.clone(),
            reload: self.reloads.clone(),
            archive: self.archive.clone(),
            shelf: self.shelf.clone(),
            health: Arc::new(move || health.lock().unwrap().clone()),
            quality: Arc::new(quality),
        }
    }

    /// New figures, as the log's consumer publishes them.
    pub fn publish(&self, change: impl FnOnce(&mut Figures)) {
        let mut figures = Figures::clone(&self.figures.load());
        change(&mut figures);
        figures.at = now(self.started.elapsed()).wall.to_string();
        self.figures.store(Arc::new(figures));
        self.changed.send_modify(|n| *n += 1);
    }

    pub async fn serve(&self, token: Option<&str>) -> Served {
        self.serve_at("127.0.0.1:0".parse().unwrap(), token, "Acme <soporte>").await
    }

    pub async fn serve_at(&self, at: SocketAddr, token: Option<&str>, site: &str) -> Served {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        self.access.set(token).unwrap();
        let config = Config { access: self.access.clone(), source: "/centralita/acme/1".into(), site: site.into() };
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(shell_web::serve(listener, config, self.doors(), shutdown));
        Served { address, stop: Some(stop), task }
    }
}

/// The open legs of a call.
fn quality(call: CallId) -> Vec<(LegId, LegQuality)> {
    let received = Received { packets: 500, jitter_us: 1_500, ..Received::default() };
    vec![(LegId { call, n: 1 }, LegQuality { codec: "PCMA".into(), received, ..LegQuality::default() })]
}

/// Virtual time goes on from an hour after the start, so that ages are plausible.
fn now(elapsed: Duration) -> Now {
    Now { mono: Instant::ZERO, wall: START }.plus(Duration::from_secs(3600) + elapsed)
}

fn ago(seconds: u64) -> Instant {
    now(Duration::ZERO).mono - Duration::from_secs(seconds)
}

pub fn agent(name: &str) -> AgentId {
    format!("acme/{name}").parse().unwrap()
}

pub fn call() -> CallId {
    CALL.parse().unwrap()
}

/// Remembers what was asked and answers what it was told to.
#[derive(Default)]
pub struct FakeAsk {
    pub requests: Mutex<Vec<Request>>,
    /// Who asked last.
    pub who: Mutex<Arc<str>>,
    /// `None`: the Centre is gone.
    pub reply: Mutex<Option<Reply>>,
}

impl Ask for FakeAsk {
    fn ask(&self, who: Arc<str>, request: Request) -> oneshot::Receiver<Reply> {
        let (answer, receiver) = oneshot::channel();
        *self.who.lock().unwrap() = who;
        self.requests.lock().unwrap().push(request);
        if let Some(reply) = self.reply.lock().unwrap().clone() {
            let _ = answer.send(reply);
        }
        receiver
    }
}

/// Reloads what it was told to.
#[derive(Default)]
pub struct FakeReload {
    pub answer: Mutex<Option<Result<Reloaded, NotReloaded>>>,
    pub who: Mutex<String>,
}

impl Reload for FakeReload {
    fn reload(&self, who: &str) -> Result<Reloaded, NotReloaded> {
        *self.who.lock().unwrap() = who.to_string();
        self.answer.lock().unwrap().clone().expect("the test says what a reload does")
    }
}

pub struct FakeArchive {
    pub facts: Mutex<Vec<Logged>>,
    pub live: broadcast::Sender<Arc<[Logged]>>,
    pub wav: Vec<u8>,
    pub broken: Mutex<bool>,
    pub tickets: Mutex<Vec<Ticket>>,
    /// What agents are called, by the name in their id.
    pub names: Mutex<BTreeMap<String, String>>,
}

impl FakeArchive {
    fn new() -> FakeArchive {
        let number =
            |number: &str| What::CallArrived { direction: Direction::Incoming, trunk: "carrier".into(), number: number.into() };
        let facts = vec![
            logged(1, Some(call()), number("+525550001")),
            logged(2, Some(call()), What::CallAnswered {}),
            logged(3, None, What::NodeHeartbeat { calls: 1 }),
            logged(4, Some("1-3-41".parse().unwrap()), What::CallEnded { duration_ms: 9000, visits: 1 }),
        ];
        FakeArchive {
            facts: Mutex::new(facts),
            live: broadcast::channel(16).0,
            wav: (0..100_000u32).map(|n| n as u8).collect(),
            broken: Mutex::new(false),
            tickets: Mutex::new(vec![ticket("acme", 7)]),
            names: Mutex::new(NAMES.map(|(id, name)| (id.to_string(), name.to_string())).into()),
        }
    }

    /// As the store does it: first written, then told.
    pub fn append(&self, fact: Logged) {
        self.facts.lock().unwrap().push(fact.clone());
        let _ = self.live.send(Arc::from([fact]));
    }

    fn works(&self) -> Result<(), String> {
        if *self.broken.lock().unwrap() { Err("disk I/O error in /var/lib/centralita".into()) } else { Ok(()) }
    }
}

pub fn logged(seq: u64, call: Option<CallId>, what: What) -> Logged {
    let about = About { tenant: Some("acme".parse().unwrap()), call, lang: call.map(|_| Lang::ES), ..About::default() };
    Logged { epoch: 3, seq, fact: Fact { now: now(Duration::from_secs(seq)), about, what } }
}

pub fn ticket(tenant: &str, number: u64) -> Ticket {
    Ticket {
        number: Number(number),
        tenant: tenant.parse().unwrap(),
        call: call(),
        state: State::Open,
        subject: format!("Call to soporte {HOSTILE}"),
        category: "call".into(),
        impact: Impact::One,
        priority: Priority::Medium,
        group: None,
        assigned_to: None,
        party: None,
        queue: Some("acme/soporte".parse().unwrap()),
        agent: Some(agent("ana")),
        lang: Some(Lang::ES),
        wait_ms: Some(4200),
        outcome: None,
        opened: START,
        updated: START,
        steps: Vec::new(),
    }
}

fn recording() -> RecordingRow {
    RecordingRow {
        recording: "1-3-42.c1.p1".parse().unwrap(),
        call: call(),
        tenant: Some("acme".parse().unwrap()),
        queue: Some("acme/soporte".parse().unwrap()),
        agent: Some(agent("ana")),
        message: false,
        lang: Some(Lang::ES),
        started: START,
        duration_ms: Some(61_000),
        kept: Some(Kept::Complete),
        sha256: Some("00ff".into()),
        reason: None,
        form: Some("sealed_flac".into()),
        bytes: Some(400_000),
    }
}

impl Archive for FakeArchive {
    fn facts(&self, ask: &FactsAsk) -> Result<Vec<Logged>, String> {
        self.works()?;
        let facts = self.facts.lock().unwrap();
        let wanted = facts.iter().filter(|l| (l.epoch, l.seq) > ask.after && ask.lets_through(l)).cloned();
        let mut wanted: Vec<Logged> = wanted.collect();
        if ask.newest && wanted.len() > ask.limit {
            wanted.drain(..wanted.len() - ask.limit);
        }
        wanted.truncate(ask.limit);
        Ok(wanted)
    }
    fn newest(&self) -> Result<(u32, u64), String> {
        self.works()?;
        Ok(self.facts.lock().unwrap().last().map_or((0, 0), |l| (l.epoch, l.seq)))
    }
    fn follow(&self) -> broadcast::Receiver<Arc<[Logged]>> {
        self.live.subscribe()
    }
    fn tickets(&self, ask: &TicketsAsk) -> Result<Vec<Ticket>, String> {
        self.works()?;
        let tickets = self.tickets.lock().unwrap();
        Ok(tickets.iter().filter(|t| ask.call.is_none_or(|call| t.call == call)).take(ask.limit).cloned().collect())
    }
    fn ticket(&self, number: Number) -> Result<Vec<Ticket>, String> {
        Ok(self.tickets.lock().unwrap().iter().filter(|t| t.number == number).cloned().collect())
    }
    fn recordings(&self, ask: &RecordingsAsk) -> Result<Vec<RecordingRow>, String> {
        self.works()?;
        let named = |r: &RecordingRow| ask.agent.is_none() || ask.agent == r.agent;
        Ok([recording()].into_iter().filter(|r| ask.call.is_none_or(|call| r.call == call) && named(r)).collect())
    }
    fn recording(&self, id: RecordingId) -> Result<Option<RecordingRow>, String> {
        // Of one that failed there is no sound.
        let failed = (id.n == 6).then(|| RecordingRow { recording: id, ..recording() });
        Ok(failed.or(Some(recording()).filter(|r| r.recording == id)))
    }
    fn strangers(&self, named: &Named) -> Result<Vec<String>, String> {
        let agent = named.agent.as_ref().filter(|agent| agent.name() == "anna");
        Ok(agent.map(|agent| format!("no agent is called {agent} (did you mean acme/ana?)")).into_iter().collect())
    }
    fn audio(&self, id: RecordingId) -> Result<Option<Box<dyn Audio>>, Fault> {
        match id.n {
            7 => return Err(Fault::Gone { error: format!("{id} was erased: asked for") }),
            8 => {
                let error = format!("{id}: its key does not open");
                return Err(Fault::Unreadable { error, expected: "its master key".into() });
            }
            _ if id != recording().recording => return Ok(None),
            _ => {}
        }
        Ok(Some(Box::new(Cursor::new(self.wav.clone()))))
    }
    fn party(&self, _: &Tenant, party: PartyId) -> Result<Option<Party>, String> {
        let known = Party { number: Pii::new("+525559999".into()), name: Pii::new(HOSTILE.into()) };
        Ok((party == PartyId(7)).then_some(known))
    }
    fn agent(&self, agent: &AgentId) -> Option<Configured> {
        let queues = ["acme/new".parse().unwrap()].into();
        self.names.lock().unwrap().get(agent.name()).map(|name| Configured { name: name.as_str().into(), queues })
    }
    fn queues(&self) -> Vec<QueueId> {
        vec!["acme/soporte".parse().unwrap(), "acme/new".parse().unwrap()]
    }
}

fn snapshot() -> Snapshot {
    let view = CallView {
        call: call(),
        tenant: "acme".parse().unwrap(),
        direction: Direction::Incoming,
        place: Place::Conversation,
        since: Now { mono: ago(30), wall: START },
        arrived: START.plus(Duration::from_secs(3550)),
        lang: Some(Lang::ES),
        party: Some(PartyId(7)),
        caller: Pii::new("+525559999".into()),
        user_to_user: None,
        number: "+525550001".into(),
        queue: Some("acme/soporte".parse().unwrap()),
        visit: Some("1-3-42.v1".parse().unwrap()),
        agent: Some(agent("ana")),
        recording: Some("1-3-42.c1.p1".parse().unwrap()),
        paused: Some(engine::PausedView {
            who: "ana".into(),
            cause: "card".into(),
            until: START.plus(Duration::from_secs(3_660)),
            due: ago(0) + Duration::from_secs(60),
        }),
        consent: Some(Consent { given: true, by: ConsentBy::Key }),
        held: false,
        third: Some("agent/beatriz".into()),
        monitors: vec![(agent("sup"), Monitor::Whisper)],
        expected: None,
        deadline: None,
        waits_for: "".into(),
    };
    let caller_back = CallView {
        call: "1-3-44".parse().unwrap(),
        place: Place::Callback,
        visit: Some("1-3-44.v1".parse().unwrap()),
        agent: None,
        recording: None,
        paused: None,
        third: None,
        monitors: Vec::new(),
        expected: Some(expected()),
        ..view.clone()
    };
    let waiting = acd::VisitView {
        visit: "1-3-43.v1".parse().unwrap(),
        queue: "acme/soporte".parse().unwrap(),
        entered: ago(12),
        requires: "lang:es >= 1".parse().unwrap(),
        priority_s: 0,
        credit: Duration::ZERO,
        caller: acd::Caller::OnTheLine,
        offers: Vec::new(),
        expected: Some(expected()),
        deadline: Some(now(Duration::ZERO).mono + Duration::from_secs(100)),
    };
    let virtual_caller = acd::VisitView {
        visit: "1-3-44.v1".parse().unwrap(),
        entered: ago(5),
        credit: Duration::from_secs(60),
        caller: acd::Caller::Virtual { first: acd::CallFirst::Agent, not_before: None },
        ..waiting.clone()
    };
    let silent = acd::AgentView {
        agent: agent("zoe"),
        state: AgentState::LoggedOut,
        since: ago(600),
        owner: acd::Owner::Agent,
        cause: Cause::Requested,
        reason: None,
        deadline: None,
        offer: None,
        visit: None,
        pending: None,
        reachable: false,
        work: None,
        skills: BTreeMap::new(),
    };
    let talking = acd::AgentView {
        agent: agent("ana"),
        state: AgentState::Talking,
        since: ago(30),
        visit: Some("1-3-42.v1".parse().unwrap()),
        pending: Some(acd::Ask::Pause { reason: "lunch".into() }),
        reachable: true,
        ..silent.clone()
    };
    Snapshot {
        now: now(Duration::ZERO),
        epoch: 3,
        calls: vec![view, caller_back],
        agents: vec![talking, silent],
        visits: vec![waiting, virtual_caller],
        sessions: 2,
        ports: 4,
        ..Snapshot::default()
    }
}

/// What a waiting call would be told.
fn expected() -> acd::Expected {
    let seconds = Duration::from_secs;
    acd::Expected { p50: seconds(40), p90: seconds(95), from: acd::Estimate::Position }
}

pub fn figures() -> Figures {
    use AgentState::*;
    let queues = vec![
        queue("acme/soporte", 2, 12_000, visits(48, 41, 4, 1, 1, Some(0.853))),
        queue("acme/support", 1, 41_000, visits(22, 16, 4, 1, 1, Some(0.741))),
        queue("globex/soporte", 3, 74_000, visits(17, 9, 4, 1, 1, Some(0.588))),
        queue("globex/billing", 0, 0, visits(0, 0, 0, 0, 0, None)),
    ];
    let mut agents = vec![
        agent_row("ana", Talking, 184, None, Some("soporte"), 17),
        agent_row("beatriz", Available, 42, None, None, 14),
        agent_row("carlos", Ringing, 6, None, Some("suporte"), 11),
        agent_row("diego", Paused, 731, Some("almuerzo"), None, 9),
        agent_row("elena", WrapUp, 18, None, Some("support"), 12),
        agent_row("fernanda", Holding, 77, None, Some("soporte"), 8),
        agent_row("gael", Unreachable, 220, None, None, 3),
        agent_row("hugo", Reserved, 1, None, Some("soporte"), 6),
        agent_row("ines", Talking, 452, None, Some("support"), 10),
        agent_row("joao", Engaged, 3, None, None, 13),
    ];
    agents[3].reason = Some("almuerzo".into());
    let totals = Totals {
        calls: metrics::Calls {
            incoming: 104,
            rejected: 2,
            ivr_abandoned: 9,
            ivr_ended: 3,
            queued: 87,
            in_ivr: 3,
            reached_agent: 66,
            lost: 13,
            live_now: 14,
            abandonment_rate_incoming: Some(0.2),
            ..metrics::Calls::default()
        },
        visits: visits(87, 66, 12, 3, 6, Some(0.764)),
        waiting_now: 6,
        longest_wait_ms: 74_000,
        agents_by_state: BTreeMap::from([
            (Available, 1),
            (Engaged, 1),
            (Reserved, 1),
            (Ringing, 1),
            (Talking, 2),
            (Holding, 1),
            (WrapUp, 1),
            (Paused, 1),
            (Unreachable, 1),
            (LoggedOut, 1),
        ]),
        ..Totals::default()
    };
    Figures {
        at: now(Duration::ZERO).wall.to_string(),
        from: "2026-11-22T00:00:00.000000Z".into(),
        to: "2026-11-23T00:00:00.000000Z".into(),
        epoch: 3,
        seq: 4,
        events: 2041,
        invariant_breaches: 0,
        totals,
        queues,
        agents,
        languages: BTreeMap::from([(Lang::ES, 51), (Lang::EN, 24), (Lang::PT, 18), (Lang::FR, 6)]),
        recordings: Recordings {
            expected: 66,
            complete: 61,
            partial: 1,
            failed: 0,
            open: 4,
            missing: 0,
            excluded: [("policy".to_string(), 2)].into(),
            by_policy: BTreeMap::new(),
            accounted: Some(1.0),
            coverage: Some(61.0 / 62.0),
            alarms: 1,
            alarms_now: 0,
        },
        quality: metrics::Quality::default(),
        supervision: metrics::Supervision::default(),
    }
}

fn visits(offered: u64, answered: u64, abandoned: u64, other_exits: u64, waiting: u64, service_level: Option<f64>) -> Visits {
    let some = |ms: u64| (answered > 0).then_some(ms);
    Visits {
        offered,
        answered,
        abandoned,
        other_exits,
        timeout: other_exits,
        waiting,
        short_abandons: abandoned / 2,
        service_level,
        service_level_formula: "short_excluded".into(),
        asa_ms: some(11_400),
        aht_ms: some(214_000),
        wait_p50_ms: some(7_900),
        wait_p90_ms: some(27_800),
        ..Visits::default()
    }
}

fn queue(name: &str, waiting_now: u64, longest_wait_ms: u64, visits: Visits) -> QueueFigures {
    use AgentState::*;
    let agents_by_state = BTreeMap::from([(Available, 2), (Talking, 3), (WrapUp, 1), (Paused, 1)]);
    QueueFigures { waiting_now, longest_wait_ms, agents_by_state, visits, ..QueueFigures::nothing(name.parse().unwrap()) }
}

fn agent_row(name: &str, state: AgentState, seconds: u64, reason: Option<&str>, queue: Option<&str>, calls: u64) -> AgentFigures {
    AgentFigures {
        in_state_ms: seconds * 1000,
        cause: Some(Cause::Requested),
        reason: reason.map(str::to_string),
        queues: vec!["acme/soporte".parse().unwrap(), "acme/support".parse().unwrap()],
        queue: queue.map(|q| format!("acme/{q}").parse().unwrap()),
        call: queue.map(|_| call()),
        calls,
        handled: calls,
        offers: calls + 1,
        rona: 1,
        aht_ms: Some(200_000),
        occupancy: Some(0.8),
        utilisation: Some(0.6),
        ..AgentFigures::nothing(agent(name), state, START.to_string())
    }
}

/// Of recordings on disk: what was asked of it, and why.
#[derive(Default)]
pub struct FakeShelf(pub Mutex<Vec<String>>);

impl Shelf for FakeShelf {
    fn note(&self, who: &str, act: Act, recording: &str, why: &str) -> Result<(), String> {
        if why == "the disk is full" {
            return Err("no space left".into());
        }
        self.0.lock().unwrap().push(format!("{who} {act} {recording} {why}"));
        Ok(())
    }
    fn refused(&self, who: &str, act: Act, recording: &str, why: &str, refused: &str) {
        self.0.lock().unwrap().push(format!("{who} {act} {recording} {why}: {refused}"));
    }
    fn accesses(&self) -> Result<String, String> {
        let mut head = Head::default();
        let access = vault::access::Access {
            at: String::new(),
            who: "ana".into(),
            act: Act::Play,
            recording: "1".into(),
            why: String::new(),
            refused: None,
        };
        Ok((0..2).map(|_| head.append(&access)).collect())
    }
    fn verify(&self, id: RecordingId) -> Result<Option<Looked>, String> {
        Ok((id == recording().recording).then(|| looked("complete")))
    }
    fn verify_all(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        let _ = tell(looked("complete")) && tell(looked("orphan"));
        Ok(())
    }
    fn orphans(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        tell(looked("orphan"));
        Ok(())
    }
    fn erase(&self, who: &str, id: RecordingId, why: &str, early: bool) -> Result<Option<Looked>, Fault> {
        if why == "held" {
            return Err(Fault::conflict("hold 7 keeps it: a court", "a recording that nobody holds"));
        }
        if !early && why == "young" {
            return Err(Fault::conflict("its minimum has not passed", "\"early\": true"));
        }
        self.note(who, Act::Erase, &id.to_string(), why)?;
        Ok((id == recording().recording).then(|| looked("erased")))
    }
    fn plan(&self, days: u32, tell: &mut dyn FnMut(PlanLine) -> bool) -> Result<(), String> {
        let plan = PlanRow { now: START, ..PlanRow::default() };
        for _ in 0..days {
            let (recording, cause) = (recording().recording, recording::retention::Cause::Maximum);
            let going = Going { recording, tenant: None, queue: None, started: START, bytes: 7, at: START, cause };
            tell(PlanLine::Going(going));
        }
        tell(PlanLine::Plan { plan: Box::new(plan) });
        Ok(())
    }
    fn holds(&self) -> Result<Vec<HoldRow>, String> {
        Ok(vec![held("1-3-42.c1.p1")])
    }
    fn hold(&self, who: &str, ask: &HoldAsk, why: &str) -> Result<Option<HoldRow>, Fault> {
        self.note(who, Act::Hold, &format!("{ask:?}"), why)?;
        Ok(ask.caller.is_none().then(|| held("queue=acme/soporte")))
    }
    fn release(&self, who: &str, hold: u64, why: &str) -> Result<Option<HoldRow>, Fault> {
        self.note(who, Act::Release, &hold.to_string(), why)?;
        Ok((hold == 7).then(|| held("1-3-42.c1.p1")))
    }
    fn accept(&self, who: &str, what: Accept, why: &str) -> Result<String, Fault> {
        self.note(who, Act::Accept, &format!("{what:?}"), why)?;
        Ok(format!("{what:?} is taken as it is"))
    }
    fn may_rekey(&self) -> Result<(), Fault> {
        Ok(())
    }
    fn rekey(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        tell(looked("wrapped"));
        Ok(())
    }
}

fn held(of: &str) -> HoldRow {
    HoldRow { hold: 7, of: of.into(), at: String::new(), who: "ana".into(), why: "a court".into(), recordings: None }
}

fn looked(outcome: &'static str) -> Looked {
    let heard = vec!["caller".into()];
    let recording = recording().recording;
    Looked { recording, outcome, reason: String::new(), form: Some("sealed"), duration_ms: 61_000, heard }
}

//! One call, one queue, one agent, one ticket, one recording.

use acd::{Caller, Candidate, Change, Estimate, Expected, LetIn, RelaxStep, Rival, Rule, Strategy, VisitView, Waits, Why};
use base::fact::{About, Direction, Fact, Kept, Logged, Monitor, What};
use base::{AgentState, CallId, Instant, Lang, Now, Pii, QueueId, Skill, Wall};
use engine::{CallView, Decision, Place, Snapshot, WhyReport};
use metrics::{AgentFigures, Figures, OfPolicy, QueueFigures, Recordings, Visits};
use recording::retention::{Cause, Sum};
use shell_web::{ForecastRow, Going, HoldRow, PlanLine, PlanRow, RecordingRow, ShortRow};
use std::collections::BTreeMap;
use std::time::Duration;
use tickets::{Impact, Number, Priority, State, Ticket};

pub const WAV: &[u8] = b"RIFF and so on";

pub fn report() -> WhyReport {
    let candidate = |name: &str, value| Candidate { agent: name.parse().unwrap(), value, idle: Duration::from_secs(9).into() };
    let change = Change::Lower { skill: Skill::new("billing"), to: 3 };
    let step = RelaxStep { number: 2, after: Duration::from_secs(30), change };
    let why = Why {
        rule: Rule::Strategy(Strategy::MostSkilled),
        score_ms: 12_500,
        idle: Duration::from_secs(9).into(),
        agents: 2,
        visits: 1,
        candidates: [candidate("acme/ana", -14), candidate("acme/bea", -9)].into_iter().collect(),
        rivals: [Rival { visit: "1-3-42.v1".parse().unwrap(), score_ms: 12_500 }].into_iter().collect(),
        let_in: Some(LetIn { step: step.into(), early: false }),
    };
    let (agent, queue) = ("acme/ana".parse().unwrap(), "acme/soporte".parse().unwrap());
    let decision = Decision { offer: "1-3-42.v1.o1".parse().unwrap(), agent, queue, at: Wall(0), why };
    let waits = Waits {
        requires: "lang:es >= 3".parse().unwrap(),
        position: 2,
        score_ms: 75_000,
        agents: BTreeMap::from([(AgentState::Talking, 3), (AgentState::WrapUp, 1)]),
        barred: vec![("acme/carlos".parse().unwrap(), "busy a moment ago".into())],
        next: Some((Instant(10_000_000_000), Change::Lower { skill: Skill::new("lang:es"), to: 2 })),
        sticky: Some(("acme/ana".parse().unwrap(), Instant(5_000_000_000))),
        expected: Some(expected()),
    };
    WhyReport { waits: Some(waits), decisions: vec![decision] }
}

pub fn expected() -> Expected {
    Expected { p50: Duration::from_secs(30), p90: Duration::from_secs(90), from: Estimate::Position }
}

pub fn call() -> CallId {
    "1-3-42".parse().unwrap()
}

pub fn logged(seq: u64, what: What) -> Logged {
    let about = About { call: Some(call()), ..About::default() };
    Logged { epoch: 3, seq, fact: Fact { now: Now::default(), about, what } }
}

pub fn ticket() -> Ticket {
    Ticket {
        number: Number(7),
        tenant: "acme".parse().unwrap(),
        call: call(),
        state: State::Open,
        subject: "Call to \u{1b}[31msoporte".into(),
        category: "call".into(),
        impact: Impact::One,
        priority: Priority::Medium,
        group: None,
        assigned_to: None,
        party: None,
        queue: None,
        agent: None,
        lang: None,
        wait_ms: Some(61_000),
        outcome: None,
        opened: Wall(0),
        updated: Wall(0),
        steps: Vec::new(),
    }
}

pub fn recording() -> RecordingRow {
    RecordingRow {
        recording: "1-3-42.c1.p1".parse().unwrap(),
        call: call(),
        tenant: None,
        queue: None,
        agent: None,
        message: false,
        lang: Some(Lang::ES),
        started: Wall(0),
        duration_ms: Some(61_000),
        kept: Some(Kept::Complete),
        sha256: None,
        reason: None,
        form: Some("sealed_flac".into()),
        bytes: Some(412_345),
    }
}

pub fn held(of: &str) -> HoldRow {
    HoldRow {
        hold: 7,
        of: of.into(),
        at: "2026-11-22T12:00:00Z".into(),
        who: "ana".into(),
        why: "a court".into(),
        recordings: None,
    }
}

/// One goes at once, more in ten days; a budget is passed.
pub fn planned() -> Vec<PlanLine> {
    let (recording, at, day) = ("1-3-42.c1.p1".parse().unwrap(), Wall(1_795_356_000_000_000), 86_400_000_000);
    let going = Going { recording, tenant: None, queue: None, started: Wall(0), bytes: 412_345, at, cause: Cause::Maximum };
    let sum = |recordings, bytes| Sum { recordings, bytes };
    let plan = PlanRow {
        now: at,
        found: sum(4, 3_000_000_000),
        delete: [(Cause::Maximum, sum(1, 412_345))].into(),
        held: sum(1, 2_000_000),
        overdue: sum(1, 2_000_000),
        due: [(10, sum(2, 1_500_000_000))].into(),
        short: vec![ShortRow { tenant: None, missing_bytes: 500_000_000, next: Some(Wall(at.0 + day)) }],
        forecasts: vec![ForecastRow {
            tenant: None,
            bytes: 2_999_587_655,
            budget: Some(2_500_000_000),
            bytes_per_day: Some(90_000_000),
            drawn_from_ms: 7 * 86_400_000,
            full: Some(at),
        }],
        disk_free: Some(900_000_000),
        disk_full: Some(Wall(at.0 + 10 * day)),
        deletes: true,
        stopped: None,
    };
    vec![PlanLine::Going(going), PlanLine::Plan { plan: Box::new(plan) }]
}

pub fn snapshot() -> Snapshot {
    let call = CallView {
        call: call(),
        tenant: "acme".parse().unwrap(),
        direction: Direction::Incoming,
        place: Place::Queue,
        since: Now::default(),
        arrived: Wall(0),
        lang: Some(Lang::ES),
        party: None,
        caller: Pii::new("+525559999".into()),
        user_to_user: None,
        number: "+525550001".into(),
        queue: Some("acme/soporte".parse().unwrap()),
        visit: None,
        agent: None,
        recording: None,
        paused: Some(engine::PausedView {
            who: "acme/ana".into(),
            cause: "card".into(),
            until: Wall(1_795_363_200_000_000),
            due: Default::default(),
        }),
        consent: Some(base::fact::Consent { given: false, by: base::fact::ConsentBy::Key }),
        held: false,
        third: Some("agent/bea".into()),
        monitors: vec![("acme/sup".parse().unwrap(), Monitor::Listen)],
        expected: Some(expected()),
        deadline: None,
        waits_for: "an agent".into(),
    };
    let visit = VisitView {
        visit: "1-3-42.v1".parse().unwrap(),
        queue: "acme/soporte".parse().unwrap(),
        entered: Instant::ZERO,
        requires: "lang:es >= 3".parse().unwrap(),
        priority_s: 0,
        credit: Duration::ZERO,
        caller: Caller::OnTheLine,
        offers: Vec::new(),
        deadline: Some(Instant(100_000_000_000)),
        expected: Some(expected()),
    };
    Snapshot { calls: vec![call], visits: vec![visit], ..Snapshot::default() }
}

pub fn figures() -> Figures {
    let visits = Visits {
        offered: 5,
        answered: 4,
        service_level: Some(0.8),
        service_level_formula: "short_excluded".into(),
        asa_ms: Some(9000),
        ..Visits::default()
    };
    let id: QueueId = "acme/soporte".parse().unwrap();
    let queue = QueueFigures { waiting_now: 1, longest_wait_ms: 61_000, visits, ..QueueFigures::nothing(id.clone()) };
    let ana = AgentFigures {
        queues: vec![id],
        ..AgentFigures::nothing("acme/ana".parse().unwrap(), AgentState::Talking, String::new())
    };
    let excluded: BTreeMap<_, _> = [("share".to_string(), 2), ("consent_refused".to_string(), 1)].into();
    let of_policy = OfPolicy { expected: 1, complete: 1, excluded: excluded.clone(), coverage: Some(1.0), ..OfPolicy::default() };
    let by_policy = [("queue acme/soporte: 25 %".to_string(), of_policy)].into();
    let recordings = Recordings { expected: 3, complete: 2, open: 1, excluded, by_policy, ..Recordings::default() };
    Figures { queues: vec![queue], agents: vec![ana], recordings, ..Figures::default() }
}

/// Of any call, one open leg that heard well and was heard badly.
pub fn quality(call: base::CallId) -> Vec<(base::LegId, base::quality::LegQuality)> {
    use base::quality::{LegQuality, Rated, Received, Reported, Sent};
    let rated = |loss, mos| Rated { loss: Some(loss), r: None, mos: Some(mos) };
    let received = Received { packets: 500, jitter_us: 1_500, rated: rated(0.0, 4.39), ..Received::default() };
    let reported = Reported { reports: 2, lost: 6, jitter_us: 30_000, rated: rated(0.0125, 3.21), ..Reported::default() };
    let sent = Sent { packets: 480, reported: Some(reported) };
    let quality = LegQuality { codec: "PCMA".into(), received, sent, round_trip_us: Some(48_200), ..LegQuality::default() };
    vec![(base::LegId { call, n: 1 }, quality)]
}

//! The client against a real server on a loopback port, with little behind its doors.

use super::client::Client;
use super::{Command, Common, run_into};
use acd::{Caller, Candidate, Change, Estimate, Expected, Rival, Rule, Strategy, VisitView, Waits, Why};
use arc_swap::ArcSwap;
use base::fact::{About, Direction, Fact, Kept, Logged, Monitor, What};
use base::{AgentState, CallId, Instant, Lang, Now, PartyId, Pii, QueueId, RecordingId, Skill, Tenant, Wall};
use clap::Parser;
use engine::{CallView, Decision, Place, Reply, Request, Snapshot, Target, WhyReport};
use metrics::{AgentFigures, Figures, QueueFigures, Visits};
use serde_json::Value;
use shell_web::{
    Access, Archive, Ask, Config, Doors, FactsAsk, Finding, Health, NotReloaded, Party, RecordingRow, RecordingsAsk, Reload,
    Reloaded, TicketsAsk,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tickets::{Impact, Number, Priority, State, Ticket};
use tokio::sync::{broadcast, oneshot, watch};

const WAV: &[u8] = b"RIFF and so on";

/// A server in a thread of its own; dropped, it ends.
struct Node {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    /// Whether the next reload is refused.
    broken: Arc<Mutex<bool>>,
    facts: broadcast::Sender<Arc<[Logged]>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Node {
    fn start(token: Option<&str>) -> Node {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let broken = Arc::new(Mutex::new(false));
        let facts = broadcast::channel(16).0;
        let (_, changed) = watch::channel(0);
        let doors = Doors {
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot())),
            figures: Arc::new(ArcSwap::from_pointee(figures())),
            changed,
            clock: Arc::new(Now::default),
            ask: Arc::new(Door(asked.clone())),
            reload: Arc::new(Again(broken.clone())),
            archive: Arc::new(Shelf(facts.clone())),
            health: Arc::new(Health::default),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let config = Config { access: Access::new(token).unwrap(), source: "/centralita/acme/1".into(), site: "acme".into() };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async move { drop(stopped.await) };
                shell_web::serve(listener, config, doors, stopped).await.unwrap();
            });
        });
        Node { address: told.recv().unwrap(), asked, broken, facts, stop: Some(stop), thread: Some(thread) }
    }

    /// Status, output and errors of one command line.
    fn run(&self, line: &str) -> (u8, String, String) {
        run(&format!("--api http://{} {line}", self.address))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.take();
        let _ = self.thread.take().map(|thread| thread.join());
    }
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

fn run(line: &str) -> (u8, String, String) {
    let line = Line::try_parse_from(std::iter::once("centralita").chain(line.split_whitespace())).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = run_into(line.command, &line.common, &mut out, &mut err);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

struct Door(Arc<Mutex<Vec<Request>>>);

impl Ask for Door {
    fn ask(&self, who: Arc<str>, request: Request) -> oneshot::Receiver<Reply> {
        assert_eq!(&*who, super::user::name());
        let (answer, receiver) = oneshot::channel();
        let reply = match &request {
            Request::Agent { ask: acd::Ask::LogOut, .. } => Reply::Pending,
            Request::Agent { ask: acd::Ask::Ready, .. } => Reply::Refused { why: "the agent is not logged in".into() },
            Request::Why { .. } => Reply::Why(Box::new(report())),
            _ => Reply::Done,
        };
        self.0.lock().unwrap().push(request);
        let _ = answer.send(reply);
        receiver
    }
}

struct Again(Arc<Mutex<bool>>);

impl Reload for Again {
    fn reload(&self, _: &str) -> Result<Reloaded, NotReloaded> {
        let finding = Finding {
            file: "site.toml".into(),
            line: 3,
            column: 9,
            severity: "warning",
            message: "no".into(),
            help: None,
            shown: "error: no\n --> site.toml:3:9\n  |\n3 | a = \u{1b}[2J".into(),
        };
        if *self.0.lock().unwrap() {
            let error = "the site file has 1 error: the old one still counts".to_string();
            return Err(NotReloaded { error, expected: String::new(), findings: vec![finding] });
        }
        Ok(Reloaded { sha256: "0123456789abcdef".into(), warnings: vec![finding] })
    }
}

/// A call that waits, after one agent who did not answer.
fn report() -> WhyReport {
    let candidate = |name: &str, value| Candidate { agent: name.parse().unwrap(), value, idle: Duration::from_secs(9) };
    let why = Why {
        rule: Rule::Strategy(Strategy::MostSkilled),
        score_ms: 12_500,
        idle: Duration::from_secs(9),
        agents: 2,
        visits: 1,
        candidates: [candidate("acme/ana", -14), candidate("acme/bea", -9)].into_iter().collect(),
        rivals: [Rival { visit: "1-3-42.v1".parse().unwrap(), score_ms: 12_500 }].into_iter().collect(),
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

fn expected() -> Expected {
    Expected { p50: Duration::from_secs(30), p90: Duration::from_secs(90), from: Estimate::Position }
}

struct Shelf(broadcast::Sender<Arc<[Logged]>>);

impl Archive for Shelf {
    fn facts(&self, ask: &FactsAsk) -> Result<Vec<Logged>, String> {
        let arrived = What::CallArrived { direction: Direction::Incoming, trunk: "carrier".into(), number: "+525550001".into() };
        let all = [logged(1, arrived), logged(2, What::CallAnswered {})];
        Ok(all.into_iter().filter(|l| (l.epoch, l.seq) > ask.after && ask.lets_through(l)).collect())
    }
    fn newest(&self) -> Result<(u32, u64), String> {
        Ok((3, 2))
    }
    fn follow(&self) -> broadcast::Receiver<Arc<[Logged]>> {
        self.0.subscribe()
    }
    fn tickets(&self, _: &TicketsAsk) -> Result<Vec<Ticket>, String> {
        Ok(vec![ticket()])
    }
    fn ticket(&self, number: Number) -> Result<Vec<Ticket>, String> {
        Ok([ticket()].into_iter().filter(|t| t.number == number).collect())
    }
    fn recordings(&self, _: &RecordingsAsk) -> Result<Vec<RecordingRow>, String> {
        Ok(vec![recording()])
    }
    fn recording(&self, id: RecordingId) -> Result<Option<RecordingRow>, String> {
        Ok(Some(recording()).filter(|r| r.recording == id))
    }
    fn audio(&self, id: RecordingId) -> Result<Option<File>, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(WAV).and_then(|()| file.rewind()).unwrap();
        Ok((id == recording().recording).then_some(file))
    }
    fn party(&self, _: &Tenant, _: PartyId) -> Result<Option<Party>, String> {
        Ok(None)
    }
}

fn call() -> CallId {
    "1-3-42".parse().unwrap()
}

fn logged(seq: u64, what: What) -> Logged {
    let about = About { call: Some(call()), ..About::default() };
    Logged { epoch: 3, seq, fact: Fact { now: Now::default(), about, what } }
}

fn ticket() -> Ticket {
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

fn recording() -> RecordingRow {
    RecordingRow {
        recording: "1-3-42.c1.p1".parse().unwrap(),
        call: call(),
        tenant: None,
        queue: None,
        agent: None,
        lang: Some(Lang::ES),
        started: Wall(0),
        duration_ms: Some(61_000),
        kept: Some(Kept::Complete),
        sha256: None,
        reason: None,
    }
}

fn snapshot() -> Snapshot {
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

fn figures() -> Figures {
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
    Figures { queues: vec![queue], agents: vec![ana], ..Figures::default() }
}

#[test]
fn lists_are_aligned_tables_and_json_is_the_apis_own() {
    let node = Node::start(None);
    let (status, out, err) = node.run("queue list");
    assert_eq!((status, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("QUEUE         WAITING  LONGEST"), "{out}");
    assert!(lines[1].starts_with("acme/soporte        1     1:01"), "{out}");
    assert!(lines[1].contains("80.0 %  short_excluded"));
    let (_, out, _) = node.run("queue list --json");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()[0]["offered"], 5);
    assert!(node.run("agent list").1.contains("acme/ana  talking"));
    assert!(node.run("call list").1.contains("1-3-42  queue"));
    assert!(node.run("queue show acme/soporte").1.contains("service level       80.0 % (short_excluded)"));
}

#[test]
fn a_call_is_shown_with_its_ticket_its_recording_and_its_events() {
    let node = Node::start(None);
    let (status, out, _) = node.run("call show 1-3-42");
    assert_eq!(status, 0);
    for part in ["caller             +525559999", "T-000007", "1-3-42.c1.p1", "call.arrived", "number=+525550001"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains('\u{1b}'), "no escape reaches the terminal");
    assert!(node.run("ticket show T-7").1.contains("waited              1:01"));
    assert!(node.run("recording show 1-3-42.c1.p1").1.contains("kept          complete"));
}

#[test]
fn an_agent_is_asked_and_each_reply_has_its_words_and_its_status() {
    let node = Node::start(None);
    assert_eq!(node.run("agent log-in acme/ana").1, "acme/ana: log-in done\n");
    assert_eq!(node.run("agent log-out acme/ana").1, "acme/ana: log-out follows when the call ends\n");
    let (status, out, err) = node.run("agent ready acme/ana");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("error: the agent is not logged in\n  expected: "), "{err}");
    assert_eq!(node.run("agent pause acme/ana --reason lunch").0, 0);
    assert_eq!(node.run("call hang-up 1-3-42").1, "1-3-42: hung up\n");
    let asked = node.asked.lock().unwrap();
    let pause = acd::Ask::Pause { reason: "lunch".into() };
    assert_eq!(asked[3..], [Request::Agent { agent: "acme/ana".parse().unwrap(), ask: pause }, Request::HangUp { call: call() }]);
}

#[test]
fn everything_that_can_be_done_has_a_command() {
    let node = Node::start(None);
    let (call, ana, sup) = (call(), "acme/ana".parse().unwrap(), || "acme/sup".parse().unwrap());
    let (billing, bea) = (|| "acme/billing".parse::<QueueId>().unwrap(), "acme/bea".parse().unwrap());
    let number = || Target::Number(Pii::new("+525550001000".into()));
    let skills = BTreeMap::from([(Skill::new("lang:es"), 9), (Skill::new("app:sap"), 5)]);
    let agent = |ask| Request::Agent { agent: "acme/ana".parse().unwrap(), ask };
    let cases = [
        ("call transfer 1-3-42 queue/acme/billing", Request::Transfer { call, to: Target::Queue(billing()) }),
        ("call transfer 1-3-42 +525550001000", Request::Transfer { call, to: number() }),
        ("call consult 1-3-42 agent/acme/bea", Request::Consult { call, to: Target::Agent(bea) }),
        ("call complete 1-3-42", Request::CompleteTransfer { call }),
        ("call end-consult 1-3-42", Request::EndConsult { call }),
        ("call conference 1-3-42", Request::Conference { call }),
        ("call monitor 1-3-42 --by acme/sup", Request::Monitor { call, supervisor: sup(), mode: Monitor::Listen }),
        ("call monitor 1-3-42 --by acme/sup --mode barge", Request::Monitor { call, supervisor: sup(), mode: Monitor::Barge }),
        ("call stop-monitor 1-3-42 --by acme/sup", Request::StopMonitor { call, supervisor: sup() }),
        ("call take-over 1-3-42 --by acme/sup", Request::TakeOver { call, supervisor: sup() }),
        ("call move 1-3-42 acme/billing", Request::Move { call, queue: billing() }),
        ("call prioritise 1-3-42 -30", Request::Prioritise { call, priority_s: -30 }),
        ("call cancel-callback 1-3-42", Request::CancelCallback { call }),
        ("agent dial acme/ana +525550001000", Request::Dial { agent: ana, to: number() }),
        (
            "agent skills acme/ana lang:es=9 app:sap=5",
            Request::SetSkills { agent: "acme/ana".parse().unwrap(), skills: Some(skills) },
        ),
        ("agent skills acme/ana --as-written", Request::SetSkills { agent: "acme/ana".parse().unwrap(), skills: None }),
        ("agent pause acme/ana", agent(acd::Ask::Pause { reason: "".into() })),
        ("agent wrap-up acme/ana", agent(acd::Ask::WrapUp)),
        ("agent code acme/ana solved", agent(acd::Ask::Code { code: "solved".into() })),
        ("queue open acme/billing", Request::SetOpen { queue: billing(), open: Some(true) }),
        ("queue close acme/billing", Request::SetOpen { queue: billing(), open: Some(false) }),
        ("queue follow-hours acme/billing", Request::SetOpen { queue: billing(), open: None }),
    ];
    for (line, request) in cases {
        let (status, out, err) = node.run(line);
        assert_eq!((status, err.as_str()), (0, ""), "{line}");
        assert_eq!(out.lines().count(), 1, "{line}: {out}");
        assert_eq!(node.asked.lock().unwrap().pop(), Some(request), "{line}");
        let (_, out, _) = node.run(&format!("{line} --json"));
        assert_eq!(out, "\"done\"\n", "{line}");
    }
    assert_eq!(node.run("agent skills acme/ana lang:es").0, 2);
    assert!(Line::try_parse_from(["centralita", "call", "transfer", "1-3-42", "somewhere"]).is_err());
}

#[test]
fn why_a_call_waits_is_told_so_that_a_person_understands() {
    let node = Node::start(None);
    let (status, out, _) = node.run("call why 1-3-42");
    let expected = "\
call                   1-3-42
place                  queue, acme/soporte
in line                number 2, score 75.0
asks for               lang:es >= 3
waits for              3 talking, 1 wrap up
free, but not offered  acme/carlos: busy a moment ago
kept for               acme/ana, for another 0:05
next step              in 0:10: lang:es >= 2 will do
expected wait          0:30, at most 1:30
leaves by itself in    1:40

1970-01-01 00:00:00.000  acme/ana of acme/soporte: rings
  Chosen by most skilled of 2 free, idle for 0:09.
    CANDIDATE  MEASURE    IDLE
    acme/ana   levels 14  0:09  chosen
    acme/bea   levels 9   0:09
    WAITING    SCORE
    1-3-42.v1   12.5

";
    assert_eq!((status, out.as_str()), (0, expected));
    let (_, out, _) = node.run("call why 1-3-42 --json");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["waits"]["position"], 2);
}

#[test]
fn a_queue_is_shown_with_what_each_call_waits_for_and_what_its_agents_do() {
    let node = Node::start(None);
    let (status, out, _) = node.run("queue show acme/soporte");
    assert_eq!(status, 0);
    let cells = |head: &str| -> Vec<String> {
        let line = out.lines().find(|line| line.trim_start().starts_with(head)).unwrap_or_else(|| panic!("{head}: {out}"));
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_string).collect()
    };
    let waiting = ["2", "1-3-42", "75.0", "0:00", "es", "lang:es >= 3", "3 talking, 1 wrap up", "0:30, at most 1:30", "1:40"];
    assert_eq!(cells("2  1-3-42"), waiting);
    assert_eq!(cells("acme/ana")[..2], ["acme/ana", "talking"]);
}

#[test]
fn a_call_shows_who_takes_part() {
    let node = Node::start(None);
    let (_, out, _) = node.run("call show 1-3-42");
    assert!(out.contains("monitored by       acme/sup (listen)"), "{out}");
    assert!(out.contains("with               agent/bea") && out.contains("expected wait      0:30, at most 1:30"), "{out}");
}

#[test]
fn a_reload_says_what_counts_now_or_points_at_what_is_wrong() {
    let node = Node::start(None);
    let (status, out, err) = node.run("reload");
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.ends_with("The site is read again (0123456789ab). Calls in progress go on.\n"), "{out}");
    assert!(out.contains(" --> site.toml:3:9\n"), "warnings are shown: {out}");
    *node.broken.lock().unwrap() = true;
    let (status, out, err) = node.run("reload");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.contains(" --> site.toml:3:9\n  |\n3 | a = \u{fffd}[2J"), "{err}");
    assert!(err.ends_with("error: the site file has 1 error: the old one still counts\n"), "{err}");
    let (_, _, err) = node.run("reload --json");
    assert_eq!(serde_json::from_str::<Value>(&err).unwrap()["findings"][0]["line"], 3);
}

#[test]
fn what_is_unknown_wrong_or_not_there_says_so_and_has_a_status() {
    let node = Node::start(None);
    let (status, _, err) = node.run("queue show acme/none");
    assert_eq!(
        (status, err.as_str()),
        (1, "error: there is no queue acme/none\n  expected: one of those that GET /api/v1/queues lists\n")
    );
    let (status, _, err) = node.run("--json queue show acme/none");
    assert_eq!((status, &serde_json::from_str::<Value>(&err).unwrap()["error"]), (1, &"there is no queue acme/none".into()));
    assert_eq!(run("--api ftp://127.0.0.1 queue list").0, 2);
    assert_eq!(node.run("events --type a'b").0, 2);
    let unset = Common { api: String::new(), token: Some(String::new()), json: false };
    assert!(Client::new(&unset).is_ok(), "a variable set to nothing is none");
    assert!(Line::try_parse_from(["centralita", "queue", "show", "No such"]).is_err());
    let gone = node.address;
    drop(node);
    let (status, _, err) = run(&format!("--api http://{gone} queue list"));
    assert_eq!(status, 1);
    assert!(err.starts_with(&format!("error: nothing listens at http://{gone}: is `centralita serve` running?")), "{err}");
}

#[test]
fn a_token_opens_what_is_closed_without_it() {
    let node = Node::start(Some("sesame"));
    let (status, _, err) = node.run("queue list");
    assert_eq!(status, 1);
    assert!(err.contains("--token or CENTRALITA_TOKEN"), "{err}");
    assert_eq!(node.run("queue list --token sesame").0, 0);
}

#[test]
fn a_recording_is_saved_once_and_never_over_another_file() {
    let node = Node::start(None);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.wav");
    let save = format!("recording save 1-3-42.c1.p1 --out {}", file.display());
    assert_eq!(node.run(&save).1, format!("1-3-42.c1.p1: 14 bytes in {}\n", file.display()));
    assert_eq!(std::fs::read(&file).unwrap(), WAV);
    let (status, _, err) = node.run(&save);
    assert_eq!(status, 1);
    assert!(err.contains("--force"), "{err}");
    assert_eq!(node.run(&format!("{save} --force")).0, 0);
    assert_eq!(node.run("recording save 1-3-42.c1.p1 --out -").1.as_bytes(), WAV);
    let (status, ..) = node.run(&format!("recording save 1-3-42.c9.p1 --out {}", folder.path().join("b.wav").display()));
    assert_eq!((status, folder.path().join("b.wav").exists()), (1, false));
}

#[test]
fn events_are_lines_and_following_goes_on_until_the_reader_has_gone() {
    let node = Node::start(None);
    let (_, out, _) = node.run("events --type call.answered");
    assert_eq!(out, "1970-01-01 00:00:00.000  call.answered             call/1-3-42\n");
    let (_, out, _) = node.run("events --json");
    assert_eq!(out.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["id"].clone()).collect::<Vec<_>>(), ["3-1", "3-2"]);
    // A reader that leaves after the third line, as `head -3` does.
    let (status, out) = follow(&node, 3);
    assert_eq!(status, 0);
    let third: Value = serde_json::from_str(out.lines().nth(2).unwrap()).unwrap();
    assert_eq!((&third["id"], &third["data"]["duration_ms"]), (&"3-3".into(), &5.into()));
}

/// Follows as `events --follow --json`, with a fact appended as soon as the stream listens, up to `lines` lines.
fn follow(node: &Node, lines: usize) -> (u8, String) {
    struct Head<'a> {
        node: &'a Node,
        text: Vec<u8>,
        lines: usize,
    }
    impl Write for Head<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            let lines = self.text.iter().filter(|b| **b == b'\n').count();
            if lines >= self.lines { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        }
    }
    let mut out = Head { node, text: Vec::new(), lines };
    let facts = out.node.facts.clone();
    let (done, until) = std::sync::mpsc::channel::<()>();
    let feeder = std::thread::spawn(move || {
        // Whoever subscribes gets the fact; one that was told before is dropped by its place.
        while until.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
            let _ = facts.send(Arc::from([logged(3, What::CallEnded { duration_ms: 5, visits: 1 })]));
            std::thread::yield_now();
        }
    });
    let line = Line::try_parse_from(["centralita", "--api", &format!("http://{}", node.address), "--json", "events", "--follow"])
        .unwrap();
    let status = run_into(line.command, &line.common, &mut out, &mut Vec::new());
    drop(done);
    feeder.join().unwrap();
    (status, String::from_utf8(out.text).unwrap())
}

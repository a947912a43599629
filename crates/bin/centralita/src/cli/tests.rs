//! The client against a real server on a loopback port, with little behind its doors.

use super::client::Client;
use super::{Command, Common, run_into};
use arc_swap::ArcSwap;
use base::fact::{About, Direction, Fact, Kept, Logged, What};
use base::{CallId, Lang, Now, PartyId, Pii, RecordingId, Tenant, Wall};
use clap::Parser;
use engine::{CallView, Place, Reply, Request, Snapshot};
use metrics::{Figures, QueueFigures, Visits};
use serde_json::Value;
use shell_web::{Archive, Ask, Config, Doors, FactsAsk, Health, Party, RecordingRow, RecordingsAsk, TicketsAsk};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tickets::{Impact, Number, Priority, State, Ticket};
use tokio::sync::{broadcast, oneshot, watch};

const WAV: &[u8] = b"RIFF and so on";

/// A server in a thread of its own; dropped, it ends.
struct Node {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    facts: broadcast::Sender<Arc<[Logged]>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Node {
    fn start(token: Option<&str>) -> Node {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let facts = broadcast::channel(16).0;
        let (_, changed) = watch::channel(0);
        let doors = Doors {
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot())),
            figures: Arc::new(ArcSwap::from_pointee(figures())),
            changed,
            clock: Arc::new(Now::default),
            ask: Arc::new(Door(asked.clone())),
            archive: Arc::new(Shelf(facts.clone())),
            health: Arc::new(Health::default),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let config = Config { token: token.map(str::to_string), source: "/centralita/acme/1".into(), site: "acme".into() };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async move { drop(stopped.await) };
                shell_web::serve(listener, config, doors, stopped).await.unwrap();
            });
        });
        Node { address: told.recv().unwrap(), asked, facts, stop: Some(stop), thread: Some(thread) }
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
    fn ask(&self, request: Request) -> oneshot::Receiver<Reply> {
        let (answer, receiver) = oneshot::channel();
        let reply = match &request {
            Request::Agent { ask: acd::Ask::LogOut, .. } => Reply::Pending,
            Request::Agent { ask: acd::Ask::Ready, .. } => Reply::Refused { why: "the agent is not logged in".into() },
            _ => Reply::Done,
        };
        self.0.lock().unwrap().push(request);
        let _ = answer.send(reply);
        receiver
    }
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
        number: "+525550001".into(),
        queue: Some("acme/soporte".parse().unwrap()),
        visit: None,
        agent: None,
        recording: None,
        held: false,
        deadline: None,
        waits_for: "an agent".into(),
    };
    Snapshot { calls: vec![call], ..Snapshot::default() }
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
    let queue = QueueFigures {
        queue: "acme/soporte".parse().unwrap(),
        waiting_now: 1,
        longest_wait_ms: 61_000,
        agents_by_state: BTreeMap::new(),
        visits,
    };
    Figures { queues: vec![queue], ..Figures::default() }
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
    assert_eq!(node.run("agent list").1, "No agents.\n");
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

//! A real server on a loopback port, with little behind its doors.

use super::fixtures::{WAV, figures, held, logged, planned, quality, recording, report, snapshot, ticket};
use crate::cli::{Command, Common, run_into, user};
use arc_swap::ArcSwap;
use base::fact::{Direction, Logged, What};
use base::{Now, PartyId, RecordingId, Tenant};
use clap::Parser;
use engine::{Reply, Request};
use shell_web::{
    Accept, Access, Archive, Ask, Audio, Config, Doors, FactsAsk, Fault, Finding, Health, HoldAsk, HoldRow, Looked, Named,
    NotReloaded, Party, PlanLine, RecordingRow, RecordingsAsk, Reload, Reloaded, Shelf, TicketsAsk,
};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tickets::{Number, Ticket};
use tokio::sync::{broadcast, oneshot, watch};
use vault::access::{Access as Noted, Act, Head};

/// A server in a thread of its own; dropped, it ends.
pub struct Node {
    pub address: SocketAddr,
    pub asked: Arc<Mutex<Vec<Request>>>,
    /// Whether the next reload is refused.
    pub broken: Arc<Mutex<bool>>,
    pub facts: broadcast::Sender<Arc<[Logged]>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Node {
    pub fn start(token: Option<&str>) -> Node {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let broken = Arc::new(Mutex::new(false));
        let facts = broadcast::channel(16).0;
        let (_, changed) = watch::channel(0);
        let doors = Doors {
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot())),
            figures: Arc::new(ArcSwap::from_pointee(figures())),
            changed,
            clock: Arc::new(Now::default),
            day: Arc::new(|_| None),
            ask: Arc::new(Door(asked.clone())),
            reload: Arc::new(Again(broken.clone())),
            archive: Arc::new(Rows(facts.clone())),
            shelf: Arc::new(Files(Mutex::default())),
            health: Arc::new(Health::default),
            quality: Arc::new(quality),
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
    pub fn run(&self, line: &str) -> (u8, String, String) {
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
pub struct Line {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

pub fn run(line: &str) -> (u8, String, String) {
    let line = Line::try_parse_from(std::iter::once("centralita").chain(line.split_whitespace())).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = run_into(line.command, &line.common, &mut out, &mut err);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

struct Door(Arc<Mutex<Vec<Request>>>);

impl Ask for Door {
    fn ask(&self, who: Arc<str>, request: Request) -> oneshot::Receiver<Reply> {
        assert_eq!(&*who, user::name());
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
struct Rows(broadcast::Sender<Arc<[Logged]>>);

impl Archive for Rows {
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
    fn recordings(&self, ask: &RecordingsAsk) -> Result<Vec<RecordingRow>, String> {
        Ok([recording()].into_iter().filter(|_| ask.agent.is_none()).collect())
    }
    fn strangers(&self, named: &Named) -> Result<Vec<String>, String> {
        let agent = named.agent.as_ref().filter(|agent| agent.name() == "anna");
        Ok(agent.map(|agent| format!("no agent is called {agent} (did you mean acme/ana?)")).into_iter().collect())
    }
    fn recording(&self, id: RecordingId) -> Result<Option<RecordingRow>, String> {
        Ok(Some(recording()).filter(|r| r.recording == id))
    }
    fn audio(&self, id: RecordingId) -> Result<Option<Box<dyn Audio>>, Fault> {
        let wav: Box<dyn Audio> = Box::new(std::io::Cursor::new(WAV));
        Ok((id == recording().recording).then_some(wav))
    }
    fn party(&self, _: &Tenant, _: PartyId) -> Result<Option<Party>, String> {
        Ok(None)
    }
}

/// One recording on disk, and one file too many.
struct Files(Mutex<(Head, String)>);

impl Files {
    fn write(&self, who: &str, act: Act, recording: &str, why: &str, refused: Option<String>) {
        let at = "2026-11-22T12:00:00Z".into();
        let access = Noted { at, who: who.into(), act, recording: recording.into(), why: why.into(), refused };
        let (head, text) = &mut *self.0.lock().unwrap();
        *text += &head.append(&access);
    }
}

impl Shelf for Files {
    fn note(&self, who: &str, act: Act, recording: &str, why: &str) -> Result<(), String> {
        self.write(who, act, recording, why, None);
        Ok(())
    }
    fn refused(&self, who: &str, act: Act, recording: &str, why: &str, refused: &str) {
        self.write(who, act, recording, why, Some(refused.into()));
    }
    fn accesses(&self) -> Result<String, String> {
        Ok(self.0.lock().unwrap().1.clone())
    }
    fn verify(&self, id: RecordingId) -> Result<Option<Looked>, String> {
        Ok((id == recording().recording).then(|| looked("complete", "")))
    }
    fn verify_all(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        let _ = tell(looked("complete", "")) && tell(looked("orphan", "no row"));
        Ok(())
    }
    fn orphans(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        tell(looked("orphan", "no row"));
        Ok(())
    }
    fn erase(&self, who: &str, id: RecordingId, why: &str, early: bool) -> Result<Option<Looked>, Fault> {
        if !early && why == "young" {
            return Err(Fault::conflict("its minimum has not passed", "--early"));
        }
        self.note(who, Act::Erase, &id.to_string(), why)?;
        Ok((id == recording().recording).then(|| looked("erased", why)))
    }
    fn plan(&self, _: u32, tell: &mut dyn FnMut(PlanLine) -> bool) -> Result<(), String> {
        planned().into_iter().all(tell);
        Ok(())
    }
    fn holds(&self) -> Result<Vec<HoldRow>, String> {
        Ok(vec![held("1-3-42.c1.p1")])
    }
    fn hold(&self, who: &str, ask: &HoldAsk, why: &str) -> Result<Option<HoldRow>, Fault> {
        let of = ask.queue.as_ref().map_or_else(|| "1-3-42.c1.p1".to_string(), |queue| format!("queue={queue}"));
        self.note(who, Act::Hold, &of, why)?;
        Ok(ask.caller.is_none().then(|| HoldRow { recordings: Some(u64::from(ask.queue.is_some())), ..held(&of) }))
    }
    fn release(&self, who: &str, hold: u64, why: &str) -> Result<Option<HoldRow>, Fault> {
        self.note(who, Act::Release, &format!("hold={hold}"), why)?;
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
        tell(looked("wrapped", ""));
        Ok(())
    }
}

fn looked(outcome: &'static str, reason: &str) -> Looked {
    let heard = vec!["caller".into()];
    let recording = recording().recording;
    Looked { recording, outcome, reason: reason.into(), form: Some("sealed"), duration_ms: 61_000, heard }
}

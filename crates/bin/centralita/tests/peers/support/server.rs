//! `centralita serve` with a site of its own, and its facts as they are written.

use super::sound::Recording;
use super::{Program, http};
use serde_json::Value;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine; what is not there by then is not coming.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An agent of the site.
pub struct Agent {
    pub name: &'static str,
    pub phone: Phone,
}

pub enum Phone {
    /// It registers, and is offered these algorithms. sipp 3.6 and baresip 1.0 stumble over more than MD5.
    Registers { algorithms: &'static str },
    /// It is always at this address of the test's net.
    At { host: u8, port: u16 },
}

/// The password of each registered phone.
pub const PASSWORD: &str = "interop-secret";

/// The files of a test, which a restarted server finds again.
pub struct Site {
    pub net: String,
    pub folder: TempDir,
    ring: &'static str,
    ports: &'static str,
    silent_after: &'static str,
    codecs: &'static str,
    unanswered: bool,
    advertise: Option<u8>,
    agents: Vec<Agent>,
}

impl Site {
    pub fn new(agents: impl IntoIterator<Item = Agent>) -> Site {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let net = format!("127.{}.{}", 64 + std::process::id() % 128, NEXT.fetch_add(1, Ordering::Relaxed));
        Site {
            net,
            folder: tempfile::tempdir().unwrap(),
            ring: "8s",
            ports: "20000-20199",
            silent_after: "10s",
            codecs: "[\"pcma\", \"pcmu\"]",
            unanswered: false,
            advertise: None,
            agents: agents.into_iter().collect(),
        }
    }

    pub fn ring(mut self, ring: &'static str) -> Site {
        self.ring = ring;
        self
    }

    /// The RTP ports: two for each leg.
    pub fn ports(mut self, ports: &'static str) -> Site {
        self.ports = ports;
        self
    }

    pub fn silent_after(mut self, span: &'static str) -> Site {
        self.silent_after = span;
        self
    }

    /// What calls may use, as a TOML list.
    pub fn codecs(mut self, codecs: &'static str) -> Site {
        self.codecs = codecs;
        self
    }

    /// Callers are answered when an agent is there.
    pub fn unanswered(mut self) -> Site {
        self.unanswered = true;
        self
    }

    /// Between the trunk and us is a NAT, whose outside is at this host.
    pub fn behind_nat(mut self, host: u8) -> Site {
        self.advertise = Some(host);
        self
    }

    /// An address of this test's part of the loopback net.
    pub fn at(&self, host: u8, port: u16) -> SocketAddr {
        format!("{}.{host}:{port}", self.net).parse().unwrap()
    }

    pub fn recordings(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }

    /// The file of a `recording.stored`.
    pub fn wav(&self, stored: &Value) -> PathBuf {
        let file = stored["file"].as_str().expect("a file is named");
        self.recordings().join(if file.ends_with(".wav") { file.into() } else { format!("{file}.wav") })
    }

    pub fn serve(&self) -> Server<'_> {
        let file = self.folder.path().join("site.toml");
        std::fs::write(&file, self.text()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_centralita"));
        command.args(["serve", "--json", "--site"]).arg(&file).current_dir(self.folder.path());
        let mut program = Program::start(&mut command);
        let ready: Value = serde_json::from_str(&program.line(PATIENCE, |l| l.contains("\"ready\""))).unwrap();
        let web: SocketAddr = ready["web"].as_str().unwrap().trim_start_matches("http://").parse().unwrap();
        let stream = http::events(web, "/api/v1/events/stream?after=0-0");
        Server { site: self, program, web, sip: ready["sip"].as_str().unwrap().parse().unwrap(), stream, facts: vec![] }
    }

    fn text(&self) -> String {
        let advertise = self.advertise.map(|host| format!("advertise = \"{}\"", self.at(host, 0).ip()));
        let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ivr-flows");
        let mut text = include_str!("../site.toml")
            .replace("%advertise%", &advertise.unwrap_or_default())
            .replace("%net%", &self.net)
            .replace("%dir%", &self.folder.path().to_string_lossy())
            .replace("%flows%", &flows.canonicalize().unwrap().to_string_lossy())
            .replace("%ring%", self.ring)
            .replace("%ports%", self.ports)
            .replace("%silent_after%", self.silent_after)
            .replace("%codecs%", self.codecs)
            .replace("%unanswered%", &self.unanswered.to_string());
        for (place, Agent { name, phone }) in self.agents.iter().enumerate() {
            let phone = match phone {
                Phone::Registers { algorithms } => {
                    format!("{{ user = \"{name}\", password = \"{PASSWORD}\", algorithms = {algorithms} }}")
                }
                Phone::At { host, port } => {
                    let address = self.at(*host, *port);
                    format!("{{ uri = \"sip:{name}@{address}\", address = \"{address}\" }}")
                }
            };
            let skills = "{ \"lang:es\" = 9, \"lang:en\" = 9, \"lang:pt\" = 9, \"lang:fr\" = 9, \"skill:support\" = 9, \"skill:billing\" = 9 }";
            // The first agent is 201 to colleagues.
            let extension = 201 + place;
            let _ = write!(
                text,
                "\n[agents.\"acme/{name}\"]\nextension = \"{extension}\"\nqueues = [\"soporte\", \"billing\"]\nskills = {skills}\nlogged_in = true\nphone = {phone}\n"
            );
        }
        text
    }
}

impl Agent {
    pub fn registers(name: &'static str) -> Agent {
        Agent { name, phone: Phone::Registers { algorithms: "[\"md5\"]" } }
    }

    /// A phone that can do better than MD5.
    pub fn registers_by_sha_256(name: &'static str) -> Agent {
        Agent { name, phone: Phone::Registers { algorithms: "[\"sha-256\"]" } }
    }

    pub fn at(name: &'static str, host: u8, port: u16) -> Agent {
        Agent { name, phone: Phone::At { host, port } }
    }
}

/// A running server.
pub struct Server<'a> {
    pub site: &'a Site,
    pub program: Program,
    pub web: SocketAddr,
    pub sip: SocketAddr,
    stream: Receiver<Value>,
    /// Every fact so far, as CloudEvents.
    pub facts: Vec<Value>,
}

impl Server<'_> {
    /// The first fact of this type that fits, also among those that came already.
    pub fn fact(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.fact_within(PATIENCE, kind, fits)
    }

    pub fn fact_within(&mut self, limit: Duration, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wanted = |fact: &&Value| fact["type"] == kind && fits(&fact["data"]);
        if let Some(fact) = self.facts.iter().find(wanted) {
            return fact.clone();
        }
        let end = Instant::now() + limit;
        loop {
            match self.stream.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(fact) => {
                    self.facts.push(fact.clone());
                    if wanted(&&fact) {
                        return fact;
                    }
                }
                Err(why) => panic!("no such {kind} ({why}) among:\n{}", self.story()),
            }
        }
    }

    /// Waits until there are this many facts of a type.
    pub fn facts_of(&mut self, kind: &str, count: usize) {
        let end = Instant::now() + PATIENCE;
        while self.of_type(kind).len() < count {
            match self.stream.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(fact) => self.facts.push(fact),
                Err(why) => panic!("not {count} of {kind} ({why}) among:\n{}", self.story()),
            }
        }
    }

    /// The facts of a type among those that were waited for so far.
    pub fn of_type(&self, kind: &str) -> Vec<&Value> {
        self.facts.iter().filter(|f| f["type"] == kind).map(|f| &f["data"]).collect()
    }

    /// Waits for the one recording that was stored last for this call, and reads it.
    pub fn recording(&mut self, call: &Value) -> Recording {
        let call = call["data"]["call_id"].clone();
        let stored = self.fact("recording.stored", |data| data["call_id"] == call);
        Recording::read(&self.site.wav(&stored["data"]))
    }

    /// Nobody is on the line any more, and no invariant was breached.
    pub fn is_at_rest(&mut self) {
        let health = self.until("/api/v1/health", |health| health["calls"] == 0);
        assert_eq!(health["invariant_breaches"], 0, "{health}");
    }

    pub fn until_agent(&mut self, name: &str, state: &str) {
        self.until(&format!("/api/v1/agents/acme/{name}"), |agent| agent["state"] == state);
    }

    pub fn until_somebody_waits(&mut self, queue: &str) {
        let waits = |queue: &Value| queue["visits"].as_array().is_some_and(|visits| !visits.is_empty());
        self.until(&format!("/api/v1/queues/acme/{queue}"), waits);
    }

    /// Asks until one of the node's alarms says this, or none does.
    pub fn until_alarm(&mut self, says: &str, stands: bool) {
        let said = |health: &Value| {
            health["alarms"].as_array().is_some_and(|all| all.iter().any(|a| a.as_str().unwrap().contains(says)))
        };
        let health = self.until("/api/v1/health", |health| health["alarms"].is_array() && said(health) == stands);
        assert!(!stands || health["status"] == "alarm", "{health}");
    }

    /// Asks until the server says that it drains.
    pub fn until_draining(&mut self) {
        self.until("/api/v1/health", |health| health["status"] == "draining");
    }

    /// What the API shows is a moment behind the facts, so it is asked again while facts come.
    fn until(&mut self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let (_, body) = http::get(self.web, path);
            let shown: Value = serde_json::from_slice(&body).unwrap_or_default();
            if fits(&shown) {
                return shown;
            }
            assert!(Instant::now() < end, "{path} stays at {shown}");
            self.facts.extend(self.stream.recv_timeout(Duration::from_millis(50)));
        }
    }

    /// SIGTERM, and its end with success.
    pub fn stop(&mut self) {
        self.program.signal("TERM");
        self.program.succeeds_within(PATIENCE);
    }

    pub fn story(&self) -> String {
        let line = |f: &Value| format!("{} {} {}", f["time"].as_str().unwrap_or(""), f["type"].as_str().unwrap_or(""), f["data"]);
        self.facts.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// A test that fails leaves its files to be looked at.
impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("-- files: {}", self.folder.path().display());
        }
    }
}

/// And shows what the server saw.
impl Drop for Server<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.facts.extend(self.stream.try_iter());
            eprintln!("-- facts:\n{}", self.story());
        }
    }
}

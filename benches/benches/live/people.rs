//! The callers and the agents' phones, in a process of their own.

use crate::Size;
use crate::server::program;
use crate::site::{PASSWORD, Site};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use traffic::{AgentSpec, CallerMix, Load, Plan, Progress, Report, Said, Span};

/// The process says a line a second; this is a process that is gone.
const SILENCE: Duration = Duration::from_secs(20);
/// Of the calls that were asked for: the line is full with so many.
const FULL: f64 = 0.98;
/// Conversations of a usual length are seen to their end only in a run of this length.
const A_WHILE: Duration = Duration::from_secs(30);
/// From the moment that the line is full to the first second that counts.
const SETTLES: Duration = Duration::from_secs(5);

/// A desk with more callers than agents: whoever hangs up has the next call at once. Either side may hang up first.
pub fn plan(size: Size, site: &Site, server: SocketAddr) -> Plan {
    let talk = if size.hold >= A_WHILE { Span::ms(15_000, 40_000) } else { Span::ms(1_000, 2_000) };
    let agent =
        |user: &String| AgentSpec { answer_after: Span::ms(300, 1_500), talk: Some(talk), ..AgentSpec::new(user, PASSWORD) };
    Plan {
        server,
        trunk: site.at(2, 0),
        phones: site.at(3, 0),
        callers: CallerMix {
            per_minute: f64::from(size.rate) * 60.0,
            live: Some(size.calls),
            leaves_in_ivr: 0.02,
            leaves_in_queue: 0.05,
            patience: Span::ms(10_000, 40_000),
            talk,
            speaks_at_once: true,
            ..CallerMix::default()
        },
        outside: None,
        agents: site.agents.iter().map(agent).collect(),
        numbers: vec!["100".into()],
        // Until it is told to stop.
        duration_ms: 3_600_000,
        drain_ms: 0,
        seed: 20_261_122,
        load: Load::default(),
    }
}

pub struct People {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<Said>,
    /// How many calls there were in each second that counted.
    held: Vec<u64>,
    now: Progress,
}

impl People {
    pub fn start(plan: &Plan) -> People {
        let mut command = Command::new(program("traffic"));
        let mut child = command.args(["--plan", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("callers");
        let mut stdin = child.stdin.take().expect("their input is ours");
        let stdout = child.stdout.take().expect("their output is ours");
        let plan = serde_json::to_string(plan).expect("a plan is plain data");
        stdin.write_all(format!("{plan}\n").as_bytes()).expect("they read their plan");
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            let said = BufReader::new(stdout).lines().map_while(Result::ok).filter_map(|l| serde_json::from_str(&l).ok());
            said.map_while(|said| tell.send(said).ok()).for_each(drop);
        });
        People { child, stdin, lines, held: vec![], now: Progress::default() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the line is full and has settled; when that was, in microseconds since the run began.
    pub fn until_full(&mut self, size: Size) -> u64 {
        let wanted = (f64::from(size.calls) * FULL) as u64;
        let until = Instant::now() + Duration::from_secs(30 + 4 * u64::from(size.calls / size.rate.max(1)));
        while self.next().live < wanted {
            if Instant::now() >= until {
                let Progress { live, talking, .. } = self.now;
                panic!("{live} calls are all there are, {talking} of them with an agent; {}", ends(&self.stop()));
            }
        }
        self.pass(SETTLES);
        self.held.clear();
        self.micros()
    }

    /// Lets this time pass; when it was over.
    pub fn until_over(&mut self, hold: Duration) -> u64 {
        self.pass(hold);
        self.micros()
    }

    /// Calls at once, each second of the time that counted.
    pub fn live(&self) -> Vec<u64> {
        self.held.clone()
    }

    /// Everybody hangs up; what they saw.
    pub fn stop(&mut self) -> Report {
        self.stdin.write_all(b"stop\n").expect("they are still there");
        loop {
            match self.lines.recv_timeout(SILENCE).expect("their report") {
                Said::Report(report) => return *report,
                Said::Progress(_) => {}
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.micros() + time.as_micros() as u64;
        while self.micros() < end {
            let live = self.next().live;
            self.held.push(live);
        }
    }

    fn next(&mut self) -> Progress {
        if let Said::Progress(progress) = self.lines.recv_timeout(SILENCE).expect("a line a second") {
            self.now = progress;
        }
        self.now
    }

    fn micros(&self) -> u64 {
        self.now.elapsed_ms * 1_000
    }
}

/// How the others ended, by outcome and status.
fn ends(report: &Report) -> String {
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for call in &report.calls {
        *ends.entry(format!("{:?} {}", call.outcome, call.status)).or_default() += 1;
    }
    format!("they ended as {ends:?}")
}

impl Drop for People {
    fn drop(&mut self) {
        // After their report they end by themselves.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

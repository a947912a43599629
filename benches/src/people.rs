//! The callers and the agents' phones, in a process of their own.

use crate::Size;
use crate::server::program;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use traffic::{Plan, Progress, Report, Said};

/// The process says a line a second; this is a process that is gone.
const SILENCE: Duration = Duration::from_secs(20);
/// Of the calls that were asked for: the line is full with so many.
const FULL: f64 = 0.98;
/// From the moment that the line is full to the first second that counts.
const SETTLES: Duration = Duration::from_secs(5);

pub struct People {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<Said>,
    /// How many calls there were in each second that counted.
    held: Vec<u64>,
    now: Progress,
    /// Of people who ended by themselves.
    report: Option<Box<Report>>,
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
        People { child, stdin, lines, held: vec![], now: Progress::default(), report: None }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the line is full and has settled; when that was, in microseconds since the run began.
    ///
    /// # Errors
    /// When it does not become full: how far it came.
    pub fn until_full(&mut self, size: Size) -> Result<u64, String> {
        let wanted = (f64::from(size.calls) * FULL) as u64;
        let until = Instant::now() + Duration::from_secs(30 + 4 * u64::from(size.calls / size.rate.max(1)));
        while self.next().live < wanted {
            if Instant::now() >= until {
                let Progress { live, talking, .. } = self.now;
                let ends = ends(&self.stop());
                return Err(format!("{live} calls are all there are, {talking} of them with an agent; {ends}"));
            }
        }
        self.pass(SETTLES);
        self.held.clear();
        Ok(self.micros())
    }

    /// Waits until there have been so many calls and all of them are over, or for this long.
    pub fn until_none(&mut self, started: u64, at_most: Duration) {
        let until = Instant::now() + at_most;
        while Instant::now() < until {
            let Progress { live, started: so_far, .. } = self.next();
            if self.report.is_some() || (so_far >= started && live == 0) {
                return;
            }
        }
    }

    /// What they last said.
    pub fn progress(&self) -> Progress {
        self.now
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
        if let Some(report) = self.report.take() {
            return *report;
        }
        // Those who end at this moment read no more, and report all the same.
        let _ = self.stdin.write_all(b"stop\n");
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
        match self.lines.recv_timeout(SILENCE).expect("a line a second") {
            Said::Progress(progress) => self.now = progress,
            Said::Report(report) => self.report = Some(report),
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

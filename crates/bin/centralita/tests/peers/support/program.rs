//! A program that ends for sure: by itself, after its time, or with the test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

pub struct Program {
    name: String,
    child: Child,
    lines: Receiver<String>,
    /// What it said so far.
    pub said: Vec<String>,
    /// Files that tell why it failed.
    pub logs: Vec<PathBuf>,
}

impl Program {
    /// Standard output and standard error are read line by line.
    pub fn start(command: &mut Command) -> Program {
        let name = command.get_program().to_string_lossy().into_owned();
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|e| panic!("{name} did not start: {e}"));
        let (to, lines) = channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let other = to.clone();
        std::thread::spawn(move || BufReader::new(out).split(b'\n').map_while(Result::ok).all(|l| to.send(text(&l)).is_ok()));
        std::thread::spawn(move || BufReader::new(err).split(b'\n').map_while(Result::ok).all(|l| other.send(text(&l)).is_ok()));
        Program { name, child, lines, said: vec![], logs: vec![] }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn stdin(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().expect("stdin is piped")
    }

    /// The first line that fits, from now on.
    pub fn line(&mut self, limit: Duration, fits: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if fits(&line) {
                        return line;
                    }
                }
                Err(why) => panic!("{} did not say it ({why}):\n{}", self.name, self.story()),
            }
        }
    }

    /// Waits for its end; true if it succeeded. Panics with what it said if it does not end in time.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().is_ok_and(|s| s.success()),
                Err(RecvTimeoutError::Timeout) => panic!("{} did not end in {limit:?}:\n{}", self.name, self.story()),
            }
        }
    }

    /// Waits for its end and asks that it succeeded.
    pub fn succeeds_within(&mut self, limit: Duration) {
        assert!(self.ends_within(limit), "{} failed:\n{}", self.name, self.story());
    }

    /// SIGKILL, now.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal by its name, such as TERM.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.id().to_string()]).status();
        assert!(sent.is_ok_and(|s| s.success()), "{} is gone already", self.name);
    }

    fn story(&self) -> String {
        let mut story = self.said.join("\n");
        for log in &self.logs {
            if let Ok(text) = std::fs::read(log) {
                story += &format!("\n-- {}\n{}", log.display(), String::from_utf8_lossy(&text));
            }
        }
        story
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("-- {} said:\n{}", self.name, self.story());
        }
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().to_string()
}

//! The server as it is released, in a process of its own.

use crate::pin;
use crate::site::Site;
use serde_json::Value;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// For the log and the last recordings to be on a disk that others use as well.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both programs, in the profile that this was built in.
pub fn build() {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "centralita", "-p", "traffic"]);
    if folder().ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().is_ok_and(|status| status.success()), "the server can't be built");
}

/// A program of this build: this one is in `deps` beside it.
pub fn program(name: &str) -> PathBuf {
    folder().join(name)
}

fn folder() -> PathBuf {
    let own = env::current_exe().expect("this program has a path");
    own.ancestors().nth(2).expect("a folder of programs").into()
}

pub struct Server {
    child: Child,
    pub sip: SocketAddr,
    pub web: SocketAddr,
    /// Closed, the server's next word would be its last.
    _said: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(site: &Site) -> Server {
        let log = site.folder().join("server.log");
        let mut command = Command::new(program("centralita"));
        command.args(["serve", "--json", "--site"]).arg(site.file()).current_dir(site.folder());
        command.stdout(Stdio::piped()).stderr(File::create(&log).expect("a file in a folder of ours"));
        let mut child = command.spawn().expect("the server starts");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("its output is ours"));
        said.read_line(&mut line).expect("a line of its output");
        let why = || fs::read_to_string(&log).unwrap_or_default();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the server is not ready: {}", why()));
        let address = |name: &str| ready[name].as_str().and_then(|at| at.trim_start_matches("http://").parse().ok());
        let (sip, web) = (address("sip").expect("its address"), address("web").expect("its address"));
        Server { child, sip, web, _said: said }
    }

    /// On the first core; whoever loads it is started from here on the last one.
    pub fn start_apart(site: &Site) -> Server {
        let (first, last) = pin::cores();
        pin::to(first);
        let server = Server::start(site);
        pin::to(last);
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM; how it ended: with success, no fact was lost.
    pub fn stop(mut self) -> String {
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.to_string();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        format!("still there after {PATIENCE:?}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a failure; one that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

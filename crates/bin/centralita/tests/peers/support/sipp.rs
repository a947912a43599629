//! sipp with one of the scenarios in `peers/sipp`.

use super::Program;
use super::server::{PATIENCE, Server};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A run of sipp. In a scenario `%word%` is replaced and `<!-- include part -->` becomes that part.
pub struct Sipp {
    scenario: &'static str,
    text: String,
    /// The last number of its address in the test's net, and its port.
    host: u8,
    port: u16,
    media: u16,
    calls: u32,
    rate: u32,
    transport: &'static str,
    service: String,
}

impl Sipp {
    /// A caller on the trunk's address, dialling 100.
    pub fn caller(scenario: &'static str) -> Sipp {
        Sipp::at(scenario, 2, 5060)
    }

    pub fn at(scenario: &'static str, host: u8, port: u16) -> Sipp {
        let text = expanded(&read(&format!("{scenario}.xml")));
        Sipp { scenario, text, host, port, media: port + 1_000, calls: 1, rate: 1, transport: "u1", service: "100".into() }
    }

    /// The user part dialled or registered, also as `%user%` where sipp allows no word of its own.
    pub fn service(mut self, service: &str) -> Sipp {
        self.service = service.into();
        self.with("user", service)
    }

    pub fn with(mut self, word: &str, value: impl ToString) -> Sipp {
        self.text = self.text.replace(&format!("%{word}%"), &value.to_string());
        self
    }

    /// This many calls, this many begun in a second.
    pub fn flood(mut self, calls: u32, rate: u32) -> Sipp {
        (self.calls, self.rate) = (calls, rate);
        self
    }

    pub fn over_tcp(mut self) -> Sipp {
        self.transport = "t1";
        self
    }

    pub fn start(self, server: &Server<'_>) -> Program {
        let mut unset = self.text.split("[^%]").flat_map(|t| t.split('%').skip(1).step_by(2));
        let word = unset.find(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()));
        assert_eq!(word, None, "{} has a word without a value", self.scenario);
        let stem = format!("{}-{}-{}", self.scenario, self.host, self.port);
        let file = |kind: &str| server.site.folder.path().join(format!("{stem}.{kind}"));
        std::fs::write(file("xml"), &self.text).unwrap();
        let local = server.site.at(self.host, self.port);
        let mut command = Command::new("sipp");
        command.arg(server.sip.to_string()).arg("-sf").arg(file("xml"));
        command.args(["-i", &local.ip().to_string(), "-p", &self.port.to_string(), "-bind_local"]);
        command.args(["-mi", &local.ip().to_string(), "-mp", &self.media.to_string()]);
        command.args(["-t", self.transport, "-s", &self.service]);
        command.args(["-m", &self.calls.to_string(), "-r", &self.rate.to_string(), "-l", "5000"]);
        let limit = 60 + self.calls / self.rate;
        command.args(["-timeout", &limit.to_string(), "-timeout_error"]);
        command.args(["-nostdin", "-skip_rlimit", "-default_behaviors", "all,-bye"]);
        command.arg("-trace_err").arg("-error_file").arg(file("err"));
        if self.calls == 1 {
            command.arg("-trace_msg").arg("-message_file").arg(file("msg"));
        }
        command.current_dir(server.site.folder.path()).env("TERM", "dumb");
        let mut program = Program::start(&mut command);
        program.logs = vec![file("err"), file("msg")];
        program
    }

    /// Runs it to its end and asks that every message was as the scenario expects.
    pub fn run(self, server: &Server<'_>) {
        self.start(server).succeeds_within(2 * PATIENCE);
    }
}

/// Registers a phone that another run will then be.
pub fn register(server: &Server<'_>, user: &str, host: u8, port: u16) {
    let phone = Sipp::at("register", host, port).service(user);
    phone.with("password", super::server::PASSWORD).with("status", 200).run(server);
}

/// Plenty of time for a call of this length.
pub fn within(call_ms: u64) -> Duration {
    PATIENCE + Duration::from_millis(call_ms)
}

fn read(name: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/sipp").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn expanded(text: &str) -> String {
    let part = |line: &str| {
        let name = line.trim().strip_prefix("<!-- include ")?.strip_suffix(" -->")?;
        Some(read(&format!("parts/{name}.xml")))
    };
    text.lines().map(|line| part(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}

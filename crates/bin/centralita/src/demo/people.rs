//! The process with the simulated callers and agents: a plan goes in, what they do and heard comes out.

use super::Options;
use base::AgentId;
use site::{Phone, Site};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use traffic::{AgentSpec, CallerMix, Load, Outside, OwnCalls, Plan, Purpose, Said, Span, Target, Transfers};

/// Until Ctrl-C: a day.
const ENDLESS: Duration = Duration::from_secs(86_400);

pub struct People {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    plan: Option<String>,
}

impl People {
    pub fn start(plan: &Plan) -> Result<People, String> {
        let program = std::env::current_exe().map_err(|e| format!("this program's own path: {e}"))?;
        // Its own process group: Ctrl-C is for the demonstration, which then asks its people to come to an end.
        let mut command = Command::new(program);
        command.arg("traffic").stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|e| format!("the callers and agents: {e}"))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("the callers and agents have no output")?;
        let plan = serde_json::to_string(plan).map_err(|e| e.to_string())?;
        Ok(People { child, stdin, lines: BufReader::new(stdout).lines(), plan: Some(plan) })
    }

    pub async fn next(&mut self) -> Result<Said, String> {
        if let (Some(plan), Some(stdin)) = (self.plan.take(), self.stdin.as_mut()) {
            stdin.write_all(format!("{plan}\n").as_bytes()).await.map_err(|e| format!("the callers and agents: {e}"))?;
        }
        match self.lines.next_line().await {
            Ok(Some(line)) => serde_json::from_str(&line).map_err(|e| format!("the callers and agents said `{line}`: {e}")),
            Ok(None) => Err("the callers and agents ended without a report".to_string()),
            Err(error) => Err(format!("the callers and agents: {error}")),
        }
    }

    /// No new calls; those there are come to their end. The report follows.
    pub async fn stop(&mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            // A process that is gone is noticed by its missing report.
            let _ = stdin.write_all(b"stop\n").await;
        }
    }

    pub async fn wait(mut self) -> Result<(), String> {
        self.stdin = None;
        let status = self.child.wait().await.map_err(|e| e.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("the callers and agents: {status}")) }
    }
}

/// The hidden subcommand: the plan on standard input, what happens on standard output.
pub fn traffic() -> ExitCode {
    match traffic::main_with("-") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(&error.to_string()),
    }
}

/// Every agent whom the site starts logged in, and every supervisor, with habits: some are slow, one in a while lets it
/// ring or says no, some pass calls on, one calls outside.
fn agents(site: &Site) -> Vec<AgentSpec> {
    let simulated = site.agents.iter().filter(|(_, a)| a.acd.starts_logged_in || a.supervisor);
    let habits = |(i, (id, agent)): (usize, (&AgentId, &site::Agent))| {
        let Phone::Registered(phone) = &agent.phone else { return None };
        let colleagues = colleagues(site, id);
        let mut spec = AgentSpec::new(&phone.user, phone.password.reveal());
        if agent.supervisor {
            spec.own.push(listens(&site.feature_codes.monitor, &colleagues));
            return Some(spec);
        }
        spec.answer_after = Span::ms(300, 1_500 + 500 * (i as u64 % 4));
        spec.never_answers = if i % 5 == 4 { 0.2 } else { 0.0 };
        spec.refuses = if i % 6 == 5 { 0.1 } else { 0.0 };
        spec.talk = i.is_multiple_of(2).then(|| Span::ms(4_000, 14_000));
        spec.transfers = passes_on(i, &colleagues);
        if i == 2 {
            spec.own.push(calls_outside());
        }
        Some(spec)
    };
    simulated.enumerate().filter_map(habits).collect()
}

/// User names and extensions of the others of the account.
fn colleagues<'a>(site: &'a Site, of: &AgentId) -> Vec<(&'a str, String)> {
    let others = site.agents.iter().filter(|(id, a)| a.acd.starts_logged_in && id.tenant() == of.tenant() && *id != of);
    others.filter_map(|(_, agent)| known(agent)).collect()
}

fn known(agent: &site::Agent) -> Option<(&str, String)> {
    match &agent.phone {
        Phone::Registered(c) => Some((c.user.as_str(), agent.extension.clone()?)),
        Phone::Address { .. } => None,
    }
}

/// Whoever talks, one after the other.
fn listens(code: &str, colleagues: &[(&str, String)]) -> OwnCalls {
    let target =
        |(user, extension): &(&str, String)| Target { dial: format!("{code}{extension}"), while_talking: Some(user.to_string()) };
    OwnCalls {
        purpose: Purpose::Monitor,
        to: colleagues.iter().map(target).collect(),
        keys: String::new(),
        every: Span::ms(4_000, 9_000),
        lasts: Span::ms(3_000, 5_000),
    }
}

fn passes_on(i: usize, colleagues: &[(&str, String)]) -> Transfers {
    let extensions = colleagues.iter().map(|(_, extension)| extension.clone());
    Transfers {
        blind: if i % 3 == 1 { 0.5 } else { 0.0 },
        attended: if i.is_multiple_of(3) { 0.4 } else { 0.0 },
        blind_to: std::iter::once("billing".into()).chain(extensions.clone().take(1)).collect(),
        attended_to: extensions.collect(),
        after: Span::ms(2_000, 3_500),
        consult: Span::ms(1_000, 2_000),
    }
}

fn calls_outside() -> OwnCalls {
    OwnCalls {
        purpose: Purpose::Call,
        to: vec![Target { dial: "+525541112222".into(), while_talking: None }],
        keys: String::new(),
        every: Span::ms(15_000, 25_000),
        lasts: Span::ms(3_000, 5_000),
    }
}

/// `outside`: where the site's calls to numbers that are not its own arrive.
pub fn plan(server: SocketAddr, site: &Site, outside: Option<SocketAddr>, options: &Options, last_calls: Duration) -> Plan {
    let whole = options.duration.unwrap_or(ENDLESS);
    // The time asked for is the whole demonstration's: calls that are left need some of it.
    let drain = last_calls.min(whole / 3);
    let callers = CallerMix {
        per_minute: options.calls_per_minute,
        leaves_in_ivr: 0.1,
        leaves_in_queue: 0.1,
        asks_for_callback: 0.3,
        leaves_message: 0.2,
        // Keys lead out of the queue only once "please hold" has been said.
        patience: Span::ms(4_500, 7_000),
        message: Span::ms(8_000, 10_000),
        talk: Span::ms(5_000, 15_000),
        ..CallerMix::default()
    };
    Plan {
        server,
        trunk: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        // Another address than the trunk's: a phone is known by its password.
        phones: SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0)),
        callers,
        agents: agents(site),
        numbers: site.numbers.iter().map(|n| n.number.clone()).collect(),
        duration_ms: (whole - drain).as_millis() as u64,
        drain_ms: drain.as_millis() as u64,
        seed: options.seed,
        load: Load::default(),
        outside: outside.map(Outside::at),
    }
}

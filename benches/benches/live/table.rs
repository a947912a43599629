//! What was measured, as a table and as JSON.

use crate::samples::{Samples, Spread};
use benches::Size;
use benches::cpu::{Machine, Used};
use benches::scrape::{Decided, Took, Watched};
use benches::server;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use traffic::Report;

const FREE_TO_INVITE_MS: f64 = 5.0;
const ANSWER_TO_AUDIO_MS: f64 = 40.0;
/// Of the process with the callers, in one packet of a hundred.
const LATE_US: u64 = 2_000;

pub struct Run {
    pub size: Size,
    pub samples: Samples,
    pub watched: Watched,
    pub decided: Decided,
    pub used: Used,
    /// Of the server, in megabytes.
    pub memory: f64,
    pub machine: Machine,
    pub live: Vec<u64>,
    /// How the server ended.
    pub ended: String,
    pub report: Report,
}

/// What was to be reached, and what was.
struct Target {
    what: &'static str,
    target: String,
    measured: String,
    reached: bool,
}

impl Run {
    fn targets(&self) -> [Target; 4] {
        let (s, w) = (&self.samples, &self.watched);
        let within = |spread: &Spread, most: f64| spread.samples > 0 && spread.p99 <= most;
        let target = |what, target: &str, measured, reached| Target { what, target: target.into(), measured, reached };
        let p99 = |spread: &Spread| format!("{:.2} ms, {} samples", spread.p99, spread.samples);
        let ends = format!("{} of {} calls, {} unheard", s.failed, s.calls, s.unheard);
        let breaches = format!("{} in {} reads", w.most_breaches, w.reads);
        let audited = w.most_breaches == 0.0 && w.reads > 0 && w.failed == 0;
        [
            target("free to INVITE, p99", "5 ms", p99(&s.free_to_invite), within(&s.free_to_invite, FREE_TO_INVITE_MS)),
            target(
                "200 to audio both ways, p99",
                "40 ms",
                p99(&s.answer_to_audio),
                within(&s.answer_to_audio, ANSWER_TO_AUDIO_MS),
            ),
            target("breaches, once a second", "0", breaches, audited),
            target("calls failed or unheard", "0", ends, s.failed + s.unheard == 0),
        ]
    }

    fn late_us(&self) -> u64 {
        self.report.lateness.p99_us
    }

    fn valid(&self) -> bool {
        self.late_us() <= LATE_US
    }

    pub fn verdict(&self) -> ExitCode {
        match (self.valid(), self.targets().iter().all(|target| target.reached)) {
            (false, _) => ExitCode::from(2),
            (true, false) => ExitCode::FAILURE,
            (true, true) => ExitCode::SUCCESS,
        }
    }

    pub fn print(&self) {
        let Size { calls, agents, hold, .. } = self.size;
        let (least, most) = (self.live.iter().min().unwrap_or(&0), self.live.iter().max().unwrap_or(&0));
        println!("{calls} calls and {agents} agents held for {hold:?}: {least} to {most} calls at once\n");
        println!("{:<30} {:>8}  {:<28} reached", "target", "at most", "measured");
        for Target { what, target, measured, reached } in self.targets() {
            println!("{what:<30} {target:>8}  {measured:<28} {}", if reached { "yes" } else { "NO" });
        }
        self.print_spreads();
        self.print_decisions();
        self.print_load();
        let Machine { cores, load_before, load_after, scheduling } = &self.machine;
        println!("machine: {cores} cores, load {load_before} before and {load_after} after, {scheduling} scheduling");
        match self.valid() {
            true => println!("valid: yes, the callers' process was late by {} us in p99", self.late_us()),
            false => println!("VOID: the callers' process was late by {} us in p99; at most {LATE_US} count", self.late_us()),
        }
    }

    fn print_spreads(&self) {
        let s = &self.samples;
        println!("\n{:<36} {:>8} {:>9} {:>9} {:>9}", "milliseconds", "samples", "p50", "p99", "max");
        let rows = [
            ("BYE that frees an agent to INVITE", &s.free_to_invite),
            ("  after the agent's BYE", &s.after_own_bye),
            ("  after the caller's BYE", &s.after_callers_bye),
            ("agent's 200 to audio both ways", &s.answer_to_audio),
            ("  the caller's voice at the agent", &s.caller_heard),
            ("  the agent's voice at the caller", &s.agent_heard),
        ];
        for (name, Spread { samples, p50, p99, max }) in rows {
            println!("{name:<36} {samples:>8} {p50:>9.2} {p99:>9.2} {max:>9.2}");
        }
        println!("frees for which nobody had waited: {}", s.nobody_waited);
    }

    fn print_decisions(&self) {
        println!(
            "\n{:<36} {:>8} {:>9} {:>9} {:>9} {:>9}",
            "decision thread, milliseconds", "count", "mean", "p50 <=", "p99 <=", "all <="
        );
        let bound = |ms: &Option<f64>| ms.map_or("more".into(), |ms| format!("{ms:.3}"));
        let rows = [("a batch", &self.decided.batch), ("an audit", &self.decided.audit), ("a snapshot", &self.decided.snapshot)];
        for (name, Took { count, mean, p50_at_most, p99_at_most, all_at_most }) in rows {
            let [p50, p99, all] = [p50_at_most, p99_at_most, all_at_most].map(bound);
            println!("{name:<36} {count:>8} {mean:>9.3} {p50:>9} {p99:>9} {all:>9}");
        }
    }

    fn print_load(&self) {
        let (s, used, w) = (&self.samples, &self.used, &self.watched);
        let hundreds = f64::from(self.size.calls) / 100.0;
        let (server, people) = (used.server, used.people);
        println!("\ncores: server {server:.3}, {:.3} for 100 calls; callers and phones {people:.3}", server / hundreds);
        let mut threads: Vec<_> = used.threads.iter().filter(|(_, part)| **part >= 0.0005).collect();
        threads.sort_by(|one, other| other.1.total_cmp(one.1));
        let threads: Vec<String> = threads.iter().map(|(name, part)| format!("{name} {part:.3}")).collect();
        println!("of the server: {}", threads.join(", "));
        let sent = s.packets_sent;
        println!(
            "packets: {sent} sent, {} heard, {} lost, {} gaps over 60 ms",
            s.packets_heard, s.packets_lost, s.gaps_over_60ms
        );
        let kept = format!("{} complete, {} other", w.recordings_complete, w.recordings_other);
        println!("conversations: {}; recordings: {kept}; server's memory {:.0} MB", s.conversations, self.memory);
        println!("the server's end: {}", self.ended);
    }

    /// Beside the programs of this build.
    pub fn write(&self) {
        let targets =
            self.targets().map(|t| json!({ "what": t.what, "target": t.target, "measured": t.measured, "reached": t.reached }));
        let result = json!({
            "valid": self.valid(),
            "targets": targets,
            "calls": self.size.calls,
            "agents": self.size.agents,
            "held_s": self.size.hold.as_secs(),
            "live": self.live,
            "samples": self.samples,
            "audit": self.watched,
            "decision_thread_ms": self.decided,
            "cores": self.used,
            "memory_mb": self.memory,
            "machine": self.machine,
            "server_ended": self.ended,
            "lateness": self.report.lateness,
        });
        let file = server::program("live.json");
        let file = file.parent().and_then(Path::parent).map_or(file.clone(), |target| target.join("live.json"));
        let text = serde_json::to_string_pretty(&result).expect("plain data");
        std::fs::write(&file, text).expect("the folder of this build");
        println!("written to {}", file.display());
    }
}

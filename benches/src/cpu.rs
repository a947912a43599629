//! CPU time of both processes, thread by thread, as the kernel counts it.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// A second of `/proc/PID/stat` has this many ticks on every Linux of today (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Seconds so far.
pub struct Cpu {
    server: BTreeMap<u32, (String, f64)>,
    people: f64,
}

/// Parts of one core, over some time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Used {
    pub server: f64,
    pub people: f64,
    /// Of the server's threads, by name; those that share a name together.
    pub threads: BTreeMap<String, f64>,
}

impl Cpu {
    pub fn of(server: u32, people: u32) -> Cpu {
        let folder = format!("/proc/{server}/task");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let threads = entries.filter_map(|e| e.file_name().to_str()?.parse().ok());
        let server = threads.filter_map(|id: u32| Some((id, thread(&format!("/proc/{server}/task/{id}"))?))).collect();
        let people = thread(&format!("/proc/{people}")).map_or(0.0, |(_, seconds)| seconds);
        Cpu { server, people }
    }

    pub fn since(&self, before: &Cpu, held: Duration) -> Used {
        let held = held.as_secs_f64();
        let mut used = Used { people: (self.people - before.people) / held, ..Used::default() };
        for (id, (name, seconds)) in &self.server {
            let part = (seconds - before.server.get(id).map_or(0.0, |(_, seconds)| *seconds)) / held;
            used.server += part;
            *used.threads.entry(name.clone()).or_default() += part;
        }
        used
    }
}

/// What else there was: without it nobody can say what a figure is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub cores: usize,
    /// Average of the last minute, before and after: what runs besides counts as well.
    pub load_before: f64,
    pub load_after: f64,
    pub scheduling: &'static str,
}

impl Machine {
    pub fn before() -> Machine {
        let cores = std::thread::available_parallelism().map_or(0, |n| n.get());
        // Both processes inherit it from this one.
        let scheduling = match policy() {
            1 => "real-time, first in first out",
            2 => "real-time, round robin",
            _ => "usual",
        };
        Machine { cores, load_before: load(), load_after: 0.0, scheduling }
    }

    pub fn after(self) -> Machine {
        Machine { load_after: load(), ..self }
    }
}

/// Field 41 of proc_pid_stat(5).
fn policy() -> u8 {
    stat("/proc/self").and_then(|(_, fields)| fields.get(38).copied()).map_or(0, |policy| policy as u8)
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// A name and its seconds.
fn thread(folder: &str) -> Option<(String, f64)> {
    let (name, fields) = stat(folder)?;
    Some((name, (fields.get(11)? + fields.get(12)?) / TICKS))
}

/// `PID (name) state …`, where the name may hold anything. The fields begin with the state, which is no number.
fn stat(folder: &str) -> Option<(String, Vec<f64>)> {
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let fields = tail.split_whitespace().map(|word| word.parse().unwrap_or(0.0)).collect();
    Some((head.split_once('(')?.1.to_string(), fields))
}

/// What of it is in memory, in megabytes.
pub fn memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
}

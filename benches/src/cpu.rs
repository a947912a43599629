//! CPU time of both processes, thread by thread, as the kernel counts it.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Time on a CPU so far.
pub struct Cpu {
    server: BTreeMap<u32, (String, Duration)>,
    people: BTreeMap<u32, (String, Duration)>,
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
        Cpu { server: threads(&server.to_string()), people: threads(&people.to_string()) }
    }

    pub fn since(&self, before: &Cpu, held: Duration) -> Used {
        let mut used =
            Used { people: grew(&self.people, &before.people).map(|(_, time)| part(time, held)).sum(), ..Used::default() };
        for (name, time) in grew(&self.server, &before.server) {
            used.server += part(time, held);
            *used.threads.entry(name.clone()).or_default() += part(time, held);
        }
        used
    }
}

fn part(time: Duration, held: Duration) -> f64 {
    time.as_secs_f64() / held.as_secs_f64()
}

/// What each thread that lives now has used since then.
fn grew<'a>(
    now: &'a BTreeMap<u32, (String, Duration)>,
    before: &'a BTreeMap<u32, (String, Duration)>,
) -> impl Iterator<Item = (&'a String, Duration)> {
    now.iter().map(|(id, (name, time))| (name, time.saturating_sub(before.get(id).map_or(Duration::ZERO, |(_, time)| *time))))
}

/// Of this process's threads that live now, those of one name together.
pub fn own() -> BTreeMap<String, Duration> {
    let mut all = BTreeMap::new();
    for (name, time) in threads("self").into_values() {
        *all.entry(name).or_default() += time;
    }
    all
}

/// Of all threads that live now (`/proc/PID/task/TID/schedstat`: nanoseconds on a CPU).
fn threads(process: &str) -> BTreeMap<u32, (String, Duration)> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let one = |task: fs::DirEntry| {
        let read = |file| fs::read_to_string(task.path().join(file)).ok();
        let time = read("schedstat")?.split(' ').next()?.parse().ok()?;
        let id = task.file_name().to_str()?.parse().ok()?;
        Some((id, (read("comm")?.trim().to_string(), Duration::from_nanos(time))))
    };
    entries.filter_map(one).collect()
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
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before may hold anything; behind it is field 3.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    fields.split_whitespace().nth(38).and_then(|policy| policy.parse().ok()).unwrap_or(0)
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// What of it is in memory, in megabytes.
pub fn memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
}

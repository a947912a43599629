//! CPU time of this process's threads, by name.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Of all threads that live now, those of one name together (`/proc/PID/task/TID/schedstat`: nanoseconds on a CPU).
pub fn cpu() -> BTreeMap<String, Duration> {
    let mut all = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let time = read("schedstat").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        *all.entry(read("comm").trim().to_string()).or_default() += Duration::from_nanos(time);
    }
    all
}

//! Who runs on which core.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::OnceLock;

/// The first core and the last of those that this process might use when it first asked: for the server, and for those
/// who load it. They are one and the same where there is one only.
pub fn cores() -> (usize, usize) {
    let all = all();
    let mut usable = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
    let first = usable.next().expect("it runs somewhere");
    (first, usable.next_back().unwrap_or(first))
}

/// This thread, and the threads and processes that it starts from now on.
pub fn to(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    all();
    sched_setaffinity(None, &set).expect("a core that was there before");
}

/// The same, on every core that there was.
pub fn anywhere() {
    sched_setaffinity(None, &all()).expect("cores that were there before");
}

fn all() -> CpuSet {
    static ALL: OnceLock<CpuSet> = OnceLock::new();
    *ALL.get_or_init(|| sched_getaffinity(None).expect("a thread knows where it may run"))
}

//! How long somebody who hands an event to the decision thread is held up, while that thread is busy.
//!
//! The owner makes decisions of the large case, one for each thing handed over, and is never without. The producer looks
//! at the clock around each hand-over. On a shared machine the longest of them is the scheduler's doing, as `nothing`
//! shows, which only looks at the clock; so it is also counted how often the producer was put to sleep.

use crate::hall::{Hall, Rules};
use crate::world::LARGE;
use crossbeam::channel;
use shell_handoff::way;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

const PUSHES: usize = 100_000;
/// What may wait at once; more, and the producer looks on.
const WAITING: usize = 1_024;
const BATCH: usize = 256;

struct Owner {
    hall: Hall,
}

impl Owner {
    fn decide(&mut self) {
        if let Some(decided) = self.hall.frees() {
            self.hall.answers(&decided);
            self.hall.call_joins(&decided);
        }
    }
}

/// Through our way: the longest hand-over, beside the longest of a producer that hands nothing over; how often it slept.
pub struct Stall {
    pub longest: Duration,
    pub of_nothing: Duration,
    pub slept: u64,
}

pub fn table() -> Stall {
    println!("A producer, while the owner decides ({PUSHES} hand-overs each)");
    println!("{:<44} {:>8} {:>8} {:>9} {:>10} {:>8}", "through", "p50", "p99", "p99.99", "max", "slept");
    let mut owner = Owner { hall: Hall::busy(LARGE, Rules::Plain) };
    let (of_nothing, _) = nothing(&mut owner);
    let (longest, slept) = through_way(&mut owner);
    through_channel(&mut owner);
    through_queue_under_a_lock(&mut owner);
    through_one_lock(&mut owner);
    println!();
    Stall { longest, of_nothing, slept }
}

/// Hands over until all are, never more at once than may wait.
fn produce(done: &AtomicUsize, mut hand_over: impl FnMut(u64)) -> (Vec<u64>, u64) {
    let mut took = Vec::with_capacity(PUSHES);
    let slept = sleeps();
    for n in 0..PUSHES {
        while n - done.load(Relaxed).min(n) >= WAITING {
            std::hint::spin_loop();
        }
        let from = Instant::now();
        hand_over(n as u64);
        took.push(from.elapsed().as_nanos() as u64);
    }
    (took, sleeps() - slept)
}

/// How often this thread gave up the processor of its own accord.
fn sleeps() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
}

/// The longest, and how often the producer slept.
fn print(name: &str, (mut took, slept): (Vec<u64>, u64)) -> (Duration, u64) {
    took.sort_unstable();
    let at = |share: f64| Duration::from_nanos(took[(share * (took.len() - 1) as f64) as usize]);
    let (p50, p99, p9999, max) = (at(0.5), at(0.99), at(0.9999), at(1.0));
    println!("{name:<44} {p50:>8.0?} {p99:>8.0?} {p9999:>9.1?} {max:>10.1?} {slept:>8}");
    (max, slept)
}

fn nothing(owner: &mut Owner) -> (Duration, u64) {
    let (done, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|s| {
        s.spawn(|| {
            while !over.load(Relaxed) {
                owner.decide();
                done.fetch_add(1, Relaxed);
            }
        });
        let took = produce(&done, |n| assert!(std::hint::black_box(n) < u64::MAX));
        over.store(true, Relaxed);
        print("nothing", took)
    })
}

fn through_way(owner: &mut Owner) -> (Duration, u64) {
    let done = AtomicUsize::new(0);
    let (way, taker) = way::<u64>(4 * WAITING);
    std::thread::scope(|s| {
        let done = &done;
        s.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            while done.load(Relaxed) < PUSHES {
                taker.take(&mut batch, BATCH, None);
                for _ in batch.drain(..) {
                    owner.decide();
                    done.fetch_add(1, Relaxed);
                }
            }
        });
        print("shell_handoff::way", produce(done, |n| assert!(way.push(n).is_ok())))
    })
}

fn through_channel(owner: &mut Owner) {
    let done = AtomicUsize::new(0);
    let (into, from) = channel::bounded::<u64>(4 * WAITING);
    std::thread::scope(|s| {
        let done = &done;
        s.spawn(move || {
            while from.recv().is_ok() {
                owner.decide();
                done.fetch_add(1, Relaxed);
            }
        });
        print("crossbeam::channel", produce(done, |n| assert!(into.send(n).is_ok())));
        drop(into);
    });
}

/// The owner takes all that is there, and decides without the lock.
fn through_queue_under_a_lock(owner: &mut Owner) {
    let done = AtomicUsize::new(0);
    let queue = Mutex::new(VecDeque::with_capacity(4 * WAITING));
    std::thread::scope(|s| {
        s.spawn(|| {
            let mut batch = VecDeque::with_capacity(4 * WAITING);
            while done.load(Relaxed) < PUSHES {
                std::mem::swap(&mut *queue.lock().expect("nobody panics"), &mut batch);
                for _ in batch.drain(..) {
                    owner.decide();
                    done.fetch_add(1, Relaxed);
                }
            }
        });
        print("Mutex<VecDeque>, swapped out", produce(&done, |n| queue.lock().expect("nobody panics").push_back(n)));
    });
}

/// As where calls and agents are shared under one lock: who has an event waits until a decision is over.
fn through_one_lock(owner: &mut Owner) {
    let done = AtomicUsize::new(0);
    let shared = Mutex::new((owner, VecDeque::with_capacity(4 * WAITING)));
    std::thread::scope(|s| {
        s.spawn(|| {
            while done.load(Relaxed) < PUSHES {
                let (owner, queue) = &mut *shared.lock().expect("nobody panics");
                for _ in queue.drain(..queue.len().min(BATCH)) {
                    owner.decide();
                    done.fetch_add(1, Relaxed);
                }
            }
        });
        let hand_over = |n| shared.lock().expect("nobody panics").1.push_back(n);
        print("one Mutex, held while deciding (256 at a time)", produce(&done, hand_over));
    });
}

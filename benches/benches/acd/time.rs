//! Time per decision: the small case and the large one by turns, and a linear scan before and after.

use crate::hall::Hall;
use crate::memory::{self, Allocated};
use crate::scan::Scan;
use crate::{Case, Event, WARM_UP};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Instant;

/// Decisions between two looks at the clock, small enough to leave the hall as it is. By turns the batch is read ahead,
/// within what is timed, and is not.
const BATCH: usize = 16;
/// Batches before it is another hall's turn. The first ones bring the hall back into the caches.
const BATCHES: usize = 120;
const UNTIMED: usize = 20;
const TURNS: usize = 30;

/// Nanoseconds, batch by batch.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted[(share * (sorted.len() - 1) as f64) as usize]
    }

    /// How far the medians of the two halves are apart.
    fn drift(&self) -> f64 {
        let (first, second) = self.0.split_at(self.0.len() / 2);
        let [a, b] = [first, second].map(|half| Times(half.to_vec()).at(0.5));
        (a - b).abs() / a.min(b)
    }
}

#[derive(Default)]
struct Timed {
    decision: Times,
    /// Of those that were not read ahead.
    alone: Times,
    answer: Times,
    undoing: Times,
    /// The linear scan, before and after.
    scan: [f64; 2],
}

pub struct Row {
    pub case: Case,
    /// Medians in nanoseconds.
    pub decision: f64,
    /// Of the decision, to the first of the group.
    pub ratio: f64,
    pub valid: bool,
    pub allocated: Allocated,
}

pub fn table(groups: &[&[Case]]) -> Vec<Row> {
    println!("Time in ns, the cases of a group by turns; beside it a linear scan that only chooses, before and after.");
    println!("Decisions in batches of {BATCH} that are read ahead, which is within their time; alone: in batches that are not");
    println!(
        "{:<26} {:>8} {:>6} {:>6} {:>6} {:>7} {:>8} {:>11} {:>9} {:>7} {:>8} {:>8} {:>7}  valid",
        "case",
        "decision",
        "p10",
        "p90",
        "alone",
        "answer",
        "undoing",
        "decisions/s",
        "rounds/s",
        "x small",
        "scan",
        "after",
        "x scan"
    );
    let rows: Vec<Row> = groups.iter().flat_map(|group| measure(group)).collect();
    println!("void: the two halves of the small case, or the two scans, differ by over a fifth: the machine was busy\n");
    memory::print(&rows);
    rows
}

fn measure(group: &[Case]) -> Vec<Row> {
    let mut scans: Vec<Scan> = group.iter().map(|case| Scan::new(case.size, case.event == Event::Comes)).collect();
    let mut halls: Vec<Hall> = group.iter().map(|case| case.hall(WARM_UP)).collect();
    let mut timed: Vec<Timed> = group.iter().map(|_| Timed::default()).collect();
    let scan_all = |scans: &mut [Scan], timed: &mut [Timed], at: usize| {
        group.iter().zip(scans).zip(timed).for_each(|((case, scan), timed)| timed.scan[at] = scanned(case, scan));
    };
    scan_all(&mut scans, &mut timed, 0);
    for _ in 0..TURNS {
        for ((case, hall), timed) in group.iter().zip(&mut halls).zip(&mut timed) {
            for n in 0..BATCHES {
                batch(case, hall, n % 2 == 0, if n < UNTIMED { None } else { Some(&mut *timed) });
            }
        }
    }
    scan_all(&mut scans, &mut timed, 1);
    let small = timed[0].decision.at(0.5);
    let steady = timed[0].decision.drift() <= 0.2;
    let rows = group.iter().zip(&timed).zip(&mut halls);
    rows.map(|((case, timed), hall)| row(case, timed, small, steady, memory::allocated(case, hall))).collect()
}

fn row(case: &Case, timed: &Timed, small: f64, steady: bool, allocated: Allocated) -> Row {
    let medians = [&timed.decision, &timed.alone, &timed.answer, &timed.undoing].map(|times| times.at(0.5));
    let [decision, alone, answer, undoing] = medians;
    let [before, after] = timed.scan;
    let scan = (before + after) / 2.0;
    let valid = steady && (before - after).abs() <= scan / 5.0;
    let round = decision + answer + undoing;
    let (p10, p90, ratio) = (timed.decision.at(0.1), timed.decision.at(0.9), decision / small);
    println!(
        "{:<26} {decision:>8.0} {p10:>6.0} {p90:>6.0} {alone:>6.0} {answer:>7.0} {undoing:>8.0} {:>11.0} {:>9.0} {ratio:>7.2} {before:>8.0} {after:>8.0} {:>7.3}  {}",
        case.name,
        1e9 / decision,
        1e9 / round,
        decision / scan,
        if valid { "yes" } else { "void" }
    );
    Row { case: *case, decision, ratio, valid, allocated }
}

/// Some decisions, then their answers, then what undoes them: between a decision and its answer others are made, as in
/// a hall where phones ring for seconds.
fn batch(case: &Case, hall: &mut Hall, ahead: bool, timed: Option<&mut Timed>) {
    let mut decided = Vec::with_capacity(BATCH);
    hall.prepare(case.event, BATCH);
    let from = Instant::now();
    if ahead {
        hall.read_ahead();
    }
    (0..BATCH).for_each(|_| decided.extend(case.decide(hall)));
    let chosen = Instant::now();
    decided.iter().for_each(|decided| hall.answers(decided));
    let answered = Instant::now();
    decided.iter().for_each(|decided| case.undo(hall, decided));
    let undone = Instant::now();
    let each = |from: Instant, to: Instant| (to - from).as_nanos() as f64 / BATCH as f64;
    if let Some(timed) = timed.filter(|_| decided.len() == BATCH) {
        let decisions = if ahead { &mut timed.decision } else { &mut timed.alone };
        decisions.0.push(each(from, chosen));
        timed.answer.0.push(each(chosen, answered));
        timed.undoing.0.push(each(answered, undone));
    }
}

fn scanned(case: &Case, scan: &mut Scan) -> f64 {
    let looked_at = if case.event == Event::Frees { case.size.waiting } else { case.size.agents };
    let rounds = (20_000_000 / looked_at).clamp(100, 10_000);
    let mut once = || match case.event {
        Event::Frees => black_box(scan.frees()).is_some(),
        Event::Comes => black_box(scan.comes()).is_some(),
    };
    assert!((0..rounds / 10).filter(|_| once()).count() > 0);
    let from = thread_cpu();
    let decided = (0..rounds).filter(|_| once()).count();
    (thread_cpu() - from) as f64 / decided.max(1) as f64
}

/// CPU time of the calling thread, in nanoseconds.
pub fn thread_cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

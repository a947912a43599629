//! CPU per relayed packet: our plane, without and with a recording of each call, against a bare epoll relay of the same
//! packets, in one run by turns; each over epoll and over io_uring.
//!
//! `cargo bench -p benches --bench relay` prints a table. All relays have one thread and a socket for each leg, and carry
//! the same traffic from the same generator: 400 calls of two peers at 50 packets a second on loopback, spread over the
//! 20 ms. What is counted is the CPU time of all threads that relay and record, kernel included. Each relay has several
//! turns, each beside the bare relay before and after it; the median of these ratios counts. The run is valid if every
//! phase relayed at least 99.9 % of its packets and neighbouring phases of the bare relay agree within a fifth.
//! `-- relayed`, `recorded`, `ring`, `ring-recorded`, `uring` (a bare relay over io_uring) choose.

mod bare;
mod ours;
mod peers;
mod uring;

use benches::words;
use peers::{Phase, Traffic};
use shell_media::Way;
use std::process::ExitCode;

/// What a relayed packet may cost, as a multiple of the bare relay's.
const TARGETS: [(&str, f64); 4] = [(OURS, 1.3), (RECORDED, 1.5), (RINGED, 1.3), (RING_RECORDED, 1.5)];
const BARE: &str = "bare relay";
const OURS: &str = "our plane";
const RECORDED: &str = "with recording";
const RINGED: &str = "over io_uring";
const RING_RECORDED: &str = "io_uring, rec.";
const URING: &str = "bare io_uring";
/// By the words that choose them.
const OF_OURS: [(&str, &str, bool, Way); 4] = [
    ("relayed", OURS, false, Way::Epoll),
    ("recorded", RECORDED, true, Way::Epoll),
    ("ring", RINGED, false, Way::IoUring),
    ("ring-recorded", RING_RECORDED, true, Way::IoUring),
];

fn main() -> ExitCode {
    // Without `--bench` (as in `cargo test --benches`) it only shows that it works.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let measured = arguments.iter().any(|a| a == "--bench");
    let known: Vec<&str> = OF_OURS.iter().map(|(word, ..)| *word).chain(["uring"]).collect();
    if let Some(unknown) = words::unknown(&arguments, &known) {
        eprintln!("there is no relay \"{unknown}\": expected {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    let all = arguments.iter().all(|a| a.starts_with('-'));
    let chosen = |name: &str| all || arguments.iter().any(|a| a == name);
    let (calls, seconds, turns) = if measured { (400, 10, 3) } else { (20, 1, 1) };
    let traffic = Traffic { calls, seconds, first_port: 24_000 };
    let mut phases = vec![(BARE, bare::relay(traffic))];
    for turn in 0..turns {
        for (word, name, recorded, way) in OF_OURS {
            if chosen(word) {
                add(&mut phases, name, ours::relay(traffic, recorded, way), traffic);
            }
        }
        if chosen("uring") {
            // The kernel is a while about closing such sockets: ports of their own.
            let first_port = if turn % 2 == 0 { 26_000 } else { 28_000 };
            add(&mut phases, URING, uring::relay(Traffic { first_port, ..traffic }), traffic);
        }
    }
    print(&phases);
    for (name, most) in TARGETS {
        let Some(ratio) = median(&phases, name) else { continue };
        let reached = if ratio <= most { "reached" } else { "NOT reached" };
        println!("{name}: {ratio:.2} times the bare relay, at most {most}: {reached}");
    }
    if let Some(ratio) = median(&phases, URING) {
        println!("{URING}: {ratio:.2} times the bare relay");
    }
    let complete = phases.iter().all(|(_, phase)| phase.share() >= 0.999);
    let floors: Vec<f64> = phases.iter().step_by(2).map(|(_, phase)| phase.micros()).collect();
    let steady = floors.windows(2).all(|pair| (pair[0] - pair[1]).abs() <= pair[0] / 5.0);
    println!("valid: {}", if complete && steady { "yes" } else { "no: the machine was busy with something else" });
    assert!(measured || complete, "packets were lost");
    if complete && steady || !measured { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

/// A phase, and the bare relay after it.
fn add(phases: &mut Vec<(&str, Phase)>, name: &'static str, phase: std::io::Result<Phase>, traffic: Traffic) {
    match phase {
        Ok(phase) => phases.extend([(name, phase), (BARE, bare::relay(traffic))]),
        Err(why) => println!("{name}: not here: {why}"),
    }
}

fn print(phases: &[(&str, Phase)]) {
    println!("{:<15} {:>9} {:>9} {:>14} {:>7}  threads, us a packet", "relay", "packets", "relayed", "CPU us/packet", "ratio");
    for (at, (name, phase)) in phases.iter().enumerate() {
        let ratio = beside(phases, at).map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let (sent, share, micros) = (phase.sent, phase.share() * 100.0, phase.micros());
        println!("{name:<15} {sent:>9} {share:>8.2}% {micros:>14.2} {ratio:>7}  {}", phase.threads());
    }
}

/// Of all turns of this relay, if it had any.
fn median(phases: &[(&str, Phase)], name: &str) -> Option<f64> {
    let turns = (0..phases.len()).filter(|at| phases[*at].0 == name);
    let mut ratios: Vec<f64> = turns.filter_map(|at| beside(phases, at)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

/// To what the bare relay took before and after; none for the bare relay itself.
fn beside(phases: &[(&str, Phase)], at: usize) -> Option<f64> {
    let micros = |at: usize| phases.get(at).map(|(_, phase)| phase.micros());
    if at.is_multiple_of(2) { None } else { Some(micros(at)? / f64::midpoint(micros(at - 1)?, micros(at + 1)?)) }
}

//! CPU per relayed packet: our plane, without and with a recording of each call, against a bare epoll relay of the same
//! packets, in one run by turns; and a bare relay over io_uring.
//!
//! `cargo bench -p benches --bench relay` prints a table. All relays have one thread and a socket for each leg, and carry
//! the same traffic from the same generator: 400 calls of two peers at 50 packets a second on loopback, spread over the
//! 20 ms. What is counted is the CPU time of all threads that relay and record, kernel included. The run is valid if
//! every phase relayed at least 99.9 % of its packets and the phases of the bare relay agree within a fifth.

mod bare;
mod ours;
mod peers;
mod uring;

use peers::{Phase, Traffic};
use std::process::ExitCode;

/// What a relayed packet may cost, as a multiple of the bare relay's.
const TARGETS: [(&str, f64); 2] = [("our plane", 1.3), ("with recording", 1.5)];

fn main() -> ExitCode {
    // Without `--bench` (as in `cargo test --benches`) it only shows that it works.
    let measured = std::env::args().any(|a| a == "--bench");
    let (calls, seconds) = if measured { (400, 10) } else { (20, 1) };
    let traffic = Traffic { calls, seconds, first_port: 24_000 };
    let mut phases = vec![
        ("bare relay", bare::relay(traffic)),
        ("our plane", ours::relay(traffic, false)),
        ("bare relay", bare::relay(traffic)),
        ("with recording", ours::relay(traffic, true)),
        ("bare relay", bare::relay(traffic)),
    ];
    // The kernel is a while about closing such sockets: ports of their own.
    for first_port in [26_000, 28_000] {
        match uring::relay(Traffic { first_port, ..traffic }) {
            Ok(phase) => phases.extend([("bare io_uring", phase), ("bare relay", bare::relay(traffic))]),
            Err(why) => println!("bare io_uring: not here: {why}"),
        }
    }
    println!("{:<15} {:>9} {:>9} {:>14} {:>7}  threads, us a packet", "relay", "packets", "relayed", "CPU us/packet", "ratio");
    for (at, (name, phase)) in phases.iter().enumerate() {
        let ratio = beside(&phases, at).map_or(String::new(), |floor| format!("{:.2}", phase.micros() / floor));
        println!(
            "{name:<15} {:>9} {:>8.2}% {:>14.2} {ratio:>7}  {}",
            phase.sent,
            phase.share() * 100.0,
            phase.micros(),
            phase.threads()
        );
    }
    let complete = phases.iter().all(|(_, phase)| phase.share() >= 0.999);
    let floors: Vec<f64> = phases.iter().step_by(2).map(|(_, phase)| phase.micros()).collect();
    let steady = floors.windows(2).all(|pair| (pair[0] - pair[1]).abs() <= pair[0] / 5.0);
    for (name, most) in TARGETS {
        let at = phases.iter().position(|(of, _)| *of == name).unwrap_or_default();
        let ratio = beside(&phases, at).map_or(f64::NAN, |floor| phases[at].1.micros() / floor);
        println!(
            "{name}: {ratio:.2} times the bare relay, at most {most}: {}",
            if ratio <= most { "reached" } else { "NOT reached" }
        );
    }
    println!("valid: {}", if complete && steady { "yes" } else { "no: the machine was busy with something else" });
    assert!(measured || complete, "packets were lost");
    if complete && steady || !measured { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

/// What the bare relay took before and after a phase; none for the bare relay itself.
fn beside(phases: &[(&str, Phase)], at: usize) -> Option<f64> {
    let floor = |at: usize| phases.get(at).map(|(_, phase)| phase.micros());
    if at.is_multiple_of(2) { None } else { Some(f64::midpoint(floor(at - 1)?, floor(at + 1)?)) }
}

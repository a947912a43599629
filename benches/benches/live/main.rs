//! What people feel under 400 live calls: how soon a free agent's phone rings, how soon two people hear each other.
//!
//! `cargo bench -p benches --bench live` builds the server and the callers' program as they are released, starts both as
//! processes of their own on loopback, and prints a table; `-- --calls 200 --agents 80 --hold 60` is another size.
//!
//! ```text
//!  traffic ──SIP, RTP──▶ centralita serve ──▶ recordings, log
//!     │ a line a second        │ /metrics, once a second; /proc/PID/task
//!     └──────── report ──▶ this bench ──▶ table, target/live.json
//! ```
//! Both figures are taken from outside, by the clock of the process with the callers and phones: what it sends is stamped
//! before, what it receives when it was read. So they hold the way through the kernel, the server, and the lateness of
//! the callers' process itself; none of it is taken off. A run in which that process was late by more than 2 ms in one
//! packet of a hundred is void, and says so.
//!
//! On a machine that does something else as well, `chrt -r 1 cargo bench …` puts both processes before the rest; that
//! is said in the result.
//!
//! It ends with 0 when every target was reached, with 1 when one was missed, with 2 when the run is void.

mod plan;
mod samples;
mod table;

use benches::Size;
use benches::cpu::{self, Cpu, Machine};
use benches::people::People;
use benches::scrape::{self, Watch};
use benches::server::{self, Server};
use benches::site::Site;
use samples::Samples;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use table::Run;

/// From the last BYE to the last recording with its hash on the disk.
const CLOSES: Duration = Duration::from_secs(3);

fn asked() -> Size {
    // Without `--bench` (as in `cargo test --benches`) it only shows that it works.
    let measured = std::env::args().any(|a| a == "--bench");
    let usual = if measured { [400, 150, 13, 90] } else { [6, 2, 6, 8] };
    let args: Vec<String> = std::env::args().collect();
    let asked = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1)?.parse::<u32>().ok());
    let [calls, agents, rate, hold] = usual;
    Size {
        calls: asked("--calls").unwrap_or(calls),
        agents: asked("--agents").unwrap_or(agents),
        rate: asked("--rate").unwrap_or(rate),
        hold: Duration::from_secs(asked("--hold").unwrap_or(hold).into()),
    }
}

fn main() -> ExitCode {
    let size = asked();
    server::build();
    let run = measure(size);
    run.print();
    run.write();
    run.verdict()
}

fn measure(size: Size) -> Run {
    let site = Site::new(size);
    let server = Server::start(&site);
    let mut people = People::start(&plan::plan(size, &site, server.sip));
    let watch = Watch::start(server.web);
    let begins = people.until_full(size).unwrap_or_else(|why| panic!("{why}"));
    let machine = Machine::before();
    let before = Cpu::of(server.pid(), people.pid());
    let first = scrape::read(server.web).expect("the metrics of a server that runs");
    let started = Instant::now();
    let ends = people.until_over(size.hold);
    let after = Cpu::of(server.pid(), people.pid());
    let last = scrape::read(server.web).expect("the metrics of a server that runs");
    let held = started.elapsed();
    let machine = machine.after();
    let report = people.stop();
    std::thread::sleep(CLOSES);
    let watched = watch.stop();
    let memory = cpu::memory(server.pid());
    let ended = server.stop();
    let samples = Samples::of(&report, begins..ends);
    let used = after.since(&before, held);
    Run { size, samples, watched, decided: last.since(&first), used, memory, machine, live: people.live(), ended, report }
}

//! What calls leave behind: nothing.

use crate::Asked;
use crate::setup::Caller;
use crate::table::Table;
use benches::server::Server;
use benches::site::Site;
use benches::{Size, cpu};
use std::fs;
use std::time::Duration;

/// More than this is not flat, in megabytes; allocators do not give everything back at once.
const FLAT_MB: f64 = 5.0;
/// What SIP keeps of a call over UDP is gone 32 s after its end (RFC 3261 timer J, RFC 6026 timer L).
const SETTLES: Duration = Duration::from_secs(35);
/// So many seconds of calls, and there is as much of it as there will ever be.
const WARMS: Duration = Duration::from_secs(40);

pub fn run(asked: &Asked, table: &mut Table) {
    let site = Site::new(Size { calls: 1_000, agents: 1, rate: 0, hold: Duration::ZERO });
    let server = Server::start_apart(&site);
    let mut caller = Caller::new(site.at(2, 0), server.sip).expect("an address of ours");
    let (rate, calls) = (asked.number("--memory-rate", 500, 20), asked.number("--memory-calls", 20_000, 20));
    let ips = site.at(1, 0).ip().to_string();
    let before = (open(server.pid()), ports(&ips));
    let warmed = caller.calls(rate, if asked.measured { WARMS } else { Duration::from_secs(1) });
    settle(asked);
    let warm = cpu::memory(server.pid());
    let done = caller.calls(rate, Duration::from_secs_f64(f64::from(calls) / f64::from(rate)));
    settle(asked);
    let after = cpu::memory(server.pid());
    let grew = format!("{warm:.1} MB before, {after:.1} MB after");
    table.figure("calls before, and in between", format!("{warmed}; {done}"));
    table.target(format!("memory, {calls} calls later"), format!("+ {FLAT_MB} MB"), grew, after <= warm + FLAT_MB);
    let now = (open(server.pid()), ports(&ips));
    let said = format!("{}, {}; before {}, {}", now.0, now.1, before.0, before.1);
    table.target("  open files and UDP ports as before", "as before", said, now.0 <= before.0 && now.1 <= before.1);
}

fn settle(asked: &Asked) {
    std::thread::sleep(if asked.measured { SETTLES } else { Duration::from_secs(1) });
}

fn open(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// UDP sockets at an address.
fn ports(ip: &str) -> usize {
    let octets: Vec<u8> = ip.split('.').filter_map(|part| part.parse().ok()).collect();
    // As the kernel writes it: the number in the machine's own order.
    let hex = octets.try_into().map_or(String::new(), |octets: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(octets)));
    let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    table.lines().filter(|line| line.split_whitespace().nth(1).is_some_and(|local| local.starts_with(&hex))).count()
}

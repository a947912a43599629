//! The morning after an outage: everybody calls at once, and then they do not stop.

use crate::Asked;
use crate::desk;
use crate::table::{Table, ms};
use benches::Size;
use benches::cpu::Cpu;
use benches::people::People;
use benches::server::Server;
use benches::site::Site;
use std::time::{Duration, Instant};
use traffic::{CallReport, CallerMix, Outcome, Report, Span};

const TRYING_US: u64 = 50_000;
const PROMPT_US: u64 = 500_000;

pub fn run(asked: &Asked, table: &mut Table) {
    let calls = asked.number("--storm", 400, 6);
    burst(calls, table);
    let seconds = asked.length("--storm-hold", 60, 600, 2);
    stream(if asked.measured { 50 } else { 3 }, seconds, table);
}

/// All within one second.
fn burst(calls: u32, table: &mut Table) {
    let size = Size { calls, agents: 20, rate: calls, hold: Duration::ZERO };
    let callers = CallerMix {
        // At random: so many a second make the last of them call within one, most probably.
        per_minute: f64::from(calls) * 66.0,
        at_most: Some(calls),
        talk: Span::ms(2_000, 2_000),
        patience: Span::ms(2_000, 5_000),
        leaves_in_queue: 1.0,
        speaks_at_once: true,
        ..CallerMix::default()
    };
    let (report, _) = with_server(size, callers, |people| people.until_none(calls.into(), Duration::from_secs(30)));
    let dialled = report.calls.iter().filter_map(|call| call.moments.dialled_us);
    let within = dialled.clone().max().unwrap_or(0).saturating_sub(dialled.min().unwrap_or(0));
    let part = format!("{} INVITEs within {}", report.calls.len(), ms(within));
    table.in_time("storm", report.lateness.p99_us.max(report.late_calls.p99_us));
    let since = |to: fn(&CallReport) -> Option<u64>| {
        let waits = report.calls.iter().map(|call| Some(to(call)?.saturating_sub(call.moments.dialled_us?)));
        // One that never came is as late as can be.
        waits.map(|wait| wait.unwrap_or(u64::MAX)).max().unwrap_or(u64::MAX)
    };
    let trying = since(|call| call.moments.trying_us);
    table.target(format!("{part}: the last 100"), ms(TRYING_US), ms(trying), trying <= TRYING_US);
    let prompt = since(|call| call.moments.first_us);
    table.target("  INVITE to the first packet of a prompt", ms(PROMPT_US), ms(prompt), prompt <= PROMPT_US);
    let (again, failed) = (report.retransmissions, failed(&report));
    table.target("  sent again; failed", "0; 0", format!("{again}; {failed}"), again == 0 && failed == 0);
}

/// Complete calls of about eight seconds: the menu, an agent, a conversation.
fn stream(rate: u32, seconds: u32, table: &mut Table) {
    let size = Size { calls: 9 * rate, agents: 9 * rate, rate, hold: Duration::from_secs(seconds.into()) };
    let callers = CallerMix {
        per_minute: f64::from(rate) * 60.0,
        thinks: Span::ms(300, 500),
        talk: Span::ms(2_700, 3_700),
        speaks_at_once: true,
        ..CallerMix::default()
    };
    let (report, cores) = with_server(size, callers, |people| {
        people.until_over(size.hold);
    });
    table.in_time("storm", report.lateness.p99_us);
    let (calls, failed, again) = (report.calls.len(), failed(&report), report.retransmissions);
    let took: u64 = report.calls.iter().filter(|call| call.outcome == Outcome::Talked).map(|call| call.total_ms).sum();
    let mean = took as f64 / 1e3 / report.count(Outcome::Talked).max(1) as f64;
    let part = format!("{rate} calls a second of {mean:.1} s, for {seconds} s: failed; sent again");
    table.target(part, "0; 0", format!("{failed}; {again} of {calls}"), failed == 0 && again == 0);
    table.figure("  server, cores", format!("{cores:.2}"));
    table.figure("  one-way delay, p99 / p99.9", format!("{} / {}", ms(report.delay.p99_us), ms(report.delay.p999_us)));
}

fn failed(report: &Report) -> usize {
    [Outcome::Rejected, Outcome::Dismissed, Outcome::Lost].map(|outcome| report.count(outcome)).iter().sum()
}

/// What the people saw, and the server's cores meanwhile.
fn with_server(size: Size, callers: CallerMix, pass: impl FnOnce(&mut People)) -> (Report, f64) {
    let site = Site::new(size);
    let server = Server::start_apart(&site);
    let mut people = People::start(&desk::plan(callers, &site, server.sip));
    let (before, started) = (Cpu::of(server.pid(), people.pid()), Instant::now());
    pass(&mut people);
    let used = Cpu::of(server.pid(), people.pid()).since(&before, started.elapsed());
    (people.stop(), used.server)
}

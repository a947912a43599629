//! 400 conversations at once, and how many more.

use crate::Asked;
use crate::bare::{self, Round};
use crate::desk;
use crate::recordings::{self, Checked};
use crate::table::{Table, ms};
use benches::Size;
use benches::cpu::{self, Cpu, Used};
use benches::people::People;
use benches::server::Server;
use benches::site::Site;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use traffic::streams::Percentiles;
use traffic::{CallReport, CallerMix, Outcome, Report, Span};

/// Over the bare relay's, in the same run.
const P99_US: u64 = 5_000;
const P999_US: u64 = 15_000;
/// Sound that is later than 100 ms is not made up for: it begins anew, which shows as a gap.
const GAP_MS: u64 = 120;
/// What the server plays, beside its time.
const PACE_US: u64 = 2_000;
const MEMORY_MB: f64 = 100.0;
const GENERATOR_CORES: f64 = 0.2;
/// From the last BYE to the last recording with its hash on the disk.
const CLOSES: Duration = Duration::from_secs(5);
/// For so many conversations one more caller hears music and announcements all the time.
const WAIT: u32 = 10;
/// A call is as long as it takes this many a second to be all of them.
const RATE: u32 = 13;

/// What came of one size.
struct Run {
    size: Size,
    report: Report,
    /// Of those who wait all the time, beside all these calls.
    waiting: Report,
    used: Used,
    memory: f64,
    recordings: Checked,
    ended: String,
}

pub fn run(asked: &Asked, table: &mut Table) {
    let calls = asked.number("--calls", 400, 6);
    let hold = asked.length("--hold", 60, 180, 3);
    let before = bare::round(calls, Duration::from_secs(asked.length("--bare", 10, 20, 1).into()));
    let run = measure(calls, Duration::from_secs(hold.into())).unwrap_or_else(|why| panic!("{why}"));
    let after = bare::round(calls, Duration::from_secs(asked.length("--bare", 10, 20, 1).into()));
    run.tell([&before, &after], table);
}

/// More each time.
pub fn run_up(asked: &Asked, table: &mut Table) {
    let hold = Duration::from_secs(asked.length("--up-hold", 15, 40, 2).into());
    let (from, most) = (asked.number("--up-from", 600, 6), asked.number("--up-most", 1_600, 6));
    for calls in (from..=most).step_by(asked.length("--up-by", 200, 100, 1) as usize) {
        let bare = bare::round(calls, Duration::from_secs(asked.length("--up-bare", 5, 10, 1).into()));
        let run = match measure(calls, hold) {
            Ok(run) => run,
            Err(why) => return table.figure(format!("what gave at {calls} calls"), why),
        };
        let gave = run.gave(&bare);
        let Used { server, people, .. } = run.used;
        let (p99, p999) = (ms(run.report.delay.p99_us), ms(run.report.delay.p999_us));
        table.figure(format!("{calls} calls"), format!("{server:.2} + {people:.2} cores, delay {p99} / {p999}"));
        if !gave.is_empty() {
            table.figure(format!("what gave at {calls} calls"), gave.join(", "));
            return;
        }
    }
}

fn measure(calls: u32, hold: Duration) -> Result<Run, String> {
    let rate = (calls * RATE).div_ceil(400);
    let size = Size { calls, agents: calls + calls / 8, rate: rate + 1, hold };
    let site = Site::new(size);
    let server = Server::start_apart(&site);
    let wait = calls.div_ceil(WAIT);
    let mut waiting = People::start(&desk::waiting(wait, &site, server.sip));
    waiting.until_full(Size { calls: wait, agents: 0, rate: wait, ..size })?;
    let mut people = People::start(&desk::plan(callers(size), &site, server.sip));
    people.until_full(size)?;
    let (before, started) = (Cpu::of(server.pid(), people.pid()), Instant::now());
    people.until_over(hold);
    let used = Cpu::of(server.pid(), people.pid()).since(&before, started.elapsed());
    let memory = cpu::memory(server.pid());
    let (report, waiting) = (people.stop(), waiting.stop());
    std::thread::sleep(CLOSES);
    let ended = server.stop();
    let recordings = recordings::check(&site.folder().join("recordings"), &report);
    Ok(Run { size, report, waiting, used, memory, recordings, ended })
}

/// None of these waits: everybody speaks from the 200 on, and callers hang up.
fn callers(size: Size) -> CallerMix {
    let whole = u64::from(size.calls) * 1_000 / u64::from(size.rate - 1).max(1);
    CallerMix {
        per_minute: f64::from(size.rate) * 60.0,
        live: Some(size.calls),
        talk: if size.calls >= 100 { Span::ms(whole - 6_000, whole - 2_000) } else { Span::ms(1_000, 2_000) },
        speaks_at_once: true,
        ..CallerMix::default()
    }
}

impl Run {
    fn tell(&self, bare: [&Round; 2], table: &mut Table) {
        let Run { size, report, used, recordings, .. } = self;
        let late = bare.iter().map(|round| round.lateness.p99_us).chain([report.lateness.p99_us]).max().unwrap_or(0);
        table.in_time("calls", late);
        table.in_time("the end of calls, when everybody hangs up", report.late_leaving.p99_us);
        let part = format!("{} calls for {:?}", size.calls, size.hold);
        let (failed, unheard) = (self.failed(), self.unheard());
        let said = format!("{failed} of {}, {unheard} unheard", report.calls.len());
        table.target(format!("{part}: failed, voices not heard"), "0", said, failed + unheard == 0);
        let (heard, lost) = self.packets();
        table.target("packets lost", "0", format!("{lost} of {heard}"), lost == 0);
        for (name, most, own, theirs) in [
            ("p99", P99_US, report.delay.p99_us, bare.map(|round| round.delay.p99_us)),
            ("p99.9", P999_US, report.delay.p999_us, bare.map(|round| round.delay.p999_us)),
        ] {
            let base = u64::midpoint(theirs[0], theirs[1]);
            let said = format!("{} (bare {}, {})", ms(own), ms(theirs[0]), ms(theirs[1]));
            table.target(format!("one-way delay, {name}"), format!("bare + {}", ms(most)), said, own <= base + most);
        }
        self.tell_pace(table);
        table.target("recordings off by over 0.25 s, or a voice missing", "0", recordings.to_string(), recordings.are_whole());
        let memory = format!("{:.0} MB", self.memory);
        table.target("server's memory then", format!("{MEMORY_MB} MB"), memory, self.memory <= MEMORY_MB);
        let hundreds = f64::from(size.calls) / 100.0;
        let people = used.people / hundreds;
        table.target("load, cores for 100 calls", GENERATOR_CORES.to_string(), format!("{people:.3}"), people < GENERATOR_CORES);
        self.tell_cores(bare, table);
        table.figure("load late, p99 (packets; its calls)", format!("{}; {}", ms(late), ms(report.late_calls.p99_us)));
        table.figure("the server's end", self.ended.clone());
    }

    /// By the kernel's word for when a packet came, beside the earliest of its schedule; nothing is subtracted.
    fn tell_pace(&self, table: &mut Table) {
        let Run { report, waiting, .. } = self;
        let lost = waiting.calls.iter().filter(|call| call.outcome != Outcome::Cut).count();
        table.target(format!("of {} who wait: failed", waiting.calls.len()), "0", lost.to_string(), lost == 0);
        let heard = || waiting.calls.iter().map(|call| &call.heard);
        let missing: u64 = heard().map(|heard| heard.lost + heard.out_of_order).sum();
        let longest = heard().map(|heard| heard.longest_gap_ms).max().unwrap_or(0);
        let (least, owed) = (heard().map(|heard| heard.packets).min().unwrap_or(0), self.size.hold.as_secs() * 50);
        let said = format!("{missing}, {least} of {owed}, {longest} ms");
        let met = missing == 0 && least >= owed && longest <= GAP_MS;
        table.target("they hear: packets lost, at least, longest gap", format!("0, all, {GAP_MS} ms"), said, met);
        table.in_time("those who wait", waiting.lateness.p99_us);
        for (what, pace) in
            [("music and announcements, off their time", waiting.pacing), ("prompts, off their time", report.pacing)]
        {
            let Percentiles { packets, p50_us, p99_us, p999_us, max_us } = pace;
            let said = format!("{}, p50 {}, p99.9 {}, max {}; of {packets}", ms(p99_us), ms(p50_us), ms(p999_us), ms(max_us));
            table.target(format!("{what}, p99"), ms(PACE_US), said, packets > 0 && p99_us <= PACE_US);
        }
    }

    fn tell_cores(&self, bare: [&Round; 2], table: &mut Table) {
        let hundreds = f64::from(self.size.calls) / 100.0;
        let (server, relay) = (self.used.server, f64::midpoint(bare[0].relay_cores, bare[1].relay_cores));
        let said = format!("{:.3} (bare {:.3}, ratio {:.2})", server / hundreds, relay / hundreds, server / relay);
        table.figure("server, cores for 100 calls", said);
        let mut threads: Vec<_> = self.used.threads.iter().filter(|(_, part)| **part >= 0.0005).collect();
        threads.sort_by(|one, other| other.1.total_cmp(one.1));
        let threads: Vec<String> = threads.iter().map(|(name, part)| format!("{name} {part:.3}")).collect();
        table.figure("its threads, cores", threads.join(", "));
    }

    /// What is not as it should be.
    fn gave(&self, bare: &Round) -> Vec<String> {
        let (heard, lost) = self.packets();
        let Report { delay, lateness, .. } = &self.report;
        let faults = [
            (self.failed() > 0, format!("{} calls failed", self.failed())),
            (self.unheard() > 0, format!("{} conversations unheard", self.unheard())),
            (lost > 0, format!("{lost} of {heard} packets lost")),
            (
                delay.p99_us > bare.delay.p99_us + P99_US,
                format!("delay p99 {} (bare {})", ms(delay.p99_us), ms(bare.delay.p99_us)),
            ),
            (delay.p999_us > bare.delay.p999_us + P999_US, format!("delay p99.9 {}", ms(delay.p999_us))),
            (!self.recordings.are_whole(), format!("recordings: {}", self.recordings)),
            (lateness.p99_us > 2_000, format!("the load itself, late by {}", ms(lateness.p99_us))),
        ];
        faults.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect()
    }

    fn failed(&self) -> usize {
        [Outcome::Rejected, Outcome::Dismissed, Outcome::Lost].map(|outcome| self.report.count(outcome)).iter().sum()
    }

    /// Conversations of a second and more in which one side did not hear the other, or somebody else.
    fn unheard(&self) -> usize {
        let callers: BTreeMap<&str, &CallReport> = self.report.calls.iter().map(|call| (call.from.as_str(), call)).collect();
        let long = self.report.conversations.iter().filter(|one| one.talk_ms >= 1_000);
        let unheard = long.filter(|one| {
            let caller = callers.get(one.from.as_str());
            caller.is_none_or(|call| one.heard.streams != [call.stream] || call.heard.streams != [one.stream])
        });
        unheard.count()
    }

    /// Heard and lost: on the way from the server, and of the voices that went through it.
    fn packets(&self) -> (u64, u64) {
        let Report { calls, conversations, .. } = &self.report;
        let legs = || calls.iter().map(|call| &call.heard).chain(conversations.iter().map(|one| &one.heard));
        let lost = legs().map(|heard| heard.lost + heard.out_of_order + heard.stamped_lost + heard.stamped_again).sum();
        (legs().map(|heard| heard.packets).sum(), lost)
    }
}

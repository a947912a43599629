//! Finding recordings among a million: `cargo bench -p benches --bench catalogue`.
//!
//! Makes a million recordings in a temporary store, through the log as a node does, then asks each kind of question a
//! hundred times, each time for another value, and prints what half and 99 of 100 answers took. The target is 100 ms.
//! Then it plans what retention deletes, as the keeper does each ten minutes, and prints what that took.
//! `-- 100000` makes so many instead.

// A bench that cannot go on says so and stops.
#![allow(clippy::unwrap_used)]

use base::fact::{About, Fact, Kept, What};
use base::{CallId, ConversationId, Instant, Lang, Now, PartyId, Pii, Random, RecordingId, Wall};
use recording::retention::{DAY, Held, Holds, Plan, Planner, Policy, Row, Selector, Span};
use shell_store::{Audio, RecordingFilter, RecordingState, Store, StoredFile, Writer};
use std::sync::Arc;
use std::time::Duration;

const START: i64 = 1_790_000_000_000_000;
/// Between the beginnings of two: a million are 39 days.
const APART: i64 = 3_400_000;
/// Facts in one batch of the log.
const BATCH: u32 = 5_000;
/// For the disk, when it is somebody else's, too.
const PATIENCE: Duration = Duration::from_secs(600);
const ASKED: u32 = 100;
const TARGET: Duration = Duration::from_millis(100);

const TENANTS: u64 = 20;
const QUEUES: u64 = 5;
const AGENTS: u64 = 40;
const CALLERS: u64 = 50_000;

fn main() {
    let rows = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let began = std::time::Instant::now();
    fill(&store, rows);
    println!(
        "{rows} recordings written in {:.1} s; {ASKED} questions of each kind, 50 rows each\n",
        began.elapsed().as_secs_f64()
    );
    println!("{:<44} {:>8} {:>10} {:>10}", "question", "rows", "p50 ms", "p99 ms");
    let late = kinds(rows).into_iter().filter(|(what, ask)| measure(&store, what, ask.as_ref()) > TARGET).count();
    plans(&store, rows);
    println!("\n{}", if late == 0 { "each p99 is under 100 ms" } else { "some are over 100 ms" });
}

fn part(n: u32) -> RecordingId {
    RecordingId { conversation: ConversationId { call: CallId { node: 1, epoch: 1, n }, n: 1 }, n: 1 }
}

fn tenant(n: u64) -> String {
    format!("client{n}")
}

/// What is known of the `n`th: a few big accounts and many small ones, a language that one account alone speaks.
fn about(n: u32, dice: &mut Random) -> About {
    let of = dice.below(TENANTS * TENANTS).isqrt();
    let lang = match (of, dice.below(100)) {
        (0, _) => Lang::FR,
        (_, 0..70) => Lang::ES,
        (_, 70..95) => Lang::PT,
        _ => Lang::EN,
    };
    About {
        tenant: Some(tenant(of).parse().unwrap()),
        call: Some(part(n).call()),
        conversation: Some(part(n).conversation),
        party: Some(PartyId(dice.below(CALLERS))),
        queue: Some(format!("{}/queue{}", tenant(of), dice.below(QUEUES)).parse().unwrap()),
        agent: Some(format!("{}/agent{}", tenant(of), dice.below(AGENTS)).parse().unwrap()),
        lang: Some(lang),
        ..About::default()
    }
}

fn fill(store: &Arc<Store>, rows: u32) {
    let writer = Writer::start(store.clone(), 1).unwrap();
    let mut dice = Random::from_seed(7);
    for party in 0..CALLERS {
        for of in 0..2 {
            let number: Arc<str> = format!("52155{party:08}").into();
            writer.handle().party(tenant(of).parse().unwrap(), PartyId(party), Pii::new(number), Pii::new("".into()));
        }
        if party.is_multiple_of(5_000) {
            assert!(writer.handle().flush(PATIENCE));
        }
    }
    for first in (0..rows).step_by(BATCH as usize) {
        let facts = (first..rows.min(first + BATCH)).flat_map(|n| facts(n, &mut dice)).collect();
        writer.handle().facts(facts);
        assert!(writer.handle().flush(PATIENCE));
    }
    writer.close();
}

fn facts(n: u32, dice: &mut Random) -> [Fact; 2] {
    let recording = part(n);
    let about = about(n, dice);
    let wall = Wall(START + i64::from(n) * APART);
    // Talks of some minutes; one of 20,000 lasts for hours, and one of a thousand is not complete.
    let longest = if dice.below(20_000) == 0 { 4 * 3_600_000 } else { 600_000 };
    let duration_ms = 5_000 + dice.below(longest);
    let kept = if dice.below(1_000) == 0 { Kept::Partial } else { Kept::Complete };
    let at = |what| Fact { now: Now { mono: Instant(0), wall }, about: about.clone(), what };
    let (file, sha256) = (format!("2026/11/22/{recording}"), format!("{n:064x}"));
    let stored = What::RecordingStored { recording, file, duration_ms, sha256, kept, reason: None };
    [at(What::RecordingStarted { recording }), at(stored)]
}

/// Both looks at all rows, with a page of them held at a time; each row is of a site with spans, budgets and a hold.
fn plans(store: &Store, rows: u32) {
    for first in (0..rows).step_by(BATCH as usize) {
        let found: Vec<_> = (first..rows.min(first + BATCH)).map(|n| (part(n), "wav", 10_000_000)).collect();
        store.on_disk(&found).unwrap();
    }
    let span = |days| Span { minimum: Some(DAY), maximum: Some(DAY * days) };
    let policy = Policy {
        span: span(30),
        tenants: (0..TENANTS / 2).map(|n| (tenant(n).parse().unwrap(), (span(20), None))).collect(),
        budget: Some(u64::from(rows) * 8_000_000),
        ..Policy::default()
    };
    let mut holds = Holds::default();
    let (at, who, why) = ("now".into(), "ana".into(), "a lawsuit".into());
    holds.set(1, Held { selector: Selector { tenant: Some(tenant(3).parse().unwrap()), ..Selector::default() }, at, who, why });
    let mut took = [Duration::ZERO; 5];
    let mut plan = Plan::default();
    for took in &mut took {
        let began = std::time::Instant::now();
        plan = planned(store, Wall(START + i64::from(rows) * APART), &policy, &holds);
        *took = began.elapsed();
    }
    took.sort_unstable();
    let (seconds, longest) = (took[2].as_secs_f64(), took[4].as_secs_f64());
    println!(
        "\na plan of retention: {seconds:.2} s, at most {longest:.2} s; {} to delete, {} held",
        plan.delete.values().map(|sum| sum.recordings).sum::<u64>(),
        plan.held.recordings
    );
}

fn planned(store: &Store, now: Wall, policy: &Policy, holds: &Holds) -> Plan {
    let mut planner = Planner::new(now, policy, holds);
    each(store, &mut |row| planner.see(row));
    each(store, &mut |row| {
        planner.decide(row);
    });
    planner.finish()
}

fn each(store: &Store, act: &mut dyn FnMut(&Row)) {
    let mut after = (i64::MIN, i64::MIN);
    loop {
        let page = store.files(after, 1_000, Audio::Seen).unwrap();
        let Some(last) = page.last() else { return };
        after = last.place;
        for StoredFile { recording, tenant, queue, agent, party, started, bytes, .. } in page {
            act(&Row { recording, tenant, queue, agent, party, started, bytes });
        }
    }
}

type Ask = Box<dyn Fn(&mut Random) -> RecordingFilter>;

fn kinds(rows: u32) -> Vec<(&'static str, Ask)> {
    let any = || RecordingFilter { limit: 50, ..RecordingFilter::default() };
    let of = |dice: &mut Random| tenant(dice.below(TENANTS));
    let number = |dice: &mut Random| Some(Pii::new(format!("52155{:08}", dice.below(CALLERS)).as_str().into()));
    let day = move |dice: &mut Random| {
        let from = START + dice.below(u64::from(rows)) as i64 * APART;
        (Some(Wall(from)), Some(Wall(from + 86_400_000_000)))
    };
    vec![
        ("the newest", Box::new(move |_| any())),
        ("a page far down", Box::new(move |d| RecordingFilter { after: Some(part(d.below(u64::from(rows)) as u32)), ..any() })),
        ("a call", Box::new(move |d| RecordingFilter { call: Some(part(d.below(u64::from(rows)) as u32).call()), ..any() })),
        ("a caller's number", Box::new(move |d| RecordingFilter { caller: number(d), ..any() })),
        (
            "an agent",
            Box::new(move |d| RecordingFilter {
                agent: Some(format!("{}/agent{}", of(d), d.below(AGENTS)).parse().unwrap()),
                ..any()
            }),
        ),
        (
            "a queue",
            Box::new(move |d| RecordingFilter {
                queue: Some(format!("{}/queue{}", of(d), d.below(QUEUES)).parse().unwrap()),
                ..any()
            }),
        ),
        ("an account", Box::new(move |d| RecordingFilter { tenant: Some(of(d).parse().unwrap()), ..any() })),
        (
            "a day",
            Box::new(move |d| {
                let (from, to) = day(d);
                RecordingFilter { from, to, ..any() }
            }),
        ),
        (
            "a language",
            Box::new(move |d| RecordingFilter {
                lang: Some([Lang::ES, Lang::PT, Lang::EN, Lang::FR][d.below(4) as usize]),
                ..any()
            }),
        ),
        ("not complete", Box::new(move |_| RecordingFilter { state: Some(RecordingState::Ended(Kept::Partial)), ..any() })),
        ("running", Box::new(move |_| RecordingFilter { state: Some(RecordingState::Running), ..any() })),
        ("over an hour", Box::new(move |_| RecordingFilter { shortest_ms: Some(3_600_000), ..any() })),
        ("over five minutes", Box::new(move |_| RecordingFilter { shortest_ms: Some(300_000), ..any() })),
        (
            "an account, a day, not complete",
            Box::new(move |d| {
                let (from, to) = day(d);
                RecordingFilter {
                    tenant: Some(of(d).parse().unwrap()),
                    from,
                    to,
                    state: Some(RecordingState::Ended(Kept::Partial)),
                    ..any()
                }
            }),
        ),
        (
            "an agent, a language, over nine minutes",
            Box::new(move |d| {
                let agent = Some(format!("{}/agent{}", of(d), d.below(AGENTS)).parse().unwrap());
                RecordingFilter { agent, lang: Some(Lang::EN), shortest_ms: Some(540_000), ..any() }
            }),
        ),
        (
            "an account in a language that it never speaks",
            Box::new(move |_| RecordingFilter {
                tenant: Some(tenant(TENANTS - 1).parse().unwrap()),
                lang: Some(Lang::FR),
                ..any()
            }),
        ),
        (
            "the biggest queue in a language it never hears",
            Box::new(move |_| {
                let queue = Some(format!("{}/queue0", tenant(TENANTS - 1)).parse().unwrap());
                RecordingFilter { queue, lang: Some(Lang::FR), ..any() }
            }),
        ),
    ]
}

fn measure(store: &Store, what: &str, ask: &dyn Fn(&mut Random) -> RecordingFilter) -> Duration {
    let mut dice = Random::from_seed(11);
    let (mut took, mut rows) = (Vec::new(), 0);
    for _ in 0..ASKED {
        let filter = ask(&mut dice);
        let began = std::time::Instant::now();
        rows += store.recordings(&filter).unwrap().len();
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    println!("{what:<44} {:>8.1} {:>10.2} {:>10.2}", rows as f64 / f64::from(ASKED), ms(at(50)), ms(at(99)));
    at(99)
}

//! The site that is simulated, and what a reload makes of it: seeded variants of one file.

use crate::dice::Dice;
use acd::{CallFirst, Callback, Change, Dissuade, Queue, Relax, Strategy, WrapUp, WrapUpMode};
use base::{AgentState, Skill};
use engine::Setup;
use site::Site;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

const SITE: &str = include_str!("site.toml");
const FLOW: &str = include_str!("desk.yaml");

/// How many variants there are; 0 is the site as it stands in the file.
pub const VARIANTS: u64 = 40;

const STRATEGIES: [Strategy; 9] = [
    Strategy::LongestIdle,
    Strategy::MostSkilled,
    Strategy::LeastSkilled,
    Strategy::FewestCalls,
    Strategy::LeastOccupied,
    Strategy::RoundRobin,
    Strategy::Random,
    Strategy::RingAll,
    Strategy::TopDown,
];

static SETUPS: LazyLock<Vec<OnceLock<Arc<Setup>>>> = LazyLock::new(|| (0..VARIANTS).map(|_| OnceLock::new()).collect());

/// The same site with other queues, agents, skills and rules.
pub fn setup(variant: u64) -> Arc<Setup> {
    let variant = variant % VARIANTS;
    SETUPS[variant as usize].get_or_init(|| Arc::new(read(variant))).clone()
}

/// The variant that goes by this hash.
pub fn by_hash(sha256: [u8; 32]) -> Arc<Setup> {
    setup(u64::from(sha256[0]))
}

fn read(variant: u64) -> Setup {
    let mut site = Site::parse(SITE, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]));
    let flow = ivr::Flow::parse(FLOW, "desk.yaml").unwrap_or_else(|found| panic!("{}", found[0]));
    if variant > 0 {
        vary(&mut site, &mut Dice::named(0x517e, variant));
    }
    let flows = BTreeMap::from([("desk".to_string(), Arc::new(flow))]);
    Setup { site, flows, sha256: [variant as u8; 32] }
}

fn vary(site: &mut Site, dice: &mut Dice) {
    site.queues.retain(|id, _| matches!(id.name(), "soporte" | "billing") || !dice.percent(12));
    site.agents.retain(|id, _| matches!(id.name(), "a0" | "g0") || !dice.percent(8));
    site.queues.values_mut().for_each(|queue| vary_queue(queue, dice));
    for agent in site.agents.values_mut() {
        if dice.percent(25) {
            agent.acd.skills.values_mut().for_each(|level| *level = 1 + dice.below(10) as u8);
        }
        if dice.percent(15) {
            agent.acd.wrap_up = Some(wrap_up(dice));
        }
        if dice.percent(15) {
            agent.acd.groups =
                dice.one_of([&["backup"][..], &["seniors"], &[], &["backup", "seniors"]]).iter().map(|g| (*g).into()).collect();
        }
        agent.acd.max_misses = dice.below(4) as u32;
    }
    for account in site.recording.accounts.values_mut() {
        account.callers = rule(dice);
        account.internal = rule(dice);
        account.consults = rule(dice);
    }
    for agent in site.agents.keys().filter(|_| dice.percent(20)) {
        site.recording.agents.insert(agent.clone(), recording::Rule::NONE);
    }
    site.recording.queues.values_mut().for_each(|each| *each = rule(dice));
    if dice.percent(25) {
        site.idle_restarts = [acd::IdleEvent::Pause, acd::IdleEvent::OwnCall, acd::IdleEvent::NoAnswer].into();
    }
}

fn rule(dice: &mut Dice) -> recording::Rule {
    let share = dice.below(100) as f64 / 100.0;
    dice.one_of([Some(recording::Rule::ALL), Some(recording::Rule::NONE), recording::Rule::share(share)])
        .unwrap_or(recording::Rule::ALL)
}

fn vary_queue(queue: &mut Queue, dice: &mut Dice) {
    let second = Duration::from_secs(1);
    if dice.percent(75) {
        queue.strategy = dice.one_of(STRATEGIES);
    }
    if dice.percent(40) {
        queue.wrap_up = wrap_up(dice);
    }
    if dice.percent(40) {
        queue.relax = relax(dice);
    }
    if dice.percent(30) {
        queue.delays = [("backup".into(), dice.seconds(2, 15)), ("seniors".into(), dice.seconds(0, 6))].into();
    }
    if dice.percent(30) {
        queue.sticky = second * dice.below(3) as u32 * 5;
    }
    if dice.percent(70) {
        queue.weight = dice.one_of([0, 1, 2, 6]);
    }
    if dice.percent(25) {
        queue.capacity = 1 + dice.below(6) as usize;
    }
    if dice.percent(25) {
        queue.overflow_after = dice.one_of([None, Some(8), Some(20), Some(60)]).map(Duration::from_secs);
    }
    if dice.percent(20) {
        queue.join_empty = states(dice);
        queue.leave_empty = states(dice);
    }
    if dice.percent(20) {
        let per_agent = dice.one_of([None, Some(150), Some(300)]);
        queue.dissuade =
            Dissuade { length: dice.one_of([None, Some(3)]), wait: dice.one_of([None, Some(second * 40)]), per_agent };
    }
    if dice.percent(40) {
        queue.callback = callback(dice);
    }
    if dice.percent(15) {
        queue.requires = base::Requirement::default();
    }
    queue.return_within = dice.one_of([60, 60, 10, 0]) * second;
}

fn wrap_up(dice: &mut Dice) -> WrapUp {
    let mode = dice.one_of([WrapUpMode::None, WrapUpMode::Optional, WrapUpMode::Timed, WrapUpMode::Timed, WrapUpMode::Forced]);
    let time = dice.seconds(1, 8);
    WrapUp { mode, time, cap: time + dice.seconds(0, 12) }
}

fn relax(dice: &mut Dice) -> Vec<Relax> {
    let support = || Skill::new("skill:support");
    let mut after = Duration::ZERO;
    let mut step = |change: Change, dice: &mut Dice| {
        after += dice.seconds(2, 9);
        Relax { after, change }
    };
    match dice.below(5) {
        0 => Vec::new(),
        1 => vec![step(Change::Lower { skill: support(), to: 1 }, dice), step(Change::Drop { skill: support() }, dice)],
        2 => vec![step(Change::Widen { group: "backup".into() }, dice), step(Change::Raise { seconds: 30 }, dice)],
        3 => vec![step(Change::Drop { skill: Skill::new("skill:billing") }, dice), step(Change::Raise { seconds: 20 }, dice)],
        _ => ["es", "en", "pt", "fr"].map(|lang| step(Change::Drop { skill: Skill::new(&format!("lang:{lang}")) }, dice)).into(),
    }
}

fn states(dice: &mut Dice) -> std::collections::BTreeSet<AgentState> {
    use AgentState::{Engaged, LoggedOut, Paused, Unreachable};
    let sets: [&[AgentState]; 4] =
        [&[], &[LoggedOut], &[LoggedOut, Paused, Unreachable], &[LoggedOut, Paused, Unreachable, Engaged]];
    dice.one_of(sets).iter().copied().collect()
}

fn callback(dice: &mut Dice) -> Option<Callback> {
    let first = dice.one_of([CallFirst::Agent, CallFirst::Customer]);
    let (attempts, ring) = (1 + dice.below(3) as u8, dice.seconds(4, 12));
    (!dice.percent(20)).then(|| Callback { first, attempts, retry_after: dice.seconds(2, 15), ring })
}

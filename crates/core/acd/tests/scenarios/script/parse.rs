//! Reading a scenario's words.

use super::shared;
use acd::{
    Agent, Announce, Ask, CallFirst, Callback, Caller, Change, Config, Input, OfferResult, Queue, Relax, Retry, Strategy, WrapUp,
    WrapUpMode,
};
use base::calendar::Written;
use base::{
    AgentId, AgentState, CallId, Cause, Instant, OfferId, Outcome, PartyId, QueueId, Requirement, Skill, Tenant, VisitId,
};
use serde::de::IntoDeserializer;
use std::collections::BTreeSet;
use std::time::Duration;

fn tenant() -> Tenant {
    "t".parse().unwrap()
}

/// Of tenant `t`, or as `tenant/name`.
pub fn queue(name: &str) -> QueueId {
    name.parse().unwrap_or_else(|_| QueueId::new(&tenant(), name).unwrap())
}

pub fn agent(name: &str) -> AgentId {
    AgentId::new(&tenant(), name).unwrap()
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.parse().unwrap())
}

/// Outcomes, states, strategies and causes are written as they print.
fn named<T: for<'a> serde::Deserialize<'a>>(name: &str) -> T {
    let name: serde::de::value::StrDeserializer<serde::de::value::Error> = name.into_deserializer();
    T::deserialize(name).unwrap_or_else(|e| panic!("{e}"))
}

fn set<T: for<'a> serde::Deserialize<'a> + Ord>(names: &str) -> BTreeSet<T> {
    names.split(',').map(named).collect()
}

/// `queue NAME key=value …`, `agent NAME key=value …`, `no NAME`, `reasons MODE [codes]`, `restarts EVENTS`. False if it
/// is none of these.
pub fn site_line(line: &str, config: &mut Config) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["queue", name, ref rest @ ..] => {
            config.queues.insert(queue(name), read_queue(rest));
        }
        ["agent", name, ref rest @ ..] => {
            config.agents.insert(agent(name), read_agent(rest));
        }
        ["no", name] => {
            config.queues.remove(&queue(name));
            config.agents.remove(&agent(name));
        }
        ["reasons", mode, ref codes @ ..] => {
            let codes = codes.iter().map(|code| (*code).into()).collect();
            config.pause_reasons.insert(tenant(), acd::PauseReasons { mode: named(mode), codes });
        }
        ["restarts", events] => config.idle_restarts = set(events),
        _ => return false,
    }
    true
}

fn read_queue(settings: &[&str]) -> Queue {
    let none = WrapUp { mode: WrapUpMode::None, ..WrapUp::default() };
    let mut q = Queue { wrap_up: none, announce: Announce { every: None, ..Announce::default() }, ..Queue::default() };
    for setting in settings {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        match (key, value) {
            ("requires", r) => q.requires = requirement(r),
            ("ring_all", "") => q.strategy = Strategy::RingAll,
            ("strategy", s) => q.strategy = named(s),
            ("weight", n) => q.weight = n.parse().unwrap(),
            ("ring", s) => q.ring = seconds(s),
            ("wrap_up", s) => q.wrap_up = wrap_up(s),
            ("overflow", s) => {
                let (after, to) = s.split_once(':').unwrap_or((s, ""));
                q.overflow_after = Some(seconds(after));
                q.overflow_to = (!to.is_empty()).then(|| queue(to));
            }
            ("capacity", n) => q.capacity = n.parse().unwrap(),
            ("announce", s) => q.announce = Announce { every: Some(seconds(s)), position: true, wait: false },
            ("announce_wait", s) => q.announce = Announce { every: Some(seconds(s)), position: false, wait: true },
            ("join_empty", states) => q.join_empty = set(states),
            ("leave_empty", states) => q.leave_empty = set(states),
            ("dissuade_length", n) => q.dissuade.length = Some(n.parse().unwrap()),
            ("dissuade_per_agent", n) => q.dissuade.per_agent = Some(n.parse().unwrap()),
            ("dissuade_wait", s) => q.dissuade.wait = Some(seconds(s)),
            ("hours", hours) => q.hours = Some(calendar(hours)),
            ("relax", steps) => q.relax = steps.split(',').map(relax).collect(),
            ("delay", s) => {
                let (group, after) = s.split_once(':').unwrap();
                q.delays.insert(group.into(), seconds(after));
            }
            ("sticky", s) => q.sticky = seconds(s),
            ("return", s) => q.return_within = seconds(s),
            ("callback", ring) => q.callback = Some(callback(ring)),
            ("retry", s) => q.retry = retry(s),
            other => panic!("what is {other:?} of a queue?"),
        }
    }
    q
}

/// `10`, `none`, `optional:300`, `timed:10:60` or `forced:300`: the time of timed, then the cap.
fn wrap_up(text: &str) -> WrapUp {
    let parts: Vec<&str> = text.split(':').collect();
    let cap = |s| WrapUp { cap: seconds(s), ..WrapUp::default() };
    match parts[..] {
        ["none"] => WrapUp { mode: WrapUpMode::None, ..WrapUp::default() },
        ["optional", most] => WrapUp { mode: WrapUpMode::Optional, ..cap(most) },
        ["forced", most] => WrapUp { mode: WrapUpMode::Forced, ..cap(most) },
        ["timed", time, most] => WrapUp { time: seconds(time), ..cap(most) },
        [time] => WrapUp { time: seconds(time), ..WrapUp::default() },
        _ => panic!("what is a wrap-up of {text:?}?"),
    }
}

/// `30:lower:es:3`, `30:drop:es`, `30:widen:backup` or `30:raise:60`.
fn relax(text: &str) -> Relax {
    let parts: Vec<&str> = text.split(':').collect();
    let change = match parts[1..] {
        ["lower", skill, to] => Change::Lower { skill: Skill::new(skill), to: to.parse().unwrap() },
        ["drop", skill] => Change::Drop { skill: Skill::new(skill) },
        ["widen", group] => Change::Widen { group: group.into() },
        ["raise", by] => Change::Raise { seconds: by.parse().unwrap() },
        _ => panic!("what is a step of {text:?}?"),
    };
    Relax { after: seconds(parts[0]), change }
}

/// Every day, in UTC: `00:05-00:10`.
fn calendar(hours: &str) -> base::Calendar {
    Written { zone: "UTC".into(), week: vec![format!("mon-sun {hours}")], dates: Vec::new() }.try_into().unwrap()
}

fn callback(ring: &str) -> Callback {
    Callback { first: CallFirst::Agent, attempts: 3, retry_after: seconds("60"), ring: seconds(ring) }
}

/// `10`, or `busy:rejected:unreachable`.
fn retry(text: &str) -> Retry {
    let parts: Vec<Duration> = text.split(':').map(seconds).collect();
    match parts[..] {
        [all] => Retry { busy: all, rejected: all, unreachable: all },
        [busy, rejected, unreachable] => Retry { busy, rejected, unreachable },
        _ => panic!("what is a retry of {text:?}?"),
    }
}

fn read_agent(settings: &[&str]) -> Agent {
    let mut a = Agent { max_misses: 3, ..Agent::default() };
    for setting in settings {
        match setting.split_once('=').unwrap_or((setting, "")) {
            ("serves", queues) => a.queues = queues.split(',').map(queue).collect(),
            ("groups", groups) => a.groups = groups.split(',').map(Into::into).collect(),
            ("rank", n) => a.rank = n.parse().unwrap(),
            ("wrap_up", s) => a.wrap_up = Some(wrap_up(s)),
            ("starts", "") => a.starts_logged_in = true,
            ("misses", n) => a.max_misses = n.parse().unwrap(),
            (skill, level) => drop(a.skills.insert(Skill::new(skill), level.parse().unwrap())),
        }
    }
    a
}

fn requirement(text: &str) -> Requirement {
    text.replace('+', " and ").parse().unwrap()
}

/// `c7` or `c7/2`.
pub fn visit(text: &str) -> VisitId {
    let (call, n) = text.strip_prefix('c').unwrap_or("?").split_once('/').unwrap_or((&text[1..], "1"));
    VisitId { call: CallId { node: 1, epoch: 1, n: call.parse().unwrap() }, n: n.parse().unwrap() }
}

pub fn event(text: &str, config: &Config) -> Input {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["-"] => Input::Due,
        ["load" | "reload"] => Input::Configure(shared(config)),
        [call, "enters", name, ref rest @ ..] => enqueue(call, name, rest),
        [call, "hangs", "up"] => Input::Leave { visit: visit(call), outcome: Outcome::Abandoned, cut_off: None },
        [call, "is", "cut", "off"] => {
            Input::Leave { visit: visit(call), outcome: Outcome::Abandoned, cut_off: Some(Cause::NoMedia) }
        }
        [call, "leaves", outcome] => Input::Leave { visit: visit(call), outcome: named(outcome), cut_off: None },
        [call, "answers"] => Input::CustomerAnswered { visit: visit(call) },
        ["move", call, to] => Input::Move { visit: visit(call), queue: queue(to) },
        ["prioritise", call, by] => Input::Prioritise { visit: visit(call), priority_s: by.parse().unwrap() },
        ["open", name] => Input::SetOpen { queue: queue(name), open: Some(true) },
        ["close", name] => Input::SetOpen { queue: queue(name), open: Some(false) },
        ["hours", name] => Input::SetOpen { queue: queue(name), open: None },
        [offer, what] if offer.contains('#') => offer_event(offer, what),
        [name, ref rest @ ..] => agent_event(name, rest),
        [] => panic!("nothing happens"),
    }
}

fn agent_event(name: &str, words: &[&str]) -> Input {
    let agent = agent(name);
    let ask = match words[..] {
        ["logs", "in"] => Ask::LogIn,
        ["logs", "out"] => Ask::LogOut,
        ["is", "ready"] => Ask::Ready,
        ["pauses"] => Ask::Pause { reason: "".into() },
        ["pauses", reason] => Ask::Pause { reason: reason.into() },
        ["wraps", "up"] => Ask::WrapUp,
        ["codes", code] => Ask::Code { code: code.into() },
        ["released"] => return Input::Released { agent, cause: Cause::Requested },
        ["holds"] => return Input::Held { agent, held: true },
        ["resumes"] => return Input::Held { agent, held: false },
        ["registers"] => return Input::Reachable { agent, reachable: true },
        ["vanishes"] => return Input::Reachable { agent, reachable: false },
        ["dials", work] => return Input::Engaged { agent, work: Some(named(work)) },
        ["dialled"] => return Input::Engaged { agent, work: None },
        ["takes", call] => return Input::Assign { agent, visit: visit(call), queue: None },
        ["takes", call, of] => return Input::Assign { agent, visit: visit(call), queue: Some(queue(of)) },
        ["learns", ref skills @ ..] => return Input::SetSkills { agent, skills: Some(read_agent(skills).skills) },
        ["forgets"] => return Input::SetSkills { agent, skills: None },
        ["was", state] => return Input::Restore { agent, state: named::<AgentState>(state), reason: None },
        ["was", state, reason] => return Input::Restore { agent, state: named(state), reason: Some(reason.into()) },
        _ => panic!("what is {words:?} of {name}?"),
    };
    Input::AgentAsked { agent, ask, cause: Cause::Requested }
}

fn enqueue(call: &str, name: &str, settings: &[&str]) -> Input {
    let (mut requires, mut priority_s, mut waited, mut party) = (Requirement::default(), 0, Duration::ZERO, None);
    let mut caller = Caller::OnTheLine;
    let virtually = |first, at: &str| {
        let not_before = (!at.is_empty()).then(|| Instant::ZERO + seconds(at));
        Caller::Virtual { first, not_before }
    };
    for setting in settings {
        match setting.split_once('=').unwrap_or((setting, "")) {
            ("priority", s) => priority_s = s.parse().unwrap(),
            ("waited", s) => waited = seconds(s),
            ("asks", r) => requires = requirement(r),
            ("party", n) => party = Some(PartyId(n.parse().unwrap())),
            ("agent_first", at) => caller = virtually(CallFirst::Agent, at),
            ("customer_first", at) => caller = virtually(CallFirst::Customer, at),
            other => panic!("what is {other:?} of a visit?"),
        }
    }
    Input::Enqueue { visit: visit(call), queue: queue(name), requires, priority_s, waited, lang: None, party, caller }
}

fn offer_event(text: &str, what: &str) -> Input {
    let (call, n) = text.split_once('#').unwrap();
    let offer = OfferId { visit: visit(call), n: n.parse().unwrap() };
    let result = match what {
        "rings" => return Input::OfferRinging { offer },
        "accepts" => OfferResult::Accepted,
        "unreachable" => OfferResult::Unreachable,
        cause => OfferResult::Rejected(named(cause)),
    };
    Input::OfferResult { offer, result }
}

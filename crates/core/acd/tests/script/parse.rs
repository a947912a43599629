//! Reading a scenario's words.

use super::shared;
use acd::{Agent, Announce, Ask, Caller, Config, Input, OfferResult, Queue, Retry, Strategy, Work, WrapUp, WrapUpMode};
use base::{AgentId, AgentState, CallId, Cause, OfferId, Outcome, QueueId, Requirement, Skill, Tenant, VisitId};
use std::str::FromStr;
use std::time::Duration;

fn tenant() -> Tenant {
    "t".parse().unwrap()
}

fn queue(name: &str) -> QueueId {
    QueueId::new(&tenant(), name).unwrap()
}

fn agent(name: &str) -> AgentId {
    AgentId::new(&tenant(), name).unwrap()
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.parse().unwrap())
}

/// `queue NAME key=value …`, `agent NAME key=value …`, `no NAME`. False if it is none of these.
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
        _ => return false,
    }
    true
}

fn read_queue(settings: &[&str]) -> Queue {
    let none = WrapUp { mode: WrapUpMode::None, ..WrapUp::default() };
    let mut q = Queue { wrap_up: none, announce: Announce { every: None, ..Announce::default() }, ..Queue::default() };
    for setting in settings {
        match setting.split_once('=').unwrap_or((setting, "")) {
            ("requires", r) => q.requires = r.replace('+', " and ").parse().unwrap(),
            ("ring_all", "") => q.strategy = Strategy::RingAll,
            ("weight", n) => q.weight = n.parse().unwrap(),
            ("ring", s) => q.ring = seconds(s),
            ("wrap_up", s) => q.wrap_up = WrapUp { mode: WrapUpMode::Timed, time: seconds(s), ..q.wrap_up },
            ("overflow", s) => {
                let (after, to) = s.split_once(':').unwrap_or((s, ""));
                q.overflow_after = Some(seconds(after));
                q.overflow_to = (!to.is_empty()).then(|| queue(to));
            }
            ("capacity", n) => q.capacity = n.parse().unwrap(),
            ("announce", s) => q.announce.every = Some(seconds(s)),
            ("not_empty", "") => q.join_empty = [AgentState::LoggedOut].into(),
            ("retry", s) => q.retry = Retry { busy: seconds(s), rejected: seconds(s), unreachable: seconds(s) },
            other => panic!("what is {other:?} of a queue?"),
        }
    }
    q
}

fn read_agent(settings: &[&str]) -> Agent {
    let mut a = Agent { max_misses: 3, ..Agent::default() };
    for setting in settings {
        match setting.split_once('=').unwrap_or((setting, "")) {
            ("serves", queues) => a.queues = queues.split(',').map(queue).collect(),
            ("starts", "") => a.starts_logged_in = true,
            ("misses", n) => a.max_misses = n.parse().unwrap(),
            (skill, level) => drop(a.skills.insert(Skill::new(skill), level.parse().unwrap())),
        }
    }
    a
}

/// `c7` or `c7/2`.
fn visit(text: &str) -> VisitId {
    let (call, n) = text.strip_prefix('c').unwrap_or("?").split_once('/').unwrap_or((&text[1..], "1"));
    VisitId { call: CallId { node: 1, epoch: 1, n: call.parse().unwrap() }, n: n.parse().unwrap() }
}

/// Outcomes, states and causes are written as they print.
fn named<T: for<'a> serde::Deserialize<'a>>(name: &str) -> T {
    use serde::de::IntoDeserializer;
    let name: serde::de::value::StrDeserializer<serde::de::value::Error> = name.into_deserializer();
    T::deserialize(name).unwrap()
}

pub fn event(text: &str, config: &Config) -> Input {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ask = |name: &str, ask| Input::AgentAsked { agent: agent(name), ask, cause: Cause::Requested };
    match words[..] {
        ["-"] => Input::Due,
        ["load" | "reload"] => Input::Configure(shared(config)),
        [call, "enters", name, ref rest @ ..] => enqueue(call, name, rest),
        [call, "hangs", "up"] => Input::Leave { visit: visit(call), outcome: Outcome::Abandoned, cut_off: false },
        [call, "leaves", outcome] => Input::Leave { visit: visit(call), outcome: named(outcome), cut_off: false },
        [offer, what] if offer.contains('#') => offer_event(offer, what),
        [name, "logs", "in"] => ask(name, Ask::LogIn),
        [name, "logs", "out"] => ask(name, Ask::LogOut),
        [name, "is", "ready"] => ask(name, Ask::Ready),
        [name, "pauses", reason] => ask(name, Ask::Pause { reason: reason.into() }),
        [name, "released"] => Input::Released { agent: agent(name), cause: Cause::Requested },
        [name, "holds"] => Input::Held { agent: agent(name), held: true },
        [name, "resumes"] => Input::Held { agent: agent(name), held: false },
        [name, "registers"] => Input::Reachable { agent: agent(name), reachable: true },
        [name, "vanishes"] => Input::Reachable { agent: agent(name), reachable: false },
        [name, "dials"] => Input::Engaged { agent: agent(name), work: Some(Work::Outbound) },
        [name, "dialled"] => Input::Engaged { agent: agent(name), work: None },
        [name, "was", state] => Input::Restore { agent: agent(name), state: named::<AgentState>(state), reason: None },
        [name, "was", "paused", reason] => {
            Input::Restore { agent: agent(name), state: AgentState::Paused, reason: Some(reason.into()) }
        }
        _ => panic!("what is {text:?}?"),
    }
}

fn enqueue(call: &str, name: &str, settings: &[&str]) -> Input {
    let (mut requires, mut priority_s, mut waited) = (Requirement::default(), 0, Duration::ZERO);
    for setting in settings {
        match setting.split_once('=').unwrap_or((setting, "")) {
            ("priority", s) => priority_s = i64::from_str(s).unwrap(),
            ("waited", s) => waited = seconds(s),
            ("asks", r) => requires = r.replace('+', " and ").parse().unwrap(),
            other => panic!("what is {other:?} of a visit?"),
        }
    }
    Input::Enqueue {
        visit: visit(call),
        queue: queue(name),
        requires,
        priority_s,
        waited,
        lang: None,
        party: None,
        caller: Caller::OnTheLine,
    }
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

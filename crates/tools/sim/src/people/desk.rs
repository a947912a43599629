//! Agents and supervisors at their desks: what they ask of the centre, sensible or not, and against each other.

use crate::dice::Dice;
use acd::Ask;
use base::fact::{Direction, Monitor};
use base::{AgentId, CallId, Pii, QueueId, Skill, Skills};
use engine::{CallView, Place, Request, Snapshot, Target};
use std::time::Duration;

/// Between two requests.
pub fn lull(dice: &mut Dice) -> Duration {
    dice.millis(300, 7_000)
}

/// What somebody asks now; now and then somebody else asks for the opposite in the same moment.
pub fn requests(dice: &mut Dice, view: &Snapshot) -> Vec<Request> {
    let Some(request) = request(dice, view) else { return Vec::new() };
    let often = if matches!(request, Request::PauseRecording { .. }) { 70 } else { 20 };
    let opposite = if dice.percent(often) { opposite(dice, &request, view) } else { None };
    std::iter::once(request).chain(opposite).collect()
}

fn request(dice: &mut Dice, view: &Snapshot) -> Option<Request> {
    let agent = any_agent(dice, view)?;
    let talks = |c: &CallView| matches!(c.place, Place::Conversation);
    // Also an agent's own call is passed on.
    let passable = |c: &CallView| talks(c) || (c.place == Place::External && c.direction != Direction::Incoming);
    let consults = |c: &CallView| c.third.is_some();
    let waits = |c: &CallView| c.visit.is_some();
    let kept = |c: &CallView| c.place == Place::Callback;
    Some(match dice.below(100) {
        0..30 => Request::Agent { agent, ask: ask(dice) },
        30..32 => Request::HangUp { call: a_call(dice, view, |_| true) },
        32..38 => Request::Dial { agent, to: target(dice, view)? },
        38..45 => Request::Transfer { call: a_call(dice, view, passable), to: target(dice, view)? },
        45..53 => Request::Consult { call: a_call(dice, view, passable), to: target(dice, view)? },
        53..58 => Request::CompleteTransfer { call: a_call(dice, view, consults) },
        58..61 => Request::EndConsult { call: a_call(dice, view, consults) },
        61..65 => Request::Conference { call: a_call(dice, view, consults) },
        65..74 => Request::Monitor { call: a_call(dice, view, talks), supervisor: supervisor(dice), mode: mode(dice) },
        74..76 => Request::StopMonitor { call: a_call(dice, view, monitored), supervisor: supervisor(dice) },
        76..80 => Request::TakeOver { call: a_call(dice, view, monitored), supervisor: supervisor(dice) },
        80..84 => Request::Move { call: a_call(dice, view, waits), queue: a_queue(dice)? },
        84..87 => Request::Prioritise { call: a_call(dice, view, waits), priority_s: dice.below(240) as i64 - 120 },
        87..90 => Request::SetSkills { agent, skills: skills(dice) },
        90..93 => Request::SetOpen { queue: a_queue(dice)?, open: dice.one_of([None, Some(true), Some(true), Some(false)]) },
        93..95 => Request::CancelCallback { call: a_call(dice, view, kept) },
        95 => Request::Desk { agent, open: dice.percent(60) },
        96..99 => {
            let call = a_call(dice, view, talks);
            Request::PauseRecording { call, cause: "card".into(), for_s: dice.below(90) as u16 }
        }
        _ => Request::Why { call: a_call(dice, view, waits) },
    })
}

/// What undoes or contradicts it.
fn opposite(dice: &mut Dice, request: &Request, view: &Snapshot) -> Option<Request> {
    Some(match request.clone() {
        Request::Agent { agent, .. } => Request::Agent { agent, ask: ask(dice) },
        Request::Transfer { call, .. } => Request::Transfer { call, to: target(dice, view)? },
        Request::Consult { call, .. } => Request::EndConsult { call },
        Request::CompleteTransfer { call } => Request::EndConsult { call },
        Request::EndConsult { call } | Request::Conference { call } => Request::CompleteTransfer { call },
        Request::Monitor { call, supervisor, .. } => Request::StopMonitor { call, supervisor },
        Request::StopMonitor { call, supervisor } => Request::TakeOver { call, supervisor },
        Request::TakeOver { call, .. } => Request::HangUp { call },
        Request::Move { call, .. } => Request::Move { call, queue: a_queue(dice)? },
        Request::Prioritise { call, priority_s } => Request::Prioritise { call, priority_s: -priority_s },
        Request::SetSkills { agent, .. } => Request::SetSkills { agent, skills: None },
        Request::SetOpen { queue, open } => Request::SetOpen { queue, open: Some(open != Some(true)) },
        Request::CancelCallback { call } => Request::HangUp { call },
        Request::Desk { agent, open } => Request::Desk { agent, open: !open },
        // Or passed on in the middle of a card's number.
        Request::PauseRecording { call, .. } if dice.percent(70) => Request::Transfer { call, to: target(dice, view)? },
        Request::PauseRecording { call, .. } => Request::ResumeRecording { call },
        Request::ResumeRecording { call } => Request::PauseRecording { call, cause: "card".into(), for_s: 30 },
        Request::HangUp { .. } | Request::Dial { .. } | Request::Why { .. } => return None,
    })
}

fn monitored(call: &CallView) -> bool {
    !call.monitors.is_empty()
}

/// Mostly one of that sort.
fn a_call(dice: &mut Dice, view: &Snapshot, sort: impl Fn(&CallView) -> bool) -> CallId {
    let fitting: Vec<CallId> = view.calls.iter().filter(|c| sort(c)).map(|c| c.call).collect();
    let any: Vec<CallId> = view.calls.iter().map(|c| c.call).collect();
    let known = if dice.percent(90) { dice.pick(&fitting).or_else(|| dice.pick(&any)) } else { dice.pick(&any) };
    known.unwrap_or(CallId { node: 1, epoch: view.epoch, n: dice.below(40) as u32 })
}

fn any_agent(dice: &mut Dice, view: &Snapshot) -> Option<AgentId> {
    let n = dice.below(view.agents.len() as u64) as usize;
    view.agents.get(n).map(|a| a.agent.clone())
}

fn supervisor(dice: &mut Dice) -> AgentId {
    let name = dice.one_of(["acme/a4", "acme/a4", "acme/a5", "globex/g2", "globex/g2", "acme/a1"]);
    name.parse().expect("an agent's id")
}

fn mode(dice: &mut Dice) -> Monitor {
    dice.one_of([Monitor::Listen, Monitor::Whisper, Monitor::Barge])
}

fn a_queue(dice: &mut Dice) -> Option<QueueId> {
    let all = ["acme/soporte", "acme/billing", "acme/vip", "acme/night", "globex/soporte", "globex/billing", "acme/nowhere"];
    dice.one_of(all).parse().ok()
}

fn target(dice: &mut Dice, view: &Snapshot) -> Option<Target> {
    Some(match dice.below(10) {
        0..3 => Target::Queue(a_queue(dice)?),
        3..7 => Target::Agent(any_agent(dice, view)?),
        _ => Target::Number(Pii::new(dice.one_of(["5557001", "5557002", "5557003"]).into())),
    })
}

fn ask(dice: &mut Dice) -> Ask {
    match dice.below(20) {
        0..9 => Ask::Ready,
        9..12 => Ask::LogIn,
        12 => Ask::LogOut,
        13..16 => Ask::Pause { reason: dice.one_of(["", "lunch", "1", "nap"]).into() },
        16..18 => Ask::WrapUp,
        _ => Ask::Code { code: dice.one_of(["", "sold", "sold"]).into() },
    }
}

fn skills(dice: &mut Dice) -> Option<Skills> {
    if dice.percent(40) {
        return None;
    }
    let all = ["lang:es", "lang:en", "lang:pt", "lang:fr", "skill:support", "skill:billing"];
    Some(all.into_iter().filter(|_| dice.percent(75)).map(|skill| (Skill::new(skill), 5)).collect())
}

/// The request, for the script.
pub fn words(request: &Request) -> String {
    let to = |to: &Target| match to {
        Target::Queue(queue) => queue.to_string(),
        Target::Agent(agent) => agent.to_string(),
        Target::Number(number) => number.reveal().to_string(),
    };
    match request {
        Request::Agent { agent, ask } => format!("{agent} asks for {ask:?}"),
        Request::Desk { agent, open } => format!("{} the desk of {agent}", if *open { "opens" } else { "closes" }),
        Request::HangUp { call } => format!("hangs up call {call}"),
        Request::Dial { agent, to: target } => format!("dials {} for {agent}", to(target)),
        Request::Transfer { call, to: target } => format!("transfers call {call} to {}", to(target)),
        Request::Consult { call, to: target } => format!("consults {} about call {call}", to(target)),
        Request::CompleteTransfer { call } => format!("completes the transfer of call {call}"),
        Request::EndConsult { call } => format!("ends the consultation of call {call}"),
        Request::Conference { call } => format!("makes call {call} a conference"),
        Request::Monitor { call, supervisor, mode } => format!("{supervisor} is to monitor call {call} ({mode:?})"),
        Request::StopMonitor { call, supervisor } => format!("{supervisor} is to leave call {call}"),
        Request::TakeOver { call, supervisor } => format!("{supervisor} takes over call {call}"),
        Request::Move { call, queue } => format!("moves call {call} to {queue}"),
        Request::Prioritise { call, priority_s } => format!("gives call {call} {priority_s} s of priority"),
        Request::SetSkills { agent, skills: None } => format!("gives {agent} the skills of the site"),
        Request::SetSkills { agent, skills: Some(skills) } => format!("gives {agent} {} skills", skills.len()),
        Request::SetOpen { queue, open } => format!("opens {queue}: {open:?}"),
        Request::CancelCallback { call } => format!("cancels callback {call}"),
        Request::PauseRecording { call, for_s, .. } => format!("pauses the recording of call {call} for {for_s} s"),
        Request::ResumeRecording { call } => format!("resumes the recording of call {call}"),
        Request::Why { call } => format!("asks why call {call} waits"),
    }
}

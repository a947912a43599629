//! Queues: who is asked for, how that becomes easier, and what the caller is told meanwhile.

use super::agents::extension;
use super::{id, queue_in};
use crate::check::suggest;
use crate::reader::Node;
use crate::scalar::{Hundredths, Level, Sometimes};
use acd::{Announce, CallFirst, Callback, Change, Dissuade, Queue, Relax, Retry, WrapUp, WrapUpMode};
use base::calendar::{DATE, WEEK, Written, zones};
use base::{AgentState, Calendar, Diagnostic, QueueId, Skill};
use recording::Rule;
use std::collections::BTreeSet;
use std::time::Duration;

/// A queue with what belongs to it and is no business of routing.
pub struct Read {
    pub id: QueueId,
    pub queue: Queue,
    /// What agents dial for it.
    pub extension: Option<String>,
    pub record: Option<Rule>,
}

pub fn queue(name: &str, n: &mut Node) -> Option<Read> {
    let id: Option<QueueId> = id(name, "queues", n);
    let unset = Queue::default();
    let (overflow_after, overflow_to) = overflow(id.as_ref(), n);
    retired(n);
    let queue = Queue {
        requires: n.or("requires", unset.requires),
        strategy: n.or("strategy", unset.strategy),
        weight: n.or("weight", unset.weight),
        relax: n.list("relax", relax),
        delays: n.values("delays").into_iter().map(|(group, delay)| (group.into(), delay)).collect(),
        sticky: n.or("sticky", unset.sticky),
        ring: n.or("ring", unset.ring),
        wrap_up: wrap_up(n).unwrap_or(unset.wrap_up),
        overflow_after,
        overflow_to,
        capacity: n.or("capacity", unset.capacity),
        dissuade: n.table("dissuade", dissuade).unwrap_or_default(),
        join_empty: states("join_empty", n),
        leave_empty: states("leave_empty", n),
        hours: n.table("hours", hours),
        announce: n.table("announce", announce).unwrap_or_default(),
        callback: n.table("callback", callback),
        return_within: n.or("return_within", unset.return_within),
        threshold: n.or("threshold", unset.threshold),
        short_abandon: n.or("short_abandon", unset.short_abandon),
        retry: n.table("retry", retry).unwrap_or_default(),
    };
    if queue.ring.is_zero() {
        n.report(n.at("ring", "expected more than 0 s: a phone that does not ring is not answered"));
    }
    if queue.capacity == 0 {
        n.report(n.at("capacity", "expected at least 1: nobody could wait here"));
    }
    let (extension, record) = (extension(n), n.opt("record"));
    Some(Read { id: id?, queue, extension, record })
}

fn overflow(id: Option<&QueueId>, n: &mut Node) -> (Option<Duration>, Option<QueueId>) {
    let to: Option<String> = n.opt("overflow_to");
    let to = id.zip(to).and_then(|(id, to)| queue_in(&id.tenant(), &to, "overflow_to", n));
    let after: Option<Duration> = n.opt("overflow_after");
    if to.is_some() && after.is_none() && !n.has("overflow_after") {
        n.report(n.at("overflow_to", "expected `overflow_after` beside it: when does a call move on?"));
    }
    (after, to)
}

/// What earlier versions of this file called otherwise.
fn retired(n: &mut Node) {
    n.retired("announce_every", "write announce = { every = \"45s\" }");
    n.retired("retry_delay", "write retry = { busy = \"10s\", rejected = \"10s\", unreachable = \"10s\" }");
}

/// States of agents in which one does not count.
fn states(key: &'static str, n: &mut Node) -> BTreeSet<AgentState> {
    let instead = match n.boolean(key) {
        Some(false) => "to turn callers away when nobody is logged in, write [\"logged_out\"]",
        Some(true) => "to turn nobody away, leave it out",
        None => return n.each(key).into_iter().collect(),
    };
    n.settle(key);
    n.report(n.at(key, "expected a list of the states in which an agent does not count, found boolean").help(instead));
    BTreeSet::new()
}

/// One of the four changes, at an age.
fn relax(n: &mut Node) -> Option<Relax> {
    let after = n.need("after");
    let lower: Option<Skill> = n.opt("lower");
    let to: Option<Level> = if n.has("lower") { n.need("to") } else { None };
    let drop: Option<Skill> = n.opt("drop");
    let widen: Option<String> = n.opt("widen");
    let raise: Option<Duration> = n.opt("raise");
    let given = ["lower", "drop", "widen", "raise"].into_iter().filter(|key| n.has(key)).count();
    if given != 1 {
        let expected = format!("expected one of `lower`, `drop`, `widen` and `raise` beside `after`, found {given} of them");
        n.report(n.at("", expected).help("write a step for each: steps of one age happen together"));
        return None;
    }
    let lower = lower.zip(to).map(|(skill, to)| Change::Lower { skill, to: to.0 });
    let change = lower
        .or(drop.map(|skill| Change::Drop { skill }))
        .or(widen.map(|group| Change::Widen { group: group.into() }))
        .or(raise.map(|seconds| Change::Raise { seconds: i64::try_from(seconds.as_secs()).unwrap_or(i64::MAX) }));
    Some(Relax { after: after?, change: change? })
}

/// `"30s"`, or a table with mode, time and cap; `None` if there is no such key.
pub fn wrap_up(n: &mut Node) -> Option<WrapUp> {
    let unset = WrapUp::default();
    if n.is_text("wrap_up") {
        let time: Duration = n.opt("wrap_up")?;
        let mode = if time.is_zero() { WrapUpMode::None } else { WrapUpMode::Timed };
        return Some(WrapUp { mode, time, cap: unset.cap.max(time) });
    }
    n.table("wrap_up", |n| {
        let (mode, time, cap) = (n.or("mode", unset.mode), n.or("time", unset.time), n.or("cap", unset.cap));
        if cap < time {
            n.report(n.at("cap", "expected a cap no shorter than `time`"));
        }
        Some(WrapUp { mode, time, cap })
    })
}

fn dissuade(n: &mut Node) -> Option<Dissuade> {
    let per_agent = n.opt::<Hundredths>("per_agent").map(|hundredths| hundredths.0);
    Some(Dissuade { length: n.opt("length"), wait: n.opt("wait"), per_agent })
}

fn hours(n: &mut Node) -> Option<Calendar> {
    let zone: Option<String> = n.need("zone");
    if !n.has("week") {
        n.report(n.at("", format!("`week` is missing: expected a list of {WEEK}")));
    }
    let (week, dates) = (n.each::<String>("week"), n.each::<String>("dates"));
    let name = zone?;
    let written = Written { zone: name.clone(), ..Written::default() };
    let mut calendar = Calendar::try_from(written).map_err(|_| no_zone(n, &name));
    match &mut calendar {
        Ok(calendar) => {
            let bad = week.iter().enumerate().filter(|(_, line)| calendar.week(line).is_none());
            bad.for_each(|(i, _)| n.report(n.at(&format!("week.{i}"), format!("expected {WEEK}"))));
            let bad = dates.iter().enumerate().filter(|(_, line)| calendar.date(line).is_none());
            bad.for_each(|(i, _)| n.report(n.at(&format!("dates.{i}"), format!("expected {DATE}"))));
        }
        Err(finding) => n.report(finding.clone()),
    }
    calendar.ok()
}

fn no_zone(n: &Node, name: &str) -> Diagnostic {
    let finding = n.at("zone", "expected a time zone such as \"America/Mexico_City\"");
    suggest(finding, name, zones().iter().map(String::as_str))
}

fn announce(n: &mut Node) -> Option<Announce> {
    let unset = Announce::default();
    let every = n.or("every", Sometimes(unset.every)).0;
    Some(Announce { every, position: n.or("position", unset.position), wait: n.or("wait", unset.wait) })
}

fn callback(n: &mut Node) -> Option<Callback> {
    let attempts: Option<u16> = n.opt("attempts");
    let attempts =
        attempts.map_or(Some(3), |attempts| u8::try_from(attempts).ok().filter(|attempts| (1..=20).contains(attempts)));
    if attempts.is_none() {
        n.report(n.at("attempts", "expected 1 to 20 attempts"));
    }
    let (first, retry_after) = (n.or("first", CallFirst::Agent), n.or("retry_after", Duration::from_secs(300)));
    let ring = n.or("ring", Duration::from_secs(30));
    Some(Callback { first, attempts: attempts?, retry_after, ring })
}

fn retry(n: &mut Node) -> Option<Retry> {
    let unset = Retry::default();
    Some(Retry {
        busy: n.or("busy", unset.busy),
        rejected: n.or("rejected", unset.rejected),
        unreachable: n.or("unreachable", unset.unreachable),
    })
}

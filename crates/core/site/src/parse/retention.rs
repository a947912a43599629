//! How long recordings are kept, and whether they are made smaller.

use super::id;
use crate::model::{Compressing, Compression};
use crate::reader::Node;
use crate::scalar::{Age, Bytes};
use base::{QueueId, Tenant};
use recording::retention::{Policy, Span};

/// Less than most of an hour of one call (115 MB) is no budget but a slip of the unit.
const LEAST: u64 = 100_000_000;
/// A shorter maximum is a slip of the unit.
const SHORTEST: std::time::Duration = std::time::Duration::from_secs(86_400);

pub fn retention(n: &mut Node) -> Option<Policy> {
    let (span, budget) = (span(n), budget(n));
    let tenants = n.named("tenants", |name, n| {
        let (span, budget) = (self::span(n), self::budget(n));
        Some((named::<Tenant>(name, "retention.tenants.name", n)?, (span, budget)))
    });
    let queues = n.named("queues", |name, n| {
        let span = self::span(n);
        Some((id::<QueueId>(name, "retention.queues", n)?, span))
    });
    Some(Policy { span, budget, tenants: tenants.into_iter().collect(), queues: queues.into_iter().collect() })
}

fn span(n: &mut Node) -> Span {
    let age = |age: Option<Age>| age.map(|age| age.0);
    let span = Span { minimum: age(n.opt("minimum")), maximum: age(n.opt("maximum")) };
    if span.maximum.is_some_and(|maximum| maximum < SHORTEST) {
        n.report(n.at("maximum", "expected a maximum of at least \"1d\": what is deleted sooner is better not recorded"));
    }
    span
}

fn budget(n: &mut Node) -> Option<u64> {
    let Bytes(bytes) = n.opt("budget")?;
    if bytes < LEAST {
        n.report(n.at("budget", "expected a budget of at least \"100MB\": an hour of one call is recorded as 115 MB"));
    }
    Some(bytes)
}

/// A tenant's name as a table's key.
fn named<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, table: &str, n: &Node) -> Option<T> {
    name.parse::<T>().map_err(|e| n.report(n.at("", e.to_string()).help(format!("write [{table}]")))).ok()
}

pub fn compression(n: &mut Node) -> Option<Compression> {
    let all = compressing(n, Compressing::default());
    let tenants = n.named("tenants", |name, n| {
        let own = compressing(n, all);
        Some((named::<Tenant>(name, "compression.tenants.name", n)?, own))
    });
    Some(Compression { all, tenants: tenants.into_iter().collect() })
}

/// What is not said here is as `above`.
fn compressing(n: &mut Node, above: Compressing) -> Compressing {
    let after = n.opt("after").map_or(above.after, |Age(age)| age);
    Compressing { form: n.or("form", above.form), after }
}

//! No recording must go before it may. Rules of tenants and queues that are not there any more stay: their recordings do.

use super::known_tenant;
use crate::model::Site;
use base::{Diagnostic, QueueId, Tenant};
use ivr::text::nearest;
use recording::retention::Span;

pub fn retention(site: &Site, found: &mut Vec<Diagnostic>) {
    let policy = &site.retention;
    spans(site, &["retention".into()], policy.span, policy.span, found);
    for (tenant, (span, budget)) in &policy.tenants {
        let path = format!("retention.tenants.{tenant}");
        if !site.tenants.contains(tenant) {
            found.push(past(site, &path, "tenant", tenant.as_str(), site.tenants.iter().map(Tenant::as_str)));
        }
        spans(site, &[path.clone(), "retention".into()], *span, span.or(policy.span), found);
        if let (Some(own), Some(all)) = (budget, policy.budget)
            && own > &all
        {
            let all = site.places.written("retention.budget").unwrap_or_default();
            let message = format!("expected at most the budget of all tenants, {all}");
            found.push(site.places.at(&format!("{path}.budget"), message));
        }
    }
    for (queue, span) in &policy.queues {
        let path = format!("retention.queues.{queue}");
        if !site.queues.contains_key(queue) {
            found.push(past(site, &path, "queue", queue.as_str(), site.queues.keys().map(QueueId::as_str)));
        }
        let tenant = policy.tenants.get(&queue.tenant()).map(|(span, _)| *span).unwrap_or_default();
        let above = format!("retention.tenants.{}", queue.tenant());
        spans(site, &[path, above, "retention".into()], *span, span.or(tenant).or(policy.span), found);
    }
}

/// A name that is not there. What was recorded under it outlives it in the site, and so must the rule: whoever takes a queue
/// out and must keep its recordings for years would lose them to an error that says "take the rule out too". So this is a
/// warning, which says what the rule still does, and what was meant if it was misspelt.
fn past<'a>(site: &Site, path: &str, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let message = format!("there is no {what} `{name}`: this counts only for recordings of a {what} that had this name");
    let finding = site.places.at(path, message).warning();
    match nearest(name, known) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    }
}

/// At whichever of both is written here, the first of `paths`; the other is told as the first of them that has it says it.
fn spans(site: &Site, paths: &[String], own: Span, counts: Span, found: &mut Vec<Diagnostic>) {
    let (Some(minimum), Some(maximum)) = (counts.minimum, counts.maximum) else { return };
    if minimum <= maximum {
        return;
    }
    let written = |key: &str| paths.iter().find_map(|path| site.places.written(&format!("{path}.{key}"))).unwrap_or_default();
    let mut report = |key: &str, message: String| found.push(site.places.at(&format!("{}.{key}", paths[0]), message));
    if own.maximum.is_some() {
        report("maximum", format!("expected a maximum of at least the minimum that counts here, {}", written("minimum")));
    } else if own.minimum.is_some() {
        report("minimum", format!("expected a minimum of at most the maximum that counts here, {}", written("maximum")));
    }
}

pub fn compression(site: &Site, found: &mut Vec<Diagnostic>) {
    for tenant in site.compression.tenants.keys() {
        known_tenant(site, tenant, &format!("compression.tenants.{tenant}"), found);
    }
}

//! What only the whole can answer. Each finding points at the line that would have to change.
//!
//! Errors are what cannot work: calls to nowhere, steps that never match. What works and leaves somebody waiting is a
//! warning: a queue before its agents are hired, a language that nobody speaks yet.

mod agents;
mod flows;
mod lines;
mod queues;
mod relax;
mod retention;
mod staff;

use crate::model::Site;
use base::{Diagnostic, QueueId, Tenant};
use ivr::Flow;
use ivr::text::nearest;
use staff::Asked;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Everything that does not fit together, first of the site file and then of the flows in use.
///
/// `flows` are those that could be read, by their file's name without extension; `has_prompt` says whether a
/// prompt `flow/lang/id` has audio: one that has not is an error here, not a silence on the line.
pub fn check(site: &Site, flows: &BTreeMap<String, Flow>, has_prompt: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let asked = Asked::of(site, flows);
    lines::tenants(site, &mut found);
    lines::trunks(site, &mut found);
    lines::numbers(site, flows, &mut found);
    lines::emergency(site, &mut found);
    lines::ports(site, &mut found);
    for (id, queue) in &site.queues {
        queues::queue(site, &asked, id, queue, &mut found);
        relax::steps(site, &asked, id, queue, &mut found);
    }
    queues::circles(site, &mut found);
    agents::agents(site, &mut found);
    agents::phones(site, &mut found);
    agents::spoken_to(site, has_prompt, &mut found);
    agents::whispers(site, has_prompt, &mut found);
    agents::feature_codes(site, &mut found);
    agents::extensions(site, &mut found);
    tickets(site, &mut found);
    retention::retention(site, &mut found);
    retention::compression(site, &mut found);
    found.sort_by_key(|d| (d.line, d.column));
    let used: BTreeSet<&str> = site.numbers.iter().map(|n| n.flow.as_str()).collect();
    for (name, flow) in flows.iter().filter(|(name, _)| used.contains(name.as_str())) {
        found.extend(flow.misnamed(name));
        found.extend(flow.check(has_prompt));
        flows::flow(site, name, flow, &mut found);
    }
    found
}

/// A finding with the name that was probably meant, among those there are.
pub(crate) fn suggest<'a>(finding: Diagnostic, name: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let known: BTreeSet<&str> = known.into_iter().collect();
    match (nearest(name, known.iter().copied()), known.len()) {
        (Some(near), _) => finding.help(format!("did you mean `{near}`?")),
        (None, 1..=8) => finding.help(format!("expected one of {}", known.into_iter().collect::<Vec<_>>().join(", "))),
        _ => finding,
    }
}

/// Narrows a finding to a word within what it points at.
fn narrowed(mut finding: Diagnostic, word: &str) -> Diagnostic {
    let before: String = finding.source.chars().take(finding.column - 1).collect();
    let pointed: String = finding.source.chars().skip(finding.column - 1).take(finding.width).collect();
    if let Some(at) = pointed.find(word) {
        finding.column = before.chars().count() + pointed[..at].chars().count() + 1;
        finding.width = word.chars().count().max(1);
    }
    finding
}

/// Reports a tenant that is not in the list, at a path.
fn known_tenant(site: &Site, tenant: &Tenant, path: &str, found: &mut Vec<Diagnostic>) {
    if !site.tenants.contains(tenant) {
        let finding = site.places.at(path, format!("there is no tenant `{tenant}`"));
        found.push(suggest(finding, tenant.as_str(), site.tenants.iter().map(Tenant::as_str)));
    }
}

/// Reports a queue that is not there, at a path.
fn known_queue(site: &Site, queue: &QueueId, path: &str, found: &mut Vec<Diagnostic>) {
    if !site.queues.contains_key(queue) {
        let finding = site.places.at(path, format!("there is no queue `{queue}`"));
        let same_tenant = site.queues.keys().filter(|other| other.tenant() == queue.tenant());
        found.push(suggest(finding, queue.name(), same_tenant.map(QueueId::name)));
    }
}

/// Reports each value that stands in two places, at the later one.
fn twice<T: Ord>(
    site: &Site,
    values: impl IntoIterator<Item = (T, String)>,
    shown: impl Fn(&T) -> &dyn Display,
    what: &str,
    found: &mut Vec<Diagnostic>,
) {
    let mut seen = BTreeSet::new();
    for (value, path) in values {
        let message = format!("{what} `{}` stands here twice", shown(&value));
        if !seen.insert(value) {
            found.push(site.places.at(&path, message));
        }
    }
}

fn tickets(site: &Site, found: &mut Vec<Diagnostic>) {
    for (i, rule) in site.tickets.iter().enumerate() {
        known_tenant(site, &rule.tenant, &format!("tickets.{i}.tenant"), found);
        if let Some(queue) = &rule.queue {
            known_queue(site, queue, &format!("tickets.{i}.queue"), found);
        }
    }
}

//! Queues: who serves them, where their calls go, and whom they call back.

use super::staff::{Asked, anybody_at_last, groups, skills, staff, unknown_skill};
use super::{known_queue, known_tenant, lines, narrowed, suggest};
use crate::model::Site;
use acd::{Queue, Relax};
use base::{Diagnostic, QueueId};
use std::collections::BTreeSet;

pub fn queue(site: &Site, asked: &Asked, id: &QueueId, queue: &Queue, found: &mut Vec<Diagnostic>) {
    let at = |key: &str| format!("queues.{id}.{key}");
    known_tenant(site, &id.tenant(), &at(""), found);
    if let Some(to) = &queue.overflow_to {
        known_queue(site, to, &at("overflow_to"), found);
    }
    served(site, asked, id, queue, found);
    in_vain(site, id, queue, found);
    for group in queue.delays.keys().filter(|group| !groups(site, &id.tenant()).any(|known| *known == ***group)) {
        let finding = site.places.at(&at(&format!("delays.{group}")), format!("no agent is in the group `{group}`"));
        found.push(suggest(finding, group, groups(site, &id.tenant())));
    }
    if queue.callback.is_some() {
        lines::way_out(site, &id.tenant(), &at("callback"), "to call back", found);
    }
}

/// Whether what the queue asks of every call can be met.
fn served(site: &Site, asked: &Asked, id: &QueueId, queue: &Queue, found: &mut Vec<Diagnostic>) {
    let path = format!("queues.{id}.requires");
    let steps: Vec<&Relax> = queue.relax.iter().collect();
    if staff(site, id, &steps).is_empty() {
        let finding = site.places.at(&format!("queues.{id}"), format!("no agent serves the queue `{id}`")).warning();
        found.push(finding.help(if asked.comes(id) {
            "calls come here by its flow and would wait in vain"
        } else {
            "add it to an agent's `queues`"
        }));
    } else if let Some(skill) = unknown_skill(site, &id.tenant(), &queue.requires) {
        let finding = narrowed(site.places.at(&path, format!("no agent of `{}` has the skill `{skill}`", id.tenant())), &skill.0);
        found.push(suggest(finding, &skill.0, skills(site, &id.tenant()).map(|skill| &*skill.0)));
    } else if !anybody_at_last(site, id, queue, &queue.requires) {
        found.push(site.places.at(&path, format!("no agent of `{id}` can meet `{}`", queue.requires)));
    }
}

/// What is written and can have no effect beside what else is written.
fn in_vain(site: &Site, id: &QueueId, queue: &Queue, found: &mut Vec<Diagnostic>) {
    let mut say = |key: &str, message: &str| found.push(site.places.at(&format!("queues.{id}.{key}"), message).warning());
    if queue.dissuade.length.is_some_and(|length| length > queue.capacity) {
        say("dissuade.length", "the queue is full before it is that long: see `capacity`");
    }
    let Some(leaves) = queue.overflow_after else { return };
    if queue.ring > leaves {
        say("ring", "a call leaves the queue before a phone has rung that long: see `overflow_after`");
    }
    if queue.sticky >= leaves {
        say("sticky", "a call leaves the queue before anybody else may have it: see `overflow_after`");
    }
}

/// Each circle of overflows once, at that one of its queues which stands first in the file.
pub fn circles(site: &Site, found: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<&QueueId> = BTreeSet::new();
    let place = |id: &QueueId| site.places.at(&format!("queues.{id}.overflow_to"), "");
    let mut in_order: Vec<&QueueId> = site.queues.keys().collect();
    in_order.sort_by_key(|id| (place(id).line, place(id).column));
    for id in in_order {
        let Some(circle) = circle(site, id).filter(|_| !told.contains(id)) else { continue };
        told.extend(&circle);
        let way: Vec<String> = circle.into_iter().chain([id]).map(|id| format!("`{id}`")).collect();
        let message = format!("calls overflow in a circle: {}", way.join(" to "));
        let path = format!("queues.{id}.overflow_to");
        found.push(
            site.places.at(&path, message).help("let one of these queues end the call's wait: leave its `overflow_to` out"),
        );
    }
}

/// The queues that a call passes from here until it is back here.
fn circle<'a>(site: &'a Site, id: &'a QueueId) -> Option<Vec<&'a QueueId>> {
    let mut passed = vec![id];
    loop {
        let next = site.queues.get(*passed.last()?)?.overflow_to.as_ref()?;
        match next {
            next if next == id => return Some(passed),
            next if passed.contains(&next) => return None,
            next => passed.push(next),
        }
    }
}

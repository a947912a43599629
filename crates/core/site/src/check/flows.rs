//! What flows ask of the site: queues, skills, languages, and ways out.

use super::staff::{anybody_at_last, skills, staff, unknown_skill};
use super::suggest;
use crate::model::Site;
use acd::{Queue, Relax};
use base::{Diagnostic, Lang, Need, QueueId, Requirement, Tenant};
use ivr::{Flow, QueueUse};
use std::collections::BTreeSet;

/// For each tenant that uses the flow: its queues exist and somebody there can serve what it asks.
pub fn flow(site: &Site, name: &str, flow: &Flow, found: &mut Vec<Diagnostic>) {
    let tenants: BTreeSet<&Tenant> = site.numbers.iter().filter(|n| n.flow == name).map(|n| &n.tenant).collect();
    for tenant in tenants {
        for used in flow.queues() {
            let queue = QueueId::new(tenant, &used.name).ok().and_then(|id| site.queues.get_key_value(&id));
            let Some((id, queue)) = queue else {
                let finding = flow.at(used.place, format!("there is no queue `{}` in the tenant `{tenant}`", used.name));
                let known = site.queues.keys().filter(|id| id.tenant() == *tenant).map(QueueId::name);
                found.push(suggest(finding, &used.name, known));
                continue;
            };
            served(site, flow, &used, id, queue, found);
            if let Some(place) = used.callback.filter(|_| queue.callback.is_none()) {
                let finding = flow.at(place, format!("the queue `{id}` calls nobody back"));
                found.push(finding.help("give it `callback` in the site file, or take this key out"));
            }
        }
        let no_trunk = site.accounts.get(tenant).is_some_and(|account| account.trunk.is_none());
        for place in flow.forwards().into_iter().filter(|_| no_trunk) {
            found.push(flow.at(place, format!("for a call to a number outside, the account `{tenant}` needs a `trunk`")));
        }
    }
}

/// Whether somebody could take each call, be it after every step. A language that nobody speaks (yet) is a warning: its
/// callers wait in vain, and the others are served.
fn served(site: &Site, flow: &Flow, used: &QueueUse, id: &QueueId, queue: &Queue, found: &mut Vec<Diagnostic>) {
    let steps: Vec<&Relax> = queue.relax.iter().collect();
    if staff(site, id, &steps).is_empty() || !anybody_at_last(site, id, queue, &queue.requires) {
        return; // That is a finding of the site file.
    }
    for (lang, asked) in &used.requires {
        let tongueless = without_language(asked, *lang);
        let whole = queue.requires.and(asked);
        if let Some(skill) = unknown_skill(site, &id.tenant(), &tongueless) {
            let finding =
                flow.at(used.place, format!("no agent of `{}` has the skill `{skill}`, which is asked here", id.tenant()));
            found.push(suggest(finding, &skill.0, skills(site, &id.tenant()).map(|skill| &*skill.0)));
            return;
        }
        if !anybody_at_last(site, id, queue, &queue.requires.and(&tongueless)) {
            let message = format!("no agent of `{id}` can take a call from here: asked is `{whole}`");
            found.push(flow.at(used.place, message).help("give an agent these skills, or lower what is asked"));
            return;
        }
        if !anybody_at_last(site, id, queue, &whole) {
            let message = format!("no agent of `{id}` can take a caller in `{lang}`: asked is `{whole}`");
            found.push(flow.at(used.place, message).help("give an agent these skills, or lower what is asked").warning());
        }
    }
}

/// What is asked beside the caller's own language.
fn without_language(asked: &Requirement, lang: Lang) -> Requirement {
    let spoken = format!("lang:{lang}");
    let other = |need: &&Need| *need.skill.0 != *spoken;
    Requirement::new(asked.needs().iter().filter(other).cloned())
}

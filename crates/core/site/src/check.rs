//! What only the whole can answer. Each finding points at the line that would have to change.

use crate::model::{Agent, Number, Phone, Site};
use base::{AgentId, Diagnostic, QueueId, Requirement, Tenant};
use ivr::Flow;
use ivr::text::nearest;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Everything that does not fit together, first of the site file and then of the flows in use.
///
/// `flows` are those that could be read, by their file's name without extension; `has_prompt` says whether a
/// prompt `flow/lang/id` has audio: one that has not is an error here, not a silence on the line.
pub fn check(site: &Site, flows: &BTreeMap<String, Flow>, has_prompt: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    tenants(site, &mut found);
    numbers(site, flows, &mut found);
    queues(site, flows, &mut found);
    agents(site, &mut found);
    phones(site, &mut found);
    feature_codes(site, &mut found);
    tickets(site, &mut found);
    ports(site, &mut found);
    found.sort_by_key(|d| (d.line, d.column));
    let used: BTreeSet<&str> = site.numbers.iter().map(|n| n.flow.as_str()).collect();
    for (name, flow) in flows.iter().filter(|(name, _)| used.contains(name.as_str())) {
        found.extend(flow.misnamed(name));
        found.extend(flow.check(has_prompt));
        found.extend(flow_queues(site, name, flow));
    }
    found
}

/// A finding with the name that was probably meant, among those there are.
fn suggest<'a>(finding: Diagnostic, name: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    match (nearest(name, known.iter().copied()), known.len()) {
        (Some(near), _) => finding.help(format!("did you mean `{near}`?")),
        (None, 1..=8) => finding.help(format!("expected one of {}", known.join(", "))),
        _ => finding,
    }
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
fn twice<T: Ord + Display>(site: &Site, values: impl IntoIterator<Item = (T, String)>, what: &str, found: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for (value, path) in values {
        let message = format!("{what} `{value}` stands here twice");
        if !seen.insert(value) {
            found.push(site.places.at(&path, message));
        }
    }
}

fn tenants(site: &Site, found: &mut Vec<Diagnostic>) {
    let names = site.tenants.iter().enumerate().map(|(i, tenant)| (tenant, format!("tenants.{i}.name")));
    twice(site, names, "the tenant", found);
    let names = site.trunks.iter().enumerate().map(|(i, trunk)| (&trunk.name, format!("trunks.{i}.name")));
    twice(site, names, "the trunk", found);
}

fn numbers(site: &Site, flows: &BTreeMap<String, Flow>, found: &mut Vec<Diagnostic>) {
    let dialled = site.numbers.iter().enumerate().map(|(i, n)| (&n.number, format!("numbers.{i}.number")));
    twice(site, dialled, "the number", found);
    for (i, number) in site.numbers.iter().enumerate() {
        let at = |key: &str| format!("numbers.{i}.{key}");
        known_tenant(site, &number.tenant, &at("tenant"), found);
        let Some(flow) = flows.get(&number.flow) else {
            let finding = site.places.at(&at("flow"), format!("there is no flow `{}` that can be read", number.flow));
            found.push(suggest(finding, &number.flow, flows.keys().map(String::as_str)));
            continue;
        };
        if let Some(lang) = number.lang.filter(|lang| !flow.languages.contains(lang)) {
            found.push(site.places.at(&at("lang"), format!("the flow `{}` does not speak `{lang}`", number.flow)));
        }
    }
    if site.numbers.iter().any(|n| site.trunks.is_empty() && !n.number.is_empty()) {
        found.push(site.places.at("numbers", "no [[trunks]]: nobody may call these numbers"));
    }
}

fn queues(site: &Site, flows: &BTreeMap<String, Flow>, found: &mut Vec<Diagnostic>) {
    for (id, queue) in &site.queues {
        let at = |key: &str| format!("queues.{id}.{key}");
        known_tenant(site, &id.tenant(), &at(""), found);
        if let Some(to) = &queue.overflow_to {
            known_queue(site, to, &at("overflow_to"), found);
        }
        if overflows_to_itself(site, id) {
            found.push(site.places.at(&at("overflow_to"), format!("calls of `{id}` overflow in a circle, back to it")));
        }
        let serving = serving(site, id);
        if serving.is_empty() {
            let fed = called_by(site, flows, id);
            let finding = site.places.at(&at(""), format!("no agent serves the queue `{id}`"));
            found.push(finding.help(if fed {
                "calls come here by its flow and would wait in vain"
            } else {
                "add it to an agent's `queues`"
            }));
        } else if !serving.iter().any(|agent| queue.requires.met_by(&agent.acd.skills)) {
            found.push(site.places.at(&at("requires"), format!("no agent of `{id}` can meet `{}`", queue.requires)));
        }
    }
}

fn serving<'a>(site: &'a Site, queue: &QueueId) -> Vec<&'a Agent> {
    site.agents.values().filter(|agent| agent.acd.queues.contains(queue)).collect()
}

/// True if the chain of overflows from this queue comes back to it.
fn overflows_to_itself(site: &Site, id: &QueueId) -> bool {
    let mut at = id;
    for _ in 0..site.queues.len() {
        match site.queues.get(at).and_then(|queue| queue.overflow_to.as_ref()) {
            Some(to) if to == id => return true,
            Some(to) => at = to,
            None => return false,
        }
    }
    false
}

fn called_by(site: &Site, flows: &BTreeMap<String, Flow>, id: &QueueId) -> bool {
    let of_tenant = site.numbers.iter().filter(|n| n.tenant == id.tenant());
    of_tenant.filter_map(|n| flows.get(&n.flow)).any(|flow| flow.queues().iter().any(|queue| *queue.name == *id.name()))
}

fn agents(site: &Site, found: &mut Vec<Diagnostic>) {
    for (id, agent) in &site.agents {
        known_tenant(site, &id.tenant(), &format!("agents.{id}"), found);
        if agent.acd.queues.is_empty() {
            found.push(site.places.at(&format!("agents.{id}.queues"), format!("the agent `{id}` serves no queue")));
        }
        for (i, queue) in agent.acd.queues.iter().enumerate() {
            known_queue(site, queue, &format!("agents.{id}.queues.{i}"), found);
        }
    }
}

/// Users of phones and trunks are one list: a digest names nobody else.
fn phones(site: &Site, found: &mut Vec<Diagnostic>) {
    let of_agent = |(id, agent): (&AgentId, &Agent)| match &agent.phone {
        Phone::Registered(credential) => Some((credential.user.clone(), format!("agents.{id}.phone.user"))),
        Phone::Address { .. } => None,
    };
    let of_trunks = site.trunks.iter().enumerate().filter_map(|(i, trunk)| {
        trunk.credential.as_ref().map(|credential| (credential.user.clone(), format!("trunks.{i}.credential.user")))
    });
    twice(site, site.agents.iter().filter_map(of_agent).chain(of_trunks), "the user", found);
}

fn feature_codes(site: &Site, found: &mut Vec<Diagnostic>) {
    let codes = &site.feature_codes;
    let all = [("log_in", &codes.log_in), ("log_out", &codes.log_out), ("pause", &codes.pause), ("ready", &codes.ready)];
    twice(site, all.map(|(key, code)| (code, format!("feature_codes.{key}"))), "the code", found);
    for (key, code) in all {
        let is_number = |number: &&Number| number.number == *code;
        if site.numbers.iter().any(|number| is_number(&number)) {
            found.push(site.places.at(&format!("feature_codes.{key}"), format!("`{code}` is also one of the [[numbers]]")));
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

/// A public API without a token would be open to anyone.
fn ports(site: &Site, found: &mut Vec<Diagnostic>) {
    if site.web.token.is_none() && !site.web.listen.ip().is_loopback() {
        let finding = site.places.at("web.listen", "the API is open to others only with a `token`");
        found.push(finding.help("set `token`, or listen on 127.0.0.1"));
    }
    for (path, port) in [("sip.listen", site.sip.listen.port()), ("web.listen", site.web.listen.port())] {
        if site.media.ports.contains(&port) {
            found.push(site.places.at(path, format!("port {port} lies within the media ports")));
        }
    }
}

/// For each tenant that uses the flow: its queues exist, and somebody there can serve each language.
fn flow_queues(site: &Site, name: &str, flow: &Flow) -> Vec<Diagnostic> {
    let tenants: BTreeSet<&Tenant> = site.numbers.iter().filter(|n| n.flow == name).map(|n| &n.tenant).collect();
    let mut found = Vec::new();
    for (tenant, used) in tenants.iter().flat_map(|tenant| flow.queues().into_iter().map(move |used| (*tenant, used))) {
        let queue = QueueId::new(tenant, &used.name).ok().and_then(|id| site.queues.get_key_value(&id));
        let Some((id, queue)) = queue else {
            let finding = flow.at(used.place, format!("there is no queue `{}` in the tenant `{tenant}`", used.name));
            let known = site.queues.keys().filter(|id| id.tenant() == *tenant).map(QueueId::name);
            found.push(suggest(finding, &used.name, known));
            continue;
        };
        let agents = serving(site, id);
        let meets = |asked: &Requirement| agents.iter().any(|agent| queue.requires.and(asked).met_by(&agent.acd.skills));
        let unmet = used.requires.iter().filter(|(_, asked)| !agents.is_empty() && !meets(asked));
        found.extend(unmet.map(|(lang, asked)| {
            let message = format!("no agent of `{id}` can take a caller in `{lang}`: asked is `{}`", queue.requires.and(asked));
            flow.at(used.place, message).help("give an agent these skills, or lower what is asked")
        }));
    }
    found
}

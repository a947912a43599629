//! People: which queues they serve, how their phones are known, and what they dial.

use super::{known_queue, known_tenant, twice};
use crate::model::{Agent, Phone, Site, whispered};
use acd::Change;
use base::{AgentId, Diagnostic, Lang};
use speech::{AgentNotice, LANGUAGES, Phrase};
use std::collections::BTreeSet;

pub fn agents(site: &Site, found: &mut Vec<Diagnostic>) {
    for (id, agent) in &site.agents {
        known_tenant(site, &id.tenant(), &format!("agents.{id}"), found);
        if agent.acd.queues.is_empty() && !agent.supervisor && !steps_in(site, id, agent) {
            let path = format!("agents.{id}.queues");
            found.push(site.places.at(&path, format!("the agent `{id}` serves no queue")).warning());
        }
        for (i, queue) in agent.acd.queues.iter().enumerate() {
            known_queue(site, queue, &format!("agents.{id}.queues.{i}"), found);
        }
    }
}

/// True if a queue of the tenant is widened to one of the agent's groups.
fn steps_in(site: &Site, id: &AgentId, agent: &Agent) -> bool {
    let of_tenant = site.queues.iter().filter(|(queue, _)| queue.tenant() == id.tenant());
    let mut steps = of_tenant.flat_map(|(_, queue)| &queue.relax);
    steps.any(|step| matches!(&step.change, Change::Widen { group } if agent.acd.groups.contains(group)))
}

/// Users of phones and trunks are one list: a digest names nobody else.
pub fn phones(site: &Site, found: &mut Vec<Diagnostic>) {
    let of_agent = |(id, agent): (&AgentId, &Agent)| match &agent.phone {
        Phone::Registered(credential) => Some((credential.user.clone(), format!("agents.{id}.phone.user"))),
        Phone::Address { .. } => None,
    };
    let of_trunks = site.trunks.iter().enumerate().filter_map(|(i, trunk)| {
        trunk.credential.as_ref().map(|credential| (credential.user.clone(), format!("trunks.{i}.credential.user")))
    });
    twice(site, site.agents.iter().filter_map(of_agent).chain(of_trunks), |user| user, "the user", found);
}

/// A phone is spoken to in its agent's language: once for each language, at the first who has it.
pub fn spoken_to(site: &Site, has_prompt: &dyn Fn(&str) -> bool, found: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<Lang> = BTreeSet::new();
    for (id, agent) in site.agents.iter().filter(|(_, agent)| told.insert(agent.lang)) {
        let path = format!("agents.{id}.lang");
        let notices: Vec<Phrase> = AgentNotice::ALL.into_iter().filter_map(|each| speech::notice(agent.lang, each)).collect();
        let whispers = LANGUAGES.into_iter().filter_map(|caller| speech::whisper(agent.lang, caller));
        if notices.is_empty() {
            let finding = site.places.at(&path, format!("phones cannot be spoken to in `{}`", agent.lang));
            let known = LANGUAGES.map(|lang| lang.to_string()).join(", ");
            found.push(finding.help(format!("expected one of {known}")));
        } else if let Some(silent) = notices.into_iter().chain(whispers).find(|phrase| !has_prompt(&phrase.key())) {
            found.push(site.places.at(&path, format!("the prompt `{}` has no audio", silent.key())));
        }
    }
}

/// Whoever is whispered whose customer it is hears something: in the language of each agent of the account.
pub fn whispers(site: &Site, has_prompt: &dyn Fn(&str) -> bool, found: &mut Vec<Diagnostic>) {
    let accounts =
        site.tenants.iter().enumerate().filter_map(|(i, tenant)| {
            Some((format!("tenants.{i}.whisper"), tenant, site.accounts.get(tenant)?.whisper.as_deref()?))
        });
    let numbers = site.numbers.iter().enumerate();
    let numbers = numbers.filter_map(|(i, n)| Some((format!("numbers.{i}.whisper"), &n.tenant, n.whisper.as_deref()?)));
    for (path, tenant, prompt) in accounts.chain(numbers) {
        let theirs = site.agents.iter().filter(|(id, agent)| id.tenant() == *tenant && agent.whisper);
        let langs: BTreeSet<Lang> = theirs.map(|(_, agent)| agent.lang).collect();
        let silent = langs.into_iter().map(|lang| whispered(prompt, lang)).find(|key| !has_prompt(key));
        found.extend(silent.map(|key| site.places.at(&path, format!("the prompt `{key}` has no audio"))));
    }
}

/// Each code once, and none that another begins with: what follows a code would be taken for the rest of it.
pub fn feature_codes(site: &Site, found: &mut Vec<Diagnostic>) {
    let codes = codes(site);
    twice(site, codes.map(|(key, code)| (code, format!("feature_codes.{key}"))), |code| code, "the code", found);
    for (key, code) in codes {
        let path = format!("feature_codes.{key}");
        if let Some((_, shorter)) = codes.into_iter().find(|(_, other)| code.starts_with(*other) && code != *other) {
            found.push(site.places.at(&path, format!("`{code}` begins like the code `{shorter}`")));
        }
        if site.numbers.iter().any(|number| number.number == code) {
            found.push(site.places.at(&path, format!("`{code}` is also one of the [[numbers]]")));
        }
        if emergency(site).any(|number| number.starts_with(code)) {
            found.push(site.places.at(&path, format!("`{code}` begins an emergency number")));
        }
    }
}

/// What colleagues dial means one phone and nothing else.
pub fn extensions(site: &Site, found: &mut Vec<Diagnostic>) {
    let agents = site.agents.iter().filter_map(|(id, a)| Some((format!("agents.{id}"), id.tenant(), a.extension.as_deref()?)));
    let queues = site.queue_extensions.iter().map(|(id, extension)| (format!("queues.{id}"), id.tenant(), extension.as_str()));
    let all: Vec<_> = agents.chain(queues).map(|(whose, tenant, e)| (format!("{whose}.extension"), tenant, e)).collect();
    let values = all.iter().map(|(path, tenant, extension)| ((*extension, tenant.clone()), path.clone()));
    twice(site, values, |(extension, _)| extension, "the extension", found);
    for (path, _, extension) in all {
        if let Some((key, code)) = codes(site).into_iter().find(|(_, code)| extension.starts_with(*code)) {
            found.push(site.places.at(&path, format!("`{extension}` begins like the feature code `{code}` ({key})")));
        }
        if emergency(site).any(|number| number == extension) {
            found.push(site.places.at(&path, format!("`{extension}` is an emergency number")));
        }
        if site.numbers.iter().any(|number| number.number == extension) {
            found.push(site.places.at(&path, format!("`{extension}` is also one of the [[numbers]]")));
        }
    }
}

fn codes(site: &Site) -> [(&'static str, &str); 9] {
    let codes = &site.feature_codes;
    [
        ("log_in", &codes.log_in),
        ("log_out", &codes.log_out),
        ("pause", &codes.pause),
        ("ready", &codes.ready),
        ("wrap_up", &codes.wrap_up),
        ("code", &codes.code),
        ("monitor", &codes.monitor),
        ("pause_recording", &codes.pause_recording),
        ("resume_recording", &codes.resume_recording),
    ]
}

fn emergency(site: &Site) -> impl Iterator<Item = &str> {
    site.emergency.iter().flat_map(|emergency| emergency.numbers.iter().map(String::as_str))
}

//! From the text of a site file to a [`Site`], table by table.

use crate::model::*;
use crate::reader::{Node, Reading};
use crate::scalar::{Network, Sometimes};
use base::{AgentId, Diagnostic, Lang, QueueId, Requirement, Tenant};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;
use tickets::{Impact, PLACEHOLDERS, Priority, Rule, Webhook, unknown_placeholder};
use toml::de::DeTable;

impl Site {
    /// Reads a site file. `file` is its name in the findings.
    ///
    /// # Errors
    /// Every finding, in the order of the file; nothing is half read.
    pub fn parse(text: &str, file: &str) -> Result<Site, Vec<Diagnostic>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let reading = Reading::new(file, text, table.get_ref());
        for error in &errors {
            reading.report(reading.places.at_span(error.span().unwrap_or(0..0), error.message()));
        }
        if !errors.is_empty() {
            return Err(reading.finish().err().unwrap_or_default());
        }
        let mut root = Node::root(&reading, table.get_ref());
        let site = site(&mut root);
        root.finish();
        let places = reading.finish()?;
        // Without a finding every part was read; the guard keeps that from being a panic.
        let mut site = site.ok_or_else(|| vec![places.at("", "the file could not be read")])?;
        site.places = places;
        Ok(site)
    }
}

/// Reads every part before it asks whether each was good, so that one finding hides no other.
fn site(n: &mut Node) -> Option<Site> {
    let node = n.or("node", 1);
    let name = n.need("name");
    let (sip, media, web) = (section(n, "sip", sip), section(n, "media", media), section(n, "web", web));
    let data = n.or("data", PathBuf::from("data"));
    let recordings = n.or("recordings", PathBuf::from("recordings"));
    let flows = n.or("flows", PathBuf::from("ivr-flows"));
    let tenants = n.list("tenants", |n| n.need::<Tenant>("name"));
    if tenants.is_empty() {
        n.report(n.at("tenants", "expected at least one [[tenants]] with a name"));
    }
    let trunks = n.list("trunks", trunk);
    let numbers = n.list("numbers", number);
    let queues: BTreeMap<_, _> = n.named("queues", queue).into_iter().collect();
    let agents: BTreeMap<_, _> = n.named("agents", agent).into_iter().collect();
    let feature_codes = n.table("feature_codes", feature_codes).unwrap_or_default();
    let tickets = n.list("tickets", ticket_rule);
    let webhook = n.table("webhook", webhook);
    let shutdown = n.or("shutdown", Duration::from_secs(60));
    Some(Site {
        node,
        name: name?,
        sip: sip?,
        media: media?,
        web: web?,
        data,
        recordings,
        flows,
        tenants,
        trunks,
        numbers,
        queues,
        agents,
        feature_codes,
        tickets,
        webhook,
        shutdown,
        places: Default::default(),
    })
}

/// A table that must be there.
fn section<'a, T>(n: &mut Node<'a>, key: &'static str, f: impl FnOnce(&mut Node<'a>) -> Option<T>) -> Option<T> {
    if !n.has(key) {
        n.report(n.at(key, format!("the table [{key}] is missing")));
    }
    n.table(key, f)
}

fn sip(n: &mut Node) -> Option<Sip> {
    let listen = n.need("listen");
    let (advertise, tcp) = (n.opt("advertise"), n.or("tcp", true));
    Some(Sip { listen: listen?, advertise, tcp })
}

fn media(n: &mut Node) -> Option<Media> {
    let ports = n.need("ports");
    let (advertise, silent_after) = (n.opt("advertise"), n.or("silent_after", Duration::from_secs(30)));
    Some(Media { ports: ports?, advertise, silent_after })
}

fn web(n: &mut Node) -> Option<Web> {
    let (listen, token) = (n.need("listen"), n.opt("token"));
    Some(Web { listen: listen?, token })
}

fn trunk(n: &mut Node) -> Option<Trunk> {
    let name: Option<String> = n.need("name");
    let networks = n.or::<Vec<Network>>("networks", Vec::new());
    let port = n.opt("port");
    let credential = n.table("credential", credential);
    if !n.has("networks") && !n.has("credential") {
        n.report(n.at("name", "expected `networks`, `credential` or both: nothing tells this trunk from a stranger"));
    }
    let networks = networks.into_iter().map(|Network(address, length)| (address, length)).collect();
    Some(Trunk { name: name?, networks, port, credential })
}

fn credential(n: &mut Node) -> Option<Credential> {
    let (user, password) = (n.need("user"), n.need("password"));
    let algorithms = n.or("algorithms", vec![Algorithm::Sha256, Algorithm::Md5]);
    if algorithms.is_empty() {
        n.report(n.at("algorithms", "expected at least one of \"sha-256\" and \"md5\""));
    }
    Some(Credential { user: user?, password: password?, algorithms })
}

fn login(n: &mut Node) -> Option<Login> {
    let (realm, user, password) = (n.need("realm"), n.need("user"), n.need("password"));
    Some(Login { realm: realm?, user: user?, password: password? })
}

fn number(n: &mut Node) -> Option<Number> {
    let number: Option<String> = n.need("number");
    let (tenant, flow, lang) = (n.need("tenant"), n.need("flow"), n.opt("lang"));
    let dialled = |c: char| c.is_ascii_alphanumeric() || "+*#-._".contains(c);
    if number.as_ref().is_some_and(|number| number.len() > 32 || !number.chars().all(dialled)) {
        n.report(n.at("number", "expected a number as the trunk sends it, such as \"+525550001000\", at most 32 characters"));
    }
    Some(Number { number: number?, tenant: tenant?, flow: flow?, lang })
}

/// Reads an id, or says at the table's key what is wrong with it.
fn id<T: std::str::FromStr<Err: Display>>(name: &str, kind: &str, n: &Node) -> Option<T> {
    let read = name.parse::<T>();
    read.map_err(|e| n.report(n.at("", e.to_string()).help(format!("write [{kind}.\"tenant/name\"]")))).ok()
}

/// A queue is named as everywhere, `tenant/name`, or by its name alone within its tenant.
fn queue_in(tenant: &Tenant, name: &str, key: &str, n: &Node) -> Option<QueueId> {
    let full = if name.contains('/') { name.parse() } else { QueueId::new(tenant, name) };
    let found = full.map_err(|e| n.report(n.at(key, e.to_string()))).ok()?;
    if found.tenant() != *tenant {
        n.report(n.at(key, format!("expected a queue of the tenant `{tenant}`, found `{found}`")));
        return None;
    }
    Some(found)
}

fn queue(name: &str, n: &mut Node) -> Option<(QueueId, acd::Queue)> {
    let id: Option<QueueId> = id(name, "queues", n);
    let overflow_to: Option<String> = n.opt("overflow_to");
    let overflow_to = match (&id, overflow_to) {
        (Some(id), Some(to)) => queue_in(&id.tenant(), &to, "overflow_to", n),
        _ => None,
    };
    let overflow_after: Option<Duration> = n.opt("overflow_after");
    if overflow_to.is_some() && overflow_after.is_none() && !n.has("overflow_after") {
        n.report(n.at("overflow_to", "expected `overflow_after` beside it: when does a call move on?"));
    }
    let seconds = Duration::from_secs;
    let queue = acd::Queue {
        requires: n.or("requires", Requirement::default()),
        strategy: n.or("strategy", acd::Strategy::LongestIdle),
        weight: n.or("weight", 1),
        ring: n.or("ring", seconds(20)),
        wrap_up: n.or("wrap_up", seconds(10)),
        overflow_after,
        overflow_to,
        capacity: n.or("capacity", 100),
        announce_every: n.or("announce_every", Sometimes(Some(seconds(45)))).0,
        threshold: n.or("threshold", seconds(20)),
        short_abandon: n.or("short_abandon", seconds(5)),
        join_empty: n.or("join_empty", true),
        retry_delay: n.or("retry_delay", seconds(10)),
    };
    if queue.ring.is_zero() {
        n.report(n.at("ring", "expected more than 0 s: a phone that does not ring is not answered"));
    }
    if queue.capacity == 0 {
        n.report(n.at("capacity", "expected at least 1: nobody could wait here"));
    }
    Some((id?, queue))
}

fn agent(name: &str, n: &mut Node) -> Option<(AgentId, Agent)> {
    let id: Option<AgentId> = id(name, "agents", n);
    let display = n.opt("display").unwrap_or_else(|| base::Pii::new(name.rsplit('/').next().unwrap_or(name).to_string()));
    let lang = n.or("lang", Lang::ES);
    let names: Vec<String> = n.or("queues", Vec::new());
    let tenant = id.as_ref().map(AgentId::tenant);
    let queues = tenant.iter().flat_map(|t| names.iter().enumerate().map(move |(i, name)| (t, i, name)));
    let queues = queues.filter_map(|(t, i, name)| queue_in(t, name, &format!("queues.{i}"), n)).collect();
    let acd = acd::Agent {
        skills: n.or("skills", Default::default()),
        queues,
        starts_logged_in: n.or("logged_in", false),
        max_misses: n.or("max_misses", 3),
    };
    let phone = section(n, "phone", phone);
    Some((id?, Agent { acd, display, lang, phone: phone? }))
}

fn phone(n: &mut Node) -> Option<Phone> {
    if !n.has("uri") && !n.has("address") {
        return credential(n).map(Phone::Registered);
    }
    let (uri, addr) = (n.need::<String>("uri"), n.need("address"));
    let login = n.table("login", login);
    if uri.as_ref().is_some_and(|uri| !uri.starts_with("sip:") || uri.contains(char::is_whitespace)) {
        n.report(n.at("uri", "expected a SIP URI such as \"sip:ana@192.0.2.10\""));
    }
    Some(Phone::Address { uri: uri?, addr: addr?, login })
}

fn feature_codes(n: &mut Node) -> Option<FeatureCodes> {
    let codes = FeatureCodes::default();
    Some(FeatureCodes {
        log_in: n.or("log_in", codes.log_in),
        log_out: n.or("log_out", codes.log_out),
        pause: n.or("pause", codes.pause),
        ready: n.or("ready", codes.ready),
    })
}

fn ticket_rule(n: &mut Node) -> Option<Rule> {
    let tenant: Option<Tenant> = n.need("tenant");
    let queue: Option<String> = n.opt("queue");
    let queue = queue.zip(tenant.as_ref()).and_then(|(name, tenant)| queue_in(tenant, &name, "queue", n));
    let when = n.need("when");
    let min_wait = n.or("min_wait", Duration::ZERO);
    let subject = n.or("subject", "Call {call}".to_string());
    if let Some(unknown) = unknown_placeholder(&subject) {
        let finding = n.at("subject", format!("`{{{unknown}}}` stands for nothing"));
        n.report(finding.help(format!("expected one of {{{}}}", PLACEHOLDERS.join("}, {"))));
    }
    let category = n.or("category", "call".to_string());
    let (impact, priority, group) = (n.or("impact", Impact::default()), n.or("priority", Priority::default()), n.opt("group"));
    Some(Rule { tenant: tenant?, queue, when: when?, min_wait, subject, category, impact, priority, group })
}

fn webhook(n: &mut Node) -> Option<Webhook> {
    let url: Option<String> = n.need("url");
    let secret: Option<base::Pii<String>> = n.need("secret");
    if url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        n.report(n.at("url", "expected an address that begins with https:// or http://"));
    }
    if secret.as_ref().is_some_and(|secret| !signing_key(secret.reveal())) {
        n.report(n.at("secret", "expected whsec_ and a key of 24 to 64 bytes in base64 (Standard Webhooks)"));
    }
    let allow_private = n.or("allow_private", false);
    Some(Webhook { url: url?, secret: secret?, allow_private })
}

/// `whsec_` and 32 to 88 characters of base64.
fn signing_key(secret: &str) -> bool {
    let Some(key) = secret.strip_prefix("whsec_") else { return false };
    let body = key.trim_end_matches('=');
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    key.len() % 4 == 0 && key.len() - body.len() <= 2 && (32..=88).contains(&key.len()) && body.bytes().all(base64)
}

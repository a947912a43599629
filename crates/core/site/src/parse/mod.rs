//! From the text of a site file to a [`Site`], table by table.

mod agents;
mod lines;
mod queues;
mod retention;
mod tickets;
mod vault;

use crate::model::*;
use crate::reader::{Node, Reading};
use base::{Diagnostic, QueueId, Tenant};
use sip::sdp::AudioCodec;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
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
    let vault = n.table("vault", vault::vault).unwrap_or_default();
    let retention = n.table("retention", retention::retention).unwrap_or_default();
    let compression = n.table("compression", retention::compression).unwrap_or_default();
    let flows = n.or("flows", PathBuf::from("ivr-flows"));
    let accounts = n.list("tenants", agents::account);
    if accounts.is_empty() {
        n.report(n.at("tenants", "expected at least one [[tenants]] with a name"));
    }
    let tenants = accounts.iter().map(|(tenant, ..)| tenant.clone()).collect();
    let trunks = n.list("trunks", lines::trunk);
    let numbers = n.list("numbers", lines::number);
    let read = n.named("queues", queues::queue);
    let queue_extensions = read.iter().filter_map(|queue| Some((queue.id.clone(), queue.extension.clone()?))).collect();
    let agents = n.named("agents", agents::agent);
    let recording = recording::Policies {
        accounts: accounts.iter().map(|(tenant, _, recorded)| (tenant.clone(), *recorded)).collect(),
        queues: read.iter().filter_map(|queue| Some((queue.id.clone(), queue.record?))).collect(),
        agents: agents.iter().filter_map(|(id, _, recorded)| Some((id.clone(), (*recorded)?))).collect(),
    };
    let queues: BTreeMap<_, _> = read.into_iter().map(|queue| (queue.id, queue.queue)).collect();
    let feature_codes = n.table("feature_codes", agents::feature_codes).unwrap_or_default();
    let emergency = n.table("emergency", lines::emergency);
    let idle_restarts = n.each("idle_restarts").into_iter().collect();
    let shared_numbers = n.each::<lines::Dialled>("shared_numbers").into_iter().map(|number| number.0).collect();
    let tickets = n.list("tickets", tickets::rule);
    let webhook = n.table("webhook", tickets::webhook);
    let shutdown = n.or("shutdown", Duration::from_secs(60));
    Some(Site {
        node,
        name: name?,
        sip: sip?,
        media: media?,
        web: web?,
        data,
        recordings,
        vault,
        retention,
        compression,
        flows,
        tenants,
        accounts: accounts.into_iter().map(|(tenant, account, _)| (tenant, account)).collect(),
        trunks,
        numbers,
        queues,
        queue_extensions,
        agents: agents.into_iter().map(|(id, agent, _)| (id, agent)).collect(),
        recording,
        feature_codes,
        emergency,
        idle_restarts,
        shared_numbers,
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
    let shared_port = shared_port(n, ports.as_ref());
    Some(Media {
        io: n.or("io", PacketIo::Epoll),
        shared_port,
        ports: ports?,
        advertise,
        silent_after,
        jitter_buffer: jitter_buffer(n),
        codecs: codecs(n).unwrap_or_else(|| AudioCodec::USUAL.to_vec()),
    })
}

/// At least a frame, at most a second, beyond which nobody talks to each other.
fn jitter_buffer(n: &mut Node) -> Duration {
    const USUAL: Duration = Duration::from_millis(200);
    let Some(most) = n.opt("jitter_buffer") else { return USUAL };
    if (Duration::from_millis(20)..=Duration::from_secs(1)).contains(&most) {
        return most;
    }
    n.report(n.at("jitter_buffer", "expected between \"20ms\" and \"1s\""));
    USUAL
}

fn shared_port(n: &mut Node, ports: Option<&RangeInclusive<u16>>) -> Option<u16> {
    let port: u16 = n.opt("shared_port")?;
    let within = ports.is_some_and(|ports| ports.contains(&port) || ports.contains(&port.saturating_add(1)));
    if port == 0 || !port.is_multiple_of(2) {
        n.report(n.at("shared_port", "expected an even port: RTP on it, RTCP on the one above"));
    } else if within {
        n.report(n.at("shared_port", "expected a port outside of `ports`, from which each other leg takes one"));
    }
    Some(port)
}

/// Codecs in the order of preference, if any are named.
fn codecs(n: &mut Node) -> Option<Vec<AudioCodec>> {
    let codecs: Vec<AudioCodec> = n.each("codecs");
    if !n.has("codecs") {
        return None;
    }
    if codecs.is_empty() {
        n.report(n.at("codecs", "expected at least one codec such as \"pcma\""));
    }
    for (i, codec) in codecs.iter().enumerate().filter(|(i, codec)| codecs[..*i].contains(codec)) {
        n.report(n.at(&format!("codecs.{i}"), format!("{} is in the list already", codec.name())));
    }
    Some(codecs)
}

fn web(n: &mut Node) -> Option<Web> {
    let (listen, token) = (n.need("listen"), n.opt("token"));
    let desk_gone = n.or("desk_gone", Duration::from_secs(30));
    if desk_gone < Duration::from_secs(5) {
        n.report(n.at("desk_gone", "expected at least 5 s: a desk on a slow line is not gone"));
    }
    Some(Web { listen: listen?, token, desk_gone })
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

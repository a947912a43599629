//! Accounts, trunks, numbers and ports.

use super::{known_tenant, suggest, twice};
use crate::model::{Site, Trunk};
use base::{Diagnostic, Tenant};
use ivr::Flow;
use std::collections::BTreeMap;

pub fn tenants(site: &Site, found: &mut Vec<Diagnostic>) {
    let names = site.tenants.iter().enumerate().map(|(i, tenant)| (tenant, format!("tenants.{i}.name")));
    twice(site, names, |tenant| tenant, "the tenant", found);
    for (i, tenant) in site.tenants.iter().enumerate() {
        let account = site.accounts.get(tenant);
        if let Some(trunk) = account.and_then(|account| account.trunk.as_deref()) {
            outward(site, trunk, &format!("tenants.{i}.trunk"), found);
        }
    }
}

pub fn trunks(site: &Site, found: &mut Vec<Diagnostic>) {
    let names = site.trunks.iter().enumerate().map(|(i, trunk)| (&trunk.name, format!("trunks.{i}.name")));
    twice(site, names, |name| name, "the trunk", found);
    for (i, trunk) in site.trunks.iter().enumerate() {
        let emergency = site.emergency.as_ref().filter(|e| e.trunk == trunk.name).map_or(0, |e| e.reserve);
        if let Some(channels) = trunk.channels.filter(|c| *c < trunk.escalation.saturating_add(emergency) && *c >= emergency) {
            let finding = site.places.at(&format!("trunks.{i}.escalation"), format!("the trunk has only {channels} channels"));
            let kept = format!("{emergency} of them are kept for emergencies");
            found.push(if emergency > 0 { finding.help(kept) } else { finding });
        }
    }
}

/// Reports a trunk that is not there, or by which no call can leave.
fn outward<'a>(site: &'a Site, name: &str, path: &str, found: &mut Vec<Diagnostic>) -> Option<&'a Trunk> {
    let Some(trunk) = site.trunk(name) else {
        let finding = site.places.at(path, format!("there is no trunk `{name}`"));
        found.push(suggest(finding, name, site.trunks.iter().map(|trunk| trunk.name.as_str())));
        return None;
    };
    if trunk.address.is_none() {
        let finding = site.places.at(path, format!("no call can leave by the trunk `{name}`"));
        found.push(finding.help("give it an `address`, where calls are sent"));
    }
    Some(trunk)
}

/// Reports an account whose calls have no way out, although they need one.
pub fn way_out(site: &Site, tenant: &Tenant, path: &str, what_for: &str, found: &mut Vec<Diagnostic>) {
    if site.accounts.get(tenant).is_some_and(|account| account.trunk.is_none()) {
        found.push(site.places.at(path, format!("{what_for}, the account `{tenant}` needs a `trunk`")));
    }
}

pub fn emergency(site: &Site, found: &mut Vec<Diagnostic>) {
    let Some(emergency) = &site.emergency else { return };
    let Some(trunk) = outward(site, &emergency.trunk, "emergency.trunk", found) else { return };
    if let Some(channels) = trunk.channels.filter(|channels| *channels < emergency.reserve) {
        found.push(site.places.at("emergency.reserve", format!("the trunk `{}` has only {channels} channels", trunk.name)));
    }
}

pub fn numbers(site: &Site, flows: &BTreeMap<String, Flow>, found: &mut Vec<Diagnostic>) {
    let dialled = site.numbers.iter().enumerate().map(|(i, n)| (&n.number, format!("numbers.{i}.number")));
    twice(site, dialled, |number| number, "the number", found);
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
    let taken = |trunk: &Trunk| !trunk.networks.is_empty() || trunk.credential.is_some();
    if !site.numbers.is_empty() && !site.trunks.iter().any(taken) {
        found.push(site.places.at("numbers", "no [[trunks]]: nobody may call these numbers"));
    }
}

/// A public API without a token would be open to anyone.
pub fn ports(site: &Site, found: &mut Vec<Diagnostic>) {
    if site.web.token.is_none() && !site.web.listen.ip().is_loopback() {
        let finding = site.places.at("web.listen", "the API is open to others only with a `token`");
        found.push(finding.help("set `token`, or listen on 127.0.0.1"));
    }
    for (path, port) in [("sip.listen", site.sip.listen.port()), ("web.listen", site.web.listen.port())] {
        if site.media.ports.contains(&port) {
            found.push(site.places.at(path, format!("port {port} lies within the media ports")));
        }
        if site.media.shared_port.is_some_and(|shared| (shared..=shared.saturating_add(1)).contains(&port)) {
            found.push(site.places.at(path, format!("port {port} is one of the shared media port")));
        }
    }
    for (i, _) in site.trunks.iter().enumerate().filter(|(_, t)| t.shares_port && site.media.shared_port.is_none()) {
        let finding = site.places.at(&format!("trunks.{i}.shares_port"), "there is no port to share");
        found.push(finding.help("write `shared_port` in [media], an even port outside of `ports`"));
    }
}

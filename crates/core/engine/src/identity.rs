//! Who calls, and whom: what a trunk says of both, and what may be made of it (calls.md line 14).
//!
//! A number is what the network writes, kept as it came; compared and remembered in one form (numbers.rs). Whoever wants
//! to stay unknown is nobody here: no number, no name, no party. A number is never proof of who calls.

use crate::centre::Centre;
use crate::numbers::{at_home, e164};
use base::{CallId, PartyId, Pii};
use sip::IncomingInvite;
use site::{Country, Number, Site};

/// What peers write where there is no number.
const NOBODY: [&str; 6] = ["anonymous", "unknown", "unavailable", "restricted", "private", "withheld"];

/// The caller's number as the network wrote it; `None` if it is withheld or not known.
pub fn caller(invite: &IncomingInvite) -> Option<&str> {
    let number: &str = invite.caller.reveal();
    (!invite.withheld && is_somebody(number)).then_some(number)
}

fn is_somebody(number: &str) -> bool {
    !number.is_empty() && !NOBODY.iter().any(|nobody| number.eq_ignore_ascii_case(nobody))
}

/// What the same caller is known by, whichever way the network writes the number.
pub fn known_as(site: &Site, trunk: &str, written: &str) -> Pii<String> {
    Pii::new(e164(country(site, trunk), written).unwrap_or_else(|| written.to_string()))
}

/// Many people call from there: no place and no agent is remembered by it.
pub fn is_shared(site: &Site, trunk: &str, written: &str) -> bool {
    let country = country(site, trunk);
    let form = e164(country, written);
    let same = |shared: &String| *shared == written || (form.is_some() && e164(country, shared) == form);
    site.shared_numbers.iter().any(same)
}

/// The number of ours that the call was meant for: the first of those it was diverted from that is ours, else the one
/// dialled. So one line may serve the numbers of several tenants.
pub fn dialled<'a>(site: &'a Site, trunk: &str, invite: &IncomingInvite) -> Option<&'a Number> {
    let country = country(site, trunk);
    invite.diverted_from.iter().chain([&invite.dialled]).find_map(|number| ours(site, country, number))
}

fn ours<'a>(site: &'a Site, country: Option<Country>, written: &str) -> Option<&'a Number> {
    let by_form = || {
        let form = e164(country, written)?;
        site.numbers.iter().find(|number| e164(country, &number.number).as_ref() == Some(&form))
    };
    site.number(written).or_else(by_form)
}

fn country(site: &Site, trunk: &str) -> Option<Country> {
    site.trunk(trunk).and_then(|t| t.country)
}

/// A number that a caller keyed in is called only within the trunk's country: nobody is to make us dial the far end of
/// the world. Without a country, anything but the prefixes that lead abroad.
pub fn may_be_called(site: &Site, trunk: &str, keyed: &str) -> bool {
    match country(site, trunk) {
        Some(country) => e164(Some(country), keyed).is_some_and(|form| at_home(country, &form)),
        None => !keyed.starts_with("00") && !keyed.starts_with("011"),
    }
}

impl Centre {
    /// Whom routing remembers: nobody, if many people call by that number.
    pub(crate) fn routing_party(&self, id: CallId) -> Option<PartyId> {
        let call = self.calls.get(&id)?;
        let shared = is_shared(&self.setup.site, &call.trunk, call.caller.reveal());
        call.party.filter(|_| !shared)
    }
}

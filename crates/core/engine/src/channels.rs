//! Channels of trunks: what each tenant is sure of, how far it may go beyond that, and what is kept for emergencies
//! (calls.md line 17). A leg to or from outside the centre takes one, whichever way it came to be.
//!
//! ```text
//!  a trunk's channels │ taken │ free for anyone │ guaranteed to others, not taken │ escalation │ emergency reserve │
//! ```
//! A tenant below its guarantee may also take what is guaranteed to others: a trunk whose guarantees add up to more than
//! it has is the site's own doing, and first come is served first then. What is kept for escalation is for whoever has
//! a caller on the line already.

use crate::centre::Centre;
use crate::party::Errand;
use base::fact::Direction;
use base::{CallId, Cause, LegId, Tenant};
use site::Site;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who has which channel.
#[derive(Default)]
pub struct Channels {
    legs: BTreeMap<LegId, (Tenant, Arc<str>)>,
    of_tenants: BTreeMap<Tenant, u32>,
    of_trunks: BTreeMap<Arc<str>, u32>,
}

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    Any,
    /// A caller is on the line already, and needs somebody else.
    Escalation,
}

/// Why there is no channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The tenant has as many as it may have.
    Tenant,
    /// The trunk has no more, or what is left is for others.
    Trunk,
}

impl Channels {
    /// # Errors
    /// Whose limit is reached.
    pub fn check(&self, site: &Site, tenant: &Tenant, trunk: &str, claim: Claim) -> Result<(), Full> {
        let used = self.of_tenant(tenant);
        let account = site.accounts.get(tenant);
        if account.and_then(|account| account.burst).is_some_and(|burst| used >= burst) {
            return Err(Full::Tenant);
        }
        let limits = site.trunk(trunk).and_then(|t| Some((t.channels?, t.escalation)));
        let Some((channels, escalation)) = limits else { return Ok(()) };
        let escalation = if claim == Claim::Escalation { 0 } else { escalation };
        let emergency = site.emergency.as_ref().filter(|e| e.trunk == trunk).map_or(0, |e| e.reserve);
        let own = account.is_some_and(|account| used < account.guaranteed);
        let others = if own { 0 } else { self.still_guaranteed(site, tenant, trunk) };
        let taken = self.of_trunk(trunk) + emergency + escalation + others;
        if taken < channels { Ok(()) } else { Err(Full::Trunk) }
    }

    pub fn take(&mut self, leg: LegId, tenant: &Tenant, trunk: &Arc<str>) {
        self.give(leg);
        *self.of_tenants.entry(tenant.clone()).or_default() += 1;
        *self.of_trunks.entry(trunk.clone()).or_default() += 1;
        self.legs.insert(leg, (tenant.clone(), trunk.clone()));
    }

    /// The leg is over; one that took none gives none.
    pub fn give(&mut self, leg: LegId) {
        let Some((tenant, trunk)) = self.legs.remove(&leg) else { return };
        less(&mut self.of_tenants, &tenant);
        less(&mut self.of_trunks, &trunk);
    }

    /// The call is over, with whatever legs it still had.
    pub fn give_all(&mut self, call: CallId) {
        let legs: Vec<LegId> = self.legs.range(LegId { call, n: 0 }..=LegId { call, n: u16::MAX }).map(|(leg, _)| *leg).collect();
        legs.into_iter().for_each(|leg| self.give(leg));
    }

    pub fn of_tenant(&self, tenant: &Tenant) -> u32 {
        self.of_tenants.get(tenant).copied().unwrap_or(0)
    }

    pub fn of_trunk(&self, trunk: &str) -> u32 {
        self.of_trunks.get(trunk).copied().unwrap_or(0)
    }

    /// What the other tenants of this trunk are sure of and have not taken.
    fn still_guaranteed(&self, site: &Site, tenant: &Tenant, trunk: &str) -> u32 {
        // Calls come in by any trunk; they leave by the tenant's own.
        let comes_only = site.trunk(trunk).is_some_and(|t| t.address.is_none());
        let on_it = |name: &Option<String>| comes_only || name.as_deref().is_none_or(|name| name == trunk);
        let others = site.accounts.iter().filter(|(other, account)| *other != tenant && on_it(&account.trunk));
        others.map(|(other, account)| account.guaranteed.saturating_sub(self.of_tenant(other))).sum()
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Centre {
    /// A channel for a call that comes in; else why it is refused, before it is answered.
    pub(crate) fn take_channel(&mut self, id: CallId) -> Option<(u16, Cause)> {
        let call = self.calls.get(&id).filter(|call| call.direction == Direction::Incoming)?;
        let (tenant, trunk) = (call.tenant.clone(), call.trunk.clone());
        match self.channels.check(&self.setup.site, &tenant, &trunk, Claim::Any) {
            Ok(()) => {
                self.channels.take(LegId::caller(id), &tenant, &trunk);
                None
            }
            Err(Full::Tenant) => Some((486, Cause::ChannelLimit)),
            Err(Full::Trunk) => Some((480, Cause::ChannelLimit)),
        }
    }

    /// The trunk to this number, if it has a channel for the tenant. An emergency call always goes out: its own trunk says
    /// no, if anybody does.
    pub(crate) fn free_trunk(&self, tenant: &Tenant, number: &str, claim: Claim) -> Option<Arc<str>> {
        let trunk = self.trunk_to(tenant, number)?;
        let free = self.setup.is_emergency(number) || self.channels.check(&self.setup.site, tenant, &trunk, claim).is_ok();
        free.then_some(trunk)
    }

    /// An agent's consultation or transfer, and a caller whom a queue did not serve, may use what is kept for escalation.
    pub(crate) fn claim(&self, id: CallId, errand: &Errand) -> Claim {
        let waited = || self.calls.get(&id).is_some_and(|call| call.visits > 0);
        match errand {
            Errand::Consult | Errand::Transfer => Claim::Escalation,
            Errand::Forward if waited() => Claim::Escalation,
            _ => Claim::Any,
        }
    }

    /// Legs that are dialled for this errand take channels of the trunk they leave by.
    pub(crate) fn take_channels(&mut self, id: CallId, errand: &Errand, number: &str) {
        let Some(call) = self.calls.get(&id) else { return };
        let (tenant, legs) = (call.tenant.clone(), call.reached(errand));
        let Some(trunk) = self.trunk_to(&tenant, number) else { return };
        legs.into_iter().for_each(|leg| self.channels.take(leg, &tenant, &trunk));
    }

    fn trunk_to(&self, tenant: &Tenant, number: &str) -> Option<Arc<str>> {
        let emergency = self.setup.site.emergency.as_ref().filter(|_| self.setup.is_emergency(number));
        emergency.map(|e| e.trunk.as_str()).or(self.setup.trunk_of(tenant)).map(Into::into)
    }
}

//! A confirmed dialog is renewed: UPDATE both ways, and the session timer (RFC 3311, RFC 4028).
//!
//! ```text
//!           ┌────────┐ half of the interval, if it is ours to refresh:
//!   2xx ───▶│ leased │ UPDATE, or a re-INVITE where the peer takes none
//!           └─┬────▲─┘
//!             │    └── a 2xx to a re-INVITE or an UPDATE, from either side: `Refreshed`
//!   nobody    ▼
//!   did: BYE, `Ended { by: Lost }`
//! ```

use super::lease::Lease;
use super::reoffer::Established;
use super::{Leg, State, caller, challenge, hangup};
use crate::desk::Desk;
use crate::respond::sdp_of;
use crate::transaction::timer::Wait;
use crate::transaction::{Errand, TxId};
use crate::{HeaderId, Message, Method, Output};
use std::time::Duration;

/// Between tries to refresh that did not succeed.
const RETRY: Duration = Duration::from_secs(10);

impl Established {
    /// The peer's UPDATE. One without an offer is a refresh, or moves the target.
    pub fn on_update(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, update: &Message) {
        if sdp_of(update).is_some() {
            return self.on_offer(desk, leg, tx, update);
        }
        self.dialog.refresh(update);
        let lease = Lease::accept(desk.config, update, self.lease);
        caller::confirm(desk, leg, tx, None, lease);
        self.renew_lease(desk, leg, lease);
    }

    /// A PRACK after our 200: right only for a provisional that the 200 did not wait for (RFC 3262 3).
    pub fn on_prack(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, prack: &Message) {
        let owed = self.owed_prack.as_mut();
        let known = owed.and_then(|(reliable, sequence)| reliable.acknowledge(desk, leg, prack, *sequence)).is_some();
        let status = if known { 200 } else { 481 };
        desk.reply(tx, status, None, |builder| builder);
    }

    /// As the dialog is confirmed.
    pub fn begin_lease(&mut self, desk: &mut Desk<'_>, leg: &Leg, lease: Option<Lease>) {
        self.lease = lease;
        desk.disarm(leg.id, Wait::Refresh);
        desk.disarm(leg.id, Wait::Expiry);
        if let Some(lease) = lease {
            desk.arm(leg.id, Wait::Expiry, lease.over_after());
            if lease.ours {
                desk.arm(leg.id, Wait::Refresh, lease.refresh_after());
            }
        }
    }

    /// A 2xx to an INVITE or an UPDATE in the dialog, theirs or ours. `None`: from now on there is none.
    pub(super) fn renew_lease(&mut self, desk: &mut Desk<'_>, leg: &Leg, lease: Option<Lease>) {
        let told = self.lease.is_some() || lease.is_some();
        self.begin_lease(desk, leg, lease);
        if told {
            desk.out.push(Output::Refreshed { session: leg.id });
        }
    }

    pub(super) fn refresh_later(&self, desk: &mut Desk<'_>, leg: &Leg) {
        if self.lease.is_some_and(|lease| lease.ours) {
            desk.arm(leg.id, Wait::Refresh, RETRY);
        }
    }

    pub fn on_refresh_due(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        let Some(lease) = self.lease.filter(|lease| lease.ours && self.leaving.is_none()) else {
            return;
        };
        let sent = match self.dialog.allows_update {
            true => self.send_update(desk, leg, lease),
            false => self.refresh_by_offer(desk, leg),
        };
        if !sent {
            self.refresh_later(desk, leg);
        }
    }

    fn send_update(&mut self, desk: &mut Desk<'_>, leg: &Leg, lease: Lease) -> bool {
        let (builder, flow) = self.dialog.request(desk, Method::Update);
        let builder = crate::respond::abilities(builder.header(HeaderId::Contact, desk.contact(flow)));
        let bytes = lease.write_request(builder).finish();
        desk.request(flow, bytes, leg.id, Errand::Refresh).is_some()
    }

    /// What came back to our UPDATE.
    pub fn on_refreshed(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, response: &Message, status: u16) -> State {
        match status {
            ..200 => {}
            200..300 => {
                self.dialog.refresh(response);
                self.renew_lease(desk, leg, Lease::granted(response));
            }
            // RFC 3261 12.2.1.2.
            408 | 481 => return self.lose(desk, leg, status == 408),
            401 | 407 if challenge::again(desk, leg, &mut self.dialog, tx, response, Errand::Refresh).is_some() => {}
            405 | 501 => {
                self.dialog.allows_update = false;
                self.on_refresh_due(desk, leg);
            }
            _ => {
                self.lengthen_lease(response, status);
                self.refresh_later(desk, leg);
            }
        }
        State::Established(self)
    }

    /// RFC 4028 7.4: a 422 says how long the interval must be; the next try asks for that.
    pub(super) fn lengthen_lease(&mut self, refused: &Message, status: u16) {
        let longer = self.lease.filter(|_| status == 422).and_then(|lease| lease.longer(refused));
        self.lease = longer.or(self.lease);
    }

    /// Nobody refreshed, or the peer is gone.
    pub fn lose(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, says_bye: bool) -> State {
        self.give_up_theirs(desk);
        hangup::lost(desk, leg, says_bye.then_some(self.dialog))
    }
}

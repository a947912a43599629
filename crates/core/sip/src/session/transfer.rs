//! A transfer that the peer asks for, and the subscription that its REFER implies (RFC 3515, RFC 4488).
//!
//! ```text
//!           REFER in                  AcceptRefer: 202, NOTIFY 100
//!  ┌──────┐ ───────────▶ ┌───────┐ ───────────────────────────────▶ ┌───────────┐ ReferProgress: NOTIFY,
//!  │ None │              │ Asked │                                  │ Reporting │ one at a time
//!  └──▲───┘ ◀─────────── └───────┘                                  └─────┬─────┘
//!     │   RefuseRefer; norefersub: 202 without NOTIFY                     │ the NOTIFY of a final status answered;
//!     └───────────────────────────────────────────────────────────────────┘ 481, no answer, 180 s
//! ```
//! A blind transferor often says BYE before the transfer is through. That ends the INVITE's usage of the dialog and
//! not the subscription's (RFC 5057 4.2): the dialog is kept for its NOTIFYs until one of the ends above.

use super::{Session, State, challenge};
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::refer::Asked;
use crate::transaction::timer::Wait;
use crate::transaction::{Errand, TxId};
use crate::{Builder, Flow, HeaderId, Message, Method, Output, Refusal, SessionId};
use std::time::Duration;

/// As long as a proxy lets an INVITE ring (RFC 3261 16.6, timer C): who asked for a transfer knows by then.
const SUBSCRIPTION: Duration = Duration::from_secs(180);
const SIPFRAG: &str = "message/sipfrag;version=2.0";

#[derive(Debug, Default)]
pub(super) enum Transfer {
    #[default]
    None,
    Asked {
        tx: TxId,
        sequence: u32,
        silent: bool,
    },
    Reporting(Report),
}

#[derive(Debug)]
pub(super) struct Report {
    /// `id` of the Event: only from a dialog's second REFER on, as old phones know none (RFC 3515 2.4.6).
    id: Option<u32>,
    /// The NOTIFY that is not answered yet, by its sequence number. The next one waits, so that none overtakes it.
    in_flight: Option<u32>,
    /// What to say next. A final status is never replaced.
    next: Option<u16>,
    /// The last NOTIFY said that it is the last.
    last_said: bool,
    until: base::Instant,
}

impl Session {
    pub(super) fn on_refer(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message, asked: Option<Result<Asked, u16>>) {
        let asked = match (asked, &self.state, &self.transfer) {
            (Some(Err(status)), ..) => Err(status),
            (_, State::Closing(_) | State::Over(_), _) | (None, ..) => Err(481),
            // What rings is not transferred: its caller dials again.
            (_, State::Incoming(_) | State::Outgoing(_), _) => Err(403),
            (_, _, Transfer::Asked { .. }) => Err(491),
            (_, _, Transfer::Reporting(report)) if !report.last_said => Err(491),
            (Some(Ok(asked)), ..) => Ok(asked),
        };
        match asked {
            Err(status) => desk.reply(tx, status, None, |builder| builder),
            Ok(Asked { refer, silent }) => {
                let sequence = request.cseq().map_or(0, |(sequence, _)| sequence);
                self.transfer = Transfer::Asked { tx, sequence, silent };
                desk.out.push(Output::Referred { session: self.leg.id, refer: Box::new(refer) });
            }
        }
    }

    pub fn on_accept_refer(&mut self, desk: &mut Desk<'_>) {
        let Transfer::Asked { tx, sequence, silent } = self.transfer else {
            return;
        };
        let contact = desk.transactions.source_of(tx).map(|flow| desk.contact(flow));
        desk.reply(tx, 202, None, |builder| {
            let builder = builder.maybe(HeaderId::Contact, contact);
            if silent { builder.header(HeaderId::ReferSub, "false") } else { builder }
        });
        self.transfer = Transfer::None;
        if silent {
            return;
        }
        let id = (self.referrals > 0).then_some(sequence);
        self.referrals = self.referrals.saturating_add(1);
        let until = desk.now.mono + SUBSCRIPTION;
        self.transfer = Transfer::Reporting(Report { id, in_flight: None, next: None, last_said: false, until });
        desk.arm(self.leg.id, Wait::Subscription, SUBSCRIPTION);
        self.on_refer_progress(desk, 100);
    }

    pub fn on_refuse_refer(&mut self, desk: &mut Desk<'_>, refusal: &Refusal) {
        if let Transfer::Asked { tx, .. } = self.transfer {
            self.transfer = Transfer::None;
            super::caller::refuse(desk, &self.leg, tx, refusal);
        }
    }

    pub fn on_refer_progress(&mut self, desk: &mut Desk<'_>, status: u16) {
        if let Transfer::Reporting(report) = &mut self.transfer {
            let decided = report.last_said || report.next.is_some_and(|next| next >= 200);
            if !decided && (100..700).contains(&status) {
                report.next = Some(status);
            }
        }
        self.notify(desk);
    }

    /// The answer to a NOTIFY. What is no success ends the subscription (RFC 6665 4.2.2), never the call.
    pub(super) fn on_notified(&mut self, desk: &mut Desk<'_>, tx: TxId, response: &Message, status: u16) {
        let sequence = response.cseq().map(|(sequence, _)| sequence).ok();
        let Transfer::Reporting(report) = &mut self.transfer else {
            return;
        };
        if status < 200 || report.in_flight != sequence {
            return;
        }
        report.in_flight = match (status, dialog_of(&mut self.state)) {
            (401 | 407, Some(dialog)) => challenge::again(desk, &self.leg, dialog, tx, response, Errand::Notify),
            _ => None,
        };
        if report.in_flight.is_some() {
            return;
        }
        if report.last_said || status >= 300 {
            return self.end_subscription(desk);
        }
        self.notify(desk);
    }

    /// Nobody answers our NOTIFYs, or they can't be sent.
    pub(super) fn end_subscription(&mut self, desk: &mut Desk<'_>) {
        if let Transfer::Reporting(_) = self.transfer {
            self.transfer = Transfer::None;
            desk.disarm(self.leg.id, Wait::Subscription);
            self.forget_dialog();
        }
    }

    /// The subscription's time is over: that is said in a last NOTIFY.
    pub(super) fn on_subscription_due(&mut self, desk: &mut Desk<'_>) {
        if let (Transfer::Reporting(report), Some(dialog)) = (&mut self.transfer, dialog_of(&mut self.state)) {
            send(desk, self.leg.id, dialog, report.id, 408, "terminated;reason=timeout");
        }
        self.end_subscription(desk);
    }

    /// Something may still have to be said, though the call is over.
    pub fn is_reporting(&self) -> bool {
        matches!(self.transfer, Transfer::Reporting(_))
    }

    /// After each step of the session: a dialog that is gone takes its subscription along, one that ended by a BYE
    /// is kept for it. A REFER that nobody answered is answered now.
    pub(super) fn settle_transfer(&mut self, desk: &mut Desk<'_>) {
        let State::Over(dialog) = &self.state else {
            return;
        };
        match self.transfer {
            Transfer::Asked { tx, .. } => {
                desk.reply(tx, 487, None, |builder| builder);
                self.transfer = Transfer::None;
                self.forget_dialog();
            }
            Transfer::Reporting(_) if dialog.is_none() => self.end_subscription(desk),
            Transfer::Reporting(_) => {}
            Transfer::None => self.forget_dialog(),
        }
    }

    fn forget_dialog(&mut self) {
        if let State::Over(dialog) = &mut self.state {
            *dialog = None;
        }
    }

    fn notify(&mut self, desk: &mut Desk<'_>) {
        let (Transfer::Reporting(report), Some(dialog)) = (&mut self.transfer, dialog_of(&mut self.state)) else {
            return;
        };
        let Some(status) = report.next.filter(|_| report.in_flight.is_none()) else {
            return;
        };
        report.next = None;
        report.last_said = status >= 200;
        let left = report.until.since(desk.now.mono).as_secs();
        let state = match report.last_said {
            true => "terminated;reason=noresource".to_owned(),
            false => format!("active;expires={left}"),
        };
        report.in_flight = send(desk, self.leg.id, dialog, report.id, status, &state);
        if report.in_flight.is_none() {
            self.end_subscription(desk);
        }
    }
}

/// Where a NOTIFY may go: the call's dialog, in whatever state it is.
fn dialog_of(state: &mut State) -> Option<&mut Dialog> {
    match state {
        State::Established(established) => Some(&mut established.dialog),
        State::Closing(closing) => Some(&mut closing.dialog),
        State::Over(dialog) => dialog.as_deref_mut(),
        State::Incoming(_) | State::Outgoing(_) => None,
    }
}

/// RFC 3515 2.4.5: the body is the status line that the transfer got. Returns the NOTIFY's sequence number.
fn send(desk: &mut Desk<'_>, session: SessionId, dialog: &mut Dialog, id: Option<u32>, status: u16, state: &str) -> Option<u32> {
    let (builder, flow): (Builder, Flow) = dialog.request(desk, Method::Notify);
    let event = id.map_or("refer".to_owned(), |id| format!("refer;id={id}"));
    let line = format!("SIP/2.0 {status} {}\r\n", crate::desk::phrase(status));
    let contact = desk.contact(flow);
    let bytes = crate::respond::abilities(builder)
        .header(HeaderId::Contact, contact)
        .header(HeaderId::Event, event)
        .header(HeaderId::SubscriptionState, state)
        .body(SIPFRAG, line.as_bytes());
    desk.request(flow, bytes, session, Errand::Notify).map(|_| dialog.local_sequence)
}

//! Transactions: four machines, the table that feeds them, and the timers.
//!
//! ```text
//!   request in ──▶ absorb ─┬─ known: its machine acts (repeat the response, take the ACK)
//!                          └─ new ──▶ endpoint ──▶ accept … respond
//!  response in ──▶ on_response ──▶ machine ──▶ Event::Response ──▶ session
//!     alarm due ──▶ on_timer ────▶ machine ──▶ Event::TimedOut, Event::Gone
//! ```
//! The machines know no message and no clock: they say what to do ([`Act`]) and the table does it.

mod client;
mod derived;
mod invite_client;
mod invite_server;
mod key;
mod server;
mod table;
#[cfg(test)]
mod table_test;
pub(crate) mod timer;

pub(crate) use derived::{cancel_of, reply_flow};
pub(crate) use table::Transactions;

use crate::{Flow, Message, SessionId};
use smallvec::SmallVec;
use std::time::Duration;
use timer::Timer;

/// What a machine wants done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The stored message, to the wire.
    Transmit,
    /// ACK to a 300-699.
    Acknowledge,
    /// The response, to the session.
    Pass,
    Arm(Timer, Duration),
    Disarm(Timer),
    /// Nobody answered.
    TimedOut,
    /// The transport failed.
    Broken,
    /// Nothing more will happen; forget it.
    Gone,
}

pub(crate) type Acts = SmallVec<[Act; 6]>;

/// What a transaction is for. Responses and failures come back with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    Invite,
    Reinvite,
    Cancel,
    Bye,
    Notify,
    Prack,
    /// An UPDATE that renews the session timer.
    Refresh,
    /// What comes back changes nothing: the BYE to a fork that lost.
    Stray,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub session: SessionId,
    pub errand: Errand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TxId(u64);

/// What the sessions hear of their transactions.
#[derive(Debug)]
pub(crate) enum Event {
    Response { owner: Owner, tx: TxId, response: Box<Message> },
    TimedOut { owner: Owner },
    Broken { owner: Owner, flow: Flow },
    Gone { owner: Owner },
}

//! Delivery of the ticket book's outbox to webhooks. What is sent when is decided by [`tickets::Outbox`]; here are the
//! clock, the socket and the signature.
//!
//! ```text
//!  Rows::waiting ─▶ Outbox ─ Send ─▶ POST, signed, at most 15 s ─ Answer ─▶ Outbox ─ Save ─▶ Rows::save
//! ```
//!
//! A row is sent at least once; the receiver knows it again by its `webhook-id`, which is the same on every attempt.

#![forbid(unsafe_code)]

mod address;
mod post;
mod retry_after;
mod sender;
mod sign;

pub use address::is_inner;
pub use sender::{Options, Sender};
pub use sign::Signer;

/// Why a webhook can't be used as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("webhook {name}: expected an address such as https://desk.example/hook, without user and password")]
    Url { name: String },
    #[error("webhook {name}: expected a secret of whsec_ and a key of 24 to 64 bytes in base64")]
    Secret { name: String },
}

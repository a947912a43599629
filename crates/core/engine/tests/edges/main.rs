//! Whole calls at a Centre: peers that speak SIP in plain text, a media plane that does as it is told, and a clock that
//! moves when it is moved. Each test is named after the line of calls.md that it proves, where there is one.

// The tests unwrap what must be there.
#![allow(clippy::unwrap_used)]

mod callbacks;
mod channels;
mod crash;
mod early;
mod forward;
mod identity;
mod invariants;
mod peer;
mod phones;
mod policies;
mod quality;
mod recordings;
mod returns;
mod shared_port;
mod stage;
mod storm;
mod voicemail;

//! SIP without I/O: messages, SDP, digest; transactions, dialogs, sessions and registrations as machines.

mod words;

pub use words::*;

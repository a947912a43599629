//! Callers and agents that make real SIP and RTP calls over loopback, in a process of their own.
//!
//! They never know the server's insides: what [`Report`] says was seen on the wire and heard in the sound. RTP is
//! read by the `rtp` crate and decoded here, so that each packet is written by one and read by the other.

pub mod audio;
mod line;
pub mod people;
pub mod plan;
mod process;
mod register;
pub mod report;
mod run;
pub mod sdp;
pub mod streams;

pub use plan::{AgentSpec, CallerMix, LanguageShare, Load, Outside, OwnCalls, Plan, Purpose, Span, Target, Transfers};
pub use process::main_with;
pub use report::{
    AgentReport, CallReport, CalledReport, ConversationReport, Moments, Outcome, OwnCallReport, PassedOn, Progress, Report, Ring,
    Said,
};
pub use run::{Stop, run};

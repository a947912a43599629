//! Callers and agents that make real SIP and RTP calls over loopback, in a process of their own.

pub mod audio;
pub mod people;
pub mod plan;
pub mod report;
pub mod sdp;
pub mod streams;

//! The server against peers that nobody here wrote: sipp and baresip, and a process that is killed.
//!
//! Each test has a part of 127.0.0.0/8, a site, a data folder and a server of its own, waits for facts and never for
//! time, and judges by content: tones in the recording's channels, keys in the facts, what a phone's own file holds.

mod baresip;
mod commands;
mod crash;
mod crash_under_load;
mod early_media;
mod floods;
mod nat;
mod reload;
mod rtcp;
mod sipp_agents;
mod sipp_calls;
mod sipp_changes;
mod sipp_rules;
mod strangers;
mod streams;
mod support;
mod traffic_day;
mod transfers;
mod unrecorded;

//! What benches of the whole server share: the server, the callers and phones, each as a process of its own, and what is
//! asked of the kernel about them.

pub mod cpu;
pub mod people;
pub mod pin;
pub mod relayed;
pub mod scrape;
pub mod server;
pub mod sidecar;
pub mod site;
pub mod words;

use std::time::Duration;

/// How big a run is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub calls: u32,
    pub agents: u32,
    /// New calls in a second, until there are enough.
    pub rate: u32,
    /// How long all of them are held.
    pub hold: Duration,
}

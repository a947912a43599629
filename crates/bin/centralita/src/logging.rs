//! Logs: for a person on a terminal, JSON elsewhere. To standard error, so that standard output is the answer.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// `RUST_LOG` decides, else this level.
pub fn start(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.init() } else { builder.json().init() }
}

//! `centralita recording`: a file per command.

mod list;
mod save;
mod show;

pub use list::table as list;

use super::Done;
use super::client::Client;
use super::render::text;
use clap::Subcommand;
use serde_json::Value;
use std::io::Write;

#[derive(Subcommand, Clone, Debug)]
pub enum Recording {
    /// The newest recordings
    List(list::Options),
    /// What is known of one recording
    Show(show::Options),
    /// Save a recording's sound as WAV: caller left, agent right
    Save(save::Options),
}

impl Recording {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        match self {
            Recording::List(options) => list::run(&options, client, out).await,
            Recording::Show(options) => show::run(&options, client, out).await,
            Recording::Save(options) => save::run(options, client, out).await,
        }
    }
}

fn kept(r: &Value) -> String {
    if r["kept"].is_null() { "running".into() } else { text(&r["kept"]) }
}

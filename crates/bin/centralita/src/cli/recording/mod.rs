//! `centralita recording`: a file per command.

mod access_log;
mod coverage;
mod erase;
mod export;
mod hold;
mod list;
mod pause;
mod play;
mod rekey;
mod retention;
mod show;
mod verify;

pub use list::table as list;

use super::client::Client;
use super::render::{moment, text};
use super::{Done, print};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Write;

#[derive(Subcommand, Clone, Debug)]
pub enum Recording {
    /// Recordings, newest first: by caller, agent, queue, date, length, language, state
    ///
    /// KEPT is how a recording ended, ON DISK what there is of it now: wav, flac, sealed, sealed_flac; erasing, erased,
    /// missing; "pending" for the few seconds until somebody has looked, "-" while it runs. A voice message has no agent.
    #[command(visible_alias = "find")]
    List(list::Options),
    /// What is known of one recording
    Show(show::Options),
    /// Save a recording's sound as WAV, whatever it is on disk: caller left, agent right
    #[command(visible_alias = "save")]
    Export(export::Options),
    /// Play a recording, by aplay of alsa-utils unless --to says otherwise
    Play(play::Options),
    /// Read recordings again from end to end, and find files and rows without each other
    Verify(verify::Options),
    /// Destroy a recording's key and audio
    Erase(erase::Options),
    /// What will be deleted by the rules of [retention], when and why; what is held; when the budget and the disk are full
    Retention(retention::Options),
    /// Keep recordings from being deleted, by anybody, until the hold is released: one, or all that are selected
    Hold(hold::Options),
    /// End a hold
    Release(hold::Release),
    /// What is held, since when, by whom and why
    Holds,
    /// Files and rows that have lost each other, without reading what is in them
    Orphans,
    /// Have the first master key of [[vault.keys]] wrap the keys of all recordings
    Rekey,
    /// Who listened to, exported, verified, erased or held what, or was refused it
    AccessLog(access_log::Options),
    /// What is recorded, today and by policy: what is owed, what became of it, what is left out and why
    Coverage,
    /// Silence in the recording of a conversation, such as while a card's number is said
    Pause(pause::Options),
    /// The end of such a pause
    Resume(pause::Resume),
}

impl Recording {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        match self {
            Recording::List(options) => list::run(&options, client, out).await,
            Recording::Show(options) => show::run(&options, client, out).await,
            Recording::Export(options) => export::run(options, client, out).await,
            Recording::Play(options) => play::run(options, client, out).await,
            Recording::Verify(options) => verify::run(options, client, out).await,
            Recording::Erase(options) => erase::run(options, client, out).await,
            Recording::Retention(options) => retention::run(&options, client, out).await,
            Recording::Hold(options) => hold::hold(&options, client, out).await,
            Recording::Release(options) => hold::release(&options, client, out).await,
            Recording::Holds => hold::holds(client, out).await,
            Recording::Orphans => verify::orphans(client, out).await,
            Recording::Rekey => rekey::run(client, out).await,
            Recording::AccessLog(options) => access_log::run(&options, client, out).await,
            Recording::Coverage => coverage::run(client, out).await,
            Recording::Pause(options) => pause::pause(&options, client, out).await,
            Recording::Resume(options) => pause::resume(&options, client, out).await,
        }
    }
}

/// What is in doubt is taken as what counts, by whoever answers for it.
async fn accept(what: &str, why: Option<&str>, client: &Client, out: &mut dyn Write) -> Done {
    let done = client.post("recordings/accept", Some(json!({ "what": what, "why": why }))).await?;
    print(client, out, &done, |done| format!("{}\n", text(&done["done"])))
}

/// By whom, why and until when; nobody did.
pub fn paused(paused: &Value) -> String {
    if paused.is_null() {
        return "-".into();
    }
    format!("by {} ({}) until {}", text(&paused["who"]), text(&paused["cause"]), moment(&paused["until"]))
}

fn kept(r: &Value) -> String {
    if r["kept"].is_null() { "running".into() } else { text(&r["kept"]) }
}

/// Nobody has looked at one that has just ended.
fn on_disk(r: &Value) -> String {
    if r["form"].is_null() && !r["kept"].is_null() { "pending".into() } else { text(&r["form"]) }
}

/// Whom the caller speaks with.
fn who(r: &Value) -> String {
    if r["message"] == true { "voice message".into() } else { text(&r["agent"]) }
}

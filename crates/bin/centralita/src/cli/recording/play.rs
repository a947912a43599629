//! `centralita recording play`: to a player's standard input, or to ours.

use super::export::{audio, copy};
use crate::cli::client::Client;
use crate::cli::{Done, Failure};
use base::RecordingId;
use clap::Args;
use std::io::{ErrorKind, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The recording, such as 1-3-42.c1.p1
    recording: RecordingId,
    /// Why, for the log of accesses
    #[arg(long, alias = "why", default_value = "")]
    reason: String,
    /// The command that plays a WAV from its standard input; aplay is in the package alsa-utils. "-" writes the WAV to the
    /// output instead
    #[arg(long, env = "CENTRALITA_PLAYER", default_value = "aplay -q -")]
    to: String,
}

pub async fn run(options: Options, client: &Client, out: &mut dyn Write) -> Done {
    let Options { recording, reason, to } = options;
    if to == "-" {
        copy(client, audio(client, recording, "play", &reason).await?, out).await?;
        return Ok(());
    }
    let mut words = to.split_whitespace();
    let command = words.next().unwrap_or_default();
    let cannot = |error: std::io::Error| {
        let why = match error.kind() {
            ErrorKind::NotFound if command == "aplay" => "there is no aplay here; it is in the package alsa-utils".into(),
            ErrorKind::NotFound => format!("there is no {command} here"),
            _ => error.to_string(),
        };
        let expected = "a command that plays a WAV from its standard input, by --to or CENTRALITA_PLAYER, or --to -".into();
        Failure::Refused { error: format!("cannot play with `{to}`: {why}"), expected }
    };
    let mut player = Command::new(command).args(words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(cannot)?;
    let copied = match player.stdin.take() {
        // Asked for once there is a player: what nobody can hear is not written down as heard.
        Some(mut input) => match audio(client, recording, "play", &reason).await {
            Ok(sound) => copy(client, sound, &mut input).await,
            Err(failure) => Err(failure),
        },
        None => Ok(0),
    };
    let ended = player.wait().map_err(cannot)?;
    match copied {
        // Whoever has heard enough ends the player.
        Ok(_) | Err(Failure::Output(_)) if ended.success() || ended.signal().is_some() => Ok(()),
        Err(failure) if !matches!(failure, Failure::Output(_)) => Err(failure),
        _ => Err(cannot(std::io::Error::other(ended.to_string()))),
    }
}

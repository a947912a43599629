//! `centralita recording`.

use super::client::Client;
use super::render::{moment, pairs, rows, span, table, text};
use super::{Done, Failure, print};
use base::{AgentId, CallId, RecordingId};
use clap::Subcommand;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Subcommand, Clone, Debug)]
pub enum Recording {
    /// The newest recordings
    List {
        /// Only those of this call
        #[arg(long)]
        call: Option<CallId>,
        /// Only those of this agent
        #[arg(long)]
        agent: Option<AgentId>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// What is known of one recording
    Show {
        /// The recording, such as 1-3-42.c1.p1
        recording: RecordingId,
    },
    /// Save a recording's sound as WAV: caller left, agent right
    Save {
        recording: RecordingId,
        /// The file; by default the recording's id and .wav, here. "-" writes to the output
        #[arg(long, short)]
        out: Option<PathBuf>,
        /// Write over a file that is there
        #[arg(long)]
        force: bool,
    },
}

impl Recording {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        match self {
            Recording::List { call, agent, limit } => {
                let mut path = format!("recordings?limit={limit}");
                call.iter().for_each(|call| path += &format!("&call={call}"));
                agent.iter().for_each(|agent| path += &format!("&agent={agent}"));
                print(client, out, &client.get(&path).await?, list)
            }
            Recording::Show { recording } => print(client, out, &client.get(&format!("recordings/{recording}")).await?, show),
            Recording::Save { recording, out: file, force } => {
                let body = client.open(&format!("recordings/{recording}/audio")).await?.into_body();
                let file = file.unwrap_or_else(|| format!("{recording}.wav").into());
                if file.as_os_str() == "-" {
                    copy(client, body, out).await?;
                    return Ok(());
                }
                let bytes = save(client, body, &file, force).await?;
                let answer = json!({ "recording": recording, "file": file.display().to_string(), "bytes": bytes });
                print(client, out, &answer, |_| format!("{recording}: {bytes} bytes in {}\n", file.display()))
            }
        }
    }
}

pub fn list(recordings: &Value) -> String {
    let row = |r: &Value| {
        vec![
            text(&r["recording"]),
            moment(&r["started"]),
            span(&r["duration_ms"]),
            kept(r),
            text(&r["queue"]),
            text(&r["agent"]),
            text(&r["lang"]),
        ]
    };
    table(&["RECORDING", "STARTED", "LENGTH", "KEPT", "QUEUE", "AGENT", "LANG"], &rows(recordings, row), "No recordings.")
}

fn show(r: &Value) -> String {
    pairs(&[
        ("recording", text(&r["recording"])),
        ("call", text(&r["call"])),
        ("kept", kept(r)),
        ("reason", text(&r["reason"])),
        ("started", moment(&r["started"])),
        ("length", span(&r["duration_ms"])),
        ("queue, agent", format!("{}, {}", text(&r["queue"]), text(&r["agent"]))),
        ("language", text(&r["lang"])),
        ("SHA-256", text(&r["sha256"])),
    ])
}

fn kept(r: &Value) -> String {
    if r["kept"].is_null() { "running".into() } else { text(&r["kept"]) }
}

/// A file that could not be written whole is not left behind.
async fn save(client: &Client, body: Incoming, path: &Path, force: bool) -> Result<u64, Failure> {
    let mut how = OpenOptions::new();
    if force {
        how.write(true).create(true).truncate(true)
    } else {
        how.write(true).create_new(true)
    };
    let mut file: File = how.open(path).map_err(|error| cannot(path, &error))?;
    let copied = copy(client, body, &mut file).await;
    if copied.is_err() {
        let _ = fs::remove_file(path);
    }
    copied.map_err(|failure| match failure {
        Failure::Output(error) => cannot(path, &error),
        other => other,
    })
}

async fn copy(client: &Client, mut body: Incoming, to: &mut dyn Write) -> Result<u64, Failure> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| client.cut())?.into_data() {
            to.write_all(&data)?;
            bytes += data.len() as u64;
        }
    }
    to.flush()?;
    Ok(bytes)
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    let expected = match error.kind() {
        io::ErrorKind::AlreadyExists => "another name by --out, or --force",
        _ => "a file that can be written, by --out",
    };
    Failure::Refused { error: format!("{}: {error}", path.display()), expected: expected.into() }
}

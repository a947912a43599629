//! `centralita recording save`.

use crate::cli::client::Client;
use crate::cli::{Done, Failure, print};
use base::RecordingId;
use clap::Args;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Args, Clone, Debug)]
pub struct Options {
    recording: RecordingId,
    /// The file; by default the recording's id and .wav, here. "-" writes to the output
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

pub async fn run(options: Options, client: &Client, out: &mut dyn Write) -> Done {
    let Options { recording, out: file, force } = options;
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

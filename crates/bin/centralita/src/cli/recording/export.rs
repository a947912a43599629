//! `centralita recording export`: plain WAV, whatever the recording is on disk.

use crate::cli::client::Client;
use crate::cli::{Done, Failure, print};
use base::RecordingId;
use clap::Args;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The recording, such as 1-3-42.c1.p1
    recording: RecordingId,
    /// Why, for the log of accesses
    #[arg(long, default_value = "")]
    why: String,
    /// The file; by default the recording's id and .wav, here. "-" writes to the output
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

pub async fn run(options: Options, client: &Client, out: &mut dyn Write) -> Done {
    let Options { recording, why, out: file, force } = options;
    let path = file.unwrap_or_else(|| format!("{recording}.wav").into());
    if path.as_os_str() == "-" {
        copy(client, audio(client, recording, "export", &why).await?, out).await?;
        return Ok(());
    }
    // Asked for once there is a file to take it: what nobody gets is not written down as exported.
    let (mut file, is_new) = open(&path, force)?;
    let body = match audio(client, recording, "export", &why).await {
        Ok(body) => body,
        Err(failure) => {
            if is_new {
                let _ = fs::remove_file(&path);
            }
            return Err(failure);
        }
    };
    let bytes = save(client, body, &path, &mut file).await?;
    let answer = json!({ "recording": recording, "file": path.display().to_string(), "bytes": bytes });
    print(client, out, &answer, |_| format!("{recording}: {bytes} bytes in {}\n", path.display()))
}

/// A recording's WAV. The node writes down that it was asked for.
pub async fn audio(client: &Client, recording: RecordingId, act: &str, why: &str) -> Result<Incoming, Failure> {
    let path = format!("recordings/{recording}/audio?as={act}&why={}", encoded(why));
    Ok(client.open(&path).await?.into_body())
}

/// For a query (RFC 3986, 2.1).
fn encoded(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~".contains(b);
    text.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A file to write to, and whether it was not there before. What was in it stays until there is something better.
fn open(path: &Path, force: bool) -> Result<(File, bool), Failure> {
    // A conversation is not for everybody on this machine.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let opened = match made {
        Err(error) if force && error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).open(path).map(|file| (file, false))
        }
        made => made.map(|file| (file, true)),
    };
    opened.map_err(|error| cannot(path, &error))
}

/// A file that could not be written whole is not left behind.
async fn save(client: &Client, body: Incoming, path: &Path, file: &mut File) -> Result<u64, Failure> {
    // A device has no length.
    if file.metadata().is_ok_and(|what| what.is_file()) {
        file.set_len(0).map_err(|error| cannot(path, &error))?;
    }
    let copied = copy(client, body, file).await;
    if copied.is_err() {
        let _ = fs::remove_file(path);
    }
    copied.map_err(|failure| match failure {
        Failure::Output(error) => cannot(path, &error),
        other => other,
    })
}

pub async fn copy(client: &Client, mut body: Incoming, to: &mut dyn Write) -> Result<u64, Failure> {
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

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
use tempfile::NamedTempFile;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The recording, such as 1-3-42.c1.p1
    recording: RecordingId,
    /// Why, for the log of accesses
    #[arg(long, alias = "why", default_value = "")]
    reason: String,
    /// The file; by default the recording's id and .wav, here. "-" writes to the output
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

pub async fn run(options: Options, client: &Client, out: &mut dyn Write) -> Done {
    let Options { recording, reason, out: file, force } = options;
    let path = file.unwrap_or_else(|| format!("{recording}.wav").into());
    if path.as_os_str() == "-" {
        copy(client, audio(client, recording, "export", &reason).await?, out).await?;
        return Ok(());
    }
    let mut stopped = Stopped::listen()?;
    // Asked for once there is a file to take it: what nobody gets is not written down as exported.
    let mut to = open(&path, force).map_err(|error| cannot(&path, &error))?;
    let saved = tokio::select! {
        saved = save(client, recording, &reason, to.file()) => saved,
        () = stopped.wait() => {
            let error = format!("{recording} was not exported: somebody stopped it");
            Err(Failure::Refused { error, expected: "time until it is whole".into() })
        }
    };
    let bytes = match saved {
        Ok(bytes) => to.keep().map(|()| bytes).map_err(Failure::Output),
        Err(failure) => {
            to.leave(&path);
            Err(failure)
        }
    };
    let bytes = bytes.map_err(|failure| match failure {
        Failure::Output(error) => cannot(&path, &error),
        other => other,
    })?;
    let answer = json!({ "recording": recording, "file": path.display().to_string(), "bytes": bytes });
    print(client, out, &answer, |_| format!("{recording}: {bytes} bytes in {}\n", path.display()))
}

/// Ctrl-C and SIGTERM: what is not whole by then is not left behind.
struct Stopped {
    interrupt: Signal,
    terminate: Signal,
}

impl Stopped {
    fn listen() -> io::Result<Stopped> {
        Ok(Stopped { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
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

/// Where the sound goes.
enum To {
    /// Was not there, and is not left behind if it can't be written whole.
    New(File),
    /// Takes that file's place once it is whole.
    Instead(NamedTempFile, PathBuf),
    /// A device or a pipe, which stays whatever becomes of this.
    Into(File),
}

/// A conversation is not for everybody on this machine: a file is its owner's alone.
fn open(path: &Path, force: bool) -> io::Result<To> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if force && error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map(To::New),
    }
    if !fs::metadata(path)?.is_file() {
        return OpenOptions::new().write(true).open(path).map(To::Into);
    }
    let old = fs::canonicalize(path)?;
    let beside = tempfile::Builder::new().suffix(".part").tempfile_in(old.parent().unwrap_or(Path::new("/")))?;
    Ok(To::Instead(beside, old))
}

impl To {
    fn file(&mut self) -> &mut File {
        match self {
            To::New(file) | To::Into(file) => file,
            To::Instead(beside, _) => beside.as_file_mut(),
        }
    }

    fn keep(self) -> io::Result<()> {
        match self {
            To::New(_) | To::Into(_) => Ok(()),
            To::Instead(beside, old) => beside.persist(old).map(drop).map_err(|error| error.error),
        }
    }

    /// What is in it is not whole.
    fn leave(self, path: &Path) {
        if let To::New(_) = self {
            let _ = fs::remove_file(path);
        }
    }
}

async fn save(client: &Client, recording: RecordingId, why: &str, to: &mut File) -> Result<u64, Failure> {
    let body = audio(client, recording, "export", why).await?;
    copy(client, body, to).await
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

//! `centralita serve`: a node, until SIGTERM or Ctrl-C.

use crate::load;
use crate::node::{self, Node};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use vault::Keyring;

pub fn run(path: &Path, as_json: bool) -> ExitCode {
    let (loaded, keys) = match load::to_serve(path) {
        Ok(both) => both,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(serve(loaded, keys, path, as_json))
}

async fn serve(loaded: load::Loaded, keys: Option<Arc<Keyring>>, path: &Path, as_json: bool) -> ExitCode {
    // Before anything is announced: whoever reads `ready` may already ask us to end.
    let listen = || {
        Ok::<_, std::io::Error>((
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        ))
    };
    let Ok((mut terminate, mut interrupt, mut hangup)) = listen() else {
        eprintln!("error: cannot listen for SIGTERM and SIGHUP");
        return ExitCode::FAILURE;
    };
    for warning in &loaded.warnings {
        eprintln!("{warning}\n");
    }
    let node = match Node::start(loaded, keys, node::today(), Some(path.into())).await {
        Ok(node) => node,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    announce(&node, as_json);
    let why = loop {
        tokio::select! {
            _ = hangup.recv() => node.reload("SIGHUP"),
            _ = terminate.recv() => break "SIGTERM",
            _ = interrupt.recv() => break "interrupted",
        }
    };
    let grace = node.grace();
    tracing::info!("{why}: no more calls; those there are may end within {grace:?}");
    let hurry = node.hurry();
    let drained = node.drain(grace);
    tokio::pin!(drained);
    let ended = loop {
        tokio::select! {
            ended = &mut drained => break ended,
            _ = terminate.recv() => hurry(),
            _ = interrupt.recv() => hurry(),
        }
    };
    if ended.log.lost > 0 {
        tracing::error!(lost = ended.log.lost, "facts were lost: the disk did not take them");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn announce(node: &Node, as_json: bool) {
    let web = format!("http://{}", node.web);
    if as_json {
        println!("{}", json!({ "ready": true, "sip": node.sip.to_string(), "web": web }));
    } else {
        println!("SIP at {} (UDP and TCP), wallboard and API at {web}", node.sip);
    }
    // A reader at the other end of a pipe waits for this line.
    let _ = std::io::stdout().flush();
}

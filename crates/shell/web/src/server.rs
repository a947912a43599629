//! The listener: connections bounded in number and in patience, and an end that does not wait for open streams.

use crate::{App, Config, Doors, router};
use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Connections at once; beyond that a client waits in the listen queue.
const CONNECTIONS: usize = 512;
/// A request's head has to be here by then.
const HEAD: Duration = Duration::from_secs(10);
/// The largest head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// How long answers under way may take after the end began.
const GRACE: Duration = Duration::from_secs(3);

/// Serves until `shutdown` is done, then ends streams, lets answers under way finish, and returns.
///
/// Errors: `InvalidInput` when there is no token and the listener is not on loopback.
pub async fn serve(listener: TcpListener, config: Config, doors: Doors, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let local = listener.local_addr()?;
    if !config.access.has_token() && !local.ip().is_loopback() {
        let why = format!("listening at {local} needs a token: without one only loopback addresses are served");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let (closing, closed) = watch::channel(false);
    let router = router(App::new(config, doors, local, closed));
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(shutdown);
    loop {
        let (stream, permit) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let connection = connection(stream, router.clone());
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // What a client does to its own connection is its own affair.
            let _ = watched.await;
            drop(permit);
        });
    }
    let _ = closing.send(true);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    Ok(())
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    loop {
        let permit = room.clone().acquire_owned().await.expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                // Out of file descriptors, most likely: a tight loop would make it worse.
                tracing::warn!(%error, "cannot accept a web connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

type Connection = hyper::server::conn::http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

fn connection(stream: TcpStream, router: Router) -> Connection {
    // Without it an event waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

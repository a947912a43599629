//! As much of HTTP as the tests need: one answer, or a stream of events.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

/// Status and body of a GET.
pub fn get(server: SocketAddr, path: &str) -> (u16, Vec<u8>) {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n"))
}

/// The status of a POST with this JSON.
pub fn post(server: SocketAddr, path: &str, json: &str) -> u16 {
    let length = json.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/json");
    ask(server, &format!("{head}\r\nContent-Length: {length}\r\n\r\n{json}")).0
}

fn ask(server: SocketAddr, request: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect_timeout(&server, LIMIT).expect("the API listens");
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let (status, chunked) = head_of(&mut reader);
    let mut body = Vec::new();
    if chunked {
        while let Some(chunk) = chunk_of(&mut reader) {
            body.extend(chunk);
        }
    } else {
        reader.read_to_end(&mut body).unwrap();
    }
    (status, body)
}

pub fn json(server: SocketAddr, path: &str) -> Value {
    let (status, body) = get(server, path);
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// The data of each server-sent event, until the server ends.
pub fn events(server: SocketAddr, path: &str) -> Receiver<Value> {
    let mut stream = TcpStream::connect_timeout(&server, LIMIT).expect("the API listens");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let (to, from) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let (status, chunked) = head_of(&mut reader);
        assert!(status == 200 && chunked, "the event stream answered {status}");
        let mut text = Vec::new();
        while let Some(chunk) = chunk_of(&mut reader) {
            text.extend(chunk);
            while let Some(end) = text.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let data = line.strip_prefix(b"data:").and_then(|json| serde_json::from_slice(json).ok());
                if data.is_some_and(|event: Value| to.send(event).is_err()) {
                    return;
                }
            }
        }
    });
    from
}

/// Reads up to the empty line: the status, and whether the body comes in chunks.
fn head_of(reader: &mut impl BufRead) -> (u16, bool) {
    let mut lines = reader.lines().map_while(Result::ok);
    let status = lines.next().and_then(|l| l.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let head: Vec<String> = lines.take_while(|l| !l.is_empty()).map(|l| l.to_ascii_lowercase()).collect();
    (status, head.iter().any(|l| l.starts_with("transfer-encoding:") && l.contains("chunked")))
}

/// The next chunk; `None` after the last or when the connection is gone.
fn chunk_of(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut size = String::new();
    reader.read_line(&mut size).ok()?;
    let length = usize::from_str_radix(size.trim(), 16).ok().filter(|n| *n > 0)?;
    let mut chunk = vec![0; length + 2];
    reader.read_exact(&mut chunk).ok()?;
    chunk.truncate(length);
    Some(chunk)
}

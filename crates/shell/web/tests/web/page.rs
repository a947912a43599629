//! `API.md` against the routes that there are, and each of its examples against a server.

use crate::fakes::{CALL, Fake};
use crate::http::{get, open};
use engine::Reply;
use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use std::collections::BTreeSet;
use std::net::SocketAddr;

const PAGE: &str = include_str!("../../API.md");

/// Each heading `METHOD PATH`, with what stands below it.
fn described() -> Vec<(&'static str, &'static str)> {
    PAGE.split("\n### `").skip(1).map(|part| part.split_once("`\n").expect("a heading and a text")).collect()
}

/// What the shell makes of a line.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

/// Method, path with its query, and body.
fn example(below: &str) -> (Method, String, String) {
    let line = below.lines().find(|line| line.starts_with("curl ")).unwrap_or_else(|| panic!("no example: {below}"));
    let (mut asked, mut words) = ((Method::GET, String::new(), String::new()), words(line).into_iter().skip(1));
    while let Some(word) = words.next() {
        match word.as_str() {
            "-N" => {}
            "-o" => drop(words.next()),
            "-X" => asked.0 = words.next().unwrap().parse().unwrap(),
            "-d" => asked = (Method::POST, asked.1, words.next().unwrap()),
            url => asked.1 = url.strip_prefix("$NODE").expect("an example begins at $NODE").to_string(),
        }
    }
    asked
}

fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('?').next().unwrap().split('/').collect());
    route.len() == path.len() && route.iter().zip(path).all(|(part, found)| part.starts_with('{') || *part == found)
}

#[tokio::test]
async fn the_page_describes_every_route_and_no_other() {
    let served = Fake::new().serve(None).await;
    let listed = get(served.address, "/api/v1").await.json();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_string();
    let mut routes: BTreeSet<String> =
        listed.as_array().unwrap().iter().map(|row| format!("{} {}", text(row, "method"), text(row, "path"))).collect();
    assert!(routes.len() > 50, "{routes:?}");
    routes.extend(["GET /metrics".into(), "GET /".into()]);
    let headings: Vec<String> = described().iter().map(|(heading, _)| heading.to_string()).collect();
    let named: BTreeSet<String> = headings.iter().cloned().collect();
    assert_eq!(named.len(), headings.len(), "a route is described twice");
    assert_eq!(routes.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new(), "are not in API.md");
    assert_eq!(named.difference(&routes).collect::<Vec<_>>(), Vec::<&String>::new(), "are in API.md alone");
}

#[tokio::test]
async fn every_example_of_the_page_is_of_its_route_and_is_understood() {
    let fake = Fake::new();
    *fake.asked.reply.lock().unwrap() = Some(Reply::Done);
    let served = fake.serve(None).await;
    for (heading, below) in described() {
        let (method, path, body) = example(below);
        let (named, route) = heading.split_once(' ').unwrap();
        assert!(method == *named && fits(route, &path), "{heading}: {method} {path}");
        let path = path.replace("$CALL", CALL).replace("$RECORDING", &format!("{CALL}.c1.p1"));
        is_understood(served.address, method, &path, &body).await;
    }
}

/// Whatever the answer is: it is not that nobody knows what was meant.
async fn is_understood(at: SocketAddr, method: Method, path: &str, body: &str) {
    let answer = open(at, method, path, &[("content-type", "application/x-www-form-urlencoded")], body).await;
    let status = answer.status();
    if status == StatusCode::OK {
        return;
    }
    let said = answer.into_body().collect().await.unwrap().to_bytes();
    let said = String::from_utf8_lossy(&said).into_owned();
    let known = [StatusCode::CREATED, StatusCode::ACCEPTED, StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE];
    let none = status == StatusCode::NOT_FOUND && said.contains("there is no ") && !said.contains("no such page");
    assert!(known.contains(&status) || none, "{path} {body}: {status} {said}");
}

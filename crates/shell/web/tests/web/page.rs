//! `API.md` against the routes that there are, and each of its examples against a server.

use crate::fakes::{CALL, Fake};
use crate::http::{get, open};
use engine::Reply;
use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use shell_web::Reloaded;
use std::collections::BTreeSet;

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

/// The examples that the fakes, who know no such agent, ticket or hold, do not answer with 200.
const OTHERS: &[(&str, StatusCode)] = &[
    ("GET /api/v1/agents/{tenant}/{name}", StatusCode::NOT_FOUND),
    ("GET /api/v1/tickets/{number}", StatusCode::NOT_FOUND),
    ("POST /api/v1/recordings/hold", StatusCode::CREATED),
    ("POST /api/v1/recordings/release", StatusCode::NOT_FOUND),
];

#[tokio::test]
async fn every_example_of_the_page_is_of_its_route_and_is_understood() {
    let fake = Fake::new();
    *fake.asked.reply.lock().unwrap() = Some(Reply::Done);
    *fake.reloads.answer.lock().unwrap() = Some(Ok(Reloaded { sha256: "c0ffee".into(), warnings: vec![] }));
    let served = fake.serve(None).await;
    let mut others = Vec::new();
    for (heading, below) in described() {
        let (method, path, body) = example(below);
        let (named, route) = heading.split_once(' ').unwrap();
        assert!(method == *named && fits(route, &path), "{heading}: {method} {path}");
        let path = path.replace("$CALL", CALL).replace("$RECORDING", &format!("{CALL}.c1.p1"));
        let plain = [("content-type", "application/x-www-form-urlencoded")];
        let answer = open(served.address, method, &path, &plain, &body).await;
        let status = answer.status();
        if status == StatusCode::OK {
            continue;
        }
        let said = answer.into_body().collect().await.unwrap().to_bytes();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(status != StatusCode::NOT_FOUND || said.contains("there is no "), "{heading}: {said}");
        others.push((heading, status));
    }
    assert_eq!(others, OTHERS);
}

//! `centralita recording rekey`: after a new master key was put first in the site file.

use crate::cli::client::Client;
use crate::cli::render::text;
use crate::cli::{Done, Failure};
use hyper::Method;
use std::collections::BTreeMap;
use std::io::Write;

pub async fn run(client: &Client, out: &mut dyn Write) -> Done {
    let mut counts = BTreeMap::<String, usize>::new();
    let each = client.each(Method::POST, "recordings/rekey", |looked| {
        let outcome = text(&looked["outcome"]);
        if client.json {
            writeln!(out, "{looked}")?;
        } else if outcome == "failed" {
            writeln!(out, "{:<20} {}", text(&looked["recording"]), text(&looked["reason"]))?;
        }
        *counts.entry(outcome).or_default() += 1;
        Ok(())
    });
    each.await?;
    let of = |outcome: &str| counts.get(outcome).copied().unwrap_or_default();
    if !client.json {
        writeln!(out, "{} wrapped anew, {} were already", of("wrapped"), of("kept"))?;
    }
    match of("failed") {
        0 => Ok(()),
        n => Err(Failure::Refused {
            error: format!("{} keep the key they had", crate::load::counted(n, "recording")),
            expected: "the master key that wraps them among [[vault.keys]]".into(),
        }),
    }
}

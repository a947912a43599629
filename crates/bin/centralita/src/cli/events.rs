//! `centralita events`: the log, as far as it is, or as it grows.

use super::client::Client;
use super::render::{clean, moment, text};
use super::{Done, Failure, why};
use base::CallId;
use clap::Args;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::io::Write;
use std::time::Duration;

/// The node says something each 10 s, so that a longer silence is a dead link.
const SILENCE: Duration = Duration::from_secs(30);
/// Between two tries to come back.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Args, Clone, Debug)]
pub struct Events {
    /// Go on with what happens from now on, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Only this type, such as queue.left, or this family, such as queue
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only of this call
    #[arg(long)]
    pub call: Option<CallId>,
    /// How many of the newest to begin with
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
}

impl Events {
    pub async fn run(self, client: &Client, out: &mut dyn Write, err: &mut dyn Write) -> Done {
        let mut asked = String::new();
        // Types are letters, dots and _: what would need escaping is refused here already.
        if let Some(kind) = &self.kind {
            if !kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_') {
                let expected = "a type such as queue.left, or a family such as queue".into();
                return Err(Failure::Usage { error: format!("\"{kind}\" is no type of event"), expected });
            }
            asked += &format!("&type={kind}");
        }
        self.call.iter().for_each(|call| asked += &format!("&call={call}"));
        let page = client.get(&format!("events?newest=true&limit={}{asked}", self.limit)).await?;
        for event in page["events"].as_array().into_iter().flatten() {
            show(client, out, event)?;
        }
        if self.follow { follow(client, &asked, page["next"].as_str(), out, err).await } else { Ok(()) }
    }
}

/// Comes back after each lost link, from where it was. Without a first link there is nothing to come back to.
async fn follow(client: &Client, asked: &str, last: Option<&str>, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let mut last = last.map(str::to_string);
    let mut told = false;
    loop {
        let after = last.as_ref().map(|id| format!("&after={id}")).unwrap_or_default();
        let path = format!("events/stream?limit=1000{asked}{after}");
        match client.open(&path).await {
            Ok(response) => {
                told = false;
                read(client, response.into_body(), &mut last, out).await?;
            }
            // The question itself, or the token, is wrong: asking again would not mend it.
            Err(failure @ Failure::Usage { .. }) => return Err(failure),
            Err(failure) if last.is_none() => return Err(failure),
            Err(_) => {}
        }
        if !told {
            writeln!(err, "the link is lost; trying again")?;
            told = true;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Until the link breaks; only a failure to write is a failure.
async fn read(client: &Client, mut body: Incoming, last: &mut Option<String>, out: &mut dyn Write) -> Done {
    let mut rest = Vec::new();
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE, body.frame()).await {
        let Ok(data) = frame.into_data() else { continue };
        rest.extend_from_slice(&data);
        while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = rest.drain(..end + 2).collect();
            let line = String::from_utf8_lossy(&event).lines().find_map(|l| l.strip_prefix("data: ").map(str::to_string));
            let Some(event) = line.and_then(|line| serde_json::from_str::<Value>(&line).ok()) else { continue };
            show(client, out, &event)?;
            *last = event["id"].as_str().map(str::to_string).or(last.take());
        }
    }
    Ok(())
}

/// One line, at once: whoever follows wants to see it now.
fn show(client: &Client, out: &mut dyn Write, event: &Value) -> Done {
    if client.json {
        writeln!(out, "{event}")?;
    } else {
        write!(out, "{}", line(event))?;
    }
    out.flush()?;
    Ok(())
}

/// Time, type, subject, and what the type says beyond them; of a decision's why the sentences, whose numbers `call why`
/// shows.
pub fn line(event: &Value) -> String {
    const KNOWN: [&str; 6] = ["tenant", "call_id", "rev", "mono_ns", "party_id", "leg_id"];
    let data = event["data"].as_object();
    let said = data.into_iter().flatten().filter(|(key, value)| !KNOWN.contains(&key.as_str()) && !value.is_null());
    let told = |why: &Value| format!("\"{}\"", why::sentences(why).join(" "));
    let value_of = |key: &str, value: &Value| if key == "why" { told(value) } else { text(value) };
    let said: Vec<String> = said.map(|(key, value)| format!("{}={}", clean(key), value_of(key, value))).collect();
    let line =
        format!("{}  {:<24}  {:<16}  {}", moment(&event["time"]), text(&event["type"]), text(&event["subject"]), said.join(" "));
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use crate::cli::tests::fixtures::report;

    #[test]
    fn why_an_offer_was_sent_is_a_sentence() {
        let line = |why: acd::Why| {
            let data = serde_json::json!({ "agent": "acme/ana", "why": why });
            super::line(&serde_json::json!({ "type": "offer.sent", "subject": "1-3-42", "data": data }))
        };
        let by_step = report().decisions.remove(0).why;
        let told = line(by_step.clone());
        let sentences = "Chosen by most skilled of 2 free, idle for 0:09. \
                         Let in by step 2 of the queue's relaxation, after 0:30: billing >= 3 will do.";
        assert!(told.contains(&format!("agent=acme/ana why=\"{sentences}\"\n")), "{told}");
        let told = line(acd::Why { let_in: None, ..by_step });
        assert!(told.contains("agent=acme/ana why=\"Chosen by most skilled of 2 free, idle for 0:09.\"\n"), "{told}");
    }
}

//! `centralita recording pause` and `resume`.

use crate::cli::client::Client;
use crate::cli::words::number;
use crate::cli::{Done, print};
use base::CallId;
use clap::Args;
use serde_json::json;
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The call whose conversation is recorded
    call: CallId,
    /// Why, as the log will say
    #[arg(long, default_value = "card")]
    cause: String,
    /// It resumes by itself after so many seconds
    #[arg(long, default_value_t = 120, value_parser = number("seconds", 1, 3_600))]
    seconds: u64,
}

pub async fn pause(options: &Options, client: &Client, out: &mut dyn Write) -> Done {
    let Options { call, cause, seconds } = options;
    let body = json!({ "cause": cause, "seconds": seconds });
    let reply = client.post(&format!("calls/{call}/pause-recording"), Some(body)).await?;
    print(client, out, &reply, |_| format!("{call}: not recorded for {seconds} s, or until it is resumed\n"))
}

#[derive(Args, Clone, Debug)]
pub struct Resume {
    call: CallId,
}

pub async fn resume(options: &Resume, client: &Client, out: &mut dyn Write) -> Done {
    let call = options.call;
    let reply = client.post(&format!("calls/{call}/resume-recording"), None).await?;
    print(client, out, &reply, |_| format!("{call}: recorded again\n"))
}

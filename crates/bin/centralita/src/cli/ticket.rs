//! `centralita ticket`.

use super::client::Client;
use super::render::{clean, moment, pairs, rows, span, table, text};
use super::{Done, print};
use base::{CallId, Tenant};
use clap::Subcommand;
use serde_json::Value;
use std::io::Write;
use tickets::Number;

#[derive(Subcommand, Clone, Debug)]
pub enum Ticket {
    /// The newest tickets
    List {
        /// Only those of this call
        #[arg(long)]
        call: Option<CallId>,
        #[arg(long)]
        tenant: Option<Tenant>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// One ticket with all its steps
    Show {
        /// The number, such as T-000001
        number: Number,
        /// Whose ticket, where several tenants have that number
        #[arg(long)]
        tenant: Option<Tenant>,
    },
}

impl Ticket {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        match self {
            Ticket::List { call, tenant, limit } => {
                let mut path = format!("tickets?limit={limit}");
                call.iter().for_each(|call| path += &format!("&call={call}"));
                tenant.iter().for_each(|tenant| path += &format!("&tenant={tenant}"));
                print(client, out, &client.get(&path).await?, list)
            }
            Ticket::Show { number, tenant } => {
                let of = tenant.map(|tenant| format!("?tenant={tenant}")).unwrap_or_default();
                print(client, out, &client.get(&format!("tickets/{number}{of}")).await?, show)
            }
        }
    }
}

pub fn list(tickets: &Value) -> String {
    let row = |t: &Value| {
        vec![
            text(&t["number"]),
            text(&t["tenant"]),
            text(&t["state"]),
            text(&t["priority"]),
            moment(&t["opened"]),
            text(&t["call"]),
            text(&t["subject"]),
        ]
    };
    table(&["TICKET", "TENANT", "STATE", "PRIORITY", "OPENED", "CALL", "SUBJECT"], &rows(tickets, row), "No tickets.")
}

fn show(t: &Value) -> String {
    let figures = pairs(&[
        ("ticket", format!("{} of {}", text(&t["number"]), text(&t["tenant"]))),
        ("subject", text(&t["subject"])),
        ("state", text(&t["state"])),
        ("category", text(&t["category"])),
        ("impact, priority", format!("{}, {}", text(&t["impact"]), text(&t["priority"]))),
        ("group, assigned to", format!("{}, {}", text(&t["group"]), text(&t["assigned_to"]))),
        ("call", text(&t["call"])),
        ("queue, agent", format!("{}, {}", text(&t["queue"]), text(&t["agent"]))),
        ("waited", span(&t["wait_ms"])),
        ("outcome", text(&t["outcome"])),
        ("opened", moment(&t["opened"])),
        ("updated", moment(&t["updated"])),
    ]);
    let step = |s: &Value| {
        let said = ["note", "to", "why", "how", "when"].iter().filter_map(|key| s[*key].as_str()).map(clean).collect::<Vec<_>>();
        vec![moment(&s["at"]), text(&s["by"]), text(&s["step"]), said.join(" ")]
    };
    format!("{figures}\n{}", table(&["AT", "BY", "STEP", ""], &rows(&t["steps"], step), "No steps."))
}

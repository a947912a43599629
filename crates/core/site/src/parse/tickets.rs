//! When a call leaves a ticket, and where tickets go.

use super::queue_in;
use crate::reader::Node;
use base::{Pii, Tenant};
use std::time::Duration;
use tickets::{Impact, PLACEHOLDERS, Priority, Rule, Webhook, unknown_placeholder};

pub fn rule(n: &mut Node) -> Option<Rule> {
    let tenant: Option<Tenant> = n.need("tenant");
    let queue: Option<String> = n.opt("queue");
    let queue = queue.zip(tenant.as_ref()).and_then(|(name, tenant)| queue_in(tenant, &name, "queue", n));
    let when = n.need("when");
    let min_wait = n.or("min_wait", Duration::ZERO);
    let subject = n.or("subject", "Call {call}".to_string());
    if let Some(unknown) = unknown_placeholder(&subject) {
        let finding = n.at("subject", format!("`{{{unknown}}}` stands for nothing"));
        n.report(finding.help(format!("expected one of {{{}}}", PLACEHOLDERS.join("}, {"))));
    }
    let category = n.or("category", "call".to_string());
    let (impact, priority, group) = (n.or("impact", Impact::default()), n.or("priority", Priority::default()), n.opt("group"));
    Some(Rule { tenant: tenant?, queue, when: when?, min_wait, subject, category, impact, priority, group })
}

pub fn webhook(n: &mut Node) -> Option<Webhook> {
    let url: Option<String> = n.need("url");
    let secret: Option<Pii<String>> = n.need("secret");
    if url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        n.report(n.at("url", "expected an address that begins with https:// or http://"));
    }
    if secret.as_ref().is_some_and(|secret| !signing_key(secret.reveal())) {
        n.report(n.at("secret", "expected whsec_ and a key of 24 to 64 bytes in base64 (Standard Webhooks)"));
    }
    let allow_private = n.or("allow_private", false);
    Some(Webhook { url: url?, secret: secret?, allow_private })
}

/// `whsec_` and 32 to 88 characters of base64.
fn signing_key(secret: &str) -> bool {
    let Some(key) = secret.strip_prefix("whsec_") else { return false };
    let body = key.trim_end_matches('=');
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    key.len() % 4 == 0 && key.len() - body.len() <= 2 && (32..=88).contains(&key.len()) && body.bytes().all(base64)
}

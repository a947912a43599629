//! What the site file says about tickets.

use base::{Pii, QueueId, Tenant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When a call leaves a ticket, and what stands in it. Of several that fit, the first counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub tenant: Tenant,
    /// Only calls of this queue; none: all of the tenant.
    #[serde(default)]
    pub queue: Option<QueueId>,
    pub when: When,
    /// Only if the caller waited at least this long for an agent, over all queues.
    #[serde(default)]
    pub min_wait: Duration,
    /// With [`PLACEHOLDERS`] replaced.
    pub subject: String,
    pub category: String,
    #[serde(default)]
    pub impact: Impact,
    #[serde(default)]
    pub priority: Priority,
    /// The assignment group.
    #[serde(default)]
    pub group: Option<String>,
}

/// The moment in a call's life. Together with tenant and call it is the key of what is done: once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// An agent and the caller hear each other for the first time.
    Answered,
    /// The caller hung up in a queue.
    Abandoned,
    /// The call is over. A ticket that it already has gets a note instead of a sister.
    Ended,
    /// The caller left a message.
    Voicemail,
    /// The caller asked to be called back, and was not reached or was given up.
    CallbackFailed,
    /// An agent passed the call on, the first time.
    Transferred,
    /// An agent's call to a number outside was answered there.
    Outgoing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    #[default]
    One,
    Several,
    Everyone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    #[default]
    Medium,
    High,
    Urgent,
}

impl When {
    pub fn name(self) -> &'static str {
        match self {
            When::Answered => "answered",
            When::Abandoned => "abandoned",
            When::Ended => "ended",
            When::Voicemail => "voicemail",
            When::CallbackFailed => "callback_failed",
            When::Transferred => "transferred",
            When::Outgoing => "outgoing",
        }
    }
}

/// Where tickets are also sent, signed by Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub url: String,
    /// `whsec_` and the key in base64.
    pub secret: Pii<String>,
    /// The receiver may be at an inner address.
    #[serde(default)]
    pub allow_private: bool,
}

/// What a subject may hold. `{caller}` stays as it is in the book and is filled in at delivery, from the erasable table.
pub const PLACEHOLDERS: [&str; 7] = ["call", "queue", "agent", "lang", "wait", "outcome", "caller"];

/// The first placeholder in a subject that means nothing.
pub fn unknown_placeholder(subject: &str) -> Option<&str> {
    let mut rest = subject;
    while let Some((_, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}')?;
        if !PLACEHOLDERS.contains(&name) {
            return Some(name);
        }
        rest = tail;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_that_means_nothing_is_found() {
        assert_eq!(unknown_placeholder("Call {call} in {queue}"), None);
        assert_eq!(unknown_placeholder("Call {call} from {colour}"), Some("colour"));
        assert_eq!(unknown_placeholder("an open { brace"), None);
    }

    #[test]
    fn a_rule_with_an_unknown_field_is_refused() {
        let good = r#"{"tenant":"acme","when":"answered","subject":"s","category":"c"}"#;
        assert_eq!(serde_json::from_str::<Rule>(good).unwrap().priority, Priority::Medium);
        let bad = r#"{"tenant":"acme","when":"answered","subject":"s","category":"c","prio":"low"}"#;
        assert!(serde_json::from_str::<Rule>(bad).unwrap_err().to_string().contains("prio"));
    }
}

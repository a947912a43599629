//! How long recordings are kept, as it is asked for and told.

use crate::error::ApiError;
use axum::http::StatusCode;
use base::{AgentId, Pii, QueueId, RecordingId, Tenant, Wall};
use recording::retention::{Cause, Sum};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a recording can't be had or changed. What is wrong with one of them is said; what is wrong with the disk is for
/// the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is held, or too young, or the log of accesses is in doubt: another state would allow it.
    Conflict {
        error: String,
        expected: String,
    },
    /// It is still recorded, and what is asked for comes later.
    Running(RecordingId),
    /// It was erased.
    Gone {
        error: String,
    },
    /// It is known, and there is no sound of it.
    Silent {
        error: String,
    },
    /// It is there and can't be heard: no key opens it, or it was changed.
    Unreadable {
        error: String,
        expected: String,
    },
    Failed(String),
}

impl Fault {
    pub fn conflict(error: impl Into<String>, expected: impl Into<String>) -> Self {
        Fault::Conflict { error: error.into(), expected: expected.into() }
    }

    /// Why it was refused, as the log of accesses says it; none where the node failed at it, nor of what only comes later,
    /// for which a client may ask again and again.
    pub fn refused(&self) -> Option<&str> {
        match self {
            Fault::Conflict { error, .. } | Fault::Gone { error } | Fault::Silent { error } | Fault::Unreadable { error, .. } => {
                Some(error)
            }
            Fault::Running(_) | Fault::Failed(_) => None,
        }
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Fault::Failed(reason)
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Conflict { error, expected } => ApiError::new(StatusCode::CONFLICT, error, expected),
            Fault::Running(id) => {
                ApiError::new(StatusCode::CONFLICT, format!("{id} is still recorded"), "a recording that is closed")
            }
            Fault::Gone { error } => ApiError::new(StatusCode::GONE, error, "a recording that was not erased"),
            Fault::Silent { error } => ApiError::new(StatusCode::NOT_FOUND, error, "a recording with audio on the disk"),
            Fault::Unreadable { error, expected } => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error, expected),
            Fault::Failed(reason) => ApiError::store(reason),
        }
    }
}

/// What is in doubt, and keeps all recordings from being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accept {
    /// The log of accesses: a new one begins, with all holds that are known.
    Log,
    /// The clock, which is far later than when it was last known to be right.
    Clock,
}

impl Accept {
    /// As the log of accesses names it.
    pub fn name(self) -> &'static str {
        match self {
            Accept::Log => "log",
            Accept::Clock => "clock",
        }
    }
}

/// Which recordings are to be held; all that is given must hold, and something is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldAsk {
    pub recording: Option<RecordingId>,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    /// With or without a plus.
    pub caller: Option<Pii<Arc<str>>>,
    pub from: Option<Wall>,
    pub to: Option<Wall>,
}

/// A hold that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldRow {
    /// Its line in the log of accesses.
    pub hold: u64,
    /// A recording, or words such as `queue=acme/soporte`. A caller is told by the log's id, never by number.
    pub of: String,
    pub at: String,
    pub who: String,
    pub why: String,
    /// Recordings that it selects and that may have audio, also those that run now, where it was just set; none, and not
    /// there, elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recordings: Option<u64>,
}

/// A recording that goes, and when; held, it would go.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Going {
    pub recording: RecordingId,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    #[serde(serialize_with = "crate::row::time")]
    pub started: Wall,
    pub bytes: u64,
    #[serde(serialize_with = "crate::row::time")]
    pub at: Wall,
    pub cause: Cause,
}

/// What a plan comes to. Bytes are of audio on the disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PlanRow {
    #[serde(serialize_with = "crate::row::time")]
    pub now: Wall,
    pub found: Sum,
    /// At the next round, by cause.
    pub delete: BTreeMap<Cause, Sum>,
    pub held: Sum,
    /// Of those held, the ones beyond their maximum.
    pub overdue: Sum,
    /// What reaches its maximum, by day: 0 is the next 24 hours.
    pub due: BTreeMap<u32, Sum>,
    /// Budgets that can't be kept.
    pub short: Vec<ShortRow>,
    pub forecasts: Vec<ForecastRow>,
    /// Bytes that the disk has left for anybody, and when recordings will have taken them at the present rate.
    pub disk_free: Option<u64>,
    #[serde(serialize_with = "maybe")]
    pub disk_full: Option<Wall>,
    /// Whether any rule of the site ever deletes one.
    pub deletes: bool,
    /// Why nothing is deleted by itself though a rule would.
    pub stopped: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShortRow {
    pub tenant: Option<Tenant>,
    pub missing_bytes: u64,
    #[serde(serialize_with = "maybe")]
    pub next: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForecastRow {
    pub tenant: Option<Tenant>,
    pub bytes: u64,
    pub budget: Option<u64>,
    /// None where there is too little yet to tell by.
    pub bytes_per_day: Option<u64>,
    /// From how long that is drawn, or what there is of it.
    pub drawn_from_ms: u64,
    #[serde(serialize_with = "maybe")]
    pub full: Option<Wall>,
}

fn maybe<S: serde::Serializer>(at: &Option<Wall>, s: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_string()).serialize(s)
}

/// A line of an answer that comes as it is made.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PlanLine {
    Going(Going),
    /// The last one.
    Plan {
        plan: Box<PlanRow>,
    },
}

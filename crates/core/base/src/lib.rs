//! What every core shares: identities, time as an argument, personal data that does not print,
//! seeded randomness, diagnostics that point, and the facts of the log.
//!
//! A leaf: it knows no other crate of the workspace, no clock, no socket and no thread.

pub mod calendar;
pub mod diagnostic;
pub mod fact;
pub mod hex;
pub mod id;
pub mod mutation;
pub mod outcome;
pub mod pii;
pub mod quality;
pub mod random;
pub mod skill;
pub mod time;

pub use calendar::Calendar;
pub use diagnostic::{Diagnostic, Severity};
pub use id::{AgentId, CallId, ConversationId, Lang, LegId, OfferId, PartyId, QueueId, RecordingId, Tenant, VisitId};
pub use mutation::{Mutation, mutated};
pub use outcome::{AgentState, Cause, OfferEnd, Outcome};
pub use pii::Pii;
pub use random::Random;
pub use skill::{Need, Requirement, Skill, Skills};
pub use time::{Instant, Now, Wall};

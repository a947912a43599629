//! The Centre: the only place where the cores meet, and the only place that decides.
//!
//! Sans-I/O: an [`Entry`] goes in, [`Output`]s come out, and [`Centre::deadline`] says when to come back. It has
//! exactly two drivers, the shell (`bin/centralita`) and the simulator (`tools/sim`). The same boot, entries and
//! staged configurations give byte-identical outputs: that is what the journal is for.
//!
//! # Where a rule is
//! - The run loop: [`centre`](Centre). What the wire says, and to whom: `wire`.
//! - What a call is made of: `call`, `leg`, `party`. Who hears whom in it: `hears`; what follows from that: `relink`.
//! - In: `way` what an INVITE is for; `arrive` a call, or a leg of one; `identity` and `numbers` who calls whom; `channels` of trunks and tenants;
//!   `negotiate` a leg's port and SDP.
//! - The flow: `flow`, and what else it may ask for: `callback` (and `promise`), `voicemail`, `forward`.
//! - The queue: `queueing` what the ACD decides; `ringing` the phones of an offer.
//! - Out: `dialling` legs that we dial; `reach` anybody rung without a queue's offer.
//! - With an agent: `conversation`; passed on: `transfer`, `consult`, `refer`; supervisors: `monitor`; `recordings`.
//! - Agents: `agents` phones and feature codes; `desk` their browsers; `own_calls`; `engaged` whom a call holds; `requests` the API.
//! - The end: `lease` who is still there; `ending` a call's, once; `drain` the node's; `recover` and `resume` the restart.
//! - From outside: `snapshot`, `audit` what must hold, and `alarms` what of it is told.

mod agents;
mod alarms;
mod arrive;
mod audit;
mod call;
mod callback;
mod centre;
mod channels;
mod consult;
mod conversation;
mod desk;
mod dialling;
mod drain;
mod ending;
mod engaged;
mod flow;
mod forward;
mod hears;
mod identity;
mod keys;
mod lease;
mod leg;
mod monitor;
mod negotiate;
mod numbers;
mod own_calls;
mod party;
mod pause;
mod ports;
mod promise;
mod quality;
mod queueing;
mod reach;
mod recordings;
mod recover;
mod refer;
mod relink;
mod requests;
mod resume;
mod ringing;
mod setup;
mod snapshot;
mod transfer;
mod voicemail;
mod way;
mod wire;
mod words;

pub use audit::audit;
pub use centre::{Boot, Centre};
pub use negotiate::codecs;
pub use pause::LONGEST_PAUSE;
pub use setup::Setup;
pub use words::*;

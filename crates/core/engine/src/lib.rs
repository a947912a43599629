//! The Centre: the only place where the cores meet, and the only place that decides.
//!
//! Sans-I/O: an [`Entry`] goes in, [`Output`]s come out, and [`Centre::deadline`] says when to come back. It has
//! exactly two drivers, the shell (`bin/centralita`) and the simulator (`tools/sim`). The same boot, entries and
//! staged configurations give byte-identical outputs: that is what the journal is for.
//!
//! Where a rule is: [`centre`](Centre) the run loop; `arrive` INVITE to answer; `flow` what a flow asks;
//! `queueing` what the ACD decides; `ringing` an agent's phones; `conversation` bridge, hold, recording; `ending`
//! a call's end, once; `drain` the node's; `agents` phones, feature codes, requests; `wire` what SIP and media say;
//! `recover` and `resume` the restart; `snapshot` and `audit` the view from outside and what must hold in it.

mod agents;
mod arrive;
mod audit;
mod call;
mod centre;
mod conversation;
mod drain;
mod ending;
mod flow;
mod ports;
mod queueing;
mod recordings;
mod recover;
mod resume;
mod ringing;
mod setup;
mod snapshot;
mod wire;
mod words;

pub use audit::audit;
pub use centre::{Boot, Centre};
pub use setup::Setup;
pub use words::*;

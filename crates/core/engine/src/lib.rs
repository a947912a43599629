//! The Centre: the only place where the cores meet, and the only place that decides.
//!
//! Sans-I/O: an [`Entry`] goes in, [`Output`]s come out, and [`Centre::deadline`] says when to come back. It has
//! exactly two drivers, the shell (`bin/centralita`) and the simulator (`tools/sim`). The same boot, entries and
//! staged configurations give byte-identical outputs: that is what the journal is for.
//!
//! Where a rule is: [`centre`](Centre) the run loop; `call`, `leg` and `party` what a call is made of, `hears` who hears
//! whom in it; `arrive` INVITE to what it is for; `negotiate` a leg's port and SDP; `dialling` legs that we dial; `flow`
//! what a flow asks; `queueing` what the ACD decides; `ringing` the phones of an offer; `reach` anybody else who is rung;
//! `conversation` agent and customer; `transfer`, `consult`, `refer` how it is passed on; `monitor` supervisors;
//! `callback`, `voicemail`, `forward` what else a flow may ask for; `identity` and `numbers` who calls whom; `channels` of
//! trunks; `own_calls` agents' own calls; `engaged` whom they hold; `lease` who is still there; `recordings`; `ending` a call's
//! end, once; `drain` the node's; `agents` phones and feature codes; `requests` the API; `wire` what SIP and media say;
//! `recover` and `resume` the restart; `snapshot` and `audit` the view from outside and what must hold in it.

mod agents;
mod arrive;
mod audit;
mod call;
mod callback;
mod centre;
mod channels;
mod consult;
mod conversation;
mod dialling;
mod drain;
mod ending;
mod engaged;
mod flow;
mod forward;
mod hears;
mod identity;
mod lease;
mod leg;
mod monitor;
mod negotiate;
mod numbers;
mod own_calls;
mod party;
mod ports;
mod queueing;
mod reach;
mod recordings;
mod recover;
mod refer;
mod requests;
mod resume;
mod ringing;
mod setup;
mod snapshot;
mod transfer;
mod voicemail;
mod wire;
mod words;

pub use audit::audit;
pub use centre::{Boot, Centre};
pub use setup::Setup;
pub use words::*;

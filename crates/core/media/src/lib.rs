//! Media without I/O: RTP and RTCP, G.711, digits, prompts, latching, splicing, mixing, recording frames.

mod codec;
mod conceal;
pub mod dtmf;
mod flood;
mod g711;
mod g722;
mod inband;
pub mod latch;
mod leg;
mod legs;
mod losses;
mod mix;
pub mod placement;
mod plane;
pub mod player;
mod playout;
mod prompt;
pub mod quality;
mod rates;
pub mod reception;
mod reports;
pub mod resample;
pub mod rtcp;
pub mod rtp;
mod sounds;
pub mod splice;
mod timers;
pub mod tone;
mod track;
mod voice;
mod words;

pub use codec::Codec;
pub use g711::{Law, transcode};
pub use plane::{Output, Plane, PlaneConfig, Tape};
pub use prompt::{BadPrompt, Prompt, PromptBook};
pub use words::*;

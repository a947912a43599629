//! Media without I/O: RTP and RTCP, G.711, digits, prompts, latching, splicing, recording frames.

mod words;

pub use words::*;

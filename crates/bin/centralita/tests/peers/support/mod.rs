//! What the tests share: a server with a site, facts as they come, sound in and out, peers that end for sure.

pub mod baresip;
pub mod http;
pub mod line;
pub mod pcap;
pub mod program;
pub mod raw;
pub mod server;
pub mod sipp;
pub mod sound;

pub use baresip::Baresip;
pub use program::Program;

//! The media plane as its peers and the engine see it: real sockets, real files. One program, so that it is built once.

mod backends;
mod calls;
mod common;
mod compressed;
mod conferences;
mod disk;
mod ends;
mod faults;
mod network;
mod recordings;
mod sealed;
mod shared;
mod shelf;

//! The endpoint as its driver and its peers see it: words in, words and messages out.

mod bench;
mod calls_in;
mod calls_out;
mod fuzz;
mod hostile;
mod identity;
mod network;
mod registrar;
mod reliable;
mod reoffers;
mod streams;
mod timers;
mod transfers;
mod updates;

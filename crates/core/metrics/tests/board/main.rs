//! The board from outside: facts in, figures out.

mod callbacks;
mod conversations;
mod day;
mod definitions;
mod estimator;
mod property;
mod quality;
mod script;
mod traps;

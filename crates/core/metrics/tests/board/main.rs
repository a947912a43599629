//! The board from outside: facts in, figures out.

mod callbacks;
mod conversations;
mod day;
mod definitions;
mod estimator;
mod property;
mod script;
mod traps;

//! The board from outside: facts in, figures out.

mod definitions;
mod property;
mod script;
mod traps;

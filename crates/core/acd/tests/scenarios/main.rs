//! What the ACD does, as scenarios: each is a row of `routing.md` or a line of `calls.md`.

mod agents;
mod callbacks;
mod door;
mod own_calls;
mod returning;
mod script;
mod steps;
mod strategies;
mod supervisors;
mod visits;
mod why;
mod wrap_up;

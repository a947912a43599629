//! Whole calls through a Centre, with phones that speak SIP: each test is a scenario, and the audit looks after each input.

mod agents;
mod codecs;
mod consults;
mod hears;
mod keys;
mod line;
mod office;
mod own_calls;
mod random;
mod site;
mod supervisors;
mod transfers;

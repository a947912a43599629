//! Whole calls through a Centre, with phones that speak SIP: each test is a scenario, and the audit looks after each input.

mod hears;
mod line;
mod office;
mod site;
mod transfers;

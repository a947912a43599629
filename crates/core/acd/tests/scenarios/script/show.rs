//! Writing outputs in a scenario's words.

use acd::{Ask, Output};
use base::{OfferId, VisitId};
use std::time::Duration;

fn visit(v: VisitId) -> String {
    if v.n == 1 { format!("c{}", v.call.n) } else { format!("c{}/{}", v.call.n, v.n) }
}

fn offer(o: OfferId) -> String {
    format!("{}#{}", visit(o.visit), o.n)
}

fn secs(d: Duration) -> String {
    format!("{}s", d.as_secs_f64())
}

pub fn output(output: &Output) -> String {
    match output {
        Output::Entered { visit: v, queue, position, credit, .. } => {
            let after = if credit.is_zero() { String::new() } else { format!(" after {}", secs(*credit)) };
            format!("{} in {} at {position}{after}", visit(*v), queue.name())
        }
        Output::Refused { visit: v, queue, cause } => format!("{} refused by {}: {cause}", visit(*v), queue.name()),
        Output::Offer { offer: o, agent, .. } => format!("offer {} to {}", offer(*o), agent.name()),
        Output::Withdraw { offer: o } => format!("withdraw {}", offer(*o)),
        Output::OfferEnded { offer: o, end, cause, ring, .. } => {
            let cause = cause.map_or(String::new(), |c| format!("({c})"));
            format!("{} {end}{cause} {}", offer(*o), secs(*ring))
        }
        Output::Left { visit: v, outcome, cause, waited, ringing, to, .. } => {
            let cause = cause.map_or(String::new(), |c| format!("({c})"));
            let ringing = if *ringing { " ringing" } else { "" };
            let to = to.as_ref().map_or(String::new(), |q| format!(" to {}", q.name()));
            format!("{} {outcome}{cause} {}{ringing}{to}", visit(*v), secs(*waited))
        }
        Output::AgentChanged { agent, state, reason, .. } => {
            let reason = reason.as_ref().map_or(String::new(), |r| format!("({r})"));
            format!("{} {state}{reason}", agent.name())
        }
        Output::AskKept { agent, ask } => format!("{} later: {}", agent.name(), asked(ask)),
        Output::AskRefused { agent, ask, why } => format!("{} refused {}: {why}", agent.name(), asked(ask)),
        Output::Coded { agent, visit: v, code, .. } => format!("{} coded {} {code}", agent.name(), visit(*v)),
        Output::CallCustomer { visit: v, .. } => format!("call the customer of {}", visit(*v)),
        Output::Announce { visit: v, position, waited, wait, .. } => {
            let wait = wait.map_or(String::new(), |wait| format!(" and {} to wait", secs(wait)));
            format!("tell {} position {position}{wait} after {}", visit(*v), secs(*waited))
        }
    }
}

fn asked(ask: &Ask) -> &'static str {
    match ask {
        Ask::LogIn => "log in",
        Ask::LogOut => "log out",
        Ask::Ready => "ready",
        Ask::Pause { .. } => "pause",
        Ask::WrapUp => "wrap up",
        Ask::Code { .. } => "code",
    }
}

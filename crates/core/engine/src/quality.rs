//! What it was like to hear a leg, as the leg's own last fact.
//!
//! ```text
//!   close_media ─▶ Close ─▶ media plane ─▶ Closed, with its counts ─▶ the port is free, leg.closed
//! ```
//! Its call may be over by then: the fact counts on from the call's last one.

use crate::centre::Centre;
use crate::leg::{Leg, Purpose};
use crate::party::Errand;
use base::fact::{About, What};
use base::quality::Side;
use base::{LegId, Mutation, mutated};

/// A leg whose `Closed` is awaited.
pub struct Closing {
    pub port: u16,
    pub side: Side,
    pub about: About,
}

impl Centre {
    pub(crate) fn closing_of(&self, id: LegId, port: u16) -> Option<Closing> {
        let call = self.calls.get(&id.call)?;
        let leg = call.legs.get(&id)?;
        let spoke = leg.spoke.clone();
        let mut about = call.identities();
        about.leg = Some(id);
        if let Some((agent, queue)) = spoke {
            about.agent = Some(agent);
            about.queue = queue;
        }
        Some(Closing { port, side: side(leg), about })
    }

    pub(crate) fn on_closed(&mut self, leg: LegId, stats: &media::Stats) {
        let Some(Closing { port, side, mut about }) = self.closing.remove(&leg) else { return };
        if !mutated(Mutation::PortKept) {
            self.ports.give(port);
        }
        // A port that was opened and never used was no leg to anybody.
        if stats.received == 0 && stats.sent == 0 {
            return;
        }
        about.rev = self.calls.get_mut(&leg.call).map_or(about.rev + 1, |call| call.about().rev);
        self.count_on(leg.call, about.rev);
        self.fact(about, What::LegClosed { side, quality: Box::new(media::quality::of(stats)) });
    }
}

fn side(leg: &Leg) -> Side {
    match &leg.purpose {
        Purpose::Customer | Purpose::Reached(Errand::Customer) => Side::Customer,
        Purpose::Monitor(_) | Purpose::Reached(Errand::Monitor(_)) => Side::Supervisor,
        Purpose::Third | Purpose::Reached(_) => Side::Third,
        Purpose::Offer(_) | Purpose::Agent | Purpose::Second | Purpose::Replacing | Purpose::Leaving => Side::Agent,
    }
}

//! INVITE server transaction: RFC 3261 17.2.1 as corrected by RFC 6026 7.1.
//!
//! ```text
//!                    │ INVITE, passed on
//!        ┌───────────▼───────────┐ INVITE: the last provisional again
//!        │      Proceeding       ├──────────────────┐
//!        └──┬─────────────────┬──┘                  │
//!   300-699 │                 │ 2xx                 │ transport error
//!  ┌────────▼───────┐ ┌───────▼────────┐            │
//!  │   Completed    │ │    Accepted    │            │    Accepted absorbs INVITEs; the session repeats its 2xx
//!  └─┬────────────┬─┘ └───────┬────────┘            │    Completed: INVITE and timer G send the response again
//!    │ ACK        │ timer H,  │ timer L             │
//!  ┌─▼──────────┐ │ transport │                     │
//!  │ Confirmed  │ │ error     │                     │    Confirmed absorbs ACKs
//!  └─┬──────────┘ │           │                     │
//!    │ timer I    │           │                     │
//!  ┌─▼────────────▼───────────▼─────────────────────▼┐
//!  │                   Terminated                    │
//!  └─────────────────────────────────────────────────┘
//! ```

use super::timer::{PATIENCE, T1, T2, T4, Timer};
use super::{Act, Acts};
use smallvec::smallvec;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InviteServer {
    pub state: State,
    reliable: bool,
    interval: Duration,
}

impl InviteServer {
    /// The INVITE just came; the endpoint sends 100 at once.
    pub fn start(reliable: bool) -> Self {
        InviteServer { state: State::Proceeding, reliable, interval: T1 }
    }

    /// The INVITE again.
    pub fn on_repeated(&mut self) -> Acts {
        match self.state {
            State::Proceeding | State::Completed => smallvec![Act::Transmit],
            State::Accepted | State::Confirmed | State::Terminated => smallvec![],
        }
    }

    /// A response from the session.
    pub fn on_reply(&mut self, status: u16) -> Acts {
        match (self.state, status) {
            (State::Proceeding, ..200) => smallvec![Act::Transmit],
            (State::Proceeding, 200..300) => {
                self.state = State::Accepted;
                smallvec![Act::Transmit, Act::Arm(Timer::L, PATIENCE)]
            }
            (State::Proceeding, _) => {
                self.state = State::Completed;
                let mut acts: Acts = smallvec![Act::Transmit, Act::Arm(Timer::H, PATIENCE)];
                if !self.reliable {
                    acts.push(Act::Arm(Timer::G, T1));
                }
                acts
            }
            (State::Accepted, 200..300) => smallvec![Act::Transmit],
            _ => smallvec![],
        }
    }

    /// An ACK with this INVITE's branch: it acknowledges a 300-699.
    pub fn on_ack(&mut self) -> Acts {
        if self.state != State::Completed {
            return smallvec![];
        }
        self.state = State::Confirmed;
        let linger = if self.reliable { Duration::ZERO } else { T4 };
        smallvec![Act::Disarm(Timer::G), Act::Disarm(Timer::H), Act::Arm(Timer::I, linger)]
    }

    pub fn on_timer(&mut self, timer: Timer) -> Acts {
        match (self.state, timer) {
            (State::Completed, Timer::G) => {
                self.interval = self.interval.saturating_mul(2).min(T2);
                smallvec![Act::Transmit, Act::Arm(Timer::G, self.interval)]
            }
            (State::Completed, Timer::H) => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::G), Act::TimedOut, Act::Gone]
            }
            (State::Accepted, Timer::L) | (State::Confirmed, Timer::I) => {
                self.state = State::Terminated;
                smallvec![Act::Gone]
            }
            _ => smallvec![],
        }
    }

    pub fn on_transport_failed(&mut self) -> Acts {
        match self.state {
            State::Proceeding => {
                self.state = State::Terminated;
                smallvec![Act::Broken, Act::Gone]
            }
            State::Completed => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::G), Act::Disarm(Timer::H), Act::Gone]
            }
            // RFC 6026 7.1: the session is told and the transaction stays.
            State::Accepted => smallvec![Act::Broken],
            State::Confirmed | State::Terminated => smallvec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table_test::{Row, compare, print};
    use super::*;
    use State::*;

    fn rows(reliable: bool) -> String {
        type Event = (&'static str, fn(&mut InviteServer) -> Acts);
        let events: [Event; 10] = [
            ("INVITE", |m| m.on_repeated()),
            ("ACK", |m| m.on_ack()),
            ("reply180", |m| m.on_reply(180)),
            ("reply200", |m| m.on_reply(200)),
            ("reply486", |m| m.on_reply(486)),
            ("G", |m| m.on_timer(Timer::G)),
            ("H", |m| m.on_timer(Timer::H)),
            ("I", |m| m.on_timer(Timer::I)),
            ("L", |m| m.on_timer(Timer::L)),
            ("failed", |m| m.on_transport_failed()),
        ];
        let mut rows: Vec<Row> = vec![];
        for state in [Proceeding, Accepted, Completed, Confirmed, Terminated] {
            for (name, event) in events {
                let mut m = InviteServer { state, reliable, interval: T1 };
                let acts = event(&mut m);
                rows.push((format!("{state:?}"), name.into(), format!("{:?}", m.state), acts));
            }
        }
        print(rows)
    }

    #[test]
    fn line_05_every_state_meets_every_event_as_rfc_6026_has_it() {
        let expected = "
            Proceeding  INVITE    Proceeding  transmit
            Proceeding  reply180  Proceeding  transmit
            Proceeding  reply200  Accepted    transmit L=32000
            Proceeding  reply486  Completed   transmit H=32000 G=500
            Proceeding  failed    Terminated  broken gone
            Accepted    reply200  Accepted    transmit
            Accepted    L         Terminated  gone
            Accepted    failed    Accepted    broken
            Completed   INVITE    Completed   transmit
            Completed   ACK       Confirmed   -G -H I=5000
            Completed   G         Completed   transmit G=1000
            Completed   H         Terminated  -G timed-out gone
            Completed   failed    Terminated  -G -H gone
            Confirmed   I         Terminated  gone
        ";
        compare(&rows(false), expected);
    }

    #[test]
    fn on_a_stream_a_refusal_is_sent_once_and_nothing_lingers() {
        let rows = rows(true);
        assert!(rows.contains("Completed transmit H=32000\n"));
        assert!(rows.contains("Confirmed -G -H I=0\n"));
    }
}

//! Non-INVITE server transaction: RFC 3261 17.2.2, RFC 4320.
//!
//! ```text
//!              │ request, passed on
//!     ┌────────▼────────┐
//!     │     Trying      ├──┐          repetitions absorbed in silence
//!     └────────┬────────┘  │
//!          1xx │           │ 200-699
//!     ┌────────▼────────┐  │
//!     │   Proceeding    │  │          repetition: the provisional again
//!     └────────┬────────┘  │
//!      200-699 │           │
//!     ┌────────▼───────────▼┐
//!     │      Completed      │         repetition: the response again
//!     └────────┬────────────┘
//!      timer J │    transport error, from any state
//!     ┌────────▼────────────┐
//!     │     Terminated      │
//!     └─────────────────────┘
//! ```
//! RFC 4320: a 408 is never sent (the client's transaction has timed out by itself when it would arrive), and no
//! provisional but a late 100. Nothing of ours takes long enough to need one.

use super::timer::{PATIENCE, Timer};
use super::{Act, Acts};
use smallvec::smallvec;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub state: State,
    reliable: bool,
}

impl Server {
    pub fn start(reliable: bool) -> Self {
        Server { state: State::Trying, reliable }
    }

    /// The request again.
    pub fn on_repeated(&mut self) -> Acts {
        match self.state {
            State::Proceeding | State::Completed => smallvec![Act::Transmit],
            State::Trying | State::Terminated => smallvec![],
        }
    }

    /// A response of ours.
    pub fn on_reply(&mut self, status: u16) -> Acts {
        match (self.state, status) {
            (State::Trying | State::Proceeding, ..200) => {
                self.state = State::Proceeding;
                smallvec![Act::Transmit]
            }
            (State::Trying | State::Proceeding, _) => {
                self.state = State::Completed;
                let linger = if self.reliable { Duration::ZERO } else { PATIENCE };
                smallvec![Act::Transmit, Act::Arm(Timer::J, linger)]
            }
            (State::Completed | State::Terminated, _) => smallvec![],
        }
    }

    pub fn on_timer(&mut self, timer: Timer) -> Acts {
        if (self.state, timer) != (State::Completed, Timer::J) {
            return smallvec![];
        }
        self.state = State::Terminated;
        smallvec![Act::Gone]
    }

    pub fn on_transport_failed(&mut self) -> Acts {
        match self.state {
            State::Trying | State::Proceeding | State::Completed => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::J), Act::Gone]
            }
            State::Terminated => smallvec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table_test::{Row, compare, print};
    use super::*;
    use State::*;

    fn rows(reliable: bool) -> String {
        type Event = (&'static str, fn(&mut Server) -> Acts);
        let events: [Event; 5] = [
            ("again", |m| m.on_repeated()),
            ("reply100", |m| m.on_reply(100)),
            ("reply200", |m| m.on_reply(200)),
            ("J", |m| m.on_timer(Timer::J)),
            ("failed", |m| m.on_transport_failed()),
        ];
        let mut rows: Vec<Row> = vec![];
        for state in [Trying, Proceeding, Completed, Terminated] {
            for (name, event) in events {
                let mut m = Server { state, reliable };
                let acts = event(&mut m);
                rows.push((format!("{state:?}"), name.into(), format!("{:?}", m.state), acts));
            }
        }
        print(rows)
    }

    #[test]
    fn line_05_every_state_meets_every_event_as_rfc_4320_has_it() {
        let expected = "
            Trying      reply100  Proceeding  transmit
            Trying      reply200  Completed   transmit J=32000
            Trying      failed    Terminated  -J gone
            Proceeding  again     Proceeding  transmit
            Proceeding  reply100  Proceeding  transmit
            Proceeding  reply200  Completed   transmit J=32000
            Proceeding  failed    Terminated  -J gone
            Completed   again     Completed   transmit
            Completed   J         Terminated  gone
            Completed   failed    Terminated  -J gone
        ";
        compare(&rows(false), expected);
    }

    #[test]
    fn on_a_stream_nothing_lingers() {
        assert_eq!(rows(true).lines().filter(|l| l.contains("J=0")).count(), 2);
    }
}

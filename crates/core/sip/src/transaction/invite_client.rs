//! INVITE client transaction: RFC 3261 17.1.1 as corrected by RFC 6026 7.2.
//!
//! ```text
//!                        │ INVITE sent
//!               ┌────────▼────────┐ timer A: INVITE again, interval doubled
//!          ┌────┤     Calling     ├────┐
//!      1xx │    └────────┬────────┘    │ timer B, transport error: the session is told
//!          │         2xx │             │
//!  ┌───────▼──────┐      │             │
//!  │  Proceeding  │──────┤ 2xx         │          1xx: passed on
//!  └───────┬──────┘      │             │
//!  300-699 │   ┌─────────▼────────┐    │
//!  (also from  │     Accepted     │    │          2xx: passed on, each one (forks, repetitions)
//!  Calling):   └─────────┬────────┘    │
//!  ACK     │      timer M│             │
//!  ┌───────▼──────┐      │             │
//!  │  Completed   │──┐   │             │          300-699: ACK again
//!  └──────────────┘  │ timer D, transport error
//!              ┌─────▼───▼─────────────▼────┐
//!              │         Terminated         │
//!              └────────────────────────────┘
//! ```

use super::timer::{D, PATIENCE, T1, Timer};
use super::{Act, Acts};
use smallvec::smallvec;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Calling,
    Proceeding,
    Accepted,
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InviteClient {
    pub state: State,
    reliable: bool,
    interval: Duration,
}

impl InviteClient {
    /// The INVITE was just sent.
    pub fn start(reliable: bool) -> (Self, Acts) {
        let machine = InviteClient { state: State::Calling, reliable, interval: T1 };
        let mut acts: Acts = smallvec![Act::Arm(Timer::B, PATIENCE)];
        if !reliable {
            acts.push(Act::Arm(Timer::A, T1));
        }
        (machine, acts)
    }

    pub fn on_response(&mut self, status: u16) -> Acts {
        match (self.state, status) {
            (State::Calling | State::Proceeding, ..200) => {
                self.state = State::Proceeding;
                smallvec![Act::Disarm(Timer::A), Act::Disarm(Timer::B), Act::Pass]
            }
            (State::Calling | State::Proceeding, 200..300) => {
                self.state = State::Accepted;
                smallvec![Act::Disarm(Timer::A), Act::Disarm(Timer::B), Act::Arm(Timer::M, PATIENCE), Act::Pass]
            }
            (State::Calling | State::Proceeding, _) => {
                let linger = if self.reliable { Duration::ZERO } else { D };
                self.state = State::Completed;
                smallvec![Act::Disarm(Timer::A), Act::Disarm(Timer::B), Act::Acknowledge, Act::Arm(Timer::D, linger), Act::Pass]
            }
            (State::Accepted, 200..300) => smallvec![Act::Pass],
            (State::Completed, 300..) => smallvec![Act::Acknowledge],
            (State::Accepted | State::Completed | State::Terminated, _) => smallvec![],
        }
    }

    pub fn on_timer(&mut self, timer: Timer) -> Acts {
        match (self.state, timer) {
            (State::Calling, Timer::A) => {
                self.interval = self.interval.saturating_mul(2);
                smallvec![Act::Transmit, Act::Arm(Timer::A, self.interval)]
            }
            (State::Calling, Timer::B) => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::A), Act::TimedOut, Act::Gone]
            }
            (State::Accepted, Timer::M) | (State::Completed, Timer::D) => {
                self.state = State::Terminated;
                smallvec![Act::Gone]
            }
            _ => smallvec![],
        }
    }

    pub fn on_transport_failed(&mut self) -> Acts {
        match self.state {
            // Nothing says that a lost stream lost the call: the answer may come on another one (RFC 3261 17.1.1.2
            // has no such edge from Proceeding), but a request that never left has failed.
            State::Calling | State::Proceeding => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::A), Act::Disarm(Timer::B), Act::Broken, Act::Gone]
            }
            State::Completed => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::D), Act::Gone]
            }
            State::Accepted | State::Terminated => smallvec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table_test::{Row, print};
    use super::*;
    use State::*;

    fn rows(reliable: bool) -> String {
        let states = [Calling, Proceeding, Accepted, Completed, Terminated];
        let at = |state| InviteClient { state, reliable, interval: T1 };
        let mut rows: Vec<Row> = vec![];
        for state in states {
            for status in [180, 200, 486] {
                let mut m = at(state);
                let acts = m.on_response(status);
                rows.push((format!("{state:?}"), format!("{status}"), format!("{:?}", m.state), acts));
            }
            for timer in [Timer::A, Timer::B, Timer::D, Timer::M] {
                let mut m = at(state);
                let acts = m.on_timer(timer);
                rows.push((format!("{state:?}"), format!("{timer:?}"), format!("{:?}", m.state), acts));
            }
            let mut m = at(state);
            let acts = m.on_transport_failed();
            rows.push((format!("{state:?}"), "failed".into(), format!("{:?}", m.state), acts));
        }
        print(rows)
    }

    #[test]
    fn line_05_every_state_meets_every_event_as_rfc_6026_has_it() {
        let expected = "
            Calling     180     Proceeding  -A -B pass
            Calling     200     Accepted    -A -B M=32000 pass
            Calling     486     Completed   -A -B ack D=32000 pass
            Calling     A       Calling     transmit A=1000
            Calling     B       Terminated  -A timed-out gone
            Calling     failed  Terminated  -A -B broken gone
            Proceeding  180     Proceeding  -A -B pass
            Proceeding  200     Accepted    -A -B M=32000 pass
            Proceeding  486     Completed   -A -B ack D=32000 pass
            Proceeding  failed  Terminated  -A -B broken gone
            Accepted    200     Accepted    pass
            Accepted    M       Terminated  gone
            Completed   486     Completed   ack
            Completed   D       Terminated  gone
            Completed   failed  Terminated  -D gone
        ";
        super::super::table_test::compare(&rows(false), expected);
    }

    #[test]
    fn on_a_stream_nothing_is_repeated_and_nothing_lingers() {
        assert_eq!(InviteClient::start(true).1.as_slice(), [Act::Arm(Timer::B, PATIENCE)]);
        let completed = rows(true).lines().filter(|l| l.contains("D=0 ")).count();
        assert_eq!(completed, 2);
    }

    #[test]
    fn timer_a_doubles_without_a_ceiling() {
        let (mut machine, _) = InviteClient::start(false);
        let intervals: Vec<_> = (0..5)
            .map(|_| match machine.on_timer(Timer::A).as_slice() {
                [Act::Transmit, Act::Arm(Timer::A, d)] => d.as_millis(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(intervals, [1000, 2000, 4000, 8000, 16000]);
    }
}

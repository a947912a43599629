//! Non-INVITE client transaction: RFC 3261 17.1.2, RFC 4320.
//!
//! ```text
//!                  │ request sent
//!         ┌────────▼────────┐ timer E: again, interval doubled up to T2
//!         │     Trying      ├───────────────────────┐
//!         └──┬───────────┬──┘                       │
//!        1xx │           │ 200-699                  │ timer F, transport error:
//!   ┌────────▼────────┐  │                          │ the session is told
//!   │   Proceeding    ├──┼──────────────────────────┤
//!   └────────┬────────┘  │  timer E: again at T2    │
//!    200-699 │           │                          │
//!         ┌──▼───────────▼──┐                       │
//!         │    Completed    │ responses absorbed    │
//!         └────────┬────────┘                       │
//!          timer K │                                │
//!         ┌────────▼────────────────────────────────▼┐
//!         │                Terminated                │
//!         └──────────────────────────────────────────┘
//! ```

use super::timer::{PATIENCE, T1, T2, T4, Timer};
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
pub(crate) struct Client {
    pub state: State,
    reliable: bool,
    interval: Duration,
}

impl Client {
    /// The request was just sent.
    pub fn start(reliable: bool) -> (Self, Acts) {
        let mut acts: Acts = smallvec![Act::Arm(Timer::F, PATIENCE)];
        if !reliable {
            acts.push(Act::Arm(Timer::E, T1));
        }
        (Client { state: State::Trying, reliable, interval: T1 }, acts)
    }

    pub fn on_response(&mut self, status: u16) -> Acts {
        match (self.state, status) {
            (State::Trying | State::Proceeding, ..200) => {
                self.state = State::Proceeding;
                smallvec![Act::Pass]
            }
            (State::Trying | State::Proceeding, _) => {
                let linger = if self.reliable { Duration::ZERO } else { T4 };
                self.state = State::Completed;
                smallvec![Act::Disarm(Timer::E), Act::Disarm(Timer::F), Act::Arm(Timer::K, linger), Act::Pass]
            }
            (State::Completed | State::Terminated, _) => smallvec![],
        }
    }

    pub fn on_timer(&mut self, timer: Timer) -> Acts {
        match (self.state, timer) {
            (State::Trying, Timer::E) => {
                self.interval = self.interval.saturating_mul(2).min(T2);
                smallvec![Act::Transmit, Act::Arm(Timer::E, self.interval)]
            }
            (State::Proceeding, Timer::E) => smallvec![Act::Transmit, Act::Arm(Timer::E, T2)],
            (State::Trying | State::Proceeding, Timer::F) => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::E), Act::TimedOut, Act::Gone]
            }
            (State::Completed, Timer::K) => {
                self.state = State::Terminated;
                smallvec![Act::Gone]
            }
            _ => smallvec![],
        }
    }

    pub fn on_transport_failed(&mut self) -> Acts {
        match self.state {
            State::Trying | State::Proceeding => {
                self.state = State::Terminated;
                smallvec![Act::Disarm(Timer::E), Act::Disarm(Timer::F), Act::Broken, Act::Gone]
            }
            State::Completed | State::Terminated => smallvec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table_test::{Row, compare, print};
    use super::*;
    use State::*;

    fn rows(reliable: bool) -> String {
        let mut rows: Vec<Row> = vec![];
        for state in [Trying, Proceeding, Completed, Terminated] {
            let at = || Client { state, reliable, interval: T1 };
            for status in [100, 200, 481] {
                let mut m = at();
                let acts = m.on_response(status);
                rows.push((format!("{state:?}"), format!("{status}"), format!("{:?}", m.state), acts));
            }
            for timer in [Timer::E, Timer::F, Timer::K] {
                let mut m = at();
                let acts = m.on_timer(timer);
                rows.push((format!("{state:?}"), format!("{timer:?}"), format!("{:?}", m.state), acts));
            }
            let mut m = at();
            let acts = m.on_transport_failed();
            rows.push((format!("{state:?}"), "failed".into(), format!("{:?}", m.state), acts));
        }
        print(rows)
    }

    #[test]
    fn line_05_every_state_meets_every_event_as_rfc_4320_has_it() {
        let expected = "
            Trying      100     Proceeding  pass
            Trying      200     Completed   -E -F K=5000 pass
            Trying      481     Completed   -E -F K=5000 pass
            Trying      E       Trying      transmit E=1000
            Trying      F       Terminated  -E timed-out gone
            Trying      failed  Terminated  -E -F broken gone
            Proceeding  100     Proceeding  pass
            Proceeding  200     Completed   -E -F K=5000 pass
            Proceeding  481     Completed   -E -F K=5000 pass
            Proceeding  E       Proceeding  transmit E=4000
            Proceeding  F       Terminated  -E timed-out gone
            Proceeding  failed  Terminated  -E -F broken gone
            Completed   K       Terminated  gone
        ";
        compare(&rows(false), expected);
    }

    #[test]
    fn on_a_stream_nothing_is_repeated_and_nothing_lingers() {
        assert_eq!(Client::start(true).1.as_slice(), [Act::Arm(Timer::F, PATIENCE)]);
        assert_eq!(rows(true).lines().filter(|l| l.contains("K=0 ")).count(), 4);
    }

    #[test]
    fn timer_e_doubles_up_to_t2() {
        let (mut machine, _) = Client::start(false);
        let intervals: Vec<_> = (0..5)
            .map(|_| match machine.on_timer(Timer::E).as_slice() {
                [Act::Transmit, Act::Arm(Timer::E, d)] => d.as_millis(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(intervals, [1000, 2000, 4000, 4000, 4000]);
    }
}

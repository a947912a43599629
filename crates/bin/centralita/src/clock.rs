//! The one place where clocks are read for the cores.

use base::{Instant, Now, Wall};
use std::time::{Duration, SystemTime};

/// Wall time is an anchor taken at the start plus elapsed monotonic time: a step of the system's clock moves nothing.
#[derive(Clone, Copy)]
pub struct Clock {
    start: std::time::Instant,
    anchor: Wall,
}

impl Clock {
    pub fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { start: std::time::Instant::now(), anchor: Wall::default().plus(since_1970) }
    }

    /// As if it had been started by a clock that is ahead.
    #[cfg(test)]
    pub fn ahead(by: Duration) -> Self {
        let clock = Clock::start();
        Clock { anchor: clock.anchor.plus(by), ..clock }
    }

    pub fn now(&self) -> Now {
        let elapsed = self.start.elapsed();
        // Zero is the clock's own beginning: no instant is before it.
        Now { mono: Instant::ZERO + elapsed, wall: self.anchor.plus(elapsed) }
    }

    /// How far the system's clock was set since the start.
    pub fn drift(&self) -> Duration {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (system, ours) = (Wall::default().plus(since_1970), self.now().wall);
        Duration::from_micros(system.0.abs_diff(ours.0))
    }

    /// The moment of the system's clock that `at` names.
    pub fn system(&self, at: Instant) -> std::time::Instant {
        self.start + at.since(Instant::ZERO)
    }
}

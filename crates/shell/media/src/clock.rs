//! The one place of this crate where clocks are read.

use base::{Instant, Now, Wall};
use std::time::{Duration, SystemTime};

/// Both clocks; the wall clock is anchored once and then moves with the monotonic one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: std::time::Instant,
    wall: Wall,
}

impl Clock {
    pub fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Clock { start: std::time::Instant::now(), wall: Wall(0).plus(since_1970) }
    }

    pub fn now(&self) -> Now {
        let elapsed = self.start.elapsed();
        Now { mono: Instant::ZERO + elapsed, wall: self.wall.plus(elapsed) }
    }
}

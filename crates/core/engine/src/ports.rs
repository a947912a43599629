//! The RTP ports of the site's range: even ones, each with its RTCP port above it.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Free ports in the order in which they were given back, so that a port rests as long as possible:
/// late packets of an old call do not meet a new one.
pub struct Ports {
    free: VecDeque<u16>,
    used: usize,
    /// One for many legs: it is neither free nor used.
    shared: Option<u16>,
}

impl Ports {
    pub fn new(range: &RangeInclusive<u16>, shared: Option<u16>) -> Self {
        let last = range.end().saturating_sub(1);
        let free = (*range.start()..=last).filter(|p| p % 2 == 0).collect();
        Ports { free, used: 0, shared }
    }

    pub fn take(&mut self) -> Option<u16> {
        let port = self.free.pop_front()?;
        self.used += 1;
        Some(port)
    }

    /// As [`Ports::take`], but never one of the last `reserve`.
    pub fn take_leaving(&mut self, reserve: usize) -> Option<u16> {
        if self.free.len() > reserve { self.take() } else { None }
    }

    /// The port that legs of a trunk may share.
    pub fn shared(&self) -> Option<u16> {
        self.shared
    }

    /// Free and used.
    pub fn all(&self) -> usize {
        self.free.len() + self.used
    }

    pub fn give(&mut self, port: u16) {
        if self.shared == Some(port) {
            return;
        }
        self.used = self.used.saturating_sub(1);
        self.free.push_back(port);
    }

    pub fn used(&self) -> usize {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_rests_until_all_others_were_used() {
        let mut ports = Ports::new(&(20_001..=20_007), Some(19_998));
        assert_eq!((ports.take(), ports.take()), (Some(20_002), Some(20_004)));
        ports.give(20_002);
        assert_eq!((ports.take(), ports.take(), ports.take()), (Some(20_006), Some(20_002), None));
        assert_eq!(ports.used(), 3);
        ports.give(20_004);
        ports.give(19_998);
        assert_eq!((ports.take_leaving(1), ports.take_leaving(0)), (None, Some(20_004)));
    }
}

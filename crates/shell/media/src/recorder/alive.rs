//! The recorder's sign of life: of which recordings frames came to the disk since the last one.

use base::RecordingId;
use media::Input;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Between two signs.
const EACH: Duration = Duration::from_secs(1);

pub(super) struct Alive {
    grew: BTreeSet<RecordingId>,
    next: Instant,
}

impl Alive {
    pub fn new() -> Self {
        Alive { grew: BTreeSet::new(), next: Instant::now() + EACH }
    }

    pub fn grew(&mut self, recording: RecordingId) {
        self.grew.insert(recording);
    }

    /// The sign, if it is time for one and there is something to say. Silence is one, too: the rule that hears nothing of
    /// a recording knows what to make of it.
    pub fn sign(&mut self) -> Option<Input> {
        self.sign_at(Instant::now())
    }

    fn sign_at(&mut self, now: Instant) -> Option<Input> {
        if now < self.next {
            return None;
        }
        self.next = now + EACH;
        let grew: Vec<RecordingId> = std::mem::take(&mut self.grew).into_iter().collect();
        (!grew.is_empty()).then_some(Input::RecorderAlive { grew })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_is_said_once_a_second_and_only_that() {
        let mut alive = Alive::new();
        let recording: RecordingId = "1-1-1.c1.p1".parse().unwrap();
        let start = alive.next;
        alive.grew(recording);
        alive.grew(recording);
        assert_eq!(alive.sign_at(start - EACH / 2), None);
        assert_eq!(alive.sign_at(start), Some(Input::RecorderAlive { grew: vec![recording] }));
        alive.grew(recording);
        assert_eq!(alive.sign_at(start + EACH / 2), None);
        assert!(alive.sign_at(start + EACH).is_some());
        assert_eq!(alive.sign_at(start + 2 * EACH), None, "nothing grew");
    }
}

//! Whose packet it is that came, and what it means to whom.

use super::port::Arrival;
use super::stamp::UNIT_NS;
use super::{Event, Histogram, Leg, Listener, StreamId, Way};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

/// Packets kept that came to a shared port before the leg they are for knew whom it speaks to.
const EARLY: usize = 4_096;
/// For so long.
const WAITS: Duration = Duration::from_millis(500);

pub struct Ears {
    pub clock: Clock,
    pub legs: FxHashMap<StreamId, Leg>,
    /// At which port, from which address.
    sources: FxHashMap<(usize, SocketAddr), StreamId>,
    early: VecDeque<Early>,
    listener: Listener,
    tell: Box<dyn Fn(Event) + Send>,
    pub delay: Histogram,
    /// Of packets without a stamp.
    pub pacing: Histogram,
}

struct Early {
    token: usize,
    at: Duration,
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl Ears {
    pub fn new(clock: Clock, listener: Listener, tell: Box<dyn Fn(Event) + Send>) -> Ears {
        Ears {
            clock,
            legs: FxHashMap::default(),
            sources: FxHashMap::default(),
            early: VecDeque::new(),
            listener,
            tell,
            delay: Histogram::default(),
            pacing: Histogram::default(),
        }
    }

    /// A leg speaks and listens to a peer from now on.
    pub fn go(&mut self, stream: StreamId, way: Way) {
        let Some(leg) = self.legs.get_mut(&stream) else { return };
        leg.voice.negotiate(way.law, way.dtmf);
        leg.ear.expect_keys_as(way.dtmf);
        leg.ear.forgive();
        let token = leg.token;
        if let Some(before) = leg.way.replace(way) {
            self.sources.remove(&(token, before.remote));
        }
        self.sources.insert((token, way.remote), stream);
        self.replay(token, way.remote);
    }

    /// Its last word; the port it had.
    pub fn close(&mut self, stream: StreamId) -> Option<usize> {
        let mut leg = self.legs.remove(&stream)?;
        leg.ear.end().into_iter().for_each(|late| self.pacing.count(late));
        if let Some(source) = leg.way.map(|way| (leg.token, way.remote))
            && self.sources.get(&source) == Some(&stream)
        {
            self.sources.remove(&source);
        }
        (self.tell)(Event::Closed { stream, heard: Box::new(leg.ear.heard), sent: leg.sent });
        Some(leg.token)
    }

    /// A packet at a port, which is one leg's `only`, or shared.
    pub fn take(&mut self, token: usize, only: Option<StreamId>, arrival: Arrival) {
        let Arrival { at, from, bytes } = arrival;
        let stream = only.or_else(|| self.sources.get(&(token, from)).copied());
        match stream.filter(|stream| self.legs.contains_key(stream)) {
            Some(stream) => self.hear(stream, at, bytes),
            None => {
                if self.early.len() == EARLY {
                    self.early.pop_front();
                }
                self.early.push_back(Early { token, at, from, bytes: bytes.into() });
            }
        }
    }

    /// What came before anybody knew whose it was. Older than that it is what another leg left behind.
    fn replay(&mut self, token: usize, from: SocketAddr) {
        let oldest = now().saturating_sub(WAITS);
        let mut early = std::mem::take(&mut self.early);
        early.retain(|packet| packet.at >= oldest);
        early.retain(|packet| {
            let mine = (packet.token, packet.from) == (token, from);
            if mine {
                self.take(token, None, Arrival { at: packet.at, from, bytes: &packet.bytes });
            }
            !mine
        });
        self.early = early;
    }

    fn hear(&mut self, stream: StreamId, at: Duration, bytes: &[u8]) {
        let Some(leg) = self.legs.get_mut(&stream) else { return };
        let since = at.saturating_sub(self.clock.wall);
        let first = leg.ear.heard.packets == 0;
        let meant = leg.ear.listen(since, bytes, &mut self.listener);
        if first && leg.ear.heard.packets == 1 {
            (self.tell)(Event::First { stream, at: self.clock.start + since });
        }
        if let Some((what, since)) = meant.noticed {
            (self.tell)(Event::Noticed { stream, since: self.clock.start + since, what });
        }
        meant.paced.into_iter().for_each(|late| self.pacing.count(late));
        if let Some(sent) = meant.sent {
            let took = units(since).wrapping_sub(sent).cast_signed().max(0);
            self.delay.count(Duration::from_nanos(u64::from(took.cast_unsigned()) * UNIT_NS));
        }
    }
}

/// Both clocks, read together: the kernel says by the wall clock when a packet came.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub start: Instant,
    wall: Duration,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { start: Instant::now(), wall: now() }
    }

    /// This moment, as a stamp has it.
    pub fn stamp(&self) -> u32 {
        units(now().saturating_sub(self.wall))
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Goes round in 11 hours.
fn units(since: Duration) -> u32 {
    (since.as_nanos() / u128::from(UNIT_NS)) as u32
}

//! Symmetric RTP with strict latching: whose packets are heard, and where ours go.
//!
//! ```text
//!              a packet from the SDP address ("home")
//!   Nobody ────────────────────────────────────────────▶ Home ◀──┐
//!     │                                                   │      │ a packet from home
//!     └── 5 in a row over 60 ms from one other address ─▶ Guess ─┘
//!                                                         │
//!          held and live: everyone else is a stranger ◀───┤
//!          silent for 5 s: another may prove itself  ◀────┘
//! ```
//! RTP bleed (CVE-2017-14099) and injection (CVE-2025-53399): a live stream is never taken over, and an
//! address that has only begun to prove itself gets at most 5 packets more than it sent.

use base::Instant;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Packets in a row that another address needs.
const IN_A_ROW: u32 = 5;
/// They span at least this: a burst proves nothing.
const SPAN: Duration = Duration::from_millis(60);
/// How long the held source must be silent before another may take its place.
const RELEARN: Duration = Duration::from_secs(5);
/// Packets that an address we only guess gets ahead of what it sends.
const ADVANCE: u32 = 5;
/// After this many packets a guess is a peer.
const PROVEN: u32 = 50;
/// Hosts watched at a time, one port of each, so that a sprayer can't displace the one that is real.
const WATCHED: usize = 4;
/// A host's other port is watched when the first has been silent this long.
const STALE: Duration = Duration::from_millis(200);

/// What a packet's source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The one we listen to.
    Held,
    /// The one we listen to from now on.
    Taken,
    /// Not to be heard.
    Stranger,
}

#[derive(Clone, Debug, Default)]
pub struct Latch {
    home: Option<SocketAddr>,
    held: Option<Held>,
    watched: [Option<Candidate>; WATCHED],
}

#[derive(Clone, Copy, Debug)]
struct Held {
    from: SocketAddr,
    heard: Instant,
    received: u32,
    allowance: u32,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
    count: u32,
    since: Instant,
    heard: Instant,
}

impl Latch {
    /// The peer's address by its SDP. Another one than before forgets who was held: the peer has moved.
    pub fn set_home(&mut self, address: SocketAddr) {
        if self.home != Some(address) {
            *self = Latch { home: Some(address), ..Latch::default() };
        }
    }

    /// A valid RTP packet came. `expected` is false while the peer is on hold: its silence then proves nothing.
    pub fn hear(&mut self, now: Instant, from: SocketAddr, ssrc: u32, sequence: u16, expected: bool) -> Source {
        if let Some(held) = self.held.as_mut().filter(|h| h.from == from) {
            held.heard = now;
            held.received = held.received.saturating_add(1);
            held.allowance = held.allowance.saturating_add(1);
            return Source::Held;
        }
        let open = self.held.is_none_or(|h| expected && now.since(h.heard) >= RELEARN);
        if self.home != Some(from) && !(open && self.proves(now, from, ssrc, sequence)) {
            return Source::Stranger;
        }
        self.held = Some(Held { from, heard: now, received: 1, allowance: ADVANCE });
        self.watched = Default::default();
        Source::Taken
    }

    /// The held peer is alive in another way (RTCP).
    pub fn keep(&mut self, now: Instant) {
        if let Some(held) = &mut self.held {
            held.heard = now;
        }
    }

    /// Whether RTCP from this host belongs to the peer.
    pub fn knows(&self, host: IpAddr) -> bool {
        self.held.map_or(self.home, |h| Some(h.from)).is_some_and(|a| a.ip() == host)
    }

    /// Where the peer is, as far as known.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.held.map(|h| h.from).or(self.home).filter(usable)
    }

    /// Where the next packet goes; asking counts as sending it.
    pub fn spend(&mut self) -> Option<SocketAddr> {
        let home = self.home.filter(usable);
        let Some(held) = &mut self.held else { return home };
        if self.home == Some(held.from) || held.received >= PROVEN {
            return Some(held.from);
        }
        match held.allowance.checked_sub(1) {
            Some(rest) => {
                held.allowance = rest;
                Some(held.from)
            }
            None => home,
        }
    }

    fn proves(&mut self, now: Instant, from: SocketAddr, ssrc: u32, sequence: u16) -> bool {
        let fresh = Candidate { from, ssrc, sequence, count: 1, since: now, heard: now };
        let known = self.watched.iter_mut().flatten().find(|c| c.from.ip() == from.ip());
        let Some(candidate) = known else {
            self.watch(fresh);
            return false;
        };
        if candidate.from != from && now.since(candidate.heard) < STALE {
            return false;
        }
        candidate.heard = now;
        if candidate.from != from || candidate.ssrc != ssrc || sequence != candidate.sequence.wrapping_add(1) {
            *candidate = fresh;
            return false;
        }
        candidate.sequence = sequence;
        candidate.count = candidate.count.saturating_add(1);
        candidate.count >= IN_A_ROW && now.since(candidate.since) >= SPAN
    }

    /// Takes a free place, or that of the one with the shortest row.
    fn watch(&mut self, candidate: Candidate) {
        if let Some(place) = self.watched.iter_mut().min_by_key(|c| c.map_or(0, |c| c.count)) {
            *place = Some(candidate);
        }
    }
}

/// `c=0.0.0.0` is the hold of RFC 2543; port 0 is a refused stream.
fn usable(address: &SocketAddr) -> bool {
    !address.ip().is_unspecified() && address.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }
    fn address(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }
    fn latch() -> Latch {
        let mut latch = Latch::default();
        latch.set_home(address(1));
        latch
    }
    /// `n` packets 20 ms apart.
    fn stream(latch: &mut Latch, from: SocketAddr, start: u64, n: u16) -> Vec<Source> {
        (0..n).map(|i| latch.hear(at(start + 20 * u64::from(i)), from, 9, i, true)).collect()
    }

    #[test]
    fn the_address_of_the_sdp_is_heard_at_once() {
        let mut latch = latch();
        assert_eq!(latch.spend(), Some(address(1)), "music goes out before anything comes in");
        assert_eq!(stream(&mut latch, address(1), 0, 2), [Source::Taken, Source::Held]);
    }

    #[test]
    fn behind_a_nat_five_packets_in_a_row_are_believed() {
        let mut latch = latch();
        let heard = stream(&mut latch, address(7), 0, 6);
        assert_eq!(heard, [Source::Stranger, Source::Stranger, Source::Stranger, Source::Stranger, Source::Taken, Source::Held]);
        assert_eq!(latch.spend(), Some(address(7)));
    }

    #[test]
    fn a_burst_or_a_broken_row_proves_nothing() {
        let mut latch = latch();
        assert!((0..20).all(|i| latch.hear(at(i / 10), address(7), 9, i as u16, true) == Source::Stranger));
        assert!((0..40).all(|i| latch.hear(at(i * 20), address(8), 9, i as u16 * 2, true) == Source::Stranger));
    }

    #[test]
    fn a_live_stream_is_never_taken_over() {
        let mut latch = latch();
        for i in 0..500u16 {
            latch.hear(at(u64::from(i) * 20), address(1), 1, i, true);
            assert_eq!(latch.hear(at(u64::from(i) * 20), address(7), 9, i, true), Source::Stranger);
        }
        assert_eq!(latch.spend(), Some(address(1)));
    }

    #[test]
    fn after_silence_another_may_take_its_place_but_not_on_hold() {
        let mut held = latch();
        held.hear(at(0), address(1), 1, 0, true);
        assert!(!stream(&mut held, address(7), 4_000, 10).contains(&Source::Taken));
        assert!((0..50).all(|i| held.hear(at(9_000 + 20 * i), address(7), 9, i as u16, false) == Source::Stranger));
        assert!(stream(&mut held, address(7), 11_000, 10).contains(&Source::Taken));
        assert_eq!(held.hear(at(12_000), address(1), 1, 500, true), Source::Taken, "home may always come back");
    }

    #[test]
    fn a_stranger_that_latched_first_gets_five_packets_and_no_more() {
        let mut latch = latch();
        stream(&mut latch, address(7), 0, 5);
        let to_stranger = (0..1_000).filter(|_| latch.spend() == Some(address(7))).count();
        assert_eq!(to_stranger, 5);
        assert_eq!(latch.spend(), Some(address(1)), "then the SDP address again");
    }

    #[test]
    fn a_peer_behind_a_nat_is_served_without_a_gap() {
        let mut latch = latch();
        stream(&mut latch, address(7), 0, 5);
        for i in 5..300u16 {
            latch.hear(at(u64::from(i) * 20), address(7), 9, i, true);
            assert_eq!(latch.spend(), Some(address(7)));
        }
        assert!((0..1_000).all(|_| latch.spend() == Some(address(7))), "muted later, it still hears");
    }

    #[test]
    fn a_sprayer_does_not_displace_the_real_one() {
        let mut latch = latch();
        let taken = (0..8u16).any(|i| {
            for port in 0..300 {
                let sprayer = ([198, 51, 100, port as u8 % 3], 1_000 + port).into();
                assert_eq!(latch.hear(at(u64::from(i) * 20), sprayer, 3, i * 7, true), Source::Stranger);
            }
            latch.hear(at(u64::from(i) * 20), address(7), 9, i, true) == Source::Taken
        });
        assert!(taken);
    }

    #[test]
    fn nothing_goes_to_an_address_that_is_none() {
        let mut latch = Latch::default();
        assert_eq!(latch.spend(), None);
        latch.set_home(([0, 0, 0, 0], 4_000).into());
        assert_eq!((latch.spend(), latch.peer()), (None, None));
        latch.set_home(([192, 0, 2, 1], 0).into());
        assert_eq!(latch.spend(), None);
    }
}

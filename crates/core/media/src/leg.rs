//! One leg: what one peer sends us and what we send it. The plane joins legs; a leg knows only its peer.

use crate::codec::Encoder;
use crate::flood::Rate;
use crate::inband::Ear;
use crate::mix::Mix;
use crate::player::{FRAME_TIME, Player};
use crate::prompt::Prompt;
use crate::reception::Reception;
use crate::reports::Reports;
use crate::rtcp::{self, Compound, PeerReport, Sent};
use crate::rtp::{FRAME, Header, Packet};
use crate::splice::Splice;
use crate::voice::Voice;
use crate::{Codec, Law, Limits, Session, Stats, dtmf, latch};
use base::{Instant, LegId, Now, Random, RecordingId};
use smallvec::SmallVec;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Packets in a row after which a peer that changed its codec by itself is believed to keep to it: a second.
const SETTLED: u8 = 50;
/// In which law sounds are taken whose own encoding is too much for a peer: it is always there.
const FITTED_FROM: (Codec, Law) = (Codec::Pcma, Law::Pcma);
/// Loops whose position one leg remembers.
const REMEMBERED: usize = 8;
/// A peer that heard nothing for two report intervals gets a receiver report (RFC 3550 section 6.4).
const SENDER_FOR: Duration = Duration::from_secs(10);

/// What an accepted packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Audio(Codec),
    /// A telephone-event, and how fast it counts its time, in Hz.
    Event(u32),
    /// A payload that was not negotiated: a sign of life, no more.
    Other,
}

impl Content {
    /// How long its sound is.
    fn sound(self, body: &[u8]) -> Duration {
        let Content::Audio(codec) = self else { return Duration::ZERO };
        Duration::from_micros(u64::from(codec.ticks(body)) * 1_000_000 / u64::from(codec.clock()))
    }
}

#[derive(Debug)]
pub(crate) struct Leg {
    pub session: Option<Session>,
    pub latch: latch::Latch,
    pub reception: Reception,
    pub splice: Splice,
    pub digits: dtmf::Receiver,
    /// If keys are to be heard in its audio.
    pub ear: Option<Box<Ear>>,
    /// The codec of its last audio, or the one negotiated since.
    pub speaks: Codec,
    /// How many more packets in it until those who hear it are relayed to again, if they can be.
    unsettled: u8,
    /// What decodes it, if that takes more than a table and somebody needs it.
    pub voice: Option<Box<Voice>>,
    /// Among those who hear it is one to whom it is mixed.
    pub mixed: bool,
    pub player: Option<Player>,
    /// What encodes that, if the peer can be sent less than all others, in the codec and within the limits of its session.
    fitting: Option<Box<Encoder>>,
    /// Whom it hears, in order and without itself.
    pub hears: Vec<LegId>,
    /// If these are several: what it hears of them.
    pub mix: Option<Box<Mix>>,
    /// Who hears it: mostly one, and each packet asks who, so that it lies here.
    pub heard_by: SmallVec<[LegId; 2]>,
    /// Those it is in, and where the plane has them.
    pub recordings: SmallVec<[(RecordingId, usize); 1]>,
    /// What it says is recorded also while something is looped to it.
    pub recorded_waiting: bool,
    /// The last sign of life, RTP or RTCP.
    pub heard: Instant,
    /// There was one since the last lease.
    pub alive: bool,
    /// `Silent` was said.
    pub silent: bool,
    pub strangers: u64,
    /// Packets that came too late for the delay at which it is mixed.
    pub discarded: u64,
    rate: Rate,
    positions: Vec<(Arc<str>, u64)>,
    cname: String,
    /// Packets and their bytes in each of our two streams, as our sender reports count them.
    sent: [u64; 2],
    octets: [u64; 2],
    sent_at: Option<Instant>,
    peer_report: Option<PeerReport>,
    reports: Reports,
    rtcp_from: Option<SocketAddr>,
}

impl Leg {
    pub fn new(now: Instant, random: &mut Random) -> Self {
        let numbers = random.bits();
        Leg {
            session: None,
            latch: latch::Latch::default(),
            reception: Reception::default(),
            splice: Splice::new(random.bits(), numbers as u16, (numbers >> 32) as u32),
            digits: dtmf::Receiver::default(),
            ear: None,
            speaks: Codec::Pcmu,
            unsettled: 0,
            voice: None,
            mixed: false,
            player: None,
            fitting: None,
            hears: vec![],
            mix: None,
            heard_by: SmallVec::new(),
            recordings: SmallVec::new(),
            recorded_waiting: false,
            heard: now,
            alive: false,
            silent: false,
            strangers: 0,
            discarded: 0,
            rate: Rate::default(),
            positions: vec![],
            cname: random.token(),
            sent: [0; 2],
            octets: [0; 2],
            sent_at: None,
            peer_report: None,
            reports: Reports::default(),
            rtcp_from: None,
        }
    }

    pub fn configure(&mut self, now: Instant, session: Session) {
        let owed = self.owes_audio();
        if self.session.as_ref() != Some(&session) {
            self.reception.expect_change(now);
            self.latch.set_home(session.remote);
        }
        if !session.send {
            self.splice.interrupt();
        }
        if self.session.as_ref().is_none_or(|before| before.codec != session.codec) {
            (self.speaks, self.unsettled) = (session.codec, 0);
            self.splice.set_clock(now, session.codec.clock());
        }
        if self.session.as_ref().is_none_or(|before| (before.codec, before.limits) != (session.codec, session.limits)) {
            self.fitting = None;
        }
        self.session = Some(session);
        // The time on hold is not silence.
        if !owed {
            self.heard = now;
        }
    }

    /// The peer went over to another codec by itself.
    pub fn speak(&mut self, codec: Codec) {
        (self.speaks, self.unsettled) = (codec, SETTLED);
    }

    /// Whether, with a packet that holds this, the peer has kept to a codec for long enough.
    pub fn settles(&mut self, content: Content) -> bool {
        if self.unsettled == 0 || content != Content::Audio(self.speaks) {
            return false;
        }
        self.unsettled -= 1;
        self.unsettled == 0
    }

    /// Whether the peer keeps to its codec.
    #[cfg(test)]
    pub fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// What it has heard so far is kept.
    pub fn hear_keys(&mut self, wanted: bool) {
        self.ear = if wanted { Some(self.ear.take().unwrap_or_default()) } else { None };
    }

    pub fn receives(&self) -> bool {
        self.session.as_ref().is_some_and(|s| s.receive)
    }

    /// The peer owes us signs of life: it said that it speaks, and it does not hold. Phones on hold often send nothing.
    pub fn owes_audio(&self) -> bool {
        self.receives() && self.sends()
    }

    pub fn sends(&self) -> bool {
        self.session.as_ref().is_some_and(|s| s.send)
    }

    /// What it says is to be recorded: it neither holds nor, unless that is wanted, is held, with music to hear.
    pub fn takes_part(&self) -> bool {
        self.sends() && (self.recorded_waiting || !self.player.as_ref().is_some_and(Player::loops))
    }

    /// The codec in which this peer is spoken to.
    pub fn codec(&self) -> Codec {
        self.session.as_ref().map_or(Codec::Pcmu, |s| s.codec)
    }

    /// The most that this peer is sent of its codec.
    pub fn limits(&self) -> Limits {
        self.session.as_ref().map_or_else(Limits::default, |s| s.limits)
    }

    /// This peer can be sent less than all others: what was made for them may be too much.
    pub fn is_limited(&self) -> bool {
        self.codec() == Codec::Opus && self.limits() != Limits::default()
    }

    /// The codec in which sounds are taken from the book for this peer.
    pub fn plays_in(&self) -> Codec {
        if self.is_limited() { FITTED_FROM.0 } else { self.codec() }
    }

    /// A frame of such a sound as this peer is sent it.
    pub fn fit<'a>(&mut self, frame: &'a [u8], fitted: &'a mut [u8; FRAME]) -> &'a [u8] {
        if !self.is_limited() {
            return frame;
        }
        let (codec, limits) = (self.codec(), self.limits());
        let encoder = self.fitting.get_or_insert_with(|| Box::new(Encoder::within(codec, limits)));
        let mut samples = [0; FRAME];
        samples.iter_mut().zip(frame).for_each(|(sample, byte)| *sample = FITTED_FROM.1.decoder()[usize::from(*byte)]);
        let length = encoder.encode(&samples, fitted);
        &fitted[..length]
    }

    /// Somebody needs to hear what it says, not only to pass it on.
    pub fn is_listened_to(&self) -> bool {
        self.ear.is_some() || self.mixed || (!self.recordings.is_empty() && self.takes_part())
    }

    /// What a packet holds if it is the peer's; counted as received, as a stranger's or as one too many.
    pub fn hear(&mut self, now: Instant, from: SocketAddr, header: &Header, body: &[u8]) -> Option<Content> {
        let content = self.session.as_ref().map(|s| content(s, header.payload));
        let accepted = content.filter(|content| self.accepts(now, from, header, *content));
        match accepted {
            Some(_) => (self.heard, self.alive) = (now, true),
            None => self.strangers += 1,
        }
        accepted.filter(|content| self.rate.allows(now, content.sound(body)))
    }

    fn accepts(&mut self, now: Instant, from: SocketAddr, header: &Header, content: Content) -> bool {
        // What was not negotiated takes no place: it may only come from where the peer already is.
        if content == Content::Other && self.latch.peer() != Some(from) {
            return false;
        }
        match self.latch.hear(now, from, header.ssrc, header.sequence, self.receives()) {
            latch::Source::Stranger => return false,
            latch::Source::Taken => self.reception.expect_change(now),
            latch::Source::Held => {}
        }
        let clock = if let Content::Audio(codec) = content { Some(codec.clock()) } else { None };
        self.reception.accept(now, header, clock)
    }

    /// RTCP came: a sign of life if it is the peer's and well-formed (RFC 3550 A.2), else dropped.
    pub fn hear_rtcp(&mut self, now: Instant, from: SocketAddr, packet: &[u8]) {
        let (ours, clock) = (self.splice.ssrc(), self.codec().clock());
        let read = Some(packet).filter(|_| self.latch.knows(from.ip())).and_then(|packet| rtcp::read(packet, ours));
        let Some(rtcp::Heard { ntp_middle, of_us }) = read else {
            self.strangers += 1;
            return;
        };
        self.latch.keep(now);
        (self.heard, self.alive) = (now, true);
        self.rtcp_from = Some(from);
        if let Some(ntp_middle) = ntp_middle {
            self.peer_report = Some(PeerReport { ntp_middle, at: now });
        }
        if let Some(block) = of_us {
            let stream = self.splice.stream();
            self.strangers += u64::from(!self.reports.hear(now, &block, (stream, self.sent[stream]), clock));
        }
    }

    /// Where the next RTP packet goes, if the peer may be sent to; asking counts as sending `payload` bytes.
    pub fn sending(&mut self, now: Instant, payload: usize) -> Option<SocketAddr> {
        let to = self.latch.spend()?;
        let stream = self.splice.stream();
        self.sent[stream] += 1;
        self.octets[stream] += payload as u64;
        self.sent_at = Some(now);
        Some(to)
    }

    /// One frame of our own as a packet.
    pub fn packet(&mut self, now: Instant, at: Instant, frame: &[u8]) -> Option<(SocketAddr, Packet)> {
        let payload = self.session.as_ref().filter(|s| s.send)?.payload;
        let line = self.splice.frame(at);
        let to = self.sending(now, frame.len())?;
        Some((to, Packet::new(payload, line, frame)))
    }

    /// A key that another leg pressed, for a peer who hears a mix; none if nothing is being sent to it, or it reads no keys.
    pub fn key(&mut self, now: Instant, header: &Header, event: &[u8]) -> Option<(SocketAddr, Packet)> {
        let payload = self.session.as_ref().filter(|s| s.send && self.player.is_none())?.dtmf?;
        let line = self.splice.event(now, header);
        let to = self.sending(now, event.len())?;
        Some((to, Packet::new(payload, line, event)))
    }

    /// Where RTCP goes: whence it came, if from the peer's host, else the port above RTP (RFC 3550 section 11).
    pub fn rtcp_to(&self) -> Option<SocketAddr> {
        let peer = self.latch.peer()?;
        let above = || Some(SocketAddr::new(peer.ip(), peer.port().checked_add(1)?));
        self.rtcp_from.filter(|from| from.ip() == peer.ip()).or_else(above)
    }

    pub fn report(&mut self, now: Now, bye: bool) -> Vec<u8> {
        let recent = self.sent_at.is_some_and(|at| now.mono.since(at) < SENDER_FOR);
        let sent = recent.then(|| Sent {
            wall: now.wall,
            timestamp: self.splice.timestamp_at(now.mono),
            packets: self.sent[self.splice.stream()],
            octets: self.octets[self.splice.stream()],
        });
        if sent.is_some() {
            self.reports.sent(now.mono, rtcp::ntp_middle(now.wall));
        }
        let heard = self.reception.report();
        Compound { ssrc: self.splice.ssrc(), cname: &self.cname, sent, heard, peer: self.peer_report, bye }.to_bytes(now.mono)
    }

    /// When a new player, or mix, may start: now, or when the packet on its way has been played out.
    pub fn start(&self, now: Instant) -> Instant {
        now.max(self.splice.free_at(now).min(now + FRAME_TIME))
    }

    /// What it was sent of others ends: what comes later, even from the same source, is a splice. What is played goes on.
    pub fn cut(&mut self) {
        if self.player.is_none() {
            self.splice.interrupt();
        }
    }

    /// Stops what plays and remembers where a loop was.
    pub fn stop_player(&mut self) {
        let Some(player) = self.player.take() else { return };
        let Some((key, position)) = player.position() else { return };
        self.positions.retain(|(k, _)| k != key);
        if self.positions.len() >= REMEMBERED {
            self.positions.remove(0);
        }
        self.positions.push((key.clone(), position));
    }

    pub fn start_loop(&mut self, now: Instant, key: Arc<str>, prompt: Arc<Prompt>) {
        self.stop_player();
        let position = self.positions.iter().find(|(k, _)| *k == key).map_or(0, |(_, p)| *p);
        self.start_player(Player::looped(key, prompt, position, self.start(now)));
    }

    pub fn start_player(&mut self, player: Player) {
        self.stop_player();
        self.splice.interrupt();
        self.player = Some(player);
    }

    pub fn stats(&self) -> Stats {
        let losses = self.reception.tally();
        let (jitter_us, jitter_max_us) = self.reception.jitter_us();
        Stats {
            codec: self.session.as_ref().map(|s| s.codec),
            received: self.reception.received(),
            sent: self.sent.iter().sum(),
            lost: losses.lost,
            late: losses.late,
            duplicates: losses.duplicates,
            discarded: self.discarded,
            bursts: losses.bursts,
            longest_burst: losses.longest,
            jitter_us,
            jitter_max_us,
            strangers: self.strangers,
            excess: self.rate.excess(),
            reported: self.reports.told(),
            round_trip: self.reports.trips(),
        }
    }
}

/// A static payload number means its codec whatever was negotiated (RFC 3551): a peer that changes codec is understood
/// at once.
fn content(session: &Session, payload: u8) -> Content {
    // Ours first: theirs may be ours of something else.
    if session.offered == Some(payload) {
        return Content::Audio(session.codec);
    }
    if let Some((_, clock)) = session.events.iter().find(|(number, _)| *number == payload) {
        return Content::Event(*clock);
    }
    match payload {
        p if p == session.payload => Content::Audio(session.codec),
        p if Some(p) == session.dtmf => Content::Event(session.dtmf_clock),
        p => Codec::of_payload(p).map_or(Content::Other, Content::Audio),
    }
}

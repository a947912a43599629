//! RTCP of our own for each leg: what we sent, what we heard, and who we are (RFC 3550 section 6).

use crate::reception::Report;
use base::{Instant, Wall};
use bytes::Bytes;
use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::{self, Packet};
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::source_description::{SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem};

/// Packet types of RTCP: sender report, receiver report, and the range demultiplexed by RFC 5761 section 4.
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
/// In a sender report: the middle of its NTP time. A report block's length.
const NTP_MIDDLE: usize = 10;
const BLOCK: usize = 24;
/// The most that the cumulative loss field holds: 24 bits, signed.
const MOST_LOST: i64 = 0x7F_FFFF;

/// What we sent, for a sender report.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub wall: Wall,
    pub timestamp: u32,
    pub packets: u64,
    pub octets: u64,
}

/// The newest sender report of the peer: the middle of its NTP time, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerReport {
    pub ntp_middle: u32,
    pub at: Instant,
}

/// What our compound packet is made of.
#[derive(Debug)]
pub struct Compound<'a> {
    pub ssrc: u32,
    /// A canonical name that says nothing of the host (RFC 7022).
    pub cname: &'a str,
    /// None if nothing was sent since the last but one: then it is a receiver report.
    pub sent: Option<Sent>,
    pub heard: Option<Report>,
    pub peer: Option<PeerReport>,
    pub bye: bool,
}

impl Compound<'_> {
    /// The bytes: SR or RR, SDES with CNAME, and BYE if asked (RFC 3550 section 6.1).
    pub fn to_bytes(&self, now: Instant) -> Vec<u8> {
        let reports = self.heard.iter().map(|heard| self.block(now, heard)).collect();
        let report: Box<dyn Packet> = match self.sent {
            Some(sent) => Box::new(SenderReport {
                ssrc: self.ssrc,
                ntp_time: ntp(sent.wall),
                rtp_time: sent.timestamp,
                packet_count: sent.packets as u32,
                octet_count: sent.octets as u32,
                reports,
                ..Default::default()
            }),
            None => Box::new(ReceiverReport { ssrc: self.ssrc, reports, ..Default::default() }),
        };
        let item = SourceDescriptionItem { sdes_type: SdesType::SdesCname, text: Bytes::copy_from_slice(self.cname.as_bytes()) };
        let chunk = SourceDescriptionChunk { source: self.ssrc, items: vec![item] };
        let mut packets = vec![report, Box::new(SourceDescription { chunks: vec![chunk] })];
        if self.bye {
            packets.push(Box::new(Goodbye { sources: vec![self.ssrc], ..Default::default() }));
        }
        packet::marshal(&packets).map(|bytes| bytes.to_vec()).unwrap_or_default()
    }

    fn block(&self, now: Instant, heard: &Report) -> ReceptionReport {
        let since = |peer: PeerReport| (now.since(peer.at).as_nanos() * 65_536 / 1_000_000_000).min(u128::from(u32::MAX)) as u32;
        ReceptionReport {
            ssrc: heard.ssrc,
            fraction_lost: heard.fraction_lost,
            total_lost: (heard.lost.clamp(-MOST_LOST, MOST_LOST) & 0xFF_FFFF) as u32,
            last_sequence_number: heard.highest,
            jitter: heard.jitter,
            last_sender_report: self.peer.map_or(0, |p| p.ntp_middle),
            delay: self.peer.map_or(0, since),
        }
    }
}

/// Whether a packet on the RTP port is RTCP (RFC 5761 section 4).
pub fn is_rtcp(packet: &[u8]) -> bool {
    packet.len() >= 2 && packet[0] >> 6 == 2 && (192..=223).contains(&packet[1])
}

/// What a compound packet of the peer says to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The middle 32 bits of a sender report's NTP time.
    pub ntp_middle: Option<u32>,
    /// Its report block about the stream that we send, if there is one.
    pub of_us: Option<Block>,
}

/// A report block as the peer wrote it: nothing in it is believed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub fraction_lost: u8,
    /// Negative if it got packets twice.
    pub lost: i32,
    /// In timestamp units.
    pub jitter: u32,
    /// The middle of the NTP time of our report that it answers, 0 for none, and how long it had that, in 1/65,536 s.
    pub last_sender_report: u32,
    pub delay: u32,
}

/// Reads a compound packet; none if it is malformed by RFC 3550 A.2: each part version 2 and within the whole, the first
/// an SR or RR, padding only in the last, and no report with more blocks than it has room for. `ours` is our SSRC.
pub fn read(mut compound: &[u8], ours: u32) -> Option<Heard> {
    let mut heard = Heard::default();
    let mut first = true;
    while !compound.is_empty() {
        let head: &[u8; 4] = compound.first_chunk()?;
        let length = 4 * (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1);
        let (part, rest) = compound.split_at_checked(length)?;
        let padded = head[0] & 0x20 != 0;
        if head[0] >> 6 != 2 || (padded && (first || !rest.is_empty())) {
            return None;
        }
        if first && !matches!(head[1], SENDER_REPORT | RECEIVER_REPORT) {
            return None;
        }
        if head[1] == SENDER_REPORT {
            heard.ntp_middle = Some(word(part, NTP_MIDDLE)?);
        }
        if let Some(blocks) = blocks_at(head[1]) {
            let blocks = part.get(blocks..blocks + BLOCK * usize::from(head[0] & 0x1F))?;
            heard.of_us = blocks.chunks_exact(BLOCK).find_map(|block| about(block, ours)).or(heard.of_us);
        }
        (compound, first) = (rest, false);
    }
    (!first).then_some(heard)
}

/// Where the report blocks of a part begin, if it is one that has any.
fn blocks_at(packet_type: u8) -> Option<usize> {
    match packet_type {
        SENDER_REPORT => Some(28),
        RECEIVER_REPORT => Some(8),
        _ => None,
    }
}

fn about(block: &[u8], ours: u32) -> Option<Block> {
    if word(block, 0)? != ours {
        return None;
    }
    let losses = word(block, 4)?;
    Some(Block {
        fraction_lost: (losses >> 24) as u8,
        // 24 bits with a sign.
        lost: (losses << 8).cast_signed() >> 8,
        jitter: word(block, 12)?,
        last_sender_report: word(block, 16)?,
        delay: word(block, 20)?,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

/// The middle 32 bits of the NTP time of a moment, as a sender report of ours has it.
pub fn ntp_middle(wall: Wall) -> u32 {
    (ntp(wall) >> 16) as u32
}

/// Seconds since 1900 and their fraction, 32 bits each (RFC 3550 section 4).
fn ntp(wall: Wall) -> u64 {
    const FROM_1900_TO_1970: i64 = 2_208_988_800;
    let seconds = (wall.0.div_euclid(1_000_000) + FROM_1900_TO_1970) as u64;
    let micros = wall.0.rem_euclid(1_000_000) as u64;
    (seconds << 32) | ((micros << 32) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc_rtcp::compound_packet::CompoundPacket;
    use rtc_shared::marshal::Unmarshal;

    const REPORT: Report = Report { ssrc: 2, fraction_lost: 64, lost: -3, highest: 70_000, jitter: 12 };

    fn compound(bye: bool) -> Vec<u8> {
        let sent = Some(Sent { wall: Wall(1_500_000), timestamp: 99, packets: 5, octets: 800 });
        let peer = Some(PeerReport { ntp_middle: 0x1234_5678, at: Instant(1_000_000_000) });
        Compound { ssrc: 1, cname: "0123456789abcdef", sent, heard: Some(REPORT), peer, bye }.to_bytes(Instant(1_500_000_000))
    }

    #[test]
    fn our_sender_report_is_valid_to_another_reader_and_to_us() {
        let bytes = compound(true);
        let compound = CompoundPacket::unmarshal(&mut &bytes[..]).unwrap();
        compound.validate().unwrap();
        let report = compound.0[0].as_any().downcast_ref::<SenderReport>().unwrap();
        assert_eq!(report.ntp_time, (2_208_988_801 << 32) | 0x8000_0000);
        let block = &report.reports[0];
        assert_eq!((block.total_lost, block.delay, block.last_sender_report), (0xFF_FFFD, 32_768, 0x1234_5678));
        assert!(compound.0[2].as_any().is::<Goodbye>());
        let of_us = Block { fraction_lost: 64, lost: -3, jitter: 12, last_sender_report: 0x1234_5678, delay: 32_768 };
        let middle = Some(0x83AA_7E81u32 << 16 | 0x8000);
        assert_eq!(read(&bytes, 2), Some(Heard { ntp_middle: middle, of_us: Some(of_us) }));
        assert_eq!(read(&bytes, 3), Some(Heard { ntp_middle: middle, of_us: None }), "a block about somebody else");
        assert_eq!(middle, Some(ntp_middle(Wall(1_500_000))));
    }

    #[test]
    fn a_leg_that_sends_nothing_gives_a_receiver_report() {
        let bytes = Compound { ssrc: 1, cname: "x", sent: None, heard: None, peer: None, bye: false }.to_bytes(Instant(0));
        assert_eq!(bytes[1], RECEIVER_REPORT);
        assert_eq!(read(&bytes, 2), Some(Heard::default()));
    }

    #[test]
    fn malformed_compounds_are_dropped() {
        let good = compound(false);
        assert!(read(&good, 2).is_some());
        let with = |i: usize, byte: u8| {
            let mut bad = good.clone();
            bad[i] = byte;
            read(&bad, 2)
        };
        assert_eq!(with(0, 0x41), None, "version 1");
        assert_eq!(with(3, 0xFF), None, "a length beyond the packet");
        assert_eq!(with(3, 0), None, "a sender report of four bytes");
        assert_eq!(with(1, 202), None, "a compound that starts with SDES");
        assert_eq!(with(0, 0xA1), None, "padding in the first part");
        assert_eq!(with(0, 0x9F), None, "31 blocks where one has room");
        assert_eq!(read(&good[..good.len() - 1], 2), None);
        assert_eq!(read(&[], 2), None);
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), parts in 0..40u8) {
            let _ = read(&bytes, 7);
            if bytes.len() >= 4 {
                let words = (bytes.len() / 4 - 1) as u16;
                bytes.truncate(bytes.len() / 4 * 4);
                bytes[..4].copy_from_slice(&[0x80 | parts & 0x1F, 200 + parts % 2, (words >> 8) as u8, words as u8]);
                let _ = read(&bytes, 7);
            }
        }
    }
}

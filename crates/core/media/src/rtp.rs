//! The RTP header (RFC 3550 section 5.1): read from a packet, rewritten in place, written before a frame.

use std::ops::Range;

/// Bytes of a header without contributing sources or extension.
pub const HEADER_LEN: usize = 12;
/// 20 ms at 8 kHz: samples, and bytes of G.711.
pub const FRAME: usize = 160;

/// What the relay needs of a header, and where the payload lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub payload: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    start: usize,
    end: usize,
}

/// The fields that a stream of our own sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

impl Header {
    /// The header, if the packet is valid by RFC 3550 A.1: version 2, and lists, extension and padding that fit.
    pub fn read(packet: &[u8]) -> Option<Header> {
        let fixed: &[u8; HEADER_LEN] = packet.first_chunk()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut start = HEADER_LEN + 4 * usize::from(fixed[0] & 0x0F);
        if fixed[0] & 0x10 != 0 {
            let head: &[u8; 4] = packet.get(start..)?.first_chunk()?;
            start += 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
        }
        let padding = if fixed[0] & 0x20 != 0 { usize::from(*packet.last()?).max(1) } else { 0 };
        let end = packet.len().checked_sub(padding)?;
        if start > end {
            return None;
        }
        Some(Header {
            marker: fixed[1] & 0x80 != 0,
            payload: fixed[1] & 0x7F,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            start,
            end,
        })
    }

    /// Where the payload lies in the packet, without padding.
    pub fn body(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// Puts other fields into the header of a packet that [`Header::read`] accepted; the rest stays as it came.
pub fn rewrite(packet: &mut [u8], payload: u8, line: Line) {
    if let Some(fixed) = packet.first_chunk_mut::<HEADER_LEN>() {
        let first = fixed[0];
        *fixed = header(payload, line);
        fixed[0] = first;
    }
}

/// A packet of our own with one frame of G.711.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    len: usize,
    bytes: [u8; HEADER_LEN + FRAME],
}

impl Packet {
    /// `frame` holds at most 160 bytes; what is beyond is cut.
    pub fn new(payload: u8, line: Line, frame: &[u8]) -> Packet {
        let mut bytes = [0; HEADER_LEN + FRAME];
        bytes[..HEADER_LEN].copy_from_slice(&header(payload, line));
        let len = frame.len().min(FRAME);
        bytes[HEADER_LEN..HEADER_LEN + len].copy_from_slice(&frame[..len]);
        Packet { len: HEADER_LEN + len, bytes }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn header(payload: u8, line: Line) -> [u8; HEADER_LEN] {
    let [s0, s1] = line.sequence.to_be_bytes();
    let [t0, t1, t2, t3] = line.timestamp.to_be_bytes();
    let [c0, c1, c2, c3] = line.ssrc.to_be_bytes();
    [0x80, u8::from(line.marker) << 7 | payload & 0x7F, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc_shared::marshal::{Marshal, Unmarshal};

    const LINE: Line = Line { marker: true, sequence: 65_535, timestamp: 4_000_000_000, ssrc: 0xDEAD_BEEF };

    #[test]
    fn a_packet_of_ours_is_read_by_another_library() {
        let packet = Packet::new(8, LINE, &[0xD5; FRAME]);
        let read = rtc_rtp::Packet::unmarshal(&mut packet.as_bytes()).unwrap();
        assert!(read.header.marker);
        assert_eq!((read.header.payload_type, read.header.sequence_number), (8, 65_535));
        assert_eq!((read.header.timestamp, read.header.ssrc), (4_000_000_000, 0xDEAD_BEEF));
        assert_eq!(&read.payload[..], &[0xD5; FRAME]);
    }

    #[test]
    fn a_header_with_sources_extension_and_padding_keeps_them_when_rewritten() {
        let mut header = rtc_rtp::Header { version: 2, csrc: vec![1, 2], extension: true, padding: true, ..Default::default() };
        header.extension_profile = rtc_rtp::header::EXTENSION_PROFILE_ONE_BYTE;
        header.set_extension(1, vec![0xAA].into()).unwrap();
        let theirs = rtc_rtp::Packet { header, payload: vec![7; 10].into() };
        let mut bytes = theirs.marshal().unwrap().to_vec();
        let header = Header::read(&bytes).unwrap();
        assert_eq!(&bytes[header.body()], &[7; 10]);
        rewrite(&mut bytes, 101, LINE);
        let read = rtc_rtp::Packet::unmarshal(&mut &bytes[..]).unwrap();
        assert_eq!((read.header.payload_type, read.header.sequence_number, read.header.csrc.len()), (101, 65_535, 2));
        assert_eq!(read.header.get_extension(1), Some(vec![0xAA].into()));
        assert_eq!(&read.payload[..], &[7; 10]);
    }

    #[test]
    fn lies_about_length_are_refused() {
        let packet = Packet::new(0, LINE, &[]).as_bytes().to_vec();
        let with = |first: u8, tail: &[u8]| Header::read(&[&[first], &packet[1..], tail].concat());
        assert!(with(0x80, &[]).is_some());
        assert!(with(0x40, &[]).is_none(), "version 1");
        assert!(with(0x8F, &[0; 56]).is_none(), "15 sources need 60 bytes");
        assert!(with(0x90, &[0, 0, 0xFF, 0xFF]).is_none(), "an extension of 256 KB");
        assert!(with(0xA0, &[200]).is_none(), "more padding than packet");
        assert!(Header::read(&packet[..11]).is_none());
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_point_outside(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(header) = Header::read(&bytes) {
                prop_assert!(bytes.get(header.body()).is_some());
            }
        }
    }
}

//! RTP headers as nearly all are, read in place; any other by the `rtp` crate.

use bytes::Bytes;
use rtp::packet::Packet;
use webrtc_util::marshal::{MarshalSize, Unmarshal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

/// Version 2 without padding, extension and contributing sources (RFC 3550 5.1).
const PLAIN: u8 = 0x80;

impl Header {
    /// And the payload. `None` for what is no RTP of version 2.
    pub fn read(datagram: &[u8]) -> Option<(Header, &[u8])> {
        match datagram {
            [PLAIN, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3, payload @ ..] => {
                let header = Header {
                    payload_type: kind & 0x7F,
                    marker: kind & 0x80 != 0,
                    sequence: u16::from_be_bytes([*s0, *s1]),
                    timestamp: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
                    ssrc: u32::from_be_bytes([*c0, *c1, *c2, *c3]),
                };
                Some((header, payload))
            }
            _ => Header::read_any(datagram),
        }
    }

    fn read_any(datagram: &[u8]) -> Option<(Header, &[u8])> {
        let packet = Packet::unmarshal(&mut Bytes::copy_from_slice(datagram)).ok()?;
        let header = &packet.header;
        let begins = header.marshal_size();
        let payload = datagram.get(begins..begins + packet.payload.len())?;
        let read = Header {
            payload_type: header.payload_type,
            marker: header.marker,
            sequence: header.sequence_number,
            timestamp: header.timestamp,
            ssrc: header.ssrc,
        };
        (header.version == 2).then_some((read, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_header_is_read_as_the_rtp_crate_reads_it() {
        let packet: Vec<u8> = [0x80, 0xE5].into_iter().chain(1..=30).collect();
        let read = Header::read(&packet);
        assert_eq!(read, Header::read_any(&packet));
        assert_eq!(read.map(|(header, payload)| (header.payload_type, header.marker, payload.len())), Some((101, true, 20)));
    }

    #[test]
    fn sources_extensions_and_padding_are_left_out_of_the_payload() {
        let head: Vec<u8> = [0xB1, 8].into_iter().chain(1..=10).collect();
        let packet = [&head[..], &[0; 4], &[0xBE, 0xDE, 0, 1, 0x10, 7, 0, 0], b"sound", &[0, 0, 3]].concat();
        let (header, payload) = Header::read(&packet).unwrap();
        assert_eq!((header.payload_type, header.sequence, payload), (8, 0x0102, &b"sound"[..]));
    }

    #[test]
    fn what_is_no_rtp_is_nothing() {
        for bad in [&b""[..], &[0x80; 11], &[0; 12], &[0xFF; 40]] {
            assert_eq!(Header::read(bad), None);
        }
    }
}

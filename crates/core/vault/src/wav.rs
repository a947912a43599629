//! The WAV that a recording is for whoever hears it, whatever it is on disk: PCM of 16 bit behind a header of 44 bytes.
//!
//! ```text
//!    0  4  "RIFF"        12  4  "fmt "                20  2  1, PCM           34  2  16, bits of a sample
//!    4  4  36 + data     16  4  16                    22  2  channels         36  4  "data"
//!    8  4  "WAVE"                                     24  4  samples a second 40  4  data, in bytes
//!                                                     28  4  bytes a second
//!                                                     32  2  bytes of a frame
//! ```

/// Bytes of the header.
pub const HEADER: usize = 44;
/// Bytes of one sample; a frame has one for each channel.
pub const SAMPLE: u64 = 2;
/// The most frames that the header's lengths of 32 bits leave room for.
pub fn most_frames(channels: u16) -> u64 {
    (u64::from(u32::MAX) - HEADER as u64) / (u64::from(channels.max(1)) * SAMPLE)
}

/// The header of so many frames; of more than [`most_frames`], the header of those.
pub fn header(channels: u16, rate: u32, frames: u64) -> [u8; HEADER] {
    let frame = u32::from(channels) * SAMPLE as u32;
    let data = (frames.min(most_frames(channels)) * u64::from(frame)) as u32;
    let mut bytes = [0; HEADER];
    let fields: [(usize, &[u8]); 13] = [
        (0, b"RIFF"),
        (4, &(data + HEADER as u32 - 8).to_le_bytes()),
        (8, b"WAVE"),
        (12, b"fmt "),
        (16, &16u32.to_le_bytes()),
        (20, &1u16.to_le_bytes()),
        (22, &channels.to_le_bytes()),
        (24, &rate.to_le_bytes()),
        (28, &(rate.saturating_mul(frame)).to_le_bytes()),
        (32, &(frame as u16).to_le_bytes()),
        (34, &16u16.to_le_bytes()),
        (36, b"data"),
        (40, &data.to_le_bytes()),
    ];
    for (at, field) in fields {
        bytes[at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// Channels and samples a second of a header as [`header`] writes it; none of any other. Its lengths are not looked
/// at: a file that grows, or that a crash cut, has those of its last flush.
pub fn read(bytes: &[u8]) -> Option<(u16, u32)> {
    let bytes = bytes.first_chunk::<HEADER>()?;
    let channels = u16::from_le_bytes([bytes[22], bytes[23]]);
    let rate = u32::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]);
    let mut same = header(channels, rate, 0);
    same[4..8].copy_from_slice(&bytes[4..8]);
    same[40..].copy_from_slice(&bytes[40..]);
    ((1..=2).contains(&channels) && same == *bytes).then_some((channels, rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_and_any_other_is_not() {
        let header = header(2, 8_000, 1_000);
        assert_eq!(&header[..8], b"RIFF\xc4\x0f\x00\x00");
        assert_eq!(read(&header), Some((2, 8_000)));
        for n in (0..HEADER).filter(|n| !(4..8).contains(n) && *n < 40 && !(24..28).contains(n)) {
            let mut other = header;
            other[n] ^= 4;
            assert_eq!(read(&other), None, "byte {n}");
        }
        assert_eq!(read(&header[..43]), None);
    }

    #[test]
    fn more_than_fits_is_cut_to_whole_frames() {
        let header = header(2, 8_000, u64::MAX);
        let data = u32::from_le_bytes([header[40], header[41], header[42], header[43]]);
        assert_eq!((u64::from(data), data % 4), (most_frames(2) * 4, 0));
    }
}

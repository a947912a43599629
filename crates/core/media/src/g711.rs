//! G.711 by table: 8-bit PCMU (µ-law) and PCMA (A-law) to and from 16-bit linear samples at 8 kHz.

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    Pcmu,
    Pcma,
}

/// The linear value of each PCMU byte.
const PCMU: [i16; 256] = table(Law::Pcmu);
/// The linear value of each PCMA byte.
const PCMA: [i16; 256] = table(Law::Pcma);
const PCMU_TO_PCMA: [u8; 256] = transcoder(&PCMU, Law::Pcma);
const PCMA_TO_PCMU: [u8; 256] = transcoder(&PCMA, Law::Pcmu);

impl Law {
    /// The linear value of each byte of this law.
    pub const fn decoder(self) -> &'static [i16; 256] {
        match self {
            Law::Pcmu => &PCMU,
            Law::Pcma => &PCMA,
        }
    }

    /// The byte nearest to a linear sample.
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Law::Pcmu => to_pcmu(sample),
            Law::Pcma => to_pcma(sample),
        }
    }

    /// The byte for silence.
    pub const fn silence(self) -> u8 {
        self.encode(0)
    }
}

/// Rewrites a payload from one law to the other, in place.
pub fn transcode(from: Law, to: Law, payload: &mut [u8]) {
    let table = match (from, to) {
        (Law::Pcmu, Law::Pcma) => &PCMU_TO_PCMA,
        (Law::Pcma, Law::Pcmu) => &PCMA_TO_PCMU,
        _ => return,
    };
    for byte in payload {
        *byte = table[usize::from(*byte)];
    }
}

/// ITU-T G.711 table 2a: 14-bit magnitude, a bias of 33 (132 at 16 bits), all bits inverted on the line.
const fn to_pcmu(sample: i16) -> u8 {
    const BIAS: i32 = 132;
    const CLIP: i32 = 32_635;
    let linear = sample as i32;
    let (sign, magnitude) = if linear < 0 { (0x80, -linear) } else { (0, linear) };
    let biased = if magnitude > CLIP { CLIP } else { magnitude } + BIAS;
    // 7 - leading zeros of a 15-bit number: biased is at least 132, so its top bit is between 7 and 14.
    let exponent = 24 - biased.leading_zeros() as i32;
    let mantissa = (biased >> (exponent + 3)) & 0x0F;
    !(sign | (exponent << 4) | mantissa) as u8
}

const fn pcmu_value(byte: u8) -> i16 {
    let bits = !byte as i32;
    let magnitude = ((((bits & 0x0F) << 3) + 132) << ((bits >> 4) & 7)) - 132;
    if bits & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 }
}

/// ITU-T G.711 table 1a: 13-bit magnitude, even bits inverted on the line.
const fn to_pcma(sample: i16) -> u8 {
    let linear = sample as i32;
    // One's complement, so that -1..-8 falls in the first negative step as 0..7 does in the first positive one.
    let (sign, magnitude) = if linear < 0 { (0, !linear) } else { (0x80, linear) };
    let bits = if magnitude < 256 {
        magnitude >> 4
    } else {
        let exponent = 24 - magnitude.leading_zeros() as i32;
        (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F)
    };
    ((sign | bits) ^ 0x55) as u8
}

const fn pcma_value(byte: u8) -> i16 {
    let bits = (byte ^ 0x55) as i32;
    let exponent = (bits >> 4) & 7;
    let step = ((bits & 0x0F) << 4) + 8;
    let magnitude = if exponent == 0 { step } else { (step + 256) << (exponent - 1) };
    if bits & 0x80 != 0 { magnitude as i16 } else { -magnitude as i16 }
}

const fn table(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = match law {
            Law::Pcmu => pcmu_value(i as u8),
            Law::Pcma => pcma_value(i as u8),
        };
        i += 1;
    }
    table
}

const fn transcoder(from: &[i16; 256], to: Law) -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = to.encode(from[i]);
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_the_recommendation() {
        // G.711 tables 1a and 2a at 16 bits: byte on the line, linear value.
        for (byte, value) in [(0xFF, 0), (0x7F, 0), (0x80, 32_124), (0x00, -32_124), (0xFE, 8), (0x8F, 16_764), (0xF0, 120)] {
            assert_eq!(Law::Pcmu.decoder()[byte], value, "PCMU {byte:02x}");
        }
        for (byte, value) in [(0xD5, 8), (0x55, -8), (0xAA, 32_256), (0x2A, -32_256), (0xD4, 24), (0xC5, 264), (0x85, 4_224)] {
            assert_eq!(Law::Pcma.decoder()[byte], value, "PCMA {byte:02x}");
        }
        assert_eq!((Law::Pcmu.silence(), Law::Pcma.silence()), (0xFF, 0xD5));
    }

    #[test]
    fn each_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            let pcmu = Law::Pcmu.encode(Law::Pcmu.decoder()[usize::from(byte)]);
            // µ-law has two zeros; both encode as the positive one.
            assert_eq!(pcmu, if byte == 0x7F { 0xFF } else { byte });
            assert_eq!(Law::Pcma.encode(Law::Pcma.decoder()[usize::from(byte)]), byte);
        }
    }

    #[test]
    fn the_error_of_a_sample_is_within_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            for law in [Law::Pcmu, Law::Pcma] {
                let back = i32::from(law.decoder()[usize::from(law.encode(sample))]);
                let error = (back - i32::from(sample)).abs();
                let bound = 16 + i32::from(sample).abs() / 31;
                assert!(error <= bound, "{law:?} {sample}: {back}");
            }
        }
    }

    #[test]
    fn a_transcoded_payload_sounds_the_same() {
        let mut payload: Vec<u8> = (0..=255).collect();
        transcode(Law::Pcmu, Law::Pcma, &mut payload);
        for (before, after) in (0..=255u8).zip(payload) {
            let (was, is) = (i32::from(PCMU[usize::from(before)]), i32::from(PCMA[usize::from(after)]));
            assert!((was - is).abs() <= 16 + was.abs() / 31, "{before:02x}: {was} became {is}");
        }
    }
}

//! ITU-T G.711 by its definition: sign, exponent of a segment, four bits of mantissa.

use serde::{Deserialize, Serialize};

/// The two companding laws, and their static payload numbers (RFC 3551 table 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    #[default]
    Pcmu,
    Pcma,
}

impl Law {
    pub fn payload(self) -> u8 {
        match self {
            Law::Pcmu => 0,
            Law::Pcma => 8,
        }
    }

    pub fn of_payload(payload: u8) -> Option<Law> {
        [Law::Pcmu, Law::Pcma].into_iter().find(|law| law.payload() == payload)
    }

    pub fn name(self) -> &'static str {
        match self {
            Law::Pcmu => "PCMU",
            Law::Pcma => "PCMA",
        }
    }

    /// A byte of this law for a linear 16 bit sample.
    pub fn encode(self, sample: i16) -> u8 {
        let magnitude = i32::from(sample).abs().min(32_635);
        let sign = if sample < 0 { 0x80 } else { 0 };
        match self {
            Law::Pcmu => {
                let biased = magnitude + 132;
                let exponent = (biased >> 8).checked_ilog2().map_or(0, |e| e + 1);
                !(sign | bits(exponent << 4) | bits((biased as u32 >> (exponent + 3)) & 0x0F))
            }
            Law::Pcma => {
                let exponent = (magnitude >> 8).checked_ilog2().map_or(0, |e| e + 1);
                let shift = if exponent == 0 { 4 } else { exponent + 3 };
                (sign | bits(exponent << 4) | bits((magnitude as u32 >> shift) & 0x0F)) ^ 0xD5
            }
        }
    }

    /// The linear 16 bit sample that a byte of this law stands for.
    pub fn decode(self, byte: u8) -> i16 {
        let (code, negative) = match self {
            Law::Pcmu => (!byte, !byte & 0x80 != 0),
            Law::Pcma => (byte ^ 0xD5, (byte ^ 0xD5) & 0x80 != 0),
        };
        let exponent = (code >> 4) & 0x07;
        let mantissa = i16::from(code & 0x0F);
        let magnitude = match (self, exponent) {
            (Law::Pcmu, e) => (((mantissa << 3) + 132) << e) - 132,
            (Law::Pcma, 0) => (mantissa << 4) + 8,
            (Law::Pcma, e) => ((mantissa << 4) + 264) << (e - 1),
        };
        if negative { -magnitude } else { magnitude }
    }
}

/// The low byte; what is given to it always fits.
fn bits(value: u32) -> u8 {
    (value & 0xFF) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes_of_the_standard() {
        assert_eq!((Law::Pcmu.encode(0), Law::Pcmu.decode(0xFF)), (0xFF, 0));
        assert_eq!((Law::Pcmu.decode(0x00), Law::Pcmu.decode(0x80)), (-32_124, 32_124));
        assert_eq!((Law::Pcma.encode(0), Law::Pcma.decode(0xD5)), (0xD5, 8));
        assert_eq!((Law::Pcma.decode(0x2A), Law::Pcma.decode(0xAA)), (-32_256, 32_256));
    }

    #[test]
    fn each_byte_reads_back_as_itself() {
        for law in [Law::Pcmu, Law::Pcma] {
            for byte in 0..=255u8 {
                let back = law.encode(law.decode(byte));
                // Negative zero of PCMU is the one value with two bytes.
                assert!(back == byte || law.decode(byte) == 0, "{law:?} {byte:#x} became {back:#x}");
            }
        }
    }

    #[test]
    fn the_error_stays_within_half_a_step() {
        for law in [Law::Pcmu, Law::Pcma] {
            for sample in (-32_000..32_000).step_by(37) {
                let back = law.decode(law.encode(sample));
                let step = (i32::from(sample).abs() / 16).max(16);
                assert!((i32::from(back) - i32::from(sample)).abs() <= step, "{law:?}: {sample} became {back}");
            }
        }
    }
}

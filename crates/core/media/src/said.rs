//! What a peer said, on its way to those who need it as sound: to be mixed, recorded, or searched for keys.

use crate::g711::Law;
use crate::rtp::Header;

/// Some of what a peer said, as it lies in its stream; the timestamp counts samples of 8 kHz. Without samples it is a packet
/// that has no sound, a key or comfort noise: it took a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub samples: Samples<'a>,
    /// The same at 16 kHz, if it was said in a wideband codec.
    pub wide: Option<&'a [i16]>,
    pub origin: Origin,
}

/// Where sound is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Packet,
    /// Its packet is lost, and the codec made this up: nobody said it.
    MadeUp,
    /// Its packet came when the codec was past it: it can't be decoded any more, and has no sound.
    TooLate,
}

/// Sound at 8 kHz; for those who mix a wideband voice, at 16.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Samples<'a> {
    /// A byte is a sample.
    Law(&'a [u8], Law),
    Linear(&'a [i16]),
}

impl<'a> Said<'a> {
    /// A packet in one of the laws.
    pub fn by_law(header: &Header, payload: &'a [u8], law: Law) -> Said<'a> {
        let &Header { ssrc, sequence, timestamp, .. } = header;
        Said { ssrc, sequence, timestamp, samples: Samples::Law(payload, law), wide: None, origin: Origin::Packet }
    }
}

impl Samples<'_> {
    pub fn len(&self) -> usize {
        match self {
            Samples::Law(bytes, _) => bytes.len(),
            Samples::Linear(samples) => samples.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the loudest is from silence.
    pub fn loudest(&self) -> u16 {
        let mut loudest = 0;
        self.each(|sample| loudest = loudest.max(sample.unsigned_abs()));
        loudest
    }

    /// Those from the `first` on, as many as there is room for.
    pub fn write(&self, first: usize, out: &mut [i16]) {
        match self {
            Samples::Law(bytes, law) => {
                let decoder = law.decoder();
                out.iter_mut().zip(&bytes[first..]).for_each(|(out, byte)| *out = decoder[usize::from(*byte)]);
            }
            Samples::Linear(samples) => out.iter_mut().zip(&samples[first..]).for_each(|(out, sample)| *out = *sample),
        }
    }

    /// The n-th; silence beyond the last.
    pub fn at(&self, n: usize) -> i16 {
        match self {
            Samples::Law(bytes, law) => bytes.get(n).map_or(0, |byte| law.decoder()[usize::from(*byte)]),
            Samples::Linear(samples) => samples.get(n).copied().unwrap_or(0),
        }
    }

    /// One after the other.
    pub fn each(self, mut act: impl FnMut(i16)) {
        match self {
            Samples::Law(bytes, law) => {
                let decoder = law.decoder();
                bytes.iter().for_each(|byte| act(decoder[usize::from(*byte)]));
            }
            Samples::Linear(samples) => samples.iter().for_each(|sample| act(*sample)),
        }
    }
}

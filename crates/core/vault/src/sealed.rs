//! A sealed file: a header, then chunks. Numbers are little-endian.
//!
//! ```text
//!   header, 32 bytes                           chunk n = 0, 1, 2, …
//!    0  8  "CTLSEAL" and the form, 1            0  4    bit 31: it is the last; the rest: length L, at most 65,536
//!    8  1  content: 1 PCM, 2 FLAC               4  L    ciphertext
//!    9  1  channels: 1 or 2                   4+L 16    tag
//!   10  2  zero
//!   12  4  samples a second
//!   16 16  file id, random
//!
//!   audio key = HKDF-SHA-256 (RFC 5869): salt the header, secret the file key, info "centralita audio 1"
//!   chunk     = AES-256-GCM (NIST SP 800-38D): nonce n in 8 bytes and four zeros, associated data the chunk's first 4 bytes
//! ```
//! The header goes into the key, so a changed one opens nothing; its random id makes the key this file's own, so that
//! nonces may count from 0. PCM is 16 bit, little-endian, the channels of a frame side by side, without any header of
//! its own; FLAC is a whole FLAC stream. After its last chunk a file has nothing.

use crate::FileKey;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};

/// Bytes of the header.
pub const HEADER: usize = 32;
/// Bytes of a chunk before its ciphertext.
pub const WORD: usize = 4;
/// Bytes of a chunk after its ciphertext.
pub const TAG: usize = 16;
/// The most that one chunk holds, in bytes.
pub const LONGEST: usize = 65_536;

const MAGIC: &[u8; 8] = b"CTLSEAL\x01";
const INFO: &[&[u8]] = &[b"centralita audio 1"];
const LAST: u32 = 1 << 31;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSeal {
    #[error("expected the header of a sealed recording")]
    Header,
    #[error("expected a chunk of at most 65,536 bytes")]
    Length,
    #[error("the chunk does not open: another key, or it was changed")]
    Chunk,
    #[error("more than 2^63 chunks")]
    Full,
}

/// What the chunks hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Pcm,
    Flac,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub content: Content,
    /// 1 or 2.
    pub channels: u16,
    /// Samples a second.
    pub rate: u32,
    /// Random; never used twice.
    pub id: [u8; 16],
}

impl Header {
    pub fn to_bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8] = if self.content == Content::Pcm { 1 } else { 2 };
        bytes[9] = self.channels.min(2) as u8;
        bytes[12..16].copy_from_slice(&self.rate.to_le_bytes());
        bytes[16..].copy_from_slice(&self.id);
        bytes
    }

    /// Reads the first [`HEADER`] bytes of a file.
    pub fn read(bytes: &[u8]) -> Result<Header, BadSeal> {
        let bytes = bytes.first_chunk::<HEADER>().ok_or(BadSeal::Header)?;
        let content = match bytes[8] {
            1 => Content::Pcm,
            2 => Content::Flac,
            _ => return Err(BadSeal::Header),
        };
        if &bytes[..8] != MAGIC || !(1..=2).contains(&bytes[9]) || bytes[10..12] != [0, 0] {
            return Err(BadSeal::Header);
        }
        let rate = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[16..]);
        Ok(Header { content, channels: bytes[9].into(), rate, id })
    }
}

/// What the first [`WORD`] bytes of a chunk say; to be believed once it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes that it holds.
    pub length: usize,
    pub last: bool,
}

impl Chunk {
    pub fn read(word: [u8; WORD]) -> Result<Chunk, BadSeal> {
        let word = u32::from_le_bytes(word);
        let length = (word & !LAST) as usize;
        if length > LONGEST { Err(BadSeal::Length) } else { Ok(Chunk { length, last: word & LAST != 0 }) }
    }

    fn word(self) -> [u8; WORD] {
        (self.length as u32 | if self.last { LAST } else { 0 }).to_le_bytes()
    }

    /// Bytes in the file, all in all.
    pub fn size(self) -> u64 {
        (WORD + self.length + TAG) as u64
    }
}

/// Seals chunk after chunk. After a chunk that could not be written it must not be used again: the next one would have
/// a number that is not its place.
pub struct Sealer {
    key: LessSafeKey,
    next: u64,
}

impl Sealer {
    pub fn new(key: &FileKey, header: &Header) -> Self {
        Sealer { key: audio_key(key, header), next: 0 }
    }

    /// Appends the next chunk to `out`.
    pub fn seal(&mut self, plain: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), BadSeal> {
        if plain.len() > LONGEST {
            return Err(BadSeal::Length);
        }
        let word = Chunk { length: plain.len(), last }.word();
        let next = self.next.checked_add(1).filter(|n| *n < 1 << 63).ok_or(BadSeal::Full)?;
        out.extend_from_slice(&word);
        let from = out.len();
        out.extend_from_slice(plain);
        let tag = self.key.seal_in_place_separate_tag(nonce(self.next), Aad::from(word), &mut out[from..]);
        out.extend_from_slice(tag.map_err(|_| BadSeal::Length)?.as_ref());
        self.next = next;
        Ok(())
    }
}

/// Opens the chunks of one file, in any order.
pub struct Opener(LessSafeKey);

impl Opener {
    pub fn new(key: &FileKey, header: &Header) -> Self {
        Opener(audio_key(key, header))
    }

    /// `sealed` is the ciphertext and the tag of chunk `n`; what it holds is left at its beginning.
    pub fn open<'a>(&self, n: u64, chunk: Chunk, sealed: &'a mut [u8]) -> Result<&'a [u8], BadSeal> {
        let opened = self.0.open_in_place(nonce(n), Aad::from(chunk.word()), sealed).map_err(|_| BadSeal::Chunk)?;
        if opened.len() == chunk.length { Ok(opened) } else { Err(BadSeal::Chunk) }
    }
}

fn audio_key(key: &FileKey, header: &Header) -> LessSafeKey {
    let secret = Salt::new(HKDF_SHA256, &header.to_bytes()).extract(key.bytes());
    let key = secret.expand(INFO, &AES_256_GCM).map(UnboundKey::from);
    LessSafeKey::new(key.expect("HKDF gives up to 8,160 bytes, and 32 are asked for"))
}

fn nonce(n: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&n.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: Header = Header { content: Content::Pcm, channels: 2, rate: 8_000, id: [9; 16] };

    fn key() -> FileKey {
        FileKey::new([7; 32])
    }

    /// A file of these chunks, the last one marked.
    fn file(chunks: &[&[u8]]) -> Vec<u8> {
        let mut sealer = Sealer::new(&key(), &HEAD);
        let mut out = HEAD.to_bytes().to_vec();
        for (n, chunk) in chunks.iter().enumerate() {
            sealer.seal(chunk, n + 1 == chunks.len(), &mut out).unwrap();
        }
        out
    }

    /// What opens from the beginning on, and whether the end is there.
    fn opened(file: &[u8], key: &FileKey) -> (Vec<Vec<u8>>, bool) {
        let Ok(header) = Header::read(file) else { return (vec![], false) };
        let opener = Opener::new(key, &header);
        let (mut rest, mut chunks) = (&file[HEADER..], vec![]);
        while let Some((word, more)) = rest.split_first_chunk::<WORD>() {
            let Ok(chunk) = Chunk::read(*word) else { break };
            let Some((body, more)) = more.split_at_checked(chunk.length + TAG) else { break };
            let Ok(plain) = opener.open(chunks.len() as u64, chunk, &mut body.to_vec()).map(<[u8]>::to_vec) else { break };
            chunks.push(plain);
            if chunk.last {
                return (chunks, more.is_empty());
            }
            rest = more;
        }
        (chunks, false)
    }

    #[test]
    fn what_was_sealed_opens_with_its_key_and_with_no_other() {
        let file = file(&[b"good", b"", b"morning", b""]);
        let parts = [&b"good"[..], b"", b"morning", b""].map(<[u8]>::to_vec).to_vec();
        assert_eq!(opened(&file, &key()), (parts, true));
        assert_eq!(opened(&file, &FileKey::new([8; 32])), (vec![], false));
        assert!(!file.windows(7).any(|w| w == b"morning"));
    }

    #[test]
    fn the_layout_stays_as_it_is_written_down() {
        let file = file(&[b"good morning"]);
        assert_eq!(&file[..16], b"CTLSEAL\x01\x01\x02\x00\x00\x40\x1f\x00\x00");
        assert_eq!((&file[16..32], &file[32..36]), (&[9; 16][..], &[12, 0, 0, 0x80][..]));
        assert_eq!(file.len(), 32 + 4 + 12 + 16);
        let hex: String = file[36..].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "8cf481ef64b21fa90fe6abc9594f5d70f42a1b6000615bdcefa6e506");
    }

    #[test]
    fn a_file_that_was_cut_anywhere_opens_up_to_its_last_whole_chunk_and_says_so() {
        let file = file(&[b"one", b"two", b"three", b""]);
        let ends = [32, 32 + 23, 32 + 46, 32 + 71];
        for cut in 0..file.len() {
            let (chunks, whole) = opened(&file[..cut], &key());
            assert!(!whole, "cut at {cut}");
            let expected = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            assert_eq!(chunks.len(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn chunks_open_neither_in_another_place_nor_in_another_file_nor_as_a_last_one() {
        let file = file(&[b"one", b"two", b""]);
        let mut swapped = file.clone();
        swapped[32..78].rotate_left(23);
        assert_eq!(opened(&swapped, &key()).0.len(), 0);
        let mut ended = file.clone();
        ended[35] |= 0x80;
        assert_eq!(opened(&ended, &key()), (vec![], false));
        let mut other = file.clone();
        other[16] ^= 1;
        assert_eq!(opened(&other, &key()), (vec![], false), "the header is in the key");
        let mut longer = file;
        longer.push(0);
        assert!(!opened(&longer, &key()).1, "nothing follows the last chunk");
    }

    proptest! {
        #[test]
        fn no_changed_bit_passes(sizes in prop::collection::vec(0..200usize, 1..6), at: prop::sample::Index, bit in 0..8u8) {
            let parts: Vec<Vec<u8>> = sizes.iter().map(|n| vec![*n as u8; *n]).collect();
            let whole = file(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(opened(&whole, &key()), (parts, true));
            let mut changed = whole.clone();
            let at = at.index(whole.len());
            changed[at] ^= 1 << bit;
            prop_assert!(!opened(&changed, &key()).1);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!opened(&bytes, &key()).1);
        }
    }
}

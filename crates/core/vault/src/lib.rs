//! What a recording is on disk, over bytes alone: sealed files, their keys, the header of a WAV, the log of who
//! listened. Randomness is an argument; files belong to the shell.
//!
//! ```text
//!   master key ──wraps──▶ file key ──HKDF (header)──▶ audio key ──AES-256-GCM──▶ chunk 0, chunk 1, … last chunk
//!   (file, environment)   (`.key`, beside the audio)                            (`.sealed`, grows chunk by chunk)
//! ```
//! - Destroying the `.key` erases the audio, wherever copies of it lie. Rotation wraps file keys anew and leaves audio alone.
//! - Each chunk that is whole can be opened, so a file that a crash cut opens up to its last whole chunk; and only a file
//!   that was closed in order has a last chunk, so that no cut passes unseen.
//! - A chunk opens in its own place of its own file only.
//!
//! The layouts, to the byte: [`sealed`], [`keys`], [`wav`], [`flac`], [`access`].

pub mod access;
pub mod flac;
pub mod keys;
pub mod sealed;
pub mod verdict;
pub mod wav;

pub use keys::{FileKey, Keyring, MasterKey, WrappedKey};
pub use sealed::{Content, Header, Opener, Sealer};

//! What sipp is given to play: a capture file of RTP, made here so that keys and sound are one stream of one source.

use std::io::Write;
use std::path::Path;
use traffic::audio::{FRAME, Law};
use traffic::streams::Voice;

/// What is said, in order.
pub enum Say {
    Silence(u64),
    Key(char),
    Tone(u32, u64),
    /// A key as two tones (ITU-T Q.23).
    Tones(char),
}

/// Writes a capture in PCMU; spans are in milliseconds. Returns its length in milliseconds.
pub fn write(file: &Path, script: &[Say]) -> u64 {
    write_as(7, Law::Pcmu, file, script)
}

/// The same in either codec; another seed is another source (SSRC).
pub fn write_as(seed: u64, law: Law, file: &Path, script: &[Say]) -> u64 {
    let mut voice = Voice::new(law, Some(101), seed);
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).unwrap());
    // Little-endian, version 2.4, microseconds, Ethernet (draft-ietf-opsawg-pcap).
    out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0]).unwrap();
    let mut at_ms = 0;
    for say in script {
        let mut tones = Vec::new();
        let span = match say {
            // 100 ms, and then nothing for 140.
            Say::Tones(key) => {
                voice.say(None);
                tones = pressed(law, *key);
                240
            }
            Say::Silence(span) => {
                voice.say(None);
                *span
            }
            // 5 packets while it is held, 3 that end it, 4 of nothing.
            Say::Key(key) => {
                voice.press(&key.to_string());
                240
            }
            Say::Tone(hz, span) => {
                voice.say(Some(*hz));
                *span
            }
        };
        let mut pressed = tones.chunks(FRAME);
        for _ in 0..span / 20 {
            let mut packet = voice.next_packet().to_vec();
            if let Some(tones) = pressed.next() {
                packet.splice(12.., tones.iter().copied());
            }
            frame(&mut out, at_ms, &packet);
            at_ms += 20;
        }
    }
    out.flush().unwrap();
    at_ms
}

/// 100 ms of a key's two tones, at about -9 dBm0 each.
fn pressed(law: Law, key: char) -> Vec<u8> {
    let n = "123A456B789C*0#D".find(key).unwrap();
    let hertz = [[697.0, 770.0, 852.0, 941.0][n / 4], [1_209.0, 1_336.0, 1_477.0, 1_633.0][n % 4]];
    let sample = |i: usize| hertz.iter().map(|hz| 8_000.0 * (std::f32::consts::TAU * hz * i as f32 / 8_000.0).sin()).sum::<f32>();
    (0..5 * FRAME).map(|i| law.encode(sample(i) as i16)).collect()
}

/// One captured packet: Ethernet, IPv4 and UDP around it. Addresses and checksums are sipp's to set.
fn frame(out: &mut impl Write, at_ms: u64, rtp: &[u8]) {
    let (udp, ip) = (rtp.len() + 8, rtp.len() + 28);
    let mut packet = vec![0u8; 12];
    packet.extend([0x08, 0x00, 0x45, 0x00]);
    packet.extend((ip as u16).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    packet.extend([0x1b, 0x58, 0x1b, 0x58]);
    packet.extend((udp as u16).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(rtp);
    let length = packet.len() as u32;
    let header = [(at_ms / 1_000) as u32, (at_ms % 1_000 * 1_000) as u32, length, length];
    header.iter().for_each(|word| out.write_all(&word.to_le_bytes()).unwrap());
    out.write_all(&packet).unwrap();
}

//! A packet costs no allocation, whatever is done with it: who takes memory waits for a lock sooner or later.

use super::*;

/// Half a minute: what grows has grown after the first.
const ROUND: u16 = 1_500;

/// Each leg's peer says a frame of its codec each 20 ms, twice a round. How often memory was taken while packets of the second
/// came in; what is due in between is not counted.
fn taken(w: &mut World, codecs: &[Codec]) -> u64 {
    let legs = [A, B, C].into_iter().zip(codecs);
    for (leg, codec) in legs.clone() {
        let payload = codec.static_payload().unwrap();
        w.command(Command::Configure { leg, session: Session::plain(home(leg), *codec, payload) });
    }
    let mut out = Vec::with_capacity(10);
    let mut round = || {
        let mut count = 0;
        for _ in 0..ROUND {
            for (leg, codec) in legs.clone() {
                let sequence = w.next(leg);
                let line = Line { marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc: leg.n.into() };
                let packet = Packet::new(codec.static_payload().unwrap(), line, &[0xD5; FRAME]);
                let mut bytes = packet.as_bytes().to_vec();
                let came = allocation_counter::measure(|| w.plane.on_packet(w.now, leg, home(leg), &mut bytes, &mut out));
                count += came.count_total;
                out.clear();
            }
            w.pass(ms(20));
        }
        count
    };
    round();
    round()
}

#[test]
fn a_packet_that_is_relayed_takes_no_memory() {
    for other in [Codec::Pcma, Codec::Pcmu] {
        let mut w = World::new();
        w.join(A, B);
        assert_eq!(taken(&mut w, &[Codec::Pcma, other]), 0);
    }
}

#[test]
fn a_packet_that_is_recorded_takes_no_memory() {
    let mut w = World::new();
    w.join(A, B);
    w.record();
    assert_eq!(taken(&mut w, &[Codec::Pcma; 2]), 0);
}

#[test]
fn a_packet_that_is_decoded_or_mixed_takes_no_memory() {
    let mut w = World::new();
    w.join(A, B);
    assert_eq!(taken(&mut w, &[Codec::Pcma, Codec::G722]), 0);
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    assert_eq!(taken(&mut w, &[Codec::Pcma, Codec::Pcma, Codec::G722]), 0);
}

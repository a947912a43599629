//! What is counted of a leg, in both directions, and what a peer that lies can do to it.

use super::*;
use crate::Trips;
use crate::rtcp::{Compound, PeerReport, Sent};

/// What A's peer reports now: of our stream so much lost, with our last sender report held back for so long.
fn report(w: &World, of: u32, lost: i64, jitter: u32, held: Duration) -> Vec<u8> {
    let ntp_middle = w.reports.last().map_or(0, |ours| u32::from_be_bytes(ours[10..14].try_into().unwrap()));
    let heard = crate::reception::Report { ssrc: of, fraction_lost: 0, lost, highest: 0, jitter };
    let peer = Some(PeerReport { ntp_middle, at: w.now.mono - held });
    let sent = Some(Sent { wall: w.now.wall, timestamp: 0, packets: 1, octets: 160 });
    Compound { ssrc: 1, cname: "peer", sent, heard: Some(heard), peer, bye: false }.to_bytes(w.now.mono)
}

/// A hears music until our first report to it. Our SSRC.
fn until_our_report(w: &mut World) -> u32 {
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.command(Command::Close { leg: B });
    w.reports.clear();
    while w.reports.is_empty() {
        w.pass(ms(20));
    }
    w.got(A)[0].header.ssrc
}

#[test]
fn both_directions_and_the_round_trip_are_in_the_counts_of_a_live_leg_and_of_a_closed_one() {
    let mut w = World::new();
    let ours = until_our_report(&mut w);
    let reported = w.now.wall;
    for _ in 0..3 {
        w.speak(A, 8, LOW);
        w.next(A);
        w.next(A);
    }
    w.speak(A, 1, LOW);
    let held = w.now.wall.since(reported) - ms(50);
    let packet = report(&w, ours, 2, 80, held);
    w.plane.on_rtcp(w.now, A, home(A), &packet);
    w.pass(ms(10_000));
    let live = w.measured[&A];
    assert_eq!((live.received, live.lost, live.bursts, live.longest_burst), (25, 6, 3, 2));
    let told = live.reported.unwrap();
    assert_eq!((told.reports, told.lost, told.jitter_us), (1, 2, 10_000));
    let Some(Trips { measured: 1, max_us, .. }) = live.round_trip else { panic!("{live:?}") };
    assert!((49_900..=70_100).contains(&max_us), "{max_us} us, where 50 ms were not held back, up to a frame more");
    w.command(Command::Close { leg: A });
    let Some(Input::Closed { leg: A, stats }) = w.inputs.last() else { panic!("A has closed") };
    assert_eq!((stats.reported, stats.round_trip, stats.lost), (live.reported, live.round_trip, 6));
}

#[test]
fn row_12_lies_in_rtcp_are_dropped_and_the_call_is_kept() {
    let mut w = World::new();
    let ours = until_our_report(&mut w);
    w.speak(A, 1, LOW);
    let honest = |w: &World| report(w, ours, 0, 0, ms(0));
    let lies = [
        ("more lost than was sent", report(&w, ours, 100_000, 0, ms(0))),
        ("a jitter of six days", report(&w, ours, 0, u32::MAX, ms(0))),
        ("31 blocks in the room of one", {
            let mut lie = honest(&w);
            lie[0] |= 0x1F;
            lie
        }),
        ("a length beyond the packet", {
            let mut lie = honest(&w);
            lie[3] = 0xFF;
            lie
        }),
    ];
    for (n, (what, lie)) in lies.iter().enumerate() {
        w.plane.on_rtcp(w.now, A, home(A), lie);
        let leg = &w.plane.legs.get(&A).unwrap();
        assert_eq!((leg.stats().reported, leg.strangers), (None, n as u64 + 1), "{what}");
    }
    let of_another = report(&w, ours.wrapping_add(1), 5, 0, ms(0));
    w.plane.on_rtcp(w.now, A, home(A), &of_another);
    let from_another = honest(&w);
    w.plane.on_rtcp(w.now, A, stranger(), &from_another);
    assert_eq!(w.plane.legs.get(&A).unwrap().stats().reported, None);
    let before = w.got(A).len();
    w.pass(ms(200));
    assert_eq!(w.got(A).len(), before + 10, "the music plays on");
}

#[test]
fn a_peer_that_sends_ten_times_its_rate_is_cut_and_counted() {
    let mut w = World::new();
    w.join(A, B);
    for _ in 0..5_000 {
        w.frame(A, home(A), 1, LOW);
        w.pass(ms(2));
    }
    let relayed = w.got(B).len();
    // Sound of 12.5 s, and a second's worth at once.
    assert!((620..=700).contains(&relayed), "{relayed} of 5,000 in 10 s");
    let stats = w.plane.legs.get(&A).unwrap().stats();
    assert_eq!((stats.received, stats.excess, stats.lost), (5_000, 5_000 - relayed as u64, 0));
}

//! How legs sounded.

use crate::script::*;
use base::fact::What;
use base::quality::{LegQuality, Rated, Reported, Sent, Side};

#[test]
fn legs_count_where_they_closed_and_by_what_they_heard() {
    let mut s = Script::new();
    s.at(10.0).arrives(1).sounds(1, 4.36, 0.0, 1_500).at(950.0).sounds(1, 3.2, 0.04, 60_000);
    let (first, both) = (s.figures(0.0, QUARTER).quality, s.figures(0.0, 2.0 * QUARTER).quality);
    assert_eq!((first.legs, both.legs, both.reporting), (1, 2, 0));
    let upto = |d: &metrics::Distribution, bound: f64| d.buckets.iter().find(|(b, _)| *b == bound).unwrap().1;
    assert_eq!((upto(&both.mos_received, 3.1), upto(&both.mos_received, 3.6), both.mos_received.count), (0, 1, 2));
    assert_eq!((upto(&both.loss_received, 0.0), upto(&both.loss_received, 0.05)), (1, 2));
    assert_eq!((upto(&both.jitter_received, 0.002), upto(&both.jitter_received, 0.1)), (1, 2));
    assert!((both.mos_received.sum - 7.56).abs() < 1e-9 && (both.jitter_received.sum - 0.0615).abs() < 1e-9);
}

#[test]
fn what_peers_report_of_us_is_counted_apart_and_a_leg_never_measured_in_no_round_trip() {
    let mut s = Script::new();
    let rated = Rated { loss: Some(0.1), r: None, mos: Some(2.9) };
    let reported = Some(Reported { reports: 3, lost: 10, jitter_us: 7_000, rated, ..Reported::default() });
    let quality = LegQuality { sent: Sent { packets: 100, reported }, round_trip_us: Some(120_000), ..LegQuality::default() };
    s.arrives(1).say(of_call(1), What::LegClosed { side: Side::Agent, quality: Box::new(quality) }).sounds(1, 4.4, 0.0, 0);
    let q = s.hour().quality;
    assert_eq!((q.legs, q.reporting, q.mos_sent.count, q.mos_received.count, q.round_trip.count), (2, 1, 1, 1, 1));
    assert_eq!((q.mos_sent.sum, q.loss_sent.sum, q.jitter_sent.sum, q.round_trip.sum), (2.9, 0.1, 0.007, 0.12));
}

//! The expected wait against the true one.

use crate::script::*;
use base::Outcome;

#[test]
fn the_estimators_error_is_measured_on_answered_visits_alone() {
    let mut s = Script::new();
    s.logs_in("ana");
    // Expected 10 s and at most 20 s each: waits of 4, 10, 20 and 26 s are answered.
    for (n, wait) in (1..).zip([4.0, 10.0, 20.0, 26.0]) {
        s.at(f64::from(n) * 100.0).arrives(n).enters_expecting(n, "soporte", Some((10_000, 20_000)));
        s.at(f64::from(n) * 100.0 + wait).answers(n, "soporte", "ana");
    }
    // One who leaves, one of whom nothing was said, and one in a callback's place say nothing of the estimator.
    s.at(500.0).arrives(5).enters_expecting(5, "soporte", Some((1_000, 2_000))).at(590.0).leaves(
        5,
        "soporte",
        Outcome::Abandoned,
    );
    s.at(600.0).arrives(6).enters(6, "soporte").answers(6, "soporte", "ana");
    let f = s.hour();
    let e = &of(&f, "soporte").expected_wait;
    assert_eq!((e.visits, e.p50_coverage, e.p90_coverage), (4, Some(0.5), Some(0.75)));
    assert_eq!((e.mean_error_ms, e.rms_error_ms), (Some(5_000), Some(9_899)));
    assert_eq!(&f.totals.expected_wait, e);
}

#[test]
fn an_expected_wait_that_was_too_long_has_a_negative_error() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters_expecting(1, "soporte", Some((9_000, 20_000))).at(2.0).answers(1, "soporte", "ana");
    let e = s.hour().totals.expected_wait;
    assert_eq!((e.mean_error_ms, e.rms_error_ms), (Some(-7_000), Some(7_000)));
}

#[test]
fn an_estimator_of_whom_nothing_was_answered_has_no_error() {
    let mut s = Script::new();
    s.arrives(1).enters_expecting(1, "soporte", Some((9_000, 20_000))).at(30.0);
    let f = s.hour();
    let e = &of(&f, "soporte").expected_wait;
    assert_eq!((e.visits, e.p50_coverage, e.p90_coverage, e.mean_error_ms, e.rms_error_ms), (0, None, None, None, None));
}

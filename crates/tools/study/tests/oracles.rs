//! The decision core against the oracles, and the formulas against their published table.

use study::oracles::{ERLANG_A_CASES, Effort, print, table};

#[test]
fn every_row_of_the_oracles_is_within_its_interval() {
    let verdicts = table(Effort::Short);
    assert!(verdicts.iter().all(|v| v.within), "{}", print(&verdicts));
}

/// Columns of the fixture, in this order.
const COLUMNS: [&str; 14] = [
    "P(W)",
    "P(Ab)",
    "mean wait",
    "mean line",
    "P(Ab | W)",
    "occupancy",
    "served within",
    "abandoned within",
    "answered",
    "offered",
    "abandoned_ok",
    "short_excluded",
    "ASA",
    "time to abandon",
];

/// Source: the project's table of Erlang A, `oracles/erlang_a.json`, exact to its five digits; T = S = 20 s.
#[rustfmt::skip]
const FIXTURE: [[f64; 14]; 9] = [
    [0.49685, 0.13746, 16.49566, 0.91643, 0.27667, 0.86254, 0.63994, 0.06504, 0.74193, 0.63994, 0.70498, 0.68446, 14.55423, 28.67743],
    [0.38282, 0.09416, 11.29860, 0.62770, 0.24595, 0.82350, 0.74221, 0.04833, 0.81936, 0.74221, 0.79053, 0.77990, 9.78252, 25.88454],
    [0.27981, 0.06160, 7.39169, 0.41065, 0.22014, 0.78200, 0.82558, 0.03400, 0.87977, 0.82558, 0.85959, 0.85464, 6.33477, 23.49315],
    [0.12698, 0.02284, 2.74071, 0.15226, 0.17987, 0.69797, 0.93273, 0.01426, 0.95453, 0.93273, 0.94699, 0.94622, 2.34538, 19.65499],
    [0.46777, 0.03091, 3.70947, 2.96758, 0.06608, 0.93032, 0.94302, 0.02985, 0.97310, 0.94302, 0.97286, 0.97203, 3.61590, 6.64284],
    [0.46784, 0.07645, 13.76162, 1.52907, 0.16342, 0.91214, 0.69655, 0.04003, 0.75421, 0.69655, 0.73657, 0.72559, 12.86628, 24.57725],
    [0.26722, 0.03505, 6.30871, 0.70097, 0.13116, 0.85773, 0.85439, 0.02105, 0.88542, 0.85439, 0.87544, 0.87276, 5.79410, 20.47695],
    [0.46110, 0.06242, 9.36261, 2.08058, 0.13537, 0.94705, 0.76358, 0.04237, 0.81441, 0.76358, 0.80594, 0.79736, 8.88147, 16.58993],
    [0.24797, 0.01955, 2.93244, 1.30331, 0.07884, 0.93376, 0.93735, 0.01704, 0.95604, 0.93735, 0.95439, 0.95360, 2.79255, 9.94811],
];

#[test]
fn the_formulas_give_every_column_of_the_published_erlang_a() {
    for (case, known) in ERLANG_A_CASES.iter().zip(FIXTURE) {
        let f = case.model().figures(case.within as f64);
        let served = f.answered_within;
        let computed = [
            f.waiting,
            f.abandoned,
            f.wait,
            f.line,
            f.abandoned / f.waiting,
            f.occupancy,
            served,
            f.abandoned_within,
            served / (1.0 - f.abandoned),
            served,
            served + f.abandoned_within,
            served / (1.0 - f.abandoned_within),
            f.wait_answered,
            f.wait_abandoned,
        ];
        for (column, (computed, known)) in COLUMNS.iter().zip(computed.iter().zip(known)) {
            assert!((computed - known).abs() < 1e-5, "{case:?} {column}: {computed} is not {known}");
        }
    }
}

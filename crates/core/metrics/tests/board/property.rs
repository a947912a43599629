//! Any day: rebuilt equals kept live, sums hold in every window, and integrals equal what a sweep over the log counts.

use crate::day::{AGENTS, play, step};
use crate::script::*;
use base::AgentState;
use base::fact::What;
use metrics::{Board, Folded};
use proptest::prelude::*;

/// Milliseconds that the sum of all queues' lengths adds up to between two moments, and busy agents likewise: by a
/// sweep over the log that knows nothing of intervals.
fn swept(s: &Script, from: f64, to: f64) -> (u64, u64) {
    let ms = |wall: i64| (wall - MIDNIGHT) / 1000;
    let (from, to) = ((from * 1000.0) as i64, ((to * 1000.0) as i64).min(ms(s.now().wall.0)));
    let (mut waiting, mut busy, mut last) = (0i64, std::collections::BTreeSet::new(), i64::MIN);
    let (mut queue_ms, mut busy_ms) = (0, 0);
    let mut advance = |until: i64, waiting: i64, busy: i64, last: &mut i64| {
        let span = (until.min(to) - (*last).max(from)).max(0);
        (queue_ms, busy_ms) = (queue_ms + waiting * span, busy_ms + busy * span);
        *last = until;
    };
    for logged in &s.log {
        advance(ms(logged.time().0), waiting, busy.len() as i64, &mut last);
        match &logged.fact.what {
            What::QueueEntered { .. } => waiting += 1,
            What::QueueLeft { .. } => waiting -= 1,
            What::AgentStateChanged { state, .. } => {
                let id = logged.fact.about.agent.clone();
                use AgentState::*;
                if matches!(state, Talking | Holding | WrapUp) {
                    busy.insert(id)
                } else {
                    busy.remove(&id)
                };
            }
            _ => {}
        }
    }
    advance(to, waiting, busy.len() as i64, &mut last);
    (queue_ms as u64, busy_ms as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_day_adds_up(steps in proptest::collection::vec((0u32..120_000, step()), 1..120), cut in any::<prop::sample::Index>()) {
        let s = play(&steps);

        // Rebuilt from the log, in one go and over a checkpoint at any fact, is as kept live.
        let mut rebuilt = Board::new();
        let cut = cut.index(s.log.len());
        for (i, logged) in s.log.iter().enumerate() {
            if i == cut {
                rebuilt = Board::restore(&rebuilt.checkpoint()).unwrap();
            }
            prop_assert_eq!(rebuilt.apply(logged), Folded::Counted);
        }
        prop_assert_eq!(&rebuilt, &s.board);

        // Every window adds up (figures() looks), and windows add up to their whole.
        let end = (s.now().wall.0 - MIDNIGHT) as f64 / 1e6;
        let quarters = (end / QUARTER) as usize + 1;
        let whole = s.figures(0.0, quarters as f64 * QUARTER);
        let each: Vec<_> = (0..quarters).map(|q| s.figures(q as f64 * QUARTER, (q + 1) as f64 * QUARTER)).collect();
        let sum = |read: fn(&metrics::Figures) -> u64| each.iter().map(read).sum::<u64>();
        prop_assert_eq!(sum(|f| f.totals.calls.incoming), whole.totals.calls.incoming);
        prop_assert_eq!(sum(|f| f.totals.visits.offered), whole.totals.visits.offered);
        // Each callback to come keeps one place.
        let (on_line, places) = (sum(|f| f.totals.visits.waiting), sum(|f| f.totals.callbacks.waiting));
        prop_assert_eq!((on_line + places, places), (whole.totals.waiting_now, whole.totals.callbacks_now));
        prop_assert_eq!(sum(|f| f.totals.callbacks.requested), whole.totals.callbacks.requested);
        prop_assert_eq!(sum(|f| f.totals.expected_wait.visits), whole.totals.expected_wait.visits);
        prop_assert_eq!(sum(|f| f.totals.visits.waiting_ms), whole.totals.visits.waiting_ms);
        prop_assert_eq!(sum(|f| f.totals.visits.handled), whole.totals.visits.handled);
        prop_assert_eq!(sum(|f| f.recordings.expected), whole.recordings.expected);
        // Each conversation was passed on once at most, and has one code at most.
        let (v, t) = (&whole.totals.visits, &whole.totals.transfers);
        prop_assert!(t.blind + t.attended + t.to_queue + t.external <= v.handled);
        prop_assert!(whole.totals.dispositions.values().sum::<u64>() <= v.handled);
        prop_assert!(v.consult_ms <= v.talk_ms && whole.totals.expected_wait.visits <= v.answered);
        // What was counted is what the log says, by a count that knows nothing of intervals.
        let facts = |is: fn(&What) -> bool| s.log.iter().filter(|l| is(&l.fact.what)).count() as u64;
        let c = &whole.totals.callbacks;
        prop_assert_eq!(facts(|w| matches!(w, What::CallbackRequested {})), c.requested);
        prop_assert_eq!(facts(|w| matches!(w, What::CallbackAttempted { .. })), c.attempts);
        prop_assert_eq!(facts(|w| matches!(w, What::QueueEntered { .. })), v.offered + c.places);
        prop_assert_eq!(facts(|w| matches!(w, What::VoicemailLeft { .. })), whole.totals.calls.voicemails_left);
        prop_assert_eq!(facts(|w| matches!(w, What::MonitorEnded { .. })), whole.supervision.monitors);
        for name in AGENTS {
            let logged_in: u64 = each.iter().map(|f| who(f, name).logged_in_ms).sum();
            prop_assert_eq!(logged_in, who(&whole, name).logged_in_ms);
        }

        // The integrals are what a sweep over the log counts, in the whole and in each quarter.
        for (q, f) in each.iter().enumerate() {
            let (queue_ms, busy_ms) = swept(&s, q as f64 * QUARTER, (q + 1) as f64 * QUARTER);
            let busy: u64 = f.agents.iter().map(|a| a.talk_ms + a.hold_ms + a.wrap_ms).sum();
            prop_assert_eq!((f.totals.visits.waiting_ms, busy), (queue_ms, busy_ms), "quarter {}", q);
        }
    }
}

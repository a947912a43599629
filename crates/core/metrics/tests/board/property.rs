//! Any day: rebuilt equals kept live, sums hold in every window, and integrals equal what a sweep over the log counts.

use crate::script::*;
use base::fact::What;
use base::{AgentState, Cause, Lang, Outcome};
use metrics::{Board, Folded};
use proptest::prelude::*;

/// What happens next, and after how many milliseconds.
#[derive(Clone, Debug)]
enum Step {
    Arrives,
    Selects(u8),
    Enters(bool),
    Leaves(u8),
    Rings,
    RingsOut,
    Answers,
    HangsUp,
    Ends,
    Becomes(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Arrives),
        1 => any::<u8>().prop_map(Step::Selects),
        3 => any::<bool>().prop_map(Step::Enters),
        2 => any::<u8>().prop_map(Step::Leaves),
        2 => Just(Step::Rings),
        1 => Just(Step::RingsOut),
        3 => Just(Step::Answers),
        2 => Just(Step::HangsUp),
        2 => Just(Step::Ends),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(a, s)| Step::Becomes(a, s)),
    ]
}

const AGENTS: [&str; 3] = ["ana", "bea", "caro"];
const STATES: [AgentState; 10] = [
    AgentState::LoggedOut,
    AgentState::Available,
    AgentState::Reserved,
    AgentState::Ringing,
    AgentState::Talking,
    AgentState::Holding,
    AgentState::WrapUp,
    AgentState::Engaged,
    AgentState::Paused,
    AgentState::Unreachable,
];
const OUTCOMES: [Outcome; 8] = [
    Outcome::Abandoned,
    Outcome::Overflowed,
    Outcome::Timeout,
    Outcome::NoAgents,
    Outcome::KeyExit,
    Outcome::Callback,
    Outcome::Voicemail,
    Outcome::System,
];

/// Where each call is: in the menu, in a queue, talking.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Ivr,
    Queue(&'static str),
    Talk(&'static str),
}

/// Plays the steps; those that make no sense where the chosen call is are passed over.
fn play(steps: &[(u32, Step)]) -> Script {
    let mut s = Script::new();
    for name in AGENTS {
        s.logs_in(name);
    }
    let (mut calls, mut next, mut now_ms) = (std::collections::BTreeMap::new(), 1u32, 0u64);
    for (i, (pause, step)) in steps.iter().enumerate() {
        now_ms += u64::from(*pause);
        s.at(now_ms as f64 / 1000.0);
        let find = |want: fn(&At) -> bool| {
            let found: Vec<(u32, At)> = calls.iter().filter(|(_, at)| want(at)).map(|(n, at)| (*n, *at)).collect();
            (!found.is_empty()).then(|| found[i % found.len()])
        };
        let (ivr, queue, talk) =
            (find(|a| *a == At::Ivr), find(|a| matches!(a, At::Queue(_))), find(|a| matches!(a, At::Talk(_))));
        match (step, ivr, queue, talk) {
            (Step::Arrives, ..) => {
                s.arrives(next);
                calls.insert(next, At::Ivr);
                next += 1;
            }
            (Step::Selects(l), Some((n, _)), ..) => {
                s.selects(n, [Lang::ES, Lang::EN, Lang::PT][*l as usize % 3]);
            }
            (Step::Enters(which), Some((n, _)), ..) => {
                let name = if *which { "soporte" } else { "ventas" };
                s.enters(n, name);
                calls.insert(n, At::Queue(name));
            }
            (Step::Leaves(o), _, Some((n, At::Queue(name))), _) => {
                s.leaves(n, name, OUTCOMES[*o as usize % 8]);
                calls.insert(n, At::Ivr);
            }
            (Step::Rings, _, Some((n, At::Queue(name))), _) => {
                s.rings(n, name, AGENTS[i % 3]);
            }
            (Step::RingsOut, _, Some((n, At::Queue(name))), _) => {
                s.rings_out(n, name, AGENTS[i % 3]);
            }
            (Step::Answers, _, Some((n, At::Queue(name))), _) => {
                s.answers(n, name, AGENTS[i % 3]);
                calls.insert(n, At::Talk(name));
            }
            (Step::HangsUp, _, _, Some((n, At::Talk(name)))) => {
                s.hangs_up(n, name, AGENTS[i % 3], u64::from(*pause));
                calls.insert(n, At::Ivr);
            }
            (Step::Ends, Some((n, _)), ..) => {
                s.ends(n, if i % 2 == 0 { Cause::CallerHungUp } else { Cause::FlowEnded });
                calls.remove(&n);
            }
            (Step::Becomes(a, state), ..) => {
                s.becomes(AGENTS[*a as usize % 3], STATES[*state as usize % 10]);
            }
            _ => {}
        }
    }
    s
}

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
        prop_assert_eq!(sum(|f| f.totals.visits.waiting), whole.totals.waiting_now);
        prop_assert_eq!(sum(|f| f.totals.visits.waiting_ms), whole.totals.visits.waiting_ms);
        prop_assert_eq!(sum(|f| f.totals.visits.handled), whole.totals.visits.handled);
        prop_assert_eq!(sum(|f| f.recordings.expected), whole.recordings.expected);
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

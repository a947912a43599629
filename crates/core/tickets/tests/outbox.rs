//! The outbox over hours, without waiting one second: time is an argument.

use base::{Instant, Now};
use proptest::prelude::*;
use std::time::Duration;
use tickets::{Answer, Delivery, Fate, Input, Number, Outbox, Output};

fn at(ms: u64) -> Now {
    Now { mono: Instant(ms * 1_000_000), ..Now::default() }
}

fn row(id: u64, ticket: u64) -> Delivery {
    let ticket = ("acme".parse().unwrap(), Number(ticket));
    Delivery { id, destination: "webhook".into(), ticket, attempts: 0, due_in: Duration::ZERO }
}

fn handle(outbox: &mut Outbox, ms: u64, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    outbox.handle(at(ms), input, &mut out);
    out
}

fn sent(out: &[Output]) -> Vec<u64> {
    out.iter().filter_map(|o| if let Output::Send { id } = o { Some(*id) } else { None }).collect()
}

fn fate(out: &[Output]) -> Option<(Fate, u32, Duration)> {
    out.iter().find_map(|o| if let Output::Save { progress: p, .. } = o { Some((p.fate, p.attempts, p.due_in)) } else { None })
}

fn answer(id: u64, answer: Answer) -> Input {
    Input::Answered { id, answer }
}

fn status(status: u16) -> Answer {
    Answer::Refused { status, retry_after: None }
}

fn down() -> Answer {
    Answer::NoAnswer { why: "connection refused".into() }
}

#[test]
fn attempts_follow_the_schedule_with_jitter_and_the_last_one_is_the_end() {
    let mut outbox = Outbox::new(7);
    assert_eq!(sent(&handle(&mut outbox, 0, Input::Add(row(1, 1)))), [1]);
    let mut now = 0;
    for (n, minutes) in [5.0 / 60.0, 5.0, 30.0, 120.0, 300.0, 600.0, 600.0, 600.0].into_iter().enumerate() {
        // 404 opens no breaker: the receiver is there.
        let out = handle(&mut outbox, now, answer(1, status(404)));
        let (fate, attempts, wait) = fate(&out).unwrap();
        assert_eq!((fate, attempts), (Fate::Waiting, n as u32 + 1));
        let share = wait.as_secs_f64() / (minutes * 60.0);
        assert!((0.9..=1.1).contains(&share), "attempt {attempts}: {wait:?}");
        let due = outbox.deadline().unwrap();
        assert_eq!(due, at(now).mono + wait);
        assert_eq!(sent(&handle(&mut outbox, due.0 / 1_000_000 - 1, Input::Due)), [0; 0], "not before its time");
        now = due.0 / 1_000_000 + 1;
        assert_eq!(sent(&handle(&mut outbox, now, Input::Due)), [1]);
    }
    assert_eq!(fate(&handle(&mut outbox, now, answer(1, status(404)))), Some((Fate::Dead, 9, Duration::ZERO)));
    assert_eq!(outbox.deadline(), None);
}

#[test]
fn a_redirect_is_a_failure_and_retry_after_is_kept() {
    let mut outbox = Outbox::new(7);
    handle(&mut outbox, 0, Input::Add(row(1, 1)));
    assert_eq!(fate(&handle(&mut outbox, 0, answer(1, status(302)))).unwrap().0, Fate::Waiting);
    handle(&mut outbox, 10_000, Input::Due);
    let told = Answer::Refused { status: 503, retry_after: Some(Duration::from_secs(3600)) };
    assert_eq!(fate(&handle(&mut outbox, 10_000, answer(1, told))).unwrap().2, Duration::from_secs(3600));
}

#[test]
fn gone_disables_the_destination_and_what_waits_for_it_is_dead() {
    let mut outbox = Outbox::new(7);
    for n in 1..=6 {
        handle(&mut outbox, 0, Input::Add(row(n, n)));
    }
    let out = handle(&mut outbox, 0, answer(1, Answer::Gone));
    let dead: Vec<_> = out
        .iter()
        .filter_map(|o| if let Output::Save { id, progress } = o { Some((*id, progress.fate)) } else { None })
        .collect();
    // 2, 3 and 4 are on their way and may yet arrive.
    assert_eq!((dead, sent(&out)), (vec![(1, Fate::Dead), (5, Fate::Dead), (6, Fate::Dead)], vec![]));
    assert_eq!(fate(&handle(&mut outbox, 0, answer(2, Answer::Delivered))).unwrap().0, Fate::Done);
    assert_eq!(fate(&handle(&mut outbox, 0, answer(3, status(500)))).unwrap().0, Fate::Dead);
    assert_eq!(fate(&handle(&mut outbox, 0, Input::Add(row(9, 9)))).unwrap().0, Fate::Dead);
}

#[test]
fn the_rows_of_one_ticket_keep_their_order_and_other_tickets_pass() {
    let mut outbox = Outbox::new(7);
    assert_eq!(sent(&handle(&mut outbox, 0, Input::Add(row(1, 1)))), [1]);
    assert_eq!(sent(&handle(&mut outbox, 0, Input::Add(row(2, 1)))), [0; 0]);
    assert_eq!(sent(&handle(&mut outbox, 0, Input::Add(row(3, 2)))), [3]);
    assert_eq!(sent(&handle(&mut outbox, 0, answer(1, status(404)))), [0; 0]);
    assert_eq!(sent(&handle(&mut outbox, 6_000, Input::Due)), [1]);
    assert_eq!(sent(&handle(&mut outbox, 6_000, answer(1, Answer::Delivered))), [2]);
}

#[test]
fn a_destination_that_is_down_is_left_alone_probed_and_served_at_once_when_it_is_back() {
    let mut outbox = Outbox::new(7);
    (1..=20).for_each(|n| drop(handle(&mut outbox, 0, Input::Add(row(n, n)))));
    let mut tries = 0;
    let mut open: Vec<u64> = (1..=4).collect();
    while let Some(id) = open.pop() {
        open.extend(sent(&handle(&mut outbox, 10, answer(id, down()))));
        tries += 1;
    }
    assert_eq!(tries, 8, "those on their way when the fifth failed are the last");
    assert_eq!(outbox.deadline(), Some(at(30_010).mono), "the breaker's pause");
    let probe = sent(&handle(&mut outbox, 30_010, Input::Due));
    assert_eq!(probe.len(), 1, "one probe");
    handle(&mut outbox, 30_020, answer(probe[0], down()));
    assert_eq!(outbox.deadline(), Some(at(90_020).mono), "the pause doubles");
    let probe = sent(&handle(&mut outbox, 90_020, Input::Due));
    let mut on_the_way = sent(&handle(&mut outbox, 90_030, answer(probe[0], Answer::Delivered)));
    let (mut done, mut now) = (1, 90_030);
    while done < 20 {
        match on_the_way.pop() {
            Some(id) => {
                done += 1;
                on_the_way.extend(sent(&handle(&mut outbox, now, answer(id, Answer::Delivered))));
            }
            None => {
                now = outbox.deadline().unwrap().0 / 1_000_000 + 1;
                on_the_way = sent(&handle(&mut outbox, now, Input::Due));
            }
        }
    }
    assert!(now < 93_000, "all within seconds of its return, not at the end of their schedule: {now}");
}

#[test]
fn memory_is_bounded() {
    let mut outbox = Outbox::new(7);
    (0..300).for_each(|n| drop(handle(&mut outbox, 0, Input::Add(row(n, n)))));
    assert_eq!(outbox.room(), 700);
}

proptest! {
    /// Whatever the receiver does: each row ends once, no two rows of a ticket are on their way together or overtake
    /// each other, and whenever a row waits there is a deadline or an answer to come.
    #[test]
    fn every_row_comes_to_one_end_in_its_tickets_order(seed: u64, tickets in proptest::collection::vec(0u64..5, 1..30), answers in proptest::collection::vec(0u8..8, 0..400)) {
        let mut outbox = Outbox::new(seed);
        let mut now = 0;
        let mut out = Vec::new();
        for (id, ticket) in tickets.iter().enumerate() {
            outbox.handle(at(now), Input::Add(row(id as u64, *ticket)), &mut out);
        }
        let mut on_the_way: Vec<u64> = Vec::new();
        let mut ended: Vec<u64> = Vec::new();
        let mut answers = answers.into_iter();
        loop {
            for o in out.drain(..) {
                match o {
                    Output::Send { id } => {
                        let mine = tickets[id as usize];
                        prop_assert!(on_the_way.iter().all(|o| tickets[*o as usize] != mine));
                        prop_assert!((0..id).filter(|e| tickets[*e as usize] == mine).all(|e| ended.contains(&e)));
                        on_the_way.push(id);
                    }
                    Output::Save { id, progress } if progress.fate != Fate::Waiting => {
                        prop_assert!(!ended.contains(&id));
                        ended.push(id);
                    }
                    Output::Save { .. } => {}
                }
            }
            if ended.len() == tickets.len() {
                break;
            }
            if let Some(id) = on_the_way.pop() {
                let said = match answers.next().unwrap_or(0) {
                    0..=2 => Answer::Delivered,
                    3 => status(500),
                    4 => status(404),
                    5 => Answer::Refused { status: 429, retry_after: Some(Duration::from_secs(9)) },
                    6 => down(),
                    _ => status(301),
                };
                outbox.handle(at(now), answer(id, said), &mut out);
            } else {
                let due = outbox.deadline();
                prop_assert!(due.is_some(), "stuck");
                now = now.max(due.unwrap().0.div_ceil(1_000_000));
                outbox.handle(at(now), Input::Due, &mut out);
            }
        }
        prop_assert_eq!(outbox.room(), 1000);
    }
}

//! Which facts open a ticket, told as the story of a call.

use base::fact::{About, CallbackEnd, Direction, Fact, Logged, Transfer, What};
use base::{CallId, Cause, Instant, Lang, Now, Outcome, Wall};
use std::time::Duration;
use tickets::{Book, Change, Rule, Ticket, What as Step, When};

const CALL: &str = "1-1-1";

fn rule(when: When) -> Rule {
    Rule {
        tenant: "acme".parse().unwrap(),
        queue: None,
        when,
        min_wait: Duration::ZERO,
        subject: "{outcome} {call} {queue} {lang} {agent} {wait} {caller}".into(),
        category: "call".into(),
        impact: Default::default(),
        priority: Default::default(),
        group: Some("level 1".into()),
    }
}

/// Facts of one call, one after the other, each a second later.
struct Story {
    book: Book,
    log: Vec<Logged>,
}

impl Story {
    fn new(rules: Vec<Rule>) -> Story {
        Story { book: Book::new(rules), log: Vec::new() }
    }

    fn tell(&mut self, call: &str, what: What) -> Option<Change> {
        self.tell_by(call, "acme/ana", what)
    }

    fn tell_by(&mut self, call: &str, agent: &str, what: What) -> Option<Change> {
        let seq = self.log.len() as u64 + 1;
        let queued = matches!(what, What::QueueEntered { .. } | What::QueueLeft { .. } | What::AgentLegConnected { .. });
        let about = About {
            tenant: Some("acme".parse().unwrap()),
            call: Some(call.parse::<CallId>().unwrap()),
            queue: queued.then(|| "acme/soporte".parse().unwrap()),
            agent: matches!(what, What::AgentLegConnected { .. } | What::AgentLegTransferred { .. })
                .then(|| agent.parse().unwrap()),
            lang: queued.then_some(Lang::ES),
            cause: matches!(what, What::CallEnded { .. }).then_some(Cause::CallerHungUp),
            ..About::default()
        };
        let now = Now { mono: Instant(seq * 1_000_000_000), wall: Wall(seq as i64 * 1_000_000) };
        let logged = Logged { epoch: 1, seq, fact: Fact { now, about, what } };
        self.log.push(logged.clone());
        self.book.apply(&logged)
    }

    fn tell_all(&mut self, facts: impl IntoIterator<Item = What>) -> Vec<Change> {
        facts.into_iter().filter_map(|what| self.tell(CALL, what)).collect()
    }
}

fn arrived() -> What {
    What::CallArrived { direction: Direction::Incoming, trunk: "t".into(), number: "5000".into() }
}
fn entered() -> What {
    What::QueueEntered {
        requires: Default::default(),
        priority_s: 0,
        position: 1,
        expected_p50_ms: None,
        expected_p90_ms: None,
        credit_ms: 0,
    }
}
fn left(outcome: Outcome, wait_ms: u64) -> What {
    What::QueueLeft { outcome, wait_ms, ringing: false, threshold_ms: 20_000, short_ms: 5_000, to: None }
}
fn connected(wait_ms: u64) -> What {
    What::AgentLegConnected { wait_ms }
}
fn ended() -> What {
    What::CallEnded { duration_ms: 95_500, visits: 1 }
}
fn opened(change: &Change) -> &Ticket {
    let Change::Opened { ticket, .. } = change else { panic!("{change:?}") };
    ticket
}

#[test]
fn an_answered_call_opens_a_ticket_at_once_and_its_end_adds_a_note() {
    let mut story = Story::new(vec![rule(When::Answered), rule(When::Ended)]);
    let changes = story.tell_all([arrived(), entered(), left(Outcome::Answered, 12_400), connected(12_400), ended()]);
    let ticket = opened(&changes[0]);
    assert_eq!(ticket.subject, "answered 1-1-1 soporte es ana 12 s {caller}");
    assert_eq!((ticket.number.to_string().as_str(), ticket.wait_ms, ticket.opened), ("T-000001", Some(12_400), Wall(4_000_000)));
    assert_eq!(changes[0].key().to_string(), "acme/1-1-1/answered");
    let Change::Noted { note, number, .. } = &changes[1] else { panic!("{changes:?}") };
    assert_eq!((note.as_str(), *number), ("The call ended after 95 s: caller_hung_up.", ticket.number));
    let after = changes[1].applied(Some(ticket.clone())).unwrap();
    assert_eq!((after.steps.len(), after.updated, changes.len()), (2, Wall(5_000_000), 2));
}

#[test]
fn a_call_answered_twice_after_a_transfer_opens_one_ticket() {
    let mut story = Story::new(vec![rule(When::Answered)]);
    let changes = story.tell_all([arrived(), entered(), connected(100), entered(), connected(900), ended()]);
    assert_eq!(changes.len(), 1);
}

#[test]
fn a_transferred_call_has_one_ticket_whose_notes_say_the_transfer_and_who_answered_then() {
    let mut story = Story::new(vec![rule(When::Answered), rule(When::Ended)]);
    let passed_on = |to: &str, kind| What::AgentLegTransferred { kind, to: to.into() };
    let mut changes = story.tell_all([arrived(), entered(), connected(100), passed_on("queue/ventas", Transfer::ToQueue)]);
    changes.extend(story.tell_all([entered(), left(Outcome::Answered, 5_000)]));
    changes.extend(story.tell_by(CALL, "acme/bea", connected(5_100)));
    changes.extend(story.tell_by(CALL, "acme/bea", passed_on("agent/caro", Transfer::Attended)));
    changes.extend(story.tell(CALL, ended()));
    let keys: Vec<String> = changes.iter().map(|c| c.key().to_string()).collect();
    let expected = ["answered", "transferred", "answered.2", "transferred.2", "ended"];
    assert_eq!(keys, expected.map(|action| format!("acme/1-1-1/{action}")));
    let after = changes[1..].iter().fold(opened(&changes[0]).clone(), |ticket, change| change.applied(Some(ticket)).unwrap());
    let notes: Vec<&str> =
        after.steps.iter().filter_map(|s| if let Step::Noted { note } = &s.what { Some(&**note) } else { None }).collect();
    assert_eq!(notes[0], "Passed on by acme/ana to queue/ventas, to wait there.");
    assert_eq!(notes[1], "Answered by acme/bea.");
    assert_eq!(notes[2], "Passed on by acme/bea to agent/caro, after a consultation.");
    assert_eq!(after.agent.unwrap().to_string(), "acme/bea", "whoever answered last has it");
}

#[test]
fn a_rule_may_be_for_calls_that_are_passed_on() {
    let mut story = Story::new(vec![rule(When::Transferred)]);
    let passed_on = || What::AgentLegTransferred { kind: Transfer::External, to: "number".into() };
    let changes = story.tell_all([arrived(), entered(), connected(100), passed_on(), ended()]);
    assert_eq!((opened(&changes[0]).subject.as_str(), changes.len()), ("answered 1-1-1 soporte es ana 0 s {caller}", 1));
}

#[test]
fn a_message_leaves_a_ticket_also_when_the_call_was_in_no_queue() {
    let mut story = Story::new(vec![rule(When::Voicemail)]);
    let message = || What::VoicemailLeft { recording: "1-1-1.c1.p1".parse().unwrap(), duration_ms: 9_400 };
    let changes = story.tell_all([arrived(), entered(), left(Outcome::Voicemail, 30_000), message(), message(), ended()]);
    assert_eq!((opened(&changes[0]).outcome, changes.len()), (Some(Outcome::Voicemail), 1));
    assert_eq!(changes[0].key().to_string(), "acme/1-1-1/voicemail");
    assert!(story.tell("1-1-2", arrived()).is_none());
    assert!(story.tell("1-1-2", message()).is_some());
}

#[test]
fn a_message_is_told_of_after_its_call_when_the_file_is_closed_and_then_the_call_is_forgotten() {
    let recording: base::RecordingId = "1-1-1.c1.p1".parse().unwrap();
    let stored = || What::RecordingStored {
        recording,
        file: "f".into(),
        duration_ms: 9_400,
        sha256: "s".into(),
        kept: base::fact::Kept::Complete,
        reason: None,
    };
    let message = || What::VoicemailLeft { recording, duration_ms: 9_400 };
    // Also when the end opened one: the message is a note of it.
    for (rules, keys) in [
        (vec![rule(When::Voicemail)], vec!["voicemail"]),
        (vec![rule(When::Ended), rule(When::Voicemail)], vec!["ended", "voicemail"]),
    ] {
        let mut story = Story::new(rules);
        let facts = [arrived(), What::RecordingStarted { recording }, ended(), stored(), message()];
        let changes = story.tell_all(facts);
        let told: Vec<String> = changes.iter().map(|c| c.key().action.name().into()).collect();
        assert_eq!(told, keys);
        assert!(changes[1..].iter().all(|c| matches!(c, Change::Noted { .. })));
        story.book.touched();
        story.tell("1-1-9", What::NodeHeartbeat { calls: 0 });
        assert_eq!(story.book.touched(), [(CALL.parse().unwrap(), None)]);
    }
}

#[test]
fn a_callback_that_failed_leaves_one_and_its_place_in_line_is_neither_answered_nor_abandoned() {
    let done = |end| What::CallbackDone { end, attempts: 3, wait_ms: 900_000 };
    let tickets = |end| {
        let mut story = Story::new(vec![rule(When::CallbackFailed), rule(When::Abandoned)]);
        let mut changes = story.tell_all([arrived(), entered(), left(Outcome::Callback, 30_000), What::CallbackRequested {}]);
        // The agent answers, the customer does not, and in the end the place is given up.
        changes.extend(story.tell_all([entered(), left(Outcome::Answered, 60_000), entered(), left(Outcome::Abandoned, 10_000)]));
        changes.extend(story.tell_all([done(end), ended()]));
        changes
    };
    for end in [CallbackEnd::Failed, CallbackEnd::Cancelled] {
        let changes = tickets(end);
        assert_eq!((opened(&changes[0]).outcome, opened(&changes[0]).wait_ms), (Some(Outcome::Callback), Some(100_000)));
        assert_eq!((changes.len(), changes[0].key().to_string().as_str()), (1, "acme/1-1-1/callback_failed"));
    }
    assert_eq!((tickets(CallbackEnd::Connected), tickets(CallbackEnd::Joined)), (vec![], vec![]));
}

#[test]
fn an_outgoing_call_leaves_one_if_a_rule_says_so_and_an_internal_one_none() {
    let dialled = |direction| What::CallArrived { direction, trunk: "".into(), number: "outside".into() };
    let story = |rules, direction| Story::new(rules).tell_all([dialled(direction), connected(0), ended()]);
    let changes = story(vec![rule(When::Outgoing)], Direction::Outgoing);
    assert_eq!((opened(&changes[0]).outcome, opened(&changes[0]).agent.as_ref().unwrap().name()), (None, "ana"));
    assert!(matches!(&changes[1], Change::Noted { note, .. } if note.starts_with("The call ended after 95 s")));
    assert_eq!(story(vec![rule(When::Answered), rule(When::Ended)], Direction::Outgoing), []);
    assert_eq!(story(vec![rule(When::Outgoing), rule(When::Answered)], Direction::Internal), []);
}

#[test]
fn an_abandoned_call_opens_one_only_after_the_least_wait() {
    for (wait_ms, tickets) in [(4_999, 0), (5_000, 1)] {
        let mut story = Story::new(vec![Rule { min_wait: Duration::from_secs(5), ..rule(When::Abandoned) }]);
        let changes = story.tell_all([arrived(), entered(), left(Outcome::Abandoned, wait_ms), ended()]);
        assert_eq!(changes.len(), tickets, "{wait_ms}");
    }
}

#[test]
fn the_wait_is_that_of_the_call_over_all_its_queues() {
    let mut story = Story::new(vec![Rule { min_wait: Duration::from_secs(5), ..rule(When::Abandoned) }]);
    let facts = [arrived(), entered(), left(Outcome::Overflowed, 3_000), entered(), left(Outcome::Abandoned, 3_000), ended()];
    assert_eq!(opened(&story.tell_all(facts)[0]).wait_ms, Some(6_000));
}

#[test]
fn of_several_rules_the_first_that_fits_counts_and_a_queue_narrows_it() {
    let general = Rule { category: "general".into(), ..rule(When::Answered) };
    let ventas = Rule { queue: Some("acme/ventas".parse().unwrap()), category: "ventas".into(), ..rule(When::Answered) };
    let soporte = Rule { queue: Some("acme/soporte".parse().unwrap()), category: "soporte".into(), ..rule(When::Answered) };
    let other = Rule { tenant: "globex".parse().unwrap(), category: "globex".into(), ..rule(When::Answered) };
    let mut story = Story::new(vec![other, ventas, soporte, general]);
    let changes = story.tell_all([arrived(), entered(), connected(100)]);
    assert_eq!(opened(&changes[0]).category, "soporte");
}

#[test]
fn rejected_calls_and_feature_codes_leave_none() {
    let mut story = Story::new(vec![rule(When::Ended)]);
    assert_eq!(story.tell_all([arrived(), What::CallRejected { status: 503 }]), []);
    let code = What::CallArrived { direction: Direction::FeatureCode, trunk: "".into(), number: "*11".into() };
    assert_eq!(story.tell("1-1-2", code), None);
    assert_eq!(story.tell("1-1-2", ended()), None);
    assert_eq!(story.book.touched().into_iter().filter(|(_, memory)| memory.is_some()).count(), 0, "nothing is remembered");
}

#[test]
fn a_log_read_twice_changes_nothing_the_second_time() {
    let mut story = Story::new(vec![rule(When::Answered), rule(When::Ended)]);
    story.tell_all([arrived(), entered(), connected(100), ended()]);
    let log = story.log.clone();
    assert!(log.iter().all(|logged| story.book.apply(logged).is_none()));
}

#[test]
fn a_restart_at_any_fact_gives_the_same_tickets() {
    let rules = vec![rule(When::Answered), rule(When::Abandoned), rule(When::Ended)];
    let mut story = Story::new(rules.clone());
    let mut changes = story.tell_all([arrived(), entered(), left(Outcome::Answered, 100), connected(100), ended()]);
    for what in [arrived(), entered(), left(Outcome::Abandoned, 9_000), ended()] {
        changes.extend(story.tell("1-1-2", what));
    }
    for cut in 0..story.log.len() {
        let mut book = Book::new(rules.clone());
        let mut again = Vec::new();
        let (mut memories, mut last) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
        for (n, logged) in story.log.iter().enumerate() {
            if n == cut {
                book = Book::restore(rules.clone(), book.mark(), memories.clone(), last.clone());
            }
            let change = book.apply(logged);
            for (call, memory) in book.touched() {
                match memory {
                    // Through the form that the store keeps.
                    Some(m) => memories.insert(call, serde_json::from_str(&serde_json::to_string(&m).unwrap()).unwrap()),
                    None => memories.remove(&call),
                };
            }
            if let Some(Change::Opened { ticket, .. }) = &change {
                last.insert(ticket.tenant.clone(), ticket.number);
            }
            again.extend(change);
        }
        assert_eq!(again, changes, "cut at {cut}");
        assert!(memories.is_empty(), "an ended call is forgotten");
    }
}

#[test]
fn a_webhook_is_told_the_key_and_no_number_of_the_caller() {
    let mut story = Story::new(vec![rule(When::Answered)]);
    let changes = story.tell_all([arrived(), entered(), connected(100)]);
    let event = changes[0].cloud_event("/centralita/acme/1", opened(&changes[0]));
    assert_eq!(
        (&event["specversion"], &event["type"], &event["subject"]),
        (&"1.0".into(), &"ticket.opened".into(), &"ticket/T-000001".into())
    );
    assert_eq!((&event["id"], &event["data"]["key"]), (&"acme/1-1-1/answered".into(), &"acme/1-1-1/answered".into()));
    assert_eq!(event["data"]["ticket"]["subject"], "answered 1-1-1 soporte es ana 0 s {caller}");
}

#[test]
fn a_subject_takes_no_control_character_and_no_more_than_250_characters() {
    let long = Rule { subject: format!("a\u{1b}[31m\r\n{}{{", "ñ".repeat(300)), ..rule(When::Answered) };
    let mut story = Story::new(vec![long]);
    let changes = story.tell_all([arrived(), entered(), connected(100)]);
    let subject = &opened(&changes[0]).subject;
    assert!(subject.starts_with("a [31m  ñ") && subject.chars().count() == 250, "{subject}");
}

//! Ticket, outbox row and mark in one transaction: nothing is lost, and nothing is done twice.

use crate::common::*;
use base::fact::{About, Fact, What};
use base::{CallId, PartyId, Pii, Wall};
use shell_store::{Handle, Store, TicketFilter, Tickets, TicketsOptions, Writer};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tickets::{Act, Fate, Number, Progress, Rows, Rule, State, When};

const NOW: Wall = Wall(1_800_000_010_000_000);
const PARTY: PartyId = PartyId(0xabc);

fn rule(when: When) -> Rule {
    let json = serde_json::json!({"tenant": "acme", "when": when, "subject": "Call {call} of {caller}", "category": "call"});
    serde_json::from_value(json).unwrap()
}

fn options() -> TicketsOptions {
    TicketsOptions {
        rules: vec![rule(When::Answered), rule(When::Ended)],
        destinations: vec!["webhook".into()],
        source: "/centralita/acme/1".into(),
        changed: Box::new(|| {}),
    }
}

/// A whole answered call.
fn call(id: &str) -> Vec<Fact> {
    let id: CallId = id.parse().unwrap();
    let mut connected = of_call(id, What::AgentLegConnected { wait_ms: 700 });
    connected.about = About { party: Some(PARTY), agent: Some("acme/ana".parse().unwrap()), ..connected.about };
    vec![arrived(id), answered(id), connected, ended(id)]
}

struct Node {
    store: Arc<Store>,
    writer: Writer,
    tickets: Tickets,
    log: Handle,
}

impl Node {
    fn start(dir: &Path) -> Node {
        Node::with(dir, options())
    }

    fn with(dir: &Path, options: TicketsOptions) -> Node {
        let store = Arc::new(Store::open(dir).unwrap());
        let epoch = store.begin_epoch().unwrap();
        let writer = Writer::start(store.clone(), epoch).unwrap();
        let log = writer.handle();
        let tickets = Tickets::start(store.clone(), &log, options).unwrap();
        Node { store, writer, tickets, log }
    }

    fn stop(self) -> Arc<Store> {
        self.writer.close();
        self.tickets.close();
        self.store
    }
}

fn every(store: &Store) -> Vec<tickets::Ticket> {
    store.tickets(&TicketFilter { limit: usize::MAX, ..TicketFilter::default() }).unwrap()
}

fn keys(store: &Store) -> Vec<String> {
    store.outbox("waiting", usize::MAX).unwrap().into_iter().map(|row| row.key).collect()
}

#[test]
fn an_answered_call_has_its_ticket_while_it_lasts_and_a_note_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    let (id, mut facts) = ("1-1-1".parse().unwrap(), call("1-1-1"));
    let end = facts.pop().unwrap();
    node.log.facts(facts);
    wait_until(|| node.store.tickets_of_call(id).unwrap().len() == 1);
    node.log.facts(vec![end]);
    let store = node.stop();
    let ticket = store.ticket(&"acme".parse().unwrap(), Number(1)).unwrap().unwrap();
    assert_eq!((ticket.state, ticket.steps.len(), ticket.subject.as_str()), (State::Open, 2, "Call 1-1-1 of {caller}"));
    assert_eq!(keys(&store), ["acme/1-1-1/answered", "acme/1-1-1/ended"]);
    assert_eq!(store.ticket_counts().unwrap(), [("open".to_string(), 1)].into());
}

#[test]
fn a_restart_between_any_two_facts_gives_the_same_book_and_outbox() {
    let facts = || [call("1-1-1"), call("1-1-2")].concat();
    let whole = tempfile::tempdir().unwrap();
    let node = Node::start(whole.path());
    node.log.facts(facts());
    let expected = node.stop();
    for cut in 0..facts().len() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = facts();
        let second = first.split_off(cut);
        let node = Node::start(dir.path());
        node.log.facts(first);
        node.stop();
        let node = Node::start(dir.path());
        node.log.facts(second);
        let store = node.stop();
        assert_eq!(every(&store), every(&expected), "cut at {cut}");
        assert_eq!(keys(&store), keys(&expected), "cut at {cut}");
    }
}

#[test]
fn while_the_book_cannot_be_written_nothing_of_it_is_and_afterwards_all() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    let broken = sql(dir.path());
    // The outbox row fails, after the ticket was written in the same transaction.
    broken.execute_batch("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END").unwrap();
    node.log.facts(call("1-1-1"));
    wait_until(|| node.tickets.failing().is_some_and(|why| why.contains("disk full")));
    assert_eq!(every(&node.store), []);
    broken.execute_batch("DROP TRIGGER full").unwrap();
    wait_until(|| !every(&node.store).is_empty());
    let store = node.stop();
    assert_eq!((every(&store).len(), keys(&store).len()), (1, 2));
}

#[test]
fn a_ticket_that_is_refused_because_somebody_else_writes_comes_by_itself_when_they_have_done() {
    let dir = tempfile::tempdir().unwrap();
    // The book's thread waits after its first ticket, until the lock is held.
    let (written, first) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    let changed = Box::new(move || {
        let _ = written.send(());
        let _ = gate.recv();
    });
    let node = Node::with(dir.path(), TicketsOptions { changed, ..options() });
    node.log.facts(call("1-1-1"));
    first.recv_timeout(SOON).unwrap();
    node.log.facts(call("1-1-2"));
    assert!(node.log.flush(SOON));
    let other = sql(dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    drop(go_on);
    wait_until(|| node.tickets.failing().is_some_and(|why| why.contains("database is locked")));
    assert_eq!(every(&node.store).len(), 1);
    other.execute_batch("ROLLBACK").unwrap();
    wait_until(|| every(&node.store).len() == 2 && node.tickets.failing().is_none());
    let store = node.stop();
    let expected = ["1-1-1/answered", "1-1-1/ended", "1-1-2/answered", "1-1-2/ended"].map(|key| format!("acme/{key}"));
    assert_eq!(keys(&store), expected);
}

#[test]
fn a_lost_mark_makes_no_second_ticket() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    node.log.facts(call("1-1-1"));
    let before = every(&node.stop());
    sql(dir.path()).execute("UPDATE mark SET place = 0", []).unwrap();
    let node = Node::start(dir.path());
    node.log.facts(call("1-2-1"));
    let store = node.stop();
    assert_eq!(store.tickets_of_call("1-1-1".parse().unwrap()).unwrap(), before);
    assert_eq!(store.tickets_of_call("1-2-1".parse().unwrap()).unwrap().len(), 1, "and holds up nothing");
    assert_eq!(keys(&store).len(), 4);
}

#[test]
fn a_ticket_is_worked_on_by_hand_and_refuses_what_makes_no_sense() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    node.log.facts(call("1-1-1"));
    let store = node.stop();
    let tenant = "acme".parse().unwrap();
    let act = |act| store.act_on_ticket(NOW, "ana", &tenant, Number(1), act).unwrap();
    assert_eq!(act(Act::Close), Some(Err(tickets::Refused(State::Open))));
    assert_eq!(act(Act::Resolve { how: "restarted".into() }).unwrap().unwrap().state, State::Resolved);
    assert_eq!(store.act_on_ticket(NOW, "ana", &tenant, Number(9), Act::Close).unwrap(), None);
    let resolved = TicketFilter { state: Some(State::Resolved), limit: 10, ..TicketFilter::default() };
    assert_eq!(store.tickets(&resolved).unwrap().len(), 1);
    let elsewhere = TicketFilter { tenant: Some("globex".parse().unwrap()), limit: 10, ..TicketFilter::default() };
    assert_eq!(store.tickets(&elsewhere).unwrap(), []);
}

#[test]
fn the_outbox_keeps_what_is_owed_and_the_caller_only_until_erased() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    let tenant: base::Tenant = "acme".parse().unwrap();
    node.log.party(tenant.clone(), PARTY, Pii::new("+525512345678".into()), Pii::new("Ana".into()));
    node.log.user_to_user(tenant.clone(), "1-1-1".parse().unwrap(), PARTY, Pii::new("00c0ffee;encoding=hex".into()));
    node.log.facts(call("1-1-1"));
    let store = node.stop();
    let rows = store.waiting(NOW, 10).unwrap();
    assert_eq!((rows.len(), rows[0].attempts, rows[0].due_in, rows[0].ticket.1), (2, 0, Duration::ZERO, Number(1)));
    let letter = store.letter(rows[0].id).unwrap().unwrap();
    assert_eq!((letter.key.as_str(), letter.caller), ("acme/1-1-1/answered", Some(Pii::new("+525512345678".into()))));
    assert!(!letter.body.contains("5512345678"));
    let said = Some(Pii::new("00c0ffee;encoding=hex".to_string()));
    assert_eq!(letter.user_to_user, said, "calls.md line 14: what the network said goes with the ticket");

    let progress = |fate, due_in| Progress { fate, attempts: 1, due_in, last: "status 500".into() };
    store.save(NOW, rows[0].id, &progress(Fate::Waiting, Duration::from_secs(300))).unwrap();
    store.save(NOW, rows[1].id, &progress(Fate::Dead, Duration::ZERO)).unwrap();
    let left = store.waiting(NOW.plus(Duration::from_secs(60)), 10).unwrap();
    assert_eq!(
        left.iter().map(|r| (r.id, r.attempts, r.due_in)).collect::<Vec<_>>(),
        [(rows[0].id, 1, Duration::from_secs(240))]
    );
    assert_eq!(store.outbox("dead", 10).unwrap()[0].last.as_deref(), Some("status 500"));
    assert!(store.replay_outbox(NOW, rows[1].id).unwrap() && !store.replay_outbox(NOW, rows[1].id).unwrap());

    assert!(store.erase_party(&tenant, PARTY).unwrap());
    assert_eq!(store.party(&tenant, PARTY).unwrap(), None);
    let letter = store.letter(rows[0].id).unwrap().unwrap();
    assert_eq!((letter.caller, letter.user_to_user), (None, None));
    assert_eq!(store.user_to_user("1-1-1".parse().unwrap()).unwrap(), None);
    let file = std::fs::read(dir.path().join("centralita.db")).unwrap();
    let wal = std::fs::read(dir.path().join("centralita.db-wal")).unwrap_or_default();
    let holds = |bytes: &[u8]| bytes.windows(10).any(|w| w == b"5512345678");
    assert!(!holds(&file) && !holds(&wal), "an erased number is in no file");
}

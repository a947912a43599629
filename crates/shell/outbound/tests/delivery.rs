//! Delivery to a real receiver on loopback that is down, slow to recover, and forgets what it said. The clock is the
//! test's: hours pass in no time.

use base::{Instant, Now, Pii, Wall};
use shell_outbound::{Options, Sender, Signer};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tickets::{Delivery, Fate, Letter, Number, Progress, Rows, Webhook};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/// The outbox in memory; it can refuse to be written.
#[derive(Default)]
struct Shelf {
    rows: Mutex<BTreeMap<u64, Row>>,
    broken: AtomicBool,
}

#[derive(Clone)]
struct Row {
    ticket: u64,
    key: String,
    attempts: u32,
    due: Wall,
    fate: Fate,
    last: String,
}

impl Shelf {
    fn with(rows: &[(u64, u64, &str)]) -> Arc<Shelf> {
        let row = |ticket, key: &str| Row {
            ticket,
            key: key.into(),
            attempts: 0,
            due: Wall(0),
            fate: Fate::Waiting,
            last: String::new(),
        };
        let rows = rows.iter().map(|(id, ticket, key)| (*id, row(*ticket, key))).collect();
        Arc::new(Shelf { rows: Mutex::new(rows), ..Shelf::default() })
    }

    fn row(&self, id: u64) -> Row {
        self.rows.lock().unwrap()[&id].clone()
    }

    fn all(&self, fate: Fate) -> bool {
        self.rows.lock().unwrap().values().all(|row| row.fate == fate)
    }
}

impl Rows for Shelf {
    fn waiting(&self, now: Wall, limit: usize) -> Result<Vec<Delivery>, String> {
        let rows = self.rows.lock().unwrap();
        let waiting = rows.iter().filter(|(_, row)| row.fate == Fate::Waiting).take(limit);
        let ticket = |row: &Row| ("acme".parse().unwrap(), Number(row.ticket));
        let delivery = |(id, row): (&u64, &Row)| Delivery {
            id: *id,
            destination: "desk".into(),
            ticket: ticket(row),
            attempts: row.attempts,
            due_in: row.due.since(now),
        };
        Ok(waiting.map(delivery).collect())
    }

    fn letter(&self, id: u64) -> Result<Option<Letter>, String> {
        let key = self.row(id).key;
        let body = serde_json::json!({"id": key, "data": {"ticket": {"subject": "Call of {caller}"}}}).to_string();
        Ok(Some(Letter { key, body, caller: Some(Pii::new("+5255".into())), user_to_user: None }))
    }

    fn save(&self, now: Wall, id: u64, progress: &Progress) -> Result<(), String> {
        if self.broken.load(Ordering::SeqCst) {
            return Err("disk full".into());
        }
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get_mut(&id).unwrap();
        (row.fate, row.attempts, row.last) = (progress.fate, progress.attempts, progress.last.clone());
        row.due = now.plus(progress.due_in);
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Clock(Arc<Mutex<Now>>);

impl Clock {
    fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(by);
    }

    fn now(&self) -> Now {
        *self.0.lock().unwrap()
    }
}

fn start(shelf: &Arc<Shelf>, clock: &Clock, address: SocketAddr) -> Sender {
    let webhook = Webhook { url: format!("http://{address}/hook"), secret: Pii::new(SECRET.into()), allow_private: true };
    let clock = clock.clone();
    let options =
        Options { webhooks: vec![("desk".into(), webhook)], rows: shelf.clone(), clock: Arc::new(move || clock.now()), seed: 1 };
    Sender::start(options).unwrap()
}

/// What the receiver does with the next request.
#[derive(Clone, Copy)]
enum Does {
    Answers(u16, &'static str),
    /// Takes it in, and the answer is lost on its way.
    Forgets,
    /// Answers with a head that never ends.
    Floods,
}

#[derive(Clone, Debug)]
struct Received {
    path: String,
    id: String,
    timestamp: i64,
    signature: String,
    body: String,
}

#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<VecDeque<Does>>>,
}

impl Receiver {
    /// After its script it answers 200.
    fn open(&self, socket: TcpSocket, script: &[Does]) -> tokio::task::JoinHandle<()> {
        self.script.lock().unwrap().extend(script);
        let (receiver, listener) = (self.clone(), socket.listen(16).unwrap());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(receiver.clone().serve(stream));
            }
        })
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut text = Vec::new();
        let (head, length) = loop {
            let mut bytes = [0; 4096];
            let n = stream.read(&mut bytes).await.unwrap();
            text.extend_from_slice(&bytes[..n]);
            let seen = String::from_utf8_lossy(&text).to_string();
            if let Some((head, body)) = seen.split_once("\r\n\r\n") {
                let length: usize = header(head, "content-length").parse().unwrap();
                if body.len() >= length {
                    break (seen.clone(), head.len() + 4);
                }
            }
            assert!(n > 0, "the sender hung up");
        };
        let received = Received {
            path: head.split(' ').nth(1).unwrap().into(),
            id: header(&head, "webhook-id"),
            timestamp: header(&head, "webhook-timestamp").parse().unwrap(),
            signature: header(&head, "webhook-signature"),
            body: head[length..].to_string(),
        };
        let does = self.script.lock().unwrap().pop_front().unwrap_or(Does::Answers(200, ""));
        self.seen.lock().unwrap().push(received);
        // What the sender makes of it shows in the rows; that it may have hung up is its right.
        let _ = match does {
            Does::Answers(status, extra) => {
                stream.write_all(format!("HTTP/1.1 {status} X\r\n{extra}content-length: 0\r\n\r\n").as_bytes()).await
            }
            Does::Forgets => Ok(()),
            Does::Floods => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
                while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
                Ok(())
            }
        };
    }

    fn seen(&self) -> Vec<Received> {
        self.seen.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<String> {
        self.seen().into_iter().map(|r| r.id).collect()
    }
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find_map(|l| l.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)));
    line.map(|(_, v)| v.to_string()).unwrap_or_else(|| panic!("no {name} in {head}"))
}

/// Taken, but nobody listens yet: connections are refused.
fn taken() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let wait = async {
        while !is() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), wait).await.is_ok(), "it did not come to that: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_then_failing_then_forgetful_gets_each_ticket_once_per_key() {
    let shelf = Shelf::with(&[(1, 1, "acme/1-1-1/answered"), (2, 1, "acme/1-1-1/ended"), (3, 2, "acme/1-1-2/abandoned")]);
    let (clock, receiver, (socket, address)) = (Clock::default(), Receiver::default(), taken());

    let sender = start(&shelf, &clock, address);
    until("the first attempts failed", || shelf.row(1).attempts == 1 && shelf.row(3).attempts == 1).await;
    assert!(shelf.row(1).last.contains("refused"), "{}", shelf.row(1).last);
    assert_eq!(shelf.row(2).attempts, 0, "a ticket's second row waits for its first");

    let listening = receiver.open(socket, &[Does::Answers(500, ""), Does::Answers(500, ""), Does::Forgets]);
    clock.advance(Duration::from_secs(6));
    sender.waker()();
    until("it answered 500 twice", || shelf.row(1).attempts == 2 && shelf.row(3).attempts == 2).await;

    // The process is restarted; the rows remember how far it was.
    sender.stop().await;
    let sender = start(&shelf, &clock, address);
    clock.advance(Duration::from_secs(331));
    sender.waker()();
    until("one answer was lost on its way", || receiver.seen().len() >= 4 && receiver.script.lock().unwrap().is_empty()).await;
    for _ in 0..40 {
        clock.advance(Duration::from_secs(3600));
        sender.waker()();
        tokio::task::yield_now().await;
    }
    until("all is delivered", || {
        clock.advance(Duration::from_secs(60));
        sender.waker()();
        shelf.all(Fate::Done)
    })
    .await;
    sender.stop().await;
    listening.abort();

    let seen = receiver.seen();
    let keys: BTreeSet<String> = receiver.ids().into_iter().collect();
    let expected = ["msg_acme:1-1-1:answered", "msg_acme:1-1-1:ended", "msg_acme:1-1-2:abandoned"];
    assert_eq!(keys.iter().map(String::as_str).collect::<Vec<_>>(), expected, "one ticket per key, none lost");
    assert!(seen.len() > 3, "it was told again, under the same id");
    let first = |id| seen.iter().position(|r| r.id == id).unwrap();
    let last = |id| seen.iter().rposition(|r| r.id == id).unwrap();
    assert!(last(expected[0]) < first(expected[1]), "opened before updated: {seen:?}");
    let signer = Signer::new(&Pii::new(SECRET.into())).unwrap();
    for r in &seen {
        assert_eq!((r.path.as_str(), r.signature.as_str()), ("/hook", signer.sign(&r.id, r.timestamp, &r.body).as_str()));
        assert_eq!(r.body, seen[first(&r.id)].body, "the same body on every attempt");
        assert!(r.body.contains("Call of +5255"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed_and_gone_ends_it() {
    let shelf = Shelf::with(&[(1, 1, "a"), (2, 1, "b"), (3, 1, "c")]);
    let (clock, receiver, (socket, address)) = (Clock::default(), Receiver::default(), taken());
    let script = [Does::Answers(302, "location: /elsewhere\r\n"), Does::Answers(410, "")];
    let listening = receiver.open(socket, &script);
    let sender = start(&shelf, &clock, address);
    until("the redirect was a failure", || shelf.row(1).attempts == 1).await;
    assert_eq!((shelf.row(1).fate, shelf.row(1).last.as_str()), (Fate::Waiting, "status 302"));
    clock.advance(Duration::from_secs(6));
    sender.waker()();
    until("410 made all of it dead", || shelf.all(Fate::Dead)).await;
    assert_eq!(receiver.seen().iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), ["/hook", "/hook"]);
    sender.stop().await;
    listening.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_is_kept_over_a_restart() {
    let shelf = Shelf::with(&[(1, 1, "a")]);
    let (clock, receiver, (socket, address)) = (Clock::default(), Receiver::default(), taken());
    let listening = receiver.open(socket, &[Does::Answers(503, "retry-after: 3600\r\n")]);
    let sender = start(&shelf, &clock, address);
    until("it was told to wait", || shelf.row(1).attempts == 1).await;
    sender.stop().await;
    assert_eq!(shelf.row(1).due, clock.now().wall.plus(Duration::from_secs(3600)));
    let sender = start(&shelf, &clock, address);
    clock.advance(Duration::from_secs(3600));
    sender.waker()();
    until("it was sent then", || shelf.row(1).fate == Fate::Done).await;
    sender.stop().await;
    listening.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_delivered_but_could_not_be_noted_is_not_sent_again() {
    let shelf = Shelf::with(&[(1, 1, "a")]);
    shelf.broken.store(true, Ordering::SeqCst);
    let (clock, receiver, (socket, address)) = (Clock::default(), Receiver::default(), taken());
    let listening = receiver.open(socket, &[]);
    let sender = start(&shelf, &clock, address);
    until("it was delivered", || receiver.seen().len() == 1).await;
    for _ in 0..20 {
        clock.advance(Duration::from_secs(600));
        sender.waker()();
        tokio::task::yield_now().await;
    }
    shelf.broken.store(false, Ordering::SeqCst);
    until("it is noted", || {
        sender.waker()();
        shelf.row(1).fate == Fate::Done
    })
    .await;
    sender.stop().await;
    assert_eq!(receiver.seen().len(), 1);
    listening.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_end_is_cut_off() {
    let shelf = Shelf::with(&[(1, 1, "a")]);
    let (clock, receiver, (socket, address)) = (Clock::default(), Receiver::default(), taken());
    let listening = receiver.open(socket, &[Does::Floods]);
    let sender = start(&shelf, &clock, address);
    until("it was given up", || shelf.row(1).attempts == 1).await;
    assert_eq!(shelf.row(1).fate, Fate::Waiting);
    sender.stop().await;
    listening.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inner_addresses_are_refused_as_a_number_and_as_a_name() {
    let (socket, address) = taken();
    let receiver = Receiver::default();
    let listening = receiver.open(socket, &[]);
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let shelf = Shelf::with(&[(1, 1, "a")]);
        let url = format!("http://{host}:{}/hook", address.port());
        let webhook = Webhook { url, secret: Pii::new(SECRET.into()), allow_private: false };
        let now = Now { mono: Instant(0), wall: Wall(0) };
        let webhooks = vec![("desk".into(), webhook)];
        let options = Options { webhooks, rows: shelf.clone(), clock: Arc::new(move || now), seed: 1 };
        let sender = Sender::start(options).unwrap();
        until("it was refused", || shelf.row(1).attempts == 1).await;
        assert!(shelf.row(1).last.contains("inner address"), "{host}: {}", shelf.row(1).last);
        sender.stop().await;
    }
    assert_eq!(receiver.seen().len(), 0);
    listening.abort();
}

//! The table of all transactions: it feeds the machines and does what they say.

use super::key::{ClientKey, Merged, ServerKey};
use super::timer::{Alarm, Timer, Timers};
use super::{Act, Acts, Event, Owner, TxId, client, derived, invite_client, invite_server, reply_flow, server};
use crate::{Flow, Message, Method, Output, SessionId, Transport};
use base::Instant;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

#[derive(Debug)]
enum Machine {
    InviteClient(invite_client::InviteClient),
    Client(client::Client),
    InviteServer(invite_server::InviteServer),
    Server(server::Server),
}

#[derive(Debug)]
enum Key {
    Client(ClientKey),
    Server(ServerKey, Option<Merged>),
}

#[derive(Debug)]
struct Entry {
    machine: Machine,
    key: Key,
    /// Where `last` goes.
    flow: Flow,
    /// Where the request came from; of a client the same as `flow`.
    source: Flow,
    owner: Option<Owner>,
    /// What opened it. Of a request that came in: until its final response, after which only `last` is ever said again.
    request: Option<Box<Message>>,
    /// Our request, or our last response as long as it may be said again.
    last: Bytes,
    /// Of an INVITE client: the ACK to the final response.
    ack: Bytes,
}

impl Entry {
    /// Over UDP a transaction outlives its call by 32 s: of its final response no more is kept than that takes.
    fn keep_what_is_said_again(&mut self) {
        let silent = matches!(&self.machine, Machine::InviteServer(machine) if machine.state == invite_server::State::Accepted);
        // A message that was written has room behind it.
        self.last = if silent { Bytes::new() } else { Bytes::copy_from_slice(&self.last) };
    }
}

/// Where a transaction's messages go, as a failure of the transport is reported.
type Path = (Transport, SocketAddr, u64);

/// All transactions and all timers.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    pub timers: Timers,
    pub events: VecDeque<Event>,
    /// Boxed: a tree that grows at its end is half empty.
    entries: BTreeMap<TxId, Box<Entry>>,
    clients: BTreeMap<ClientKey, TxId>,
    servers: BTreeMap<ServerKey, TxId>,
    merged: BTreeMap<Merged, TxId>,
    paths: BTreeSet<(Path, TxId)>,
    /// Client transactions of each session.
    open: BTreeMap<SessionId, usize>,
    last_id: u64,
}

impl Transactions {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Sends a request of ours in a new transaction. `None` when what was built is no request: nothing was sent.
    pub fn request(&mut self, now: Instant, flow: Flow, bytes: Bytes, owner: Owner, out: &mut Vec<Output>) -> Option<TxId> {
        let request = Message::parse(bytes.clone()).ok()?;
        let key = ClientKey::of(&request)?;
        let reliable = flow.transport == Transport::Tcp;
        let (machine, acts) = match request.method()? {
            Method::Invite => {
                let (machine, acts) = invite_client::InviteClient::start(reliable);
                (Machine::InviteClient(machine), acts)
            }
            _ => {
                let (machine, acts) = client::Client::start(reliable);
                (Machine::Client(machine), acts)
            }
        };
        let entry = Entry {
            machine,
            key: Key::Client(key.clone()),
            flow,
            source: flow,
            owner: Some(owner),
            request: Some(Box::new(request)),
            last: bytes,
            ack: Bytes::new(),
        };
        out.push(Output::Transmit { flow, bytes: entry.last.clone() });
        let id = self.insert(entry);
        self.clients.insert(key, id);
        *self.open.entry(owner.session).or_default() += 1;
        self.apply(now, id, acts, None, out);
        Some(id)
    }

    /// Opens a server transaction for a request that [`Self::absorb`] did not know.
    pub fn accept(&mut self, request: &Message, flow: Flow, owner: Option<Owner>) -> Option<TxId> {
        let key = ServerKey::of(request)?;
        let reliable = flow.transport == Transport::Tcp;
        let machine = match request.method()? {
            Method::Invite => Machine::InviteServer(invite_server::InviteServer::start(reliable)),
            _ => Machine::Server(server::Server::start(reliable)),
        };
        let merged = Merged::of(request);
        let entry = Entry {
            machine,
            key: Key::Server(key.clone(), merged.clone()),
            flow: reply_flow(request, flow),
            source: flow,
            owner,
            request: Some(Box::new(request.clone())),
            last: Bytes::new(),
            ack: Bytes::new(),
        };
        let id = self.insert(entry);
        self.servers.insert(key, id);
        if let Some(merged) = merged {
            self.merged.insert(merged, id);
        }
        Some(id)
    }

    /// Sends a response in a server transaction; nothing if the transaction is over or had its final response.
    pub fn respond(&mut self, now: Instant, id: TxId, status: u16, bytes: Bytes, out: &mut Vec<Output>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let acts = match &mut entry.machine {
            Machine::InviteServer(machine) => machine.on_reply(status),
            Machine::Server(machine) => machine.on_reply(status),
            Machine::InviteClient(_) | Machine::Client(_) => return,
        };
        if acts.contains(&Act::Transmit) {
            entry.last = bytes;
        }
        if status >= 200 {
            entry.request = None;
        }
        self.apply(now, id, acts, None, out);
        if status >= 200 {
            self.entries.get_mut(&id).into_iter().for_each(|entry| entry.keep_what_is_said_again());
        }
    }

    /// Takes a request that belongs to a transaction: a repetition, or the ACK to a refusal. False: not one of those.
    pub fn absorb(&mut self, now: Instant, request: &Message, out: &mut Vec<Output>) -> bool {
        let Some(id) = ServerKey::of(request).and_then(|key| self.servers.get(&key).copied()) else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        let is_ack = request.method() == Some(Method::Ack);
        let acts = match &mut entry.machine {
            // RFC 6026 7.1: an ACK that meets an accepted INVITE is the session's, whatever its branch.
            Machine::InviteServer(machine) if is_ack && machine.state == invite_server::State::Accepted => return false,
            Machine::InviteServer(machine) if is_ack => machine.on_ack(),
            Machine::InviteServer(machine) => machine.on_repeated(),
            Machine::Server(machine) => machine.on_repeated(),
            Machine::InviteClient(_) | Machine::Client(_) => return false,
        };
        self.apply(now, id, acts, None, out);
        true
    }

    /// The INVITE that a CANCEL names by its branch (RFC 3261 9.2), with its owner.
    pub fn cancelled_by(&self, cancel: &Message) -> Option<Option<Owner>> {
        let id = self.servers.get(&ServerKey::of(cancel)?.for_method(Method::Invite))?;
        self.entries.get(id).map(|entry| entry.owner)
    }

    /// RFC 3261 8.2.2.2: the same request on another path, while the first is being handled.
    pub fn is_merged(&self, request: &Message) -> bool {
        Merged::of(request).is_some_and(|merged| self.merged.contains_key(&merged))
    }

    /// Whether something may still come back to a request of this session's.
    pub fn has_clients(&self, session: SessionId) -> bool {
        self.open.contains_key(&session)
    }

    /// The request that opened a transaction which is still there; one that came in only until it has its final response.
    pub fn request_of(&self, id: TxId) -> Option<&Message> {
        self.entries.get(&id)?.request.as_deref()
    }

    /// Where that request came from.
    pub fn source_of(&self, id: TxId) -> Option<Flow> {
        self.entries.get(&id).map(|entry| entry.source)
    }

    /// Forgets a client transaction that will never end by itself (RFC 3261 9.1). No event comes of it but `Gone`.
    pub fn abandon(&mut self, id: TxId) {
        for timer in [Timer::A, Timer::B] {
            self.timers.disarm(&Alarm::Transaction(id.0, timer));
        }
        self.forget(id);
    }

    /// A response; dropped if it answers nothing.
    pub fn on_response(&mut self, now: Instant, response: Message, out: &mut Vec<Output>) {
        let Some(id) = ClientKey::of(&response).and_then(|key| self.clients.get(&key).copied()) else {
            return;
        };
        let (Some(entry), Some(status)) = (self.entries.get_mut(&id), response.status()) else {
            return;
        };
        let acts = match &mut entry.machine {
            Machine::InviteClient(machine) => machine.on_response(status),
            Machine::Client(machine) => machine.on_response(status),
            Machine::InviteServer(_) | Machine::Server(_) => return,
        };
        if acts.contains(&Act::Acknowledge) {
            let request = entry.request.as_deref();
            entry.ack = request.map_or_else(Bytes::new, |request| derived::ack_of(request, &response));
        }
        self.apply(now, id, acts, Some(response), out);
    }

    pub fn on_timer(&mut self, now: Instant, id: u64, timer: Timer, out: &mut Vec<Output>) {
        let id = TxId(id);
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let acts = match &mut entry.machine {
            Machine::InviteClient(machine) => machine.on_timer(timer),
            Machine::Client(machine) => machine.on_timer(timer),
            Machine::InviteServer(machine) => machine.on_timer(timer),
            Machine::Server(machine) => machine.on_timer(timer),
        };
        self.apply(now, id, acts, None, out);
    }

    /// All transactions on a connection that ended, or towards an address that can't be reached. Those that asked
    /// for a connection to the same address fail with it: it was the one they got.
    pub fn on_transport_failed(&mut self, now: Instant, flow: Flow, out: &mut Vec<Output>) {
        for connection in [Some(flow.connection), (flow.connection != 0).then_some(0)].into_iter().flatten() {
            let path = (flow.transport, flow.remote, connection);
            let hit: Vec<TxId> = self.paths.range((path, TxId(0))..=(path, TxId(u64::MAX))).map(|(_, id)| *id).collect();
            for id in hit {
                let Some(entry) = self.entries.get_mut(&id) else {
                    continue;
                };
                let acts = match &mut entry.machine {
                    Machine::InviteClient(machine) => machine.on_transport_failed(),
                    Machine::Client(machine) => machine.on_transport_failed(),
                    Machine::InviteServer(machine) => machine.on_transport_failed(),
                    Machine::Server(machine) => machine.on_transport_failed(),
                };
                self.apply(now, id, acts, None, out);
            }
        }
    }

    fn insert(&mut self, entry: Entry) -> TxId {
        self.last_id += 1;
        let id = TxId(self.last_id);
        self.paths.insert((path_of(entry.flow), id));
        self.entries.insert(id, Box::new(entry));
        id
    }

    fn apply(&mut self, now: Instant, id: TxId, acts: Acts, mut response: Option<Message>, out: &mut Vec<Output>) {
        for act in acts {
            let Some(entry) = self.entries.get(&id) else {
                return;
            };
            match act {
                Act::Transmit if entry.last.is_empty() => {}
                Act::Transmit => out.push(Output::Transmit { flow: entry.flow, bytes: entry.last.clone() }),
                Act::Acknowledge => out.push(Output::Transmit { flow: entry.flow, bytes: entry.ack.clone() }),
                Act::Arm(timer, after) => self.timers.arm(Alarm::Transaction(id.0, timer), now + after),
                Act::Disarm(timer) => self.timers.disarm(&Alarm::Transaction(id.0, timer)),
                Act::Pass => {
                    if let (Some(owner), Some(response)) = (entry.owner, response.take()) {
                        self.events.push_back(Event::Response { owner, tx: id, response: Box::new(response) });
                    }
                }
                Act::TimedOut => self.events.extend(entry.owner.map(|owner| Event::TimedOut { owner })),
                Act::Broken => self.events.extend(entry.owner.map(|owner| Event::Broken { owner, flow: entry.flow })),
                Act::Gone => self.forget(id),
            }
        }
    }

    fn forget(&mut self, id: TxId) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        self.paths.remove(&(path_of(entry.flow), id));
        match entry.key {
            Key::Client(key) => {
                self.clients.remove(&key);
                if let Some(owner) = entry.owner {
                    self.close_one(owner.session);
                    self.events.push_back(Event::Gone { owner });
                }
            }
            Key::Server(key, merged) => {
                self.servers.remove(&key);
                if let Some(merged) = merged {
                    self.merged.remove(&merged);
                }
            }
        }
    }

    fn close_one(&mut self, session: SessionId) {
        if let Some(open) = self.open.get_mut(&session) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.open.remove(&session);
            }
        }
    }
}

fn path_of(flow: Flow) -> Path {
    (flow.transport, flow.remote, flow.connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test;

    fn accepted(method: &str, flow: Flow) -> (Message, Transactions, TxId) {
        let request = test::parse(&format!(
            "{method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: c@d\r\nCSeq: 1 {method}\r\n\r\n",
        ));
        let mut transactions = Transactions::default();
        let id = transactions.accept(&request, flow, None).unwrap();
        (request, transactions, id)
    }

    #[test]
    fn what_came_in_is_kept_until_its_final_response_which_is_said_again_without_it() {
        let flow = test::flow(9, 5060);
        let (request, mut transactions, id) = accepted("OPTIONS", flow);
        let mut out = vec![];
        transactions.respond(Instant(0), id, 180, Bytes::from_static(b"ringing"), &mut out);
        assert!(transactions.request_of(id).is_some());
        transactions.respond(Instant(0), id, 200, Bytes::from_static(b"ok"), &mut out);
        assert!(transactions.request_of(id).is_none());
        out.clear();
        assert!(transactions.absorb(Instant(0), &request, &mut out));
        assert_eq!(out, [Output::Transmit { flow, bytes: Bytes::from_static(b"ok") }]);
    }

    #[test]
    fn an_answer_that_the_session_repeats_is_not_kept_by_its_transaction_which_absorbs_the_invite_all_the_same() {
        let flow = test::flow(9, 5060);
        let (request, mut transactions, id) = accepted("INVITE", flow);
        let mut out = vec![];
        let answer = Bytes::from_static(b"answer");
        transactions.respond(Instant(0), id, 200, answer.clone(), &mut out);
        assert_eq!(std::mem::take(&mut out), [Output::Transmit { flow, bytes: answer.clone() }]);
        assert!(transactions.entries[&id].last.is_empty() && transactions.absorb(Instant(0), &request, &mut out));
        transactions.respond(Instant(0), id, 200, answer.clone(), &mut out);
        assert_eq!(out, [Output::Transmit { flow, bytes: answer }], "the session's repetition");
        assert!(transactions.entries[&id].last.is_empty());
    }
}

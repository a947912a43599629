//! The SIP core's face: one `handle`, one `deadline`.
//!
//! ```text
//!   Received ─▶ screen ─▶ transaction? ─▶ session? ─▶ registrar, OPTIONS, new session
//!   Due ──────▶ alarms: transactions, sessions, bindings
//!   a word ───▶ its session
//!   after each: events of transactions to their sessions; sessions that are over are put away
//! ```

use crate::config::Config;
use crate::desk::Desk;
use crate::identify::Gate;
use crate::registrar::Registrar;
use crate::screen;
use crate::seal::Seal;
use crate::session::Session;
use crate::transaction::timer::Alarm;
use crate::transaction::{Errand, Event, Owner, Transactions};
use crate::{Binding, Flow, Input, Message, Output, SessionId, Transport, Via};
use base::{Instant, Now, Random};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// All of SIP: transactions, sessions, registrations. Says what to send; sends nothing.
///
/// After construction [`Endpoint::stir`] must come before the first [`Endpoint::handle`]; the driver calls it
/// before each, with system entropy, so that tags, branches and nonces can't be predicted from the journal.
#[derive(Debug)]
pub struct Endpoint {
    pub(crate) core: Core,
    pub(crate) calls: Calls,
    pub(crate) gate: Gate,
    pub(crate) registrar: Registrar,
    pub(crate) draining: bool,
}

/// What a [`Desk`] lends out.
#[derive(Debug)]
pub(crate) struct Core {
    config: Config,
    transactions: Transactions,
    random: Random,
    cookie: String,
    seal: Seal,
    stirred: bool,
}

/// Sessions, and how they are found.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    live: BTreeMap<SessionId, Session>,
    /// Over, but a late 2xx may still need its ACK and BYE, or a transferor wants to hear how it went.
    lingering: BTreeMap<SessionId, Session>,
    /// Those of the lingering that still report: they count as sessions, so that they are bounded.
    reporting: BTreeSet<SessionId>,
    dialogs: BTreeMap<(String, String), SessionId>,
    last_id: u64,
}

impl Endpoint {
    pub fn new(config: Config) -> Endpoint {
        let mut random = Random::from_seed(0);
        let seal = Seal::new(&mut random);
        let core = Core { config, transactions: Transactions::default(), random, cookie: String::new(), seal, stirred: false };
        Endpoint { core, calls: Calls::default(), gate: Gate::default(), registrar: Registrar::default(), draining: false }
    }

    /// Mixes system randomness into what tags, branches and nonces are made of.
    pub fn stir(&mut self, entropy: [u8; 32]) {
        let mut seed = entropy;
        for chunk in seed.chunks_exact_mut(8) {
            let old = self.core.random.bits().to_be_bytes();
            chunk.iter_mut().zip(old).for_each(|(byte, old)| *byte ^= old);
        }
        self.core.random = Random::from_entropy(seed);
        if !self.core.stirred {
            self.core.stirred = true;
            self.core.seal = Seal::new(&mut self.core.random);
            self.core.cookie = format!("{}-{:08x}-", Via::COOKIE, self.core.random.bits() >> 32);
        }
    }

    /// A new configuration. Registrations of users that are gone end when they expire.
    pub fn reconfigure(&mut self, config: Config) {
        self.core.config = config;
    }

    /// The number of a session to dial with [`Input::Invite`].
    pub fn new_session(&mut self) -> SessionId {
        self.calls.new_session()
    }

    /// When to call with [`Input::Due`] at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.core.transactions.timers.deadline()
    }

    /// Bindings from before a restart, as [`Output::Registered`] gave them. Nothing comes out but keep-alives later.
    pub fn restore(&mut self, now: Now, bindings: Vec<(Arc<str>, Vec<Binding>)>) {
        let mut out = vec![];
        for (user, bindings) in bindings {
            self.registrar.restore(&mut self.core.desk(now, &mut out), user, bindings);
        }
    }

    /// Where a user is registered now.
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.registrar.bindings(user)
    }

    /// What [`Config::advertised_to`] says.
    pub fn advertised_to(&self, peer: IpAddr) -> Option<IpAddr> {
        self.core.config.advertised_to(peer)
    }

    /// Sessions that are not over, for the audit.
    pub fn sessions(&self) -> usize {
        self.calls.live.len()
    }

    /// Transactions of all kinds, for the audit.
    pub fn transactions(&self) -> usize {
        self.core.transactions.len()
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Received { flow, bytes } => self.on_received(now, flow, bytes, out),
            Input::TransportFailed { flow } => self.on_transport_failed(now, flow, out),
            Input::Due => self.on_due(now, out),
            Input::Drain => self.draining = true,
            Input::Invite { session, dial } => self.on_invite(now, session, dial, out),
            Input::Ring { session, status, sdp } => self.to(now, session, out, |s, desk| s.on_ring(desk, status, sdp)),
            Input::Answer { session, sdp } => self.to(now, session, out, |s, desk| s.on_answer(desk, sdp)),
            Input::Reject { session, refusal } => self.to(now, session, out, |s, desk| s.on_reject(desk, &refusal)),
            Input::HangUp { session, reason } => self.to(now, session, out, |s, desk| s.on_hang_up(desk, reason)),
            Input::Reoffer { session, sdp } => self.to(now, session, out, |s, desk| s.on_reoffer(desk, sdp)),
            Input::AnswerReoffer { session, sdp } => self.to(now, session, out, |s, desk| s.on_answer_reoffer(desk, sdp)),
            Input::RefuseReoffer { session, refusal } => {
                self.to(now, session, out, |s, desk| s.on_refuse_reoffer(desk, &refusal));
            }
            Input::AcceptRefer { session } => self.to(now, session, out, |s, desk| s.on_accept_refer(desk)),
            Input::RefuseRefer { session, refusal } => self.to(now, session, out, |s, desk| s.on_refuse_refer(desk, &refusal)),
            Input::ReferProgress { session, status } => self.to(now, session, out, |s, desk| s.on_refer_progress(desk, status)),
        }
        self.pass_events(now, out);
    }

    fn on_received(&mut self, now: Now, flow: Flow, bytes: Bytes, out: &mut Vec<Output>) {
        let mut desk = self.core.desk(now, out);
        if bytes.len() <= 4 {
            // RFC 5626 3.5.1; anything else that short is a NAT's keep-alive of the peer's.
            if &bytes[..] == crate::registrar::PING {
                desk.transmit(flow, Bytes::from_static(b"\r\n"));
            }
            return;
        }
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(_) => {
                self.gate.note(&mut desk, flow.remote, "not a SIP message");
                if flow.transport == Transport::Tcp {
                    desk.out.push(Output::CloseConnection { flow });
                }
                return;
            }
        };
        if message.is_request() {
            return screen::on_request(self, now, flow, &message, out);
        }
        // RFC 3261 8.1.3.3: exactly one Via; a response without a transaction is dropped.
        if message.check_response().is_ok() {
            desk.transactions.on_response(now.mono, message, desk.out);
        }
    }

    fn on_transport_failed(&mut self, now: Now, flow: Flow, out: &mut Vec<Output>) {
        self.core.transactions.on_transport_failed(now.mono, flow, out);
        self.pass_events(now, out);
        if flow.transport == Transport::Tcp {
            self.calls.live.values_mut().for_each(|session| session.on_stream_lost(flow));
            self.registrar.on_stream_lost(&mut self.core.desk(now, out), flow);
        }
    }

    fn on_due(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(alarm) = self.core.transactions.timers.pop(now.mono) {
            match alarm {
                Alarm::Transaction(id, timer) => self.core.transactions.on_timer(now.mono, id, timer, out),
                Alarm::Session(session, wait) => self.to(now, session, out, |s, desk| s.on_wait(desk, wait)),
                Alarm::Binding(user) => self.registrar.on_expiry(&mut self.core.desk(now, out), &user),
                Alarm::KeepAlive(user) => self.registrar.on_keep_alive(&mut self.core.desk(now, out), &user),
                Alarm::Forget => self.gate.on_forget(&mut self.core.desk(now, out)),
            }
            self.pass_events(now, out);
        }
    }

    fn on_invite(&mut self, now: Now, id: SessionId, dial: Box<crate::Dial>, out: &mut Vec<Output>) {
        if self.calls.knows(id) {
            return;
        }
        self.calls.last_id = self.calls.last_id.max(id.0);
        let registered = self.registrar.is_source(dial.flow);
        let session = Session::dial(&mut self.core.desk(now, out), id, dial, registered);
        self.calls.insert(id, session);
        self.calls.settle(id, &self.core.transactions);
    }

    /// One session at work. Unknown ones are over: nothing to do.
    pub(crate) fn to(&mut self, now: Now, id: SessionId, out: &mut Vec<Output>, work: impl FnOnce(&mut Session, &mut Desk<'_>)) {
        if let Some(session) = self.calls.find(id) {
            work(session, &mut self.core.desk(now, out));
            self.calls.settle(id, &self.core.transactions);
        }
    }

    fn pass_events(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(event) = self.core.transactions.events.pop_front() {
            match event {
                Event::Response { owner: Owner { session, errand }, tx, response } => {
                    self.to(now, session, out, |s, desk| s.on_response(desk, errand, tx, &response));
                }
                Event::TimedOut { owner: Owner { session, errand } } => {
                    self.to(now, session, out, |s, desk| s.on_timed_out(desk, errand));
                }
                Event::Broken { owner: Owner { session, errand }, flow } => {
                    self.to(now, session, out, |s, desk| s.on_broken(desk, errand, flow));
                }
                Event::Gone { owner: Owner { session, .. } } => self.calls.settle(session, &self.core.transactions),
            }
        }
    }
}

impl Core {
    pub fn desk<'a>(&'a mut self, now: Now, out: &'a mut Vec<Output>) -> Desk<'a> {
        Desk {
            now,
            config: &self.config,
            transactions: &mut self.transactions,
            random: &mut self.random,
            cookie: &self.cookie,
            seal: &self.seal,
            out,
        }
    }
}

impl Calls {
    pub fn new_session(&mut self) -> SessionId {
        self.last_id += 1;
        SessionId(self.last_id)
    }

    pub fn len(&self) -> usize {
        self.live.len() + self.reporting.len()
    }

    pub fn insert(&mut self, id: SessionId, session: Session) {
        self.dialogs.insert(session.dialog_key(), id);
        self.live.insert(id, session);
    }

    /// The session of a request with this Call-ID and To tag, if it is live.
    pub fn of_dialog(&self, call_id: &str, tag: &str) -> Option<(SessionId, &Session)> {
        let id = self.dialogs.get(&(call_id.to_owned(), tag.to_owned()))?;
        self.live.get(id).map(|session| (*id, session))
    }

    /// Our tag in a session that is live.
    pub fn tag_of(&self, id: SessionId) -> Option<String> {
        self.live.get(&id).map(|session| session.dialog_key().1)
    }

    fn knows(&self, id: SessionId) -> bool {
        self.live.contains_key(&id) || self.lingering.contains_key(&id)
    }

    fn find(&mut self, id: SessionId) -> Option<&mut Session> {
        self.live.get_mut(&id).or(self.lingering.get_mut(&id))
    }

    /// Puts away a session that is over.
    fn settle(&mut self, id: SessionId, transactions: &Transactions) {
        let over = self.live.get(&id).is_some_and(Session::is_over);
        if let Some(session) = over.then(|| self.live.remove(&id)).flatten() {
            self.dialogs.remove(&session.dialog_key());
            self.lingering.insert(id, session);
        }
        let Some(session) = self.lingering.get(&id) else {
            return;
        };
        if session.is_reporting() {
            self.reporting.insert(id);
            return;
        }
        self.reporting.remove(&id);
        if !transactions.has_clients(id) {
            self.lingering.remove(&id);
        }
    }
}

/// The owner of an INVITE that came in.
pub(crate) fn owner(session: SessionId, errand: Errand) -> Option<Owner> {
    Some(Owner { session, errand })
}

//! Who sent a request: the address of a trunk, or a digest. Never a header (security rows 29, 31 to 33, 35).
//!
//! ```text
//!   credentials of our realm? ──yes──▶ too many wrong tries from there? ──▶ 403
//!        │ no                                  │ no
//!   source in a trunk's networks,         right password? ──no──▶ counted, 401
//!   and no phone registered from it?           │ yes
//!        │ yes        │ no                nonce ours, fresh, not used before? ──no──▶ 401, stale=true
//!      trunk         401                       │ yes
//!                                         the credential's user or trunk
//! ```

use crate::config::May;
use crate::desk::Desk;
use crate::digest::{Algorithm, Challenge, Credentials, Secret};
use crate::seal::Nonce;
use crate::transaction::timer::Alarm;
use crate::{Flow, Message, Method, Output, Peer};
use base::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// RFC 7616 5.4 leaves it to the server.
const NONCE_LIFETIME: Duration = Duration::from_secs(300);
/// Wrong tries are counted over this span; so are lines for the log.
const WINDOW: Duration = Duration::from_secs(60);
/// Row 32: throttled within 10 tries.
const MOST_WRONG: u32 = 10;
/// Lines for the log of one address in one window.
const MOST_LINES: u32 = 20;
/// Addresses that are watched at once; the one seen first makes room.
const MOST_WATCHED: usize = 10_000;
/// Nonces in use; only authenticated requests add one.
const MOST_NONCES: usize = 50_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Known(Peer),
    Challenge {
        stale: bool,
    },
    /// Too many wrong tries: not looked at.
    Throttled,
}

/// What is remembered between requests; all of it bounded.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Nonces that were used, with their highest count and their end.
    used: BTreeMap<String, (u32, Instant)>,
    watched: BTreeMap<IpAddr, Watch>,
    /// The same addresses, the one watched longest first.
    order: BTreeSet<(Instant, IpAddr)>,
}

#[derive(Debug)]
struct Watch {
    since: Instant,
    wrong: u32,
    lines: u32,
}

impl Gate {
    /// `registered`: a phone of ours is registered from exactly this address and port, so that it is no trunk.
    pub fn identify(&mut self, desk: &mut Desk<'_>, request: &Message, flow: Flow, registered: impl Fn() -> bool) -> Verdict {
        let ours = |credentials: &Credentials| *credentials.realm == *desk.config.host;
        let credentials = request.authorization().unwrap_or_default().into_iter().find(ours);
        if let Some(credentials) = credentials {
            return self.check(desk, request, flow, &credentials);
        }
        let register = request.method() == Some(Method::Register);
        match desk.config.trunks.iter().find(|trunk| trunk.covers(flow.remote)) {
            Some(trunk) if !register && !registered() => Verdict::Known(Peer::Trunk(trunk.name.clone())),
            _ => Verdict::Challenge { stale: false },
        }
    }

    fn check(&mut self, desk: &mut Desk<'_>, request: &Message, flow: Flow, credentials: &Credentials) -> Verdict {
        if self.is_throttled(desk.now.mono, flow.remote) {
            return Verdict::Throttled;
        }
        let user = desk.config.users.get_key_value(&*credentials.username);
        let (algorithms, password) = match user {
            Some((_, user)) => (&user.algorithms, &**user.password.reveal()),
            // Row 31: an unknown name costs the same work and gets the same answer.
            None => (&desk.config.algorithms, "no password is this one"),
        };
        let method = request.method().unwrap_or(Method::Ack);
        let right = credentials.verify(Secret::Password(password), &method, &request.body());
        let allowed = algorithms.contains(&credentials.algorithm);
        let Some((name, user)) = user.filter(|_| right && allowed) else {
            self.count_wrong(desk, flow.remote);
            return Verdict::Challenge { stale: false };
        };
        let peer = match &user.may {
            May::Phone => Peer::Phone(name.clone()),
            May::Trunk(trunk) => Peer::Trunk(trunk.clone()),
        };
        match desk.seal.open(&credentials.nonce, desk.now.mono) {
            Nonce::Good(until) if self.use_nonce(desk, credentials, until) => Verdict::Known(peer),
            Nonce::Good(_) | Nonce::Stale => Verdict::Challenge { stale: true },
        }
    }

    /// Row 33: each count of a nonce once, in rising order; without `qop` the nonce once.
    fn use_nonce(&mut self, desk: &mut Desk<'_>, credentials: &Credentials, until: Instant) -> bool {
        let count = credentials.qop.and(credentials.nc).unwrap_or(u32::MAX);
        let last = self.used.get(&credentials.nonce).map_or(0, |(last, _)| *last);
        if count <= last {
            return false;
        }
        if self.used.len() >= MOST_NONCES && !self.used.contains_key(&credentials.nonce) {
            self.used.pop_first();
        }
        self.used.insert(credentials.nonce.clone(), (count, until));
        self.forget_later(desk);
        true
    }

    fn is_throttled(&self, now: Instant, remote: SocketAddr) -> bool {
        self.watched.get(&network(remote)).is_some_and(|watch| watch.wrong >= MOST_WRONG && now.since(watch.since) < WINDOW)
    }

    fn count_wrong(&mut self, desk: &mut Desk<'_>, remote: SocketAddr) {
        let watch = self.watch(desk, remote);
        watch.wrong = watch.wrong.saturating_add(1);
        let what = if watch.wrong == MOST_WRONG { "wrong credentials, address throttled" } else { "wrong credentials" };
        self.note(desk, remote, what);
    }

    /// One line for the log, unless that address filled its share of it.
    pub fn note(&mut self, desk: &mut Desk<'_>, remote: SocketAddr, what: &str) {
        let watch = self.watch(desk, remote);
        watch.lines = watch.lines.saturating_add(1);
        if watch.lines <= MOST_LINES {
            desk.out.push(Output::Suspicious { remote, what: what.into() });
        }
    }

    fn watch(&mut self, desk: &mut Desk<'_>, remote: SocketAddr) -> &mut Watch {
        let (key, now) = (network(remote), desk.now.mono);
        let old = self.watched.get(&key).map(|watch| watch.since);
        if let Some(since) = old.filter(|since| now.since(*since) >= WINDOW) {
            self.order.remove(&(since, key));
            self.watched.remove(&key);
        } else if old.is_none() && self.watched.len() >= MOST_WATCHED {
            self.order.pop_first().map(|(_, address)| self.watched.remove(&address));
        }
        self.forget_later(desk);
        let order = &mut self.order;
        self.watched.entry(key).or_insert_with(|| {
            order.insert((now, key));
            Watch { since: now, wrong: 0, lines: 0 }
        })
    }

    fn forget_later(&self, desk: &mut Desk<'_>) {
        if !desk.transactions.timers.is_armed(&Alarm::Forget) {
            desk.transactions.timers.arm(Alarm::Forget, desk.now.mono + WINDOW);
        }
    }

    pub fn on_forget(&mut self, desk: &mut Desk<'_>) {
        let now = desk.now.mono;
        self.used.retain(|_, (_, until)| *until > now);
        self.watched.retain(|_, watch| now.since(watch.since) < WINDOW);
        self.order.retain(|(since, _)| now.since(*since) < WINDOW);
        if !self.used.is_empty() || !self.watched.is_empty() {
            self.forget_later(desk);
        }
    }
}

/// Our challenges in a 401: one for each algorithm of the user's, the same nonce in all.
pub(crate) fn challenges(desk: &mut Desk<'_>, request: &Message, stale: bool) -> Vec<Challenge> {
    let nonce = desk.seal.nonce(desk.random, desk.now.mono, NONCE_LIFETIME);
    let make = |algorithm| Challenge::new(&desk.config.host, &nonce, algorithm, stale);
    offered(desk, request).into_iter().map(make).collect()
}

fn offered(desk: &Desk<'_>, request: &Message) -> Vec<Algorithm> {
    let claimed = claimed_user(request).unwrap_or_default();
    desk.config.users.get(&*claimed).map_or(&desk.config.algorithms, |user| &user.algorithms).clone()
}

/// Only to choose the challenge: proves nothing.
fn claimed_user(request: &Message) -> Option<Arc<str>> {
    let named = request.authorization().unwrap_or_default().into_iter().next().map(|credentials| credentials.username);
    let address = match request.method() {
        Some(Method::Register) => request.to(),
        _ => request.from(),
    };
    named.or_else(|| address.ok()?.uri.user()).map(Into::into)
}

/// An IPv6 host owns a /64: it counts as one address.
fn network(remote: SocketAddr) -> IpAddr {
    match remote.ip().to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64))),
        v4 => v4,
    }
}

//! Who can be reached where: bindings of phones (RFC 3261 10.3).
//!
//! ```text
//!   REGISTER ─▶ identified ─▶ To is that user ─▶ each Contact ─┬─ Expires 0: removed
//!                  (401)          (403)        (423 too brief) ├─ known: refreshed, if newer in its Call-ID
//!                                                              └─ new: added
//!   200 with all bindings; `Output::Registered` on each change and when one expires
//! ```
//! All or nothing: one Contact that can't be taken leaves every binding as it was.

use crate::desk::Desk;
use crate::header::NameAddr;
use crate::message::Contacts;
use crate::message::text::decode;
use crate::transaction::TxId;
use crate::transaction::timer::Alarm;
use crate::{Binding, Builder, Flow, HeaderId, Message, Output, Transport, Uri};
use base::Now;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Between the keep-alives to a phone behind NAT; UDP mappings are kept 30 s and more (RFC 5626 4.4.2).
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// RFC 5626 3.5.1; phones take it on UDP too.
pub(crate) const PING: &[u8] = b"\r\n\r\n";
/// Longest User-Agent kept.
const MOST_AGENT: usize = 128;

#[derive(Debug, Default)]
pub(crate) struct Registrar {
    users: BTreeMap<Arc<str>, Vec<Binding>>,
}

/// Why a REGISTER changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    TooBrief,
    /// An older or repeated request of the same Call-ID.
    OutOfOrder,
    TooMany,
}

impl Registrar {
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.users.get(user).map_or(&[], Vec::as_slice)
    }

    /// Whether a phone registered from exactly here.
    pub fn is_source(&self, flow: Flow) -> bool {
        let here = |binding: &Binding| binding.flow.remote == flow.remote && binding.flow.transport == flow.transport;
        self.users.values().flatten().any(here)
    }

    /// Bindings kept over a restart. Streams are gone by then.
    pub fn restore(&mut self, desk: &mut Desk<'_>, user: Arc<str>, mut bindings: Vec<Binding>) {
        bindings.retain_mut(|binding| binding.expires > desk.now.wall && survives_its_stream(binding));
        bindings.truncate(desk.config.max_bindings);
        self.users.insert(user.clone(), bindings);
        self.schedule(desk, &user);
    }

    /// A REGISTER whose sender proved to be `user`.
    pub fn on_register(&mut self, desk: &mut Desk<'_>, tx: TxId, request: &Message, user: &Arc<str>, flow: Flow) {
        let own = request.to().ok().and_then(|to| to.uri.user()).is_some_and(|named| *named == **user);
        if !own {
            return desk.reply(tx, 403, None, |builder| builder);
        }
        match self.plan(desk, request, user, flow) {
            Ok(None) => self.confirm(desk, tx, user),
            Ok(Some(bindings)) => {
                self.users.insert(user.clone(), bindings);
                self.changed(desk, user);
                self.confirm(desk, tx, user);
            }
            Err(Refused::TooBrief) => {
                let min = desk.config.min_expires;
                desk.reply(tx, 423, None, |builder| builder.write(HeaderId::MinExpires, min));
            }
            Err(Refused::OutOfOrder) => desk.reply(tx, 500, None, |builder| builder),
            Err(Refused::TooMany) => desk.reply(tx, 403, None, |builder| builder),
        }
    }

    /// The bindings as they will be; `None` if the request only asks for them.
    fn plan(&self, desk: &Desk<'_>, request: &Message, user: &str, flow: Flow) -> Result<Option<Vec<Binding>>, Refused> {
        let mut bindings = self.bindings(user).to_vec();
        let call_id = request.call_id().unwrap_or_default();
        let sequence = request.cseq().map_or(0, |(sequence, _)| sequence);
        let in_order = |binding: &Binding| *binding.call_id != *call_id || sequence > binding.cseq;
        let contacts = match request.contacts() {
            Ok(Contacts::All) => {
                let all = bindings.iter().all(in_order);
                return if all { Ok(Some(vec![])) } else { Err(Refused::OutOfOrder) };
            }
            Ok(Contacts::List(list)) => list,
            Err(_) => vec![],
        };
        if contacts.len() > desk.config.max_bindings {
            return Err(Refused::TooMany);
        }
        let fetch = contacts.is_empty();
        for contact in contacts.into_iter().filter(|contact| contact.uri.is_sip()) {
            let lifetime = lifetime(desk, request, &contact)?;
            let known = bindings.iter().position(|binding| same_contact(binding, &contact.uri));
            if let Some(at) = known {
                let old = bindings.remove(at);
                if !in_order(&old) {
                    return Err(Refused::OutOfOrder);
                }
            }
            if let Some(lifetime) = lifetime {
                bindings.push(Binding {
                    contact: contact.uri.to_string().into(),
                    flow,
                    call_id: call_id.into(),
                    cseq: sequence,
                    user_agent: user_agent(request).into(),
                    expires: desk.now.wall.plus(lifetime),
                });
            }
        }
        make_room(&mut bindings, desk.config.max_bindings);
        Ok((!fetch).then_some(bindings))
    }

    /// RFC 3261 10.3 step 8: all bindings, each with the seconds it has left.
    fn confirm(&self, desk: &mut Desk<'_>, tx: TxId, user: &str) {
        let now = desk.now.wall;
        desk.reply(tx, 200, None, |mut builder: Builder| {
            for binding in self.bindings(user) {
                let left = binding.expires.since(now).as_millis().div_ceil(1000);
                builder = builder.write(HeaderId::Contact, format_args!("<{}>;expires={left}", binding.contact));
            }
            builder
        });
    }

    /// Removes what has expired.
    pub fn on_expiry(&mut self, desk: &mut Desk<'_>, user: &Arc<str>) {
        let Some(bindings) = self.users.get_mut(user) else {
            return;
        };
        let before = bindings.len();
        bindings.retain(|binding| binding.expires > desk.now.wall);
        if bindings.len() < before {
            self.changed(desk, user);
        } else {
            self.schedule(desk, user);
        }
    }

    /// Keeps the mappings open of phones behind NAT.
    pub fn on_keep_alive(&mut self, desk: &mut Desk<'_>, user: &Arc<str>) {
        let flows: Vec<Flow> = self.bindings(user).iter().filter(|binding| wants_pings(binding)).map(|b| b.flow).collect();
        for flow in &flows {
            desk.transmit(*flow, Bytes::from_static(PING));
        }
        if !flows.is_empty() {
            desk.transactions.timers.arm(Alarm::KeepAlive(user.clone()), desk.now.mono + KEEP_ALIVE);
        }
    }

    /// A phone that can't be called back after its stream ended is not registered any more.
    pub fn on_stream_lost(&mut self, desk: &mut Desk<'_>, flow: Flow) {
        let lost = |binding: &Binding| {
            binding.flow.transport == Transport::Tcp
                && binding.flow.connection == flow.connection
                && binding.flow.remote == flow.remote
        };
        let hit: Vec<Arc<str>> =
            self.users.iter().filter(|(_, bindings)| bindings.iter().any(lost)).map(|(user, _)| user.clone()).collect();
        for user in hit {
            if let Some(bindings) = self.users.get_mut(&user) {
                bindings.retain_mut(|binding| !lost(binding) || survives_its_stream(binding));
            }
            self.changed(desk, &user);
        }
    }

    fn changed(&mut self, desk: &mut Desk<'_>, user: &Arc<str>) {
        let bindings = self.bindings(user).to_vec();
        desk.out.push(Output::Registered { user: user.clone(), bindings });
        self.schedule(desk, user);
    }

    fn schedule(&mut self, desk: &mut Desk<'_>, user: &Arc<str>) {
        let timers = &mut desk.transactions.timers;
        match self.bindings(user).iter().map(|binding| binding.expires).min() {
            Some(first) => {
                let Now { mono, wall } = desk.now;
                timers.arm(Alarm::Binding(user.clone()), mono + first.since(wall));
            }
            None => {
                timers.disarm(&Alarm::Binding(user.clone()));
                self.users.remove(user);
            }
        }
        let keep_alive = Alarm::KeepAlive(user.clone());
        match self.bindings(user).iter().any(wants_pings) {
            true if timers.is_armed(&keep_alive) => {}
            true => timers.arm(keep_alive, desk.now.mono + KEEP_ALIVE),
            false => timers.disarm(&keep_alive),
        }
    }
}

/// RFC 3261 10.3 step 6 and 10.2.1.1: the Contact's own `expires`, else the Expires field, else our default.
/// `None`: to be removed. A value that is no number counts as missing.
fn lifetime(desk: &Desk<'_>, request: &Message, contact: &NameAddr) -> Result<Option<Duration>, Refused> {
    let own = contact.params.get("expires").and_then(|seconds| seconds.parse::<u32>().ok());
    let asked = own.or(request.expires().ok().flatten()).unwrap_or(desk.config.default_expires);
    match asked {
        0 => Ok(None),
        brief if brief < desk.config.min_expires => Err(Refused::TooBrief),
        asked => Ok(Some(Duration::from_secs(u64::from(asked.min(desk.config.max_expires))))),
    }
}

fn same_contact(binding: &Binding, uri: &Uri) -> bool {
    Uri::parse(binding.contact.as_bytes()).is_ok_and(|known| known.matches(uri))
}

/// A phone that takes a new Contact at each start would be locked out by its own past: the oldest goes.
fn make_room(bindings: &mut Vec<Binding>, most: usize) {
    while bindings.len() > most {
        let Some((oldest, _)) = bindings.iter().enumerate().min_by_key(|(_, binding)| binding.expires) else {
            return;
        };
        bindings.remove(oldest);
    }
}

fn contact_address(binding: &Binding) -> Option<SocketAddr> {
    Uri::parse(binding.contact.as_bytes()).ok()?.is_ip()
}

/// Behind NAT on UDP: its Contact is not where it sends from.
fn wants_pings(binding: &Binding) -> bool {
    binding.flow.transport == Transport::Udp && contact_address(binding) != Some(binding.flow.remote)
}

/// On a new stream, if the phone listens at an address that is its own; else not.
fn survives_its_stream(binding: &mut Binding) -> bool {
    if binding.flow.transport == Transport::Udp {
        return true;
    }
    let address = contact_address(binding).filter(|address| address.ip() == binding.flow.remote.ip().to_canonical());
    address.is_some_and(|address| {
        binding.flow.connection = 0;
        binding.flow.remote = address;
        true
    })
}

fn user_agent(request: &Message) -> String {
    let text = request.header(HeaderId::UserAgent).unwrap_or_default();
    decode(&text).chars().filter(|character| !character.is_control()).take(MOST_AGENT).collect()
}

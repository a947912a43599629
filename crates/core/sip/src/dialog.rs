//! A dialog: who talks to whom, in which order, and along which way (RFC 3261 12).

use crate::desk::Desk;
use crate::{Builder, Flow, HeaderId, Message, Method, NameAddr, Scheme, Transport, Uri, Via};
use std::net::{IpAddr, SocketAddr};

/// One side of a dialog, early or confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    pub call_id: String,
    pub remote_tag: String,
    /// From and To of our requests, tags included.
    local: Vec<u8>,
    remote: Vec<u8>,
    pub local_sequence: u32,
    remote_sequence: Option<u32>,
    /// The peer's Contact.
    target: Uri,
    routes: Vec<NameAddr>,
    /// Where the dialog's last message came from.
    pub flow: Flow,
    /// Requests go to `flow`, whatever target and routes say: phones, and peers behind NAT.
    pinned: bool,
    /// 14.1: the owner of the Call-ID waits longer after glare.
    pub owns_call_id: bool,
    /// The peer takes UPDATE (RFC 3311 4), as its last Allow says.
    pub allows_update: bool,
}

impl Dialog {
    /// RFC 3261 12.1.1: from an INVITE that came in. `None` without a SIP address in Contact. A caller of RFC 2543
    /// need not send one: its From and its flow serve instead.
    pub fn of_request(invite: &Message, flow: Flow, local_tag: &str, pinned: bool) -> Option<Dialog> {
        let to = invite.header(HeaderId::To)?;
        let via = invite.via().ok()?;
        let old = !via.branch.as_deref().is_some_and(|branch| branch.starts_with(Via::COOKIE)) && !invite.has(HeaderId::Contact);
        let behind_nat = via.host.ip() != Some(flow.remote.ip().to_canonical());
        Some(Dialog {
            call_id: invite.call_id().ok()?.to_owned(),
            remote_tag: invite.from().ok()?.tag.unwrap_or_default(),
            local: [&to, &b";tag="[..], local_tag.as_bytes()].concat(),
            remote: invite.header(HeaderId::From)?.into_owned(),
            local_sequence: 0,
            remote_sequence: Some(invite.cseq().ok()?.0),
            target: match contact_of(invite) {
                Some(contact) => contact,
                None if old => invite.from().ok().map(|from| from.uri).filter(Uri::is_sip)?,
                None => return None,
            },
            routes: routes_of(invite)?,
            flow,
            pinned: pinned || behind_nat || old,
            owns_call_id: false,
            allows_update: allows_update(invite).unwrap_or(false),
        })
    }

    /// RFC 3261 12.1.2: from a response to our INVITE. A response without Contact leaves the target as it was.
    pub fn of_response(invite: &Message, response: &Message, flow: Flow, pinned: bool) -> Option<Dialog> {
        let uri = invite.uri().ok()?;
        let (sequence, _) = invite.cseq().ok()?;
        let mut routes = routes_of(response)?;
        routes.reverse();
        let dialled_there = uri.host.ip() == Some(flow.remote.ip().to_canonical());
        Some(Dialog {
            call_id: invite.call_id().ok()?.to_owned(),
            remote_tag: response.to().ok()?.tag.unwrap_or_default(),
            local: invite.header(HeaderId::From)?.into_owned(),
            remote: response.header(HeaderId::To)?.into_owned(),
            local_sequence: sequence,
            remote_sequence: None,
            target: contact_of(response).unwrap_or(uri),
            routes,
            flow,
            pinned: pinned || !dialled_there,
            owns_call_id: true,
            allows_update: allows_update(response).unwrap_or(false),
        })
    }

    /// Whether a response is of this dialog, and not of another fork.
    pub fn is_with(&self, response: &Message) -> bool {
        response.to().is_ok_and(|to| to.tag.unwrap_or_default() == self.remote_tag)
    }

    /// RFC 3261 12.2.2: whether a request in the dialog is newer than the last one; then it is the last one.
    pub fn advance(&mut self, sequence: u32) -> bool {
        if self.remote_sequence.is_some_and(|last| sequence <= last) {
            return false;
        }
        self.remote_sequence = Some(sequence);
        true
    }

    /// RFC 3261 12.2.1.2 and 12.2.2: a re-INVITE, an UPDATE or its 2xx moves the target.
    pub fn refresh(&mut self, message: &Message) {
        if let Some(contact) = contact_of(message) {
            self.target = contact;
        }
        self.allows_update = allows_update(message).unwrap_or(self.allows_update);
    }

    /// What the same dialog was while it was early: its numbers go on.
    pub fn succeed(&mut self, early: &Dialog) {
        self.local_sequence = self.local_sequence.max(early.local_sequence);
        self.remote_sequence = self.remote_sequence.max(early.remote_sequence);
        self.allows_update |= early.allows_update;
    }

    /// A request of ours, up to Max-Forwards, with the next sequence number, and where it goes.
    pub fn request(&mut self, desk: &mut Desk<'_>, method: Method) -> (Builder, Flow) {
        self.local_sequence = self.local_sequence.saturating_add(1);
        self.request_numbered(desk, method, self.local_sequence)
    }

    /// The same with a given number: for the ACK to a 2xx (RFC 3261 13.2.2.4).
    pub fn request_numbered(&self, desk: &mut Desk<'_>, method: Method, sequence: u32) -> (Builder, Flow) {
        let flow = self.next_hop();
        let (uri, routes) = self.way();
        let via = desk.via(flow);
        let mut builder = Builder::request(method.clone(), uri).write(HeaderId::Via, via);
        for route in routes {
            builder = builder.write(HeaderId::Route, route);
        }
        let builder = builder
            .header(HeaderId::From, &self.local)
            .header(HeaderId::To, &self.remote)
            .header(HeaderId::CallId, &self.call_id)
            .write(HeaderId::CSeq, format_args!("{sequence} {method}"))
            .header(HeaderId::MaxForwards, "70")
            .header(HeaderId::UserAgent, &*desk.config.user_agent);
        (builder, flow)
    }

    /// As the next request will have it: what a digest signs.
    pub fn request_uri(&self) -> String {
        self.way().0.to_string()
    }

    /// The stream that the peer was on has ended: the next request asks for a new one, to where the peer listens if
    /// that can be known.
    pub fn on_stream_lost(&mut self, flow: Flow) {
        let same = self.flow.transport == flow.transport && self.flow.remote == flow.remote;
        if flow.transport != Transport::Tcp || !same || self.flow.connection != flow.connection {
            return;
        }
        self.flow.connection = 0;
        let hop = self.routes.first().map_or(&self.target, |route| &route.uri);
        if let Some(address) = hop.is_ip().filter(|address| address.ip() == self.flow.remote.ip().to_canonical()) {
            self.flow.remote = address;
        }
    }

    /// Request URI and Route (RFC 3261 12.2.1.1): loose routing, or the old strict one if the first proxy asks for it.
    fn way(&self) -> (Uri, Vec<NameAddr>) {
        match self.routes.split_first() {
            Some((first, rest)) if !first.uri.params.has("lr") => {
                let mut uri = first.uri.clone();
                // 19.1.1 table 1: not allowed in a request URI.
                uri.headers = None;
                uri.params.remove("method");
                let last = NameAddr::new(self.target.clone());
                (uri, rest.iter().cloned().chain([last]).collect())
            }
            _ => (Uri { headers: None, ..self.target.clone() }, self.routes.clone()),
        }
    }

    /// The peer's own address where it can be trusted to be reachable, else where its last message came from: a
    /// name would need a look-up, and a private address seen from a public one is behind NAT.
    fn next_hop(&self) -> Flow {
        let hop = self.routes.first().map_or(&self.target, |route| &route.uri);
        let Some(address) = hop.is_ip().filter(|_| !self.pinned && hop.scheme == Scheme::Sip) else {
            return self.flow;
        };
        let transport = match hop.transport().as_deref() {
            Some("tcp") => Transport::Tcp,
            _ => Transport::Udp,
        };
        let here = self.flow.remote.ip().to_canonical();
        let live_stream = self.flow.transport == Transport::Tcp && address.ip() == here;
        if live_stream || (is_private(address.ip()) && !is_private(here)) {
            return self.flow;
        }
        if transport == self.flow.transport && address == SocketAddr::new(here, self.flow.remote.port()) {
            return self.flow;
        }
        Flow { transport, local: self.flow.local, remote: address, connection: 0 }
    }
}

/// RFC 3261 8.1.1.8: a SIP or SIPS URI.
fn contact_of(message: &Message) -> Option<Uri> {
    message.contact().ok().map(|contact| contact.uri).filter(Uri::is_sip)
}

fn allows_update(message: &Message) -> Option<bool> {
    message.has(HeaderId::Allow).then(|| message.values(HeaderId::Allow).any(|method| *method == *b"UPDATE"))
}

fn routes_of(message: &Message) -> Option<Vec<NameAddr>> {
    message.record_routes().ok().filter(|routes| routes.iter().all(|route| route.uri.is_sip()))
}

/// Addresses that mean something only inside a network (RFC 1918, RFC 4193, loopback, link-local).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{Bench, flow, parse};

    fn invite(contact: &str, record_route: &str) -> Message {
        parse(&format!(
            "INVITE sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa\r\n\
             From: <sip:a@x>;tag=ft\r\nTo: <sip:100@10.0.0.1>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\
             Contact: {contact}\r\n{record_route}Content-Length: 0\r\n\r\n"
        ))
    }

    fn request(dialog: &mut Dialog) -> (Message, Flow) {
        let mut bench = Bench::default();
        let (builder, to) = dialog.request(&mut bench.desk(), Method::Bye);
        (Message::parse(builder.finish()).unwrap(), to)
    }

    fn uri_and_routes(message: &Message) -> (String, Vec<String>) {
        (message.uri().unwrap().to_string(), message.routes().unwrap().iter().map(|r| r.uri.to_string()).collect())
    }

    #[test]
    fn a_loose_router_leaves_the_target_in_the_request_uri() {
        let record = "Record-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>\r\n";
        let mut dialog = Dialog::of_request(&invite("<sip:a@10.0.0.2:5066>", record), flow(2, 5060), "lt", false).unwrap();
        let (bye, to) = request(&mut dialog);
        assert_eq!(
            uri_and_routes(&bye),
            ("sip:a@10.0.0.2:5066".into(), vec!["sip:10.0.0.9;lr".into(), "sip:10.0.0.8;lr".into()])
        );
        assert_eq!(to.remote, "10.0.0.9:5060".parse().unwrap());
        assert_eq!((bye.to().unwrap().tag.as_deref(), bye.from().unwrap().tag.as_deref()), (Some("ft"), Some("lt")));
    }

    #[test]
    fn a_strict_router_gets_the_request_uri_and_the_target_comes_last() {
        let record = "Record-Route: <sip:10.0.0.9;method=X>, <sip:10.0.0.8;lr>\r\n";
        let mut dialog = Dialog::of_request(&invite("<sip:a@10.0.0.2>", record), flow(2, 5060), "lt", false).unwrap();
        let (bye, _) = request(&mut dialog);
        assert_eq!(uri_and_routes(&bye), ("sip:10.0.0.9".into(), vec!["sip:10.0.0.8;lr".into(), "sip:a@10.0.0.2".into()]));
    }

    #[test]
    fn names_nat_and_phones_keep_requests_on_the_flow_they_came_by() {
        for (contact, from, pinned, expected) in [
            ("<sip:a@10.0.0.2:5066>", flow(2, 5060), false, "10.0.0.2:5066"),
            ("<sip:a@pbx.example>", flow(2, 5060), false, "10.0.0.2:5060"),
            ("<sip:a@10.0.0.2:5066>", flow(2, 5060), true, "10.0.0.2:5060"),
            // The Via's sent-by is not where it came from.
            ("<sip:a@10.0.0.3:5066>", flow(7, 40_000), false, "10.0.0.7:40000"),
        ] {
            let mut dialog = Dialog::of_request(&invite(contact, ""), from, "lt", pinned).unwrap();
            assert_eq!(request(&mut dialog).1.remote, expected.parse().unwrap(), "{contact}");
        }
    }

    #[test]
    fn an_older_or_equal_sequence_number_is_no_progress() {
        let mut dialog = Dialog::of_request(&invite("<sip:a@10.0.0.2>", ""), flow(2, 5060), "lt", false).unwrap();
        assert_eq!([6, 7, 8, 8, 20, 19].map(|n| dialog.advance(n)), [false, false, true, false, true, false]);
    }

    #[test]
    fn a_lost_stream_is_asked_for_again_at_the_listening_port() {
        let tcp = Flow { transport: Transport::Tcp, connection: 4, ..flow(2, 40_123) };
        let contact = "<sip:a@10.0.0.2:5066;transport=tcp>";
        let mut dialog = Dialog::of_request(&invite(contact, ""), tcp, "lt", true).unwrap();
        dialog.on_stream_lost(Flow { connection: 5, ..tcp });
        assert_eq!(request(&mut dialog).1, tcp);
        dialog.on_stream_lost(tcp);
        let to = request(&mut dialog).1;
        assert_eq!((to.connection, to.remote), (0, "10.0.0.2:5066".parse().unwrap()));
    }
}

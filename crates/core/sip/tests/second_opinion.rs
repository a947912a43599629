//! Properties: rsip reads our messages as we do, what is written is read again, and no bytes at all panic.
//!
//! rsip can't read the wire (see the architecture page), but of plain messages it is an independent reader.

use bytes::Bytes;
use proptest::prelude::*;
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::{HeadersExt, SipMessage};
use sip::{Builder, HeaderId, Host, Message, Method, NameAddr, Transport, Uri, Via};

/// A well-formed message, by its parts.
#[derive(Clone, Debug)]
struct Plain {
    method: &'static str,
    /// A response if there is one.
    status: Option<u16>,
    uri: String,
    call_id: String,
    cseq: u32,
    from: String,
    from_tag: String,
    to: String,
    to_tag: Option<String>,
    branch: String,
    body: String,
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9][a-zA-Z0-9._~+-]{0,20}"
}

fn uri() -> impl Strategy<Value = String> {
    // rsip takes neither IPv6 hosts nor escapes.
    let host = prop_oneof!["[a-z][a-z0-9]{0,8}(\\.[a-z]{2,6}){1,2}", "[1-9]{1,2}\\.[0-9]\\.[0-9]\\.[1-9]"];
    (prop_oneof!["sip", "sips"], "[a-z+][a-z0-9.]{0,12}", host, prop::option::of(1024u16..)).prop_map(
        |(scheme, user, host, port)| {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{scheme}:{user}@{host}{port}")
        },
    )
}

fn plain() -> impl Strategy<Value = Plain> {
    let methods =
        prop::sample::select(vec!["INVITE", "BYE", "OPTIONS", "REGISTER", "CANCEL", "INFO", "NOTIFY", "UPDATE", "PUBLISH"]);
    let head = (methods, prop::option::of(100u16..700), uri(), token(), 0u32..1 << 31);
    let tail = (uri(), token(), uri(), prop::option::of(token()), token(), "[ -~]{0,200}");
    (head, tail).prop_map(|((method, status, uri, call_id, cseq), (from, from_tag, to, to_tag, branch, body))| Plain {
        method,
        status,
        uri,
        call_id,
        cseq,
        from,
        from_tag,
        to,
        to_tag,
        branch: format!("z9hG4bK{branch}"),
        body,
    })
}

impl Plain {
    fn written(&self) -> Bytes {
        let method = Method::parse(self.method.as_bytes()).unwrap();
        let start = match self.status {
            Some(status) => Builder::response(status, "Some Phrase"),
            None => Builder::request(method.clone(), &self.uri),
        };
        let via = Via { rport: None, ..Via::new(Transport::Udp, Host::new("pbx.test"), Some(5080), &self.branch) };
        let address = |uri: &str| NameAddr::new(Uri::parse(uri.as_bytes()).unwrap());
        let to = NameAddr { tag: self.to_tag.clone(), ..address(&self.to) };
        start
            .write(HeaderId::Via, via)
            .write(HeaderId::MaxForwards, 70)
            .write(HeaderId::From, address(&self.from).with_tag(&self.from_tag))
            .write(HeaderId::To, to)
            .header(HeaderId::CallId, &self.call_id)
            .write(HeaderId::CSeq, format_args!("{} {method}", self.cseq))
            .body("text/plain", self.body.as_bytes())
    }
}

proptest! {
    // A failure prints its minimal input: no file of old seeds in the tree.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(plain in plain()) {
        let message = Message::parse(plain.written()).unwrap();
        let checked = if plain.status.is_some() { message.check_response() } else { message.check_request() };
        prop_assert_eq!(checked, Ok(()));
        prop_assert_eq!(message.status(), plain.status);
        prop_assert_eq!(message.method().map(|method| method.to_string()), plain.status.is_none().then(|| plain.method.to_string()));
        prop_assert_eq!(message.uri().ok().map(|uri| uri.to_string()), plain.status.is_none().then_some(plain.uri));
        prop_assert_eq!(message.call_id().unwrap(), plain.call_id);
        prop_assert_eq!(message.cseq().unwrap(), (plain.cseq, Method::parse(plain.method.as_bytes()).unwrap()));
        prop_assert_eq!(message.from().unwrap().uri.to_string(), plain.from);
        prop_assert_eq!(message.from().unwrap().tag, Some(plain.from_tag));
        prop_assert_eq!(message.to().unwrap().uri.to_string(), plain.to);
        prop_assert_eq!(message.to().unwrap().tag, plain.to_tag);
        prop_assert_eq!(message.via().unwrap().branch, Some(plain.branch));
        prop_assert_eq!(message.body(), Bytes::from(plain.body));
    }

    #[test]
    fn rsip_reads_a_plain_message_as_we_do(plain in plain()) {
        let bytes = plain.written();
        let ours = Message::parse(bytes.clone()).unwrap();
        let theirs = SipMessage::try_from(bytes.clone()).unwrap();
        match &theirs {
            SipMessage::Request(request) => {
                prop_assert_eq!(ours.method().unwrap().to_string(), request.method.to_string());
                prop_assert_eq!(ours.uri().unwrap().to_string(), request.uri.to_string());
            }
            SipMessage::Response(response) => prop_assert_eq!(ours.status(), Some(response.status_code.code())),
        }
        prop_assert_eq!(ours.call_id().unwrap(), theirs.call_id_header().unwrap().value());
        let cseq = theirs.cseq_header().unwrap().typed().unwrap();
        prop_assert_eq!(ours.cseq().map(|(seq, method)| (seq, method.to_string())), Ok((cseq.seq, cseq.method.to_string())));
        let from = theirs.from_header().unwrap().typed().unwrap();
        prop_assert_eq!(ours.from().unwrap().tag, from.tag().map(|tag| tag.value().to_owned()));
        prop_assert_eq!(ours.from().unwrap().uri.to_string(), from.uri.to_string());
        let to = theirs.to_header().unwrap().typed().unwrap();
        prop_assert_eq!(ours.to().unwrap().tag, to.tag().map(|tag| tag.value().to_owned()));
        let via = theirs.via_header().unwrap().typed().unwrap();
        prop_assert_eq!(ours.via().unwrap().branch, via.branch().map(|branch| branch.value().to_owned()));
        prop_assert_eq!(ours.body(), Bytes::copy_from_slice(theirs.body()));
    }

    #[test]
    fn any_value_stays_in_its_line(name in "\\PC{0,12}", value in prop::collection::vec(any::<u8>(), 0..80), display in any::<String>()) {
        let mut caller = NameAddr::new(Uri::sip(Some(&display), Host::new("h"), None));
        caller.display = Some(display.clone());
        let bytes = Builder::request(Method::Info, "sip:a@b").write(HeaderId::From, &caller).header(&name[..], &value).finish();
        let message = Message::parse(bytes).unwrap();
        prop_assert!(message.fields().count() <= 3);
        prop_assert_eq!(message.headers(HeaderId::ContentLength).count(), 1);
        let read = message.from().unwrap();
        let shown: String = display.chars().filter(|character| !character.is_control()).collect();
        prop_assert_eq!(read.display.unwrap_or_default(), shown);
        prop_assert_eq!(read.uri.user().filter(|user| !user.is_empty()), Some(display).filter(|user| !user.is_empty()));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
    }

    /// Bytes that look like SIP get further in than those that don't.
    #[test]
    fn a_message_with_bytes_changed_never_panics(
        plain in plain(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\r\n \t\0\"\\<>;:,@?%=[]/*\xff9".to_vec())), 1..12),
    ) {
        let mut bytes = plain.written().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_everything(&bytes);
    }

    #[test]
    fn sdp_with_bytes_changed_never_panics(at in any::<prop::sample::Index>(), new in "[ -~\\r\\n]{0,12}") {
        let ours = sip::sdp::Local::new("192.0.2.1".parse().unwrap(), 4000, 7);
        let mut offer = sip::sdp::offer(&ours).to_vec();
        let at = at.index(offer.len());
        offer.splice(at..(at + new.len()).min(offer.len()), new.bytes());
        if let Ok((answer, audio)) = sip::sdp::answer(&offer, &ours) {
            prop_assert!(sip::sdp::read_answer(&answer, &ours).is_ok(), "what we answer is an answer");
            prop_assert!(audio.payload <= 127);
        }
    }

    /// A stream cut anywhere gives the messages that were put in.
    #[test]
    fn a_stream_gives_back_its_messages(plains in prop::collection::vec(plain(), 1..5), step in 1usize..300) {
        let stream: Vec<u8> = plains.iter().flat_map(|plain| plain.written()).collect();
        let mut framer = sip::framing::Framer::new();
        let mut seen = Vec::new();
        for chunk in stream.chunks(step) {
            framer.push(chunk);
            seen.extend(std::iter::from_fn(|| framer.next()));
        }
        let whole: Vec<_> = plains.iter().map(|plain| Ok(sip::framing::Frame::Message(plain.written()))).collect();
        prop_assert_eq!(seen, whole);
    }
}

/// Every reader that takes bytes from outside.
fn read_everything(bytes: &[u8]) {
    let mut framer = sip::framing::Framer::new();
    framer.push(bytes);
    while matches!(framer.next(), Some(Ok(_))) {}
    let ours = sip::sdp::Local::new("192.0.2.1".parse().unwrap(), 4000, 7);
    let _ = (sip::sdp::answer(bytes, &ours), sip::sdp::read_answer(bytes, &ours));
    let _ = (sip::digest::Challenge::parse(bytes), sip::digest::Credentials::parse(bytes));
    let _ = (Uri::parse(bytes), NameAddr::parse(bytes), Via::parse(bytes), sip::MediaType::parse(bytes));
    let Ok(message) = Message::parse(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    let _ = (message.check_request(), message.check_response(), message.start(), message.body());
    let _ = (message.via(), message.from(), message.to(), message.cseq(), message.call_id(), message.uri());
    let _ = (message.contacts(), message.routes(), message.record_routes(), message.expires(), message.max_forwards());
    let answer = sip::response_to(&message, 400, "Bad Request", Some("t"), "192.0.2.9:5060".parse().unwrap()).finish();
    let answer = Message::parse(answer).expect("what we write can be read");
    assert_eq!(answer.headers(HeaderId::ContentLength).count(), 1);
}

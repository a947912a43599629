//! Every point of RFC 4475 and RFC 5118, each by a message written for this project, and, where the RFCs' own
//! messages are at hand, by those too. The verdict is the same for both.

use Verdict::{Answer, Drop, Valid};
use bytes::Bytes;
use sip::{BadMessage, Contacts, HeaderId, Message, Method, StartLine, ViaTransport};
use std::path::PathBuf;

/// What becomes of a message that came as a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Goes on to the transactions.
    Valid,
    /// Is answered with this status.
    Answer(u16),
    Drop,
}

/// One point: its name in the RFC, the start line, how its fields differ from [`message`]'s own, the body.
/// In the fields `|` ends a line; `Name: value` replaces a field of that name, `+Name: value` adds one,
/// `-Name` removes one.
struct Point(&'static str, &'static str, &'static str, &'static str, Verdict);

const SDP: &str = "v=0\r\no=- 3 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";
const SDP6: &str = "v=0\r\no=- 3 1 IN IP6 2001:db8::7\r\ns=-\r\nc=IN IP6 2001:db8::7\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";
const MIXED_SDP: &str = "v=0\r\no=- 3 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\nm=video 6002 RTP/AVP 31\r\nc=IN IP6 2001:db8::7\r\n\
    m=audio 6000 RTP/AVP 8\r\nc=IN IP4 192.0.2.7\r\n";
const MIXED: &str = "--cut\r\nContent-Type: text/plain\r\n\r\nHola\r\n--cut\r\nContent-Type: application/octet-stream\r\n\r\n\0\x01\r\n--cut--\r\n";
const SECOND: &str = "INVITE sip:second@centre.test SIP/2.0\r\nVia: SIP/2.0/UDP pbx.test;branch=z9hG4bK2\r\n\r\n";

const INVITE: &str = "INVITE sip:desk@centre.test SIP/2.0";
const OPTIONS: &str = "OPTIONS sip:desk@centre.test SIP/2.0";
const REGISTER: &str = "REGISTER sip:centre.test SIP/2.0";
const OK: &str = "SIP/2.0 200 OK";

#[rustfmt::skip]
const POINTS: &[Point] = &[
    // RFC 4475 3.1.1: valid messages.
    Point("wsinv", "INVITE sip:desk@centre.test;strange-param SIP/2.0",
        "-To|+t :\r\n  sip:desk@centre.test\r\n\t;  tag =   desk-77|-From|+fRoM   :   \"Ana \\\\ \\\"La\\\"\"   <sip:ana@pbx.test>\r\n ;\r\n  tag\t= 9a|\
         -Via|+VIA : SIP /\r\n  2.0/ UDP\r\n   192.0.2.7 ; branch=z9hG4bKa1|+v: SIP/2.0  /TCP  hop.test  ;\r\n branch =\r\n z9hG4bKa2 ,\r\n SIP/ 2.0 / TLS  far.test;branch=z9hG4bKa3|\
         CSeq: 0007\r\n  INVITE|Max-Forwards: 0070|+S:|+Odd-One: ;,,;=,|+Route:\r\n <sip:edge.test;lr;a=b;c>|+New: one\r\n two", SDP, Valid),
    Point("intmeth", "~Call+It%what!you_like*.`' sip:we!rd_(user)~*'&=+$,;?/:p&ss=+$,@centre.test SIP/2.0",
        "To: \"ESC:\\\x1b NUL:\\\0 DEL:\\\x7f\" <sip:we!rd_(user)~*'&=+$,;?/@centre.test>|From: w1~ w2'+ w3*%!. <sip:ana@pbx.test>;odd'~+*=\"ñandú\";tag=t~`'+*%!.|\
         Call-ID: intmeth.%Z!*_+'~)(><:\\/\"][?}{@pbx|odd-Field.!%*+_`'~: \u{feff}日本|Max-Forwards: 255", "", Valid),
    Point("esc01", "INVITE sips:ana%40work%3Ax@centre.test;style=%6Cong SIP/2.0",
        "To: <sips:%64esk@centre.test>|From: \"Ana\" <sip:ana@pbx.test>;tag=e1|Contact: <sip:%2Bana@192.0.2.7;note=%C3%B1>", SDP, Valid),
    Point("escnull", REGISTER, "To: sip:ana%00b@centre.test|From: sip:ana%00b@centre.test;tag=n|Contact: <sip:%00@192.0.2.7>|+Contact: <sip:%00%00@192.0.2.8>", "", Valid),
    Point("esc02", "%52EGISTER sip:centre.test SIP/2.0", "Contact: <sip:a%6Ea@192.0.2.7>;note=x%zz", "", Valid),
    Point("lwsdisp", OPTIONS, "From: Ana<sip:ana@pbx.test>;tag=l1", "", Valid),
    Point("longreq", INVITE,
        "To: \"a name that goes on and on and on and on and on and on and on and on and on and on and on and on and on and on\" <sip:desk@centre.test:5060;p1=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>|\
         From: sip:ana@pbx.test;tag=long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long;p=cccccccccccccccccccccccccccccccccccccccccccccccccccccccc|\
         +Unknown-Unknown-Unknown-Unknown-Unknown-Unknown-Unknown-Unknown-Unknown-Unknown-Unknown-Unknown-Unknown: x\r\n x\r\n x\r\n x\r\n x|\
         +Via: SIP/2.0/TCP a1.test, SIP/2.0/TCP a2.test, SIP/2.0/TCP a3.test, SIP/2.0/TCP a4.test, SIP/2.0/TCP a5.test|\
         +Via: SIP/2.0/UDP b1.test;received=192.0.2.5;branch=very.long.branch.very.long.branch.very.long.branch.very.long.branch.very.long.branch", SDP, Valid),
    Point("dblreq", REGISTER, "Content-Length: 0", SECOND, Valid),
    Point("semiuri", "OPTIONS sip:desk;day=mon%40noon@centre.test SIP/2.0", "", "", Valid),
    Point("transports", OPTIONS, "+Via: SIP/2.0/SCTP a.test;branch=z9hG4bK1|+Via: SIP/2.0/TLS b.test|+Via: SIP/2.0/PIGEON c.test|+Via: SIP/2.0/TCP d.test", "", Valid),
    Point("mpart01", "MESSAGE sip:desk@centre.test SIP/2.0", "+Content-Type: multipart/mixed;boundary=cut", MIXED, Valid),
    Point("unreason", "SIP/2.0 200 = 2**3 * 5**2 но сто", "", SDP, Valid),
    Point("noreason", "SIP/2.0 100 ", "", "", Valid),

    // RFC 4475 3.1.2: invalid messages.
    Point("badinv01", INVITE, "Via: SIP/2.0/UDP 192.0.2.7;;,,;|Contact: <sip:ana@192.0.2.7>;;", SDP, Answer(400)),
    Point("clerr", INVITE, "Content-Length: 4000", SDP, Answer(400)),
    Point("ncl", INVITE, "Content-Length: -77", SDP, Answer(400)),
    Point("scalar02", REGISTER, "CSeq: 18446744073709551617 REGISTER|Max-Forwards: 256|+Expires: 18446744073709551617|Contact: <sip:ana@192.0.2.7>;expires=18446744073709551617", "", Answer(400)),
    Point("scalarlg", "SIP/2.0 503 Busy Day", "CSeq: 18446744073709551617 OPTIONS|+Retry-After: 18446744073709551617|+Warning: 18446744073709551617 x \"y\"", "", Drop),
    Point("quotbal", INVITE, "To: \"Desk One <sip:desk@centre.test>", SDP, Answer(400)),
    Point("ltgtruri", "INVITE <sip:desk@centre.test> SIP/2.0", "", SDP, Answer(400)),
    Point("lwsruri", "INVITE sip:desk@centre.test; lr SIP/2.0", "", SDP, Answer(400)),
    Point("lwsstart", "INVITE  sip:desk@centre.test   SIP/2.0", "", SDP, Answer(400)),
    Point("trws", "OPTIONS sip:desk@centre.test SIP/2.0 \t ", "", "", Answer(400)),
    Point("escruri", "INVITE sip:desk@centre.test?Subject=hola SIP/2.0", "", SDP, Answer(400)),
    Point("baddate", INVITE, "+Date: Thu, 05 Nov 2026 09:30:00 CET", SDP, Valid),
    Point("regbadct", REGISTER, "Contact: sip:ana@192.0.2.7?Route=%3Csip:evil.test%3E", "", Answer(400)),
    Point("badaspec", OPTIONS, "To: \"Desk, One\" < sip:desk@centre.test >", "", Answer(400)),
    Point("baddn", OPTIONS, "From: Paz, Ana <sip:ana@pbx.test>;tag=b1", "", Answer(400)),
    Point("badvers", "OPTIONS sip:desk@centre.test SIP/3.1", "Via: SIP/3.1/UDP pbx.test;branch=z9hG4bKv", "", Answer(505)),
    Point("mismatch01", OPTIONS, "CSeq: 8 INVITE", "", Answer(400)),
    Point("mismatch02", "SOMETHINGNEW sip:desk@centre.test SIP/2.0", "CSeq: 8 OPTIONS", "", Answer(400)),
    Point("bigcode", "SIP/2.0 8589934792 A Number Too Big", "", "", Drop),

    // RFC 4475 3.2: the transaction layer.
    Point("badbranch", OPTIONS, "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK", "", Answer(400)),

    // RFC 4475 3.3: the application layer.
    Point("insuf", INVITE, "-Call-ID|-From|-To|-Max-Forwards", SDP, Answer(400)),
    Point("unkscm", "OPTIONS neverheardof:anything,at/all SIP/2.0", "", "", Answer(416)),
    Point("novelsc", "OPTIONS soap.beep://centre.test:3002 SIP/2.0", "", "", Answer(416)),
    Point("unksm2", REGISTER, "To: isbn:9780131873216|From: <http://pbx.test>;tag=u2|Contact: <name:Ana_Paz>", "", Answer(400)),
    Point("bext01", OPTIONS, "+Require: time-travel, 100rel|+Proxy-Require: tolls", "", Answer(420)),
    Point("invut", INVITE, "Content-Type: application/x-own-format", "<sound/>", Answer(415)),
    Point("regaut01", REGISTER, "+Authorization: Handshake secret=\"wink\", twice", "", Valid),
    Point("multi01", INVITE, "+CSeq: 42 INVITE|+Call-ID: other@pbx.test|+To: <sip:other@centre.test>|+From: <sip:b@pbx.test>;tag=2|+Max-Forwards: 5", SDP, Answer(400)),
    Point("mcl01", OPTIONS, "+Content-Length: 0|+l: 15", "I am a body, 15", Answer(400)),
    Point("bcast", OK, "+Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKall", SDP, Drop),
    Point("zeromf", OPTIONS, "Max-Forwards: 0", "", Valid),
    Point("cparam01", REGISTER, "Contact: sip:+34911@192.0.2.7;who=cares", "", Valid),
    Point("cparam02", REGISTER, "Contact: <sip:+34911@192.0.2.7;who=cares>", "", Valid),
    Point("regescrt", REGISTER, "Contact: <sip:ana@192.0.2.7?Route=%3Csip:edge.test;lr%3E>", "", Valid),
    Point("sdp01", INVITE, "+Accept: text/of-another-kind", SDP, Valid),

    // RFC 4475 3.4: an INVITE as RFC 2543 had it.
    Point("inv2543", INVITE, "Via: SIP/2.0/UDP old.test|From: <sip:ana@pbx.test>|-Max-Forwards|-Content-Length|-Contact|+Record-Route: <sip:edge.test;maddr=edge.test>", SDP, Valid),

    // RFC 5118.
    Point("ipv6-good", "REGISTER sip:[2001:db8::c] SIP/2.0", "Via: SIP/2.0/UDP [2001:db8::7];branch=z9hG4bKg|Contact: \"Ana\" <sip:ana@[2001:db8::7]>", "", Valid),
    Point("ipv6-bad", "REGISTER sip:2001:db8::c SIP/2.0", "Via: SIP/2.0/UDP [2001:db8::7];branch=z9hG4bKg", "", Answer(400)),
    Point("port-ambiguous", "REGISTER sip:[2001:db8::c:5070] SIP/2.0", "", "", Valid),
    Point("port-unambiguous", "REGISTER sip:[2001:db8::c]:5070 SIP/2.0", "", "", Valid),
    Point("via-received-param-no-delim", OPTIONS, "Via: SIP/2.0/UDP [2001:db8::7];received=2001:db8::7:8;branch=z9hG4bKr", "", Valid),
    Point("via-received-param-with-delim", OPTIONS, "Via: SIP/2.0/UDP [2001:db8::7];received=[2001:db8::7:8];branch=z9hG4bKr", "", Valid),
    Point("ipv6-in-sdp", INVITE, "Contact: <sip:ana@[2001:db8::7]>", SDP6, Valid),
    Point("mult-ip-in-header", "BYE sip:desk@centre.test SIP/2.0", "-Contact|+Via: SIP/2.0/UDP [2001:db8::7]:6050;branch=z9hG4bK6|+Via: SIP/2.0/TCP [2001:db8::8];branch=z9hG4bK8;received=192.0.2.200", "", Valid),
    Point("mult-ip-in-sdp", INVITE, "", MIXED_SDP, Valid),
    Point("ipv4-mapped-ipv6", INVITE, "Via: SIP/2.0/UDP [::ffff:192.0.2.7]:6050;branch=z9hG4bKm|Contact: <sip:ana@[::ffff:192.0.2.7]>", SDP, Valid),
    Point("ipv6-bug-abnf-3-colons", "OPTIONS sip:desk@[2001:db8:::192.0.2.9] SIP/2.0", "To: <sip:desk@[2001:db8:::192.0.2.9]>", "", Valid),
    Point("ipv6-correct-abnf-2-colons", "OPTIONS sip:desk@[2001:db8::192.0.2.9] SIP/2.0", "To: <sip:desk@[2001:db8::192.0.2.9]>", "", Valid),
];

fn message(Point(name, start, changes, body, _): &Point) -> Bytes {
    let method = start.split(' ').next().filter(|method| !method.starts_with("SIP/")).unwrap_or("INVITE");
    let mut fields = vec![
        format!("Via: SIP/2.0/UDP pbx.test:5070;branch=z9hG4bK-{name}"),
        format!("From: \"Ana\" <sip:ana@pbx.test>;tag=f-{name}"),
        "To: <sip:desk@centre.test>".to_owned(),
        format!("Call-ID: {name}@pbx.test"),
        format!("CSeq: 41 {method}"),
        "Max-Forwards: 70".to_owned(),
        "Contact: <sip:ana@192.0.2.7:5070>".to_owned(),
        format!("Content-Length: {}", body.len()),
    ];
    if body.starts_with("v=0") {
        fields.push("Content-Type: application/sdp".to_owned());
    }
    for change in changes.split('|').filter(|change| !change.is_empty()) {
        if let Some(added) = change.strip_prefix('+') {
            fields.push(added.to_owned());
            continue;
        }
        let name = change.trim_start_matches('-').split(':').next().unwrap();
        fields.retain(|field| !field.starts_with(&format!("{name}:")));
        if !change.starts_with('-') {
            fields.push(change.to_owned());
        }
    }
    Bytes::from(format!("{start}\r\n{}\r\n\r\n{body}", fields.join("\r\n")))
}

/// What a server that knows no extension and only SDP bodies does with a datagram (RFC 3261 8.2).
fn verdict(bytes: Bytes) -> (Verdict, Option<Message>) {
    let Ok(message) = Message::parse(bytes) else {
        return (Drop, None);
    };
    let checked = if message.is_request() { message.check_request() } else { message.check_response() };
    let verdict = match checked {
        Err(BadMessage::Answer { status, .. }) => Answer(status),
        Err(BadMessage::Drop(_)) => Drop,
        Ok(()) if !message.unknown_options(HeaderId::Require, &[]).is_empty() => Answer(420),
        Ok(()) if message.method() == Some(Method::Invite) && !carries_sdp(&message) => Answer(415),
        Ok(()) => Valid,
    };
    (verdict, Some(message))
}

fn carries_sdp(message: &Message) -> bool {
    message.content_type().unwrap().is_none_or(|media| media.is("application/sdp"))
}

#[test]
fn each_point_gets_its_verdict() {
    for point in POINTS {
        assert_eq!(verdict(message(point)).0, point.4, "{}", point.0);
    }
    assert_eq!(POINTS.len(), 49 + 12, "RFC 4475 has 49 points and RFC 5118 has 12");
}

/// The same messages at a whole server, one after the other: it answers what it must, drops what it must, and lives.
#[test]
fn a_server_answers_or_drops_each_point_and_lives() {
    let networks = vec![("0.0.0.0".parse().unwrap(), 0)];
    let trunks = vec![sip::TrunkConfig { name: "carrier".into(), networks, ports: None }];
    let mut server = sip::Endpoint::new(sip::Config { trunks, ..sip::Config::default() });
    let mut now = base::Now::default();
    let mut statuses = |bytes: Bytes| -> Vec<u16> {
        now = now.plus(std::time::Duration::from_secs(1));
        server.stir([7; 32]);
        let mut out = Vec::new();
        server.handle(now, sip::Input::Received { flow: flow(), bytes }, &mut out);
        let sent = out.iter().filter_map(|o| match o {
            sip::Output::Transmit { bytes, .. } => Message::parse(bytes.clone()).ok()?.status(),
            _ => None,
        });
        sent.collect()
    };
    for point in POINTS {
        let said = statuses(message(point));
        let fits = match point.4 {
            Drop => said.is_empty(),
            Answer(status) => said == [status],
            // Whatever it thinks of the request, it has read it.
            Valid => !said.contains(&400),
        };
        assert!(fits, "{}: {:?} was expected, {said:?} came", point.0, point.4);
    }
    let alive = "OPTIONS sip:a@b.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK-alive\r\nMax-Forwards: 70\r\n\
        From: <sip:c@d.test>;tag=1\r\nTo: <sip:a@b.test>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(statuses(Bytes::from_static(alive.as_bytes())), [200]);
}

fn flow() -> sip::Flow {
    let (local, remote) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.7:5070".parse().unwrap());
    sip::Flow { transport: sip::Transport::Udp, local, remote, connection: 0 }
}

/// Valid is not enough: what a point hides has to be read right.
#[test]
fn the_valid_points_mean_what_they_say() {
    let read = |name: &str| {
        let point = POINTS.iter().find(|point| point.0 == name).unwrap();
        verdict(message(point)).1.unwrap()
    };
    let user = |message: &Message| message.uri().unwrap().user();

    let wsinv = read("wsinv");
    assert_eq!(wsinv.to().unwrap().tag.as_deref(), Some("desk-77"));
    assert_eq!(wsinv.from().unwrap().display.as_deref(), Some("Ana \\ \"La\""));
    assert_eq!(wsinv.values(HeaderId::Via).count(), 3);
    assert_eq!(wsinv.via().unwrap().branch.as_deref(), Some("z9hG4bKa1"));
    assert_eq!(wsinv.cseq().unwrap(), (7, Method::Invite));
    assert_eq!(wsinv.max_forwards().unwrap(), Some(70));
    assert_eq!(wsinv.header(HeaderId::Subject).unwrap().as_ref(), b"");

    let intmeth = read("intmeth");
    assert_eq!(intmeth.method().unwrap().as_str(), "~Call+It%what!you_like*.`'");
    assert_eq!(user(&intmeth).unwrap(), "we!rd_(user)~*'&=+$,;?/");
    let shown = intmeth.to().unwrap().display.unwrap();
    assert_eq!(shown, "ESC:\u{fffd} NUL:\u{fffd} DEL:\u{fffd}", "security row 30");

    assert_eq!(user(&read("esc01")).unwrap(), "ana@work:x");
    assert_eq!(read("escnull").to().unwrap().uri.user().unwrap(), "ana\0b");
    assert!(matches!(read("esc02").method(), Some(Method::Other(name)) if &*name == "%52EGISTER"), "a method is never unescaped");
    assert_eq!(read("lwsdisp").from().unwrap().display.as_deref(), Some("Ana"));
    assert_eq!(read("longreq").values(HeaderId::Via).count(), 7);
    assert!(read("dblreq").body().is_empty(), "the second request of the datagram is dropped");
    assert_eq!(user(&read("semiuri")).unwrap(), "desk;day=mon@noon");
    let transports: Vec<_> =
        read("transports").values(HeaderId::Via).map(|via| sip::Via::parse(&via).unwrap().transport).collect();
    assert_eq!(transports[3], ViaTransport::Other("PIGEON".into()));
    assert_eq!(read("mpart01").body().as_ref(), MIXED.as_bytes());
    assert!(matches!(read("noreason").start(), StartLine::Response { status: 100, reason: b"" }));

    let contact = |name: &str| match read(name).contacts().unwrap() {
        Contacts::List(list) => list.into_iter().next().unwrap(),
        Contacts::All => panic!("{name}"),
    };
    assert!(contact("cparam01").params.has("who") && !contact("cparam01").uri.params.has("who"));
    assert!(contact("cparam02").uri.params.has("who") && !contact("cparam02").params.has("who"));
    assert_eq!(contact("regescrt").uri.headers.as_deref(), Some("Route=%3Csip:edge.test;lr%3E"));

    assert_eq!(read("port-ambiguous").uri().unwrap().is_ip(), Some("[2001:db8::c:5070]:5060".parse().unwrap()));
    assert_eq!(read("port-unambiguous").uri().unwrap().is_ip(), Some("[2001:db8::c]:5070".parse().unwrap()));
    for name in ["via-received-param-no-delim", "via-received-param-with-delim"] {
        assert_eq!(read(name).via().unwrap().received, Some("2001:db8::7:8".parse().unwrap()), "{name}");
    }
    let ours = sip::sdp::Local::new("2001:db8::1".parse().unwrap(), 4000, 1);
    let remote = |name: &str| sip::sdp::answer(&read(name).body(), &ours).unwrap().1.remote;
    assert_eq!(remote("ipv6-in-sdp"), "[2001:db8::7]:6000".parse().unwrap());
    assert_eq!(remote("mult-ip-in-sdp"), "192.0.2.7:6000".parse().unwrap());
    assert_eq!(read("ipv4-mapped-ipv6").contact().unwrap().uri.is_ip(), Some("192.0.2.7:5060".parse().unwrap()));
    assert_eq!(read("ipv6-bug-abnf-3-colons").uri(), read("ipv6-correct-abnf-2-colons").uri());
}

/// RFC 3261 18.3: what a datagram may do, a stream may not, and the other way round.
#[test]
fn on_a_stream_length_decides_where_a_message_ends() {
    let point = |name: &str| message(POINTS.iter().find(|point| point.0 == name).unwrap());
    let frames = |bytes: &[u8]| {
        let mut framer = sip::framing::Framer::new();
        framer.push(bytes);
        std::iter::from_fn(|| framer.next()).take(4).collect::<Vec<_>>()
    };
    let double = frames(&point("dblreq"));
    assert!(
        matches!(&double[..], [Ok(_), Err(sip::framing::FrameError::NoLength), ..]),
        "the second request is read on its own: {double:?}"
    );
    assert!(frames(&point("clerr")).is_empty(), "the rest of the body is waited for");
    assert!(matches!(frames(&point("ncl"))[0], Err(sip::framing::FrameError::BadLength)));
    assert!(matches!(frames(&point("mcl01"))[0], Err(sip::framing::FrameError::BadLength)));
    assert!(matches!(frames(&point("inv2543"))[0], Err(sip::framing::FrameError::NoLength)));
}

/// The RFCs' own bytes, where their folder is: named by `CENTRALITA_CORPUS`, or beside the workspace.
#[test]
#[allow(clippy::disallowed_methods)] // the corpus is in files
fn the_messages_of_the_rfcs_get_the_same_verdicts() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpus");
    let corpus = std::env::var_os("CENTRALITA_CORPUS").map_or(beside, PathBuf::from);
    if !corpus.is_dir() {
        eprintln!("no corpus at {}: only the messages of this file were tried", corpus.display());
        return;
    }
    let mut seen = 0;
    for folder in ["rfc4475", "rfc5118"] {
        for entry in std::fs::read_dir(corpus.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            // A draft's sample that is no point of the RFC: its request line has no version.
            let expected = POINTS.iter().find(|point| point.0 == name).map_or(Drop, |point| point.4);
            assert!(expected == Drop || name != "test");
            assert_eq!(verdict(as_sent(std::fs::read(&path).unwrap(), folder)).0, expected, "{}", path.display());
            seen += 1;
        }
    }
    assert_eq!(seen, 50 + 12, "files of the corpus");
}

/// Two flaws of the archives: `baddn` lacks its empty line, RFC 5118 may have bare line feeds.
fn as_sent(mut bytes: Vec<u8>, folder: &str) -> Bytes {
    if folder == "rfc5118" {
        bytes.retain(|byte| *byte != b'\r');
        bytes = bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
    }
    if !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.into()
}

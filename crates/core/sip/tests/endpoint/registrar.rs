//! Registrations (RFC 3261 10).

use crate::bench::*;
use sip::digest::{self, Account, Signed};
use sip::{Binding, Flow, HeaderId, Input, Message, Method, Output};

/// A phone that registers, at 10.0.0.3 unless its flow says otherwise.
pub struct Phone {
    pub user: &'static str,
    pub password: &'static str,
    pub flow: Flow,
    sequence: u32,
    challenge: Option<Message>,
    nc: u32,
}

impl Phone {
    pub fn new(user: &'static str, password: &'static str) -> Phone {
        Phone { user, password, flow: udp(3), sequence: 0, challenge: None, nc: 0 }
    }

    fn ask(&mut self) -> Ask {
        self.sequence += 1;
        let name = self.flow.transport;
        let via =
            format!("SIP/2.0/{} {};rport;branch=z9hG4bKr{}", format!("{name:?}").to_uppercase(), self.flow.remote, self.sequence);
        Ask::new("REGISTER", "")
            .uri("sip:centre.example")
            .set("Via", &via)
            .set("From", &format!("<sip:{}@centre.example>;tag=r", self.user))
            .set("To", &format!("<sip:{}@centre.example>", self.user))
            .set("Call-ID", &format!("reg-{}", self.user))
            .set("CSeq", &format!("{} REGISTER", self.sequence))
            .set("User-Agent", "phone/1")
            .without("Contact")
    }

    /// Adds what the last challenge asks for.
    pub fn sign(&mut self, ask: Ask, method: &Method, uri: &str, body: &str) -> Ask {
        let Some(challenge) = &self.challenge else {
            return ask;
        };
        self.nc += 1;
        let account = Account { realm: "centre.example", username: self.user, password: self.password };
        let signed = Signed { method, uri, body: body.as_bytes() };
        let lines: Vec<_> = challenge.headers(HeaderId::WwwAuthenticate).collect();
        let credentials = digest::respond(lines.iter().map(|line| &**line), &account, &signed, "cn", self.nc).unwrap();
        ask.set("Authorization", &credentials.to_string())
    }

    /// Keeps a challenge for the requests after it.
    pub fn learn(&mut self, challenge: Message) {
        self.challenge = Some(challenge);
        self.nc = 0;
    }

    /// One REGISTER with these fields, challenged and repeated if need be.
    pub fn register(&mut self, bench: &mut Bench, fields: &[(&str, &str)]) -> Heard {
        for _ in 0..2 {
            let ask = fields.iter().fold(self.ask(), |ask, (name, value)| ask.set(name, value));
            let ask = self.sign(ask, &Method::Register, "sip:centre.example", "");
            let heard = bench.receive(self.flow, &ask.text());
            match heard.messages().into_iter().find(|message| message.status() == Some(401)) {
                Some(challenge) if self.nc == 0 || field(&challenge, HeaderId::WwwAuthenticate).contains("stale=true") => {
                    self.learn(challenge);
                }
                _ => return heard,
            }
        }
        panic!("challenged twice")
    }
}

fn ana() -> Phone {
    Phone::new("ana", "secret")
}

fn contacts(bindings: &[Binding]) -> Vec<&str> {
    bindings.iter().map(|binding| &*binding.contact).collect()
}

/// `Contact` values of a response.
fn listed(heard: &Heard) -> Vec<String> {
    let ok = heard.response(200);
    ok.values(HeaderId::Contact).map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
}

#[test]
fn a_phone_registers_refreshes_is_listed_and_unregisters() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    let heard = phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3:5060;ob>"), ("Expires", "600")]);
    assert_eq!(listed(&heard), ["<sip:ana@10.0.0.3:5060;ob>;expires=600"]);
    let [Output::Registered { user, bindings }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((&**user, bindings.len()), ("ana", 1));
    let first = &bindings[0];
    assert_eq!((&*first.contact, first.flow, &*first.user_agent), ("sip:ana@10.0.0.3:5060;ob", udp(3), "phone/1"));
    assert_eq!(first.expires, bench.now.wall.plus(secs(600)));

    bench.pass(ms(100_500));
    let asked = phone.register(&mut bench, &[]);
    assert_eq!((listed(&asked), asked.words().len()), (vec!["<sip:ana@10.0.0.3:5060;ob>;expires=500".to_string()], 0));
    let refreshed = phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3:5060;ob>;expires=900")]);
    assert_eq!(listed(&refreshed), ["<sip:ana@10.0.0.3:5060;ob>;expires=900"]);
    let gone = phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3:5060;ob>"), ("Expires", "0")]);
    assert_eq!(gone.words(), [Output::Registered { user: "ana".into(), bindings: vec![] }]);
    assert_eq!(bench.endpoint.bindings("ana"), []);
}

#[test]
fn a_binding_ends_by_itself_when_it_expires() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3:5060>;expires=60, <sip:ana@10.0.0.3:5061>;expires=120")]);
    assert_eq!(bench.pass(ms(59_999)).words(), []);
    let heard = bench.pass(ms(1));
    assert!(matches!(&heard.words()[..], [Output::Registered { bindings, .. }] if bindings.len() == 1), "{heard:?}");
    assert_eq!(bench.pass(secs(60)).words(), [Output::Registered { user: "ana".into(), bindings: vec![] }]);
}

#[test]
fn expiry_is_bounded_both_ways() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    let brief = phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3>"), ("Expires", "59")]);
    assert_eq!((field(&brief.response(423), HeaderId::MinExpires).as_str(), brief.words().len()), ("60", 0));
    let long = phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3>"), ("Expires", "86400")]);
    assert_eq!(listed(&long), ["<sip:ana@10.0.0.3>;expires=3600"]);
    let unsaid = phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3>")]);
    assert_eq!(listed(&unsaid), ["<sip:ana@10.0.0.3>;expires=3600"]);
}

#[test]
fn several_contacts_live_side_by_side_and_a_star_removes_them() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    for port in 6001..=6012 {
        phone.register(&mut bench, &[("Contact", &format!("<sip:ana@10.0.0.3:{port}>"))]);
        bench.pass(secs(1));
    }
    let bindings = bench.endpoint.bindings("ana");
    assert_eq!((bindings.len(), contacts(bindings)[0]), (10, "sip:ana@10.0.0.3:6003"), "the oldest made room");
    assert_eq!(phone.register(&mut bench, &[("Contact", "*")]).summary(), "400");
    assert_eq!(bench.endpoint.bindings("ana").len(), 10);
    phone.register(&mut bench, &[("Contact", "*"), ("Expires", "0")]);
    assert_eq!(bench.endpoint.bindings("ana"), []);
    let many = (0..11).map(|n| format!("<sip:{n}@10.0.0.3>")).collect::<Vec<_>>().join(", ");
    assert_eq!(phone.register(&mut bench, &[("Contact", &many)]).summary(), "403");
}

/// RFC 3261 10.3 steps 6 and 7.
#[test]
fn an_older_request_of_the_same_call_id_changes_nothing() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    let contact = ("Contact", "<sip:ana@10.0.0.3:5060>");
    phone.register(&mut bench, &[contact, ("CSeq", "50 REGISTER")]);
    let late = phone
        .register(&mut bench, &[("Contact", "<sip:new@10.0.0.3>, <sip:ana@10.0.0.3:5060>;expires=0"), ("CSeq", "49 REGISTER")]);
    assert_eq!((late.summary().as_str(), late.words().len()), ("500", 0));
    assert_eq!(contacts(bench.endpoint.bindings("ana")), ["sip:ana@10.0.0.3:5060"], "all or nothing");
    let rebooted = phone.register(&mut bench, &[contact, ("CSeq", "1 REGISTER"), ("Call-ID", "after-boot")]);
    assert_eq!(rebooted.words().len(), 1);
}

#[test]
fn a_repeated_register_gets_the_same_answer_and_is_done_once() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    phone.register(&mut bench, &[]);
    let ask = phone.ask().set("Contact", "<sip:ana@10.0.0.3>");
    let ask = phone.sign(ask, &Method::Register, "sip:centre.example", "").text();
    let first = bench.receive(udp(3), &ask);
    let again = bench.receive(udp(3), &ask);
    assert_eq!((first.words().len(), again.words().len()), (1, 0));
    assert_eq!(again.messages(), first.messages());
}

#[test]
fn a_phone_behind_nat_is_reached_and_kept_reachable_where_it_came_from() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    phone.flow = Flow { remote: "198.51.100.7:40123".parse().unwrap(), ..udp(3) };
    let contact = ("Contact", "<sip:ana@192.168.1.20:5060>");
    phone.register(&mut bench, &[contact, ("Expires", "60"), ("Via", "SIP/2.0/UDP 192.168.1.20:5060;rport;branch=z9hG4bKa")]);
    phone.register(&mut bench, &[contact, ("Expires", "60"), ("Via", "SIP/2.0/UDP 192.168.1.20:5060;rport;branch=z9hG4bKb")]);
    assert_eq!(bench.endpoint.bindings("ana")[0].flow, phone.flow);
    let pings = |heard: &Heard| heard.sent().iter().filter(|(flow, bytes)| *flow == phone.flow && bytes == "\r\n\r\n").count();
    assert_eq!(pings(&bench.pass(secs(59))), 2);
    bench.pass(secs(1));
    assert_eq!(pings(&bench.pass(secs(60))), 0);
    // One that is not behind NAT needs none.
    let (mut bench, mut phone) = (Bench::default(), ana());
    phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3:5060>")]);
    assert_eq!(bench.pass(secs(60)).sent().len(), 0);
}

#[test]
fn pings_are_answered_and_shorter_datagrams_ignored() {
    let mut bench = Bench::default();
    assert_eq!(bench.receive(udp(3), "\r\n\r\n").sent(), [(udp(3), "\r\n".into())]);
    for short in ["", "\0", "\r\n", "abcd"] {
        assert_eq!(bench.receive(udp(3), short).0, [], "{short:?}");
    }
}

#[test]
fn a_stream_that_ends_takes_only_those_with_it_that_can_not_be_called_back() {
    for (contact, stays) in [("<sip:ana@10.0.0.3:5060;transport=tcp>", true), ("<sip:ana@192.168.1.9:5060;transport=tcp>", false)]
    {
        let (mut bench, mut phone) = (Bench::default(), ana());
        phone.flow = tcp(3, 40000, 9);
        phone.register(&mut bench, &[("Contact", contact)]);
        let heard = bench.handle(Input::TransportFailed { flow: tcp(3, 40000, 9) });
        let [Output::Registered { bindings, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
        assert_eq!(bindings.len(), usize::from(stays), "{contact}");
        assert!(bindings.iter().all(|binding| binding.flow == tcp(3, 5060, 0)));
    }
}

#[test]
fn bindings_are_restored_and_expire_in_their_time() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3:5060>"), ("Expires", "100")]);
    let kept = bench.endpoint.bindings("ana").to_vec();
    let now = bench.now;
    let mut bench = Bench::default();
    bench.now = base::Now { mono: base::Instant(7), wall: now.wall.plus(secs(40)) };
    bench.endpoint.restore(bench.now, vec![("ana".into(), kept.clone())]);
    assert_eq!(bench.endpoint.bindings("ana"), kept);
    assert_eq!(bench.pass(ms(59_999)).words(), []);
    assert_eq!(bench.pass(ms(1)).words().len(), 1);
}

/// Row 48: a Contact aimed at somebody else gets nothing.
#[test]
fn requests_to_a_registered_phone_go_where_it_registered_from() {
    let (mut bench, mut phone) = (Bench::default(), ana());
    phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3:5060>")]);
    let (session, invite) = bench.dial(sip::Dial { uri: "sip:ana@10.0.0.3:5060".into(), flow: udp(3), ..dial() });
    let ok = reply(&invite, 200, "far", Some(ANSWER)).replace("sip:far@10.0.0.2:5060", "sip:victim@203.0.113.5:5060");
    assert_eq!(bench.receive(udp(3), &ok).sent()[0].0, udp(3));
    assert_eq!(bench.handle(Input::HangUp { session, reason: None }).sent()[0].0, udp(3));
}

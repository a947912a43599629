//! Phones that pass calls on, dial and are called back, against a small centre of the SIP core's own: it has no queues
//! and no sound, and does what each test says. Real sockets, real messages.

use base::{Instant as Mono, Now, Pii, Wall};
use sip::{Config, Dial, Endpoint, Flow, Input, May, Output, Peer, Refusal, SessionId, Transport, TrunkConfig, UserCredential};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use traffic::{AgentSpec, CallerMix, Load, Outcome, Outside, OwnCalls, Plan, Purpose, Report, Span, Target, Transfers};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 101\r\n\
                   a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

struct Centre {
    socket: UdpSocket,
    endpoint: Endpoint,
    flow: Flow,
    start: Instant,
    /// Where whoever shall press a key speaks to, and whom this hangs up.
    sound: UdpSocket,
    asks: Option<SessionId>,
    /// What came, besides what the test did with it.
    seen: Vec<String>,
}

impl Centre {
    fn new() -> Centre {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let local = socket.local_addr().unwrap();
        let ana = UserCredential {
            password: Pii::new("secret".into()),
            algorithms: vec![sip::digest::Algorithm::Sha256],
            may: May::Phone,
        };
        let trunk = TrunkConfig { name: "carrier".into(), networks: vec![("127.0.0.2".parse().unwrap(), 32)], ports: None };
        let config = Config {
            host: "127.0.0.1".into(),
            users: BTreeMap::from([("ana".into(), ana)]),
            trunks: vec![trunk],
            ..Config::default()
        };
        let flow = Flow { transport: Transport::Udp, local, remote: local, connection: 0 };
        let mut endpoint = Endpoint::new(config);
        endpoint.stir([7; 32]);
        let sound = UdpSocket::bind("127.0.0.1:0").unwrap();
        sound.set_nonblocking(true).unwrap();
        Centre { socket, endpoint, flow, start: Instant::now(), sound, asks: None, seen: Vec::new() }
    }

    fn address(&self) -> SocketAddr {
        self.flow.local
    }

    fn now(&self) -> Now {
        Now { mono: Mono::ZERO, wall: Wall(1_800_000_000_000_000) }.plus(self.start.elapsed())
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        let (mut out, mut rest) = (Vec::new(), Vec::new());
        let now = self.now();
        self.endpoint.handle(now, input, &mut out);
        for output in out {
            match output {
                Output::Transmit { flow, bytes } => drop(self.socket.send_to(&bytes, flow.remote)),
                other => rest.push(other),
            }
        }
        rest
    }

    fn dial(&mut self, uri: &str, remote: SocketAddr) -> (SessionId, Vec<Output>) {
        let session = self.endpoint.new_session();
        let dial = Dial {
            uri: uri.into(),
            flow: Flow { remote, ..self.flow },
            call_id: format!("centre-{}", session.0).into(),
            from_display: Pii::new("ACME".into()),
            from_user: Pii::new("centre".into()),
            sdp: SDP.into(),
            credential: None,
            provisional_within: Duration::from_secs(4),
            withheld: false,
            auto_answer: false,
            headers: vec![],
        };
        (session, self.input(Input::Invite { session, dial: Box::new(dial) }))
    }

    /// Until `stop`; each output goes to the test, and what it does to the endpoint.
    fn serve(mut self, stop: &AtomicBool, mut act: impl FnMut(&mut Centre, &Output) -> Vec<Input>) -> Vec<String> {
        let mut buffer = vec![0; 65_535];
        while !stop.load(Ordering::Relaxed) {
            let mut outputs = match self.socket.recv_from(&mut buffer) {
                Ok((length, remote)) => {
                    let bytes = bytes::Bytes::copy_from_slice(&buffer[..length]);
                    self.input(Input::Received { flow: Flow { remote, ..self.flow }, bytes })
                }
                Err(_) => Vec::new(),
            };
            if self.endpoint.deadline().is_some_and(|at| at <= self.now().mono) {
                outputs.extend(self.input(Input::Due));
            }
            if self.was_pressed(7)
                && let Some(session) = self.asks.take()
            {
                outputs.extend(self.input(Input::HangUp { session, reason: None }));
            }
            while !outputs.is_empty() {
                let output = outputs.remove(0);
                for input in act(&mut self, &output) {
                    outputs.extend(self.input(input));
                }
            }
        }
        self.seen
    }
}

impl Centre {
    /// Reads what came to where [`Centre::listening`] said: whether this key is in it (RFC 4733).
    fn was_pressed(&mut self, key: u8) -> bool {
        let mut packet = [0; 2048];
        let mut pressed = false;
        while let Ok(length) = self.sound.recv(&mut packet) {
            pressed |= length == 16 && packet[1] & 0x7F == 101 && packet[12] == key;
        }
        pressed
    }

    fn listening(&self) -> bytes::Bytes {
        SDP.replace("audio 9", &format!("audio {}", self.sound.local_addr().unwrap().port())).into()
    }
}

fn agent() -> AgentSpec {
    AgentSpec { answer_after: Span::ms(50, 50), ..AgentSpec::new("ana", "secret") }
}

fn plan(centre: &Centre, agent: AgentSpec) -> Plan {
    Plan {
        server: centre.address(),
        trunk: "127.0.0.2:0".parse().unwrap(),
        phones: "127.0.0.3:0".parse().unwrap(),
        callers: CallerMix { per_minute: 0.0, ..CallerMix::default() },
        outside: None,
        agents: vec![agent],
        numbers: vec!["100".into()],
        duration_ms: 20_000,
        drain_ms: 0,
        seed: 1,
        load: Load::default(),
    }
}

/// Runs the plan beside the centre until `enough` of what the people report, which ends it.
fn run(plan: &Plan, centre: Centre, act: impl FnMut(&mut Centre, &Output) -> Vec<Input> + Send) -> (Report, Vec<String>) {
    let (over, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let mut act = act;
        let (over, stop) = (&over, &stop);
        let serving = scope.spawn(move || {
            centre.serve(over, |centre, output| {
                let inputs = act(centre, output);
                stop.fetch_or(centre.seen.last().is_some_and(|last| last == "enough"), Ordering::Relaxed);
                inputs
            })
        });
        let report = traffic::run(plan, stop, &mut |_| {}).unwrap();
        over.store(true, Ordering::Relaxed);
        (report, serving.join().unwrap())
    })
}

/// Calls ana's phone as soon as it is registered.
fn call_ana(centre: &mut Centre, output: &Output) -> Vec<Input> {
    let Output::Registered { bindings, .. } = output else { return vec![] };
    let Some(binding) = bindings.first().filter(|_| !centre.seen.contains(&"called".into())) else { return vec![] };
    centre.seen.push("called".into());
    let (uri, remote) = (binding.contact.to_string(), binding.flow.remote);
    centre.dial(&uri, remote);
    vec![]
}

fn transfers(blind: f64, attended: f64) -> Transfers {
    Transfers {
        blind,
        attended,
        blind_to: vec!["900".into()],
        attended_to: vec!["102".into()],
        after: Span::ms(300, 300),
        consult: Span::ms(300, 300),
    }
}

/// What the centre does with a transfer: takes it, and says how it went.
fn take_transfer(centre: &mut Centre, output: &Output, status: u16) -> Vec<Input> {
    let Output::Referred { session, refer } = output else { return vec![] };
    centre.seen.push(format!("refer {} {:?}", refer.to.reveal(), refer.replaces));
    vec![Input::AcceptRefer { session: *session }, Input::ReferProgress { session: *session, status }]
}

/// The agent's leg is over: nothing more is to be seen.
fn until_ana_is_gone(centre: &mut Centre, output: &Output, session: SessionId) {
    if matches!(output, Output::Ended { session: ended, .. } if *ended == session) {
        centre.seen.push("enough".into());
    }
}

#[test]
fn a_phone_passes_a_call_on_blindly_and_hangs_up_when_it_is_through() {
    let centre = Centre::new();
    let plan = plan(&centre, AgentSpec { transfers: transfers(1.0, 0.0), ..agent() });
    let (report, seen) = run(&plan, centre, |centre, output| {
        call_ana(centre, output);
        until_ana_is_gone(centre, output, SessionId(1));
        take_transfer(centre, output, 200)
    });
    assert!(seen.contains(&"refer 900 None".into()), "{seen:?}");
    assert_eq!((report.passed_on(false), report.passed_on(true)), (1, 0), "{report:#?}");
    let conversation = &report.conversations[0];
    assert_eq!((conversation.passed_on.as_ref().unwrap().status, conversation.ended_by_us), (200, true));
    assert_eq!(conversation.display, "ACME");
}

#[test]
fn a_transfer_that_the_centre_could_not_make_leaves_the_conversation_as_it_was() {
    let centre = Centre::new();
    let spec = AgentSpec { transfers: transfers(1.0, 0.0), talk: Some(Span::ms(400, 400)), ..agent() };
    let plan = plan(&centre, spec);
    let (report, _) = run(&plan, centre, |centre, output| {
        call_ana(centre, output);
        until_ana_is_gone(centre, output, SessionId(1));
        take_transfer(centre, output, 486)
    });
    assert_eq!(report.passed_on(false), 0);
    let conversation = &report.conversations[0];
    assert_eq!((conversation.passed_on.as_ref().unwrap().status, conversation.ended_by_us), (486, true));
    assert!(conversation.talk_ms >= 650, "it went on for its own time: {conversation:#?}");
}

#[test]
fn an_attended_transfer_holds_consults_and_names_the_consultation() {
    let centre = Centre::new();
    let plan = plan(&centre, AgentSpec { transfers: transfers(0.0, 1.0), ..agent() });
    let mut consult = None;
    let (report, seen) = run(&plan, centre, move |centre, output| {
        call_ana(centre, output);
        until_ana_is_gone(centre, output, SessionId(1));
        match output {
            Output::Reoffered { session, sdp } => {
                let held = sdp.as_deref().is_some_and(|sdp| String::from_utf8_lossy(sdp).contains("a=sendonly"));
                centre.seen.push(format!("held {held}"));
                vec![Input::AnswerReoffer { session: *session, sdp: SDP.replace("sendrecv", "recvonly").into() }]
            }
            Output::Incoming { session, peer, invite } => {
                assert_eq!(*peer, Peer::Phone("ana".into()));
                centre.seen.push(format!("consults {}", invite.dialled));
                consult = Some(*session);
                vec![Input::Answer { session: *session, sdp: SDP.into() }]
            }
            Output::Referred { refer, .. } => {
                assert_eq!(refer.replaces, consult.map(sip::Replaces::Session), "the other dialog, by its name");
                take_transfer(centre, output, 200)
            }
            _ => vec![],
        }
    });
    assert_eq!(seen.iter().filter(|s| *s == "held true").count(), 1, "{seen:?}");
    assert!(seen.contains(&"consults 102".into()), "{seen:?}");
    assert_eq!((report.passed_on(true), report.passed_on(false)), (1, 0), "{report:#?}");
    let consult = report.own(Purpose::Consult).next().unwrap();
    assert_eq!((consult.dialled.as_str(), consult.user.as_str()), ("102", "ana"));
    assert!(consult.talk_ms >= 250, "{consult:#?}");
}

#[test]
fn an_agent_whose_colleague_is_busy_goes_back_to_the_caller() {
    let centre = Centre::new();
    let spec = AgentSpec { transfers: transfers(0.0, 1.0), talk: Some(Span::ms(300, 300)), ..agent() };
    let plan = plan(&centre, spec);
    let (report, seen) = run(&plan, centre, |centre, output| {
        call_ana(centre, output);
        until_ana_is_gone(centre, output, SessionId(1));
        match output {
            Output::Reoffered { session, sdp } => {
                let held = sdp.as_deref().is_some_and(|sdp| String::from_utf8_lossy(sdp).contains("a=sendonly"));
                centre.seen.push(format!("held {held}"));
                vec![Input::AnswerReoffer { session: *session, sdp: SDP.into() }]
            }
            Output::Incoming { session, .. } => {
                let refusal = Refusal { status: 486, phrase: None, reason: None, retry_after: None };
                vec![Input::Reject { session: *session, refusal }]
            }
            _ => vec![],
        }
    });
    let held: Vec<&String> = seen.iter().filter(|s| s.starts_with("held")).collect();
    assert_eq!(held, ["held true", "held false"], "{seen:?}");
    assert_eq!((&report.conversations[0].passed_on, report.own_calls[0].status), (&None, 486));
    assert!(report.conversations[0].ended_by_us);
}

#[test]
fn a_supervisors_phone_dials_presses_its_keys_and_comes_again() {
    let centre = Centre::new();
    let to = vec![Target { dial: "*17101".into(), while_talking: None }];
    let (every, lasts) = (Span::ms(100, 100), Span::ms(1_500, 1_500));
    let own = vec![OwnCalls { purpose: Purpose::Monitor, to, keys: "4".into(), every, lasts }];
    let plan = plan(&centre, AgentSpec { own, ..agent() });
    let (report, seen) = run(&plan, centre, |centre, output| match output {
        Output::Incoming { session, invite, .. } => {
            centre.seen.push(format!("dialled {}", invite.dialled));
            vec![Input::Answer { session: *session, sdp: SDP.into() }]
        }
        Output::Ended { .. } if centre.seen.len() > 1 => {
            centre.seen.push("enough".into());
            vec![]
        }
        _ => vec![],
    });
    assert!(seen.iter().filter(|s| *s == "dialled *17101").count() >= 2, "{seen:?}");
    let listened: Vec<_> = report.own(Purpose::Monitor).collect();
    assert!(listened.len() >= 2 && listened[0].talk_ms >= 1_400 && listened[0].ended_by_us, "{listened:#?}");
}

#[test]
fn a_target_that_is_for_busy_agents_is_not_dialled_while_nobody_talks() {
    let centre = Centre::new();
    let to = vec![Target { dial: "*17101".into(), while_talking: Some("bea".into()) }];
    let own =
        vec![OwnCalls { purpose: Purpose::Monitor, to, keys: String::new(), every: Span::ms(10, 10), lasts: Span::ms(10, 10) }];
    let plan = Plan { duration_ms: 1_500, ..plan(&centre, AgentSpec { own, ..agent() }) };
    let (report, _) = run(&plan, centre, |_, _| vec![]);
    assert!(report.agents[0].registered && report.own_calls.is_empty(), "{report:#?}");
}

#[test]
fn a_caller_who_asked_for_it_answers_the_call_back_at_its_number_and_a_stranger_is_none() {
    let outside = UdpSocket::bind("127.0.0.4:0").unwrap().local_addr().unwrap();
    let centre = Centre::new();
    let callers = CallerMix {
        at_once: 1,
        at_most: Some(1),
        asks_for_callback: 1.0,
        patience: Span::ms(200, 200),
        thinks: Span::ms(100, 100),
        ..CallerMix::default()
    };
    let at_home = Outside { answer_after: Span::ms(50, 50), ..Outside::at(outside) };
    let plan = Plan { callers, outside: Some(at_home), drain_ms: 2_000, ..plan(&centre, agent()) };
    let mut number = String::new();
    let (report, seen) = run(&plan, centre, move |centre, output| match output {
        Output::Incoming { session, invite, .. } => {
            number = invite.caller.reveal().to_string();
            centre.seen.push("arrived".into());
            centre.asks = Some(*session);
            vec![Input::Answer { session: *session, sdp: centre.listening() }]
        }
        Output::Ended { .. } if centre.seen == ["arrived"] => {
            centre.seen.push("calls back".into());
            centre.dial(&format!("sip:00{}@{outside}", number.trim_start_matches('+')), outside);
            centre.dial(&format!("sip:5559999999@{outside}"), outside);
            vec![]
        }
        Output::Answered { session, .. } => vec![Input::HangUp { session: *session, reason: None }],
        Output::Ended { .. } => {
            centre.seen.push("enough".into());
            vec![]
        }
        _ => vec![],
    });
    assert_eq!(report.count(Outcome::AskedForCallback), 1, "{report:#?} {seen:?}");
    let back: Vec<Option<&str>> = report.called.iter().map(|c| c.called_back.as_deref()).collect();
    assert!(back.contains(&Some(report.calls[0].call_id.as_str())) && back.contains(&None), "{:#?}", report.called);
    assert!(report.called.iter().all(|c| c.answered && c.wait_ms.is_none()), "there was nobody to be heard");
    assert_eq!(report.called_back(), 0);
}

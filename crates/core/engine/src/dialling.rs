//! Legs that we dial: to each phone of an agent, or to a number through a trunk.

use crate::call::Call;
use crate::centre::Centre;
use crate::leg::{Leg, Purpose};
use base::{AgentId, CallId, LegId, Pii};
use sip::sdp::AudioCodec;
use sip::{Dial, Reason};
use site::{Login, Phone};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// No answer at all within this: unreachable (calls.md line 3).
const PROVISIONAL_WITHIN: Duration = Duration::from_secs(4);

/// What a phone that rings shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub display: Pii<Arc<str>>,
    pub user: Pii<Arc<str>>,
}

/// A leg to be dialled, and the codecs that it is offered.
pub(crate) struct Dialled {
    dial: Dial,
    codecs: Vec<AudioCodec>,
    /// The port that it shares with others; else it takes one of its own.
    shared: Option<u16>,
}

/// Where a leg goes.
struct Way {
    codecs: Vec<AudioCodec>,
    shared: Option<u16>,
    uri: Arc<str>,
    flow: sip::Flow,
    credential: Option<sip::DialCredential>,
    auto_answer: bool,
    /// Branches that may follow from it: a phone is the end.
    breadth: usize,
}

impl Centre {
    /// One way for each phone of the agent.
    pub(crate) fn dials(&mut self, id: CallId, agent: &AgentId, shown: &Shown) -> Vec<Dialled> {
        let Some(entry) = self.setup.site.agents.get(agent).cloned() else { return Vec::new() };
        let auto_answer = entry.auto_answer;
        let codecs = self.setup.site.codecs_of_agent(agent).to_vec();
        let ways: Vec<Way> = match &entry.phone {
            Phone::Registered(c) => {
                let bindings = self.sip.bindings(&c.user).iter();
                bindings
                    .map(|b| (b.contact.clone(), b.flow))
                    .map(|(uri, flow)| Way {
                        uri,
                        flow,
                        credential: None,
                        auto_answer,
                        breadth: 1,
                        codecs: codecs.clone(),
                        shared: None,
                    })
                    .collect()
            }
            Phone::Address { uri, addr, login } => {
                let (uri, credential) = (uri.as_str().into(), login.as_ref().map(credential));
                vec![Way { uri, flow: self.towards(*addr), credential, auto_answer, breadth: 1, codecs, shared: None }]
            }
        };
        ways.into_iter().map(|way| self.dial(id, way, shown)).collect()
    }

    /// The way to a number, by this trunk. `None` if calls don't leave by it.
    pub(crate) fn dial_number(&mut self, id: CallId, trunk: &str, number: &str, shown: &Shown) -> Option<Dialled> {
        let setup = self.setup.clone();
        let trunk = setup.site.trunk(trunk)?;
        let address = trunk.address?;
        // What an agent dials must not become another part of the request line.
        let number: String = number.chars().filter(|c| c.is_ascii_alphanumeric() || "+*#-._".contains(*c)).collect();
        let uri = format!("sip:{}@{address}", number.replace('#', "%23")).into();
        let credential = trunk.login.as_ref().map(credential);
        let call = self.calls.get(&id);
        let breadth = call.map_or(1, Call::breadth_left).max(1);
        let shared = self.shared_port(&trunk.name);
        let codecs = setup.site.codecs_of_trunk(&trunk.name, call.map(|call| &call.tenant)).to_vec();
        Some(self.dial(
            id,
            Way { uri, flow: self.towards(address), credential, auto_answer: false, breadth, codecs, shared },
            shown,
        ))
    }

    fn towards(&self, remote: SocketAddr) -> sip::Flow {
        let local = self.boot.towards.get(&remote.ip()).copied().unwrap_or(self.boot.sip.ip());
        let local = SocketAddr::new(local, self.boot.sip.port());
        sip::Flow { transport: sip::Transport::Udp, local, remote, connection: 0 }
    }

    fn dial(&mut self, id: CallId, way: Way, shown: &Shown) -> Dialled {
        // A phone behind a switch that sends the call back to us must not make a circle without end (RFC 7332).
        let hops = self.calls.get(&id).map_or(0, |c| c.max_forwards);
        let call_header: Arc<str> = id.to_string().into();
        let dial = Dial {
            uri: way.uri,
            flow: way.flow,
            call_id: format!("{}{}", self.random.token(), self.random.token()).into(),
            from_display: shown.display.clone(),
            from_user: shown.user.clone(),
            sdp: bytes::Bytes::new(),
            credential: way.credential,
            provisional_within: PROVISIONAL_WITHIN,
            withheld: false,
            auto_answer: way.auto_answer,
            headers: vec![
                ("X-Centralita-Call".into(), call_header),
                ("Max-Forwards".into(), hops.to_string().into()),
                ("Max-Breadth".into(), way.breadth.to_string().into()),
            ],
        };
        Dialled { dial, codecs: way.codecs, shared: way.shared }
    }

    /// Opens a port for each; the INVITEs follow. How many phones there will be, at most one for each dial.
    pub(crate) fn start_dialling(&mut self, id: CallId, purpose: &Purpose, dials: Vec<Dialled>) -> u16 {
        let room = self.calls.get(&id).map_or(0, Call::breadth_left);
        let mut started = 0;
        for Dialled { dial, codecs, shared } in dials.into_iter().take(room) {
            let Some(leg) = self.calls.get_mut(&id).and_then(Call::next_leg) else { break };
            let Some(port) = shared.or_else(|| self.ports.take()) else { break };
            let Some(call) = self.calls.get_mut(&id) else { break };
            let flow = dial.flow;
            let mut state = Leg::new(leg, purpose.clone(), dial.call_id.clone(), flow);
            state.dial = Some(Box::new(dial));
            state.codecs = codecs;
            call.legs.insert(leg, state);
            self.open(leg, flow, port);
            started += 1;
        }
        started
    }

    /// The port is there: the INVITE goes out.
    pub(crate) fn invite(&mut self, leg: LegId) {
        let session = self.sip.new_session();
        let heard = self.calls.get(&leg.call).and_then(|call| call.codec_beside(leg));
        let Some(state) = self.leg_mut(leg) else { return };
        let (Some(mut dial), Some(local)) = (state.dial.take(), state.local.as_mut()) else { return };
        // What both speak is passed on untouched.
        heard.into_iter().for_each(|codec| local.prefer(codec));
        dial.sdp = sip::sdp::offer(local);
        state.session = Some(session);
        let purpose = state.purpose.clone();
        self.sessions.insert(session, leg);
        self.tell_sip(sip::Input::Invite { session, dial });
        if let Purpose::Offer(offer) = purpose {
            self.offer_sent(offer);
        }
    }

    /// Hangs up one leg, frees its port and forgets it.
    pub(crate) fn drop_leg(&mut self, leg: LegId, reason: Option<Reason>) {
        let Some(state) = self.leg_mut(leg) else { return };
        if let Some(session) = state.session.take() {
            self.tell_sip(sip::Input::HangUp { session, reason });
        }
        self.channels.give(leg);
        self.close_media(leg);
        let Some(call) = self.calls.get_mut(&leg.call) else { return };
        call.legs.remove(&leg);
        call.heard.remove(&leg);
        call.keys_in_audio.remove(&leg);
        call.customer = call.customer.filter(|customer| *customer != leg);
    }
}

fn credential(login: &Login) -> sip::DialCredential {
    sip::DialCredential {
        realm: login.realm.as_str().into(),
        username: login.user.as_str().into(),
        password: Pii::new(login.password.reveal().as_str().into()),
    }
}

pub(crate) fn completed_elsewhere() -> Reason {
    Reason { protocol: "SIP".into(), cause: 200, text: "Call completed elsewhere".into() }
}

impl Call {
    /// The codec of whom a new leg will hear, as far as known: of the customer, or of whoever is there instead.
    fn codec_beside(&self, leg: LegId) -> Option<AudioCodec> {
        let others = || self.legs.values().filter(|other| other.id != leg);
        let customer = others().find(|other| Some(other.id) == self.customer && other.audio.is_some());
        customer.or_else(|| others().find(|other| other.up && other.audio.is_some()))?.audio.as_ref().map(|audio| audio.codec)
    }

    /// Branches that may still be opened beside those that are not answered yet (RFC 5393 5.3.3).
    fn breadth_left(&self) -> usize {
        let open = self.legs.values().filter(|leg| !leg.inbound && !leg.up).count();
        self.max_breadth.saturating_sub(open)
    }
}

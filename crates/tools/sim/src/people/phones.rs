//! Agents' phones: lines that register, ring, dial, vanish and come back.

use super::Leg;
use super::register::Registration;
use crate::dice::Dice;
use crate::wire::Line;
use base::{AgentId, Instant, Pii};
use sip::sdp::{self, Local};
use sip::{Dial, DialCredential, SessionId};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Agents by their phones, in order; who has two is here twice. A phone at a fixed address has nothing to register.
const PHONES: [(&str, bool); 10] = [
    ("acme/a0", true),
    ("acme/a0", true),
    ("acme/a1", true),
    ("acme/a2", false),
    ("acme/a3", true),
    ("acme/a4", true),
    ("acme/a5", true),
    ("globex/g0", true),
    ("globex/g1", false),
    ("globex/g2", true),
];

pub struct Phone {
    pub number: u8,
    pub agent: AgentId,
    pub line: Line,
    /// `None`: it has a fixed address.
    pub registration: Option<Registration>,
    /// Until then nothing reaches it and nothing leaves it.
    pub gone_until: Instant,
    pub legs: BTreeMap<SessionId, Leg>,
    /// How often it rang, dialled, and did something as a phone.
    pub rung: u32,
    pub dialled: u32,
    pub acts: u32,
    ports: u16,
}

/// Every phone of the site.
pub fn all(dice: &mut Dice) -> Vec<Phone> {
    let lease = dice.percent(30).then_some(90);
    let phone = |(n, (agent, registers)): (usize, &(&str, bool))| {
        let agent: AgentId = agent.parse().expect("an agent's id");
        let number = n as u8;
        Phone {
            number,
            line: Line::new(SocketAddr::from(([10, 0, 2, number], 5060)), lease),
            registration: registers.then(|| Registration::new(agent.name(), dice)),
            agent,
            gone_until: Instant::ZERO,
            legs: BTreeMap::new(),
            rung: 0,
            dialled: 0,
            acts: 0,
            ports: 0,
        }
    };
    PHONES.iter().enumerate().map(phone).collect()
}

/// Whose phone is at this address.
pub fn owner(address: SocketAddr) -> Option<AgentId> {
    let number = (0..PHONES.len()).find(|n| SocketAddr::from(([10, 0, 2, *n as u8], 5060)) == address)?;
    PHONES[number].0.parse().ok()
}

/// Whose phone sends audio from there.
pub fn speaks_at(address: SocketAddr) -> Option<AgentId> {
    owner(SocketAddr::new(address.ip(), 5060))
}

impl Phone {
    /// Whose it is, and which of several.
    pub fn name(&self) -> String {
        format!("{}'s phone {}", self.agent.name(), self.number)
    }

    pub fn counts(counter: &mut u32) -> u32 {
        *counter += 1;
        *counter
    }

    fn local(&mut self, dice: &mut Dice) -> Local {
        self.ports = (self.ports + 1) % 5_000;
        Local::new(self.line.address.ip(), 40_000 + 2 * self.ports, dice.below(1 << 40))
    }

    /// A call rings it.
    pub fn begin(&mut self, session: SessionId, invite: &sip::IncomingInvite, dice: &mut Dice) {
        let local = self.local(dice);
        let offer = invite.offer.as_deref().unwrap_or_default().to_vec();
        self.legs.insert(session, Leg::new(local, offer, &invite.call_id));
    }

    /// Where the plane sends this leg's audio.
    pub fn rtp(&self, session: SessionId) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.line.address.ip(), self.legs.get(&session)?.local.port))
    }

    /// Dials with the agent's credential; without a registration nobody would believe it.
    pub fn dial(&mut self, number: &str, dice: &mut Dice) -> Option<(SessionId, sip::Input)> {
        self.registration.as_ref()?;
        let user = self.agent.name().to_string();
        let local = self.local(dice);
        let session = self.line.endpoint.new_session();
        let call_id = dice.token();
        let credential = DialCredential {
            realm: "sim".into(),
            username: user.as_str().into(),
            password: Pii::new(format!("secret-{user}").into()),
        };
        let dial = Dial {
            uri: format!("sip:{number}@10.0.0.1:5060").into(),
            flow: self.line.flow(),
            call_id: call_id.as_str().into(),
            from_display: Pii::default(),
            from_user: Pii::new(user.into()),
            sdp: sdp::offer(&local),
            credential: Some(credential),
            provisional_within: Duration::from_secs(4),
            withheld: false,
            auto_answer: false,
            headers: Vec::new(),
        };
        self.legs.insert(session, Leg::new(local, Vec::new(), &call_id));
        Some((session, sip::Input::Invite { session, dial: Box::new(dial) }))
    }

    /// The phone's other call beside this one.
    pub fn other(&self, session: SessionId) -> Option<SessionId> {
        self.legs.keys().rev().copied().find(|other| *other != session)
    }
}

//! Agents' phones: they answer, let it ring, refuse, vanish, register and come back.

use crate::dice::Dice;
use crate::line::Line;
use crate::register::Registration;
use base::{AgentId, Instant, Pii};
use sip::sdp::{self, Direction, Local};
use sip::{Dial, DialCredential, SessionId};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub struct Phone {
    pub agent: AgentId,
    pub line: Line,
    /// `None`: it has a fixed address.
    pub registration: Option<Registration>,
    /// Until then nothing reaches it and nothing leaves it.
    pub gone_until: Instant,
    legs: BTreeMap<SessionId, (Local, Vec<u8>)>,
}

/// What a phone does about a call.
pub enum Plan {
    Ring,
    Answer,
    Refuse(u16),
    Hold(bool),
    HangUp,
}

/// Every phone of the site.
pub fn all(dice: &mut Dice) -> Vec<Phone> {
    let agents = ["acme/a0", "acme/a1", "acme/a2", "acme/a3", "globex/g0", "globex/g1"];
    let fixed = |agent: &str| agent.ends_with("a3") || agent.ends_with("g1");
    let phone = |(n, agent): (usize, &&str)| {
        let address = SocketAddr::from(([10, 0, 2, n as u8], 5060));
        let id: AgentId = agent.parse().expect("an agent's id");
        let registration = (!fixed(agent)).then(|| Registration::new(id.name(), dice));
        Phone { agent: id, line: Line::new(address), registration, gone_until: Instant::ZERO, legs: BTreeMap::new() }
    };
    agents.iter().enumerate().map(phone).collect()
}

impl Phone {
    /// It rings: what the agent will do.
    pub fn rung(&mut self, session: SessionId, offer: Option<&[u8]>, dice: &mut Dice) -> Vec<(Duration, Plan)> {
        let rtp = 40_000 + 2 * dice.below(5_000) as u16;
        let local = Local::new(self.line.address.ip(), rtp, dice.below(1 << 40));
        self.legs.insert(session, (local, offer.unwrap_or_default().to_vec()));
        let pause = dice.millis(20, 900);
        match dice.below(100) {
            0..62 => {
                let answer = pause + dice.millis(50, 7_000);
                vec![(pause, Plan::Ring), (answer, Plan::Answer), (answer + dice.seconds(1, 45), Plan::HangUp)]
            }
            62..76 => vec![(pause, Plan::Ring)],
            76..82 => vec![(pause, Plan::Refuse(486))],
            82..87 => vec![(pause, Plan::Ring), (pause + dice.seconds(1, 4), Plan::Refuse(603))],
            87..90 => vec![(pause, Plan::Refuse(302))],
            90..93 => vec![(pause, Plan::Refuse(503))],
            93..97 => {
                let hold = pause + dice.seconds(3, 9);
                let resume = hold + dice.seconds(1, 9);
                vec![(pause, Plan::Answer), (hold, Plan::Hold(true)), (resume, Plan::Hold(false)), (resume * 2, Plan::HangUp)]
            }
            _ => Vec::new(),
        }
    }

    pub fn act(&mut self, session: SessionId, plan: &Plan) -> Option<sip::Input> {
        let (local, offer) = self.legs.get_mut(&session)?;
        Some(match plan {
            Plan::Ring => sip::Input::Ring { session, status: 180, sdp: None },
            Plan::Answer => sip::Input::Answer { session, sdp: sdp::answer(offer, local).ok()?.0 },
            Plan::Refuse(status) => {
                let refusal = sip::Refusal { status: *status, phrase: None, reason: None, retry_after: None };
                sip::Input::Reject { session, refusal }
            }
            Plan::Hold(held) => {
                local.version += 1;
                local.direction = if *held { Direction::SendOnly } else { Direction::SendRecv };
                sip::Input::Reoffer { session, sdp: sdp::offer(local) }
            }
            Plan::HangUp => sip::Input::HangUp { session, reason: None },
        })
    }

    pub fn agree(&mut self, session: SessionId, offer: Option<&[u8]>) -> Option<sip::Input> {
        let (local, _) = self.legs.get_mut(&session)?;
        local.version += 1;
        let sdp = offer.map_or(Some(sdp::offer(local)), |offer| Some(sdp::answer(offer, local).ok()?.0))?;
        Some(sip::Input::AnswerReoffer { session, sdp })
    }

    pub fn forget(&mut self, session: SessionId) {
        self.legs.remove(&session);
    }

    /// Dials a feature code, which the centre believes only with a password.
    pub fn dial(&mut self, code: &str, dice: &mut Dice) -> Option<(SessionId, sip::Input)> {
        self.registration.as_ref()?;
        let user = self.agent.name().to_string();
        let local = Local::new(self.line.address.ip(), 39_000, dice.below(1 << 40));
        let session = self.line.endpoint.new_session();
        let credential = DialCredential {
            realm: "sim".into(),
            username: user.as_str().into(),
            password: Pii::new(format!("secret-{user}").into()),
        };
        let dial = Dial {
            uri: format!("sip:{code}@10.0.0.1:5060").into(),
            flow: self.line.flow(),
            call_id: dice.token().into(),
            from_display: Pii::default(),
            from_user: Pii::new(user.into()),
            sdp: sdp::offer(&local),
            credential: Some(credential),
            provisional_within: Duration::from_secs(4),
            withheld: false,
            auto_answer: false,
            headers: Vec::new(),
        };
        self.legs.insert(session, (local, Vec::new()));
        Some((session, sip::Input::Invite { session, dial: Box::new(dial) }))
    }
}

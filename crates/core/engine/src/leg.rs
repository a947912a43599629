//! One dialog and its media, and what it is for in its call.
//!
//! ```text
//!  dialled by us:   Open port ─ Opened ─▶ INVITE ─ 180, 183 (early) ─▶ 200 ─▶ (awaits a key) ─▶ up
//!  came to us:      Open port ─ Opened ─▶ 180, 183 (early) or at once ─▶ 200 ─▶ up
//! ```

use crate::party::Errand;
use base::{AgentId, LegId, OfferId, QueueId};
use bytes::Bytes;
use sip::SessionId;
use sip::sdp::AudioCodec;
use std::sync::Arc;

pub struct Leg {
    pub id: LegId,
    pub purpose: Purpose,
    pub session: Option<SessionId>,
    /// The peer called us.
    pub inbound: bool,
    pub sip_call_id: Arc<str>,
    pub flow: sip::Flow,
    pub media: Media,
    /// What it may be offered and answered, the preferred one first.
    pub codecs: Vec<AudioCodec>,
    pub local: Option<sip::sdp::Local>,
    /// What was negotiated, once it was.
    pub audio: Option<sip::sdp::Audio>,
    /// The peer's offer, until it is answered.
    pub offer: Option<Bytes>,
    /// Our answer to it, said in a 183 before the 200: both say the same (RFC 3261 13.2.1).
    pub said: Option<Bytes>,
    /// Of a leg that we dial, until its port is open.
    pub dial: Option<Box<sip::Dial>>,
    /// It was answered, and takes part in the call.
    pub up: bool,
    /// Whoever is rung must press a key before the call is theirs: a voicemail presses none.
    pub awaits_key: bool,
    /// It has pressed a key by INFO.
    pub informs: bool,
    /// Ports tried so far.
    pub tries: u8,
    /// The agent whose conversation it last was, and of which queue.
    pub spoke: Option<(AgentId, Option<QueueId>)>,
}

/// What a leg is for. It changes as the call goes on: whoever was rung becomes the agent, or a third.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Who called, or was called: the agent's counterpart. Also an agent's phone that dialled a feature code.
    Customer,
    /// One of the phones of an agent who is offered the call.
    Offer(OfferId),
    /// Rung for an errand of the call's.
    Reached(Errand),
    /// The phone of the agent in conversation, or of one who makes a call.
    Agent,
    /// The agent's phone a second time: the dialog in which it consults.
    Second,
    /// Who is consulted, takes part, or has the call outside the centre.
    Third,
    Monitor(AgentId),
    /// Another phone of the agent that takes the conversation's line over.
    Replacing,
    /// The agent passed the call on by REFER; what is left is to say how that went.
    Leaving,
}

/// A leg's port: `Opening → Open → Closed`; `Closed` also when it never opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Opening(u16),
    Open(u16),
    Closed,
}

impl Leg {
    /// A leg whose port is being opened, with the usual codecs.
    pub fn new(id: LegId, purpose: Purpose, sip_call_id: Arc<str>, flow: sip::Flow) -> Self {
        Leg {
            id,
            purpose,
            session: None,
            inbound: false,
            sip_call_id,
            flow,
            media: Media::Closed,
            codecs: AudioCodec::USUAL.to_vec(),
            local: None,
            audio: None,
            offer: None,
            said: None,
            dial: None,
            up: false,
            awaits_key: false,
            informs: false,
            tries: 1,
            spoke: None,
        }
    }

    /// The peer has us on hold: it does not want to hear us.
    pub fn on_hold(&self) -> bool {
        self.audio.as_ref().is_some_and(|audio| !audio.send)
    }

    /// It sends audio before it is answered: an announcement, or the ringing of a network.
    pub fn is_early(&self) -> bool {
        !self.up && self.audio.is_some() && matches!(self.purpose, Purpose::Reached(_)) && !self.awaits_key
    }
}

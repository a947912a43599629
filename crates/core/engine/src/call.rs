//! A call and what it is made of: legs, offers, a conversation. Data only; who changes it is named at each field.

use crate::Place;
use base::fact::{About, Direction};
use base::{
    AgentId, CallId, Cause, ConversationId, Instant, Lang, LegId, Now, OfferId, PartyId, Pii, QueueId, RecordingId, Tenant,
    VisitId,
};
use sip::SessionId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One customer contact (or one feature code dialled by an agent), from INVITE to its end.
pub struct Call {
    pub id: CallId,
    pub tenant: Tenant,
    pub direction: Direction,
    pub trunk: Arc<str>,
    /// The number dialled.
    pub number: Arc<str>,
    pub caller: Pii<Arc<str>>,
    pub party: Option<PartyId>,
    pub lang: Option<Lang>,
    pub arrived: Now,
    pub place: Place,
    pub since: Now,
    /// Facts written about this call.
    pub rev: u32,
    /// The caller's leg.
    pub leg: Leg,
    pub answered: bool,
    /// The flow, once answered. It stays suspended while the call is in a queue or with an agent.
    pub flow: Option<ivr::Interpreter>,
    /// An agent's feature code, applied when answered.
    pub ask: Option<(AgentId, acd::Ask)>,
    pub visit: Option<Visit>,
    pub visits: u16,
    /// Since when the caller waits for an agent, from the first queue on; and how long before that, if an agent was lost.
    pub waiting_since: Option<Now>,
    pub waited: Duration,
    /// Hops that the call may still take (RFC 3261 16.6).
    pub max_forwards: u8,
    pub offers: BTreeMap<OfferId, Offer>,
    pub agent_legs: BTreeMap<LegId, AgentLeg>,
    pub conversation: Option<Conversation>,
    pub legs: u16,
    pub conversations: u16,
    /// When the place ends by itself, if the Centre (not a core below it) has to see to that.
    pub deadline: Option<Instant>,
    /// Set when the call is over and only its last fact is missing.
    pub ending: Option<Cause>,
}

/// One dialog and its media.
pub struct Leg {
    pub id: LegId,
    pub session: Option<SessionId>,
    pub sip_call_id: Arc<str>,
    pub flow: sip::Flow,
    pub media: Media,
    pub local: Option<sip::sdp::Local>,
    /// What was negotiated, once it was.
    pub audio: Option<sip::sdp::Audio>,
    /// The peer's offer, until the port is open.
    pub offer: Option<bytes::Bytes>,
    /// Ports tried so far.
    pub tries: u8,
}

/// A leg's port: `Opening → Open → Closed`; `Closed` also when it never opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Opening(u16),
    Open(u16),
    Closed,
}

/// One entry into one queue, as the call knows it; the ACD owns its place.
pub struct Visit {
    pub id: VisitId,
    pub queue: QueueId,
}

/// One agent asked, over as many legs as the agent has phones.
pub struct Offer {
    pub agent: AgentId,
    pub queue: QueueId,
    pub sent: bool,
    /// Legs that may still answer.
    pub open: u16,
    pub legs: u16,
    /// The most telling refusal so far.
    pub refusal: Option<acd::OfferResult>,
    pub winner: Option<LegId>,
}

/// A leg to one of an agent's phones.
pub struct AgentLeg {
    pub offer: OfferId,
    pub dial: Option<Box<sip::Dial>>,
    pub leg: Leg,
}

/// One agent's connected span.
pub struct Conversation {
    pub id: ConversationId,
    pub agent: AgentId,
    pub queue: QueueId,
    pub leg: LegId,
    pub since: Now,
    pub held_since: Option<Now>,
    pub held: Duration,
    /// The two legs are bridged (else one of them hears music).
    pub linked: bool,
    pub recording: Option<RecordingId>,
}

impl Call {
    /// What the next fact of this call carries.
    pub fn about(&mut self) -> About {
        self.rev += 1;
        self.identities()
    }

    /// The identities that each fact of this call carries, with its last `rev`.
    pub fn identities(&self) -> About {
        About {
            tenant: Some(self.tenant.clone()),
            call: Some(self.id),
            party: self.party,
            lang: self.lang,
            rev: self.rev,
            ..About::default()
        }
    }

    pub fn goes_to(&mut self, place: Place, now: Now) {
        if self.place != place {
            self.place = place;
            self.since = now;
        }
    }

    /// None when the numbers are used up, which takes 65,534 phones rung in vain.
    pub fn next_leg(&mut self) -> Option<LegId> {
        self.legs = self.legs.checked_add(1)?;
        Some(LegId { call: self.id, n: self.legs })
    }

    pub fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        if self.leg.id == id {
            return Some(&mut self.leg);
        }
        self.agent_legs.get_mut(&id).map(|a| &mut a.leg)
    }

    /// The agent's leg in the conversation.
    pub fn other_leg(&self) -> Option<&Leg> {
        let leg = self.conversation.as_ref()?.leg;
        self.agent_legs.get(&leg).map(|a| &a.leg)
    }
}

impl Leg {
    pub fn new(id: LegId, session: Option<SessionId>, sip_call_id: Arc<str>, flow: sip::Flow, port: u16) -> Self {
        Leg { id, session, sip_call_id, flow, media: Media::Opening(port), local: None, audio: None, offer: None, tries: 1 }
    }

    /// The peer has us on hold: it does not want to hear us.
    pub fn on_hold(&self) -> bool {
        self.audio.as_ref().is_some_and(|audio| !audio.send)
    }
}

impl Conversation {
    pub fn held_for(&self, now: Now) -> Duration {
        self.held + self.held_since.map_or(Duration::ZERO, |h| now.mono.since(h.mono))
    }
}

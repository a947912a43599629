//! A call and what it is made of: legs, offers, a conversation. Data only; who changes it is named at each field.

use crate::callback::Callback;
use crate::hears::Hears;
use crate::leg::{Leg, Purpose};
use crate::party::{Errand, Monitoring, Passing, Reach, Third};
use crate::pause::Pause;
use crate::voicemail::Voicemail;
use crate::{Decision, Place};
use base::fact::{About, Consent, Direction};
use base::{
    AgentId, CallId, Cause, ConversationId, Instant, Lang, LegId, Now, OfferId, PartyId, Pii, QueueId, RecordingId, Tenant,
    VisitId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// One customer contact, or one call of an agent's own, from its beginning to its end.
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
    /// How long it lasted in epochs before this one; `arrived.mono` is of this one.
    pub before: Duration,
    pub place: Place,
    pub since: Now,
    /// Facts written about this call.
    pub rev: u32,
    /// Every leg of it, whatever it is for.
    pub legs: BTreeMap<LegId, Leg>,
    /// The customer's; `None` while nobody is there whom an agent could speak with.
    pub customer: Option<LegId>,
    /// Whose phone the customer's is, if an agent's: one whom a colleague called. It stays when the call is passed on.
    pub counterpart: Option<AgentId>,
    /// It is past the door: its end is `call.ended`, no more `call.rejected`.
    pub begun: bool,
    /// The flow, once answered. It stays suspended while the call is in a queue or with an agent.
    pub flow: Option<ivr::Interpreter>,
    /// Of a call that an agent's phone or desk began.
    pub own: Option<Own>,
    pub visit: Option<Visit>,
    pub visits: u16,
    /// Since when the caller waits for an agent, from the first queue on; and how long before that, if an agent had it
    /// meanwhile.
    pub waiting_since: Option<Now>,
    pub waited: Duration,
    /// What the last queue was asked for.
    pub asked: Option<Asked>,
    /// The queue that a key led out of.
    pub left_queue: Option<QueueId>,
    /// What the caller said to being recorded.
    pub consent: Option<Consent>,
    /// The queues whose agents it was with: how they are recorded holds for what follows.
    pub answered_in: BTreeSet<QueueId>,
    /// Of its recording, over all of its conversations.
    pub pause: Option<Pause>,
    pub callback: Option<Callback>,
    pub voicemail: Option<Voicemail>,
    /// What the network says to us about the call (RFC 7433), for the ticket and the desk.
    pub user_to_user: Option<Pii<Arc<str>>>,
    /// Hops that the call may still take (RFC 3261 16.6).
    pub max_forwards: u8,
    /// Branches that may be open at once because of it (RFC 5393 5.3.3).
    pub max_breadth: usize,
    pub offers: BTreeMap<OfferId, Offer>,
    /// The last ones, the first of them first.
    pub decisions: Vec<Decision>,
    pub conversation: Option<Conversation>,
    pub reaches: BTreeMap<Errand, Reach>,
    pub third: Option<Third>,
    pub passing: Option<Passing>,
    pub monitors: BTreeMap<AgentId, Monitoring>,
    /// What the media plane was last told.
    pub heard: BTreeMap<LegId, Hears>,
    pub keys_in_audio: BTreeSet<LegId>,
    pub last_leg: u16,
    pub conversations: u16,
    /// When the place ends by itself, if the Centre (not a core below it) has to see to that.
    pub deadline: Option<Instant>,
    /// Of those who speak: over when nothing renews it.
    pub lease: Option<Instant>,
    /// Set when the call is over and only its last fact is missing.
    pub ending: Option<Cause>,
}

/// A call of an agent's own: a feature code, or to a colleague or a number.
pub struct Own {
    pub agent: AgentId,
    pub act: OwnAct,
}

pub enum OwnAct {
    /// Applied when answered.
    Ask(acd::Ask),
    /// Pause the recording of the agent's conversation, or go on with it; applied when answered.
    PauseRecording(bool),
    Call(crate::party::Party),
}

/// One entry into one queue, as the call knows it; the ACD owns its place.
pub struct Visit {
    pub id: VisitId,
    pub queue: QueueId,
}

/// What the flow asked of a queue.
#[derive(Clone)]
pub struct Asked {
    pub requires: base::Requirement,
    pub priority_s: i64,
}

/// One agent asked, over as many legs as the agent has phones.
pub struct Offer {
    pub agent: AgentId,
    pub queue: QueueId,
    /// The ACD's reason, until the fact is out.
    pub why: Option<Box<acd::Why>>,
    /// Legs that may still answer.
    pub open: u16,
    pub legs: u16,
    /// The most telling refusal so far.
    pub refusal: Option<acd::OfferResult>,
    pub winner: Option<LegId>,
}

/// One agent's connected span.
pub struct Conversation {
    pub id: ConversationId,
    pub agent: AgentId,
    /// `None`: the call never waited in one.
    pub queue: Option<QueueId>,
    pub leg: LegId,
    pub since: Now,
    /// Agent and customer are there, and the facts say so; not yet while the customer of a callback is dialled.
    pub begun: bool,
    /// The agent's own call, about which the ACD knows only that the agent is engaged.
    pub own: bool,
    pub held_since: Option<Now>,
    pub held: Duration,
    /// Consultations that are over.
    pub consulted: Duration,
    /// What the agent hears before the bridge, until it was heard.
    pub greeting: Option<u32>,
    pub recording: Option<Part>,
    /// Of the consultation.
    pub aside: Option<Part>,
    pub parts: u16,
}

/// A part of the conversation's recording, and whose voices are in it.
pub struct Part {
    pub id: RecordingId,
    pub left: Vec<LegId>,
    pub right: Vec<LegId>,
}

impl Call {
    /// A call that begins now, with nothing in it. `id.n` is its number.
    pub fn new(id: CallId, tenant: Tenant, direction: Direction, now: Now) -> Self {
        Call {
            id,
            tenant,
            direction,
            trunk: "".into(),
            number: "".into(),
            caller: Pii::default(),
            party: None,
            lang: None,
            arrived: now,
            before: Duration::ZERO,
            place: Place::Arriving,
            since: now,
            rev: 0,
            legs: BTreeMap::new(),
            customer: None,
            counterpart: None,
            begun: false,
            flow: None,
            own: None,
            visit: None,
            visits: 0,
            waiting_since: None,
            waited: Duration::ZERO,
            asked: None,
            left_queue: None,
            consent: None,
            answered_in: BTreeSet::new(),
            pause: None,
            callback: None,
            voicemail: None,
            user_to_user: None,
            max_forwards: 70,
            max_breadth: 60,
            offers: BTreeMap::new(),
            decisions: Vec::new(),
            conversation: None,
            reaches: BTreeMap::new(),
            third: None,
            passing: None,
            monitors: BTreeMap::new(),
            heard: BTreeMap::new(),
            keys_in_audio: BTreeSet::new(),
            last_leg: 0,
            conversations: 0,
            deadline: None,
            lease: None,
            ending: None,
        }
    }

    /// What the next fact of this call carries.
    pub fn about(&mut self) -> About {
        self.rev += 1;
        self.identities()
    }

    /// The identities that each fact of this call carries, with its last `rev`; of an agent's own call also whose it is.
    pub fn identities(&self) -> About {
        About {
            tenant: Some(self.tenant.clone()),
            call: Some(self.id),
            party: self.party,
            agent: self.own.as_ref().map(|own| own.agent.clone()),
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
        self.last_leg = self.last_leg.checked_add(1)?;
        Some(LegId { call: self.id, n: self.last_leg })
    }

    pub fn customer_leg(&self) -> Option<&Leg> {
        self.legs.get(&self.customer?)
    }

    /// The agent's leg in the conversation.
    pub fn agent_leg(&self) -> Option<&Leg> {
        self.legs.get(&self.conversation.as_ref()?.leg)
    }

    /// The dialog in which the agent's phone consults.
    pub fn second(&self) -> Option<&Leg> {
        self.legs.values().find(|leg| leg.purpose == Purpose::Second)
    }

    /// Legs that are rung for this errand.
    pub fn reached(&self, errand: &Errand) -> Vec<LegId> {
        let rung = |leg: &&Leg| matches!(&leg.purpose, Purpose::Reached(e) if e == errand);
        self.legs.values().filter(rung).map(|leg| leg.id).collect()
    }

    /// What the wait has been, all queues together.
    pub fn total_wait(&self, now: Now) -> Duration {
        self.waited + self.waiting_since.map_or(Duration::ZERO, |since| now.mono.since(since.mono))
    }

    /// When something of this call, and of none of its cores, falls due.
    pub fn due(&self) -> Option<Instant> {
        let flow = self.flow.as_ref().and_then(ivr::Interpreter::deadline);
        let reaches = self.reaches.values().map(|reach| reach.until).min();
        let pause = self.pause.as_ref().map(|pause| pause.until);
        [self.deadline, self.lease, reaches, pause, flow].into_iter().flatten().min()
    }
}

impl Conversation {
    /// One that begins now, with nothing but an agent in it.
    pub fn new(id: ConversationId, agent: AgentId, leg: LegId, now: Now) -> Self {
        Conversation {
            id,
            agent,
            queue: None,
            leg,
            since: now,
            begun: false,
            own: false,
            held_since: None,
            held: Duration::ZERO,
            consulted: Duration::ZERO,
            greeting: None,
            recording: None,
            aside: None,
            parts: 0,
        }
    }

    pub fn held_for(&self, now: Now) -> Duration {
        self.held + self.held_since.map_or(Duration::ZERO, |h| now.mono.since(h.mono))
    }
}

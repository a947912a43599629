//! The recordings that conversations owe: begun, whose voices are in them, and what the recorder says.

use crate::call::{Call, Part};
use crate::centre::Centre;
use crate::hears::together;
use crate::leg::Purpose;
use crate::party::Party;
use base::fact::{Direction, Kept, What};
use base::{CallId, ConversationId, LegId, Mutation, RecordingId, mutated};
use media::Command;
use std::time::Duration;

/// A part is hashed and synced to the disk at its end; a disk that stalls for longer is an alarm.
const CLOSED_WITHIN: Duration = Duration::from_secs(60);

impl Centre {
    /// Begins the conversation's recording, unless it has one or the policy wants none.
    pub(crate) fn record(&mut self, id: CallId) {
        if mutated(Mutation::RecordingNotOwed) {
            return;
        }
        let Some(call) = self.calls.get(&id).filter(|c| c.customer.is_some()) else { return };
        let Some(conversation) = call.conversation.as_ref().filter(|c| c.recording.is_none()) else { return };
        if self.ledger.knows(conversation.id) || !self.owes(id, conversation.id) {
            return;
        }
        let Some(call) = self.calls.get(&id) else { return };
        // It begins with both sides, also in a pause: of nobody it could not, and of one it would have one channel for good.
        let (left, mut right) = self.speakers(call);
        right.extend(call.conversation.as_ref().map(|c| c.leg).filter(|_| right.is_empty()));
        let (left_now, right_now) = if call.pauses() { Default::default() } else { (left.clone(), right.clone()) };
        if let Some(id_of_part) = self.record_part(id, left, right) {
            let part = Part { id: id_of_part, left: left_now, right: right_now };
            if let Some(conversation) = self.calls.get_mut(&id).and_then(|c| c.conversation.as_mut()) {
                conversation.recording = Some(part);
            }
            self.pause_goes_on(id);
            self.record_voices(id);
        }
    }

    /// Whether the policy wants the conversation recorded: asked once, and told.
    fn owes(&mut self, id: CallId, conversation: ConversationId) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let Some(decision) = self.asked(call).map(|asked| self.setup.site.recording.decide(&asked)) else { return false };
        if let Some(call) = self.calls.get_mut(&id) {
            let queue = call.conversation.as_ref().and_then(|c| c.queue.clone());
            call.answered_in.extend(queue);
        }
        let policy = decision.policy;
        match decision.excluded {
            None => {
                self.tell_ledger(recording::Input::Owed { conversation });
                self.conversation_fact(id, None, What::RecordingOwed { policy });
            }
            Some(reason) => {
                self.tell_ledger(recording::Input::Excluded { conversation, reason });
                self.conversation_fact(id, None, What::RecordingExcluded { reason, policy });
            }
        }
        decision.excluded.is_none()
    }

    /// What the policies are asked about the call's conversation.
    pub(crate) fn asked<'a>(&self, call: &'a Call) -> Option<recording::Asked<'a>> {
        let conversation = call.conversation.as_ref()?;
        Some(recording::Asked {
            kind: kind(call.direction),
            tenant: &call.tenant,
            agent: &conversation.agent,
            with: call.counterpart.as_ref().filter(|_| !mutated(Mutation::NoneForgotten)),
            queue: conversation.queue.as_ref(),
            before: &call.answered_in,
            consent: call.consent.filter(|_| call.conversations < 2 || !mutated(Mutation::RefusalForgotten)),
            draw: self.draw(if mutated(Mutation::ShareDrawnAnew) { anew(conversation.id) } else { call.id }),
        })
    }

    /// The number by which shares of calls are drawn.
    pub(crate) fn draw(&self, call: CallId) -> u16 {
        recording::draw(&self.boot.party_key, call)
    }

    /// One more part of the conversation's recording.
    pub(crate) fn record_part(&mut self, id: CallId, left: Vec<LegId>, right: Vec<LegId>) -> Option<RecordingId> {
        let start = self.now.wall.to_string();
        let call = self.calls.get_mut(&id)?;
        let sip_call_id = |leg: Option<&LegId>| leg.and_then(|l| call.legs.get(l)).map(|l| l.sip_call_id.clone());
        let sip_call_id_caller = sip_call_id(left.first()).unwrap_or_default();
        let sip_call_id_agent = sip_call_id(right.first()).unwrap_or_default();
        let mut about = call.identities();
        let (tenant, lang) = (call.tenant.as_str().into(), call.lang);
        let conversation = call.conversation.as_mut()?;
        conversation.parts += 1;
        let recording = RecordingId { conversation: conversation.id, n: conversation.parts };
        let sidecar = media::Sidecar {
            call: id,
            recording,
            tenant,
            queue: conversation.queue.as_ref().map(|q| q.as_str().into()),
            agent: conversation.agent.as_str().into(),
            lang,
            start: start.as_str().into(),
            sip_call_id_caller,
            sip_call_id_agent,
        };
        about.agent = Some(conversation.agent.clone());
        about.queue = conversation.queue.clone();
        about.conversation = Some(conversation.id);
        // Year, month and day of its beginning, in UTC: `2026/11/22/1-3-42.c1.p1`.
        let file = format!("{}/{recording}", start[..10].replace('-', "/"));
        self.owed.insert(recording, about);
        self.tell_ledger(recording::Input::Asked { recording });
        self.tell_media(Command::Record { recording, left, right, file: file.into(), sidecar: Box::new(sidecar) });
        if self.calls.get(&id).is_some_and(Call::pauses) {
            self.tell_media(Command::RecordLegs { recording, left: Vec::new(), right: Vec::new() });
        }
        Some(recording)
    }

    /// Both hear each other from now on: who is put on hold is recorded meanwhile, if the account wants that.
    pub(crate) fn record_waiting(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let wanted = self.setup.site.recording.account(&call.tenant).hold == recording::Hold::Audio;
        if let Some(recording) = call.recorded().filter(|_| wanted) {
            self.tell_media(Command::RecordWaiting { recording });
        }
    }

    /// Who speaks for the recording follows who takes part in the conversation.
    pub(crate) fn record_voices(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let (left, right) = if call.pauses() { Default::default() } else { self.speakers(call) };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(part) = call.conversation.as_mut().and_then(|c| c.recording.as_mut()) else { return };
        if (&part.left, &part.right) == (&left, &right) {
            return;
        }
        part.left.clone_from(&left);
        part.right.clone_from(&right);
        let recording = part.id;
        self.tell_media(Command::RecordLegs { recording, left, right });
    }

    /// Whose voices are in the conversation's recording, unless it pauses: the customer's on the left; on the right those
    /// of the agent and of whoever joined and may be recorded. What the agent says in a consultation is not the customer's
    /// conversation.
    fn speakers(&self, call: &Call) -> (Vec<LegId>, Vec<LegId>) {
        let left = call.customer.into_iter().collect();
        let Some(agent) = call.conversation.as_ref().map(|c| c.leg) else { return (left, Vec::new()) };
        let together = together(call);
        let customer_is_in = call.customer.is_some_and(|customer| together.contains(&customer));
        if !customer_is_in {
            let consults = call.third.is_some();
            return (left, if consults { Vec::new() } else { vec![agent] });
        }
        let joins = !self.third_forbids(call);
        let speaks = |leg: &LegId| match call.legs.get(leg).map(|l| &l.purpose) {
            Some(Purpose::Agent | Purpose::Second) => true,
            Some(Purpose::Third) => joins,
            _ => false,
        };
        (left, together.into_iter().filter(speaks).collect())
    }

    /// Whoever is consulted or joined is an agent whose word, or whose queue's, is that nothing of it is recorded.
    pub(crate) fn third_forbids(&self, call: &Call) -> bool {
        let Some(third) = call.third.as_ref() else { return false };
        let agent = if let Party::Agent(agent) = &third.to { Some(agent) } else { None };
        self.setup.site.recording.forbids(agent, third.from.as_ref()) && !mutated(Mutation::NoneForgotten)
    }

    pub(crate) fn stop_recording(&mut self, recording: RecordingId) {
        self.tell_media(Command::StopRecording { recording });
        self.tell_ledger(recording::Input::Stopping { recording });
        if self.owed.contains_key(&recording) {
            self.closed_by.insert(recording, self.now.mono + CLOSED_WITHIN);
        }
    }

    /// The recorder committed frames of these.
    pub(crate) fn on_recorder_alive(&mut self, grew: &[RecordingId]) {
        grew.iter().for_each(|recording| self.tell_ledger(recording::Input::Grew { recording: *recording }));
    }

    pub(crate) fn on_ledger(&mut self, output: recording::Output) {
        match output {
            recording::Output::Alarm { recording, alarm } => {
                self.recording_fact(recording, What::RecordingAlarm { recording, alarm });
            }
            recording::Output::AlarmEnded { recording, alarm, lasted } => {
                let lasted_ms = lasted.as_millis() as u64;
                self.recording_fact(recording, What::RecordingAlarmEnded { recording, alarm, lasted_ms });
            }
        }
    }

    pub(crate) fn on_recording_started(&mut self, recording: RecordingId) {
        self.tell_ledger(recording::Input::Started { recording });
        self.recording_fact(recording, What::RecordingStarted { recording });
    }

    pub(crate) fn on_recording_closed(
        &mut self,
        id: RecordingId,
        file: &str,
        duration_ms: u64,
        sha256: &str,
        complete: bool,
        reason: &str,
    ) {
        let kept = if complete { Kept::Complete } else { Kept::Partial };
        self.tell_ledger(recording::Input::Closed { recording: id, kept });
        let what = What::RecordingStored {
            recording: id,
            file: file.into(),
            duration_ms,
            sha256: sha256.into(),
            kept,
            reason: (!complete).then(|| reason.to_string()),
        };
        self.recording_fact(id, what);
        self.message_closed(id, duration_ms);
        self.owed.remove(&id);
        self.closed_by.remove(&id);
    }

    pub(crate) fn on_recording_failed(&mut self, id: RecordingId, reason: &str) {
        self.tell_ledger(recording::Input::Failed { recording: id });
        self.recording_fact(id, What::RecordingFailed { recording: id, reason: reason.into() });
        self.messages.remove(&id);
        self.owed.remove(&id);
        self.closed_by.remove(&id);
    }

    /// The recorder was told to close a part and has not said that it did: an alarm, and the debt is settled as failed.
    pub(crate) fn give_up_on_recordings(&mut self) {
        let now = self.now.mono;
        let late: Vec<RecordingId> = self.closed_by.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for recording in late {
            self.on_recording_failed(recording, "the recorder did not close it");
        }
        self.settle();
    }

    pub(crate) fn recording_fact(&mut self, id: RecordingId, what: What) {
        let Some(about) = self.owed.get_mut(&id) else { return };
        // While its call lives the call counts; later facts count on from its last one.
        about.rev = self.calls.get_mut(&id.call()).map_or(about.rev + 1, |c| c.about().rev);
        let about = about.clone();
        self.count_on(id.call(), about.rev);
        self.fact(about, what);
    }

    /// The recordings and closing legs of a call whose facts count so far share its count.
    pub(crate) fn count_on(&mut self, call: base::CallId, rev: u32) {
        let legs = LegId { call, n: 0 }..=LegId { call, n: u16::MAX };
        self.closing.range_mut(legs).for_each(|(_, closing)| closing.about.rev = rev);
        let part = |n| RecordingId { conversation: ConversationId { call, n }, n };
        self.owed.range_mut(part(0)..=part(u16::MAX)).for_each(|(_, about)| about.rev = rev);
    }
}

/// A number for each conversation, as [`Mutation::ShareDrawnAnew`] has it.
fn anew(conversation: ConversationId) -> CallId {
    CallId { n: conversation.call.n.wrapping_mul(31).wrapping_add(conversation.n.into()), ..conversation.call }
}

/// By which policy a call goes that came to be this way.
pub(crate) fn kind(direction: Direction) -> recording::Kind {
    match direction {
        Direction::Incoming => recording::Kind::Caller,
        Direction::Outgoing => recording::Kind::Outbound,
        Direction::Internal | Direction::FeatureCode => recording::Kind::Internal,
    }
}

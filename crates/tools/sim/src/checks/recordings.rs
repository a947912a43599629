//! Recordings: each conversation that owes one has one that ends, once.

use super::{Checked, Seen, broken, must};
use base::fact::{About, Excluded, ResumedBy, What};
use base::{CallId, Cause, ConversationId, Instant, RecordingId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Default)]
pub struct Recordings {
    /// Conversations that began.
    begun: BTreeSet<ConversationId>,
    /// Conversations that owe a recording, and whether one came to its end.
    owed: BTreeMap<ConversationId, bool>,
    ended: BTreeSet<RecordingId>,
    /// Conversations of which it was told whether they owe one.
    decided: BTreeSet<ConversationId>,
    /// What callers said to being recorded.
    consent: BTreeMap<CallId, bool>,
    /// Of each call the largest share that left it out, and the smallest that took it, in per cent.
    drawn: BTreeMap<CallId, (f64, f64)>,
    alarms: BTreeSet<RecordingId>,
    paused: BTreeSet<RecordingId>,
    /// Those, and whose pause is over.
    ever_paused: BTreeSet<RecordingId>,
    /// Until when a call's recordings are silent, on the clock of that epoch.
    silent: BTreeMap<CallId, (u32, Instant)>,
}

impl Recordings {
    pub fn read(&mut self, seen: &Seen) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        match &fact.what {
            What::AgentLegConnected { .. } => {
                self.begun.extend(about.conversation);
                Ok(())
            }
            What::ConsentAccepted { .. } | What::ConsentRefused { .. } => {
                let given = matches!(fact.what, What::ConsentAccepted { .. });
                self.consent.extend(about.call.map(|call| (call, given)));
                Ok(())
            }
            What::RecordingOwed { policy } => {
                let conversation = self.decided(about)?;
                self.owed.insert(conversation, false);
                let refused = self.consent.get(&conversation.call) == Some(&false);
                must(!refused, "who refuses is not recorded", || conversation.to_string())?;
                self.drawn(conversation, policy, true)
            }
            What::RecordingExcluded { reason, policy } => {
                let conversation = self.decided(about)?;
                let refused = self.consent.get(&conversation.call) == Some(&false);
                let said = matches!(reason, Excluded::ConsentRefused | Excluded::NoConsent);
                must(said == refused, "only who refuses is left out for that", || conversation.to_string())?;
                match reason {
                    Excluded::Share => self.drawn(conversation, policy, false),
                    _ => Ok(()),
                }
            }
            What::RecordingPaused { recording, limit_ms, .. } => {
                self.paused.insert(*recording);
                self.ever_paused.insert(*recording);
                let until = fact.now.mono + Duration::from_millis(*limit_ms);
                self.silent.insert(recording.call(), (seen.logged.epoch, until));
                must(!self.ended.contains(recording), "only what lasts pauses", || recording.to_string())
            }
            What::RecordingResumed { recording, by, .. } => {
                if *by != ResumedBy::ConversationEnded {
                    self.silent.remove(&recording.call());
                }
                must(self.paused.remove(recording), "a pause ends once", || recording.to_string())
            }
            What::RecordingAlarm { recording, .. } => {
                must(!self.ended.contains(recording), "only what lasts stalls", || recording.to_string())?;
                must(self.alarms.insert(*recording), "an alarm is told once", || recording.to_string())
            }
            What::RecordingAlarmEnded { recording, .. } => {
                must(self.alarms.remove(recording), "an alarm ends once", || recording.to_string())
            }
            What::RecordingStarted { recording } => {
                must(!self.ended.contains(recording), "a recording begins once", || recording.to_string())?;
                let talks = self.begun.contains(&recording.conversation);
                let owed = self.owed.contains_key(&recording.conversation);
                must(owed || !talks, "what is recorded is owed", || recording.to_string())?;
                let silent = self.silent.get(&recording.call());
                let silent = silent.is_some_and(|(epoch, until)| *epoch == seen.logged.epoch && *until > fact.now.mono);
                let first = talks && recording.n == 1;
                // Of a slow recorder it is told late, perhaps after the conversation and its pause.
                let paused = self.ever_paused.contains(recording);
                must(!(silent && first) || paused, "a pause goes with the call", || recording.to_string())
            }
            What::RecordingStored { recording, .. } | What::RecordingFailed { recording, .. } => {
                must(self.ended.insert(*recording), "a recording ends once", || recording.to_string())?;
                // That of an epoch that died ends with it.
                self.paused.remove(recording);
                let forgotten = self.alarms.remove(recording) && about.cause != Some(Cause::NodeLost);
                must(!forgotten, "an alarm ends before its recording", || recording.to_string())?;
                if let Some(paid) = self.owed.get_mut(&recording.conversation) {
                    *paid = true;
                }
                Ok(())
            }
            What::VoicemailLeft { recording, .. } => {
                must(self.ended.contains(recording), "a message is stored first", || recording.to_string())
            }
            _ => Ok(()),
        }
    }

    /// It is said once of a conversation, which had begun.
    fn decided(&mut self, about: &About) -> Checked<ConversationId> {
        let Some(conversation) = about.conversation else { return broken("what is owed or excluded has a name", "") };
        must(self.begun.contains(&conversation), "what is owed or excluded had begun", || conversation.to_string())?;
        let new = self.decided.insert(conversation);
        must(new, "a conversation is owed or excluded, and once", || conversation.to_string())?;
        Ok(conversation)
    }

    /// A share takes the same calls each time, whoever asks, and a larger one takes them too.
    fn drawn(&mut self, conversation: ConversationId, policy: &str, taken: bool) -> Checked {
        let share = policy.rsplit_once(": ").and_then(|(_, rule)| rule.strip_suffix(" %")?.parse::<f64>().ok());
        let Some(share) = share else { return Ok(()) };
        let drawn = self.drawn.entry(conversation.call).or_insert((0.0, 1e9));
        if taken {
            drawn.1 = drawn.1.min(share);
        } else {
            drawn.0 = drawn.0.max(share);
        }
        let (left_out, took) = *drawn;
        must(left_out < took, "a call draws one number", || format!("{conversation}: not in {left_out} %, in {took} %"))
    }

    pub fn close(&self) -> Checked {
        if let Some(conversation) = self.begun.iter().find(|c| !self.decided.contains(c)) {
            return broken("each conversation owes a recording or is excluded", conversation);
        }
        match self.owed.iter().find(|(_, ended)| !**ended) {
            Some((conversation, _)) => broken("every conversation's recording ends", conversation),
            None => Ok(()),
        }
    }
}

//! Recordings: each conversation that owes one has one that ends, once.

use super::calls::Calls;
use super::{Checked, Seen, broken, must};
use base::fact::{Direction, What};
use base::{Cause, ConversationId, RecordingId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Recordings {
    /// Conversations that owe a recording, and whether one came to its end.
    owed: BTreeMap<ConversationId, bool>,
    ended: BTreeSet<RecordingId>,
    /// Conversations that owe none, as was told.
    excluded: BTreeSet<ConversationId>,
    alarms: BTreeSet<RecordingId>,
    paused: BTreeSet<RecordingId>,
}

impl Recordings {
    pub fn read(&mut self, seen: &Seen, calls: &Calls) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        match &fact.what {
            What::AgentLegConnected { .. } => {
                let direction = about.call.and_then(|call| calls.all.get(&call)).map(|call| call.direction);
                let account = about.tenant.as_ref().and_then(|tenant| seen.setup.site.accounts.get(tenant));
                let owes = match direction {
                    Some(Direction::Incoming) => true,
                    Some(Direction::Outgoing) => account.is_some_and(|a| a.record_outbound),
                    _ => false,
                };
                self.owed.extend(about.conversation.filter(|_| owes).map(|c| (c, false)));
                Ok(())
            }
            What::RecordingExcluded { .. } => {
                let Some(conversation) = about.conversation else { return broken("what is excluded has a name", "") };
                must(!self.owed.contains_key(&conversation), "what is owed is not excluded", || conversation.to_string())?;
                must(self.excluded.insert(conversation), "a conversation is excluded once", || conversation.to_string())
            }
            What::RecordingPaused { recording, .. } => {
                self.paused.insert(*recording);
                must(!self.ended.contains(recording), "only what lasts pauses", || recording.to_string())
            }
            What::RecordingResumed { recording, .. } => {
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
                must(!self.ended.contains(recording), "a recording begins once", || recording.to_string())
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

    pub fn close(&self) -> Checked {
        match self.owed.iter().find(|(_, ended)| !**ended) {
            Some((conversation, _)) => broken("every conversation's recording ends", conversation),
            None => Ok(()),
        }
    }
}

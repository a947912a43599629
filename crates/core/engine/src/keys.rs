//! Keys: by which way they come, and for whom they count.
//!
//! | they come as                            | where                                                        |
//! |-----------------------------------------|--------------------------------------------------------------|
//! | telephone-event (RFC 4733)              | the media plane reads them; in a conversation they pass through |
//! | SIP INFO                                | here; they end here                                          |
//! | tones (ITU-T Q.23)                      | the media plane hears them, of a leg without telephone-event whose keys count now and who never pressed one by INFO |
//!
//! They count where the caller is in the flow or waits, where somebody is to accept a call, and of a supervisor.

use crate::Place;
use crate::call::Call;
use crate::centre::Centre;
use crate::leg::{Leg, Purpose};
use crate::party::Errand;
use base::{AgentId, CallId, LegId, OfferId};
use media::Command;
use std::collections::BTreeSet;

/// What a key of a leg is for.
enum Use {
    Offer(OfferId),
    Reach(Errand),
    Supervision(AgentId),
    /// Any key ends the message.
    Message,
    Flow,
}

/// The legs whose audio is to be searched for keys.
pub fn in_audio(call: &Call) -> BTreeSet<LegId> {
    let mute = |leg: &&Leg| leg.audio.as_ref().is_some_and(|audio| audio.dtmf.is_none()) && !leg.informs;
    call.legs.values().filter(mute).filter(|leg| use_of(call, leg).is_some()).map(|leg| leg.id).collect()
}

fn use_of(call: &Call, leg: &Leg) -> Option<Use> {
    match (&leg.purpose, leg.awaits_key) {
        (Purpose::Offer(offer), true) => Some(Use::Offer(*offer)),
        (Purpose::Reached(errand), true) => Some(Use::Reach(errand.clone())),
        (Purpose::Monitor(supervisor), _) => Some(Use::Supervision(supervisor.clone())),
        (Purpose::Customer, _) if call.voicemail.is_some() => Some(Use::Message),
        (Purpose::Customer, _) if matches!(call.place, Place::Ivr | Place::Queue | Place::Offer) => Some(Use::Flow),
        _ => None,
    }
}

impl Centre {
    /// Tells the media plane in whose audio keys are to be heard from now on.
    pub(crate) fn hear_keys(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let wanted = in_audio(call);
        let before = std::mem::replace(&mut call.keys_in_audio, wanted.clone());
        let there = |leg: &LegId| call.legs.get(leg).is_some_and(|leg| leg.audio.is_some());
        let changed: Vec<LegId> = before.symmetric_difference(&wanted).copied().filter(there).collect();
        for leg in changed {
            self.tell_media(Command::HearKeys { leg, wanted: wanted.contains(&leg) });
        }
    }

    pub(crate) fn on_digit(&mut self, leg: LegId, key: char) {
        let Some(call) = self.calls.get(&leg.call) else { return };
        let Some(state) = call.legs.get(&leg) else { return };
        match use_of(call, state) {
            Some(Use::Offer(offer)) if key == '1' => self.take_offer(leg, offer),
            Some(Use::Reach(errand)) if key == '1' => self.take_reach(leg, errand),
            Some(Use::Supervision(supervisor)) => self.on_monitor_key(leg.call, supervisor, key),
            Some(Use::Message) => self.end_message(leg.call),
            Some(Use::Flow) => self.tell_flow(leg.call, ivr::Input::Key(key)),
            Some(Use::Offer(_) | Use::Reach(_)) | None => {}
        }
    }

    /// RFC 6086 bodies: `application/dtmf-relay` (`Signal=5`) and `application/dtmf` (the key alone). Some phones send the
    /// tones too: whoever presses by INFO is not listened to any more, or each key would count twice.
    pub(crate) fn on_info(&mut self, leg: LegId, content_type: &str, body: &[u8]) {
        let text = std::str::from_utf8(body).unwrap_or("");
        let signal = match content_type {
            "application/dtmf-relay" => text.lines().find_map(|l| {
                let (name, value) = l.split_once('=')?;
                name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
            }),
            "application/dtmf" => Some(text.trim()),
            _ => None,
        };
        let key = signal.and_then(|s| s.chars().next()).map(|c| c.to_ascii_uppercase());
        let Some(key) = key.filter(|k| matches!(k, '0'..='9' | '*' | '#' | 'A'..='D')) else { return };
        if let Some(state) = self.leg_mut(leg).filter(|leg| !leg.informs) {
            state.informs = true;
            self.hear_keys(leg.call);
        }
        self.on_digit(leg, key);
    }
}

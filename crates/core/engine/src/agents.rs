//! Agents from outside: their phones and their feature codes.

use crate::Output;
use crate::centre::Centre;
use base::{AgentId, AgentState, CallId, Cause, Lang, LegId};
use media::{Command, Sound};
use sip::Binding;
use site::Phone;
use speech::AgentNotice;
use std::sync::Arc;
use std::time::Duration;

/// A confirmation that was not heard to its end by then ends the call all the same.
const CONFIRMATION: Duration = Duration::from_secs(10);

impl Centre {
    pub(crate) fn on_registered(&mut self, user: Arc<str>, bindings: Vec<Binding>) {
        let reachable = !bindings.is_empty();
        if let Some(agent) = self.setup.agent_of_user(&user).cloned() {
            self.set_phone(&agent, reachable);
        }
        self.out.push(Output::Bindings { user, bindings });
    }

    /// Phones at a fixed address have nothing to register; the ACD may ring them from the start.
    pub(crate) fn phones_at_fixed_addresses(&mut self) {
        let setup = self.setup.clone();
        for (agent, entry) in &setup.site.agents {
            let there = match &entry.phone {
                Phone::Address { .. } => true,
                Phone::Registered(c) => !self.sip.bindings(&c.user).is_empty(),
            };
            if there {
                self.set_phone(agent, true);
            }
        }
    }

    fn set_phone(&mut self, agent: &AgentId, there: bool) {
        if there {
            self.phones.insert(agent.clone());
        } else {
            self.phones.remove(agent);
        }
        self.tell_reachable(agent);
    }

    /// Whoever has a phone, and no desk that is gone, may be rung.
    pub(crate) fn tell_reachable(&mut self, agent: &AgentId) {
        let reachable = self.phones.contains(agent) && !self.desks.is_gone(agent);
        let changed = if reachable { self.reachable.insert(agent.clone()) } else { self.reachable.remove(agent) };
        if changed {
            self.tell_acd(acd::Input::Reachable { agent: agent.clone(), reachable });
        }
    }

    /// An agent's phone dialled a feature code and was answered: do it, and say so.
    pub(crate) fn on_feature_code(&mut self, id: CallId, agent: AgentId, ask: acd::Ask) {
        let lang = self.setup.site.agents.get(&agent).map(|a| a.lang);
        let Some(leg) = self.confirms(id, &agent, lang) else { return };
        // Who acts on the phone needs no desk.
        self.forget_desk(&agent);
        let asked = ask.clone();
        self.refusal = None;
        self.tell_acd(acd::Input::AgentAsked { agent: agent.clone(), ask, cause: Cause::ByFeatureCode });
        self.settle();
        let refused = self.refusal.take().is_some();
        let view = self.acd.agent(&agent).filter(|_| !refused);
        let notice = view.map_or(AgentNotice::Refused, |agent| notice_of(&asked, &agent));
        let said = lang.and_then(|lang| speech::notice(lang, notice)).map(|phrase| Sound::Prompt(phrase.key().into()));
        let sounds = said.into_iter().collect();
        self.tell_media(Command::Play { leg, play: 1, sounds });
    }

    /// A feature code's call, for as long as its confirmation: the leg that hears it.
    pub(crate) fn confirms(&mut self, id: CallId, agent: &AgentId, lang: Option<Lang>) -> Option<LegId> {
        let until = self.now.mono + CONFIRMATION;
        let call = self.calls.get_mut(&id)?;
        let leg = call.customer?;
        call.lang = lang;
        call.deadline = Some(until);
        self.rearm(id);
        // The phone is in a call: nobody rings it meanwhile (calls.md line 6).
        self.engage(agent, id, acd::Work::FeatureCode);
        Some(leg)
    }
}

/// What the agent hears: what was asked for, if it is so now or is kept for the end of a call.
fn notice_of(ask: &acd::Ask, agent: &acd::AgentView) -> AgentNotice {
    let kept = agent.pending.as_ref() == Some(ask);
    match (ask, agent.state) {
        (acd::Ask::LogIn, state) if state != AgentState::LoggedOut => AgentNotice::LoggedIn,
        (acd::Ask::LogOut, state) if kept || state == AgentState::LoggedOut => AgentNotice::LoggedOut,
        (acd::Ask::Pause { .. }, state) if kept || state == AgentState::Paused => AgentNotice::Paused,
        (acd::Ask::Ready, state) if kept || !matches!(state, AgentState::LoggedOut | AgentState::Paused) => AgentNotice::Ready,
        (acd::Ask::WrapUp, _) => AgentNotice::WrapUp,
        (acd::Ask::Code { .. }, _) => AgentNotice::Coded,
        _ => AgentNotice::Refused,
    }
}

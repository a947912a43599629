//! Agents from outside: their phones, their feature codes, and requests through the API.

use crate::centre::Centre;
use crate::{Output, Reply, Request};
use base::fact::Direction;
use base::{AgentId, AgentState, CallId, Cause, LegId};
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
            self.set_reachable(agent, reachable);
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
                self.set_reachable(agent.clone(), true);
            }
        }
    }

    fn set_reachable(&mut self, agent: AgentId, reachable: bool) {
        let changed = if reachable { self.reachable.insert(agent.clone()) } else { self.reachable.remove(&agent) };
        if changed {
            self.tell_acd(acd::Input::Reachable { agent, reachable });
        }
    }

    pub(crate) fn on_asked(&mut self, number: u64, request: Request) {
        self.asking = Some(number);
        match request {
            Request::Agent { agent, ask } => self.on_agent_asked(agent, ask),
            Request::HangUp { call } if !self.calls.contains_key(&call) => {
                self.reply(Reply::Unknown { what: format!("call {call}").into() });
            }
            Request::HangUp { call } => self.end_call(call, Cause::Requested),
        }
        self.settle();
        self.reply(Reply::Done);
    }

    fn on_agent_asked(&mut self, agent: AgentId, ask: acd::Ask) {
        if !self.setup.site.agents.contains_key(&agent) {
            return self.reply(Reply::Unknown { what: format!("agent {agent}").into() });
        }
        self.tell_acd(acd::Input::AgentAsked { agent, ask, cause: Cause::Requested });
    }

    /// An agent's phone dialled a feature code and was answered: do it, and say so.
    pub(crate) fn on_feature_code(&mut self, id: CallId, agent: AgentId, ask: acd::Ask) {
        let lang = self.setup.site.agents.get(&agent).map(|a| a.lang);
        if let Some(call) = self.calls.get_mut(&id) {
            call.lang = lang;
            call.deadline = Some(self.now.mono + CONFIRMATION);
        }
        self.rearm(id);
        // The phone is in a call: nobody rings it meanwhile (calls.md line 6).
        self.tell_acd(acd::Input::Occupied { agent: agent.clone(), occupied: true });
        if let Some(call) = self.calls.get_mut(&id) {
            call.ask = Some((agent.clone(), ask.clone()));
        }
        let asked = ask.clone();
        self.tell_acd(acd::Input::AgentAsked { agent: agent.clone(), ask, cause: Cause::ByFeatureCode });
        self.settle();
        let notice = self.acd.agent(&agent).map_or(AgentNotice::Refused, |agent| notice_of(&asked, &agent));
        let said = lang.and_then(|lang| speech::notice(lang, notice)).map(|phrase| Sound::Prompt(phrase.key().into()));
        let sounds = said.into_iter().collect();
        self.tell_media(Command::Play { leg: LegId::caller(id), play: 1, sounds });
    }

    /// The feature code's call is over: its phone may ring again.
    pub(crate) fn free_phone(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.direction == Direction::FeatureCode && c.answered) else { return };
        if let Some((agent, _)) = call.ask.take() {
            self.tell_acd(acd::Input::Occupied { agent, occupied: false });
        }
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
        _ => AgentNotice::Refused,
    }
}

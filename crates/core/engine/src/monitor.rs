//! Supervisors who listen, whisper, barge in or take over. A supervisor's exit never ends a call, and monitoring
//! follows the call wherever it is passed on to (calls.md line 18).
//!
//! ```text
//!  asked ─▶ the supervisor's phone rings ─▶ listen ◀─▶ whisper ◀─▶ barge     (keys 4, 5, 6, or asked again)
//!  feature code and extension ─────────────────┘           │ key 7
//!                                                          ▼
//!                                     the conversation is the supervisor's, the agent is free
//! ```

use crate::centre::Centre;
use crate::conversation::OWN_PLAYS;
use crate::hears::Hears;
use crate::leg::Purpose;
use crate::party::{Errand, Monitoring, Party};
use acd::Work;
use base::fact::{About, Monitor, What};
use base::{AgentId, AgentState, CallId, Cause, LegId};
use media::{Command, Sound, Tone};
use speech::AgentNotice;
use std::sync::Arc;

impl Centre {
    pub(crate) fn monitor(&mut self, id: CallId, supervisor: AgentId, mode: Monitor, who: Arc<str>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.monitors.contains_key(&supervisor) {
            return self.monitor_mode(id, &supervisor, mode);
        }
        call.monitors.insert(supervisor.clone(), Monitoring { who, mode, since: None });
        let shown = self.shown_to_agent(id);
        self.reach(id, Errand::Monitor(supervisor.clone()), Party::Agent(supervisor), &shown);
    }

    /// By feature code: the supervisor's phone called us.
    pub(crate) fn monitor_dialled(&mut self, id: CallId, supervisor: AgentId) {
        let who: Arc<str> = supervisor.as_str().into();
        self.engage(&supervisor, id, Work::Monitoring);
        if let Some(call) = self.calls.get_mut(&id) {
            call.monitors.insert(supervisor, Monitoring { who, mode: Monitor::Listen, since: None });
        }
    }

    pub(crate) fn on_monitor_opened(&mut self, leg: LegId, supervisor: AgentId) {
        match self.answer_leg(leg) {
            Ok(_) => self.monitor_reached(leg.call, leg, supervisor),
            Err(status) => self.refuse_leg(leg, status, Cause::CodecMismatch),
        }
    }

    pub(crate) fn monitor_reached(&mut self, id: CallId, leg: LegId, supervisor: AgentId) {
        let now = self.now;
        if let Some(state) = self.leg_mut(leg) {
            state.purpose = Purpose::Monitor(supervisor.clone());
        }
        let monitoring = self.calls.get_mut(&id).and_then(|c| c.monitors.get_mut(&supervisor));
        let Some(Monitoring { who, mode, since }) = monitoring else { return self.drop_leg(leg, None) };
        *since = Some(now);
        let (who, mode) = (who.to_string(), *mode);
        self.call_fact(id, |a| a.agent = Some(supervisor.clone()), What::MonitorStarted { who, mode });
        self.relink(id);
        self.say_mode(leg, &supervisor, notice_of(mode));
        self.beep(id);
    }

    /// Agent and customer hear that somebody takes part, if their account wants them to.
    fn beep(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        if !self.setup.site.accounts.get(&call.tenant).is_some_and(|a| a.monitor_tone) {
            return;
        }
        let talks = |leg: &LegId| matches!(call.heard.get(leg), Some(Hears::Legs(_)));
        let legs = [call.customer, call.conversation.as_ref().map(|c| c.leg)];
        let hearers: Vec<LegId> = legs.into_iter().flatten().filter(talks).collect();
        for leg in hearers {
            self.tell_media(Command::Play { leg, play: OWN_PLAYS + 1, sounds: vec![Sound::Tone(Tone::Beep)] });
        }
    }

    fn say_mode(&mut self, leg: LegId, supervisor: &AgentId, notice: AgentNotice) {
        let lang = self.setup.site.agents.get(supervisor).map(|a| a.lang);
        if let Some(phrase) = lang.and_then(|lang| speech::notice(lang, notice)) {
            let sounds = vec![Sound::Prompt(phrase.key().into())];
            self.tell_media(Command::Play { leg, play: OWN_PLAYS + 1, sounds });
        }
    }

    fn monitor_mode(&mut self, id: CallId, supervisor: &AgentId, mode: Monitor) {
        let monitoring = self.calls.get_mut(&id).and_then(|c| c.monitors.get_mut(supervisor));
        let Some(monitoring) = monitoring.filter(|m| m.mode != mode) else { return };
        monitoring.mode = mode;
        self.relink(id);
        if let Some(leg) = self.monitor_leg(id, supervisor) {
            self.say_mode(leg, supervisor, notice_of(mode));
        }
    }

    pub(crate) fn monitor_leg(&self, id: CallId, supervisor: &AgentId) -> Option<LegId> {
        let purpose = Purpose::Monitor(supervisor.clone());
        self.calls.get(&id)?.legs.values().find(|leg| leg.purpose == purpose && leg.up).map(|leg| leg.id)
    }

    /// 4 listens, 5 whispers, 6 barges in, 7 takes over.
    pub(crate) fn on_monitor_key(&mut self, id: CallId, supervisor: AgentId, key: char) {
        let mode = match key {
            '4' => Some(Monitor::Listen),
            '5' => Some(Monitor::Whisper),
            '6' => Some(Monitor::Barge),
            '7' => None,
            _ => return,
        };
        let act = mode.map_or("take over", act_of);
        let what = What::SupervisorActed { who: supervisor.to_string(), act: act.into() };
        self.call_fact(id, |a| a.agent = Some(supervisor.clone()), what);
        match mode {
            Some(mode) => self.monitor_mode(id, &supervisor, mode),
            None => self.take_over(id, &supervisor),
        }
    }

    pub(crate) fn may_take_over(&self, id: CallId, supervisor: &AgentId) -> bool {
        let talks = self.calls.get(&id).and_then(|c| c.conversation.as_ref()).is_some_and(|c| !c.own);
        // Whoever is not logged in is given no customer.
        let there = self.acd.agent(supervisor).is_some_and(|a| a.state != AgentState::LoggedOut);
        talks && there && self.monitor_leg(id, supervisor).is_some()
    }

    /// The conversation is the supervisor's from now on; the agent is free.
    pub(crate) fn take_over(&mut self, id: CallId, supervisor: &AgentId) {
        if !self.may_take_over(id, supervisor) {
            return;
        }
        let Some(leg) = self.monitor_leg(id, supervisor) else { return };
        let queue = self.calls.get(&id).and_then(|c| c.conversation.as_ref()).and_then(|c| c.queue.clone());
        self.end_consult(id);
        self.monitor_ends(id, supervisor);
        self.say_mode(leg, supervisor, AgentNotice::TakenOver);
        if let Some(agent_leg) = self.calls.get(&id).and_then(|c| c.conversation.as_ref()).map(|c| c.leg) {
            self.finish_conversation(id, Cause::BySupervisor);
            self.drop_leg(agent_leg, None);
        }
        self.assign(supervisor, id, queue.clone());
        self.converse(id, supervisor.clone(), leg, queue, false);
    }

    /// The supervisor leaves; the call goes on.
    pub(crate) fn end_monitor(&mut self, id: CallId, supervisor: &AgentId) {
        self.give_up(id, &Errand::Monitor(supervisor.clone()));
        self.monitor_ends(id, supervisor);
        let purpose = Purpose::Monitor(supervisor.clone());
        let legs = self.calls.get(&id).map(|c| c.legs.values().filter(|l| l.purpose == purpose).map(|l| l.id).collect());
        let legs: Vec<LegId> = legs.unwrap_or_default();
        legs.into_iter().for_each(|leg| self.drop_leg(leg, None));
        self.disengage(supervisor, id);
        self.relink(id);
    }

    /// The last word about it.
    fn monitor_ends(&mut self, id: CallId, supervisor: &AgentId) {
        let now = self.now;
        let Some(monitoring) = self.calls.get_mut(&id).and_then(|c| c.monitors.remove(supervisor)) else { return };
        let Some(since) = monitoring.since else { return };
        let monitored_ms = now.mono.since(since.mono).as_millis() as u64;
        let what = What::MonitorEnded { who: monitoring.who.to_string(), monitored_ms };
        self.call_fact(id, |a: &mut About| a.agent = Some(supervisor.clone()), what);
    }

    pub(crate) fn end_monitors(&mut self, id: CallId) {
        let supervisors: Vec<AgentId> = self.calls.get(&id).map(|c| c.monitors.keys().cloned().collect()).unwrap_or_default();
        supervisors.iter().for_each(|supervisor| self.end_monitor(id, supervisor));
    }
}

fn notice_of(mode: Monitor) -> AgentNotice {
    match mode {
        Monitor::Listen => AgentNotice::Listening,
        Monitor::Whisper => AgentNotice::Whispering,
        Monitor::Barge => AgentNotice::Barging,
    }
}

pub(crate) fn act_of(mode: Monitor) -> &'static str {
    match mode {
        Monitor::Listen => "listen",
        Monitor::Whisper => "whisper",
        Monitor::Barge => "barge in",
    }
}

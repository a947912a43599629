//! Requests through the API: checked, written down as somebody's act, done, answered. Of two that contradict each other
//! the last wins; both are in the log.

use crate::call::Call;
use crate::centre::Centre;
use crate::monitor::act_of;
use crate::party::{Errand, Party, Role};
use crate::pause::LONGEST_PAUSE;
use crate::{Reply, Request, Target, WhyReport};
use base::fact::{About, ResumedBy, What};
use base::{AgentId, CallId, Cause, QueueId, Tenant};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// Why a request is not done.
type No = Reply;

impl Centre {
    pub(crate) fn on_asked(&mut self, number: u64, who: Arc<str>, request: Request) {
        self.asking = Some(number);
        match self.check(&request) {
            Err(no) => self.reply(no),
            Ok(()) => {
                self.write_down(&who, &request);
                self.apply(who, request);
            }
        }
        self.settle();
        self.reply(Reply::Done);
    }

    fn check(&self, request: &Request) -> Result<(), No> {
        match request {
            Request::Agent { agent, .. } | Request::SetSkills { agent, .. } | Request::Desk { agent, .. } => {
                self.known_agent(agent)
            }
            Request::SetOpen { queue, .. } => self.known_queue(queue),
            Request::HangUp { call } | Request::Why { call } => self.known_call(call).map(drop),
            Request::Dial { agent, to } => self.check_dial(agent, to),
            Request::Transfer { call, to } => self.check_transfer(call, to),
            Request::Consult { call, to } => self.check_consult(call, to),
            Request::CompleteTransfer { call } | Request::EndConsult { call } => self.third_of(call).map(drop),
            Request::Conference { call } => match self.third_of(call)? {
                Role::Consulted { since: Some(_) } => Ok(()),
                _ => refused("nobody is consulted who could join"),
            },
            Request::Monitor { call, supervisor, .. } => self.check_monitor(call, supervisor),
            Request::StopMonitor { call, supervisor } => {
                let monitors = self.known_call(call)?.monitors.contains_key(supervisor);
                if monitors { Ok(()) } else { refused("the supervisor does not take part") }
            }
            Request::TakeOver { call, supervisor } => {
                self.known_call(call)?;
                match self.may_take_over(*call, supervisor) {
                    true => Ok(()),
                    false if self.monitor_leg(*call, supervisor).is_some() => refused("the supervisor is logged out"),
                    false => refused("the supervisor does not take part"),
                }
            }
            Request::Move { call, queue } => {
                self.known_queue(queue)?;
                let waiting = self.waiting(call)?;
                self.same_tenant(&waiting.tenant, &queue.tenant())?;
                let may = waiting.visit.as_ref().map_or(Ok(()), |visit| self.acd.may_move(visit.id, queue));
                may.or_else(refused)
            }
            Request::Prioritise { call, .. } => self.waiting(call).map(drop),
            Request::PauseRecording { call, for_s, .. } => {
                let recorded = self.may_pause(self.talking(call)?);
                match Duration::from_secs((*for_s).into()) {
                    Duration::ZERO => refused("a pause of no time is none"),
                    limit if limit > LONGEST_PAUSE => refused("a pause lasts an hour at most"),
                    _ if recorded => Ok(()),
                    _ => refused("the conversation is not recorded"),
                }
            }
            Request::ResumeRecording { call } => {
                if self.talking(call)?.pauses() {
                    Ok(())
                } else {
                    refused("the recording is not paused")
                }
            }
            Request::CancelCallback { call } => {
                if self.known_call(call)?.is_kept() {
                    Ok(())
                } else {
                    Err(unknown("callback", call))
                }
            }
        }
    }

    fn check_dial(&self, agent: &AgentId, to: &Target) -> Result<(), No> {
        self.known_agent(agent)?;
        self.party_of(&agent.tenant(), to)?;
        if self.draining() {
            return refused("the node stops");
        }
        if self.may_be_rung(agent, &Errand::FarEnd) { Ok(()) } else { refused("the agent is in a call") }
    }

    fn check_transfer(&self, call: &CallId, to: &Target) -> Result<(), No> {
        let call = self.talking(call)?;
        match to {
            Target::Queue(queue) => {
                self.known_queue(queue)?;
                self.same_tenant(&call.tenant, &queue.tenant())
            }
            to => self.party_of(&call.tenant, to).map(drop),
        }?;
        if call.third.is_none() { Ok(()) } else { refused("somebody is consulted: complete or end that first") }
    }

    fn check_consult(&self, call: &CallId, to: &Target) -> Result<(), No> {
        let talking = self.talking(call)?;
        match to {
            Target::Queue(queue) => {
                self.known_queue(queue)?;
                self.same_tenant(&talking.tenant, &queue.tenant())
            }
            to => self.party_of(&talking.tenant, to).map(drop),
        }?;
        if self.may_consult(*call) { Ok(()) } else { refused("somebody is consulted already") }
    }

    fn check_monitor(&self, call: &CallId, supervisor: &AgentId) -> Result<(), No> {
        self.known_agent(supervisor)?;
        let call = self.known_call(call)?;
        self.same_tenant(&call.tenant, &supervisor.tenant())?;
        if !self.setup.site.agents.get(supervisor).is_some_and(|a| a.supervisor) {
            return refused("not a supervisor");
        }
        let own = call.conversation.as_ref().is_some_and(|c| c.agent == *supervisor);
        let takes_part = call.monitors.contains_key(supervisor);
        match self.may_be_rung(supervisor, &Errand::Monitor(supervisor.clone())) {
            _ if takes_part => Ok(()),
            true if !own => Ok(()),
            _ => refused("the supervisor is in a call"),
        }
    }

    fn known_agent(&self, agent: &AgentId) -> Result<(), No> {
        self.setup.site.agents.contains_key(agent).then_some(()).ok_or_else(|| unknown("agent", agent))
    }

    fn known_queue(&self, queue: &QueueId) -> Result<(), No> {
        self.setup.site.queues.contains_key(queue).then_some(()).ok_or_else(|| unknown("queue", queue))
    }

    fn known_call(&self, call: &CallId) -> Result<&Call, No> {
        self.calls.get(call).filter(|c| c.ending.is_none()).ok_or_else(|| unknown("call", call))
    }

    fn talking(&self, call: &CallId) -> Result<&Call, No> {
        let known = self.known_call(call)?;
        if known.conversation.is_some() { Ok(known) } else { refused("nobody has the call") }
    }

    fn waiting(&self, call: &CallId) -> Result<&Call, No> {
        let known = self.known_call(call)?;
        if known.visit.is_some() { Ok(known) } else { refused("it does not wait") }
    }

    fn third_of(&self, call: &CallId) -> Result<Role, No> {
        self.talking(call)?.third.as_ref().map(|t| t.role).map_or_else(|| refused("nobody is consulted"), Ok)
    }

    fn same_tenant(&self, one: &Tenant, other: &Tenant) -> Result<(), No> {
        if one == other { Ok(()) } else { refused("it is another tenant's") }
    }

    /// Whom a request means by its target.
    fn party_of(&self, tenant: &Tenant, to: &Target) -> Result<Party, No> {
        match to {
            Target::Agent(agent) => {
                self.known_agent(agent)?;
                self.same_tenant(tenant, &agent.tenant())?;
                Ok(Party::Agent(agent.clone()))
            }
            Target::Number(number) if self.setup.is_emergency(number.reveal()) || self.setup.trunk_of(tenant).is_some() => {
                Ok(Party::Number(number.clone()))
            }
            Target::Number(_) => refused("the tenant has no trunk for calls that leave"),
            Target::Queue(_) => refused("a queue can only be transferred to"),
        }
    }

    /// Somebody's act, for the log.
    fn write_down(&mut self, who: &Arc<str>, request: &Request) {
        let (call, agent, queue) = about(request);
        let Some(act) = act(request) else { return };
        let what = What::SupervisorActed { who: who.to_string(), act };
        match call {
            Some(call) => self.call_fact(call, |a| (a.agent, a.queue) = (agent, queue), what),
            None => {
                let tenant = agent.as_ref().map(AgentId::tenant).or(queue.as_ref().map(QueueId::tenant));
                self.fact(About { tenant, agent, queue, ..About::default() }, what);
            }
        }
    }

    fn apply(&mut self, who: Arc<str>, request: Request) {
        match request {
            Request::Agent { agent, ask } => {
                self.tell_acd(acd::Input::AgentAsked { agent, ask, cause: Cause::Requested });
            }
            Request::Desk { agent, open } => self.on_desk(&agent, open),
            Request::HangUp { call } => self.end_call(call, Cause::Requested),
            Request::Dial { agent, to } => self.with_party(agent.tenant(), to, |c, to| c.dial_for(agent, to)),
            Request::Transfer { call, to: Target::Queue(queue) } => self.transfer_to_queue(call, queue, None),
            Request::Transfer { call, to } => self.with_party(self.tenant_of(call), to, |c, to| c.transfer_to(call, to, None)),
            Request::Consult { call, to: Target::Queue(queue) } => self.consult(call, Party::Queue(queue)),
            Request::Consult { call, to } => self.with_party(self.tenant_of(call), to, |c, to| c.consult(call, to)),
            Request::CompleteTransfer { call } => self.complete_transfer(call, None),
            Request::EndConsult { call } => self.end_consult(call),
            Request::Conference { call } => self.conference(call),
            Request::Monitor { call, supervisor, mode } => self.monitor(call, supervisor, mode, who),
            Request::StopMonitor { call, supervisor } => self.end_monitor(call, &supervisor),
            Request::TakeOver { call, supervisor } => self.take_over(call, &supervisor),
            Request::Move { call, queue } => self.of_visit(call, |visit| acd::Input::Move { visit, queue }),
            Request::Prioritise { call, priority_s } => {
                self.of_visit(call, |visit| acd::Input::Prioritise { visit, priority_s });
            }
            Request::SetSkills { agent, skills } => {
                let to = skills.as_ref().map(|s| serde_json::to_string(s).unwrap_or_default()).unwrap_or_default();
                self.overridden(format!("skills of agent {agent}"), to);
                self.tell_acd(acd::Input::SetSkills { agent, skills });
            }
            Request::SetOpen { queue, open } => {
                let to = open.map_or("", |open| if open { "open" } else { "closed" });
                self.overridden(format!("queue {queue}"), to.into());
                self.tell_acd(acd::Input::SetOpen { queue, open });
            }
            Request::CancelCallback { call } => self.cancel_callback(call),
            Request::PauseRecording { call, cause, for_s } => {
                self.pause_recording(call, &who, &cause, Duration::from_secs(for_s.into()));
            }
            Request::ResumeRecording { call } => self.resume_recording(call, ResumedBy::Asked, Some(&who)),
            Request::Why { call } => self.say_why(call),
        }
    }

    fn with_party(&mut self, tenant: Tenant, to: Target, rule: impl FnOnce(&mut Centre, Party)) {
        if let Ok(party) = self.party_of(&tenant, &to) {
            rule(self, party);
        }
    }

    fn tenant_of(&self, call: CallId) -> Tenant {
        let tenant = self.calls.get(&call).map(|c| c.tenant.clone());
        tenant.unwrap_or_else(|| "none".parse().expect("a valid name"))
    }

    fn of_visit(&mut self, call: CallId, input: impl FnOnce(base::VisitId) -> acd::Input) {
        if let Some(visit) = self.calls.get(&call).and_then(|c| c.visit.as_ref()).map(|v| v.id) {
            self.tell_acd(input(visit));
        }
    }

    fn overridden(&mut self, what: String, to: String) {
        self.fact(About::default(), What::ConfigOverridden { what, to });
    }

    fn say_why(&mut self, call: CallId) {
        let Some(call) = self.calls.get(&call) else { return };
        let waits = call.visit.as_ref().and_then(|v| self.acd.waits(v.id, self.now));
        let report = WhyReport { waits, decisions: call.decisions.clone() };
        self.reply(Reply::Why(Box::new(report)));
    }
}

/// What a request is about.
fn about(request: &Request) -> (Option<CallId>, Option<AgentId>, Option<QueueId>) {
    match request {
        Request::Agent { agent, .. }
        | Request::SetSkills { agent, .. }
        | Request::Desk { agent, .. }
        | Request::Dial { agent, .. } => (None, Some(agent.clone()), None),
        Request::SetOpen { queue, .. } => (None, None, Some(queue.clone())),
        Request::Monitor { call, supervisor, .. }
        | Request::StopMonitor { call, supervisor }
        | Request::TakeOver { call, supervisor } => (Some(*call), Some(supervisor.clone()), None),
        Request::Move { call, queue } => (Some(*call), None, Some(queue.clone())),
        Request::HangUp { call }
        | Request::Transfer { call, .. }
        | Request::Consult { call, .. }
        | Request::CompleteTransfer { call }
        | Request::EndConsult { call }
        | Request::Conference { call }
        | Request::Prioritise { call, .. }
        | Request::CancelCallback { call }
        | Request::PauseRecording { call, .. }
        | Request::ResumeRecording { call }
        | Request::Why { call } => (Some(*call), None, None),
    }
}

/// The act in words, without anybody's number. Asking why is none, nor is a desk's sign of life.
fn act(request: &Request) -> Option<String> {
    Some(match request {
        Request::Agent { ask, .. } => match ask {
            acd::Ask::LogIn => "log in".into(),
            acd::Ask::LogOut => "log out".into(),
            acd::Ask::Ready => "ready".into(),
            acd::Ask::Pause { reason } => format!("pause {reason}"),
            acd::Ask::WrapUp => "wrap up".into(),
            acd::Ask::Code { code } => format!("code {code}"),
        },
        Request::HangUp { .. } => "hang up".into(),
        Request::Dial { to, .. } => format!("dial {}", shown(to)),
        Request::Transfer { to, .. } => format!("transfer to {}", shown(to)),
        Request::Consult { to, .. } => format!("consult {}", shown(to)),
        Request::CompleteTransfer { .. } => "complete transfer".into(),
        Request::EndConsult { .. } => "end consultation".into(),
        Request::Conference { .. } => "conference".into(),
        Request::Monitor { mode, .. } => act_of(*mode).into(),
        Request::StopMonitor { .. } => "stop monitoring".into(),
        Request::TakeOver { .. } => "take over".into(),
        Request::Move { queue, .. } => format!("move to queue/{}", queue.name()),
        Request::Prioritise { priority_s, .. } => format!("priority {priority_s} s"),
        Request::SetSkills { skills, .. } => if skills.is_some() { "set skills" } else { "skills as in the site" }.into(),
        Request::SetOpen { open, .. } => match open {
            Some(true) => "open".into(),
            Some(false) => "close".into(),
            None => "open as in the site".into(),
        },
        Request::CancelCallback { .. } => "cancel callback".into(),
        Request::PauseRecording { for_s, .. } => format!("pause recording for {for_s} s"),
        Request::ResumeRecording { .. } => "resume recording".into(),
        Request::Why { .. } | Request::Desk { .. } => return None,
    })
}

fn shown(to: &Target) -> String {
    match to {
        Target::Queue(queue) => format!("queue/{}", queue.name()),
        Target::Agent(agent) => format!("agent/{}", agent.name()),
        Target::Number(_) => "number".into(),
    }
}

fn unknown(what: &str, name: impl Display) -> Reply {
    Reply::Unknown { what: format!("{what} {name}").into() }
}

fn refused<T>(why: &str) -> Result<T, No> {
    Err(Reply::Refused { why: why.into() })
}

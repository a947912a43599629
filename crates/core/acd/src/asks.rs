//! What agents ask for, through feature code, API or desk.
//!
//! | asked | logged out | idle, ringing | own call | conversation | wrap-up | forced wrap-up, not coded |
//! |---|---|---|---|---|---|---|
//! | LogIn | logs in | - | kept | kept | forgets what was kept | forgets what was kept |
//! | LogOut | - | at once | kept | kept | at once | kept |
//! | Pause | refused | at once | kept | kept | at once | kept |
//! | Ready | refused | ends a pause | kept | kept | ends it | refused |
//! | WrapUp | refused | refused | refused | kept | longer | refused |
//! | Code | refused | refused | refused | at once | at once | at once, ends it |

use crate::agent::{AgentKey, Phase};
use crate::{Acd, Ask, IdleEvent, Output, ReasonMode, Turn, WrapUpMode};
use base::{Cause, Mutation, OfferEnd, mutated};
use std::sync::Arc;

impl Acd {
    pub(crate) fn on_asked(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        let ask = match self.with_reason(key, ask) {
            Ok(ask) => ask,
            Err((ask, why)) => return self.refuse(key, ask, &why, turn),
        };
        let agent = &self.agents[key.0];
        match (&agent.phase, ask) {
            (Phase::LoggedOut, ask) => self.asked_logged_out(key, ask, cause, turn),
            (_, Ask::Code { code }) => self.on_code(key, code, turn),
            (_, Ask::WrapUp) => self.on_wrap_up_asked(key, turn),
            (Phase::Talking(_) | Phase::Holding(_), ask) => self.keep(key, ask, cause, turn),
            (_, ask) if agent.work.is_some() => self.keep(key, ask, cause, turn),
            (Phase::WrapUp(_), ask) => self.asked_in_wrap_up(key, ask, cause, turn),
            (_, ask) => self.asked_when_idle(key, ask, cause, turn),
        }
    }

    /// A pause as the tenant wants its reasons.
    fn with_reason(&self, key: AgentKey, ask: Ask) -> Result<Ask, (Ask, String)> {
        let Ask::Pause { reason } = &ask else { return Ok(ask) };
        let Some(rules) = self.config.pause_reasons.get(&self.agents[key.0].tenant) else { return Ok(ask) };
        let known = rules.codes.is_empty() || rules.codes.contains(reason);
        let one_of = || format!("the reason must be one of {}", rules.codes.iter().map(|c| &**c).collect::<Vec<_>>().join(", "));
        match rules.mode {
            ReasonMode::None => Ok(Ask::Pause { reason: "".into() }),
            ReasonMode::Optional | ReasonMode::Forced if !reason.is_empty() && !known => Err((ask, one_of())),
            ReasonMode::Forced if reason.is_empty() && rules.codes.is_empty() => Err((ask, "a pause needs a reason".into())),
            ReasonMode::Forced if reason.is_empty() => Err((ask, one_of())),
            ReasonMode::Optional | ReasonMode::Forced => Ok(ask),
        }
    }

    fn asked_logged_out(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        match ask {
            Ask::LogIn => self.log_in(key, cause, turn),
            Ask::LogOut => {}
            Ask::Ready | Ask::Pause { .. } | Ask::WrapUp | Ask::Code { .. } => self.refuse(key, ask, "not logged in", turn),
        }
    }

    /// The last wish wins: what was pending is forgotten.
    fn keep(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        let agent = &mut self.agents[key.0];
        agent.pending = Some((ask.clone(), cause)).filter(|_| !mutated(Mutation::PendingAskLost));
        turn.say(Output::AskKept { agent: agent.id.clone(), ask });
    }

    fn asked_in_wrap_up(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        let uncoded = matches!(&self.agents[key.0].phase, Phase::WrapUp(wrap) if wrap.rule.mode == WrapUpMode::Forced);
        match ask {
            Ask::LogIn => self.agents[key.0].pending = None,
            Ask::Ready if uncoded => self.refuse(key, ask, "the conversation is not coded yet", turn),
            ask if uncoded => self.keep(key, ask, cause, turn),
            Ask::Ready => {
                self.agents[key.0].pending = None;
                self.end_wrap_up(key, cause, turn);
            }
            ask => {
                self.agents[key.0].pending = Some((ask, cause));
                self.end_wrap_up(key, cause, turn);
            }
        }
    }

    /// Available, ringing, paused or unreachable.
    fn asked_when_idle(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        match ask {
            Ask::LogOut => {
                self.decline_offer(key, cause, turn);
                self.log_out(key, cause, turn);
            }
            Ask::Pause { reason } => {
                self.decline_offer(key, cause, turn);
                self.pause(key, reason, cause, turn);
            }
            Ask::Ready if agent.phase.ring().is_some() => {}
            Ask::Ready if agent.phase == Phase::Unreachable && !agent.reachable => {
                self.refuse(key, ask, "no phone is there", turn)
            }
            Ask::Ready => self.become_ready(key, cause, turn),
            Ask::LogIn | Ask::WrapUp | Ask::Code { .. } => {}
        }
    }

    pub(crate) fn pause(&mut self, key: AgentKey, reason: Arc<str>, cause: Cause, turn: &mut Turn) {
        let reason = (!reason.is_empty()).then_some(reason);
        self.change(key, Phase::Paused { missed: false }, None, (cause, reason), turn);
    }

    fn become_ready(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        if let Phase::Paused { missed } = self.agents[key.0].phase
            && self.restarts_idle_clock(if missed { IdleEvent::NoAnswer } else { IdleEvent::Pause })
        {
            self.restart_idle_clock(key, turn.now);
        }
        self.settle(key, None, cause, turn);
    }

    /// The agent wants or does something else while it rings: the visit keeps its place and tries another.
    pub(crate) fn decline_offer(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        if let Some(ring) = self.agents[key.0].phase.ring() {
            self.end_offer(ring, OfferEnd::Withdrawn, Some(cause), turn);
        }
    }

    pub(crate) fn refuse(&self, key: AgentKey, ask: Ask, why: &str, turn: &mut Turn) {
        turn.say(Output::AskRefused { agent: self.agents[key.0].id.clone(), ask, why: why.into() });
    }
}

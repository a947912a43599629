//! The wait in a queue: announcements, keys that lead out of it, and how it ends.

use super::{Interpreter, MOST_MOVES, Next, State};
use crate::flow::Flow;
use crate::step::{Kind, Queue, Step};
use crate::words::Output;
use base::{Cause, Now, Outcome};
use speech::{Line, Phrase};
use std::sync::Arc;
use std::time::Duration;

impl Interpreter {
    pub(super) fn enqueue(&mut self, again: bool, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some((step, queue)) = self.queue(&flow) else { return };
        self.wait_in_line(out);
        out.push(Output::Enqueue {
            step: step.name.clone(),
            queue: queue.name.clone(),
            requires: queue.requirement(self.lang),
            priority_s: queue.priority_s,
            lang: self.lang,
            again,
        });
    }

    /// Music, and the queue's keys.
    pub(super) fn wait_in_line(&mut self, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some((_, queue)) = self.queue(&flow) else { return };
        self.state = State::Queued { announcing: None };
        out.push(Output::Music { prompt: flow.music(&queue.music) });
    }

    pub(super) fn on_queue_left(&mut self, now: Now, outcome: Outcome, out: &mut Vec<Output>) {
        self.leave_queue(now, out, |queue| match outcome {
            Outcome::Timeout => queue.timeout,
            Outcome::NoAgents => queue.no_agents,
            _ => queue.otherwise,
        });
    }

    pub(super) fn on_queue_refused(&mut self, now: Now, cause: Cause, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        if let (State::Forwarding, Some(forward)) = (self.state, self.forwarding(&flow)) {
            return self.enter(now, forward.otherwise, out);
        }
        self.leave_queue(now, out, |queue| match cause {
            Cause::QueueFull | Cause::Dissuaded => queue.full,
            Cause::NoAgents => queue.no_agents,
            Cause::Closed => queue.closed,
            _ => queue.otherwise,
        });
    }

    /// The engine cuts what plays: the agent's first word is the next thing heard. Also by who hears that the place is kept.
    pub(super) fn on_connected(&mut self) {
        let flow = self.flow.clone();
        let waits = match self.state {
            State::Queued { .. } | State::Confirming(_) => true,
            // The flow hung up on who is called back now, and stands at their queue.
            State::Over => self.queue(&flow).is_some(),
            State::Saying { next, .. } => matches!(next, Next::HangUp { cause: Cause::Callback, .. }),
            _ => false,
        };
        if waits {
            self.state = State::Connected;
        }
    }

    pub(super) fn on_announce(&mut self, position: Option<u32>, wait: Option<Duration>, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let (State::Queued { .. }, Some((_, queue))) = (self.state, self.queue(&flow)) else { return };
        // Nothing to the head of the line: the next word should be an agent's.
        if !queue.announce || position.is_some_and(|position| position <= 1) {
            return;
        }
        let position = position.and_then(|position| speech::position(self.lang, position));
        let wait = wait.and_then(|wait| speech::wait(self.lang, wait));
        let mut keys: Vec<Arc<str>> = position.into_iter().chain(wait).map(shared).collect();
        if keys.is_empty() {
            return;
        }
        keys.extend(self.keys(&queue.hints));
        let play = self.play(keys, out);
        self.state = State::Queued { announcing: Some(play) };
    }

    pub(super) fn on_announced(&mut self, out: &mut Vec<Output>) {
        self.wait_in_line(out);
    }

    /// A key that leads to a callback keeps the visit; any other that means something ends it.
    pub(super) fn on_queue_key(&mut self, now: Now, key: char, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some((step, queue)) = self.queue(&flow) else { return };
        if queue.keys.is_empty() || self.moves >= MOST_MOVES {
            return;
        }
        let to = queue.keys.get(&key).copied();
        out.push(Output::KeyTaken { step: step.name.clone(), key: Some(key), understood: to.is_some() });
        let Some(to) = to else { return };
        if let Some(Kind::Callback(callback)) = flow.steps.get(to).map(|step| &step.kind) {
            return self.offer_callback(now, to, callback, out);
        }
        let outcome = if leads_to_voicemail(&flow, to) { Outcome::Voicemail } else { Outcome::KeyExit };
        out.extend([Output::Stop, Output::LeaveQueue { outcome }]);
        self.enter(now, to, out);
    }

    pub(super) fn on_agent_lost(&mut self, now: Now, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let waits = matches!(self.state, State::Connected | State::Queued { .. } | State::Confirming(_));
        let Some((_, queue)) = self.queue(&flow).filter(|_| waits) else { return };
        self.say(now, &queue.apology, Next::Enqueue { again: true }, out);
    }

    pub(super) fn on_transferred(&mut self, out: &mut Vec<Output>) {
        if self.state == State::Connected {
            self.wait_in_line(out);
        }
    }

    pub(super) fn on_called_back(&mut self, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        if self.queue(&flow).is_none() || self.state == State::Idle {
            return;
        }
        let Some(phrase) = speech::line(self.lang, Line::CallbackHere) else { return self.wait_in_line(out) };
        let play = self.play(vec![shared(phrase)], out);
        self.state = State::Queued { announcing: Some(play) };
    }

    fn leave_queue(&mut self, now: Now, out: &mut Vec<Output>, to: impl FnOnce(&Queue) -> usize) {
        let flow = self.flow.clone();
        if let (State::Queued { .. } | State::Confirming(_), Some((_, queue))) = (self.state, self.queue(&flow)) {
            self.enter(now, to(queue), out);
        }
    }

    pub(super) fn queue<'f>(&self, flow: &'f Flow) -> Option<(&'f Step, &'f Queue)> {
        flow.steps.get(self.at).and_then(|step| match &step.kind {
            Kind::Queue(queue) => Some((step, &**queue)),
            _ => None,
        })
    }
}

fn shared(phrase: Phrase) -> Arc<str> {
    phrase.key().into()
}

/// At once or by second names; a round of names leads nowhere.
fn leads_to_voicemail(flow: &Flow, step: usize) -> bool {
    let mut step = step;
    for _ in 0..flow.steps.len() {
        match flow.steps.get(step).map(|step| &step.kind) {
            Some(Kind::Goto(to)) => step = *to,
            kind => return matches!(kind, Some(Kind::Voicemail(_))),
        }
    }
    false
}

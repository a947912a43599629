//! Any day: steps at random, told as a log. Those that make no sense where the chosen call is are passed over.

use crate::script::*;
use base::fact::{CallbackEnd, Direction, Monitor, Transfer, What};
use base::{AgentState, Cause, Lang, Outcome};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What happens next, and after how many milliseconds.
#[derive(Clone, Debug)]
pub enum Step {
    Arrives,
    Selects(u8),
    Enters(bool),
    Leaves(u8),
    Rings,
    RingsOut,
    Answers,
    HangsUp,
    Ends,
    Becomes(u8, u8),
    AsksForACallback,
    IsCalledBack(u8),
    IsPassedOn(u8),
    IsCoded(bool),
    Dials(bool),
    IsReached,
    LeavesAMessage,
    IsMonitored,
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Arrives),
        1 => any::<u8>().prop_map(Step::Selects),
        3 => any::<bool>().prop_map(Step::Enters),
        2 => any::<u8>().prop_map(Step::Leaves),
        2 => Just(Step::Rings),
        1 => Just(Step::RingsOut),
        3 => Just(Step::Answers),
        2 => Just(Step::HangsUp),
        2 => Just(Step::Ends),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(a, s)| Step::Becomes(a, s)),
        2 => Just(Step::AsksForACallback),
        3 => any::<u8>().prop_map(Step::IsCalledBack),
        2 => any::<u8>().prop_map(Step::IsPassedOn),
        2 => any::<bool>().prop_map(Step::IsCoded),
        1 => any::<bool>().prop_map(Step::Dials),
        2 => Just(Step::IsReached),
        1 => Just(Step::LeavesAMessage),
        1 => Just(Step::IsMonitored),
    ]
}

pub const AGENTS: [&str; 3] = ["ana", "bea", "caro"];
const STATES: [AgentState; 10] = [
    AgentState::LoggedOut,
    AgentState::Available,
    AgentState::Reserved,
    AgentState::Ringing,
    AgentState::Talking,
    AgentState::Holding,
    AgentState::WrapUp,
    AgentState::Engaged,
    AgentState::Paused,
    AgentState::Unreachable,
];
const OUTCOMES: [Outcome; 7] = [
    Outcome::Abandoned,
    Outcome::Overflowed,
    Outcome::Timeout,
    Outcome::NoAgents,
    Outcome::KeyExit,
    Outcome::Voicemail,
    Outcome::System,
];
const KINDS: [Transfer; 4] = [Transfer::Blind, Transfer::Attended, Transfer::ToQueue, Transfer::External];

/// Where each call is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Ivr,
    Queue(&'static str),
    Callback(&'static str),
    Talk(&'static str),
    /// An agent's own, reached or not.
    Own(bool),
}

pub fn play(steps: &[(u32, Step)]) -> Script {
    let mut day = Day { s: Script::new(), calls: BTreeMap::new(), next: 1, turn: 0 };
    for name in AGENTS {
        day.s.logs_in(name);
    }
    let mut now_ms = 0u64;
    for (turn, (pause, step)) in steps.iter().enumerate() {
        now_ms += u64::from(*pause);
        day.s.at(now_ms as f64 / 1000.0);
        day.turn = turn;
        day.take(step, u64::from(*pause));
    }
    day.s
}

struct Day {
    s: Script,
    calls: BTreeMap<u32, At>,
    next: u32,
    turn: usize,
}

impl Day {
    fn find(&self, want: impl Fn(&At) -> bool) -> Option<(u32, At)> {
        let found: Vec<(u32, At)> = self.calls.iter().filter(|(_, at)| want(at)).map(|(n, at)| (*n, *at)).collect();
        (!found.is_empty()).then(|| found[self.turn % found.len()])
    }

    fn who(&self) -> &'static str {
        AGENTS[self.turn % 3]
    }

    fn arrives(&mut self, at: At) -> u32 {
        self.calls.insert(self.next, at);
        self.next += 1;
        self.next - 1
    }

    fn take(&mut self, step: &Step, pause_ms: u64) {
        match step {
            Step::Arrives => {
                let n = self.arrives(At::Ivr);
                self.s.arrives(n);
            }
            Step::Dials(out) => {
                let n = self.arrives(At::Own(false));
                self.s.dials(n, self.who(), if *out { Direction::Outgoing } else { Direction::Internal });
            }
            Step::Becomes(a, state) => drop(self.s.becomes(AGENTS[*a as usize % 3], STATES[*state as usize % 10])),
            _ => {
                self.in_ivr(step);
                self.in_queue(step);
                self.called_back(step);
                self.in_talk(step, pause_ms);
                self.own(step, pause_ms);
            }
        }
    }

    fn in_ivr(&mut self, step: &Step) {
        let Some((n, _)) = self.find(|at| *at == At::Ivr) else { return };
        match step {
            Step::Selects(l) => drop(self.s.selects(n, [Lang::ES, Lang::EN, Lang::PT][*l as usize % 3])),
            Step::Enters(which) => {
                let name = if *which { "soporte" } else { "ventas" };
                let expected = which.then_some((20_000, 60_000));
                self.s.enters_expecting(n, name, expected);
                self.calls.insert(n, At::Queue(name));
            }
            Step::Ends => {
                self.s.ends(n, if self.turn.is_multiple_of(2) { Cause::CallerHungUp } else { Cause::FlowEnded });
                self.calls.remove(&n);
            }
            Step::LeavesAMessage => {
                let recording = format!("1-1-{n}.c1.p9").parse().unwrap();
                self.s.say(of_call(n), What::VoicemailLeft { recording, duration_ms: 5 });
            }
            _ => {}
        }
    }

    fn in_queue(&mut self, step: &Step) {
        let who = self.who();
        let Some((n, At::Queue(name))) = self.find(|at| matches!(at, At::Queue(_))) else { return };
        match step {
            Step::Leaves(o) => {
                self.s.leaves(n, name, OUTCOMES[*o as usize % 7]);
                self.calls.insert(n, At::Ivr);
            }
            Step::Rings => drop(self.s.rings(n, name, who)),
            Step::RingsOut => drop(self.s.rings_out(n, name, who)),
            Step::Answers => {
                self.s.answers(n, name, who);
                self.calls.insert(n, At::Talk(name));
            }
            Step::AsksForACallback => {
                self.s.asks_for_a_callback(n, name);
                self.calls.insert(n, At::Callback(name));
            }
            _ => {}
        }
    }

    /// Connected, given up by one of three, or cut off by the node's end.
    fn called_back(&mut self, step: &Step) {
        let who = self.who();
        let Step::IsCalledBack(how) = step else { return };
        let Some((n, At::Callback(name))) = self.find(|at| matches!(at, At::Callback(_))) else { return };
        self.s.say(self.s.visit(n, name), What::CallbackAttempted { n: 1 });
        let end = [CallbackEnd::Failed, CallbackEnd::Joined, CallbackEnd::Cancelled][*how as usize % 3];
        match how % 5 {
            0 | 1 => {
                self.s.answers(n, name, who).is_called_back(n, name, CallbackEnd::Connected);
                self.calls.insert(n, At::Talk(name));
                return;
            }
            2 | 3 => drop(self.s.leaves(n, name, Outcome::System).is_called_back(n, name, end).ends(n, Cause::Callback)),
            _ => drop(self.s.leaves(n, name, Outcome::System).ends(n, Cause::NodeLost)),
        }
        self.calls.remove(&n);
    }

    fn in_talk(&mut self, step: &Step, pause_ms: u64) {
        let who = self.who();
        let Some((n, At::Talk(name))) = self.find(|at| matches!(at, At::Talk(_))) else { return };
        match step {
            Step::HangsUp => {
                self.s.hangs_up(n, name, who, pause_ms);
                self.calls.insert(n, At::Ivr);
            }
            Step::IsPassedOn(kind) => drop(self.s.transfers(n, name, who, KINDS[*kind as usize % 4])),
            Step::IsCoded(solved) => drop(self.s.codes(n, name, who, if *solved { "resuelto" } else { "escalado" })),
            Step::IsMonitored => {
                let sup = || "sup".to_string();
                let about = self.s.conversation(n, name, who);
                self.s.say(about.clone(), What::MonitorStarted { who: sup(), mode: Monitor::Listen });
                self.s.say(about, What::MonitorEnded { who: sup(), monitored_ms: pause_ms });
            }
            _ => {}
        }
    }

    fn own(&mut self, step: &Step, pause_ms: u64) {
        let who = self.who();
        let Some((n, At::Own(reached))) = self.find(|at| matches!(at, At::Own(_))) else { return };
        match step {
            Step::IsReached if !reached => {
                self.s.reaches(n, who);
                self.calls.insert(n, At::Own(true));
            }
            Step::IsReached => {
                self.s.is_done(n, who, pause_ms);
                self.calls.remove(&n);
            }
            _ => {}
        }
    }
}

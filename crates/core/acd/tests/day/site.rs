//! Sites of seeded settings, sensible and not.

use super::Day;
use acd::{
    Agent, Announce, CallFirst, Callback, Change, Config, Dissuade, IdleEvent, PauseReasons, Queue, ReasonMode, Relax, Retry,
    Strategy, WrapUp, WrapUpMode,
};
use base::calendar::Written;
use base::{AgentId, AgentState, Calendar, QueueId, Requirement, Skill, Skills};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub fn queue(n: u64) -> QueueId {
    format!("t/q{n}").parse().unwrap()
}

pub fn agent(n: u64) -> AgentId {
    format!("t/a{n}").parse().unwrap()
}

pub fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

const STRATEGIES: [Strategy; 9] = [
    Strategy::LongestIdle,
    Strategy::MostSkilled,
    Strategy::LeastSkilled,
    Strategy::FewestCalls,
    Strategy::LeastOccupied,
    Strategy::RoundRobin,
    Strategy::Random,
    Strategy::RingAll,
    Strategy::TopDown,
];

const GROUPS: [&str; 3] = ["front", "backup", "nobody"];

impl Day {
    pub fn site(&mut self) -> Arc<Config> {
        let mut config = Config::default();
        for n in 0..4 {
            if n == 0 || !self.one_in(6) {
                config.queues.insert(queue(n), self.queue());
            }
        }
        for n in 0..6 {
            if n == 0 || !self.one_in(5) {
                config.agents.insert(agent(n), self.agent());
            }
        }
        if self.one_in(2) {
            let mode = self.one_of(&[ReasonMode::None, ReasonMode::Optional, ReasonMode::Forced]);
            let codes = if self.one_in(2) { ["lunch".into(), "coach".into()].into() } else { BTreeSet::new() };
            config.pause_reasons.insert("t".parse().unwrap(), PauseReasons { mode, codes });
        }
        for event in [IdleEvent::Pause, IdleEvent::OwnCall, IdleEvent::NoAnswer] {
            if self.one_in(3) {
                config.idle_restarts.insert(event);
            }
        }
        Arc::new(config)
    }

    fn queue(&mut self) -> Queue {
        let overflow_after = self.one_in(3).then(|| secs(self.up_to(90)));
        let to = (overflow_after.is_some() && !self.one_in(3)).then(|| queue(self.up_to(4)));
        Queue {
            requires: self.requirement(),
            strategy: self.one_of(&STRATEGIES),
            weight: self.up_to(3) as u32,
            relax: (0..self.up_to(3)).map(|_| self.relax()).collect(),
            delays: (0..self.up_to(1)).map(|_| (self.group(), secs(self.up_to(30)))).collect(),
            sticky: secs(self.up_to(2) * self.up_to(60)),
            ring: secs(self.up_to(60)),
            wrap_up: self.wrap_up(),
            overflow_after,
            overflow_to: to,
            capacity: if self.one_in(4) { self.up_to(8) as usize } else { 100 },
            dissuade: self.dissuade(),
            join_empty: self.states(),
            leave_empty: self.states(),
            hours: self.one_in(8).then(|| self.hours()),
            announce: self.announce(),
            callback: self.one_in(2).then(|| self.callback()),
            return_within: secs(self.up_to(60)),
            threshold: secs(20),
            short_abandon: secs(5),
            retry: Retry { busy: secs(self.up_to(15)), rejected: secs(self.up_to(15)), unreachable: secs(self.up_to(15)) },
        }
    }

    fn relax(&mut self) -> Relax {
        let skill = Skill::new(["es", "en", "fr"][self.up_to(2) as usize]);
        let change = match self.up_to(3) {
            0 => Change::Lower { skill, to: self.up_to(4) as u8 },
            1 => Change::Drop { skill },
            2 => Change::Widen { group: self.group() },
            _ => Change::Raise { seconds: self.up_to(60) as i64 - 10 },
        };
        Relax { after: secs(self.up_to(40)), change }
    }

    fn group(&mut self) -> acd::Group {
        self.one_of(&GROUPS).into()
    }

    pub fn wrap_up(&mut self) -> WrapUp {
        let mode = self.one_of(&[WrapUpMode::None, WrapUpMode::Optional, WrapUpMode::Timed, WrapUpMode::Forced]);
        WrapUp { mode, time: secs(self.up_to(20)), cap: secs(self.up_to(40)) }
    }

    fn dissuade(&mut self) -> Dissuade {
        let length = self.one_in(6).then(|| self.up_to(10) as usize);
        let per_agent = self.one_in(4).then(|| self.up_to(500) as u32);
        Dissuade { length, per_agent, wait: self.one_in(4).then(|| secs(self.up_to(300))) }
    }

    /// Mostly empty.
    fn states(&mut self) -> BTreeSet<AgentState> {
        let all = [AgentState::LoggedOut, AgentState::Paused, AgentState::Unreachable, AgentState::Talking, AgentState::Engaged];
        let n = if self.one_in(4) { self.up_to(5) as usize } else { 0 };
        all.into_iter().take(n).collect()
    }

    fn hours(&mut self) -> Calendar {
        let week = vec![format!("mon-sun 00:{:02}-00:{:02}", self.up_to(29), 30 + self.up_to(29))];
        Written { zone: "America/Mexico_City".into(), week, dates: Vec::new() }.try_into().unwrap()
    }

    fn announce(&mut self) -> Announce {
        let every = self.one_in(2).then(|| secs(self.up_to(20)));
        Announce { every, position: self.one_in(2), wait: self.one_in(2) }
    }

    fn callback(&mut self) -> Callback {
        Callback { first: CallFirst::Agent, attempts: 2, retry_after: secs(10), ring: secs(self.up_to(20)) }
    }

    pub fn requirement(&mut self) -> Requirement {
        self.one_of(&["", "", "", "", "es >= 3", "en >= 2 and es >= 2", "es >= 2", "fr >= 9"]).parse().unwrap()
    }

    pub fn skills(&mut self) -> Skills {
        let mut skills = Skills::new();
        for skill in ["es", "en"] {
            if !self.one_in(4) {
                skills.insert(Skill::new(skill), 2 + self.up_to(4) as u8);
            }
        }
        skills
    }

    fn agent(&mut self) -> Agent {
        Agent {
            skills: self.skills(),
            queues: (0..4).filter(|_| !self.one_in(4)).map(queue).collect(),
            groups: (0..self.up_to(2)).map(|_| self.group()).collect(),
            rank: self.up_to(2) as u32,
            wrap_up: self.one_in(3).then(|| self.wrap_up()),
            starts_logged_in: !self.one_in(4),
            max_misses: self.up_to(3) as u32,
        }
    }
}

//! The linear scan of the field: everybody who waits, or is free, is looked at and the best is kept.
//!
//! It is given every advantage: skills and queues are small numbers in flat arrays, and it only chooses. It keeps no
//! states, deadlines, positions or reasons.

use crate::world::{Dice, LANGUAGE_LEVEL, QUEUES, SKILLS, Size, Want, asked_by, is_even, person, wanted};

struct Agent {
    free: bool,
    idle_since: u64,
    queues: [u64; QUEUES.div_ceil(64) as usize],
    levels: [u8; SKILLS as usize],
}

struct Visit {
    entered: u64,
    priority: i64,
    queue: u16,
    needs: [(u8, u8); 2],
}

pub struct Scan {
    agents: Vec<Agent>,
    visits: Vec<Visit>,
    size: Size,
    calm: Vec<Want>,
    dice: Dice,
    now: u64,
}

impl Scan {
    /// For [`Scan::frees`] if nobody is free, for [`Scan::comes`] if half of them are.
    pub fn new(size: Size, calm_half: bool) -> Scan {
        let agents = (0..size.agents).map(|n| agent(n, size, calm_half && !is_even(n, size))).collect();
        let busy = (0..size.agents).filter(|n| !calm_half || is_even(*n, size));
        let wants = wanted(busy, size);
        let calm = wanted((0..size.agents).filter(|n| !is_even(*n, size)), size);
        let mut scan = Scan { agents, visits: Vec::new(), size, calm, dice: Dice::new(7), now: 0 };
        for _ in 0..size.waiting {
            let want = scan.dice.one_of(&wants);
            let visit = scan.visit(want);
            scan.visits.push(visit);
        }
        scan
    }

    fn visit(&mut self, want: Want) -> Visit {
        self.now += 1_000;
        let needs = [asked_by(want.queue), (want.language, LANGUAGE_LEVEL)];
        Visit { entered: self.now, priority: 0, queue: want.queue, needs }
    }

    /// An agent becomes free and takes the best score; the same is asked for again.
    pub fn frees(&mut self) -> Option<usize> {
        let agent = &self.agents[self.dice.below(self.size.agents as u64) as usize];
        let now = self.now;
        let able = self.visits.iter().enumerate().filter(|(_, v)| agent.can_take(v));
        let score = |v: &Visit| (now - v.entered) as i64 + v.priority;
        let (best, _) = able.max_by_key(|(n, v)| (score(v), std::cmp::Reverse(*n)))?;
        self.now += 1_000;
        self.visits[best].entered = self.now;
        Some(best)
    }

    /// A call comes and the longest idle of those who can take it does.
    pub fn comes(&mut self) -> Option<usize> {
        let want = self.dice.one_of(&self.calm);
        let visit = self.visit(want);
        let able = self.agents.iter().enumerate().filter(|(_, agent)| agent.free && agent.can_take(&visit));
        let (best, _) = able.min_by_key(|(n, agent)| (agent.idle_since, *n))?;
        self.agents[best].idle_since = self.now;
        Some(best)
    }
}

impl Agent {
    fn can_take(&self, visit: &Visit) -> bool {
        let serves = self.queues[usize::from(visit.queue / 64)] & 1 << (visit.queue % 64) != 0;
        serves && visit.needs.iter().all(|(skill, at_least)| self.levels[usize::from(*skill)] >= *at_least)
    }
}

fn agent(n: usize, size: Size, free: bool) -> Agent {
    let person = person(n, size);
    let mut agent = Agent { free, idle_since: n as u64, queues: Default::default(), levels: [0; SKILLS as usize] };
    person.queues.iter().for_each(|queue| agent.queues[usize::from(queue / 64)] |= 1 << (queue % 64));
    person.skills.iter().for_each(|(skill, level)| agent.levels[usize::from(*skill)] = *level);
    agent
}

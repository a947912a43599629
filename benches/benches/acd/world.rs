//! The people and calls that the ACD and the linear scan both serve: 200 queues, 64 skills.
//!
//! Of the skills 8 are languages and 56 are subjects. A queue asks for its subject, a call for its language besides. An
//! agent speaks two languages and serves six queues, whose subjects the agent knows: of the waiting calls an agent can
//! take those of twelve groups, if all of them have somebody.

pub const QUEUES: u16 = 200;
pub const LANGUAGES: u8 = 8;
pub const SKILLS: u8 = 64;
const SUBJECTS: u8 = SKILLS - LANGUAGES;

/// How many there are of everybody.
#[derive(Clone, Copy)]
pub struct Size {
    pub agents: usize,
    pub waiting: usize,
    /// Agents differ in so many ways.
    pub profiles: usize,
}

pub const SMALL: Size = Size { agents: 100, waiting: 1_000, profiles: 100 };
pub const LARGE: Size = Size { agents: 10_000, waiting: 100_000, profiles: 1_000 };
/// No two agents are alike.
pub const ALL_DIFFERENT: Size = Size { profiles: 10_000, ..LARGE };

/// What a call asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    pub queue: u16,
    pub language: u8,
}

pub struct Person {
    pub queues: [u16; 6],
    /// Two languages and the subjects of the queues, with their levels.
    pub skills: Vec<(u8, u8)>,
}

/// The subject that a queue asks for, at this level or above.
pub fn asked_by(queue: u16) -> (u8, u8) {
    (LANGUAGES + (queue % u16::from(SUBJECTS)) as u8, 1 + (queue % 5) as u8)
}

/// The level that each call asks for in its language.
pub const LANGUAGE_LEVEL: u8 = 3;

/// The same dice for everybody who needs the same world.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64: the generator must not weigh in what is counted.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((u128::from(z) * u128::from(bound)) >> 64) as u64
    }

    pub fn one_of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.below(some.len() as u64) as usize]
    }
}

/// Agents are alike if their numbers are, modulo the number of profiles. Even ones serve queues of the first half.
pub fn person(agent: usize, size: Size) -> Person {
    let profile = agent % size.profiles;
    let mut dice = Dice::new(profile as u64 + 1);
    let half = u64::from(QUEUES / 2);
    let first = if is_even(agent, size) { 0 } else { QUEUES / 2 };
    // One of each sixth of its half, so that they are six.
    let queues = std::array::from_fn(|n| {
        let (from, to) = (n as u64 * half / 6, (n as u64 + 1) * half / 6);
        first + (from + dice.below(to - from)) as u16
    });
    let mut level = {
        let mut dice = Dice::new(!(profile as u64));
        move || 5 + dice.below(6) as u8
    };
    let speaks = dice.below(u64::from(LANGUAGES)) as u8;
    let languages = [speaks, (speaks + 1 + dice.below(u64::from(LANGUAGES) - 1) as u8) % LANGUAGES];
    let knows = languages.into_iter().chain(queues.iter().map(|queue| asked_by(*queue).0));
    Person { queues, skills: knows.map(|skill| (skill, level())).collect() }
}

/// What this agent can take: each of the queues with each of the languages.
pub fn wants_for(agent: usize, size: Size) -> impl Iterator<Item = Want> {
    let person = person(agent, size);
    let languages = [person.skills[0].0, person.skills[1].0];
    person.queues.into_iter().flat_map(move |queue| languages.map(|language| Want { queue, language }))
}

/// Each pair that some of these agents can take, once.
pub fn wanted(agents: impl Iterator<Item = usize>, size: Size) -> Vec<Want> {
    let mut all: Vec<Want> = agents.flat_map(|agent| wants_for(agent, size)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

pub fn is_even(agent: usize, size: Size) -> bool {
    (agent % size.profiles).is_multiple_of(2)
}

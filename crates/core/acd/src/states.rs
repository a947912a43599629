//! Sets of agent states, and how many agents are in each.

use base::AgentState;
use std::collections::BTreeSet;

/// All there are, in the order of their numbers.
pub(crate) const STATES: [AgentState; 10] = [
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

/// Takes calls of queues, now or after the one in hand.
pub(crate) fn is_at_work(state: AgentState) -> bool {
    use AgentState::*;
    matches!(state, Available | Reserved | Ringing | Talking | Holding | WrapUp)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StateSet(u16);

impl StateSet {
    pub fn of(states: &BTreeSet<AgentState>) -> StateSet {
        states.iter().fold(StateSet::default(), |set, state| set.with(*state))
    }

    fn with(self, state: AgentState) -> StateSet {
        StateSet(self.0 | 1 << state as u16)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Agents by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    counts: [u32; STATES.len()],
    some: StateSet,
}

impl Census {
    pub fn add(&mut self, state: AgentState) {
        self.counts[state as usize] += 1;
        self.some = self.some.with(state);
    }

    /// Of one who was added.
    pub fn take(&mut self, state: AgentState) {
        self.counts[state as usize] -= 1;
        if self.counts[state as usize] == 0 {
            self.some.0 &= !(1 << state as u16);
        }
    }

    pub fn of(&self, state: AgentState) -> u32 {
        self.counts[state as usize]
    }

    pub fn all(&self) -> u32 {
        self.counts.iter().sum()
    }

    pub fn somebody_is_logged_in(&self) -> bool {
        self.has_outside(StateSet(1 << AgentState::LoggedOut as u16))
    }

    pub fn logged_in(&self) -> u32 {
        self.all() - self.of(AgentState::LoggedOut)
    }

    pub fn at_work(&self) -> u32 {
        STATES.into_iter().filter(|state| is_at_work(*state)).map(|state| self.of(state)).sum()
    }

    /// Somebody is in a state that is not of this set.
    pub fn has_outside(&self, set: StateSet) -> bool {
        self.some.0 & !set.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_census_knows_who_is_outside_a_set() {
        assert!(STATES.iter().enumerate().all(|(n, state)| *state as usize == n));
        let out = StateSet::of(&[AgentState::LoggedOut, AgentState::Paused].into());
        assert!(!out.is_empty());
        let mut census = Census::default();
        assert!(!census.has_outside(out));
        census.add(AgentState::LoggedOut);
        census.add(AgentState::Talking);
        assert_eq!((census.all(), census.logged_in(), census.has_outside(out)), (2, 1, true));
        census.take(AgentState::Talking);
        assert!(!census.has_outside(out));
    }
}

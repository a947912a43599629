//! The open legs of a plane: found by id in one step, since each packet asks for two or three, and walked in the order of
//! their ids, so that the same inputs give the same outputs.

use crate::leg::Leg;
use base::{CallId, LegId};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(crate) struct Legs {
    places: HashMap<LegId, usize, FxBuildHasher>,
    order: BTreeSet<LegId>,
    legs: Vec<Option<Leg>>,
    free: Vec<usize>,
}

impl Legs {
    pub fn get(&self, id: &LegId) -> Option<&Leg> {
        self.legs.get(*self.places.get(id)?)?.as_ref()
    }

    pub fn get_mut(&mut self, id: &LegId) -> Option<&mut Leg> {
        self.legs.get_mut(*self.places.get(id)?)?.as_mut()
    }

    pub fn contains_key(&self, id: &LegId) -> bool {
        self.places.contains_key(id)
    }

    /// Puts a leg there, in place of another of the same id.
    pub fn insert(&mut self, id: LegId, leg: Leg) {
        self.remove(&id);
        let place = self.free.pop().unwrap_or(self.legs.len());
        match self.legs.get_mut(place) {
            Some(free) => *free = Some(leg),
            None => self.legs.push(Some(leg)),
        }
        self.places.insert(id, place);
        self.order.insert(id);
    }

    pub fn remove(&mut self, id: &LegId) -> Option<Leg> {
        let place = self.places.remove(id)?;
        self.order.remove(id);
        self.free.push(place);
        self.legs.get_mut(place)?.take()
    }

    pub fn keys(&self) -> impl Iterator<Item = &LegId> {
        self.order.iter()
    }

    /// Those of one call.
    pub fn of_call(&self, call: CallId) -> impl Iterator<Item = &LegId> {
        self.order.range(LegId { call, n: 0 }..=LegId { call, n: u16::MAX })
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Instant, Random};

    fn id(call: u32, n: u16) -> LegId {
        LegId { call: CallId { node: 1, epoch: 1, n: call }, n }
    }

    #[test]
    fn legs_are_found_by_id_walked_in_order_and_their_places_used_again() {
        let (mut legs, mut random) = (Legs::default(), Random::from_seed(1));
        for id in [id(2, 1), id(1, 2), id(3, 0), id(1, 1)] {
            legs.insert(id, Leg::new(Instant::ZERO, &mut random));
        }
        assert!(legs.remove(&id(2, 1)).is_some() && legs.remove(&id(2, 1)).is_none());
        legs.insert(id(0, 7), Leg::new(Instant::ZERO, &mut random));
        assert_eq!(legs.keys().copied().collect::<Vec<_>>(), [id(0, 7), id(1, 1), id(1, 2), id(3, 0)]);
        assert_eq!(legs.of_call(id(1, 0).call).copied().collect::<Vec<_>>(), [id(1, 1), id(1, 2)]);
        assert_eq!((legs.len(), legs.legs.len()), (4, 4), "the place of the one that went");
        assert!(legs.get_mut(&id(3, 0)).is_some() && legs.get(&id(2, 1)).is_none());
    }
}

//! What a plane has under ids: found by id in one step, since each packet asks for two or three, and walked in the order of
//! the ids, so that the same inputs give the same outputs.

use crate::leg::Leg;
use base::{CallId, LegId};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;
use std::hash::Hash;

/// The open legs.
pub(crate) type Legs = Table<LegId, Leg>;

#[derive(Debug)]
pub(crate) struct Table<I, T> {
    places: HashMap<I, usize, FxBuildHasher>,
    order: BTreeSet<I>,
    things: Vec<Option<(I, T)>>,
    free: Vec<usize>,
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Table { places: HashMap::default(), order: BTreeSet::new(), things: Vec::new(), free: Vec::new() }
    }
}

impl<I: Copy + Hash + Ord, T> Table<I, T> {
    pub fn get(&self, id: &I) -> Option<&T> {
        self.things.get(*self.places.get(id)?)?.as_ref().map(|(_, thing)| thing)
    }

    pub fn get_mut(&mut self, id: &I) -> Option<&mut T> {
        self.things.get_mut(*self.places.get(id)?)?.as_mut().map(|(_, thing)| thing)
    }

    /// Where a thing is as long as it is there, for whoever asks for it often.
    pub fn place(&self, id: &I) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// What has this id at this place.
    pub fn at(&mut self, place: usize, id: &I) -> Option<&mut T> {
        self.things.get_mut(place)?.as_mut().filter(|(there, _)| there == id).map(|(_, thing)| thing)
    }

    pub fn contains_key(&self, id: &I) -> bool {
        self.places.contains_key(id)
    }

    /// Puts a thing there, in place of another of the same id.
    pub fn insert(&mut self, id: I, thing: T) {
        self.remove(&id);
        let place = self.free.pop().unwrap_or(self.things.len());
        match self.things.get_mut(place) {
            Some(free) => *free = Some((id, thing)),
            None => self.things.push(Some((id, thing))),
        }
        self.places.insert(id, place);
        self.order.insert(id);
    }

    pub fn remove(&mut self, id: &I) -> Option<T> {
        let place = self.places.remove(id)?;
        self.order.remove(id);
        self.free.push(place);
        self.things.get_mut(place)?.take().map(|(_, thing)| thing)
    }

    pub fn keys(&self) -> impl Iterator<Item = &I> {
        self.order.iter()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&I, &T)> {
        self.order.iter().filter_map(|id| Some((id, self.get(id)?)))
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }
}

impl Legs {
    /// Those of one call.
    pub fn of_call(&self, call: CallId) -> impl Iterator<Item = &LegId> {
        self.order.range(LegId { call, n: 0 }..=LegId { call, n: u16::MAX })
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
        assert_eq!((legs.len(), legs.things.len()), (4, 4), "the place of the one that went");
        assert!(legs.get_mut(&id(3, 0)).is_some() && legs.get(&id(2, 1)).is_none());
        let place = legs.place(&id(0, 7)).unwrap();
        assert!(legs.at(place, &id(0, 7)).is_some() && legs.at(place, &id(2, 1)).is_none(), "who was there before");
    }
}

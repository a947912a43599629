//! A sorted list that knows how many stand before each.
//!
//! `BTreeSet` can't say a rank without a walk. Here the list is cut into chunks of at most [`ROOM`], so that a rank
//! costs one step per chunk and one binary search. Most who come are the last, and most who go are the first: both are
//! found at once and move nobody else. Chunks that empty are kept for the next that fill: a list that breathes does not
//! allocate.

use smallvec::SmallVec;
use std::cmp::Ordering;
use std::collections::VecDeque;

const ROOM: usize = 128;
/// Empty chunks kept.
const SPARE: usize = 4;

#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    /// Sorted within and among themselves. None is empty, but for the only one, which lies in the line itself.
    chunks: SmallVec<[VecDeque<T>; 1]>,
    spare: Vec<VecDeque<T>>,
    len: usize,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line { chunks: SmallVec::new(), spare: Vec::new(), len: 0 }
    }
}

impl<T: Ord> Line<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    pub fn first(&self) -> Option<&T> {
        self.chunks.first()?.front()
    }

    /// The first and the second.
    pub fn first_two(&self) -> (Option<&T>, Option<&T>) {
        let Some(chunk) = self.chunks.first() else { return (None, None) };
        (chunk.front(), chunk.get(1).or_else(|| self.chunks.get(1)?.front()))
    }

    /// The one before which so many stand.
    pub fn nth(&self, mut rank: usize) -> Option<&T> {
        for chunk in &self.chunks {
            match chunk.get(rank) {
                Some(item) => return Some(item),
                None => rank -= chunk.len(),
            }
        }
        None
    }

    /// Nothing changes if it is there already. Gives how many stand before it.
    pub fn insert(&mut self, item: T) -> usize {
        let Some(at) = self.chunk_for(&item) else { return self.append(item) };
        let place = match self.chunks[at].binary_search(&item) {
            Ok(place) => return self.before(at) + place,
            Err(place) => place,
        };
        let rank = self.before(at) + place;
        self.len += 1;
        if self.chunks[at].len() < ROOM {
            self.chunks[at].insert(place, item);
            return rank;
        }
        let mut tail = spare(&mut self.spare);
        tail.extend(self.chunks[at].drain(ROOM / 2..));
        match place.checked_sub(ROOM / 2) {
            Some(place) => tail.insert(place, item),
            None => self.chunks[at].insert(place, item),
        }
        self.chunks.insert(at + 1, tail);
        rank
    }

    /// Behind everybody.
    fn append(&mut self, item: T) -> usize {
        self.len += 1;
        match self.chunks.last_mut().filter(|chunk| chunk.len() < ROOM) {
            Some(chunk) => chunk.push_back(item),
            None => {
                // The first chunk grows with the line, the others are filled.
                let mut chunk =
                    if self.chunks.is_empty() { self.spare.pop().unwrap_or_default() } else { spare(&mut self.spare) };
                chunk.push_back(item);
                self.chunks.push(chunk);
            }
        }
        self.len - 1
    }

    pub fn remove(&mut self, item: &T) -> bool {
        let at = if self.first() == Some(item) {
            self.chunks[0].pop_front();
            0
        } else {
            let Some(at) = self.chunk_with(item) else { return false };
            let Ok(place) = self.chunks[at].binary_search(item) else { return false };
            self.chunks[at].remove(place);
            at
        };
        self.len -= 1;
        if self.chunks[at].is_empty() && self.chunks.len() > 1 {
            let chunk = self.chunks.remove(at);
            if self.spare.len() < SPARE {
                self.spare.push(chunk);
            }
        }
        true
    }

    pub fn contains(&self, item: &T) -> bool {
        self.chunk_for(item).is_some_and(|at| self.chunks[at].binary_search(item).is_ok())
    }

    /// How many stand before it.
    pub fn rank(&self, item: &T) -> Option<usize> {
        let at = self.chunk_for(item)?;
        let within = self.chunks[at].binary_search(item).ok()?;
        Some(self.before(at) + within)
    }

    /// How many are in the chunks before this one, counted the shorter way round.
    fn before(&self, at: usize) -> usize {
        if at < self.chunks.len() / 2 {
            self.chunks[..at].iter().map(VecDeque::len).sum()
        } else {
            self.len - self.chunks[at..].iter().map(VecDeque::len).sum::<usize>()
        }
    }

    /// The same for one who goes: most do from the first chunk, and then no other is looked at.
    fn chunk_with(&self, item: &T) -> Option<usize> {
        if self.chunks.first()?.back().is_some_and(|last| last >= item) { Some(0) } else { self.chunk_for(item) }
    }

    /// The first chunk that does not end before the item.
    fn chunk_for(&self, item: &T) -> Option<usize> {
        let ends_before = |chunk: &VecDeque<T>| chunk.back().is_some_and(|last| last.cmp(item) == Ordering::Less);
        if ends_before(self.chunks.last()?) {
            return None;
        }
        if !ends_before(&self.chunks[0]) {
            return Some(0);
        }
        Some(self.chunks.partition_point(ends_before))
    }
}

/// An empty chunk with room.
fn spare<T>(spare: &mut Vec<VecDeque<T>>) -> VecDeque<T> {
    spare.pop().unwrap_or_else(|| VecDeque::with_capacity(ROOM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(line: &Line<u16>, model: &std::collections::BTreeSet<u16>) {
        assert_eq!((line.len(), line.first()), (model.len(), model.first()));
        assert!(line.iter().eq(model.iter()));
        assert!(model.iter().enumerate().all(|(i, n)| line.rank(n) == Some(i) && line.nth(i) == Some(n)));
        assert_eq!((line.rank(&3_000), line.nth(model.len())), (None, None));
        assert!((0..2_000).all(|n| line.contains(&n) == model.contains(&n)));
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_set_with_ranks(steps in prop::collection::vec((any::<bool>(), 0u16..2_000), 0..3_000)) {
            let (mut line, mut model) = (Line::default(), std::collections::BTreeSet::new());
            for (add, n) in steps {
                if add {
                    model.insert(n);
                    prop_assert_eq!(line.insert(n), model.range(..n).count());
                } else {
                    prop_assert_eq!(line.remove(&n), model.remove(&n));
                }
            }
            agrees(&line, &model);
        }

        #[test]
        fn those_who_came_first_go_first(ahead in 0u16..1_500, passed in prop::collection::vec(0u16..2_000, 0..40)) {
            let (mut line, mut model) = (Line::default(), std::collections::BTreeSet::new());
            for n in 0..2_000 {
                line.insert(n);
                model.insert(n);
                if n >= ahead {
                    prop_assert_eq!(line.remove(&(n - ahead)), model.remove(&(n - ahead)));
                }
            }
            passed.iter().for_each(|n| assert_eq!(line.remove(n), model.remove(n)));
            passed.iter().for_each(|n| { line.insert(*n); model.insert(*n); });
            agrees(&line, &model);
        }
    }
}

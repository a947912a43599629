//! A sorted list that knows how many stand before each.
//!
//! `BTreeSet` can't say a rank without a walk. Here the list is cut into chunks of at most [`ROOM`], so that a rank
//! costs one step per chunk and one binary search. Chunks that empty are kept for the next that fill: a list that
//! breathes does not allocate.

const ROOM: usize = 256;
/// Empty chunks kept.
const SPARE: usize = 4;

#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    /// None is empty; sorted within and among themselves.
    chunks: Vec<Vec<T>>,
    spare: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line { chunks: Vec::new(), spare: Vec::new(), len: 0 }
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
        self.chunks.first()?.first()
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

    /// What `compare` finds equal, as `binary_search_by` has it.
    pub fn find(&self, mut compare: impl FnMut(&T) -> std::cmp::Ordering) -> Option<&T> {
        let at = self.chunks.partition_point(|c| c.last().is_some_and(|last| compare(last).is_lt()));
        let chunk = self.chunks.get(at)?;
        chunk.binary_search_by(compare).ok().map(|place| &chunk[place])
    }

    /// Nothing changes if it is there already.
    pub fn insert(&mut self, item: T) {
        let last = self.chunks.len().saturating_sub(1);
        let at = self.chunk_of(&item).min(last);
        let Some(chunk) = self.chunks.get_mut(at) else {
            let mut chunk = self.spare.pop().unwrap_or_default();
            chunk.push(item);
            self.chunks.push(chunk);
            self.len = 1;
            return;
        };
        let Err(place) = chunk.binary_search(&item) else { return };
        chunk.insert(place, item);
        self.len += 1;
        if chunk.len() > ROOM {
            let mut tail = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(ROOM + 1));
            tail.extend(chunk.drain(ROOM / 2..));
            self.chunks.insert(at + 1, tail);
        }
    }

    pub fn remove(&mut self, item: &T) -> bool {
        let at = self.chunk_of(item);
        let Some(chunk) = self.chunks.get_mut(at) else { return false };
        let Ok(place) = chunk.binary_search(item) else { return false };
        chunk.remove(place);
        self.len -= 1;
        if chunk.is_empty() {
            let chunk = self.chunks.remove(at);
            if self.spare.len() < SPARE {
                self.spare.push(chunk);
            }
        }
        true
    }

    pub fn contains(&self, item: &T) -> bool {
        self.find(|other| other.cmp(item)).is_some()
    }

    /// How many stand before it.
    pub fn rank(&self, item: &T) -> Option<usize> {
        let at = self.chunk_of(item);
        let within = self.chunks.get(at)?.binary_search(item).ok()?;
        Some(self.chunks.iter().take(at).map(Vec::len).sum::<usize>() + within)
    }

    /// The first chunk that does not end before the item.
    fn chunk_of(&self, item: &T) -> usize {
        self.chunks.partition_point(|c| c.last().is_some_and(|last| last < item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_set_with_ranks(steps in prop::collection::vec((any::<bool>(), 0u16..2_000), 0..3_000)) {
            let (mut line, mut model) = (Line::default(), std::collections::BTreeSet::new());
            for (add, n) in steps {
                if add {
                    line.insert(n);
                    model.insert(n);
                } else {
                    prop_assert_eq!(line.remove(&n), model.remove(&n));
                }
            }
            prop_assert_eq!((line.len(), line.first()), (model.len(), model.first()));
            prop_assert!(line.iter().eq(model.iter()));
            prop_assert!(model.iter().enumerate().all(|(i, n)| line.rank(n) == Some(i) && line.nth(i) == Some(n)));
            prop_assert_eq!((line.rank(&3_000), line.nth(model.len())), (None, None));
            prop_assert!((0..2_000).all(|n| line.contains(&n) == model.contains(&n)));
        }
    }
}

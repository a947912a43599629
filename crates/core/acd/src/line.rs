//! A sorted list that knows how many stand before each.
//!
//! `BTreeSet` can't say a rank without a walk. Here the list is cut into chunks of at most [`ROOM`], so that a rank
//! costs one step per chunk and one binary search.

const ROOM: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    /// None is empty; sorted within and among themselves.
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Ord> Line<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Nothing changes if it is there already.
    pub fn insert(&mut self, item: T) {
        let last = self.chunks.len().saturating_sub(1);
        let at = self.chunk_of(&item).min(last);
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push(vec![item]);
            self.len = 1;
            return;
        };
        if let Err(place) = chunk.binary_search(&item) {
            chunk.insert(place, item);
            self.len += 1;
            if chunk.len() > ROOM {
                let tail = chunk.split_off(ROOM / 2);
                self.chunks.insert(at + 1, tail);
            }
        }
    }

    pub fn remove(&mut self, item: &T) -> bool {
        let at = self.chunk_of(item);
        let Some(chunk) = self.chunks.get_mut(at) else { return false };
        let Ok(place) = chunk.binary_search(item) else { return false };
        chunk.remove(place);
        self.len -= 1;
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
        true
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
            prop_assert_eq!(line.len(), model.len());
            prop_assert!(line.chunks.iter().flatten().eq(model.iter()));
            prop_assert!(model.iter().enumerate().all(|(i, n)| line.rank(n) == Some(i)));
            prop_assert_eq!(line.rank(&3_000), None);
        }
    }
}

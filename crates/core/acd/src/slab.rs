//! Things under small numbers that stay theirs until they are removed.

use std::ops::{Index, IndexMut};

#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    vacant: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), vacant: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Numbers are given in the same order on each run, so that decisions may depend on them.
    pub fn insert(&mut self, item: T) -> usize {
        match self.vacant.pop() {
            Some(number) => {
                self.slots[number] = Some(item);
                number
            }
            None => {
                self.slots.push(Some(item));
                self.slots.len() - 1
            }
        }
    }

    pub fn remove(&mut self, number: usize) {
        if self.slots.get_mut(number).and_then(Option::take).is_some() {
            self.vacant.push(number);
        }
    }

    pub fn get(&self, number: usize) -> Option<&T> {
        self.slots.get(number)?.as_ref()
    }

    /// The numbers that are given next, from those that were removed.
    pub fn vacant(&self) -> impl Iterator<Item = usize> {
        self.vacant.iter().rev().copied()
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }

    /// Numbers given so far, some of which may be vacant.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.slots.iter().enumerate().filter_map(|(i, s)| Some((i, s.as_ref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(i, s)| Some((i, s.as_mut()?)))
    }
}

impl<T> Index<usize> for Slab<T> {
    type Output = T;
    fn index(&self, number: usize) -> &T {
        self.slots[number].as_ref().expect("a number is forgotten by every index before its slot is emptied")
    }
}

impl<T> IndexMut<usize> for Slab<T> {
    fn index_mut(&mut self, number: usize) -> &mut T {
        self.slots[number].as_mut().expect("a number is forgotten by every index before its slot is emptied")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_given_again_only_after_it_was_removed() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        slab.remove(a);
        slab.remove(a);
        assert_eq!((slab.len(), slab[b]), (1, 'b'));
        let c = slab.insert('c');
        assert_eq!((c, slab.insert('d')), (a, 2));
        assert_eq!(slab.iter().map(|(_, c)| *c).collect::<String>(), "cbd");
    }
}

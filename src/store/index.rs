//! A small hash index from words to row slots: open addressing, linear probing, removal by shifting back.
//!
//! It is never iterated, so its order cannot leak into a run; the caller compares keys, the index only hashes.

use crate::kernel::path::mix;

const FREE: u32 = u32::MAX;

/// A multimap from hashes to row slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    slots: Vec<(u64, u32)>,
    used: usize,
}

impl Index {
    /// The hash of a word.
    #[inline]
    pub fn hash(word: i64) -> u64 {
        mix(0x1d, word as u64)
    }

    /// The hash of several words.
    #[inline]
    pub fn hash_all(words: impl Iterator<Item = i64>) -> u64 {
        words.fold(0x2d, |hash, word| mix(hash, word as u64))
    }

    /// The row filed under the hash for which `is` says so.
    #[inline]
    pub fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (filed, row) = self.slots[at];
            if row == FREE {
                return None;
            }
            if filed == hash && is(row) {
                return Some(row);
            }
            at = (at + 1) & mask;
        }
    }

    /// The lowest row filed under the hash for which `is` says so.
    pub fn least(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut least = None;
        self.find(hash, |row| {
            if least.is_none_or(|least| row < least) && is(row) {
                least = Some(row);
            }
            false
        });
        least
    }

    /// Files a row.
    pub fn insert(&mut self, hash: u64, row: u32) {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        self.used += 1;
        self.place(hash, row);
    }

    /// Removes a row filed under the hash, if it is there.
    pub fn remove(&mut self, hash: u64, row: u32) {
        if self.slots.is_empty() {
            return;
        }
        let mask = self.slots.len() - 1;
        let mut hole = hash as usize & mask;
        while self.slots[hole] != (hash, row) {
            if self.slots[hole].1 == FREE {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.used -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let (filed, moved) = self.slots[at];
            if moved == FREE {
                break;
            }
            // An entry may move into the hole only if its own home is not between the hole and it.
            let home = filed as usize & mask;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = (filed, moved);
                hole = at;
            }
        }
        self.slots[hole] = (0, FREE);
    }

    /// How many rows are filed.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        if self.used > 0 {
            self.slots.fill((0, FREE));
            self.used = 0;
        }
    }

    fn place(&mut self, hash: u64, row: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].1 != FREE {
            at = (at + 1) & mask;
        }
        self.slots[at] = (hash, row);
    }

    fn grow(&mut self) {
        let wider = (self.slots.len() * 2).max(8);
        let old = std::mem::replace(&mut self.slots, vec![(0, FREE); wider]);
        for (hash, row) in old {
            if row != FREE {
                self.place(hash, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Few hashes and many rows: probe chains wrap and overlap, which is where shifting back goes wrong.
        #[test]
        fn agrees_with_a_plain_list(steps in prop::collection::vec((any::<bool>(), 0u64..12, 0u32..40), 1..200)) {
            let mut index = Index::default();
            let mut plain: Vec<(u64, u32)> = Vec::new();
            for (add, hash, row) in steps {
                let known = plain.iter().position(|&entry| entry == (hash, row));
                match (add, known) {
                    (true, None) => { index.insert(hash, row); plain.push((hash, row)); }
                    (false, Some(at)) => { index.remove(hash, row); plain.swap_remove(at); }
                    (true, Some(_)) => {}
                    (false, None) => index.remove(hash, row),
                }
                for hash in 0..12 {
                    for row in 0..40 {
                        let expected = plain.contains(&(hash, row)).then_some(row);
                        prop_assert_eq!(index.find(hash, |found| found == row), expected);
                    }
                }
            }
        }
    }
}

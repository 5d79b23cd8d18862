//! Lists and records of one run, hash-consed: equal tuples have equal handles, so comparing two lists is comparing two
//! words. The table that finds them is never iterated, and handles are numbered by first use, so a run repeats exactly.

use super::value::Word;

const EMPTY: u32 = u32::MAX;

/// The tuples of one run. An unused heap owns no memory.
#[derive(Clone, Debug, Default)]
pub struct Heap {
    words: Vec<Word>,
    /// End of each tuple in `words`; it starts where the one before ends.
    ends: Vec<u32>,
    /// Open addressing by linear probing, a power of two in size, at most half full.
    slots: Vec<u32>,
}

impl Heap {
    /// An empty heap.
    pub fn new() -> Self {
        Self::default()
    }

    /// The handle of the tuple with these elements. The same elements get the same handle until [`reset`](Self::reset).
    pub fn tuple(&mut self, elements: &[Word]) -> Word {
        if self.ends.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = hash(elements) as usize & mask;
        loop {
            match self.slots[at] {
                EMPTY => break,
                index if self.slice(index as usize) == elements => return Word::from(index),
                _ => at = (at + 1) & mask,
            }
        }
        let index = self.ends.len() as u32;
        self.words.extend_from_slice(elements);
        self.ends.push(self.words.len() as u32);
        self.slots[at] = index;
        Word::from(index)
    }

    /// The elements behind a handle; nothing for null or for a word that is no handle of this run.
    pub fn get(&self, handle: Word) -> &[Word] {
        match usize::try_from(handle) {
            Ok(index) if index < self.ends.len() => self.slice(index),
            _ => &[],
        }
    }

    /// How many different tuples there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no tuple was made since the last reset.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets every tuple and keeps the memory, for the next run.
    pub fn reset(&mut self) {
        if !self.ends.is_empty() {
            self.words.clear();
            self.ends.clear();
            self.slots.fill(EMPTY);
        }
    }

    fn slice(&self, index: usize) -> &[Word] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.words[start as usize..self.ends[index] as usize]
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        self.slots.clear();
        self.slots.resize(size, EMPTY);
        for index in 0..self.ends.len() {
            let mut at = hash(self.slice(index)) as usize & (size - 1);
            while self.slots[at] != EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = index as u32;
        }
    }
}

/// Two heaps are equal if they hold the same tuples under the same handles.
impl PartialEq for Heap {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words && self.ends == other.ends
    }
}

impl Eq for Heap {}

/// Folds the words with the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) after each.
fn hash(elements: &[Word]) -> u64 {
    let mut state = elements.len() as u64;
    for &word in elements {
        state = (state ^ word as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn handles_count_up_in_order_of_first_use() {
        let mut heap = Heap::new();
        assert_eq!(heap.tuple(&[]), 0);
        assert_eq!(heap.tuple(&[7]), 1);
        assert_eq!(heap.tuple(&[]), 0);
        assert_eq!(heap.get(1), [7]);
        heap.reset();
        assert_eq!(heap.tuple(&[7]), 0);
        assert_eq!(heap.len(), 1);
    }

    #[test]
    fn a_word_that_is_no_handle_has_no_elements() {
        let heap = Heap::new();
        assert_eq!(heap.get(super::super::value::NULL), [0; 0]);
        assert_eq!(heap.get(5), [0; 0]);
    }

    proptest! {
        #[test]
        fn equal_tuples_and_only_they_share_a_handle(tuples in prop::collection::vec(prop::collection::vec(0i64..3, 0..5), 0..120)) {
            let mut heap = Heap::new();
            let handles: Vec<Word> = tuples.iter().map(|tuple| heap.tuple(tuple)).collect();
            for (left, a) in tuples.iter().zip(&handles) {
                prop_assert_eq!(heap.get(*a), &left[..]);
                for (right, b) in tuples.iter().zip(&handles) {
                    prop_assert_eq!(left == right, a == b);
                }
            }
        }
    }
}

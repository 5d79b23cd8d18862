//! The numbers that events of a topic have among those with the same key, counted where they are written.

use super::index::Index;
use crate::kernel::path::mix;
use crate::model::ids::TopicId;
use crate::model::value::Word;

/// How many events there were so far, by topic and key.
#[derive(Clone, Debug, Default)]
pub struct Sequences {
    counts: Vec<(TopicId, Word, Word)>,
    index: Index,
}

impl Sequences {
    /// The number of the next event of a topic with this key: 1, 2, 3, …
    pub fn next(&mut self, topic: TopicId, key: Word) -> Word {
        let hash = mix(u64::from(topic.0), key as u64);
        let is = |at: u32| {
            let (of, known, _) = self.counts[at as usize];
            (of, known) == (topic, key)
        };
        let at = match self.index.find(hash, is) {
            Some(at) => at as usize,
            None => {
                self.index.insert(hash, self.counts.len() as u32);
                self.counts.push((topic, key, 0));
                self.counts.len() - 1
            }
        };
        self.counts[at].2 += 1;
        self.counts[at].2
    }

    /// Forgets all events and keeps the memory.
    pub fn reset(&mut self) {
        self.counts.clear();
        self.index.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_of_each_topic_is_counted_by_itself() {
        let mut sequences = Sequences::default();
        let (first, second) = (TopicId(1), TopicId(2));
        assert_eq!(sequences.next(first, 7), 1);
        assert_eq!(sequences.next(first, 7), 2);
        assert_eq!(sequences.next(first, 8), 1);
        assert_eq!(sequences.next(second, 7), 1);
        assert_eq!(sequences.next(first, 7), 3);
        sequences.reset();
        assert_eq!(sequences.next(first, 7), 1);
    }
}

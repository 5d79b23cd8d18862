//! The words of a message: few of them lie in the message itself, which spares an allocation for each slot and a copy by way
//! of the library; more have memory of their own, which the slot keeps.

use crate::model::value::Word;

/// So many words lie in place.
const FEW: usize = 2;

/// A short list of words, of 32 bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    len: u32,
    few: [Word; FEW],
    many: Option<Box<Many>>,
}

/// Words that do not fit in place; as many as there have ever been room for. The list is in a box, so that the usual one
/// without it takes one word less.
#[derive(Clone, Debug, Default)]
struct Many(Vec<Word>);

impl Words {
    /// Holds these words from now on.
    #[inline]
    pub(crate) fn set(&mut self, words: &[Word]) {
        self.len = words.len() as u32;
        match *words {
            [] => {}
            [a] => self.few[0] = a,
            [a, b] => self.few = [a, b],
            _ => self.set_many(words),
        }
    }

    /// The same for words that do not fit in place.
    fn set_many(&mut self, words: &[Word]) {
        let Many(many) = &mut **self.many.get_or_insert_default();
        many.clear();
        many.extend_from_slice(words);
    }

    /// The words.
    #[inline]
    pub(crate) fn all(&self) -> &[Word] {
        match self.few.get(..self.len as usize) {
            Some(few) => few,
            None => self.many.as_ref().map_or(&[], |many| &many.0),
        }
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Words) -> bool {
        self.all() == other.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_small_because_there_is_one_for_each_message_and_call() {
        // A word and a box are shorter on some machines.
        assert!(size_of::<Words>() <= 32);
    }

    #[test]
    fn words_are_what_was_set_last_however_many_there_were_before() {
        let numbers: Vec<Word> = (1..20).collect();
        let mut words = Words::default();
        for from in 0..20 {
            for to in 0..20 {
                for len in [from, to] {
                    words.set(&numbers[..len.min(19)]);
                    assert_eq!(words.all(), &numbers[..len.min(19)]);
                }
            }
        }
        let mut other = Words::default();
        other.set(&[1, 2, 3]);
        words.set(&[1, 2, 3]);
        assert_eq!(words, other);
        words.set(&[]);
        assert_ne!(words, other);
    }
}

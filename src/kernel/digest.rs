//! A running digest of a history: two runs were the same if their digests are.
//!
//! Two 64-bit lanes with constants of their own take every word; a difference that one lane happens to cancel
//! survives in the other. It is fast and guards against accidents, not against an adversary. Which words of which
//! records go in, and in which order, is told where records are.

use std::fmt;

use super::path::{GOLDEN, finalise};

const MULTIPLY: [u64; 2] = [GOLDEN, 0xd134_2543_de82_ef95];
// A flip of a word's top bit passes the multiplication as the top bit alone; the lanes must not carry it to one place.
const ROTATE: [u32; 2] = [29, 37];

/// A digest that words are folded into, one after the other; their order and number count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest {
    lanes: [u64; 2],
}

impl Digest {
    /// The digest of no words.
    pub const fn new() -> Digest {
        // The first hexadecimal digits of pi: no lane starts at 0, which a zero word would leave as it is.
        Digest { lanes: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344] }
    }

    /// Folds one word in.
    #[inline]
    pub const fn word(&mut self, word: u64) {
        self.lanes[0] = (self.lanes[0] ^ word).wrapping_mul(MULTIPLY[0]).rotate_left(ROTATE[0]);
        self.lanes[1] = (self.lanes[1] ^ word).wrapping_mul(MULTIPLY[1]).rotate_left(ROTATE[1]);
    }

    /// Folds words in, the first one first; the same as [`Digest::word`] for each of them.
    #[inline]
    pub fn words(&mut self, words: &[u64]) {
        // A local copy lets the lanes stay in registers.
        let mut digest = *self;
        for &word in words {
            digest.word(word);
        }
        *self = digest;
    }

    /// The digest of the words so far; more words may follow.
    pub const fn finish(&self) -> [u64; 2] {
        [finalise(self.lanes[0]), finalise(self.lanes[1])]
    }
}

impl Default for Digest {
    fn default() -> Self {
        Digest::new()
    }
}

impl fmt::Display for Digest {
    /// 32 hexadecimal digits, the first lane first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.finish();
        write!(f, "{a:016x}{b:016x}")
    }
}

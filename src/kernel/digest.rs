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

/// Keys of the words of a block: hexadecimal digits of pi, so that no small word makes a product zero.
const KEYS: [u64; 6] = [
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6c,
    0xc0ac_29b7_c97c_50dd,
    0x3f84_d5b5_b547_0917,
];
/// One lane takes the low half turned by so much: a bit that turns in both halves at one place must not leave both lanes.
const HALVES_APART: u32 = 29;

/// The product of two words, each with its key added.
#[inline]
const fn product(words: &[u64; 6], at: usize) -> u128 {
    words[at].wrapping_add(KEYS[at]) as u128 * words[at + 1].wrapping_add(KEYS[at + 1]) as u128
}

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

    /// Folds six words in at once. Not the same as [`Digest::word`] for each of them, and cheaper: the products do not
    /// wait for each other, nor for the block before.
    ///
    /// The words are hashed as the NH of UMAC does (Black and others, 1999), with keys that are fixed: the sum of three
    /// products of 128 bits. A change of one word always changes the sum, unless the other factor is 0, which it is for
    /// one word in 2^64; changes of several cancel by accident alone, as would two words in each other's place, since
    /// each has a key of its own. Both halves of the sum go into each lane, in different ways. A lane is turned into
    /// another one for each sum, so once it differs it stays so until another difference happens to cancel it.
    #[inline]
    pub const fn block(&mut self, words: &[u64; 6]) {
        let sum = product(words, 0).wrapping_add(product(words, 2)).wrapping_add(product(words, 4));
        let (low, high) = (sum as u64, (sum >> 64) as u64);
        let [a, b] = self.lanes;
        self.lanes = [
            a.wrapping_mul(MULTIPLY[0]).wrapping_add(low) ^ high,
            b.wrapping_mul(MULTIPLY[1]).wrapping_add(high) ^ low.rotate_left(HALVES_APART),
        ];
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64]) -> [u64; 2] {
        let mut digest = Digest::new();
        digest.words(words);
        digest.finish()
    }

    /// Computed by a second implementation, from the formulas in this file.
    #[test]
    fn golden_digests() {
        let text = |words: &[u64]| {
            let mut digest = Digest::new();
            digest.words(words);
            digest.to_string()
        };
        assert_eq!(text(&[]), "e9e0033e3badaf36dfc7a99951f24649");
        assert_eq!(text(&[0]), "e2166f5ad8b5db1dae7f6435773b18bd");
        assert_eq!(text(&[1, 2, 3]), "5b733f4f909488363f53cf5a98dcb2f5");
    }

    fn of_blocks(blocks: &[[u64; 6]]) -> [u64; 2] {
        let mut digest = Digest::new();
        blocks.iter().for_each(|block| digest.block(block));
        digest.finish()
    }

    /// Computed by a second implementation, from the formulas in this file.
    #[test]
    fn golden_digests_of_blocks() {
        let ascending = [1, 2, 3, 4, 5, 6];
        assert_eq!(of_blocks(&[[0; 6]]), [0xeeb5_2c47_5bee_61d8, 0xdcd3_76e2_1e48_ff6b]);
        assert_eq!(of_blocks(&[ascending]), [0xe54b_c0f2_8c73_099a, 0xf5f1_928a_ad46_e725]);
        let descending = [6, 5, 4, 3, 2, 1];
        assert_eq!(of_blocks(&[ascending, descending]), [0x5a15_1de2_779c_919d, 0x195f_8218_9a18_422d]);
    }

    /// Each single bit of each word of two blocks, each pair of bits of two words of one block, and words or blocks
    /// that change places.
    #[test]
    fn no_change_of_a_block_is_lost_in_either_lane() {
        let plain = [[7, 0, 1 << 40, 24, u64::MAX, 9], [1, 2, 3, 4, 5, 6]];
        let mut seen: [Vec<u64>; 2] = Default::default();
        let mut count = 0;
        let mut note = |blocks: &[[u64; 6]]| {
            let lanes = of_blocks(blocks);
            (0..2).for_each(|lane| seen[lane].push(lanes[lane]));
            count += 1;
        };
        note(&plain);
        note(&[plain[1], plain[0]]);
        for at in 0..12 {
            for bit in 0..64 {
                let mut blocks = plain;
                blocks[at / 6][at % 6] ^= 1 << bit;
                note(&blocks);
            }
        }
        for (a, b) in [(0, 1), (0, 3), (2, 3), (1, 4), (0, 5)] {
            for n in 0..64 * 64 {
                let mut blocks = plain;
                blocks[0][a] ^= 1 << (n / 64);
                blocks[0][b] ^= 1 << (n % 64);
                note(&blocks);
            }
            let mut blocks = plain;
            blocks[0].swap(a, b);
            note(&blocks);
        }
        for lane in &mut seen {
            lane.sort_unstable();
            lane.dedup();
            assert_eq!(lane.len(), count);
        }
    }

    #[test]
    fn words_one_by_one_or_at_once_are_the_same() {
        let words = [3, 1, 4, 1, 5, 9, 2, 6];
        let mut digest = Digest::new();
        words.iter().for_each(|&word| digest.word(word));
        assert_eq!(digest.finish(), of(&words));
        digest.word(5);
        assert_eq!(digest.finish(), of(&[3, 1, 4, 1, 5, 9, 2, 6, 5]));
    }

    /// All orders of four words, two of which differ in their top bit only, as null and 0 do.
    #[test]
    fn the_order_counts_in_each_lane() {
        let words = [0, 1 << 63, 1, 2];
        let mut seen: [Vec<u64>; 2] = Default::default();
        for code in 0..256 {
            let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
            if (0..4).all(|n| order.contains(&n)) {
                let lanes = of(&order.map(|n| words[n]));
                (0..2).for_each(|lane| seen[lane].push(lanes[lane]));
            }
        }
        for lane in &mut seen {
            lane.sort_unstable();
            lane.dedup();
            assert_eq!(lane.len(), 24);
        }
    }

    #[test]
    fn a_word_more_or_less_is_seen() {
        let zeros = [0; 100];
        let mut seen: Vec<[u64; 2]> = (0..=100).map(|n| of(&zeros[..n])).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 101);
    }

    /// Each single bit of each of 50 words, and each pair of bits of the first two: 3,200 + 4,096 histories and the
    /// plain one.
    #[test]
    fn no_flip_of_a_bit_or_of_two_is_lost() {
        let mut seen = Vec::new();
        let mut note = |flips: &[(usize, u32)]| {
            let mut words = [7u64; 50];
            flips.iter().for_each(|&(at, bit)| words[at] ^= 1 << bit);
            seen.push(of(&words));
        };
        note(&[]);
        for bit in 0..64 {
            (0..50).for_each(|at| note(&[(at, bit)]));
            (0..64).for_each(|other| note(&[(0, bit), (1, other)]));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 3_200 + 4_096 + 1);
    }

    /// A top bit leaves the multiplication alone and is turned to bit 28, where the next word can cancel it.
    #[test]
    fn what_one_lane_cancels_the_other_keeps() {
        let (plain, turned) = (of(&[7, 7]), of(&[7 ^ (1 << 63), 7 ^ (1 << 28)]));
        assert_eq!(plain[0], turned[0]);
        assert_ne!(plain[1], turned[1]);
    }
}

//! Popular things: integers of a range, the first the most popular, by Zipf's law.
//!
//! The weights are fixed-point powers, computed once when a plan is made; a sample is a binary search.

use super::fixed::{exp2_minus, log2_slow};
use super::sample::below;

/// The most integers a [`Zipf`] may have: 2^20.
pub const MAX_RANKS: u64 = 1 << 20;
/// Bits of the weight of the first rank; all ranks together then stay within 63 bits.
const WEIGHT_BITS: u32 = 43;

/// Integers from `low` to `high`; the n-th of them has a weight of n to the power of minus `exponent`.
///
/// Weights are rounded down to 2^-43 of the first one's, but never to 0: each integer can come out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zipf {
    low: i64,
    /// The weights of all ranks up to and including this one.
    upto: Vec<u64>,
}

impl Zipf {
    /// The law from `low` to `high`, both included, with an exponent in thousandths (1,100 is 1.1; 0 is even).
    ///
    /// `None` if `high` is below `low` or the range has more than [`MAX_RANKS`] integers.
    pub fn new(low: i64, high: i64, exponent_milli: u32) -> Option<Zipf> {
        let last = high.checked_sub(low).and_then(|n| u64::try_from(n).ok())?;
        if last >= MAX_RANKS {
            return None;
        }
        let mut sum = 0;
        let upto = (1..=last + 1)
            .map(|rank| {
                let power = log2_slow(rank) as u128 * exponent_milli as u128 / 1_000;
                sum += exp2_minus(power, WEIGHT_BITS).max(1);
                sum
            })
            .collect();
        Some(Zipf { low, upto })
    }

    /// The integer for this draw; a greater draw never gives a lesser one.
    pub fn sample(&self, draw: u64) -> i64 {
        let total = self.upto.last().copied().unwrap_or(0);
        let at = below(draw, total);
        self.low + self.upto.partition_point(|&upto| upto <= at) as i64
    }
}

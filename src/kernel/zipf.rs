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

#[cfg(test)]
mod tests {
    use super::super::testing::{chi_square, draws};
    use super::*;

    /// Expected: n^-1.1 over their sum, times 100,000. Nine degrees of freedom: 27.88 is passed once in 1,000.
    #[test]
    fn the_first_product_is_the_most_popular() {
        let zipf = Zipf::new(1, 10, 1_100).unwrap();
        let mut counts = [0; 10];
        draws(1, 100_000).for_each(|draw| counts[zipf.sample(draw) as usize - 1] += 1);
        let expected = [37_311, 17_406, 11_143, 8_120, 6_353, 5_198, 4_388, 3_788, 3_328, 2_964];
        let chi2 = chi_square(&counts, &expected);
        assert!(chi2 <= 27_880, "{chi2}/1000 {counts:?}");
    }

    #[test]
    fn an_exponent_of_one_gives_weights_of_one_over_n() {
        let zipf = Zipf::new(-1, 2, 1_000).unwrap();
        let weights: Vec<u64> =
            (0..4).map(|i| zipf.upto[i] - if i == 0 { 0 } else { zipf.upto[i - 1] }).collect();
        assert_eq!((weights[0], weights[1], weights[3]), (1 << 43, 1 << 42, 1 << 41));
        // 2^43 / 3 = 2932031007402.7, up to the 32 bits of a power that count.
        assert!(weights[2].abs_diff(2_932_031_007_402) < 4_000, "{}", weights[2]);
    }

    #[test]
    fn an_exponent_of_zero_is_even() {
        let zipf = Zipf::new(5, 8, 0).unwrap();
        let quarter = 1 << 62;
        assert_eq!([0, quarter, 2 * quarter, 3 * quarter].map(|draw| zipf.sample(draw)), [5, 6, 7, 8]);
    }

    #[test]
    fn even_the_least_popular_can_come_out() {
        let zipf = Zipf::new(1, 1_000, u32::MAX).unwrap();
        assert_eq!((zipf.sample(0), zipf.sample(u64::MAX)), (1, 1_000));
        let mut sorted: Vec<u64> = draws(2, 1_000).collect();
        sorted.sort_unstable();
        assert!(sorted.iter().map(|&draw| zipf.sample(draw)).is_sorted());
    }

    #[test]
    fn a_range_that_is_empty_or_too_long_is_none() {
        assert_eq!(Zipf::new(2, 1, 1_000), None);
        assert_eq!(Zipf::new(0, MAX_RANKS as i64, 1_000), None);
        assert_eq!(Zipf::new(i64::MIN, i64::MAX, 1_000), None);
        assert_eq!(Zipf::new(7, 7, 1_000).unwrap().sample(u64::MAX), 7);
        assert_eq!(Zipf::new(i64::MAX - 1, i64::MAX, 0).unwrap().sample(u64::MAX), i64::MAX);
    }
}

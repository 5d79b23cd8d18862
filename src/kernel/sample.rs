//! From a draw to a number below a bound, a yes or no, or a share.
//!
//! Each sampler maps one draw by inverse distribution function, with integers only, and is monotone in the draw; so
//! raising a rate only adds hits, and a scan over intensities is monotone as well. Lengths of time are in `dist`.

/// One in parts per million.
pub const MILLION: u32 = 1_000_000;

/// A number from 0 to `n - 1` (0 if `n` is 0): the draw as a fraction of 2^64, times `n`, rounded down.
///
/// No rejection (Lemire, 2019), so that one draw always gives one value: the chance of each number is off from 1/n by
/// less than 2^-64. Monotone in `draw`.
#[inline]
pub const fn below(draw: u64, n: u64) -> u64 {
    ((draw as u128 * n as u128) >> 64) as u64
}

/// [`below`] for a bound of 32 bits, such as the number of replicas.
#[inline]
pub const fn below_u32(draw: u64, n: u32) -> u32 {
    below(draw, n as u64) as u32
}

/// A number from `low` to `high`, both included; `low` if `high` is less. As even as [`below`] and monotone in `draw`.
#[inline]
pub const fn between(draw: u64, low: i64, high: i64) -> i64 {
    if high <= low {
        return low;
    }
    let count = high.abs_diff(low) as u128 + 1;
    low.wrapping_add(((draw as u128 * count) >> 64) as i64)
}

/// True with a chance of `ppm` parts per million; never for 0, always from a million on.
///
/// What hits at one rate hits at every higher rate too: the hits are the draws below a threshold.
#[inline]
pub const fn chance(draw: u64, ppm: u32) -> bool {
    below(draw, MILLION as u64) < ppm as u64
}

/// A share in parts per million that is fixed (`low == high`) or drawn evenly from a range, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Share {
    /// The least share, in parts per million.
    pub low: u32,
    /// The greatest share, in parts per million; taken as `low` if it is less.
    pub high: u32,
}

impl Share {
    /// No part.
    pub const NONE: Share = Share::fixed(0);
    /// All of it.
    pub const ALL: Share = Share::fixed(MILLION);

    /// Always the same share.
    pub const fn fixed(ppm: u32) -> Share {
        Share { low: ppm, high: ppm }
    }

    /// The share for this draw; monotone in it.
    #[inline]
    pub const fn at(self, draw: u64) -> u32 {
        // The bound is at most 2^32, so the sum fits.
        self.low + below(draw, self.high.saturating_sub(self.low) as u64 + 1) as u32
    }

    /// True if this can only be zero.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.low == 0 && self.high == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chi_square, draws};
    use super::*;

    #[test]
    fn a_draw_is_read_as_a_fraction() {
        assert_eq!(below(0, 10), 0);
        assert_eq!(below(1 << 63, 10), 5);
        assert_eq!(below(u64::MAX, 10), 9);
        assert_eq!(below(u64::MAX, u64::MAX), u64::MAX - 1);
        assert_eq!(below(u64::MAX, 0), 0);
        assert_eq!(below_u32(3 << 62, 4), 3);
    }

    #[test]
    fn both_ends_of_a_range_come_out() {
        assert_eq!((between(0, -3, 3), between(1 << 63, -3, 3), between(u64::MAX, -3, 3)), (-3, 0, 3));
        assert_eq!(between(u64::MAX, 5, 4), 5);
        assert_eq!(between(u64::MAX, i64::MIN, i64::MAX), i64::MAX);
        assert_eq!(between(0, i64::MIN, i64::MAX), i64::MIN);
    }

    /// Six degrees of freedom: 22.46 is passed once in 1,000.
    #[test]
    fn seven_replicas_are_chosen_evenly() {
        let mut counts = [0; 7];
        draws(1, 70_000).for_each(|draw| counts[below(draw, 7) as usize] += 1);
        let chi2 = chi_square(&counts, &[10_000; 7]);
        assert!(chi2 <= 22_460, "{chi2}/1000 {counts:?}");
        let mut counts = [0; 7];
        draws(2, 70_000).for_each(|draw| counts[(between(draw, -3, 3) + 3) as usize] += 1);
        let chi2 = chi_square(&counts, &[10_000; 7]);
        assert!(chi2 <= 22_460, "{chi2}/1000 {counts:?}");
    }

    /// One degree of freedom: 10.83 is passed once in 1,000.
    #[test]
    fn one_message_in_a_hundred_is_lost() {
        let hits = draws(3, 100_000).filter(|&draw| chance(draw, 10_000)).count() as u64;
        let chi2 = chi_square(&[hits, 100_000 - hits], &[1_000, 99_000]);
        assert!(chi2 <= 10_830, "{hits} hits");
    }

    #[test]
    fn never_and_always_are_meant_literally() {
        for draw in [0, 1, 1 << 63, u64::MAX] {
            assert!(!chance(draw, 0));
            assert!(chance(draw, MILLION));
            assert!(chance(draw, u32::MAX));
        }
        assert!(chance(0, 1));
        assert!(!chance(u64::MAX, MILLION - 1));
    }

    #[test]
    fn more_loss_only_adds_losses() {
        let rates = [0, 1, 10, 10_000, 10_001, 500_000, 999_999, MILLION];
        for draw in draws(4, 10_000) {
            let hits = rates.map(|ppm| chance(draw, ppm));
            assert!(hits.is_sorted(), "{draw:016x} {hits:?}");
        }
    }

    #[test]
    fn a_greater_draw_never_gives_less() {
        let mut sorted: Vec<u64> = draws(5, 10_000).collect();
        sorted.sort_unstable();
        let share = Share { low: 20_000, high: 90_000 };
        assert!(sorted.iter().map(|&draw| below(draw, 1_000)).is_sorted());
        assert!(sorted.iter().map(|&draw| between(draw, -500, 500)).is_sorted());
        assert!(sorted.iter().map(|&draw| share.at(draw)).is_sorted());
        assert!(sorted.iter().map(|&draw| !chance(draw, 300_000)).is_sorted());
    }

    #[test]
    fn a_share_stays_within_its_ends() {
        assert_eq!(Share::fixed(10_000).at(u64::MAX), 10_000);
        let share = Share { low: 10, high: 20 };
        assert_eq!((share.at(0), share.at(u64::MAX)), (10, 20));
        assert_eq!(Share { low: 20, high: 10 }.at(u64::MAX), 20);
        assert_eq!(Share { low: 0, high: u32::MAX }.at(u64::MAX), u32::MAX);
        assert!(Share::NONE.is_none() && !Share::ALL.is_none());
    }

    /// Ten degrees of freedom: 29.59 is passed once in 1,000.
    #[test]
    fn a_share_is_drawn_evenly() {
        let mut counts = [0; 11];
        let share = Share { low: 10, high: 20 };
        draws(6, 110_000).for_each(|draw| counts[share.at(draw) as usize - 10] += 1);
        let chi2 = chi_square(&counts, &[10_000; 11]);
        assert!(chi2 <= 29_590, "{chi2}/1000 {counts:?}");
    }
}

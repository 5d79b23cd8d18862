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

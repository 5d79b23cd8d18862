//! Logarithm, exponential and normal quantile in fixed-point integers, the same bits on every machine.
//!
//! The tables are computed by the compiler from the formulas beside them. Nothing here knows what it is used for.

/// Fractional bits of a logarithm.
pub(super) const LOG_BITS: u32 = 48;
/// Fractional bits of a normal quantile.
pub(super) const QUANTILE_BITS: u32 = 28;
/// The natural logarithm of 2, times 2^64.
const LN_2: u64 = 0xb172_17f7_d1cf_79ab;

/// The fraction of the base-2 logarithm of `m / 2^63`, for `m` with its top bit set: one bit per squaring.
const fn log2_fraction_slow(m: u64) -> u64 {
    let (mut x, mut fraction, mut bit) = (m as u128, 0u64, 0);
    while bit < LOG_BITS {
        x = (x * x) >> 63;
        fraction <<= 1;
        if x >> 64 != 0 {
            x >>= 1;
            fraction |= 1;
        }
        bit += 1;
    }
    fraction
}

/// The base-2 logarithm of `n` above 0, with [`LOG_BITS`] fractional bits, rounded down. Slow: for load time.
pub(super) const fn log2_slow(n: u64) -> u64 {
    let zeros = n.leading_zeros();
    (((63 - zeros) as u64) << LOG_BITS) + log2_fraction_slow(n << zeros)
}

/// Logarithms of 1, 1 + 1/256, …, 2.
static LOG2: [u64; 257] = {
    let (mut table, mut i) = ([1 << LOG_BITS; 257], 0);
    while i < 256 {
        table[i] = log2_fraction_slow((256 + i as u64) << 55);
        i += 1;
    }
    table
};

/// Minus the natural logarithm of `1 - draw / 2^64`, with [`LOG_BITS`] fractional bits: from 0 to 44.4, monotone in
/// the draw. Linear between 256 knots per octave, so at most 2 · 10^-6 too great.
#[inline]
pub(super) fn minus_ln_rest(draw: u64) -> u64 {
    let rest = draw.wrapping_neg();
    if rest == 0 {
        return 0;
    }
    let zeros = rest.leading_zeros();
    let mantissa = rest << zeros;
    let knot = (mantissa >> 55) as usize & 0xff;
    let (from, to) = (LOG2[knot], LOG2[knot + 1]);
    let log = from + (((to - from) as u128 * (mantissa << 9) as u128) >> 64) as u64;
    let bits = ((zeros as u64 + 1) << LOG_BITS) - log;
    ((bits as u128 * LN_2 as u128) >> 64) as u64
}

/// Two to the power of minus 1/2, 1/4, 1/8, …, times 2^62.
static ROOTS: [u64; 32] = {
    let (mut table, mut i, mut x) = ([0; 32], 0, 1u128 << 61);
    while i < 32 {
        x = (x << 62).isqrt();
        table[i] = x as u64;
        i += 1;
    }
    table
};

/// `2^(scale - x)` rounded down, for `x` with [`LOG_BITS`] fractional bits, of which the first 32 count, and a
/// `scale` of at most 62.
pub(super) fn exp2_minus(x: u128, scale: u32) -> u64 {
    let whole = x >> LOG_BITS;
    if whole > scale as u128 {
        return 0;
    }
    let mut power = 1u128 << 62;
    for (i, root) in ROOTS.iter().enumerate() {
        if (x >> (LOG_BITS as usize - 1 - i)) & 1 == 1 {
            power = (power * *root as u128) >> 62;
        }
    }
    (power >> (62 - scale + whole as u32)) as u64
}

/// Fractional bits of the polynomials below.
const POLY_BITS: u32 = 40;

/// A decimal given in units of 10^-12.
const fn decimal(trillionths: i128) -> i128 {
    (trillionths << POLY_BITS) / 1_000_000_000_000
}

/// The polynomial with these coefficients, the highest power first.
const fn polynomial(r: i128, coefficients: &[i128]) -> i128 {
    let (mut sum, mut i) = (0, 0);
    while i < coefficients.len() {
        sum = ((sum * r) >> POLY_BITS) + decimal(coefficients[i]);
        i += 1;
    }
    sum
}

/// The distance from the mean, in standard deviations, that a normal value exceeds with chance `tail / 2^62`, for
/// chances from 2^-33 to 1/2. Algorithm AS 241 (Wichura, 1988), the version of seven digits.
const fn quantile_slow(tail: u64) -> u32 {
    let half = 1i128 << (POLY_BITS - 1);
    let centre = half - (tail >> (62 - POLY_BITS)) as i128;
    let z = if centre <= decimal(425_000_000_000) {
        let r = decimal(180_625_000_000) - ((centre * centre) >> POLY_BITS);
        let over =
            polynomial(r, &[59_109_374_720_000, 159_291_132_020_000, 50_434_271_938_000, 3_387_132_717_900]);
        let under =
            polynomial(r, &[67_187_563_600_000, 78_757_757_664_000, 17_895_169_469_000, 1_000_000_000_000]);
        centre * over / under
    } else {
        let log = (62u64 << LOG_BITS) - log2_slow(tail);
        let ln = (log as u128 * LN_2 as u128) >> 64;
        let root = (ln << LOG_BITS).isqrt() >> (LOG_BITS - POLY_BITS);
        let r = root as i128 - decimal(1_600_000_000_000);
        let over = polynomial(r, &[170_238_211_030, 1_306_728_481_600, 2_756_815_390_000, 1_423_437_277_700]);
        let under = polynomial(r, &[120_211_329_750, 737_001_642_500, 1_000_000_000_000]);
        (over << POLY_BITS) / under
    };
    (z >> (POLY_BITS - QUANTILE_BITS)) as u32
}

/// Row k: tails from 2^-(k+2) to 2^-(k+1) in 32 even steps, both ends included.
static QUANTILES: [[u32; 33]; 32] = {
    let (mut table, mut octave) = ([[0; 33]; 32], 0);
    while octave < 32 {
        let mut step = 0;
        while step < 33 {
            table[octave][step] = quantile_slow((32 + step as u64) << (55 - octave));
            step += 1;
        }
        octave += 1;
    }
    table
};

/// The standard normal value for a draw: whether it is below the mean, and how many standard deviations away, with
/// [`QUANTILE_BITS`] fractional bits. Monotone, linear between 32 knots per octave of the tail: off by at most
/// 10^-4, and cut at 6.34, beyond which one draw in 2^32 would fall.
#[inline]
pub(super) fn normal_quantile(draw: u64) -> (bool, u32) {
    let below = draw >> 63 == 0;
    // The middle of the draw's cell, so that both halves mirror each other.
    let tail = (if below { draw } else { !draw } << 1) | 1;
    let octave = tail.leading_zeros();
    let Some(row) = QUANTILES.get(octave as usize) else {
        return (below, QUANTILES[31][0]);
    };
    let mantissa = tail << octave;
    let knot = (mantissa >> 58) as usize & 0x1f;
    let (from, to) = (row[knot], row[knot + 1]);
    (below, from - (((from - to) as u128 * (mantissa << 6) as u128) >> 64) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_of_powers_of_two_are_exact() {
        for power in [0, 1, 20, 63] {
            assert_eq!(log2_slow(1 << power), power << LOG_BITS);
        }
        // The base-2 logarithm of 10 is 3.321928094887; times 10^9, rounded down.
        assert_eq!((u128::from(log2_slow(10)) * 1_000_000_000) >> LOG_BITS, 3_321_928_094);
    }

    #[test]
    fn the_exponential_undoes_the_logarithm() {
        assert_eq!(exp2_minus(0, 43), 1 << 43);
        assert_eq!(exp2_minus(3 << LOG_BITS, 43), 1 << 40);
        assert_eq!(exp2_minus(43 << LOG_BITS, 43), 1);
        assert_eq!(exp2_minus(44 << LOG_BITS, 43), 0);
        assert_eq!(exp2_minus(u128::MAX, 43), 0);
        // 10^12 / 10 comes back up to the 32 bits that count.
        let tenth = (u128::from(exp2_minus(u128::from(log2_slow(10)), 43)) * 1_000_000_000) >> 43;
        assert!((99_999_999..=100_000_001).contains(&tenth), "{tenth}");
    }

    #[test]
    fn half_of_all_waits_are_shorter_than_the_half_life() {
        assert_eq!(minus_ln_rest(0), 0);
        // ln 2 = 0.693147180559945; the longest is 64 times that.
        let ppb = |log: u64| (u128::from(log) * 1_000_000_000) >> LOG_BITS;
        assert_eq!(ppb(minus_ln_rest(1 << 63)), 693_147_180);
        assert_eq!(ppb(minus_ln_rest(u64::MAX)), 44_361_419_555);
        // ln 3 = 1.098612288668, between knots: at most 2,000 parts too great.
        let ln_3 = ppb(minus_ln_rest(u64::MAX / 3 * 2));
        assert!((1_098_612_288..1_098_614_300).contains(&ln_3), "{ln_3}");
    }

    /// Quantiles from tables of the normal distribution, at tails of 2^-2, 2^-3, 2^-4, 2^-10 and 2^-33.
    #[test]
    fn quantiles_agree_with_the_tables() {
        let known = [
            (0, 674_489_750),
            (1, 1_150_349_380),
            (2, 1_534_120_544),
            (8, 3_097_269_078),
            (31, 6_337_957_755),
        ];
        for (octave, expected) in known {
            let z = (u64::from(QUANTILES[octave][0]) * 1_000_000_000) >> QUANTILE_BITS;
            assert!(z.abs_diff(expected) < 1_000, "octave {octave}: {z} for {expected}");
        }
        assert_eq!(QUANTILES[0][32], 0);
        // 2.5 % lie below -1.959964, between knots.
        let (below, z) = normal_quantile(u64::MAX / 40);
        let z = (u64::from(z) * 1_000_000) >> QUANTILE_BITS;
        assert!(below && z.abs_diff(1_959_964) < 100, "{z}");
    }

    #[test]
    fn knots_only_fall() {
        for row in &QUANTILES {
            assert!(row.is_sorted_by(|a, b| a > b));
        }
        for pair in QUANTILES.windows(2) {
            assert_eq!(pair[0][0], pair[1][32]);
        }
        assert!(LOG2.is_sorted_by(|a, b| a < b));
    }
}

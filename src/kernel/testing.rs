//! Statistics for the tests of this level, with integers: chi-square and the correlation of two yes-or-no outcomes.
//!
//! All tests draw from fixed seeds, so a threshold is met for ever or never; the thresholds say how odd a sound
//! generator would have to be to miss them.

use super::path::{Path, Role, draw};
use super::seed::run_key;

/// The draws of `count` things of one parent, in the run of `seed`.
pub(super) fn draws(seed: u64, count: u32) -> impl Iterator<Item = u64> {
    let key = run_key(seed);
    (0..count).map(move |n| draw(key, Path::ROOT.child(Role::Draw, n), 0))
}

/// Pearson's chi-square of counts against expected counts, in thousandths.
pub(super) fn chi_square(observed: &[u64], expected: &[u64]) -> u64 {
    assert_eq!(observed.len(), expected.len());
    observed.iter().zip(expected).map(|(&o, &e)| o.abs_diff(e).pow(2) * 1_000 / e).sum()
}

/// The square of the z-score, in thousandths, for "these two outcomes have nothing to do with each other".
///
/// For the table of two outcomes it is chi-square with one degree of freedom: n (ad - bc)^2 / product of margins.
pub(super) fn dependence(pairs: impl Iterator<Item = (bool, bool)>) -> u128 {
    let (mut n, mut first, mut second, mut both) = (0u128, 0u128, 0u128, 0u128);
    for (a, b) in pairs {
        n += 1;
        first += u128::from(a);
        second += u128::from(b);
        both += u128::from(a && b);
    }
    let away = (both * n).abs_diff(first * second);
    1_000 * away * away * n / (first * second * (n - first) * (n - second))
}

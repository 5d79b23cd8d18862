//! Lengths of time that vary: a fixed span, a range, exponential, normal.
//!
//! A distribution maps one draw to one span, monotone in the draw and with integers only. All of them are linear in
//! their parameters: with all times multiplied by k a draw gives k times the span, up to rounding.

use std::fmt;

use super::fixed::{LOG_BITS, QUANTILE_BITS, minus_ln_rest, normal_quantile};
use super::time::Span;

pub use super::zipf::{MAX_RANKS, Zipf};

/// How a span of time is distributed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dist {
    /// Always the same.
    Fixed(Span),
    /// Even from `low` to `high`, both included; `low` if `high` is less.
    Range {
        /// The least span.
        low: Span,
        /// The greatest span.
        high: Span,
    },
    /// Exponential: memoryless, with a long tail of up to 44.4 means.
    Exp {
        /// The mean, before the cap.
        mean: Span,
        /// What is longer is taken as this.
        cap: Option<Span>,
    },
    /// Normal, within 6.34 standard deviations; what is below zero is taken as zero.
    Normal {
        /// The mean, before the cut at zero and the cap.
        mean: Span,
        /// The standard deviation.
        sd: Span,
        /// What is longer is taken as this.
        cap: Option<Span>,
    },
}

/// `span` times a number with so many fractional bits, rounded down; at most [`Span::MAX`].
#[inline]
fn times(span: Span, factor: u64, bits: u32) -> Span {
    let ns = (span.0 as u128 * factor as u128) >> bits;
    Span(u64::try_from(ns).unwrap_or(u64::MAX))
}

#[inline]
fn capped(span: Span, cap: Option<Span>) -> Span {
    match cap {
        Some(cap) => span.min(cap),
        None => span,
    }
}

impl Dist {
    /// No time at all.
    pub const ZERO: Dist = Dist::Fixed(Span::ZERO);

    /// The span for this draw; a greater draw never gives a shorter span.
    #[inline]
    pub fn sample(&self, draw: u64) -> Span {
        match *self {
            Dist::Fixed(span) => span,
            Dist::Range { low, high } => {
                let count = high.0.saturating_sub(low.0) as u128 + 1;
                Span(low.0 + ((draw as u128 * count) >> 64) as u64)
            }
            Dist::Exp { mean, cap } => capped(times(mean, minus_ln_rest(draw), LOG_BITS), cap),
            Dist::Normal { mean, sd, cap } => {
                let (below, z) = normal_quantile(draw);
                let away = times(sd, z as u64, QUANTILE_BITS);
                capped(if below { mean.saturating_sub(away) } else { mean.saturating_add(away) }, cap)
            }
        }
    }

    /// The shortest span that can come out.
    pub fn min(&self) -> Span {
        self.sample(0)
    }

    /// The longest span that can come out.
    pub fn max(&self) -> Span {
        self.sample(u64::MAX)
    }

    /// The span if it does not vary.
    pub fn fixed(&self) -> Option<Span> {
        let min = self.min();
        (min == self.max()).then_some(min)
    }

    /// The same with all times multiplied by `k`, at most [`Span::MAX`] each.
    pub fn scale(&self, k: u64) -> Dist {
        let by = |span: Span| span.saturating_mul(k);
        match *self {
            Dist::Fixed(span) => Dist::Fixed(by(span)),
            Dist::Range { low, high } => Dist::Range { low: by(low), high: by(high) },
            Dist::Exp { mean, cap } => Dist::Exp { mean: by(mean), cap: cap.map(by) },
            Dist::Normal { mean, sd, cap } => Dist::Normal { mean: by(mean), sd: by(sd), cap: cap.map(by) },
        }
    }
}

impl From<Span> for Dist {
    fn from(span: Span) -> Dist {
        Dist::Fixed(span)
    }
}

impl fmt::Display for Dist {
    /// As scenario files write it: `5ms`, `1ms..10ms`, `exp 5ms cap 50ms`, `normal 10ms 2ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cap = match *self {
            Dist::Fixed(span) => return write!(f, "{span}"),
            Dist::Range { low, high } => return write!(f, "{low}..{high}"),
            Dist::Exp { mean, cap } => {
                write!(f, "exp {mean}")?;
                cap
            }
            Dist::Normal { mean, sd, cap } => {
                write!(f, "normal {mean} {sd}")?;
                cap
            }
        };
        match cap {
            Some(cap) => write!(f, " cap {cap}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{chi_square, draws};
    use super::*;

    const MS: u64 = 1_000_000;

    /// Counts of 80,000 samples between seven ascending bounds, which should split them into eighths. Seven degrees of
    /// freedom: 24.32 is passed once in 1,000.
    fn assert_eighths(dist: Dist, bounds: [u64; 7]) {
        let mut counts = [0; 8];
        for draw in draws(1, 80_000) {
            let span = dist.sample(draw).0;
            counts[bounds.partition_point(|&bound| bound <= span)] += 1;
        }
        let chi2 = chi_square(&counts, &[10_000; 8]);
        assert!(chi2 <= 24_320, "{dist}: {chi2}/1000 {counts:?}");
    }

    #[test]
    fn a_range_is_even() {
        let dist = Dist::Range { low: Span(MS), high: Span(9 * MS) };
        assert_eighths(dist, [2, 3, 4, 5, 6, 7, 8].map(|ms| ms * MS));
        assert_eq!((dist.min(), dist.max()), (Span(MS), Span(9 * MS)));
    }

    /// Bounds: -ln(1 - k/8) means of one second.
    #[test]
    fn an_exponential_wait_has_its_octiles() {
        let dist = Dist::Exp { mean: Span::SECOND, cap: None };
        let bounds =
            [133_531_393, 287_682_072, 470_003_629, 693_147_181, 980_829_253, 1_386_294_361, 2_079_441_542];
        assert_eighths(dist, bounds);
        assert_eq!(dist.sample(1 << 63), Span(693_147_180));
    }

    /// Bounds: the mean of ten seconds and 0.318639, 0.674490 and 1.150349 standard deviations of one second.
    #[test]
    fn a_normal_latency_has_its_octiles() {
        let dist = Dist::Normal { mean: Span::seconds(10), sd: Span::SECOND, cap: None };
        let away = [318_639_364, 674_489_750, 1_150_349_380];
        let ten = 10_000_000_000;
        let bounds =
            [ten - away[2], ten - away[1], ten - away[0], ten, ten + away[0], ten + away[1], ten + away[2]];
        assert_eighths(dist, bounds);
        // A quantile is rounded to 2^-28, which is 4 ns here.
        assert!(dist.sample(1 << 63).0.abs_diff(ten) <= 4);
    }

    /// The mean of 100,000 samples has a standard error of sd / 316: 3.2 ms for the exponential of 1 s, 0.32 ms for the
    /// normal of 100 ms. Three of them are allowed.
    #[test]
    fn the_mean_is_the_mean() {
        let exp = Dist::Exp { mean: Span::SECOND, cap: None };
        let sum: u64 = draws(2, 100_000).map(|draw| exp.sample(draw).0).sum();
        assert!((sum / 100_000).abs_diff(1_000 * MS) < 10 * MS, "{}", sum / 100_000);
        let normal = Dist::Normal { mean: Span::SECOND, sd: Span::millis(100), cap: None };
        let sum: u64 = draws(3, 100_000).map(|draw| normal.sample(draw).0).sum();
        assert!((sum / 100_000).abs_diff(1_000 * MS) < MS, "{}", sum / 100_000);
    }

    #[test]
    fn a_cap_cuts_the_tail_and_zero_the_front() {
        let cap = Some(Span::millis(50));
        let exp = Dist::Exp { mean: Span::millis(5), cap };
        assert_eq!((exp.min(), exp.max()), (Span::ZERO, Span::millis(50)));
        let normal = Dist::Normal { mean: Span::millis(10), sd: Span::millis(20), cap };
        assert_eq!((normal.min(), normal.max()), (Span::ZERO, Span::millis(50)));
        assert_eq!(Dist::Exp { mean: Span::millis(5), cap: None }.max(), Span(221_807_097));
    }

    #[test]
    fn extreme_parameters_saturate() {
        let ever = Span::MAX;
        assert_eq!(Dist::Range { low: Span::ZERO, high: ever }.max(), ever);
        assert_eq!(Dist::Range { low: Span(9), high: Span(3) }.max(), Span(9));
        assert_eq!(Dist::Exp { mean: ever, cap: None }.max(), ever);
        assert_eq!(Dist::Normal { mean: ever, sd: ever, cap: None }.min(), Span::ZERO);
        assert_eq!(Dist::Normal { mean: ever, sd: ever, cap: None }.max(), ever);
        assert_eq!(Dist::Fixed(ever).scale(1_000), Dist::Fixed(ever));
        assert_eq!(Dist::from(Span(7)).fixed(), Some(Span(7)));
        assert_eq!(Dist::Exp { mean: Span(7), cap: None }.fixed(), None);
    }

    #[test]
    fn a_distribution_reads_as_in_a_file() {
        let (one, ten) = (Span::millis(1), Span::millis(10));
        assert_eq!(Dist::Fixed(one).to_string(), "1ms");
        assert_eq!(Dist::Range { low: one, high: ten }.to_string(), "1ms..10ms");
        assert_eq!(Dist::Exp { mean: one, cap: Some(ten) }.to_string(), "exp 1ms cap 10ms");
        assert_eq!(Dist::Normal { mean: ten, sd: one, cap: None }.to_string(), "normal 10ms 1ms");
    }

    fn any_dist() -> impl Strategy<Value = Dist> {
        let span = || (0u64..1 << 44).prop_map(Span);
        prop_oneof![
            span().prop_map(Dist::Fixed),
            (span(), span()).prop_map(|(low, high)| Dist::Range { low, high }),
            (span(), proptest::option::of(span())).prop_map(|(mean, cap)| Dist::Exp { mean, cap }),
            (span(), span(), proptest::option::of(span())).prop_map(|(mean, sd, cap)| Dist::Normal {
                mean,
                sd,
                cap
            }),
        ]
    }

    /// Also draws near both ends and near the middle, where the formulas change.
    fn any_draw() -> impl Strategy<Value = u64> {
        let near = |at: u64| (-70_000i64..70_000).prop_map(move |by| at.wrapping_add_signed(by));
        prop_oneof![any::<u64>(), near(0), near(1 << 62), near(1 << 63), (0u32..64).prop_map(|bit| 1 << bit)]
    }

    proptest! {
        #[test]
        fn a_greater_draw_never_gives_a_shorter_span(dist in any_dist(), a in any_draw(), b in any_draw()) {
            let (low, high) = (dist.sample(a.min(b)), dist.sample(a.max(b)));
            prop_assert!(dist.min() <= low && low <= high && high <= dist.max());
        }

        #[test]
        fn neighbouring_draws_are_in_order(dist in any_dist(), draw in any_draw()) {
            prop_assert!(dist.sample(draw) <= dist.sample(draw.saturating_add(1)));
        }

        #[test]
        fn all_times_a_thousandfold_give_spans_a_thousandfold(dist in any_dist(), draw in any_draw()) {
            let (plain, scaled) = (dist.sample(draw).saturating_mul(1_000), dist.scale(1_000).sample(draw));
            prop_assert!(plain.0.abs_diff(scaled.0) <= 1_000, "{} and {}", plain, scaled);
        }
    }
}

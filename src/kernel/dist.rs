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
    /// Normal, within 6.23 standard deviations; what is below zero is taken as zero.
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

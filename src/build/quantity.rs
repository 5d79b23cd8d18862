//! Times and shares as values: `ms(5)`, `between(ms(1), ms(10))`, `exp(ms(5)).cap(ms(50))`, `percent(1)`.

use std::fmt;

use crate::kernel::sample::Share;
use crate::kernel::time::Span;
use crate::scenario::json::Json;
use crate::scenario::quantity::Nanos;

/// `n` nanoseconds.
#[must_use]
pub fn ns(n: u64) -> Span {
    Span::nanos(n)
}

/// `n` microseconds.
#[must_use]
pub fn us(n: u64) -> Span {
    Span::micros(n)
}

/// `n` milliseconds.
#[must_use]
pub fn ms(n: u64) -> Span {
    Span::millis(n)
}

/// `n` seconds.
#[must_use]
pub fn seconds(n: u64) -> Span {
    Span::seconds(n)
}

/// `n` minutes.
#[must_use]
pub fn minutes(n: u64) -> Span {
    Span::MINUTE.saturating_mul(n)
}

/// A time that may vary. A [`Span`] is one that does not; [`Span::MAX`] has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    shape: Shape,
    cap: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Fixed(Span),
    Between(Span, Span),
    Exp(Span),
    Normal(Span, Span),
}

/// Any time from `low` to `high`, both included, equally likely.
#[must_use]
pub fn between(low: Span, high: Span) -> Time {
    Time { shape: Shape::Between(low, high), cap: None }
}

/// Exponentially distributed with this mean.
#[must_use]
pub fn exp(mean: Span) -> Time {
    Time { shape: Shape::Exp(mean), cap: None }
}

/// Normally distributed with this mean and standard deviation, never below nothing.
#[must_use]
pub fn normal(mean: Span, deviation: Span) -> Time {
    Time { shape: Shape::Normal(mean, deviation), cap: None }
}

impl Time {
    /// At most so long.
    #[must_use]
    pub fn cap(self, cap: Span) -> Time {
        Time { cap: Some(cap), ..self }
    }
}

impl From<Span> for Time {
    fn from(span: Span) -> Time {
        Time { shape: Shape::Fixed(span), cap: None }
    }
}

/// As a scenario file writes it.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape {
            Shape::Fixed(time) => f.write_str(&span(time))?,
            Shape::Between(low, high) => write!(f, "{}..{}", span(low), span(high))?,
            Shape::Exp(mean) => write!(f, "exp {}", span(mean))?,
            Shape::Normal(mean, deviation) => write!(f, "normal {} {}", span(mean), span(deviation))?,
        }
        match self.cap {
            Some(cap) => write!(f, " cap {}", span(cap)),
            None => Ok(()),
        }
    }
}

impl From<Time> for Json {
    fn from(time: Time) -> Json {
        time.to_string().into()
    }
}

/// A time that does not vary, as a file writes it.
pub(super) fn span(span: Span) -> String {
    if span == Span::MAX { "ever".to_owned() } else { Nanos(span.0).to_string() }
}

/// So many per cent.
#[must_use]
pub fn percent(n: u32) -> Share {
    Share::fixed(n.saturating_mul(10_000))
}

/// So many of a million.
#[must_use]
pub fn ppm(n: u32) -> Share {
    Share::fixed(n)
}

/// A share drawn once for each seed, between the two.
#[must_use]
pub fn drawn(low: Share, high: Share) -> Share {
    Share { low: low.low, high: high.high }
}

/// A share as a file writes it: parts per million, exactly.
pub(super) fn share(share: Share) -> String {
    let one = |ppm: u32| {
        let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
        format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
    };
    if share.low == share.high { one(share.low) } else { format!("{}..{}", one(share.low), one(share.high)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_their_largest_whole_unit() {
        let written = |time: Time| time.to_string();
        assert_eq!(written(ms(1500).into()), "1500ms");
        assert_eq!(written(between(us(100), ms(2))), "100us..2ms");
        assert_eq!(written(exp(seconds(1)).cap(minutes(1))), "exp 1s cap 1min");
        assert_eq!(written(normal(ms(10), ns(7)).cap(Span::MAX)), "normal 10ms 7ns cap ever");
        assert_eq!(written(Span::MAX.into()), "ever");
    }

    #[test]
    fn shares_are_written_exactly() {
        assert_eq!(share(percent(100)), "100%");
        assert_eq!(share(ppm(5_000)), "0.5%");
        assert_eq!(share(ppm(1)), "0.0001%");
        assert_eq!(share(drawn(percent(0), percent(30))), "0%..30%");
    }
}

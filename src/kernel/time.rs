//! Virtual time: whole nanoseconds since the start of a run, and lengths of it.
//!
//! [`Time`] is a point and [`Span`] a length; the types keep them apart. Plain operators do not exist on purpose:
//! each sum says whether it saturates or is checked, so that debug and release builds agree.

use std::fmt;

/// A point in virtual time: nanoseconds since the start of the run, from 0 to `u64::MAX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

/// A length of virtual time in nanoseconds, from 0 to `u64::MAX`; the largest stands for "ever".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(pub u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// The end of time, about 584 years after the start: what is due then never happens.
    pub const MAX: Time = Time(u64::MAX);

    /// The point `span` later, or `None` beyond the end of time.
    #[inline]
    pub const fn checked_add(self, span: Span) -> Option<Time> {
        match self.0.checked_add(span.0) {
            Some(ns) => Some(Time(ns)),
            None => None,
        }
    }

    /// The point `span` later, at most [`Time::MAX`].
    #[inline]
    pub const fn saturating_add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }

    /// The point `span` earlier, at least [`Time::ZERO`].
    #[inline]
    pub const fn saturating_sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[inline]
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// How long after `earlier` this is, or `None` if it is before it.
    #[inline]
    pub const fn checked_since(self, earlier: Time) -> Option<Span> {
        match self.0.checked_sub(earlier.0) {
            Some(ns) => Some(Span(ns)),
            None => None,
        }
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// One nanosecond, the grain of virtual time.
    pub const NANOSECOND: Span = Span(1);
    /// One microsecond.
    pub const MICROSECOND: Span = Span(1_000);
    /// One millisecond.
    pub const MILLISECOND: Span = Span(1_000_000);
    /// One second.
    pub const SECOND: Span = Span(1_000_000_000);
    /// One minute.
    pub const MINUTE: Span = Span(60_000_000_000);
    /// One hour.
    pub const HOUR: Span = Span(3_600_000_000_000);
    /// Ever: longer than any run.
    pub const MAX: Span = Span(u64::MAX);

    /// `n` nanoseconds.
    pub const fn nanos(n: u64) -> Span {
        Span(n)
    }

    /// `n` microseconds, at most [`Span::MAX`].
    pub const fn micros(n: u64) -> Span {
        Span::MICROSECOND.saturating_mul(n)
    }

    /// `n` milliseconds, at most [`Span::MAX`].
    pub const fn millis(n: u64) -> Span {
        Span::MILLISECOND.saturating_mul(n)
    }

    /// `n` seconds, at most [`Span::MAX`].
    pub const fn seconds(n: u64) -> Span {
        Span::SECOND.saturating_mul(n)
    }

    /// True for no time at all.
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True for [`Span::MAX`].
    #[inline]
    pub const fn is_ever(self) -> bool {
        self.0 == u64::MAX
    }

    /// The sum, or `None` if it does not fit.
    #[inline]
    pub const fn checked_add(self, other: Span) -> Option<Span> {
        match self.0.checked_add(other.0) {
            Some(ns) => Some(Span(ns)),
            None => None,
        }
    }

    /// The sum, at most [`Span::MAX`].
    #[inline]
    pub const fn saturating_add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }

    /// The difference, or `None` if `other` is longer.
    #[inline]
    pub const fn checked_sub(self, other: Span) -> Option<Span> {
        match self.0.checked_sub(other.0) {
            Some(ns) => Some(Span(ns)),
            None => None,
        }
    }

    /// The difference, at least zero.
    #[inline]
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }

    /// `k` times as long, or `None` if that does not fit.
    #[inline]
    pub const fn checked_mul(self, k: u64) -> Option<Span> {
        match self.0.checked_mul(k) {
            Some(ns) => Some(Span(ns)),
            None => None,
        }
    }

    /// `k` times as long, at most [`Span::MAX`]; so ever stays ever for any `k` above 0.
    #[inline]
    pub const fn saturating_mul(self, k: u64) -> Span {
        Span(self.0.saturating_mul(k))
    }
}

/// Largest first: the first that fits at least once is used. No minutes and hours: their decimals would not be exact.
const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];

/// Exact, without rounding: `0s`, `7ns`, `250us`, `1.5s`, `90s`, `1.000001ms`.
fn write_ns(ns: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if ns == 0 {
        return f.pad("0s");
    }
    let Some(&(unit, name)) = UNITS.iter().find(|(unit, _)| ns >= *unit) else {
        return f.pad(&format!("{ns}ns"));
    };
    let (whole, mut rest) = (ns / unit, ns % unit);
    if rest == 0 {
        return f.pad(&format!("{whole}{name}"));
    }
    let mut digits = unit.ilog10() as usize;
    while rest % 10 == 0 {
        rest /= 10;
        digits -= 1;
    }
    f.pad(&format!("{whole}.{rest:0digits$}{name}"))
}

impl fmt::Display for Span {
    /// Exactly, in the largest unit that fits: `5ms`, `1.5s`, `250us`; `ever` for [`Span::MAX`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ever() { f.pad("ever") } else { write_ns(self.0, f) }
    }
}

impl fmt::Display for Time {
    /// Exactly, as the span since the start: `0s`, `12.5ms`; `never` for [`Time::MAX`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Time::MAX { f.pad("never") } else { write_ns(self.0, f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_as_a_person_would_write_it() {
        let cases: [(u64, &str); 13] = [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1us"),
            (250_000, "250us"),
            (1_500, "1.5us"),
            (5_000_000, "5ms"),
            (1_000_001, "1.000001ms"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "90s"),
            (1_050_000_000, "1.05s"),
            (3_600_000_000_001, "3600.000000001s"),
            (u64::MAX, "ever"),
        ];
        for (ns, text) in cases {
            assert_eq!(Span(ns).to_string(), text);
        }
        assert_eq!(Time(12_500_000).to_string(), "12.5ms");
        assert_eq!(Time::MAX.to_string(), "never");
    }

    #[test]
    fn a_column_of_times_can_be_aligned() {
        assert_eq!(format!("[{:>6}]", Span::millis(5)), "[   5ms]");
        assert_eq!(format!("[{:<6}]", Span::MAX), "[ever  ]");
    }

    #[test]
    fn the_end_of_time_is_never_passed() {
        assert_eq!(Time(7).saturating_add(Span::MAX), Time::MAX);
        assert_eq!(Time(7).checked_add(Span::MAX), None);
        assert_eq!(Time(7).checked_add(Span(3)), Some(Time(10)));
        assert_eq!(Span::MAX.saturating_mul(1_000), Span::MAX);
        assert_eq!(Span::seconds(u64::MAX), Span::MAX);
        assert_eq!(Span(6).checked_mul(7), Some(Span(42)));
    }

    #[test]
    fn a_point_is_no_time_after_a_later_one() {
        assert_eq!(Time(5).since(Time(9)), Span::ZERO);
        assert_eq!(Time(5).checked_since(Time(9)), None);
        assert_eq!(Time(9).since(Time(5)), Span(4));
        assert_eq!(Time(9).saturating_sub(Span(10)), Time::ZERO);
        assert_eq!(Span(9).checked_sub(Span(10)), None);
        assert_eq!(Span(9).saturating_sub(Span(10)), Span::ZERO);
    }
}

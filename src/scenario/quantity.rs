//! Quantities written as text: times, shares and whole numbers, exact to the last digit.
//!
//! Nothing is rounded: what does not come out whole is an error with its place within the text. The types here say
//! what was written; drawing from a time that varies is the kernel's business.

use std::fmt;
use std::ops::Range;

use super::code::Code;
use super::decimal::{Inexact, Piece, scaled};

/// What is wrong with a quantity: the bytes of the text it is about, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Bytes within the text.
    pub range: Range<usize>,
    /// [`Code::Time`], [`Code::Share`] or [`Code::Integer`].
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// A time as written: one value, or a way to draw one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpec {
    /// The value or the distribution it is drawn from.
    pub shape: TimeShape,
    /// An upper bound on what is drawn, in ns; only for times that vary.
    pub cap: Option<u64>,
}

/// The shapes of a time. All values are nanoseconds, at most `i64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeShape {
    /// Always the same.
    Fixed(u64),
    /// Without end.
    Ever,
    /// Any value between the two, both included.
    Range {
        /// Least value.
        low: u64,
        /// Greatest value, at least `low`.
        high: u64,
    },
    /// Exponentially distributed.
    Exp {
        /// Mean, above zero.
        mean: u64,
    },
    /// Normally distributed, cut off at zero.
    Normal {
        /// Mean.
        mean: u64,
        /// Standard deviation.
        deviation: u64,
    },
}

/// A share as written, in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShareSpec {
    /// Always the same, 0 to 1,000,000.
    Fixed(u32),
    /// Drawn once for each seed between the two, both included.
    Range {
        /// Least share.
        low: u32,
        /// Greatest share, at least `low`.
        high: u32,
    },
}

/// Units from the smallest to the largest, in ns.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Units as people write them elsewhere.
const OTHER_UNITS: [(&str, &str); 16] = [
    ("µs", "us"),
    ("μs", "us"),
    ("usec", "us"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "min"),
    ("mins", "min"),
    ("minutes", "min"),
    ("hr", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
];

/// The greatest time there is, in ns: times must fit the words that expressions compute with.
const LONGEST: u64 = i64::MAX as u64;

/// One million parts are the whole.
const WHOLE: u64 = 1_000_000;

/// Reads a time of any shape: fixed, `ever`, a range, `exp` or `normal`, the last three perhaps with `cap`.
///
/// # Errors
/// When it is not written that way, exceeds 2⁶³-1 ns or falls between nanoseconds.
pub fn time(text: &str) -> Result<TimeSpec, Wrong> {
    if let Some(ns) = plain_time(text) {
        return Ok(TimeSpec { shape: TimeShape::Fixed(ns), cap: None });
    }
    let piece = spaced(text, Code::Time, "\"5ms\"")?;
    let (body, cap) = match piece.split(" cap ") {
        Some((body, cap)) => (body, Some((cap, duration(cap)?))),
        None => (piece, None),
    };
    let shape = shape(body)?;
    if let Some((cap, bound)) = cap {
        let least = match shape {
            TimeShape::Fixed(_) | TimeShape::Ever => {
                let message = format!("a cap on {}, which never varies", quoted(body));
                return Err(cap.wrong(Code::Time, message, "leave out the cap, or give a time that varies"));
            }
            TimeShape::Range { low, .. } => low,
            TimeShape::Exp { .. } | TimeShape::Normal { .. } => 0,
        };
        if bound < least {
            let message = format!("the cap lies below the least value, {}", Nanos(least));
            return Err(cap.wrong(Code::Time, message, format!("at least \"{}\"", Nanos(least))));
        }
        return Ok(TimeSpec { shape, cap: Some(bound) });
    }
    Ok(TimeSpec { shape, cap: None })
}

/// A time as nearly all are written, digits and a unit, without a look at what else it may be.
fn plain_time(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    // So many digits do not overflow, whatever the unit.
    if digits == 0 || digits > 4 {
        return None;
    }
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number = number.bytes().fold(0, |number, digit| 10 * number + u64::from(digit - b'0'));
    Some(number * factor).filter(|ns| *ns <= LONGEST)
}

fn shape(piece: Piece<'_>) -> Result<TimeShape, Wrong> {
    if piece.text == "ever" {
        return Ok(TimeShape::Ever);
    }
    if let Some((low, high)) = bounds(piece, duration)? {
        return Ok(TimeShape::Range { low, high });
    }
    if let Some(mean) = piece.after_word("exp") {
        let mean_ns = duration(mean)?;
        if mean_ns == 0 {
            return Err(mean.wrong(
                Code::Time,
                "an exponential time needs a mean above zero",
                "such as \"exp 5ms\"",
            ));
        }
        return Ok(TimeShape::Exp { mean: mean_ns });
    }
    if let Some(both) = piece.after_word("normal") {
        let Some((mean, deviation)) = both.split(" ") else {
            let message = "a normal time needs a mean and a standard deviation";
            return Err(both.wrong(Code::Time, message, "such as \"normal 10ms 2ms\""));
        };
        return Ok(TimeShape::Normal { mean: duration(mean)?, deviation: duration(deviation)? });
    }
    duration(piece).map(TimeShape::Fixed)
}

/// Reads a time that does not vary, such as `"5ms"`, in ns.
///
/// # Errors
/// When it is anything else, exceeds 2⁶³-1 ns or falls between nanoseconds.
pub fn fixed_time(text: &str) -> Result<u64, Wrong> {
    match fixed_or_ever(text)? {
        Some(ns) => Ok(ns),
        None => {
            Err(Piece::of(text).wrong(Code::Time, "this time must have an end", "a time such as \"5ms\""))
        }
    }
}

/// Reads a time that does not vary, in ns, or `"ever"`, which is `None`.
///
/// # Errors
/// When it is anything else, exceeds 2⁶³-1 ns or falls between nanoseconds.
pub fn fixed_or_ever(text: &str) -> Result<Option<u64>, Wrong> {
    match time(text)?.shape {
        TimeShape::Fixed(ns) => Ok(Some(ns)),
        TimeShape::Ever => Ok(None),
        _ => Err(Piece::of(text).wrong(Code::Time, "this time must not vary", "one time such as \"5ms\"")),
    }
}

/// Reads a time that may lie below zero, such as `"-5ms"`, in ns.
///
/// # Errors
/// As [`fixed_time`].
pub fn signed_time(text: &str) -> Result<i64, Wrong> {
    let piece = spaced(text, Code::Time, "\"-5ms\"")?;
    let (sign, digits) = signed(piece);
    // `duration` stays within i64.
    duration(digits).map(|ns| sign * i64::try_from(ns).unwrap_or(i64::MAX))
}

/// Reads a stretch of time such as `"1s..2s"`: from the first instant to the second, in ns from the start.
///
/// # Errors
/// When it is anything else, or ends before it begins.
pub fn span(text: &str) -> Result<(u64, u64), Wrong> {
    let piece = spaced(text, Code::Time, "\"1s..2s\"")?;
    bounds(piece, duration)?.ok_or_else(|| {
        piece.wrong(Code::Time, "a stretch of time has a start and an end", "two times such as \"1s..2s\"")
    })
}

/// Reads a share such as `"0.5%"` or `"0%..30%"`.
///
/// # Errors
/// When it is not written that way, is over 100 % or finer than one in a million.
pub fn share(text: &str) -> Result<ShareSpec, Wrong> {
    let piece = spaced(text, Code::Share, "\"0.5%\"")?;
    match bounds(piece, percent)? {
        Some((low, high)) => Ok(ShareSpec::Range { low, high }),
        None => percent(piece).map(ShareSpec::Fixed),
    }
}

/// Reads a share that may lie below zero, such as the drift of a clock, `"-0.01%"`, in parts per million.
///
/// # Errors
/// As [`share`]; a range is an error too.
pub fn signed_share(text: &str) -> Result<i32, Wrong> {
    let piece = spaced(text, Code::Share, "\"-0.01%\"")?;
    let (sign, digits) = signed(piece);
    // `percent` stays within a million.
    percent(digits).map(|ppm| i32::try_from(ppm).unwrap_or(0) * i32::try_from(sign).unwrap_or(1))
}

/// Reads a whole number as JSON writes it, between -(2⁶³-1) and 2⁶³-1.
///
/// The least 64-bit number is left out because expressions use its word for null.
///
/// # Errors
/// When it has a fraction or an exponent, or lies outside.
pub fn integer(text: &str) -> Result<i64, Wrong> {
    let piece = Piece::of(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let hint = "numbers have neither fraction nor exponent; write a larger number of a smaller unit";
        return Err(piece.wrong(Code::Integer, format!("{} is not a whole number", quoted(piece)), hint));
    }
    match text.parse::<i64>() {
        Ok(value) if value != i64::MIN => Ok(value),
        _ => {
            let hint = format!("numbers lie between -{0} and {0}", i64::MAX);
            Err(piece.wrong(Code::Integer, format!("{} is out of range", quoted(piece)), hint))
        }
    }
}

/// A time in the largest unit in which it is whole, as it may be written in a scenario: 1500000000 is `1500ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nanos(
    /// Nanoseconds.
    pub u64,
);

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().rev().find(|(_, unit)| self.0.is_multiple_of(*unit) && self.0 > 0);
        let (name, unit) = whole.unwrap_or(&("ms", 1_000_000));
        write!(f, "{}{name}", self.0 / unit)
    }
}

/// Refuses space at either end, so that equal quantities look equal, and texts too long to be quoted in a message.
fn spaced<'t>(text: &'t str, code: Code, example: &str) -> Result<Piece<'t>, Wrong> {
    const LONGEST_TEXT: usize = 100;
    let piece = Piece::of(text);
    if text.len() > LONGEST_TEXT {
        return Err(piece.wrong(
            code,
            "this text is too long for what it should be",
            format!("such as {example}"),
        ));
    }
    if text.is_empty() {
        return Err(piece.wrong(code, "there is nothing in this text", format!("write it as {example}")));
    }
    if text.trim() != text {
        return Err(piece.wrong(code, "space before or after the value", format!("write {:?}", text.trim())));
    }
    Ok(piece)
}

fn signed(piece: Piece<'_>) -> (i64, Piece<'_>) {
    if piece.text.starts_with('-') { (-1, piece.cut(1, 0).1) } else { (1, piece) }
}

/// The two ends of `low..high`, if the piece is written that way.
fn bounds<T: Ord + Copy>(
    piece: Piece<'_>,
    read: impl Fn(Piece<'_>) -> Result<T, Wrong>,
) -> Result<Option<(T, T)>, Wrong> {
    let Some((left, right)) = piece.split("..") else { return Ok(None) };
    let (low, high) = (read(left)?, read(right)?);
    if low > high {
        let code = if left.text.ends_with('%') { Code::Share } else { Code::Time };
        let hint = format!("write \"{}..{}\"", right.text, left.text);
        return Err(piece.wrong(code, "the range ends before it begins", hint));
    }
    Ok(Some((low, high)))
}

/// One time with its unit, in ns.
fn duration(piece: Piece<'_>) -> Result<u64, Wrong> {
    let (number, unit) = piece.number();
    if piece.text.starts_with('-') {
        return Err(piece.wrong(Code::Time, "a time cannot be negative", "a time such as \"5ms\""));
    }
    if piece.text == "ever" {
        let message = "`ever` cannot be part of another time";
        return Err(piece.wrong(Code::Time, message, "`ever` stands alone and means without end"));
    }
    if number.text.is_empty() {
        let message = format!("{} is not a time", quoted(piece));
        return Err(piece.wrong(Code::Time, message, "a number with its unit, such as \"5ms\" or \"1.5s\""));
    }
    if unit.text.is_empty() {
        let hint = format!("write \"{}ms\"; units are ns us ms s min h d", number.text);
        return Err(piece.wrong(Code::Time, "a time needs its unit", hint));
    }
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit.text) else {
        let usual = OTHER_UNITS.iter().find(|(name, _)| *name == unit.text.trim().to_lowercase());
        let spaced =
            UNITS.iter().find(|(name, _)| *name == unit.text.trim().to_lowercase()).map(|(name, _)| *name);
        let hint = match spaced.or(usual.map(|(_, name)| *name)) {
            Some(name) => format!("write \"{}{name}\"", number.text),
            None => "units are ns us ms s min h d; one number and one unit".to_owned(),
        };
        return Err(unit.wrong(Code::Time, format!("{} is not a unit of time", quoted(unit)), hint));
    };
    match scaled(number.text, *factor) {
        Ok(ns) if ns <= LONGEST => Ok(ns),
        Ok(_) | Err(Inexact::TooLarge) => {
            let hint = "times reach to about 292 years; \"ever\" is without end";
            Err(piece.wrong(Code::Time, "this time is too long", hint))
        }
        Err(Inexact::TooFine) => {
            let hint = "times are whole nanoseconds; leave out the digits beyond";
            Err(piece.wrong(Code::Time, format!("{} falls between nanoseconds", quoted(piece)), hint))
        }
        Err(Inexact::NotDecimal) => {
            let message = format!("{} is not a number", quoted(number));
            Err(number.wrong(Code::Time, message, "digits, perhaps with a point and more digits: \"1.5s\""))
        }
    }
}

/// One percentage, in parts per million.
fn percent(piece: Piece<'_>) -> Result<u32, Wrong> {
    let (number, sign) = piece.number();
    if piece.text.starts_with('-') {
        return Err(piece.wrong(Code::Share, "a share cannot be negative", "0% is the least"));
    }
    if number.text.is_empty() {
        let message = format!("{} is not a share", quoted(piece));
        return Err(piece.wrong(Code::Share, message, "a percentage such as \"0.5%\""));
    }
    if sign.text != "%" {
        let message = "a share is a percentage";
        return Err(piece.wrong(Code::Share, message, format!("write \"{}%\"", number.text)));
    }
    match scaled(number.text, WHOLE / 100) {
        Ok(ppm) if ppm <= WHOLE => Ok(u32::try_from(ppm).unwrap_or(0)),
        Ok(_) | Err(Inexact::TooLarge) => Err(piece.wrong(
            Code::Share,
            format!("{} is more than the whole", quoted(piece)),
            "100% is the most",
        )),
        Err(Inexact::TooFine) => {
            let message = format!("{} is finer than one in a million", quoted(piece));
            Err(piece.wrong(Code::Share, message, "the finest step is 0.0001%"))
        }
        Err(Inexact::NotDecimal) => {
            let message = format!("{} is not a number", quoted(number));
            Err(number.wrong(Code::Share, message, "digits, perhaps with a point and more digits: \"0.5%\""))
        }
    }
}

fn quoted(piece: Piece<'_>) -> String {
    super::problem::quote(piece.text)
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;

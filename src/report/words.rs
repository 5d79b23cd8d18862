//! Numbers, times and names as text: counts with their nouns, shares, bounds, spans, and names that are safe to print.
//!
//! Everything a report says goes through here, so that one run reads the same in every format for people.

use super::look::is_plain;
use crate::kernel::time::{Span, Time};
use crate::scenario::problem::instead;

/// `1 run`, `2 runs`: the plural adds an s.
pub fn count(n: u64, noun: &str) -> String {
    counted(n, noun, &format!("{noun}s"))
}

/// The same with a plural of its own: `1 history`, `2 histories`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// Digits in groups of three: `12,345`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    if digits.len() <= 3 {
        return digits;
    }
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1st`, `2nd`, `3rd`, `11th`.
pub fn ordinal(n: u64) -> String {
    let ending = match (n % 10, n % 100) {
        (1, 11) | (2, 12) | (3, 13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// Things in a row: `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// A share in per cent, with one decimal below ten: `17%`, `1.7%`, `0.05%`. Only all is `100%` and only none `0%`.
pub fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0%".into();
    }
    if part >= whole {
        return "100%".into();
    }
    let scaled = |by| rounded(part, by, whole);
    match scaled(10_000) {
        1_000.. => decimal(scaled(100).min(99), 0, "%"),
        10.. => decimal(scaled(1_000), 1, "%"),
        hundredths @ 1.. => decimal(hundredths, 2, "%"),
        0 => "<0.01%".into(),
    }
}

/// `part` times `by` in `whole`, rounded.
fn rounded(part: u64, by: u64, whole: u64) -> u128 {
    match part.checked_mul(by).and_then(|n| n.checked_add(whole / 2)) {
        Some(n) => u128::from(n / whole),
        None => (u128::from(part) * u128::from(by) + u128::from(whole / 2)) / u128::from(whole),
    }
}

/// `n` with its last `decimals` digits behind a point, without trailing zeros, and a unit.
fn decimal(n: u128, decimals: usize, unit: &str) -> String {
    let mut digits = u64::try_from(n).map_or_else(|_| n.to_string(), |n| n.to_string());
    if digits.len() <= decimals {
        digits.insert_str(0, &"0".repeat(decimals + 1 - digits.len()));
    }
    let point = digits.len() - decimals;
    let end = point + digits[point..].trim_end_matches('0').len();
    digits.truncate(end);
    if end > point {
        digits.insert(point, '.');
    }
    digits + unit
}

/// The share that lies above the true one with 95 % confidence if none of `n` runs showed it: 1 - 0.05^(1/n), about 3/n.
pub fn clean_bound(n: u64) -> f64 {
    const LN_20: f64 = 2.995_732_273_553_991;
    match n {
        0 => 1.0,
        1 => 0.95,
        n => {
            // By the series of 1 - e^-x: the same on every machine, and right for many runs, too. It also was the only use of
            // a power, for which a whole library is loaded at each start (some 70 µs).
            let x = LN_20 / n as f64;
            let (mut term, mut sum, mut nth) = (x, x, 1.0);
            while sum + term != sum {
                nth += 1.0;
                term *= -x / nth;
                sum += term;
            }
            sum
        }
    }
}

/// That bound in per cent, rounded up to two digits: `<0.3%`.
pub fn below(n: u64) -> String {
    let share = clean_bound(n) * 100.0;
    let mut decimals = 0;
    let mut scaled = share;
    while scaled < 10.0 && decimals < 9 {
        scaled *= 10.0;
        decimals += 1;
    }
    let mut out = decimal(scaled.ceil() as u128, decimals, "%");
    out.insert(0, '<');
    out
}

/// A mean of so many per one: `1.53`, `12`, `0`.
pub fn ratio(sum: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".into();
    }
    match rounded(sum, 100, whole) {
        0 if sum > 0 => "<0.01".into(),
        hundredths @ 10_000.. => grouped((hundredths / 100) as u64),
        hundredths @ 1_000.. => decimal(hundredths / 10, 1, ""),
        hundredths => decimal(hundredths, 2, ""),
    }
}

/// A point of virtual time, in milliseconds to the microsecond; from 100 s on in seconds.
pub fn moment(at: Time) -> String {
    let us = at.0 / 1_000;
    if us < 100_000_000 {
        format!("{}.{:03}ms", us / 1_000, us % 1_000)
    } else {
        format!("{}.{:03}s", us / 1_000_000, us / 1_000 % 1_000)
    }
}

/// A length of time to about three digits: `6.2ms`, `46ms`, `1.25s`.
pub fn about(span: Span) -> String {
    let (unit, scale) = match span.0 {
        0 => return "0".into(),
        1..1_000 => ("ns", 1),
        1_000..1_000_000 => ("us", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000u64),
    };
    match span.0 / scale {
        whole @ 100.. => grouped(whole) + unit,
        10.. => decimal((span.0 * 10 / scale).into(), 1, unit),
        _ => decimal((span.0 * 100 / scale).into(), 2, unit),
    }
}

/// A length of time to about three digits, never less than it is.
pub fn at_most(span: Span) -> String {
    let mut step = 1u64;
    while span.0 / step >= 1_000 {
        step *= 10;
    }
    about(Span(span.0.div_ceil(step).saturating_mul(step)))
}

/// A name that cannot play tricks with a terminal: control characters and those that turn the direction of writing are
/// made visible.
pub fn safe(name: &str) -> String {
    let tricky = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if is_plain(name) {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if tricky(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Says that a name is not there, what may have been meant, and which names there are.
pub fn unknown(what: &str, name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    format!("no {what} is called {}{}", safe(name), instead(name, &known, safe, "\n"))
}

/// A word of a command line, quoted if a shell would take it apart.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_take_the_noun_that_fits() {
        assert_eq!(
            [count(0, "run"), count(1, "run"), count(12_345, "run")],
            ["0 runs", "1 run", "12,345 runs"]
        );
        assert_eq!(counted(2, "history", "histories"), "2 histories");
        assert_eq!([1, 2, 3, 4, 11, 21].map(ordinal), ["1st", "2nd", "3rd", "4th", "11th", "21st"]);
    }

    #[test]
    fn only_all_is_all_and_only_none_is_none() {
        let shares =
            [(0, 9), (9, 9), (999, 1000), (167, 1000), (17, 1000), (2, 100), (1, 2000), (1, 1 << 40)];
        let shown = shares.map(|(part, whole)| percent(part, whole));
        assert_eq!(shown, ["0%", "100%", "99%", "17%", "1.7%", "2%", "0.05%", "<0.01%"]);
    }

    #[test]
    fn a_clean_sweep_states_what_it_rules_out() {
        // 1 - 0.05^(1/n): 95 %, 25.887 %, 2.951 %, 0.2991 %, 0.02995 %.
        assert_eq!([1, 10, 100, 1_000, 10_000].map(below), ["<95%", "<26%", "<3%", "<0.3%", "<0.03%"]);
    }

    #[test]
    fn the_bound_is_that_of_the_formula() {
        let few = 0..20_000;
        let many = (0..40).flat_map(|power| (1..50).map(move |n| n << power)).filter(|&n| n < 1 << 40);
        for n in few.chain(many) {
            let formula = if n == 0 { 1.0 } else { 1.0 - 0.05f64.powf(1.0 / n as f64) };
            let bound = clean_bound(n);
            assert!((bound - formula).abs() < 4e-16, "{n}: {bound} {formula}");
            assert_eq!((bound * 1e6).ceil(), (formula * 1e6).ceil(), "{n}");
        }
    }

    #[test]
    fn means_and_spans_have_about_three_digits() {
        assert_eq!(
            [ratio(3, 2), ratio(0, 5), ratio(1, 1000), ratio(123, 10), ratio(99_999, 9)],
            ["1.5", "0", "<0.01", "12.3", "11,111"]
        );
        let spans = [0, 999, 6_250_000, 46_000_000, 1_250_000_000, 250_000_000_000].map(|ns| about(Span(ns)));
        assert_eq!(spans, ["0", "999ns", "6.25ms", "46ms", "1.25s", "250s"]);
        assert_eq!(moment(Time(12_400_999)), "12.400ms");
        assert_eq!(moment(Time(123_456_000_000)), "123.456s");
    }

    #[test]
    fn decimals_end_where_they_say_no_more() {
        let shown = [(0, 0), (0, 2), (5, 2), (50, 2), (100, 2), (1_230, 2), (99, 1)]
            .map(|(n, to)| decimal(n, to, "%"));
        assert_eq!(shown, ["0%", "0%", "0.05%", "0.5%", "1%", "12.3%", "9.9%"]);
        assert_eq!([rounded(u64::MAX, 100, 1), rounded(1, 10, 4)], [u128::from(u64::MAX) * 100, 3]);
        let up = [0, 999, 1_000, 6_250_001, 44_040_191, 250_000_000_001].map(|ns| at_most(Span(ns)));
        assert_eq!(up, ["0", "999ns", "1us", "6.26ms", "44.1ms", "251s"]);
        assert_eq!([about(Span(10)), about(Span(u64::MAX))], ["10ns", "18,446,744,073s"]);
    }

    #[test]
    fn names_cannot_move_the_cursor_and_words_survive_the_shell() {
        assert_eq!(safe("a\u{1b}[2Jb"), r"a\u{1b}[2Jb");
        assert_eq!(
            [shell("a/b.json"), shell("key per attempt"), shell("it's")],
            ["a/b.json", "'key per attempt'", r"'it'\''s'"]
        );
    }
}

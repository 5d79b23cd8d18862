//! What a quantity may look like, what it comes out as, and what is said about those that do not.

use proptest::prelude::*;

use super::*;

fn fixed(ns: u64) -> TimeSpec {
    TimeSpec { shape: TimeShape::Fixed(ns), cap: None }
}

/// The part of the text that the error is about, the message and the hint.
fn said<T: fmt::Debug>(text: &str, read: impl Fn(&str) -> Result<T, Wrong>) -> (&str, String, String) {
    let wrong = read(text).expect_err(text);
    (&text[wrong.range], wrong.message, wrong.hint.unwrap_or_default())
}

#[test]
fn a_time_is_a_number_with_its_unit() {
    assert_eq!(time("5ms"), Ok(fixed(5_000_000)));
    assert_eq!(time("0ns"), Ok(fixed(0)));
    assert_eq!(time("1.5s"), Ok(fixed(1_500_000_000)));
    assert_eq!(time("2min"), Ok(fixed(120_000_000_000)));
    assert_eq!(time("1.25h"), Ok(fixed(4_500_000_000_000)));
    assert_eq!(time("1d"), Ok(fixed(86_400_000_000_000)));
    assert_eq!(time("0.0010us"), Ok(fixed(1)), "a trailing zero changes nothing");
    assert_eq!(time("ever"), Ok(TimeSpec { shape: TimeShape::Ever, cap: None }));
}

#[test]
fn a_fraction_counts_if_it_comes_out_whole_however_long_it_is() {
    // A minute is 6·10¹⁰ ns: five of the eleventh digit are 3 ns. A day is 2¹⁶·…: 2⁻¹⁶ of it is whole.
    assert_eq!(fixed_time("0.00000000005min"), Ok(3));
    assert_eq!(fixed_time("0.0000152587890625d"), Ok(86_400_000_000_000 / 65_536));
    assert_eq!(said("0.00000000001min", time).1, "`0.00000000001min` falls between nanoseconds");
    assert_eq!(said("1.5ns", time).1, "`1.5ns` falls between nanoseconds");
    assert_eq!(
        said("0.33333333333333333333333s", time).1,
        "`0.33333333333333333333333s` falls between nanoseconds"
    );
}

#[test]
fn a_time_may_vary() {
    let range = TimeShape::Range { low: 1_000_000, high: 10_000_000 };
    assert_eq!(time("1ms..10ms"), Ok(TimeSpec { shape: range, cap: None }));
    assert_eq!(time("1ms .. 10ms cap 5ms"), Ok(TimeSpec { shape: range, cap: Some(5_000_000) }));
    let exp = TimeShape::Exp { mean: 5_000_000 };
    assert_eq!(time("exp 5ms cap 50ms"), Ok(TimeSpec { shape: exp, cap: Some(50_000_000) }));
    let normal = TimeShape::Normal { mean: 10_000_000, deviation: 2_000_000 };
    assert_eq!(time("normal 10ms 2ms"), Ok(TimeSpec { shape: normal, cap: None }));
}

#[test]
fn a_wrong_time_is_marked_at_the_wrong_part() {
    assert_eq!(
        said("5", time),
        ("5", "a time needs its unit".into(), "write \"5ms\"; units are ns us ms s min h d".into())
    );
    assert_eq!(said("5sec", time), ("sec", "`sec` is not a unit of time".into(), "write \"5s\"".into()));
    assert_eq!(said("5 ms", time), (" ms", "` ms` is not a unit of time".into(), "write \"5ms\"".into()));
    assert_eq!(said("2m", time).2, "write \"2min\"");
    assert_eq!(said("1ms..4µs", time).0, "µs");
    assert_eq!(said("1h30min", time).0, "h30min");
    assert_eq!(
        said("1.2.3s", time),
        (
            "1.2.3",
            "`1.2.3` is not a number".into(),
            "digits, perhaps with a point and more digits: \"1.5s\"".into()
        )
    );
    assert_eq!(said("9ms..3ms", time).2, "write \"3ms..9ms\"");
    assert_eq!(said("1ms..ever", time).0, "ever");
    assert_eq!(
        said("5ms cap 9ms", time),
        (
            "9ms",
            "a cap on `5ms`, which never varies".into(),
            "leave out the cap, or give a time that varies".into()
        )
    );
    assert_eq!(said("5ms..9ms cap 2ms", time).2, "at least \"5ms\"");
    assert_eq!(said("normal 5ms", time).0, "5ms");
    assert_eq!(said("exp 0ms", time).0, "0ms");
    assert_eq!(said("-5ms", time).1, "a time cannot be negative");
    assert_eq!(said("soon", time).1, "`soon` is not a time");
    assert_eq!(said(" 5ms", time).2, "write \"5ms\"");
    assert_eq!(said("", time).1, "there is nothing in this text");
}

#[test]
fn times_reach_as_far_as_words_do() {
    assert_eq!(fixed_time("9223372036854775807ns"), Ok(LONGEST));
    for text in ["9223372036854775808ns", "106752d", "99999999999999999999999999s", "18446744073709551615d"] {
        assert_eq!(said(text, time).1, "this time is too long", "{text}");
    }
    assert_eq!(signed_time("-9223372036854775807ns"), Ok(-i64::MAX));
    assert_eq!(signed_time("3us"), Ok(3_000));
    assert_eq!(said("--3us", signed_time).0, "-3us");
}

#[test]
fn where_a_time_must_not_vary_or_must_end_that_is_said() {
    assert_eq!(fixed_or_ever("ever"), Ok(None));
    assert_eq!(said("ever", fixed_time).1, "this time must have an end");
    assert_eq!(said("1ms..2ms", fixed_time).1, "this time must not vary");
    assert_eq!(span("1s..2s"), Ok((1_000_000_000, 2_000_000_000)));
    assert_eq!(said("1s", span).1, "a stretch of time has a start and an end");
}

#[test]
fn a_share_is_a_percentage_exact_to_one_in_a_million() {
    assert_eq!(share("0.5%"), Ok(ShareSpec::Fixed(5_000)));
    assert_eq!(share("100%"), Ok(ShareSpec::Fixed(1_000_000)));
    assert_eq!(share("0.0001%"), Ok(ShareSpec::Fixed(1)));
    assert_eq!(share("0%..30%"), Ok(ShareSpec::Range { low: 0, high: 300_000 }));
    assert_eq!(said("0.00001%", share).1, "`0.00001%` is finer than one in a million");
    assert_eq!(said("100.0001%", share).1, "`100.0001%` is more than the whole");
    assert_eq!(said("0.5", share).2, "write \"0.5%\"");
    assert_eq!(said("5 %", share).2, "write \"5%\"");
    assert_eq!(said("30%..0%", share).2, "write \"0%..30%\"");
    assert_eq!(said("often", share).1, "`often` is not a share");
    assert_eq!(signed_share("-0.01%"), Ok(-100));
}

#[test]
fn a_number_is_whole_and_leaves_out_the_word_for_null() {
    assert_eq!(integer("-0"), Ok(0));
    assert_eq!(integer("9223372036854775807"), Ok(i64::MAX));
    assert_eq!(integer("-9223372036854775807"), Ok(-i64::MAX));
    assert_eq!(said("-9223372036854775808", integer).1, "`-9223372036854775808` is out of range");
    assert_eq!(said("1e3", integer).1, "`1e3` is not a whole number");
    assert_eq!(said("1.0", integer).1, "`1.0` is not a whole number");
}

proptest! {
    #[test]
    fn a_time_reads_back_as_it_was_printed(ns in 0..=LONGEST) {
        prop_assert_eq!(fixed_time(&Nanos(ns).to_string()), Ok(ns));
    }

    #[test]
    fn a_decimal_reads_as_the_same_time_in_nanoseconds(whole in 0u64..100_000, thousandths in 0u64..1_000) {
        let text = format!("{whole}.{thousandths:03}s");
        prop_assert_eq!(fixed_time(&text), Ok(whole * 1_000_000_000 + thousandths * 1_000_000));
    }

    #[test]
    fn a_plain_time_is_what_it_is_as_a_part_of_another(number in "[0-9]{1,5}", unit in "(ns|us|ms|s|min|h|d|m|)") {
        let text = format!("{number}{unit}");
        prop_assert_eq!(plain_time(&text).filter(|_| number.len() <= 4), duration(Piece::of(&text)).ok().filter(|_| number.len() <= 4));
        prop_assert_eq!(plain_time(&text).is_some(), number.len() <= 4 && UNITS.iter().any(|(name, _)| *name == unit));
    }

    #[test]
    fn any_text_ends_in_a_value_or_in_an_error_within_the_text(
        text in "([0-9]{0,21}|[.]{1,2}| |cap|exp|normal|ever|ms|s|%|-|µ|\\PC){0,8}",
    ) {
        let ranges = [time(&text).err(), share(&text).err(), span(&text).err(), integer(&text).err(),
            signed_time(&text).err(), signed_share(&text).err()];
        for wrong in ranges.into_iter().flatten() {
            prop_assert!(text.get(wrong.range.clone()).is_some(), "{:?} of {text:?}", wrong);
        }
    }
}

//! The bottom of [`super::quantity`]: pieces of a text that know where they stand, and exact decimals.

use std::ops::Range;

use super::code::Code;
use super::quantity::Wrong;

/// A piece of a quantity's text together with where it stands in it.
#[derive(Clone, Copy)]
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl<'t> Piece<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Piece { text, at: 0 }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    pub(super) fn wrong(self, code: Code, message: impl Into<String>, hint: impl Into<String>) -> Wrong {
        Wrong { range: self.range(), code, message: message.into(), hint: Some(hint.into()) }
    }

    pub(super) fn trim(self) -> Self {
        let left = self.text.trim_start_matches(' ');
        Piece { text: left.trim_end_matches(' '), at: self.at + self.text.len() - left.len() }
    }

    /// The pieces before byte `mid` and from byte `mid + skip` on; `mid` comes from a search in the same text.
    pub(super) fn cut(self, mid: usize, skip: usize) -> (Self, Self) {
        let after = mid + skip;
        (
            Piece { text: &self.text[..mid], at: self.at },
            Piece { text: &self.text[after..], at: self.at + after },
        )
    }

    /// The two sides of `separator`, without the spaces around it.
    pub(super) fn split(self, separator: &str) -> Option<(Self, Self)> {
        let mid = self.text.find(separator)?;
        let (left, right) = self.cut(mid, separator.len());
        Some((left.trim(), right.trim()))
    }

    /// What follows the word, if the piece begins with it and a space.
    pub(super) fn after_word(self, word: &str) -> Option<Self> {
        let rest = self.text.strip_prefix(word)?;
        rest.starts_with(' ').then(|| self.cut(word.len(), 0).1.trim())
    }

    /// Splits after the number: digits, then perhaps a point and digits.
    pub(super) fn number(self) -> (Self, Self) {
        let end = self.text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.text.len());
        self.cut(end, 0)
    }
}

/// Why a decimal did not come out whole.
pub(super) enum Inexact {
    NotDecimal,
    TooLarge,
    TooFine,
}

/// A decimal such as `1.5` times `factor`, if that is whole and fits.
pub(super) fn scaled(number: &str, factor: u64) -> Result<u64, Inexact> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return Err(Inexact::NotDecimal);
    }
    let whole: u64 = whole.parse().map_err(|_| Inexact::TooLarge)?;
    let sum = whole.checked_mul(factor).ok_or(Inexact::TooLarge)?;
    let fraction = fraction.unwrap_or("").trim_end_matches('0');
    if fraction.is_empty() {
        return Ok(sum);
    }
    // A fraction of n digits that does not end in 0 lacks the factor 2 or the factor 5, so it comes out whole only if
    // `factor` holds 2ⁿ or 5ⁿ; the day, with 2¹⁶, holds most. Hence the products below fit 128 bits.
    if fraction.len() > 16 {
        return Err(Inexact::TooFine);
    }
    let parts = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let product = fraction.parse::<u128>().map_err(|_| Inexact::NotDecimal)? * u128::from(factor);
    if !product.is_multiple_of(parts) {
        return Err(Inexact::TooFine);
    }
    u64::try_from(product / parts).ok().and_then(|rest| sum.checked_add(rest)).ok_or(Inexact::TooLarge)
}

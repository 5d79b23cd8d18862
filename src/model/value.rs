//! What a value is at run time and what kinds there are. Every value is one 64-bit word whose meaning is known
//! statically; lists and records are handles into a [`Heap`](super::heap::Heap), texts are symbols or generated names.

/// One value. Its [`Type`] is known where the word is used and is not stored with it.
pub type Word = i64;

/// The absent value. Every type may be null, so no arithmetic may yield this word: that counts as overflow.
pub const NULL: Word = i64::MIN;

/// The static kind of a value. A word of any type may be [`NULL`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// A whole number, from `i64::MIN + 1` to `i64::MAX`.
    Int,
    /// 0 is false, 1 is true.
    Bool,
    /// A symbol or a generated name; it can be compared for equality and nothing else.
    Text,
    /// A point of virtual time in nanoseconds.
    Instant,
    /// A length of virtual time in nanoseconds.
    Duration,
    /// A list: a handle of a tuple of its elements.
    List(Box<Type>),
    /// A record: a handle of a tuple of its fields, in this order.
    Record(Vec<(String, Type)>),
    /// Nothing but null was ever seen here.
    Null,
}

impl Type {
    /// The word for this kind of value as a message says it, such as `whole number` or `list of text`.
    pub fn describe(&self) -> String {
        match self {
            Type::Int => "whole number".into(),
            Type::Bool => "boolean".into(),
            Type::Text => "text".into(),
            Type::Instant => "point of time".into(),
            Type::Duration => "length of time".into(),
            Type::List(of) => format!("list of {}", of.describe()),
            Type::Record(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                format!("record of {}", names.join(", "))
            }
            Type::Null => "null".into(),
        }
    }

    /// Whether values of this type live in the heap.
    pub fn is_tuple(&self) -> bool {
        matches!(self, Type::List(_) | Type::Record(_))
    }
}

/// The word of a boolean.
#[inline]
pub fn truth(value: bool) -> Word {
    value as Word
}

/// What an arithmetic operation yielded, unless it overflowed or hit the null word.
#[inline]
pub fn in_range(result: Option<Word>) -> Option<Word> {
    result.filter(|&word| word != NULL)
}

const GENERATED: Word = 1 << 62;
const GENERATOR_LIMIT: Word = 1 << 14;
const PART_LIMIT: Word = 1 << 24;

/// A name made up while a run goes on, by `unique('order')` for example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generated {
    /// Which generator made it, below 2^14.
    pub generator: u16,
    /// The index of the client, below 2^24.
    pub client: u32,
    /// The index of the client's intent, below 2^24.
    pub intent: u32,
}

/// The text word of a generated name. Bits beyond 14 of the generator and 24 of the other two are dropped.
#[inline]
pub fn generated(generator: u16, client: u32, intent: u32) -> Word {
    let generator = Word::from(generator) & (GENERATOR_LIMIT - 1);
    let client = Word::from(client) & (PART_LIMIT - 1);
    let intent = Word::from(intent) & (PART_LIMIT - 1);
    GENERATED | generator << 48 | client << 24 | intent
}

/// The parts of a generated name, or `None` if the text word is a symbol or null.
#[inline]
pub fn as_generated(text: Word) -> Option<Generated> {
    if text < 0 || text & GENERATED == 0 {
        return None;
    }
    Some(Generated {
        generator: (text >> 48 & (GENERATOR_LIMIT - 1)) as u16,
        client: (text >> 24 & (PART_LIMIT - 1)) as u32,
        intent: (text & (PART_LIMIT - 1)) as u32,
    })
}

const UNITS: [(&str, Word); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The nanoseconds of a written time such as `5ms`: an optional minus, digits, and one of `ns us ms s min h d`.
/// `None` if it is anything else or does not fit a word.
pub fn parse_duration(text: &str) -> Option<Word> {
    let (sign, digits_and_unit) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let digits = digits_and_unit.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, unit) = digits_and_unit.split_at(digits);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let count: Word = digits.parse().ok()?;
    in_range(count.checked_mul(*scale * sign))
}

/// A length of time as people write it, exact and without trailing zeros: `1.5ms`, `20s`, `0s`, `-3us`.
pub fn show_duration(nanoseconds: Word) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let amount = nanoseconds.unsigned_abs();
    let (unit, scale) = match amount {
        0 => ("s", 1),
        1..1_000 => ("ns", 1),
        1_000..1_000_000 => ("us", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let whole = amount / scale;
    let rest = amount % scale;
    if rest == 0 {
        return format!("{sign}{whole}{unit}");
    }
    let digits = scale.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    format!("{sign}{whole}.{}{unit}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_name_keeps_its_parts() {
        let word = generated(3, 70_000, 12);
        assert_eq!(as_generated(word), Some(Generated { generator: 3, client: 70_000, intent: 12 }));
        let largest = generated(u16::MAX, u32::MAX, u32::MAX);
        assert_eq!(largest, (1 << 62) + ((1 << 62) - 1));
    }

    #[test]
    fn neither_a_symbol_nor_null_is_a_generated_name() {
        assert_eq!(as_generated(NULL), None);
        assert_eq!(as_generated(Word::from(u32::MAX)), None);
        assert_eq!(as_generated(-1), None);
    }

    #[test]
    fn times_are_read_with_every_unit() {
        assert_eq!(parse_duration("5ms"), Some(5_000_000));
        assert_eq!(parse_duration("-2min"), Some(-120_000_000_000));
        assert_eq!(parse_duration("1d"), Some(86_400_000_000_000));
        for wrong in
            ["", "5", "ms", "1.5s", "5 ms", "+5ms", "1h30m", "--5ms", "99999999999999999d", "300000d"]
        {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_shown_exactly() {
        assert_eq!(show_duration(0), "0s");
        assert_eq!(show_duration(1_500_000), "1.5ms");
        assert_eq!(show_duration(-3_000), "-3us");
        assert_eq!(show_duration(1_000_000_001), "1.000000001s");
        assert_eq!(show_duration(999), "999ns");
    }
}

//! Text written in short pieces.
//!
//! A piece is padded to a fixed length and copied whole, and the place moves on by as much as counts: a handful of
//! instructions where a copy of unknown length takes some fifty, and a line of a history has fifteen pieces. They go into a
//! block of memory that is near, and from there in one go to where they stay.

/// How long a short piece is.
const SHORT: usize = 32;
/// How long several pieces in one are.
const WHOLE: usize = 128;
/// How long a block is.
const BLOCK: usize = 1 << 16;

/// A short text that is known when this is compiled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    bytes: [u8; SHORT],
    length: usize,
}

impl Word {
    pub(super) const fn of(text: &str) -> Word {
        let mut bytes = [0; SHORT];
        let mut at = 0;
        while at < text.len() {
            bytes[at] = text.as_bytes()[at];
            at += 1;
        }
        Word { bytes, length: at }
    }
}

/// A word of the format; one that is too long does not compile.
macro_rules! word {
    ($text:expr) => {
        const { &$crate::report::history::pen::Word::of($text) }
    };
}
pub(super) use word;

/// A text with room behind it.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Short([u8; SHORT], u8),
    Long(Box<str>),
}

impl Piece {
    pub(super) fn of(text: &str) -> Piece {
        let bytes = text.as_bytes();
        if bytes.len() > SHORT {
            return Piece::Long(text.into());
        }
        let mut short = [0; SHORT];
        short[..bytes.len()].copy_from_slice(bytes);
        Piece::Short(short, bytes.len() as u8)
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Piece::Short(bytes, length) => str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default(),
            Piece::Long(text) => text,
        }
    }

    /// The 16 digits of a word, with the quote behind them.
    pub(super) fn of_digits(word: u64) -> Piece {
        Piece::Short(padded(word), 17)
    }
}

/// Several pieces that stand together again and again, in one.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    bytes: [u8; WHOLE],
    length: usize,
    /// In place of the bytes, if they are too few.
    long: Option<Box<str>>,
}

impl Whole {
    pub(super) fn of(parts: &[&str]) -> Whole {
        let mut whole = Whole { bytes: [0; WHOLE], length: 0, long: None };
        for part in parts {
            let Some(room) = whole.bytes.get_mut(whole.length..whole.length + part.len()) else {
                whole.long = Some(parts.concat().into());
                break;
            };
            room.copy_from_slice(part.as_bytes());
            whole.length += part.len();
        }
        whole
    }
}

/// What is being written, and where full blocks go.
#[derive(Debug)]
pub(super) struct Pen<F: FnMut(&[u8])> {
    /// Written up to `at`. Below `BLOCK` there is room for one more piece.
    block: Box<[u8; BLOCK + WHOLE]>,
    at: usize,
    out: F,
}

impl<F: FnMut(&[u8])> Pen<F> {
    /// What it writes goes to `out`, which gets whole texts only.
    pub(super) fn new(out: F) -> Self {
        Pen { block: Box::new([0; BLOCK + WHOLE]), at: 0, out }
    }

    /// The first so many of these bytes.
    #[inline(always)]
    fn short(&mut self, bytes: &[u8; SHORT], length: usize) {
        if self.at >= BLOCK {
            self.flush();
        }
        // The mask changes nothing, but lets the bounds be known; the array makes this a copy of known length.
        if let Some(room) = self.block[self.at & (BLOCK - 1)..].first_chunk_mut() {
            *room = *bytes;
        }
        self.at += length;
    }

    #[inline(always)]
    pub(super) fn whole(&mut self, whole: &Whole) {
        if let Some(text) = &whole.long {
            return self.text(text);
        }
        if self.at >= BLOCK {
            self.flush();
        }
        if let Some(room) = self.block[self.at & (BLOCK - 1)..].first_chunk_mut() {
            *room = whole.bytes;
        }
        self.at += whole.length;
    }

    #[inline(always)]
    pub(super) fn word(&mut self, word: &Word) {
        self.short(&word.bytes, word.length);
    }

    #[inline(always)]
    pub(super) fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Short(bytes, length) => self.short(bytes, usize::from(*length)),
            Piece::Long(text) => self.text(text),
        }
    }

    /// A word of the format and what follows it.
    #[inline(always)]
    pub(super) fn name(&mut self, word: &Word, name: &Piece) {
        self.word(word);
        self.piece(name);
    }

    /// A text of any length.
    #[inline(never)]
    pub(super) fn text(&mut self, text: &str) {
        if self.at + text.len() > BLOCK {
            self.flush();
        }
        match self.block.get_mut(self.at..self.at + text.len()) {
            Some(room) => {
                room.copy_from_slice(text.as_bytes());
                self.at += text.len();
            }
            // Longer than a block.
            None => (self.out)(text.as_bytes()),
        }
    }

    #[inline(always)]
    pub(super) fn number(&mut self, number: u64) {
        if number < EIGHT {
            let (digits, length) = decimal(number);
            return self.digits(digits, length);
        }
        self.great(number);
    }

    #[inline(never)]
    fn great(&mut self, number: u64) {
        if number / EIGHT >= EIGHT {
            return self.text(itoa::Buffer::new().format(number));
        }
        self.number(number / EIGHT);
        self.digits(eight_decimal(number % EIGHT) | ZEROS, 8);
    }

    #[inline(always)]
    pub(super) fn signed(&mut self, number: i64) {
        if number < 0 {
            self.word(word!("-"));
        }
        self.number(number.unsigned_abs());
    }

    #[inline(always)]
    fn digits(&mut self, digits: u64, length: usize) {
        let mut bytes = [0; SHORT];
        if let Some(room) = bytes.first_chunk_mut() {
            *room = digits.to_le_bytes();
        }
        self.short(&bytes, length);
    }

    /// The 16 digits of a word.
    #[inline]
    pub(super) fn hexadecimal(&mut self, word: u64) {
        self.short(&padded(word), 16);
    }

    /// Writes out what is left.
    pub(super) fn finish(mut self) {
        self.flush();
    }

    #[cold]
    #[inline(never)]
    fn flush(&mut self) {
        (self.out)(&self.block[..self.at]);
        self.at = 0;
    }
}

/// A number below this one has at most eight digits.
const EIGHT: u64 = 100_000_000;
/// `00000000`
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The decimal digits of a number below `EIGHT`, one a byte, the first one lowest, and how many they are: a third of the
/// instructions that it takes to find them two by two.
#[inline]
fn decimal(number: u64) -> (u64, usize) {
    let digits = eight_decimal(number);
    // Zero has one digit too.
    let zeros = (digits.trailing_zeros() / 8).min(7);
    ((digits >> (8 * zeros)) | ZEROS, 8 - zeros as usize)
}

/// Eight digits, zeros before them included: halves, then all pairs at once, then all digits at once. A quotient is a
/// multiplication and a shift, which is exact for numbers as small as these.
#[inline]
fn eight_decimal(number: u64) -> u64 {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = (halves.wrapping_mul(10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | halves.wrapping_sub(hundreds.wrapping_mul(100)) << 16;
    let tens = (pairs.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    tens | pairs.wrapping_sub(tens.wrapping_mul(10)) << 8
}

/// The 16 digits of a word, and quotes behind them.
#[inline]
fn padded(word: u64) -> [u8; SHORT] {
    let digits = u128::from_le_bytes(hexadecimal(word));
    let mut bytes = [b'"'; SHORT];
    if let Some(room) = bytes.first_chunk_mut() {
        *room = digits.to_le_bytes();
    }
    bytes
}

/// The 16 digits of a word.
pub(super) fn hexadecimal(word: u64) -> [u8; 16] {
    let [first, last] = [(word >> 32) as u32, word as u32].map(eight_digits);
    (u128::from(first) | u128::from(last) << 64).to_le_bytes()
}

/// The digits of half a word, one a byte, the first one lowest: spread out by halves, then all eight made letters at once.
fn eight_digits(half: u32) -> u64 {
    let mut spread = u64::from(half.swap_bytes());
    spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    spread = (spread >> 4 & 0x000f_000f_000f_000f) | (spread & 0x000f_000f_000f_000f) << 8;
    let letters = spread.wrapping_add(0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    // No byte overflows: the greatest is `f`.
    spread.wrapping_add(0x3030_3030_3030_3030).wrapping_add(letters.wrapping_mul(0x27))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Part {
        Piece(String),
        Text(String),
        Word(bool),
        Number(i64),
        Great(u64),
        Whole(Vec<String>),
        Digits(u64),
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            "[a-zä→]{0,40}".prop_map(Part::Piece),
            "[a-zä→]{0,90}".prop_map(Part::Text),
            // Blocks are filled, and longer texts than a block written.
            (0usize..90_000).prop_map(|length| Part::Text("→".repeat(length / 3))),
            any::<bool>().prop_map(Part::Word),
            any::<i64>().prop_map(Part::Number),
            (-20i64..300).prop_map(Part::Number),
            (any::<u64>(), 0..64).prop_map(|(word, by)| Part::Great(word >> by)),
            (0u32..20, -1i64..2).prop_map(|(n, by)| Part::Great(10u64.pow(n % 20).wrapping_add_signed(by))),
            prop::collection::vec("[a-zä→]{0,40}", 0..6).prop_map(Part::Whole),
            (any::<u64>(), 0..64).prop_map(|(word, by)| Part::Digits(word >> by)),
        ]
    }

    #[test]
    fn digits_of_numbers_are_those_of_the_standard_library() {
        for number in (0..200_000).chain((0..EIGHT).step_by(997)).chain(EIGHT - 10_000..EIGHT) {
            let (digits, length) = decimal(number);
            assert_eq!(&digits.to_le_bytes()[..length], number.to_string().as_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_pen_writes_what_a_string_takes(parts in prop::collection::vec(part(), 0..60)) {
            let (mut written, mut plain) = (String::new(), String::new());
            let mut pen = Pen::new(|bytes| written += str::from_utf8(bytes).unwrap());
            for part in parts {
                match part {
                    Part::Piece(text) => {
                        pen.piece(&Piece::of(&text));
                        plain += &text;
                    }
                    Part::Text(text) => {
                        pen.text(&text);
                        plain += &text;
                    }
                    Part::Word(long) => {
                        pen.word(if long { word!("as many as thirty-two bytes long") } else { word!("ä") });
                        plain += if long { "as many as thirty-two bytes long" } else { "ä" };
                    }
                    Part::Number(number) => {
                        pen.signed(number);
                        plain += &number.to_string();
                    }
                    Part::Great(number) => {
                        pen.number(number);
                        plain += &number.to_string();
                    }
                    Part::Whole(parts) => {
                        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                        pen.whole(&Whole::of(&parts));
                        plain += &parts.concat();
                    }
                    Part::Digits(word) => {
                        pen.hexadecimal(word);
                        plain += &format!("{word:016x}");
                    }
                }
            }
            pen.finish();
            prop_assert_eq!(written, plain);
        }
    }
}

//! The words of JSON with comments: brackets, commas, colons, texts, numbers and bare words.
//!
//! Written here rather than taken from a library because every mistake in a file is to be reported in one go: after
//! a bad escape, an open quote or a stray character the lexer says so and carries on behind it.

use super::code::Code;
use super::problem::{Problem, Problems, quote};
use super::source::Place;
use super::tree::Escape;

/// The two kinds of brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bracket {
    Brace,
    Square,
}

impl Bracket {
    pub(super) fn open(self) -> char {
        if self == Bracket::Brace { '{' } else { '[' }
    }

    pub(super) fn close(self) -> char {
        if self == Bracket::Brace { '}' } else { ']' }
    }
}

/// One word. It is small: the parser looks at each several times and hands it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Open(Bracket),
    Close(Bracket),
    Comma,
    Colon,
    /// A text without escapes.
    Text(&'t str),
    /// What a text with escapes says.
    Escaped(Box<(String, Vec<Escape>)>),
    /// A number in JSON's form.
    Number(&'t str),
    /// Letters without quotes: `true`, or a mistake that is the parser's to explain.
    Word(&'t str),
    /// Something that was reported and stands where a value may stand.
    Bad,
    /// A text that was reported as not closed; it took the rest of its line with it.
    Unclosed,
    End,
}

/// After so many problems a file is given up: what follows is noise.
const PATIENCE: usize = 100;

/// Goes through a text word by word.
pub(super) struct Lexer<'t, 'p> {
    text: &'t str,
    file: u16,
    at: usize,
    problems: &'p mut Problems,
    reported: usize,
    /// Nothing is reported while set.
    pub(super) quiet: bool,
    /// Whether something was reported that leaves the value of the text in doubt.
    pub(super) broken: bool,
    /// Whether the text was given up; all that follows is [`Token::End`].
    pub(super) stopped: bool,
    /// Words and comments gone through so far: the work done.
    pub(super) steps: usize,
}

impl<'t, 'p> Lexer<'t, 'p> {
    pub(super) fn new(text: &'t str, file: u16, problems: &'p mut Problems) -> Self {
        Lexer {
            text,
            file,
            at: 0,
            problems,
            reported: 0,
            quiet: false,
            broken: false,
            stopped: false,
            steps: 0,
        }
    }

    pub(super) fn place(&self, start: usize, end: usize) -> Place {
        // Texts are shorter than 2³² bytes, see `Sources::add`.
        let short = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Place::new(self.file, short(start), short(end))
    }

    /// Reports a problem after which the value can still be made out.
    pub(super) fn slip(&mut self, problem: Problem) {
        if self.quiet || self.stopped {
            return;
        }
        self.reported += 1;
        self.problems.push(problem);
        if self.reported == PATIENCE {
            self.stop();
        }
    }

    /// Reports a problem that leaves the value in doubt.
    pub(super) fn fault(&mut self, problem: Problem) {
        self.broken = true;
        self.slip(problem);
    }

    /// Gives the text up.
    pub(super) fn stop(&mut self) {
        self.broken = true;
        self.stopped = true;
    }

    /// Whether there is a line break between the two offsets.
    pub(super) fn line_break_between(&self, start: u32, end: u32) -> bool {
        self.text.get(start as usize..end as usize).is_some_and(|between| between.contains('\n'))
    }

    /// Whether nothing but a comment is left of the line.
    pub(super) fn line_is_done(&self) -> bool {
        let rest = self.rest().trim_start_matches([' ', '\t', '\r']);
        rest.is_empty() || rest.starts_with('\n') || rest.starts_with("//")
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// The next word and its place; after the last one [`Token::End`], for ever.
    pub(super) fn next(&mut self) -> (Token<'t>, Place) {
        self.steps += 1;
        self.skip_space();
        let start = self.at;
        let token = match self.text.as_bytes().get(start) {
            None => Token::End,
            Some(_) if self.stopped => Token::End,
            Some(b'{') => self.mark(Token::Open(Bracket::Brace)),
            Some(b'}') => self.mark(Token::Close(Bracket::Brace)),
            Some(b'[') => self.mark(Token::Open(Bracket::Square)),
            Some(b']') => self.mark(Token::Close(Bracket::Square)),
            Some(b',') => self.mark(Token::Comma),
            Some(b':') => self.mark(Token::Colon),
            Some(mark @ (b'"' | b'\'')) => self.text_token(char::from(*mark)),
            Some(b'0'..=b'9' | b'-' | b'+' | b'.') => self.number(),
            Some(_) => self.word(),
        };
        (token, self.place(start, self.at))
    }

    /// Letters without quotes, or characters that begin nothing.
    fn word(&mut self) -> Token<'t> {
        let rest = self.rest();
        if !rest.starts_with(is_word) {
            return self.stray();
        }
        let end = rest.find(|c| !is_word(c) && !matches!(c, '.' | '-')).unwrap_or(rest.len());
        self.at += end;
        Token::Word(&rest[..end])
    }

    /// A word of one character.
    fn mark(&mut self, token: Token<'t>) -> Token<'t> {
        self.at += 1;
        token
    }

    /// Spaces and comments.
    fn skip_space(&mut self) {
        while !self.stopped {
            let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
            self.at += self.text.as_bytes()[self.at..].iter().take_while(|byte| space(byte)).count();
            let (start, rest) = (self.at, self.rest());
            if !rest.starts_with(['/', '#']) {
                return;
            }
            self.steps += 1;
            if rest.starts_with("//") {
                self.at += line_length(rest);
            } else if rest.starts_with('#') {
                self.at += line_length(rest);
                let problem =
                    Problem::error(Code::Stray, self.place(start, start + 1), "`#` does not begin a comment");
                self.slip(problem.hint("comments begin with `//`"));
            } else if let Some(inside) = rest.strip_prefix("/*") {
                if let Some(end) = inside.find("*/") {
                    self.at += end + 4;
                } else {
                    self.at = self.text.len();
                    let place = self.place(start, start + 2);
                    let problem = Problem::error(Code::CommentNotClosed, place, "this comment is not closed");
                    self.fault(problem.hint("end it with `*/`"));
                    self.stop();
                }
            } else {
                return;
            }
        }
    }

    /// Characters that begin nothing, up to the next that may.
    fn stray(&mut self) -> Token<'t> {
        let (start, rest) = (self.at, self.rest());
        let begins = |c: char| {
            c.is_ascii_whitespace() || "{}[],:\"'/#".contains(c) || is_word(c) || c.is_ascii_digit()
        };
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[first..].find(begins).map_or(rest.len(), |at| first + at);
        self.at += end;
        let message = format!("{} does not belong here", quote(&rest[..end]));
        self.fault(Problem::error(Code::Stray, self.place(start, self.at), message));
        Token::Bad
    }

    fn number(&mut self) -> Token<'t> {
        let (start, rest) = (self.at, self.rest());
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        self.at += end;
        let written = &rest[..end];
        if is_number(written) {
            return Token::Number(written);
        }
        let hint = match written.trim_start_matches(['+', '-']) {
            digits if digits.starts_with("0x") => "write hexadecimal numbers in decimal".to_owned(),
            digits if digits.starts_with('.') => format!("write `0{digits}`"),
            digits if digits.contains('_') && is_number(&digits.replace('_', "")) => {
                "leave out the underscores".to_owned()
            }
            digits if is_number(digits.trim_start_matches('0')) => {
                format!("write {}", quote(digits.trim_start_matches('0')))
            }
            _ if written.bytes().any(|byte| byte.is_ascii_digit()) => {
                "times, shares and expressions stand in double quotes".to_owned()
            }
            _ => "digits, perhaps with a minus sign before them".to_owned(),
        };
        let message = format!("{} is not a number", quote(written));
        self.fault(Problem::error(Code::NotANumber, self.place(start, self.at), message).hint(hint));
        Token::Bad
    }

    /// A text from its opening quote on. One in single quotes is reported and taken as if in double quotes.
    fn text_token(&mut self, mark: char) -> Token<'t> {
        let start = self.at;
        self.at += 1;
        let content = self.at;
        let mut value = String::new();
        let mut escapes = Vec::new();
        loop {
            let rest = self.rest();
            // All of these are one byte, and no byte of a longer character is one of them.
            let special = |byte: u8| byte == mark as u8 || byte == b'\\' || byte < b' ';
            let plain = rest.bytes().position(special).unwrap_or(rest.len());
            if self.at == content && rest[plain..].starts_with(mark) {
                // Nearly every text: nothing in it stands for something else.
                self.at += plain + 1;
                self.quotes(mark, start);
                return Token::Text(&rest[..plain]);
            }
            value.push_str(&rest[..plain]);
            self.at += plain;
            match rest[plain..].chars().next() {
                None | Some('\n' | '\r') => {
                    let problem = Problem::error(
                        Code::TextNotClosed,
                        self.place(start, self.at),
                        "this text is not closed",
                    );
                    let hint =
                        format!("end it with `{mark}` on the same line; within a text a line break is `\\n`");
                    self.fault(problem.label("it began here").hint(hint));
                    return Token::Unclosed;
                }
                Some('\\') => {
                    let (inner, outer) = (value.len(), self.at - content);
                    let letter = self.escape(mark);
                    value.push(letter);
                    escapes.push(Escape {
                        inner: u32::try_from(inner).unwrap_or(u32::MAX),
                        outer: u32::try_from(outer).unwrap_or(u32::MAX),
                        // A character has at most 4 bytes, an escape at most the 12 of two surrogates.
                        inner_len: u8::try_from(letter.len_utf8()).unwrap_or(4),
                        outer_len: u8::try_from(self.at - content - outer).unwrap_or(12),
                    });
                }
                Some(found) if found == mark => break,
                Some(control) => {
                    let place = self.place(self.at, self.at + 1);
                    let written = if control == '\t' {
                        "\\t".to_owned()
                    } else {
                        format!("\\u{:04x}", u32::from(control))
                    };
                    let problem = Problem::error(Code::Escape, place, "a control character within a text");
                    self.slip(problem.hint(format!("write `{written}`")));
                    value.push(control);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        self.quotes(mark, start);
        Token::Escaped(Box::new((value, escapes)))
    }

    /// Reports single quotes around a text whose closing quote was just taken.
    fn quotes(&mut self, mark: char, start: usize) {
        if mark != '\'' {
            return;
        }
        let place = self.place(start, self.at);
        let problem = Problem::error(Code::Quotes, place, "a text in single quotes");
        self.slip(problem.hint("texts stand in double quotes"));
    }

    /// The character that the escape at the current place stands for, a stand-in if it is wrong.
    fn escape(&mut self, mark: char) -> char {
        let start = self.at;
        let Some(letter) = self.rest()[1..].chars().next().filter(|letter| *letter >= ' ') else {
            self.at += 1;
            return '\\'; // The text ends here, which is what will be reported.
        };
        self.at += 1 + letter.len_utf8();
        match letter {
            '"' | '\\' | '/' => letter,
            '\'' if mark == '\'' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode_escape(start),
            _ => {
                let message = format!("`\\{letter}` is not an escape");
                let hint = if letter == '\'' {
                    "a single quote needs no backslash"
                } else {
                    "a backslash is written `\\\\`"
                };
                self.slip(Problem::error(Code::Escape, self.place(start, self.at), message).hint(hint));
                letter
            }
        }
    }

    /// The four digits after `\u`, and a second such escape if the first is half of a pair.
    fn unicode_escape(&mut self, start: usize) -> char {
        let Some(first) = self.four_digits() else {
            let problem = Problem::error(
                Code::Escape,
                self.place(start, self.at),
                "`\\u` needs four hexadecimal digits",
            );
            self.slip(problem);
            return char::REPLACEMENT_CHARACTER;
        };
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            let between = self.at;
            self.at += 2;
            if let Some(second @ 0xDC00..0xE000) = self.four_digits() {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
            self.at = between;
        }
        char::from_u32(first).unwrap_or_else(|| {
            let problem =
                Problem::error(Code::Escape, self.place(start, self.at), "half of a pair of escapes");
            self.slip(problem.hint("a character beyond U+FFFF is two escapes, or the character itself"));
            char::REPLACEMENT_CHARACTER
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphabetic() || matches!(letter, '_' | '$' | '0'..='9')
}

fn line_length(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Whether it has the form of a JSON number.
fn is_number(written: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = written.strip_prefix('-').unwrap_or(written);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let leads = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !leads && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

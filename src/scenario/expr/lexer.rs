//! Tokens of the expression language.

use std::borrow::Cow;
use std::ops::Range;

use super::problem::SyntaxProblem;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind<'t>,
    pub(super) span: Range<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'t> {
    Name(&'t str),
    /// The digits as a magnitude, since a minus may still come before it.
    Int(u64),
    /// As it is written, unless an escape stands for something else.
    Text(Cow<'t, str>),
    /// An operator or bracket.
    Sign(Sign),
    End,
}

/// Operators and brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Or,
    And,
    Equal,
    Unequal,
    AtMost,
    AtLeast,
    Less,
    Greater,
    Not,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
    Asks,
    Colon,
    Dot,
    Comma,
    Open,
    Close,
    OpenSquare,
    CloseSquare,
    OpenBrace,
    CloseBrace,
    Assigns,
    Semicolon,
}

impl Sign {
    pub(super) fn text(self) -> &'static str {
        match self {
            Sign::Or => "||",
            Sign::And => "&&",
            Sign::Equal => "==",
            Sign::Unequal => "!=",
            Sign::AtMost => "<=",
            Sign::AtLeast => ">=",
            Sign::Less => "<",
            Sign::Greater => ">",
            Sign::Not => "!",
            Sign::Plus => "+",
            Sign::Minus => "-",
            Sign::Times => "*",
            Sign::Over => "/",
            Sign::Modulo => "%",
            Sign::Asks => "?",
            Sign::Colon => ":",
            Sign::Dot => ".",
            Sign::Comma => ",",
            Sign::Open => "(",
            Sign::Close => ")",
            Sign::OpenSquare => "[",
            Sign::CloseSquare => "]",
            Sign::OpenBrace => "{",
            Sign::CloseBrace => "}",
            Sign::Assigns => "=",
            Sign::Semicolon => ";",
        }
    }

    /// The sign that a text begins with, the longest there is: `<=` is not read as `<`.
    fn leading(text: &[u8]) -> Option<Sign> {
        Some(match text {
            [b'|', b'|', ..] => Sign::Or,
            [b'&', b'&', ..] => Sign::And,
            [b'=', b'=', ..] => Sign::Equal,
            [b'!', b'=', ..] => Sign::Unequal,
            [b'<', b'=', ..] => Sign::AtMost,
            [b'>', b'=', ..] => Sign::AtLeast,
            [b'<', ..] => Sign::Less,
            [b'>', ..] => Sign::Greater,
            [b'!', ..] => Sign::Not,
            [b'+', ..] => Sign::Plus,
            [b'-', ..] => Sign::Minus,
            [b'*', ..] => Sign::Times,
            [b'/', ..] => Sign::Over,
            [b'%', ..] => Sign::Modulo,
            [b'?', ..] => Sign::Asks,
            [b':', ..] => Sign::Colon,
            [b'.', ..] => Sign::Dot,
            [b',', ..] => Sign::Comma,
            [b'(', ..] => Sign::Open,
            [b')', ..] => Sign::Close,
            [b'[', ..] => Sign::OpenSquare,
            [b']', ..] => Sign::CloseSquare,
            [b'{', ..] => Sign::OpenBrace,
            [b'}', ..] => Sign::CloseBrace,
            [b'=', ..] => Sign::Assigns,
            [b';', ..] => Sign::Semicolon,
            _ => return None,
        })
    }
}

/// How many letters, digits and `_` a text begins with.
fn word_length(text: &str) -> usize {
    text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()
}

/// Splits a text into tokens, the last of which is [`TokenKind::End`]. The text is shorter than 4 GiB.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Vec<SyntaxProblem>> {
    let mut lexer = Lexer { text, at: 0, problems: Vec::new() };
    // Most tokens are of three letters or more, their spaces included.
    let mut tokens = Vec::with_capacity(text.len() / 3 + 4);
    loop {
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c');
        lexer.at += text.as_bytes()[lexer.at..].iter().take_while(|byte| space(byte)).count();
        let start = lexer.at;
        let kind = lexer.token();
        let span = start as u32..lexer.at as u32;
        let done = kind == Some(TokenKind::End);
        tokens.extend(kind.map(|kind| Token { kind, span }));
        if done {
            break;
        }
    }
    if lexer.problems.is_empty() { Ok(tokens) } else { Err(lexer.problems) }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    problems: Vec<SyntaxProblem>,
}

impl<'a> Lexer<'a> {
    /// The token that starts here; none if it was a problem, which is then behind us.
    fn token(&mut self) -> Option<TokenKind<'a>> {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return Some(TokenKind::End) };
        if first.is_ascii_alphabetic() || first == '_' {
            let length = word_length(rest);
            let name = &rest[..length];
            if matches!(rest[length..].chars().next(), Some('\'' | '"')) && length <= 2 {
                self.at += length;
                self.problem(self.at - length, "texts have no prefix here", "leave the letters out");
                return None;
            }
            self.at += length;
            return Some(TokenKind::Name(name));
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if first == '\'' || first == '"' {
            return self.quoted(first);
        }
        if let Some(sign) = Sign::leading(rest.as_bytes()) {
            self.at += sign.text().len();
            return Some(TokenKind::Sign(sign));
        }
        let start = self.at;
        self.at += first.len_utf8();
        let hint = match first {
            '&' => "logical and is &&",
            '|' => "logical or is ||",
            '^' => "there is no power and no exclusive or",
            '`' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => "texts stand in ' or \"",
            _ => "",
        };
        self.problem(start, &format!("{first:?} means nothing in an expression"), hint);
        None
    }

    fn number(&mut self) -> Option<TokenKind<'a>> {
        let start = self.at;
        let rest = &self.text[start..];
        let word = &rest[..word_length(rest)];
        self.at += word.len();
        let fraction =
            rest[word.len()..].strip_prefix('.').filter(|f| f.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(fraction) = fraction {
            self.at += 1 + fraction.bytes().take_while(u8::is_ascii_alphanumeric).count();
            self.problem(start, "there are no fractions", "numbers are whole; choose a smaller unit");
            return None;
        }
        let value = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => word.parse(),
        };
        if let Ok(value) = value {
            return Some(TokenKind::Int(value));
        }
        let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
        if digits.is_empty() {
            self.problem(start, "this number does not fit 64 bits", "");
        } else if matches!(digits, "u" | "U") {
            self.problem(start, "there are no unsigned numbers", "leave the u out");
        } else if matches!(digits, "ns" | "us" | "ms" | "s" | "min" | "h" | "d") {
            self.problem(start, "a time is no literal", &format!("write duration('{word}')"));
        } else {
            self.problem(start, "this is neither a number nor a name", "");
        }
        None
    }

    fn quoted(&mut self, quote: char) -> Option<TokenKind<'a>> {
        let start = self.at;
        self.at += 1;
        let rest = &self.text[self.at..];
        let special = |byte: u8| byte == quote as u8 || matches!(byte, b'\\' | b'\n' | b'\r');
        if let Some(plain) = rest.bytes().position(special)
            && rest[plain..].starts_with(quote)
        {
            self.at += plain + 1;
            return Some(TokenKind::Text(Cow::Borrowed(&rest[..plain])));
        }
        let mut text = String::new();
        let before = self.problems.len();
        while let Some(next) = self.text[self.at..].chars().next() {
            match next {
                '\n' | '\r' => break,
                '\\' => text.extend(self.escape()),
                _ => {
                    self.at += next.len_utf8();
                    if next == quote {
                        return (self.problems.len() == before).then_some(TokenKind::Text(text.into()));
                    }
                    text.push(next);
                }
            }
        }
        self.problem(start, "this text does not end", &format!("close it with {quote}"));
        None
    }

    /// The character that an escape stands for; it starts at the backslash.
    fn escape(&mut self) -> Option<char> {
        let start = self.at;
        let body = &self.text[start + 1..];
        let first = body.chars().next();
        let plain = match first {
            Some(c @ ('\\' | '?' | '"' | '\'' | '`')) => Some(c),
            Some('a') => Some('\x07'),
            Some('b') => Some('\x08'),
            Some('f') => Some('\x0c'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\x0b'),
            _ => None,
        };
        if plain.is_some() {
            self.at += 2;
            return plain;
        }
        let (skip, length, radix) = match first {
            Some('x' | 'X') => (1, 2, 16),
            Some('u') => (1, 4, 16),
            Some('U') => (1, 8, 16),
            Some('0'..='3') => (0, 3, 8),
            _ => (0, 0, 0),
        };
        let digits =
            body.get(skip..skip + length).filter(|d| length > 0 && d.chars().all(|c| c.is_digit(radix)));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, radix).ok());
        if let Some(character) = code.and_then(char::from_u32) {
            self.at += 1 + skip + length;
            return Some(character);
        }
        self.at += 1 + first.map_or(0, char::len_utf8);
        self.problem(start, "this escape means nothing", r"a backslash itself is \\");
        None
    }

    fn problem(&mut self, start: usize, message: &str, hint: &str) {
        self.problems.push(SyntaxProblem {
            range: start as u32..self.at as u32,
            message: message.to_owned(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        });
    }
}

//! Tokens of the expression language.

use std::ops::Range;

use super::problem::SyntaxProblem;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Name(String),
    /// The digits as a magnitude, since a minus may still come before it.
    Int(u64),
    Text(String),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 26] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}", "=", ";",
];

/// Splits a text into tokens, the last of which is [`TokenKind::End`]. The text is shorter than 4 GiB.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Vec<SyntaxProblem>> {
    let mut lexer = Lexer { text, at: 0, problems: Vec::new() };
    let mut tokens = Vec::new();
    loop {
        let rest = &text[lexer.at..];
        lexer.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']).len();
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

impl Lexer<'_> {
    /// The token that starts here; none if it was a problem, which is then behind us.
    fn token(&mut self) -> Option<TokenKind> {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return Some(TokenKind::End) };
        if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            let name = &rest[..length];
            if matches!(rest[length..].chars().next(), Some('\'' | '"')) && length <= 2 {
                self.at += length;
                self.problem(self.at - length, "texts have no prefix here", "leave the letters out");
                return None;
            }
            self.at += length;
            return Some(TokenKind::Name(name.to_owned()));
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if first == '\'' || first == '"' {
            return self.quoted(first);
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
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

    fn number(&mut self) -> Option<TokenKind> {
        let start = self.at;
        let rest = &self.text[start..];
        let word = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let word = &rest[..word];
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

    fn quoted(&mut self, quote: char) -> Option<TokenKind> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        let before = self.problems.len();
        while let Some(next) = self.text[self.at..].chars().next() {
            match next {
                '\n' | '\r' => break,
                '\\' => text.extend(self.escape()),
                _ => {
                    self.at += next.len_utf8();
                    if next == quote {
                        return (self.problems.len() == before).then_some(TokenKind::Text(text));
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

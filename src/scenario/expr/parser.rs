//! A Pratt parser of the CEL subset. It is bounded in text and depth, so no input can exhaust the stack or the memory.

use std::ops::Range;

use super::ast::{Expr, Kind, Name, Operator};
use super::lexer::{Sign, Token, TokenKind, tokens};
use super::problem::SyntaxProblem;

/// The longest expression, in bytes.
pub const LONGEST: usize = 4096;

/// How deep an expression may nest, a chain of operators counted as its tree.
pub const DEEPEST: u32 = 64;

/// Words of CEL that no variable may be named by.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads an expression, an address or a call. It reports what it can; after a syntax error that is the first one.
pub fn parse(text: &str) -> Result<Expr, Vec<SyntaxProblem>> {
    if text.len() > LONGEST {
        return Err(vec![SyntaxProblem {
            range: 0..u32::try_from(text.len()).unwrap_or(u32::MAX),
            message: format!("this expression is longer than {LONGEST} bytes"),
            hint: None,
        }]);
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, nesting: 0 };
    parser.whole().map_err(|problem| vec![problem])
}

/// Whether a text is a name by itself: what [`parse`] reads as [`Kind::Name`] and gives back unchanged.
pub fn is_name(text: &str) -> bool {
    is_word(text) && text.len() <= LONGEST && !RESERVED.contains(&text)
}

/// Whether a text may follow a dot: there, words that no variable may be named by are names, too.
pub fn is_field(text: &str) -> bool {
    is_word(text) && text.len() <= LONGEST - "x.".len()
}

fn is_word(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !matches!(text, "in" | "true" | "false" | "null")
}

struct Parser<'t> {
    /// Never empty; the last one is the end.
    tokens: Vec<Token<'t>>,
    at: usize,
    nesting: u32,
}

/// A tree and its height.
type Parsed = Result<(Expr, u32), SyntaxProblem>;

impl<'t> Parser<'t> {
    fn whole(&mut self) -> Result<Expr, SyntaxProblem> {
        let (expr, _) = self.expression()?;
        if self.peek() == &TokenKind::End {
            return Ok(expr);
        }
        let hint = match self.peek() {
            TokenKind::Sign(Sign::Assigns) => "equality is ==; an assignment is a key of its own",
            TokenKind::Sign(Sign::Semicolon) => "an expression is one value",
            TokenKind::Name("and") => "logical and is &&",
            TokenKind::Name("or") => "logical or is ||",
            TokenKind::Name(_) | TokenKind::Text(_) | TokenKind::Int(_) => "an operator is missing before it",
            _ => "",
        };
        Err(self.problem("the expression should end here", hint))
    }

    fn expression(&mut self) -> Parsed {
        let (test, height) = self.operators(1)?;
        if !self.take(Sign::Asks) {
            return Ok((test, height));
        }
        self.nested(|parser| {
            let (yes, left) = parser.expression()?;
            parser.expect(Sign::Colon, "a condition is test ? yes : no")?;
            let (no, right) = parser.expression()?;
            let span = test.span.start..no.span.end;
            let kind = Kind::Cond(Box::new(test), Box::new(yes), Box::new(no));
            Self::node(kind, span, height.max(left).max(right))
        })
    }

    /// Operators that bind at least as tightly as `level`.
    fn operators(&mut self, level: u8) -> Parsed {
        let (mut left, mut height) = self.unary()?;
        while let Some(op) = self.operator().filter(|op| op.level() >= level) {
            let at = self.next();
            let (right, below) = self.nested(|parser| parser.operators(op.level() + 1))?;
            let span = left.span.start..right.span.end;
            let kind = Kind::Binary { op, at, left: Box::new(left), right: Box::new(right) };
            (left, height) = Self::node(kind, span, height.max(below))?;
        }
        Ok((left, height))
    }

    fn operator(&self) -> Option<Operator> {
        match self.peek() {
            TokenKind::Name(name) => (*name == "in").then_some(Operator::In),
            TokenKind::Sign(sign) => Some(match sign {
                Sign::Or => Operator::Or,
                Sign::And => Operator::And,
                Sign::Equal => Operator::Eq,
                Sign::Unequal => Operator::Ne,
                Sign::Less => Operator::Lt,
                Sign::AtMost => Operator::Le,
                Sign::Greater => Operator::Gt,
                Sign::AtLeast => Operator::Ge,
                Sign::Plus => Operator::Add,
                Sign::Minus => Operator::Sub,
                Sign::Times => Operator::Mul,
                Sign::Over => Operator::Div,
                Sign::Modulo => Operator::Rem,
                _ => return None,
            }),
            _ => None,
        }
    }

    fn unary(&mut self) -> Parsed {
        let start = self.span().start;
        if self.take(Sign::Not) {
            let (of, height) = self.nested(Self::unary)?;
            let span = start..of.span.end;
            return Self::node(Kind::Not(Box::new(of)), span, height);
        }
        if !self.take(Sign::Minus) {
            return self.member();
        }
        if let TokenKind::Int(magnitude) = *self.peek() {
            let first = self.number(start, true, magnitude)?;
            return self.members(first);
        }
        let (of, height) = self.nested(Self::unary)?;
        let span = start..of.span.end;
        Self::node(Kind::Neg(Box::new(of)), span, height)
    }

    fn number(&mut self, start: u32, negative: bool, magnitude: u64) -> Result<Expr, SyntaxProblem> {
        // The smallest word is null, so the limit is the same on both sides.
        let Ok(value) = i64::try_from(magnitude) else {
            return Err(self.problem("this number does not fit 64 bits", ""));
        };
        let end = self.next().end;
        Ok(Expr { kind: Kind::Int(if negative { -value } else { value }), span: start..end })
    }

    fn member(&mut self) -> Parsed {
        let (first, height) = self.primary()?;
        self.members_of(first, height)
    }

    fn members(&mut self, first: Expr) -> Parsed {
        self.members_of(first, 1)
    }

    fn members_of(&mut self, mut of: Expr, mut height: u32) -> Parsed {
        let start = of.span.start;
        loop {
            if self.take(Sign::Dot) {
                let name = self.selected()?;
                if self.take(Sign::Open) {
                    let (args, below) = self.list(Sign::Close, Self::expression)?;
                    let kind = Kind::Call { of: Some(Box::new(of)), name, args };
                    (of, height) = Self::node(kind, start..self.behind(), height.max(below))?;
                } else {
                    let kind = Kind::Select { of: Box::new(of), name };
                    (of, height) = Self::node(kind, start..self.behind(), height)?;
                }
            } else if self.take(Sign::OpenSquare) {
                let mut below = 0;
                let mut index = None;
                if !self.take(Sign::CloseSquare) {
                    let (inner, inner_height) = self.nested(Self::expression)?;
                    self.expect(Sign::CloseSquare, "an index stands in one pair of brackets")?;
                    below = inner_height;
                    index = Some(Box::new(inner));
                }
                let kind = Kind::Index { of: Box::new(of), index };
                (of, height) = Self::node(kind, start..self.behind(), height.max(below))?;
            } else {
                return Ok((of, height));
            }
        }
    }

    fn selected(&mut self) -> Result<Name, SyntaxProblem> {
        match *self.peek() {
            TokenKind::Name(text) if is_field(text) => Ok(Name { text: text.to_owned(), span: self.next() }),
            _ => Err(self.problem("a name should follow the dot", "")),
        }
    }

    fn primary(&mut self) -> Parsed {
        let Range { start, end } = self.span();
        match *self.peek() {
            TokenKind::Int(magnitude) => Ok((self.number(start, false, magnitude)?, 1)),
            TokenKind::Text(ref text) => {
                let text = text.clone().into_owned();
                self.next();
                Self::node(Kind::Text(text), start..end, 0)
            }
            TokenKind::Name(name) => self.name(name, start..end),
            TokenKind::Sign(Sign::Open) => {
                self.next();
                let (mut inner, height) = self.nested(Self::expression)?;
                self.expect(Sign::Close, "this parenthesis was never closed")?;
                inner.span = start..self.behind();
                Ok((inner, height))
            }
            TokenKind::Sign(Sign::OpenSquare) => {
                self.next();
                let (items, height) = self.list(Sign::CloseSquare, Self::expression)?;
                Self::node(Kind::List(items), start..self.behind(), height)
            }
            TokenKind::Sign(Sign::OpenBrace) => {
                self.next();
                let (entries, height) = self.list(Sign::CloseBrace, |parser| {
                    let (key, left) = parser.expression()?;
                    parser.expect(Sign::Colon, "a map is {'field': value}")?;
                    let (value, right) = parser.expression()?;
                    Ok(((key, value), left.max(right)))
                })?;
                Self::node(Kind::Map(entries), start..self.behind(), height)
            }
            TokenKind::End if self.at == 0 => {
                Err(self.problem("an expression is missing", "the text is empty"))
            }
            TokenKind::End => Err(self.problem("the expression ends too early", "a value is missing here")),
            TokenKind::Sign(Sign::Assigns) => {
                Err(self.problem("a value should stand here", "equality is =="))
            }
            TokenKind::Sign(_) => Err(self.problem("a value should stand here", "")),
        }
    }

    fn name(&mut self, text: &str, span: Range<u32>) -> Parsed {
        let kind = match text {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "in" => return Err(self.problem("a value should stand here", "`in` stands between two values")),
            word if RESERVED.contains(&word) => {
                return Err(self.problem(&format!("`{word}` is a reserved word"), "choose another name"));
            }
            _ => {
                self.next();
                if self.take(Sign::Open) {
                    let (args, height) = self.list(Sign::Close, Self::expression)?;
                    let name = Name { text: text.to_owned(), span: span.clone() };
                    return Self::node(
                        Kind::Call { of: None, name, args },
                        span.start..self.behind(),
                        height,
                    );
                }
                return Self::node(Kind::Name(text.to_owned()), span, 0);
            }
        };
        self.next();
        Self::node(kind, span, 0)
    }

    /// Items between commas up to a closing bracket; one comma may stand before it.
    fn list<T>(
        &mut self,
        close: Sign,
        mut item: impl FnMut(&mut Self) -> Result<(T, u32), SyntaxProblem>,
    ) -> Result<(Vec<T>, u32), SyntaxProblem> {
        self.nested(|parser| {
            let mut items = Vec::new();
            let mut height = 0;
            while !parser.take(close) {
                let (next, below) = item(parser)?;
                items.push(next);
                height = height.max(below);
                if !parser.take(Sign::Comma) {
                    parser.expect(close, "items are parted by commas")?;
                    break;
                }
            }
            Ok((items, height))
        })
    }

    fn node(kind: Kind, span: Range<u32>, below: u32) -> Parsed {
        if below >= DEEPEST { Err(too_deep(span)) } else { Ok((Expr { kind, span }, below + 1)) }
    }

    fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, SyntaxProblem>,
    ) -> Result<T, SyntaxProblem> {
        if self.nesting >= DEEPEST {
            return Err(too_deep(self.span()));
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    fn token(&self) -> &Token<'t> {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &TokenKind<'t> {
        &self.token().kind
    }

    fn span(&self) -> Range<u32> {
        self.token().span.clone()
    }

    /// Goes past a token; where it stands.
    fn next(&mut self) -> Range<u32> {
        let span = self.span();
        self.at += 1;
        span
    }

    /// Where the token before this one ends.
    fn behind(&self) -> u32 {
        self.tokens[self.at.saturating_sub(1).min(self.tokens.len() - 1)].span.end
    }

    fn take(&mut self, sign: Sign) -> bool {
        let found = *self.peek() == TokenKind::Sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: Sign, hint: &str) -> Result<(), SyntaxProblem> {
        if self.take(sign) {
            return Ok(());
        }
        Err(self.problem(&format!("`{}` should stand here", sign.text()), hint))
    }

    fn problem(&self, message: &str, hint: &str) -> SyntaxProblem {
        SyntaxProblem {
            range: self.span(),
            message: message.to_owned(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        }
    }
}

fn too_deep(range: Range<u32>) -> SyntaxProblem {
    SyntaxProblem {
        range,
        message: format!("this expression nests deeper than {DEEPEST}"),
        hint: Some("split it with `let`".to_owned()),
    }
}

//! From the text of a file to a tree, with every mistake in it reported in one go.
//!
//! The language is JSON with `//` and `/* */` comments and nothing else: no commas after the last element, no single
//! quotes. Such slips are still read as they were meant, so that the rest of the file is checked too; only where the
//! meaning is in doubt there is no tree. Depth and number of values are bounded, hence time and memory are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::code::Code;
use super::lexer::{Bracket, Lexer, Token};
use super::problem::{Problem, Problems, did_you_mean, quote};
use super::source::{Place, Sources};
use super::tree::{Entry, Kind, Node, SharedStr, Text};

/// Objects and lists within each other, at most.
pub const DEEPEST: usize = 128;

/// The keys of an object are compared one by one up to so many.
const FEW_KEYS: usize = 16;

/// Values in one file, at most.
pub const MOST_VALUES: usize = 250_000;

/// Reads file number `file`. `None` if its meaning is in doubt; then the reason is among the problems. A tree may
/// come with problems too.
#[must_use]
pub fn parse(sources: &Sources, file: u16, problems: &mut Problems) -> Option<Node> {
    counted(sources, file, problems).0
}

/// The same, with the number of words and comments gone through.
fn counted(sources: &Sources, file: u16, problems: &mut Problems) -> (Option<Node>, usize) {
    let nothing = Arc::default();
    let text = sources.shared(file).unwrap_or(&nothing);
    let lexer = Lexer::new(text, file, problems);
    let start = lexer.place(0, 0);
    let mut parser = Parser {
        text,
        lexer,
        ahead: None,
        last: start,
        open: Vec::new(),
        entries: Vec::new(),
        elements: Vec::new(),
        values: 0,
        excused: false,
    };
    let node = parser.document();
    ((!parser.lexer.broken).then_some(node), parser.lexer.steps)
}

struct Parser<'t, 'p> {
    text: &'t Arc<str>,
    lexer: Lexer<'t, 'p>,
    /// The next word, if it was looked at already.
    ahead: Option<(Token<'t>, Place)>,
    /// The place of the last word taken.
    last: Place,
    /// The brackets open around the current place.
    open: Vec<(Bracket, Place)>,
    /// Members and elements of all that is open, so that each object and list is allocated once, in its size.
    entries: Vec<Entry>,
    elements: Vec<Node>,
    values: usize,
    /// Whether the last mistake may have swallowed a comma.
    excused: bool,
}

impl<'t> Parser<'t, '_> {
    fn peek(&mut self) -> &(Token<'t>, Place) {
        self.ahead.get_or_insert_with(|| self.lexer.next())
    }

    fn take(&mut self) -> (Token<'t>, Place) {
        let (token, place) = self.ahead.take().unwrap_or_else(|| self.lexer.next());
        if token != Token::End {
            self.last = place;
        }
        (token, place)
    }

    /// The point after the last word, where something is missing.
    fn behind(&self) -> Place {
        Place::new(self.last.file, self.last.end, self.last.end)
    }

    fn slip(&mut self, problem: Problem) {
        self.lexer.slip(problem);
    }

    fn fault(&mut self, problem: Problem) {
        self.lexer.fault(problem);
    }

    fn document(&mut self) -> Node {
        if self.peek().0 == Token::End {
            let place = self.peek().1;
            let place = Place::new(place.file, 0, 0);
            self.fault(
                Problem::error(Code::NotAnObject, place, "the file is empty")
                    .hint("at least `{ \"services\": … }`"),
            );
            return Node { place, kind: Kind::Null };
        }
        let node = self.value();
        let place = self.peek().1;
        // After another mistake with brackets this one only follows from it.
        if self.peek().0 != Token::End && !self.lexer.broken {
            let problem =
                Problem::error(Code::AfterTheEnd, place, "something follows after the end of the document");
            self.fault(problem.also(
                Place::new(node.place.file, node.place.end.saturating_sub(1), node.place.end),
                "it ends here",
            ));
        }
        node
    }

    /// A value; where there is none, that is reported and null stands in for it.
    fn value(&mut self) -> Node {
        if matches!(self.peek().0, Token::Comma | Token::Close(_) | Token::End) {
            let place = self.peek().1;
            self.fault(Problem::error(Code::ValueExpected, place, "a value is expected here"));
            return Node { place, kind: Kind::Null };
        }
        let (token, place) = self.take();
        self.values += 1;
        if self.values > MOST_VALUES {
            let message = format!("the file holds more than {MOST_VALUES} values");
            self.fault(Problem::error(Code::TooLarge, place, message));
            self.lexer.stop();
        }
        let kind = match token {
            Token::Open(bracket) => return self.container(bracket, place),
            Token::Text(_) => Kind::Text(Text::new(place, self.between(place, 1), Vec::new())),
            Token::Escaped(text) => Kind::Text(Text::new(place, text.0, text.1)),
            Token::Number(_) => Kind::Number(self.between(place, 0)),
            Token::Word("true") => Kind::Bool(true),
            Token::Word("false") => Kind::Bool(false),
            Token::Word("null") => Kind::Null,
            Token::Word(word) => {
                self.bare_word(word, place);
                Kind::Null
            }
            Token::Bad | Token::Unclosed => {
                self.excused = token == Token::Unclosed;
                self.skip_line();
                Kind::Null
            }
            _ => {
                self.fault(Problem::error(Code::ValueExpected, place, "a value is expected here"));
                Kind::Null
            }
        };
        Node { place, kind }
    }

    /// What is written at a place, without so many bytes at either end.
    fn between(&self, place: Place, quotes: usize) -> SharedStr {
        let Range { start, end } = place.range();
        SharedStr::part(self.text, start + quotes..end - quotes)
    }

    fn bare_word(&mut self, word: &str, place: Place) {
        let others =
            [("none", "null"), ("nil", "null"), ("undefined", "null"), ("yes", "true"), ("no", "false")];
        let lower = word.to_lowercase();
        let meant = others.iter().find(|(other, _)| *other == lower).map(|(_, meant)| *meant);
        let problem = match meant.or_else(|| did_you_mean(word, ["true", "false", "null"])) {
            Some(meant) => {
                let message = format!("{} is not a value", quote(word));
                Problem::error(Code::ValueExpected, place, message).hint(format!("did you mean `{meant}`?"))
            }
            None => {
                let message = format!("the text {} is not in double quotes", quote(word));
                Problem::error(Code::Quotes, place, message)
                    .hint("texts and expressions stand in double quotes")
            }
        };
        self.fault(problem);
        self.skip_line();
    }

    /// After a mistake within a value: leaves out what remains of it on its line, without a further word.
    fn skip_line(&mut self) {
        let quiet = std::mem::replace(&mut self.lexer.quiet, true);
        while self.ahead.is_some() || !self.lexer.line_is_done() {
            let from = self.last.end;
            let start = self.peek().1.start;
            let ends = matches!(self.peek().0, Token::Comma | Token::Close(_) | Token::End);
            if ends || self.lexer.line_break_between(from, start) {
                break;
            }
            self.take();
        }
        self.lexer.quiet = quiet;
    }

    fn container(&mut self, bracket: Bracket, open: Place) -> Node {
        if self.open.len() == DEEPEST {
            let message = format!("nested more than {DEEPEST} levels deep");
            self.fault(Problem::error(Code::TooDeep, open, message));
            self.lexer.stop();
            self.ahead = None;
            return Node { place: open, kind: Kind::Null };
        }
        self.open.push((bracket, open));
        let kind = match bracket {
            Bracket::Brace => Kind::Object(self.members()),
            Bracket::Square => Kind::List(self.elements()),
        };
        self.open.pop();
        Node { place: Place::new(open.file, open.start, self.last.end), kind }
    }

    fn elements(&mut self) -> Arc<[Node]> {
        let from = self.elements.len();
        while self.goes_on(self.elements.len() > from) {
            let element = self.value();
            self.elements.push(element);
        }
        self.elements.drain(from..).collect()
    }

    fn members(&mut self) -> Arc<[Entry]> {
        let from = self.entries.len();
        // Few objects have so many keys that looking at each of them takes longer than an index of them.
        let mut known: BTreeMap<SharedStr, Place> = BTreeMap::new();
        let mut first = true;
        while self.goes_on(!first) {
            first = false;
            let Some(entry) = self.member() else { continue };
            let before = &self.entries[from..];
            if before.len() == FEW_KEYS && known.is_empty() {
                known.extend(before.iter().map(|entry| (entry.key.value.clone(), entry.key.place)));
            }
            let earlier = match known.is_empty() {
                true => before
                    .iter()
                    .find(|other| other.key.value == entry.key.value)
                    .map(|other| other.key.place),
                false => known.get(&entry.key.value).copied(),
            };
            if let Some(earlier) = earlier {
                let message = format!("the key {} stands twice in one object", quote(&entry.key.value));
                let problem =
                    Problem::error(Code::DuplicateKey, entry.key.place, message).label("again here");
                self.slip(problem.also(earlier, "first here").hint("put the two together, or rename one"));
            } else {
                if !known.is_empty() {
                    known.insert(entry.key.value.clone(), entry.key.place);
                }
                self.entries.push(entry);
            }
        }
        self.entries.drain(from..).collect()
    }

    /// A key with its value; `None` if there is no making out the key.
    fn member(&mut self) -> Option<Entry> {
        if matches!(self.peek().0, Token::Open(_) | Token::Colon) {
            let place = self.peek().1;
            let problem = Problem::error(Code::ValueExpected, place, "a key is expected here");
            self.fault(problem.hint("keys stand in double quotes"));
            if self.peek().0 == Token::Colon {
                self.take();
            }
            self.value();
            return None;
        }
        let (token, place) = self.take();
        let key = match token {
            Token::Text(_) => Text::new(place, self.between(place, 1), Vec::new()),
            Token::Escaped(key) => Text::new(place, key.0, key.1),
            Token::Word(word) | Token::Number(word) => {
                let message = format!("the key {} is not in double quotes", quote(word));
                self.slip(Problem::error(Code::Quotes, place, message).hint("keys stand in double quotes"));
                Text::new(place, word, Vec::new())
            }
            Token::Unclosed => {
                self.excused = true;
                return None;
            }
            // Only something reported already is left.
            _ => {
                self.skip_line();
                return None;
            }
        };
        let missing = self.behind();
        match self.peek().0 {
            // What is bad was reported; most likely it was meant for a colon.
            Token::Colon | Token::Bad => {
                self.take();
            }
            Token::Comma | Token::Close(_) | Token::End => {}
            _ => {
                let problem = Problem::error(Code::Colon, missing, "a colon is missing");
                self.slip(problem.hint("a key and its value are separated by `:`"));
            }
        }
        if matches!(self.peek().0, Token::Comma | Token::Close(_) | Token::End) {
            if self.peek().0 != Token::End {
                let message = format!("the key {} has no value", quote(&key.value));
                self.fault(Problem::error(Code::ValueExpected, key.place, message));
            }
            self.lexer.broken = true;
            return None;
        }
        Some(Entry { key, value: self.value() })
    }

    /// Goes over commas to the next element or member; false once the innermost bracket is closed. `separate` says
    /// whether one stands before.
    fn goes_on(&mut self, separate: bool) -> bool {
        let mut comma: Option<Place> = None;
        let mut excused = std::mem::take(&mut self.excused);
        let innermost = self.open.last().map(|(bracket, _)| *bracket);
        loop {
            let behind = self.behind();
            let place = self.peek().1;
            match self.peek().0 {
                Token::Comma => {
                    self.take();
                    if comma.is_some() || !separate {
                        self.slip(
                            Problem::error(Code::Comma, place, "a comma too many").hint("leave it out"),
                        );
                    }
                    comma = Some(place);
                }
                Token::Close(bracket) if Some(bracket) == innermost => {
                    if let Some(place) = comma.filter(|_| separate) {
                        let problem = Problem::error(Code::Comma, place, "a comma after the last element");
                        self.slip(problem.hint("leave it out"));
                    }
                    self.take();
                    return false;
                }
                Token::Close(bracket) => {
                    if self.crossed(bracket, place) {
                        return false;
                    }
                    self.take();
                }
                Token::End => {
                    self.unfinished(behind);
                    return false;
                }
                Token::Colon if separate && comma.is_none() => {
                    let mut problem = Problem::error(Code::Stray, place, "a colon does not belong here");
                    if let Some(&(Bracket::Square, open)) = self.open.last() {
                        problem = problem.also(open, "this `[` is still open");
                    }
                    self.fault(problem.hint("colons stand between the keys of an object and their values"));
                    self.take();
                    excused = true;
                }
                Token::Bad | Token::Unclosed => return true,
                _ => {
                    if separate && comma.is_none() && !excused {
                        self.slip(
                            Problem::error(Code::Comma, behind, "a comma is missing").label("expected here"),
                        );
                    }
                    return true;
                }
            }
        }
    }

    /// A closing bracket of the other kind. True if it closes one further out, so the innermost was left open.
    fn crossed(&mut self, found: Bracket, place: Place) -> bool {
        let further_out = self.open.iter().any(|(bracket, _)| *bracket == found);
        let Some(&(inner, open)) = self.open.last() else { return true };
        let message = format!("`{}` where `{}` is expected", found.close(), inner.close());
        let problem = Problem::error(Code::Bracket, place, message);
        self.fault(problem.also(open, format!("this `{}` is still open", inner.open())));
        further_out
    }

    /// The text ends within brackets. Said once, of the innermost; the others follow from it.
    fn unfinished(&mut self, behind: Place) {
        if self.lexer.stopped {
            return;
        }
        if let Some(&(bracket, open)) = self.open.last() {
            let message = format!("the file ends before a `{}` is closed", bracket.open());
            let problem = Problem::error(Code::Bracket, behind, message)
                .label(format!("`{}` expected", bracket.close()));
            self.fault(problem.also(open, format!("this `{}` is still open", bracket.open())));
        }
        self.lexer.stop();
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;

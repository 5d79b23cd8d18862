//! A JSON value that knows where it was written.
//!
//! Nothing is interpreted: numbers stay the text they were written as, members keep their order. [`super::parse`]
//! builds trees from text and [`super::patch`] from other trees; the places of a patched tree may lie in several
//! files. What a value holds is shared by all that were made from it: a case is its file with some values exchanged, so
//! copying a tree must not copy what is in it.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::source::Place;

/// A piece of text that all who hold it share. Most are parts of the text of a file: to take one costs no memory.
#[derive(Clone)]
pub struct SharedStr {
    whole: Arc<str>,
    range: Range<usize>,
}

impl SharedStr {
    /// Bytes `range` of a text; both ends lie on character boundaries.
    pub(super) fn part(whole: &Arc<str>, range: Range<usize>) -> Self {
        debug_assert!(whole.get(range.clone()).is_some(), "{range:?} of {whole:?}");
        SharedStr { whole: whole.clone(), range }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.whole[self.range.clone()]
    }

    /// The text, by itself.
    #[must_use]
    pub fn owned(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Deref for SharedStr {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for SharedStr {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for SharedStr {
    fn from(text: &str) -> Self {
        SharedStr { whole: text.into(), range: 0..text.len() }
    }
}

impl From<String> for SharedStr {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl PartialEq for SharedStr {
    fn eq(&self, other: &Self) -> bool {
        self == other.as_str()
    }
}

impl Eq for SharedStr {}

impl PartialOrd for SharedStr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedStr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialEq<str> for SharedStr {
    fn eq(&self, other: &str) -> bool {
        // Most differ in length.
        self.range.len() == other.len() && self.as_str() == other
    }
}

impl PartialEq<&str> for SharedStr {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq<String> for SharedStr {
    fn eq(&self, other: &String) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<SharedStr> for &str {
    fn eq(&self, other: &SharedStr) -> bool {
        other == *self
    }
}

impl PartialEq<SharedStr> for String {
    fn eq(&self, other: &SharedStr) -> bool {
        other == self.as_str()
    }
}

impl fmt::Display for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A JSON value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// From the first character to the last, quotes and brackets included.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exactly as written.
    Number(SharedStr),
    /// A text in double quotes.
    Text(Text),
    /// A list.
    List(Arc<[Node]>),
    /// An object, its keys all different, in the order in which they were written.
    Object(Arc<[Entry]>),
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key; some keys hold expressions, so it can tell places within it.
    pub key: Text,
    /// The value.
    pub value: Node,
}

/// A text, its place, and how to find the place of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// From quote to quote.
    pub place: Place,
    /// What the text says, its escapes resolved.
    pub value: SharedStr,
    /// Few texts have any.
    escapes: Option<Arc<[Escape]>>,
}

/// One escape in a text: offsets into what the text says (`inner`) and into what is written between the quotes
/// (`outer`), with the length of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escape {
    pub(super) inner: u32,
    pub(super) outer: u32,
    pub(super) inner_len: u8,
    pub(super) outer_len: u8,
}

impl Text {
    /// A text with the escapes it was written with, in ascending order.
    pub(super) fn new(place: Place, value: impl Into<SharedStr>, escapes: Vec<Escape>) -> Self {
        let escapes = (!escapes.is_empty()).then(|| escapes.into());
        Text { place, value: value.into(), escapes }
    }

    /// Where bytes `range` of [`Text::value`] are written, exact also where the text has escapes.
    ///
    /// An escape is marked whole if any of its character is; a range past the end means the end.
    #[must_use]
    pub fn place_in(&self, range: Range<usize>) -> Place {
        let mut start = range.start.min(self.value.len());
        let mut end = range.end.clamp(start, self.value.len());
        while !self.value.is_char_boundary(start) {
            start -= 1;
        }
        while !self.value.is_char_boundary(end) {
            end += 1;
        }
        let content = self.place.start + 1;
        Place::new(self.place.file, content + self.outer(start), content + self.outer(end))
    }

    /// The offset between the quotes of a character boundary of the value.
    fn outer(&self, inner: usize) -> u32 {
        let inner = u32::try_from(inner).unwrap_or(u32::MAX);
        let escapes = self.escapes.as_deref().unwrap_or_default();
        let before = escapes.partition_point(|escape| escape.inner < inner);
        // A boundary after the start of an escape lies at or after its end.
        escapes[..before].last().map_or(inner, |escape| {
            let resolved = escape.inner + u32::from(escape.inner_len);
            escape.outer + u32::from(escape.outer_len) + (inner - resolved)
        })
    }
}

impl Node {
    /// What kind of value it is, in words for a message: `a list`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&Text> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// The elements, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Node]> {
        if let Kind::List(elements) = &self.kind { Some(elements) } else { None }
    }

    /// The members, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[Entry]> {
        if let Kind::Object(entries) = &self.kind { Some(entries) } else { None }
    }

    /// The member of that key, if it is an object and has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.as_object()?.iter().find(|entry| entry.key.value == *key)
    }

    /// The place of bytes `range` of the text; the whole place if it is no text. See [`Text::place_in`].
    #[must_use]
    pub fn place_in(&self, range: Range<usize>) -> Place {
        self.as_text().map_or(self.place, |text| text.place_in(range))
    }

    /// Where to mark it in a message: objects and lists at their opening bracket, everything else whole.
    #[must_use]
    pub fn head(&self) -> Place {
        match self.kind {
            Kind::List(_) | Kind::Object(_) => self.place.head(),
            _ => self.place,
        }
    }

    /// How many values it holds, itself included.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + match &self.kind {
            Kind::List(elements) => elements.iter().map(Node::count).sum(),
            Kind::Object(entries) => entries.iter().map(|entry| entry.value.count()).sum::<usize>(),
            _ => 0,
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// The same value without places, to compare with.
    pub(crate) fn json(node: &Node) -> serde_json::Value {
        use serde_json::Value;
        match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => serde_json::from_str(number).expect(number),
            Kind::Text(text) => Value::String(text.value.owned()),
            Kind::List(elements) => elements.iter().map(json).collect(),
            Kind::Object(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.value.owned(), json(&entry.value))).collect(),
            ),
        }
    }
}

//! What an object of the scenario language may hold, as tables: its keys, whether they must be there, the shape of
//! their values, and a sentence about each.
//!
//! One table serves three purposes: [`super::fields`] checks and reads objects by it, and the schema for editors
//! (`halfway schema`) and the reference pages are written from it. Hence nothing is in a table that the language does not promise.

use super::problem::enumerate;

/// The keys of one kind of object.
#[derive(Debug)]
pub struct Table {
    /// What such an object is called, as in "a fault".
    pub name: &'static str,
    /// A sentence about it.
    pub doc: &'static str,
    /// Its keys, in the order in which the reference lists them.
    pub fields: &'static [Field],
}

/// One key.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What holds if it is not there, as it would be written.
    pub default: Option<&'static str>,
    /// A sentence about it.
    pub doc: &'static str,
    /// What the reference and `halfway explain` say beyond that sentence; may be empty.
    pub more: &'static str,
}

/// A name with a meaning, one of a fixed set.
#[derive(Debug)]
pub struct Word {
    /// The name.
    pub name: &'static str,
    /// A sentence about it.
    pub doc: &'static str,
}

/// What a value looks like.
#[derive(Debug)]
pub enum Shape {
    /// Any value: plain data.
    Any,
    /// A text for people, or one with a form of its own that is looked at later.
    Text,
    /// A text that names something; the word says what, as in "a topic".
    Name(&'static str),
    /// A text with an expression; numbers, booleans and null stand for themselves.
    Expression,
    /// A whole number within bounds, both included.
    Integer {
        /// Least value.
        low: i64,
        /// Greatest value.
        high: i64,
    },
    /// `true` or `false`.
    Flag,
    /// A time that may vary: `"1ms..10ms"`. See [`super::quantity::time`].
    Time,
    /// A time that does not vary and has an end.
    FixedTime,
    /// A time that does not vary, or `"ever"`.
    TimeOrEver,
    /// A time that does not vary and may lie below zero.
    SignedTime,
    /// From one instant to another: `"1s..2s"`.
    Span,
    /// A share: `"0.5%"`, `"0%..30%"`.
    Share,
    /// A share that does not vary and may lie below zero.
    SignedShare,
    /// One of these names.
    OneOf(&'static [Word]),
    /// A list of such values.
    List(&'static Shape),
    /// One such value, or a list of them.
    OneOrMany(&'static Shape),
    /// An object whose keys are free; the word says what they name, as in "a service".
    Map(&'static str, &'static Shape),
    /// An object with fixed keys.
    Object(&'static Table),
    /// Any of these; the first that fits counts.
    Either(&'static [Shape]),
}

impl Table {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.position(name).map(|at| &self.fields[at])
    }

    /// The number of the field of that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        // Most differ in length or in the first letter: no need to call for a comparison of all.
        let first = name.as_bytes().first();
        let may_be = |field: &Field| field.name.len() == name.len() && field.name.as_bytes().first() == first;
        self.fields.iter().position(|field| may_be(field) && field.name == name)
    }

    /// The names of all keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    /// The name with its article: "an operation".
    #[must_use]
    pub fn one(&self) -> String {
        with_article(self.name)
    }
}

impl Field {
    /// A key that may be left out.
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Field { name, shape, required: false, default: None, doc, more: "" }
    }

    /// The same, but it must be there.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, with what holds if it is left out.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// The same, with more to say about it.
    #[must_use]
    pub const fn more(mut self, text: &'static str) -> Self {
        self.more = text;
        self
    }
}

impl Word {
    /// A name and a sentence about it.
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Word { name, doc }
    }
}

impl Shape {
    /// What is expected, in words for a message: "a list of names of topics".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Shape::Any => "a value".to_owned(),
            Shape::Text => "a text".to_owned(),
            Shape::Name(what) => format!("the name of {}", with_article(what)),
            Shape::Expression => "an expression".to_owned(),
            Shape::Integer { .. } => "a whole number".to_owned(),
            Shape::Flag => "`true` or `false`".to_owned(),
            Shape::Time => "a time such as \"5ms\" or \"1ms..10ms\"".to_owned(),
            Shape::FixedTime => "a time such as \"5ms\"".to_owned(),
            Shape::TimeOrEver => "a time such as \"5ms\", or \"ever\"".to_owned(),
            Shape::SignedTime => "a time such as \"5ms\" or \"-5ms\"".to_owned(),
            Shape::Span => "two times such as \"1s..2s\"".to_owned(),
            Shape::Share => "a share such as \"0.5%\"".to_owned(),
            Shape::SignedShare => "a share such as \"0.01%\" or \"-0.01%\"".to_owned(),
            Shape::OneOf(words) => enumerate(words.iter().map(|word| word.name), "or"),
            Shape::List(_) => "a list".to_owned(),
            Shape::OneOrMany(shape) => format!("{}, or a list of such", shape.expected()),
            Shape::Map(what, _) => format!("an object that names {}", plural(what)),
            Shape::Object(table) => format!("{} (an object)", table.one()),
            Shape::Either(shapes) => {
                let all: Vec<String> = shapes.iter().map(Shape::expected).collect();
                all.join(", or ")
            }
        }
    }
}

/// "steps", "strategies", "groups of clients".
fn plural(noun: &str) -> String {
    match (noun.split_once(" of "), noun.strip_suffix('y')) {
        (Some((first, rest)), _) => format!("{} of {rest}", plural(first)),
        (None, Some(stem)) => format!("{stem}ies"),
        (None, None) => format!("{noun}s"),
    }
}

/// "a step", "an operation".
#[must_use]
pub fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

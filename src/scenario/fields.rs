//! Reads an object by the table of its keys.
//!
//! [`Fields::of`] checks everything a table can say – unknown and missing keys, kinds of values, times, shares,
//! bounds, fixed names – and reports all of it; the getters then only hand out what was found good. A value that was
//! reported reads as absent, so that whoever builds on it goes on with the default and finds the next mistake; a key
//! that was misspelled reads as the one that was meant.
//! Objects within the object are left to further calls.

use super::code::Code;
use super::problem::{Problem, Problems, did_you_mean, enumerate, quote};
use super::quantity::{self, ShareSpec, TimeSpec, Wrong};
use super::shape::{Field, Shape, Table};
use super::source::Place;
use super::tree::{Entry, Kind, Node, Text};

/// An object seen through the table of its keys.
#[derive(Clone, Debug)]
pub struct Fields<'n> {
    head: Place,
    table: &'static Table,
    /// For each field of the table, its member if it is there and good.
    found: Vec<Option<&'n Entry>>,
    /// The fields that are there and were reported, a bit each.
    spoilt: u64,
}

impl<'n> Fields<'n> {
    /// Checks `node` against `table` and reports what is wrong with it. `head` is where the object is named, most
    /// often its key; what is missing is reported there. `None` if it is no object.
    pub fn of(node: &'n Node, head: Place, table: &'static Table, problems: &mut Problems) -> Option<Self> {
        let Kind::Object(entries) = &node.kind else {
            let message = format!("{} is an object, not {}", table.one(), node.kind_name());
            problems.push(Problem::error(Code::WrongKind, node.head(), message));
            return None;
        };
        let there = |name| entries.iter().any(|other| other.key.value == name);
        let mut found = vec![None; table.fields.len()];
        debug_assert!(table.fields.len() <= 64, "{} has more keys than bits", table.name);
        let mut spoilt = 0;
        // Fields that a misspelled key was read as.
        let mut guessed: Vec<usize> = Vec::new();
        for entry in entries.iter() {
            match table.position(&entry.key.value) {
                None => {
                    let meant = unknown(&entry.key, table, problems).and_then(|meant| table.position(meant));
                    // Read as what was meant if it fits that, so that nothing is reported for want of it.
                    if let Some(at) = meant
                        && !there(table.fields[at].name)
                        && !guessed.contains(&at)
                    {
                        guessed.push(at);
                        if fits(&entry.value, &table.fields[at].shape) {
                            found[at] = Some(entry);
                        } else {
                            spoilt |= 1 << at;
                        }
                    }
                }
                Some(at) => {
                    let field = &table.fields[at];
                    if fits(&entry.value, &field.shape) {
                        found[at] = Some(entry);
                    } else {
                        report(&entry.value, &field.shape, &quote(field.name), problems);
                        spoilt |= 1 << at;
                    }
                }
            }
        }
        for (at, field) in table.fields.iter().enumerate() {
            if !field.required || found[at].is_some() || there(field.name) || guessed.contains(&at) {
                continue;
            }
            let message = format!("{} needs the key {}", table.one(), quote(field.name));
            let problem = Problem::error(Code::MissingKey, head, message);
            problems.push(problem.hint(format!("{}: {}", quote(field.name), field.shape.expected())));
        }
        Some(Fields { head, table, found, spoilt })
    }

    /// Where the object is named.
    #[must_use]
    pub fn head(&self) -> Place {
        self.head
    }

    /// Whether the key is there and its value good.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Whether the key is there, but its value was reported: then nothing is to be said for want of it.
    #[must_use]
    pub fn spoilt(&self, name: &str) -> bool {
        self.table.position(name).is_some_and(|at| self.spoilt & 1 << at != 0)
    }

    /// The member of that key.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&'n Entry> {
        let at = self.table.position(name);
        debug_assert!(at.is_some(), "{} has no key {name}", self.table.name);
        self.found[at?]
    }

    /// The members that are there, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Field, &'n Entry)> {
        self.table.fields.iter().zip(&self.found).filter_map(|(field, entry)| Some((field, (*entry)?)))
    }

    /// The value of that key.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'n Node> {
        Some(&self.entry(name)?.value)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'n Text> {
        self.node(name)?.as_text()
    }

    /// One of the names that the table lists, as the table writes it.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&'static str> {
        let value = &self.text(name)?.value;
        word_of(&self.table.field(name)?.shape, value)
    }

    /// The elements of a list; one alone where the table allows that, none if the key is not there.
    #[must_use]
    pub fn list(&self, name: &str) -> &'n [Node] {
        let Some(node) = self.node(name) else { return &[] };
        node.as_list().unwrap_or(std::slice::from_ref(node))
    }

    /// The members of an object with free keys; none if the key is not there.
    #[must_use]
    pub fn members(&self, name: &str) -> &'n [Entry] {
        self.node(name).and_then(Node::as_object).unwrap_or_default()
    }

    /// An object with fixed keys, seen through its own table.
    pub fn object(&self, name: &str, problems: &mut Problems) -> Option<Fields<'n>> {
        let entry = self.entry(name)?;
        let table = object_table(&self.table.field(name)?.shape)?;
        Fields::of(&entry.value, entry.key.place, table, problems)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        match &self.node(name)?.kind {
            Kind::Number(number) => quantity::integer(number).ok(),
            _ => None,
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        if let Kind::Bool(value) = self.node(name)?.kind { Some(value) } else { None }
    }

    /// A time that may vary.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<TimeSpec> {
        quantity::time(&self.text(name)?.value).ok()
    }

    /// A time that does not vary, in ns.
    #[must_use]
    pub fn fixed_time(&self, name: &str) -> Option<u64> {
        quantity::fixed_time(&self.text(name)?.value).ok()
    }

    /// A time that does not vary, in ns, or `Some(None)` for ever.
    #[must_use]
    pub fn time_or_ever(&self, name: &str) -> Option<Option<u64>> {
        quantity::fixed_or_ever(&self.text(name)?.value).ok()
    }

    /// A time that may lie below zero, in ns.
    #[must_use]
    pub fn signed_time(&self, name: &str) -> Option<i64> {
        quantity::signed_time(&self.text(name)?.value).ok()
    }

    /// From one instant to another, in ns from the start.
    #[must_use]
    pub fn span(&self, name: &str) -> Option<(u64, u64)> {
        quantity::span(&self.text(name)?.value).ok()
    }

    /// A share.
    #[must_use]
    pub fn share(&self, name: &str) -> Option<ShareSpec> {
        quantity::share(&self.text(name)?.value).ok()
    }

    /// A share that may lie below zero, in parts per million.
    #[must_use]
    pub fn signed_share(&self, name: &str) -> Option<i32> {
        quantity::signed_share(&self.text(name)?.value).ok()
    }

    /// The one member whose key is among `names`; none or several are reported, but for want of one that is there and bad.
    pub fn choice(&self, names: &[&str], problems: &mut Problems) -> Option<(&'static Field, &'n Entry)> {
        let mut there = self.iter().filter(|(field, _)| names.contains(&field.name));
        let all = || enumerate(names.iter().copied(), "or");
        let Some(first) = there.next() else {
            if names.iter().any(|name| self.spoilt(name)) {
                return None;
            }
            let message = format!("{} needs one of the keys {}", self.table.one(), all());
            problems.push(Problem::error(Code::Choice, self.head, message));
            return None;
        };
        let mut several = false;
        for (_, entry) in there {
            several = true;
            let message = format!(
                "{} cannot have both {} and {}",
                self.table.one(),
                quote(first.0.name),
                quote(&entry.key.value)
            );
            let problem = Problem::error(Code::Choice, entry.key.place, message);
            problems.push(
                problem.also(first.1.key.place, "besides this").hint(format!("exactly one of {}", all())),
            );
        }
        (!several).then_some(first)
    }
}

/// Reports a key that the table does not have, and gives back the one that was meant, if one is close.
fn unknown(key: &Text, table: &'static Table, problems: &mut Problems) -> Option<&'static str> {
    let message = format!("{} has no key {}", table.one(), quote(&key.value));
    let known = format!("known here: {}", table.names().collect::<Vec<_>>().join(" "));
    let meant = did_you_mean(&key.value, table.names());
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`? {known}"),
        None => known,
    };
    problems.push(Problem::error(Code::UnknownKey, key.place, message).hint(hint));
    meant
}

/// A name that a shape allows, as the table writes it.
fn word_of(shape: &'static Shape, name: &str) -> Option<&'static str> {
    match shape {
        Shape::OneOf(words) => words.iter().map(|word| word.name).find(|word| *word == name),
        Shape::Either(shapes) => shapes.iter().find_map(|shape| word_of(shape, name)),
        _ => None,
    }
}

/// The table of the object a shape allows.
fn object_table(shape: &'static Shape) -> Option<&'static Table> {
    match shape {
        Shape::Object(table) => Some(table),
        Shape::Either(shapes) => shapes.iter().find_map(object_table),
        _ => None,
    }
}

/// Checks a value against a shape; false, and said so, if it does not fit. `what` is the key for use in messages.
/// Objects with fixed keys are only checked to be objects.
pub fn check(node: &Node, shape: &Shape, what: &str, problems: &mut Problems) -> bool {
    // Nearly everything fits, so nothing is put into words before that is known not to be so.
    let fits = fits(node, shape);
    if !fits {
        report(node, shape, what, problems);
    }
    fits
}

/// Whether a value fits a shape.
fn fits(node: &Node, shape: &Shape) -> bool {
    match (shape, &node.kind) {
        (Shape::Any, _)
        | (Shape::Text, Kind::Text(_))
        | (Shape::Expression, Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null)
        | (Shape::Flag, Kind::Bool(_))
        | (Shape::Object(_), Kind::Object(_)) => true,
        (Shape::Name(_), Kind::Text(text)) => !text.value.trim().is_empty(),
        (Shape::Integer { low, high }, Kind::Number(number)) => {
            quantity::integer(number).is_ok_and(|value| (*low..=*high).contains(&value))
        }
        (Shape::OneOf(words), Kind::Text(text)) => words.iter().any(|word| word.name == text.value),
        (Shape::List(inner), Kind::List(elements)) | (Shape::OneOrMany(inner), Kind::List(elements)) => {
            elements.iter().all(|element| fits(element, inner))
        }
        (Shape::OneOrMany(inner), _) => fits(node, inner),
        (Shape::Map(_, inner), Kind::Object(entries)) => {
            entries.iter().all(|entry| fits(&entry.value, inner))
        }
        (Shape::Either(shapes), _) => shapes.iter().any(|shape| fits(node, shape)),
        (_, Kind::Text(text)) => matches!(quantity_error(shape, &text.value), Some(Ok(()))),
        _ => false,
    }
}

/// Says why a value does not fit a shape.
#[cold]
fn report(node: &Node, shape: &Shape, what: &str, problems: &mut Problems) {
    let problem = match (shape, &node.kind) {
        (Shape::Any, _)
        | (Shape::Text, Kind::Text(_))
        | (Shape::Expression, Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null)
        | (Shape::Flag, Kind::Bool(_))
        | (Shape::Object(_), Kind::Object(_)) => None,
        (Shape::Name(_), Kind::Text(text)) => text.value.trim().is_empty().then(|| {
            Problem::error(
                Code::WrongKind,
                node.place,
                format!("{what} must be {}, not an empty text", shape.expected()),
            )
        }),
        (Shape::Integer { low, high }, Kind::Number(number)) => integer(node, number, *low..=*high, what),
        (Shape::OneOf(words), Kind::Text(text)) => {
            let names = || words.iter().map(|word| word.name);
            Some(unknown_name(text, &names().collect::<Vec<_>>(), what))
        }
        (Shape::List(inner), Kind::List(elements)) | (Shape::OneOrMany(inner), Kind::List(elements)) => {
            let what = format!("each of {what}");
            for element in elements.iter().filter(|element| !fits(element, inner)) {
                report(element, inner, &what, problems);
            }
            return;
        }
        (Shape::OneOrMany(inner), _) => return report(node, inner, what, problems),
        (Shape::Map(_, inner), Kind::Object(entries)) => {
            for entry in entries.iter().filter(|entry| !fits(&entry.value, inner)) {
                report(&entry.value, inner, &quote(&entry.key.value), problems);
            }
            return;
        }
        (Shape::Either(shapes), _) => return either(node, shapes, what, problems),
        (_, Kind::Text(text)) => match quantity_error(shape, &text.value) {
            Some(Ok(())) => None,
            Some(Err(wrong)) => {
                let message = format!("{what}: {}", wrong.message);
                Some(Problem::error(wrong.code, text.place_in(wrong.range), message).maybe_hint(wrong.hint))
            }
            None => Some(wrong_kind(node, shape, what)),
        },
        _ => Some(wrong_kind(node, shape, what)),
    };
    problem.into_iter().for_each(|problem| problems.push(problem));
}

/// Reads a text as the quantity that the shape asks for; `None` if it asks for something else.
fn quantity_error(shape: &Shape, text: &str) -> Option<Result<(), Wrong>> {
    Some(match shape {
        Shape::Time => quantity::time(text).map(drop),
        Shape::FixedTime => quantity::fixed_time(text).map(drop),
        Shape::TimeOrEver => quantity::fixed_or_ever(text).map(drop),
        Shape::SignedTime => quantity::signed_time(text).map(drop),
        Shape::Span => quantity::span(text).map(drop),
        Shape::Share => quantity::share(text).map(drop),
        Shape::SignedShare => quantity::signed_share(text).map(drop),
        _ => return None,
    })
}

fn integer(node: &Node, number: &str, bounds: std::ops::RangeInclusive<i64>, what: &str) -> Option<Problem> {
    match quantity::integer(number) {
        Err(wrong) => {
            let message = format!("{what}: {}", wrong.message);
            Some(Problem::error(wrong.code, node.place, message).maybe_hint(wrong.hint))
        }
        Ok(value) if bounds.contains(&value) => None,
        Ok(_) => {
            let range = match (*bounds.start(), *bounds.end()) {
                (low, i64::MAX) => format!("at least {low}"),
                (low, high) => format!("between {low} and {high}"),
            };
            Some(Problem::error(Code::Integer, node.place, format!("{what} must be {range}, not {number}")))
        }
    }
}

fn unknown_name(text: &Text, names: &[&str], what: &str) -> Problem {
    let message = format!("{} is not a possible {what}", quote(&text.value));
    let known = format!("one of {}", enumerate(names.iter().copied(), "or"));
    let hint = match did_you_mean(&text.value, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`? {known}"),
        None => known,
    };
    Problem::error(Code::UnknownName, text.place, message).hint(hint)
}

fn wrong_kind(node: &Node, shape: &Shape, what: &str) -> Problem {
    let message = format!("{what} must be {}, not {}", shape.expected(), node.kind_name());
    let problem = Problem::error(Code::WrongKind, node.head(), message);
    let times = matches!(shape, Shape::Time | Shape::FixedTime | Shape::TimeOrEver | Shape::SignedTime);
    match (shape, &node.kind) {
        (_, Kind::Number(number)) if times => {
            problem.hint(format!("write {}", quote(&format!("\"{number}ms\""))))
        }
        (Shape::Share | Shape::SignedShare, Kind::Number(number)) => {
            problem.hint(format!("write {}", quote(&format!("\"{number}%\""))))
        }
        (Shape::Integer { .. }, Kind::Text(text)) if quantity::integer(&text.value).is_ok() => {
            problem.hint(format!("without quotes: {}", quote(&text.value)))
        }
        (Shape::Flag, Kind::Text(text)) if matches!(text.value.as_str(), "true" | "false") => {
            problem.hint(format!("without quotes: {}", quote(&text.value)))
        }
        (Shape::Text | Shape::Name(_), Kind::Number(number)) => {
            problem.hint(format!("in quotes: {}", quote(&format!("\"{number}\""))))
        }
        (Shape::List(_), _) => problem.hint("in square brackets: `[ … ]`"),
        _ => problem,
    }
}

/// Says why a value fits none of several shapes: the first that is at least of the right kind explains it.
fn either(node: &Node, shapes: &[Shape], what: &str, problems: &mut Problems) {
    let mut near: Option<Problems> = None;
    for shape in shapes {
        let mut attempt = Problems::new();
        report(node, shape, what, &mut attempt);
        let kind_fits =
            !attempt.iter().any(|problem| problem.code == Code::WrongKind && problem.place == node.head());
        if kind_fits && near.is_none() {
            near = Some(attempt);
        }
    }
    match near {
        Some(attempt) => problems.extend(attempt),
        None => {
            let all: Vec<String> = shapes.iter().map(Shape::expected).collect();
            let message = format!("{what} must be {}, not {}", all.join(", or "), node.kind_name());
            problems.push(Problem::error(Code::WrongKind, node.head(), message));
        }
    }
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;

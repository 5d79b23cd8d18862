//! A JSON value without places: what a [`Draft`](super::draft::Draft) is made of.
//!
//! Members keep their order and numbers the digits they were written with, so that a value written out and read again
//! is the same scenario. It is for editing and writing; reading goes through the tree that knows its places.

use std::fmt::{self, Write as _};

use super::source::Place;
use super::tree::{Entry, Kind, Node, Text};

/// Columns of a line when a value is written, at most, unless a single text is longer.
const WIDTH: usize = 100;

/// Objects and lists within each other on one line, at most.
const DEEPEST_LINE: usize = 4;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exactly as it is to be written. What is no number here is an error when the value is read.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Object),
}

/// The members of an object in their order, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    members: Vec<(String, Json)>,
}

impl Object {
    /// No members.
    #[must_use]
    pub fn new() -> Object {
        Object::default()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.members.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        self.members.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Sets the value of a key: in its place if it is there, at the end otherwise. Gives back what was there.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Json>) -> Option<Json> {
        let (key, value) = (key.into(), value.into());
        if let Some(known) = self.get_mut(&key) {
            return Some(std::mem::replace(known, value));
        }
        self.members.push((key, value));
        None
    }

    /// The same with a key set, to build objects in one expression.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Json>) -> Object {
        self.set(key, value);
        self
    }

    /// Takes a member out.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let at = self.members.iter().position(|(known, _)| known == key)?;
        Some(self.members.remove(at).1)
    }

    /// The members in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.members.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(key, _)| key.as_str())
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl Json {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// The elements, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Json]> {
        if let Json::List(elements) = self { Some(elements) } else { None }
    }

    /// The members, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Json::Object(object) = self { Some(object) } else { None }
    }

    /// The members, if it is an object, to change them.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Json::Object(object) = self { Some(object) } else { None }
    }

    /// The value at a JSON pointer (RFC 6901): `/weather/faults/0`; the empty pointer is the value itself. In a key,
    /// `~1` stands for `/` and `~0` for `~`.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<&Json> {
        keys(pointer)?.try_fold(self, |value, key| match value {
            Json::Object(object) => object.get(&key),
            Json::List(elements) => elements.get(index(&key)?),
            _ => None,
        })
    }

    /// The value at a JSON pointer, to change it. See [`Json::get`].
    pub fn get_mut(&mut self, pointer: &str) -> Option<&mut Json> {
        keys(pointer)?.try_fold(self, |value, key| match value {
            Json::Object(object) => object.get_mut(&key),
            Json::List(elements) => elements.get_mut(index(&key)?),
            _ => None,
        })
    }

    /// Sets the value at a JSON pointer and gives back what was there. Objects on the way are made if need be; in a list,
    /// `-` or the number after the last adds an element. `None`, and nothing changed, also where that cannot be: below
    /// a text, or beyond the end of a list.
    pub fn set(&mut self, pointer: &str, value: impl Into<Json>) -> Option<Json> {
        if !self.can_set(pointer) {
            return None;
        }
        let mut here = self;
        for key in keys(pointer)? {
            here = match here {
                Json::List(elements) => {
                    let at = if key == "-" { elements.len() } else { index(&key)? };
                    if at == elements.len() {
                        elements.push(Json::Object(Object::new()));
                    }
                    elements.get_mut(at)?
                }
                Json::Object(object) => {
                    if object.get(&key).is_none() {
                        object.set(key.clone(), Object::new());
                    }
                    object.get_mut(&key)?
                }
                _ => return None,
            };
        }
        Some(std::mem::replace(here, value.into()))
    }

    fn can_set(&self, pointer: &str) -> bool {
        let Some(mut keys) = keys(pointer) else { return false };
        let mut here = self;
        while let Some(key) = keys.next() {
            let next = match here {
                Json::Object(object) => object.get(&key),
                Json::List(elements) => match index(&key) {
                    Some(at) if at > elements.len() => return false,
                    None if key != "-" => return false,
                    at => at.and_then(|at| elements.get(at)),
                },
                _ => return false,
            };
            // From here on, everything is made anew.
            let Some(next) = next else { return !keys.any(|key| key == "-") };
            here = next;
        }
        true
    }

    /// Takes the value at a JSON pointer out of its object or list.
    pub fn remove(&mut self, pointer: &str) -> Option<Json> {
        let (parent, _) = pointer.rsplit_once('/')?;
        let key = keys(pointer)?.last()?;
        match self.get_mut(parent)? {
            Json::Object(object) => object.remove(&key),
            Json::List(elements) => {
                let at = index(&key).filter(|at| *at < elements.len())?;
                Some(elements.remove(at))
            }
            _ => None,
        }
    }

    /// The value as text over several lines: two blanks for each level, and on one line what fits.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.lay_out(&mut out, 0, 0, true);
        out.push('\n');
        out
    }

    /// Writes the value; the line so far holds `column` characters, and the line's indent is `indent`.
    fn lay_out(&self, out: &mut String, indent: usize, column: usize, outermost: bool) {
        if !outermost && self.depth() <= DEEPEST_LINE {
            let line = self.to_string();
            if column + line.chars().count() <= WIDTH {
                out.push_str(&line);
                return;
            }
        }
        let inner = indent + 2;
        match self {
            Json::Object(object) if !object.is_empty() => {
                out.push('{');
                for (n, (key, value)) in object.iter().enumerate() {
                    let key = quoted(key);
                    let _ = write!(out, "{}\n{:inner$}{key}: ", if n > 0 { "," } else { "" }, "");
                    value.lay_out(out, inner, inner + key.chars().count() + 3, false);
                }
                let _ = write!(out, "\n{:indent$}}}", "");
            }
            Json::List(elements) if !elements.is_empty() => {
                out.push('[');
                for (n, value) in elements.iter().enumerate() {
                    let _ = write!(out, "{}\n{:inner$}", if n > 0 { "," } else { "" }, "");
                    value.lay_out(out, inner, inner + 1, false);
                }
                let _ = write!(out, "\n{:indent$}]", "");
            }
            other => {
                let _ = write!(out, "{other}");
            }
        }
    }

    /// How many objects and lists lie within each other.
    fn depth(&self) -> usize {
        match self {
            Json::List(elements) => 1 + elements.iter().map(Json::depth).max().unwrap_or(0),
            Json::Object(object) => 1 + object.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// The value of a tree, its places forgotten.
    pub(super) fn of(node: &Node) -> Json {
        match &node.kind {
            Kind::Null => Json::Null,
            Kind::Bool(value) => Json::Bool(*value),
            Kind::Number(number) => Json::Number(number.owned()),
            Kind::Text(text) => Json::Text(text.value.owned()),
            Kind::List(nodes) => Json::List(nodes.iter().map(Json::of).collect()),
            Kind::Object(entries) => {
                let members =
                    entries.iter().map(|entry| (entry.key.value.owned(), Json::of(&entry.value))).collect();
                Json::Object(Object { members })
            }
        }
    }

    /// The value as a tree whose places mean nothing.
    pub(super) fn node(&self) -> Node {
        let place = Place::new(0, 0, 0);
        let text = |value: &str| Text::new(place, value, Vec::new());
        let kind = match self {
            Json::Null => Kind::Null,
            Json::Bool(value) => Kind::Bool(*value),
            Json::Number(number) => Kind::Number(number.as_str().into()),
            Json::Text(value) => Kind::Text(text(value)),
            Json::List(elements) => Kind::List(elements.iter().map(Json::node).collect()),
            Json::Object(object) => Kind::Object(
                object.iter().map(|(key, value)| Entry { key: text(key), value: value.node() }).collect(),
            ),
        };
        Node { place, kind }
    }
}

/// The keys of a JSON pointer; `None` if it is none.
fn keys(pointer: &str) -> Option<impl Iterator<Item = String>> {
    let rest = if pointer.is_empty() { None } else { Some(pointer.strip_prefix('/')?) };
    Some(
        rest.into_iter()
            .flat_map(|rest| rest.split('/'))
            .map(|key| key.replace("~1", "/").replace("~0", "~")),
    )
}

/// The number of an element: digits only, without leading zeros, as the RFC has it.
fn index(key: &str) -> Option<usize> {
    let plain = key.bytes().all(|byte| byte.is_ascii_digit()) && (key.len() == 1 || !key.starts_with('0'));
    key.parse().ok().filter(|_| plain)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// On one line, with blanks as in the shipped files: `{ "use": "occ", "tries": 3 }`.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(number) => f.write_str(number),
            Json::Text(text) => f.write_str(&quoted(text)),
            Json::List(elements) => {
                // Around objects there are blanks, around plain values there are none.
                let blank = if elements.iter().any(|one| one.depth() > 0) { " " } else { "" };
                write!(f, "[{blank}")?;
                for (n, value) in elements.iter().enumerate() {
                    write!(f, "{}{value}", if n > 0 { ", " } else { "" })?;
                }
                write!(f, "{blank}]")
            }
            Json::Object(object) if object.is_empty() => f.write_str("{}"),
            Json::Object(object) => {
                for (n, (key, value)) in object.iter().enumerate() {
                    write!(f, "{} {}: {value}", if n > 0 { "," } else { "{" }, quoted(key))?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Json {
        Json::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::Text(value)
    }
}

impl From<Object> for Json {
    fn from(value: Object) -> Json {
        Json::Object(value)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Json {
        Json::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json>, const N: usize> From<[T; N]> for Json {
    fn from(values: [T; N]) -> Json {
        Json::List(values.into_iter().map(Into::into).collect())
    }
}

/// Nothing is `null`.
impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Null, Into::into)
    }
}

macro_rules! from_integers {
    ($($ty:ty)*) => { $(
        impl From<$ty> for Json {
            fn from(value: $ty) -> Json {
                Json::Number(value.to_string())
            }
        }
    )* };
}

from_integers!(i32 i64 u32 u64 usize);

impl<K: Into<String>, V: Into<Json>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Object {
        let mut object = Object::new();
        for (key, value) in members {
            object.set(key, value);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Json {
        let first = Object::new().with("lose", "reply a.b").with("nth", 1);
        Object::new().with("weather", Object::new().with("faults", [first])).with("a/b", true).into()
    }

    #[test]
    fn a_pointer_leads_through_objects_and_lists() {
        let json = faults();
        assert_eq!(json.get("/weather/faults/0/nth"), Some(&Json::Number("1".into())));
        assert_eq!(json.get("/a~1b"), Some(&Json::Bool(true)));
        assert_eq!(json.get(""), Some(&json));
        for nowhere in ["weather", "/weather/faults/1", "/weather/faults/00", "/weather/faults/0/nth/x"] {
            assert_eq!(json.get(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn setting_makes_what_is_missing_on_the_way_and_changes_nothing_where_it_cannot() {
        let mut json = faults();
        assert_eq!(json.set("/weather/faults/0/nth", 2), Some(Json::Number("1".into())));
        json.set("/weather/faults/-", Object::new().with("crash", "a"));
        json.set("/strategies/s/write", "occ");
        assert_eq!(json.get("/weather/faults/1/crash").and_then(Json::as_text), Some("a"));
        assert_eq!(json.get("/strategies/s/write").and_then(Json::as_text), Some("occ"));
        let before = json.clone();
        for nowhere in ["/a~1b/c/d", "/weather/faults/3/x", "/weather/faults/x/y", "/new/-/x", "none"] {
            assert_eq!(json.set(nowhere, 1), None, "{nowhere}");
            assert_eq!(json, before, "{nowhere}");
        }
    }

    #[test]
    fn removing_takes_members_and_elements_out() {
        let mut json = faults();
        assert!(json.remove("/weather/faults/1").is_none());
        assert!(json.remove("/weather/faults/0").is_some());
        assert!(json.remove("/a~1b").is_some());
        assert_eq!(json.to_string(), r#"{ "weather": { "faults": [] } }"#);
    }

    #[test]
    fn what_fits_stands_on_one_line() {
        let long: Vec<String> = (0..12).map(|n| format!("an element, {n}")).collect();
        let json: Json = Object::new().with("a", [1, 2]).with("b", long).into();
        let text = json.pretty();
        assert_eq!(
            text.lines().take(4).collect::<Vec<_>>(),
            ["{", "  \"a\": [1, 2],", "  \"b\": [", "    \"an element, 0\","]
        );
        assert!(text.ends_with("    \"an element, 11\"\n  ]\n}\n"), "{text}");
    }
}

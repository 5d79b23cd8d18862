//! What all handles of one builder share: the document that grows, and what was found wrong while it grew.

use std::cell::RefCell;
use std::rc::Rc;

use crate::scenario::json::{Json, Object};

/// The document of a builder, shared by its handles.
#[derive(Clone, Debug)]
pub(super) struct Doc(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    json: Json,
    problems: Vec<String>,
}

/// A key as it stands in a JSON pointer.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl Doc {
    pub(super) fn new() -> Doc {
        Doc(Rc::new(RefCell::new(Inner { json: Object::new().into(), problems: Vec::new() })))
    }

    /// Whether both belong to the same builder.
    pub(super) fn is(&self, other: &Doc) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn json(&self) -> Json {
        self.0.borrow().json.clone()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.0.borrow().problems.clone()
    }

    /// Notes something wrong; each message once.
    pub(super) fn problem(&self, message: String) {
        let mut inner = self.0.borrow_mut();
        if !inner.problems.contains(&message) {
            inner.problems.push(message);
        }
    }

    /// Looks at the value at a pointer.
    pub(super) fn look<T>(&self, pointer: &str, at: impl FnOnce(Option<&Json>) -> T) -> T {
        at(self.0.borrow().json.get(pointer))
    }

    pub(super) fn has(&self, pointer: &str) -> bool {
        self.look(pointer, |known| known.is_some())
    }

    /// Sets a value, in the place of what was said before.
    pub(super) fn set(&self, pointer: &str, value: impl Into<Json>) {
        self.0.borrow_mut().json.set(pointer, value);
    }

    /// Makes sure that there is an object.
    pub(super) fn object(&self, pointer: &str) {
        if !self.has(pointer) {
            self.set(pointer, Object::new());
        }
    }

    /// Declares a member of the object at a pointer; that it is there already is a problem. Gives its pointer.
    pub(super) fn declare(&self, holder: &str, key: &str, value: impl Into<Json>, what: &str) -> String {
        let pointer = format!("{holder}/{}", escaped(key));
        if self.has(&pointer) {
            self.problem(format!("{what} `{key}` is there twice"));
        } else {
            self.set(&pointer, value);
        }
        pointer
    }

    /// Adds an element to the list at a pointer, which is made if need be. Gives the element's pointer.
    pub(super) fn push(&self, list: &str, value: impl Into<Json>) -> String {
        let mut inner = self.0.borrow_mut();
        if inner.json.get(list).is_none() {
            inner.json.set(list, Json::List(Vec::new()));
        }
        let n = inner.json.get(list).and_then(Json::as_list).map_or(0, <[Json]>::len);
        inner.json.set(&format!("{list}/{n}"), value);
        format!("{list}/{n}")
    }

    /// Adds a text to what may be one text or a list of them.
    pub(super) fn push_one_or_many(&self, pointer: &str, value: impl Into<Json>) {
        let before = self.0.borrow().json.get(pointer).cloned();
        match before {
            None => self.set(pointer, value),
            Some(Json::List(_)) => {
                self.push(pointer, value);
            }
            Some(one) => self.set(pointer, vec![one, value.into()]),
        }
    }
}

//! Operations: local transactions with their phases, further rounds of them, and what is done on refusal.

use super::doc::Doc;
use super::expr::{self, Expr, FieldName, TableRef, Tree};
use super::quantity::Time;
use super::render::Here;
use super::what::{Service, Topic};
use crate::model::service::By;
use crate::scenario::json::{Json, Object};

/// An operation: one local transaction on one service. Its phases happen in the order of the language – names, skip,
/// requirements, think, writes, events, reply – in whatever order they are said.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(super) here: Here,
    /// `service.operation`
    pub(super) whole: String,
    at: String,
}

/// A further round of the phases of an operation, in the same transaction.
#[derive(Clone, Debug)]
pub struct Part {
    here: Here,
    at: String,
}

/// What an operation does, in the same transaction, when a requirement refuses.
#[derive(Clone, Debug)]
pub struct Otherwise {
    here: Here,
    at: String,
}

/// The fields of a row to be written, or of an event, one after the other.
#[derive(Clone, Debug)]
pub struct Values {
    here: Here,
    at: String,
    /// The table of the row.
    table: Option<TableRef>,
}

impl Values {
    /// The value of a field.
    pub fn with(&self, field: impl FieldName, value: impl Into<Expr>) -> &Values {
        let (name, table) = field.field_name();
        if let (Some(own), Some(table)) = (&self.table, table.map(|table| table.reference())) {
            self.here.same_table(own, &table, &name);
        }
        let value = self.here.json(&value.into());
        self.here.doc.declare(&self.at, &name, value, "in one row or event, the field");
        self
    }
}

/// What is written by an address: `set`, `put`, `insert`, and events by their topic.
fn declare(here: &Here, at: &str, phase: &str, key: &str, value: Json) -> String {
    let holder = format!("{at}/{phase}");
    here.doc.object(&holder);
    let what = match phase {
        "let" => "the name",
        "require" => "the reason",
        "publish" => "the event",
        "reply" => "the field",
        "set" => "the field",
        _ => "the row",
    };
    here.doc.declare(&holder, key, value, &format!("in `{phase}` of {}, {what}", here.part))
}

fn address(here: &Here, row: &Expr) -> String {
    if !matches!(&*row.0, Tree::Row(..) | Tree::Fresh(_) | Tree::Raw(_)) {
        here.doc.problem(format!("{}: `{}` is no row to be written", here.part, here.text(row)));
    }
    here.text(row)
}

macro_rules! effects {
    ($ty:ident) => {
        impl $ty {
            /// Changes a field of an existing row, `table.at(key).field(&field)`. Refused if there is no such row.
            pub fn set(&self, field: impl Into<Expr>, value: impl Into<Expr>) -> &Self {
                let (field, value) = (self.here.text(&field.into()), self.here.json(&value.into()));
                declare(&self.here, &self.at, "set", &field, value);
                self
            }

            /// Changes a row, `table.at(key)`, or creates it; fields that are not named stay.
            pub fn put(&self, row: impl Into<Expr>) -> Values {
                let row = row.into();
                let key = address(&self.here, &row);
                let at = declare(&self.here, &self.at, "put", &key, Object::new().into());
                Values { here: self.here.clone(), at, table: row.row_of().cloned() }
            }

            /// As [`put`](Self::put), with all fields of a row or a map.
            pub fn put_all(&self, row: impl Into<Expr>, value: impl Into<Expr>) -> &Self {
                let key = address(&self.here, &row.into());
                declare(&self.here, &self.at, "put", &key, self.here.json(&value.into()));
                self
            }

            /// Creates a row, `table.at(key)` or `table.fresh()`. Refused if there is one.
            pub fn insert(&self, row: impl Into<Expr>) -> Values {
                let row = row.into();
                let key = address(&self.here, &row);
                let at = declare(&self.here, &self.at, "insert", &key, Object::new().into());
                Values { here: self.here.clone(), at, table: row.row_of().cloned() }
            }

            /// As [`insert`](Self::insert), with all fields of a row or a map.
            pub fn insert_all(&self, row: impl Into<Expr>, value: impl Into<Expr>) -> &Self {
                let key = address(&self.here, &row.into());
                declare(&self.here, &self.at, "insert", &key, self.here.json(&value.into()));
                self
            }

            /// Removes a row, `table.at(key)`, or all that `table.rows().filter(…)` gives; nothing there is no error.
            pub fn delete(&self, rows: impl Into<Expr>) -> &Self {
                let text = self.here.text(&rows.into());
                self.here.doc.push_one_or_many(&format!("{}/delete", self.at), text);
                self
            }

            /// An event, its fields one after the other.
            pub fn publish(&self, topic: &Topic) -> Values {
                self.here.checked(&topic.doc, "the topic", &topic.name);
                let at = declare(&self.here, &self.at, "publish", &topic.name, Object::new().into());
                Values { here: self.here.clone(), at, table: None }
            }

            /// An event with all fields of a row or a map.
            pub fn publish_all(&self, topic: &Topic, value: impl Into<Expr>) -> &Self {
                self.here.checked(&topic.doc, "the topic", &topic.name);
                declare(&self.here, &self.at, "publish", &topic.name, self.here.json(&value.into()));
                self
            }
        }
    };
}

macro_rules! phases {
    ($ty:ident) => {
        effects!($ty);

        impl $ty {
            /// A name for a value, in the order in which they are said; each may use the ones before it.
            pub fn define(&self, name: &str, value: impl Into<Expr>) -> Expr {
                let value = self.here.json(&value.into());
                declare(&self.here, &self.at, "let", name, value);
                expr::local(&self.here.doc, &self.here.part, name)
            }

            /// True: it is done, without effect.
            pub fn skip(&self, test: impl Into<Expr>) -> &Self {
                let text = self.here.json(&test.into());
                self.here.doc.set(&format!("{}/skip", self.at), text);
                self
            }

            /// What must be true, with the reason of the refusal if it is not; the first that is false refuses, definitely.
            pub fn require(&self, reason: &str, test: impl Into<Expr>) -> &Self {
                declare(&self.here, &self.at, "require", reason, self.here.json(&test.into()));
                self
            }

            /// What must be true, without a reason of its own. It stands alone.
            pub fn require_that(&self, test: impl Into<Expr>) -> &Self {
                let at = format!("{}/require", self.at);
                if self.here.doc.has(&at) {
                    self.here
                        .doc
                        .problem(format!("{}: a requirement without a reason stands alone", self.here.part));
                }
                self.here.doc.set(&at, self.here.json(&test.into()));
                self
            }

            /// How long it thinks between reading and writing.
            pub fn think(&self, time: impl Into<Time>) -> &Self {
                self.here.doc.set(&format!("{}/think", self.at), time.into());
                self
            }

            /// How long it thinks, computed.
            pub fn think_for(&self, time: impl Into<Expr>) -> &Self {
                self.here.doc.set(&format!("{}/think", self.at), self.here.json(&time.into()));
                self
            }
        }
    };
}

phases!(Operation);
phases!(Part);
effects!(Otherwise);

impl Operation {
    pub(super) fn new(service: &Service, name: &str) -> Operation {
        let holder = format!("{}/operations", service.at);
        service.doc.object(&holder);
        let at = service.doc.declare(&holder, name, Object::new(), "the operation");
        let whole = format!("{}.{name}", service.name);
        let here =
            Here { doc: service.doc.clone(), service: Some(service.name.clone()), part: whole.clone() };
        Operation { here, whole, at }
    }

    fn set_key(&self, key: &str, value: impl Into<Json>) -> &Operation {
        self.here.doc.set(&format!("{}/{key}", self.at), value);
        self
    }

    /// Who runs it: the service itself, or the caller, who fetches what it reads and sends the result back.
    pub fn by(&self, by: By) -> &Operation {
        self.set_key("by", if by == By::Caller { "caller" } else { "owner" })
    }

    /// The topic whose events run it. Its arguments are their fields.
    pub fn on(&self, topic: &Topic) -> &Operation {
        self.here.checked(&topic.doc, "the topic", &topic.name);
        self.set_key("on", topic.name.as_str())
    }

    /// An argument, in order.
    pub fn arg(&self, name: &str) -> Expr {
        argument(&self.here, &self.at, name)
    }

    /// A further round of phases in the same transaction.
    pub fn then(&self) -> Part {
        let at = self.here.doc.push(&format!("{}/then", self.at), Object::new());
        Part { here: self.here.clone(), at }
    }

    /// What is done when a requirement refuses.
    pub fn otherwise(&self) -> Otherwise {
        let at = format!("{}/otherwise", self.at);
        self.here.doc.object(&at);
        Otherwise { here: self.here.clone(), at }
    }

    /// The answer, computed from what the transaction leaves.
    pub fn reply(&self, value: impl Into<Expr>) -> &Operation {
        self.set_key("reply", self.here.json(&value.into()))
    }

    /// An answer of several fields.
    pub fn reply_with(&self, field: &str, value: impl Into<Expr>) -> &Operation {
        declare(&self.here, &self.at, "reply", field, self.here.json(&value.into()));
        self
    }

    /// A call of it, for steps and clients: a tuple of as many values as it has arguments.
    #[must_use]
    pub fn call(&self, args: impl Arguments) -> Call {
        Call { doc: self.here.doc.clone(), name: self.whole.clone(), args: args.arguments() }
    }
}

pub(super) fn argument(here: &Here, at: &str, name: &str) -> Expr {
    let list = format!("{at}/args");
    let known =
        |args: Option<&Json>| args.and_then(Json::as_list).is_some_and(|args| args.contains(&name.into()));
    if here.doc.look(&list, known) {
        here.doc.problem(format!("{} has the argument `{name}` twice", here.part));
    }
    here.doc.push(&list, name);
    expr::local(&here.doc, &here.part, name)
}

/// A call of an operation or a flow.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) doc: Doc,
    name: String,
    args: Vec<Expr>,
}

impl Call {
    pub(super) fn new(doc: &Doc, name: &str, args: impl Arguments) -> Call {
        Call { doc: doc.clone(), name: name.to_owned(), args: args.arguments() }
    }

    /// As it is written where it stands.
    pub(super) fn text(&self, here: &Here) -> String {
        here.checked(&self.doc, "the call of", &self.name);
        let args: Vec<String> = self.args.iter().map(|arg| here.text(arg)).collect();
        format!("{}({})", self.name, args.join(", "))
    }
}

/// The arguments of a call: a tuple, an array or a list of what can be an [`Expr`].
pub trait Arguments {
    /// In order.
    #[doc(hidden)]
    fn arguments(self) -> Vec<Expr>;
}

impl Arguments for () {
    fn arguments(self) -> Vec<Expr> {
        Vec::new()
    }
}

impl<T: Into<Expr>, const N: usize> Arguments for [T; N] {
    fn arguments(self) -> Vec<Expr> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<Expr>> Arguments for Vec<T> {
    fn arguments(self) -> Vec<Expr> {
        self.into_iter().map(Into::into).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => { $(
        impl<$($name: Into<Expr>),+> Arguments for ($($name,)+) {
            #[allow(non_snake_case)]
            fn arguments(self) -> Vec<Expr> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    )* };
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

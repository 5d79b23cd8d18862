//! Services, their tables and fields, and topics: handles that say more about what they stand for.

use std::fmt;
use std::ops::RangeInclusive;

use super::doc::{Doc, escaped};
use super::expr::{self, Expr, FieldName, TableRef};
use super::operation::Operation;
use super::quantity::span;
use crate::kernel::time::Span;
use crate::model::service::Route;
use crate::scenario::json::{Json, Object};

/// A service: a stateless process in one or more replicas over one database.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) doc: Doc,
    pub(super) name: String,
    pub(super) at: String,
}

impl Service {
    pub(super) fn new(doc: &Doc, name: &str) -> Service {
        doc.object("/services");
        let at = doc.declare("/services", name, Object::new(), "the service");
        Service { doc: doc.clone(), name: name.to_owned(), at }
    }

    fn set(&self, key: &str, value: impl Into<Json>) -> &Service {
        self.doc.set(&format!("{}/{key}", self.at), value);
        self
    }

    /// One sentence about it.
    pub fn about(&self, about: &str) -> &Service {
        self.set("about", about)
    }

    /// How many replicas run it; 1 if nothing is said.
    pub fn replicas(&self, replicas: u32) -> &Service {
        self.set("replicas", replicas)
    }

    /// How a request finds its replica; in turn if nothing is said.
    pub fn route(&self, route: Route) -> &Service {
        let word = match route {
            Route::RoundRobin => "round-robin",
            Route::Random => "random",
            Route::Sticky => "sticky",
        };
        self.set("route", word)
    }

    /// Not yours: no policy applies to it unless a strategy names it.
    pub fn external(&self) -> &Service {
        self.set("external", true)
    }

    /// The name of a process in Rust that answers its operations: see [`crate::own`].
    pub fn process(&self, name: &str) -> &Service {
        self.set("process", name)
    }

    /// How long one statement takes in its database; 100 µs if nothing is said.
    pub fn statement(&self, time: Span) -> &Service {
        self.set("statement", span(time))
    }

    /// A table, new.
    pub fn table(&self, name: &str) -> Table {
        let holder = format!("{}/tables", self.at);
        self.doc.object(&holder);
        let at = self.doc.declare(&holder, name, Object::new(), "the table");
        Table { doc: self.doc.clone(), service: self.name.clone(), name: name.to_owned(), at }
    }

    /// An operation, new.
    pub fn operation(&self, name: &str) -> Operation {
        Operation::new(self, name)
    }

    /// One replica of it, counted from 1, for faults and links.
    #[must_use]
    pub fn replica(&self, number: u32) -> Node {
        Node { doc: Some(self.doc.clone()), name: format!("{}#{number}", self.name) }
    }

    /// Its database, for faults and links.
    #[must_use]
    pub fn database(&self) -> Node {
        Node { doc: Some(self.doc.clone()), name: format!("{}.db", self.name) }
    }
}

/// A place in the network: a service, one replica, a database, a group of clients, or anything.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) doc: Option<Doc>,
    pub(super) name: String,
}

impl From<&Service> for Node {
    fn from(service: &Service) -> Node {
        Node { doc: Some(service.doc.clone()), name: service.name.clone() }
    }
}

/// A table: records of one kind. Every row has `id`, its key.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) doc: Doc,
    pub(super) service: String,
    pub(super) name: String,
    at: String,
}

impl Table {
    pub(super) fn reference(&self) -> TableRef {
        TableRef { doc: self.doc.clone(), service: self.service.clone(), name: self.name.clone() }
    }

    /// `service.table`
    pub(super) fn whole(&self) -> String {
        format!("{}.{}", self.service, self.name)
    }

    /// A field. It exists as soon as a row, an insert or a put gives it a value.
    #[must_use]
    pub fn field(&self, name: &str) -> Field {
        Field { table: self.clone(), name: name.to_owned() }
    }

    /// A field with a default. A table in which one field has a default knows no fields but those.
    #[must_use]
    pub fn field_or(&self, name: &str, default: impl Into<Json>) -> Field {
        let holder = format!("{}/fields", self.at);
        self.doc.object(&holder);
        self.doc.declare(&holder, name, default, &format!("in {}, the field", self.whole()));
        self.field(name)
    }

    /// A row that it starts with.
    pub fn row(&self, key: impl Key) -> RowData {
        let holder = format!("{}/rows", self.at);
        self.doc.object(&holder);
        let what = format!("in {}, the row", self.whole());
        let at = self.doc.declare(&holder, &key.key(), Object::new(), &what);
        RowData { table: self.clone(), at }
    }

    /// No two rows share a value of this field. The key is unique always.
    pub fn unique(&self, field: &Field) -> &Table {
        let name = self.own(field);
        self.doc.push(&format!("{}/unique", self.at), name);
        self
    }

    /// No two rows share the values of all these fields together.
    pub fn unique_together<'f>(&self, fields: impl IntoIterator<Item = &'f Field>) -> &Table {
        let names: Vec<String> = fields.into_iter().map(|field| self.own(field)).collect();
        self.doc.push(&format!("{}/unique", self.at), names);
        self
    }

    /// The name of a field, which must be one of this table.
    pub(super) fn own(&self, field: &Field) -> String {
        if !field.table.is(self) {
            self.doc.problem(format!(
                "`{}` is a field of {}, not of {}",
                field.name,
                field.table.whole(),
                self.whole()
            ));
        }
        field.name.clone()
    }

    fn is(&self, other: &Table) -> bool {
        self.doc.is(&other.doc) && self.service == other.service && self.name == other.name
    }

    /// The row of a key.
    #[must_use]
    pub fn at(&self, key: impl Into<Expr>) -> Expr {
        expr::row(&self.reference(), key.into())
    }

    /// A row with a fresh key, to be inserted.
    #[must_use]
    pub fn fresh(&self) -> Expr {
        expr::fresh(&self.reference())
    }

    /// The list of its rows in the order of their keys.
    #[must_use]
    pub fn rows(&self) -> Expr {
        expr::table(&self.reference())
    }

    /// Whether there is a row of that key.
    #[must_use]
    pub fn has(&self, key: impl Into<Expr>) -> Expr {
        key.into().is_in(self)
    }
}

/// The key of a row: a text, a number, or a range of numbers for as many rows.
pub trait Key {
    /// As a scenario file writes it.
    #[doc(hidden)]
    fn key(&self) -> String;
}

impl Key for &str {
    fn key(&self) -> String {
        (*self).to_owned()
    }
}

impl Key for i64 {
    fn key(&self) -> String {
        self.to_string()
    }
}

impl Key for RangeInclusive<i64> {
    fn key(&self) -> String {
        format!("{}..{}", self.start(), self.end())
    }
}

/// A field of a table.
#[derive(Clone, Debug)]
pub struct Field {
    table: Table,
    name: String,
}

impl Field {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }
}

/// A row that a table starts with.
#[derive(Clone, Debug)]
pub struct RowData {
    table: Table,
    at: String,
}

impl RowData {
    /// The value of a field: plain data, no expression.
    pub fn with(&self, field: &Field, value: impl Into<Json>) -> &RowData {
        let name = self.table.own(field);
        self.table.doc.declare(&self.at, &name, value, "in one row, the field");
        self
    }
}

/// A topic: what events are published under.
#[derive(Clone, Debug)]
pub struct Topic {
    pub(super) doc: Doc,
    pub(super) name: String,
}

impl Topic {
    pub(super) fn new(doc: &Doc, name: &str) -> Topic {
        Topic { doc: doc.clone(), name: name.to_owned() }
    }

    fn set(&self, key: &str, value: &str) -> &Topic {
        self.doc.object("/topics");
        let at = format!("/topics/{}", escaped(&self.name));
        self.doc.object(&at);
        self.doc.set(&format!("{at}/{key}"), value);
        self
    }

    /// Without a broker: one message to each subscribing service. This is so, said or not.
    pub fn direct(&self) -> &Topic {
        self.set("kind", "direct")
    }

    /// The field that names the entity, for order and sequence numbers.
    pub fn key(&self, field: impl FieldName) -> &Topic {
        self.set("key", &field.field_name().0)
    }

    /// A field of its events, in the condition of a fault.
    #[must_use]
    pub fn field(&self, name: &str) -> Expr {
        expr::local(&self.doc, &self.name, name)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole())
    }
}

//! Expressions as Rust values: rows and fields by handle, arithmetic by operators, the rest by methods.
//!
//! A value of [`Expr`] is what the text of an expression says, before it is known where it stands: a table reads
//! `stock` inside its service and `shop.stock` outside. What types fit is found out by the reader, for files and for
//! Rust alike.

use std::ops;
use std::rc::Rc;

use super::doc::Doc;
use super::what::{Field, Table};
use crate::kernel::time::Span;
use crate::model::expr::Counter;

/// An expression: what its text would say, before it is known where it stands. A table reads `stock` inside its service and
/// `shop.stock` outside. Operators do arithmetic, methods the rest; [`expr`] takes the text itself.
#[derive(Clone, Debug)]
pub struct Expr(pub(super) Rc<Tree>);

/// A table, as expressions mention it.
#[derive(Clone, Debug)]
pub(super) struct TableRef {
    pub(super) doc: Doc,
    pub(super) service: String,
    pub(super) name: String,
}

/// The variable of a pass over a list; each has its own.
#[derive(Debug)]
pub(super) struct Var {
    /// What its name begins with.
    pub(super) hint: String,
    /// The table whose rows it goes over.
    pub(super) table: Option<TableRef>,
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum Tree {
    Int(i64),
    Bool(bool),
    Null,
    Text(String),
    Span(Span),
    /// As a person wrote it.
    Raw(String),
    /// A name that is known where it stands: `now`, `count.ok`.
    Name(String),
    /// An argument, a name of `let`, a reply: known in one part of the scenario only.
    Local {
        doc: Doc,
        part: String,
        name: String,
    },
    Table(TableRef),
    Row(TableRef, Expr),
    /// `t[]`
    Fresh(TableRef),
    Var(Rc<Var>),
    Field {
        of: Expr,
        name: String,
        table: Option<TableRef>,
    },
    /// `of.name(args)`
    Method(Expr, &'static str, Vec<Expr>),
    /// `of.name(var, body)`
    Pass {
        of: Expr,
        name: &'static str,
        var: Rc<Var>,
        body: Expr,
    },
    /// `has(of)`
    Has(Expr),
    Unary(&'static str, Expr),
    Binary {
        op: &'static str,
        level: u8,
        left: Expr,
        right: Expr,
    },
    Cond(Expr, Expr, Expr),
    List(Vec<Expr>),
    Map(Vec<(String, Expr)>),
}

/// How strongly operators bind, the weakest first.
pub(super) mod level {
    pub(in super::super) const COND: u8 = 0;
    pub(in super::super) const OR: u8 = 1;
    pub(in super::super) const AND: u8 = 2;
    pub(in super::super) const RELATION: u8 = 3;
    pub(in super::super) const SUM: u8 = 4;
    pub(in super::super) const PRODUCT: u8 = 5;
    pub(in super::super) const UNARY: u8 = 6;
    pub(in super::super) const WHOLE: u8 = 7;
}

fn made(tree: Tree) -> Expr {
    Expr(Rc::new(tree))
}

fn binary(op: &'static str, level: u8, left: Expr, right: impl Into<Expr>) -> Expr {
    made(Tree::Binary { op, level, left, right: right.into() })
}

/// An expression in the words of a scenario file, for what there is no method for.
#[must_use]
pub fn expr(text: impl Into<String>) -> Expr {
    made(Tree::Raw(text.into()))
}

/// `null`: no value.
#[must_use]
pub fn null() -> Expr {
    made(Tree::Null)
}

/// The clock of the service, inside operations; in `with` of clients, the time of each attempt.
#[must_use]
pub fn now() -> Expr {
    name("now")
}

/// The number of the client in its group, from 0: in calls of clients and in conditions of faults.
#[must_use]
pub fn client() -> Expr {
    name("client")
}

/// The number of the intent of its client, from 0: in calls of clients and in conditions of faults.
#[must_use]
pub fn intent() -> Expr {
    name("intent")
}

/// What the event that runs an operation carries beside its own fields: `id`, `time`, `version`, `seq`.
#[must_use]
pub fn event_field(field: &str) -> Expr {
    name(&format!("event.{field}"))
}

/// How often something happened in a run; only in facts.
#[must_use]
pub fn count(counter: Counter) -> Expr {
    name(&format!("count.{}", counter.name()))
}

/// A list of values.
#[must_use]
pub fn list<T: Into<Expr>>(values: impl IntoIterator<Item = T>) -> Expr {
    made(Tree::List(values.into_iter().map(Into::into).collect()))
}

/// A map: each name once, with its value.
#[must_use]
pub fn map<K: Into<String>, V: Into<Expr>>(members: impl IntoIterator<Item = (K, V)>) -> Expr {
    made(Tree::Map(members.into_iter().map(|(key, value)| (key.into(), value.into())).collect()))
}

/// `yes` where `test` is true, else `no`.
#[must_use]
pub fn if_else(test: impl Into<Expr>, yes: impl Into<Expr>, no: impl Into<Expr>) -> Expr {
    made(Tree::Cond(test.into(), yes.into(), no.into()))
}

pub(super) fn name(name: &str) -> Expr {
    made(Tree::Name(name.to_owned()))
}

pub(super) fn local(doc: &Doc, part: &str, name: &str) -> Expr {
    made(Tree::Local { doc: doc.clone(), part: part.to_owned(), name: name.to_owned() })
}

pub(super) fn table(table: &TableRef) -> Expr {
    made(Tree::Table(table.clone()))
}

pub(super) fn row(table: &TableRef, key: Expr) -> Expr {
    made(Tree::Row(table.clone(), key))
}

pub(super) fn fresh(table: &TableRef) -> Expr {
    made(Tree::Fresh(table.clone()))
}

/// What names a field: a [`Field`] of a table, or a name, for the fields of replies and events.
pub trait FieldName {
    /// The name, and the table it belongs to if that is known.
    #[doc(hidden)]
    fn field_name(&self) -> (String, Option<Table>);
}

impl FieldName for &Field {
    fn field_name(&self) -> (String, Option<Table>) {
        (self.name().to_owned(), Some(self.table().clone()))
    }
}

impl FieldName for &str {
    fn field_name(&self) -> (String, Option<Table>) {
        ((*self).to_owned(), None)
    }
}

impl Expr {
    /// A field of a row, of a reply or of an element.
    #[must_use]
    pub fn field(&self, field: impl FieldName) -> Expr {
        let (name, table) = field.field_name();
        made(Tree::Field { of: self.clone(), name, table: table.map(|table| table.reference()) })
    }

    /// The key of a row.
    #[must_use]
    pub fn id(&self) -> Expr {
        self.field("id")
    }

    /// Whether they are equal.
    #[must_use]
    pub fn eq(&self, other: impl Into<Expr>) -> Expr {
        binary("==", level::RELATION, self.clone(), other)
    }

    /// Whether they differ.
    #[must_use]
    pub fn ne(&self, other: impl Into<Expr>) -> Expr {
        binary("!=", level::RELATION, self.clone(), other)
    }

    /// Whether it is less.
    #[must_use]
    pub fn lt(&self, other: impl Into<Expr>) -> Expr {
        binary("<", level::RELATION, self.clone(), other)
    }

    /// Whether it is less or equal.
    #[must_use]
    pub fn le(&self, other: impl Into<Expr>) -> Expr {
        binary("<=", level::RELATION, self.clone(), other)
    }

    /// Whether it is greater.
    #[must_use]
    pub fn gt(&self, other: impl Into<Expr>) -> Expr {
        binary(">", level::RELATION, self.clone(), other)
    }

    /// Whether it is greater or equal.
    #[must_use]
    pub fn ge(&self, other: impl Into<Expr>) -> Expr {
        binary(">=", level::RELATION, self.clone(), other)
    }

    /// Whether it is a key of a table or an element of a list.
    #[must_use]
    pub fn is_in(&self, list: impl Into<Expr>) -> Expr {
        binary("in", level::RELATION, self.clone(), list)
    }

    /// Whether both are true.
    #[must_use]
    pub fn and(&self, other: impl Into<Expr>) -> Expr {
        binary("&&", level::AND, self.clone(), other)
    }

    /// Whether one of them is true.
    #[must_use]
    pub fn or(&self, other: impl Into<Expr>) -> Expr {
        binary("||", level::OR, self.clone(), other)
    }

    /// Whether a field has a value.
    #[must_use]
    pub fn is_there(&self) -> Expr {
        made(Tree::Has(self.clone()))
    }

    /// How many elements there are.
    #[must_use]
    pub fn size(&self) -> Expr {
        self.method("size")
    }

    /// The sum of the elements, 0 of none.
    #[must_use]
    pub fn sum(&self) -> Expr {
        self.method("sum")
    }

    /// The least element; of none, it fails.
    #[must_use]
    pub fn min(&self) -> Expr {
        self.method("min")
    }

    /// The greatest element; of none, it fails.
    #[must_use]
    pub fn max(&self) -> Expr {
        self.method("max")
    }

    /// The position of the first such element, from 0; -1 if there is none.
    #[must_use]
    pub fn index_of(&self, element: impl Into<Expr>) -> Expr {
        made(Tree::Method(self.clone(), "indexOf", vec![element.into()]))
    }

    /// Whether it is true of all elements.
    #[must_use]
    pub fn all(&self, test: impl FnOnce(&Expr) -> Expr) -> Expr {
        self.pass("all", test)
    }

    /// Whether it is true of some element.
    #[must_use]
    pub fn exists(&self, test: impl FnOnce(&Expr) -> Expr) -> Expr {
        self.pass("exists", test)
    }

    /// Whether it is true of exactly one element.
    #[must_use]
    pub fn exists_one(&self, test: impl FnOnce(&Expr) -> Expr) -> Expr {
        self.pass("exists_one", test)
    }

    /// The elements of which it is true.
    #[must_use]
    pub fn filter(&self, test: impl FnOnce(&Expr) -> Expr) -> Expr {
        self.pass("filter", test)
    }

    /// What is made of each element.
    #[must_use]
    pub fn map(&self, make: impl FnOnce(&Expr) -> Expr) -> Expr {
        self.pass("map", make)
    }

    fn method(&self, name: &'static str) -> Expr {
        made(Tree::Method(self.clone(), name, Vec::new()))
    }

    fn pass(&self, name: &'static str, body: impl FnOnce(&Expr) -> Expr) -> Expr {
        let table = self.rows_of().cloned();
        let first = table.as_ref().and_then(|table| table.name.chars().find(char::is_ascii_alphabetic));
        let hint = first.unwrap_or('x').to_ascii_lowercase().to_string();
        let var = Rc::new(Var { hint, table });
        let body = body(&made(Tree::Var(var.clone())));
        made(Tree::Pass { of: self.clone(), name, var, body })
    }

    /// The table whose rows a list holds.
    fn rows_of(&self) -> Option<&TableRef> {
        match &*self.0 {
            Tree::Table(table) => Some(table),
            Tree::Pass { of, name: "filter", .. } => of.rows_of(),
            _ => None,
        }
    }

    /// The table that it is a row of.
    pub(super) fn row_of(&self) -> Option<&TableRef> {
        match &*self.0 {
            Tree::Row(table, _) | Tree::Fresh(table) => Some(table),
            Tree::Var(var) => var.table.as_ref(),
            _ => None,
        }
    }
}

impl From<&Expr> for Expr {
    fn from(expr: &Expr) -> Expr {
        expr.clone()
    }
}

impl From<i64> for Expr {
    fn from(value: i64) -> Expr {
        made(Tree::Int(value))
    }
}

impl From<i32> for Expr {
    fn from(value: i32) -> Expr {
        made(Tree::Int(value.into()))
    }
}

impl From<bool> for Expr {
    fn from(value: bool) -> Expr {
        made(Tree::Bool(value))
    }
}

/// The text itself, not an expression: see [`expr`] for those.
impl From<&str> for Expr {
    fn from(text: &str) -> Expr {
        made(Tree::Text(text.to_owned()))
    }
}

impl From<String> for Expr {
    fn from(text: String) -> Expr {
        made(Tree::Text(text))
    }
}

impl From<Span> for Expr {
    fn from(span: Span) -> Expr {
        made(Tree::Span(span))
    }
}

/// The list of its rows in the order of their keys; with `is_in`, its keys.
impl From<&Table> for Expr {
    fn from(of: &Table) -> Expr {
        table(&of.reference())
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:literal $level:ident;)*) => { $(
        impl<R: Into<Expr>> ops::$trait<R> for Expr {
            type Output = Expr;
            fn $method(self, right: R) -> Expr {
                binary($op, level::$level, self, right)
            }
        }

        impl<R: Into<Expr>> ops::$trait<R> for &Expr {
            type Output = Expr;
            fn $method(self, right: R) -> Expr {
                binary($op, level::$level, self.clone(), right)
            }
        }
    )* };
}

operators! {
    Add add "+" SUM;
    Sub sub "-" SUM;
    Mul mul "*" PRODUCT;
    Div div "/" PRODUCT;
    Rem rem "%" PRODUCT;
}

impl ops::Not for Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        made(Tree::Unary("!", self))
    }
}

impl ops::Not for &Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        made(Tree::Unary("!", self.clone()))
    }
}

impl ops::Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        made(Tree::Unary("-", self))
    }
}

impl ops::Neg for &Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        made(Tree::Unary("-", self.clone()))
    }
}

//! Services, their tables, and their operations: local transactions with fixed phases.
//!
//! An operation says *what* is read, demanded and written. How that meets the store is a strategy's business.

use super::expr::Expr;
use super::ids::{ColumnId, OpId, ServiceId, TableId, TopicId};
use super::own::Host;
use super::value::{Type, Word};
use crate::kernel::dist::Dist;
use crate::kernel::time::Span;

/// The most columns a table may have, its key included: three masks of them share one word of a record.
pub const MAX_COLUMNS: usize = 21;

/// A stateless process in one or more replicas over one database.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its name in the file.
    pub name: String,
    /// How many replicas run it, at least 1.
    pub replicas: u32,
    /// How a request finds its replica.
    pub route: Route,
    /// Not ours: no policy applies to it unless a strategy names it.
    pub external: bool,
    /// How long one database statement takes: the read, each write, the commit.
    pub statement: Span,
    /// Its tables.
    pub tables: Vec<TableId>,
    /// Its operations.
    pub operations: Vec<OpId>,
    /// The process that answers them, if it is no modelled service.
    pub host: Option<Host>,
}

/// How a request finds its replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// In turn, by intent and attempt.
    RoundRobin,
    /// By a draw.
    Random,
    /// A key, the first argument, stays with one replica.
    Sticky,
}

/// A table of records.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name in the file.
    pub name: String,
    /// The service that owns it.
    pub service: ServiceId,
    /// Its columns; the first is `id`, the key.
    pub columns: Vec<Column>,
    /// The rows it starts with, in the order of the file; no key stands twice.
    pub rows: Vec<Row>,
    /// Combinations of columns that no two rows share; the key always is one and is not listed.
    pub unique: Vec<Vec<ColumnId>>,
    /// The first key that `t[]` hands out.
    pub first_fresh: Word,
    /// A strategy of the user's own brought it along: what it keeps there is no effect of an operation.
    pub kept: bool,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub ty: Type,
    /// What a new row holds that does not say.
    pub default: Word,
}

/// A row that a table starts with, or several that differ only in their keys: a hundred thousand of them take no more
/// room than one until a run lays them out.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One word a column, the key first.
    pub cells: Vec<Word>,
    /// How many rows it stands for, at least 1; their keys are whole numbers, each one more than the one before.
    pub times: u32,
}

impl Row {
    /// The keys, in ascending order.
    pub fn keys(&self) -> impl Iterator<Item = Word> + use<> {
        let first = self.cells[0];
        (0..Word::from(self.times)).map(move |n| first + n)
    }
}

/// Who runs an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The service itself.
    Owner,
    /// The caller fetches what the operation reads, thinks, and sends the result back.
    Caller,
}

/// A named slot of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub ty: Type,
}

/// One local transaction on one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Its name in the file.
    pub name: String,
    /// The service that owns it.
    pub service: ServiceId,
    /// Who runs it.
    pub by: By,
    /// The topic whose events run it.
    pub on: Option<TopicId>,
    /// How many of the slots are arguments.
    pub args: u16,
    /// Arguments, then the names of every `let`, in order: the `Local`s of its expressions.
    pub slots: Vec<Slot>,
    /// The phases; all but the first come from `then`. Never empty.
    pub parts: Vec<Part>,
    /// What is done in the same transaction when a requirement refuses.
    pub otherwise: Effects,
    /// The answer, computed from what the transaction leaves.
    pub reply: Option<Expr>,
    /// A process answers it: nobody but the process knows what it does.
    pub hosted: bool,
}

impl Operation {
    /// Whether it can change a row.
    pub fn writes(&self) -> bool {
        self.hosted || self.parts.iter().any(|part| !part.effects.writes.is_empty())
    }

    /// All parts' effects and those of `otherwise`.
    pub fn all_effects(&self) -> impl Iterator<Item = &Effects> {
        self.parts.iter().map(|part| &part.effects).chain([&self.otherwise])
    }
}

/// One round of phases: names, checks, thought, writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Slot and expression, in order.
    pub lets: Vec<(u16, Expr)>,
    /// True: done, without effect.
    pub skip: Option<Expr>,
    /// The first false one refuses.
    pub require: Vec<Require>,
    /// How long the operation thinks before it writes.
    pub think: Think,
    /// What it changes and tells.
    pub effects: Effects,
}

/// A requirement and the reason given when it is false.
#[derive(Clone, Debug, PartialEq)]
pub struct Require {
    /// A text word.
    pub reason: Word,
    /// What must be true.
    pub that: Expr,
}

/// How long an operation thinks.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Think {
    /// Not at all.
    #[default]
    None,
    /// A time drawn for each execution.
    Time(Dist),
    /// A duration computed from what was read.
    Computed(Expr),
}

/// What a phase changes and tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Row writes, in the order of the file, one for each address.
    pub writes: Vec<Write>,
    /// Events, in the order of the file.
    pub publish: Vec<Publish>,
}

/// A write to the rows at one address.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The table.
    pub table: TableId,
    /// Which rows.
    pub at: Address,
    /// What is done there.
    pub verb: Verb,
    /// Columns and their new values; empty for a deletion.
    pub values: Vec<(ColumnId, Expr)>,
}

/// Which rows are written.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// `t[k]`
    Key(Expr),
    /// `t[]`: a fresh key.
    Fresh,
    /// `t.filter(r, …)`: all that match; the predicate sees the row as row variable 0.
    Matching(Expr),
}

/// What is done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Changes an existing row; a missing one refuses.
    Set,
    /// Changes the row or creates it.
    Put,
    /// Creates the row; an existing one refuses.
    Insert,
    /// Removes the row; nothing there is no error.
    Delete,
}

/// An event told to the subscribers of a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// The topic.
    pub topic: TopicId,
    /// The fields: a position in the topic's field list and a value.
    pub fields: Vec<(u16, Expr)>,
}

//! Invariants and expectations as a file states them. What they mean is in `check`.

use super::expr::Expr;
use super::ids::{ColumnId, FlowId, TableId};
use super::own::OwnWatch;

/// A named invariant.
#[derive(Clone, Debug, PartialEq)]
pub struct Invariant {
    /// Its name in the file.
    pub name: String,
    /// What it demands.
    pub kind: InvariantKind,
}

/// The kinds of invariants.
#[derive(Clone, Debug, PartialEq)]
pub enum InvariantKind {
    /// True after every commit.
    Always(Expr),
    /// True at rest.
    AtRest(Expr),
    /// True for every intent when it is settled; slots: see `check::per_intent`.
    PerIntent(Expr),
    /// The same at rest as at the start.
    Constant(Expr),
    /// At most one row a value of the column.
    AtMostOne {
        /// The table.
        table: TableId,
        /// The column.
        per: ColumnId,
    },
    /// Every row has an owner at rest; the row is row variable 0.
    NoOrphan {
        /// The table.
        table: TableId,
        /// True: it has an owner.
        owner: Expr,
        /// True: it needs none.
        unless: Option<Expr>,
    },
    /// All steps of a flow or none.
    AllOrNothing(FlowId),
    /// The rules of compensation.
    CompensationRules(FlowId),
    /// No update is overwritten by a writer that had not seen it.
    NoLostUpdate {
        /// The tables watched; empty: all.
        tables: Vec<TableId>,
        /// Not even a stale write that loses nothing.
        strict: bool,
    },
    /// No effect twice.
    NoDuplicateEffect(Vec<TableId>),
    /// What a client was told is done is still there at rest.
    AckedIsDurable(Vec<TableId>),
    /// What a client was told has failed left nothing.
    FailedHasNoEffect,
    /// What a client was told agrees with what is.
    OutcomeAgrees,
    /// Every intent ends.
    EveryIntentEnds,
    /// No lock, key in progress or reservation is left behind.
    NoLeak(Vec<TableId>),
    /// One in Rust.
    Own(OwnWatch),
}

impl InvariantKind {
    /// The word for it in a file.
    pub fn word(&self) -> &'static str {
        use InvariantKind::*;
        match self {
            Always(_) => "always",
            AtRest(_) => "at_rest",
            PerIntent(_) => "per_intent",
            Constant(_) => "constant",
            AtMostOne { .. } => "at-most-one",
            NoOrphan { .. } => "no-orphan",
            AllOrNothing(_) => "all-or-nothing",
            CompensationRules(_) => "compensation-rules",
            NoLostUpdate { .. } => "no-lost-update",
            NoDuplicateEffect(_) => "no-duplicate-effect",
            AckedIsDurable(_) => "acked-is-durable",
            FailedHasNoEffect => "failed-has-no-effect",
            OutcomeAgrees => "outcome-agrees",
            EveryIntentEnds => "every-intent-ends",
            NoLeak(_) => "no-leak",
            Own(_) => "own",
        }
    }
}

/// What a cell of the matrix can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It held, and that was earned.
    Holds,
    /// The policy cannot carry this out.
    NotApplicable,
    /// Nothing was exercised that could have broken it.
    Inconclusive,
    /// Safe, but some intent never ended.
    Stuck,
    /// It has no value in some run: an error of the scenario.
    Error,
    /// It was broken.
    Violated,
}

impl Verdict {
    /// All that a file can expect, from best to worst.
    pub const ALL: [Verdict; 5] =
        [Verdict::Holds, Verdict::NotApplicable, Verdict::Inconclusive, Verdict::Stuck, Verdict::Violated];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Violated => "violated",
            Verdict::Stuck => "stuck",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Error => "error",
            Verdict::NotApplicable => "n/a",
        }
    }
}

/// What a file expects of one strategy.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// Whoever asks wants to know of some invariants only: cells without an expectation may be anything.
    pub open: bool,
    /// A verdict for all invariants together: the worst of them.
    pub overall: Option<Verdict>,
    /// Verdicts for all invariants not named.
    pub every: Option<Verdict>,
    /// Verdicts by the index of the invariant.
    pub by_invariant: Vec<(usize, Verdict)>,
    /// True at rest in every run.
    pub facts: Vec<Fact>,
    /// True at rest in at least one run.
    pub sometimes: Vec<Fact>,
}

/// A fact: the text as written and the expression.
#[derive(Clone, Debug)]
pub struct Fact {
    /// As written.
    pub text: String,
    /// What is true.
    pub that: Expr,
}

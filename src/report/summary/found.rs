//! What is told of a strategy besides its cells: costs, and what is at fault in its scenario.

use crate::kernel::time::Span;
use crate::model::expr::Counter;
use crate::scenario::source::Place;

/// What runs cost, all together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostReport {
    /// Runs carried out.
    pub runs: u64,
    /// Runs that came to rest.
    pub rested: u64,
    /// Events of the engine.
    pub events: u64,
    /// Operations of stores.
    pub store_ops: u64,
    /// Half of the clients' answers came within this time.
    pub p50: Option<Span>,
    /// 99 of 100 did.
    pub p99: Option<Span>,
    /// Violations that every client involved took for a success.
    pub silent: u64,
    /// One for each counter, in their order.
    pub counts: Vec<u64>,
}

impl CostReport {
    /// One of the counts.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counts.get(counter as usize).copied().unwrap_or(0)
    }
}

/// An invariant that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenReport {
    /// Its name.
    pub invariant: String,
    /// The first seed in which it could not.
    pub seed: u64,
    /// Why.
    pub why: String,
    /// Where the part of it without a value is written.
    pub place: Option<Place>,
}

/// Runs that ran out of their budget of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentReport {
    /// How many.
    pub runs: u64,
    /// The smallest seed of one.
    pub first_seed: u64,
    /// The budget.
    pub events: u64,
}

/// An operation that came to nothing in all runs, because an expression of it had no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipReport {
    /// `service.operation`.
    pub operation: String,
    /// The reason that it refused with: `missing` or `error`.
    pub reason: &'static str,
    /// Why the expression had no value.
    pub why: String,
    /// The smallest seed in which it had none.
    pub first_seed: u64,
    /// Where the operation is written.
    pub place: Option<Place>,
}

/// A fault rule, or a line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// As written.
    pub text: String,
    /// It is a line of a script.
    pub line: bool,
    /// In how many runs it struck, or was asked for.
    pub runs: u64,
    /// It never struck, and it was bad luck: were it not left to chance, it would have.
    pub unlucky: bool,
    /// Where it is written.
    pub place: Option<Place>,
}

impl FaultReport {
    /// Whether it is the same rule, or line, as another of the same scenario: cases share those of the file.
    pub fn is(&self, other: &FaultReport) -> bool {
        self.text == other.text && self.line == other.line && self.place == other.place
    }
}

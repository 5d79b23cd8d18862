//! A case: its strategies, and the invariants that they are judged by.

use std::ops::Range;

use super::StrategyReport;
use crate::check::witness::needs;
use crate::model::invariant::Invariant;

/// A case of a scenario under its strategies.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseReport {
    /// The path of the file as it was given.
    pub file: String,
    /// The name of the scenario.
    pub name: String,
    /// A sentence about it.
    pub about: Option<String>,
    /// Identifies the documents of the scenario.
    pub digest: [u64; 2],
    /// The name of the case; `None`: the file as written.
    pub case: Option<String>,
    /// The seeds asked for; where the weather has one of its own, that.
    pub seeds: Range<u64>,
    /// Names and kinds of the invariants.
    pub invariants: Vec<InvariantName>,
    /// One for each strategy, in order.
    pub strategies: Vec<StrategyReport>,
}

/// An invariant by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvariantName {
    /// Its name in the file.
    pub name: String,
    /// The word for its kind.
    pub kind: &'static str,
    /// What could break it, each in a few words.
    pub needs: Vec<&'static str>,
}

impl CaseReport {
    /// Whether nothing at all can be said, though nothing is wrong: no strategy earned any cell, and none was expected to do
    /// what it did.
    pub fn says_nothing(&self) -> bool {
        self.strategies.iter().all(StrategyReport::says_nothing)
    }
}

impl InvariantName {
    /// The names of invariants.
    pub fn all(invariants: &[Invariant]) -> Vec<InvariantName> {
        let name = |one: &Invariant| InvariantName {
            name: one.name.clone(),
            kind: one.kind.word(),
            needs: needs(&one.kind).iter().map(|hazard| hazard.describe()).collect(),
        };
        invariants.iter().map(name).collect()
    }
}

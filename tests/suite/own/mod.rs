//! What users bring along in Rust: invariants, services, strategies. Each story has a twin in which the thing that it
//! tells of is taken out.

mod counter;
mod invariants;
mod links;
mod panics;
mod services;
mod strategies;

use halfway::check::Minimum;
use halfway::explore::{Prepared, Swept};
use halfway::model::invariant::Verdict;
use halfway::scenario::Scenario;

use crate::shipped::prepared;

/// One strategy of a scenario, ready to run.
fn one(scenario: &Scenario, strategy: &str) -> Prepared {
    let mut all = prepared(scenario).into_iter().map(|(_, prepared)| prepared);
    all.find(|prepared| prepared.strategy == strategy).unwrap()
}

fn verdict(prepared: &Prepared, swept: &Swept, invariant: &str) -> Verdict {
    let at = prepared.invariants.iter().position(|one| one.name == invariant).unwrap();
    swept.tally.verdict(at, &Minimum::default())
}

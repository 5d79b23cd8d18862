//! Invariants as observers of the record stream, and what they say about a run and about a cell of the matrix.
//!
//! A [`Judge`] is a [`Sink`](crate::store::Sink): it folds records into counts, hazards and findings while a run goes on,
//! and is asked for a [`RunVerdict`] when it is over. A [`CellTally`] sums those over seeds. Nothing here renders text.

mod around;
mod book;
mod counts;
mod effects;
mod ends;
mod exprs;
mod facts;
mod finding;
mod flows;
mod history;
mod judge;
mod meetings;
mod observer;
mod oldest;
mod open;
mod outcomes;
mod own;
mod pending;
pub mod per_intent;
mod rows;
mod saga;
mod sheet;
mod told;
mod verdict;
pub mod witness;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use counts::{Counts, fact, fact_in};
pub use finding::{Act, Finding, Leftovers, Party, SagaRule, Steps, Witness};
pub use judge::Judge;
pub(crate) use verdict::least;
pub use verdict::{Broken, CellTally, FINDINGS, InvariantRun, InvariantTally, Minimum, RunVerdict};

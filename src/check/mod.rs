//! Invariants as observers of the record stream, and what they say about a run and about a cell of the matrix.
//!
//! A [`Judge`] is a [`Sink`](crate::store::Sink): it folds records into counts, hazards and findings while a run goes on,
//! and is asked for a [`RunVerdict`] when it is over. A [`CellTally`] sums those over seeds. Nothing here renders text.

mod counts;
mod finding;
mod judge;
mod verdict;

pub use counts::{Counts, fact};
pub use finding::{Act, Finding, Leftovers, Party, SagaRule, Steps, Witness};
pub use judge::Judge;
pub use verdict::{Broken, CellTally, FINDINGS, InvariantRun, InvariantTally, Minimum, RunVerdict};

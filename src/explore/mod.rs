//! Many runs of one plan: prepare it, run it, judge it, pair the two.
//!
//! [`Bench`] is the one place where engine and invariants meet. [`sweep`] does it for a range of seeds on several
//! threads with a result that does not depend on how many; [`Prepared::replay`] does it for one seed with the whole
//! history kept. [`judge`] compares what came out with what a file expects.

mod conformance;
mod costs;
mod course;
mod digest;
mod expectation;
mod hush;
mod naming;
mod prepared;
mod record;
mod shrink;
mod sweep;
mod trace;
mod trim;

pub use conformance::{Conformance, Conforms, conformance, scenarios as conformance_scenarios};
pub use costs::{Costs, Histogram};
pub use course::{Course, Passing, Size};
pub use digest::HistoryDigest;
pub use expectation::{Cell, CellStatus, FactStatus, Judged, judge};
pub(crate) use hush::show_panics_once;
pub use prepared::{Bench, Prepared, Replay, Run};
pub use record::Recorded;
pub use shrink::Shrinker;
pub use sweep::{FactTally, Swept, sweep};
pub use trace::{Image, Trace};

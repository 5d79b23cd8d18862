//! What a user of the library brings along in Rust: invariants ([`Watch`]), services ([`Process`]), strategies
//! ([`Policy`]).
//!
//! They stand in a model, an invariant or a strategy like anything that a file can say, and meet the same weather and the
//! same verdicts. All of them are pure: what they may know comes in, what they want done goes out as data. No clock, no
//! thread, no global, no chance of their own; a run must stay a function of plan and seed.

mod db;
mod effect;
mod policy;
mod process;
mod watch;

pub use db::{Db, Row};
pub use effect::{Commit, Effect, Guard, Out, RowWrite, Verb};
pub use policy::{Custom, Locals, Next, OwnPolicy, OwnTable, Place, Policy, Steps, Want};
pub use process::{AnyProcess, Host, Input, OwnProcess, Process, Said, Ticket};
pub use watch::{AnyWatch, Changed, Ended, Hazard, Note, Notes, OwnWatch, Seen, Shown, Wanted, Watch};

/// What a panic said.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

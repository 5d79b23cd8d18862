//! halfway finds what your services leave behind when an operation stops halfway.

pub mod build;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod explore;
pub mod kernel;
pub mod model;
#[cfg(feature = "proptest")]
pub mod prop;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod store;
pub mod strategy;
pub mod trial;

pub use model::invariant::Verdict;
pub use model::own;
pub use scenario::{Draft, Scenario};
pub use trial::{Checked, Failed, Trial};

//! What was found, for people and for programs. Everything here is value to text: no files, no clock, no terminal.
//!
//! [`summary`] is the data. [`text`] puts a case together from [`matrix`] and [`costs`]; [`story`] and [`lanes`] tell one
//! replayed violation, [`telling`] all that belong together; [`json`], [`history`] and [`junit`] are for programs. [`look`] and [`words`] are how text is set.

mod calls;
pub mod costs;
mod doubt;
mod expression;
pub mod glossary;
pub mod history;
pub mod json;
pub mod junit;
pub mod lanes;
mod left;
pub mod look;
pub mod matrix;
mod reading;
#[cfg(test)]
mod reading_tests;
mod scene;
pub mod story;
mod study;
pub mod summary;
pub mod telling;
#[cfg(test)]
mod tests;
pub mod text;
#[cfg(test)]
mod told_tests;
pub mod trouble;
mod why;
pub mod words;

pub use look::Look;
#[cfg(feature = "cli")]
pub(crate) use scene::rule_text;
pub use summary::{CaseReport, Ending, InvariantName, Report, StrategyReport};

//! From the files a person writes to what the engine runs.
//!
//! The bottom of the reader, lowest first: [`source`] holds the texts, [`problem`] (with the table in [`code`] and
//! the printing in [`render`]) says what is wrong with them, [`parse`] turns a text into a [`tree`] of values that know
//! their places, [`patch`] lays one tree over another, [`load`] follows `extends` and `cases`, [`quantity`] reads
//! times and shares, and [`fields`] reads an object by the table of its keys ([`shape`]). On top of it, [`mod@read`] makes
//! the models, with the expressions of [`expr`]. A [`Draft`] is a scenario as a value (of [`json`]), to edit, to write out
//! and to read.

pub mod code;
mod decimal;
pub mod draft;
pub mod expr;
pub mod fields;
pub mod json;
mod lexer;
pub mod load;
mod own;
pub mod parse;
pub mod patch;
pub mod problem;
pub mod quantity;
pub mod read;
pub mod render;
pub mod shape;
pub mod source;
pub mod tree;
mod written;

pub use draft::Draft;
pub use json::Json;
pub use own::Misfit;
pub use read::{Case, Rejected, Scenario, StrategyCase, read};
pub use written::Written;

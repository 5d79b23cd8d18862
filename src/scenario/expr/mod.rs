//! From the text of an expression to the typed tree: `parse`, then `resolve` every expression of the file against one
//! set of `Types`, then `settle` the types, then `finish` each draft. All problems are reported at once, with places.

pub mod ast;
mod lexer;
mod parser;

use std::ops::Range;

pub use parser::{DEEPEST, LONGEST, parse};

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// Where, in bytes of the text. It may be empty, at the end.
    pub range: Range<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

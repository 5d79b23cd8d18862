//! From the text of an expression to the typed tree: [`parse`] each text, [`resolve`] every expression of the file
//! against one set of [`Types`], then [`Types::settle`] the types, then [`finish`] each draft. All problems are reported,
//! with places; types are inferred over the whole file, so a conflict names two of them.

mod address;
pub mod ast;
mod draft;
mod heads;
mod lexer;
mod macros;
mod parser;
mod problem;
mod resolve;
mod rules;
mod scope;
#[cfg(test)]
mod tests;
mod types;
mod unify;

pub use address::{Address, AddressDraft, TESTED_ROW, Target, finish_address, resolve_address};
pub use draft::{Draft, finish};
#[cfg(test)]
pub(in crate::scenario) use macros::{FUNCTIONS as FUNCTION_NAMES, METHODS as METHOD_NAMES};
pub use parser::{DEEPEST, LONGEST, is_field, is_name, parse};
pub use problem::{Place, Problem, SyntaxProblem};
pub use resolve::resolve;
pub use scope::{Binding, Names, Scope};
pub use types::{Scalar, Ty, Types};

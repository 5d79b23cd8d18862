//! From the text of a scenario file to the model.
pub mod expr;

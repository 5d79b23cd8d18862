//! The vocabulary that every higher part shares: values, names, and expressions over them.
pub mod expr;
pub mod heap;
pub mod ids;
pub mod symbols;
pub mod value;

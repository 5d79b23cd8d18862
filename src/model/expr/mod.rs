//! Typed expressions: the tree that plans are analysed on, and the flat code that runs.
//!
//! The surface is a subset of CEL (the common expression language of Kubernetes policies) with rows and tables in place
//! of maps. The text is read by `scenario::expr`; here names are slots, columns are numbers and every type is known.
//!
//! # How failures travel
//! As in CEL, `&&` and `||` do not care which side fails: if one side alone decides (`false && …`, `true || …`), the
//! failure of the other is forgotten, on whichever side it is. If neither decides, the left failure is reported. `all`
//! is a long `&&` and `exists` a long `||`: a failing row is forgotten if another one decides, else the first failure
//! is reported. Everything else fails with its first failing part. Running out of budget is never forgotten.
//!
//! # Differences from CEL
//! * Integers are 64 bits wide, but the smallest one stands for null; arithmetic that yields it overflows.
//! * Every type may be null. `==`, `!=` and `in` accept null; arithmetic, ordering, logic, conditions, lists and fields
//!   of null fail with [`Failure::NullOperand`].
//! * Text has no order and no length, and cannot be joined. There are no floats, unsigned numbers, bytes, regular
//!   expressions, type conversions or messages.
//! * A map literal is a record: its keys are fixed texts. There is no iteration over the fields of a record.
//! * `list + element` appends.
//! * `sum`, `min`, `max` and `indexOf` are those of Kubernetes' list library; `min` and `max` of nothing fail.
#[cfg(test)]
mod agreement;
mod arith;
mod code;
mod compile;
mod eval;
mod fold;
mod lists;
mod quick;
mod relative;
mod seek;
mod shape;
#[cfg(test)]
mod shape_agreement;
#[cfg(test)]
pub(crate) mod testing;
mod tree;
mod view;
mod visit;

pub use code::Code;
pub use eval::{BUDGET, Scratch, eval};
pub use fold::fold;
pub use relative::{Delta, relative};
pub use seek::next_candidate;
pub use shape::CellTest;
pub use tree::{
    BOUND_ROWS, BinaryOp, Called, Counter, EventField, Expr, ExprKind, Fold, Over, RecordField, UnaryOp,
};
pub use view::{Failure, View};
pub use visit::Read;

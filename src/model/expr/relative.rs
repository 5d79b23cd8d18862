//! The linear form behind the `relative` write policy: is the new value the old one plus something else? It keeps to
//! the form people write, a sum with the field in it once, and does no algebra beyond that.

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
    if let Type::List(_) = value.ty {
        return joined(value, &is_target).map(Delta::Concat);
    }
    difference(value, &is_target).map(Delta::Add)
}

fn free_of(expr: &Expr, is_target: &impl Fn(&Expr) -> bool) -> bool {
    !expr.any(is_target)
}

fn difference(value: &Expr, is_target: &impl Fn(&Expr) -> bool) -> Option<Expr> {
    let ty = match value.ty {
        Type::Instant => Type::Duration,
        ref same => same.clone(),
    };
    if is_target(value) {
        return Some(Expr::new(ExprKind::Const(0), ty, value.span.clone()));
    }
    let kind = match &value.kind {
        ExprKind::Binary(BinaryOp::Add, left, right) => {
            let (inner, other) = if free_of(right, is_target) {
                (difference(left, is_target)?, right)
            } else if free_of(left, is_target) {
                (difference(right, is_target)?, left)
            } else {
                return None;
            };
            match inner.as_const() {
                Some(0) => return Some((**other).clone()),
                _ => ExprKind::Binary(BinaryOp::Add, Box::new(inner), other.clone()),
            }
        }
        ExprKind::Binary(BinaryOp::Sub, left, right) if free_of(right, is_target) => {
            let inner = difference(left, is_target)?;
            match (inner.as_const(), right.as_const()) {
                (Some(0), Some(word)) if word != crate::model::value::NULL => ExprKind::Const(-word),
                (Some(0), _) => ExprKind::Unary(UnaryOp::Neg, right.clone()),
                _ => ExprKind::Binary(BinaryOp::Sub, Box::new(inner), right.clone()),
            }
        }
        ExprKind::Cond(test, yes, no) if free_of(test, is_target) => {
            let yes = difference(yes, is_target)?;
            let no = difference(no, is_target)?;
            ExprKind::Cond(test.clone(), Box::new(yes), Box::new(no))
        }
        _ => return None,
    };
    Some(Expr::new(kind, ty, value.span.clone()))
}

fn joined(value: &Expr, is_target: &impl Fn(&Expr) -> bool) -> Option<Expr> {
    let list = |kind| Expr::new(kind, value.ty.clone(), value.span.clone());
    if is_target(value) {
        return Some(list(ExprKind::List(Vec::new())));
    }
    let (left, tail) = match &value.kind {
        ExprKind::Binary(BinaryOp::Concat, left, right) => (left, (**right).clone()),
        ExprKind::Binary(BinaryOp::Append, left, right) => {
            (left, list(ExprKind::List(vec![(**right).clone()])))
        }
        ExprKind::Cond(test, yes, no) if free_of(test, is_target) => {
            let yes = Box::new(joined(yes, is_target)?);
            let no = Box::new(joined(no, is_target)?);
            return Some(list(ExprKind::Cond(test.clone(), yes, no)));
        }
        _ => return None,
    };
    if !free_of(&tail, is_target) {
        return None;
    }
    let inner = joined(left, is_target)?;
    match &inner.kind {
        ExprKind::List(items) if items.is_empty() => Some(tail),
        _ => Some(list(ExprKind::Binary(BinaryOp::Concat, Box::new(inner), Box::new(tail)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{ColumnId, TableId};

    fn int(kind: ExprKind) -> Expr {
        Expr::new(kind, Type::Int, 0..0)
    }

    fn target() -> Expr {
        let key = Box::new(int(ExprKind::Local(0)));
        int(ExprKind::Cell { table: TableId(0), key, column: ColumnId(1) })
    }

    fn amount() -> Expr {
        int(ExprKind::Local(1))
    }

    fn two(op: BinaryOp, left: Expr, right: Expr) -> Expr {
        int(ExprKind::Binary(op, Box::new(left), Box::new(right)))
    }

    fn is_target(part: &Expr) -> bool {
        *part == target()
    }

    #[test]
    fn the_field_minus_something_adds_the_negative() {
        let value = two(BinaryOp::Sub, target(), amount());
        let negative = int(ExprKind::Unary(UnaryOp::Neg, Box::new(amount())));
        assert_eq!(relative(&value, is_target), Some(Delta::Add(negative)));
        let value = two(BinaryOp::Sub, target(), int(ExprKind::Const(1)));
        assert_eq!(relative(&value, is_target), Some(Delta::Add(int(ExprKind::Const(-1)))));
    }

    #[test]
    fn the_field_may_stand_on_either_side_of_a_plus_but_not_right_of_a_minus() {
        assert_eq!(relative(&two(BinaryOp::Add, amount(), target()), is_target), Some(Delta::Add(amount())));
        assert_eq!(relative(&two(BinaryOp::Sub, amount(), target()), is_target), None);
        let nested = two(BinaryOp::Sub, two(BinaryOp::Add, target(), amount()), amount());
        let difference = two(BinaryOp::Sub, amount(), amount());
        assert_eq!(relative(&nested, is_target), Some(Delta::Add(difference)));
    }

    #[test]
    fn a_value_that_needs_the_field_otherwise_is_not_relative() {
        assert_eq!(relative(&two(BinaryOp::Add, target(), target()), is_target), None);
        assert_eq!(relative(&two(BinaryOp::Mul, target(), amount()), is_target), None);
        assert_eq!(relative(&amount(), is_target), None);
        let test = two(BinaryOp::Gt, target(), amount());
        let cond = |test| int(ExprKind::Cond(Box::new(test), Box::new(target()), Box::new(target())));
        assert_eq!(relative(&cond(test), is_target), None);
        assert!(relative(&cond(amount()), is_target).is_some());
    }

    #[test]
    fn a_list_is_appended_to() {
        let ints = Type::List(Box::new(Type::Int));
        let list = |kind| Expr::new(kind, ints.clone(), 0..0);
        let field = list(ExprKind::Local(7));
        let value = list(ExprKind::Binary(BinaryOp::Append, Box::new(field.clone()), Box::new(amount())));
        let tail = list(ExprKind::List(vec![amount()]));
        assert_eq!(relative(&value, |part| *part == field), Some(Delta::Concat(tail)));
        let front = list(ExprKind::Binary(
            BinaryOp::Concat,
            Box::new(list(ExprKind::List(vec![]))),
            Box::new(field.clone()),
        ));
        assert_eq!(relative(&front, |part| *part == field), None);
    }
}

//! Changing expression trees: names of `let` replaced by what they stand for, slots moved to another place in a frame.

use crate::model::expr::{Expr, ExprKind};

/// The most parts that an expression may have once its names are replaced by what they stand for.
const MOST_PARTS: u64 = 20_000;

/// Whether an expression is still of a decent size once its names are replaced: names that double what came before them
/// are short to write and long to write out.
pub(super) fn can_inline<'a>(exprs: impl Iterator<Item = &'a Expr>, lets: &[(u16, Expr)]) -> bool {
    fn size(expr: &Expr, known: &[(u16, u64)]) -> u64 {
        if let ExprKind::Local(slot) = expr.kind {
            return known.iter().rev().find(|(named, _)| *named == slot).map_or(1, |(_, size)| *size);
        }
        let mut sum = 1u64;
        expr.for_each_child(|child| sum = sum.saturating_add(size(child, known)));
        sum
    }
    let mut known = Vec::with_capacity(lets.len());
    for (slot, expr) in lets {
        let size = size(expr, &known);
        known.push((*slot, size));
    }
    known.iter().all(|(_, size)| *size <= MOST_PARTS)
        && exprs.into_iter().all(|expr| size(expr, &known) <= MOST_PARTS)
}

/// The expression with every slot that a `let` names replaced by what it stands for. Policies look through names this
/// way: a value named first is still *the field* minus something, and a requirement named first is still read at the store.
pub(super) fn inline(expr: &Expr, lets: &[(u16, Expr)]) -> Expr {
    let mut inlined = expr.clone();
    if !lets.is_empty() {
        replace(&mut inlined, lets);
    }
    inlined
}

fn replace(expr: &mut Expr, lets: &[(u16, Expr)]) {
    if let ExprKind::Local(slot) = expr.kind {
        if let Some(at) = lets.iter().rposition(|(named, _)| *named == slot) {
            // A `let` sees only those before it, so this ends.
            *expr = inline(&lets[at].1, &lets[..at]);
        }
        return;
    }
    expr.for_each_child_mut(|child| replace(child, lets));
}

/// The expression with all slots moved up by `offset`.
pub(super) fn shift(expr: &Expr, offset: u16) -> Expr {
    let mut shifted = expr.clone();
    if offset > 0 {
        move_slots(&mut shifted, offset);
    }
    shifted
}

fn move_slots(expr: &mut Expr, offset: u16) {
    if let ExprKind::Local(slot) = &mut expr.kind {
        *slot += offset;
        return;
    }
    expr.for_each_child_mut(|child| move_slots(child, offset));
}

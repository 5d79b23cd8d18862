//! What a pass over a table looks for, if the first thing it asks of a row is whether a cell equals something that is the
//! same for all rows: `charges.exists(c, c.order == order && …)`. Rows that differ there are passed over by the store, some
//! twenty times as fast as by running code for each.
//!
//! Only what is asked *first* of a row will do. Of all rows but those sought nothing else is then asked, so none of them
//! can fail, and what a transaction is known to have read stays the same.

use super::code::Code;
use super::eval::Scratch;
use super::tree::{BinaryOp, Expr, ExprKind};
use super::view::View;
use crate::model::ids::TableId;
use crate::model::value::{NULL, Word};

/// Rows of which this column is equal to this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seek {
    column: u16,
    to: Sought,
}

/// A word that no row of the pass changes, and that cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sought {
    Const(Word),
    Local(u16),
    /// An element that a pass around is at.
    Var(u16),
    /// A cell of a row that a pass around is at, or that the caller bound.
    Cell {
        var: u16,
        table: TableId,
        column: u16,
    },
}

impl Seek {
    /// The column, and the word that it is to be equal to.
    #[inline]
    pub(super) fn resolve<V: View + ?Sized>(
        &self,
        locals: &[Word],
        view: &mut V,
        var: impl Fn(u16) -> Word,
    ) -> (u16, Word) {
        let word = match self.to {
            Sought::Const(word) => word,
            Sought::Local(slot) => locals.get(usize::from(slot)).copied().unwrap_or(NULL),
            Sought::Var(slot) => var(slot),
            Sought::Cell { var: row, table, column } => view.cell(table, var(row) as u32, column),
        };
        (self.column, word)
    }
}

/// What is sought by a test of the row in this variable: rows of which it is not `wanted` differ there. `slot` tells where
/// other variables are.
pub(super) fn of(test: &Expr, row: u16, wanted: bool, slot: impl Fn(u16) -> u16) -> Option<Seek> {
    let mut first = test;
    // The left side alone decides if it is not as wanted; the right one is not asked then.
    while let (ExprKind::And(left, _), true) | (ExprKind::Or(left, _), false) = (&first.kind, wanted) {
        first = left;
    }
    let op = if wanted { BinaryOp::Eq } else { BinaryOp::Ne };
    let ExprKind::Binary(of, left, right) = &first.kind else { return None };
    if *of != op {
        return None;
    }
    let cell = |expr: &Expr| match expr.kind {
        ExprKind::RowVar { var, column, .. } if var == row => Some(column.0),
        _ => None,
    };
    let (column, other) = match (cell(left), cell(right)) {
        (Some(column), None) => (column, right),
        (None, Some(column)) => (column, left),
        _ => return None,
    };
    let to = match other.kind {
        ExprKind::Const(word) => Sought::Const(word),
        ExprKind::Local(slot) => Sought::Local(slot),
        ExprKind::Element(var) => Sought::Var(slot(var)),
        ExprKind::RowVar { var, table, column } => Sought::Cell { var: slot(var), table, column: column.0 },
        _ => return None,
    };
    Some(Seek { column, to })
}

/// The live row that follows in key order, or the first one, of which a test may be true that the caller evaluates for each
/// row in turn, bound to variable 0. Rows that are passed over are false in it.
pub fn next_candidate<V: View + ?Sized>(
    test: &Code,
    table: TableId,
    after: Option<u32>,
    locals: &[Word],
    view: &mut V,
    scratch: &Scratch,
) -> Option<u32> {
    match &test.sought {
        Some(seek) => {
            let (column, word) = seek.resolve(locals, view, |var| scratch.var(var));
            view.next_row_where(table, after, column, word)
        }
        None => view.next_row(table, after),
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::Op;
    use super::super::{Fold, Over};
    use super::*;
    use crate::model::ids::ColumnId;
    use crate::model::value::Type;

    const ROWS: TableId = TableId(0);

    fn is(kind: ExprKind) -> Expr {
        Expr::new(kind, Type::Bool, 0..1)
    }

    fn cell(var: u16, column: u16) -> Box<Expr> {
        Box::new(is(ExprKind::RowVar { var, table: ROWS, column: ColumnId(column) }))
    }

    fn test(op: BinaryOp, left: Box<Expr>, right: Box<Expr>) -> Expr {
        is(ExprKind::Binary(op, left, right))
    }

    fn local(slot: u16) -> Box<Expr> {
        Box::new(is(ExprKind::Local(slot)))
    }

    fn fails() -> Box<Expr> {
        let key = local(9);
        Box::new(is(ExprKind::Cell { table: ROWS, key, column: ColumnId(1) }))
    }

    /// Whether a pass goes straight to its rows.
    fn seeks(fold: Fold, keep: Vec<Expr>, body: Option<Expr>) -> bool {
        let pass = ExprKind::Loop {
            over: Over::Rows(ROWS),
            var: 7,
            name: Default::default(),
            keep,
            fold,
            body: body.map(Box::new),
        };
        Code::compile(&is(pass)).ops.iter().any(|op| matches!(op, Op::SeekRow { .. }))
    }

    #[test]
    fn what_is_asked_first_is_sought() {
        let equal = || test(BinaryOp::Eq, cell(7, 1), local(0));
        let differs = || test(BinaryOp::Ne, local(0), cell(7, 1));
        let and = |left: Expr, right: Box<Expr>| is(ExprKind::And(Box::new(left), right));
        assert!(seeks(Fold::Exists, vec![], Some(equal())));
        assert!(seeks(Fold::ExistsOne, vec![], Some(and(equal(), fails()))));
        assert!(seeks(Fold::Count, vec![and(and(equal(), fails()), fails())], None));
        assert!(seeks(Fold::All, vec![equal()], Some(*fails())));
        let or = is(ExprKind::Or(Box::new(differs()), fails()));
        assert!(seeks(Fold::All, vec![], Some(or)));
    }

    /// All other rows are asked something else too, which may fail, read other rows or decide.
    #[test]
    fn what_is_asked_later_is_not() {
        let equal = || test(BinaryOp::Eq, cell(7, 1), local(0));
        let and = |left: Box<Expr>, right: Expr| is(ExprKind::And(left, Box::new(right)));
        assert!(!seeks(Fold::Exists, vec![], Some(and(fails(), equal()))));
        assert!(!seeks(Fold::Count, vec![*fails(), equal()], None));
        assert!(!seeks(Fold::Exists, vec![*fails()], Some(equal())));
        assert!(!seeks(Fold::All, vec![], Some(equal())));
        assert!(!seeks(Fold::Sum, vec![], Some(equal())));
        assert!(!seeks(Fold::Exists, vec![], Some(is(ExprKind::Or(Box::new(equal()), fails())))));
        assert!(!seeks(Fold::Exists, vec![], Some(test(BinaryOp::Ne, cell(7, 1), local(0)))));
    }

    #[test]
    fn a_word_that_depends_on_the_row_or_may_fail_is_not_sought() {
        assert!(!seeks(Fold::Exists, vec![], Some(test(BinaryOp::Eq, cell(7, 1), cell(7, 2)))));
        assert!(!seeks(Fold::Exists, vec![], Some(test(BinaryOp::Eq, cell(7, 1), fails()))));
        assert!(seeks(Fold::Exists, vec![], Some(test(BinaryOp::Eq, cell(0, 1), cell(7, 2)))));
    }
}

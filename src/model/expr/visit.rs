//! Looking through a tree: its parts, what it reads, what it depends on.

use super::tree::{Expr, ExprKind, Over};
use crate::model::ids::{ColumnId, TableId};

/// Something of the store that an expression looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Read {
    /// Whether a row exists.
    Exists(TableId),
    /// All rows of a table: which there are.
    Scan(TableId),
    /// A column of some row.
    Column(TableId, ColumnId),
}

impl Expr {
    /// Calls `visit` with each direct part, left to right.
    pub fn for_each_child<'a>(&'a self, mut visit: impl FnMut(&'a Expr)) {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Local(_)
            | ExprKind::Element(_)
            | ExprKind::RowVar { .. }
            | ExprKind::RowVarRecord { .. }
            | ExprKind::Now
            | ExprKind::EventField(_)
            | ExprKind::Counter(_) => {}
            ExprKind::Cell { key: part, .. }
            | ExprKind::Row { key: part, .. }
            | ExprKind::HasRow { key: part, .. }
            | ExprKind::Unary(_, part)
            | ExprKind::Field { of: part, .. }
            | ExprKind::Size(part)
            | ExprKind::Has(part) => visit(part),
            ExprKind::Binary(_, left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::In(left, right)
            | ExprKind::Index(left, right)
            | ExprKind::IndexOf(left, right) => {
                visit(left);
                visit(right);
            }
            ExprKind::Cond(test, yes, no) => {
                visit(test);
                visit(yes);
                visit(no);
            }
            ExprKind::List(items) => items.iter().for_each(visit),
            ExprKind::Record(fields) => fields.iter().for_each(|field| visit(&field.value)),
            ExprKind::Loop { over, keep, body, .. } => {
                if let Over::List(list) = over {
                    visit(list);
                }
                keep.iter().for_each(&mut visit);
                if let Some(body) = body {
                    visit(body);
                }
            }
        }
    }

    /// The same for changing the parts.
    pub(crate) fn for_each_child_mut(&mut self, mut visit: impl FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Const(_)
            | ExprKind::Local(_)
            | ExprKind::Element(_)
            | ExprKind::RowVar { .. }
            | ExprKind::RowVarRecord { .. }
            | ExprKind::Now
            | ExprKind::EventField(_)
            | ExprKind::Counter(_) => {}
            ExprKind::Cell { key: part, .. }
            | ExprKind::Row { key: part, .. }
            | ExprKind::HasRow { key: part, .. }
            | ExprKind::Unary(_, part)
            | ExprKind::Field { of: part, .. }
            | ExprKind::Size(part)
            | ExprKind::Has(part) => visit(part),
            ExprKind::Binary(_, left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::In(left, right)
            | ExprKind::Index(left, right)
            | ExprKind::IndexOf(left, right) => {
                visit(left);
                visit(right);
            }
            ExprKind::Cond(test, yes, no) => {
                visit(test);
                visit(yes);
                visit(no);
            }
            ExprKind::List(items) => items.iter_mut().for_each(visit),
            ExprKind::Record(fields) => fields.iter_mut().for_each(|field| visit(&mut field.value)),
            ExprKind::Loop { over, keep, body, .. } => {
                if let Over::List(list) = over {
                    visit(list);
                }
                keep.iter_mut().for_each(&mut visit);
                if let Some(body) = body {
                    visit(body);
                }
            }
        }
    }

    /// The direct parts, left to right.
    pub fn children(&self) -> Vec<&Expr> {
        let mut children = Vec::new();
        self.for_each_child(|child| children.push(child));
        children
    }

    /// Calls `visit` with the expression itself and everything in it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        self.for_each_child(|child| child.walk(visit));
    }

    /// Whether `test` holds for the expression or anything in it.
    pub fn any(&self, mut test: impl FnMut(&Expr) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |part| found = found || test(part));
        found
    }

    /// What it looks at in the store, sorted and without repetition.
    pub fn reads(&self) -> Vec<Read> {
        let mut reads = Vec::new();
        self.walk(&mut |part| match &part.kind {
            ExprKind::RowVar { table, column, .. } => reads.push(Read::Column(*table, *column)),
            ExprKind::RowVarRecord { table, columns, .. } => {
                reads.extend(columns.iter().map(|&column| Read::Column(*table, column)));
            }
            ExprKind::Cell { table, column, .. } => {
                reads.extend([Read::Exists(*table), Read::Column(*table, *column)]);
            }
            ExprKind::Row { table, columns, .. } => {
                reads.push(Read::Exists(*table));
                reads.extend(columns.iter().map(|&column| Read::Column(*table, column)));
            }
            ExprKind::HasRow { table, .. } => reads.push(Read::Exists(*table)),
            ExprKind::Loop { over: Over::Rows(table), .. } => reads.push(Read::Scan(*table)),
            _ => {}
        });
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    /// The slots of the caller that it mentions, sorted and without repetition.
    pub fn locals(&self) -> Vec<u16> {
        let mut slots = Vec::new();
        self.walk(&mut |part| {
            if let ExprKind::Local(slot) = part.kind {
                slots.push(slot);
            }
        });
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Whether its value cannot change: it mentions no slot, no store, no clock, no event and no count.
    pub fn is_const(&self) -> bool {
        !self.any(|part| match &part.kind {
            ExprKind::Local(_)
            | ExprKind::RowVar { .. }
            | ExprKind::RowVarRecord { .. }
            | ExprKind::Cell { .. }
            | ExprKind::Row { .. }
            | ExprKind::HasRow { .. }
            | ExprKind::Now
            | ExprKind::EventField(_)
            | ExprKind::Counter(_) => true,
            ExprKind::Loop { over, .. } => matches!(over, Over::Rows(_)),
            _ => false,
        })
    }
}

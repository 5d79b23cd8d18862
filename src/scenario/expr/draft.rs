//! A resolved expression whose types are still handles, and its completion once the types are settled.

use std::ops::Range;

use super::problem::Problem;
use super::types::{Ty, Types, at};
use crate::model::expr::{
    BinaryOp, Called, Counter, EventField, Expr, ExprKind, Fold, Over, RecordField, UnaryOp,
};
use crate::model::ids::{ColumnId, TableId};
use crate::model::symbols::Symbols;
use crate::model::value::{NULL, Type, Word};

/// An expression whose names are resolved. [`finish`] completes it after [`Types::settle`].
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) source: u32,
    pub(super) node: Node,
}

impl Draft {
    /// The type of its value.
    pub fn ty(&self) -> Ty {
        self.node.ty
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) ty: Ty,
    pub(super) span: Range<u32>,
}

#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Const(Word),
    Text(String),
    Local(u16),
    Element(u16),
    RowVar {
        var: u16,
        table: TableId,
        column: ColumnId,
    },
    RowVarRecord {
        var: u16,
        table: TableId,
    },
    Cell {
        table: TableId,
        key: Box<Node>,
        column: ColumnId,
    },
    Row {
        table: TableId,
        key: Box<Node>,
    },
    HasRow {
        table: TableId,
        key: Box<Node>,
    },
    Now,
    Event(EventField),
    Counter(Counter),
    Unary(UnaryOp, Box<Node>),
    /// `Add` stands for all meanings of `+`.
    Binary(BinaryOp, Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Cond(Box<Node>, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    List(Vec<Node>),
    Record(Vec<(String, Node)>),
    Field {
        of: Box<Node>,
        name: String,
    },
    Index(Box<Node>, Box<Node>),
    Size(Box<Node>),
    IndexOf(Box<Node>, Box<Node>),
    Has(Box<Node>),
    Loop {
        over: Source,
        var: u16,
        name: String,
        keep: Vec<Node>,
        fold: Fold,
        body: Option<Box<Node>>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    Rows(TableId),
    List(Box<Node>),
}

/// The typed tree of a draft, its texts interned. The types must have been settled. It fails only for types too large
/// to be meant.
pub fn finish(draft: &Draft, types: &Types, symbols: &mut Symbols) -> Result<Expr, Vec<Problem>> {
    let mut finisher = Finisher { types, symbols, source: draft.source, problems: Vec::new() };
    let expr = finisher.expr(&draft.node);
    if finisher.problems.is_empty() { Ok(expr) } else { Err(finisher.problems) }
}

struct Finisher<'a> {
    types: &'a Types,
    symbols: &'a mut Symbols,
    source: u32,
    problems: Vec<Problem>,
}

impl Finisher<'_> {
    fn boxed(&mut self, node: &Node) -> Box<Expr> {
        Box::new(self.expr(node))
    }

    fn ty(&mut self, node: &Node) -> Type {
        self.types.resolved(node.ty).unwrap_or_else(|| {
            if self.problems.is_empty() {
                let place = at(self.source, &node.span);
                self.problems.push(Problem::new(place, "the type of this value has too many parts"));
            }
            Type::Null
        })
    }

    fn expr(&mut self, node: &Node) -> Expr {
        let ty = self.ty(node);
        let kind = self.kind(node, &ty);
        Expr::new(kind, ty, node.span.clone())
    }

    fn kind(&mut self, node: &Node, ty: &Type) -> ExprKind {
        match &node.kind {
            NodeKind::Const(word) => ExprKind::Const(*word),
            NodeKind::Text(text) => ExprKind::Const(self.symbols.intern(text)),
            NodeKind::Local(slot) => ExprKind::Local(*slot),
            NodeKind::Element(var) => ExprKind::Element(*var),
            NodeKind::RowVar { var, table, column } => {
                ExprKind::RowVar { var: *var, table: *table, column: *column }
            }
            NodeKind::RowVarRecord { var, table } => {
                ExprKind::RowVarRecord { var: *var, table: *table, columns: self.columns(*table, ty) }
            }
            NodeKind::Cell { table, key, column } => {
                ExprKind::Cell { table: *table, key: self.boxed(key), column: *column }
            }
            NodeKind::Row { table, key } => {
                ExprKind::Row { table: *table, key: self.boxed(key), columns: self.columns(*table, ty) }
            }
            NodeKind::HasRow { table, key } => ExprKind::HasRow { table: *table, key: self.boxed(key) },
            NodeKind::Now => ExprKind::Now,
            NodeKind::Event(field) => ExprKind::EventField(*field),
            NodeKind::Counter(counter) => ExprKind::Counter(*counter),
            NodeKind::Unary(op, of) => ExprKind::Unary(*op, self.boxed(of)),
            NodeKind::Binary(op, left, right) => {
                let op = match (op, ty) {
                    (BinaryOp::Add, Type::List(_))
                        if self.types.root(left.ty) == self.types.root(right.ty) =>
                    {
                        BinaryOp::Concat
                    }
                    (BinaryOp::Add, Type::List(_)) => BinaryOp::Append,
                    _ => *op,
                };
                ExprKind::Binary(op, self.boxed(left), self.boxed(right))
            }
            NodeKind::And(left, right) => ExprKind::And(self.boxed(left), self.boxed(right)),
            NodeKind::Or(left, right) => ExprKind::Or(self.boxed(left), self.boxed(right)),
            NodeKind::Cond(test, yes, no) => {
                ExprKind::Cond(self.boxed(test), self.boxed(yes), self.boxed(no))
            }
            NodeKind::In(item, list) => ExprKind::In(self.boxed(item), self.boxed(list)),
            NodeKind::List(items) => ExprKind::List(items.iter().map(|item| self.expr(item)).collect()),
            NodeKind::Record(fields) => self.record(fields, ty),
            NodeKind::Field { of, name } => {
                let of = self.boxed(of);
                let index = match &of.ty {
                    Type::Record(fields) => fields.iter().position(|(field, _)| field == name),
                    _ => None,
                };
                // A record too large to be meant was reported; else unification has seen to the field.
                ExprKind::Field {
                    of,
                    name: name.clone(),
                    index: index.map_or(u16::MAX, |index| index as u16),
                }
            }
            NodeKind::Index(list, index) => ExprKind::Index(self.boxed(list), self.boxed(index)),
            NodeKind::Size(list) => ExprKind::Size(self.boxed(list)),
            NodeKind::IndexOf(list, item) => ExprKind::IndexOf(self.boxed(list), self.boxed(item)),
            NodeKind::Has(of) => ExprKind::Has(self.boxed(of)),
            NodeKind::Loop { over, var, name, keep, fold, body } => ExprKind::Loop {
                over: match over {
                    Source::Rows(table) => Over::Rows(*table),
                    Source::List(list) => Over::List(self.boxed(list)),
                },
                var: *var,
                name: Called(name.clone()),
                keep: keep.iter().map(|test| self.expr(test)).collect(),
                fold: *fold,
                body: body.as_ref().map(|body| self.boxed(body)),
            },
        }
    }

    /// Equal records must be equal tuples, so fields stand in the order of the type, however they were written.
    fn record(&mut self, fields: &[(String, Node)], ty: &Type) -> ExprKind {
        let Type::Record(order) = ty else { return ExprKind::Const(NULL) };
        let mut ordered = Vec::new();
        for (name, ty) in order {
            let written = fields.iter().find(|(field, _)| field == name);
            let value = match written {
                Some((_, node)) => self.expr(node),
                None => Expr::new(ExprKind::Const(NULL), ty.clone(), 0..0),
            };
            ordered.push(RecordField { name: name.clone(), value });
        }
        ExprKind::Record(ordered)
    }

    fn columns(&self, table: TableId, ty: &Type) -> Vec<ColumnId> {
        let Type::Record(fields) = ty else { return Vec::new() };
        fields.iter().filter_map(|(name, _)| self.types.column(table, name)).collect()
    }
}

//! A typed expression as text, so that a story can say which part of an invariant is not true.
//!
//! The text follows the language, not the file: brackets stand where they are needed, and a pass over a table is written as
//! the macros it came from. Variables have the names of the file.

use std::ops::Range;

use crate::model::Model;
use crate::model::expr::{Expr, ExprKind, Fold, Over, UnaryOp};
use crate::model::heap::Heap;
use crate::model::service::Slot;

/// Writes an expression of a model and its parts. `slots` are the names of the caller's slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer<'a> {
    /// The model the expression belongs to.
    pub(super) model: &'a Model,
    /// The names of its local slots.
    pub(super) slots: &'a [Slot],
    /// All of it: where its variables get their names.
    pub(super) whole: &'a Expr,
}

/// How tightly the operators bind; an operand that binds less is put in brackets.
const TERNARY: u8 = 0;
const OR: u8 = 1;
const AND: u8 = 2;
const RELATION: u8 = 3;
const SUM: u8 = 4;
const PRODUCT: u8 = 5;
const UNARY: u8 = 6;
const MEMBER: u8 = 7;

/// The smallest part of an expression that covers a range of its text; the whole, if the range is empty.
pub(super) fn part<'e>(expr: &'e Expr, span: &Range<u32>) -> &'e Expr {
    if span.is_empty() {
        return expr;
    }
    let mut best = expr;
    expr.walk(&mut |inner| {
        let covers = inner.span.start <= span.start && span.end <= inner.span.end;
        if covers && inner.span.len() < best.span.len() && !inner.span.is_empty() {
            best = inner;
        }
    });
    best
}

impl Writer<'_> {
    /// The text of an expression.
    pub(super) fn text(&self, expr: &Expr) -> String {
        self.write(expr).0
    }

    fn at(&self, expr: &Expr, needs: u8) -> String {
        let (text, binds) = self.write(expr);
        if binds < needs { format!("({text})") } else { text }
    }

    fn variable(&self, var: u16) -> String {
        let mut found = String::new();
        self.whole.walk(&mut |part| {
            if let ExprKind::Loop { var: of, name, .. } = &part.kind
                && *of == var
            {
                found.clone_from(&name.0);
            }
        });
        match var {
            _ if !found.is_empty() => found,
            0 => "it".into(),
            n if n < 4 => format!("it{n}"),
            n => char::from_u32(u32::from(b'a') + u32::from(n - 4) % 26).unwrap_or('a').to_string(),
        }
    }

    fn write(&self, expr: &Expr) -> (String, u8) {
        use ExprKind::*;
        let column = |table, column: crate::model::ids::ColumnId| {
            self.model.table(table).columns[column.index()].name.clone()
        };
        let member = |text: String| (text, MEMBER);
        match &expr.kind {
            Const(word) => member(self.model.symbols.show(*word, &expr.ty, &Heap::new())),
            Local(slot) => member(
                self.slots.get(usize::from(*slot)).map_or_else(|| format!("${slot}"), |s| s.name.clone()),
            ),
            Element(var) => member(self.variable(*var)),
            RowVar { var, table, column: c } => {
                member(format!("{}.{}", self.variable(*var), column(*table, *c)))
            }
            RowVarRecord { var, .. } => member(self.variable(*var)),
            Cell { table, key, column: c } => member(format!(
                "{}[{}].{}",
                self.model.table_name(*table),
                self.text(key),
                column(*table, *c)
            )),
            Row { table, key, .. } => {
                member(format!("{}[{}]", self.model.table_name(*table), self.text(key)))
            }
            HasRow { table, key } => {
                (format!("{} in {}", self.at(key, SUM), self.model.table_name(*table)), RELATION)
            }
            Now => member("now".into()),
            EventField(field) => member(format!("event.{}", field.name())),
            Counter(counter) => member(format!("count.{}", counter.name())),
            Unary(UnaryOp::Not, of) => (format!("!{}", self.at(of, UNARY)), UNARY),
            Unary(UnaryOp::Neg, of) => (format!("-{}", self.at(of, UNARY)), UNARY),
            Binary(op, left, right) => {
                let binds = match op.sign() {
                    "*" | "/" | "%" => PRODUCT,
                    "+" | "-" => SUM,
                    _ => RELATION,
                };
                (format!("{} {} {}", self.at(left, binds), op.sign(), self.at(right, binds + 1)), binds)
            }
            And(left, right) => (format!("{} && {}", self.at(left, AND), self.at(right, AND)), AND),
            Or(left, right) => (format!("{} || {}", self.at(left, OR), self.at(right, OR)), OR),
            Cond(test, yes, no) => {
                (format!("{} ? {} : {}", self.at(test, OR), self.at(yes, OR), self.text(no)), TERNARY)
            }
            In(left, right) => (format!("{} in {}", self.at(left, SUM), self.at(right, SUM)), RELATION),
            List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.text(item)).collect();
                member(format!("[{}]", items.join(", ")))
            }
            Record(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|field| format!("{}: {}", field.name, self.text(&field.value)))
                    .collect();
                member(format!("{{{}}}", fields.join(", ")))
            }
            Field { of, name, .. } => member(format!("{}.{name}", self.at(of, MEMBER))),
            Index(list, at) => member(format!("{}[{}]", self.at(list, MEMBER), self.text(at))),
            Size(list) => member(format!("{}.size()", self.at(list, MEMBER))),
            IndexOf(list, item) => member(format!("{}.indexOf({})", self.at(list, MEMBER), self.text(item))),
            Has(field) => member(format!("has({})", self.text(field))),
            Loop { over, var, keep, fold, body, .. } => {
                member(self.pass(over, *var, keep, *fold, body.as_deref()))
            }
        }
    }

    fn pass(&self, over: &Over, var: u16, keep: &[Expr], fold: Fold, body: Option<&Expr>) -> String {
        let var = self.variable(var);
        let mut text = match over {
            Over::Rows(table) => self.model.table_name(*table),
            Over::List(list) => self.at(list, MEMBER),
        };
        for test in keep {
            text += &format!(".filter({var}, {})", self.text(test));
        }
        let body_is_row =
            body.is_none_or(|body| matches!(body.kind, ExprKind::RowVarRecord { .. } | ExprKind::Element(_)));
        let body = body.map(|body| self.text(body)).unwrap_or_default();
        let mapped = |text: String| if body_is_row { text } else { format!("{text}.map({var}, {body})") };
        match fold {
            Fold::All => format!("{text}.all({var}, {body})"),
            Fold::Exists => format!("{text}.exists({var}, {body})"),
            Fold::ExistsOne => format!("{text}.exists_one({var}, {body})"),
            Fold::Collect => mapped(text),
            Fold::Count => format!("{text}.size()"),
            Fold::Sum => format!("{}.sum()", mapped(text)),
            Fold::Min => format!("{}.min()", mapped(text)),
            Fold::Max => format!("{}.max()", mapped(text)),
        }
    }
}

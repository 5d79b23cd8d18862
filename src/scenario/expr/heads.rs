//! Names and what follows them: services, tables, rows, fields. What a name leads to is often no value yet.

use std::ops::Range;

use super::ast::{Expr, Kind, Name};
use super::draft::{Node, NodeKind};
use super::problem::did_you_mean;
use super::resolve::{Resolver, Var};
use super::scope::Binding;
use super::types::Scalar;
use crate::model::expr::{Counter, EventField};
use crate::model::ids::{ColumnId, TableId};

/// What an expression is before one knows whether it is used as a value.
pub(super) enum Head {
    Table(TableId),
    RowAt(TableId, Node),
    RowVar(u16, TableId),
    Service(String),
    Event,
    Count,
    Value(Node),
}

impl Resolver<'_> {
    /// What stands here, or none if that was reported.
    pub(super) fn head(&mut self, ast: &Expr) -> Option<Head> {
        match &ast.kind {
            Kind::Name(name) => self.name(name, &ast.span),
            Kind::Select { of, name } => {
                let head = self.head(of)?;
                self.select(head, of, name, &ast.span)
            }
            Kind::Index { of, index: Some(index) } => {
                let head = self.head(of)?;
                Some(self.index(head, of, index, &ast.span))
            }
            Kind::Index { index: None, .. } => {
                let hint = "t[] names a row to be inserted, not one to be read".to_owned();
                self.problem(&ast.span, "a key is missing", Some(hint));
                None
            }
            Kind::Call { of, name, args } => self.call(of.as_deref(), name, args, &ast.span).map(Head::Value),
            _ => Some(Head::Value(self.expr(ast))),
        }
    }

    pub(super) fn head_or_unknown(&mut self, ast: &Expr) -> Head {
        match self.head(ast) {
            Some(head) => head,
            None => Head::Value(self.unknown(&ast.span)),
        }
    }

    fn name(&mut self, name: &str, span: &Range<u32>) -> Option<Head> {
        let node = |kind, ty| Some(Head::Value(Node { kind, ty, span: span.clone() }));
        if let Some((_, var)) = self.vars.iter().rev().find(|(var, _)| var == name) {
            return match *var {
                Var::Row { var, table } => Some(Head::RowVar(var, table)),
                Var::Element { var, ty } => node(NodeKind::Element(var), ty),
            };
        }
        match self.scope.lookup(name) {
            Some(Binding::Local { slot, ty }) => node(NodeKind::Local(slot), ty),
            Some(Binding::Table(table)) => Some(Head::Table(table)),
            Some(Binding::Row { var, table }) => Some(Head::RowVar(var, table)),
            Some(Binding::Service) => Some(Head::Service(name.to_owned())),
            Some(Binding::Event) => Some(Head::Event),
            Some(Binding::Count) => Some(Head::Count),
            Some(Binding::Now) => node(NodeKind::Now, self.scalar(Scalar::Instant, span)),
            None => {
                let vars = self.vars.iter().map(|(var, _)| var.as_str());
                let hint = did_you_mean(name, self.scope.known().into_iter().chain(vars))
                    .or_else(|| Some(format!("a text stands in quotes: '{name}'")));
                self.problem(span, &format!("`{name}` is not known here"), hint);
                None
            }
        }
    }

    fn select(&mut self, head: Head, of: &Expr, name: &Name, span: &Range<u32>) -> Option<Head> {
        let field = &name.text;
        let node = |kind, ty| Some(Head::Value(Node { kind, ty, span: span.clone() }));
        match head {
            Head::Service(service) => {
                let table = self.scope.table(&service, field);
                if table.is_none() {
                    let hint = did_you_mean(field, self.scope.tables(&service));
                    self.problem(&name.span, &format!("`{service}` has no table `{field}`"), hint);
                }
                table.map(Head::Table)
            }
            Head::Table(table) => {
                let message =
                    format!("`{}` is a table; a field belongs to a row", self.types.table_name(table));
                let hint = self.types.column(table, field).map(|_| format!("name the row: [key].{field}"));
                self.problem(&of.span, &message, hint);
                None
            }
            Head::RowAt(table, key) => {
                let column = self.column(table, name)?;
                let ty = self.types.column_type(table, column);
                node(NodeKind::Cell { table, key: Box::new(key), column }, ty)
            }
            Head::RowVar(var, table) => {
                let column = self.column(table, name)?;
                let ty = self.types.column_type(table, column);
                node(NodeKind::RowVar { var, table, column }, ty)
            }
            Head::Event => {
                let found = EventField::ALL.iter().find(|known| known.name() == field);
                let Some(&found) = found else {
                    let hint = did_you_mean(field, EventField::ALL.iter().map(|known| known.name()))
                        .or_else(|| Some("the fields of the event itself are `args`".to_owned()));
                    self.problem(&name.span, &format!("an event carries no `{field}`"), hint);
                    return None;
                };
                let scalar = if found == EventField::Time { Scalar::Instant } else { Scalar::Int };
                node(NodeKind::Event(found), self.scalar(scalar, span))
            }
            Head::Count => {
                let Some(&counter) = Counter::ALL.iter().find(|known| known.name() == field) else {
                    let hint = did_you_mean(field, Counter::ALL.iter().map(|known| known.name()));
                    self.problem(&name.span, &format!("`{field}` is not counted"), hint);
                    return None;
                };
                node(NodeKind::Counter(counter), self.scalar(Scalar::Int, span))
            }
            Head::Value(of) => Some(Head::Value(self.field(of, field, span))),
        }
    }

    fn column(&mut self, table: TableId, name: &Name) -> Option<ColumnId> {
        let column = self.types.column(table, &name.text);
        if column.is_none() {
            let columns = self.types.columns(table).iter().map(|(column, _)| column.as_str());
            let hint = did_you_mean(&name.text, columns);
            let message = format!("`{}` has no field `{}`", self.types.table_name(table), name.text);
            self.problem(&name.span, &message, hint);
        }
        column
    }

    fn field(&mut self, of: Node, name: &str, span: &Range<u32>) -> Node {
        let ty = self.types.free();
        let needed = self.types.open_record(vec![(name.to_owned(), ty)], None);
        self.unify(of.ty, needed, span);
        Node { kind: NodeKind::Field { of: Box::new(of), name: name.to_owned() }, ty, span: span.clone() }
    }

    fn index(&mut self, head: Head, of: &Expr, index: &Expr, span: &Range<u32>) -> Head {
        if let Head::Table(table) = head {
            let key = self.types.columns(table)[0].1;
            return Head::RowAt(table, self.check(index, key));
        }
        if let Kind::Text(text) = &index.kind {
            let name = Name { text: text.clone(), span: index.span.clone() };
            return match self.select(head, of, &name, span) {
                Some(head) => head,
                None => Head::Value(self.unknown(span)),
            };
        }
        let list = self.value(head, &of.span);
        let item = self.types.free();
        let needed = self.types.list(item, None);
        self.unify(list.ty, needed, &of.span);
        let index = self.int(index);
        let kind = NodeKind::Index(Box::new(list), Box::new(index));
        Head::Value(Node { kind, ty: item, span: span.clone() })
    }

    /// What stands here, as a value.
    pub(super) fn value(&mut self, head: Head, span: &Range<u32>) -> Node {
        let node = |kind, ty| Node { kind, ty, span: span.clone() };
        match head {
            Head::Value(node) => node,
            Head::Table(table) => self.all_rows(table, span),
            Head::RowAt(table, key) => {
                let ty = self.types.row(table);
                node(NodeKind::Row { table, key: Box::new(key) }, ty)
            }
            Head::RowVar(var, table) => {
                let ty = self.types.row(table);
                node(NodeKind::RowVarRecord { var, table }, ty)
            }
            Head::Service(service) => {
                self.problem(
                    span,
                    &format!("`{service}` is a service, not a value"),
                    Some("name a table of it".into()),
                );
                self.unknown(span)
            }
            Head::Event => {
                self.problem(
                    span,
                    "`event` is no value",
                    Some("choose one of id, time, version, seq".into()),
                );
                self.unknown(span)
            }
            Head::Count => {
                self.problem(span, "`count` is no value", Some("choose what is counted: count.lost".into()));
                self.unknown(span)
            }
        }
    }
}

//! Addresses, which say what is written: `t[k]`, `t[]`, `t.filter(r, …)`, each with `.field` where one field is set.

use std::ops::Range;

use super::ast::{Expr as Ast, Kind, Name};
use super::draft::{Draft, Node, finish};
use super::heads::Head;
use super::problem::{Problem, did_you_mean};
use super::resolve::{Resolver, Var};
use super::scope::Scope;
use super::types::{Scalar, Types};
use crate::model::expr::{BOUND_ROWS, Expr};
use crate::model::ids::{ColumnId, TableId};
use crate::model::symbols::Symbols;

/// The row variable that the tests of a [`Target::Where`] look at; bind it to one row after the other.
pub const TESTED_ROW: u16 = BOUND_ROWS - 1;

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The table.
    pub table: TableId,
    /// The rows.
    pub target: Target,
    /// The field, if one is named.
    pub column: Option<ColumnId>,
    /// Where the address stands, in bytes of its text.
    pub span: Range<u32>,
}

/// The rows that an address names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The row with this key.
    Key(Expr),
    /// A row with a fresh key.
    Fresh,
    /// All rows for which these tests are true, tried in order, with [`TESTED_ROW`] bound to the row.
    Where(Vec<Expr>),
}

/// An address whose names are resolved.
#[derive(Clone, Debug)]
pub struct AddressDraft {
    source: u32,
    table: TableId,
    target: TargetDraft,
    column: Option<ColumnId>,
    span: Range<u32>,
}

impl AddressDraft {
    /// The table written to.
    pub fn table(&self) -> TableId {
        self.table
    }

    /// The field written, if one is named.
    pub fn column(&self) -> Option<ColumnId> {
        self.column
    }
}

#[derive(Clone, Debug)]
enum TargetDraft {
    Key(Node),
    Fresh,
    Where(Vec<Node>),
}

/// Resolves an address, as [`resolve`](super::resolve) does an expression.
pub fn resolve_address(
    ast: &Ast,
    source: u32,
    scope: &dyn Scope,
    types: &mut Types,
) -> Result<AddressDraft, Vec<Problem>> {
    let mut resolver = Resolver::new(source, scope, types);
    match resolver.address(ast) {
        Some((table, target, column)) if resolver.problems.is_empty() => {
            Ok(AddressDraft { source, table, target, column, span: ast.span.clone() })
        }
        _ => Err(resolver.problems),
    }
}

/// Completes an address after the types were settled, as [`finish`] does an expression.
pub fn finish_address(
    draft: &AddressDraft,
    types: &Types,
    symbols: &mut Symbols,
) -> Result<Address, Vec<Problem>> {
    let mut done = |node: &Node| finish(&Draft { source: draft.source, node: node.clone() }, types, symbols);
    let target = match &draft.target {
        TargetDraft::Key(key) => Target::Key(done(key)?),
        TargetDraft::Fresh => Target::Fresh,
        TargetDraft::Where(tests) => Target::Where(tests.iter().map(done).collect::<Result<_, _>>()?),
    };
    Ok(Address { table: draft.table, target, column: draft.column, span: draft.span.clone() })
}

impl Resolver<'_> {
    fn address(&mut self, ast: &Ast) -> Option<(TableId, TargetDraft, Option<ColumnId>)> {
        if let Kind::Select { of, name } = &ast.kind {
            let (table, target) = self.rows(of)?;
            let column = self.written_column(table, name)?;
            return Some((table, target, Some(column)));
        }
        let (table, target) = self.rows(ast)?;
        Some((table, target, None))
    }

    fn written_column(&mut self, table: TableId, name: &Name) -> Option<ColumnId> {
        let found = self.types.column(table, &name.text);
        if found == Some(ColumnId::KEY) {
            self.problem(&name.span, "the key of a row cannot be changed", None);
            return None;
        }
        if found.is_none() {
            let columns = self.types.columns(table).iter().skip(1).map(|(column, _)| column.as_str());
            let hint = did_you_mean(&name.text, columns);
            let message = format!("`{}` has no field `{}`", self.types.table_name(table), name.text);
            self.problem(&name.span, &message, hint);
        }
        found
    }

    fn rows(&mut self, ast: &Ast) -> Option<(TableId, TargetDraft)> {
        match &ast.kind {
            Kind::Index { of, index } => {
                let table = self.table(of)?;
                let key = self.types.column_type(table, ColumnId::KEY);
                let target = match index {
                    Some(index) => TargetDraft::Key(self.check(index, key)),
                    None => {
                        let int = self.scalar(Scalar::Int, &ast.span);
                        self.unify(int, key, &ast.span);
                        TargetDraft::Fresh
                    }
                };
                Some((table, target))
            }
            Kind::Call { of: Some(of), name, args } if name.text == "filter" => {
                let (table, mut tests) = match &of.kind {
                    Kind::Call { .. } => match self.rows(of)? {
                        (table, TargetDraft::Where(tests)) => (table, tests),
                        _ => return None,
                    },
                    _ => (self.table(of)?, Vec::new()),
                };
                let [Ast { kind: Kind::Name(var), .. }, test] = &args[..] else {
                    let hint = Some("t.filter(r, r.field == value)".to_owned());
                    self.problem(&ast.span, "filter takes the name of a variable and a test", hint);
                    return None;
                };
                self.vars.push((var.clone(), Var::Row { var: TESTED_ROW, table }));
                tests.push(self.truth(test));
                self.vars.pop();
                Some((table, TargetDraft::Where(tests)))
            }
            _ => {
                let hint = "t[key], t[] or t.filter(r, …), with .field where one field is set".to_owned();
                self.problem(&ast.span, "this names no rows of a table", Some(hint));
                None
            }
        }
    }

    fn table(&mut self, ast: &Ast) -> Option<TableId> {
        match self.head(ast)? {
            Head::Table(table) => Some(table),
            _ => {
                self.problem(&ast.span, "this is no table of the service", None);
                None
            }
        }
    }
}

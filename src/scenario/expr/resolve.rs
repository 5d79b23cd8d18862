//! What the names of an expression mean, and what its types have to do with each other. Macros have a file of their own.

use std::ops::Range;

use super::ast::{Expr, Kind, Name, Operator};
use super::draft::{Draft, Node, NodeKind};
use super::problem::{Place, Problem, did_you_mean};
use super::rules::RuleKind;
use super::scope::{Binding, Scope};
use super::types::{Scalar, Ty, Types, at};
use crate::model::expr::{BOUND_ROWS, BinaryOp, Counter, EventField, UnaryOp};
use crate::model::ids::TableId;
use crate::model::value::{NULL, Word, parse_duration, truth};

/// Resolves an expression against the names of a scope and adds what it demands of the types. `source` is the caller's
/// number for the text, for places. All problems of the expression are reported at once.
pub fn resolve(
    ast: &Expr,
    source: u32,
    scope: &dyn Scope,
    types: &mut Types,
    expected: Option<Ty>,
) -> Result<Draft, Vec<Problem>> {
    let mut resolver = Resolver::new(source, scope, types);
    let node = match expected {
        Some(expected) => resolver.check(ast, expected),
        None => resolver.expr(ast),
    };
    if resolver.problems.is_empty() { Ok(Draft { source, node }) } else { Err(resolver.problems) }
}

pub(super) struct Resolver<'a> {
    pub(super) source: u32,
    pub(super) scope: &'a dyn Scope,
    pub(super) types: &'a mut Types,
    pub(super) problems: Vec<Problem>,
    /// The variables of the macros around.
    pub(super) vars: Vec<(String, Var)>,
    pub(super) next_var: u16,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Var {
    Row { var: u16, table: TableId },
    Element { var: u16, ty: Ty },
}

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

impl<'a> Resolver<'a> {
    pub(super) fn new(source: u32, scope: &'a dyn Scope, types: &'a mut Types) -> Self {
        Resolver { source, scope, types, problems: Vec::new(), vars: Vec::new(), next_var: BOUND_ROWS }
    }

    pub(super) fn place(&self, span: &Range<u32>) -> Place {
        at(self.source, span)
    }

    pub(super) fn problem(&mut self, span: &Range<u32>, message: &str, hint: Option<String>) {
        let mut problem = Problem::new(self.place(span), message);
        problem.hint = hint;
        self.problems.push(problem);
    }

    /// Stands in for something that was reported, so that the rest can be looked at.
    pub(super) fn unknown(&mut self, span: &Range<u32>) -> Node {
        Node { kind: NodeKind::Const(NULL), ty: self.types.null(), span: span.clone() }
    }

    pub(super) fn scalar(&mut self, scalar: Scalar, span: &Range<u32>) -> Ty {
        let place = self.place(span);
        self.types.scalar(scalar, Some(place))
    }

    pub(super) fn unify(&mut self, found: Ty, needed: Ty, span: &Range<u32>) {
        let place = self.place(span);
        if let Err(problem) = self.types.unify(found, needed, &place) {
            self.problems.push(problem);
        }
    }

    pub(super) fn require(&mut self, rule: RuleKind, span: &Range<u32>) {
        let place = self.place(span);
        if let Err(problem) = self.types.require(rule, place) {
            self.problems.push(problem);
        }
    }

    /// An expression that must have this type.
    pub(super) fn check(&mut self, ast: &Expr, expected: Ty) -> Node {
        let node = self.expr(ast);
        self.unify(node.ty, expected, &ast.span);
        node
    }

    pub(super) fn truth(&mut self, ast: &Expr) -> Node {
        let expected = self.types.scalar(Scalar::Bool, None);
        self.check(ast, expected)
    }

    fn int(&mut self, ast: &Expr) -> Node {
        let expected = self.types.scalar(Scalar::Int, None);
        self.check(ast, expected)
    }

    pub(super) fn expr(&mut self, ast: &Expr) -> Node {
        let span = ast.span.clone();
        let constant = |kind, ty| Node { kind, ty, span: span.clone() };
        match &ast.kind {
            Kind::Null => self.unknown(&span),
            Kind::Bool(value) => constant(NodeKind::Const(truth(*value)), self.scalar(Scalar::Bool, &span)),
            Kind::Int(value) => constant(NodeKind::Const(*value as Word), self.scalar(Scalar::Int, &span)),
            Kind::Text(text) => constant(NodeKind::Text(text.clone()), self.scalar(Scalar::Text, &span)),
            Kind::Not(of) => {
                let of = self.truth(of);
                constant(NodeKind::Unary(UnaryOp::Not, Box::new(of)), self.scalar(Scalar::Bool, &span))
            }
            Kind::Neg(of) => {
                let of = self.expr(of);
                self.require(RuleKind::Number(of.ty), &span);
                let ty = of.ty;
                constant(NodeKind::Unary(UnaryOp::Neg, Box::new(of)), ty)
            }
            Kind::List(items) => {
                let of = self.types.free();
                let items = items.iter().map(|item| self.check(item, of)).collect();
                let place = self.place(&span);
                let ty = self.types.list(of, Some(place));
                constant(NodeKind::List(items), ty)
            }
            Kind::Map(entries) => self.record(entries, &span),
            Kind::Binary { op, at, left, right } => self.binary(*op, at, left, right, &span),
            Kind::Cond(test, yes, no) => {
                let test = self.truth(test);
                let yes = self.expr(yes);
                let no = self.check(no, yes.ty);
                let ty = yes.ty;
                constant(NodeKind::Cond(Box::new(test), Box::new(yes), Box::new(no)), ty)
            }
            Kind::Name(_) | Kind::Select { .. } | Kind::Index { .. } | Kind::Call { .. } => {
                match self.head(ast) {
                    Some(head) => self.value(head, &span),
                    None => self.unknown(&span),
                }
            }
        }
    }

    fn record(&mut self, entries: &[(Expr, Expr)], span: &Range<u32>) -> Node {
        let mut fields: Vec<(String, Node)> = Vec::new();
        for (key, value) in entries {
            let value = self.expr(value);
            match &key.kind {
                Kind::Text(name) if fields.iter().any(|(field, _)| field == name) => {
                    self.problem(&key.span, &format!("the field `{name}` is there twice"), None);
                }
                Kind::Text(name) => fields.push((name.clone(), value)),
                Kind::Name(name) => {
                    let hint = Some(format!("write '{name}'"));
                    self.problem(&key.span, "the name of a field stands in quotes", hint);
                }
                _ => self.problem(&key.span, "the name of a field is a fixed text", None),
            }
        }
        let typed = fields.iter().map(|(name, node)| (name.clone(), node.ty)).collect();
        let place = self.place(span);
        let ty = self.types.record(typed, Some(place));
        Node { kind: NodeKind::Record(fields), ty, span: span.clone() }
    }

    fn binary(
        &mut self,
        op: Operator,
        sign: &Range<u32>,
        left: &Expr,
        right: &Expr,
        span: &Range<u32>,
    ) -> Node {
        let boolean = self.scalar(Scalar::Bool, span);
        let node = |kind, ty| Node { kind, ty, span: span.clone() };
        let arithmetic =
            |op, left: Node, right: Node, ty| node(NodeKind::Binary(op, Box::new(left), Box::new(right)), ty);
        match op {
            Operator::And | Operator::Or => {
                let (left, right) = (Box::new(self.truth(left)), Box::new(self.truth(right)));
                let kind =
                    if op == Operator::And { NodeKind::And(left, right) } else { NodeKind::Or(left, right) };
                node(kind, boolean)
            }
            Operator::In => self.member(left, right, boolean, span),
            Operator::Eq | Operator::Ne => {
                let left = self.expr(left);
                let right = self.check(right, left.ty);
                arithmetic(if op == Operator::Eq { BinaryOp::Eq } else { BinaryOp::Ne }, left, right, boolean)
            }
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => {
                let op = match op {
                    Operator::Lt => BinaryOp::Lt,
                    Operator::Le => BinaryOp::Le,
                    Operator::Gt => BinaryOp::Gt,
                    _ => BinaryOp::Ge,
                };
                let left = self.expr(left);
                let right = self.check(right, left.ty);
                self.require(RuleKind::Ordered(left.ty), sign);
                arithmetic(op, left, right, boolean)
            }
            Operator::Add | Operator::Sub => {
                let (left, right) = (self.expr(left), self.expr(right));
                let out = self.types.free();
                let (l, r) = (left.ty, right.ty);
                if op == Operator::Add {
                    self.require(RuleKind::Sum { left: l, right: r, out }, span);
                    arithmetic(BinaryOp::Add, left, right, out)
                } else {
                    self.require(RuleKind::Difference { left: l, right: r, out }, span);
                    arithmetic(BinaryOp::Sub, left, right, out)
                }
            }
            Operator::Mul | Operator::Div | Operator::Rem => {
                let op = match op {
                    Operator::Mul => BinaryOp::Mul,
                    Operator::Div => BinaryOp::Div,
                    _ => BinaryOp::Rem,
                };
                let (left, right) = (self.int(left), self.int(right));
                let ty = self.scalar(Scalar::Int, span);
                arithmetic(op, left, right, ty)
            }
        }
    }

    fn member(&mut self, left: &Expr, right: &Expr, boolean: Ty, span: &Range<u32>) -> Node {
        let kind = match self.head_or_unknown(right) {
            Head::Table(table) => {
                let key = self.types.columns(table)[0].1;
                let key = Box::new(self.check(left, key));
                NodeKind::HasRow { table, key }
            }
            head => {
                let list = self.value(head, &right.span);
                let item = self.expr(left);
                let needed = self.types.list(item.ty, None);
                self.unify(list.ty, needed, &right.span);
                NodeKind::In(Box::new(item), Box::new(list))
            }
        };
        Node { kind, ty: boolean, span: span.clone() }
    }

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

    fn column(&mut self, table: TableId, name: &Name) -> Option<crate::model::ids::ColumnId> {
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

    /// A literal length of time: `duration('5ms')`.
    pub(super) fn duration(&mut self, arg: &Expr, span: &Range<u32>) -> Option<Node> {
        let Kind::Text(text) = &arg.kind else {
            self.problem(
                &arg.span,
                "a length of time is written as a fixed text",
                Some("duration('5ms')".into()),
            );
            return None;
        };
        let Some(word) = parse_duration(text) else {
            let hint = "a whole number and one of ns us ms s min h d, as in '5ms'".to_owned();
            self.problem(&arg.span, &format!("`{text}` is no length of time"), Some(hint));
            return None;
        };
        Some(Node {
            kind: NodeKind::Const(word),
            ty: self.scalar(Scalar::Duration, span),
            span: span.clone(),
        })
    }
}

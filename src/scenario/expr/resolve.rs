//! What the names of an expression mean, and what its types have to do with each other. Macros have a file of their own.

use std::ops::Range;

use super::ast::{Expr, Kind, Operator};
use super::draft::{Draft, Node, NodeKind};
use super::heads::Head;
use super::problem::{Place, Problem};
use super::rules::RuleKind;
use super::scope::Scope;
use super::types::{Scalar, Ty, Types, at};
use crate::model::expr::{BOUND_ROWS, BinaryOp, UnaryOp};
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

    pub(super) fn int(&mut self, ast: &Expr) -> Node {
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

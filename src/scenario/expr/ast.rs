//! The tree as it is written, before names and types mean anything. Calls of operations and addresses (`t[k].field`,
//! `t[]`) are read by the same grammar, so this tree serves them too.

use std::ops::Range;

/// An expression as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes of the text.
    pub span: Range<u32>,
}

/// The forms of a written expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number; a minus before it belongs to it.
    Int(i64),
    /// A text, unescaped.
    Text(String),
    /// A name.
    Name(String),
    /// `of.name`
    Select {
        /// What is selected from.
        of: Box<Expr>,
        /// The field.
        name: Name,
    },
    /// `of[index]`, or `of[]` without an index.
    Index {
        /// What is indexed.
        of: Box<Expr>,
        /// The index; `of[]` asks for a fresh key and is an address only.
        index: Option<Box<Expr>>,
    },
    /// `name(args)` or `of.name(args)`.
    Call {
        /// What stands before the dot.
        of: Option<Box<Expr>>,
        /// What is called.
        name: Name,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{'a': 1}`
    Map(Vec<(Expr, Expr)>),
    /// `!x`
    Not(Box<Expr>),
    /// `-x`
    Neg(Box<Expr>),
    /// An operator between two operands.
    Binary {
        /// The operator.
        op: Operator,
        /// Where the operator itself stands.
        at: Range<u32>,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `test ? yes : no`
    Cond(Box<Expr>, Box<Expr>, Box<Expr>),
}

impl Expr {
    /// Visits the expressions that it is made of, in the order of the text.
    pub fn for_each_child<'a>(&'a self, mut visit: impl FnMut(&'a Expr)) {
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Text(_) | Kind::Name(_) => {}
            Kind::Select { of, .. } | Kind::Not(of) | Kind::Neg(of) => visit(of),
            Kind::Index { of, index } => {
                visit(of);
                index.iter().for_each(|index| visit(index));
            }
            Kind::Call { of, args, .. } => {
                of.iter().for_each(|of| visit(of));
                args.iter().for_each(visit);
            }
            Kind::List(items) => items.iter().for_each(visit),
            Kind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).for_each(visit),
            Kind::Binary { left, right, .. } => [left, right].into_iter().for_each(|side| visit(side)),
            Kind::Cond(test, yes, no) => [test, yes, no].into_iter().for_each(|part| visit(part)),
        }
    }

    /// The parts of a call as clients and steps make it: `service.operation(args)` or `flow(args)`.
    pub fn as_call(&self) -> Option<Call<'_>> {
        let Kind::Call { of, name, args } = &self.kind else { return None };
        let service = match of.as_deref() {
            None => None,
            Some(Expr { kind: Kind::Name(service), span }) => Some((service.as_str(), span.clone())),
            Some(_) => return None,
        };
        Some(Call { service, name, args })
    }
}

/// A call of an operation or a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The service, and where it stands; a flow has none.
    pub service: Option<(&'a str, Range<u32>)>,
    /// The operation or flow.
    pub name: &'a Name,
    /// The arguments.
    pub args: &'a [Expr],
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where, in bytes.
    pub span: Range<u32>,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl Operator {
    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Or => "||",
            Operator::And => "&&",
            Operator::Eq => "==",
            Operator::Ne => "!=",
            Operator::Lt => "<",
            Operator::Le => "<=",
            Operator::Gt => ">",
            Operator::Ge => ">=",
            Operator::In => "in",
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::Div => "/",
            Operator::Rem => "%",
        }
    }

    /// How tightly it binds, from 1; all are left-associative.
    pub(super) fn level(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::And => 2,
            Operator::Eq
            | Operator::Ne
            | Operator::Lt
            | Operator::Le
            | Operator::Gt
            | Operator::Ge
            | Operator::In => 3,
            Operator::Add | Operator::Sub => 4,
            Operator::Mul | Operator::Div | Operator::Rem => 5,
        }
    }
}

//! The expressions of one document while it is read: parsed and resolved at once, completed when all types are known.
//!
//! The model is built with holes in the places of expressions. A hole is an [`Expr`] that no text can yield; it holds
//! the number of its draft. [`Exprs::fill`] puts the typed expression there, after [`Exprs::settle`].

use std::ops::Range;
use std::sync::Arc;

use super::super::code::Code;
use super::super::expr::ast::{Expr as Ast, Kind as AstKind};
use super::super::expr::{
    self, AddressDraft, Binding, Draft, Names, Scalar, TESTED_ROW, Target, Ty, Types, parse,
};
use super::super::problem::{Problem, Problems, quote};
use super::super::source::Place;
use super::super::tree::{Kind, Node, Text};
use crate::model::expr::{Expr, ExprKind, RecordField};
use crate::model::ids::ColumnId;
use crate::model::service::{Address, Publish, Write};
use crate::model::symbols::Symbols;
use crate::model::value::{NULL, Type};

/// Marks a hole: no expression is that long.
const HOLE: u32 = u32::MAX;
/// In place of a column: the value is a record whose fields are columns.
pub(super) const WHOLE: u16 = u16::MAX;

/// A text that expressions stand in.
#[derive(Clone, Debug)]
enum Written {
    Text(Text),
    Whole(Place),
}

#[derive(Clone, Debug)]
enum Hole {
    Value(Draft),
    Address(AddressDraft),
    /// A record whose fields are written one by one.
    Record(Ty, Vec<(String, Expr)>),
    /// It was reported.
    Bad,
}

/// A written expression with the number of its text.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub(super) ast: Ast,
    pub(super) source: u32,
}

/// The expressions of a document, and the types inferred so far.
#[derive(Clone, Debug)]
pub(super) struct Exprs {
    pub(super) types: Types,
    texts: Vec<Written>,
    holes: Vec<Arc<Hole>>,
    /// Texts in expressions that may look like generated names.
    like_names: Vec<(String, u32, Range<u32>)>,
}

impl Exprs {
    pub(super) fn new() -> Self {
        Exprs { types: Types::new(), texts: Vec::new(), holes: Vec::new(), like_names: Vec::new() }
    }

    /// Reports texts that look like the names of a generator. What `unique` makes is equal to itself alone, so such a
    /// comparison would always come out the same.
    pub(super) fn report_like_names(&self, symbols: &Symbols, problems: &mut Problems) {
        for (text, source, range) in self.like_names.iter().filter(|(text, ..)| symbols.looks_generated(text))
        {
            let message = format!("{} is a text, and never what `unique` makes", quote(text));
            let hint =
                "a value of `unique` is equal to itself alone: compare arguments and fields that hold it";
            problems.push(Problem::warning(Code::LikeUnique, self.place(*source, range), message).hint(hint));
        }
    }

    fn written(&mut self, text: Written) -> u32 {
        self.texts.push(text);
        (self.texts.len() - 1) as u32
    }

    /// A place for types that come from plain data.
    pub(super) fn data_place(&mut self, place: Place) -> expr::Place {
        let source = self.written(Written::Whole(place));
        expr::Place { source, range: 0..0 }
    }

    /// Where a part of a text is written.
    pub(super) fn place(&self, source: u32, range: &Range<u32>) -> Place {
        match &self.texts[source as usize] {
            Written::Text(text) => text.place_in(range.start as usize..range.end as usize),
            Written::Whole(place) => *place,
        }
    }

    /// Reports what the expression language found.
    pub(super) fn report(&self, problem: expr::Problem, problems: &mut Problems) {
        let place = self.place(problem.place.source, &problem.place.range);
        let mut said = Problem::error(Code::Meaning, place, problem.message).maybe_hint(problem.hint);
        if let Some((other, words)) = problem.other {
            said = said.also(self.place(other.source, &other.range), words);
        }
        problems.push(said);
    }

    /// Parses a text.
    pub(super) fn parse_text(&mut self, text: &Text, problems: &mut Problems) -> Option<Parsed> {
        let source = self.written(Written::Text(text.clone()));
        match parse(&text.value) {
            Ok(ast) => {
                // Hardly any text has a number with a point in it, so most need not be looked through.
                let bytes = text.value.as_bytes();
                if bytes.windows(3).any(|w| w[1] == b'.' && w[0].is_ascii_digit() && w[2].is_ascii_digit()) {
                    like_names(&ast, source, &mut self.like_names);
                }
                Some(Parsed { ast, source })
            }
            Err(wrong) => {
                for problem in wrong {
                    let place = self.place(source, &problem.range);
                    let said = Problem::error(Code::Syntax, place, problem.message);
                    problems.push(said.maybe_hint(problem.hint));
                }
                None
            }
        }
    }

    /// Parses a text; numbers, booleans and null stand for themselves.
    pub(super) fn parse_node(&mut self, node: &Node, problems: &mut Problems) -> Option<Parsed> {
        let kind = match &node.kind {
            Kind::Text(text) => return self.parse_text(text, problems),
            Kind::Null => AstKind::Null,
            Kind::Bool(value) => AstKind::Bool(*value),
            Kind::Number(number) => match super::super::quantity::integer(number) {
                Ok(value) => AstKind::Int(value),
                Err(wrong) => {
                    let problem = Problem::error(wrong.code, node.place, wrong.message);
                    problems.push(problem.maybe_hint(wrong.hint));
                    return None;
                }
            },
            Kind::List(_) | Kind::Object(_) => {
                let message = format!("an expression is a text, not {}", node.kind_name());
                problems.push(Problem::error(Code::WrongKind, node.head(), message));
                return None;
            }
        };
        let source = self.written(Written::Whole(node.place));
        Some(Parsed { ast: Ast { kind, span: 0..0 }, source })
    }

    /// Resolves a written expression; its hole, and its type.
    pub(super) fn resolve(
        &mut self,
        ast: &Ast,
        source: u32,
        scope: &Names,
        expected: Option<Ty>,
        problems: &mut Problems,
    ) -> (Expr, Ty) {
        match expr::resolve(ast, source, scope, &mut self.types, expected) {
            Ok(draft) => {
                let ty = draft.ty();
                (self.hole(Hole::Value(draft)), ty)
            }
            Err(wrong) => {
                wrong.into_iter().for_each(|problem| self.report(problem, problems));
                (self.hole(Hole::Bad), expected.unwrap_or_else(|| self.types.null()))
            }
        }
    }

    /// Parses and resolves a value; a hole in any case.
    pub(super) fn value(
        &mut self,
        node: &Node,
        scope: &Names,
        expected: Option<Ty>,
        problems: &mut Problems,
    ) -> (Expr, Ty) {
        match self.parse_node(node, problems) {
            Some(parsed) => self.resolve(&parsed.ast, parsed.source, scope, expected, problems),
            None => self.bad(expected),
        }
    }

    /// The same, where true or false is expected.
    pub(super) fn truth(&mut self, node: &Node, scope: &Names, problems: &mut Problems) -> Expr {
        let bool = self.types.scalar(Scalar::Bool, None);
        self.value(node, scope, Some(bool), problems).0
    }

    /// A hole for what was reported already.
    pub(super) fn bad(&mut self, expected: Option<Ty>) -> (Expr, Ty) {
        let ty = expected.unwrap_or_else(|| self.types.null());
        (self.hole(Hole::Bad), ty)
    }

    /// A record of values that were resolved already.
    pub(super) fn record(&mut self, fields: Vec<(String, Expr, Ty)>, place: Place) -> (Expr, Ty) {
        let place = self.data_place(place);
        let typed = fields.iter().map(|(name, _, ty)| (name.clone(), *ty)).collect();
        let ty = self.types.record(typed, Some(place));
        let values = fields.into_iter().map(|(name, value, _)| (name, value)).collect();
        (self.hole(Hole::Record(ty, values)), ty)
    }

    /// Resolves an address.
    pub(super) fn address(
        &mut self,
        parsed: &Parsed,
        scope: &Names,
        problems: &mut Problems,
    ) -> Option<(AddressDraft, Address)> {
        match expr::resolve_address(&parsed.ast, parsed.source, scope, &mut self.types) {
            Ok(draft) => {
                let hole = self.hole(Hole::Address(draft.clone()));
                Some((draft, Address::Key(hole)))
            }
            Err(wrong) => {
                for problem in wrong {
                    self.report(problem, problems);
                }
                None
            }
        }
    }

    /// Makes two types one.
    pub(super) fn unify(&mut self, found: Ty, needed: Ty, place: &expr::Place, problems: &mut Problems) {
        if let Err(problem) = self.types.unify(found, needed, place) {
            self.report(problem, problems);
        }
    }

    fn hole(&mut self, hole: Hole) -> Expr {
        self.holes.push(Arc::new(hole));
        Expr::new(ExprKind::Const(NULL), Type::Null, (self.holes.len() - 1) as u32..HOLE)
    }

    fn hole_of(&self, expr: &Expr) -> Option<&Hole> {
        if expr.span.end == HOLE {
            self.holes.get(expr.span.start as usize).map(|hole| &**hole)
        } else {
            None
        }
    }

    /// Decides what is still open about types.
    pub(super) fn settle(&mut self, problems: &mut Problems) {
        for problem in self.types.settle() {
            self.report(problem, problems);
        }
    }

    /// Completes a hole.
    pub(super) fn fill(&self, expr: &mut Expr, symbols: &mut Symbols, problems: &mut Problems) {
        match self.hole_of(expr) {
            Some(Hole::Value(draft)) => match expr::finish(draft, &self.types, symbols) {
                Ok(done) => *expr = done,
                Err(wrong) => wrong.into_iter().for_each(|problem| self.report(problem, problems)),
            },
            Some(Hole::Record(ty, fields)) => {
                let ty = self.known(*ty);
                let Type::Record(order) = &ty else { return };
                let mut parts = Vec::new();
                for (name, of) in order {
                    let written = fields.iter().find(|(field, _)| field == name);
                    let mut value =
                        written.map_or(Expr::constant(NULL, of.clone()), |(_, value)| value.clone());
                    self.fill(&mut value, symbols, problems);
                    parts.push(RecordField { name: name.clone(), value });
                }
                *expr = Expr::new(ExprKind::Record(parts), ty, 0..0);
            }
            _ => {}
        }
    }

    /// Completes a write: its address and its values.
    pub(super) fn fill_write(&self, write: &mut Write, symbols: &mut Symbols, problems: &mut Problems) {
        self.fill_address(&mut write.at, symbols, problems);
        let mut values = Vec::new();
        for (column, mut value) in std::mem::take(&mut write.values) {
            self.fill(&mut value, symbols, problems);
            if column.0 != WHOLE {
                values.push((column, value));
                continue;
            }
            for (name, part) in fields_of(value) {
                match self.types.column(write.table, &name) {
                    Some(column) if column != ColumnId::KEY => values.push((column, part)),
                    _ => {}
                }
            }
        }
        write.values = values;
    }

    /// Completes an event.
    pub(super) fn fill_publish(
        &self,
        publish: &mut Publish,
        topic: &[(String, Ty)],
        symbols: &mut Symbols,
        problems: &mut Problems,
    ) {
        let mut fields = Vec::new();
        for (field, mut value) in std::mem::take(&mut publish.fields) {
            self.fill(&mut value, symbols, problems);
            if field != WHOLE {
                fields.push((field, value));
                continue;
            }
            for (name, part) in fields_of(value) {
                // What no subscriber asks for need not travel.
                let known = topic.iter().position(|(known, _)| *known == name);
                fields.extend(known.map(|at| (at as u16, part)));
            }
        }
        publish.fields = fields;
    }

    fn fill_address(&self, at: &mut Address, symbols: &mut Symbols, problems: &mut Problems) {
        let Address::Key(hole) = at else { return };
        let Some(Hole::Address(draft)) = self.hole_of(hole) else { return };
        match expr::finish_address(draft, &self.types, symbols) {
            Ok(address) => {
                *at = match address.target {
                    Target::Key(key) => Address::Key(key),
                    Target::Fresh => Address::Fresh,
                    Target::Where(tests) => Address::Matching(all_of(tests)),
                }
            }
            Err(wrong) => wrong.into_iter().for_each(|problem| self.report(problem, problems)),
        }
    }

    /// What is known of a type so far.
    pub(super) fn known(&self, ty: Ty) -> Type {
        self.types.resolved(ty).unwrap_or(Type::Null)
    }
}

/// Texts that end like generated names: in a number, a point and a number.
fn like_names(ast: &Ast, source: u32, found: &mut Vec<(String, u32, Range<u32>)>) {
    if let AstKind::Text(text) = &ast.kind
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.contains('.')
    {
        found.push((text.clone(), source, ast.span.clone()));
    }
    ast.for_each_child(|child| like_names(child, source, found));
}

/// The fields of a record, each as an expression of its own.
fn fields_of(record: Expr) -> Vec<(String, Expr)> {
    let Type::Record(fields) = record.ty.clone() else { return Vec::new() };
    if let ExprKind::Record(parts) = record.kind {
        return parts.into_iter().map(|part| (part.name, part.value)).collect();
    }
    let part = |(index, (name, ty)): (usize, (String, Type))| {
        let of = Box::new(record.clone());
        let kind = ExprKind::Field { of, name: name.clone(), index: index as u16 };
        (name, Expr::new(kind, ty, record.span.clone()))
    };
    fields.into_iter().enumerate().map(part).collect()
}

/// One test for all, over row variable 0.
fn all_of(tests: Vec<Expr>) -> Expr {
    let both = |left: Expr, right: Expr| {
        let span = left.span.start..right.span.end;
        Expr::new(ExprKind::And(Box::new(left), Box::new(right)), Type::Bool, span)
    };
    let mut test = tests.into_iter().reduce(both).unwrap_or_else(|| Expr::truth(true));
    rebind(&mut test);
    test
}

fn rebind(expr: &mut Expr) {
    if let ExprKind::RowVar { var, .. } | ExprKind::RowVarRecord { var, .. } = &mut expr.kind
        && *var == TESTED_ROW
    {
        *var = 0;
    }
    expr.for_each_child_mut(rebind);
}

/// The same expression without places, to compare with.
pub(super) fn unplaced(ast: &Ast) -> Ast {
    let all = |list: &[Ast]| list.iter().map(unplaced).collect::<Vec<_>>();
    let boxed = |ast: &Ast| Box::new(unplaced(ast));
    let name = |name: &expr::ast::Name| expr::ast::Name { text: name.text.clone(), span: 0..0 };
    let kind = match &ast.kind {
        AstKind::Select { of, name: field } => AstKind::Select { of: boxed(of), name: name(field) },
        AstKind::Index { of, index } => AstKind::Index { of: boxed(of), index: index.as_deref().map(boxed) },
        AstKind::Call { of, name: called, args } => {
            AstKind::Call { of: of.as_deref().map(boxed), name: name(called), args: all(args) }
        }
        AstKind::List(items) => AstKind::List(all(items)),
        AstKind::Map(entries) => {
            AstKind::Map(entries.iter().map(|(key, value)| (unplaced(key), unplaced(value))).collect())
        }
        AstKind::Not(of) => AstKind::Not(boxed(of)),
        AstKind::Neg(of) => AstKind::Neg(boxed(of)),
        AstKind::Binary { op, left, right, .. } => {
            AstKind::Binary { op: *op, at: 0..0, left: boxed(left), right: boxed(right) }
        }
        AstKind::Cond(test, yes, no) => AstKind::Cond(boxed(test), boxed(yes), boxed(no)),
        leaf => leaf.clone(),
    };
    Ast { kind, span: 0..0 }
}

/// A slot of the caller.
pub(super) fn local(slot: usize, ty: Ty) -> Binding {
    Binding::Local { slot: slot as u16, ty }
}

//! Random typed expressions: compiled code must do what a naive walk over the tree does, failures included.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::shape::Shape;
use super::testing::{Walker, World};
use super::{BinaryOp, Code, Expr, ExprKind, Failure, Fold, Over, RecordField, Scratch, UnaryOp, eval};
use crate::model::ids::{ColumnId, TableId};
use crate::model::value::{NULL, Type, Word};

/// Grows a tree out of bytes; without more bytes it ends in constants.
struct Grower<'a> {
    bytes: &'a [u8],
    next_var: u16,
    rows: Vec<u16>,
    elements: Vec<u16>,
    nodes: u32,
}

fn ints() -> Type {
    Type::List(Box::new(Type::Int))
}

impl Grower<'_> {
    fn choose(&mut self, below: u8) -> u8 {
        let Some((&first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        first % below
    }

    fn make(&mut self, kind: ExprKind, ty: Type) -> Expr {
        self.nodes += 1;
        Expr::new(kind, ty, self.nodes..self.nodes + 1)
    }

    fn boxed(&mut self, depth: u32, grow: fn(&mut Self, u32) -> Expr) -> Box<Expr> {
        Box::new(grow(self, depth.saturating_sub(1)))
    }

    fn int(&mut self, depth: u32) -> Expr {
        let leaf = depth == 0 || self.bytes.is_empty();
        let kind = match if leaf { self.choose(5) } else { 2 + self.choose(15) } {
            0 => ExprKind::Const(Word::from(self.choose(5)) - 1),
            1 => ExprKind::Const([1, 2, NULL, Word::MAX, -Word::MAX, 0, 1, 2][usize::from(self.choose(8))]),
            2 => ExprKind::Local([0, 0, 0, 1, 3, 0, 3, 2][usize::from(self.choose(8))]),
            3 if !self.rows.is_empty() => {
                let nth = self.choose(self.rows.len() as u8);
                let var = self.rows[usize::from(nth)];
                ExprKind::RowVar { var, table: TableId(0), column: ColumnId(self.choose(2).into()) }
            }
            4 if !self.elements.is_empty() => {
                let nth = self.choose(self.elements.len() as u8);
                let var = self.elements[usize::from(nth)];
                ExprKind::Element(var)
            }
            3 | 4 => ExprKind::Now,
            5 | 6 => {
                let key = match self.choose(6) {
                    0..4 => Box::new(Expr::constant([1, 2, 5][usize::from(self.choose(3))], Type::Int)),
                    _ => self.boxed(depth, Self::int),
                };
                ExprKind::Cell { table: TableId(0), key, column: ColumnId(self.choose(3).into()) }
            }
            7 => ExprKind::Unary(UnaryOp::Neg, self.boxed(depth, Self::int)),
            8..=10 => {
                use BinaryOp::*;
                let op = [Add, Sub, Mul, Div, Rem][usize::from(self.choose(5))];
                ExprKind::Binary(op, self.boxed(depth, Self::int), self.boxed(depth, Self::int))
            }
            11 => ExprKind::Cond(
                self.boxed(depth, Self::truth),
                self.boxed(depth, Self::int),
                self.boxed(depth, Self::int),
            ),
            12 => ExprKind::Size(self.boxed(depth, Self::list)),
            13 => ExprKind::Index(self.boxed(depth, Self::list), self.boxed(depth, Self::int)),
            14 => ExprKind::IndexOf(self.boxed(depth, Self::list), self.boxed(depth, Self::int)),
            15 => {
                let fields = Type::Record(vec![("a".into(), Type::Int), ("b".into(), Type::Int)]);
                let (a, b) = (self.int(depth - 1), self.int(depth - 1));
                let fields_of = |name: &str, value| RecordField { name: name.into(), value };
                let record = self.make(ExprKind::Record(vec![fields_of("a", a), fields_of("b", b)]), fields);
                ExprKind::Field { of: Box::new(record), name: "b".into(), index: 1 }
            }
            _ => {
                let fold = [Fold::Sum, Fold::Min, Fold::Max, Fold::Count][usize::from(self.choose(4))];
                self.pass(depth, fold, Self::int)
            }
        };
        self.make(kind, Type::Int)
    }

    fn row_var(&mut self) -> Box<Expr> {
        let var = self.rows[self.rows.len() - 1];
        let column = ColumnId(self.choose(3).into());
        Box::new(self.make(ExprKind::RowVar { var, table: TableId(0), column }, Type::Int))
    }

    fn truth(&mut self, depth: u32) -> Expr {
        let leaf = depth == 0 || self.bytes.is_empty();
        let kind = match if leaf { self.choose(2) } else { 1 + self.choose(15) } {
            0 => ExprKind::Const([0, 1, 0, 1, NULL][usize::from(self.choose(5))]),
            1 => ExprKind::Local([4, 5, 4, 5, 6][usize::from(self.choose(5))]),
            2..=4 => {
                use BinaryOp::*;
                let op = [Eq, Ne, Lt, Le, Gt, Ge][usize::from(self.choose(6))];
                ExprKind::Binary(op, self.boxed(depth, Self::int), self.boxed(depth, Self::int))
            }
            5 => ExprKind::Unary(UnaryOp::Not, self.boxed(depth, Self::truth)),
            6 | 7 => ExprKind::And(self.boxed(depth, Self::truth), self.boxed(depth, Self::truth)),
            8 | 9 => ExprKind::Or(self.boxed(depth, Self::truth), self.boxed(depth, Self::truth)),
            10 => ExprKind::HasRow { table: TableId(0), key: self.boxed(depth, Self::int) },
            11 => ExprKind::In(self.boxed(depth, Self::int), self.boxed(depth, Self::list)),
            12 => {
                ExprKind::Binary(BinaryOp::Eq, self.boxed(depth, Self::list), self.boxed(depth, Self::list))
            }
            // What passes go straight to.
            13 | 14 if !self.rows.is_empty() => {
                let (row, other) = (self.row_var(), self.boxed(0, Self::int));
                let (left, right) = if self.choose(2) == 0 { (row, other) } else { (other, row) };
                let op = [BinaryOp::Eq, BinaryOp::Ne][usize::from(self.choose(2))];
                ExprKind::Binary(op, left, right)
            }
            _ => {
                let fold = [Fold::All, Fold::Exists, Fold::ExistsOne][usize::from(self.choose(3))];
                self.pass(depth, fold, Self::truth)
            }
        };
        self.make(kind, Type::Bool)
    }

    fn list(&mut self, depth: u32) -> Expr {
        let leaf = depth == 0 || self.bytes.is_empty();
        let kind = match if leaf { self.choose(2) } else { 1 + self.choose(6) } {
            0 | 2 => {
                let count = if leaf { 0 } else { self.choose(4) };
                ExprKind::List((0..count).map(|_| self.int(depth - 1)).collect())
            }
            1 => ExprKind::Local([7, 7, 7, 8][usize::from(self.choose(4))]),
            3 => ExprKind::Binary(
                BinaryOp::Concat,
                self.boxed(depth, Self::list),
                self.boxed(depth, Self::list),
            ),
            4 => ExprKind::Binary(
                BinaryOp::Append,
                self.boxed(depth, Self::list),
                self.boxed(depth, Self::int),
            ),
            5 => ExprKind::Cond(
                self.boxed(depth, Self::truth),
                self.boxed(depth, Self::list),
                self.boxed(depth, Self::list),
            ),
            _ => self.pass(depth, Fold::Collect, Self::int),
        };
        self.make(kind, ints())
    }

    fn pass(&mut self, depth: u32, fold: Fold, body: fn(&mut Self, u32) -> Expr) -> ExprKind {
        let rows = self.choose(2) == 0;
        let over = if rows { Over::Rows(TableId(0)) } else { Over::List(self.boxed(depth, Self::list)) };
        let var = self.next_var;
        self.next_var += 1;
        let vars = if rows { &mut self.rows } else { &mut self.elements };
        vars.push(var);
        let keep = (0..self.choose(2)).map(|_| self.truth(depth - 1)).collect();
        let body = (fold != Fold::Count).then(|| Box::new(body(self, depth - 1)));
        let vars = if rows { &mut self.rows } else { &mut self.elements };
        vars.pop();
        ExprKind::Loop { over, var, name: Default::default(), keep, fold, body }
    }
}

fn world() -> (World, [Word; 9]) {
    let rows = BTreeMap::from([(1, vec![7, NULL]), (2, vec![0, 3]), (5, vec![-4, 1])]);
    let mut world = World { tables: vec![rows], ..World::default() };
    let list = world.heap.tuple(&[3, 1, 0, 3]);
    (world, [2, 0, NULL, -3, 0, 1, NULL, list, NULL])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn code_does_what_the_tree_says(kind in 0..3, bytes in prop::collection::vec(any::<u8>(), 3..250)) {
        let mut grower = Grower { bytes: &bytes, next_var: 4, rows: vec![], elements: vec![], nodes: 0 };
        let expr = match kind {
            0 => grower.int(7),
            1 => grower.truth(7),
            _ => grower.list(7),
        };
        let (mut plain, locals) = world();
        let expected = Walker { world: &mut plain, locals: &locals, bound: vec![] }.value(&expr);
        let (mut view, locals) = world();
        let code = Code::compile(&expr);
        let mut scratch = Scratch::new();
        let found = eval(&code, &locals, &mut view, &mut scratch);
        // Lists are compared by content, since the two worlds number them differently.
        let content = |word: Result<Word, Failure>, world: &World| {
            word.map(|word| if kind == 2 && word != NULL { world.heap.get(word).to_vec() } else { vec![word] })
        };
        prop_assert_eq!(content(found, &view), content(expected, &plain), "{:#?}\n{:#?}", expr, code);
        // What was left behind by one evaluation must not reach into the next.
        let again = eval(&code, &locals, &mut view, &mut scratch);
        prop_assert_eq!(again, found);
        // Nor may the short way differ from the long one.
        let long = Code { shape: Shape::Other, ..code };
        prop_assert_eq!(eval(&long, &locals, &mut view, &mut scratch), found);
    }
}

//! Random expressions of every shape on ordinary and extreme words, null, rows that are missing and sums that overflow: the
//! shape must say what the machine and the naive walk say, failures and their places included.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::shape::{self, Shape};
use super::testing::{Walker, World};
use super::{BinaryOp, Code, Counter, EventField, Expr, ExprKind, Failure, Scratch, UnaryOp, eval};
use crate::model::ids::{ColumnId, TableId};
use crate::model::value::{NULL, Type, Word};

/// The last ones are the keys of rows.
const WORDS: [Word; 10] = [NULL, NULL + 1, Word::MAX, Word::MAX - 1, -1, 0, 1, 2, 5, 5_000_000];
/// Slots from here on are booleans.
const TRUTHS: u16 = 8;
const SLOTS: u16 = 12;

const COMPARISONS: [BinaryOp; 6] =
    [BinaryOp::Eq, BinaryOp::Ne, BinaryOp::Lt, BinaryOp::Le, BinaryOp::Gt, BinaryOp::Ge];

fn int(kind: ExprKind) -> Expr {
    Expr::new(kind, Type::Int, 0..0)
}

fn truth(kind: ExprKind) -> Expr {
    Expr::new(kind, Type::Bool, 0..0)
}

fn row(var: u16, column: u16) -> Expr {
    int(ExprKind::RowVar { var, table: TableId(0), column: ColumnId(column) })
}

fn cell(key: Expr, column: u16) -> Expr {
    int(ExprKind::Cell { table: TableId(0), key: Box::new(key), column: ColumnId(column) })
}

fn two(op: BinaryOp, left: Expr, right: Expr) -> ExprKind {
    ExprKind::Binary(op, Box::new(left), Box::new(right))
}

fn words() -> impl Strategy<Value = Word> {
    prop_oneof![4 => prop::sample::select(&WORDS[..]), 1 => any::<Word>(), 2 => -3..6i64]
}

fn key() -> impl Strategy<Value = Expr> {
    prop_oneof![
        words().prop_map(|word| Expr::constant(word, Type::Int)),
        // The last slot is not there.
        (0..SLOTS + 1).prop_map(|slot| int(ExprKind::Local(slot))),
        (0u16..3, 0u16..3).prop_map(|(var, column)| row(var, column)),
    ]
}

fn operand() -> impl Strategy<Value = Expr> {
    prop_oneof![
        6 => key(),
        4 => (key(), 0u16..3).prop_map(|(key, column)| cell(key, column)),
        1 => Just(int(ExprKind::Now)),
        1 => Just(int(ExprKind::EventField(EventField::Seq))),
        1 => Just(int(ExprKind::Counter(Counter::Lost))),
    ]
}

fn boolean() -> impl Strategy<Value = Expr> {
    prop_oneof![
        (TRUTHS..SLOTS).prop_map(|slot| truth(ExprKind::Local(slot))),
        (0u16..3).prop_map(|var| truth(row(var, 3).kind)),
        key().prop_map(|key| truth(cell(key, 3).kind)),
    ]
}

fn test() -> impl Strategy<Value = Expr> {
    let plain = prop_oneof![
        6 => (prop::sample::select(&COMPARISONS[..]), operand(), operand())
            .prop_map(|(op, left, right)| truth(two(op, left, right))),
        1 => operand().prop_map(|of| truth(ExprKind::Has(Box::new(of)))),
        2 => operand().prop_map(|key| truth(ExprKind::HasRow { table: TableId(0), key: Box::new(key) })),
        2 => boolean(),
    ];
    (plain, 0..3usize).prop_map(|(test, nots)| {
        (0..nots).fold(test, |test, _| truth(ExprKind::Unary(UnaryOp::Not, Box::new(test))))
    })
}

fn chain() -> impl Strategy<Value = Expr> {
    (prop::collection::vec(test(), 2..5), any::<bool>(), any::<bool>()).prop_map(|(mut tests, or, left)| {
        let join = |a: Expr, b: Expr| {
            let (a, b) = if left { (Box::new(a), Box::new(b)) } else { (Box::new(b), Box::new(a)) };
            truth(if or { ExprKind::Or(a, b) } else { ExprKind::And(a, b) })
        };
        let first = tests.remove(0);
        tests.into_iter().fold(first, join)
    })
}

fn expression() -> impl Strategy<Value = Expr> {
    let op = prop::sample::select(&[BinaryOp::Add, BinaryOp::Sub][..]);
    prop_oneof![
        1 => operand(),
        1 => operand().prop_map(|of| int(ExprKind::Unary(UnaryOp::Neg, Box::new(of)))),
        3 => (op, operand(), operand()).prop_map(|(op, left, right)| int(two(op, left, right))),
        3 => test(),
        4 => chain(),
    ]
}

/// Gives every part a place of its own.
fn place(expr: &mut Expr, next: &mut u32) {
    expr.span = *next..*next + 1;
    *next += 1;
    expr.for_each_child_mut(|child| place(child, next));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shape_says_what_machine_and_tree_say(
        expr in expression(),
        locals in prop::collection::vec(words(), usize::from(TRUTHS)),
        truths in prop::collection::vec(prop::sample::select(vec![0, 1, NULL]), usize::from(SLOTS - TRUTHS)),
        cells in prop::collection::vec((words(), words(), prop::sample::select(vec![0, 1, NULL])), 3),
        bound in prop::collection::vec(0u32..3, 3),
    ) {
        let mut expr = expr;
        place(&mut expr, &mut 0);
        let locals = [locals, truths].concat();
        let rows = cells.into_iter().map(|(a, b, truth)| vec![a, b, truth]);
        let rows: BTreeMap<Word, Vec<Word>> = [1, 2, 5].into_iter().zip(rows).collect();
        let world = || World { tables: vec![rows.clone()], ..World::default() };
        let mut scratch = Scratch::new();
        let bound: Vec<(u16, Word)> = (0..).zip(bound.iter().map(|&rank| Word::from(rank + 10))).collect();
        bound.iter().for_each(|&(var, row)| scratch.bind_row(var, row as u32));

        let (&key, cells) = rows.iter().nth(bound[0].1 as usize - 10).unwrap();
        let cells = [&[key], &cells[..]].concat();

        let expected = Walker { world: &mut world(), locals: &locals, bound }.value(&expr);
        let code = Code::compile(&expr);
        prop_assert!(!matches!(code.shape, Shape::Other | Shape::Scalar), "{:?}", expr);
        if let Some(holds) = code.holds_of(&cells) {
            prop_assert_eq!(Ok(Word::from(holds)), expected);
        }
        if let Some(tests) = code.cell_tests() {
            let all: Option<Vec<bool>> = tests.iter().map(|test| test.holds_of(&cells)).collect();
            prop_assert!(all.is_none_or(|all| Ok(Word::from(!all.contains(&false))) == expected));
        }
        let mut again = world();
        let found = eval(&code, &locals, &mut world(), &mut scratch);
        prop_assert_eq!(found, expected, "{:#?}\n{:#?}", expr, code);
        let place = code.failed_span(&scratch);
        let mut view = world();
        let short = shape::run(&code, &locals, &mut view, &mut scratch);
        prop_assert!(short.is_none() || short.ok_or(Failure::Empty) == expected);
        let long = Code { shape: Shape::Other, ..code };
        prop_assert_eq!(eval(&long, &locals, &mut again, &mut scratch), expected);
        // What is looked at may be noted as read, each row once: so the short way looks at the same rows in the same order,
        // and where it gives up at the first of them.
        prop_assert!(again.looks.starts_with(&view.looks), "{:?} {:?}", view.looks, again.looks);
        prop_assert!(short.is_none() || view.looks.len() == again.looks.len(), "{:?}", again.looks);
        prop_assert!(found.is_ok() || place == long.failed_span(&scratch));
    }
}

#[test]
fn every_shape_is_recognised() {
    let local = |slot| int(ExprKind::Local(slot));
    let five = || Expr::constant(5, Type::Int);
    let shape = |expr: Expr| format!("{:?}", Code::compile(&expr).shape);
    let ge = |left, right| truth(two(BinaryOp::Ge, left, right));
    let and = |left, right| truth(ExprKind::And(Box::new(left), Box::new(right)));
    let cell_of = |key| Box::new(cell(key, 1));
    let cond = ExprKind::Cond(Box::new(local(8)), Box::new(local(1)), Box::new(local(2)));
    let product = int(two(BinaryOp::Mul, local(0), local(1)));
    for (expr, start) in [
        (five(), "Const(5)"),
        (int(two(BinaryOp::Add, five(), five())), "Const(10)"),
        (local(3), "Local(3)"),
        (cell(local(0), 1), "Cell(Cell {"),
        (cell(five(), 1), "Operand(CellConst {"),
        (cell(row(0, 1), 1), "Operand(CellOfRow {"),
        (row(0, 1), "Operand(Row("),
        (int(two(BinaryOp::Add, cell(local(0), 1), five())), "CellAnd(Cell {"),
        (int(two(BinaryOp::Sub, cell(local(0), 1), five())), "CellAnd(Cell {"),
        (int(two(BinaryOp::Sub, local(0), local(1))), "Difference(Local(0), Local(1))"),
        (int(two(BinaryOp::Add, local(0), cell(five(), 1))), "Sum(Local(0), CellConst"),
        (int(ExprKind::Unary(UnaryOp::Neg, Box::new(local(0)))), "Difference(Const(0), Local(0))"),
        (ge(local(0), local(1)), "Test(Locals("),
        (ge(local(0), five()), "Test(LocalConst("),
        (ge(row(0, 1), five()), "Test(RowConst("),
        (truth(two(BinaryOp::Eq, row(0, 1), local(1))), "Test(RowIsLocal {"),
        (ge(cell(local(0), 1), five()), "Test(Compare {"),
        (truth(ExprKind::HasRow { table: TableId(0), key: cell_of(local(0)) }), "Test(HasRow {"),
        (and(ge(local(0), local(1)), ge(local(2), five())), "Slots {"),
        (and(ge(local(0), local(1)), ge(row(0, 1), five())), "Chain {"),
        (int(cond), "Scalar"),
        (product, "Other"),
    ] {
        let found = shape(expr);
        assert!(found.starts_with(start), "{found} does not start with {start}");
    }
}

/// What `always` says of rows is mostly of these forms.
#[test]
fn tests_of_cells_are_answered_from_the_cells_alone() {
    let five = || Expr::constant(5, Type::Int);
    let holds = |expr: Expr, cells: &[Word]| Code::compile(&expr).holds_of(cells);
    let is = |op, left, right| truth(two(op, left, right));
    for (value, at_least, below) in [(4, false, true), (5, true, false)] {
        let cells = [1, value, 3];
        assert_eq!(holds(is(BinaryOp::Ge, row(0, 1), five()), &cells), Some(at_least));
        assert_eq!(holds(is(BinaryOp::Lt, row(0, 1), five()), &cells), Some(below));
        assert_eq!(holds(is(BinaryOp::Gt, five(), row(0, 1)), &cells), Some(below));
        assert_eq!(holds(is(BinaryOp::Le, row(0, 2), row(0, 1)), &cells), Some(true));
        let both =
            [is(BinaryOp::Ge, row(0, 1), five()), is(BinaryOp::Le, row(0, 2), row(0, 1))].map(Box::new);
        let [left, right] = both.clone();
        assert_eq!(holds(truth(ExprKind::And(left, right)), &cells), Some(at_least));
        let [left, right] = both;
        assert_eq!(holds(truth(ExprKind::Or(left, right)), &cells), Some(true));
    }
    // `&&` of cells against constants comes apart, `||` does not.
    let apart = |expr: Expr| Code::compile(&expr).cell_tests().map(|tests| tests.len());
    let pair = || [row(0, 1), row(0, 2)].map(|cell| Box::new(is(BinaryOp::Ge, cell, five())));
    let ([left, right], [one, other]) = (pair(), pair());
    assert_eq!(apart(truth(ExprKind::And(left, right))), Some(2));
    assert_eq!(apart(truth(ExprKind::Or(one, other))), None);
    assert_eq!(apart(is(BinaryOp::Ge, row(0, 1), five())), Some(1));
    assert_eq!(apart(is(BinaryOp::Ge, row(1, 1), five())), None);
    assert_eq!(apart(is(BinaryOp::Ge, row(0, 1), row(0, 2))), None);
    // Null, other rows, slots and cells that are found by a key are for others.
    let null = [1, NULL, 3];
    assert_eq!(holds(is(BinaryOp::Ge, row(0, 1), five()), &null), None);
    assert_eq!(holds(is(BinaryOp::Eq, row(0, 1), five()), &null), Some(false));
    assert_eq!(holds(is(BinaryOp::Ge, row(1, 1), five()), &null), None);
    assert_eq!(holds(is(BinaryOp::Ge, cell(row(0, 2), 1), five()), &null), None);
    assert_eq!(holds(is(BinaryOp::Eq, row(0, 2), int(ExprKind::Local(0))), &null), None);
}

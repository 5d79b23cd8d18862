//! Expressions, rows that must be alone, and rows that must have an owner.

use proptest::prelude::*;

use super::super::finding::Witness;
use super::super::testing::*;
use crate::kernel::path::Path;
use crate::model::expr::{BinaryOp, Code, Counter, Expr, ExprKind, Failure, Fold};
use crate::model::ids::ColumnId;
use crate::model::invariant::InvariantKind;
use crate::model::plan::End;
use crate::model::record::{FLOW, Outcome, commit};
use crate::model::value::{NULL, Type};

/// `people.all(p, p.phone >= 0)`, from byte 3 to 30.
fn phones() -> Expr {
    let positive = binary(BinaryOp::Ge, cell(4, PEOPLE, 2), int(0));
    at(over(PEOPLE, Vec::new(), Fold::All, Some(positive)), 3..30)
}

/// `charges.map(c, c.amount).sum() <= 10`, from byte 40 to 70.
fn bounded() -> Expr {
    let sum = over(CHARGES, Vec::new(), Fold::Sum, Some(cell(4, CHARGES, 2)));
    at(binary(BinaryOp::Le, sum, int(10)), 40..70)
}

fn and(left: Expr, right: Expr) -> Expr {
    Expr::new(ExprKind::And(Box::new(left), Box::new(right)), Type::Bool, 0..70)
}

/// `orders[KEY].state`
fn state_of(key: Expr) -> Expr {
    let kind = ExprKind::Cell { table: ORDERS, key: Box::new(key), column: ColumnId(1) };
    Expr::new(kind, Type::Int, 0..0)
}

fn amount(slot: u32, id: i64, amount: i64, story: &mut Story) {
    story.invoke(slot, CHARGE).commit(slot, CHARGE, &[put(CHARGES, &[id, 1, amount])]).end(slot);
}

/// Several writes of a row in one transaction are one change, unless another row was written in between, whether or not
/// anybody looks at that.
#[test]
fn a_row_is_examined_for_each_time_that_a_transaction_comes_back_to_it() {
    let row = put(PEOPLE, &[1, 10, 5]);
    let other = put(CHARGES, &[1, 1, 1]);
    for (puts, examined) in [(&[row, row][..], 1), (&[row, other, row], 2), (&[other, row, row, other], 1)] {
        let mut story = Story::of(InvariantKind::Always(phones()));
        story.invoke(0, SET_MAIL).commit(0, SET_MAIL, puts).end(0);
        assert_eq!(story.rest().obligations, examined);
    }
}

/// A commit: each row's table, key and value.
type Change = Vec<(bool, i64, i64)>;

proptest! {
    /// Tests of cells are answered for each table at once, anything else by an observer for each row. Both must say the
    /// same: of rows that are false, that are true again, that hold a null, alone and several together, in two runs.
    #[test]
    fn what_is_fine_at_a_glance_is_fine(
        runs in prop::collection::vec(
            prop::collection::vec(
                prop::collection::vec(
                    (any::<bool>(), 1i64..4, prop::sample::select(vec![0, 5, 5, 5, 7, -1, NULL])), 1..3),
                1..30,
            ),
            2,
        ),
        from_start in any::<bool>(),
    ) {
        let runs: Vec<Vec<Change>> = runs;
        // The phone is 20 at first: at times that is false at the start of each run.
        let (least, below) = if from_start { (6, 20) } else { (0, 30) };
        let phone = || cell(4, PEOPLE, 2);
        let body = || and(
            binary(BinaryOp::Ge, phone(), int(least)),
            binary(BinaryOp::Lt, phone(), int(below)),
        );
        let slow = ExprKind::Cond(
            Box::new(body()), Box::new(Expr::truth(true)), Box::new(Expr::truth(false)));
        let slow = Expr::new(slow, Type::Bool, 0..0);
        let people = |body: Expr| at(over(PEOPLE, Vec::new(), Fold::All, Some(body)), 3..30);
        let mut stories = [body(), slow].map(|body| Story::of(InvariantKind::Always(people(body))));
        for run in runs {
            let verdicts = stories.each_mut().map(|story| {
                story.again();
                story.invoke(0, SET_MAIL);
                for change in &run {
                    let cells: Vec<_> = change.iter().map(|&(_, key, value)| [key, 1, value]).collect();
                    let puts: Vec<_> = (change.iter().zip(&cells))
                        .map(|(&(other, ..), cells)| put(if other { CHARGES } else { PEOPLE }, cells))
                        .collect();
                    story.commit(0, SET_MAIL, &puts);
                }
                story.end(0).finish(End::Rest)
            });
            let [glance, observer] = verdicts.map(|verdict| {
                let failures: Vec<Failure> = verdict.errors.iter().map(|error| error.failure).collect();
                (verdict.invariants, failures)
            });
            prop_assert_eq!(glance, observer);
        }
    }
}

#[test]
fn always_is_judged_after_each_commit_and_names_part_row_and_act() {
    let mut story = Story::of(InvariantKind::Always(and(phones(), bounded())));
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, -1])]);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, -1])]).end(0);
    amount(1, 1, 6, &mut story);
    amount(2, 2, 6, &mut story);
    amount(3, 3, 6, &mut story);
    let run = story.rest();
    assert_eq!((run.violations, run.silent, run.obligations), (2, 2, 5));
    let Witness::Expression { span, row, by: Some(by), who: None } = &run.findings[0].what else {
        panic!("{run:?}")
    };
    assert_eq!((span.clone(), *row, by.party.client), (3..30, Some((PEOPLE, 0)), 0));
    let Witness::Expression { span, row: None, by: Some(by), .. } = &run.findings[1].what else {
        panic!("{run:?}")
    };
    assert_eq!((span.clone(), by.party.client), (40..70, 2));
}

#[test]
fn a_state_inside_a_transaction_is_nobodys_business() {
    let mut story = Story::of(InvariantKind::Always(bounded()));
    amount(0, 1, 6, &mut story);
    story.invoke(1, CHARGE);
    story.commit(1, CHARGE, &[put(CHARGES, &[2, 1, 6]), put(CHARGES, &[1, 1, 1])]).end(1);
    let run = story.rest();
    assert_eq!((run.violations, run.obligations), (0, 2));
}

#[test]
fn the_commits_of_a_merged_flow_are_one_transaction() {
    for (merged, violations) in [(true, 0), (false, 1)] {
        let kinds = vec![InvariantKind::Always(bounded())];
        let mut story = Story::with(model(), kinds, |plan| plan.flows[0].merged = merged.then_some(0));
        story.start(0, BUY);
        let path = Path(9);
        story.path = Some(path);
        story.done(0, 0, RESERVE, &[put(CHARGES, &[1, 1, 11])]);
        story.rewind();
        story.path = Some(path);
        story.done(0, 1, CHARGE, &[put(CHARGES, &[1, 1, 9])]);
        assert_eq!(story.end(0).rest().violations, violations);
    }
}

#[test]
fn what_does_not_even_hold_at_the_start_is_violated_in_every_run() {
    let mail_is_small = binary(BinaryOp::Lt, cell(4, PEOPLE, 1), int(5));
    let mut story =
        Story::of(InvariantKind::Always(over(PEOPLE, Vec::new(), Fold::All, Some(mail_is_small))));
    for _ in 0..2 {
        assert_eq!(story.rest().violations, 1);
        story.again();
    }
}

#[test]
fn a_filter_of_a_row_form_spares_rows_and_a_deleted_row_is_fine() {
    let keep = binary(BinaryOp::Gt, cell(4, CHARGES, 1), int(0));
    let body = binary(BinaryOp::Eq, cell(4, CHARGES, 2), int(5));
    let mut story = Story::of(InvariantKind::Always(over(CHARGES, vec![keep], Fold::All, Some(body))));
    story.invoke(0, CHARGE).commit(0, CHARGE, &[put(CHARGES, &[1, 0, 7])]);
    story.commit(0, CHARGE, &[put(CHARGES, &[2, 1, 5])]).commit(0, CHARGE, &[delete(CHARGES, 2)]);
    assert_eq!(story.rest().violations, 0);
    story.commit(0, CHARGE, &[put(CHARGES, &[3, 1, 7])]);
    assert_eq!(story.rest().violations, 1);
}

#[test]
fn a_missing_row_is_false_and_an_overflow_is_an_error_of_the_scenario() {
    let missing = binary(BinaryOp::Eq, state_of(int(9)), int(1));
    assert_eq!(Story::of(InvariantKind::AtRest(missing)).rest().violations, 1);
    let more = at(binary(BinaryOp::Mul, cell(4, CHARGES, 2), int(i64::MAX)), 7..9);
    let sum = over(CHARGES, Vec::new(), Fold::Sum, Some(more));
    let mut story = Story::of(InvariantKind::AtRest(binary(BinaryOp::Eq, sum, int(1))));
    amount(0, 1, 6, &mut story);
    let verdict = story.finish(End::Rest);
    assert_eq!(verdict.invariants[0].violations, 0);
    let error = &verdict.errors[0];
    assert_eq!((error.invariant, error.failure, error.span.clone()), (0, Failure::Overflow, 7..9));
}

#[test]
fn at_rest_is_judged_at_rest_and_names_the_row() {
    let mut story = Story::of(InvariantKind::AtRest(phones()));
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, -1])]);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, 1])]).end(0);
    assert_eq!(story.rest().violations, 0);
    story.again();
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, -1])]).end(0);
    let run = story.rest();
    assert!(matches!(run.findings[0].what, Witness::Expression { row: Some((PEOPLE, 0)), .. }));
    assert_eq!(run.silent, 1);
    story.again();
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, -1])]).end(0);
    let run = story.invoke(1, LOOK).told(1, Outcome::Unknown).settle(1).rest();
    assert_eq!((run.violations, run.silent), (1, 0), "somebody was not told ok");
    story.again();
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, -1])]);
    let run = &story.finish(End::NotAtRest).invariants[0];
    assert_eq!((run.violations, run.stuck), (0, true));
}

#[test]
fn a_constant_is_what_it_was_at_the_start() {
    let mut story =
        Story::of(InvariantKind::Constant(over(PEOPLE, Vec::new(), Fold::Sum, Some(cell(4, PEOPLE, 2)))));
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, 5])]);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[2, 10, 15])]);
    assert_eq!(story.rest().violations, 0);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[2, 10, 14])]);
    let run = story.rest();
    assert_eq!(run.findings[0].what, Witness::Changed { from: Some(20), to: Some(19) });
}

#[test]
fn a_list_is_compared_by_what_is_in_it() {
    let list = |of: Expr| Expr::new(of.kind, Type::List(Box::new(Type::Int)), 0..0);
    let phones = list(over(PEOPLE, Vec::new(), Fold::Collect, Some(cell(4, PEOPLE, 2))));
    let mut story = Story::of(InvariantKind::Constant(phones));
    story.tables.heap_mut().tuple(&[1, 2, 3]);
    assert_eq!(story.rest().violations, 0);
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, 5])]);
    assert_eq!(story.rest().findings[0].what, Witness::Changed { from: None, to: None });
}

#[test]
fn two_rows_with_one_value_are_one_too_many() {
    let mut story = Story::of(InvariantKind::AtMostOne { table: CHARGES, per: ColumnId(1) });
    story.invoke(0, CHARGE).invoke(1, CHARGE);
    story.commit(0, CHARGE, &[put(CHARGES, &[1, 7, 5])]).commit(1, CHARGE, &[put(CHARGES, &[2, 7, 5])]);
    let run = story.end(0).end(1).rest();
    assert_eq!((run.violations, run.silent, run.obligations), (1, 1, 2));
    let Witness::TwoRows { value, first, second, .. } = &run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((*value, first.0, second.0), (7, 0, 1));
    assert_eq!((first.1.party.client, second.1.party.client), (0, 1));
}

#[test]
fn a_value_that_moves_or_is_null_is_not_there_twice() {
    let mut story = Story::of(InvariantKind::AtMostOne { table: CHARGES, per: ColumnId(1) });
    story.invoke(0, CHARGE);
    story.commit(0, CHARGE, &[put(CHARGES, &[1, 7, 5]), put(CHARGES, &[2, 8, 5])]);
    story.commit(0, CHARGE, &[put(CHARGES, &[1, 8, 5]), put(CHARGES, &[2, 7, 5])]);
    story.commit(0, CHARGE, &[delete(CHARGES, 1)]).commit(0, CHARGE, &[put(CHARGES, &[3, 8, 5])]);
    story.commit(0, CHARGE, &[put(CHARGES, &[4, NULL, 5]), put(CHARGES, &[5, NULL, 5])]);
    assert_eq!(story.rest().violations, 0);
}

#[test]
fn a_charge_without_its_order_is_an_orphan_unless_it_needs_none() {
    let owner = binary(BinaryOp::Eq, state_of(cell(0, CHARGES, 1)), int(2));
    let unless = binary(BinaryOp::Eq, cell(0, CHARGES, 2), int(0));
    let kind = InvariantKind::NoOrphan { table: CHARGES, owner, unless: Some(unless) };
    let mut story = Story::of(kind);
    story.invoke(0, CHARGE).commit(0, CHARGE, &[put(CHARGES, &[1, 1, 5]), put(CHARGES, &[2, 2, 5])]);
    story.commit(0, CHARGE, &[put(CHARGES, &[3, 3, 0]), put(ORDERS, &[1, 2]), put(ORDERS, &[2, 1])]);
    story.end(0).invoke(1, CHARGE).commit(1, CHARGE, &[put(CHARGES, &[4, 9, 5])]);
    let run = story.told(1, Outcome::Unknown).settle(1).rest();
    assert_eq!((run.violations, run.silent, run.obligations), (2, 1, 4));
    let Witness::Orphan { row: 1, by: Some(by), .. } = &run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((by.party.client, by.party.told), (0, Some(Outcome::Ok)));
    assert!(run.findings[0].silent && !run.findings[1].silent);
}

#[test]
fn per_intent_sees_outcome_and_effects() {
    let text = |word| Expr::constant(word, Type::Text);
    let model = model();
    let (ok, charges) = (model.symbols.find("ok").unwrap(), model.symbols.find("shop.charges").unwrap());
    let local = |slot, ty| Expr::new(ExprKind::Local(slot), ty, 0..0);
    let effect = Type::Record(vec![
        ("table".into(), Type::Text),
        ("step".into(), Type::Text),
        ("undone".into(), Type::Bool),
    ]);
    let field = |index, ty| {
        let of = Box::new(Expr::new(ExprKind::Element(4), effect.clone(), 0..0));
        Expr::new(ExprKind::Field { of, name: Default::default(), index }, ty, 0..0)
    };
    let is_charge = binary(BinaryOp::Eq, field(0, Type::Text), text(charges));
    let stands = Expr::new(
        ExprKind::Unary(crate::model::expr::UnaryOp::Not, Box::new(field(2, Type::Bool))),
        Type::Bool,
        0..0,
    );
    let effects = local(super::super::per_intent::EFFECTS, Type::List(Box::new(effect.clone())));
    let count = ExprKind::Loop {
        over: crate::model::expr::Over::List(Box::new(effects)),
        var: 4,
        name: Default::default(),
        keep: vec![is_charge, stands],
        fold: Fold::Count,
        body: None,
    };
    // intent.outcome != 'ok' || exactly one charge stands
    let not_ok = binary(BinaryOp::Ne, local(super::super::per_intent::OUTCOME, Type::Text), text(ok));
    let one = binary(BinaryOp::Eq, Expr::new(count, Type::Int, 0..0), int(1));
    let expr = Expr::new(ExprKind::Or(Box::new(not_ok), Box::new(one)), Type::Bool, 0..9);
    let mut story = Story::with(model, vec![InvariantKind::PerIntent(expr)], |_| {});
    let charge = |story: &mut Story, slot, id| {
        story.done(slot, 1, CHARGE, &[put(CHARGES, &[id, 1, 5])]);
    };
    story.start(0, BUY);
    charge(&mut story, 0, 1);
    story.end(0).start(1, BUY);
    charge(&mut story, 1, 2);
    story.undone(1, 1, REFUND, &[delete(CHARGES, 2)]).end(1);
    story.start(2, BUY).told(2, Outcome::Unknown).settle(2);
    story.start(3, BUY);
    charge(&mut story, 3, 3);
    charge(&mut story, 3, 4);
    let run = story.end(3).rest();
    assert_eq!((run.violations, run.obligations), (2, 4));
    let who = |at: usize| match &run.findings[at].what {
        Witness::Expression { who: Some(who), span, .. } => (who.client, who.target, span.clone()),
        what => panic!("{what:?}"),
    };
    assert_eq!([who(0), who(1)], [(1, FLOW, 0..9), (3, FLOW, 0..9)]);
}

#[test]
fn a_fact_sees_rows_and_counts() {
    let mut story = Story::of(InvariantKind::EveryIntentEnds);
    amount(0, 1, 6, &mut story);
    story.flag = commit::SKIPPED;
    let verdict = story.finish(End::Rest);
    let ok = Expr::new(ExprKind::Counter(Counter::Ok), Type::Int, 0..0);
    let mut fact = |expr: Expr| super::super::fact(&Code::compile(&expr), &mut story.tables, &verdict.counts);
    assert_eq!(fact(binary(BinaryOp::Eq, ok, int(1))), Ok(true));
    assert_eq!(fact(bounded()), Ok(true));
    assert_eq!(fact(binary(BinaryOp::Eq, state_of(int(1)), int(1))), Ok(false));
    assert_eq!(
        fact(binary(BinaryOp::Eq, binary(BinaryOp::Div, int(1), int(0)), int(1))),
        Err(Failure::DivideByZero)
    );
}

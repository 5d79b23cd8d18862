//! All or nothing, every intent ends, and nothing left behind.

use super::super::finding::{Leftovers, Steps, Witness};
use super::super::testing::*;
use crate::model::invariant::InvariantKind;
use crate::model::plan::End;
use crate::model::record::{FlowMove, Kind, Outcome, Record, StepRole, commit, install, step_word};

fn all_or_nothing() -> Story {
    Story::of(InvariantKind::AllOrNothing(BUY))
}

fn reserve(story: &mut Story) {
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]);
}

fn charge(story: &mut Story) {
    story.done(0, 1, CHARGE, &[put(CHARGES, &[1, 1, 5])]);
}

fn ship(story: &mut Story) {
    story.done(0, 2, SHIP, &[put(ORDERS, &[1, 2])]);
}

fn release(story: &mut Story) {
    story.undone(0, 0, RELEASE, &[put(ORDERS, &[1, 3])]);
}

#[test]
fn a_flow_left_between_its_steps_is_half_done() {
    let mut story = all_or_nothing();
    story.start(0, BUY);
    reserve(&mut story);
    charge(&mut story);
    release(&mut story);
    let run = story.told(0, Outcome::Unknown).settle(0).rest();
    assert_eq!((run.violations, run.silent, run.obligations), (1, 0, 1));
    let Witness::HalfDone { who, flow, instance, steps } = run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((who.client, who.intent, flow, instance), (0, 0, BUY, 0));
    assert_eq!(steps, Steps { done: 0b010, undone: 0b001, missing: 0b100, ..Steps::default() });
}

#[test]
fn all_steps_done_is_fine_and_none_is_too() {
    let mut story = all_or_nothing();
    story.start(0, BUY);
    reserve(&mut story);
    charge(&mut story);
    ship(&mut story);
    story.end(0).start(1, BUY).flow(1, BUY, FlowMove::Started, None);
    let run = story.told(1, Outcome::Failed).settle(1).rest();
    assert_eq!((run.violations, run.obligations), (0, 2));

    let mut story = all_or_nothing();
    story.start(0, BUY);
    reserve(&mut story);
    release(&mut story);
    assert_eq!(story.told(0, Outcome::Failed).settle(0).rest().violations, 0);
}

#[test]
fn a_refused_step_and_its_otherwise_are_not_done() {
    let mut story = all_or_nothing();
    story.start(0, BUY);
    story.flag = commit::REFUSED;
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 9]).flag(install::OTHERWISE)]);
    assert_eq!(story.told(0, Outcome::Failed).settle(0).rest().violations, 0);
}

#[test]
fn a_flow_still_under_way_when_time_is_up_is_stuck_and_not_half_done() {
    let mut story = all_or_nothing();
    story.start(0, BUY);
    reserve(&mut story);
    let run = &story.finish(End::NotAtRest).invariants[0];
    assert_eq!((run.violations, run.stuck), (0, true));
}

#[test]
fn a_flow_that_nobody_will_ever_go_on_with_is_half_done() {
    let mut story = all_or_nothing();
    story.start(0, BUY);
    reserve(&mut story);
    let run = story.rest();
    assert_eq!((run.violations, run.stuck), (1, false));
}

/// The coordinator finds that the condition of step 1 is false.
fn skip_charge(story: &mut Story) {
    let record = story.blank(Kind::Flow, 0);
    let flag = FlowMove::Done as u8;
    story.tell(Record { op: MAYBE.0, flag, data: u64::MAX, who: 0, row: 1, ..record });
}

#[test]
fn a_step_left_out_or_optional_or_that_changes_nothing_leaves_no_flow_half_done() {
    let mut story = Story::of(InvariantKind::AllOrNothing(MAYBE));
    story.start(0, MAYBE);
    reserve(&mut story);
    skip_charge(&mut story);
    story.flow(0, MAYBE, FlowMove::Completed, None);
    let run = story.end(0).rest();
    assert_eq!((run.violations, run.obligations), (0, 1));
}

#[test]
fn a_condition_that_nobody_came_to_decide_is_no_reason_to_call_a_flow_half_done() {
    let mut story = Story::of(InvariantKind::AllOrNothing(MAYBE));
    story.start(0, MAYBE);
    reserve(&mut story);
    assert_eq!(story.told(0, Outcome::Unknown).settle(0).rest().violations, 0);
}

#[test]
fn a_step_that_was_asked_for_or_passed_was_due() {
    type Evidence = fn(&mut Story);
    let evidence: [Evidence; 3] = [
        |story| {
            story.flow(0, MAYBE, FlowMove::Asked, Some(1));
        },
        |story| {
            story.flow(0, MAYBE, FlowMove::Completed, None);
        },
        |story| {
            story.done(0, 2, LOOK, &[]);
        },
    ];
    for tell in evidence {
        let mut story = Story::of(InvariantKind::AllOrNothing(MAYBE));
        story.start(0, MAYBE);
        reserve(&mut story);
        tell(&mut story);
        assert_eq!(story.told(0, Outcome::Unknown).settle(0).rest().violations, 1);
    }
}

#[test]
fn a_flow_within_a_flow_counts_as_one_step() {
    let inner = |story: &mut Story, step, op, cells: &[i64]| {
        let table = if op == CHARGE { CHARGES } else { ORDERS };
        let row = step_word(step, StepRole::Action);
        story.transact(0, op, 100 + u64::from(step), 7, row, &[put(table, cells)]);
    };
    for (inner_done, violations) in [(1, 1), (3, 0)] {
        let mut story = Story::of(InvariantKind::AllOrNothing(OUTER));
        story.start(0, OUTER).flow(0, OUTER, FlowMove::Started, None);
        let steps: [(u8, u16, &[i64]); 3] =
            [(0, RESERVE, &[1, 1]), (1, CHARGE, &[1, 1, 5]), (2, SHIP, &[1, 2])];
        let started = story.blank(Kind::Flow, 0);
        let row = step_word(0, StepRole::Action);
        story.tell(Record { op: BUY.0, flag: FlowMove::Started as u8, who: 7, row, ..started });
        for (step, op, cells) in &steps[..inner_done] {
            inner(&mut story, *step, *op, cells);
        }
        story.done(0, 1, SHIP, &[put(ORDERS, &[2, 2])]);
        let run = story.end(0).rest();
        assert_eq!(run.violations, violations, "{:?}", run.findings);
    }
}

#[test]
fn an_intent_without_an_answer_or_without_an_end_is_stuck() {
    let mut story = Story::of(InvariantKind::EveryIntentEnds);
    story.invoke(0, SET_MAIL).end(0);
    let run = story.rest();
    assert_eq!((run.stuck, run.obligations), (false, 1));
    for answered in [true, false] {
        story.again();
        story.invoke(0, SET_MAIL).invoke(1, SET_MAIL);
        if answered {
            story.ok(0).end(1);
        } else {
            story.settle(0).end(1);
        }
        let run = &story.finish(End::NotAtRest).invariants[0];
        assert_eq!((run.violations, run.stuck, run.obligations), (0, true, 2));
        assert!(
            matches!(run.findings[..], [ref one] if matches!(one.what, Witness::NeverEnded { who } if who.client == 0))
        );
    }
}

#[test]
fn a_reservation_of_a_failed_flow_is_a_leak_until_it_is_gone() {
    for (undo, finish, violations) in [(false, false, 1), (true, false, 0), (false, true, 0)] {
        let mut story = Story::of(InvariantKind::NoLeak(vec![ORDERS]));
        story.start(0, BUY);
        reserve(&mut story);
        if undo {
            story.undone(0, 0, RELEASE, &[delete(ORDERS, 1)]);
        }
        if finish {
            charge(&mut story);
            ship(&mut story);
        }
        let run = story.told(0, Outcome::Failed).settle(0).rest();
        assert_eq!(run.violations, violations, "undo {undo}, finish {finish}");
    }
}

#[test]
fn a_lock_left_behind_is_a_leak() {
    let mut story = Story::of(InvariantKind::NoLeak(Vec::new()));
    let leftovers = Leftovers { locks: 1, ..Leftovers::default() };
    let verdict = story.judge.finish(End::Rest, leftovers, &mut story.tables);
    assert_eq!(verdict.invariants[0].findings[0].what, Witness::LeftLocked(leftovers));
}

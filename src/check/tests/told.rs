//! What clients were told against what is.

use super::super::finding::{Steps, Witness};
use super::super::testing::*;
use crate::model::invariant::InvariantKind;
use crate::model::plan::End;
use crate::model::record::{FlowMove, NONE, Outcome, commit, install};

fn durable() -> Story {
    Story::of(InvariantKind::AckedIsDurable(Vec::new()))
}

fn failed() -> Story {
    Story::of(InvariantKind::FailedHasNoEffect)
}

fn agrees() -> Story {
    Story::of(InvariantKind::OutcomeAgrees)
}

#[test]
fn told_ok_and_done_is_durable() {
    let mut story = durable();
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]).end(0);
    story.invoke(0, LOOK).commit(0, LOOK, &[]).end(0);
    story.invoke(0, CHARGE);
    story.flag = commit::SKIPPED;
    story.commit(0, CHARGE, &[]).end(0);
    let run = story.rest();
    assert_eq!((run.violations, run.obligations), (0, 3));
}

#[test]
fn told_ok_without_any_commit_is_not_durable() {
    let mut story = durable();
    let run = story.invoke(0, SET_MAIL).end(0).rest();
    let Witness::NotDurable { flow: None, instance: NONE, steps, who } = run.findings[0].what else {
        panic!("{run:?}")
    };
    assert_eq!((steps.missing, who.told), (1, Some(Outcome::Ok)));
    assert_eq!(run.silent, 1);
}

#[test]
fn told_ok_and_undone_afterwards_is_not_durable() {
    let mut story = durable();
    story.start(0, BUY).ok(0);
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]);
    story.undone(0, 0, RELEASE, &[delete(ORDERS, 1)]);
    let run = story.settle(0).rest();
    let Witness::NotDurable { flow: Some(BUY), steps, .. } = run.findings[0].what else { panic!("{run:?}") };
    assert_eq!(steps, Steps { undone: 0b001, missing: 0b110, ..Steps::default() });
}

#[test]
fn told_ok_and_not_yet_settled_when_time_is_up_is_stuck() {
    let mut story = durable();
    story.invoke(0, SET_MAIL).ok(0);
    let run = &story.finish(End::NotAtRest).invariants[0];
    assert_eq!((run.violations, run.stuck), (0, true));
}

#[test]
fn only_steps_that_concern_the_watched_tables_are_due() {
    let mut story = Story::of(InvariantKind::AckedIsDurable(vec![CHARGES]));
    story.start(0, BUY).done(0, 1, CHARGE, &[put(CHARGES, &[1, 1, 5])]);
    assert_eq!(story.end(0).rest().violations, 0);
    story.again();
    story.start(0, BUY).done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]);
    assert_eq!(story.end(0).rest().violations, 1);
}

#[test]
fn a_fenced_action_is_no_effect_to_rely_on() {
    let mut story = durable();
    story.start(0, PAY).done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]);
    story.flag = commit::FENCED;
    story.done(0, 1, CHARGE, &[]).done(0, 2, SHIP, &[put(ORDERS, &[1, 2])]);
    let run = story.end(0).rest();
    let Witness::NotDurable { steps, .. } = run.findings[0].what else { panic!("{run:?}") };
    assert_eq!(steps.missing, 0b010);
}

#[test]
fn told_failed_and_charged_all_the_same() {
    let mut story = failed();
    story.start(0, BUY).done(0, 1, CHARGE, &[put(CHARGES, &[1, 1, 5])]);
    let run = story.told(0, Outcome::Failed).settle(0).rest();
    let Witness::NotUndone { who, stands } = &run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((who.client, stands.len(), stands[0].op), (0, 1, CHARGE));
    assert_eq!((run.silent, run.obligations), (0, 1));
}

#[test]
fn told_failed_and_refunded_or_refused_left_nothing() {
    let mut story = failed();
    story.start(0, BUY).done(0, 1, CHARGE, &[put(CHARGES, &[1, 1, 5])]);
    story.undone(0, 1, REFUND, &[put(CHARGES, &[1, 1, 0])]);
    story.told(0, Outcome::Failed).settle(0);
    story.invoke(1, CHARGE);
    story.flag = commit::REFUSED;
    story.commit(1, CHARGE, &[put(CHARGES, &[2, 1, 0]).flag(install::OTHERWISE)]);
    let run = story.told(1, Outcome::Failed).settle(1).rest();
    assert_eq!((run.violations, run.obligations), (0, 2));
}

#[test]
fn told_failed_after_a_conflict_with_the_own_first_attempt() {
    let mut story = failed();
    story.invoke(0, SET_MAIL).commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]);
    assert_eq!(story.told(0, Outcome::Failed).settle(0).rest().violations, 1);
}

#[test]
fn an_unknown_outcome_agrees_with_anything() {
    for done in [true, false] {
        let mut story = agrees();
        story.invoke(0, SET_MAIL);
        if done {
            story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]);
        }
        assert_eq!(story.told(0, Outcome::Unknown).settle(0).rest().violations, 0);
    }
}

#[test]
fn told_ok_by_a_sender_that_waits_for_nothing_and_never_executed() {
    let mut story = agrees();
    story.start(0, BUY).ok(0);
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]).done(0, 2, SHIP, &[put(ORDERS, &[1, 2])]);
    let run = story.settle(0).rest();
    assert!(matches!(run.findings[..], [ref one]
        if matches!(one.what, Witness::NotDurable { steps: Steps { missing: 0b010, .. }, .. })));
}

#[test]
fn a_coordinator_that_believes_all_is_undone_is_held_to_it() {
    let mut story = agrees();
    story.start(0, BUY).flow(0, BUY, FlowMove::Started, None);
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]);
    story.flow(0, BUY, FlowMove::Compensated, None).told(0, Outcome::Unknown);
    let run = story.settle(0).rest();
    let Witness::WrongBelief { believed, steps, .. } = run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((believed, steps.done), (FlowMove::Compensated, 0b001));

    story.again();
    story.start(0, BUY).flow(0, BUY, FlowMove::Started, None);
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]).undone(0, 0, RELEASE, &[delete(ORDERS, 1)]);
    story.flow(0, BUY, FlowMove::Compensated, None).told(0, Outcome::Failed);
    let run = story.settle(0).rest();
    assert_eq!((run.violations, run.obligations), (0, 2));
}

#[test]
fn one_lie_to_the_client_is_not_told_again_as_a_belief() {
    let mut story = agrees();
    story.start(0, BUY).flow(0, BUY, FlowMove::Started, None);
    story.flow(0, BUY, ALL, None);
    assert_eq!(story.end(0).rest().violations, 1);
}

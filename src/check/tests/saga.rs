//! The rules of compensation, one by one.

use super::super::finding::{SagaRule, Witness};
use super::super::testing::*;
use crate::model::ids::FlowId;
use crate::model::invariant::InvariantKind;
use crate::model::plan::End;
use crate::model::record::{FlowMove, Outcome, commit};

fn saga(flow: FlowId) -> Story {
    let mut story = Story::of(InvariantKind::CompensationRules(flow));
    story.start(0, flow).flow(0, flow, FlowMove::Started, None);
    story
}

/// What the rules say of the instance in slot 0 when it has ended so and its client was told so.
fn rules(mut story: Story, flow: FlowId, end: FlowMove, told: Outcome) -> Vec<(SagaRule, Option<u8>)> {
    story.flow(0, flow, end, None);
    let run = story.told(0, told).settle(0).rest();
    let rule = |what: &Witness| match what {
        Witness::Rule { rule, step, .. } => (*rule, *step),
        _ => panic!("{what:?}"),
    };
    run.findings.iter().map(|finding| rule(&finding.what)).collect()
}

impl Story {
    fn reserve(&mut self) -> &mut Self {
        self.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])])
    }
    fn release(&mut self) -> &mut Self {
        self.undone(0, 0, RELEASE, &[put(ORDERS, &[1, 3])])
    }
    fn charge(&mut self) -> &mut Self {
        self.done(0, 1, CHARGE, &[put(CHARGES, &[1, 1, 5])])
    }
    fn refund(&mut self) -> &mut Self {
        self.undone(0, 1, REFUND, &[put(CHARGES, &[1, 1, 0])])
    }
    fn ship(&mut self) -> &mut Self {
        self.done(0, 2, SHIP, &[put(ORDERS, &[2, 2])])
    }
}

#[test]
fn a_saga_that_completes_or_compensates_in_reverse_keeps_all_rules() {
    let mut story = saga(BUY);
    story.reserve().charge().ship();
    assert_eq!(rules(story, BUY, FlowMove::Completed, Outcome::Ok), []);
    let mut story = saga(BUY);
    story.reserve().charge().refund().release();
    assert_eq!(rules(story, BUY, FlowMove::Compensated, Outcome::Failed), []);
}

#[test]
fn s1_a_second_refund_of_one_charge() {
    let mut story = saga(BUY);
    story.reserve().charge().refund().refund().release();
    let expected = [(SagaRule::UndoneTooOften, Some(1))];
    assert_eq!(rules(story, BUY, FlowMove::Compensated, Outcome::Failed), expected);
}

#[test]
fn s2_a_second_charge_while_the_first_stands() {
    let mut story = saga(BUY);
    story.reserve().charge();
    story.done(0, 1, CHARGE, &[put(CHARGES, &[2, 1, 5])]).ship();
    assert_eq!(rules(story, BUY, FlowMove::Completed, Outcome::Ok), [(SagaRule::DoneTwice, Some(1))]);
}

#[test]
fn s3_nothing_before_the_pivot_is_undone_after_it() {
    let mut story = saga(PAY);
    story.reserve().charge().release().ship();
    let expected = [(SagaRule::PivotCrossed, Some(0)), (SagaRule::HalfDone, Some(0))];
    assert_eq!(rules(story, PAY, FlowMove::Completed, Outcome::Ok), expected);
}

#[test]
fn s3_nothing_behind_the_pivot_is_done_before_it() {
    let mut story = saga(PAY);
    story.reserve().ship().charge();
    assert_eq!(rules(story, PAY, FlowMove::Completed, Outcome::Ok), [(SagaRule::PivotCrossed, Some(2))]);
}

#[test]
fn s4_a_charge_that_comes_after_its_refund_was_accepted() {
    for accepted in [commit::SKIPPED, commit::FENCED] {
        let mut story = saga(BUY);
        story.reserve();
        story.flag = accepted;
        story.undone(0, 1, REFUND, &[]);
        story.release().charge();
        let expected = [(SagaRule::DoneAfterUndo, Some(1)), (SagaRule::NotUndone, Some(1))];
        assert_eq!(rules(story, BUY, FlowMove::Compensated, Outcome::Failed), expected);
    }
}

#[test]
fn s4_a_fence_that_turns_the_late_charge_away_keeps_the_rule() {
    let mut story = saga(BUY);
    story.reserve();
    story.flag = commit::SKIPPED;
    story.undone(0, 1, REFUND, &[]).release();
    story.flag = commit::FENCED;
    story.done(0, 1, CHARGE, &[]);
    assert_eq!(rules(story, BUY, FlowMove::Compensated, Outcome::Failed), []);
}

#[test]
fn s5_a_refund_of_what_was_never_charged() {
    let mut story = saga(BUY);
    story.reserve().refund().release();
    assert_eq!(rules(story, BUY, FlowMove::Compensated, Outcome::Failed), [(SagaRule::EmptyUndo, Some(1))]);
}

#[test]
fn s6_a_step_is_undone_before_the_one_that_built_on_it() {
    let mut story = saga(BUY);
    story.reserve().charge().release().refund();
    assert_eq!(rules(story, BUY, FlowMove::Compensated, Outcome::Failed), [(SagaRule::WrongOrder, Some(0))]);
}

#[test]
fn s9_half_done_and_told_so_by_nobody() {
    let mut story = saga(BUY);
    story.reserve().charge();
    assert_eq!(rules(story, BUY, FlowMove::Completed, Outcome::Unknown), [(SagaRule::HalfDone, Some(2))]);
}

#[test]
fn s9_a_saga_that_called_for_a_person_knows_that_it_is_half_done() {
    let mut story = saga(BUY);
    story.reserve().charge().refund();
    assert_eq!(rules(story, BUY, FlowMove::Escalated, Outcome::Unknown), []);
}

#[test]
fn s10_an_effect_that_comes_after_the_end_of_its_saga() {
    let mut story = saga(BUY);
    story.reserve().release().flow(0, BUY, FlowMove::Compensated, None).charge();
    let run = story.told(0, Outcome::Failed).settle(0).rest();
    let Witness::Rule { rule, step, acts, .. } = &run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((*rule, *step, acts[0].op), (SagaRule::LateEffect, Some(1), CHARGE));
    assert_eq!(run.violations, 1);
}

#[test]
fn s12_a_failed_saga_that_leaves_a_step_standing() {
    let mut story = saga(BUY);
    story.reserve().charge().refund();
    assert_eq!(rules(story, BUY, FlowMove::Compensated, Outcome::Failed), [(SagaRule::NotUndone, Some(0))]);
}

#[test]
fn s13_behind_the_pivot_everything_is_finished() {
    let mut story = saga(PAY);
    story.reserve().charge();
    assert_eq!(rules(story, PAY, FlowMove::GaveUp, Outcome::Unknown), [(SagaRule::NotFinished, Some(2))]);
}

#[test]
fn s14_a_saga_under_way_when_time_is_up_is_stuck_and_its_faults_so_far_count() {
    let mut story = saga(BUY);
    story.reserve().refund();
    let run = &story.finish(End::NotAtRest).invariants[0];
    assert_eq!((run.violations, run.stuck), (1, true));
    let rule = |at: usize| match run.findings[at].what {
        Witness::Rule { rule, .. } => rule,
        _ => panic!("{run:?}"),
    };
    assert_eq!([rule(0), rule(1)], [SagaRule::EmptyUndo, SagaRule::NeverEnded]);
}

#[test]
fn a_second_run_that_completes_outlives_a_first_one_that_gave_up() {
    let mut story = saga(BUY);
    story.reserve().charge().ship().flow(0, BUY, FlowMove::Completed, None);
    assert_eq!(rules(story, BUY, FlowMove::GaveUp, Outcome::Ok), []);
}

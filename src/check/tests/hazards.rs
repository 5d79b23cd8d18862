//! What counts as having been put to the test, what is counted at all, and when holding is earned.

use super::super::testing::*;
use super::super::verdict::{CellTally, InvariantRun, Minimum, RunVerdict};
use crate::kernel::path::Path;
use crate::model::expr::Counter;
use crate::model::ids::{FlowId, OpId, TopicId};
use crate::model::invariant::{InvariantKind, Verdict};
use crate::model::own::Hazard;
use crate::model::plan::End;
use crate::model::record::{FLOW, FlowMove, Kind, Outcome, Record, StepRole, commit, step_word};
use crate::model::weather::{PointKind, Subject};
use crate::store::Sink;

fn lost_update() -> Story {
    Story::of(InvariantKind::NoLostUpdate { tables: vec![PEOPLE], strict: false })
}

#[test]
fn two_writers_open_on_one_row_are_contention() {
    let mut story = lost_update();
    story.invoke(0, SET_MAIL).invoke(1, SET_MAIL);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]).commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20])]);
    assert_eq!(story.end(0).end(1).rest().hazards, 1);
}

#[test]
fn one_after_the_other_is_no_contention() {
    let mut story = lost_update();
    for slot in [0, 1] {
        story.invoke(slot, SET_MAIL).commit(slot, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]).end(slot);
    }
    assert_eq!(story.rest().hazards, 0);
}

#[test]
fn who_was_made_to_wait_by_a_lock_contended_all_the_same() {
    let mut story = lost_update();
    story.invoke(0, SET_MAIL).invoke(1, SET_MAIL);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]).end(0);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20])]).end(1);
    assert_eq!(story.rest().hazards, 1);
}

#[test]
fn two_readers_do_not_contend_until_one_writes() {
    let mut story = lost_update();
    story.invoke(0, LOOK).invoke(1, LOOK);
    for slot in [0, 1] {
        let path = Path(100 + u64::from(slot));
        story.begin(slot, LOOK, path).read(slot, PEOPLE, 1, path);
    }
    assert_eq!(story.rest().hazards, 0);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20])]);
    assert_eq!(story.end(0).end(1).rest().hazards, 1);
}

#[test]
fn a_read_by_an_operation_that_writes_is_as_good_as_a_write() {
    let mut story = lost_update();
    story.invoke(0, LOOK).invoke(1, SET_MAIL);
    story.begin(0, LOOK, Path(100)).read(0, PEOPLE, 1, Path(100));
    story.begin(1, SET_MAIL, Path(101)).read(1, PEOPLE, 1, Path(101));
    assert_eq!(story.rest().hazards, 1);
}

#[test]
fn a_second_copy_that_arrives_is_a_duplicate_and_a_lost_one_is_not() {
    for (second, hazards) in [(Kind::Delivered, 1), (Kind::Lost, 0)] {
        let mut story = Story::of(InvariantKind::NoDuplicateEffect(vec![PEOPLE]));
        let request = PointKind::Request;
        story.invoke(0, SET_MAIL).message(Kind::Sent, 0, request, SET_MAIL, 2);
        story.message(Kind::Delivered, 0, request, SET_MAIL, 0).message(second, 0, request, SET_MAIL, 1);
        let verdict = story.finish(End::Rest);
        assert_eq!(verdict.invariants[0].hazards, hazards);
        assert_eq!(verdict.counts.get(Counter::Duplicated), 1);
    }
}

#[test]
fn a_lost_answer_counts_only_if_something_was_done() {
    for (done, hazards) in [(true, 1), (false, 0)] {
        let mut story = Story::of(InvariantKind::NoDuplicateEffect(Vec::new()));
        story.invoke(0, SET_MAIL);
        if done {
            story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]);
        }
        story.message(Kind::Lost, 0, PointKind::Reply, SET_MAIL, 0);
        assert_eq!(story.rest().hazards, hazards);
    }
}

#[test]
fn a_hazard_elsewhere_does_not_count() {
    let mut story = Story::of(InvariantKind::AllOrNothing(BUY));
    story.start(0, BUY).message(Kind::Lost, 0, PointKind::Request, LOOK, 0);
    assert_eq!(story.rest().hazards, 0);
    story.message(Kind::Lost, 0, PointKind::Request, CHARGE, 0);
    assert_eq!(story.rest().hazards, 1);
    story.message(Kind::Lost, 0, PointKind::Request, BUY.0 | FLOW, 0);
    // The topic's subscriber charges.
    story.message(Kind::Lost, 0, PointKind::Event, 0, 0);
    assert_eq!(story.rest().hazards, 3);
}

/// What stops a step stops the flow, also where that is a step itself: what the others have written is left halfway.
#[test]
fn what_stops_a_step_concerns_what_its_flow_changes() {
    let of_orders = |target: u16, kind: Kind, op: u16| {
        // Those who wait for delays, too.
        let mut story = Story::of(InvariantKind::NoLeak(vec![ORDERS]));
        match target & FLOW {
            0 => story.invoke(0, target),
            _ => story.start(0, FlowId(target & !FLOW)),
        };
        match kind {
            Kind::Failed => {
                let failed = story.blank(kind, 0);
                story.tell(Record { op, ..failed });
            }
            kind => _ = story.message(kind, 0, PointKind::Request, op, 0),
        }
        story.rest().hazards
    };
    for kind in [Kind::Lost, Kind::Delayed, Kind::Failed] {
        // Of these only some write orders, and charging is no step of others.
        for (target, op, hazards) in [
            (BUY.0 | FLOW, CHARGE, 1),
            (OUTER.0 | FLOW, CHARGE, 1),
            (MAYBE.0 | FLOW, LOOK, 1),
            (CHARGE, CHARGE, 0),
            (SET_MAIL, CHARGE, 0),
            (BUY.0 | FLOW, LOOK, 0),
            (BUY.0 | FLOW, SHIP, 1),
        ] {
            assert_eq!(of_orders(target, kind, op), hazards, "{kind:?} {target} {op}");
        }
    }
    // Of a flow that is called step by step, a message that arrives twice is about what it asks for.
    let mut story = Story::of(InvariantKind::NoDuplicateEffect(vec![ORDERS]));
    story.start(0, BUY).message(Kind::Sent, 0, PointKind::Request, CHARGE, 2);
    for copy in 0..2 {
        story.message(Kind::Delivered, 0, PointKind::Request, CHARGE, copy);
    }
    assert_eq!(story.rest().hazards, 0);
}

#[test]
fn a_refusal_counts_after_another_step_was_done() {
    let mut story = Story::of(InvariantKind::AllOrNothing(BUY));
    story.start(0, BUY);
    let refused = |story: &mut Story, step| {
        let record = story.blank(Kind::Refused, 0);
        story.tell(Record { op: CHARGE, row: step_word(step, StepRole::Action), ..record });
    };
    refused(&mut story, 0);
    assert_eq!(story.rest().hazards, 0);
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]);
    refused(&mut story, 1);
    assert_eq!(story.rest().hazards, 1);
}

#[test]
fn a_crash_counts_if_it_hits_somebody_and_only_replicas_are_counted_as_crashed() {
    let mut story = Story::of(InvariantKind::AllOrNothing(BUY));
    let crash = |story: &mut Story, who| {
        let record = story.blank(Kind::Crash, 0);
        story.tell(Record { who, ..record });
    };
    crash(&mut story, 0);
    story.start(0, BUY);
    // An intent is open, but whether the node has to do with it no record tells.
    crash(&mut story, 1);
    assert_eq!(story.rest().hazards, 0);
    story.judge.offered(Hazard::Crash, Subject::Any);
    crash(&mut story, 2);
    story.judge.offered(Hazard::Crash, Subject::Any);
    let verdict = story.finish(End::Rest);
    assert_eq!((verdict.invariants[0].hazards, verdict.counts.get(Counter::Crashes)), (2, 2));
}

#[test]
fn a_failure_counts_where_it_happened_and_what_a_pause_holds_up_everywhere() {
    let mut story = Story::of(InvariantKind::AllOrNothing(BUY));
    story.start(0, BUY);
    for (kind, op) in [(Kind::Failed, LOOK), (Kind::Failed, CHARGE), (Kind::Pause, 0)] {
        let record = story.blank(kind, 0);
        story.tell(Record { op, ..record });
    }
    assert_eq!(story.rest().hazards, 1);
    story.judge.offered(Hazard::Delay, Subject::Any);
    assert_eq!(story.rest().hazards, 2);
}

#[test]
fn what_no_record_tells_counts_where_it_concerns() {
    let mut story = Story::of(InvariantKind::NoDuplicateEffect(vec![CHARGES]));
    story.invoke(0, CHARGE);
    // The topic's subscriber charges; the flow does, too.
    for to in
        [Subject::Op(OpId(LOOK)), Subject::Op(OpId(CHARGE)), Subject::Topic(TopicId(0)), Subject::Flow(BUY)]
    {
        story.judge.offered(Hazard::Duplicate, to);
    }
    assert_eq!(story.rest().hazards, 3);
}

#[test]
fn a_lost_acknowledgement_is_a_lost_answer() {
    let mut story = Story::of(InvariantKind::NoDuplicateEffect(vec![CHARGES]));
    story.invoke(0, CHARGE).message(Kind::Lost, 0, PointKind::Ack, 0, 0);
    // That of a choreography's letter is about no topic.
    story.message(Kind::Lost, 0, PointKind::Ack, u16::MAX, 0);
    assert_eq!(story.rest().hazards, 1);
}

/// Locks of keys and fences are about no table, and who waits alone waits for itself.
#[test]
fn who_waits_for_a_lock_meets_somebody_there_but_at_no_known_row() {
    let story = |kind, others: bool, table: u16| {
        let mut story = Story::of(kind);
        story.invoke(0, SET_MAIL);
        if others {
            story.invoke(1, SET_MAIL);
        }
        let wait = story.blank(Kind::LockWait, 0);
        story.tell(Record { op: table, row: 1, ..wait });
        story.rest().hazards
    };
    let at_most_one = || InvariantKind::AtMostOne { table: PEOPLE, per: crate::model::ids::ColumnId(1) };
    assert_eq!(story(at_most_one(), true, PEOPLE.0), 1);
    assert_eq!(story(at_most_one(), false, PEOPLE.0), 0);
    assert_eq!(story(at_most_one(), true, u16::MAX), 0);
    assert_eq!(story(InvariantKind::EveryIntentEnds, true, PEOPLE.0), 1);
    assert_eq!(story(InvariantKind::NoLostUpdate { tables: vec![PEOPLE], strict: false }, true, PEOPLE.0), 0);
}

#[test]
fn every_hazard_is_needed_by_some_kind_and_no_kind_is_without() {
    use super::super::witness::{Hazard, needs};
    let kinds = [
        InvariantKind::NoLostUpdate { tables: Vec::new(), strict: false },
        InvariantKind::NoDuplicateEffect(Vec::new()),
        InvariantKind::CompensationRules(BUY),
        InvariantKind::AllOrNothing(BUY),
        InvariantKind::EveryIntentEnds,
    ];
    assert!(kinds.iter().all(|kind| !needs(kind).is_empty()));
    let needed = |hazard: &Hazard| kinds.iter().any(|kind| needs(kind).contains(hazard));
    assert!(Hazard::ALL.iter().all(needed));
    assert!(Hazard::ALL.iter().enumerate().all(|(at, &hazard)| hazard as usize == at));
}

#[test]
fn a_judge_can_be_sent_to_a_thread() {
    fn sendable<T: Send + Clone>(_: &T) {}
    sendable(&lost_update().judge);
}

#[test]
fn a_repetition_counts_after_a_timeout_of_the_same_call() {
    let mut story = Story::of(InvariantKind::NoDuplicateEffect(Vec::new()));
    let request = PointKind::Request;
    story.invoke(0, SET_MAIL).message(Kind::Sent, 0, request, SET_MAIL, 1);
    assert_eq!(story.rest().hazards, 0);
    let timeout = story.blank(Kind::Timeout, 0);
    story.tell(Record { op: SET_MAIL, ..timeout });
    story.message(Kind::Sent, 0, request, LOOK, 1).message(Kind::Sent, 0, request, SET_MAIL, 1);
    let verdict = story.finish(End::Rest);
    assert_eq!((verdict.invariants[0].hazards, verdict.counts.get(Counter::Attempts)), (1, 3));
}

#[test]
fn counts_are_those_of_the_records() {
    let mut story = Story::of(InvariantKind::CompensationRules(BUY));
    story.start(0, BUY).flow(0, BUY, FlowMove::Started, None);
    story.done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]).undone(0, 0, RELEASE, &[delete(ORDERS, 1)]);
    story.flow(0, BUY, FlowMove::Parked, Some(1)).flow(0, BUY, FlowMove::Parked, Some(2));
    story.told(0, Outcome::Failed).settle(0).invoke(0, LOOK).ok(0);
    for kind in [Kind::Replay, Kind::Busy, Kind::Conflict, Kind::Delayed] {
        let record = story.blank(kind, 0);
        story.tell(record);
    }
    let verdict = story.finish(End::Rest);
    let count = |counter| verdict.counts.get(counter);
    use Counter::*;
    let counted =
        [Intents, Ok, Failed, Unknown, Writes, Compensations, Parked, Replays, Busy, Conflicts, Delayed];
    assert_eq!(counted.map(count), [2, 1, 1, 0, 2, 1, 1, 1, 1, 1, 1]);
    assert_eq!(verdict.completed, 2);
}

#[test]
fn a_compensation_seen_write_by_write_is_counted_once() {
    let mut story = Story::of(InvariantKind::CompensationRules(BUY));
    story.start(0, BUY).done(0, 0, RESERVE, &[put(ORDERS, &[1, 1])]);
    for (flag, writes) in [(commit::EARLY, 1), (commit::EARLY, 1), (0, 0)] {
        (story.flag, story.path) = (flag, Some(Path(5)));
        story.undone(0, 0, RELEASE, &[put(ORDERS, &[1, 3])][..writes]);
    }
    assert_eq!(story.finish(End::Rest).counts.get(Counter::Compensations), 1);
}

#[test]
fn a_judge_that_starts_anew_has_forgotten_everything() {
    let mut story = lost_update();
    let tell = |story: &mut Story| {
        story.invoke(0, SET_MAIL).invoke(1, SET_MAIL);
        for slot in 0..2 {
            let cells = [1, 11 + i64::from(slot), 20];
            story.commit(slot, SET_MAIL, &[put(PEOPLE, &cells).from(1).columns(2, 2, 0)]);
        }
        story.ok(0).end(1).finish(End::NotAtRest)
    };
    let first = tell(&mut story);
    assert!(first.is_violated());
    story.again();
    assert_eq!(tell(&mut story), first);
    story.again();
    assert_eq!(story.finish(End::Rest).invariants[0], InvariantRun::default());
}

fn run(violations: u64, stuck: bool, obligations: u64, hazards: u64) -> RunVerdict {
    let one = InvariantRun { violations, stuck, obligations, hazards, ..InvariantRun::default() };
    RunVerdict { invariants: vec![one], completed: 1, ..RunVerdict::default() }
}

fn verdict(runs: &[RunVerdict]) -> Verdict {
    let mut tally = CellTally::default();
    (0..).zip(runs).for_each(|(seed, run)| tally.add(seed, run));
    tally.overall(&Minimum::default())
}

#[test]
fn holding_is_earned_by_obligations_hazards_and_intents_that_end() {
    assert_eq!(verdict(&[run(0, false, 1, 0), run(0, false, 0, 1)]), Verdict::Holds);
    assert_eq!(verdict(&[run(0, false, 0, 1)]), Verdict::Inconclusive);
    assert_eq!(verdict(&[run(0, false, 1, 0)]), Verdict::Inconclusive);
    let nobody = RunVerdict { completed: 0, ..run(0, false, 1, 1) };
    assert_eq!(verdict(&[nobody]), Verdict::Inconclusive);
    assert_eq!(verdict(&[]), Verdict::Inconclusive);
}

#[test]
fn one_violated_run_outweighs_all_and_one_stuck_run_all_that_hold() {
    let good = run(0, false, 1, 1);
    assert_eq!(verdict(&[good.clone(), run(0, true, 0, 0)]), Verdict::Stuck);
    assert_eq!(verdict(&[run(0, true, 1, 1), run(1, true, 0, 0), good]), Verdict::Violated);
}

#[test]
fn tallies_merge_in_any_order() {
    let runs = [run(0, false, 1, 1), run(2, false, 1, 0), run(0, true, 3, 0), run(1, false, 0, 7)];
    let mut forwards = CellTally::default();
    (10..).zip(&runs).for_each(|(seed, run)| forwards.add(seed, run));
    let mut backwards = CellTally::default();
    for (seed, run) in (10..).zip(&runs).collect::<Vec<_>>().into_iter().rev() {
        let mut one = CellTally::default();
        one.add(seed, run);
        backwards.merge(&one);
    }
    assert_eq!(forwards, backwards);
    let tally = &forwards.invariants[0];
    assert_eq!((tally.violating_runs, tally.violations, tally.first_violating), (2, 3, Some(11)));
    assert_eq!((tally.stuck_runs, tally.first_stuck, tally.obligations, tally.hazards), (1, Some(12), 5, 8));
}

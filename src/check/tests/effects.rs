//! Lost updates, with every case in which nothing is lost, and effects that take place twice.

use super::super::finding::Witness;
use super::super::testing::*;
use crate::model::expr::Counter;
use crate::model::ids::TableId;
use crate::model::invariant::InvariantKind;
use crate::model::record::{NONE, Outcome, StepRole, commit, install, step_word};

const MAIL: u32 = 1 << 1;
const PHONE: u32 = 1 << 2;

fn lost(strict: bool) -> Story {
    let mut story = Story::of(InvariantKind::NoLostUpdate { tables: vec![PEOPLE], strict });
    story.invoke(0, SET_MAIL).invoke(1, SET_MAIL);
    story
}

fn twice() -> Story {
    Story::of(InvariantKind::NoDuplicateEffect(Vec::new()))
}

#[test]
fn a_whole_row_written_back_loses_the_field_that_another_had_set() {
    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, 0, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 10, 21]).from(1).columns(PHONE, 0, MAIL)]);
    let run = story.end(0).end(1).rest();
    assert_eq!((run.violations, run.silent, run.obligations), (1, 1, 2));
    let Witness::LostUpdate { victim, victim_version, culprit, version, base, columns, victims, .. } =
        &run.findings[0].what
    else {
        panic!("{run:?}")
    };
    assert_eq!((*victim_version, *version, *base, *columns, *victims), (2, 3, 1, MAIL, 1));
    assert_eq!((victim.party.client, culprit.party.client), (0, 1));
    assert_eq!(culprit.party.told, Some(Outcome::Ok));
    assert!(run.findings[0].silent);
}

#[test]
fn a_counter_computed_from_an_old_read_loses_an_increment() {
    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, MAIL, 0)]);
    let verdict = story.end(0).end(1).finish(crate::model::plan::End::Rest);
    assert_eq!(verdict.invariants[0].violations, 1);
    assert_eq!(verdict.counts.get(Counter::Overlaps), 1);
}

#[test]
fn a_loss_is_loud_if_one_of_the_two_was_not_told_ok() {
    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, MAIL, 0)]);
    let run = story.ok(0).told(1, Outcome::Unknown).settle(0).settle(1).rest();
    assert_eq!((run.violations, run.silent), (1, 0));
}

#[test]
fn a_conflict_and_a_retry_that_reads_again_lose_nothing() {
    let mut story = lost(true);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(2).columns(MAIL, MAIL, 0)]);
    assert_eq!(story.end(0).end(1).rest().violations, 0);
}

#[test]
fn a_row_that_is_back_to_what_was_read_is_stale_and_nothing_more() {
    for (strict, violations) in [(false, 0), (true, 1)] {
        let mut story = lost(strict);
        story.invoke(2, SET_MAIL);
        story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]);
        story.commit(2, SET_MAIL, &[put(PEOPLE, &[1, 10, 20])]);
        story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, MAIL, 0)]);
        let run = story.end(0).end(1).end(2).rest();
        assert_eq!(run.violations, violations, "strict: {strict}");
        for finding in &run.findings {
            assert!(matches!(finding.what, Witness::LostUpdate { columns: 0, .. }));
        }
    }
}

#[test]
fn what_the_store_adds_up_itself_loses_nothing() {
    let mut story = lost(true);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).columns(MAIL, 0, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).columns(MAIL, 0, 0)]);
    assert_eq!(story.end(0).end(1).rest().violations, 0);
}

#[test]
fn a_blind_last_writer_wins_and_loses_nothing() {
    let mut story = lost(true);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).columns(MAIL, 0, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, 0, 0)]);
    assert_eq!(story.end(0).end(1).rest().violations, 0);
}

#[test]
fn the_own_duplicate_is_a_duplicate_and_no_lost_update() {
    let mut story = lost(false);
    for mail in [11, 12] {
        story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, mail, 20]).from(1).columns(MAIL, MAIL, 0)]);
    }
    assert_eq!(story.end(0).end(1).rest().violations, 0);
    let mut story = twice();
    story.invoke(0, SET_MAIL);
    for mail in [11, 12] {
        story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, mail, 20]).from(1).columns(MAIL, MAIL, 0)]);
    }
    assert_eq!(story.end(0).rest().violations, 1);
}

#[test]
fn a_write_that_changes_nothing_is_no_victim() {
    let mut story = lost(false);
    let noop = put(PEOPLE, &[1, 10, 20]).from(1).columns(MAIL, MAIL, 0).flag(install::NOOP);
    story.commit(0, SET_MAIL, &[noop]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, MAIL, 0)]);
    assert_eq!(story.end(0).end(1).rest().violations, 0);
}

#[test]
fn two_increments_that_write_the_same_number_are_one_too_few() {
    let mut story = lost(false);
    let more = put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0);
    story.commit(0, SET_MAIL, &[more]).commit(1, SET_MAIL, &[more.flag(install::NOOP)]);
    assert_eq!(story.end(0).end(1).rest().violations, 1);
}

#[test]
fn a_row_changed_elsewhere_does_not_make_a_victim_of_a_write_that_changed_nothing() {
    let mut story = lost(false);
    story.invoke(2, SET_MAIL);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 10, 21]).columns(PHONE, 0, 0)]);
    story.commit(2, SET_MAIL, &[put(PEOPLE, &[1, 10, 21]).columns(MAIL, 0, 0).flag(install::NOOP)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 21]).from(1).columns(MAIL, MAIL, 0)]);
    assert_eq!(story.end(0).end(1).end(2).rest().violations, 0);
}

#[test]
fn an_update_and_its_compensation_both_unseen_are_no_loss_but_one_of_them_is() {
    for both in [true, false] {
        let mut story = Story::of(InvariantKind::NoLostUpdate { tables: Vec::new(), strict: false });
        story.start(0, BUY).invoke(1, SET_MAIL);
        story.done(0, 0, RESERVE, &[put(PEOPLE, &[1, 11, 20]).columns(MAIL, 0, 0)]);
        if both {
            // Not quite back to what it was: another column stays changed.
            story.undone(0, 0, RELEASE, &[put(PEOPLE, &[1, 10, 21]).columns(MAIL, 0, 0)]);
        }
        story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, MAIL, 0)]);
        let violations = story.end(0).end(1).rest().violations;
        assert_eq!(violations, u64::from(!both));
    }
}

#[test]
fn different_fields_written_alone_lose_nothing() {
    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 11, 21]).from(1).columns(PHONE, PHONE, 0)]);
    assert_eq!(story.end(0).end(1).rest().violations, 0);
}

#[test]
fn a_deletion_meant_as_such_loses_nothing_and_a_row_brought_back_loses_the_deletion() {
    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0)]);
    story.commit(1, SET_MAIL, &[delete(PEOPLE, 1).from(1)]);
    assert_eq!(story.end(0).end(1).rest().violations, 0);

    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[delete(PEOPLE, 1).from(1)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, 0, 0)]);
    let run = story.end(0).end(1).rest();
    assert!(matches!(run.findings[0].what, Witness::LostUpdate { columns: u32::MAX, victim_version: 2, .. }));

    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[delete(PEOPLE, 1).from(1)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(2).columns(MAIL, 0, 0)]);
    assert_eq!(story.end(0).end(1).rest().violations, 0, "whoever saw the deletion may insert again");
}

#[test]
fn an_operation_still_running_at_the_end_loses_updates_all_the_same() {
    let mut story = lost(false);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0)]);
    story.end(0);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(1).columns(MAIL, MAIL, 0)]);
    let run = &story.finish(crate::model::plan::End::NotAtRest).invariants[0];
    assert_eq!((run.violations, run.silent, run.stuck), (1, 0, false));
}

#[test]
fn one_stale_writer_may_lose_several_and_the_newest_is_named() {
    let mut story = lost(false);
    story.invoke(2, SET_MAIL);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).from(1).columns(MAIL, MAIL, 0)]);
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 12, 20]).from(2).columns(MAIL, MAIL, 0)]);
    story.commit(2, SET_MAIL, &[put(PEOPLE, &[1, 13, 20]).from(1).columns(MAIL, MAIL, 0)]);
    let run = story.end(0).end(1).end(2).rest();
    let Witness::LostUpdate { victim, victims, .. } = &run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((run.violations, *victims, victim.party.client), (1, 2, 1));
}

#[test]
fn a_table_that_is_not_watched_is_not_judged() {
    let kind = InvariantKind::NoLostUpdate { tables: vec![CHARGES], strict: true };
    let mut story = Story::of(kind);
    story.invoke(0, SET_MAIL).invoke(1, SET_MAIL);
    for slot in 0..2 {
        let mail = 11 + i64::from(slot);
        story.commit(slot, SET_MAIL, &[put(PEOPLE, &[1, mail, 20]).from(1).columns(MAIL, MAIL, 0)]);
    }
    let run = story.end(0).end(1).rest();
    assert_eq!((run.violations, run.obligations), (0, 0));
}

#[test]
fn memory_of_versions_has_an_end_and_newer_victims_are_still_named() {
    let mut story = lost(false);
    for mail in 100..200 {
        let base = mail as u32 - 99;
        story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, mail, 20]).from(base).columns(MAIL, MAIL, 0)]);
    }
    story.commit(1, SET_MAIL, &[put(PEOPLE, &[1, 7, 20]).from(1).columns(MAIL, MAIL, 0)]);
    let run = story.end(0).end(1).rest();
    let Witness::LostUpdate { victim_version, victims, .. } = run.findings[0].what else { panic!("{run:?}") };
    assert_eq!((victim_version, victims), (101, 64));
}

#[test]
fn a_second_charge_for_one_step_is_found_and_a_charge_after_a_refund_is_not() {
    let charge = |story: &mut Story, id| {
        story.done(0, 1, CHARGE, &[put(CHARGES, &[id, 7, 5])]);
    };
    let mut story = twice();
    story.start(0, BUY);
    charge(&mut story, 1);
    charge(&mut story, 2);
    let run = story.end(0).rest();
    assert_eq!((run.violations, run.silent, run.obligations), (1, 1, 1));
    let Witness::DuplicateEffect { first, second } = &run.findings[0].what else { panic!("{run:?}") };
    assert_ne!(first.path, second.path);
    assert_eq!(run.findings[0].at, second.at);

    let mut story = twice();
    story.start(0, BUY);
    charge(&mut story, 1);
    story.undone(0, 1, REFUND, &[delete(CHARGES, 1)]);
    charge(&mut story, 2);
    assert_eq!(story.end(0).rest().violations, 0);
}

#[test]
fn a_repetition_that_changes_nothing_or_only_refuses_is_no_second_effect() {
    let mut story = twice();
    story.invoke(0, SET_MAIL);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20])]);
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 20]).flag(install::NOOP)]);
    story.flag = commit::SKIPPED;
    story.commit(0, SET_MAIL, &[]);
    story.flag = commit::REFUSED;
    story.commit(0, SET_MAIL, &[put(PEOPLE, &[1, 11, 99]).flag(install::OTHERWISE)]);
    assert_eq!(story.end(0).rest().violations, 0);
}

#[test]
fn writes_seen_one_by_one_are_one_execution_and_a_second_execution_is_one_too_many() {
    let mut story = twice();
    story.invoke(0, CHARGE);
    let first = crate::kernel::path::Path(77);
    for (id, path) in [(1, first), (2, first)] {
        (story.flag, story.path) = (commit::EARLY, Some(path));
        story.commit(0, CHARGE, &[put(CHARGES, &[id, 7, 5])]);
    }
    story.path = Some(first);
    story.commit(0, CHARGE, &[]);
    assert_eq!(story.rest().violations, 0);
    story.again();
    story.invoke(0, CHARGE);
    for (id, path) in [(1, first), (2, first), (3, crate::kernel::path::Path(78))] {
        (story.flag, story.path) = (commit::EARLY, Some(path));
        story.commit(0, CHARGE, &[put(CHARGES, &[id, 7, 5])]);
    }
    assert_eq!(story.rest().violations, 1);
}

#[test]
fn two_intents_that_do_the_same_are_two_effects() {
    let mut story = twice();
    story.invoke(0, CHARGE).invoke(1, CHARGE);
    story.commit(0, CHARGE, &[put(CHARGES, &[1, 7, 5])]).commit(1, CHARGE, &[put(CHARGES, &[2, 7, 5])]);
    assert_eq!(story.end(0).end(1).rest().violations, 0);
}

#[test]
fn a_duplicate_outside_the_watched_tables_is_spared() {
    let mut story = Story::of(InvariantKind::NoDuplicateEffect(vec![TableId(0)]));
    story.start(0, BUY);
    story.done(0, 1, CHARGE, &[put(CHARGES, &[1, 7, 5])]).done(0, 1, CHARGE, &[put(CHARGES, &[2, 7, 5])]);
    assert_eq!(story.end(0).rest().violations, 0);
}

#[test]
fn a_subscriber_that_applies_an_event_twice_is_found() {
    let mut story = twice();
    story.invoke(0, SET_MAIL);
    for id in [1, 2] {
        story.transact(0, CHARGE, 99, NONE, NONE, &[put(CHARGES, &[id, 7, 5])]);
    }
    assert_eq!(story.end(0).rest().violations, 1);
}

#[test]
fn a_refund_given_twice_is_a_duplicate_too() {
    let mut story = twice();
    story.start(0, BUY).done(0, 1, CHARGE, &[put(CHARGES, &[1, 7, 5])]);
    for amount in [0, -5] {
        let row = step_word(1, StepRole::Undo);
        story.transact(0, REFUND, 8, 0, row, &[put(CHARGES, &[1, 7, amount])]);
    }
    assert_eq!(story.end(0).rest().violations, 1);
}

//! Locks of tables: who gets along with whom, in which order they come in, and which rings of waiters are found.

use proptest::prelude::*;

use super::super::locks::{Lock, Locks, Owner};
use super::{Hold, TableLocks};
use crate::model::ids::TableId;
use crate::model::value::Word;

const T: TableId = TableId(0);
const U: TableId = TableId(1);

fn row(key: Word) -> Lock {
    Lock { table: T, space: 0, key }
}

fn intends(locks: &mut Locks, owner: Owner) -> bool {
    locks.take_table(T, Hold::Intention, owner)
}

fn whole(locks: &mut Locks, owner: Owner) -> bool {
    locks.take_table(T, Hold::Whole, owner)
}

fn released(locks: &mut Locks, owner: Owner) -> Vec<Owner> {
    let mut woken = Vec::new();
    locks.release(owner, &mut woken);
    woken
}

#[test]
fn intentions_get_along_and_the_whole_table_with_nobody() {
    let mut locks = Locks::default();
    assert!(locks.is_empty());
    assert!(intends(&mut locks, 10));
    assert!(intends(&mut locks, 11));
    assert!(intends(&mut locks, 10), "again");
    assert!(!locks.is_empty());
    assert_eq!(locks.len(), 0, "nothing of it is locked");
    assert!(!whole(&mut locks, 12));
    assert!(locks.take_table(U, Hold::Whole, 13), "another table");
    assert_eq!(locks.len(), 1);
    assert!(released(&mut locks, 10).is_empty());
    assert_eq!(released(&mut locks, 11), [12]);
    assert_eq!(locks.len(), 2);
    assert!(intends(&mut locks, 12), "it holds all of it");
    assert!(whole(&mut locks, 12));
    assert!(!intends(&mut locks, 10));
    assert!(!whole(&mut locks, 11));
    assert_eq!(released(&mut locks, 12), [10]);
    assert_eq!(released(&mut locks, 10), [11]);
    assert!(released(&mut locks, 11).is_empty());
    assert!(released(&mut locks, 13).is_empty());
    assert!(locks.is_empty());
}

/// Those who come for rows do not keep somebody waiting for ever who wants the whole table.
#[test]
fn who_comes_later_waits_behind_who_wants_the_whole_table() {
    let mut locks = Locks::default();
    assert!(intends(&mut locks, 10));
    assert!(!whole(&mut locks, 11));
    assert!(!intends(&mut locks, 12));
    assert!(!intends(&mut locks, 13));
    assert!(!whole(&mut locks, 14));
    assert!(!intends(&mut locks, 12), "it keeps its place");
    assert_eq!(released(&mut locks, 10), [11]);
    assert_eq!(released(&mut locks, 11), [12, 13]);
    assert!(released(&mut locks, 13).is_empty());
    assert_eq!(released(&mut locks, 12), [14]);
}

#[test]
fn who_gives_up_waiting_lets_those_behind_it_in() {
    let mut locks = Locks::default();
    assert!(intends(&mut locks, 10));
    assert!(!whole(&mut locks, 11));
    assert!(!intends(&mut locks, 12));
    assert!(!intends(&mut locks, 13));
    assert_eq!(released(&mut locks, 11), [12, 13]);
}

/// Who has an intention and wants more goes before those who wait for it anyway.
#[test]
fn who_wants_the_rest_of_a_table_goes_first() {
    let mut locks = Locks::default();
    assert!(intends(&mut locks, 10));
    assert!(whole(&mut locks, 10), "alone at once");
    released(&mut locks, 10);

    assert!(intends(&mut locks, 10));
    assert!(intends(&mut locks, 11));
    assert!(!whole(&mut locks, 12));
    assert!(!intends(&mut locks, 13));
    assert!(!whole(&mut locks, 10));
    assert!(locks.deadlock(10).is_empty());
    assert_eq!(released(&mut locks, 11), [10]);
    assert_eq!(released(&mut locks, 10), [12]);
    assert_eq!(released(&mut locks, 12), [13]);

    // Alone it need not wait for those who wait for it.
    assert!(!whole(&mut locks, 14));
    assert!(whole(&mut locks, 13));
    assert_eq!(released(&mut locks, 13), [14]);

    // Giving up, it gives back what it had.
    released(&mut locks, 14);
    assert!(intends(&mut locks, 10));
    assert!(intends(&mut locks, 11));
    assert!(!whole(&mut locks, 10));
    assert!(!whole(&mut locks, 12));
    assert!(released(&mut locks, 10).is_empty());
    assert_eq!(released(&mut locks, 11), [12]);
}

#[test]
fn two_who_want_the_rest_of_a_table_are_a_deadlock() {
    let mut locks = Locks::default();
    for owner in [10, 11, 12] {
        assert!(intends(&mut locks, owner));
    }
    assert!(!whole(&mut locks, 10));
    assert!(locks.deadlock(10).is_empty());
    assert!(!whole(&mut locks, 11));
    assert_eq!(locks.deadlock(11), [11, 10]);
    assert!(locks.deadlock(12).is_empty(), "it waits for nobody");
    assert!(released(&mut locks, 11).is_empty());
    assert!(locks.deadlock(10).is_empty());
    assert_eq!(released(&mut locks, 12), [10]);
}

/// One waits for many: a ring through any of them is found, one after the other.
#[test]
fn rings_over_rows_and_tables_are_found() {
    let mut locks = Locks::default();
    assert!(locks.take(row(1), 10));
    for owner in [11, 12, 13] {
        assert!(intends(&mut locks, owner));
    }
    assert!(!locks.take(row(1), 12));
    assert!(!locks.take(row(1), 13));
    assert!(locks.deadlock(13).is_empty());
    assert!(!whole(&mut locks, 10));
    assert_eq!(locks.deadlock(10), [10, 12]);
    assert!(released(&mut locks, 12).is_empty());
    assert_eq!(locks.deadlock(10), [10, 13]);
    assert!(released(&mut locks, 13).is_empty());
    assert!(locks.deadlock(10).is_empty());
    assert_eq!(released(&mut locks, 11), [10]);
}

/// Who comes later waits for those in front of it, too, though only for those that it cannot go along with.
#[test]
fn who_waits_behind_another_waits_for_it() {
    let mut locks = Locks::default();
    assert!(intends(&mut locks, 10));
    assert!(locks.take(row(1), 12));
    assert!(locks.take(row(2), 13));
    assert!(!whole(&mut locks, 11));
    assert!(!intends(&mut locks, 13));
    assert!(!intends(&mut locks, 12));
    assert!(!locks.take(row(1), 10));
    assert_eq!(
        locks.deadlock(10),
        [10, 12, 11],
        "10 wants the row of 12, which waits behind 11, which waits for 10"
    );
    let mut locks = Locks::default();
    assert!(whole(&mut locks, 10));
    assert!(locks.take(row(1), 14));
    for owner in [11, 12, 13, 14] {
        assert!(!whole(&mut locks, owner));
    }
    assert!(!locks.take(row(1), 10));
    // Those between 10 and 14 wait for nothing of 14.
    assert_eq!(locks.deadlock(10), [10, 14]);
}

/// Holders and waiters, searched from end to end: as slow and as plain as can be.
#[derive(Default)]
struct Plain {
    holders: Vec<(Owner, Hold)>,
    waiters: Vec<(Owner, Hold)>,
}

impl Plain {
    fn holds(&self, owner: Owner) -> Option<Hold> {
        self.holders.iter().find(|holder| holder.0 == owner).map(|holder| holder.1)
    }

    /// Who is in the way of this owner if it stands in front of all who wait.
    fn bars(&self, owner: Owner, hold: Hold) -> Vec<Owner> {
        let bars =
            |(other, held): &&(Owner, Hold)| *other != owner && (hold == Hold::Whole || *held == Hold::Whole);
        self.holders.iter().filter(bars).map(|(other, _)| *other).collect()
    }

    fn enters(&mut self, owner: Owner, hold: Hold) {
        match self.holders.iter_mut().find(|holder| holder.0 == owner) {
            Some(holder) => holder.1 = hold,
            None => self.holders.push((owner, hold)),
        }
    }

    fn take(&mut self, owner: Owner, hold: Hold) -> bool {
        let holds = self.holds(owner);
        if holds == Some(Hold::Whole) || holds == Some(hold) {
            return true;
        }
        if self.bars(owner, hold).is_empty() && (holds.is_some() || self.waiters.is_empty()) {
            self.enters(owner, hold);
            return true;
        }
        if self.waiters.iter().all(|waiter| waiter.0 != owner) {
            let at =
                self.waiters.iter().take_while(|waiter| holds.is_some() && self.holds(waiter.0).is_some());
            self.waiters.insert(if holds.is_some() { at.count() } else { self.waiters.len() }, (owner, hold));
        }
        false
    }

    fn release(&mut self, owner: Owner, woken: &mut Vec<Owner>) {
        self.waiters.retain(|waiter| waiter.0 != owner);
        self.holders.retain(|holder| holder.0 != owner);
        while let Some(&(owner, hold)) = self.waiters.first() {
            if !self.bars(owner, hold).is_empty() {
                return;
            }
            self.waiters.remove(0);
            self.enters(owner, hold);
            woken.push(owner);
        }
    }

    /// Whom an owner waits for.
    fn blockers(&self, owner: Owner) -> Vec<Owner> {
        let Some(at) = self.waiters.iter().position(|waiter| waiter.0 == owner) else { return Vec::new() };
        let hold = self.waiters[at].1;
        let ahead = self.waiters[..at].iter().filter(|waiter| hold == Hold::Whole || waiter.1 == Hold::Whole);
        self.bars(owner, hold).into_iter().chain(ahead.map(|waiter| waiter.0)).collect()
    }
}

/// Whom an owner waits for in the end, over those that it waits for.
fn all_of(owner: Owner, blockers: &dyn Fn(Owner) -> Vec<Owner>) -> Vec<Owner> {
    let mut all = blockers(owner);
    let mut at = 0;
    while at < all.len() {
        for next in blockers(all[at]) {
            if !all.contains(&next) {
                all.push(next);
            }
        }
        at += 1;
    }
    all.sort_unstable();
    all.dedup();
    all
}

proptest! {
    #[test]
    fn agrees_with_plain_lists(steps in prop::collection::vec((0u32..4, 0u32..8, 0u16..2, any::<bool>()), 1..200)) {
        let (mut locks, mut plain) = (TableLocks::default(), [Plain::default(), Plain::default()]);
        for (what, owner, table, hold) in steps {
            let waits = plain.iter().any(|plain| plain.waiters.iter().any(|waiter| waiter.0 == owner));
            if what == 0 || waits {
                let (mut woken, mut expected) = (Vec::new(), Vec::new());
                locks.release(owner, &mut woken);
                plain.iter_mut().for_each(|plain| plain.release(owner, &mut expected));
                // At which table first is told elsewhere.
                woken.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(woken, expected);
            } else {
                let hold = if hold { Hold::Whole } else { Hold::Intention };
                let got = locks.take(TableId(table), hold, owner);
                prop_assert_eq!(got, plain[usize::from(table)].take(owner, hold));
            }
            for (table, plain) in (0..).map(TableId).zip(&plain) {
                let [mut holders, waiters] = locks.at(table);
                let mut expected = plain.holders.clone();
                holders.sort_unstable_by_key(|holder| holder.0);
                expected.sort_unstable_by_key(|holder| holder.0);
                prop_assert_eq!(holders, expected);
                prop_assert_eq!(waiters, plain.waiters.clone());
            }
            let whole = plain.iter().flat_map(|plain| &plain.holders).filter(|holder| holder.1 == Hold::Whole);
            prop_assert_eq!(locks.whole(), whole.count());
            prop_assert_eq!(locks.is_empty(), plain.iter().all(|plain| plain.holders.is_empty()));
            prop_assert_eq!(locks.is_waited_for(), plain.iter().any(|plain| !plain.waiters.is_empty()));
            for owner in 0..8 {
                let expected = |owner| plain.iter().flat_map(|plain| plain.blockers(owner)).collect::<Vec<_>>();
                let found = |nearest| {
                    let locks = &locks;
                    move |owner| {
                        let mut found = Vec::new();
                        locks.blockers(owner, nearest, &mut found);
                        found
                    }
                };
                let (mut direct, mut those) = (found(false)(owner), expected(owner));
                those.sort_unstable();
                those.dedup();
                direct.sort_unstable();
                prop_assert_eq!(direct, those);
                prop_assert_eq!(all_of(owner, &found(true)), all_of(owner, &expected));
            }
        }
    }
}

/// Taking and giving back looks at nobody else, and a ring is searched for once along those who wait.
#[test]
fn many_who_want_the_whole_table_wait_in_a_line() {
    let mut locks = TableLocks::default();
    assert!(locks.take(T, Hold::Whole, 0));
    for owner in 1..1000 {
        assert!(!locks.take(T, Hold::Whole, owner));
        let mut found = Vec::new();
        locks.blockers(owner, true, &mut found);
        assert_eq!(found, [owner - 1]);
    }
    let mut woken = Vec::new();
    for owner in 0..1000 {
        locks.release(owner, &mut woken);
    }
    assert_eq!(woken, (1..1000).collect::<Vec<_>>());
    assert!(locks.is_empty());
}

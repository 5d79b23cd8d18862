//! Row locks of all services, first come first served, and the detection of deadlocks. Those of tables stand in
//! `table_locks`.
//!
//! A waiter waits for one lock at a time, and a row has one holder, so among rows the waits-for graph is a set of chains and a
//! deadlock is a chain that closes. Only where somebody waits for a table one may wait for many, and rings are searched for.
//! Locks are filed by what they lock, once they are many, and chained by owner; waiters are chained through their owners:
//! taking, giving back and giving up cost the same whether ten locks are held or ten thousand.

use super::index::Index;
use super::table_locks::{Hold, TableLocks};
use crate::kernel::path::mix;
use crate::model::ids::TableId;
use crate::model::value::Word;

/// Who holds or wants a lock: a task of the engine, by slot.
pub type Owner = u32;

/// No lock, no owner.
const NONE: u32 = u32::MAX;

/// So many locks are searched through, more are filed.
const FEW: usize = 8;

/// One locked thing: a row by its key, or something of a table that has no key (a unique value).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The table.
    pub table: TableId,
    /// What of it: 0 a row by key, 2 and more a unique combination.
    pub space: u8,
    /// The key, or the hash of the values.
    pub key: Word,
}

impl Lock {
    #[inline]
    fn hash(self) -> u64 {
        mix(u64::from(self.table.0) << 8 | u64::from(self.space), self.key as u64)
    }
}

/// A lock that somebody holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    lock: Lock,
    owner: Owner,
    /// Counts first takings: handing a lock on does not change its place among all locks.
    serial: u64,
    /// The next lock of the same owner.
    next: u32,
    /// The first and the last of those who wait.
    first: Owner,
    last: Owner,
}

/// What an owner has and wants.
#[derive(Clone, Copy, Debug)]
struct Stake {
    /// The first of its locks.
    locks: u32,
    /// The lock that it waits for, and who waits before and behind it.
    wants: u32,
    before: Owner,
    behind: Owner,
}

const NO_STAKE: Stake = Stake { locks: NONE, wants: NONE, before: NONE, behind: NONE };

/// All locks.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    held: Vec<Held>,
    free: Vec<u32>,
    index: Index,
    /// By owner.
    stakes: Vec<Stake>,
    serial: u64,
    /// How many wait.
    waiting: usize,
    /// Scratch for the locks being given back.
    freed: Vec<u32>,
    tables: TableLocks,
    #[cfg(test)]
    looks: std::cell::Cell<usize>,
}

impl PartialEq for Locks {
    fn eq(&self, other: &Locks) -> bool {
        let waiters = |locks: &Locks, lock| {
            let mut all = Vec::new();
            let mut at = locks.find(lock).map_or(NONE, |slot| locks.held[slot as usize].first);
            while at != NONE {
                all.push(at);
                at = locks.stakes[at as usize].behind;
            }
            all
        };
        let (mine, theirs) = (self.held(), other.held());
        mine == theirs
            && mine.iter().all(|&(lock, _)| waiters(self, lock) == waiters(other, lock))
            && self.tables == other.tables
    }
}

impl Locks {
    #[inline]
    fn find(&self, lock: Lock) -> Option<u32> {
        if self.held.len() <= FEW {
            let is = |held: &Held| held.lock == lock && held.owner != NONE;
            return self.held.iter().position(is).map(|slot| slot as u32);
        }
        self.index.find(lock.hash(), |slot| {
            self.look();
            self.held[slot as usize].lock == lock
        })
    }

    /// Files a lock, or, with the first that is one too many to be searched for, all of them.
    fn file(&mut self, slot: u32) {
        let from = if self.held.len() == FEW + 1 && self.index.is_empty() { 0 } else { slot };
        for slot in from..=slot {
            let held = &self.held[slot as usize];
            if held.owner != NONE {
                self.index.insert(held.lock.hash(), slot);
            }
        }
    }

    /// An entry is looked at: counted in tests.
    #[inline]
    fn look(&self) {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
    }

    /// Takes a lock if it is free or already the owner's; otherwise queues the owner and says so with `false`. An owner
    /// that waits asks for nothing but what it waits for.
    pub fn take(&mut self, lock: Lock, owner: Owner) -> bool {
        if self.stakes.len() <= owner as usize {
            self.stakes.resize(owner as usize + 1, NO_STAKE);
        }
        let Some(slot) = self.find(lock) else {
            let stake = &mut self.stakes[owner as usize];
            let (serial, next) = (self.serial, stake.locks);
            let held = Held { lock, owner, serial, next, first: NONE, last: NONE };
            let slot = match self.free.pop() {
                Some(slot) => {
                    self.held[slot as usize] = held;
                    slot
                }
                None => {
                    self.held.push(held);
                    self.held.len() as u32 - 1
                }
            };
            stake.locks = slot;
            self.serial += 1;
            if self.held.len() > FEW {
                self.file(slot);
            }
            return true;
        };
        let held = &mut self.held[slot as usize];
        if held.owner == owner {
            return true;
        }
        let wants = self.stakes[owner as usize].wants;
        debug_assert!(wants == NONE || wants == slot, "it waits for one lock at a time");
        if wants == NONE {
            let before = std::mem::replace(&mut held.last, owner);
            match before {
                NONE => held.first = owner,
                before => self.stakes[before as usize].behind = owner,
            }
            let stake = &mut self.stakes[owner as usize];
            (stake.wants, stake.before, stake.behind) = (slot, before, NONE);
            self.waiting += 1;
        }
        false
    }

    /// The same for a lock of a table. Who holds it whole needs nothing more of it; who has an intention and wants it whole
    /// waits in front of those who have none.
    pub fn take_table(&mut self, table: TableId, hold: Hold, owner: Owner) -> bool {
        self.tables.take(table, hold, owner)
    }

    /// Who holds a lock.
    pub fn owner(&self, lock: Lock) -> Option<Owner> {
        self.find(lock).map(|slot| self.held[slot as usize].owner)
    }

    /// How many locks are held, of rows, values and whole tables.
    pub fn len(&self) -> usize {
        self.held.len() - self.free.len() + self.tables.whole()
    }

    /// Whether anybody holds anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.held.len() == self.free.len() && self.tables.is_empty()
    }

    /// What is held of rows and values, and by whom, in the order it was first taken.
    pub fn held(&self) -> Vec<(Lock, Owner)> {
        let mut all: Vec<&Held> = self.held.iter().filter(|held| held.owner != NONE).collect();
        all.sort_unstable_by_key(|held| held.serial);
        all.iter().map(|held| (held.lock, held.owner)).collect()
    }

    /// The owners of a ring of those who wait for each other that `from` is part of; empty if there is none.
    pub fn deadlock(&self, from: Owner) -> Vec<Owner> {
        let mut chain = Vec::new();
        if self.tables.is_waited_for() {
            let ring = self.ring(from, true);
            // The shortest one: nobody in it could be left out, so whoever gives way breaks it.
            return if ring.is_empty() { ring } else { self.ring(from, false) };
        }
        if self.closes(from, |_| {}) {
            self.closes(from, |owner| chain.push(owner));
        }
        chain
    }

    /// Follows who waits for whom. Whether that leads back to where it began.
    fn closes(&self, from: Owner, mut seen: impl FnMut(Owner)) -> bool {
        let mut last = from;
        // A chain that does not close has no more links than there are waiters.
        for _ in 0..self.waiting {
            self.look();
            seen(last);
            match self.stakes.get(last as usize).map_or(NONE, |stake| stake.wants) {
                NONE => return false,
                slot => last = self.held[slot as usize].owner,
            }
            if last == from {
                return true;
            }
        }
        false
    }

    /// The shortest way from an owner over those it waits for back to itself: of several the first one by the order in which
    /// locks were taken and waited for. With `nearest`, some way.
    fn ring(&self, from: Owner, nearest: bool) -> Vec<Owner> {
        // Who is found, and by asking which of them.
        let mut found = vec![(from, 0)];
        let mut known = vec![false; self.stakes.len()];
        let mut next = Vec::new();
        let mut at = 0;
        while let Some(&(owner, _)) = found.get(at) {
            match self.stakes.get(owner as usize).map_or(NONE, |stake| stake.wants) {
                NONE => self.tables.blockers(owner, nearest, &mut next),
                slot => next.push(self.held[slot as usize].owner),
            }
            for owner in next.drain(..) {
                if owner == from {
                    let mut ring = vec![found[at].0];
                    while at > 0 {
                        at = found[at].1;
                        ring.push(found[at].0);
                    }
                    ring.reverse();
                    return ring;
                }
                if known.len() <= owner as usize {
                    known.resize(owner as usize + 1, false);
                }
                if !std::mem::replace(&mut known[owner as usize], true) {
                    found.push((owner, at));
                }
            }
            at += 1;
        }
        Vec::new()
    }

    /// Gives back all that an owner holds or waits for. Those that get a lock now are added to `woken`: of tables, then of
    /// rows and values in the order in which the locks were first taken.
    pub fn release(&mut self, owner: Owner, woken: &mut Vec<Owner>) {
        if !self.tables.is_empty() {
            self.tables.release(owner, woken);
        }
        let Some(stake) = self.stakes.get_mut(owner as usize) else { return };
        let mut at = std::mem::replace(&mut stake.locks, NONE);
        if stake.wants != NONE {
            self.give_up(owner);
        }
        self.look();
        if at != NONE && self.held[at as usize].next == NONE {
            self.hand_on(at, woken);
        } else if at != NONE {
            let mut freed = std::mem::take(&mut self.freed);
            while at != NONE {
                self.look();
                freed.push(at);
                at = self.held[at as usize].next;
            }
            freed.sort_unstable_by_key(|&slot| self.held[slot as usize].serial);
            for slot in freed.drain(..) {
                self.hand_on(slot, woken);
            }
            self.freed = freed;
        }
        if self.held.len() == self.free.len() {
            self.held.clear();
            self.free.clear();
        }
    }

    /// A lock goes to the first who waits for it, or is free.
    #[inline]
    fn hand_on(&mut self, slot: u32, woken: &mut Vec<Owner>) {
        let held = &mut self.held[slot as usize];
        let next = held.first;
        held.owner = next;
        if next == NONE {
            let hash = held.lock.hash();
            if self.held.len() > FEW {
                self.index.remove(hash, slot);
            }
            self.free.push(slot);
            return;
        }
        let stake = &mut self.stakes[next as usize];
        held.next = std::mem::replace(&mut stake.locks, slot);
        woken.push(next);
        self.give_up(next);
    }

    /// Takes an owner out of the queue that it stands in.
    fn give_up(&mut self, owner: Owner) {
        let Stake { wants, before, behind, .. } = self.stakes[owner as usize];
        let held = &mut self.held[wants as usize];
        match before {
            NONE => held.first = behind,
            before => self.stakes[before as usize].behind = behind,
        }
        match behind {
            NONE => held.last = before,
            behind => self.stakes[behind as usize].before = before,
        }
        self.stakes[owner as usize].wants = NONE;
        self.waiting -= 1;
    }

    /// Forgets all locks and keeps the memory.
    pub fn reset(&mut self) {
        self.held.clear();
        self.free.clear();
        self.index.clear();
        self.stakes.clear();
        self.serial = 0;
        self.waiting = 0;
        self.tables.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(key: Word) -> Lock {
        Lock { table: TableId(0), space: 0, key }
    }

    #[test]
    fn a_lock_goes_to_those_who_wait_in_order() {
        let mut locks = Locks::default();
        assert!(locks.take(row(1), 10));
        assert!(locks.take(row(1), 10), "again by its owner");
        assert!(!locks.take(row(1), 11));
        assert!(!locks.take(row(1), 12));
        let mut woken = Vec::new();
        locks.release(10, &mut woken);
        assert_eq!(woken, [11]);
        locks.release(11, &mut woken);
        assert_eq!(woken, [11, 12]);
        locks.release(12, &mut woken);
        assert!(locks.is_empty());
    }

    #[test]
    fn who_gives_up_waiting_is_passed_over() {
        let mut locks = Locks::default();
        locks.take(row(1), 10);
        locks.take(row(1), 11);
        locks.take(row(1), 12);
        let mut woken = Vec::new();
        locks.release(11, &mut woken);
        assert!(woken.is_empty());
        locks.release(10, &mut woken);
        assert_eq!(woken, [12]);
    }

    #[test]
    fn a_closed_chain_is_a_deadlock_and_an_open_one_is_not() {
        let mut locks = Locks::default();
        locks.take(row(1), 10);
        locks.take(row(2), 11);
        locks.take(row(3), 12);
        locks.take(row(2), 10);
        assert!(locks.deadlock(10).is_empty());
        locks.take(row(3), 11);
        assert!(locks.deadlock(11).is_empty());
        locks.take(row(1), 12);
        assert_eq!(locks.deadlock(12), [12, 10, 11]);
    }

    #[test]
    fn who_waits_for_a_deadlock_of_others_is_in_none() {
        let mut locks = Locks::default();
        for owner in [10, 11, 12] {
            locks.take(row(owner.into()), owner);
        }
        locks.take(row(11), 10);
        locks.take(row(10), 11);
        locks.take(row(11), 12);
        assert!(locks.deadlock(12).is_empty());
        assert_eq!(locks.deadlock(11), [11, 10]);
    }

    #[test]
    fn locks_go_on_in_the_order_in_which_they_were_first_taken() {
        let mut locks = Locks::default();
        // Owner 10 takes the first and the third, and gets the second by waiting for it, last of the three.
        locks.take(row(1), 10);
        locks.take(row(2), 20);
        locks.take(row(3), 10);
        locks.take(row(2), 10);
        let mut woken = Vec::new();
        locks.release(20, &mut woken);
        assert_eq!(woken, [10]);
        for (key, waiter) in [(3, 33), (2, 32), (1, 31)] {
            locks.take(row(key), waiter);
        }
        woken.clear();
        locks.release(10, &mut woken);
        assert_eq!(woken, [31, 32, 33]);
        assert_eq!(locks.held(), [(row(1), 31), (row(2), 32), (row(3), 33)]);
        assert_eq!(locks.owner(row(2)), Some(32));
        assert_eq!(locks.owner(row(4)), None);
    }

    /// A list that is searched from end to end, as slow and as plain as can be.
    #[derive(Default)]
    struct Plain(Vec<(Lock, Owner, Vec<Owner>)>);

    impl Plain {
        fn take(&mut self, lock: Lock, owner: Owner) -> bool {
            match self.0.iter_mut().find(|held| held.0 == lock) {
                None => self.0.push((lock, owner, Vec::new())),
                Some(held) if held.1 == owner => {}
                Some(held) => {
                    if !held.2.contains(&owner) {
                        held.2.push(owner);
                    }
                    return false;
                }
            }
            true
        }

        fn release(&mut self, owner: Owner) -> Vec<Owner> {
            let mut woken = Vec::new();
            self.0.retain_mut(|held| {
                held.2.retain(|&waiter| waiter != owner);
                if held.1 != owner {
                    return true;
                }
                if held.2.is_empty() {
                    return false;
                }
                held.1 = held.2.remove(0);
                woken.push(held.1);
                true
            });
            woken
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_list(steps in prop::collection::vec((0u32..6, 0u32..16, 0i64..24), 1..300)) {
            let (mut locks, mut plain) = (Locks::default(), Plain::default());
            let mut waits = [false; 16];
            for (what, owner, key) in steps {
                if what == 0 || waits[owner as usize] {
                    let mut woken = Vec::new();
                    locks.release(owner, &mut woken);
                    prop_assert_eq!(&woken, &plain.release(owner));
                    waits[owner as usize] = false;
                    for other in woken {
                        waits[other as usize] = false;
                    }
                } else {
                    let got = locks.take(row(key), owner);
                    prop_assert_eq!(got, plain.take(row(key), owner));
                    waits[owner as usize] = !got;
                }
                let held: Vec<(Lock, Owner)> = plain.0.iter().map(|held| (held.0, held.1)).collect();
                prop_assert_eq!(locks.held(), held);
                prop_assert_eq!(locks.len(), plain.0.len());
            }
        }
    }

    /// How many entries are looked at to take a lock, wait for another, and give both back, while `others` are held.
    fn looks(others: u32) -> usize {
        let mut locks = Locks::default();
        for owner in 0..others {
            assert!(locks.take(row(owner.into()), owner));
        }
        // All wait for the first, one behind the other.
        for owner in 1..others {
            assert!(!locks.take(row(0), owner));
        }
        locks.looks.set(0);
        let (mut woken, me) = (Vec::new(), others);
        assert!(locks.take(row(-1), me));
        assert!(!locks.take(row(0), me));
        assert!(locks.deadlock(me).is_empty());
        locks.release(me, &mut woken);
        locks.release(0, &mut woken);
        assert_eq!(woken, [1]);
        locks.looks.get()
    }

    #[test]
    fn a_lock_costs_the_same_among_ten_and_among_ten_thousand() {
        // One look at the lock waited for, two along the chain, one at the lock given back; then the owner's one.
        assert_eq!(looks(10), 5);
        assert_eq!(looks(10_000), 5);
    }
}

//! Row locks of all services, first come first served, and the detection of deadlocks.
//!
//! A waiter waits for one lock at a time, so the waits-for graph is a set of chains and a deadlock is a chain that closes.
//! Few locks are held at any time: a flat list beats an index.

use crate::model::ids::TableId;
use crate::model::value::Word;

/// Who holds or wants a lock: a task of the engine, by slot.
pub type Owner = u32;

/// One locked thing: a row by its key, or something of a table that has no key (a whole table, a unique value).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The table.
    pub table: TableId,
    /// What of it: 0 a row by key, 1 the whole table, 2 and more a unique combination.
    pub space: u8,
    /// The key, or the hash of the values.
    pub key: Word,
}

#[derive(Clone, Debug, PartialEq)]
struct Held {
    lock: Lock,
    owner: Owner,
    waiting: Vec<Owner>,
}

/// All locks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Locks {
    held: Vec<Held>,
    spare: Vec<Vec<Owner>>,
}

impl Locks {
    /// Takes a lock if it is free or already the owner's; otherwise queues the owner and says so with `false`.
    pub fn take(&mut self, lock: Lock, owner: Owner) -> bool {
        match self.held.iter_mut().find(|held| held.lock == lock) {
            None => {
                let waiting = self.spare.pop().unwrap_or_default();
                self.held.push(Held { lock, owner, waiting });
                true
            }
            Some(held) if held.owner == owner => true,
            Some(held) => {
                if !held.waiting.contains(&owner) {
                    held.waiting.push(owner);
                }
                false
            }
        }
    }

    /// Whether anybody holds anything.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What is held, and by whom, in the order it was taken.
    pub fn held(&self) -> impl Iterator<Item = (Lock, Owner)> + '_ {
        self.held.iter().map(|held| (held.lock, held.owner))
    }

    /// The owners of a closed chain of waiting that `from` is part of; empty if there is none.
    pub fn deadlock(&self, from: Owner) -> Vec<Owner> {
        let mut chain = vec![from];
        loop {
            let last = chain[chain.len() - 1];
            let Some(held) = self.held.iter().find(|held| held.waiting.contains(&last)) else {
                return Vec::new();
            };
            if held.owner == from {
                return chain;
            }
            if chain.contains(&held.owner) {
                return Vec::new();
            }
            chain.push(held.owner);
        }
    }

    /// Gives back all that an owner holds or waits for. Those that get a lock now are added to `woken`, in the order in
    /// which the locks were taken.
    pub fn release(&mut self, owner: Owner, woken: &mut Vec<Owner>) {
        let mut at = 0;
        while at < self.held.len() {
            let held = &mut self.held[at];
            held.waiting.retain(|&waiter| waiter != owner);
            if held.owner != owner {
                at += 1;
            } else if held.waiting.is_empty() {
                let free = self.held.remove(at);
                self.spare.push(free.waiting);
            } else {
                held.owner = held.waiting.remove(0);
                woken.push(held.owner);
                at += 1;
            }
        }
    }

    /// Forgets all locks and keeps the memory.
    pub fn reset(&mut self) {
        while let Some(mut held) = self.held.pop() {
            held.waiting.clear();
            self.spare.push(held.waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

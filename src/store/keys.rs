//! The memory of idempotency keys of one service or one replica.
//!
//! An entry is in progress from the claim to the answer. Entries that a transaction claimed but has not committed are
//! marked with it, so that a rollback takes them away again.

use super::index::Index;
use crate::model::value::Word;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Claimed by a task that has not committed: another one sees it only as a lock.
    Claimed(u32),
    /// Known to be in progress, for all to see.
    InProgress,
    /// Done; the answer can be given again.
    Done {
        /// The reason word of a refusal, if it was refused.
        refused: Option<Word>,
        /// The answer; null if it was not kept.
        reply: Word,
    },
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// The key.
    pub key: Word,
    /// A hash of the arguments it came with.
    pub fingerprint: u64,
    /// What is known.
    pub state: KeyState,
    /// Counts what happened to the key: timers that belong to an earlier count do nothing.
    pub count: u32,
}

/// Keys and what is known of them.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    entries: Vec<Option<KeyEntry>>,
    index: Index,
    free: Vec<u32>,
    count: u32,
}

impl PartialEq for Keys {
    fn eq(&self, other: &Keys) -> bool {
        let sorted = |keys: &Keys| {
            let mut all: Vec<_> =
                keys.entries.iter().flatten().map(|e| (e.key, e.fingerprint, e.state)).collect();
            all.sort_by_key(|&(key, fingerprint, _)| (key, fingerprint));
            all
        };
        sorted(self) == sorted(other)
    }
}

impl Keys {
    fn slot(&self, key: Word) -> Option<usize> {
        let is = |slot: u32| self.entries[slot as usize].is_some_and(|entry| entry.key == key);
        self.index.find(Index::hash(key), is).map(|slot| slot as usize)
    }

    /// What is known of a key.
    pub fn get(&self, key: Word) -> Option<KeyEntry> {
        self.slot(key).and_then(|slot| self.entries[slot])
    }

    /// Sets what is known of a key; returns the entry's count, for its timers.
    pub fn set(&mut self, key: Word, fingerprint: u64, state: KeyState) -> u32 {
        self.count += 1;
        let entry = Some(KeyEntry { key, fingerprint, state, count: self.count });
        match (self.slot(key), self.free.pop()) {
            (Some(slot), spare) => {
                self.free.extend(spare);
                self.entries[slot] = entry;
            }
            (None, Some(slot)) => {
                self.entries[slot as usize] = entry;
                self.index.insert(Index::hash(key), slot);
            }
            (None, None) => {
                self.index.insert(Index::hash(key), self.entries.len() as u32);
                self.entries.push(entry);
            }
        }
        self.count
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: Word) {
        if let Some(slot) = self.slot(key) {
            self.entries[slot] = None;
            self.index.remove(Index::hash(key), slot as u32);
            self.free.push(slot as u32);
        }
    }

    /// Forgets a key if nothing has happened to it since this count.
    pub fn expire(&mut self, key: Word, count: u32) {
        if self.get(key).is_some_and(|entry| entry.count == count) {
            self.remove(key);
        }
    }

    /// How many keys are in progress or claimed.
    pub fn unfinished(&self) -> usize {
        let open = |entry: &&KeyEntry| !matches!(entry.state, KeyState::Done { .. });
        self.entries.iter().flatten().filter(open).count()
    }

    /// Forgets all keys and keeps the memory.
    pub fn reset(&mut self) {
        self.entries.clear();
        self.free.clear();
        self.index.clear();
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_from_claimed_to_done_and_expires_only_if_untouched() {
        let mut keys = Keys::default();
        let claimed = keys.set(7, 1, KeyState::Claimed(3));
        assert_eq!(keys.unfinished(), 1);
        let done = keys.set(7, 1, KeyState::Done { refused: None, reply: 5 });
        keys.expire(7, claimed);
        assert_eq!(keys.get(7).map(|e| e.state), Some(KeyState::Done { refused: None, reply: 5 }));
        keys.expire(7, done);
        assert_eq!(keys.get(7), None);
        keys.set(8, 1, KeyState::InProgress);
        assert_eq!(keys.get(8).map(|e| e.state), Some(KeyState::InProgress));
    }
}

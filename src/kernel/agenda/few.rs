//! Few keys, sorted.

use super::Key;

/// So many are few.
pub(super) const MOST: usize = 24;

/// A sorted list of few keys, the greatest first, so that taking the least moves nothing.
#[derive(Clone, Debug)]
pub(super) struct Few {
    len: usize,
    /// Behind a first one that is greater than all: neither an empty list nor the end of a search is a case of its own.
    keys: [Key; MOST + 1],
}

impl Few {
    pub(super) const fn new() -> Few {
        Few { len: 0, keys: [Key::NONE; MOST + 1] }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// The least key; [`Key::NONE`] if there is none.
    #[inline]
    pub(super) fn least(&self) -> Key {
        self.keys[self.len]
    }

    /// Takes the least key.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Key> {
        let least = self.least();
        self.len = self.len.checked_sub(1)?;
        Some(least)
    }

    /// Puts a key in its place. Returns `false` if there is no room for it.
    #[inline]
    pub(super) fn push(&mut self, key: Key) -> bool {
        if self.len >= MOST {
            return false;
        }
        let mut at = self.len + 1;
        self.len = at;
        while at > 1 && self.keys[at - 1] < key {
            self.keys[at] = self.keys[at - 1];
            at -= 1;
        }
        self.keys[at] = key;
        true
    }
}

//! Many keys: a calendar queue (Randy Brown, "Calendar queues", Communications of the ACM 31, 1988).
//!
//! A ring of days, each a stretch of time with its keys in no order; the next key is the least of the next day that has
//! any. Days are laid out so that most have one key or none: then putting one in and taking one out cost the same however
//! many there are, and touch three lines of memory. What comes too late for the ring, or on a day that is crowded, is not
//! taken: a heap is for that.

use super::super::time::Time;
use super::Key;

/// So many keys a day.
const MOST: u32 = 7;
const COUNT_BITS: u32 = 3;

/// There are never fewer days.
const FEWEST_DAYS: usize = 64;

/// A key in the chain of its day.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The halves of the key, which as a whole would make this a third larger.
    key: [u64; 2],
    /// The next of its day, or of those that are free.
    next: u32,
}

impl Entry {
    #[inline]
    const fn key(&self) -> Key {
        Key((self.key[0] as u128) << 64 | self.key[1] as u128)
    }
}

const fn halves(key: Key) -> [u64; 2] {
    [(key.0 >> 64) as u64, key.0 as u64]
}

/// A ring of days.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    /// A day has 2^this nanoseconds.
    shift: u32,
    /// By day, counted around the ring, its first entry and, in the last bits, how many it has.
    days: Vec<u32>,
    /// A bit for each day that has entries.
    full: Vec<u64>,
    entries: Vec<Entry>,
    /// The first free entry; beyond all entries: there is none.
    free: u32,
    len: usize,
    /// The least key, and its entry.
    least: Key,
    least_at: u32,
}

impl Calendar {
    /// A calendar without days, which takes nothing.
    pub(super) const fn new() -> Calendar {
        Calendar {
            shift: 0,
            days: Vec::new(),
            full: Vec::new(),
            entries: Vec::new(),
            free: 0,
            len: 0,
            least: Key::NONE,
            least_at: 0,
        }
    }

    /// The least key; [`Key::NONE`] if there is none.
    #[inline]
    pub(super) const fn least(&self) -> Key {
        self.least
    }

    /// How many days there are.
    #[inline]
    pub(super) const fn days(&self) -> usize {
        self.days.len()
    }

    /// Lays out days for keys like these, of which none is before `now`. There must be no keys here. Returns whether the
    /// days are others than before.
    pub(super) fn lay_out(&mut self, keys: &mut [Key], now: Time) -> bool {
        let days = (keys.len() + keys.len() / 2).next_power_of_two().max(FEWEST_DAYS);
        let middle = keys.len() / 2;
        let (_, median, _) = keys.select_nth_unstable(middle);
        // Half of the keys come up within a quarter of the ring, or less.
        let quarter = median.time().since(now).0 / (days / 4) as u64;
        let shift = quarter.checked_ilog2().map_or(0, |bits| (bits + 1).min(63));
        let differs = (days, shift) != (self.days.len(), self.shift);
        self.shift = shift;
        self.days.clear();
        self.days.resize(days, 0);
        self.full.clear();
        self.full.resize(days / 64, 0);
        differs
    }

    /// Puts a key in, which is not before `now`. Returns `false` if it does not take it.
    #[inline(always)]
    pub(super) fn push(&mut self, key: Key, now: Time) -> bool {
        let day = key.time().0 >> self.shift;
        // All keys here are on one of the days from today on, once around the ring: no two days share a place.
        if day - (now.0 >> self.shift) >= self.days.len() as u64 || key == Key::NONE {
            return false;
        }
        let at = day as usize & (self.days.len() - 1);
        let of = self.days[at];
        if of & MOST == MOST {
            return false;
        }
        let entry = self.free;
        let made = Entry { key: halves(key), next: of >> COUNT_BITS };
        match self.entries.get_mut(entry as usize) {
            Some(free) => {
                self.free = free.next;
                *free = made;
            }
            None => {
                self.entries.push(made);
                self.free = self.entries.len() as u32;
            }
        }
        self.days[at] = entry << COUNT_BITS | ((of & MOST) + 1);
        self.full[at / 64] |= 1 << (at % 64);
        self.len += 1;
        if key < self.least {
            (self.least, self.least_at) = (key, entry);
        }
        true
    }

    /// Removes the least key, if there is one.
    #[inline]
    pub(super) fn pop(&mut self) {
        if self.len == 0 {
            return;
        }
        let at = (self.least.time().0 >> self.shift) as usize & (self.days.len() - 1);
        let of = self.days[at];
        // The first entry of its day goes; what it held moves to where the least key was.
        let first = of >> COUNT_BITS;
        let Entry { key, next } = self.entries[first as usize];
        self.entries[self.least_at as usize].key = key;
        self.entries[first as usize].next = self.free;
        self.free = first;
        self.len -= 1;
        let left = of & MOST;
        self.days[at] = if left == 1 { 0 } else { next << COUNT_BITS | (left - 1) };
        if left == 1 {
            self.full[at / 64] &= !(1 << (at % 64));
        }
        self.find_least(at);
    }

    /// Finds the least key, which is on no day before this one.
    #[inline]
    fn find_least(&mut self, from: usize) {
        self.least = Key::NONE;
        if self.len == 0 {
            return;
        }
        let mut word = from / 64;
        let mut full = self.full[word] & (!0 << (from % 64));
        while full == 0 {
            word = (word + 1) & (self.full.len() - 1);
            full = self.full[word];
        }
        let of = self.days[word * 64 + full.trailing_zeros() as usize];
        let mut at = of >> COUNT_BITS;
        for _ in 0..of & MOST {
            let entry = &self.entries[at as usize];
            if entry.key() < self.least {
                (self.least, self.least_at) = (entry.key(), at);
            }
            at = entry.next;
        }
    }

    /// Hands all keys over, in no order.
    pub(super) fn empty_into(&mut self, keys: &mut Vec<Key>) {
        for &day in &self.days {
            let mut at = day >> COUNT_BITS;
            for _ in 0..day & MOST {
                let entry = &self.entries[at as usize];
                keys.push(entry.key());
                at = entry.next;
            }
        }
        self.clear();
    }

    /// Forgets all keys and days, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.days.clear();
        self.full.clear();
        self.entries.clear();
        (self.free, self.len, self.least) = (0, 0, Key::NONE);
    }
}

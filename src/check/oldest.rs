//! When the oldest open intent was invoked. Every install asks for it: what that intent can have seen must be remembered.
//!
//! Intents are filed by serial number, which is the order in which they are invoked. So an intent that ends is found
//! without a search, and the next one lies beside it; the intents themselves, of which there may be tens of thousands, are
//! not looked at.

use crate::kernel::time::Time;

/// In place of the time of an intent that is no longer open.
const GONE: Time = Time::MAX;

/// The open intents in the order in which they were invoked.
#[derive(Clone, Debug)]
pub(super) struct Oldest {
    /// When they were, or [`GONE`]; behind the last of them room for others.
    invoked: Vec<Time>,
    /// How many of these are intents.
    len: usize,
    /// The serial number of the first of them.
    first: u32,
    /// So many of the first of them are gone.
    passed: usize,
    /// When the one behind those was invoked; if there is none, [`Time::MAX`].
    oldest: Time,
    /// How many are open.
    open: u32,
}

impl Oldest {
    pub(super) fn new() -> Oldest {
        Oldest { invoked: Vec::new(), len: 0, first: 0, passed: 0, oldest: GONE, open: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.invoked[..self.len].fill(GONE);
        (self.len, self.first, self.passed, self.oldest, self.open) = (0, 0, 0, GONE, 0);
    }

    /// When the oldest open intent was invoked; the end of time if none is open.
    #[inline]
    pub(super) fn invoked(&self) -> Time {
        self.oldest
    }

    /// How many are open.
    #[inline]
    pub(super) fn open(&self) -> u32 {
        self.open
    }

    /// Whether the next intent needs no memory.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.len < self.invoked.len()
    }

    /// Sees to it that it needs none.
    pub(super) fn make_room(&mut self) {
        if !self.has_room() {
            self.invoked.resize((2 * self.len).max(64), GONE);
        }
    }

    /// The intent with the next serial number begins; there is room for it.
    #[inline(always)]
    pub(super) fn enter(&mut self, now: Time) {
        self.invoked[self.len] = now;
        self.len += 1;
        self.open += 1;
        self.oldest = self.oldest.min(now);
    }

    /// The intent with this serial number, which is open, no longer is.
    #[inline(always)]
    pub(super) fn leave(&mut self, serial: u32) {
        let at = serial.wrapping_sub(self.first) as usize;
        self.invoked[at] = GONE;
        self.open -= 1;
        if at == self.passed {
            self.pass();
        }
    }

    /// Finds the next one. Each entry is passed once, and moved once for each time that as many as remain were passed.
    #[inline(always)]
    fn pass(&mut self) {
        if self.open == 0 {
            self.first = self.first.wrapping_add(self.len as u32);
            (self.len, self.passed, self.oldest) = (0, 0, GONE);
            return;
        }
        let mut at = self.passed + 1;
        while self.invoked[at] == GONE {
            at += 1;
        }
        (self.passed, self.oldest) = (at, self.invoked[at]);
        if at >= 64 && at >= self.len / 2 {
            self.forget();
        }
    }

    #[inline(never)]
    fn forget(&mut self) {
        self.invoked.copy_within(self.passed..self.len, 0);
        let left = self.len - self.passed;
        self.invoked[left..self.len].fill(GONE);
        self.first = self.first.wrapping_add(self.passed as u32);
        (self.len, self.passed) = (left, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Many are open at times, so that they are moved; and two runs, one after the other.
        #[test]
        fn agrees_with_a_list_of_all_open_intents(
            runs in prop::collection::vec(prop::collection::vec((0u8..5, any::<u16>()), 1..900), 1..3)
        ) {
            let mut oldest = Oldest::new();
            for steps in runs {
                oldest.reset();
                let mut plain: Vec<(u32, Time)> = Vec::new();
                let mut next = 0;
                for (now, (kind, which)) in (1..).map(Time).zip(steps) {
                    // In some stretches more begin than end, in others the other way round.
                    if (kind < 2) == (now.0 / 300 % 2 == 0) && !plain.is_empty() {
                        // Mostly one of the first, as in runs.
                        let at = usize::from(which) % plain.len();
                        let (serial, _) = plain.remove(if kind % 2 == 0 { at.min(1) } else { at });
                        oldest.leave(serial);
                    } else {
                        plain.push((next, now));
                        next += 1;
                        oldest.make_room();
                        oldest.enter(now);
                    }
                    prop_assert_eq!(oldest.open() as usize, plain.len());
                    let first = plain.first().map_or(Time::MAX, |first| first.1);
                    prop_assert_eq!(oldest.invoked(), first);
                }
            }
        }
    }

    #[test]
    fn memory_does_not_grow_with_those_that_are_gone() {
        let mut oldest = Oldest::new();
        // One stays open at a time, and the next one has always begun.
        oldest.make_room();
        (0..3).for_each(|n| oldest.enter(Time(n)));
        for serial in 0..10_000 {
            oldest.leave(serial);
            oldest.make_room();
            oldest.enter(Time(u64::from(serial) + 3));
            assert!(oldest.invoked.len() <= 130);
            assert_eq!(oldest.invoked(), Time(u64::from(serial) + 1));
        }
    }
}

//! When the oldest open intent was invoked. Every install asks for it: what that intent can have seen must be remembered.
//!
//! Intents are filed by serial number, which is the order in which they are invoked. So an intent that ends is found
//! without a search, and the next one lies beside it; the intents themselves, of which there may be tens of thousands, are
//! not looked at.

use std::collections::VecDeque;

use crate::kernel::time::Time;

/// In place of the time of an intent that is no longer open, or not yet.
const GONE: Time = Time::MAX;
/// So many intents share a block.
const BLOCK: usize = 64;

/// Intents that were invoked one after the other.
#[derive(Clone, Debug)]
struct Block {
    /// When they were, or [`GONE`]; nothing once all of them are gone. Behind one that is answered late, there are many such.
    invoked: Option<Box<[Time; BLOCK]>>,
    /// How many of them are open, or have not begun.
    left: u8,
}

/// The open intents in the order in which they were invoked.
#[derive(Clone, Debug)]
#[expect(clippy::vec_box, reason = "a block gets its memory, and gives it back, by the box")]
pub(super) struct Oldest {
    /// From the one of the oldest open intent on; behind the last intent room for others.
    blocks: VecDeque<Block>,
    /// Memory of blocks that are gone.
    spare: Vec<Box<[Time; BLOCK]>>,
    /// The serial number of the first intent of the first block.
    first: u32,
    /// How many intents there are in the blocks, gone or not.
    len: usize,
    /// Where among them the oldest open one is, and when it was invoked; if there is none, [`Time::MAX`].
    passed: usize,
    oldest: Time,
    /// How many are open.
    open: u32,
}

impl Oldest {
    pub(super) fn new() -> Oldest {
        let (blocks, spare) = (VecDeque::new(), Vec::new());
        Oldest { blocks, spare, first: 0, len: 0, passed: 0, oldest: GONE, open: 0 }
    }

    pub(super) fn reset(&mut self) {
        for mut invoked in self.blocks.drain(..).filter_map(|block| block.invoked) {
            invoked.fill(GONE);
            self.spare.push(invoked);
        }
        (self.first, self.len, self.passed, self.oldest, self.open) = (0, 0, 0, GONE, 0);
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
        self.len < self.blocks.len() * BLOCK
    }

    /// Sees to it that it needs none.
    pub(super) fn make_room(&mut self) {
        if !self.has_room() {
            let invoked = self.spare.pop().unwrap_or_else(|| Box::new([GONE; BLOCK]));
            self.blocks.push_back(Block { invoked: Some(invoked), left: BLOCK as u8 });
        }
    }

    /// The intent with the next serial number begins; there is room for it.
    #[inline(always)]
    pub(super) fn enter(&mut self, now: Time) {
        let at = self.len;
        if let Some(invoked) = &mut self.blocks[at / BLOCK].invoked {
            invoked[at % BLOCK] = now;
        }
        if self.open == 0 {
            (self.passed, self.oldest) = (at, now);
        }
        self.len += 1;
        self.open += 1;
    }

    /// The intent with this serial number, which is open, no longer is.
    #[inline(always)]
    pub(super) fn leave(&mut self, serial: u32) {
        let at = serial.wrapping_sub(self.first) as usize;
        let block = &mut self.blocks[at / BLOCK];
        if let Some(invoked) = &mut block.invoked {
            invoked[at % BLOCK] = GONE;
        }
        block.left -= 1;
        if block.left == 0 {
            self.spare.extend(block.invoked.take());
        }
        self.open -= 1;
        if at == self.passed {
            self.pass();
        }
    }

    /// Finds the next one. Blocks before its own are forgotten, so it is in the first that is left.
    #[inline(always)]
    fn pass(&mut self) {
        let mut from = self.passed + 1;
        while self.blocks.front().is_some_and(|block| block.invoked.is_none()) {
            self.blocks.pop_front();
            self.first = self.first.wrapping_add(BLOCK as u32);
            self.len -= BLOCK;
            from = from.saturating_sub(BLOCK);
        }
        self.oldest = GONE;
        if let Some(Block { invoked: Some(invoked), .. }) = self.blocks.front()
            && self.open > 0
            && let Some(next) = invoked[from..].iter().position(|&invoked| invoked != GONE)
        {
            (self.passed, self.oldest) = (from + next, invoked[from + next]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Many are open at times, so that they fill several blocks; and two runs, one after the other.
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
            assert!(oldest.blocks.len() + oldest.spare.len() <= 3);
            assert_eq!(oldest.invoked(), Time(u64::from(serial) + 1));
        }
        // Another one stays open for long: what lies behind it is next to nothing.
        for serial in 10_001..50_000 {
            oldest.leave(serial);
            oldest.make_room();
            oldest.enter(Time(u64::from(serial) + 2));
            assert!(oldest.blocks.iter().filter(|block| block.invoked.is_some()).count() <= 3);
            assert_eq!(oldest.invoked(), Time(10_000));
        }
        oldest.leave(10_000);
        assert_eq!(oldest.invoked(), Time(50_000));
        assert!(oldest.blocks.len() <= 2);
    }
}

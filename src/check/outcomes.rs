//! What the clients of all intents of a run were told, two bits each: the only thing that is kept of every one of them.

use crate::model::record::Outcome;

/// So many lie in one word.
const EACH: u32 = 32;

/// Outcomes by the serial number of their intents.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcomes {
    /// Of each intent one more than the code, or 0: nothing yet.
    words: Vec<u64>,
}

impl Outcomes {
    /// Forgets what the first so many were told, and keeps the memory.
    pub(super) fn reset(&mut self, begun: u32) {
        let words = begun.div_ceil(EACH) as usize;
        self.words[..words].fill(0);
    }

    /// Whether there is room for one with this number.
    #[inline(always)]
    pub(super) fn has_room(&self, serial: u32) -> bool {
        ((serial / EACH) as usize) < self.words.len()
    }

    /// Sees to it that there is.
    pub(super) fn make_room(&mut self, serial: u32) {
        if !self.has_room(serial) {
            self.words.push(0);
        }
    }

    /// The intent with this number ends for its client; it has room.
    #[inline]
    pub(super) fn set(&mut self, serial: u32, outcome: Outcome) {
        let (word, shift) = (&mut self.words[(serial / EACH) as usize], 2 * (serial % EACH));
        *word = *word & !(3 << shift) | (outcome as u64 + 1) << shift;
    }

    /// What its client was told, if it has been.
    pub(super) fn get(&self, serial: u32) -> Option<Outcome> {
        let word = self.words.get((serial / EACH) as usize)?;
        match (word >> (2 * (serial % EACH)) & 3) as u8 {
            0 => None,
            code => Some(Outcome::of(code - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_intent_has_its_own_and_the_last_one_holds() {
        let all = [None, Some(Outcome::Ok), Some(Outcome::Failed), Some(Outcome::Unknown)];
        let mut outcomes = Outcomes::default();
        for run in 0..3 {
            outcomes.reset(if run == 0 { 0 } else { 500 });
            for serial in 0..500 {
                outcomes.make_room(serial);
                assert!(outcomes.has_room(serial));
                assert_eq!(outcomes.get(serial), None);
                for outcome in
                    [all[(serial as usize + 1) % 4], all[(serial as usize * 7 + run) % 4]].iter().flatten()
                {
                    outcomes.set(serial, *outcome);
                    assert_eq!(outcomes.get(serial), Some(*outcome));
                }
            }
            for serial in 0..500 {
                let last = all[(serial as usize * 7 + run) % 4].or(all[(serial as usize + 1) % 4]);
                assert_eq!(outcomes.get(serial), last);
            }
        }
        assert_eq!(outcomes.get(100_000), None);
    }
}

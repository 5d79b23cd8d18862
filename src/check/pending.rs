//! What an open intent has met that may yet become a hazard: messages under way in several copies, and what it has stopped
//! waiting for.
//!
//! Few intents have met anything, so they share what pages there are; and two counts tell at once that none has.

use crate::kernel::path::{Path, Role};
use crate::model::record::{NONE, Record};
use crate::store::Index;

/// So many doubled messages of one intent are looked through, more are filed.
const FEW: usize = 8;

/// A message with several copies under way.
#[derive(Clone, Copy, Debug)]
struct Copies {
    path: Path,
    /// How many there are.
    count: u32,
    arrived: u32,
}

/// What one intent has met.
#[derive(Clone, Debug, Default)]
struct Page {
    copies: Vec<Copies>,
    /// By the names of the copies, once they are many.
    index: Index,
    /// What it has stopped waiting for.
    timeouts: Vec<u16>,
}

/// What open intents have met.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// By intent slot its page, or [`NONE`].
    of: Vec<u32>,
    pages: Vec<Page>,
    /// Pages that no intent has.
    spare: Vec<u32>,
    /// For what belongs to no intent.
    nobody: Page,
    /// On all pages.
    doubled: usize,
    stopped: usize,
}

impl Pending {
    pub(super) fn reset(&mut self) {
        self.pages.iter_mut().for_each(Page::clear);
        self.nobody.clear();
        self.of.clear();
        self.spare.clear();
        self.spare.extend((0..self.pages.len() as u32).rev());
        (self.doubled, self.stopped) = (0, 0);
    }

    fn page(&mut self, slot: u32) -> Option<&mut Page> {
        match slot {
            NONE => Some(&mut self.nobody),
            slot => self.of.get(slot as usize).and_then(|&page| self.pages.get_mut(page as usize)),
        }
    }

    fn page_or_new(&mut self, slot: u32) -> &mut Page {
        if slot == NONE {
            return &mut self.nobody;
        }
        if self.of.len() <= slot as usize {
            self.of.resize(slot as usize + 1, NONE);
        }
        let page = &mut self.of[slot as usize];
        if *page == NONE {
            *page = self.spare.pop().unwrap_or(self.pages.len() as u32);
            if *page as usize == self.pages.len() {
                self.pages.push(Page::default());
            }
        }
        &mut self.pages[*page as usize]
    }

    /// A message is sent in several copies.
    pub(super) fn doubled(&mut self, record: &Record) {
        self.page_or_new(record.intent).note(Copies { path: record.path, count: record.ver, arrived: 0 });
        self.doubled += 1;
    }

    /// A copy arrives. Returns whether it is the second of its message.
    #[inline]
    pub(super) fn arrives_again(&mut self, record: &Record) -> bool {
        self.doubled > 0 && self.arrived(record) == 2
    }

    /// A copy of a message arrives. Returns how many have, or 0 if it was not doubled.
    #[inline(never)]
    fn arrived(&mut self, record: &Record) -> u32 {
        let copies = self.page(record.intent).and_then(|page| page.copies_of(record));
        copies.map_or(0, |copies| {
            copies.arrived += 1;
            copies.arrived
        })
    }

    /// An intent stops waiting for an answer of this operation or flow.
    pub(super) fn stopped(&mut self, record: &Record) {
        let timeouts = &mut self.page_or_new(record.intent).timeouts;
        if !timeouts.contains(&record.op) {
            timeouts.push(record.op);
            self.stopped += 1;
        }
    }

    /// Whether an intent has stopped waiting for this operation or flow before.
    #[inline]
    pub(super) fn has_stopped(&self, record: &Record) -> bool {
        self.stopped > 0 && self.has(record)
    }

    #[inline(never)]
    fn has(&self, record: &Record) -> bool {
        let page = self.of.get(record.intent as usize).and_then(|&page| self.pages.get(page as usize));
        page.is_some_and(|page| page.timeouts.contains(&record.op))
    }

    /// Whether an intent has met anything.
    #[inline(always)]
    pub(super) fn has_page(&self, slot: u32) -> bool {
        self.of.get(slot as usize).is_some_and(|&page| page != NONE)
    }

    /// An intent is settled.
    pub(super) fn settled(&mut self, slot: u32) {
        if let Some(page) = self.of.get_mut(slot as usize)
            && *page != NONE
        {
            let page = std::mem::replace(page, NONE);
            let of = &mut self.pages[page as usize];
            self.doubled -= of.copies.len();
            self.stopped -= of.timeouts.len();
            of.clear();
            self.spare.push(page);
        }
    }
}

impl Page {
    /// A message with several copies is sent.
    fn note(&mut self, copies: Copies) {
        self.copies.push(copies);
        match self.copies.len() {
            0..=FEW => {}
            len if len == FEW + 1 => (0..len).for_each(|at| self.file(at)),
            len => self.file(len - 1),
        }
    }

    fn file(&mut self, at: usize) {
        let Copies { path, count, .. } = self.copies[at];
        self.index.insert(path.0, at as u32);
        for copy in 0..count {
            self.index.insert(path.child(Role::Copy, copy).0, at as u32);
        }
    }

    /// The message whose copy this record is about: it may have the name of the message or that of the copy.
    fn copies_of(&mut self, record: &Record) -> Option<&mut Copies> {
        let is = |copies: &Copies| {
            copies.path == record.path || copies.path.child(Role::Copy, record.ver) == record.path
        };
        let at = match self.copies.len() {
            0..=FEW => self.copies.iter().position(is),
            _ => self.index.least(record.path.0, |at| is(&self.copies[at as usize])).map(|at| at as usize),
        };
        at.map(|at| &mut self.copies[at])
    }

    fn clear(&mut self) {
        self.copies.clear();
        self.index.clear();
        self.timeouts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Time;
    use crate::model::record::Kind;

    fn record(kind: Kind, path: Path, ver: u32, intent: u32) -> Record {
        Record {
            at: Time::ZERO,
            path,
            data: 0,
            kind,
            flag: 0,
            op: 0,
            who: NONE,
            client: NONE,
            intent,
            row: NONE,
            ver,
        }
    }

    fn delivered(path: Path, copy: u32) -> Record {
        record(Kind::Delivered, path, copy, NONE)
    }

    #[test]
    fn doubled_messages_are_found_by_both_names_whether_few_or_many() {
        let name = |n: u32| Path::ROOT.child(Role::Request, n);
        for many in [FEW, FEW + 1, 1_000] {
            let mut page = Page::default();
            for n in 0..many as u32 {
                page.note(Copies { path: name(n), count: 2, arrived: 0 });
            }
            // By the name of the message and by that of its second copy; a message that was not doubled is not there.
            for (n, record) in [
                (0, delivered(name(0), 0)),
                (0, delivered(name(0).child(Role::Copy, 1), 1)),
                (many - 1, delivered(name(many as u32 - 1).child(Role::Copy, 1), 1)),
            ] {
                assert_eq!(page.copies_of(&record).map(|copies| copies.path), Some(name(n as u32)));
            }
            assert!(page.copies_of(&delivered(name(many as u32), 0)).is_none());
            // Each is filed under its own name and those of its two copies, once they are filed at all.
            assert_eq!(page.index.len(), if many > FEW { 3 * many } else { 0 });
        }
    }

    #[test]
    fn pages_are_used_again_and_hold_nothing_of_whoever_had_them() {
        let path = Path::ROOT.child(Role::Request, 1);
        let mut pending = Pending::default();
        for slot in [3, 7, 3, 1_000] {
            pending.doubled(&record(Kind::Sent, path, 2, slot));
            pending.stopped(&record(Kind::Timeout, path, 0, slot));
            let delivered = record(Kind::Delivered, path, 0, slot);
            assert!(!pending.arrives_again(&delivered));
            // The copy of another intent is another message, even if it has the same name.
            assert!(!pending.arrives_again(&record(Kind::Delivered, path, 0, slot + 1)));
            assert!(pending.arrives_again(&delivered));
            assert!(!pending.arrives_again(&delivered));
            assert!(pending.has_stopped(&delivered));
            assert!(!pending.has_stopped(&record(Kind::Sent, path, 0, slot + 1)));
            pending.settled(slot);
            assert!(!pending.arrives_again(&delivered) && !pending.has_stopped(&delivered));
            assert_eq!((pending.pages.len(), pending.doubled, pending.stopped), (1, 0, 0));
        }
        // What belongs to nobody stays to the end of the run.
        pending.doubled(&record(Kind::Sent, path, 2, NONE));
        pending.settled(NONE);
        assert!(!pending.arrives_again(&delivered(path, 0)) && pending.arrives_again(&delivered(path, 1)));
        pending.reset();
        assert!(!pending.arrives_again(&delivered(path, 0)));
        assert_eq!(pending.spare.len(), pending.pages.len());
    }
}

//! Who lives at which node, for the day on which it crashes: slots chained by node, so that a crash looks only at what is
//! there. Where nothing can crash no chain is kept.

use super::slab::{Id, Slab};

/// No slot.
const NONE: u32 = u32::MAX;

/// The tenants of one slab by node.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenants {
    /// By node the slot that came last; empty: no chains are kept.
    heads: Vec<u32>,
    /// By slot those before and behind it.
    links: Vec<(u32, u32)>,
}

impl Tenants {
    /// Forgets all and keeps chains for so many nodes; for none: no chains at all.
    pub(super) fn reset(&mut self, nodes: u32) {
        self.heads.clear();
        self.heads.resize(nodes as usize, NONE);
    }

    /// Somebody moves in.
    #[inline]
    pub(super) fn join(&mut self, slot: u32, node: u32) {
        let Some(head) = self.heads.get_mut(node as usize) else { return };
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, (NONE, NONE));
        }
        let behind = std::mem::replace(head, slot);
        self.links[slot as usize] = (NONE, behind);
        if behind != NONE {
            self.links[behind as usize].0 = slot;
        }
    }

    /// Somebody moves out.
    #[inline]
    pub(super) fn quit(&mut self, slot: u32, node: u32) {
        let Some(head) = self.heads.get_mut(node as usize) else { return };
        let (before, behind) = self.links[slot as usize];
        match before {
            NONE => *head = behind,
            before => self.links[before as usize].1 = behind,
        }
        if behind != NONE {
            self.links[behind as usize].0 = before;
        }
    }

    /// Whether anybody is at a node.
    fn is_anybody_at(&self, node: u32) -> bool {
        self.heads.get(node as usize).is_some_and(|&head| head != NONE)
    }

    /// All at a node, by slot.
    pub(super) fn at<T: Default>(&self, node: u32, slab: &Slab<T>) -> Vec<Id> {
        let mut slots = Vec::new();
        let mut next = self.heads.get(node as usize).copied().unwrap_or(NONE);
        while next != NONE {
            slots.push(next);
            next = self.links[next as usize].1;
        }
        slots.sort_unstable();
        slots.into_iter().map(|slot| slab.id(slot)).collect()
    }
}

/// The tenants of all slabs whose tenants live at nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) tasks: Tenants,
    pub(super) calls: Tenants,
    pub(super) runs: Tenants,
    pub(super) sagas: Tenants,
    pub(super) asked: Tenants,
    pub(super) chores: Tenants,
}

impl Places {
    /// Whether anything goes on at a node. What is durable goes on without it.
    pub(super) fn is_anybody_at(&self, node: u32) -> bool {
        let Places { tasks, calls, runs, sagas: _, asked, chores } = self;
        [tasks, calls, runs, asked, chores].iter().any(|each| each.is_anybody_at(node))
    }

    /// Forgets all and keeps chains for so many nodes; for none: no chains at all.
    pub(super) fn reset(&mut self, nodes: u32) {
        let Places { tasks, calls, runs, sagas, asked, chores } = self;
        for each in [tasks, calls, runs, sagas, asked, chores] {
            each.reset(nodes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(tenants: &Tenants, node: u32, slab: &Slab<u8>) -> Vec<u32> {
        tenants.at(node, slab).iter().map(|id| id.slot).collect()
    }

    #[test]
    fn a_node_knows_those_who_are_there_by_slot_and_nobody_else() {
        let mut slab: Slab<u8> = Slab::default();
        let mut tenants = Tenants::default();
        tenants.reset(2);
        for _ in 0..6 {
            slab.take();
        }
        for (slot, node) in [(4, 0), (1, 1), (0, 0), (5, 0), (3, 1)] {
            tenants.join(slot, node);
        }
        assert_eq!(slots(&tenants, 0, &slab), [0, 4, 5]);
        assert_eq!(slots(&tenants, 1, &slab), [1, 3]);
        // From the middle, the end and the head of a chain; then one moves over.
        tenants.quit(0, 0);
        tenants.quit(4, 0);
        assert_eq!(slots(&tenants, 0, &slab), [5]);
        tenants.quit(5, 0);
        tenants.quit(3, 1);
        tenants.join(3, 0);
        assert_eq!(slots(&tenants, 0, &slab), [3]);
        assert_eq!(slots(&tenants, 1, &slab), [1]);
    }

    #[test]
    fn where_nothing_can_crash_nothing_is_kept() {
        let mut slab: Slab<u8> = Slab::default();
        let mut tenants = Tenants::default();
        tenants.reset(0);
        tenants.join(slab.take().0.slot, 0);
        assert_eq!(slots(&tenants, 0, &slab), [0; 0]);
        assert_eq!(tenants.links, []);
        tenants.quit(0, 0);
    }
}

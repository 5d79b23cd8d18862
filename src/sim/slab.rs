//! Slots for things that come and go. A slot keeps its memory when its tenant leaves; an id names a tenant, not a slot.

/// A tenant of a slab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) slot: u32,
    age: u32,
}

impl Id {
    /// No tenant.
    pub(crate) const NONE: Id = Id { slot: u32::MAX, age: 0 };

    /// The id as one word, for hands outside of the engine.
    pub(crate) fn word(self) -> u64 {
        u64::from(self.age) << 32 | u64::from(self.slot)
    }

    /// The id of a word.
    pub(crate) fn of_word(word: u64) -> Id {
        Id { slot: word as u32, age: (word >> 32) as u32 }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entry<T> {
    age: u32,
    live: bool,
    value: T,
}

/// Slots of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T: Default> Slab<T> {
    /// A slot and what its last tenant left in it: the caller sets every field.
    #[inline]
    pub(crate) fn take(&mut self) -> (Id, &mut T) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry { age: 0, live: false, value: T::default() });
            self.entries.len() as u32 - 1
        });
        let entry = &mut self.entries[slot as usize];
        entry.live = true;
        (Id { slot, age: entry.age }, &mut entry.value)
    }

    /// Ends a tenancy.
    #[inline]
    pub(crate) fn leave(&mut self, id: Id) {
        let entry = &mut self.entries[id.slot as usize];
        debug_assert!(entry.live && entry.age == id.age, "a tenant leaves once");
        entry.live = false;
        entry.age = entry.age.wrapping_add(1);
        self.free.push(id.slot);
    }

    /// Whether the tenant is still there.
    #[inline]
    pub(crate) fn has(&self, id: Id) -> bool {
        self.entries.get(id.slot as usize).is_some_and(|entry| entry.live && entry.age == id.age)
    }

    /// The tenant, if it is still there.
    #[inline]
    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        self.entries.get(id.slot as usize).filter(|entry| entry.live && entry.age == id.age).map(|e| &e.value)
    }

    /// The tenant, if it is still there.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        let entry = self.entries.get_mut(id.slot as usize)?;
        (entry.live && entry.age == id.age).then_some(&mut entry.value)
    }

    /// The id of the tenant of a slot.
    #[inline]
    pub(crate) fn id(&self, slot: u32) -> Id {
        Id { slot, age: self.entries[slot as usize].age }
    }

    /// The tenant of a slot that is known to have one.
    #[inline]
    pub(crate) fn at(&mut self, slot: u32) -> &mut T {
        let entry = &mut self.entries[slot as usize];
        debug_assert!(entry.live, "the slot has a tenant");
        &mut entry.value
    }

    /// What is in a slot, or was last.
    #[inline]
    pub(crate) fn peek(&self, slot: u32) -> &T {
        &self.entries[slot as usize].value
    }

    /// What is in a slot, or was last.
    pub(crate) fn peek_mut(&mut self, slot: u32) -> &mut T {
        &mut self.entries[slot as usize].value
    }

    /// All tenants, by slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        let live =
            |(slot, entry): (usize, &'_ Entry<T>)| (entry.live, Id { slot: slot as u32, age: entry.age });
        self.entries.iter().enumerate().filter_map(move |(slot, entry)| {
            let (is_live, id) = live((slot, entry));
            is_live.then_some((id, &entry.value))
        })
    }

    /// Ends all tenancies and keeps the memory.
    pub(crate) fn reset(&mut self) {
        self.free.clear();
        for (slot, entry) in self.entries.iter_mut().enumerate().rev() {
            if entry.live {
                entry.live = false;
                entry.age = entry.age.wrapping_add(1);
            }
            self.free.push(slot as u32);
        }
    }
}

/// Tenants by id, where they are known to be there.
impl<T> std::ops::Index<Id> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: Id) -> &T {
        let entry = &self.entries[id.slot as usize];
        debug_assert!(entry.live && entry.age == id.age, "the tenant is still there");
        &entry.value
    }
}

impl<T> std::ops::IndexMut<Id> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: Id) -> &mut T {
        let entry = &mut self.entries[id.slot as usize];
        debug_assert!(entry.live && entry.age == id.age, "the tenant is still there");
        &mut entry.value
    }
}

//! Slots for things that come and go. A slot keeps its memory when its tenant leaves; an id names a tenant, not a slot.
//!
//! Ages lie apart from the tenants: whether one is still there is asked for most that are looked at, and the tenants
//! themselves take no more lines of memory than they must.

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

/// Slots of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slab<T> {
    tenants: Vec<T>,
    /// By slot how often somebody moved in or out: odd while somebody is there.
    ages: Vec<u32>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { tenants: Vec::new(), ages: Vec::new(), free: Vec::new() }
    }
}

/// Whether somebody is there at this age of a slot.
#[inline]
const fn is_live(age: u32) -> bool {
    age & 1 == 1
}

impl<T: Default> Slab<T> {
    /// A slot and what its last tenant left in it: the caller sets every field.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> (Id, &mut T) {
        let slot = self.free.pop().unwrap_or_else(|| self.build());
        let age = &mut self.ages[slot as usize];
        *age = age.wrapping_add(1);
        (Id { slot, age: *age }, &mut self.tenants[slot as usize])
    }

    /// A slot where nobody has ever been.
    #[cold]
    #[inline(never)]
    fn build(&mut self) -> u32 {
        self.tenants.push(T::default());
        self.ages.push(0);
        self.ages.len() as u32 - 1
    }

    /// Ends a tenancy.
    #[inline]
    pub(crate) fn leave(&mut self, id: Id) {
        debug_assert!(self.has(id), "a tenant leaves once");
        let age = &mut self.ages[id.slot as usize];
        *age = age.wrapping_add(1);
        self.free.push(id.slot);
    }

    /// Whether the tenant is still there.
    #[inline]
    pub(crate) fn has(&self, id: Id) -> bool {
        self.ages.get(id.slot as usize) == Some(&id.age) && is_live(id.age)
    }

    /// The tenant, if it is still there.
    #[inline]
    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        if self.has(id) { self.tenants.get(id.slot as usize) } else { None }
    }

    /// The tenant, if it is still there.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        if self.has(id) { self.tenants.get_mut(id.slot as usize) } else { None }
    }

    /// The id of the tenant of a slot.
    #[inline]
    pub(crate) fn id(&self, slot: u32) -> Id {
        Id { slot, age: self.ages[slot as usize] }
    }

    /// The tenant of a slot that is known to have one.
    #[inline]
    pub(crate) fn at(&mut self, slot: u32) -> &mut T {
        debug_assert!(is_live(self.ages[slot as usize]), "the slot has a tenant");
        &mut self.tenants[slot as usize]
    }

    /// What is in a slot, or was last.
    #[inline]
    pub(crate) fn peek(&self, slot: u32) -> &T {
        &self.tenants[slot as usize]
    }

    /// What is in a slot, or was last.
    pub(crate) fn peek_mut(&mut self, slot: u32) -> &mut T {
        &mut self.tenants[slot as usize]
    }

    /// All tenants, by slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        let slots = (0..).zip(self.ages.iter().zip(&self.tenants));
        slots.filter(|(_, (age, _))| is_live(**age)).map(|(slot, (&age, tenant))| (Id { slot, age }, tenant))
    }

    /// Takes room for so many at once: what grows piece by piece is moved, and for a while there twice.
    pub(crate) fn expect(&mut self, tenants: usize) {
        self.tenants.reserve_exact(tenants.saturating_sub(self.tenants.len()));
        self.ages.reserve_exact(tenants.saturating_sub(self.ages.len()));
    }

    /// Ends all tenancies and keeps the memory.
    pub(crate) fn reset(&mut self) {
        self.free.clear();
        for (slot, age) in self.ages.iter_mut().enumerate().rev() {
            // The next even one.
            *age = age.wrapping_add(*age & 1);
            self.free.push(slot as u32);
        }
    }
}

/// Tenants by id, where they are known to be there.
impl<T> std::ops::Index<Id> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: Id) -> &T {
        debug_assert!(self.ages[id.slot as usize] == id.age && is_live(id.age), "the tenant is still there");
        &self.tenants[id.slot as usize]
    }
}

impl<T> std::ops::IndexMut<Id> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: Id) -> &mut T {
        debug_assert!(self.ages[id.slot as usize] == id.age && is_live(id.age), "the tenant is still there");
        &mut self.tenants[id.slot as usize]
    }
}

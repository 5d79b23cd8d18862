//! What one and the same part of a document was read to before.
//!
//! Values of a tree are shared, not copied ([`super::super::tree`]): nearly all operations have the same policy and all
//! strategies the facts that `*` asks for, and then it is the same object or list. Reading it once is enough; what is
//! wrong with it was reported then, and would be reported once only in any case.

use std::sync::Arc;

/// The most parts remembered: what is met again is met early, and the rest is not searched for long.
const MOST: usize = 32;

/// Members or elements that were read, and to what.
#[derive(Debug)]
pub(super) struct Memo<K, T>(Vec<(Arc<[K]>, T)>);

impl<K, T> Default for Memo<K, T> {
    fn default() -> Self {
        Memo(Vec::new())
    }
}

impl<K, T: Clone> Memo<K, T> {
    /// What the part was read to, if it was.
    pub(super) fn find(&self, part: &Arc<[K]>) -> Option<T> {
        self.0.iter().find(|(known, _)| Arc::ptr_eq(known, part)).map(|(_, read)| read.clone())
    }

    /// Remembers what a part was read to.
    pub(super) fn keep(&mut self, part: &Arc<[K]>, read: &T) {
        // The part is kept alive, so no other can take its address.
        if self.0.len() < MOST {
            self.0.push((part.clone(), read.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_what_it_is_and_not_by_what_it_says() {
        let mut memo = Memo::default();
        let parts: Vec<Arc<[u8]>> = (0..40).map(|_| Arc::from([1, 2])).collect();
        for (n, part) in parts.iter().enumerate() {
            assert_eq!(memo.find(part), None);
            memo.keep(part, &n);
        }
        assert_eq!(memo.find(&parts[MOST - 1].clone()), Some(MOST - 1));
        assert_eq!(memo.find(&parts[MOST]), None, "no more are remembered");
    }
}

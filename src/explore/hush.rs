//! Panics of code of the user's own are verdicts: a report tells the seeds that they end and what was said. Somebody who
//! looks for the place in the code has the panic hook to thank for it, but not for a thousand times the same.
//!
//! Whoever tries code in Rust asks for [`show_panics_once`]: from then on each place at which a run panics is shown once.
//! Nothing else that panics is touched, and nothing that is judged depends on it. It hooks into the process, as there is one
//! hook for all of it; the engine does not know.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{Location, PanicHookInfo, set_hook, take_hook};
use std::sync::{Mutex, MutexGuard, Once};

thread_local! {
    /// This thread runs a seed.
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// The places that were shown: file, line, column.
static SHOWN: Mutex<BTreeSet<(String, u32, u32)>> = Mutex::new(BTreeSet::new());

static HOOK: Once = Once::new();

/// As long as it lives, this thread runs a seed.
pub(super) struct Running {
    before: bool,
}

/// A seed is run from now on.
pub(super) fn running() -> Running {
    Running { before: RUNS.replace(true) }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNS.set(self.before);
    }
}

/// Shows each place at which a run panics once from now on. What was shown before is forgotten: another trial shows it again.
pub(crate) fn show_panics_once() {
    if std::thread::panicking() {
        // The hook cannot be changed now.
        return;
    }
    shown().clear();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if !RUNS.get() || info.location().is_none_or(is_new) {
                before(info);
            }
        }));
    });
}

fn shown() -> MutexGuard<'static, BTreeSet<(String, u32, u32)>> {
    SHOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn is_new(place: &Location<'_>) -> bool {
    shown().insert((place.file().to_owned(), place.line(), place.column()))
}

//! What is said of strategies once the whole file is read: the same of several strategies is said once.

use std::collections::{BTreeMap, BTreeSet};

use super::super::code::Code;
use super::super::problem::{Problem, Problems, enumerate};
use super::super::source::Place;

/// What was found in strategies.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By what is said, code, message and hint: of whom, where their names stand.
    strategies: BTreeMap<(Code, String, &'static str), BTreeSet<(Place, String)>>,
}

impl Told {
    /// Says something of a strategy whose name stands at `head`.
    pub(super) fn say(&mut self, code: Code, message: String, hint: &'static str, head: Place, name: &str) {
        self.strategies.entry((code, message, hint)).or_default().insert((head, name.to_owned()));
    }

    /// Takes in what was found elsewhere.
    pub(super) fn extend(&mut self, other: Told) {
        for (what, whom) in other.strategies {
            self.strategies.entry(what).or_default().extend(whom);
        }
    }

    /// The warnings; what is said of several strategies at the first of them.
    pub(super) fn report(self, problems: &mut Problems) {
        for ((code, message, hint), whom) in self.strategies {
            let Some((place, _)) = whom.first() else { continue };
            let names = enumerate(whom.iter().map(|(_, name)| name.as_str()), "and");
            let message = if whom.len() > 1 { format!("{message}, in {names}") } else { message };
            problems.push(Problem::warning(code, *place, message).hint(hint));
        }
    }
}

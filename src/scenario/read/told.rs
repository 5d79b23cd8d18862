//! What is said of strategies once the whole file is read: the same of several strategies is said once, and what a
//! strategy says in vain in one place may be of use in another.

use std::collections::{BTreeMap, BTreeSet};

use super::super::code::Code;
use super::super::problem::{Problem, Problems, enumerate, quote};
use super::super::source::Place;

/// A code, a message and a hint.
type Said = (Code, String, &'static str);

/// What was found in strategies.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By what is said, of whom, and where their names stand.
    strategies: BTreeMap<Said, BTreeSet<(Place, String)>>,
    /// Parameters of a key in progress: the `store` under which they say nothing, if they say nothing anywhere.
    parameters: BTreeMap<(Place, &'static str), Option<&'static str>>,
}

impl Told {
    /// Says something of a strategy whose name stands at `head`.
    pub(super) fn say(&mut self, code: Code, message: String, hint: &'static str, head: Place, name: &str) {
        self.strategies.entry((code, message, hint)).or_default().insert((head, name.to_owned()));
    }

    /// Says of a parameter of a key in progress that it is of use for one part, or under which `store` it is not.
    pub(super) fn parameter(&mut self, name: &'static str, place: Place, idle: Option<&'static str>) {
        let known = self.parameters.entry((place, name)).or_insert(idle);
        *known = known.and(idle);
    }

    /// Takes in what was found elsewhere.
    pub(super) fn extend(&mut self, other: Told) {
        for (what, whom) in other.strategies {
            self.strategies.entry(what).or_default().extend(whom);
        }
        for ((place, name), idle) in other.parameters {
            self.parameter(name, place, idle);
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
        for ((place, name), idle) in self.parameters {
            let Some(store) = idle else { continue };
            let (message, hint) = match store {
                "with" => (
                    format!("{} says nothing to the key of an operation", quote(name)),
                    "it is in progress as long as its transaction, which nobody takes over; that of a flow is taken over",
                ),
                _ => (
                    format!("{} says nothing to a key with `store` `{store}`", quote(name)),
                    "it is stored as done, so it is never in progress",
                ),
            };
            problems.push(Problem::warning(Code::Parameter, place, message).hint(hint));
        }
    }
}

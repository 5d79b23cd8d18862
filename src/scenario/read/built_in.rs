//! The five strategies that are known without a file saying so, written as a file would write them.

use std::sync::LazyLock;

use super::super::parse::parse;
use super::super::problem::Problems;
use super::super::source::Sources;
use super::super::tree::{Kind, Node};
use crate::scenario::source::Place;

/// Where a strategy says nothing, the first policy of each dimension holds, with its defaults.
///
/// `hardened` also has `flows`, which no file can say: calls made by flows are repeated for ever, so that a flow goes
/// on after the weather has healed and does not give up halfway. Own `attempts` of a strategy take precedence.
const TEXT: &str = r#"{
  "naive": {},
  "occ": { "write": { "use": "occ", "tries": 3 } },
  "idempotent": { "idempotency": { "use": "key" } },
  "saga": { "coordination": { "use": "saga" } },
  "hardened": {
    "write": { "use": "guarded" },
    "idempotency": { "use": "key", "busy": "wait" },
    "coordination": { "use": "saga", "fence": true },
    "publish": { "use": "outbox", "relay": "flag" },
    "retry": { "backoff": "exponential", "first": "20ms", "factor": 2, "cap": "1s", "jitter": "full" },
    "flows": { "retry": { "attempts": "ever" } }
  }
}"#;

/// The built-in strategies by name. Their places belong to no scenario and are never shown.
pub(super) fn strategies() -> &'static Node {
    // The same for every scenario, so read for the first one only; there are programs that read millions.
    static STRATEGIES: LazyLock<Node> = LazyLock::new(read);
    &STRATEGIES
}

fn read() -> Node {
    let mut sources = Sources::new();
    let file = sources.add("built in", TEXT);
    let nothing = Node { place: Place::new(u16::MAX, 0, 0), kind: Kind::Object(Default::default()) };
    parse(&sources, file, &mut Problems::new()).unwrap_or(nothing)
}

#[cfg(test)]
mod tests {
    use super::super::language::how::{BUILT_IN, DIMENSIONS};
    use super::*;
    use crate::scenario::fields::Fields;

    #[test]
    fn the_built_in_strategies_are_those_of_the_language_and_well_formed() {
        let all = strategies();
        let names: Vec<&str> =
            all.as_object().unwrap().iter().map(|entry| entry.key.value.as_str()).collect();
        assert_eq!(names, BUILT_IN.each_ref().map(|word| word.name));
        let mut problems = Problems::new();
        for strategy in all.as_object().unwrap() {
            for entry in strategy.value.as_object().unwrap() {
                let table = DIMENSIONS.iter().find(|table| table.name == entry.key.value);
                if let Some(table) = table {
                    Fields::of(&entry.value, entry.key.place, table, &mut problems);
                }
            }
        }
        assert!(problems.is_empty(), "{problems:?}");
    }
}

//! Laying one tree over another: JSON merge patch (RFC 7396), with places kept.
//!
//! Objects merge, `null` removes, anything else replaces, lists included. What comes from the patch keeps the
//! patch's places, so a message about a patched document points into the file that is to blame. Keys that stay keep
//! their position, new ones follow in the order of the patch.
//!
//! A scenario holds patches itself – its `cases` and the `rewrite` of a strategy – in which `null` is not to be
//! carried out yet. [`merge_documents`] knows these and puts patches together instead of applying them.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Entry, Kind, Node};

/// Lays `patch` over `base` as RFC 7396 says.
#[must_use]
pub fn merge(base: Node, patch: &Node) -> Node {
    merge_as(base, patch, Role::Plain)
}

/// Lays a scenario file, or a part of one such as a case, over a scenario. As [`merge`], but where both hold a patch
/// (`cases.NAME`, `strategies.NAME.rewrite`) the two become one patch that does what both do, one after the other.
///
/// One thing cannot be said by a single patch: replace a value by an object that has only these members. Where the
/// first patch removes or replaces a value and the second one holds an object for it, the members are merged into
/// what is there.
#[must_use]
pub fn merge_documents(base: Node, patch: &Node) -> Node {
    merge_as(base, patch, Role::Document)
}

/// What part of a scenario an object is, as far as that matters to merging.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// No patch in it.
    Plain,
    Document,
    Strategies,
    Strategy,
    Cases,
    /// A patch: `null` in it means removal later.
    Patch,
}

impl Role {
    fn of_member(self, key: &str) -> Role {
        match (self, key) {
            (Role::Document, "strategies") => Role::Strategies,
            (Role::Document, "cases") => Role::Cases,
            (Role::Strategies, _) => Role::Strategy,
            (Role::Strategy, "rewrite") | (Role::Cases | Role::Patch, _) => Role::Patch,
            _ => Role::Plain,
        }
    }
}

fn merge_as(base: Node, patch: &Node, role: Role) -> Node {
    let Kind::Object(changes) = &patch.kind else { return patch.clone() };
    // Over anything but an object a patch merges as over an empty one, which takes the nulls out of it.
    let (place, below) = match &base.kind {
        Kind::Object(entries) => (base.place, &entries[..]),
        _ => (patch.place, &[][..]),
    };
    let mut entries: Vec<Entry> = Vec::with_capacity(below.len() + changes.len());
    entries.extend_from_slice(below);
    let mut removed: Vec<usize> = Vec::new();
    let index = Index::of(below, changes);
    for change in changes.iter() {
        let inner = role.of_member(&change.key.value);
        let at = index.find(below, &change.key.value);
        let removes = change.value.kind == Kind::Null && role != Role::Patch;
        let nothing = Node { place: change.value.place, kind: Kind::Null };
        match at {
            Some(at) if removes => removed.push(at),
            None if removes => {}
            Some(at) => {
                let entry = &mut entries[at];
                let old = std::mem::replace(&mut entry.value, nothing);
                // A key merged into still is where it was; one replaced is where the new value is.
                if !matches!((&old.kind, &change.value.kind), (Kind::Object(_), Kind::Object(_))) {
                    entry.key = change.key.clone();
                }
                entry.value = merge_as(old, &change.value, inner);
            }
            None => {
                let value = merge_as(nothing, &change.value, inner);
                entries.push(Entry { key: change.key.clone(), value });
            }
        }
    }
    if !removed.is_empty() {
        removed.sort_unstable();
        let (mut at, mut removed) = (0, removed.into_iter().peekable());
        entries.retain(|_| {
            at += 1;
            removed.next_if_eq(&(at - 1)).is_none()
        });
    }
    Node { place, kind: Kind::Object(entries.into()) }
}

/// Where keys of an object are. Few objects are so long that comparing each of their keys takes longer than an index.
enum Index<'p> {
    None,
    /// The keys that change, so that long objects merge in good time.
    Of(BTreeMap<&'p str, usize>),
}

impl<'p> Index<'p> {
    fn of(entries: &[Entry], changes: &'p [Entry]) -> Self {
        const FEW: usize = 512;
        if entries.len() * changes.len() <= FEW {
            return Index::None;
        }
        let changing: BTreeSet<&str> = changes.iter().map(|change| change.key.value.as_str()).collect();
        let known = entries.iter().enumerate();
        let known = known.filter_map(|(at, entry)| Some((*changing.get(entry.key.value.as_str())?, at)));
        Index::Of(known.collect())
    }

    fn find(&self, entries: &[Entry], key: &str) -> Option<usize> {
        match self {
            Index::None => entries.iter().position(|entry| entry.key.value == *key),
            Index::Of(known) => known.get(key).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::super::parse::parse;
    use super::super::problem::Problems;
    use super::super::source::Sources;
    use super::super::tree::testing;
    use super::*;

    fn read(sources: &mut Sources, text: &str) -> Node {
        let file = sources.add("file", text);
        let mut problems = Problems::new();
        let node = parse(sources, file, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        node.unwrap()
    }

    fn merged(merge: fn(Node, &Node) -> Node, base: &Value, patch: &Value) -> Value {
        let mut sources = Sources::new();
        let base = read(&mut sources, &base.to_string());
        let patch = read(&mut sources, &patch.to_string());
        testing::json(&merge(base, &patch))
    }

    /// The procedure of RFC 7396, section 2, on plain values.
    fn reference(target: Value, patch: &Value) -> Value {
        let Value::Object(changes) = patch else { return patch.clone() };
        let mut members = if let Value::Object(members) = target { members } else { Map::new() };
        for (name, value) in changes {
            let old = members.remove(name);
            if !value.is_null() {
                members.insert(name.clone(), reference(old.unwrap_or(Value::Null), value));
            }
        }
        Value::Object(members)
    }

    #[test]
    fn the_examples_of_the_rfc_come_out_as_it_says() {
        // RFC 7396, appendix A: original, patch, result.
        let table = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (original, patch, result) in table {
            assert_eq!(merged(merge, &original, &patch), result, "{original} with {patch}");
            assert_eq!(
                reference(original.clone(), &patch),
                result,
                "the reference on {original} with {patch}"
            );
        }
    }

    #[test]
    fn keys_keep_their_position_and_new_ones_follow() {
        let mut sources = Sources::new();
        let base = read(&mut sources, r#"{"z": 1, "y": {"b": 1}, "x": 1}"#);
        let patch = read(&mut sources, r#"{"n": 1, "x": 2, "y": {"a": 1}, "z": null, "m": 1}"#);
        let result = merge(base, &patch);
        let entries = result.as_object().unwrap();
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.value.as_str()).collect();
        assert_eq!(keys, ["y", "x", "n", "m"]);
        let file = |key: &str| {
            let entry = result.get(key).unwrap();
            (entry.key.place.file, entry.value.place.file)
        };
        assert_eq!(file("y"), (0, 0), "merged into: still the base's");
        assert_eq!(file("x"), (1, 1), "replaced: the patch's");
        assert_eq!(file("n"), (1, 1));
        let inner = &result.get("y").unwrap().value;
        assert_eq!(inner.get("b").unwrap().value.place.file, 0);
        assert_eq!(inner.get("a").unwrap().value.place.file, 1);
    }

    #[test]
    fn a_patch_within_the_file_keeps_the_removals_it_is_yet_to_make() {
        let base = json!({
            "strategies": {"s": {"rewrite": {"flows": {"buy": {"by": "shop"}}}, "write": "occ"}},
            "cases": {"calm": {"weather": {"faults": []}}, "wild": {}}
        });
        let over = json!({
            "strategies": {
                "s": {"rewrite": {"flows": {"buy": null, "sell": {"steps": []}}}, "write": null},
                "t": {"rewrite": {"topics": {"paid": null}}}
            },
            "cases": {"calm": {"weather": {"faults": null}, "expect": null}, "wild": null, "new": {"flows": null}}
        });
        let expected = json!({
            "strategies": {
                "s": {"rewrite": {"flows": {"buy": null, "sell": {"steps": []}}}},
                "t": {"rewrite": {"topics": {"paid": null}}}
            },
            "cases": {"calm": {"weather": {"faults": null}, "expect": null}, "new": {"flows": null}}
        });
        assert_eq!(merged(merge_documents, &base, &over), expected);
    }

    /// Small trees over few keys, so that base and patch meet.
    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), Just(json!([1, null]))];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect()))
        })
    }

    proptest! {
        #[test]
        fn merging_does_what_the_rfc_says(base in tree(), patch in tree()) {
            prop_assert_eq!(merged(merge, &base, &patch), reference(base, &patch));
        }

        #[test]
        fn two_patches_put_together_do_what_both_do(base in tree(), first in tree(), second in tree()) {
            // Put together as two cases of the same name would be.
            let whole = |patch: &Value| json!({"cases": {"c": patch}});
            let both = merged(merge_documents, &whole(&first), &whole(&second));
            let together = &both["cases"]["c"];
            // RFC 7396 has no way to say "replace by an object": a second patch that is an object, over a first that
            // is not, would have to. Only there the two ways may differ.
            if !never_object_over_other(&first, &second) {
                return Ok(());
            }
            let stepwise = reference(reference(base.clone(), &first), &second);
            prop_assert_eq!(reference(base, together), stepwise);
        }
    }

    fn never_object_over_other(first: &Value, second: &Value) -> bool {
        match (first, second) {
            (Value::Object(first), Value::Object(second)) => second
                .iter()
                .all(|(key, value)| first.get(key).is_none_or(|old| never_object_over_other(old, value))),
            (_, Value::Object(_)) => false,
            _ => true,
        }
    }
}

//! Files broken at random: whatever comes out, it is no panic, and an error says where it is.

use proptest::prelude::*;
use serde_json::Value;

use super::super::super::problem::Problem;
use super::*;

/// Whether reading ends in a scenario that holds together, or in problems with places inside the text.
fn survives(text: &str) {
    let (problems, sources) = match read_text(text) {
        Ok(scenario) => {
            assert!(!scenario.warnings.has_errors() && !scenario.cases.is_empty());
            for case in &scenario.cases {
                for strategy in &case.strategies {
                    assert_eq!(strategy.invariants.len(), case.invariants.len());
                    let _ = crate::strategy::compile(&strategy.model, &strategy.how);
                }
            }
            (scenario.warnings, scenario.sources)
        }
        Err(rejected) => {
            assert!(rejected.problems.has_errors());
            (rejected.problems, rejected.sources)
        }
    };
    let inside = |problem: &Problem| {
        let end = problem.place.end as usize;
        end <= sources.text(problem.place.file).len() && problem.place.start as usize <= end
    };
    assert!(problems.iter().all(inside));
}

/// The paths of all values of a document.
fn paths(value: &Value, here: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    all.push(here.clone());
    let inner: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    for (at, inner) in inner.into_iter().enumerate() {
        here.push(at);
        paths(inner, here, all);
        here.pop();
    }
}

fn at_path<'v>(value: &'v mut Value, path: &[usize]) -> &'v mut Value {
    path.iter().fold(value, |value, at| match value {
        Value::Array(items) => &mut items[*at],
        Value::Object(members) => members.values_mut().nth(*at).unwrap(),
        _ => unreachable!(),
    })
}

/// One random change of a document: a value is removed, replaced by another one of the document, put somewhere twice,
/// renamed, or replaced by something odd.
fn change(document: &mut Value, kind: u8, first: usize, second: usize) {
    let mut all = Vec::new();
    paths(document, &mut Vec::new(), &mut all);
    let (to, from) = (all[first % all.len()].clone(), all[second % all.len()].clone());
    let other = at_path(document, &from).clone();
    let odd = [
        Value::Null,
        Value::Bool(true),
        (-1).into(),
        i64::MAX.into(),
        "".into(),
        "*".into(),
        "a -> b".into(),
        "1..9".into(),
        "ever".into(),
        "x.y(z)".into(),
        "[1, 2]".into(),
        "{'a': 1}".into(),
        Value::Array(vec![]),
        Value::Object(Default::default()),
        "t.filter(r, r.x == 1)".into(),
        "id".into(),
    ];
    match kind % 4 {
        0 => *at_path(document, &to) = other,
        1 => *at_path(document, &to) = odd[second % odd.len()].clone(),
        kind => {
            let Some((last, parent)) = to.split_last() else { return };
            match at_path(document, parent) {
                Value::Array(items) if kind == 2 => {
                    items.remove(*last);
                }
                Value::Array(items) => items.push(other),
                Value::Object(members) => {
                    let key = members.keys().nth(*last).unwrap().clone();
                    let value = members.remove(&key).unwrap();
                    if kind == 3 {
                        let words = ["id", "now", "*", "in", "a b", "1", "x", "", "orders", "people"];
                        members.insert(words[second % words.len()].into(), value);
                    }
                }
                _ => {}
            }
        }
    }
}

fn plain(text: &str) -> Value {
    let lines = text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    let mut value: Value = serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap();
    // The cases only repeat what is there.
    value.as_object_mut().unwrap().remove("cases");
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_the_document_makes_the_reader_panic(
        file in 0usize..5,
        changes in prop::collection::vec((0u8..4, 0usize..10_000, 0usize..10_000), 1..4),
    ) {
        let text = FILES.get(file).copied().unwrap_or(EVERYTHING);
        let mut document = plain(text);
        for (kind, first, second) in changes {
            change(&mut document, kind, first, second);
        }
        survives(&document.to_string());
    }

    #[test]
    fn no_change_of_the_text_makes_the_reader_panic(
        file in 0usize..5,
        at in 0usize..20_000,
        length in 0usize..12,
        letters in "[\"'{}\\[\\],:. a-z0-9()><*#-]{0,4}",
    ) {
        let text = FILES.get(file).copied().unwrap_or(EVERYTHING);
        let mut bytes = text.as_bytes().to_vec();
        let from = at % bytes.len();
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, letters.bytes());
        survives(&String::from_utf8(bytes).unwrap());
    }
}

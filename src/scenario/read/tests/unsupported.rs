//! What is not supported yet is refused where it is written, each with its own word.

use super::super::language::{SCENARIO, how, must, weather, what};
use super::super::later::{KEYS, WORDS};
use super::*;
use crate::scenario::shape::{Shape, Table};

fn refused(text: &str) -> Vec<String> {
    let Err(rejected) = read_text(text) else { return Vec::new() };
    let here = rejected.problems.iter().filter(|problem| problem.code == Code::Unsupported);
    here.map(|problem| problem.message.clone()).collect()
}

/// A file with one key of one table.
fn file(table: &str, key: &str, value: &str) -> String {
    let member = format!(r#""{key}": {value}"#);
    match table {
        "table" => small(&[(r#""moves": {}"#, &format!(r#""moves": {{ {member} }}"#))]),
        "flow" => {
            small(&[(r#""flows": {}"#, &format!(r#""flows": {{ "f": {{ "steps": [], {member} }} }}"#))])
        }
        "step" => {
            let step = if key == "for" { member } else { format!(r#""do": "bank.pay('ana', 1)", {member}"#) };
            small(&[(r#""flows": {}"#, &format!(r#""flows": {{ "f": {{ "steps": [{{ {step} }}] }} }}"#))])
        }
        "topic" => small(&[(r#""flows": {}"#, &format!(r#""topics": {{ "t": {{ {member} }} }}"#))]),
        "weather" => small(&[(r#""faults": []"#, &member)]),
        "invariant" => small(&[(r#""no-lost-update": {}"#, &format!(r#""i": {{ {member} }}"#))]),
        dimension => {
            let policy = if key == "use" { value.to_owned() } else { format!("{{ {member} }}") };
            small(&[(r#""naive": {}"#, &format!(r#""s": {{ "{dimension}": {policy} }}"#))])
        }
    }
}

/// A value of the right shape.
fn sample(shape: &Shape) -> String {
    match shape {
        Shape::Integer { .. } => "3".into(),
        Shape::Flag => "true".into(),
        Shape::Share | Shape::SignedShare => "\"1%\"".into(),
        Shape::List(_) => "[]".into(),
        Shape::Map(..) | Shape::Object(_) => "{}".into(),
        Shape::Either(shapes) => sample(&shapes[0]),
        Shape::OneOrMany(shape) => sample(shape),
        Shape::OneOf(words) => format!("\"{}\"", words[0].name),
        Shape::Time | Shape::FixedTime | Shape::TimeOrEver | Shape::SignedTime => "\"5ms\"".into(),
        _ => "\"x\"".into(),
    }
}

fn table(name: &str) -> &'static Table {
    let own = [
        &what::SERVICE,
        &what::TABLE,
        &what::OPERATION,
        &what::FLOW,
        &what::STEP,
        &what::TOPIC,
        &weather::WEATHER,
        &weather::FAULT,
        &must::INVARIANT,
        &SCENARIO,
    ];
    let all = own.into_iter().chain(how::DIMENSIONS.iter().copied());
    all.into_iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no table {name}"))
}

#[test]
fn every_key_that_is_not_supported_yet_is_refused() {
    for (name, key) in KEYS {
        let field = table(name).field(key).unwrap_or_else(|| panic!("{name} has no {key}"));
        let text = file(name, key, &sample(&field.shape));
        assert!(
            refused(&text).contains(&format!("`{key}` is not supported yet")),
            "{name}.{key}: {}",
            said(&text)
        );
    }
}

#[test]
fn every_word_that_is_not_supported_yet_is_refused() {
    for (name, key, words) in WORDS {
        for word in words {
            assert!(table(name).field(key).is_some(), "{name} has no {key}");
            let text = file(name, key, &format!("\"{word}\""));
            let place = if key == "use" { name } else { key };
            let expected = format!("`{place}`: `{word}` is not supported yet");
            assert!(refused(&text).contains(&expected), "{name}.{key} {word}: {}", said(&text));
        }
    }
}

#[test]
fn policies_are_refused_in_objects_and_scopes_too() {
    let scoped = r#""s": { "where": { "bank": { "store": { "use": "snapshot" }, "consume": "inbox" } } }"#;
    let text = small(&[(r#""naive": {}"#, scoped)]);
    assert_eq!(
        refused(&text),
        ["`store`: `snapshot` is not supported yet", "`consume`: `inbox` is not supported yet"]
    );
}

#[test]
fn an_invariant_that_stands_alone_is_refused_by_its_name() {
    let text = small(&[(r#""no-lost-update": {}"#, r#""monotonic-reads": {}"#)]);
    assert_eq!(refused(&text), ["`monotonic-reads` is not supported yet"]);
}

#[test]
fn lists_and_objects_as_data_are_refused() {
    let text = small(&[(r#""balance": 100"#, r#""balance": 100, "tags": ["a"]"#)]);
    assert_eq!(refused(&text), ["a list as plain data is not supported yet"]);
}

#[test]
fn a_copy_mended_by_a_job_needs_what_is_not_there_yet_and_all_of_it_is_said() {
    let text = include_str!("copy.json");
    assert_eq!(
        refused(text),
        [
            "`copy_of` is not supported yet",
            "`consume`: `timestamp` is not supported yet",
            "`every` is not supported yet",
            "`for` is not supported yet",
            "`repair`: `reconcile` is not supported yet",
            "`consume`: `version` is not supported yet",
            "`converges` is not supported yet",
        ]
    );
    assert_eq!(marks(text).len(), 7, "and nothing else is said");
}

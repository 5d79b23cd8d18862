//! Whole files.

use super::*;
use crate::model::flow::{Class, StepKind};
use crate::model::ids::{FlowId, OpId};
use crate::model::invariant::Verdict;
use crate::model::value::Type;

#[test]
fn the_files_of_the_reference_are_read_without_a_word() {
    for text in FILES {
        assert_eq!(said(text), "");
    }
}

#[test]
fn a_file_with_everything_supported_is_read_without_a_word() {
    assert_eq!(said(EVERYTHING), "");
    let scenario = good(EVERYTHING);
    assert_eq!(scenario.name, "s");
    assert_eq!(scenario.about.as_deref(), Some("Everything there is."));
    let names: Vec<Option<&str>> = scenario.cases.iter().map(|case| case.name.as_deref()).collect();
    assert_eq!(names, [None, Some("calm"), Some("small")]);
    assert_eq!(
        scenario.cases.iter().map(|case| case.seeds).collect::<Vec<_>>(),
        [Some(200), Some(200), Some(10)]
    );
    assert_eq!(scenario.cases[1].about.as_deref(), Some("No faults."));
    assert!(scenario.cases[1].strategies[0].model.weather.faults.is_empty());
}

#[test]
fn every_strategy_that_is_read_can_be_compiled() {
    for text in FILES {
        for case in good(text).cases {
            for strategy in case.strategies {
                assert!(
                    crate::strategy::compile(&strategy.model, &strategy.how).is_ok(),
                    "{}",
                    strategy.name
                );
            }
        }
    }
}

#[test]
fn strategies_share_a_model_unless_they_rewrite_it() {
    let scenario = good(EVERYTHING);
    let case = &scenario.cases[0];
    let mine = case.strategies.last().unwrap();
    assert!(mine.rewritten && !Arc::ptr_eq(&mine.model, &case.strategies[0].model));
    assert!(case.strategies[..5].iter().all(|other| Arc::ptr_eq(&other.model, &case.strategies[0].model)));
    let written =
        |strategy: &StrategyCase| strategy.model.operation(OpId(1)).parts[0].effects.writes[0].values.len();
    assert_eq!((written(&case.strategies[0]), written(mine)), (2, 1), "both fields, and the one rewritten");
    let names = |invariants: &[Invariant]| -> Vec<String> {
        invariants.iter().map(|invariant| invariant.name.clone()).collect()
    };
    assert_eq!(names(&mine.invariants), names(&case.invariants));
    assert_eq!(names(&mine.invariants).len(), 15);
}

#[test]
fn the_words_of_the_engines_reasons_are_the_same_in_every_model() {
    for text in FILES.into_iter().chain([EVERYTHING]) {
        for strategy in good(text).cases.iter().flat_map(|case| &case.strategies) {
            let words = ["missing", "exists", "error", "other request", "fenced"];
            let found = words.map(|word| strategy.model.symbols.find(word));
            assert_eq!(found, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        }
    }
}

#[test]
fn types_flow_from_clients_through_flows_and_operations_into_tables() {
    let scenario = good(FILES[2]);
    let model = &scenario.cases[0].strategies[0].model;
    let columns = |name: &str| {
        let table = model.table_ids().find(|table| model.table_name(*table) == name).unwrap();
        model
            .table(table)
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column.ty.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(columns("orders.orders"), [("id", Type::Text), ("status", Type::Text)]);
    assert_eq!(columns("payment.charges"), [("id", Type::Int), ("order", Type::Text), ("amount", Type::Int)]);
    let buy = model.flow(FlowId(0));
    let classes: Vec<Class> = buy
        .steps
        .iter()
        .map(|step| match &step.does {
            StepKind::Call(call) => call.class,
            StepKind::Wait(_) => unreachable!(),
        })
        .collect();
    use Class::*;
    assert_eq!(classes, [Compensatable, Compensatable, Compensatable, Pivot, Retriable]);
}

#[test]
fn the_class_of_a_step_is_told_by_what_it_calls() {
    let text = small(&[
        (
            r#""flows": {}"#,
            r#""flows": { "f": { "by": "bank", "args": [], "steps": [ { "do": "bank.look()" }, { "do": "g()" }, { "do": "bank.pay('ana', 1)" } ] },
                      "g": { "by": "bank", "steps": [ { "do": "bank.look()" } ] } }"#,
        ),
        (r#""pay":"#, r#""look": { "reply": "accounts['ana'].balance" }, "pay":"#),
        ("bank.pay('ana', 5)", "f()"),
    ]);
    let scenario = good(&text);
    let flow = &scenario.cases[0].strategies[0].model.flows[0];
    let class = |at: usize| match &flow.steps[at].does {
        StepKind::Call(call) => call.class,
        StepKind::Wait(_) => unreachable!(),
    };
    assert_eq!([class(0), class(1), class(2)], [Class::ReadOnly, Class::ReadOnly, Class::Retriable]);
}

#[test]
fn a_file_without_strategies_is_run_under_the_five_built_in_ones() {
    let text = small(&[(
        r#""strategies": { "naive": {} }"#,
        r#""strategies": { "*": { "retry": { "attempts": 2 } } }"#,
    )]);
    let scenario = good(&text);
    let names: Vec<&str> =
        scenario.cases[0].strategies.iter().map(|strategy| strategy.name.as_str()).collect();
    assert_eq!(names, ["naive", "occ", "idempotent", "saga", "hardened"]);
    assert!(
        scenario.cases[0].strategies.iter().all(|strategy| strategy.how.retries[0].1.attempts == Some(2))
    );
}

#[test]
fn expectations_are_those_of_all_strategies_and_over_them_the_own_ones() {
    let scenario = good(FILES[0]);
    let expected = |at: usize| &scenario.cases[0].strategies[at].expected;
    // Invariants: lost updates, both edits, intents end.
    assert_eq!(expected(0).overall, None);
    assert_eq!(
        expected(0).by_invariant,
        [(2, Verdict::Holds), (0, Verdict::Violated), (1, Verdict::Violated)]
    );
    assert_eq!(expected(1).overall, Some(Verdict::Holds), "a bare word beside what `*` says");
    assert_eq!(expected(1).by_invariant, [(2, Verdict::Holds)]);
    assert_eq!(expected(1).sometimes.len(), 1);
    assert_eq!(expected(1).sometimes[0].text, "count.overlaps > 0");
}

#[test]
fn names_are_nothing_but_names() {
    let words = [
        ("shop", "laden"),
        ("orders", "auftraege"),
        ("order", "auftrag"),
        ("stock", "lager"),
        ("buy", "kaufen"),
        ("people", "leute"),
        ("made", "fertig"),
        ("ordered", "bestellt"),
        ("declined", "abgelehnt"),
        ("left", "rest"),
    ];
    let renamed = rename(EVERYTHING, &words);
    let (before, after) = (good(EVERYTHING), good(&renamed));
    for (before, after) in before.cases.iter().zip(&after.cases) {
        for (before, after) in before.strategies.iter().zip(&after.strategies) {
            let there = rename(&format!("{:?}", nameless(&before.model)), &words);
            let here = format!("{:?}", nameless(&after.model));
            assert!(there == here, "{there}\n{here}");
            let identities = |model: &Model| -> Vec<u64> {
                model.weather.faults.iter().map(|fault| fault.identity).collect()
            };
            assert_eq!(identities(&before.model), identities(&after.model));
        }
    }
}

/// A model without what is only shown: where expressions stand, and the index of symbols, which is in alphabetical order.
fn nameless(model: &Model) -> Vec<String> {
    let shown = format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}{:?}",
        model.services,
        model.tables,
        model.operations,
        model.flows,
        model.topics,
        model.groups,
        model.weather
    );
    let mut parts = shown.split("span: ");
    let first = parts.next().map(str::to_owned);
    let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned());
    first.into_iter().chain(rest).collect()
}

/// Replaces whole words.
fn rename(text: &str, words: &[(&str, &str)]) -> String {
    let mut renamed = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        let new = words.iter().find(|(old, _)| *old == word).map(|(_, new)| *new);
        renamed.push_str(new.unwrap_or(&word));
        word.clear();
        renamed.push(letter);
    }
    renamed.trim_end().to_owned()
}

#[test]
fn the_digest_is_of_what_is_said_not_of_how_it_is_written() {
    let plain = small(&[]);
    let laid_out = plain.replace("\"flows\"", "\n // nothing \n \"fl\\u006fws\"");
    let other = plain.replace("100", "101");
    assert_eq!(good(&plain).digest, good(&laid_out).digest);
    assert_ne!(good(&plain).digest, good(&other).digest);
}

#[test]
fn equal_rules_have_identities_of_their_own_and_rates_do_not_matter() {
    let rules = |rules: &str| -> Vec<u64> {
        let scenario = good(&small(&[(r#""faults": []"#, &format!(r#""faults": [{rules}]"#))]));
        scenario.cases[0].strategies[0].model.weather.faults.iter().map(|fault| fault.identity).collect()
    };
    let lose = |chance: &str| format!(r#"{{ "lose": "reply bank.pay", "chance": "{chance}" }}"#);
    let two = rules(&format!("{}, {}", lose("1%"), lose("2%")));
    assert_ne!(two[0], two[1]);
    assert_eq!(rules(&lose("9%")), two[..1]);
    let other = rules(&format!(r#"{{ "lose": "request bank.pay" }}, {}"#, lose("9%")));
    assert_eq!(other[1], two[0], "another rule before it does not matter");
    let nth = rules(r#"{ "lose": "reply bank.pay", "nth": 1 }"#);
    assert_ne!(nth[0], two[0]);
}

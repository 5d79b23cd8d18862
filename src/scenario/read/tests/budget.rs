//! Small files that ask for a lot: everything over all models of a file comes out of one budget.

use super::super::budget::{Budget, MOST_CELLS, MOST_MODELS};
use super::*;

/// What is said of a file, and what its models took.
fn counted(text: &str) -> (Vec<String>, Budget) {
    let mut budget = Budget::default();
    let loaded = load::load(Path::new("s.json"), &mut |_| Ok(text.as_bytes().to_vec())).unwrap();
    let (problems, sources) = match read_all(loaded, &mut budget) {
        Ok(scenario) => (scenario.warnings, scenario.sources),
        Err(rejected) => (rejected.problems, rejected.sources),
    };
    let mark = |problem: &super::super::super::problem::Problem| {
        format!("{} at {}: {}", problem.code, sources.at(problem.place), problem.message)
    };
    let said = problems.iter().map(mark).collect();
    (said, budget)
}

/// The small file with a hundred thousand accounts of two fields, and so many empty cases.
fn wide(cases: usize) -> String {
    let cases: Vec<String> = (0..cases).map(|n| format!(r#""c{n}":{{}}"#)).collect();
    small(&[
        (r#""ana": {"#, r#""1..100000": {"#),
        ("bank.pay('ana', 5)", "bank.pay(1, 5)"),
        (r#""expect": {}"#, &format!(r#""expect": {{}}, "cases": {{{}}}"#, cases.join(","))),
    ])
}

#[test]
fn cases_over_many_rows_end_in_one_error_once_they_have_too_many_cells() {
    let text = wide(300);
    assert!(text.len() < 4_096);
    let (said, budget) = counted(&text);
    assert_eq!(
        said,
        [format!(
            "HW0104 at \"1..100000\": over all cases and rewrites, the tables start with more than {MOST_CELLS} cells"
        )]
    );
    // 200,000 cells a model: 41 fit into 8,388,608, and with the 42nd reading ends.
    assert_eq!((budget.models, budget.cells), (42, 42 * 200_000));
}

#[test]
fn a_few_cases_over_many_rows_are_fine_and_take_no_room() {
    let (said, budget) = counted(&wide(30));
    assert_eq!((said, budget.models, budget.cells), (vec![], 31, 31 * 200_000));
    let scenario = good(&wide(0));
    let rows = &scenario.cases[0].strategies[0].model.tables[0].rows;
    assert_eq!((rows.len(), rows[0].times, rows[0].keys().last()), (1, 100_000, Some(100_000)));
}

#[test]
fn rewrites_have_tables_of_their_own_and_count_as_cases_do() {
    let rewrite = r#"{ "rewrite": { "topics": {} } }"#;
    let strategies: Vec<String> = (0..100).map(|n| format!(r#""s{n}": {rewrite}"#)).collect();
    let text = wide(0).replace(r#""naive": {}"#, &format!(r#""naive": {{}}, {}"#, strategies.join(", ")));
    let (said, budget) = counted(&text);
    assert_eq!((said.len(), budget.models), (1, 42), "{said:?}");
}

#[test]
fn cases_times_rewrites_are_bounded_too() {
    let strategies: Vec<String> =
        (0..40).map(|n| format!(r#""s{n}":{{"rewrite":{{"topics":{{}}}}}}"#)).collect();
    let cases: Vec<String> = (0..40).map(|n| format!(r#""c{n}":{{}}"#)).collect();
    let text = small(&[
        (r#""naive": {}"#, &strategies.join(",")),
        (r#""expect": {}"#, &format!(r#""expect": {{}}, "cases": {{{}}}"#, cases.join(","))),
    ]);
    assert!(text.len() < 4_096);
    // The file as written and 40 cases, each with a model as written and 40 more.
    let (said, budget) = counted(&text);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with(&format!("make more than {MOST_MODELS} models")), "{said:?}");
    assert_eq!(budget.models, MOST_MODELS + 1);
}

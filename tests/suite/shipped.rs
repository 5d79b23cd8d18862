//! The shipped scenarios: every expectation met, and nothing broken in clean weather.

use std::sync::atomic::AtomicBool;

use halfway::explore::{CellStatus, Prepared, Swept, judge, sweep};
use halfway::scenario::{self, Scenario};

/// All scenario files of the project, in order.
pub(crate) fn files() -> Vec<std::path::PathBuf> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
}

/// A scenario file, read; its problems in full if it cannot be.
pub(crate) fn read(path: &std::path::Path) -> Scenario {
    scenario::read(path, &mut scenario::load::read_from_disk).unwrap_or_else(|rejected| {
        let look = scenario::render::Look::Plain;
        panic!("{}", scenario::render::text(&rejected.problems, &rejected.sources, look))
    })
}

/// A scenario given as text.
pub(crate) fn read_text(text: &str) -> Scenario {
    let path = std::path::Path::new("test.json");
    scenario::read(path, &mut |_| Ok(text.as_bytes().to_vec())).unwrap_or_else(|rejected| {
        let look = scenario::render::Look::Plain;
        panic!("{}", scenario::render::text(&rejected.problems, &rejected.sources, look))
    })
}

/// Every strategy of every case, ready to run: the case's name and the strategy.
pub(crate) fn prepared(scenario: &Scenario) -> Vec<(String, Prepared)> {
    let mut all = Vec::new();
    for case in &scenario.cases {
        for strategy in &case.strategies {
            let name = case.name.clone().unwrap_or_default();
            let (invariants, expected) = (strategy.invariants.clone(), strategy.expected.clone());
            all.push((name, Prepared::new(strategy.model.clone(), &strategy.how, invariants, expected)));
        }
    }
    all
}

/// A sweep on two threads.
pub(crate) fn swept(prepared: &Prepared, seeds: std::ops::Range<u64>) -> Option<Swept> {
    sweep(prepared, seeds, 2, &|_| {}, &AtomicBool::new(false))
}

/// What a scenario expects and does not get in so many seeds.
pub(crate) fn missed(scenario: &Scenario, seeds: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    for (case, prepared) in prepared(scenario) {
        let swept = swept(&prepared, 0..seeds);
        let label = format!("{} {case} {}", scenario.name, prepared.strategy);
        if let Some(swept) = &swept {
            assert!(swept.panics.is_empty(), "{label}: {:?}", swept.panics);
            assert!(swept.tally.errors.is_empty(), "{label}: {:?}", swept.tally.errors);
        }
        let judged = judge(&prepared, swept.as_ref());
        for (invariant, cell) in prepared.invariants.iter().zip(&judged.cells) {
            if matches!(cell.status, CellStatus::Finding | CellStatus::Missed | CellStatus::Inconclusive) {
                wrong.push(format!(
                    "{label}: {} is {:?}, expected {:?}",
                    invariant.name, cell.verdict, cell.expected
                ));
            }
        }
        for fact in judged.facts.iter().filter(|fact| !fact.held) {
            wrong.push(format!(
                "{label}: {} (sometimes: {}), seed {:?}",
                fact.text, fact.sometimes, fact.seed
            ));
        }
        if let Some(cell) = judged.overall.filter(|cell| cell.status != CellStatus::Expected) {
            wrong.push(format!("{label}: overall {:?}, expected {:?}", cell.verdict, cell.expected));
        }
    }
    wrong
}

/// Why a scenario with one strategy cannot be carried out.
pub(crate) fn reasons(text: &str) -> Vec<String> {
    match prepared(&read_text(text)).remove(0).1.plan {
        Ok(_) => Vec::new(),
        Err(why) => why.into_iter().map(|no| no.why).collect(),
    }
}

/// A scenario given as text gets all that it expects.
pub(crate) fn meets(text: &str, seeds: u64) {
    let missed = missed(&read_text(text), seeds);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_expectation_of_every_shipped_scenario_is_met() {
    let wrong: Vec<String> = files().iter().flat_map(|file| missed(&read(file), 1000)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What breaks without any fault and with one intent at a time is broken by the model, not by the weather (decision D6 of
/// the design): then the scenario would not show what it says.
#[test]
fn in_clean_weather_nothing_is_violated_under_any_strategy() {
    let mut wrong = Vec::new();
    for file in files() {
        let scenario = read(&file);
        for (case, prepared) in prepared(&scenario) {
            let Some(swept) = swept(&prepared.clean_twin(), 0..20) else { continue };
            for (invariant, tally) in prepared.invariants.iter().zip(&swept.tally.invariants) {
                if tally.violating_runs + tally.stuck_runs > 0 {
                    wrong.push(format!("{} {case} {}: {}", scenario.name, prepared.strategy, invariant.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

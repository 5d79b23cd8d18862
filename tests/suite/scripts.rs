//! Scripts: a run written down by names is the run again, and a script says no less than it seems to.

use halfway::explore::Prepared;
use halfway::model::name::Name;

use crate::shipped::{files, prepared, read, read_text, swept};

/// What broke in a run, without the numbers of fault rules.
fn broken(prepared: &Prepared, seed: u64) -> Vec<(String, Vec<String>)> {
    let run = prepared.bench().unwrap().run(seed, &mut ());
    let verdicts = prepared.invariants.iter().zip(&run.verdict.invariants);
    verdicts
        .filter(|(_, verdict)| verdict.violations > 0 || verdict.stuck)
        .map(|(invariant, verdict)| {
            let findings = verdict.findings.iter().map(|finding| format!("{finding:?}")).collect();
            (invariant.name.clone(), findings)
        })
        .collect()
}

/// Of every violated cell of every shipped scenario: the first seed that breaks it, written down, breaks it in the same way
/// at the same instants, in weather that has no faults of its own.
#[test]
fn every_shipped_violation_is_the_same_from_its_script() {
    let mut cells = 0;
    for file in files() {
        let scenario = read(&file);
        for (case, prepared) in prepared(&scenario) {
            let Some(swept) = swept(&prepared, 0..200) else { continue };
            let mut seeds: Vec<u64> =
                swept.tally.invariants.iter().filter_map(|tally| tally.first_seed).collect();
            cells += seeds.len();
            seeds.sort_unstable();
            seeds.dedup();
            for seed in seeds {
                let label = format!("{} {case} {} seed {seed}", scenario.name, prepared.strategy);
                let recorded = prepared.record(seed).unwrap();
                let lines: Vec<&str> = recorded.decisions.iter().map(|one| one.line.as_str()).collect();
                assert!(!lines.iter().any(|line| line.starts_with("0x")), "{label}: {lines:#?}");
                let scripted = prepared.scripted(&recorded.decisions, true, seed);
                // The seed is in the weather: whichever is asked for, it is this run.
                assert_eq!(broken(&scripted, seed + 1), broken(&prepared, seed), "{label}: {lines:#?}");
                let run = scripted.bench().unwrap().run(0, &mut ());
                assert_eq!(run.unasked, [0usize; 0], "{label}: {lines:#?}");
                assert_eq!(run.ended, recorded.run.ended, "{label}");
            }
        }
    }
    assert!(cells > 30, "{cells}");
}

/// Every name that comes up in shipped scenarios, read again, is the same path in the same words.
#[test]
fn every_name_is_read_as_it_is_written() {
    let mut names = 0;
    for file in files() {
        let scenario = read(&file);
        for (_, prepared) in prepared(&scenario) {
            for seed in 0..5 {
                let Some(recorded) = prepared.record(seed) else { continue };
                for decision in &recorded.decisions {
                    let text = decision.line.split([' ', '?']).next().unwrap();
                    if decision.deed.matter().is_none() {
                        continue;
                    }
                    let name = Name::parse(text, &prepared.model);
                    let name = name.unwrap_or_else(|error| panic!("{text}: {error:?}"));
                    assert_eq!((name.path, name.text.as_str()), (decision.path, text));
                    names += 1;
                }
            }
        }
    }
    assert!(names > 1_000, "{names}");
}

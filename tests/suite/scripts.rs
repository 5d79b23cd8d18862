//! Scripts: a run written down by names is the run again, and a script says no less than it seems to.

use halfway::explore::Prepared;
use halfway::model::name::Name;

use crate::shipped::{files, prepared, read, read_text, swept};

/// What broke in a run, without the numbers of fault rules.
fn broken(prepared: &Prepared, seed: u64) -> Vec<(String, Vec<String>)> {
    let run = prepared.bench().unwrap().run(seed);
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
            let Some(swept) = swept(&prepared, 0..40) else { continue };
            let mut seeds: Vec<u64> =
                swept.tally.invariants.iter().filter_map(|tally| tally.first_violating).collect();
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
                let run = scripted.bench().unwrap().run(0);
                assert_eq!(run.unasked, [0usize; 0], "{label}: {lines:#?}");
                assert_eq!(run.ended, recorded.run.ended, "{label}");
            }
        }
    }
    assert!(cells > 20, "{cells}");
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

/// Two orders, charged by a wallet without keys; the script is all the weather there is.
fn charges(lines: &str) -> Prepared {
    let text = r#"{
        "services": { "wallet": {
            "statement": "0ms", "tables": { "charges": {} },
            "operations": { "charge": { "args": ["order"], "think": "1ms..9ms", "insert": { "charges[]": { "order": "order" } } } } } },
        "clients": { "shop": { "intents": 2, "does": "wallet.charge(order)", "with": { "order": "unique('o')" } } },
        "weather": { "latency": "1ms..5ms", "heal": "100ms", "script": [LINES] },
        "strategies": { "naive": { "retry": { "timeout": "20ms", "attempts": 2 } } },
        "invariants": { "once": { "at-most-one": "wallet.charges", "per": "order" } }
    }"#;
    let mut all = prepared(&read_text(&text.replace("LINES", lines)));
    all.remove(0).1
}

/// When the run came to rest, in ms; how many charges it made; and the lines that nothing asked for.
fn told(lines: &str) -> (u64, i64, Vec<usize>) {
    let replay = charges(lines).replay(3).unwrap();
    let mut rows = 0;
    let mut at = None;
    let table = replay.tables.table(halfway::model::ids::TableId(0));
    while let Some(slot) = table.next_row(at) {
        rows += 1;
        at = Some(slot);
    }
    assert_eq!(replay.run.ended.at.0 % 1_000_000, 0);
    (replay.run.ended.at.0 / 1_000_000, rows, replay.run.unasked)
}

/// By hand: there, a thought and back take 1 ms each where nothing is said, so an order takes 3 ms.
#[test]
fn each_decision_does_what_it_says_and_no_more() {
    for (lines, expected) in [
        (r#""#, (6, 2, vec![])),
        // 20 ms of waiting, then a second charge of the same order.
        (r#""shop.i1.a1:reply~1 = lost""#, (26, 3, vec![])),
        (r#""shop.i1.a1:request~1 = lost""#, (26, 2, vec![])),
        // The copy arrives with the first one; both are carried out.
        (r#""shop.i2.a1:request = 2 copies""#, (6, 3, vec![])),
        (r#""shop.i2.a1:request = 2 copies", "shop.i2.a1:request~2 = 8ms""#, (13, 3, vec![])),
        (r#""shop.i2.a1:request~1 = 4ms""#, (9, 2, vec![])),
        (r#""shop.i2.a1:request = late 4ms""#, (10, 2, vec![])),
        (r#""shop.i2.a1.task1?think = 9ms""#, (14, 2, vec![])),
        (r#""shop.i1 = none""#, (3, 1, vec![])),
        (r#""shop.i2 = none""#, (3, 1, vec![])),
        (r#""shop?start = 50ms""#, (56, 2, vec![])),
        (r#""shop.i1?gap = 7ms""#, (13, 2, vec![])),
        // A refusal is final and takes no thought; a failure is tried again at once.
        (r#""shop.i1.a1:request = refuse closed""#, (5, 1, vec![])),
        (r#""shop.i1.a1:request = fail""#, (8, 2, vec![])),
        // Nobody answers the first attempt; the second finds the wallet up again.
        (r#""shop.i1.a1:request before commit = crash wallet for 4ms""#, (26, 2, vec![])),
        (r#""shop.i1.a1:request after commit = crash wallet for 4ms""#, (26, 3, vec![])),
        // From 2 to 6 ms nothing happens at the wallet: the answer leaves at 6 ms, the second order takes from 7 to 10 ms.
        (r#""shop.i1.a1:request after commit = pause wallet for 4ms""#, (10, 2, vec![])),
        (r#""wallet at 500us = crash for 4ms""#, (26, 2, vec![])),
        (r#""shop -> wallet at 0s = cut for 1ms""#, (26, 2, vec![])),
        // Of what never comes about nothing comes, and it is said.
        (r#""shop.i1.a2:reply~1 = lost""#, (6, 2, vec![0])),
        // After heal nothing is decided any more.
        (r#""shop?start = 200ms", "shop.i1.a1:reply~1 = lost""#, (206, 2, vec![1])),
    ] {
        assert_eq!(told(lines), expected, "{lines}");
    }
}

/// The second order is order 2 and has its own luck, whether there is a first one or not.
#[test]
fn an_intent_that_is_left_out_shifts_nobody_elses_name() {
    let lost = r#""shop.i2.a1:reply~1 = lost""#;
    assert_eq!(told(lost), (26, 3, vec![]));
    assert_eq!(told(&format!(r#"{lost}, "shop.i1 = none""#)), (23, 2, vec![]));
}

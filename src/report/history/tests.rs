//! The lines that are written straight from the records are those that entries and `serde_json` write.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::model::record::{NONE, Record};
use crate::scenario::{self, load::read_from_disk};

fn head(seed: u64) -> Head<'static> {
    Head { scenario: "a \"name\" of\u{202e} two\nlines", case: Some("\\"), seed }
}

fn compare(prepared: &Prepared, replay: &Replay, seed: u64) {
    let plain = History::of(prepared, replay, head(seed)).to_jsonl();
    let quick = history(prepared, replay, head(seed));
    for (plain, quick) in plain.lines().zip(quick.lines()) {
        assert_eq!(quick, plain);
    }
    assert_eq!(quick.len(), plain.len());
    let mut written = Vec::new();
    write_history(prepared, replay, head(seed), &mut written).unwrap();
    assert!(written == quick.as_bytes());
}

#[test]
fn lines_of_shipped_scenarios_are_those_of_entries() {
    let mut kinds = std::collections::BTreeSet::new();
    for file in std::fs::read_dir("scenarios").unwrap().map(|file| file.unwrap().path()) {
        let scenario = scenario::read(&file, &mut read_from_disk).unwrap();
        for strategy in scenario.cases.iter().flat_map(|case| &case.strategies) {
            let prepared = Prepared::of(strategy);
            for seed in 0..3 {
                let Some(replay) = prepared.replay(seed) else { continue };
                kinds.extend(replay.trace.records.iter().map(|record| record.kind));
                compare(&prepared, &replay, seed);
            }
        }
    }
    assert!(kinds.len() > 18, "{kinds:?}");
}

/// Names that have to be escaped, columns in another order than their names', and a value of every type.
const TRICKY: &str = r#"{
    "services": { "shop": {
        "tables": {
            "t": { "rows": {
                "a'b\\c\"d": { "z": 1, "on": true, "word": "it's \\ \"so\"\u0007", "free": null, "for": "3ms" },
                "ü\u202e": { "z": -5, "on": false, "word": "", "free": 7, "for": "1us" }
            } },
            "notes": {}
        },
        "operations": {
            "change": {
                "args": ["k", "by"],
                "require": { "low \"z\"": "t[k].z + by < 4" },
                "set": { "t[k].z": "t[k].z + by", "t[k].on": "!t[k].on", "t[k].free": "by" },
                "insert": { "notes[]": { "tags": "[k, 'y']", "whole": "{'b': by, 'a': k}", "none": "t[k].free" } }
            },
            "again": { "args": ["k"], "set": { "t[k].on": "t[k].on" } },
            "end": { "args": ["k"], "delete": ["t[k]"] }
        }
    } },
    "clients": {
        "first": { "count": 2, "intents": 3, "does": "shop.change(k, 1)", "with": { "k": "pick('a\\'b\\\\c\"d', 'ü\u202e')" } },
        "then": { "start": "1s", "does": "shop.again('ü\u202e')" },
        "last": { "start": "2s", "does": "shop.end('ü\u202e')" }
    }
}"#;

#[test]
fn lines_of_tricky_names_and_values_are_those_of_entries() {
    let read = scenario::read(Path::new("tricky.json"), &mut |_| Ok(TRICKY.as_bytes().to_vec()));
    let scenario = read.unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut said = String::new();
    for strategy in &scenario.cases[0].strategies {
        let prepared = Prepared::of(strategy);
        for seed in 0..20 {
            let replay = prepared.replay(seed).unwrap();
            compare(&prepared, &replay, seed);
            said += &history(&prepared, &replay, head(seed));
        }
    }
    let parts = [
        "\"on\":true",
        " deleted",
        "low \\\"z\\\"",
        "\"noop\":true",
        "\\\\u{7}",
        "'y']\"",
        "{b: 1, a: '",
        "\"free\":null",
    ];
    for part in parts {
        assert!(said.contains(part), "{part} is not said");
    }
}

fn mixed_up() -> (Prepared, Replay) {
    let file = Path::new("scenarios/order-saga.json");
    let scenario = scenario::read(file, &mut read_from_disk).unwrap();
    let strategy = scenario.cases[0].strategies.iter().find(|one| one.name == "hardened").unwrap();
    let prepared = Prepared::of(strategy);
    let replay = prepared.replay(1).unwrap();
    (prepared, replay)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Records of all kinds with any flags, numbers that name nothing, and rows that never were.
    #[test]
    fn lines_of_records_that_no_run_says_are_those_of_entries(
        changes in prop::collection::vec((any::<u16>(), 0u8..9, any::<u64>(), 0u32..40), 400),
    ) {
        let (prepared, mut replay) = mixed_up();
        let tables = prepared.model.tables.len() as u16;
        let records = replay.trace.records.clone();
        for (at, field, wide, small) in changes {
            let at = usize::from(at) % records.len();
            let record: &mut Record = &mut replay.trace.records[at];
            match field {
                0 => record.flag = wide as u8,
                1 => record.data = wide >> (wide % 64),
                2 => record.who = if wide % 3 == 0 { NONE } else { small },
                3 => record.row = if wide % 3 == 0 { NONE } else { small << (wide % 16) },
                // Each copy sent is one more thing to know of.
                4 => record.ver = wide as u32 % 200,
                5 => record.op = (small as u16 % tables) | (wide as u16 & crate::model::record::FLOW),
                6 => record.path = records[wide as usize % records.len()].path,
                7 => record.at.0 = wide,
                _ => {
                    // Entries of conflicts, and of tables, must name tables that there are.
                    record.kind = records[wide as usize % records.len()].kind;
                    record.op %= tables;
                    record.data = small.into();
                }
            }
            let record = &mut replay.trace.records[at];
            use crate::model::record::Kind::*;
            // Intents have a client and a slot.
            if record.kind == Invoke && (record.client == NONE || record.intent == NONE) {
                (record.client, record.intent) = (0, 0);
            }
            if matches!(record.kind, Read | Install) {
                record.op %= tables;
            }
            if record.kind == Conflict {
                record.data %= u64::from(tables);
            }
        }
        compare(&prepared, &replay, 1);
    }

    #[test]
    fn sixteen_digits_are_those_of_the_standard_library(word in any::<u64>(), shift in 0u32..64) {
        for word in [word, word >> shift, 0, u64::MAX, 0x0123_4567_89ab_cdef] {
            let digits = pen::hexadecimal(word);
            prop_assert_eq!(str::from_utf8(&digits).unwrap(), format!("{word:016x}"));
        }
    }
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_history_that_does_not_fit_is_an_error() {
    let (prepared, replay) = mixed_up();
    let length = history(&prepared, &replay, head(1)).len();
    assert!(write_history(&prepared, &replay, head(1), &mut Full(length)).is_ok());
    let error = write_history(&prepared, &replay, head(1), &mut Full(length - 1)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

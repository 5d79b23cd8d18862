//! Strategies in Rust, put through all kinds of trouble.

use halfway::explore::conformance;
use halfway::model::Model;
use halfway::model::how::{How, WritePolicy};
use halfway::model::ids::{OpId, TableId};
use halfway::model::invariant::Verdict;
use halfway::model::record::{Kind, Record};
use halfway::model::value::Word;
use halfway::own::{Locals, Next, OwnTable, Place, Policy, Steps};
use halfway::store::{Sink, Tables};

use super::{one, verdict};
use crate::shipped::{read_text, swept};

/// Remembers what it answered under a key, in a table of its own that commits with the transaction.
struct Tokens {
    /// By the key that a client makes once, or by one that it makes anew each time it asks.
    by_intent: bool,
    /// In the transaction of the effect, or in a commit of its own behind it.
    together: bool,
}

impl Policy for Tokens {
    fn tables(&self) -> Vec<OwnTable> {
        vec![OwnTable::keyed_by_number("tokens").number("reply")]
    }

    fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
        let by_intent = self.by_intent;
        let key = move |locals: &Locals<'_>| {
            if by_intent { locals.intent_key() } else { locals.attempt_key() }
        };
        let stores = if self.together { Place::Computed } else { Place::Committed };
        if place == Place::Begun {
            steps.statement("look the token up", move |locals| {
                let key = key(locals);
                locals.lock("tokens", key);
                locals.db.get("tokens", key).map_or(Next::On, |row| Next::Again(row.get("reply")))
            });
        }
        if place == stores {
            steps.statement("keep the token", move |locals| {
                let (key, reply) = (key(locals), locals.reply());
                locals.put("tokens", key, &[("reply", reply)]);
                Next::On
            });
        }
    }
}

const TWICE: &str = "no effect twice";

#[test]
fn a_strategy_in_rust_that_keeps_tokens_with_the_effect_does_nothing_twice() {
    let got = conformance("tokens", "naive", Tokens { by_intent: true, together: true }, 20).unwrap();
    assert!(got.broken.is_empty(), "{got}");
    // What a token is good for, and what it is not: it does not keep two writers apart.
    assert_eq!(got.keeps(), [TWICE, "every intent ends"], "{got}");
    assert!(got.of(TWICE).filter(|row| row.base == Verdict::Violated).count() >= 6, "{got}");
    assert!(got.of(TWICE).any(|row| row.case == "a reply to a flow's step is lost"), "{got}");
    let over_occ = conformance("tokens", "occ", Tokens { by_intent: true, together: true }, 20).unwrap();
    assert_eq!(over_occ.breaks(), ["what is told is so", "all or nothing"], "{over_occ}");
}

#[test]
fn a_token_for_each_request_or_behind_the_commit_is_found_out() {
    let anew = conformance("tokens", "naive", Tokens { by_intent: false, together: true }, 20).unwrap();
    let broken: Vec<&str> = anew.of(TWICE).filter(|row| row.is_bad()).map(|row| &*row.case).collect();
    assert!(broken.contains(&"a reply is lost") && !broken.contains(&"a request comes twice"), "{anew}");
    let behind = conformance("tokens", "naive", Tokens { by_intent: true, together: false }, 20).unwrap();
    let broken: Vec<&str> = behind.of(TWICE).filter(|row| row.is_bad()).map(|row| &*row.case).collect();
    assert!(broken.contains(&"a crash after the commit") && !broken.contains(&"a reply is lost"), "{behind}");
}

#[test]
fn what_the_tool_brings_along_fares_as_it_should_where_strategies_of_ones_own_are_judged() {
    struct Nothing;
    impl Policy for Nothing {
        fn at(&self, _place: Place, _model: &Model, _op: OpId, _steps: &mut Steps) {}
    }
    let hardened = conformance("same", "hardened", Nothing, 20).unwrap();
    assert_eq!(hardened.breaks(), [""; 0], "{hardened}");
    let naive = conformance("same", "naive", Nothing, 20).unwrap();
    assert!(naive.rows.iter().all(|row| row.verdict == row.base), "{naive}");
    // Each case but those that only a wrong cure would break shows something to a strategy without any defence.
    let calm = ["a crash before the commit", "a crash of the database at the commit"];
    for case in halfway::explore::conformance_scenarios().cases.iter().filter_map(|case| case.name.as_deref())
    {
        let shown = naive.rows.iter().any(|row| row.case == case && row.is_bad());
        assert_eq!(shown, !calm.contains(&case), "{case}: {naive}");
    }
}

/// A cure that is worse than the disease: what looks the same is taken for the same.
#[test]
fn a_token_made_of_the_arguments_swallows_the_second_of_two_alike() {
    struct Alike;
    impl Policy for Alike {
        fn tables(&self) -> Vec<OwnTable> {
            vec![OwnTable::keyed_by_number("tokens")]
        }

        fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
            if place == Place::Begun {
                steps.statement("look the token up", |locals| {
                    let key = locals.payload_key();
                    if locals.db.get("tokens", key).is_some() {
                        return Next::Again(0);
                    }
                    locals.put("tokens", key, &[]);
                    Next::On
                });
            }
        }
    }
    let got = conformance("alike", "naive", Alike, 20).unwrap();
    let told = |case: &str| got.of("what is told is so").find(|row| row.case == case).unwrap().is_bad();
    assert!(told("two orders alike") && !told("a reply is lost"), "{got}");
}

#[test]
fn a_panic_in_a_step_ends_its_run_and_is_named_with_its_seed() {
    struct Shaky;
    impl Policy for Shaky {
        fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
            if place == Place::Arrived {
                steps.instant("shake", |locals| panic!("no key {}", locals.args().len()));
            }
        }
    }
    let got = conformance("shaky", "naive", Shaky, 3).unwrap();
    assert_eq!(got.broken.len(), 3 * 14);
    assert_eq!(got.broken[0], ("a reply is lost".into(), 0, "step `shake` panicked: no key 1".into()));
    assert!(got.rows.iter().all(|row| row.verdict == Verdict::Stuck), "{got}");
}

/// A policy that stands on another and changes it, keeps a word from one step to the next, and refuses what took long.
struct Deadline {
    guarded: bool,
}

impl Policy for Deadline {
    fn how(&self, _model: &Model, how: &mut How) {
        if self.guarded {
            how.operations.iter_mut().for_each(|of| of.write = WritePolicy::Guarded);
        }
    }

    fn slots(&self) -> u16 {
        1
    }

    fn texts(&self) -> Vec<String> {
        vec!["too late".into()]
    }

    fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
        match place {
            Place::Arrived => {
                steps.instant("note the time", |locals| {
                    locals.set_slot(0, locals.db.now().0 as Word);
                    Next::On
                });
            }
            Place::Computed => {
                steps.instant("look at the time", |locals| {
                    let took = locals.db.now().0 as Word - locals.slot(0);
                    if took > 5_000_000 { Next::Refuse(locals.db.text("too late")) } else { Next::On }
                });
            }
            Place::Begun | Place::Committed => {}
        }
    }
}

#[test]
fn a_policy_refuses_what_took_too_long_and_changes_what_it_stands_on() {
    let text = r#"{
        "services": { "bank": { "statement": "0us",
            "tables": { "accounts": { "rows": { "ana": { "n": 0 } } } },
            "operations": { "add": { "args": ["long"], "think": "long ? duration('9ms') : duration('2ms')",
                "set": { "accounts['ana'].n": "accounts['ana'].n + 1" } } } } },
        "clients": { "adders": { "count": 2, "intents": 2, "does": "bank.add(long)", "with": { "long": "turn(true, false)" } } },
        "weather": { "latency": "1ms", "faults": [ { "lose": "request bank.add", "chance": "30%" } ] },
        "strategies": { "naive": { "retry": { "timeout": "40ms", "attempts": 9 } } },
        "invariants": { "no-lost-update": {}, "failed-has-no-effect": {},
            "the short ones": { "at_rest": "bank.accounts['ana'].n == 2" } } }"#;
    let with = |guarded| {
        let scenario = read_text(text).with_strategy("deadline", "naive", Deadline { guarded }).unwrap();
        let prepared = one(&scenario, "deadline");
        let runs = swept(&prepared, 0..40).unwrap();
        assert!(runs.broken.is_empty() && runs.panics.is_empty(), "{:?} {:?}", runs.broken, runs.panics);
        assert_eq!(verdict(&prepared, &runs, "failed-has-no-effect"), Verdict::Holds);
        [verdict(&prepared, &runs, "the short ones"), verdict(&prepared, &runs, "no-lost-update")]
    };
    assert_eq!(with(true), [Verdict::Holds, Verdict::Holds]);
    assert_eq!(with(false)[1], Verdict::Violated);
}

/// Where the store isolates nothing every statement is there at once; a row that the policy keeps waits for the commit all the
/// same, and what is written meanwhile must leave it as it is.
#[test]
fn a_row_that_a_policy_keeps_outlives_writes_that_are_visible_at_once() {
    struct Keeps;
    impl Policy for Keeps {
        fn tables(&self) -> Vec<OwnTable> {
            vec![OwnTable::keyed_by_number("kept").number("what")]
        }

        fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
            if place == Place::Begun {
                steps.statement("keep a row", |locals| {
                    locals.put("kept", 7, &[("what", 42)]);
                    Next::On
                });
            }
        }
    }
    /// What rows are installed as.
    #[derive(Default)]
    struct Installed(Vec<Vec<Word>>);
    impl Sink for Installed {
        fn record(&mut self, record: &Record, tables: &mut Tables) {
            if record.kind == Kind::Install {
                self.0.push(tables.table(TableId(record.op)).cells(record.row).to_vec());
            }
        }
    }
    let text = r#"{
        "services": { "bank": {
            "tables": { "accounts": { "rows": { "1": { "n": 0, "m": 0 } } } },
            "operations": { "add": { "set": { "accounts[1].n": "accounts[1].n + 1" } } } } },
        "clients": { "adder": { "script": [ { "at": "0ms", "do": "bank.add()" } ] } },
        "weather": { "latency": "1ms" },
        "strategies": { "bare": { "store": "none" } },
        "invariants": { "every-intent-ends": {} } }"#;
    let prepared = one(&read_text(text).with_strategy("keeps", "bare", Keeps).unwrap(), "keeps");
    let mut installed = Installed::default();
    let run = prepared.bench().unwrap().run_with(0, &mut installed);
    assert!(run.broken.is_none(), "{:?}", run.broken);
    assert_eq!(installed.0, [vec![1, 1, 0], vec![7, 42]]);
}

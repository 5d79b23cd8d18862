//! Planted bugs: a defence is taken out of a compiled plan, one at a time, and the invariant that is there for it must
//! notice. Beside each stands its twin, the plan untouched, which holds in the same weather under the same seeds.
//!
//! What is asserted of a planted plan is that *every* seed breaks: each scenario is so small that nothing is left to luck.

use halfway::check::{Minimum, SagaRule, Witness};
use halfway::explore::{Prepared, Replay};
use halfway::model::how::{Coordination, Register, SagaPolicy};
use halfway::model::invariant::Verdict;
use halfway::model::plan::Plan;
use halfway::model::step::{Program, Step};

use crate::shipped::{prepared, read_text, swept};

const SEEDS: u64 = 20;

/// The one strategy of a text.
fn sound(text: &str) -> Prepared {
    let mut all = prepared(&read_text(text));
    assert_eq!(all.len(), 1);
    all.remove(0).1
}

/// The same with a fault planted in its plan.
fn planted(sound: &Prepared, plant: impl FnOnce(&mut Plan)) -> Prepared {
    let mut plan = sound.plan.clone().unwrap();
    plant(&mut plan);
    sound.with_plan(plan)
}

/// The invariants broken in every seed, and those that hold, by name. Anything in between is no clear answer.
fn split(prepared: &Prepared) -> (Vec<&str>, Vec<&str>) {
    let swept = swept(prepared, 0..SEEDS).unwrap();
    assert!(swept.panics.is_empty() && swept.tally.errors.is_empty(), "{swept:?}");
    let (mut broken, mut held) = (Vec::new(), Vec::new());
    for (n, invariant) in prepared.invariants.iter().enumerate() {
        let runs = swept.tally.invariants[n].violating_runs;
        match swept.tally.verdict(n, &Minimum::default()) {
            Verdict::Violated if runs == SEEDS => broken.push(invariant.name.as_str()),
            Verdict::Holds => held.push(invariant.name.as_str()),
            other => panic!("{} is {other:?} in {runs} of {SEEDS} runs", invariant.name),
        }
    }
    (broken, held)
}

/// The twin holds in all; with the fault planted, exactly `broken` breaks, in every seed.
fn caught(twin: &Prepared, planted: &Prepared, broken: &[&str]) {
    assert_eq!(split(twin).0, [""; 0], "the twin");
    assert_eq!(split(planted).0, broken, "planted");
}

/// Takes steps out of a program. What points behind them moves up.
fn without(program: &mut Program, gone: impl Fn(Step) -> bool) {
    while let Some(at) = program.steps.iter().position(|&step| gone(step)) {
        program.steps.remove(at);
        let steps = program.merged.iter_mut();
        let merged = steps.flat_map(|step| [&mut step.next, &mut step.refuse]);
        let parts = program.parts.iter_mut().map(|part| &mut part.skip_to);
        for target in [&mut program.refuse, &mut program.redo].into_iter().chain(parts).chain(merged) {
            *target -= u16::from(usize::from(*target) > at);
        }
    }
}

fn saga(plan: &mut Plan) -> &mut SagaPolicy {
    match &mut plan.flows[0].coordination {
        Coordination::Saga(saga) => saga,
        other => panic!("{other:?}"),
    }
}

/// The rules of compensation broken under a seed, each once.
fn rules(replay: &Replay) -> Vec<SagaRule> {
    let findings = replay.run.verdict.invariants.iter().flat_map(|invariant| &invariant.findings);
    let mut rules: Vec<SagaRule> = findings
        .filter_map(|finding| match &finding.what {
            Witness::Rule { rule, .. } => Some(*rule),
            _ => None,
        })
        .collect();
    rules.sort();
    rules.dedup();
    rules
}

/// Two clients add 1 to one number at the same instant over equal links: both read 0 before either writes, whatever
/// the seed.
fn adders(strategy: &str) -> Prepared {
    let text = r#"{
        "services": { "bank": {
            "tables": { "accounts": { "rows": { "ana": { "n": 0 } } } },
            "operations": { "add": { "think": "5ms", "set": { "accounts['ana'].n": "accounts['ana'].n + 1" } } } } },
        "clients": { "adders": { "count": 2, "does": "bank.add()" } },
        "weather": { "latency": "1ms" },
        "strategies": { "STRATEGY": {} },
        "invariants": { "no-lost-update": {}, "both": { "at_rest": "bank.accounts['ana'].n == 2" } }
    }"#;
    sound(&text.replace("\"STRATEGY\": {}", strategy))
}

#[test]
fn a_version_check_that_is_skipped_loses_an_update() {
    let twin = adders(r#""occ": {}"#);
    let planted = planted(&twin, |plan| {
        plan.programs[0].parts[0].writes[0].versioned = false;
    });
    caught(&twin, &planted, &["no-lost-update", "both"]);
}

#[test]
fn a_lock_that_is_not_held_from_the_read_on_loses_an_update() {
    let twin = adders(r#""lock": { "write": "lock" }"#);
    // The row is still locked by the write itself, as every store does, but no longer since the read.
    let planted = planted(&twin, |plan| without(&mut plan.programs[0], |step| matches!(step, Step::Lock(_))));
    caught(&twin, &planted, &["no-lost-update", "both"]);
}

/// The first reply is always lost, so the shop asks a second time, whatever the seed.
const CHARGE: &str = r#"{
    "services": { "wallet": {
        "tables": { "charges": {} },
        "operations": { "charge": { "args": ["order"], "insert": { "charges[]": { "order": "order" } } } } } },
    "clients": { "shop": { "does": "wallet.charge(order)", "with": { "order": "unique('o')" } } },
    "weather": { "latency": "1ms", "faults": [ { "lose": "reply wallet.charge", "nth": 1 } ] },
    "strategies": { "idempotent": { "retry": { "timeout": "20ms", "attempts": 3 } } },
    "invariants": { "no-duplicate-effect": {}, "once": { "at-most-one": "wallet.charges", "per": "order" } }
}"#;

#[test]
fn a_key_that_is_never_stored_lets_the_retry_charge_again() {
    let twin = sound(CHARGE);
    let planted = planted(&twin, |plan| without(&mut plan.programs[0], |step| step == Step::KeyStore));
    caught(&twin, &planted, &["no-duplicate-effect", "once"]);
}

#[test]
fn a_key_that_is_stored_but_never_looked_up_lets_the_retry_charge_again() {
    let twin = sound(CHARGE);
    let planted = planted(&twin, |plan| {
        without(&mut plan.programs[0], |step| matches!(step, Step::KeyLookup | Step::KeyClaim));
    });
    caught(&twin, &planted, &["no-duplicate-effect", "once"]);
}

/// An answer without a commit: the client is told ok, and nothing is there.
#[test]
fn an_answer_before_the_commit_is_not_durable() {
    let text = r#"{
        "services": { "notes": {
            "tables": { "notes": {} },
            "operations": { "add": { "args": ["n"], "insert": { "notes[]": { "n": "n" } } } } } },
        "clients": { "writer": { "intents": 3, "does": "notes.add(n)", "with": { "n": "unique('n')" } } },
        "weather": { "latency": "1ms", "faults": [
            { "crash": "notes", "after": "reply notes.add", "nth": 1, "when": "intent == 1", "for": "5ms" } ] },
        "strategies": { "naive": {} },
        "invariants": { "acked-is-durable": {}, "outcome-agrees": {} }
    }"#;
    let twin = sound(text);
    let planted = planted(&twin, |plan| without(&mut plan.programs[0], |step| step == Step::Commit));
    caught(&twin, &planted, &["acked-is-durable", "outcome-agrees"]);
}

/// A shop that takes a lamp from the shelf and then charges; the compensations do not ask whether there is anything
/// to undo, so all depends on who calls them, when and how often. The weather is for the first of two orders; the second
/// goes through, so that something is there to be judged.
fn shop(faults: &str, strategy: &str) -> Prepared {
    let text = r#"{
        "services": {
            "desk": {},
            "shelf": {
                "tables": { "stock": { "rows": { "lamp": { "free": 9 } } }, "taken": {} },
                "operations": {
                    "take": { "args": ["order"], "set": { "stock['lamp'].free": "stock['lamp'].free - 1" },
                              "insert": { "taken[]": { "order": "order" } } },
                    "give": { "args": ["order"], "set": { "stock['lamp'].free": "stock['lamp'].free + 1" },
                              "delete": "taken.filter(t, t.order == order)" } } },
            "card": {
                "tables": { "charges": {} },
                "operations": {
                    "charge": { "args": ["order"], "insert": { "charges[order]": {} } },
                    "refund": { "args": ["order"], "delete": "charges[order]" } } } },
        "flows": { "buy": { "by": "desk", "args": ["order"], "steps": [
            { "do": "shelf.take(order)", "undo": "shelf.give(order)" },
            { "do": "card.charge(order)", "undo": "card.refund(order)" } ] } },
        "clients": { "shopper": { "intents": 2, "does": "buy(order)", "with": { "order": "unique('o')" } } },
        "weather": { "latency": "1ms", "faults": [FAULTS] },
        "strategies": { "tried": { STRATEGY, "retry": { "timeout": "20ms", "attempts": 3 },
                                   "where": { "shopper": { "retry": { "timeout": "900ms", "attempts": 1 } } } } },
        "invariants": {
            "all or nothing": { "all-or-nothing": "buy" }, "rules": { "compensation-rules": "buy" },
            "no orphan": { "no-orphan": "shelf.taken", "owner": "it.order in card.charges" },
            "stock adds up": { "at_rest": "shelf.stock['lamp'].free + card.charges.size() == 9" } }
    }"#;
    sound(&text.replace("FAULTS", faults).replace("STRATEGY", strategy))
}

const FENCED: &str = r#""coordination": { "use": "saga", "fence": true }"#;
const DECLINED: &str = r#"{ "refuse": "card.charge", "when": "intent == 1" }"#;

#[test]
fn a_compensation_that_is_skipped_leaves_a_half_done_order() {
    // The charge is always refused, so the lamp must go back.
    let twin = shop(DECLINED, FENCED);
    let planted = planted(&twin, |plan| {
        plan.flows[0].steps[0].undo = None;
    });
    caught(&twin, &planted, &["all or nothing", "rules", "no orphan", "stock adds up"]);
    assert_eq!(rules(&planted.replay(0).unwrap()), [SagaRule::NotUndone]);
}

#[test]
fn a_compensation_that_runs_twice_gives_back_what_was_never_taken() {
    // The charge is refused and every request to give back arrives twice, 3 ms apart: the second comes when the first
    // is done.
    let faults = format!(r#"{DECLINED}, {{ "duplicate": "request shelf.give", "again": ["3ms"] }}"#);
    let twin = shop(&faults, FENCED);
    let planted = planted(&twin, |plan| saga(plan).fence = false);
    caught(&twin, &planted, &["rules", "stock adds up"]);
    assert_eq!(rules(&planted.replay(0).unwrap()), [SagaRule::UndoneTooOften]);
}

#[test]
fn a_compensation_that_overtakes_its_action_undoes_nothing_and_the_action_stands() {
    // Each request to take is 200 ms late and three attempts of 20 ms are made: the compensation is there first.
    let faults = r#"{ "delay": "request shelf.take", "for": "200ms", "when": "intent == 1" }"#;
    let twin = shop(faults, FENCED);
    let planted = planted(&twin, |plan| saga(plan).fence = false);
    let (broken, _) = split(&planted);
    assert!(broken.contains(&"rules") && broken.contains(&"no orphan"), "{broken:?}");
    assert_eq!(split(&twin).0, [""; 0], "the twin");
    let rules = rules(&planted.replay(0).unwrap());
    assert!(rules.contains(&SagaRule::DoneAfterUndo) && rules.contains(&SagaRule::EmptyUndo), "{rules:?}");
}

#[test]
fn a_step_that_is_registered_after_its_answer_is_forgotten_when_the_answer_is_lost() {
    // All three replies are lost: the lamp is taken, and who registers afterwards has never heard of it.
    let faults = r#"{ "lose": "reply shelf.take", "when": "intent == 1" }"#;
    let twin = shop(faults, FENCED);
    let planted = planted(&twin, |plan| saga(plan).register = Register::After);
    caught(&twin, &planted, &["all or nothing", "rules", "no orphan", "stock adds up"]);
}

#[test]
fn a_step_that_is_registered_after_its_answer_is_forgotten_in_a_crash() {
    // The desk crashes when the lamp has just been taken, before the reply can reach it.
    let faults = r#"{ "crash": "desk", "after": "commit shelf.take", "nth": 1, "when": "intent == 1", "for": "50ms" }"#;
    let twin = shop(faults, FENCED);
    let planted = planted(&twin, |plan| saga(plan).register = Register::After);
    caught(&twin, &planted, &["all or nothing", "rules", "no orphan", "stock adds up"]);
}

#[test]
fn an_order_accepted_with_a_log_in_memory_is_gone_in_a_crash() {
    // The desk says accepted and crashes when it has taken the lamp. Its log was the only one to know of the rest.
    let faults = r#"{ "crash": "desk", "after": "commit shelf.take", "nth": 1, "when": "intent == 1", "for": "50ms" }"#;
    let strategy =
        r#""coordination": { "use": "saga", "fence": true, "answer": "accepted", "recover": "forward" }"#;
    let mut twin = shop(faults, strategy);
    let acked = sound(
        r#"{ "services": { "a": { "tables": { "t": {} }, "operations": { "o": { "insert": { "t[]": {} } } } } },
        "clients": { "c": { "does": "a.o()" } }, "strategies": { "naive": {} }, "invariants": { "acked-is-durable": {} } }"#,
    );
    twin.invariants.extend(acked.invariants);
    let planted = planted(&twin, |plan| saga(plan).durable = false);
    let (broken, _) = split(&planted);
    for name in ["all or nothing", "no orphan", "acked-is-durable"] {
        assert!(broken.contains(&name), "{broken:?}");
    }
    assert_eq!(split(&twin).0, [""; 0], "the twin");
}

//! Flows that call flows: which step one of them carries out or takes back is known, and judged by what it did.

use crate::shipped::{prepared, read_text};

/// Which invariants are broken in these seeds of a world, each with its strategy.
fn broken(world: &str, strategies: &str, invariants: &str, seeds: u64) -> Vec<String> {
    let text = format!(r#"{{ {world}, "strategies": {strategies}, "invariants": {invariants} }}"#);
    let mut broken = Vec::new();
    for (_, prepared) in prepared(&read_text(&text)) {
        for seed in 0..seeds {
            let run = prepared.replay(seed).unwrap().run.verdict;
            assert!(run.errors.is_empty(), "{:?}", run.errors);
            for (of, named) in run.invariants.iter().zip(&prepared.invariants) {
                let name = format!("{} {}", prepared.strategy, named.name);
                if (of.violations > 0 || of.stuck) && !broken.contains(&name) {
                    broken.push(name);
                }
            }
        }
    }
    broken.sort();
    broken
}

const NONE: [String; 0] = [];

/// What is judged by steps of `f`, and that so many rows are left.
fn judged(rows: u32) -> String {
    format!(
        r#"{{ "left": {{ "at_rest": "a.r.size() == {rows}" }}, "rules": {{ "compensation-rules": "f" }},
            "all-or-nothing": {{ "all-or-nothing": "f" }}, "outcome-agrees": {{}}, "acked-is-durable": {{}} }}"#
    )
}

/// A flow `g` of one step that notes a row, and a flow `f` that calls it.
fn noted(require: &str, steps: &str, faults: &str) -> String {
    format!(
        r#""services": {{ "home": {{}}, "mid": {{}}, "a": {{ "tables": {{ "r": {{}} }}, "operations": {{
                "do": {{ "args": ["o", "k"], "require": {{ "no": "{require}" }}, "insert": {{ "r[]": {{ "o": "o", "k": "k" }} }} }} }} }} }},
        "flows": {{ "g": {{ "by": "mid", "args": ["o", "k"], "steps": [ {{ "do": "a.do(o, k)" }} ] }},
            "f": {{ "by": "home", "args": ["o"], "steps": {steps} }} }},
        "clients": {{ "c": {{ "count": 2, "does": "f(o)", "with": {{ "o": "unique('o')" }} }} }},
        "weather": {{ "latency": "1ms..5ms", "faults": [ {faults} ] }}"#
    )
}

const TWO: &str = r#"{ "calls": {}, "saga": { "coordination": "saga" } }"#;

#[test]
fn a_flow_left_out_is_not_the_one_that_another_step_calls() {
    let steps = r#"[ { "do": "g(o, 1)", "when": "false" }, { "do": "a.do(o, 3)" }, { "do": "g(o, 2)" } ]"#;
    assert_eq!(broken(&noted("true", steps, ""), TWO, &judged(4), 5), NONE);
    // The second one does nothing: then the flow is half done.
    let fails = r#"{ "fail": "a.do", "when": "k == 2" }"#;
    let half = ["calls all-or-nothing", "calls left", "calls rules"];
    assert_eq!(broken(&noted("true", steps, fails), r#"{ "calls": {} }"#, &judged(4), 5), half);
}

#[test]
fn of_flows_called_at_once_each_is_the_one_of_its_step() {
    let steps =
        r#"[ { "do": "a.do(o, 2)" }, [ { "do": "g(o, 1)", "optional": true }, { "do": "g(o, 2)" } ] ]"#;
    assert_eq!(broken(&noted("k == 2", steps, ""), r#"{ "calls": {} }"#, &judged(4), 20), NONE);
    // The one that must be done is refused, in whichever order they start.
    let steps =
        r#"[ { "do": "a.do(o, 2)" }, [ { "do": "g(o, 1)" }, { "do": "g(o, 2)", "optional": true } ] ]"#;
    let half = ["calls all-or-nothing", "calls outcome-agrees", "calls rules"];
    assert_eq!(broken(&noted("k == 2", steps, ""), r#"{ "calls": {} }"#, &judged(4), 20), half);
}

#[test]
fn a_flow_that_finds_nothing_to_do_is_done_all_the_same() {
    let steps = r#"[ { "do": "g(o, 1)" }, { "do": "g(o, 2)" }, { "do": "a.do(o, 3)" } ]"#;
    let world =
        noted("true", steps, "").replace(r#""do": "a.do(o, k)""#, r#""do": "a.do(o, k)", "when": "k == 2""#);
    assert_eq!(broken(&world, TWO, &judged(4), 5), NONE);
}

fn undone_by(undo: &str, frees: &str, how: &str) -> Vec<String> {
    undone_in("", undo, frees, how)
}

/// A flow `inner` that holds something at one or two services and a flow that frees it; the last step of `outer` is refused.
fn undone_in(faults: &str, undo: &str, frees: &str, how: &str) -> Vec<String> {
    let world = format!(
        r#""services": {{ "home": {{}}, "mid": {{}},
            "a": {{ "tables": {{ "r": {{}} }}, "operations": {{
                "hold": {{ "args": ["o"], "insert": {{ "r[o]": {{ "n": "1" }} }} }},
                "free": {{ "args": ["o"], "skip": "{frees}", "delete": "r[o]" }} }} }},
            "b": {{ "tables": {{ "r": {{}} }}, "operations": {{
                "hold": {{ "args": ["o"], "insert": {{ "r[o]": {{ "n": "1" }} }} }},
                "free": {{ "args": ["o"], "skip": "!(o in r)", "delete": "r[o]" }} }} }},
            "c": {{ "tables": {{ "r": {{}} }}, "operations": {{ "take": {{ "args": ["o"], "require": "false", "insert": {{ "r[o]": {{}} }} }} }} }} }},
        "flows": {{
            "inner": {{ "by": "mid", "args": ["o"], "steps": [ {{ "do": "b.hold(o)", "undo": "b.free(o)" }}, {{ "do": "a.hold(o)", "undo": "a.free(o)" }} ] }},
            "single": {{ "by": "mid", "args": ["o"], "steps": [ {{ "do": "a.hold(o)", "undo": "a.free(o)" }} ] }},
            "uninner": {{ "by": "mid", "args": ["o"], "steps": [ {{ "do": "a.free(o)" }}, {{ "do": "b.free(o)" }} ] }},
            "turns": {{ "by": "mid", "args": ["o"], "steps": [ {{ "do": "a.free(o)", "undo": "a.hold(o)" }} ] }},
            "outer": {{ "by": "home", "args": ["o"], "steps": [ {undo}, {{ "do": "c.take(o)", "class": "pivot" }} ] }} }},
        "clients": {{ "p": {{ "does": "outer(o)", "with": {{ "o": "unique('o')" }} }} }},
        "weather": {{ "faults": [ {faults} ], "heal": "5s" }}"#
    );
    let invariants = r#"{ "left": { "at_rest": "a.r.size() + b.r.size() == 0" }, "all-or-nothing": { "all-or-nothing": "outer" },
        "rules": { "compensation-rules": "outer" }, "inner": { "compensation-rules": "inner" }, "outcome-agrees": {},
        "failed-has-no-effect": {}, "no-leak": {}, "no-duplicate-effect": {}, "every-intent-ends": {},
        "taken back": { "per_intent": "intent.effects.size() > 0 && intent.effects.all(e, e.undone)" } }"#;
    broken(&world, how, invariants, 3)
}

const SAGA: &str = r#"{ "saga": { "coordination": "saga" } }"#;
const BY_A_FLOW: &str = r#"{ "do": "inner(o)", "undo": "uninner(o)" }"#;
const BY_AN_OPERATION: &str = r#"{ "do": "single(o)", "undo": "a.free(o)" }"#;
const OF_AN_OPERATION: &str = r#"{ "do": "a.hold(o)", "undo": "uninner(o)" }"#;

#[test]
fn what_a_flow_did_is_undone_by_a_flow_or_an_operation() {
    for step in [BY_A_FLOW, BY_AN_OPERATION, OF_AN_OPERATION] {
        assert_eq!(undone_by(step, "!(o in r)", SAGA), NONE, "{step}");
    }
}

#[test]
fn what_the_compensation_of_a_flow_leaves_there_stands() {
    for step in [BY_A_FLOW, BY_AN_OPERATION, OF_AN_OPERATION] {
        let broken = undone_by(step, "true", SAGA);
        for name in ["failed-has-no-effect", "left", "no-leak", "outcome-agrees", "rules", "taken back"] {
            // The other part of this one is taken back, which is a compensation that changed something.
            if step == BY_A_FLOW && name == "taken back" {
                continue;
            }
            assert!(broken.contains(&format!("saga {name}")), "{step}: {name} of {broken:?}");
        }
    }
}

/// The home of the inner flow crashes, so it undoes itself; it is asked again and does it all.
#[test]
fn a_saga_asked_again_after_it_has_undone_all_does_no_step_after_its_compensation() {
    let part = |name: &str| {
        format!(
            r#""{name}": {{ "tables": {{ "r": {{}} }}, "operations": {{
                "do": {{ "args": ["o"], "insert": {{ "r[o]": {{ "s": 1 }} }} }},
                "un": {{ "args": ["o"], "skip": "!(o in r)", "delete": "r[o]" }} }} }}"#
        )
    };
    let world = |faults: &str| {
        format!(
            r#""services": {{ "home": {{}}, "mid": {{}}, {}, {} }},
            "flows": {{ "g": {{ "by": "mid", "args": ["o"], "steps": [ {{ "do": "a.do(o)", "undo": "a.un(o)" }}, {{ "do": "b.do(o)", "undo": "b.un(o)" }} ] }},
                "f": {{ "by": "home", "args": ["o"], "steps": [ {{ "do": "g(o)" }} ] }} }},
            "clients": {{ "c": {{ "does": "f(o)", "with": {{ "o": "unique('o')" }} }} }},
            "weather": {{ "faults": [ {faults} ] }}"#,
            part("a"),
            part("b")
        )
    };
    let how = r#"{ "saga": { "coordination": "saga", "retry": { "timeout": "100ms", "attempts": "ever" }, "where": { "c": { "retry": { "timeout": "5s", "attempts": 1 } } } } }"#;
    let invariants = r#"{ "both": { "at_rest": "a.r.size() == 1 && b.r.size() == 1" }, "all-or-nothing": { "all-or-nothing": "f" },
        "rules": { "compensation-rules": "f" }, "inner": { "compensation-rules": "g" }, "outcome-agrees": {}, "no-duplicate-effect": {} }"#;
    let crash = r#"{ "crash": "mid", "before": "reply a.do", "nth": 1, "for": "20ms" }"#;
    assert_eq!(broken(&world(crash), how, invariants, 5), NONE);
    // A copy of the first request that comes when all is undone and nobody has asked again is none of that.
    let late = format!(r#"{crash}, {{ "duplicate": "request a.do", "nth": 1, "again": "60ms" }}"#);
    assert!(broken(&world(&late), how, invariants, 5).contains(&"saga inner".to_owned()));
}

#[test]
fn a_flow_can_be_the_pivot() {
    let steps = r#"[ { "do": "g(o, 1)", "class": "pivot" }, { "do": "a.do(o, 2)", "class": "retriable" } ]"#;
    assert_eq!(broken(&noted("true", steps, ""), SAGA, &judged(4), 5), NONE);
}

#[test]
fn a_merged_flow_is_the_step_that_calls_it() {
    let steps = r#"[ { "do": "g(o, 1)", "when": "false" }, { "do": "a.do(o, 3)" }, { "do": "g(o, 2)" } ]"#;
    let how = r#"{ "merged": { "where": { "g": { "coordination": "merged" } } } }"#;
    assert_eq!(broken(&noted("true", steps, ""), how, &judged(4), 5), NONE);
    let fails = r#"{ "fail": "a.do", "when": "k == 2" }"#;
    let half = ["merged all-or-nothing", "merged left", "merged rules"];
    assert_eq!(broken(&noted("true", steps, fails), how, &judged(4), 5), half);
}

#[test]
fn a_fence_lets_what_a_flow_did_be_undone() {
    for step in [BY_A_FLOW, BY_AN_OPERATION, OF_AN_OPERATION] {
        assert_eq!(undone_by(step, "!(o in r)", r#"{ "hardened": {} }"#), NONE, "{step}");
    }
}

/// The inner flow, which undoes nothing itself, gives up; what it asked for comes when its compensation has been there.
#[test]
fn a_fence_keeps_out_what_a_flow_does_after_its_compensation() {
    let how = |fence: bool| {
        format!(
            r#"{{ "late": {{ "coordination": {{ "use": "saga", "fence": {fence} }}, "retry": {{ "timeout": "50ms" }},
                "where": {{ "p": {{ "retry": {{ "timeout": "ever" }} }}, "outer": {{ "retry": {{ "timeout": "ever" }} }},
                    "single": {{ "coordination": "calls" }}, "inner": {{ "coordination": "calls" }} }} }} }}"#
        )
    };
    let late = r#"{ "delay": "request a.hold", "for": "500ms" }"#;
    for step in [BY_A_FLOW, BY_AN_OPERATION] {
        let kept_out = undone_in(late, step, "!(o in r)", &how(true));
        // Nothing was done at all where one operation is all there is.
        let nothing: Vec<&str> = if step == BY_A_FLOW { vec![] } else { vec!["late taken back"] };
        assert_eq!(kept_out, nothing, "{step}");
        let comes = undone_in(late, step, "!(o in r)", &how(false));
        for name in ["left", "rules", "no-leak", "failed-has-no-effect"] {
            assert!(comes.contains(&format!("late {name}")), "{step}: {name} of {comes:?}");
        }
    }
}

/// An operation that refuses, as a step of a saga that need not succeed; the flow ends without it.
#[test]
fn a_refused_step_that_is_optional_is_not_repeated() {
    let world = |optional: bool| {
        let steps = format!(
            r#"[ {{ "do": "g(o, 2)" }}, {{ "do": "a.do(o, 1)", "optional": {optional} }}, {{ "do": "a.do(o, 2)" }} ]"#
        );
        format!(r#"{}, "allow": ["HW0505", "HW0502"]"#, noted("k == 2", &steps, ""))
    };
    let how = r#"{ "saga": {}, "hardened": {} }"#;
    let ends = r#"{ "every-intent-ends": {}, "outcome-agrees": {}, "left": { "at_rest": "a.r.size() == 4" }, "rules": { "compensation-rules": "f" } }"#;
    assert_eq!(broken(&world(true), how, ends, 3), NONE);
    let waits = broken(&world(false), how, ends, 1);
    assert!(waits.contains(&"saga every-intent-ends".to_owned()), "{waits:?}");
}

/// The same in a choreography: the next letter goes out all the same, and nothing is undone.
#[test]
fn a_refused_step_that_is_optional_does_not_turn_a_choreography_back() {
    let world = |optional: bool| {
        format!(
            r#""services": {{ "home": {{}}, "a": {{ "tables": {{ "r": {{}} }}, "operations": {{
                "do": {{ "args": ["o", "k"], "require": {{ "no": "k != 1" }}, "insert": {{ "r[]": {{ "o": "o", "k": "k" }} }} }},
                "un": {{ "args": ["o", "k"], "delete": "r.filter(x, x.o == o && x.k == k)" }} }} }} }},
            "flows": {{ "f": {{ "by": "home", "args": ["o"], "steps": [ {{ "do": "a.do(o, 2)", "undo": "a.un(o, 2)" }},
                {{ "do": "a.do(o, 1)", "undo": "a.un(o, 1)", "optional": {optional} }}, {{ "do": "a.do(o, 3)" }} ] }} }},
            "clients": {{ "c": {{ "count": 2, "does": "f(o)", "with": {{ "o": "unique('o')" }} }} }},
            "weather": {{ "latency": "1ms..5ms" }}, "allow": ["HW0505"]"#
        )
    };
    let how = r#"{ "letters": { "coordination": "choreography" } }"#;
    let judged = |rows: u32| {
        format!(
            r#"{{ "every-intent-ends": {{}}, "outcome-agrees": {{}}, "left": {{ "at_rest": "a.r.size() == {rows}" }},
                "rules": {{ "compensation-rules": "f" }}, "all-or-nothing": {{ "all-or-nothing": "f" }} }}"#
        )
    };
    assert_eq!(broken(&world(true), how, &judged(4), 5), NONE);
    // One that must be done turns it back, and all is undone.
    assert_eq!(broken(&world(false), how, &judged(0), 5), NONE);
    assert_eq!(broken(&world(false), how, &judged(4), 5), ["letters left"]);
}

/// What a flow does twice, the step that it carries out does twice; two steps that call the same flow do it once each.
#[test]
fn a_step_that_is_a_flow_is_done_twice_if_a_step_of_that_flow_is() {
    let steps = r#"[ { "do": "g(o, 1)" }, { "do": "g(o, 2)" } ]"#;
    let rules = r#"{ "rules": { "compensation-rules": "f" }, "within": { "compensation-rules": "g" } }"#;
    let twice = noted("true", steps, r#"{ "duplicate": "request a.do", "nth": 1, "again": "20ms" }"#);
    assert_eq!(broken(&twice, SAGA, rules, 5), ["saga rules", "saga within"]);
    let keyed = r#"{ "saga": { "coordination": "saga", "idempotency": "key" } }"#;
    assert_eq!(broken(&twice, keyed, rules, 5), NONE);
    assert_eq!(broken(&noted("true", steps, ""), SAGA, rules, 5), NONE);
}

/// The compensation is a flow under a key, and what it asks for fails at first. That is no refusal, and is not kept as one.
#[test]
fn a_flow_that_undoes_a_step_is_tried_again_after_a_failure() {
    let how = r#"{ "saga": { "coordination": "saga", "idempotency": "key", "retry": { "timeout": "50ms", "attempts": 1 },
        "where": { "p": { "retry": { "timeout": "ever" } } } } }"#;
    let fails = r#"{ "fail": "a.free", "nth": 1 }"#;
    let turns = r#"{ "do": "a.hold(o)", "undo": "turns(o)" }"#;
    let plain = r#"{ "do": "a.hold(o)", "undo": "a.free(o)" }"#;
    for step in [turns, plain, BY_A_FLOW, OF_AN_OPERATION] {
        assert_eq!(undone_in(fails, step, "!(o in r)", how), NONE, "{step}");
    }
    // One that is refused for good is asked for over and over, be it a flow or an operation, unless it is set aside.
    let aside = how
        .replace(r#""coordination": "saga""#, r#""coordination": { "use": "saga", "stuck_undo": "park" }"#);
    for step in [turns, plain] {
        for (how, stuck) in [(how, true), (&aside, false)] {
            let refused = undone_in("", step, r#"!(o in r)", "require": "false"#, how);
            assert_eq!(refused.contains(&"saga every-intent-ends".to_owned()), stuck, "{step}: {refused:?}");
        }
    }
}

/// All steps of the failed flow stand, since one came when all was undone.
#[test]
fn a_row_that_comes_after_all_was_undone_is_left_behind() {
    let world = r#""services": { "home": {}, "a": { "tables": { "r": {} }, "operations": {
                "hold": { "args": ["o"], "insert": { "r[o]": { "n": "1" } } },
                "free": { "args": ["o"], "skip": "!(o in r)", "delete": "r[o]" } } } },
        "flows": { "f": { "by": "home", "args": ["o"], "steps": [ { "do": "a.hold(o)", "undo": "a.free(o)" } ] } },
        "clients": { "c": { "does": "f(o)", "with": { "o": "unique('o')" } } },
        "weather": { "faults": [ { "delay": "request a.hold", "for": "500ms" } ], "heal": "5s" }"#;
    let how = r#"{ "saga": { "retry": { "timeout": "50ms", "attempts": 1 }, "where": { "c": { "retry": { "timeout": "ever" } } } },
        "fence": { "extends": "saga", "coordination": { "fence": true } },
        "patient": { "extends": "saga", "retry": { "timeout": "2s" } } }"#;
    assert_eq!(broken(world, how, r#"{ "no-leak": {} }"#, 3), ["saga no-leak"]);
}

/// A flow of two steps gives up in between, unknown to whom it did what; the saga that called it takes its first step back.
/// Nobody is left half done. Where nobody takes it back, the flow within is.
#[test]
fn a_flow_that_gave_up_and_was_taken_back_is_not_half_done() {
    let world = |undo: &str| {
        format!(
            r#""services": {{ "home": {{}}, "mid": {{}}, "a": {{ "tables": {{ "r": {{}} }}, "operations": {{
                "do": {{ "args": ["o", "k"], "insert": {{ "r[]": {{ "o": "o", "k": "k" }} }} }},
                "free": {{ "args": ["o"], "delete": "r.filter(x, x.o == o)" }} }} }} }},
            "flows": {{
                "g": {{ "by": "mid", "args": ["o"], "steps": [ {{ "do": "a.do(o, 1)" }}, {{ "do": "a.do(o, 2)" }} ] }},
                "f": {{ "by": "home", "args": ["o"], "steps": [ {{ "do": "g(o)"{undo} }} ] }} }},
            "clients": {{ "c": {{ "does": "f('x')" }} }},
            "weather": {{ "latency": "1ms..5ms", "faults": [ {{ "fail": "a.do", "when": "k == 2" }} ] }}"#
        )
    };
    let how = r#"{ "saga": { "coordination": "saga", "where": { "g": { "coordination": "calls" } } } }"#;
    let judged = |rows: u32| {
        format!(
            r#"{{ "left": {{ "at_rest": "a.r.size() == {rows}" }}, "whole": {{ "all-or-nothing": "g" }} }}"#
        )
    };
    assert_eq!(broken(&world(r#", "undo": "a.free(o)""#), how, &judged(0), 5), NONE);
    assert_eq!(broken(&world(""), r#"{ "calls": {} }"#, &judged(1), 5), ["calls whole"]);
}

/// Somebody reads `n` and thinks; meanwhile a saga counts it up and, refused, down again, and others set `m` beside it, so
/// that the row as a whole is not what was read. Who then writes `n` has lost nothing, be the step or its compensation an
/// operation or a flow. The twins: nobody takes it back; or only a part of it is taken back.
#[test]
fn what_a_flow_takes_back_is_not_lost() {
    let judged = |action: &str, undo: &str, more: &str| {
        let world = format!(
            r#""services": {{ "home": {{}}, "mid": {{}},
                "s": {{ "tables": {{ "r": {{ "rows": {{ "ana": {{ "n": 0, "m": 0, "l": 0 }} }} }} }}, "operations": {{
                    "slow": {{ "by": "caller", "args": ["w"], "think": "300ms", "set": {{ "r[w].n": "r[w].n + 100", "r[w].l": "r[w].l + 100" }} }},
                    "mark": {{ "args": ["w"], "set": {{ "r[w].m": "7" }} }},
                    "up": {{ "args": ["w"], "set": {{ "r[w].n": "r[w].n + 1" }} }},
                    "up_too": {{ "args": ["w"], "set": {{ "r[w].l": "r[w].l + 1" }} }},
                    "down": {{ "args": ["w"], "set": {{ "r[w].n": "r[w].n - 1" }} }} }} }},
                "c": {{ "tables": {{ "q": {{}} }}, "operations": {{ "take": {{ "args": ["w"], "require": "false", "insert": {{ "q[w]": {{}} }} }} }} }} }},
            "flows": {{ "inner": {{ "by": "mid", "args": ["w"], "steps": [ {{ "do": "s.up(w)" }}{more} ] }},
                "uninner": {{ "by": "mid", "args": ["w"], "steps": [ {{ "do": "s.down(w)" }} ] }},
                "outer": {{ "by": "home", "args": ["w"], "steps": [ {{ "do": "{action}(w)"{undo} }}, {{ "do": "c.take(w)", "class": "pivot" }} ] }} }},
            "clients": {{ "v": {{ "does": "s.slow('ana')", "start": "0ms" }}, "p": {{ "does": "outer('ana')", "start": "50ms" }},
                "k": {{ "does": "s.mark('ana')", "start": "150ms" }} }},
            "weather": {{ "latency": "1ms" }}"#
        );
        let saga = r#"{ "saga": { "coordination": "saga", "write": "patch" } }"#;
        broken(&world, saga, r#"{ "lost": { "no-lost-update": {} } }"#, 2)
    };
    let undo = |by: &str| format!(r#", "undo": "{by}(w)""#);
    for (action, by) in [("s.up", "s.down"), ("inner", "uninner"), ("inner", "s.down"), ("s.up", "uninner")] {
        assert_eq!(judged(action, &undo(by), ""), NONE, "{action} {by}");
        assert_eq!(judged(action, "", ""), ["saga lost"], "{action}");
    }
    assert_eq!(judged("inner", &undo("uninner"), r#", { "do": "s.up_too(w)" }"#), ["saga lost"]);
}

/// A step refuses, its answer is lost, and it is asked again: it is refused again, whatever is written of the refusal, and
/// there is nothing to take back. The twin: a step that was done is taken back once another one is refused.
#[test]
fn a_fence_knows_a_refused_step_from_one_that_is_done() {
    let world = |open: bool, then: &str, otherwise: &str| {
        format!(
            r#""services": {{ "home": {{}}, "y": {{ "tables": {{ "acc": {{ "rows": {{ "b": {{ "n": 100, "open": {open} }} }} }}, "no": {{}} }},
                "operations": {{ "put": {{ "args": ["n"], "require": {{ "closed": "acc['b'].open" }},
                        "set": {{ "acc['b'].n": "acc['b'].n + n" }}{otherwise} }},
                    "un": {{ "args": ["n"], "set": {{ "acc['b'].n": "acc['b'].n - n" }} }},
                    "never": {{ "require": {{ "no": "false" }}, "insert": {{ "no[]": {{ "x": "1" }} }} }} }} }} }},
            "flows": {{ "move": {{ "by": "home", "args": ["n"], "steps": [ {{ "do": "y.put(n)", "undo": "y.un(n)" }}{then} ] }} }},
            "clients": {{ "k": {{ "does": "move(10)" }} }},
            "weather": {{ "faults": [ {{ "lose": "reply y.put", "nth": 1 }} ] }}"#
        )
    };
    let strategies = r#"{ "*": { "retry": { "timeout": "20ms", "attempts": 3 },
            "where": { "k": { "retry": { "timeout": "10s", "attempts": 1 } } } },
        "hardened": {}, "fence": { "extends": "saga", "coordination": { "fence": true } },
        "key": { "extends": "fence", "idempotency": "key" },
        "forgets": { "extends": "fence", "idempotency": { "use": "key", "keep": "success" } } }"#;
    let judged = r#"{ "kept": { "at_rest": "y.acc['b'].n == 100" }, "rules": { "compensation-rules": "move" },
        "outcome-agrees": {} }"#;
    let noted = r#", "otherwise": { "insert": { "no[]": { "x": "2" } } }"#;
    for otherwise in ["", noted] {
        assert_eq!(broken(&world(false, "", otherwise), strategies, judged, 3), NONE, "{otherwise}");
    }
    let refused = r#", { "do": "y.never()", "class": "pivot" }"#;
    assert_eq!(broken(&world(true, refused, ""), strategies, judged, 3), NONE);
}

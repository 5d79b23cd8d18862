//! Invariants over single intents that look at what the intent was begun with, from the file to the verdict. Two clients
//! charge different sums at fixed times; nothing is left to luck.

use halfway::check::Witness;
use halfway::explore::Replay;
use halfway::model::expr::Counter;

use crate::shipped::{prepared, read_text};

/// One run of two intents: `charge(7, 30)` at 0 ms and the other call at 20 ms, with the invariant `each`.
fn run(second: &str, charged: &str, each: &str, fault: &str) -> Replay {
    let text = format!(
        r#"{{
        "services": {{ "bank": {{
            "tables": {{ "charges": {{}} }},
            "operations": {{
                "charge": {{ "args": ["order", "sum"], "insert": {{ "charges[order]": {{ "sum": "{charged}" }} }} }},
                "forget": {{ "args": ["why", "order"], "delete": "charges[order]" }}
            }} }} }},
        "clients": {{
            "shop": {{ "script": [ {{ "at": "0ms", "do": "bank.charge(7, 30)" }}, {{ "at": "20ms", "do": "{second}" }} ] }}
        }},
        "weather": {{ "latency": "1ms", "faults": [ {fault} ] }},
        "strategies": {{ "tried": {{ "retry": {{ "timeout": "10ms", "attempts": 1 }} }} }},
        "invariants": {{ "each": {{ "per_intent": "{each}" }} }}
    }}"#
    );
    prepared(&read_text(&text)).remove(0).1.replay(0).unwrap()
}

/// The numbers of the intents that break it, from 0.
fn broken(replay: &Replay) -> Vec<u32> {
    let of = &replay.run.verdict.invariants[0];
    assert!(replay.run.verdict.errors.is_empty(), "{:?}", replay.run.verdict.errors);
    assert_eq!(of.obligations, 2);
    let intent = |what: &Witness| match what {
        Witness::Expression { who: Some(who), .. } => who.intent,
        other => panic!("{other:?}"),
    };
    of.findings.iter().map(|finding| intent(&finding.what)).collect()
}

/// What was charged is what was asked for, if the client was told so.
const AS_ASKED: &str =
    "intent.outcome != 'ok' || bank.charges.exists(c, c.id == intent.args.order && c.sum == intent.args.sum)";

/// An invariant that asks for arguments takes no record from those who count.
#[test]
fn intents_are_counted_whether_or_not_anybody_asks_for_their_arguments() {
    for each in ["true", "intent.args.sum > 0"] {
        let counts = run("bank.charge(8, 50)", "sum", each, "").run.verdict.counts;
        assert_eq!((counts.get(Counter::Intents), counts.get(Counter::Ok)), (2, 2), "{each}");
    }
}

#[test]
fn what_was_asked_for_is_compared_with_what_is_there() {
    let second = "bank.charge(8, 50)";
    assert_eq!(broken(&run(second, "sum", AS_ASKED, "")), [0; 0]);
    // One that charges too much when the sum is large breaks the second intent only.
    assert_eq!(broken(&run(second, "sum > 40 ? sum + 1 : sum", AS_ASKED, "")), [1]);
    assert_eq!(broken(&run(second, "sum + 1", AS_ASKED, "")), [0, 1]);
}

#[test]
fn each_intent_is_judged_by_its_own_arguments_although_slots_are_used_again() {
    // The first is settled before the second begins, in the same slot.
    assert_eq!(broken(&run("bank.charge(8, 50)", "sum", "intent.args.sum == 30", "")), [1]);
    assert_eq!(broken(&run("bank.charge(8, 50)", "sum", "intent.args.order == 8", "")), [0]);
    assert_eq!(
        broken(&run("bank.charge(8, 50)", "sum", "intent.args.sum == 20 * (intent.args.order - 6) + 10", "")),
        [0; 0]
    );
}

#[test]
fn an_argument_that_a_target_does_not_have_is_null_and_its_place_does_not_matter() {
    // `order` comes second in one and first in the other; `sum` is in one only.
    let second = "bank.forget('wrong', 7)";
    assert_eq!(broken(&run(second, "sum", "intent.args.order == 7", "")), [0; 0]);
    assert_eq!(broken(&run(second, "sum", "intent.args.sum == null", "")), [0]);
    assert_eq!(broken(&run(second, "sum", "intent.args.why == null", "")), [1]);
}

#[test]
fn what_a_client_was_not_told_is_judged_by_what_it_had_asked_for() {
    let lost = r#"{ "lose": "request bank.charge", "when": "sum == 50" }"#;
    let there = "bank.charges.exists(c, c.id == intent.args.order)";
    assert_eq!(broken(&run("bank.charge(8, 50)", "sum", there, lost)), [1]);
    assert_eq!(broken(&run("bank.charge(8, 50)", "sum", there, "")), [0; 0]);
}

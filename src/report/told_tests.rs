//! Stories and pictures of small runs, worked out by hand: that what is decisive is told, in names that people gave.

use std::path::Path;

use super::history::{Head, history};
use super::lanes::{everything, lanes};
use super::look::Look;
use super::reading_tests::purses;
use super::telling::stories;
use crate::check::{Finding, Leftovers, Witness};
use crate::explore::{Prepared, Replay};
use crate::scenario;

/// A scenario run under one of its strategies, and what came out of a seed.
fn run(text: &str, strategy: &str, seed: u64) -> (Prepared, Replay) {
    let read = scenario::read(Path::new("test.json"), &mut |_| Ok(text.as_bytes().to_vec()));
    let read = read.unwrap_or_else(|problems| panic!("{problems:?}"));
    let of = read.cases[0].strategies.iter().find(|one| one.name == strategy).unwrap();
    let prepared = Prepared::of(of);
    let replay = prepared.replay(seed).unwrap();
    (prepared, replay)
}

/// The stories of all that is broken, in so many columns.
pub(super) fn told(text: &str, strategy: &str, seed: u64) -> String {
    let (prepared, replay) = run(text, strategy, seed);
    let runs = &replay.run.verdict.invariants;
    let broken: Vec<usize> = (0..runs.len()).filter(|&at| runs[at].violations > 0).collect();
    assert!(!broken.is_empty());
    stories(&prepared, &replay, &broken, ("", true), &Look::default())
}

fn whole(text: &str, strategy: &str, seed: u64) -> String {
    let (prepared, replay) = run(text, strategy, seed);
    everything(&prepared, &replay, &Look::default())
}

fn jsonl(text: &str, strategy: &str, seed: u64) -> String {
    let (prepared, replay) = run(text, strategy, seed);
    history(&prepared, &replay, Head { scenario: "test", case: None, seed })
}

/// Text without the breaks of lines.
pub(super) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The scenario of the README: two clerks sell the last ticket.
pub(super) const TICKETS: &str = r#"{
  "services": { "box": {
    "tables": { "tickets": { "rows": { "show": { "free": 1 } } }, "sold": {} },
    "operations": { "sell": { "args": ["show"], "require": { "sold out": "tickets[show].free >= 1" },
      "set": { "tickets[show].free": "tickets[show].free - 1" },
      "insert": { "sold[]": { "show": "show" } } } } } },
  "clients": { "clerks": { "count": 2, "does": "box.sell('show')" } },
  "invariants": { "one seat": { "at_rest": "box.sold.size() <= 1" }, "no-lost-update": {} }
}"#;

#[test]
fn the_read_of_who_waits_for_a_lock_is_drawn() {
    let (prepared, replay) = run(TICKETS, "naive", 0);
    let finding = &replay.run.verdict.invariants[1].findings[0];
    let drawn = lanes(&prepared, &replay, &[("no-lost-update", finding)], &Look::default());
    for who in ["A reads tickets['show'] v1", "B reads tickets['show'] v1", "B waits for a row lock"] {
        assert!(drawn.contains(who), "{who}: {drawn}");
    }
}

#[test]
fn all_that_happened_has_every_read_and_reads_stand_before_what_they_cause() {
    let (prepared, replay) = run(TICKETS, "occ", 0);
    let all = everything(&prepared, &replay, &Look::default());
    assert_eq!(all.matches("reads tickets['show']").count(), 3, "{all}");
    let last_read = all.rfind("reads tickets['show'] v2").expect(&all);
    assert!(last_read < all.find("refuses: sold out").expect(&all), "{all}");
    // A picture of what matters has only those that somebody comes between.
    let some = lanes(&prepared, &replay, &[], &Look::default());
    assert!(!some.contains("reads tickets['show'] v2"), "{some}");
}

#[test]
fn nothing_is_left_out_of_all_that_happened() {
    let many = TICKETS.replace(r#""count": 2"#, r#""count": 40"#);
    let (prepared, replay) = run(&many, "naive", 0);
    assert!(lanes(&prepared, &replay, &[], &Look::default()).contains("rows left out"));
    assert!(!everything(&prepared, &replay, &Look::default()).contains("left out"));
}

/// A choreography through outboxes, in which the second step is told twice.
const CHAIN: &str = r#"{
  "services": {
    "a": { "tables": { "t": {} }, "operations": { "open": { "args": ["k"], "insert": { "t[k]": { "n": 1 } } } } },
    "b": { "tables": { "u": {} }, "operations": { "take": { "args": ["k"], "put": { "u[k]": { "n": 1 } } } } } },
  "flows": { "f": { "by": "a", "args": ["k"], "steps": [ { "do": "a.open(k)" }, { "do": "b.take(k)" } ] } },
  "clients": { "c": { "does": "f('k')" } },
  "weather": { "latency": "1ms", "faults": [ { "duplicate": "b -> a", "again": "3ms" } ] },
  "strategies": { "chain": { "coordination": "choreography", "publish": "outbox", "idempotency": "key" } },
  "invariants": { "never": { "at_rest": "b.u.size() == 0" } }
}"#;

#[test]
fn what_acknowledges_a_letter_of_a_choreography_is_named_after_it() {
    let all = whole(CHAIN, "chain", 0);
    assert!(all.contains("ack take"), "{all}");
    assert!(!all.contains('?'), "{all}");
    let lines = jsonl(CHAIN, "chain", 0);
    assert!(!lines.contains("\"?\""), "{lines}");
    assert!(lines.contains(r#""message":"ack","of":"take""#), "{lines}");
    assert!(lines.contains(r#""kind":"mark""#) && lines.contains(r#""topic":"f""#), "{lines}");
    let story = flat(&told(CHAIN, "chain", 0));
    assert!(story.contains("the 2nd copy of the acknowledgement of take reaches a"), "{story}");
}

/// One operation that fails, or refuses, or is told that a row has changed.
pub(super) fn failing(fault: &str, operation: &str) -> String {
    format!(
        r#"{{
  "services": {{ "w": {{ "tables": {{ "t": {{ "rows": {{ "x": {{ "n": 0 }} }} }} }}, "operations": {{ "one": {operation} }} }} }},
  "clients": {{ "c": {{ "does": "w.one()" }} }},
  "weather": {{ "latency": "1ms", "faults": [ {fault} ] }},
  "strategies": {{ "naive": {{}} }},
  "invariants": {{ "told": {{ "per_intent": "intent.outcome != 'failed' || intent.effects.size() > 3" }} }}
}}"#
    )
}

#[test]
fn a_technical_error_is_not_told_as_a_missing_row() {
    let plain = r#"{ "set": { "t['x'].n": "1" } }"#;
    let failed = failing(r#"{ "fail": "w.one" }"#, plain);
    assert!(whole(&failed, "naive", 0).contains("told failed: technical error"));
    assert!(jsonl(&failed, "naive", 0).contains(r#""outcome":"failed","reason":"technical error""#));
    let story = flat(&told(&failed, "naive", 0));
    assert!(story.contains("told failed (technical error) at 2.000ms"), "{story}");
    // One that is missing is told so.
    let missing = failing("", r#"{ "set": { "t['y'].n": "1" } }"#).replace("[  ]", "[]");
    assert!(whole(&missing, "naive", 0).contains("told failed: missing"));
    assert!(jsonl(&missing, "naive", 0).contains(r#""outcome":"failed","reason":"missing""#));
}

/// Two that lock two rows in opposite order.
const CROSSED: &str = r#"{
  "services": { "w": { "tables": { "a": { "rows": { "x": { "n": 5 } , "y": { "n": 5 } } } }, "operations": {
    "xy": { "then": [ { "set": { "a['x'].n": "1" }, "think": "3ms" }, { "set": { "a['y'].n": "1" } } ] },
    "yx": { "then": [ { "set": { "a['y'].n": "2" }, "think": "3ms" }, { "set": { "a['x'].n": "2" } } ] } } } },
  "clients": { "c": { "does": "w.xy()" }, "d": { "does": "w.yx()" } },
  "strategies": { "lock": { "write": "lock" }, "short": { "write": { "use": "lock", "wait": "1ms" } } },
  "invariants": { "no-leak": {} }
}"#;

#[test]
fn a_deadlock_is_called_one_and_so_is_a_wait_that_was_too_long() {
    let crossed = whole(CROSSED, "lock", 0);
    assert!(crossed.contains("fails: deadlock") && crossed.contains("told failed: deadlock"), "{crossed}");
    // One alone in the way, and no circle: the second waits in vain.
    let one_way = CROSSED.replace("w.yx()", "w.xy()");
    let waited = flat(&whole(&one_way, "short", 0));
    assert!(waited.contains("waited too long for a row lock") && !waited.contains("deadlock"), "{waited}");
}

#[test]
fn a_generated_name_is_not_printed_like_a_text() {
    let text = jsonl(&purses(1), "naive", 0);
    assert!(text.contains("new money.slips[b-1.1] {who: 'ana'}"), "{text}");
}

/// A flow that goes on whatever becomes of its steps.
const HASTY: &str = r#"{
  "services": {
    "a": { "tables": { "t": {} }, "operations": { "open": { "args": ["k"], "insert": { "t[k]": { "n": 1 } } }, "shut": { "args": ["k"], "delete": "t[k]" } } },
    "b": { "tables": { "u": {} }, "operations": { "take": { "require": { "never": "1 > 2" }, "insert": { "u[]": { "n": 1 } } } } } },
  "flows": { "f": { "by": "a", "args": ["k"], "steps": [ { "do": "a.open(k)", "undo": "a.shut(k)" }, { "do": "b.take()", "class": "pivot" } ] } },
  "clients": { "c": { "does": "f('k')" } },
  "strategies": { "hasty": { "coordination": "fire-and-forget" } },
  "invariants": { "no-leak": {} }
}"#;

#[test]
fn a_flow_whose_client_was_told_ok_did_not_fail() {
    let story = flat(&told(HASTY, "hasty", 0));
    assert!(
        story.contains("f of A is not carried out, though its client was told ok, and left a.t['k'] behind."),
        "{story}"
    );
}

/// A flow whose home crashes for a while, when its last step has committed.
const CUT_SHORT: &str = r#"{
  "services": {
    "shop": { "tables": { "orders": {} }, "operations": { "open": { "args": ["k"], "insert": { "orders[k]": { "n": 1 } } } } },
    "bank": { "tables": { "paid": {} }, "operations": { "take": { "args": ["k"], "insert": { "paid[k]": { "n": 1 } } } } } },
  "flows": { "buy": { "by": "shop", "args": ["k"], "steps": [ { "do": "shop.open(k)" }, { "do": "bank.take(k)" } ] } },
  "clients": { "c": { "intents": 2, "does": "buy(k)", "with": { "k": "unique('k')" } } },
  "weather": { "latency": "1ms", "faults": [ { "crash": "shop", "after": "commit bank.take", "for": "3ms", "nth": 1 } ] },
  "strategies": { "keyed": { "idempotency": "key", "retry": { "timeout": "10ms", "attempts": 3 } } },
  "invariants": { "no-leak": {} }
}"#;

#[test]
fn keys_left_in_progress_are_told_with_whose_they_are() {
    let story = flat(&told(CUT_SHORT, "keyed", 0));
    for part in [
        "Let A = the 1st buy of c, gives up",
        "B = the 2nd buy of c, gives up",
        "At the end something is still held: 2 keys in progress.",
        "The key of buy for A at shop is in progress since 1.000ms: shop, where it ran, crashed at 2.800ms",
        "The key of buy for B at shop is in progress since",
    ] {
        assert!(story.contains(part), "{part}: {story}");
    }
    // A key of its own for each request: the first two requests were cut short, the third was not.
    let each = CUT_SHORT
        .replace(r#""idempotency": "key""#, r#""idempotency": { "use": "key", "key": "attempt" }"#)
        .replace(r#""intents": 2, "#, "")
        .replace(r#""nth": 1"#, r#""nth": [1, 2]"#)
        .replace(r#"{ "orders[k]""#, r#"{ "orders[]""#)
        .replace(r#"{ "paid[k]""#, r#"{ "paid[]""#);
    let story = flat(&told(&each, "keyed", 0));
    assert_eq!(story.matches("The key of buy for A at shop is in progress").count(), 2, "{story}");
}

#[test]
fn transactions_left_open_are_told_with_whose_they_are() {
    let (prepared, mut replay) = run(TICKETS, "naive", 0);
    // As if the run had ended with the first of the two in the middle.
    let is = |record: &crate::model::record::Record| record.kind == crate::model::record::Kind::Begin;
    let began = replay.trace.records.iter().position(is).unwrap();
    replay.trace.records.truncate(began + 1);
    let left = Leftovers { locks: 1, open_transactions: 1, ..Leftovers::default() };
    let at = replay.trace.records[began].at;
    let finding = Finding { at, silent: false, what: Witness::LeftLocked(left) };
    let story = super::story::tell(&prepared, &replay, &[(1, &finding)]);
    assert_eq!(story.letting.len(), 1, "{story:?}");
    assert_eq!(story.so[0], "At the end something is still held: 1 row lock and 1 open transaction.");
    assert_eq!(story.so[1], "box.sell for A at box began at 1.000ms and never came to its commit.");
}

/// One key for all repetitions, and answers that are lost: of a refusal, or of what is done.
fn repeated(free: u8) -> String {
    format!(
        r#"{{
  "services": {{ "box": {{ "tables": {{ "seats": {{ "rows": {{ "s": {{ "free": {free} }} }} }} }},
    "operations": {{ "sell": {{ "require": {{ "sold out": "seats['s'].free > 0" }},
                               "set": {{ "seats['s'].free": "seats['s'].free - 1" }} }} }} }} }},
  "clients": {{ "c": {{ "does": "box.sell()" }} }},
  "weather": {{ "latency": "1ms", "faults": [ {{ "lose": "reply box.sell", "nth": 1 }} ] }},
  "strategies": {{ "keyed": {{ "idempotency": "key", "retry": {{ "timeout": "20ms", "attempts": 2 }} }} }},
  "invariants": {{ "never": {{ "at_rest": "false" }} }}
}}"#
    )
}

#[test]
fn what_is_repeated_from_memory_is_called_what_it_was() {
    let refused = whole(&repeated(0), "keyed", 0);
    assert!(refused.contains("known, answers again") && refused.contains("told failed"), "{refused}");
    assert!(refused.contains(" refused again ") && !refused.contains("ok again"), "{refused}");
    let done = whole(&repeated(1), "keyed", 0);
    assert!(done.contains(" ok again ") && !done.contains("refused"), "{done}");
    // Stored before the effect, the key knows nothing of the refusal: the repetition is told ok.
    let early = repeated(0)
        .replace(r#""idempotency": "key""#, r#""idempotency": { "use": "key", "store": "before" }"#);
    let early = whole(&early, "keyed", 0);
    assert!(early.contains("told ok") && early.contains(" ok again "), "{early}");
}

/// A flow by a saga with two steps of one service, told in three ways.
fn flow(options: &str, weather: &str) -> String {
    format!(
        r#"{{
  "services": {{ "home": {{}},
    "a": {{ "tables": {{ "r": {{}} }}, "operations": {{
      "do": {{ "args": ["o", "n"], "require": {{ "taken": "!(o + n in r)" }}, "insert": {{ "r[o + n]": {{ "s": 1 }} }} }},
      "un": {{ "args": ["o", "n"], "skip": "!(o + n in r)", "delete": "r[o + n]" }} }} }} }},
  "flows": {{ "f": {{ "by": "home", "args": ["o"], "steps": [
    {{ "do": "a.do(o, 1)", "undo": "a.un(o, 1)" }}, {{ "do": "a.do(o, 2)", "undo": "a.un(o, 2)" }} ] }} }},
  "clients": {{ "c": {{ "does": "f(10)" }} }},
  "weather": {{ "latency": "1ms", "faults": [ {weather} ] }},
  "strategies": {{ "saga": {{ "coordination": {options}, "retry": {{ "timeout": "20ms", "attempts": 2 }},
                               "where": {{ "c": {{ "retry": {{ "timeout": "1s", "attempts": 1 }} }} }} }} }},
  "invariants": {{ "never": {{ "at_rest": "false" }} }}
}}"#
    )
}

#[test]
fn an_answer_says_what_was_so_when_it_was_sent() {
    let text = flow(r#"{ "use": "saga", "answer": "accepted" }"#, r#"{ "refuse": "a.do", "nth": 2 }"#);
    let drawn = whole(&text, "saga", 0);
    assert!(drawn.contains("told ok") && drawn.contains("believes: all undone"), "{drawn}");
    assert!(drawn.contains(" accepted ") && !drawn.contains(" failed "), "{drawn}");
    // One that waits for the end is told how it ended.
    let drawn = whole(&text.replace(r#", "answer": "accepted""#, ""), "saga", 0);
    assert!(drawn.contains(" failed ") && !drawn.contains(" accepted "), "{drawn}");
}

#[test]
fn what_an_optional_step_refuses_is_not_the_answer_of_a_merged_flow() {
    let text = r#"{
  "services": { "home": {}, "box": { "tables": { "seats": { "rows": { "s": { "free": 0 } } } },
    "operations": { "sell": { "require": { "sold": "seats['s'].free > 0" },
                              "set": { "seats['s'].free": "seats['s'].free - 1" } } } } },
  "flows": { "buy": { "by": "home", "steps": [ { "do": "box.sell()", "optional": true } ] } },
  "clients": { "c": { "does": "buy()" } },
  "strategies": { "merged": { "coordination": "merged" } },
  "invariants": { "never": { "at_rest": "false" } }
}"#;
    let drawn = whole(text, "merged", 0);
    assert!(drawn.contains("told ok") && drawn.contains(" ok ") && !drawn.contains(" refused "), "{drawn}");
    let drawn = whole(&text.replace(r#", "optional": true"#, ""), "merged", 0);
    assert!(drawn.contains("told failed") && drawn.contains(" refused "), "{drawn}");
}

#[test]
fn the_first_requests_of_two_steps_are_both_the_first() {
    let coordinated = [
        (r#""calls""#, ""),
        (r#""saga""#, ""),
        (r#""choreography""#, ""),
        (r#"{ "use": "saga" }"#, r#"{ "lose": "request a.do", "nth": 2 }"#),
    ];
    for (how, weather) in coordinated {
        let text = flow(how, weather);
        let drawn = whole(&text, "saga", 0);
        let second = drawn.matches("do #2").count();
        assert_eq!(second, usize::from(!weather.is_empty()), "{how}: {drawn}");
        assert!(!drawn.contains('#') || second == 1, "{drawn}");
    }
}

#[test]
fn who_never_ends_and_gave_up_was_not_answered() {
    // The compensation is refused for ever, long after the client has gone.
    let text = flow(r#"{ "use": "saga", "stuck_undo": "retry" }"#, r#"{ "refuse": "a.do", "nth": 2 }"#);
    let text = text.replace(r#""skip": "!(o + n in r)","#, r#""require": { "never": "false" },"#);
    let text = text.replace(
        r#""invariants": { "never": { "at_rest": "false" } }"#,
        r#""invariants": { "ends": { "every-intent-ends": {} } }"#,
    );
    let (prepared, replay) = run(&text, "saga", 0);
    assert!(replay.run.verdict.invariants[0].stuck);
    let story = flat(&stories(&prepared, &replay, &[0], ("", true), &Look::default()));
    assert!(story.contains("gives up without an answer"), "{story}");
    assert!(story.contains("Its client gave up without an answer, but its work is still waiting"), "{story}");
    assert!(!story.contains("was answered"), "{story}");
}

#[test]
fn nothing_is_rolled_back_where_the_store_does_not_isolate() {
    let text = r#"{
  "services": { "s": { "tables": { "t": { "rows": { "x": { "n": 0 } } } }, "operations": {
    "inc": { "think": "3ms", "set": { "t['x'].n": "t['x'].n + 1" } } } } },
  "clients": { "c": { "count": 2, "does": "s.inc()" } },
  "strategies": { "loose": { "store": "none", "write": "occ" }, "firm": { "write": "occ" } },
  "invariants": { "never": { "at_rest": "false" } }
}"#;
    let loose = flat(&whole(text, "loose", 0));
    assert!(loose.contains("inc breaks off, having written"), "{loose}");
    assert!(!loose.contains("rolled back"), "{loose}");
    assert!(!flat(&told(text, "loose", 0)).contains("rolled back"));
    // What an earlier part has written is there, and is not taken back.
    let parts = text.replace(
        r#""inc": { "think": "3ms","#,
        r#""inc": { "insert": { "t[]": { "n": 7 } }, "then": [ { "think": "3ms","#,
    );
    let parts = parts.replace("+ 1\" } } } } },", "+ 1\" } } ] } } } },").replace("\"x\": {", "\"1\": {");
    let parts = flat(&whole(&parts.replace("t['x']", "t[1]"), "loose", 0));
    assert!(parts.contains("inc breaks off; what it wrote"), "{parts}");
    let firm = flat(&whole(text, "firm", 0));
    assert!(firm.contains("inc rolled back") && !firm.contains("breaks off"), "{firm}");
}

#[test]
fn variables_are_called_what_the_file_calls_them() {
    let rule = "box.tickets.filter(seat, seat.free == 0).all(one, one.free > box.sold.map(paper, paper.show == 'show' ? 1 : 0).sum())";
    let text = TICKETS.replace("box.sold.size() <= 1", rule);
    let story = flat(&told(&text, "occ", 0));
    // One pass has one name for what it passes over: the first.
    let said = "box.tickets.filter(seat, seat.free == 0).all(seat, seat.free > \
                box.sold.map(paper, paper.show == 'show' ? 1 : 0).sum())";
    assert!(story.contains(said), "{story}");
}

#[test]
fn a_flow_that_does_not_know_is_not_said_to_have_failed() {
    let text = |fault: &str| {
        format!(
            r#"{{ "services": {{ "o": {{}}, "p": {{ "tables": {{ "ch": {{}} }},
                "operations": {{ "charge": {{ "insert": {{ "ch[]": {{ "n": 1 }} }} }} }} }} }},
            "flows": {{ "buy": {{ "by": "o", "steps": [{{ "do": "p.charge()" }}] }} }},
            "clients": {{ "c": {{ "does": "buy()" }} }},
            "weather": {{ "latency": "1ms", "faults": [{fault}] }},
            "strategies": {{ "calls": {{ "retry": {{ "timeout": "50ms" }},
                "where": {{ "c": {{ "retry": {{ "timeout": "500ms" }} }} }} }} }},
            "invariants": {{ "never": {{ "at_rest": "false" }} }} }}"#
        )
    };
    let unknown = flat(&whole(&text(r#"{ "lose": "reply p.charge" }"#), "calls", 0));
    assert!(unknown.contains("unknown") && unknown.contains("told: not known"), "{unknown}");
    assert!(!unknown.contains("failed") && !unknown.contains("gives up, knows nothing"), "{unknown}");
    let story = flat(&told(&text(r#"{ "lose": "reply p.charge" }"#), "calls", 0));
    assert!(!story.contains("ends as failed") && !story.contains("without an answer"), "{story}");
    // One that was refused knows it, and who waits in vain is told nothing.
    let refused = flat(&whole(&text(r#"{ "refuse": "p.charge" }"#), "calls", 0));
    assert!(refused.contains("failed") && !refused.contains("unknown"), "{refused}");
    let silent = flat(&whole(&text(r#"{ "lose": "reply buy" }"#), "calls", 0));
    assert!(silent.contains("gives up, knows nothing") && !silent.contains("not known"), "{silent}");
}

/// A key stored before the effect, and a crash between: whoever asks again is told ok, and nothing was ever done. The
/// twin, stored with the effect, did it and repeats its answer.
#[test]
fn a_key_without_its_effect_does_not_repeat_an_answer() {
    let of = |store: &str, at: &str| {
        let text = format!(
            r#"{{
  "services": {{ "pay": {{ "tables": {{ "charges": {{}} }}, "operations": {{ "charge": {{ "args": ["order"], "think": "3ms",
    "insert": {{ "charges[order]": {{ "amount": 1 }} }} }} }} }} }},
  "clients": {{ "ana": {{ "does": "pay.charge(1)" }} }},
  "weather": {{ "faults": [ {{ "crash": "pay", "{at}": "commit pay.charge", "for": "5ms", "nth": 1 }} ] }},
  "strategies": {{ "keyed": {{ "retry": {{ "timeout": "20ms", "attempts": 3 }},
    "idempotency": {{ "use": "key", "store": "{store}" }} }} }},
  "invariants": {{ "outcome-agrees": {{}}, "nothing": {{ "at_rest": "pay.charges.size() == 7" }} }}
}}"#
        );
        (flat(&told(&text, "keyed", 0)), flat(&whole(&text, "keyed", 0)))
    };
    let (hollow, picture) = of("before", "before");
    let known = "pay.charge knows the key of the request and answers ok, but it was not carried out";
    assert!(hollow.contains(known) && !hollow.contains("repeats its answer"), "{hollow}");
    assert!(picture.contains("charge: key known, but not carried out"), "{picture}");
    let (kept, picture) = of("with", "after");
    assert!(
        kept.contains("knows the request and repeats its answer") && !kept.contains("not carried"),
        "{kept}"
    );
    assert!(picture.contains("charge: known, answers again"), "{picture}");
}

/// Where nothing holds a transaction together its end writes nothing more, which is not to say that nothing is written.
#[test]
fn what_was_written_one_by_one_is_not_nothing() {
    let of = |level: &str, set: &str| {
        let text = format!(
            r#"{{
  "services": {{ "bank": {{ "tables": {{ "accounts": {{ "rows": {{ "x": {{ "left": 10 }},
    "y": {{ "left": 10 }} }} }} }}, "operations": {{ "move": {{ {set} }} }} }} }},
  "clients": {{ "ana": {{ "does": "bank.move()" }} }}, "strategies": {{ "plain": {{ "store": "{level}" }} }}
}}"#
        );
        flat(&whole(&text, "plain", 0))
    };
    let set = r#""set": { "accounts['x'].left": 3, "accounts['y'].left": 17 }"#;
    let one_by_one = of("none", set);
    assert!(!one_by_one.contains("nothing to write"), "{one_by_one}");
    assert!(of("read-committed", "\"reply\": \"1\"").contains("nothing to write"));
}

/// A saga that gives up in the middle of undoing has undone something; one that gives up at once has not.
#[test]
fn who_gives_up_undoing_has_begun_to_undo() {
    let of = |how: &str| {
        let text = format!(
            r#"{{
  "services": {{ "desk": {{}}, "a": {{ "tables": {{ "t": {{}} }}, "operations": {{
    "one": {{ "args": ["o"], "insert": {{ "t[o]": {{ "x": "1" }} }} }}, "no": {{ "require": "false" }}, "back": {{ "require": "false" }} }} }} }},
  "flows": {{ "f": {{ "by": "desk", "args": ["o"], "steps": [ {{ "do": "a.one(o)", "undo": "a.back()" }}, {{ "do": "a.no()" }} ] }} }},
  "clients": {{ "ana": {{ "does": "f('x')" }} }}, "weather": {{ "latency": "1ms" }},
  "allow": ["HW0505", "HW0504"], "strategies": {{ "it": {{ "coordination": {how} }} }},
  "invariants": {{ "none": {{ "at_rest": "a.t.size() == 0" }} }}
}}"#
        );
        (flat(&told(&text, "it", 0)), flat(&whole(&text, "it", 0)))
    };
    let (story, picture) = of(r#"{ "use": "saga", "stuck_undo": "stop" }"#);
    assert!(story.contains("f ends as failed, before all is undone"), "{story}");
    assert!(picture.contains("f: gives up undoing") && !picture.contains("undoes nothing"), "{picture}");
    let (story, picture) = of(r#""calls""#);
    assert!(story.contains("f ends as failed, without undoing anything"), "{story}");
    assert!(picture.contains("f: gives up, undoes nothing"), "{picture}");
}

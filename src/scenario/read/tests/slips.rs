//! One mistake is one message: nothing is said for want of what is there and was reported; and what would pass in silence
//! and mean nothing is said.

use super::*;

#[test]
fn a_bad_value_is_not_missed_as_well() {
    let faults = |fault: &str| marks(&small(&[(r#""faults": []"#, &format!(r#""faults": [ {fault} ]"#))]));
    assert_eq!(faults(r#"{ "delay": "request *", "for": "-5ms" }"#).len(), 1);
    assert_eq!(faults(r#"{ "crash": "bank", "at": "1ms", "for": 5 }"#).len(), 1);
    assert_eq!(faults(r#"{ "crash": "bank", "at": 1, "for": "5ms" }"#).len(), 1);
    // Without it, it is missed.
    assert_eq!(
        faults(r#"{ "delay": "request *" }"#),
        ["HW0208 at {: a fault needs one of the keys `for` or `until`"]
    );

    let flow = |step: &str| {
        let flow = format!(
            r#""flows": {{ "f": {{ "by": "bank", "steps": [ {{ "do": "bank.pay('ana', 1)" }}, {step} ] }} }}"#
        );
        marks(&small(&[(r#""flows": {}"#, &flow), (r#""does": "bank.pay('ana', 5)""#, r#""does": "f()""#)]))
    };
    assert_eq!(flow(r#"{ "wait": "-1ms" }"#).len(), 1);

    let does = |does: &str| marks(&small(&[(r#""does": "bank.pay('ana', 5)""#, does)]));
    assert_eq!(
        does(r#""does": { "bank.pay('ana', 5)": 0 }"#),
        ["HW0207 at 0: `bank.pay('ana', 5)` must be between 1 and 1000000, not 0"]
    );
    assert_eq!(does(r#""count": 1"#), ["HW0202 at \"shop\": a group of clients needs something to do"]);
}

#[test]
fn an_operation_with_a_mistake_in_it_is_not_said_to_write_nothing() {
    let put = |effect: &str| {
        small(&[
            (r#""set": { "accounts[who].balance": "accounts[who].balance - sum" }"#, effect),
            (r#""no-lost-update": {}"#, r#""no-lost-update": { "no-lost-update": "bank.moves" }"#),
        ])
    };
    let said = marks(&put(r#""insert": "moves""#));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("HW0203"), "{said:?}");
    let idle = marks(&put(r#""set": { "accounts[who].balance": "sum" }"#));
    assert_eq!(
        idle,
        ["HW0506 at \"no-lost-update\": nobody writes what this invariant is about: bank.moves"]
    );
}

fn invariant(text: &str) -> Vec<String> {
    marks(&small(&[(r#""no-lost-update": {}"#, text)]))
}

#[test]
fn an_outcome_is_one_of_three() {
    for (test, mark) in [
        ("intent.outcome != 'okay'", "HW0305 at 'okay': no intent has the outcome `okay`"),
        ("'faild' == intent.outcome", "HW0305 at 'faild': no intent has the outcome `faild`"),
        ("intent.outcome in ['ok', 'done']", "HW0305 at 'done': no intent has the outcome `done`"),
        ("!(intent.outcome == 'OK')", "HW0305 at 'OK': no intent has the outcome `OK`"),
    ] {
        assert_eq!(invariant(&format!(r#""told": {{ "per_intent": "{test}" }}"#)), [mark]);
    }
    let right = "intent.outcome == null || intent.outcome in ['ok', 'failed'] || intent.outcome == 'unknown'";
    assert!(invariant(&format!(r#""told": {{ "per_intent": "{right}" }}"#)).is_empty());
}

#[test]
fn a_list_without_tables_watches_nothing() {
    assert_eq!(
        invariant(r#""strict": { "no-lost-update": [] }"#),
        ["HW0315 at [: a list without tables watches nothing"]
    );
    assert!(invariant(r#""strict": { "no-lost-update": ["bank.accounts"] }"#).is_empty());
}

#[test]
fn a_value_that_no_call_takes_is_noticed() {
    let with = |more: &str| {
        let does = format!(r#""does": "bank.pay('ana', n)", "with": {{ "n": "uniform(1, 5)"{more} }}"#);
        small(&[(r#""does": "bank.pay('ana', 5)""#, &does)])
    };
    assert!(marks(&with("")).is_empty());
    assert_eq!(
        marks(&with(r#", "spare": "uniform(1, 9)""#)),
        ["HW0503 at \"spare\": no call takes the value `spare`"]
    );
    // What a case takes is taken.
    let case = r#""expect": {}, "cases": { "other": { "clients": { "shop": { "does": "bank.pay('ana', spare)" } } } }"#;
    let taken = with(r#", "spare": "uniform(1, 9)""#).replace(r#""expect": {}"#, case);
    assert!(marks(&taken).is_empty());
}

#[test]
fn a_case_is_not_called_like_the_file_as_written() {
    let named = |name: &str| {
        small(&[(r#""expect": {}"#, &format!(r#""expect": {{}}, "cases": {{ "{name}": {{}} }}"#))])
    };
    assert_eq!(marks(&named("-")), ["HW0131 at \"-\": a case cannot be called `-`"]);
    assert!(marks(&named("--")).is_empty());
}

#[test]
fn an_operation_that_only_a_case_has_and_nobody_calls_is_noticed() {
    let patch = |name: &str| {
        let operations = format!(r#"{{ "{name}": {{ "think": "1ms" }} }}"#);
        let case = format!(
            r#""cases": {{ "slow": {{ "services": {{ "bank": {{ "operations": {operations} }} }} }} }}"#
        );
        small(&[(r#""expect": {}"#, &format!(r#""expect": {{}}, {case}"#))])
    };
    assert!(marks(&patch("pay")).is_empty());
    assert_eq!(marks(&patch("pya")), ["HW0503 at \"pya\": nothing leads to the operation `bank.pya`"]);
}

#[test]
fn a_text_that_looks_like_a_generated_name_is_none() {
    let with = |test: &str| {
        small(&[
            (
                r#""does": "bank.pay('ana', 5)""#,
                r#""does": "bank.pay(k, 5)", "with": { "k": "unique('k')" }"#,
            ),
            (r#""no-lost-update": {}"#, &format!(r#""it": {{ "per_intent": "{test}" }}"#)),
        ])
    };
    assert_eq!(
        marks(&with("intent.args.who != 'k-1.1'")),
        ["HW0512 at 'k-1.1': `k-1.1` is a text, and never what `unique` makes"]
    );
    for other in ["intent.args.who != 'k-1'", "intent.args.who != 'j-1.1'", "intent.args.who != 'k-1.x'"] {
        assert!(marks(&with(other)).is_empty(), "{other}");
    }
}

#[test]
fn an_invariant_that_stands_alone_may_be_true() {
    let with = |invariants: &str| marks(&small(&[(r#"{ "no-lost-update": {} }"#, invariants)]));
    for kind in ["no-lost-update", "outcome-agrees", "every-intent-ends", "acked-is-durable", "no-leak"] {
        assert_eq!(with(&format!(r#"{{ "{kind}": true }}"#)), [""; 0], "{kind}");
    }
    let kinds = |text: &str| {
        let scenario = good(&small(&[(r#"{ "no-lost-update": {} }"#, text)]));
        scenario.cases[0].invariants.clone()
    };
    assert_eq!(kinds(r#"{ "outcome-agrees": true }"#), kinds(r#"{ "outcome-agrees": {} }"#));
    assert_eq!(kinds(r#"{ "no-lost-update": true }"#), kinds(r#"{ "no-lost-update": {} }"#));
    assert_eq!(
        with(r#"{ "outcome-agrees": false }"#),
        ["HW0203 at false: an invariant is demanded or left out"]
    );
    // One that says something of something cannot do without it, and a name of one's own is no kind.
    assert_eq!(
        with(r#"{ "all-or-nothing": true }"#),
        ["HW0203 at true: only an invariant that needs no subject may be `true`"]
    );
    assert_eq!(
        with(r#"{ "mine": true }"#),
        ["HW0203 at true: only an invariant that needs no subject may be `true`"]
    );
    assert_eq!(
        with(r#"{ "outcome-agreed": true }"#),
        ["HW0208 at \"outcome-agreed\": there is no kind of invariant `outcome-agreed`"]
    );
    assert!(with(r#"{ "outcome-agrees": 1 }"#)[0].starts_with("HW0203 at 1"));
}

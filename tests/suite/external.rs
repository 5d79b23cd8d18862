//! Systems of others: no policy reaches them unless a strategy names them, and they are part of no local transaction.

use crate::points::leaves;
use crate::shipped::{prepared, read_text};

/// A shop notes an order and charges a card, at a system of others.
fn world(external: bool) -> String {
    format!(
        r#"
    "services": {{
        "shop": {{ "tables": {{ "orders": {{}} }}, "operations": {{
            "open": {{ "args": ["k"], "insert": {{ "orders[k]": {{}} }} }},
            "close": {{ "args": ["k"], "delete": "orders[k]" }} }} }},
        "cards": {{ "external": {external}, "tables": {{ "charges": {{}} }}, "operations": {{
            "charge": {{ "args": ["k"], "insert": {{ "charges[]": {{ "k": "k" }} }} }} }} }}
    }},
    "flows": {{ "order": {{ "by": "shop", "args": ["k"], "steps": [
        {{ "do": "shop.open(k)", "undo": "shop.close(k)" }}, {{ "do": "cards.charge(k)", "class": "pivot" }} ] }} }},
    "clients": {{ "buyer": {{ "script": [ {{ "at": "0ms", "do": "order(1)" }} ] }} }}"#
    )
}

/// The first answer of the card system is lost, so it is asked again.
#[test]
fn a_fence_of_a_saga_stands_at_own_services_only() {
    let lost = r#"{ "lose": "reply cards.charge", "nth": 1 }"#;
    let fenced = r#"{ "coordination": { "use": "saga", "fence": true }, "retry": { "timeout": "50ms", "attempts": 5 },
        "where": { "buyer": { "retry": { "timeout": "1s", "attempts": 1 } } } }"#;
    leaves(&world(true), fenced, lost, &["cards.charges.size() == 2", "count.ok == 1"]);
    leaves(&world(false), fenced, lost, &["cards.charges.size() == 1", "count.ok == 1"]);
}

#[test]
fn a_flow_over_an_external_system_cannot_be_merged_into_one_transaction() {
    for external in [false, true] {
        let text = format!(
            r#"{{ {}, "strategies": {{ "merged": {{ "coordination": "merged" }} }},
                "invariants": {{ "every-intent-ends": {{}} }} }}"#,
            world(external)
        );
        let plan = prepared(&read_text(&text)).remove(0).1.plan;
        match plan {
            Ok(_) => assert!(!external),
            Err(why) => assert!(external && why[0].why.contains("cards.charge"), "{why:?}"),
        }
    }
}

//! How the layers of strategies come to one policy for each operation, flow and caller.

use super::*;
use crate::kernel::time::Span;
use crate::model::flow::Target;
use crate::model::how::*;
use crate::model::ids::{FlowId, GroupId, OpId};
use crate::model::service::By;

/// Two services, a flow over them, a client of the flow and a client of an operation.
fn hows(strategies: &str) -> Vec<How> {
    let text = format!(
        r#"{{
          "services": {{
            "shop": {{ "tables": {{ "orders": {{}} }}, "operations": {{
              "open": {{ "args": ["order"], "put": {{ "orders[order]": {{ "open": true }} }} }},
              "drop": {{ "args": ["order"], "by": "caller", "delete": "orders[order]" }} }} }},
            "bank": {{ "external": true, "tables": {{ "moves": {{}} }}, "operations": {{
              "pay": {{ "args": ["order", "sum"], "insert": {{ "moves[]": {{ "sum": "sum" }} }}, "publish": {{ "paid": {{ "sum": "sum" }} }} }} }} }}
          }},
          "flows": {{ "buy": {{ "by": "shop", "args": ["order"], "steps": [ {{ "do": "shop.open(order)" }}, {{ "do": "bank.pay(order, 5)" }} ] }} }},
          "clients": {{ "people": {{ "does": "buy(o)", "with": {{ "o": "unique('o')" }} }}, "robot": {{ "does": "shop.drop('x')" }} }},
          "allow": ["HW0501"],
          "strategies": {strategies}
        }}"#
    );
    let scenario = good(&text);
    scenario.cases.into_iter().next().unwrap().strategies.into_iter().map(|strategy| strategy.how).collect()
}

fn how(strategy: &str) -> How {
    hows(&format!(r#"{{ "mine": {strategy} }}"#)).remove(0)
}

const OPEN: usize = 0;
const DROP: usize = 1;
const PAY: usize = 2;
const PEOPLE: Caller = Caller::Group(GroupId(0));
const ROBOT: Caller = Caller::Group(GroupId(1));

fn in_flow() -> Caller {
    Caller::Flow(FlowId(0), Some(crate::model::ids::ServiceId(0)))
}

fn occ(tries: Option<u32>) -> WritePolicy {
    WritePolicy::Occ(Occ { scope: OccScope::Row, on_conflict: OnConflict::Redo, tries })
}

#[test]
fn the_five_names_mean_exactly_this() {
    let [naive, only_occ, idempotent, saga, hardened] = &hows(r#"{ "*": {} }"#)[..] else { panic!() };
    let plain = OperationHow {
        write: WritePolicy::Absolute,
        by: By::Owner,
        store: StoreLevel::ReadCommitted,
        idempotency: Idempotency::None,
        publish: PublishPolicy::AfterCommit,
    };
    let key = KeyPolicy {
        source: KeySource::Intent,
        store: KeyStore::With,
        same_key: SameKey::Replay,
        busy: Busy::Reject,
        busy_for: Span::MAX,
        ttl: Span::MAX,
        memory: KeyMemory::Shared,
        keep: Keep::Any,
    };
    let sagas = SagaPolicy {
        answer: Answer::Done,
        durable: true,
        register: Register::Before,
        recover: Recover::Back,
        undo: UndoOrder::Reverse,
        stuck_undo: StuckUndo::Retry,
        fence: false,
    };
    let calls = Coordination::Calls { answer: Answer::Done };
    assert_eq!(naive.operations[OPEN], plain);
    assert_eq!(naive.operations[DROP], OperationHow { by: By::Caller, ..plain.clone() });
    assert_eq!(
        naive.flows[0],
        FlowHow {
            coordination: calls.clone(),
            idempotency: Idempotency::None,
            publish: PublishPolicy::AfterCommit
        }
    );
    assert_eq!(only_occ.operations[OPEN], OperationHow { write: occ(Some(3)), ..plain.clone() });
    let keyed = Idempotency::Key(Box::new(key.clone()));
    assert_eq!(idempotent.operations[OPEN], OperationHow { idempotency: keyed.clone(), ..plain.clone() });
    assert_eq!((&idempotent.flows[0].coordination, &idempotent.flows[0].idempotency), (&calls, &keyed));
    assert_eq!(saga.operations[OPEN], plain);
    assert_eq!(saga.flows[0].coordination, Coordination::Saga(sagas.clone()));
    let waiting = Idempotency::Key(Box::new(KeyPolicy { busy: Busy::Wait, ..key }));
    let relay = Relay { kind: RelayKind::Flag, every: Span::millis(10), gap: Span::millis(100) };
    let outbox = PublishPolicy::Outbox(relay);
    assert_eq!(
        hardened.operations[OPEN],
        OperationHow {
            write: WritePolicy::Guarded,
            idempotency: waiting.clone(),
            publish: outbox.clone(),
            ..plain
        }
    );
    assert_eq!(
        hardened.flows[0],
        FlowHow {
            coordination: Coordination::Saga(SagaPolicy { fence: true, ..sagas }),
            idempotency: waiting,
            publish: outbox
        }
    );
}

#[test]
fn no_policy_applies_to_what_is_not_ours_unless_it_is_named() {
    let hardened = how(r#"{ "extends": "hardened" }"#);
    assert_eq!(hardened.operations[PAY].write, WritePolicy::Absolute);
    assert_eq!(hardened.operations[PAY].idempotency, Idempotency::None);
    let named = how(r#"{ "extends": "hardened", "where": { "bank": { "idempotency": "key" } } }"#);
    assert!(matches!(&named.operations[PAY].idempotency, Idempotency::Key(key) if key.busy == Busy::Reject));
    assert_eq!(named.operations[PAY].publish, PublishPolicy::AfterCommit);
}

#[test]
fn parameters_merge_unless_the_policy_changes() {
    let merged = how(r#"{ "extends": "occ", "write": { "on_conflict": "reject" } }"#);
    let expected =
        WritePolicy::Occ(Occ { scope: OccScope::Row, on_conflict: OnConflict::Reject, tries: Some(3) });
    assert_eq!(merged.operations[OPEN].write, expected);
    let same = how(r#"{ "extends": "occ", "write": "occ" }"#);
    assert_eq!(same.operations[OPEN].write, occ(Some(3)));
    let other = hows(
        r#"{ "locks": { "write": { "use": "lock", "wait": "5ms" } }, "mine": { "extends": "locks", "write": "occ" } }"#,
    );
    assert_eq!(other[1].operations[OPEN].write, occ(None));
}

#[test]
fn the_star_lies_over_what_is_extended_and_under_the_own_keys() {
    let all = hows(
        r#"{ "*": { "write": "patch", "retry": { "attempts": 4 } },
             "occ": {}, "own": { "write": "relative", "retry": { "timeout": "9ms" } } }"#,
    );
    assert_eq!(all[0].operations[OPEN].write, WritePolicy::Patch);
    assert_eq!(all[1].operations[OPEN].write, WritePolicy::Relative);
    let retry = &all[1].retries[0].1;
    assert_eq!((retry.timeout, retry.attempts), (Span::millis(9), Some(4)));
}

#[test]
fn the_more_specific_part_wins_whichever_layer_it_stands_in() {
    let all = hows(
        r#"{ "*": { "where": { "shop.open": { "write": "occ" }, "shop": { "idempotency": "key" } } },
             "mine": { "write": "patch", "where": { "shop": { "write": "lock" }, "shop.orders": { "write": "relative" } } } }"#,
    );
    assert_eq!(all[0].operations[OPEN].write, occ(None), "the operation before the table before the service");
    assert_eq!(all[0].operations[DROP].write, WritePolicy::Relative);
    assert_eq!(all[0].operations[PAY].write, WritePolicy::Absolute);
    assert!(matches!(all[0].flows[0].idempotency, Idempotency::Key(_)), "a service runs its flows");
}

#[test]
fn a_topic_governs_how_its_events_leave() {
    let mine = how(r#"{ "where": { "paid": { "publish": "before-commit" } } }"#);
    assert_eq!(mine.operations[PAY].publish, PublishPolicy::BeforeCommit);
    assert_eq!(mine.operations[OPEN].publish, PublishPolicy::AfterCommit);
}

#[test]
fn who_calls_says_how_calls_are_repeated() {
    let mine = how(r#"{ "retry": { "timeout": "50ms", "attempts": 3 },
             "where": { "people": { "retry": { "attempts": 1 } }, "shop": { "retry": { "timeout": "70ms" } },
                        "bank.pay": { "retry": { "attempts": "ever" } } } }"#);
    let open = Target::Op(OpId(OPEN as u16));
    let pay = Target::Op(OpId(PAY as u16));
    let seen = |caller, target| {
        let retry = mine.retry(caller, target);
        (retry.timeout, retry.attempts)
    };
    assert_eq!(seen(ROBOT, open), (Span::millis(50), Some(3)));
    assert_eq!(seen(PEOPLE, Target::Flow(FlowId(0))), (Span::millis(50), Some(1)));
    assert_eq!(seen(in_flow(), open), (Span::millis(70), Some(3)));
    assert_eq!(seen(in_flow(), pay), (Span::millis(50), None));
}

#[test]
fn hardened_flows_go_on_after_heal_whatever_all_strategies_say() {
    let all = hows(
        r#"{ "*": { "retry": { "attempts": 5 } }, "hardened": {}, "own": { "extends": "hardened", "retry": { "attempts": 2 } },
             "at": { "extends": "hardened", "where": { "buy": { "retry": { "attempts": 7 } } } } }"#,
    );
    let open = Target::Op(OpId(OPEN as u16));
    let attempts = |at: usize, caller| all[at].retry(caller, open).attempts;
    assert_eq!((attempts(0, ROBOT), attempts(0, in_flow())), (Some(5), None));
    assert_eq!((attempts(1, ROBOT), attempts(1, in_flow())), (Some(2), Some(2)));
    assert_eq!(attempts(2, in_flow()), Some(7));
    let retry = &all[0].retries[0].1;
    assert_eq!((retry.backoff, retry.jitter), (Backoff::Exponential, Jitter::Full));
    assert_eq!((retry.first, retry.factor, retry.cap), (Span::millis(20), 2, Span::SECOND));
}

#[test]
fn a_key_may_be_computed_from_the_arguments() {
    let mine = how(r#"{ "where": { "shop.open": { "idempotency": { "use": "key", "key": "order" } } } }"#);
    let Idempotency::Key(key) = &mine.operations[OPEN].idempotency else { panic!() };
    let KeySource::Computed(expr) = &key.source else { panic!() };
    assert_eq!(expr.kind, crate::model::expr::ExprKind::Local(0));
    assert_eq!(mine.operations[DROP].idempotency, Idempotency::None);
}

#[test]
fn a_strategy_extends_one_of_the_file_and_that_a_built_in_one() {
    let all = hows(
        r#"{ "saga": { "coordination": { "log": "memory" } }, "more": { "extends": "saga", "idempotency": "key" } }"#,
    );
    for how in &all {
        assert!(matches!(&how.flows[0].coordination, Coordination::Saga(saga) if !saga.durable));
    }
    assert!(matches!(all[1].flows[0].idempotency, Idempotency::Key(_)));
}

#[test]
fn what_a_key_stored_before_the_effect_does_not_look_at_is_said() {
    let keyed = |strategies: &str| marks(&small(&[(r#"{ "naive": {} }"#, strategies)]));
    let said =
        |key: &str| format!("HW0317 at \"{key}\": `{key}` says nothing to a key with `store` `before`");
    let before = r#"{ "k": { "idempotency": { "use": "key", "store": "before", "busy": "wait", "busy_for": "1s" } } }"#;
    assert_eq!(keyed(before), [said("busy"), said("busy_for")]);
    // While its transaction is open a key is in progress, but nobody takes it over.
    let own = "HW0317 at \"busy_for\": `busy_for` says nothing to the key of an operation";
    assert_eq!(keyed(&before.replace("before", "with")), [own]);
    assert_eq!(keyed(&before.replace("before", "after")).len(), 2);
    // What another strategy says, or what holds for other operations, is of use there.
    let other = r#"{ "a": { "idempotency": { "use": "key", "busy": "wait" } }, "b": { "extends": "a", "idempotency": { "store": "before" } } }"#;
    assert_eq!(keyed(other), [""; 0]);
    let every = r#"{ "*": { "idempotency": { "use": "key", "busy": "wait" } }, "b": { "idempotency": { "store": "before" } } }"#;
    assert_eq!(keyed(every), [""; 0]);
    let scoped = |operation: &str| {
        let strategy = format!(
            r#"{{ "k": {{ "idempotency": {{ "use": "key", "busy": "wait" }}, "where": {{ "{operation}": {{ "idempotency": {{ "store": "before" }} }} }} }} }}"#
        );
        let spare = (r#""pay": {"#, r#""spare": {}, "pay": {"#);
        let mut said = marks(&small(&[(r#"{ "naive": {} }"#, &strategy), spare]));
        said.retain(|said| said.starts_with("HW0317"));
        said
    };
    assert_eq!(scoped("bank.pay"), [""; 0]);
    assert_eq!(scoped("bank"), [said("busy")]);
    // A case that changes when the key is stored leaves the rest as it is.
    let case = |text: &str| {
        let cases = r#""cases": { "c": { "strategies": { "k": { "idempotency": { "store": "before" } } } } }, "expect""#;
        marks(&small(&[(r#"{ "naive": {} }"#, text), (r#""expect""#, cases)]))
    };
    assert_eq!(case(r#"{ "k": { "idempotency": { "use": "key", "busy": "wait" } } }"#), [""; 0]);
    // While a flow is under way its key is in progress, whenever that is stored; not if it is one transaction.
    let flow = |coordination: &str, store: &str| {
        let strategy = before
            .replace(r#""idempotency""#, &format!(r#""coordination": "{coordination}", "idempotency""#))
            .replace("before", store);
        let flow = r#"{ "f": { "by": "bank", "steps": [ { "do": "bank.pay('ana', 1)" } ] } }"#;
        let text = small(&[
            (r#""flows": {}"#, &format!(r#""flows": {flow}"#)),
            (r#"{ "naive": {} }"#, &strategy),
            ("bank.pay('ana', 5)", "f()"),
        ]);
        let mut said = marks(&text);
        said.retain(|said| said.starts_with("HW0317"));
        said
    };
    for store in ["before", "with"] {
        assert_eq!(flow("calls", store), [""; 0]);
        assert_eq!(flow("saga", store), [""; 0]);
    }
    assert_eq!(flow("merged", "before"), [said("busy"), said("busy_for")]);
    assert_eq!(flow("merged", "with"), [own]);
}

//! Nothing that a file can say is out of reach of the builder: the reader's own tables of keys and words say what
//! there is.

use std::collections::BTreeSet;

use super::everything::everything;
use super::*;
use crate::scenario::json::Object;
use crate::scenario::read::{language, later};
use crate::scenario::shape::{Shape, Table as Keys};

/// A table of the language, one of its keys, and perhaps a word of that.
type Said = BTreeSet<(&'static str, &'static str, Option<&'static str>)>;

/// What a value says, as the tables of the language name it.
fn walk(value: &Json, shape: &'static Shape, of: (&'static str, &'static str), said: &mut Said) {
    match (shape, value) {
        (Shape::Object(table), Json::Object(object)) => {
            for (key, value) in object.iter() {
                let field = table.field(key).unwrap_or_else(|| panic!("{} has no {key}", table.name));
                said.insert((table.name, field.name, None));
                walk(value, &field.shape, (table.name, field.name), said);
            }
        }
        (Shape::Map(_, inner), Json::Object(object)) => {
            object.iter().for_each(|(_, value)| walk(value, inner, of, said));
        }
        (Shape::List(inner) | Shape::OneOrMany(inner), Json::List(elements)) => {
            elements.iter().for_each(|value| walk(value, inner, of, said));
        }
        (Shape::OneOrMany(inner), value) => walk(value, inner, of, said),
        (Shape::OneOf(words), Json::Text(text)) => {
            let known = words.iter().find(|word| word.name == text);
            said.extend(known.map(|word| (of.0, of.1, Some(word.name))));
        }
        (Shape::Either(shapes), value) => {
            for shape in shapes.iter().filter(|shape| fits(shape, value)) {
                // A bare name is short for `use`.
                let policy = dimension(of);
                let of = policy.filter(|_| value.as_text().is_some()).map_or(of, |table| (table.name, "use"));
                said.extend(policy.filter(|_| of.1 == "use").map(|table| (table.name, "use", None)));
                walk(value, shape, of, said);
            }
        }
        _ => {}
    }
}

fn fits(shape: &Shape, value: &Json) -> bool {
    match (shape, value) {
        (Shape::Object(table), Json::Object(object)) => object.keys().all(|key| table.field(key).is_some()),
        (Shape::Map(..), Json::Object(_)) | (Shape::List(_), Json::List(_)) => true,
        (Shape::OneOf(_), Json::Text(_)) => true,
        (Shape::OneOrMany(inner), Json::List(_)) => {
            matches!(**inner, Shape::OneOrMany(_)) || fits(inner, value)
        }
        (Shape::OneOrMany(inner), value) => fits(inner, value),
        _ => false,
    }
}

/// The dimension whose policies stand at a key.
fn dimension((table, key): (&str, &str)) -> Option<&'static Keys> {
    let all = language::how::DIMENSIONS.iter().copied();
    all.filter(|_| ["strategy", "scope"].contains(&table)).find(|dimension| dimension.name == key)
}

/// Whether a key is a parameter of policies that are all not supported yet.
fn is_of_later_policies(table: &str, key: &str) -> bool {
    ["conflict", "isolation", "repair", "read", "contract"].contains(&table) && key != "use"
}

/// All that the tables promise and this version supports.
fn promised(table: &'static Keys, known: &mut Said, done: &mut BTreeSet<&'static str>) {
    if !done.insert(table.name) {
        return;
    }
    for field in table.fields {
        // A draft stands for itself; `steps` within a step belong to `for`, `from` and `is` to `within`,
        // which are not supported yet.
        let apart = [("scenario", "extends"), ("step", "steps"), ("invariant", "from"), ("invariant", "is")];
        let apart = apart.contains(&(table.name, field.name));
        if apart
            || is_of_later_policies(table.name, field.name)
            || later::KEYS.contains(&(table.name, field.name))
        {
            continue;
        }
        known.insert((table.name, field.name, None));
        inner(&field.shape, (table.name, field.name), known, done);
    }
}

fn inner(
    shape: &'static Shape,
    of: (&'static str, &'static str),
    known: &mut Said,
    done: &mut BTreeSet<&'static str>,
) {
    match shape {
        Shape::Object(table) => promised(table, known, done),
        Shape::Map(_, shape) | Shape::List(shape) | Shape::OneOrMany(shape) => inner(shape, of, known, done),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| inner(shape, of, known, done)),
        Shape::OneOf(words) => {
            let of = dimension(of).map_or(of, |table| (table.name, "use"));
            let refused = later::WORDS.iter().find(|(table, key, _)| (*table, *key) == of);
            for word in *words {
                if !refused.is_some_and(|(_, _, words)| words.contains(&word.name)) {
                    known.insert((of.0, of.1, Some(word.name)));
                }
            }
        }
        _ => {}
    }
}

/// The words and keys that `everything` leaves out.
fn the_rest(rest: Rest) -> Builder {
    let b = Builder::new("rest");
    b.weather().seed(7).decide("people.i1.a1:reply~1 = lost").rest(rest);
    let shop = b.service("shop");
    shop.route(Route::RoundRobin);
    let stock = shop.table("stock");
    let free = stock.field("free");
    stock.row("lamp").with(&free, 3);
    let take = shop.operation("take");
    let item = take.arg("item");
    let left = stock.at(&item).field(&free);
    take.set(&left, &left - 1);
    let more = take.then();
    more.skip(false).put(stock.at("pen")).with(&free, 1);
    more.insert(stock.at("ink")).with(&free, 1);
    more.delete(stock.at("ink"));
    let topic = b.topic("taken");
    more.publish(&topic).with("item", &item);
    let refused = take.require_that(left.ge(0)).otherwise();
    refused.set(&left, 0).put(stock.at("pen")).with(&free, 2);
    refused.delete(stock.at("pen"));
    let flow = b.flow("buy");
    flow.about("Buys.").by(&shop);
    for class in [Class::Compensatable, Class::ReadOnly, Class::Pivot, Class::Retriable] {
        flow.step(take.call(("lamp",))).class(class);
    }
    b.clients("people").about("They buy.").does(flow.call(()));

    let cellar = b.service("cellar");
    cellar.process("keeper").table("bottles").row(1);
    // Under a name of their own, kinds without a subject say their kind.
    for (name, kind) in [
        ("told", outcome_agrees()),
        ("failed", failed_has_no_effect()),
        ("ends", every_intent_ends()),
        ("twice", no_duplicate_effect()),
        ("left", no_leak()),
    ] {
        b.invariant(name, kind);
    }

    let mut n = 0;
    let mut strategy = || {
        n += 1;
        b.strategy(&format!("s{n}"))
    };
    for by in [By::Owner, By::Caller] {
        strategy().write(Write::absolute().by(by));
    }
    strategy().write(Write::relative());
    strategy().write(Write::guarded()).store(StoreLevel::ReadCommitted);
    let conflicts =
        [OnConflict::Redo, OnConflict::Reject, OnConflict::Force, OnConflict::Merge, OnConflict::Already];
    for then in conflicts {
        let occ = Write::occ().scope(OccScope::Row).on_conflict(then).tries(None);
        strategy().write(occ).on(&shop).write(Write::new().tries(Some(2)));
    }
    // There is one version that is supported, so there is nothing to choose.
    strategy().policy("write", Object::new().with("use", "occ").with("version", "counter"));
    strategy().idempotency(Idempotency::none());
    let key = Idempotency::key;
    for from in [KeyFrom::Call, KeyFrom::Attempt, KeyFrom::Payload, KeyFrom::Message] {
        strategy().idempotency(key().from(from));
    }
    strategy().idempotency(key().store(KeyStore::With).same_key(SameKey::Replay).busy(Busy::Reject));
    strategy().idempotency(key().store(KeyStore::After).busy(Busy::Ignore).memory(KeyMemory::Shared));
    strategy().idempotency(key().keep(Keep::Any)).on(&take).idempotency(key().keep(Keep::Nothing));
    for (backoff, jitter) in [
        (Backoff::None, Jitter::None),
        (Backoff::Fixed, Jitter::Full),
        (Backoff::Period, Jitter::None),
        (Backoff::Exponential, Jitter::Decorrelated),
    ] {
        let retry = Retry::new().attempts(Some(3)).first(ms(5)).backoff(backoff).jitter(jitter);
        strategy().retry(retry.on_timeout(OnTimeout::Resend).give_up_on_refusals(true).late(Late::Ignore));
    }
    let persistent = Retry::new().on_timeout(OnTimeout::Redo).give_up_on_refusals(false).late(Late::Accept);
    strategy().retry(persistent);
    strategy().coordination(Coordination::calls().answer(Answer::Done));
    strategy().coordination(Coordination::fire_and_forget());
    strategy().coordination(Coordination::choreography());
    strategy().coordination(Coordination::merged());
    let orders = [UndoOrder::Reverse, UndoOrder::Forward];
    for (undo, stuck) in orders.into_iter().zip([StuckUndo::Retry, StuckUndo::Stop]) {
        let saga = Coordination::saga().durable(true).register(Register::Before).recover(Recover::Back);
        strategy().coordination(saga.undo(undo).stuck_undo(stuck).fence(true));
    }
    strategy().publish(Publish::after_commit());
    for relay in [RelayKind::Flag, RelayKind::Cursor] {
        strategy().publish(Publish::outbox().relay(relay));
    }
    // Dimensions with one policy that is supported: nothing to choose in Rust yet.
    let only = strategy();
    only.policy("consume", "arrival");
    for (scope, stamp) in [("record", "event"), ("field", "apply"), ("record", "never")] {
        let consume = Object::new().with("use", "arrival").with("scope", scope).with("stamp", stamp);
        strategy().policy("consume", consume.with("ack", "after").with("window", "ever"));
    }
    let here = only.on(&shop);
    here.policy("consume", "arrival").policy("read", "owner").store(StoreLevel::ReadCommitted);
    for policy in ["conflict", "isolation", "repair", "contract"] {
        only.policy(policy, "none");
        here.policy(policy, "none");
    }
    only.policy("read", "owner")
        .rewrite(Object::new().with("topics", Object::new()).with("flows", Object::new()));
    b
}

#[test]
fn every_key_and_word_that_is_supported_can_be_said_in_rust() {
    let scenario: &'static Keys = &language::SCENARIO;
    static WHOLE: Shape = Shape::Object(&language::SCENARIO);
    let mut said = Said::new();
    for builder in [everything(), the_rest(Rest::Calm), the_rest(Rest::Seed)] {
        let draft = builder.draft().unwrap();
        draft.read().unwrap();
        walk(draft.json(), &WHOLE, ("", ""), &mut said);
    }
    let mut known = Said::new();
    promised(scenario, &mut known, &mut BTreeSet::new());
    assert!(known.len() > 200, "the tables were walked: {}", known.len());
    let unsaid: Vec<_> = known.difference(&said).collect();
    assert!(unsaid.is_empty(), "{unsaid:#?}");
}

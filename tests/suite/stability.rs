//! What must not matter does not matter: an unrelated service, the order of strategies, names, the unit of time, a fault that
//! is not there. Each is a change to a shipped scenario after which no other fate and no other verdict may differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use halfway::explore::{Prepared, Run};
use halfway::kernel::dist::Dist;
use halfway::kernel::time::{Span, Time};
use halfway::model::Model;
use halfway::model::client::Arrival;
use halfway::model::flow::StepKind;
use halfway::model::how::{How, Idempotency, PublishPolicy, WritePolicy};
use halfway::model::record::{Kind, LOST_CUT, NONE, Record};
use halfway::model::service::Think;
use halfway::model::weather::{Delay, Downtime, FaultVerb, Moment, Subject};
use halfway::store::{Sink, Tables};
use serde_json::{Map, Value, json};

use crate::shipped::{files, prepared, read, read_text};

const SEEDS: u64 = 12;

/// A scenario file as plain JSON.
fn document(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    jsonc_parser::parse_to_serde_value(&text, &Default::default()).unwrap()
}

/// What happened to the clients of the file: everything with the name of what it happened to.
struct Fates {
    clients: u32,
    seen: Vec<(u64, u64, u8, u8)>,
}

impl Sink for Fates {
    fn record(&mut self, record: &Record, _tables: &mut Tables) {
        if record.client < self.clients {
            self.seen.push((record.at.0, record.path.0, record.kind as u8, record.flag));
        }
    }
}

fn clients(model: &Model) -> u32 {
    model.groups.iter().map(|group| group.count).sum()
}

fn fates(prepared: &Prepared, seed: u64, clients: u32) -> Option<(Run, Fates)> {
    let mut fates = Fates { clients, seen: Vec::new() };
    let run = prepared.bench()?.run_with(seed, &mut fates);
    Some((run, fates))
}

fn violated(run: &Run) -> Vec<bool> {
    run.verdict.invariants.iter().map(|invariant| invariant.violations > 0).collect()
}

/// Compares two readings of a scenario strategy by strategy, found by name.
fn same_fates(label: &str, before: &str, after: &str) {
    let (before, after) = (read_text(before), read_text(after));
    let after = prepared(&after);
    for (case, one) in prepared(&before) {
        let Some((_, other)) = after.iter().find(|(c, other)| *c == case && other.strategy == one.strategy)
        else {
            continue;
        };
        let count = clients(&one.model);
        for seed in 0..SEEDS {
            let (Some((run_a, fates_a)), Some((run_b, fates_b))) =
                (fates(&one, seed, count), fates(other, seed, count))
            else {
                assert_eq!(one.plan.is_ok(), other.plan.is_ok(), "{label} {case} {}", one.strategy);
                break;
            };
            let label = format!("{label} {case} {} seed {seed}", one.strategy);
            let differ = fates_a.seen.iter().zip(&fates_b.seen).position(|(a, b)| a != b);
            assert_eq!(differ, None, "{label}: {:?} {:?}", fates_a.seen.len(), fates_b.seen.len());
            assert_eq!(fates_a.seen.len(), fates_b.seen.len(), "{label}");
            assert_eq!(violated(&run_a), violated(&run_b), "{label}");
        }
    }
}

/// Whether a crash falls at points of whatever service: then no service is unrelated.
fn crashes_anywhere(model: &Model) -> bool {
    model.weather.faults.iter().any(|fault| match &fault.verb {
        FaultVerb::Crash(_, moment, _) | FaultVerb::Pause(_, moment, _) => {
            matches!(moment, Moment::Before(point) | Moment::After(point) if point.of == Subject::Any)
        }
        _ => false,
    })
}

#[test]
fn an_unrelated_service_with_clients_of_its_own_changes_nothing() {
    let (mut compared, mut related) = (0, 0);
    for file in files() {
        let scenario = read(&file);
        if scenario.cases.iter().any(|case| crashes_anywhere(&case.strategies[0].model)) {
            related += 1;
            continue;
        }
        compared += 1;
        let before = document(&file);
        let mut after = before.clone();
        after["services"]["zz_station"] = json!({
            "replicas": 2,
            "tables": { "readings": {} },
            "operations": { "note": { "args": ["value"], "insert": { "readings[]": { "value": "value" } } } }
        });
        after["clients"]["zz_stations"] = json!({
            "count": 3, "intents": 4, "does": "zz_station.note(value)", "with": { "value": "uniform(1, 9)" }
        });
        same_fates(&file.display().to_string(), &before.to_string(), &after.to_string());
    }
    assert!(compared > 2 * related, "{compared} compared, {related} left out");
}

#[test]
fn the_order_of_strategies_and_running_one_alone_changes_nothing() {
    for file in files() {
        let before = document(&file);
        let strategies = before["strategies"].as_object().unwrap();
        let mut reversed = before.clone();
        reversed["strategies"] = Value::Object(
            strategies.iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect::<Map<_, _>>(),
        );
        same_fates(&file.display().to_string(), &before.to_string(), &reversed.to_string());
        for name in strategies.keys().filter(|name| *name != "*") {
            let needed = |other: &String| {
                other == "*" || other == name || strategies[name]["extends"].as_str() == Some(other.as_str())
            };
            let alone = strategies.iter().filter(|(k, _)| needed(k)).map(|(k, v)| (k.clone(), v.clone()));
            let mut one = before.clone();
            one["strategies"] = Value::Object(alone.collect::<Map<_, _>>());
            one["cases"] = json!({});
            let expected = one["expect"].as_object().map(|expect| {
                expect.iter().filter(|(k, _)| *k == "*" || *k == name).map(|(k, v)| (k.clone(), v.clone()))
            });
            one["expect"] = Value::Object(expected.into_iter().flatten().collect::<Map<_, _>>());
            same_fates(&file.display().to_string(), &before.to_string(), &one.to_string());
        }
    }
}

/// Words of the language that a name in a file may happen to equal.
const WORDS: [&str; 30] = [
    "set", "put", "insert", "delete", "publish", "then", "reply", "skip", "args", "open", "lock", "occ",
    "key", "saga", "calls", "intent", "call", "order", "client", "count", "request", "commit", "event",
    "log", "mark", "ack", "id", "now", "cancel", "all",
];

fn rename(value: &Value, names: &BTreeSet<String>) -> Value {
    let word = |text: &str| {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
            let (head, tail) = rest.split_at(end);
            out.push_str(head);
            if names.contains(head) {
                out.push_str("_renamed");
            }
            let next = tail.chars().next().map_or(0, char::len_utf8);
            out.push_str(&tail[..next]);
            rest = &tail[next..];
        }
        out
    };
    match value {
        Value::String(text) => Value::String(word(text)),
        Value::Array(items) => Value::Array(items.iter().map(|item| rename(item, names)).collect()),
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(k, v)| (word(k), rename(v, names))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[test]
fn other_names_change_nothing() {
    for file in files() {
        let before = document(&file);
        let mut names = BTreeSet::new();
        let keys = |value: &Value| {
            value.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        names.extend(keys(&before["services"]));
        names.extend(keys(&before["flows"]));
        names.extend(keys(&before["clients"]));
        for service in keys(&before["services"]) {
            names.extend(keys(&before["services"][&service]["operations"]));
            names.extend(keys(&before["services"][&service]["tables"]));
        }
        names.retain(|name| !WORDS.contains(&name.as_str()));
        assert!(!names.is_empty());
        let after = rename(&before, &names);
        assert_ne!(before, after);
        same_fates(&file.display().to_string(), &before.to_string(), &after.to_string());
    }
}

/// Copies lost, by rule, and all copies.
#[derive(Default)]
struct Losses {
    sent: BTreeMap<u64, u32>,
    lost: BTreeMap<(u64, u32), u64>,
}

impl Sink for Losses {
    fn record(&mut self, record: &Record, _tables: &mut Tables) {
        match record.kind {
            Kind::Sent => {
                self.sent.insert(record.path.0, record.ver);
            }
            Kind::Lost if record.data < LOST_CUT && record.client != NONE => {
                self.lost.insert((record.path.0, record.ver), record.data);
            }
            _ => {}
        }
    }
}

#[test]
fn taking_one_fault_away_leaves_the_fates_that_others_decide() {
    for file in files() {
        let scenario = read(&file);
        for (case, whole) in prepared(&scenario) {
            for gone in 0..whole.model.weather.faults.len() {
                let Ok(plan) = &whole.plan else { continue };
                let mut model = (*whole.model).clone();
                model.weather.faults.remove(gone);
                let mut fewer = plan.clone();
                fewer.model = Arc::new(model);
                fewer.fault_when.remove(gone);
                let fewer = whole.with_plan(fewer);
                for seed in 0..3 {
                    let (mut a, mut b) = (Losses::default(), Losses::default());
                    whole.bench().unwrap().run_with(seed, &mut a);
                    fewer.bench().unwrap().run_with(seed, &mut b);
                    // A rule that counts or that holds for a time depends on what went before; the others must not.
                    let faults = &whole.model.weather.faults;
                    let free = |rule: u64| {
                        faults[rule as usize].nth.is_empty() && faults[rule as usize].during.is_none()
                    };
                    for ((path, copy), rule) in &a.lost {
                        if *rule == gone as u64 || !free(*rule) || !b.sent.contains_key(path) {
                            continue;
                        }
                        let shifted = rule - u64::from(*rule > gone as u64);
                        let label = format!("{} {case} {} seed {seed}", scenario.name, whole.strategy);
                        if b.sent[path] > *copy {
                            assert_eq!(
                                b.lost.get(&(*path, *copy)),
                                Some(&shifted),
                                "{label}, without fault {gone}"
                            );
                        }
                    }
                }
            }
        }
    }
}

const K: u64 = 1000;

fn longer(span: Span) -> Span {
    span.saturating_mul(K)
}

fn later(time: Time) -> Time {
    Time(time.0.saturating_mul(K))
}

fn scaled(dist: &mut Dist) {
    *dist = dist.scale(K);
}

fn scaled_moment(moment: &mut Moment) {
    match moment {
        Moment::At(at) => *at = later(*at),
        Moment::Every(dist) => scaled(dist),
        Moment::Before(_) | Moment::After(_) => {}
    }
}

fn scaled_downtime(downtime: &mut Downtime) {
    if let Downtime::For(dist) = downtime {
        scaled(dist);
    }
}

fn scaled_model(model: &Model) -> Model {
    let mut model = model.clone();
    model.services.iter_mut().for_each(|service| service.statement = longer(service.statement));
    for part in model.operations.iter_mut().flat_map(|operation| &mut operation.parts) {
        if let Think::Time(dist) = &mut part.think {
            scaled(dist);
        }
    }
    for step in model.flows.iter_mut().flat_map(|flow| &mut flow.steps) {
        if let StepKind::Wait(dist) = &mut step.does {
            scaled(dist);
        }
    }
    for group in &mut model.groups {
        scaled(&mut group.start);
        let (Arrival::Closed(dist) | Arrival::Open(dist)) = &mut group.arrival;
        scaled(dist);
        group.script.iter_mut().for_each(|(at, _)| *at = later(*at));
    }
    let weather = &mut model.weather;
    weather.heal = later(weather.heal);
    weather.end = later(weather.end);
    weather.latency.iter_mut().for_each(|(_, dist)| scaled(dist));
    for fault in &mut weather.faults {
        fault.during = fault.during.map(|(from, to)| (later(from), later(to)));
        match &mut fault.verb {
            FaultVerb::Delay(_, Delay::For(dist)) => scaled(dist),
            FaultVerb::Delay(_, Delay::Until(at)) => *at = later(*at),
            FaultVerb::Duplicate(_, again) => again.iter_mut().for_each(scaled),
            FaultVerb::Crash(_, moment, downtime)
            | FaultVerb::Pause(_, moment, downtime)
            | FaultVerb::Cut(_, moment, downtime) => {
                scaled_moment(moment);
                scaled_downtime(downtime);
            }
            FaultVerb::Lose(_) | FaultVerb::Refuse(..) | FaultVerb::Fail(_) => {}
        }
    }
    model
}

fn scaled_how(how: &How) -> How {
    let mut how = how.clone();
    let publish = |publish: &mut PublishPolicy| {
        if let PublishPolicy::Outbox(relay) = publish {
            relay.every = longer(relay.every);
            relay.gap = longer(relay.gap);
        }
    };
    let key = |idempotency: &mut Idempotency| {
        if let Idempotency::Key(key) = idempotency {
            key.ttl = longer(key.ttl);
            key.busy_for = longer(key.busy_for);
        }
    };
    for operation in &mut how.operations {
        publish(&mut operation.publish);
        key(&mut operation.idempotency);
        if let WritePolicy::Lock { wait } = &mut operation.write {
            *wait = longer(*wait);
        }
    }
    for flow in &mut how.flows {
        publish(&mut flow.publish);
        key(&mut flow.idempotency);
    }
    for (_, retry) in &mut how.retries {
        retry.timeout = longer(retry.timeout);
        retry.first = longer(retry.first);
        retry.cap = longer(retry.cap);
    }
    how
}

/// Names only: what happened to what, without when.
fn happenings(fates: &Fates) -> BTreeMap<(u64, u8, u8), u32> {
    let mut all = BTreeMap::new();
    for (_, path, kind, flag) in &fates.seen {
        *all.entry((*path, *kind, *flag)).or_default() += 1;
    }
    all
}

#[test]
fn a_thousand_times_slower_world_is_the_same_world() {
    for file in files() {
        let scenario = read(&file);
        for case in &scenario.cases {
            for strategy in &case.strategies {
                let build = |model: Arc<Model>, how: &How| {
                    Prepared::new(model, how, strategy.invariants.clone(), strategy.expected.clone())
                };
                let one = build(strategy.model.clone(), &strategy.how);
                let slow = build(Arc::new(scaled_model(&strategy.model)), &scaled_how(&strategy.how));
                let count = clients(&one.model);
                for seed in 0..SEEDS {
                    let (Some((run_a, fates_a)), Some((run_b, fates_b))) =
                        (fates(&one, seed, count), fates(&slow, seed, count))
                    else {
                        break;
                    };
                    let label = format!("{} {:?} {} seed {seed}", scenario.name, case.name, strategy.name);
                    assert_eq!(happenings(&fates_a), happenings(&fates_b), "{label}");
                    assert_eq!(violated(&run_a), violated(&run_b), "{label}");
                }
            }
        }
    }
}

//! Whole scenario files for `proptest`: the workload and the weather of a scenario replaced by made ones.
//!
//! They are put together from `proptest`'s own parts, so they shrink as those do: fewer clients and intents, fewer rules,
//! shorter times, seed 0.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::subject::Subject;
use crate::model::Model;
use crate::model::client::Arrival;
use crate::scenario::Draft;
use crate::scenario::json::{Json, Object};

/// The most clients of a group, and intents of a client, beyond what the scenario has.
const MORE: u32 = 4;
/// The longest start, gap, delay and downtime, in ms.
const LONGEST: u32 = 200;

/// Workloads: patches over `clients`, one for each group. Groups have 1 to 4 clients with 1 to 4 intents each, or as many as
/// the scenario gives them if that is more, and start and pause within 200 ms; those with a `script` keep some of its
/// entries. Shrink to one client with one intent that starts at once, and to the first entry of a script.
pub fn workloads(subject: &Subject) -> BoxedStrategy<Json> {
    let groups = subject.prepared.model.groups.iter().map(|group| {
        let name = group.name.clone();
        let script = subject.draft.get(&format!("/clients/{name}/script")).and_then(Json::as_list);
        let made: BoxedStrategy<Json> = match script {
            Some(entries) => {
                let some = subsequence(entries.to_vec(), 1..=entries.len().max(1));
                some.prop_map(|entries| Object::new().with("script", Json::List(entries)).into()).boxed()
            }
            None => {
                let between = match group.arrival {
                    Arrival::Closed(_) => "gap",
                    Arrival::Open(_) => "every",
                };
                let least = u32::from(between == "every");
                let parts =
                    (1..=group.count.max(MORE), 1..=group.intents.max(MORE), 0..=LONGEST, least..=LONGEST);
                let made = parts.prop_map(move |(count, intents, start, pause)| {
                    let made =
                        Object::new().with("count", i64::from(count)).with("intents", i64::from(intents));
                    let made = made.with("start", format!("0ms..{start}ms"));
                    made.with(between, format!("{least}ms..{pause}ms")).into()
                });
                made.boxed()
            }
        };
        made.prop_map(move |made| (name.clone(), made)).boxed()
    });
    let all: Vec<BoxedStrategy<(String, Json)>> = groups.collect();
    all.prop_map(|groups| {
        let mut clients = Object::new();
        for (name, made) in groups {
            clients.set(name, made);
        }
        clients.into()
    })
    .boxed()
}

/// Weathers: patches over `weather` with up to `most` fault rules, each over a point or a service that the scenario has, and
/// latencies up to 50 ms. Shrink to no rule, to rules that always hit the first of an intent, and to 1 ms.
pub fn weathers(subject: &Subject, most: usize) -> BoxedStrategy<Json> {
    let rules = vec(rule(&subject.prepared.model), 0..=most);
    (rules, 1..=50u32)
        .prop_map(|(rules, latency)| {
            let made = Object::new().with("latency", format!("1ms..{latency}ms"));
            made.with("faults", Json::List(rules)).into()
        })
        .boxed()
}

/// Whole scenarios: the subject's file under its strategy alone, with a made workload, made weather and a pinned seed, so
/// that it is one run. Shrink as their parts do.
pub fn scenarios(subject: &Subject, most: usize) -> BoxedStrategy<Draft> {
    let base = subject.alone();
    (workloads(subject), weathers(subject, most), 0..=u32::MAX)
        .prop_map(move |(clients, weather, seed)| {
            let mut draft = base.clone();
            draft.patch(Object::new().with("clients", clients).with("weather", weather));
            draft.set("/weather/seed", i64::from(seed));
            draft.set("/seeds", 1);
            draft
        })
        .boxed()
}

/// The points of a scenario by what can go wrong at them: messages, and other places for crashes.
fn points(model: &Model) -> (Vec<String>, Vec<String>) {
    let operations: Vec<String> = model.operation_ids().map(|op| model.operation_name(op)).collect();
    let flows = model.flow_ids().filter(|flow| model.flow(*flow).by.is_some());
    let flows = flows.map(|flow| model.flow(flow).name.clone());
    let (mut messages, mut commits) = (Vec::new(), Vec::new());
    for name in operations.iter().cloned().chain(flows) {
        messages.extend([format!("request {name}"), format!("reply {name}")]);
    }
    messages.extend(model.topics.iter().map(|topic| format!("event {}", topic.name)));
    commits.extend(operations.iter().map(|name| format!("commit {name}")));
    (messages, commits)
}

/// One fault rule.
fn rule(model: &Model) -> BoxedStrategy<Json> {
    let (messages, commits) = points(model);
    let services: Vec<String> = model.services.iter().map(|service| service.name.clone()).collect();
    if messages.is_empty() || commits.is_empty() {
        return Just(Json::from(Object::new())).boxed();
    }
    let selectors = (1..=3i64, select(vec!["100%", "50%", "20%", "5%"]));
    let on_message =
        (select(vec!["lose", "duplicate", "delay"]), select(messages), selectors.clone(), 1..=LONGEST)
            .prop_map(|(verb, point, (nth, chance), time)| {
                let rule = Object::new().with(verb, point).with("nth", nth).with("chance", chance);
                if verb == "delay" { rule.with("for", format!("{time}ms")) } else { rule }.into()
            });
    let strike = (
        select(vec!["crash", "pause"]),
        select(services),
        select(vec!["after", "before"]),
        select(commits),
        selectors,
        1..=LONGEST,
    )
        .prop_map(|(verb, service, when, point, (nth, chance), time)| {
            let rule = Object::new().with(verb, service).with(when, point).with("nth", nth);
            rule.with("chance", chance).with("for", format!("{time}ms")).into()
        });
    prop_oneof![3 => on_message, 2 => strike].boxed()
}

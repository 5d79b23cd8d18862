//! One document made into a model, with the strategies that run on it.
//!
//! On its [ground](super::ground): read, settle, fill; see [`super`].

use std::sync::Arc;

use super::super::fields::Fields;
use super::super::problem::Problems;
use super::super::source::Sources;
use super::effects::split_wholes;
use super::exprs::Exprs;
use super::ground::Ground;
use super::invariants::Named;
use super::names::{Index, too_many};
use super::strategies::Strategy;
use super::tables::{finish, of_service};
use super::told::Told;
use super::{clients, expect, how_lints, invariants, lints, policies, script, weather};
use crate::kernel::time::Span;
use crate::model::Model;
use crate::model::flow::{StepKind, Subscriber, Target, Topic};
use crate::model::how::{How, Idempotency, KeySource};
use crate::model::ids::{GroupId, ServiceId};
use crate::model::invariant::{Expectation, Invariant};
use crate::model::own::Host;
use crate::model::service::{Effects, Route, Service, Slot, Think};
use crate::model::symbols::Symbols;

/// The time of a statement where a service says nothing.
pub(super) const STATEMENT: Span = Span(100_000);

/// A document as the engine needs it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) model: Arc<Model>,
    pub(super) invariants: Vec<Invariant>,
    /// In the order in which they were asked for.
    pub(super) strategies: Vec<(How, Expectation)>,
    /// What nothing leads to.
    pub(super) unreached: Vec<lints::Unreached>,
    /// What is said of its strategies.
    pub(super) told: Told,
}

/// Reads a document for some of its strategies on its ground; `all` are those that `expect` may name.
pub(super) fn read<'n>(
    document: &Fields<'n>,
    ground: Ground<'n>,
    run: &[&Strategy<'_>],
    all: &[Strategy<'_>],
    sources: &Sources,
    problems: &mut Problems,
) -> World {
    let Ground {
        mut index, mut exprs, mut symbols, tables, wholes, operations, operation_tys, flows, ..
    } = ground;
    index.clients(document, problems);
    let mut group_tys = Vec::new();
    let mut groups = Vec::new();
    for group in 0..index.groups.len() as u16 {
        let (group, tys) = clients::read(GroupId(group), &index, &mut exprs, &mut symbols, problems);
        groups.push(group);
        group_tys.push(tys);
    }
    if groups.iter().map(|group| u64::from(group.count)).sum::<u64>() > clients::MOST_CLIENTS {
        too_many("clients", document.head(), problems);
    }
    let weather = weather::read(document, &index, &mut exprs, &mut symbols, sources, problems);
    let mut flow_tys = Vec::new();
    let mut all_flows = Vec::new();
    for draft in flows {
        all_flows.push(draft.flow);
        flow_tys.push(draft.tys);
    }
    let mut model = Model {
        symbols,
        services: (0..index.services.len()).map(|at| service(at, &index)).collect(),
        tables: Vec::new(),
        operations,
        flows: all_flows,
        topics: Vec::new(),
        groups,
        weather,
    };
    model.topics = topics(&model, &index);
    script::read(document, &mut model, &index, problems);

    let mut named = invariants::read(document, &model, &index, &mut exprs, problems);
    expect::check(document, all, &named, problems);
    let mut strategies: Vec<(How, Expectation)> = Vec::new();
    let mut told = Told::default();
    let mut expectations = expect::Reader::new(document, &named, &index);
    for strategy in run {
        let how = policies::resolve(strategy, &model, &index, &mut exprs, &mut told, problems);
        let expected = expectations.of(&strategy.name, &mut exprs, problems);
        strategies.push((how, expected));
    }

    exprs.report_like_names(&model.symbols, problems);
    split_wholes(&wholes, &index, &mut exprs, problems);
    exprs.settle(problems);
    model.tables = finish(tables, &index, &exprs);
    for (operation, tys) in model.operations.iter_mut().zip(&operation_tys) {
        type_slots(&mut operation.slots, tys, &exprs);
    }
    for (flow, tys) in model.flows.iter_mut().zip(&flow_tys) {
        type_slots(&mut flow.slots, tys, &exprs);
    }
    for (group, tys) in model.groups.iter_mut().zip(&group_tys) {
        type_slots(&mut group.slots, tys, &exprs);
    }
    for (topic, name) in model.topics.iter_mut().zip(&index.topics) {
        for (slot, (_, ty)) in topic.fields.iter_mut().zip(&name.columns) {
            slot.ty = exprs.known(*ty);
        }
    }
    fill(&mut model, &index, &exprs, problems);
    let intent_args = model.intent_args();
    let symbols = &mut model.symbols;
    for named in &mut named {
        invariants::fill(named, &intent_args, &exprs, symbols, problems);
    }
    for (how, expected) in &mut strategies {
        let keys = how.operations.iter_mut().map(|how| &mut how.idempotency);
        for idempotency in keys.chain(how.flows.iter_mut().map(|how| &mut how.idempotency)) {
            if let Idempotency::Key(key) = idempotency
                && let KeySource::Computed(expr) = &mut key.source
            {
                exprs.fill(expr, symbols, problems);
            }
        }
        for fact in expected.facts.iter_mut().chain(&mut expected.sometimes) {
            exprs.fill(&mut fact.that, symbols, problems);
        }
    }
    let mut unreached = lints::look(&model, &index, &named, &strategies, problems);
    for (strategy, (how, expected)) in run.iter().zip(&strategies) {
        how_lints::look(&model, &index, how, expected, strategy.head, &mut told, problems);
        unreached.extend(lints::idle_scopes(&model, &index, strategy));
    }
    let invariants = named.into_iter().map(|Named { invariant, .. }| invariant).collect();
    World { model: Arc::new(model), invariants, strategies, unreached, told }
}

fn service(at: usize, index: &Index<'_>) -> Service {
    let name = &index.services[at];
    Service {
        name: name.name.value.owned(),
        replicas: name.fields.integer("replicas").unwrap_or(1) as u32,
        route: match name.fields.word("route") {
            Some("random") => Route::Random,
            Some("sticky") => Route::Sticky,
            _ => Route::RoundRobin,
        },
        external: name.fields.flag("external").unwrap_or(false),
        statement: name.fields.fixed_time("statement").map_or(STATEMENT, Span),
        tables: of_service(index, ServiceId(at as u16)),
        operations: name.operations.clone(),
        host: name.fields.text("process").map(|name| Host { name: name.value.owned(), process: None }),
    }
}

fn topics(model: &Model, index: &Index<'_>) -> Vec<Topic> {
    let mut topics: Vec<Topic> = Vec::new();
    for name in &index.topics {
        let slot =
            |(field, _): &(String, _)| Slot { name: field.clone(), ty: crate::model::value::Type::Null };
        let key = name.fields.as_ref().and_then(|fields| fields.text("key"));
        let key = key.and_then(|key| name.columns.iter().position(|(field, _)| *field == key.value));
        topics.push(Topic {
            name: name.name.value.owned(),
            fields: name.columns.iter().map(slot).collect(),
            key: key.map(|at| at as u16),
            subscribers: Vec::new(),
        });
    }
    let operations = model.operation_ids().map(|op| (model.operation(op).on, Target::Op(op)));
    let flows = model.flow_ids().map(|flow| (model.flow(flow).on, Target::Flow(flow)));
    for (topic, target) in operations.chain(flows) {
        let Some(topic) = topic else { continue };
        let columns = &index.topics[topic.index()].columns;
        let field =
            |(arg, _): &(String, _)| columns.iter().position(|(field, _)| field == arg).map(|at| at as u16);
        let args = index.callable(target).args.iter().map(field).collect();
        topics[topic.index()].subscribers.push(Subscriber { target, args });
    }
    topics
}

fn type_slots(slots: &mut [Slot], tys: &[super::super::expr::Ty], exprs: &Exprs) {
    for (slot, ty) in slots.iter_mut().zip(tys) {
        slot.ty = exprs.known(*ty);
    }
}

/// Completes every expression of the model.
fn fill(model: &mut Model, index: &Index<'_>, exprs: &Exprs, problems: &mut Problems) {
    let symbols = &mut model.symbols;
    for operation in &mut model.operations {
        for part in &mut operation.parts {
            for (_, value) in &mut part.lets {
                exprs.fill(value, symbols, problems);
            }
            for expr in part.skip.iter_mut().chain(part.require.iter_mut().map(|require| &mut require.that)) {
                exprs.fill(expr, symbols, problems);
            }
            if let Think::Computed(expr) = &mut part.think {
                exprs.fill(expr, symbols, problems);
            }
            fill_effects(&mut part.effects, index, exprs, symbols, problems);
        }
        fill_effects(&mut operation.otherwise, index, exprs, symbols, problems);
        if let Some(reply) = &mut operation.reply {
            exprs.fill(reply, symbols, problems);
        }
    }
    for flow in &mut model.flows {
        for step in &mut flow.steps {
            let StepKind::Call(call) = &mut step.does else { continue };
            let args =
                call.action.args.iter_mut().chain(call.undo.iter_mut().flat_map(|undo| &mut undo.args));
            for expr in args.chain(&mut call.when) {
                exprs.fill(expr, symbols, problems);
            }
        }
        if let Some(reply) = &mut flow.reply {
            exprs.fill(reply, symbols, problems);
        }
    }
    for group in &mut model.groups {
        let calls = group.does.iter_mut().map(|(call, _)| call);
        for call in calls.chain(group.script.iter_mut().map(|(_, call)| call)) {
            for arg in &mut call.args {
                exprs.fill(arg, symbols, problems);
            }
        }
    }
    for fault in &mut model.weather.faults {
        if let Some(when) = &mut fault.when {
            exprs.fill(when, symbols, problems);
        }
    }
}

fn fill_effects(
    effects: &mut Effects,
    index: &Index<'_>,
    exprs: &Exprs,
    symbols: &mut Symbols,
    problems: &mut Problems,
) {
    for write in &mut effects.writes {
        exprs.fill_write(write, symbols, problems);
    }
    for publish in &mut effects.publish {
        let columns = &index.topics[publish.topic.index()].columns;
        exprs.fill_publish(publish, columns, symbols, problems);
    }
}

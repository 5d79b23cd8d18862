//! What can be run but should be looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::super::code::Code;
use super::super::problem::{Problem, Problems, did_you_mean, enumerate, quote};
use super::super::source::Place;
use super::super::tree::{Node, Text};
use super::flows::step_heads;
use super::invariants::Named;
use super::names::{Index, TopicName};
use super::strategies::{Part, Scoped, Strategy, scopes};
use crate::model::Model;
use crate::model::expr::{Expr, Read};
use crate::model::flow::{Class, Flow, Step, StepKind, Target, Topic};
use crate::model::how::{Coordination, How};
use crate::model::ids::{FlowId, ServiceId, TableId, TopicId};
use crate::model::invariant::{Expectation, InvariantKind};
use crate::model::weather::{FaultVerb, Moment};

/// An operation or flow to which nothing leads, in one world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unreached {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) what: Loose,
}

/// What kind of thing nothing leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loose {
    Operation,
    Flow,
    /// Policies of a strategy for a part in which they have nothing to govern.
    Scope,
    /// A value that no call takes.
    Value,
}

impl Unreached {
    /// Whether it is an operation or a flow that the file as written does not have.
    pub(super) fn is_new(&self, written: &super::Case) -> bool {
        let Some(model) = written.strategies.first().map(|strategy| &strategy.model) else { return false };
        match self.what {
            Loose::Operation => !model.operation_ids().any(|op| model.operation_name(op) == self.name),
            Loose::Flow => !model.flows.iter().any(|flow| flow.name == self.name),
            Loose::Scope | Loose::Value => false,
        }
    }

    /// The warnings. Policies for one part stand in many strategies: what is said of them is said once, at the first.
    pub(super) fn warnings(parts: BTreeSet<Unreached>) -> impl Iterator<Item = Problem> {
        let mut scopes: BTreeMap<&str, usize> = BTreeMap::new();
        for scope in parts.iter().filter(|part| part.what == Loose::Scope) {
            *scopes.entry(&scope.name).or_default() += 1;
        }
        let mut warnings = Vec::new();
        for part in &parts {
            let places = if part.what == Loose::Scope { scopes.remove(&*part.name) } else { Some(1) };
            warnings.extend(places.map(|places| part.warning(places)));
        }
        warnings.into_iter()
    }

    /// The warning, for so many places.
    fn warning(&self, places: usize) -> Problem {
        let name = quote(&self.name);
        let (message, hint) = match self.what {
            Loose::Operation | Loose::Flow => {
                let what = if self.what == Loose::Flow { "flow" } else { "operation" };
                (format!("nothing leads to the {what} {name}"), "no client, flow or topic calls it")
            }
            Loose::Value => (format!("no call takes the value {name}"), "name it in `does`, or leave it out"),
            Loose::Scope => {
                let here = match places - 1 {
                    0 => String::new(),
                    1 => ", here and in another place".to_owned(),
                    more => format!(", here and in {more} other places"),
                };
                (
                    format!("policies for {name} have nothing to govern{here}"),
                    "no operation writes that table, uses that topic, or belongs to that service",
                )
            }
        };
        Problem::warning(Code::Unused, self.place, message).hint(hint)
    }
}

/// Looks at a world and the strategies it is run under; says what it finds, but for what nothing leads to, which other
/// worlds may lead to.
pub(super) fn look(
    model: &Model,
    index: &Index<'_>,
    invariants: &[Named<'_>],
    strategies: &[(How, Expectation)],
    problems: &mut Problems,
) -> Vec<Unreached> {
    steps(model, index, strategies, problems);
    // With an error in it, an operation may seem to write or to tell nothing.
    if !problems.has_errors() {
        topics(model, index, problems);
        // What a process tells nobody can know.
        if model.services.iter().all(|service| service.host.is_none()) {
            unsent(model, index, &called(model), problems);
        }
        idle(model, index, invariants, problems);
    }
    let mut loose = unreached(model, index);
    values(model, index, &mut loose);
    loose
}

/// Names in `with` that no call of their group takes.
fn values(model: &Model, index: &Index<'_>, loose: &mut Vec<Unreached>) {
    for (group, named) in model.groups.iter().zip(&index.groups) {
        let mut taken: Vec<u16> = Vec::new();
        for call in group.calls() {
            taken.extend(call.args.iter().flat_map(Expr::locals));
        }
        let unused = group.slots.iter().enumerate().take(group.with.len());
        for (_, slot) in unused.filter(|(n, _)| !taken.contains(&(*n as u16))) {
            let entry = named.fields.members("with").iter().find(|entry| entry.key.value == slot.name);
            if let Some(entry) = entry {
                let (place, name) = (entry.key.place, slot.name.clone());
                loose.push(Unreached { place, name, what: Loose::Value });
            }
        }
    }
}

fn topics(model: &Model, index: &Index<'_>, problems: &mut Problems) {
    let read = |(topic, _): &(&Topic, &TopicName<'_>)| !topic.subscribers.is_empty();
    let published = |(_, name): &(&Topic, &TopicName<'_>)| name.published;
    let topics = || model.topics.iter().zip(&index.topics);
    // What is misspelled lacks the other side, and most often what was meant lacks this one.
    let meant = |name: &str, other: &dyn Fn(&(&Topic, &TopicName<'_>)) -> bool| {
        let alone = topics().filter(|topic| other(topic) && !(read(topic) && published(topic)));
        let known = alone.chain(topics().filter(|topic| read(topic) && published(topic)));
        let meant = did_you_mean(name, known.map(|(topic, _)| topic.name.as_str()));
        meant.map(|meant| format!("did you mean {}?", quote(meant)))
    };
    for (topic, name) in topics() {
        if topic.subscribers.is_empty() && name.published {
            let message = format!("nobody reads the topic {}", quote(&topic.name));
            let how = "an operation or a flow reads it with `on`";
            let hint = meant(&topic.name, &read).map_or(how.to_owned(), |meant| format!("{meant} {how}"));
            problems.push(Problem::warning(Code::DeadTopic, name.name.place, message).hint(hint));
        } else if !name.published {
            let message = format!("nobody publishes to the topic {}", quote(&topic.name));
            let problem = Problem::warning(Code::DeadTopic, name.name.place, message);
            problems.push(problem.maybe_hint(meant(&topic.name, &published)));
        }
    }
}

/// Arguments of what events run, and keys of topics, that no event has.
fn unsent(model: &Model, index: &Index<'_>, called: &[Target], problems: &mut Problems) {
    let mut sent: Vec<Vec<u16>> = vec![Vec::new(); model.topics.len()];
    for effects in model.operations.iter().flat_map(|operation| operation.all_effects()) {
        for event in &effects.publish {
            let known = &mut sent[event.topic.index()];
            known.extend(event.fields.iter().map(|(at, _)| *at));
            known.sort_unstable();
            known.dedup();
        }
    }
    for ((topic, name), sent) in model.topics.iter().zip(&index.topics).zip(&sent) {
        // That nobody publishes is told of the topic.
        if !name.published {
            continue;
        }
        let fields: Vec<&str> = sent.iter().map(|at| topic.fields[usize::from(*at)].name.as_str()).collect();
        // Who is asked without an event, too, may be handed more.
        let only =
            topic.subscribers.iter().filter(|subscriber| called.binary_search(&subscriber.target).is_err());
        let mut asked: Vec<&Text> = name.fields.iter().filter_map(|fields| fields.text("key")).collect();
        for callable in only.map(|subscriber| index.callable(subscriber.target)) {
            let args = callable.fields.list("args").iter().filter_map(|node| node.as_text());
            asked.extend(args);
        }
        for name in asked.into_iter().filter(|name| !fields.contains(&name.value.as_str())) {
            let message = format!("no event of {} has the field {}", quote(&topic.name), quote(&name.value));
            // Of a record that is told as a whole only what somebody asks for is known here.
            let have = (!fields.is_empty())
                .then(|| format!("they have {}", enumerate(fields.iter().copied(), "and")));
            let meant = did_you_mean(&name.value, fields.iter().copied());
            let meant = meant.map(|meant| format!("did you mean {}?", quote(meant)));
            let hint: Vec<String> = meant.into_iter().chain(have).collect();
            let hint = (!hint.is_empty()).then(|| hint.join(" "));
            problems.push(Problem::warning(Code::Unsent, name.place, message).maybe_hint(hint));
        }
    }
}

fn steps(model: &Model, index: &Index<'_>, strategies: &[(How, Expectation)], problems: &mut Problems) {
    for ((id, flow), name) in model.flow_ids().zip(&model.flows).zip(&index.flows) {
        let heads = step_heads(&name.fields);
        // With an error among the steps they cannot be told apart.
        if heads.len() != flow.steps.len() {
            continue;
        }
        // Calls, or one transaction, undo nothing, insist on nothing and end with a refusal.
        if !seen_through(id, flow, strategies) {
            continue;
        }
        stays(flow, &heads, model, problems);
        for (step, node) in flow.steps.iter().zip(heads) {
            let StepKind::Call(call) = &step.does else { continue };
            if call.class == Class::Compensatable && call.undo.is_none() {
                let problem = Problem::warning(Code::NoUndo, node.head(), "this step has no `undo`");
                problems.push(problem.hint("name the call that compensates it, or another `class`"));
            }
            let required = call.class == Class::Retriable && !call.optional;
            if required && may_refuse(call.action.target, model) {
                let message = "this step is repeated until it succeeds, and may be refused";
                let problem = Problem::warning(Code::Refusable, node.head(), message);
                problems.push(problem.hint("give it an `undo`, or make it the `pivot`"));
            }
        }
    }
}

/// Whether some strategy sees a flow to its end: undoes what was done, or asks for a step until it succeeds. One without a
/// home is calls whatever a strategy says.
fn seen_through(id: FlowId, flow: &Flow, strategies: &[(How, Expectation)]) -> bool {
    let sees = |how: &How| {
        let coordination = &how.flows[id.index()].coordination;
        matches!(coordination, Coordination::Saga(_) | Coordination::Choreography { .. })
    };
    flow.by.is_some() && strategies.iter().any(|(how, _)| sees(how))
}

/// Steps that can neither be undone nor are the last that may fail: one behind them may be refused.
fn stays(flow: &Flow, heads: &[&Node], model: &Model, problems: &mut Problems) {
    let refusable = |step: &Step| match &step.does {
        StepKind::Call(call) => {
            !call.optional && call.class != Class::Retriable && may_refuse(call.action.target, model)
        }
        StepKind::Wait(_) => false,
    };
    let Some(last) = flow.steps.iter().rposition(refusable) else { return };
    for (step, node) in flow.steps[..last].iter().zip(heads) {
        let StepKind::Call(call) = &step.does else { continue };
        let stays = matches!(call.class, Class::Retriable | Class::Pivot) && call.undo.is_none();
        // One that should not be retriable in the first place is told so.
        let told = call.class == Class::Retriable && !call.optional && may_refuse(call.action.target, model);
        if stays && !told && step.group < flow.steps[last].group {
            let message = "this step cannot be undone, and a later one may be refused";
            let problem = Problem::warning(Code::NoUndo, node.head(), message);
            let problem = problem.also(heads[last].head(), "this one may be refused");
            problems.push(problem.hint("give it an `undo`, or do what may be refused first"));
        }
    }
}

fn may_refuse(target: Target, model: &Model) -> bool {
    match target {
        Target::Op(op) => model.operation(op).parts.iter().any(|part| !part.require.is_empty()),
        Target::Flow(_) => false,
    }
}

/// Invariants over tables that nobody writes.
fn idle(model: &Model, index: &Index<'_>, invariants: &[Named<'_>], problems: &mut Problems) {
    let effects = model.operations.iter().flat_map(|operation| operation.all_effects());
    let mut written: Vec<TableId> =
        effects.flat_map(|effects| effects.writes.iter().map(|write| write.table)).collect();
    // What a process does nobody can tell: it may write all tables of its service.
    let hosted = model.services.iter().filter(|service| service.host.is_some());
    written.extend(hosted.flat_map(|service| service.tables.iter().copied()));
    written.sort_unstable();
    written.dedup();
    for named in invariants {
        let tables: Vec<TableId> = match &named.invariant.kind {
            InvariantKind::Always(expr) | InvariantKind::AtRest(expr) | InvariantKind::Constant(expr) => {
                tables_of(expr)
            }
            InvariantKind::AtMostOne { table, .. } | InvariantKind::NoOrphan { table, .. } => vec![*table],
            InvariantKind::NoLostUpdate { tables, .. }
            | InvariantKind::NoDuplicateEffect(tables)
            | InvariantKind::AckedIsDurable(tables)
            | InvariantKind::NoLeak(tables) => tables.clone(),
            _ => Vec::new(),
        };
        if !tables.is_empty() && tables.iter().all(|table| written.binary_search(table).is_err()) {
            let names: Vec<String> = tables.iter().map(|table| index.table_name(*table)).collect();
            let message = format!("nobody writes what this invariant is about: {}", names.join(", "));
            problems.push(Problem::warning(Code::Idle, named.name.place, message));
        }
    }
}

fn tables_of(expr: &Expr) -> Vec<TableId> {
    let table = |read| match read {
        Read::Exists(table) | Read::Scan(table) | Read::Column(table, _) => table,
    };
    let mut tables: Vec<TableId> = expr.reads().into_iter().map(table).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

/// What clients and steps of flows ask for.
fn called(model: &Model) -> Vec<Target> {
    let clients = model.groups.iter().flat_map(|group| group.calls()).map(|call| call.target);
    let steps = model.flows.iter().flat_map(|flow| &flow.steps).flat_map(|step| match &step.does {
        StepKind::Call(call) => {
            [Some(call.action.target), call.undo.as_ref().map(|undo| undo.target)].into_iter().flatten()
        }
        StepKind::Wait(_) => [None, None].into_iter().flatten(),
    });
    let mut called: Vec<Target> = clients.chain(steps).collect();
    called.sort_unstable();
    called.dedup();
    called
}

fn unreached(model: &Model, index: &Index<'_>) -> Vec<Unreached> {
    let mut operations = vec![false; model.operations.len()];
    let mut flows = vec![false; model.flows.len()];
    let clients = model.groups.iter().flat_map(|group| {
        let calls = group.does.iter().map(|(call, _)| call.target);
        calls.chain(group.script.iter().map(|(_, call)| call.target))
    });
    let events = model.topics.iter().flat_map(|topic| topic.subscribers.iter().map(|sub| sub.target));
    let mut open: Vec<Target> = clients.chain(events).collect();
    while let Some(target) = open.pop() {
        match target {
            Target::Op(op) => operations[op.index()] = true,
            Target::Flow(flow) => {
                if std::mem::replace(&mut flows[flow.index()], true) {
                    continue;
                }
                for step in &model.flow(flow).steps {
                    if let StepKind::Call(call) = &step.does {
                        open.push(call.action.target);
                        open.extend(call.undo.as_ref().map(|undo| undo.target));
                    }
                }
            }
        }
    }
    if model.services.iter().any(|service| service.host.is_some()) {
        // A process may ask for anything.
        return Vec::new();
    }
    let operations = model.operation_ids().filter(|op| !operations[op.index()]).map(Target::Op);
    let flows = model.flow_ids().filter(|flow| !flows[flow.index()]).map(Target::Flow);
    let unreached = |target| Unreached {
        place: index.callable(target).name.place,
        name: index.target_name(target),
        what: if matches!(target, Target::Flow(_)) { Loose::Flow } else { Loose::Operation },
    };
    operations.chain(flows).map(unreached).collect()
}

/// The scopes of a strategy that have no effect, whatever they say.
pub(super) fn idle_scopes(model: &Model, index: &Index<'_>, strategy: &Strategy<'_>) -> Vec<Unreached> {
    if model.services.iter().any(|service| service.host.is_some()) {
        // A process may write and tell anything.
        return Vec::new();
    }
    let writes = |table| {
        let mut effects = model.operations.iter().flat_map(|operation| operation.all_effects());
        effects.any(|effects| effects.writes.iter().any(|write| write.table == table))
    };
    let uses = |topic: TopicId| {
        let mut effects = model.operations.iter().flat_map(|operation| operation.all_effects());
        !model.topic(topic).subscribers.is_empty()
            || effects.any(|effects| effects.publish.iter().any(|publish| publish.topic == topic))
    };
    let works = |service: ServiceId| {
        !model.service(service).operations.is_empty()
            || model.flows.iter().any(|flow| flow.by == Some(service))
    };
    // What is wrong with the scopes was reported when the strategy was resolved.
    let scopes = scopes(strategy, index, &mut Problems::new());
    let idle = scopes.into_iter().filter(|scope| match scope.part {
        Part::Table(table) => !writes(table),
        Part::Topic(topic) => !uses(topic),
        Part::Service(service) => !works(service),
        Part::Group(_) | Part::Flow(_) | Part::Op(_) => false,
    });
    let unreached = |scope: Scoped<'_>| Unreached {
        place: scope.key.place,
        name: scope.key.value.owned(),
        what: Loose::Scope,
    };
    idle.map(unreached).collect()
}

/// Why a fault can never strike, if so.
pub(super) fn never(
    fault: &crate::model::weather::Fault,
    heal: crate::kernel::time::Time,
) -> Option<&'static str> {
    if fault.chance.is_none() {
        return Some("its chance is zero");
    }
    if fault.during.is_some_and(|(from, to)| from >= heal || from >= to) {
        return Some("no fault is decided in that stretch of time");
    }
    let moment = match &fault.verb {
        FaultVerb::Crash(_, moment, _) | FaultVerb::Pause(_, moment, _) | FaultVerb::Cut(_, moment, _) => {
            moment
        }
        _ => return None,
    };
    match moment {
        Moment::At(at) if *at >= heal => Some("no fault is decided after `heal`"),
        Moment::Every(every) if every.min().0 >= heal.0 => Some("no fault is decided after `heal`"),
        _ => None,
    }
}

//! What observers need to know of a model before any record comes: which tables an operation can change, directly or
//! through what it tells, and what the steps of a flow are to each other.
//!
//! Sets of tables are words with one bit a table; tables from the 64th on share the last bit, which can only make an
//! observer look at more than it must.

use std::collections::BTreeMap;

use super::around::Around;
use crate::model::Model;
use crate::model::flow::{Call, CallStep, Class, StepKind, Target};
use crate::model::how::Coordination;
use crate::model::ids::{OpId, TableId};
use crate::model::plan::Plan;
use crate::model::record::{FLOW, StepRole};

/// All tables.
pub(super) const ALL_TABLES: u64 = u64::MAX;

/// The set of one table.
#[inline]
pub(super) fn bit(table: u16) -> u64 {
    1 << table.min(63)
}

/// The set of these tables; of none: all.
pub(super) fn watch(tables: &[TableId]) -> u64 {
    match tables {
        [] => ALL_TABLES,
        some => some.iter().fold(0, |set, table| set | bit(table.0)),
    }
}

/// What is known of a flow. Sets of steps have bit n for step n.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowFacts {
    /// How many steps there are.
    pub(super) count: usize,
    /// Calls that must succeed.
    pub(super) required: u64,
    /// Calls with a condition.
    pub(super) conditional: u64,
    /// Calls that can change a row.
    pub(super) writing: u64,
    /// Calls that can be undone.
    pub(super) compensatable: u64,
    /// Steps in front of the pivot; none without one.
    pub(super) before_pivot: u64,
    /// Retriable steps behind the pivot.
    pub(super) after_pivot: u64,
    /// The pivot, or 0.
    pub(super) pivot: u64,
    /// For each step those in front of it whose answers it uses.
    pub(super) builds_on: Vec<u64>,
    /// For each step its group: steps of one group start at once.
    pub(super) groups: Vec<u16>,
    /// Steps that a flow does or undoes.
    pub(super) nested: u64,
    /// A saga coordinates it.
    pub(super) saga: bool,
    /// For each step the operations of its action and of its compensation.
    ops: Vec<[Option<u16>; 2]>,
    /// For each step the tables that its action can change.
    pub(super) step_tables: Vec<u64>,
    /// The tables that it can change.
    pub(super) tables: u64,
}

/// What is known of a model.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    op_tables: Vec<u64>,
    op_writes: Vec<bool>,
    topic_tables: Vec<u64>,
    around: Around,
    pub(super) flows: Vec<FlowFacts>,
    /// By operation, step and role the first flow in which it is that.
    by_step: BTreeMap<(u16, u8, bool), u16>,
    /// Nodes below this number are replicas.
    pub(super) replicas: u32,
    /// Some flow is merged: one transaction has several commits.
    pub(super) merged: bool,
}

impl Facts {
    pub(super) fn of(model: &Model, plan: &Plan) -> Facts {
        let mut facts = Facts {
            op_tables: vec![0; model.operations.len()],
            op_writes: model.operations.iter().map(|operation| operation.writes()).collect(),
            topic_tables: vec![0; model.topics.len()],
            around: Around::default(),
            flows: model.flows.iter().map(|flow| FlowFacts::of(&flow.steps)).collect(),
            by_step: BTreeMap::new(),
            replicas: plan.nodes.databases,
            merged: plan.flows.iter().any(|flow| flow.merged.is_some()),
        };
        for (flow, plan) in facts.flows.iter_mut().zip(&plan.flows) {
            flow.saga = matches!(plan.coordination, Coordination::Saga(_));
        }
        for (at, flow) in facts.flows.iter().enumerate() {
            for (step, ops) in flow.ops.iter().enumerate() {
                for (op, undo) in ops.iter().zip([false, true]) {
                    if let Some(op) = op {
                        facts.by_step.entry((*op, step as u8, undo)).or_insert(at as u16);
                    }
                }
            }
        }
        // Operations tell topics, topics run operations and flows, flows call operations and flows: round and round
        // until nothing is added, which is soon, as sets only grow.
        while facts.grow(model) {}
        facts.around = Around::of(model, plan, facts.flows.iter().map(|flow| flow.tables));
        facts
    }

    fn grow(&mut self, model: &Model) -> bool {
        let mut grown = false;
        let mut join = |set: &mut u64, more: u64| {
            grown |= *set | more != *set;
            *set |= more;
        };
        for (op, operation) in model.operations.iter().enumerate() {
            if operation.hosted {
                // Whom a process asks for what, nobody can tell from outside.
                join(&mut self.op_tables[op], ALL_TABLES);
            }
            for effects in operation.all_effects() {
                let written = effects.writes.iter().fold(0, |set, write| set | bit(write.table.0));
                let told = effects.publish.iter().map(|event| self.topic_tables[event.topic.index()]);
                join(&mut self.op_tables[op], told.fold(written, |set, more| set | more));
            }
        }
        for (at, topic) in model.topics.iter().enumerate() {
            let run = topic.subscribers.iter().map(|subscriber| self.tables_of(subscriber.target));
            let run = run.fold(0, |set, more| set | more);
            join(&mut self.topic_tables[at], run);
        }
        for (at, flow) in model.flows.iter().enumerate() {
            for (n, step) in flow.steps.iter().enumerate() {
                let StepKind::Call(call) = &step.does else { continue };
                let action = self.tables_of(call.action.target);
                let undo = call.undo.as_ref().map_or(0, |undo| self.tables_of(undo.target));
                let writes = match call.action.target {
                    Target::Op(op) => self.op_writes[op.index()],
                    Target::Flow(flow) => self.flows[flow.index()].writing != 0,
                };
                join(&mut self.flows[at].step_tables[n], action);
                join(&mut self.flows[at].tables, action | undo);
                join(&mut self.flows[at].writing, u64::from(writes) << n);
            }
        }
        grown
    }

    fn tables_of(&self, target: Target) -> u64 {
        match target {
            Target::Op(op) => self.op_tables[op.index()],
            Target::Flow(flow) => self.flows[flow.index()].tables,
        }
    }

    /// The tables that may change because of an operation, or a flow with [`FLOW`] added.
    pub(super) fn tables(&self, op: u16) -> u64 {
        match op & FLOW {
            0 => self.op_tables.get(usize::from(op)).copied().unwrap_or(0),
            _ => self.flow(op).map_or(0, |flow| flow.tables),
        }
    }

    /// The tables that may change because of an operation, or a flow, or because of the flow whose step it is when it is done
    /// for an intent with this target.
    pub(super) fn tables_around(&self, op: u16, target: u16) -> u64 {
        self.tables(op) | self.around.tables(op, target)
    }

    /// The same for what comes with a letter that takes a flow from step to step.
    pub(super) fn tables_carried(&self, op: u16, target: u16) -> u64 {
        self.tables(op) | self.around.carried(op, target)
    }

    /// The tables of flows that letters take from step to step for an intent with this target.
    pub(super) fn tables_of_letters(&self, target: u16) -> u64 {
        self.around.letters(target)
    }

    /// The tables that may change because of an event.
    pub(super) fn topic_tables(&self, topic: u16) -> u64 {
        self.topic_tables.get(usize::from(topic)).copied().unwrap_or(0)
    }

    /// Whether an operation, or a flow with [`FLOW`] added, can change a row.
    pub(super) fn writes(&self, op: u16) -> bool {
        match op & FLOW {
            0 => self.op_writes.get(usize::from(op)).copied().unwrap_or(false),
            _ => self.flow(op).is_some_and(|flow| flow.writing != 0),
        }
    }

    /// Whether a flow carries out a step of another one.
    pub(super) fn calls_flows(&self) -> bool {
        self.flows.iter().any(|flow| flow.nested != 0)
    }

    /// The flow behind a number with [`FLOW`] added.
    pub(super) fn flow(&self, op: u16) -> Option<&FlowFacts> {
        if op & FLOW == 0 { None } else { self.flows.get(usize::from(op & !FLOW)) }
    }

    /// The flow in which this operation is this step, the intent's own first.
    pub(super) fn flow_with(&self, target: u16, op: u16, step: u8, role: StepRole) -> Option<u16> {
        let fits = |flow: &FlowFacts| {
            flow.ops.get(usize::from(step)).is_some_and(|ops| ops[role as usize] == Some(op))
        };
        if self.flow(target).is_some_and(fits) {
            return Some(target & !FLOW);
        }
        self.by_step.get(&(op, step, role == StepRole::Undo)).copied()
    }
}

fn op_of(call: &Call) -> Option<u16> {
    match call.target {
        Target::Op(OpId(op)) => Some(op),
        Target::Flow(_) => None,
    }
}

impl FlowFacts {
    fn of(steps: &[crate::model::flow::Step]) -> FlowFacts {
        let steps = &steps[..steps.len().min(64)];
        let calls: Vec<Option<&CallStep>> = steps
            .iter()
            .map(|step| match &step.does {
                StepKind::Call(call) => Some(&**call),
                StepKind::Wait(_) => None,
            })
            .collect();
        let those = |test: &dyn Fn(usize, &CallStep) -> bool| {
            let is = |(n, call): (usize, &Option<&CallStep>)| call.is_some_and(|call| test(n, call));
            calls.iter().enumerate().fold(0, |set, (n, call)| set | u64::from(is((n, call))) << n)
        };
        let group = |n: usize| steps[n].group;
        let pivot = calls.iter().position(|call| call.is_some_and(|call| call.class == Class::Pivot));
        let builds_on = |call: &CallStep| {
            let mut slots: Vec<u16> = call.action.args.iter().flat_map(|arg| arg.locals()).collect();
            slots.extend(call.when.iter().flat_map(|when| when.locals()));
            those(&|_, earlier| earlier.bind.is_some_and(|slot| slots.contains(&slot)))
        };
        FlowFacts {
            count: steps.len(),
            required: those(&|_, call| !call.optional),
            conditional: those(&|_, call| call.when.is_some()),
            writing: 0,
            compensatable: those(&|_, call| call.undo.is_some()),
            before_pivot: pivot.map_or(0, |pivot| those(&|n, _| group(n) < group(pivot))),
            after_pivot: pivot.map_or(0, |pivot| {
                those(&|n, call| group(n) > group(pivot) && call.class == Class::Retriable)
            }),
            pivot: pivot.map_or(0, |pivot| 1 << pivot),
            builds_on: calls.iter().map(|call| call.map_or(0, builds_on)).collect(),
            groups: steps.iter().map(|step| step.group).collect(),
            nested: those(&|_, call| {
                let undo = call.undo.as_ref();
                [Some(&call.action), undo].iter().flatten().any(|call| matches!(call.target, Target::Flow(_)))
            }),
            saga: false,
            ops: calls
                .iter()
                .map(|call| {
                    let call = call.as_ref();
                    [
                        call.and_then(|call| op_of(&call.action)),
                        call.and_then(|call| call.undo.as_ref()).and_then(op_of),
                    ]
                })
                .collect(),
            step_tables: vec![0; steps.len()],
            tables: 0,
        }
    }
}

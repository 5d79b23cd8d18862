//! Flows: who coordinates their steps, and the one program of a merged flow.

use super::Compiler;
use super::operation::{Body, body, key_plan, lock_told, merged_tail, part_steps, publishes, writes};
use super::rewrite::shift;
use super::writes::Frame;
use crate::kernel::time::Span;
use crate::model::expr::Code;
use crate::model::flow::{Call, CallStep, Class, Flow, StepKind, Target};
use crate::model::how::{
    Caller, Coordination, FlowHow, KeyStore, OccScope, OnConflict, PublishPolicy, StoreLevel, WritePolicy,
};
use crate::model::ids::{FlowId, OpId};
use crate::model::plan::{FlowPlan, NotApplicable, StepPlan};
use crate::model::service::By;
use crate::model::step::{MergedStep, Program, Step};

pub(super) fn compile(compiler: &mut Compiler<'_>, id: FlowId) -> FlowPlan {
    let model = compiler.model.clone();
    let flow = model.flow(id);
    let how = compiler.how.flows[id.index()].clone();
    let caller = Caller::Flow(id, flow.by);
    let steps: Vec<StepPlan> = flow.steps.iter().map(|step| step_plan(compiler, caller, step)).collect();
    let pivot = steps.iter().position(|step| step.action.is_some() && step.class == Class::Pivot);
    let mut plan = FlowPlan {
        coordination: how.coordination.clone(),
        key: key_plan(&how.idempotency),
        publish: how.publish.clone(),
        slots: flow.slots.len() as u16,
        groups: FlowPlan::groups(&steps),
        steps,
        reply: flow.reply.as_ref().map(Code::compile),
        merged: None,
        pivot: pivot.map(|step| step as u8),
    };
    let by_caller = |call: &Call| match call.target {
        Target::Op(op) => compiler.how.operations[op.index()].by == By::Caller,
        Target::Flow(_) => false,
    };
    let fetches =
        calls(flow).any(|step| by_caller(&step.action) || step.undo.as_ref().is_some_and(by_caller));
    let feasible = feasible(flow, &how.coordination, fetches);
    if let Err(why) = feasible.and_then(|()| marks_steps(compiler, flow, &how)) {
        compiler.refused.push(NotApplicable { op: None, flow: Some(id), why });
        return plan;
    }
    if how.coordination == Coordination::Merged {
        match merged(compiler, flow, &plan) {
            Ok(program) => plan.merged = Some(compiler.add(program)),
            Err(why) => compiler.refused.push(NotApplicable { op: None, flow: Some(id), why }),
        }
    }
    plan
}

fn step_plan(compiler: &mut Compiler<'_>, caller: Caller, step: &crate::model::flow::Step) -> StepPlan {
    let mut plan = StepPlan {
        group: step.group,
        action: None,
        wait: None,
        when: None,
        bind: None,
        undo: None,
        class: Class::ReadOnly,
        optional: false,
    };
    match &step.does {
        StepKind::Wait(dist) => plan.wait = Some(*dist),
        StepKind::Call(call) => {
            plan.action = Some(compiler.call(caller, &call.action));
            plan.undo = call.undo.as_ref().map(|undo| compiler.call(caller, undo));
            plan.when = call.when.as_ref().map(Code::compile);
            plan.bind = call.bind;
            plan.class = call.class;
            plan.optional = call.optional;
        }
    }
    plan
}

fn calls(flow: &Flow) -> impl Iterator<Item = &CallStep> {
    flow.steps.iter().filter_map(|step| match &step.does {
        StepKind::Call(call) => Some(&**call),
        StepKind::Wait(_) => None,
    })
}

/// Whether a flow can be coordinated like this at all.
fn feasible(flow: &Flow, coordination: &Coordination, fetches: bool) -> Result<(), String> {
    let name = &flow.name;
    if matches!(coordination, Coordination::Calls { .. }) {
        return Ok(());
    }
    if flow.by.is_none() {
        return Err(format!(
            "flow `{name}` has no `by`: it runs at its caller and can only be carried out by calls"
        ));
    }
    let nested = calls(flow).any(|call| matches!(call.action.target, Target::Flow(_)));
    let at_once = flow.steps.windows(2).any(|pair| pair[0].group == pair[1].group);
    let waits = flow.steps.iter().any(|step| matches!(step.does, StepKind::Wait(_)));
    match coordination {
        Coordination::FireAndForget | Coordination::Choreography { .. } if fetches => Err(format!(
            "flow `{name}` has a step that is run by its caller, and no caller waits for what it fetches"
        )),
        Coordination::FireAndForget if calls(flow).any(|call| call.bind.is_some()) => {
            Err(format!("flow `{name}` uses the reply of a step, and fire-and-forget waits for none"))
        }
        Coordination::Choreography { .. } if nested || at_once || waits => Err(format!(
            "flow `{name}` calls another flow, has steps at once or waits, and no service could tell the next"
        )),
        Coordination::Merged if nested || waits => {
            Err(format!("flow `{name}` calls another flow or waits, and cannot be one transaction"))
        }
        _ => Ok(()),
    }
}

/// Whether each step has a transaction for what is to be noted in it of the flow: that it was done, or what comes next.
fn marks_steps(compiler: &Compiler<'_>, flow: &Flow, how: &FlowHow) -> Result<(), String> {
    let what = match &how.coordination {
        Coordination::Saga(saga) if saga.fence => "the mark of its fence",
        Coordination::Choreography { .. } if matches!(how.publish, PublishPolicy::Outbox(_)) => {
            "its next event"
        }
        _ => return Ok(()),
    };
    for call in calls(flow).flat_map(|step| std::iter::once(&step.action).chain(&step.undo)) {
        let Target::Op(op) = call.target else { continue };
        let model = compiler.model;
        let ours = !model.service(model.operation(op).service).external;
        let writes = model.operation(op).all_effects().any(|effects| !effects.writes.is_empty());
        if compiler.how.operations[op.index()].store == StoreLevel::None && ours && writes {
            return Err(format!(
                "flow `{}` leaves {what} in the transaction of each step, and the store of `{}` has none",
                flow.name,
                model.operation_name(op)
            ));
        }
    }
    Ok(())
}

/// One program for all steps: the services become one and the steps one transaction.
fn merged(compiler: &Compiler<'_>, flow: &Flow, plan: &FlowPlan) -> Result<Program, String> {
    let mut frame = Frame::behind(plan.slots);
    let whole = format!("flow `{}`", flow.name);
    let mut steps = Vec::new();
    let mut parts = Vec::new();
    let mut merged = Vec::new();
    let store = plan.key.as_ref().map(|key| key.policy.store);
    if store.is_some() {
        steps.push(Step::KeyLookup);
    }
    if store == Some(KeyStore::Before) {
        steps.push(Step::KeyEarly);
    }
    let redo = steps.len() as u16;
    steps.push(Step::Begin);
    if store == Some(KeyStore::With) {
        steps.push(Step::KeyClaim);
    }
    let mut first = None;
    // What steps do when they refuse and the flow with them: it comes behind the flow's own end.
    let mut excuses = Vec::new();
    for (number, step) in flow.steps.iter().enumerate() {
        let StepKind::Call(call) = &step.does else { continue };
        let Target::Op(op) = call.action.target else { continue };
        first.get_or_insert(op);
        let operation = compiler.model.operation(op);
        mergeable(compiler, op).map_err(|why| format!("{whole} {why}"))?;
        let how = &compiler.how.operations[op.index()];
        let base = frame.take(operation.slots.len());
        frame.offset = base;
        frame.suffices(&whole)?;
        let body: Body = body(compiler, op, &how.write, &mut frame)?;
        let index = merged.len() as u8;
        steps.push(Step::Enter(index));
        let from = parts.len();
        if !compiler.fair {
            steps.push(Step::Weather(from as u8));
        }
        for mut part in body.parts {
            let n = parts.len() as u8;
            part.merged = index;
            part_steps(&part, n, &mut steps);
            parts.push(part);
            parts[n as usize].skip_to = steps.len() as u16;
        }
        parts[from].skip_to = steps.len() as u16;
        lock_told(&parts, from as u8..parts.len() as u8, &mut steps);
        steps.push(Step::Leave(index));
        let refuse = steps.len() as u16;
        let otherwise = body.otherwise.is_some();
        match body.otherwise {
            Some(mut part) if call.optional => {
                part.merged = index;
                writes(&part, parts.len() as u8, &mut steps);
                parts.push(part);
            }
            Some(part) => excuses.push((index, part)),
            None => {}
        }
        let next = steps.len() as u16;
        let reply = operation.reply.as_ref().map(|reply| Code::compile(&shift(reply, base)));
        merged.push(MergedStep {
            op,
            when: call.when.as_ref().map(Code::compile),
            step: number as u8,
            args: (call.action.args.iter().zip(base..))
                .map(|(arg, slot)| (Code::compile(arg), slot))
                .collect(),
            next,
            optional: call.optional,
            otherwise,
            refuse,
            conflict: match &how.write {
                WritePolicy::Occ(occ) => (occ.on_conflict, occ.tries),
                _ => (OnConflict::Reject, None),
            },
            lock_wait: match how.write {
                WritePolicy::Lock { wait } => wait,
                _ => Span::MAX,
            },
            verify: matches!(&how.write, WritePolicy::Occ(occ) if occ.scope == OccScope::Reads),
            bind: call.bind.zip(reply).map(|(slot, code)| (code, slot)),
        });
    }
    if parts.len() + excuses.len() > u8::MAX as usize {
        return Err(format!("{whole} has more than {} parts, too many for one transaction", u8::MAX));
    }
    frame.suffices(&whole)?;
    merged_tail(&parts, 0, store, &plan.publish, &mut steps);
    let refuse = steps.len() as u16;
    match store {
        Some(KeyStore::With) => steps.extend([Step::KeyStore, Step::Commit, Step::End]),
        Some(KeyStore::After) => steps.extend([Step::KeyLate, Step::End]),
        _ => steps.push(Step::End),
    }
    for step in merged.iter_mut().filter(|step| !step.optional) {
        step.refuse = refuse;
    }
    for (index, mut part) in excuses {
        let n = parts.len();
        part.merged = index;
        merged[index as usize].refuse = steps.len() as u16;
        writes(&part, n as u8, &mut steps);
        parts.push(part);
        merged_tail(&parts, n, store, &plan.publish, &mut steps);
    }
    let op = first.ok_or_else(|| format!("{whole} has no step to merge"))?;
    Ok(Program {
        op,
        steps,
        refuse,
        redo,
        frame: frame.next,
        args: flow.args,
        publishes: publishes(&parts),
        parts,
        reply: plan.reply.clone(),
        key: plan.key.clone(),
        conflict: (OnConflict::Reject, None),
        loose: false,
        lock_wait: Span::MAX,
        is_fetch: false,
        read_only: false,
        merged,
        custom: Vec::new(),
        custom_slots: (0, 0),
    })
}

/// Whether an operation can be a part of a transaction over several services; if not, why.
fn mergeable(compiler: &Compiler<'_>, op: OpId) -> Result<(), String> {
    let operation = compiler.model.operation(op);
    let name = || compiler.model.operation_name(op);
    if operation.hosted || compiler.how.own.is_some() {
        Err("has steps in Rust, which cannot be merged into one transaction".into())
    } else if compiler.model.service(operation.service).external {
        Err(format!("cannot be merged into one transaction: `{}` belongs to an external system", name()))
    } else if compiler.how.operations[op.index()].store == StoreLevel::None {
        Err(format!("cannot be merged into one transaction: the store of `{}` has none", name()))
    } else {
        Ok(())
    }
}

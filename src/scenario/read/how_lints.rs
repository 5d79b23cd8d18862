//! What should be looked at in a strategy. Weak strategies stand in files on purpose, beside good ones, so these lints
//! speak only of a strategy that the file expects to hold throughout: what they find there is a gap that its author has
//! not seen, or that the weather of this file happens not to show.

use super::super::code::Code;
use super::super::problem::{Problem, Problems, quote};
use super::super::source::Place;
use super::flows::step_heads;
use super::names::Index;
use super::told::Told;
use crate::kernel::time::Span;
use crate::model::Model;
use crate::model::expr::Read;
use crate::model::flow::{CallStep, Flow, StepKind, Target};
use crate::model::how::{
    Backoff, Caller, Coordination, How, Idempotency, KeySource, OnTimeout, Register, Retry, WritePolicy,
};
use crate::model::ids::{FlowId, GroupId, OpId};
use crate::model::invariant::{Expectation, Verdict};
use crate::model::service::{Address, By, Operation, Verb, Write};

/// Looks at a strategy; `head` is the place of its name. What may be said of others, too, is left to `told`.
pub(super) fn look(
    model: &Model,
    index: &Index<'_>,
    how: &How,
    expected: &Expectation,
    head: Place,
    told: &mut Told,
    problems: &mut Problems,
) {
    if !promised(expected) {
        return;
    }
    let looker = Looker { model, index, how, head };
    looker.repeated(told);
    looker.forgotten(told);
    looker.compared(told);
    for (id, flow) in model.flow_ids().zip(&model.flows) {
        looker.across(id, flow, told);
        looker.undone(id, flow, problems);
    }
}

/// Whether a file expects a strategy to hold in every respect.
fn promised(expected: &Expectation) -> bool {
    let rest = [expected.overall, expected.every].into_iter().flatten();
    let mut verdicts = rest.clone().chain(expected.by_invariant.iter().map(|(_, verdict)| *verdict));
    rest.count() > 0 && verdicts.all(|verdict| verdict == Verdict::Holds)
}

struct Looker<'l, 'n> {
    model: &'l Model,
    index: &'l Index<'n>,
    how: &'l How,
    head: Place,
}

impl Looker<'_, '_> {
    /// All calls that are made: by whom, of what.
    fn calls(&self) -> Vec<(Caller, Target)> {
        let mut calls = Vec::new();
        for (group, of) in (0..).zip(&self.model.groups) {
            calls.extend(of.calls().map(|call| (Caller::Group(GroupId(group)), call.target)));
        }
        for (id, flow) in self.model.flow_ids().zip(&self.model.flows) {
            // Under the others a step is asked for once, or is no message at all.
            let repeats = matches!(self.coordination(id), Coordination::Calls { .. } | Coordination::Saga(_));
            for call in steps(flow).filter(|_| repeats) {
                let undo =
                    call.undo.iter().filter(|_| matches!(self.coordination(id), Coordination::Saga(_)));
                let targets = [&call.action].into_iter().chain(undo).map(|call| call.target);
                calls.extend(targets.map(|target| (Caller::Flow(id, flow.by), target)));
            }
        }
        calls
    }

    fn coordination(&self, flow: FlowId) -> &Coordination {
        &self.how.flows[flow.index()].coordination
    }

    fn said(&self, code: Code, message: String, hint: &'static str, told: &mut Told) {
        told.say(code, message, hint, self.head, &self.how.name);
    }

    /// Operations that are repeated, do it again when they are, and do not know that they are.
    fn repeated(&self, told: &mut Told) {
        let mut said: Vec<OpId> = Vec::new();
        for (caller, target) in self.calls() {
            let Target::Op(op) = target else { continue };
            let retry = self.how.retry(caller, target);
            if retry.attempts == Some(1) || said.contains(&op) || !self.adds_up(op, retry) {
                continue;
            }
            said.push(op);
            let name = quote(&self.model.operation_name(op));
            let message = format!("{name} may be carried out once for every attempt, and nothing notices");
            let hint = "give it an `idempotency` key, or a `skip` that sees what was done";
            self.said(Code::Repeated, message, hint, told);
        }
    }

    /// Whether carrying out an operation twice leaves more than carrying it out once.
    fn adds_up(&self, op: OpId, retry: &Retry) -> bool {
        let (operation, how) = (self.model.operation(op), &self.how.operations[op.index()]);
        let own_key = match &how.idempotency {
            Idempotency::Key(key) => key.source != KeySource::Attempt,
            Idempotency::None => false,
        };
        // The same request sent again finds another version than it was computed from.
        let versioned = matches!(how.write, WritePolicy::Occ(_))
            && how.by == By::Caller
            && retry.on_timeout == OnTimeout::Resend;
        !own_key && !versioned && !notices(self.model, operation) && grows(operation)
    }

    /// Keys that are forgotten before the last attempt is sent.
    fn forgotten(&self, told: &mut Told) {
        let mut said: Vec<Target> = Vec::new();
        for (caller, target) in self.calls() {
            let key = match target {
                Target::Op(op) => &self.how.operations[op.index()].idempotency,
                Target::Flow(flow) => &self.how.flows[flow.index()].idempotency,
            };
            let Idempotency::Key(key) = key else { continue };
            // Of an operation it is in progress as long as its transaction.
            let lasting =
                matches!(target, Target::Flow(flow) if *self.coordination(flow) != Coordination::Merged);
            let horizon = horizon(self.how.retry(caller, target));
            let busy_for = lasting.then_some(("busy_for", key.busy_for));
            for (word, lasts) in [("ttl", key.ttl)].into_iter().chain(busy_for) {
                let short = horizon.is_none_or(|horizon| lasts < horizon) && !lasts.is_ever();
                if !short || horizon == Some(Span::ZERO) || said.contains(&target) {
                    continue;
                }
                said.push(target);
                let name = quote(&self.index.target_name(target));
                let last = match horizon {
                    Some(horizon) => format!("the last attempt may come {horizon} after the first"),
                    None => "attempts may come for ever".to_owned(),
                };
                let message = format!("the key of {name} has a {} of {lasts}, and {last}", quote(word));
                self.said(Code::ShortMemory, message, "raise it, or retry for a shorter time", told);
            }
        }
    }

    /// Versions that are never compared, because nothing that exists is written.
    fn compared(&self, told: &mut Told) {
        let writing = self.model.operation_ids().filter(|op| {
            let versioned = matches!(self.how.operations[op.index()].write, WritePolicy::Occ(_));
            versioned && self.model.operation(*op).writes()
        });
        let writing: Vec<OpId> = writing.collect();
        let inserts = |op: &OpId| {
            let operation = self.model.operation(*op);
            let mut writes = operation.all_effects().flat_map(|effects| &effects.writes);
            !operation.hosted && writes.all(|write| write.verb == Verb::Insert)
        };
        if !writing.is_empty() && writing.iter().all(inserts) {
            let message = "`occ` has nothing to compare here: all that is written is new".to_owned();
            let hint = "two that insert the same are told apart by `unique`, or by a key of their own";
            self.said(Code::NothingToCompare, message, hint, told);
        }
    }

    /// Flows over several services that nobody sees to the end.
    fn across(&self, id: FlowId, flow: &Flow, told: &mut Told) {
        if !matches!(self.coordination(id), Coordination::Calls { .. }) {
            return;
        }
        let mut services: Vec<_> = steps(flow)
            .filter_map(|call| match call.action.target {
                Target::Op(op) if self.model.operation(op).writes() => Some(self.model.operation(op).service),
                _ => None,
            })
            .collect();
        services.sort_unstable();
        services.dedup();
        if services.len() > 1 {
            let message = format!("the flow {} writes to several services under `calls`", quote(&flow.name));
            let hint = match flow.by {
                Some(_) => "when it stops halfway nobody goes on and nobody undoes: a `saga` does",
                None => {
                    "when it stops halfway nobody goes on and nobody undoes: give it a service that runs it with `by`, \
                     and a `saga` does"
                }
            };
            self.said(Code::Halfway, message, hint, told);
        }
    }

    /// Compensations that would do something although the step was never done.
    fn undone(&self, id: FlowId, flow: &Flow, problems: &mut Problems) {
        match self.coordination(id) {
            Coordination::Saga(saga) if saga.register == Register::Before && !saga.fence => {}
            _ => return,
        }
        let heads = step_heads(&self.index.flows[id.index()].fields);
        if heads.len() != flow.steps.len() {
            return;
        }
        for (step, node) in flow.steps.iter().zip(heads) {
            let StepKind::Call(call) = &step.does else { continue };
            let Some(Target::Op(undo)) = call.undo.as_ref().map(|undo| undo.target) else { continue };
            let operation = self.model.operation(undo);
            // What deletes, or marks a row that the step has made, finds nothing; what gives back or adds a row needs to
            // know whether there is something to undo.
            let adds = |write: &Write| matches!(write.verb, Verb::Insert | Verb::Put);
            let mut writes = operation.parts.iter().flat_map(|part| &part.effects.writes);
            let harmful = grows(operation) || writes.any(adds);
            if operation.parts[0].skip.is_none() && harmful {
                let message =
                    "this step may be undone without having been done, and its `undo` has no `skip`";
                let problem = Problem::warning(Code::UndoUnseen, node.head(), message);
                let hint = "let the undo skip where there is nothing to undo, or use a `fence`";
                problems.push(problem.hint(hint));
            }
        }
    }
}

fn steps(flow: &Flow) -> impl Iterator<Item = &CallStep> {
    flow.steps.iter().filter_map(|step| match &step.does {
        StepKind::Call(call) => Some(&**call),
        StepKind::Wait(_) => None,
    })
}

/// Whether an operation finds out by itself that it was carried out already: it says when to skip, or it inserts
/// something that can be there only once.
fn notices(model: &Model, operation: &Operation) -> bool {
    let once = |write: &Write| {
        let keyed = matches!(write.at, Address::Key(_)) || !model.table(write.table).unique.is_empty();
        write.verb == Verb::Insert && keyed
    };
    operation.parts.iter().any(|part| part.skip.is_some() || part.effects.writes.iter().any(once))
}

/// Whether an operation inserts under fresh keys, or computes a field from itself.
fn grows(operation: &Operation) -> bool {
    let writes = operation.parts.iter().flat_map(|part| &part.effects.writes);
    writes.into_iter().any(|write| {
        let fresh = write.verb == Verb::Insert && write.at == Address::Fresh;
        let own = |column| Read::Column(write.table, column);
        fresh || write.values.iter().any(|(column, value)| value.reads().contains(&own(*column)))
    })
}

/// How long after the first attempt the last one may be sent; `None`: there is no last one.
fn horizon(retry: &Retry) -> Option<Span> {
    let attempts = retry.attempts?;
    let mut total = Span::ZERO;
    // Beyond so many, waits have long reached their cap or the sum its end.
    for failures in 1..attempts.min(1_000) {
        let wait = match retry.backoff {
            Backoff::None => Span::ZERO,
            Backoff::Fixed => retry.first,
            Backoff::Period => Span(retry.first.0.saturating_sub(retry.timeout.0)),
            Backoff::Exponential => {
                let factor = u64::from(retry.factor).saturating_pow(failures - 1);
                retry.first.saturating_mul(factor).min(retry.cap)
            }
        };
        total = total.saturating_add(retry.timeout).saturating_add(wait);
    }
    Some(total)
}

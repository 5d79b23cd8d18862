//! Fences: a participant keeps a mark for each step of a saga, so that an action after its compensation is refused and
//! repetitions of both do nothing.
//!
//! A step that is a flow is done in several places. Each of its operations leaves the mark of that step where it commits,
//! beside its own, and so on outwards; and each asks whether the step has been undone there meanwhile. Operations of a flow
//! that compensates a step do the same with the other mark.

use super::Engine;
use super::parts::Parts;
use super::task::Went;
use super::world::{Ctx, Running, Task};
use crate::kernel::choose::Chooser;
use crate::kernel::path::mix;
use crate::model::flow::{StepKind, Target};
use crate::model::ids::{FlowId, ServiceId, TableId};
use crate::model::plan::NodeKind;
use crate::model::record::{Kind, NONE};
use crate::model::step::{Program, Step};
use crate::model::value::{NULL, Word};
use crate::store::{KeyState, Lock, Sink};

/// Locks on fences are locks of no table.
const FENCES: TableId = TableId(u16::MAX - 1);

/// A step is done here.
const DONE: KeyState = KeyState::InProgress;
/// It is undone.
const UNDONE: KeyState = KeyState::Claimed(0);
/// Its compensation came and found nothing to undo.
const EMPTY: KeyState = KeyState::Claimed(1);

/// The step of a flow, as contexts have it: the instance and the step's word.
type At = (u32, u32);

/// What is marked of a step.
#[derive(Clone, Copy)]
struct Mark {
    key: Word,
    flow: FlowId,
    step: u8,
    undo: bool,
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Whether participants fence what is done under a context: it is part of a step of a saga that says so.
    pub(super) fn is_fenced(&self, ctx: &Ctx) -> bool {
        let mut at = (ctx.instance, ctx.step);
        while at.0 != NONE && at.1 != NONE {
            if self.fences(at.0) {
                return true;
            }
            at = self.outer(at);
        }
        false
    }

    /// Whether the flow of an instance is a saga that says so.
    fn fences(&self, instance: u32) -> bool {
        let flow = self.world.instances[self.world.instances.id(instance)].flow;
        self.saga(flow).is_some_and(|saga| saga.fence)
    }

    /// The mark of a step, if its flow is a saga that says so.
    fn mark(&self, (instance, word): At) -> Option<Mark> {
        if instance == NONE || word == NONE || !self.fences(instance) {
            return None;
        }
        let of = &self.world.instances[self.world.instances.id(instance)];
        let step = word >> 8;
        Some(Mark {
            key: (mix(of.effect, u64::from(step)) >> 1) as Word,
            flow: of.flow,
            step: step as u8,
            undo: word & 0xff != 0,
        })
    }

    /// The step that the flow of this one carries out. What a flow takes back by itself is no part of one.
    fn outer(&self, (instance, word): At) -> At {
        match word & 0xff {
            0 => self.world.instances[self.world.instances.id(instance)].caller,
            _ => (NONE, NONE),
        }
    }

    fn known(&self, service: ServiceId, key: Word) -> Option<KeyState> {
        self.world.fences[service.index()].get(key).map(|entry| entry.state)
    }

    /// Whether the action of a step leaves its mark at a service, if it comes there.
    fn marks(&self, flow: FlowId, step: u8, service: ServiceId) -> bool {
        let StepKind::Call(call) = &self.plan.model.flow(flow).steps[usize::from(step)].does else {
            return false;
        };
        self.comes_to(call.action.target, service)
    }

    fn comes_to(&self, target: Target, service: ServiceId) -> bool {
        match target {
            Target::Op(op) => self.plan.model.operation(op).service == service,
            // The one transaction of a merged flow asks nobody.
            Target::Flow(flow) if self.flow_plan(flow).merged.is_some() => false,
            Target::Flow(flow) => self.plan.model.flow(flow).steps.iter().any(|step| match &step.does {
                StepKind::Call(call) => self.comes_to(call.action.target, service),
                StepKind::Wait(_) => false,
            }),
        }
    }

    /// The fence of a saga's step: an action after its compensation is refused, repetitions of both do nothing, and an
    /// empty compensation leaves its mark.
    pub(super) fn fence(&mut self, task: &mut Running, program: &Program) -> Went {
        let Task { ctx, path, node, .. } = **task;
        let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return Went::On };
        let at = (ctx.instance, ctx.step);
        let Some(Mark { key, flow, step, undo }) = self.mark(at) else {
            return self.fence_outer(task, program, service, at);
        };
        match self.lock(task, program, Lock { table: FENCES, space: service.0 as u8, key }) {
            Went::On => {}
            other => return other,
        }
        let known = self.known(service, key);
        let undone = matches!(known, Some(KeyState::Claimed(_)));
        match (undo, known) {
            (false, None) => {
                task.fence = Some((key, false));
                self.fence_outer(task, program, service, at)
            }
            (true, Some(_)) if !undone => {
                task.fence = Some((key, true));
                Went::On
            }
            // The flow that did the step has left no mark here and leaves none: nobody can say here whether it did anything.
            (true, None) if !self.marks(flow, step, service) => {
                task.fence = Some((key, true));
                Went::On
            }
            (false, Some(_)) if undone => self.turn_away(task, program),
            _ => {
                // Nothing to undo, or done before: it says yes and does nothing. An empty compensation is remembered.
                task.fence = undo.then_some((key, true));
                if known.is_some() {
                    self.record(Kind::Replay, path, &ctx, |r| {
                        r.op = program.op.0;
                        r.data = ctx.effect;
                        r.who = node;
                    });
                }
                Self::fence_off(task, program)
            }
        }
    }

    fn turn_away(&mut self, task: &mut Running, program: &Program) -> Went {
        let reason = self.plan.reasons.fenced;
        self.refuse(task, program, program.op, reason, false)
    }

    fn fence_off(task: &mut Running, program: &Program) -> Went {
        task.fenced_off = true;
        task.skipped = Parts::ALL;
        let reply = program.steps.iter().position(|step| *step == Step::Reply);
        Went::To(reply.unwrap_or(program.steps.len() - 1) as u16)
    }

    /// The fences of the steps that the flow of this one carries out, from the inside outwards.
    fn fence_outer(&mut self, task: &mut Running, program: &Program, service: ServiceId, at: At) -> Went {
        let mut at = self.outer(at);
        let mut nothing = false;
        while at.0 != NONE && at.1 != NONE {
            if let Some(Mark { key, flow, step, undo }) = self.mark(at) {
                match self.lock(task, program, Lock { table: FENCES, space: service.0 as u8, key }) {
                    Went::On => {}
                    other => return other,
                }
                // With no mark of its own it still has to leave these.
                task.fence.get_or_insert((NULL, false));
                match (undo, self.known(service, key)) {
                    (false, Some(KeyState::Claimed(_))) => return self.turn_away(task, program),
                    (true, Some(EMPTY)) => nothing = true,
                    (true, None) => nothing |= self.marks(flow, step, service),
                    _ => {}
                }
            }
            at = self.outer(at);
        }
        if nothing { Self::fence_off(task, program) } else { Went::On }
    }

    /// The marks that a transaction leaves: its own, or none if that is null, and those of the steps that it is part of.
    pub(super) fn commit_fence(&mut self, task: &Task, (key, undone): (Word, bool)) {
        // What was refused is neither done nor undone, whatever is written of the refusal.
        if task.in_refusal {
            return;
        }
        let NodeKind::Replica(service, _) = self.plan.nodes.kind(task.node) else { return };
        if key != NULL {
            let state = if undone { UNDONE } else { DONE };
            self.world.fences[service.index()].set(key, 0, state);
        }
        let mut at = (task.ctx.instance, task.ctx.step);
        while at.0 != NONE && at.1 != NONE {
            at = self.outer(at);
            let Some(Mark { key, undo, .. }) = self.mark(at) else { continue };
            let state = match (undo, self.known(service, key)) {
                (false, None) => DONE,
                (true, None) if task.fenced_off => EMPTY,
                (true, None | Some(DONE)) => UNDONE,
                _ => continue,
            };
            self.world.fences[service.index()].set(key, 0, state);
        }
    }
}

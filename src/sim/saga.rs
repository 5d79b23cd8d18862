//! What makes a saga of a flow: its log, the way back, and recovery.
//!
//! Of a saga with a durable log a copy of its progress is written at every log point and taken up again when the home
//! restarts, or by another replica when the home is gone for good.

use super::Engine;
use super::flow::Claim;
use super::slab::Id;
use super::world::{Progress, Ready, Run, SagaRow, Status, Todo, Trouble, World};
use crate::kernel::choose::Chooser;
use crate::kernel::path::Role;
use crate::kernel::time::Span;
use crate::model::flow::Class;
use crate::model::how::{Recover, Register, SagaPolicy, StuckUndo, UndoOrder};
use crate::model::ids::ServiceId;
use crate::model::plan::{CallPlan, FlowPlan, NodeKind};
use crate::model::record::{FlowMove, NONE};
use crate::model::weather::{PointKind, Subject};
use crate::store::Sink;

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// The start of a saga is logged, in one commit with its key. Returns whether the home is still up.
    pub(super) fn open_saga(&mut self, id: Id, claim: Option<Claim>) -> bool {
        if self.pass_log(0, id) {
            return false;
        }
        self.claim(id, claim);
        let run = &self.world.runs[id];
        let row = SagaRow {
            flow: run.flow,
            node: run.node,
            ctx: run.ctx,
            path: run.path,
            instance: run.instance,
            progress: Progress::default(),
            round: 0,
            key: run.key,
            fingerprint: run.fingerprint,
            run: Some(id),
        };
        self.hold(&row.ctx);
        let (saga, slot) = self.world.sagas.take();
        self.world.places.sagas.join(saga.slot, row.node);
        let mut progress = std::mem::take(&mut slot.progress);
        progress.clone_from(&self.world.runs[id].progress);
        *slot = SagaRow { progress, ..row };
        self.world.runs[id].saga = Some(saga);
        self.moves(id, FlowMove::Logged, NONE, 0);
        !self.pass_log(1, id)
    }

    fn pass_log(&mut self, after: usize, id: Id) -> bool {
        if self.rules.quiet(after, PointKind::Log) {
            return false;
        }
        let Run { flow, node, ctx, path, round, .. } = self.world.runs[id];
        let progress = &self.world.runs[id].progress;
        let name = path.child(Role::Log, progress_word(progress)).child(Role::Recovery, round);
        let slots = progress.slots.clone();
        let args = super::call::arguments(&slots, self.plan.model.flow(flow).args);
        self.passes(after, PointKind::Log, Subject::Flow(flow), node, ctx, name, args)
    }

    /// Writes the log of a saga, then goes on with `todo`. Returns whether it may go on at once.
    pub(super) fn log(&mut self, id: Id, todo: Todo) -> bool {
        self.world.runs[id].todo = todo;
        let Some(saga) = self.world.runs[id].saga else { return true };
        if self.pass_log(0, id) {
            return false;
        }
        // The note is durable at this instant; the statement's time passes before the next move.
        let node = self.world.runs[id].node;
        let statement = match self.plan.nodes.kind(node) {
            NodeKind::Replica(service, _) => self.plan.model.service(service).statement,
            _ => Span::ZERO,
        };
        let World { runs, sagas, .. } = &mut *self.world;
        sagas[saga].progress.clone_from(&runs[id].progress);
        self.moves(id, FlowMove::Logged, NONE, 0);
        if self.pass_log(1, id) {
            return false;
        }
        if statement.is_zero() {
            return true;
        }
        let path = self.world.runs[id].path;
        self.sleep_run(id, statement, path);
        false
    }

    pub(super) fn drop_saga(&mut self, row: Id) {
        let SagaRow { ctx, node, .. } = self.world.sagas[row];
        self.world.places.sagas.quit(row.slot, node);
        self.world.sagas.leave(row);
        self.let_go(&ctx);
    }

    /// Whether a saga cannot turn back at this step any more: it is past the pivot, the step must succeed, or it is the
    /// pivot itself and may have been passed.
    pub(super) fn only_forward(&self, id: Id, plan: &FlowPlan, step: u8, refused: bool) -> bool {
        let run = &self.world.runs[id];
        if self.saga(run.flow).is_none() {
            return false;
        }
        let past = plan.pivot.is_some_and(|pivot| run.progress.done & 1 << pivot != 0);
        match plan.steps[step as usize].class {
            Class::Retriable => true,
            Class::Pivot => past || !refused,
            Class::Compensatable | Class::ReadOnly => past,
        }
    }

    /// How long a saga waits before it asks again for what must succeed, once the attempts of a call are used up: as long
    /// as for one attempt.
    pub(super) fn patience(&self, call: Option<&CallPlan>) -> Span {
        let retry = call.map(|call| &self.plan.retries[call.retry as usize]);
        let finite =
            retry.map(|retry| retry.timeout).filter(|timeout| !timeout.is_ever() && !timeout.is_zero());
        finite.unwrap_or(Span::SECOND)
    }

    /// The saga turns back.
    pub(super) fn turn(&mut self, id: Id) -> bool {
        self.moves(id, FlowMove::Compensating, NONE, 0);
        self.world.runs[id].progress.back = true;
        self.log(id, Todo::Undo)
    }

    /// The steps to be undone, in order.
    fn to_undo(&self, id: Id, plan: &FlowPlan, saga: &SagaPolicy) -> Vec<u8> {
        let progress = &self.world.runs[id].progress;
        let registered = match saga.register {
            Register::Before => progress.asked,
            Register::After => progress.done,
        };
        let due = registered & !progress.undone & !progress.parked;
        let mut steps: Vec<u8> = (0..plan.steps.len() as u8)
            .filter(|&n| due & 1 << n != 0 && plan.steps[n as usize].undo.is_some())
            .collect();
        if saga.undo != UndoOrder::Forward {
            steps.reverse();
        }
        steps
    }

    pub(super) fn undo_next(&mut self, id: Id, plan: &FlowPlan) -> bool {
        let Some(saga) = self.saga(self.world.runs[id].flow) else { return self.go(id, Todo::End) };
        let due = self.to_undo(id, plan, saga);
        if due.is_empty() {
            return self.log(id, Todo::End);
        }
        self.world.runs[id].todo = Todo::AwaitUndo;
        let count = if saga.undo == UndoOrder::Parallel { due.len() } else { 1 };
        for &step in &due[..count] {
            if self.world.runs.has(id) {
                self.ask(id, plan, step, true);
            }
        }
        true
    }

    pub(super) fn undo_ends(&mut self, id: Id, step: u8, status: Status) {
        let Some(saga) = self.saga(self.world.runs[id].flow) else { return };
        let bit = 1u64 << step;
        match status {
            Status::Ok(_) | Status::Skipped(_) => {
                self.world.runs[id].progress.undone |= bit;
                self.moves(id, FlowMove::Undone, u32::from(step), 0);
            }
            _ => match saga.stuck_undo {
                StuckUndo::Retry => {
                    let plan = self.flow_plan(self.world.runs[id].flow);
                    let after = self.patience(plan.steps[step as usize].undo.as_ref());
                    let run = &mut self.world.runs[id];
                    run.round += 1;
                    let name = run.path.child(Role::Recovery, run.round);
                    if run.open == 0 && !run.waiting {
                        self.sleep_run(id, after, name);
                    }
                }
                StuckUndo::Park => {
                    self.world.runs[id].progress.parked |= bit;
                    self.moves(id, FlowMove::Parked, u32::from(step), 0);
                }
                StuckUndo::Stop => {
                    let run = &mut self.world.runs[id];
                    run.progress.parked = u64::MAX;
                    run.todo = Todo::End;
                }
            },
        }
    }

    /// A home that will not come back: another replica takes over, or nobody ever will.
    pub(super) fn abandon_sagas(&mut self, node: u32, service: ServiceId) {
        let first = self.plan.nodes.replica(service, 0);
        let heir = (first..first + self.plan.model.service(service).replicas)
            .find(|&other| !self.world.nodes[other as usize].down);
        let rows = self.world.places.sagas.at(node, &self.world.sagas);
        for row in rows {
            match heir {
                Some(heir) => {
                    self.world.places.sagas.quit(row.slot, node);
                    self.world.places.sagas.join(row.slot, heir);
                    self.world.sagas[row].node = heir;
                    self.recover_saga(row);
                }
                None => self.drop_saga(row),
            }
        }
    }

    /// A restarted home takes its unfinished sagas up again.
    pub(super) fn recover_sagas(&mut self, node: u32) {
        for row in self.world.places.sagas.at(node, &self.world.sagas) {
            if self.world.sagas[row].run.is_none() {
                self.recover_saga(row);
            }
        }
    }

    fn recover_saga(&mut self, row: Id) {
        let saga = &mut self.world.sagas[row];
        saga.round += 1;
        let SagaRow { flow, node, ctx, path, instance, round, key, fingerprint, .. } = *saga;
        let progress = saga.progress.clone();
        let plan = self.flow_plan(flow);
        let Some(policy) = self.saga(flow) else { return };
        self.hold(&ctx);
        let (id, run) = self.world.runs.take();
        *run = Run {
            flow,
            node,
            ctx,
            path,
            instance,
            progress,
            key,
            fingerprint,
            round,
            saga: Some(row),
            answered: true,
            ..Run::default()
        };
        self.file_run(id);
        self.world.sagas[row].run = Some(id);
        self.moves(id, FlowMove::Recovered, NONE, u64::from(node));
        let progress = &mut self.world.runs[id].progress;
        let pivot_asked = plan.pivot.is_some_and(|pivot| progress.asked & 1 << pivot != 0);
        let over = usize::from(progress.at) >= plan.groups.len();
        let todo = match (progress.back, policy.recover) {
            (true, _) => Todo::Undo,
            (false, _) if over => Todo::End,
            (false, Recover::Forward) => Todo::Enter,
            // The pivot may have been passed: only forward is safe.
            (false, Recover::Back) if pivot_asked => Todo::Enter,
            // Every step is noted before it is sent: none was.
            (false, Recover::Back) if policy.register == Register::Before && progress.asked == 0 => {
                Todo::Enter
            }
            (false, Recover::Back) => {
                progress.trouble = Some(Trouble::Unknown);
                Todo::Turn
            }
        };
        self.world.runs[id].todo = todo;
        self.world.ready.push_back(Ready::Run(id));
    }
}

/// Names a log write within a run.
fn progress_word(progress: &Progress) -> u32 {
    (progress.asked.count_ones() << 16)
        | (progress.done.count_ones() << 8)
        | (progress.undone.count_ones() << 1)
        | u32::from(progress.back)
}

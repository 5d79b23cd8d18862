//! What answers make of a flow: steps are done, refused or unknown, groups are left, and in the end the flow is over, its
//! result is remembered under its key and all who wait for it are answered.

use super::Engine;
use super::choreography::home_hash;
use super::flow::run_hash;
use super::network::Answered;
use super::slab::Id;
use super::world::{Run, Status, Todo, Trouble};
use crate::kernel::choose::Chooser;
use crate::kernel::path::{Path, Role};
use crate::model::flow::Target;
use crate::model::how::{Keep, Register};
use crate::model::ids::FlowId;
use crate::model::plan::FlowPlan;
use crate::model::record::{FlowMove, NONE, StepRole};
use crate::model::value::{NULL, Word};
use crate::store::{KeyState, Sink};

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// A step or compensation has been answered, or given up.
    pub(super) fn step_ends(&mut self, id: Id, step: u8, undo: bool, status: Status, maybe: bool) {
        if !self.world.runs.has(id) {
            return;
        }
        let plan = self.flow_plan(self.world.runs[id].flow);
        self.world.runs[id].open -= 1;
        if undo {
            return self.undo_ends(id, step, status);
        }
        let of = &plan.steps[step as usize];
        let bit = 1u64 << step;
        match status {
            Status::Ok(reply) | Status::Skipped(reply) => {
                let run = &mut self.world.runs[id];
                run.progress.done |= bit;
                if let Some(slot) = of.bind {
                    run.progress.slots[slot as usize] = reply;
                }
                self.moves(id, FlowMove::Done, u32::from(step), 0);
            }
            Status::Refused(reason) => {
                self.moves(id, FlowMove::StepRefused, u32::from(step), reason as u64);
                // What need not succeed is not asked for again.
                if !of.optional && self.only_forward(id, plan, step, true) {
                    self.world.runs[id].round += 1;
                    return;
                }
                let run_progress = &mut self.world.runs[id].progress;
                if of.optional {
                    run_progress.refused |= bit;
                    if !maybe {
                        run_progress.asked &= !bit;
                    }
                    return;
                }
                // An earlier attempt may have been carried out all the same: then it is still to be undone.
                if !maybe && self.world.runs[id].round == 0 {
                    self.world.runs[id].progress.asked &= !bit;
                }
                self.world.runs[id].progress.trouble = Some(Trouble::Refused(reason));
            }
            Status::Conflict | Status::Error | Status::Busy | Status::Unknown => {
                self.moves(id, FlowMove::StepUnknown, u32::from(step), 0);
                if self.only_forward(id, plan, step, false) {
                    self.world.runs[id].round += 1;
                    return;
                }
                if matches!(status, Status::Conflict | Status::Error)
                    && !maybe
                    && self.world.runs[id].round == 0
                {
                    self.world.runs[id].progress.asked &= !bit;
                }
                self.world.runs[id].progress.trouble.get_or_insert(Trouble::Unknown);
            }
        }
    }

    /// All steps of the group have been answered. What must succeed and has not is asked for again after a while.
    pub(super) fn answers_are_in(&mut self, id: Id, plan: &FlowPlan) -> bool {
        let missing = self.world.runs[id].progress.trouble.is_none() && self.group(id, plan) != 0;
        if !missing {
            return self.go(id, Todo::Leave);
        }
        let step = plan.steps.get(self.group(id, plan).trailing_zeros() as usize);
        let after = self.patience(step.and_then(|step| step.action.as_ref()));
        let run = &mut self.world.runs[id];
        run.todo = Todo::Enter;
        let name = run.path.child(Role::Recovery, run.round);
        self.sleep_run(id, after, name);
        false
    }

    /// Goes on after a group, or turns back.
    pub(super) fn leave_group(&mut self, id: Id) -> bool {
        let flow = self.world.runs[id].flow;
        if self.world.runs[id].progress.trouble.is_some() {
            return match self.saga(flow) {
                Some(_) => self.go(id, Todo::Turn),
                None => self.go(id, Todo::End),
            };
        }
        let after = self.saga(flow).is_some_and(|saga| saga.register == Register::After);
        let run = &mut self.world.runs[id];
        run.progress.at += 1;
        run.todo = Todo::Enter;
        if after { self.log(id, Todo::Enter) } else { true }
    }

    /// The flow is over.
    pub(super) fn end_flow(&mut self, id: Id, plan: &FlowPlan) {
        let run = &self.world.runs[id];
        let (flow, trouble, parked) = (run.flow, run.progress.trouble, run.progress.parked);
        let is_saga = self.saga(flow).is_some();
        let status = match trouble {
            None => {
                let reply = plan.reply.as_ref().and_then(|code| self.evaluate_flow(id, code)).unwrap_or(NULL);
                Status::Ok(reply)
            }
            // What was set aside for a person is not undone, and not done: nobody can say.
            Some(_) if is_saga && parked != 0 && parked != u64::MAX => Status::Unknown,
            Some(Trouble::Refused(reason)) => Status::Refused(reason),
            // A compensation is asked for again: a refusal kept under its key would answer that for ever.
            Some(Trouble::Unknown) if is_saga && self.compensates(id) => Status::Unknown,
            Some(Trouble::Unknown) if is_saga => Status::Refused(self.plan.reasons.error),
            Some(Trouble::Unknown) => Status::Unknown,
        };
        let what = match (trouble, is_saga) {
            (None, _) => FlowMove::Completed,
            (Some(_), true) if parked == u64::MAX => FlowMove::GaveUp,
            (Some(_), true) if parked != 0 => FlowMove::Escalated,
            (Some(_), true) => FlowMove::Compensated,
            (Some(_), false) => FlowMove::GaveUp,
        };
        self.moves(id, what, NONE, 0);
        self.close_run(id, status);
    }

    /// Whether a run is a compensation or part of one.
    fn compensates(&self, id: Id) -> bool {
        let mut at = self.world.runs[id].instance;
        while at != NONE {
            let (of, word) = self.world.instances[self.world.instances.id(at)].caller;
            if word != NONE && word & 0xff == StepRole::Undo as u32 {
                return true;
            }
            at = of;
        }
        false
    }

    /// Remembers the result under the flow's key, answers, and ends the run.
    pub(super) fn close_run(&mut self, id: Id, status: Status) {
        let Run { flow, node, path, key, fingerprint, saga, .. } = self.world.runs[id];
        if let Some(key) = key {
            self.settle_key(flow, node, path, (key, fingerprint), status);
        }
        if let Some(row) = saga {
            self.drop_saga(row);
        }
        self.answer_run(id, status);
        if self.world.runs.has(id) {
            self.drop_run(id);
        }
    }

    /// What becomes of the key of a flow that is over.
    pub(super) fn settle_key(
        &mut self,
        flow: FlowId,
        node: u32,
        path: Path,
        (key, fingerprint): (Word, u64),
        status: Status,
    ) {
        let Some(by) = &self.flow_plan(flow).key else { return };
        let place = self.key_place(node, &by.policy);
        match (status, by.policy.keep) {
            (Status::Ok(reply), keep) => {
                let reply = if keep == Keep::Nothing { NULL } else { reply };
                let done = KeyState::Done { refused: None, reply };
                self.remember(place, key, fingerprint, done, by.policy.ttl, path);
            }
            (Status::Refused(reason), Keep::Any) => {
                let done = KeyState::Done { refused: Some(reason), reply: NULL };
                self.remember(place, key, fingerprint, done, by.policy.ttl, path);
            }
            _ => self.world.keys[place].remove(key),
        }
    }

    /// Answers all who wait for a flow, once.
    pub(super) fn answer_run(&mut self, id: Id, status: Status) {
        let run = &mut self.world.runs[id];
        if std::mem::replace(&mut run.answered, true) {
            return;
        }
        let from = run.from;
        let waiters = std::mem::take(&mut run.waiters);
        let Run { flow, node, ctx, path, .. } = *run;
        // Lent while it is told: the answer may end the run.
        let slots = std::mem::take(&mut run.progress.slots);
        let args = super::call::arguments(&slots, self.plan.model.flow(flow).args);
        let what = Answered { node, target: Target::Flow(flow), path, ctx: &ctx, args, payload: &[] };
        self.hold(&ctx);
        self.answer(from, status, what);
        for (n, waiter) in waiters.into_iter().enumerate() {
            let what = Answered { path: path.child(Role::Occurrence, n as u32 + 1), ..what };
            self.answer(waiter, status, what);
        }
        if let Some(run) = self.world.runs.get_mut(id) {
            run.progress.slots = slots;
        }
        self.let_go(&ctx);
    }

    pub(super) fn drop_run(&mut self, id: Id) {
        let ctx = self.world.runs[id].ctx;
        if let Some(timer) = self.world.runs[id].timer.take() {
            self.call_off(timer);
        }
        let Run { flow, node, path, key, todo, listens, .. } = self.world.runs[id];
        self.world.places.runs.quit(id.slot, node);
        if let Some(key) = key {
            self.world.keyed.remove(run_hash(flow, key), id.slot);
        }
        if todo == Todo::AwaitOver {
            self.world.listening.remove(home_hash(path, node), id.slot);
        }
        self.world.runs.leave(id);
        if !listens {
            self.let_go(&ctx);
        }
    }

    /// The home crashed: the run is gone; its saga stays in the log.
    pub(super) fn kill_run(&mut self, id: Id) {
        if let Some(row) = self.world.runs[id].saga {
            self.world.sagas[row].run = None;
        }
        self.stop_dies(id);
        self.drop_run(id);
    }
}

//! Flows merged into one transaction: the steps are parts of one program, each entered with arguments of its own and left
//! with an answer, or refused. What a step wrote is told apart again at the commit.

use super::Engine;
use super::task::Went;
use super::world::{Ctx, From, Running, Task};
use crate::kernel::choose::Chooser;
use crate::kernel::path::Path;
use crate::model::ids::{FlowId, OpId};
use crate::model::record::{FLOW, NONE};
use crate::model::step::{MergedStep, Program};
use crate::model::value::{NULL, Word};
use crate::store::Sink;

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Begins to execute a merged flow.
    pub(super) fn start_merged(
        &mut self,
        flow: FlowId,
        node: u32,
        ctx: Ctx,
        path: Path,
        from: From,
        args: &[Word],
    ) {
        let Some(program) = self.plan.flows[flow.index()].merged else { return };
        let instance = self.instance(ctx, flow);
        if ctx.step != NONE {
            self.flow_starts(flow, path, ctx, instance, node);
        }
        let ctx = Ctx { instance, ..ctx };
        self.new_task(program, node, ctx, path, from, args, OpId(flow.0 | FLOW), [NULL; 4]);
    }

    pub(super) fn enter(&mut self, task: &mut Task, program: &Program, n: u8) -> Went {
        let step = &program.merged[n as usize];
        task.merged = n;
        task.mark = task.staged.len() as u32;
        if step.verify {
            // What the steps before it have read is their affair.
            task.reads.clear();
        }
        if let Some(when) = &step.when
            && self.evaluate(task, when, false) != Ok(1)
        {
            let Task { ctx, path, .. } = *task;
            self.left_out(ctx, path, ctx.instance, step.step);
            return Went::To(step.next);
        }
        for (code, slot) in &step.args {
            match self.evaluate(task, code, false) {
                Ok(value) => task.frame[*slot as usize] = value,
                Err(failure) => {
                    // It is not even asked, so it does nothing for it.
                    task.merged_refused |= 1 << n;
                    let reason = self.failure_reason(step.op, failure);
                    return self.refuse(task, program, step.op, reason, false);
                }
            }
        }
        Went::On
    }

    pub(super) fn leave(&mut self, task: &mut Running, program: &Program, n: u8) -> Went {
        let step = &program.merged[n as usize];
        if let Some((code, slot)) = &step.bind {
            let value = self.evaluate(task, code, step.verify).unwrap_or(NULL);
            task.frame[*slot as usize] = value;
        }
        if step.verify {
            // What it replied of is looked at long before the commit, too: from here on it stays as it is.
            match self.verify(task, program) {
                Went::On => {}
                other => return other,
            }
        }
        task.merged_done |= 1 << n;
        // What it does when it refuses lies between.
        Went::To(step.next)
    }
}

/// A step refuses: what it wrote is undone or, if the flow fails with it, what all wrote. What is to be done then belongs to
/// the transaction; if that refuses in its turn, nothing of it is done.
pub(super) fn refuse_step(task: &mut Task, program: &Program, step: &MergedStep, reason: Word) -> Went {
    let own = 1 << task.merged;
    let in_turn = task.merged_refused & own != 0;
    if step.optional {
        let mark = task.mark as usize;
        task.staged.truncate(mark);
        task.merged_refused &= !own;
    } else {
        task.staged.clear();
        task.cells.clear();
        (task.merged_done, task.merged_refused) = (0, 0);
        task.refused.get_or_insert(reason);
        task.in_refusal = true;
    }
    match in_turn {
        true if step.optional => return Went::To(step.next),
        true => return Went::To(program.refuse),
        false => {}
    }
    if step.otherwise {
        task.merged_refused |= own;
    }
    Went::To(step.refuse)
}

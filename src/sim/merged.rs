//! Flows merged into one transaction: the steps are parts of one program, each entered with arguments of its own and left
//! with an answer. What a step wrote is told apart again at the commit.

use super::Engine;
use super::task::Went;
use super::world::{Ctx, From, Task};
use crate::kernel::choose::Chooser;
use crate::kernel::path::Path;
use crate::model::ids::{FlowId, OpId};
use crate::model::record::FLOW;
use crate::model::step::Program;
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
        let ctx = Ctx { instance, ..ctx };
        self.new_task(program, node, ctx, path, from, args, OpId(flow.0 | FLOW), [NULL; 4]);
    }

    pub(super) fn enter(&mut self, task: &mut Task, program: &Program, n: u8) -> Went {
        let step = &program.merged[n as usize];
        task.merged = n;
        task.mark = task.staged.len() as u32;
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
                    let reason = self.failure_reason(step.op, failure);
                    return self.refuse(task, program, step.op, reason, false);
                }
            }
        }
        Went::On
    }

    pub(super) fn leave(&mut self, task: &mut Task, program: &Program, n: u8) -> Went {
        let step = &program.merged[n as usize];
        task.merged_done |= 1 << n;
        if let Some((code, slot)) = &step.bind {
            let value = self.evaluate(task, code, false).unwrap_or(NULL);
            task.frame[*slot as usize] = value;
        }
        Went::On
    }
}

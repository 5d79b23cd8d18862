//! How executions end: with an answer, with a refusal, with a conflict or an error, or without a word when the node crashes.
//! Whatever is open is undone, and what was held on to is let go.

use super::Engine;
use super::call::arguments;
use super::network::Answered;
use super::slab::Id;
use super::task::Went;
use super::world::{Ctx, Status, Task};
use crate::kernel::agenda::Key;
use crate::kernel::choose::Chooser;
use crate::model::flow::Target;
use crate::model::how::OnConflict;
use crate::model::ids::{FlowId, OpId, TableId};
use crate::model::record::{Kind, NONE, commit};
use crate::model::step::{Program, Step};
use crate::model::value::Word;
use crate::store::Sink;

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// The operation refuses: what is to be done then comes next.
    pub(super) fn refuse(
        &mut self,
        id: Id,
        program: &Program,
        op: OpId,
        reason: Word,
        weather: bool,
    ) -> Went {
        let Task { ctx, path, node, merged, .. } = self.world.tasks[id];
        self.record(Kind::Refused, path, ctx, |r| {
            r.op = op.0;
            r.data = reason as u64;
            r.who = node;
            r.row = ctx.step;
            r.flag = u8::from(weather);
        });
        let task = &mut self.world.tasks[id];
        if let Some(step) = program.merged.get(merged as usize)
            && step.optional
        {
            let mark = task.mark as usize;
            task.staged.truncate(mark);
            return Went::To(step.next);
        }
        task.staged.clear();
        task.cells.clear();
        task.refused = Some(reason);
        task.in_refusal = true;
        if program.is_fetch {
            return Went::To(program.steps.len() as u16 - 1);
        }
        Went::To(program.refuse)
    }

    /// A version has changed: again from the start, or the caller is told.
    pub(super) fn conflict(&mut self, id: Id, program: &Program, table: TableId, slot: u32) -> Went {
        let Task { ctx, path, node, tries, .. } = self.world.tasks[id];
        self.record(Kind::Conflict, path, ctx, |r| {
            r.op = program.op.0;
            r.who = node;
            r.row = slot;
            r.data = u64::from(table.0);
        });
        let (on_conflict, most) = program.conflict;
        let by_owner = program.steps.iter().any(|step| matches!(step, Step::Read(_)));
        if on_conflict == OnConflict::Redo && by_owner && most.is_none_or(|most| tries < most) {
            self.rollback(id);
            let task = &mut self.world.tasks[id];
            task.tries += 1;
            return Went::To(program.redo);
        }
        self.abort(id, Status::Conflict);
        Went::Gone
    }

    /// The operation is over: it answers.
    pub(super) fn end_task(&mut self, id: Id, program: &Program) -> Went {
        let task = &self.world.tasks[id];
        if program.is_fetch && task.skipped & 1 != 0 {
            // Its caller will ask for nothing more: this is all that becomes of it.
            let ctx = task.ctx;
            self.install(id, program.op, ctx, commit::SKIPPED, &[], &[], 0);
        }
        let task = &self.world.tasks[id];
        let status = match task.refused {
            Some(reason) => Status::Refused(reason),
            None if program.is_fetch && task.skipped & 1 != 0 => Status::Skipped(task.reply),
            None => Status::Ok(task.reply),
        };
        self.task_answers(id, status);
        Went::Gone
    }

    /// Answers whoever asked and ends the task; what it has open is undone.
    pub(super) fn task_answers(&mut self, id: Id, status: Status) {
        self.unlock(id);
        let task = &mut self.world.tasks[id];
        task.open = false;
        self.sleep_no_more(id);
        let task = &mut self.world.tasks[id];
        let frame = std::mem::take(&mut task.frame);
        let Task { program, node, ctx, path, from, .. } = *task;
        let program = &self.plan.programs[program as usize];
        let target = match program.merged.is_empty() {
            true => Target::Op(program.op),
            false => self.flow_of(ctx).map_or(Target::Op(program.op), Target::Flow),
        };
        let payload = if program.is_fetch { &frame[..] } else { &[] };
        let args = arguments(&frame, program.args);
        // The answer may crash this very node; what it belongs to must outlive the task until it is sent.
        self.hold(ctx);
        self.drop_task(id);
        self.answer(from, status, Answered { node, target, path, ctx, args, payload });
        self.let_go(ctx);
        self.world.spare.push(frame);
    }

    fn flow_of(&self, ctx: Ctx) -> Option<FlowId> {
        (ctx.instance != NONE).then(|| self.world.instances[self.world.instances.id(ctx.instance)].flow)
    }

    /// Calls the timer of a task off, if there is one.
    #[inline]
    fn sleep_no_more(&mut self, id: Id) {
        if std::mem::take(&mut self.world.tasks[id].timer) != Key::NONE {
            self.world.work -= 1;
        }
    }

    fn drop_task(&mut self, id: Id) {
        let Task { ctx, node, .. } = self.world.tasks[id];
        self.world.places.tasks.quit(id.slot, node);
        let rows = std::mem::take(&mut self.world.tasks[id].outbox);
        for &row in &rows {
            self.drop_letter(row);
        }
        self.world.tasks.leave(id);
        self.let_go(ctx);
    }

    /// Undoes what the transaction has done so far.
    fn rollback(&mut self, id: Id) {
        let Task { ctx, path, node, program, .. } = self.world.tasks[id];
        let op = self.plan.programs[program as usize].op;
        self.record(Kind::Rollback, path, ctx, |r| {
            r.op = op.0;
            r.who = node;
        });
        self.unlock(id);
        let rows = std::mem::take(&mut self.world.tasks[id].outbox);
        for row in rows {
            self.drop_letter(row);
        }
        let task = &mut self.world.tasks[id];
        task.staged.clear();
        task.cells.clear();
        task.reads.clear();
        task.open = false;
        task.fence = None;
        task.passed = false;
        task.store_key = false;
        task.fenced_off = false;
        task.skipped = 0;
        task.merged_done = 0;
    }

    /// The transaction is undone and the caller told.
    pub(super) fn abort(&mut self, id: Id, status: Status) {
        self.rollback(id);
        self.task_answers(id, status);
    }

    /// A technical error: deadlock, lock timeout, database down.
    pub(super) fn fail_task(&mut self, id: Id) {
        let Task { ctx, path, node, program, .. } = self.world.tasks[id];
        let op = self.plan.programs[program as usize].op;
        self.record(Kind::Failed, path, ctx, |r| {
            r.op = op.0;
            r.who = node;
            r.row = ctx.step;
        });
        self.abort(id, Status::Error);
    }

    /// The node crashed: the task ends without a word.
    pub(super) fn kill_task(&mut self, id: Id) {
        if self.world.tasks[id].open {
            self.rollback(id);
        }
        self.unlock(id);
        self.sleep_no_more(id);
        self.drop_task(id);
    }
}

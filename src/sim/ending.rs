//! How executions end: with an answer, with a refusal, with a conflict or an error, or without a word when the node crashes.
//! Whatever is open is undone, and what was held on to is let go.

use super::Engine;
use super::call::arguments;
use super::merged::refuse_step;
use super::network::Answered;
use super::parts::Parts;
use super::slab::Id;
use super::task::Went;
use super::world::{Ctx, Running, Status, Task};
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
    #[cold]
    pub(super) fn refuse(
        &mut self,
        task: &mut Task,
        program: &Program,
        op: OpId,
        reason: Word,
        weather: bool,
    ) -> Went {
        self.record(Kind::Refused, task.path, &task.ctx, |r| {
            r.op = op.0;
            r.data = reason as u64;
            r.who = task.node;
            r.row = task.ctx.step;
            r.flag = u8::from(weather);
        });
        if let Some(step) = program.merged.get(task.merged as usize) {
            return refuse_step(task, program, step, reason);
        }
        task.staged.clear();
        task.cells.clear();
        (task.merged_done, task.merged_refused) = (0, 0);
        if task.in_refusal {
            return leave_otherwise(task, program);
        }
        task.refused = Some(reason);
        task.in_refusal = true;
        if program.is_fetch {
            return Went::To(program.steps.len() as u16 - 1);
        }
        Went::To(program.refuse)
    }

    /// A version has changed: again from the start, or the caller is told.
    pub(super) fn conflict(
        &mut self,
        task: &mut Running,
        program: &Program,
        table: TableId,
        slot: u32,
    ) -> Went {
        let step = program.merged.get(task.merged as usize);
        self.record(Kind::Conflict, task.path, &task.ctx, |r| {
            r.op = step.map_or(program.op, |step| step.op).0;
            r.who = task.node;
            r.row = slot;
            r.data = u64::from(table.0);
        });
        let (on_conflict, most) = step.map_or(program.conflict, |step| step.conflict);
        let by_owner = program.steps.iter().any(|step| matches!(step, Step::Read(_)));
        if on_conflict == OnConflict::Redo && by_owner && most.is_none_or(|most| task.tries < most) {
            self.rollback(task);
            task.tries += 1;
            return Went::To(program.redo);
        }
        let id = self.put_back(task);
        self.abort(id, Status::Conflict);
        Went::Gone
    }

    /// The operation is over: it answers.
    #[inline]
    pub(super) fn end_task(&mut self, task: &mut Running, program: &Program) -> Went {
        if program.is_fetch && task.skipped.has(0) {
            // Its caller will ask for nothing more: this is all that becomes of it.
            self.install(task, program.op, commit::SKIPPED, &[]);
        }
        let status = match task.refused {
            Some(reason) => Status::Refused(reason),
            None if program.is_fetch && task.skipped.has(0) => Status::Skipped(task.reply),
            None => Status::Ok(task.reply),
        };
        self.running_answers(task, status)
    }

    /// Answers whoever asked and ends the task that is being run; what it has open is undone.
    #[inline]
    pub(super) fn running_answers(&mut self, task: &mut Running, status: Status) -> Went {
        self.unlock(task);
        self.sleep_no_more(task);
        let Task { node, path, from, .. } = **task;
        let program = &self.plan.programs[task.program as usize];
        let target = match program.merged.is_empty() {
            true => Target::Op(program.op),
            false => self.flow_of(task.ctx).map_or(Target::Op(program.op), Target::Flow),
        };
        // It leaves its slot and, until the answer is sent, keeps its intent: the answer may crash this very node.
        let lives = task.id != Id::NONE;
        if lives {
            self.world.places.tasks.quit(task.id.slot, node);
        }
        self.drop_letters(task);
        if lives {
            self.world.tasks.leave(task.id);
        }
        let payload = if program.is_fetch { &task.frame[..] } else { &[] };
        let args = arguments(&task.frame, program.args);
        self.answer(from, status, Answered { node, target, path, ctx: &task.ctx, args, payload });
        if lives {
            self.let_go(&task.ctx);
        }
        Went::Gone
    }

    fn flow_of(&self, ctx: Ctx) -> Option<FlowId> {
        (ctx.instance != NONE).then(|| self.world.instances[self.world.instances.id(ctx.instance)].flow)
    }

    /// Calls the timer of a task off, if there is one.
    #[inline]
    fn sleep_no_more(&mut self, task: &mut Task) {
        if std::mem::take(&mut task.timer) != Key::NONE {
            self.world.work -= 1;
        }
    }

    /// What the transaction wrote into the outbox is not there.
    #[inline]
    fn drop_letters(&mut self, task: &mut Task) {
        while let Some(row) = task.outbox.pop() {
            self.drop_letter(row);
        }
    }

    /// Undoes what the transaction has done so far.
    fn rollback(&mut self, task: &mut Task) {
        let op = self.plan.programs[task.program as usize].op;
        self.record(Kind::Rollback, task.path, &task.ctx, |r| {
            r.op = op.0;
            r.who = task.node;
        });
        self.unlock(task);
        self.drop_letters(task);
        task.staged.clear();
        task.cells.clear();
        task.reads.clear();
        task.open = false;
        task.fence = None;
        task.passed = false;
        task.store_key = false;
        task.fenced_off = false;
        task.skipped = Parts::NONE;
        (task.merged_done, task.merged_refused) = (0, 0);
    }

    /// The transaction is undone and the caller told.
    pub(super) fn abort(&mut self, id: Id, status: Status) {
        let mut task = self.world.blank.take().unwrap_or_default();
        std::mem::swap(&mut self.world.tasks[id], &mut task);
        self.rollback(&mut task);
        self.running_answers(&mut task, status);
        self.world.blank = Some(task);
    }

    /// A technical error: deadlock, lock timeout, database down.
    #[cold]
    pub(super) fn fail_task(&mut self, id: Id) {
        let Task { ctx, path, node, program, .. } = *self.world.tasks[id];
        let op = self.plan.programs[program as usize].op;
        self.record(Kind::Failed, path, &ctx, |r| {
            r.op = op.0;
            r.who = node;
            r.row = ctx.step;
        });
        self.abort(id, Status::Error);
    }

    /// The same for the task that is being run.
    #[cold]
    pub(super) fn fail_running(&mut self, task: &mut Running) -> Went {
        let id = self.put_back(task);
        self.fail_task(id);
        Went::Gone
    }

    /// The node crashed: the task ends without a word.
    pub(super) fn kill_task(&mut self, id: Id) {
        let mut task = self.world.blank.take().unwrap_or_default();
        std::mem::swap(&mut self.world.tasks[id], &mut task);
        if task.open {
            self.rollback(&mut task);
        }
        self.unlock(&mut task);
        self.sleep_no_more(&mut task);
        self.world.places.tasks.quit(id.slot, task.node);
        self.drop_letters(&mut task);
        self.world.tasks.leave(id);
        self.let_go(&task.ctx);
        self.world.blank = Some(task);
    }
}

/// What is to be done when an operation refuses refuses in its turn: nothing of it is done, nor told, and what the operation
/// refused for stays what it says.
fn leave_otherwise(task: &mut Task, program: &Program) -> Went {
    for (n, _) in program.parts.iter().enumerate().filter(|(_, part)| part.otherwise) {
        task.skipped.put(n as u8);
    }
    let behind = program.steps[usize::from(program.refuse)..].iter();
    let writes = |step: &&Step| matches!(step, Step::Intend(_) | Step::Write(..));
    Went::To(program.refuse + behind.take_while(writes).count() as u16)
}

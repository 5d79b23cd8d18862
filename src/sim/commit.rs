//! The end of a transaction that goes well: what it tells and answers is computed on what it leaves, then everything becomes
//! durable at one instant, between two crash points.

use super::Engine;
use super::call::arguments;
use super::task::Went;
use super::world::{Running, Staged, Task};
use crate::kernel::choose::Chooser;
use crate::kernel::path::Role;
use crate::kernel::time::Span;
use crate::model::expr::Failure;
use crate::model::ids::OpId;
use crate::model::record::{Kind, Masks, commit};
use crate::model::step::{PartPlan, Program};
use crate::model::value::{NULL, Word};
use crate::model::weather::{PointKind, Subject};
use crate::store::Sink;

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Computes the events and the reply from what the transaction leaves.
    #[inline]
    pub(super) fn compute_reply(&mut self, task: &mut Running, program: &Program) -> Went {
        if !program.merged.is_empty() {
            // All steps are behind it: what fails now fails the flow, not its last step.
            task.merged = u8::MAX;
        }
        let publishing = if program.publishes { &program.parts[..] } else { &[] };
        for (n, part) in publishing.iter().enumerate() {
            if part.publish.is_empty() || task.is_silent(program, n as u8) {
                continue;
            }
            if let Err(failure) = self.compute_events(task, part) {
                let reason = self.failure_reason(part.op, failure);
                return self.refuse(task, program, part.op, reason, false);
            }
        }
        if let Some(code) = &program.reply
            && !task.in_refusal
        {
            match self.evaluate(task, code, false) {
                Ok(reply) => task.reply = reply,
                // A skip may leave nothing to answer with.
                Err(_) if !task.skipped.is_empty() => task.reply = NULL,
                Err(failure) => {
                    // What a merged flow answers is no operation's failure.
                    let reason = match program.merged.is_empty() {
                        true => self.failure_reason(program.op, failure),
                        false => self.reason_of(failure),
                    };
                    return self.refuse(task, program, program.op, reason, false);
                }
            }
        }
        Went::On
    }

    fn compute_events(&mut self, task: &mut Task, part: &PartPlan) -> Result<(), Failure> {
        for publish in &part.publish {
            for (field, code) in publish.fields.iter().enumerate() {
                let value = match code {
                    None => NULL,
                    Some(code) => self.evaluate(task, code, false)?,
                };
                task.frame[publish.base as usize + field] = value;
            }
            let version = publish.version_of.and_then(|n| {
                let write = part.writes.get(n as usize)?;
                let staged = task.staged.iter().rfind(|staged| staged.table == write.table)?;
                Some(Word::from(self.world.tables.table(write.table).meta(staged.slot).version) + 1)
            });
            task.frame[publish.base as usize + publish.fields.len()] = version.unwrap_or(NULL);
        }
        Ok(())
    }

    /// Makes the transaction durable.
    #[inline]
    pub(super) fn commit(&mut self, task: &mut Running, program: &Program) -> Went {
        if !self.database_up(task.node) {
            return self.fail_running(task);
        }
        if !task.passed {
            // The point may take down the replica, or the database and this transaction with it.
            if !self.rules.quiet(0, PointKind::Commit) && self.pass_commits(0, task, program) {
                return Went::Gone;
            }
            if self.stands_still(task.node) {
                task.passed = true;
                return self.stand_still(task);
            }
        }
        if program.merged.is_empty() {
            let mut flag = 0;
            if task.in_refusal {
                flag |= commit::REFUSED;
            } else if task.skipped.has(0) {
                flag |= commit::SKIPPED;
            }
            if task.fenced_off {
                flag |= commit::FENCED;
            }
            let staged = std::mem::take(&mut task.staged);
            self.install(task, program.op, flag, &staged);
            task.staged = staged;
        } else {
            self.commit_merged(task, program);
        }
        task.staged.clear();
        task.cells.clear();
        if task.store_key || task.fence.is_some() {
            self.commit_keys(task, program);
        }
        // It is durable: whatever strikes from here on undoes nothing.
        task.open = false;
        if !self.commit_outbox(task) {
            return Went::Gone;
        }
        self.unlock(task);
        if !self.rules.quiet(1, PointKind::Commit) && self.pass_commits(1, task, program) {
            return Went::Gone;
        }
        if self.stands_still(task.node) {
            self.stand_still(task);
            return Went::WaitsBehind;
        }
        Went::On
    }

    /// The commits of the steps of a merged flow, one behind the other.
    fn commit_merged(&mut self, task: &mut Running, program: &Program) {
        let (all, whole) = (std::mem::take(&mut task.staged), task.ctx);
        for (n, step) in program.merged.iter().enumerate() {
            let refused = task.merged_refused >> n & 1 == 1;
            if refused || task.merged_done >> n & 1 == 1 {
                task.ctx = self.step_ctx(whole, step.step, false);
                let own: Vec<Staged> = all.iter().filter(|write| write.part == n as u8).copied().collect();
                self.install(task, step.op, if refused { commit::REFUSED } else { 0 }, &own);
            }
        }
        (task.staged, task.ctx) = (all, whole);
    }

    /// The node was paused at the point that the task has just passed: the task goes on when the node does.
    fn stand_still(&mut self, task: &mut Task) -> Went {
        let path = task.path;
        self.sleep_task(task, None, Span::ZERO, path);
        Went::Waits
    }

    /// The points before and after a commit. Returns whether the task is no more.
    #[cold]
    fn pass_commits(&mut self, after: usize, task: &mut Running, program: &Program) -> bool {
        let Task { ctx, path, node, .. } = **task;
        let merged = task.merged_done | task.merged_refused;
        // Rules look at the arguments; whatever strikes may end the task.
        let frame = task.frame.clone();
        let id = self.put_back(task);
        let gone = if program.merged.is_empty() {
            let args = arguments(&frame, program.args);
            self.passes(after, PointKind::Commit, Subject::Op(program.op), node, ctx, path, args)
        } else {
            program.merged.iter().enumerate().any(|(n, step)| {
                let first = step.args.first().map_or(0, |(_, slot)| *slot as usize);
                merged >> n & 1 == 1
                    && self.passes(
                        after,
                        PointKind::Commit,
                        Subject::Op(step.op),
                        node,
                        ctx,
                        path.child(Role::Step, u32::from(step.step)),
                        &frame[first..first + step.args.len()],
                    )
            })
        };
        gone || !self.take_out(id, task)
    }

    /// Installs staged writes of a task under its present context, and says so.
    pub(super) fn install(&mut self, task: &Task, op: OpId, flag: u8, staged: &[Staged]) {
        let Task { path, ref ctx, ref cells, .. } = *task;
        self.record(Kind::Commit, path, ctx, |r| {
            r.op = op.0;
            r.flag = flag;
            r.data = ctx.effect;
            r.who = ctx.instance;
            r.row = ctx.step;
            r.ver = staged.len() as u32;
        });
        for write in staged {
            let table = self.world.tables.table_mut(write.table);
            let new = &cells[write.cells as usize..][..table.width()];
            let version = table.install(write.slot, (!write.delete).then_some(new));
            let masks = Masks { set: write.set, rmw: write.rmw, carried: write.carried };
            self.record(Kind::Install, path, ctx, |r| {
                r.op = write.table.0;
                r.row = write.slot;
                r.ver = version;
                r.who = write.base;
                r.flag = write.flags;
                r.data = masks.pack();
            });
        }
    }
}

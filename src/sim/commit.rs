//! The end of a transaction that goes well: what it tells and answers is computed on what it leaves, then everything becomes
//! durable at one instant, between two crash points.

use super::Engine;
use super::call::arguments;
use super::slab::Id;
use super::task::Went;
use super::world::{Ctx, Staged, Task};
use crate::kernel::choose::Chooser;
use crate::kernel::path::Role;
use crate::kernel::time::Span;
use crate::model::ids::OpId;
use crate::model::record::{Kind, Masks, commit};
use crate::model::step::Program;
use crate::model::value::{NULL, Word};
use crate::model::weather::{PointKind, Subject};
use crate::store::Sink;

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Computes the events and the reply from what the transaction leaves.
    pub(super) fn compute_reply(&mut self, id: Id, program: &Program) -> Went {
        let (in_refusal, skipped) = (self.world.tasks[id].in_refusal, self.world.tasks[id].skipped);
        for (n, part) in program.parts.iter().enumerate() {
            if part.otherwise != in_refusal || skipped & 1 << n.min(31) != 0 {
                continue;
            }
            for publish in &part.publish {
                for (field, code) in publish.fields.iter().enumerate() {
                    let value = match code {
                        None => NULL,
                        Some(code) => match self.evaluate(id, code, false) {
                            Ok(value) => value,
                            Err(failure) => {
                                let reason = self.failure_reason(failure);
                                return self.refuse(id, program, part.op, reason, false);
                            }
                        },
                    };
                    self.world.tasks[id].frame[publish.base as usize + field] = value;
                }
                let version = publish.version_of.and_then(|n| {
                    let write = part.writes.get(n as usize)?;
                    let staged =
                        self.world.tasks[id].staged.iter().rfind(|staged| staged.table == write.table)?;
                    Some(Word::from(self.world.tables.table(write.table).meta(staged.slot).version) + 1)
                });
                let at = publish.base as usize + publish.fields.len();
                self.world.tasks[id].frame[at] = version.unwrap_or(NULL);
            }
        }
        if let Some(code) = &program.reply
            && !in_refusal
        {
            match self.evaluate(id, code, false) {
                Ok(reply) => self.world.tasks[id].reply = reply,
                // A skip may leave nothing to answer with.
                Err(_) if skipped != 0 => self.world.tasks[id].reply = NULL,
                Err(failure) => {
                    let reason = self.failure_reason(failure);
                    return self.refuse(id, program, program.op, reason, false);
                }
            }
        }
        Went::On
    }

    /// Makes the transaction durable.
    pub(super) fn commit(&mut self, id: Id, program: &Program) -> Went {
        let Task { ctx, node, in_refusal, .. } = self.world.tasks[id];
        if !self.database_up(node) {
            self.fail_task(id);
            return Went::Gone;
        }
        if !self.world.tasks[id].passed {
            // The point may take down the replica, or the database and this transaction with it.
            if self.pass_commits(0, id, program) || !self.world.tasks.has(id) {
                return Went::Gone;
            }
            if self.stands_still(node) {
                self.world.tasks[id].passed = true;
                return self.stand_still(id);
            }
        }
        let staged = std::mem::take(&mut self.world.tasks[id].staged);
        let cells = std::mem::take(&mut self.world.tasks[id].cells);
        if program.merged.is_empty() {
            let task = &self.world.tasks[id];
            let mut flag = 0;
            if in_refusal {
                flag |= commit::REFUSED;
            } else if task.skipped & 1 != 0 {
                flag |= commit::SKIPPED;
            }
            if task.fenced_off {
                flag |= commit::FENCED;
            }
            self.install(id, program.op, ctx, flag, &staged, &cells, 0);
        } else if !in_refusal {
            let done = self.world.tasks[id].merged_done;
            for (n, step) in program.merged.iter().enumerate() {
                if done & 1 << n != 0 {
                    let ctx = self.step_ctx(ctx, step.step, false);
                    self.install(id, step.op, ctx, 0, &staged, &cells, n as u8);
                }
            }
        }
        self.world.tasks[id].staged = staged;
        self.world.tasks[id].cells = cells;
        self.world.tasks[id].staged.clear();
        self.world.tasks[id].cells.clear();
        self.commit_keys(id, program);
        self.commit_outbox(id);
        self.world.tasks[id].open = false;
        self.unlock(id);
        if self.pass_commits(1, id, program) {
            return Went::Gone;
        }
        if self.stands_still(node) {
            let task = &mut self.world.tasks[id];
            task.pc += 1;
            task.paid = false;
            return self.stand_still(id);
        }
        Went::On
    }

    /// The node was paused at the point that the task has just passed: the task goes on when the node does.
    fn stand_still(&mut self, id: Id) -> Went {
        let path = self.world.tasks[id].path;
        self.sleep_task(id, None, Span::ZERO, path);
        Went::Waits
    }

    /// The points before and after a commit.
    fn pass_commits(&mut self, after: usize, id: Id, program: &Program) -> bool {
        if self.rules.quiet(after, PointKind::Commit) {
            return false;
        }
        let Task { ctx, path, node, merged_done, .. } = self.world.tasks[id];
        // Rules look at the arguments; whatever strikes may end the task.
        let frame = self.world.tasks[id].frame.clone();
        if program.merged.is_empty() {
            let args = arguments(&frame, program.args);
            return self.passes(after, PointKind::Commit, Subject::Op(program.op), node, ctx, path, args);
        }
        program.merged.iter().enumerate().any(|(n, step)| {
            let first = step.args.first().map_or(0, |(_, slot)| *slot as usize);
            merged_done & 1 << n != 0
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
    }

    /// Installs the staged writes of one step and says so.
    #[expect(clippy::too_many_arguments, reason = "a commit is all of this")]
    pub(super) fn install(
        &mut self,
        id: Id,
        op: OpId,
        ctx: Ctx,
        flag: u8,
        staged: &[Staged],
        cells: &[Word],
        part: u8,
    ) {
        let path = self.world.tasks[id].path;
        let count = staged.iter().filter(|write| write.part == part).count();
        self.record(Kind::Commit, path, ctx, |r| {
            r.op = op.0;
            r.flag = flag;
            r.data = ctx.effect;
            r.who = ctx.instance;
            r.row = ctx.step;
            r.ver = count as u32;
        });
        for write in staged.iter().filter(|write| write.part == part) {
            let table = self.world.tables.table_mut(write.table);
            let width = table.width();
            let new = &cells[write.cells as usize..][..width];
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

//! What an operation looks at: the rows it locks for that, the reads, checks and values of a part at one instant, and whether
//! all of it is still so later on. What it writes is in `write`.

use super::Engine;
use super::task::Went;
use super::view::{TaskView, note};
use super::world::{Running, Task};
use crate::kernel::choose::Chooser;
use crate::model::expr::{Code, Failure, eval};
use crate::model::ids::OpId;
use crate::model::record::Kind;
use crate::model::step::{AtPlan, LockPlan, Program, ThinkPlan, WritePlan};
use crate::model::value::{NULL, Word};
use crate::store::{Hold, Lock, Sink};

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    pub(super) fn lock_all(&mut self, task: &mut Running, program: &Program, locks: &[LockPlan]) -> Went {
        for lock in locks {
            let went = match lock {
                LockPlan::Row(table, code) => match self.evaluate(task, code, false) {
                    Ok(key) if key != NULL => self.lock(task, program, Lock { table: *table, space: 0, key }),
                    _ => continue,
                },
                LockPlan::Intention(table) => self.lock_table(task, program, *table, Hold::Intention),
                LockPlan::Whole(table) => self.lock_table(task, program, *table, Hold::Whole),
            };
            match went {
                Went::On => {}
                other => return other,
            }
        }
        Went::On
    }

    /// Reads, checks and computes a part at one instant.
    #[inline]
    pub(super) fn read(&mut self, task: &mut Running, program: &Program, part: u8) -> Went {
        let of = &program.parts[part as usize];
        let noted = task.reads.len();
        let went = self.read_part(task, program, part);
        for &(table, slot, version) in task.reads.get(noted..).unwrap_or(&[]) {
            self.record(Kind::Read, task.path, &task.ctx, |r| {
                r.op = table.0;
                r.row = slot;
                r.ver = version;
            });
        }
        match went {
            Ok(went) => went,
            Err(failure) => {
                let reason = self.failure_reason(of.op, failure);
                self.refuse(task, program, of.op, reason, false)
            }
        }
    }

    #[inline]
    fn read_part(&mut self, task: &mut Running, program: &Program, part: u8) -> Result<Went, Failure> {
        let of = &program.parts[part as usize];
        for (slot, code) in &of.lets {
            let value = self.evaluate(task, code, true)?;
            task.frame[*slot as usize] = value;
        }
        if let Some(skip) = &of.skip
            && self.evaluate(task, skip, true)? == 1
        {
            task.skipped.put(part);
            return Ok(Went::To(of.skip_to));
        }
        if of.guards.is_empty() {
            for (reason, code) in &of.require {
                if self.evaluate(task, code, true)? != 1 {
                    return Ok(self.refuse(task, program, of.op, *reason, false));
                }
            }
        }
        if let ThinkPlan::Computed(code, slot) = &of.think {
            let think = self.evaluate(task, code, true)?;
            task.frame[*slot as usize] = think;
        }
        for write in &of.writes {
            let AtPlan::Key(code) = &write.at else {
                self.read_values(task, write)?;
                continue;
            };
            let key = self.evaluate(task, code, true)?;
            if key == NULL {
                return Err(Failure::NullOperand);
            }
            let base = write.base as usize;
            let task = &mut **task;
            task.frame[base] = key;
            task.frame[base + 1] = 0;
            if task.staged.is_empty() {
                // Mostly the transaction has written nothing yet: one look at the table is enough.
                let state = self.world.tables.table(write.table);
                if let Some((slot, version)) = state.version_of(key) {
                    note(&mut task.reads, write.table, slot, version);
                    let cells = state.cells(slot);
                    task.frame[base + 2..][..cells.len()].copy_from_slice(cells);
                    task.frame[base + 1] = Word::from(version);
                }
                self.read_values(task, write)?;
                continue;
            }
            let mut view = TaskView {
                tables: &mut self.world.tables,
                staged: &task.staged,
                cells: &task.cells,
                reads: Some(&mut task.reads),
                now: self.agenda.now(),
                event: &task.event,
            };
            let slot = crate::model::expr::View::find(&mut view, write.table, key);
            if let Some(slot) = slot {
                let version = view.tables.table(write.table).meta(slot).version;
                let cells = view.row(write.table, slot).unwrap_or(&[]);
                task.frame[base + 2..base + 2 + cells.len()].copy_from_slice(cells);
                task.frame[base + 1] = Word::from(version);
            }
            self.read_values(task, write)?;
        }
        Ok(Went::On)
    }

    /// Computes the values of a write.
    #[inline]
    pub(super) fn read_values(&mut self, task: &mut Task, write: &WritePlan) -> Result<(), Failure> {
        let first = write.base as usize + 2 + write.columns as usize;
        for (n, value) in write.values.iter().enumerate() {
            let word = self.evaluate(task, &value.code, true)?;
            task.frame[first + n] = word;
        }
        Ok(())
    }

    /// All rows read must still have the versions they were read at.
    pub(super) fn verify(&mut self, task: &mut Running, program: &Program) -> Went {
        for n in 0..task.reads.len() {
            let (table, slot, version) = task.reads[n];
            let key = self.world.tables.table(table).cells(slot)[0];
            match self.lock(task, program, Lock { table, space: 0, key }) {
                Went::On => {}
                other => return other,
            }
            if self.world.tables.table(table).meta(slot).version != version {
                return self.conflict(task, program, table, slot);
            }
        }
        Went::On
    }

    /// Evaluates an expression of the operation on what its transaction sees.
    #[inline]
    pub(super) fn evaluate(
        &mut self,
        task: &mut Task,
        code: &Code,
        note_reads: bool,
    ) -> Result<Word, Failure> {
        if let Some(word) = code.at_hand(&task.frame) {
            return Ok(word);
        }
        self.evaluate_on_view(task, code, note_reads)
    }

    fn evaluate_on_view(&mut self, task: &mut Task, code: &Code, note_reads: bool) -> Result<Word, Failure> {
        let now = self.agenda.now();
        let mut view = TaskView {
            tables: &mut self.world.tables,
            staged: &task.staged,
            cells: &task.cells,
            reads: note_reads.then_some(&mut task.reads),
            now,
            event: &task.event,
        };
        eval(code, &task.frame, &mut view, self.scratch)
    }

    /// The reason that a failed expression of an operation refuses with. The first failure of each operation is kept, so that
    /// a report can say what was wrong.
    #[cold]
    pub(super) fn failure_reason(&mut self, op: OpId, failure: Failure) -> Word {
        if self.world.failures.iter().all(|(known, _)| *known != op) {
            self.world.failures.push((op, failure));
        }
        self.reason_of(failure)
    }

    /// The same, without a note of whose failure it is.
    pub(super) fn reason_of(&self, failure: Failure) -> Word {
        match failure {
            Failure::Missing(_) => self.plan.reasons.missing,
            _ => self.plan.reasons.error,
        }
    }
}

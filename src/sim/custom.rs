//! Steps of the user's own in the frame of an operation: run on a view of one execution, then what they want is done.
//!
//! A step is pure and may be run again: if a row that it wants is locked, nothing of it counts until the lock is free. Rows
//! that it puts in an open transaction are staged like any other write.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Engine;
use super::call::arguments;
use super::task::Went;
use super::view::TaskView;
use super::world::{From, Running, Staged, Status, Task};
use crate::kernel::choose::Chooser;
use crate::kernel::path::mix;
use crate::model::ids::{ServiceId, TableId};
use crate::model::own::{Db, Locals, Next, Place, Want};
use crate::model::record::{Kind, commit, install};
use crate::model::step::Program;
use crate::model::value::Word;
use crate::store::{Lock, Sink};

/// Never the null word.
fn key(of: u64) -> Word {
    (of >> 1) as Word
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    pub(super) fn custom_step(&mut self, task: &mut Running, program: &Program, n: u8) -> Went {
        let custom = &program.custom[n as usize];
        let op = program.op;
        let service = self.plan.model.operation(op).service;
        let now = self.agenda.now();
        let (first, count) = program.custom_slots;
        let (first, count) = (first as usize, count as usize);
        let salt = u64::from(op.0);
        let mut slots = task.frame[first..first + count].to_vec();
        let args = arguments(&task.frame, program.args).to_vec();
        let keys = [
            key(mix(task.ctx.effect, salt)),
            key(mix(task.ctx.sent, salt)),
            key(mix(Self::fingerprint(&args), salt)),
        ];
        let mut view = TaskView {
            tables: &mut self.world.tables,
            staged: &task.staged,
            cells: &task.cells,
            reads: None,
            now,
            event: &task.event,
        };
        let db = Db::new(&self.plan.model, &mut view, Some(service), now);
        let reply = task.reply;
        let mut locals = Locals { slots: &mut slots, args: &args, reply, keys, wants: Vec::new(), db };
        let went = catch_unwind(AssertUnwindSafe(|| custom.run(&mut locals)));
        let wants = std::mem::take(&mut locals.wants);
        let next = match went {
            Ok(next) => next,
            Err(panic) => {
                self.put_back(task);
                self.breaks(format!("step `{}`", custom.name), &*panic);
                return Went::Gone;
            }
        };
        let tables = match self.wanted_tables(service, custom.place, &wants) {
            Ok(tables) => tables,
            Err(text) => {
                self.put_back(task);
                self.breaks_with(format!("step `{}`", custom.name), &text);
                return Went::Gone;
            }
        };
        if custom.place != Place::Committed {
            for (want, &table) in wants.iter().zip(&tables) {
                match self.lock(task, program, Lock { table, space: 0, key: want.key }) {
                    Went::On => {}
                    other => return other,
                }
            }
        }
        task.frame[first..first + count].copy_from_slice(&slots);
        let writes = wants.iter().zip(&tables).filter(|(want, _)| want.values.is_some());
        for (want, &table) in writes.clone() {
            self.stage_kept(task, table, want);
        }
        if custom.place == Place::Committed && writes.count() > 0 {
            if !self.database_up(task.node) {
                return self.fail_running(task);
            }
            let staged = std::mem::take(&mut task.staged);
            self.install(task, op, commit::KEPT, &staged);
            task.cells.clear();
        }
        self.after_custom(task, program, custom.place, next)
    }

    fn after_custom(&mut self, task: &mut Running, program: &Program, place: Place, next: Next) -> Went {
        let Task { ctx, path, node, from, .. } = **task;
        match next {
            Next::On => Went::On,
            Next::Busy => self.busy(task, program),
            Next::Again(word) => {
                self.record(Kind::Replay, path, &ctx, |r| {
                    r.op = program.op.0;
                    r.data = ctx.effect;
                    r.who = node;
                });
                if let From::Stop(run) = from {
                    self.told_before(run);
                }
                self.running_answers(task, Status::Ok(word))
            }
            Next::Refuse(reason) if place == Place::Arrived => {
                self.record(Kind::Refused, path, &ctx, |r| {
                    r.op = program.op.0;
                    r.data = reason as u64;
                    r.who = node;
                    r.row = ctx.step;
                });
                self.running_answers(task, Status::Refused(reason))
            }
            // What is durable cannot be refused any more.
            Next::Refuse(_) if place == Place::Committed => Went::On,
            Next::Refuse(reason) => self.refuse(task, program, program.op, reason, false),
        }
    }

    /// The tables of rows that a step wants: those that the policy brought along.
    fn wanted_tables(
        &self,
        service: ServiceId,
        place: Place,
        wants: &[Want],
    ) -> Result<Vec<TableId>, String> {
        if place == Place::Arrived && !wants.is_empty() {
            return Err("wants a row before the transaction has begun".into());
        }
        let model = &self.plan.model;
        let tables = &model.service(service).tables;
        let of = |want: &Want| {
            let table = tables.iter().copied().find(|&table| model.table(table).name == want.table);
            let table = table.filter(|&table| model.table(table).kept);
            let table =
                table.ok_or_else(|| format!("wants `{}`, no table that it brought along", want.table))?;
            let columns = &model.table(table).columns;
            for (field, _) in want.values.iter().flatten() {
                if !columns[1..].iter().any(|column| column.name == *field) {
                    return Err(format!("writes a field `{field}` that `{}` has not", want.table));
                }
            }
            Ok(table)
        };
        wants.iter().map(of).collect()
    }

    /// Stages a row that the policy keeps for itself.
    fn stage_kept(&mut self, task: &mut Task, table: TableId, want: &Want) {
        let columns = &self.plan.model.table(table).columns;
        let slot = self.world.tables.table_mut(table).slot(want.key);
        let state = self.world.tables.table(table);
        let own = task.staged.iter().position(|staged| (staged.table, staged.slot) == (table, slot));
        let (from, flags) = match own {
            Some(at) => (task.staged[at].cells as usize, task.staged[at].flags),
            None => {
                let from = task.cells.len();
                let meta = state.meta(slot);
                match meta.live {
                    true => task.cells.extend_from_slice(state.cells(slot)),
                    false => task.cells.extend(columns.iter().map(|column| column.default)),
                }
                task.cells[from] = want.key;
                (from, if meta.live { install::KEPT } else { install::KEPT | install::CREATE })
            }
        };
        let mut set = 0;
        for (field, value) in want.values.iter().flatten() {
            if let Some(column) = columns.iter().position(|column| column.name == *field) {
                task.cells[from + column] = *value;
                set |= 1 << column;
            }
        }
        match own {
            Some(at) => task.staged[at].set |= set,
            None => task.staged.push(Staged {
                table,
                slot,
                cells: from as u32,
                base: state.meta(slot).version,
                set,
                flags,
                ..Staged::default()
            }),
        }
    }
}

//! How one row write meets the store: lock, check, new cells, stage.

use super::Engine;
use super::slab::Id;
use super::task::Went;
use super::view::TaskView;
use super::world::{Staged, Task};
use crate::kernel::choose::Chooser;
use crate::model::expr::{Code, Failure, eval};
use crate::model::how::OnConflict;
use crate::model::ids::TableId;
use crate::model::record::{NONE, commit, install};
use crate::model::service::Verb;
use crate::model::step::{AtPlan, Program, WritePlan};
use crate::model::value::{NULL, Type, Word};
use crate::store::{Index, Lock, Sink};

/// What to do with a row whose version has changed.
enum Stale {
    /// Write as planned.
    Write,
    /// Write only what is meant.
    MeantOnly,
    /// It is as asked for already: write nothing.
    Nothing,
    /// Conflict.
    Conflict,
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    pub(super) fn write(&mut self, id: Id, program: &Program, part: u8, number: u8) -> Went {
        let plan = &program.parts[part as usize].writes[number as usize];
        if plan.guarded {
            match self.guard(id, program, part) {
                Went::On => {}
                other => return other,
            }
        }
        match &plan.at {
            AtPlan::Fresh => {
                let key = self.world.tables.table_mut(plan.table).fresh_key();
                self.write_row(id, program, part, plan, key)
            }
            AtPlan::Key(code) => {
                let base = plan.base as usize;
                let in_otherwise = program.parts[part as usize].otherwise;
                if in_otherwise {
                    match self.evaluate(id, code, false) {
                        Ok(key) if key != NULL => self.world.tasks[id].frame[base] = key,
                        _ => return Went::On,
                    }
                    self.world.tasks[id].frame[base + 1] = 0;
                    if self.read_values(id, plan).is_err() {
                        return Went::On;
                    }
                }
                let key = self.world.tasks[id].frame[base];
                match self.lock(id, program, Lock { table: plan.table, space: 0, key }) {
                    Went::On => self.write_row(id, program, part, plan, key),
                    other => other,
                }
            }
            AtPlan::Matching(code) => self.write_matching(id, program, part, plan, code),
        }
    }

    /// Locks all rows of the part and checks its requirements on what is there now.
    fn guard(&mut self, id: Id, program: &Program, part: u8) -> Went {
        let of = &program.parts[part as usize];
        for write in &of.writes {
            if matches!(write.at, AtPlan::Key(_)) {
                let key = self.world.tasks[id].frame[write.base as usize];
                match self.lock(id, program, Lock { table: write.table, space: 0, key }) {
                    Went::On => {}
                    other => return other,
                }
            }
        }
        for (reason, code) in &of.require {
            let reason = match self.evaluate(id, code, false) {
                Ok(1) => continue,
                Ok(_) => *reason,
                Err(failure) => self.failure_reason(failure),
            };
            return self.refuse(id, program, of.op, reason, false);
        }
        Went::On
    }

    fn write_matching(&mut self, id: Id, program: &Program, part: u8, plan: &WritePlan, test: &Code) -> Went {
        if program.parts[part as usize].otherwise && self.read_values(id, plan).is_err() {
            return Went::On;
        }
        let mut keys = Vec::new();
        let mut at = None;
        loop {
            let task = &mut self.world.tasks[id];
            let mut view = TaskView {
                tables: &mut self.world.tables,
                staged: &task.staged,
                cells: &task.cells,
                reads: None,
                now: self.agenda.now(),
                event: task.event,
            };
            let Some(slot) = crate::model::expr::View::next_row(&mut view, plan.table, at) else { break };
            at = Some(slot);
            self.scratch.bind_row(0, slot);
            match eval(test, &task.frame, &mut view, self.scratch) {
                Ok(1) => keys.push(view.tables.table(plan.table).cells(slot)[0]),
                Ok(_) | Err(Failure::NullOperand) => {}
                Err(failure) => {
                    let reason = self.failure_reason(failure);
                    let op = program.parts[part as usize].op;
                    return self.refuse(id, program, op, reason, false);
                }
            }
        }
        for &key in &keys {
            match self.lock(id, program, Lock { table: plan.table, space: 0, key }) {
                Went::On => {}
                other => return other,
            }
        }
        for key in keys {
            match self.write_row(id, program, part, plan, key) {
                Went::On => {}
                other => return other,
            }
        }
        Went::On
    }

    fn write_row(&mut self, id: Id, program: &Program, part: u8, plan: &WritePlan, key: Word) -> Went {
        let mut rows = std::mem::take(&mut self.world.rows);
        let went = self.write_row_with(id, program, part, plan, key, &mut rows);
        self.world.rows = rows;
        went
    }

    /// The same with memory for the row as it is and as it will be.
    fn write_row_with(
        &mut self,
        id: Id,
        program: &Program,
        part: u8,
        plan: &WritePlan,
        key: Word,
        rows: &mut [Vec<Word>; 2],
    ) -> Went {
        let [now_there, new] = rows;
        let op = program.parts[part as usize].op;
        let now = self.agenda.now();
        let keyed = matches!(plan.at, AtPlan::Key(_));
        let task = &mut self.world.tasks[id];
        let slot = self.world.tables.table_mut(plan.table).slot(key);
        let view = TaskView {
            tables: &mut self.world.tables,
            staged: &task.staged,
            cells: &task.cells,
            reads: None,
            now,
            event: task.event,
        };
        let own = view.staged.iter().any(|staged| staged.table == plan.table && staged.slot == slot);
        now_there.clear();
        let current = view.row(plan.table, slot).map(|cells| {
            now_there.extend_from_slice(cells);
            &now_there[..]
        });
        let meta = self.world.tables.table(plan.table).meta(slot);
        let version = if meta.live { meta.version } else { 0 };
        let base = if keyed { task.frame[plan.base as usize + 1] as u32 } else { version };
        match (plan.verb, current) {
            (Verb::Set, None) => {
                let reason = self.plan.reasons.missing;
                return self.refuse(id, program, op, reason, false);
            }
            (Verb::Insert, Some(_)) => {
                let reason = self.plan.reasons.exists;
                return self.refuse(id, program, op, reason, false);
            }
            (Verb::Delete, None) => return Went::On,
            _ => {}
        }
        let mut meant_only = false;
        if plan.versioned && !own && version != base {
            match self.stale(id, program, plan, current) {
                Stale::Write => {}
                Stale::MeantOnly => meant_only = true,
                Stale::Nothing => return Went::On,
                Stale::Conflict => return self.conflict(id, program, plan.table, slot),
            }
        }
        if plan.fresh_values
            && let Err(failure) = self.read_values(id, plan)
        {
            let reason = self.failure_reason(failure);
            return self.refuse(id, program, op, reason, false);
        }
        let carried = match self.new_cells(id, plan, key, current, base, meant_only, new) {
            Ok(carried) => carried,
            Err(failure) => {
                let reason = self.failure_reason(failure);
                return self.refuse(id, program, op, reason, false);
            }
        };
        if plan.verb != Verb::Delete {
            match self.check_unique(id, program, plan.table, slot, new) {
                Went::On => {}
                other => return other,
            }
        }
        let at_store = own
            || plan.fresh_values
            || program.parts[part as usize].writes.first().is_some_and(|w| w.guarded);
        let from = match plan.verb {
            _ if at_store => version,
            Verb::Insert => NONE,
            _ if !plan.whole && plan.rmw == 0 && plan.verb != Verb::Delete => NONE,
            Verb::Delete if plan.rmw == 0 => NONE,
            _ => base,
        };
        let mut flags = 0;
        let deletes = plan.verb == Verb::Delete;
        if !deletes && current == Some(&new[..]) {
            flags |= install::NOOP;
        }
        if current.is_none() {
            flags |= install::CREATE;
        }
        if deletes {
            flags |= install::DELETE;
        }
        if program.parts[part as usize].otherwise {
            flags |= install::OTHERWISE;
        }
        let task = &mut self.world.tasks[id];
        let cells = task.cells.len() as u32;
        task.cells.extend_from_slice(new);
        let staged = Staged {
            table: plan.table,
            slot,
            cells,
            delete: deletes,
            base: from,
            set: plan.set,
            rmw: plan.rmw,
            carried,
            flags,
            part: task.merged,
        };
        if program.loose {
            let Task { ctx, .. } = *task;
            let cells = std::mem::take(&mut self.world.tasks[id].cells);
            self.install(id, op, ctx, commit::EARLY, &[staged], &cells, staged.part);
            self.world.tasks[id].cells = cells;
            self.world.tasks[id].cells.clear();
        } else {
            self.world.tasks[id].staged.push(staged);
        }
        Went::On
    }

    /// The version of a row is not the one read: what the policy makes of it.
    fn stale(&mut self, id: Id, program: &Program, plan: &WritePlan, current: Option<&[Word]>) -> Stale {
        let task = &self.world.tasks[id];
        let by_owner = program.steps.iter().any(|step| matches!(step, crate::model::step::Step::Read(_)));
        // Run by its caller, an operation goes on after a conflict only if the caller insists.
        let insists = by_owner || task.insist;
        let image = &task.frame[plan.base as usize + 2..][..plan.columns as usize];
        let first = plan.base as usize + 2 + plan.columns as usize;
        let values = plan.values.iter().enumerate().map(|(n, value)| (value.column, task.frame[first + n]));
        let existed = task.frame[plan.base as usize + 1] != 0;
        match (program.conflict.0, current) {
            (OnConflict::Force, _) if insists => Stale::Write,
            (OnConflict::Merge, Some(now)) if insists && existed => {
                let untouched = plan.values.iter().all(|v| now[v.column.index()] == image[v.column.index()]);
                if untouched { Stale::MeantOnly } else { Stale::Conflict }
            }
            (OnConflict::Already, Some(now)) if insists && plan.verb != Verb::Delete => {
                let mut values = values;
                if values.all(|(column, value)| now[column.index()] == value) {
                    Stale::Nothing
                } else {
                    Stale::Conflict
                }
            }
            _ => Stale::Conflict,
        }
    }

    /// The cells to be written, into `new`. Returns which of them are carried along unmeant and differ from what is there.
    #[expect(clippy::too_many_arguments, reason = "a row is all of this")]
    fn new_cells(
        &mut self,
        id: Id,
        plan: &WritePlan,
        key: Word,
        current: Option<&[Word]>,
        base: u32,
        meant_only: bool,
        new: &mut Vec<Word>,
    ) -> Result<u32, Failure> {
        let model = &self.plan.model;
        let table = model.table(plan.table);
        new.clear();
        if plan.verb == Verb::Delete {
            new.extend_from_slice(current.unwrap_or(&[]));
            return Ok(0);
        }
        let task = &self.world.tasks[id];
        let image = &task.frame[plan.base as usize + 2..][..plan.columns as usize];
        let whole = plan.whole && base != 0 && !meant_only;
        match current {
            _ if whole => new.extend_from_slice(image),
            Some(cells) => new.extend_from_slice(cells),
            None => new.extend(table.columns.iter().map(|column| column.default)),
        }
        new[0] = key;
        let first = plan.base as usize + 2 + plan.columns as usize;
        let mut carried = 0;
        if whole && let Some(now) = current {
            for (column, (theirs, ours)) in now.iter().zip(&*new).enumerate() {
                if theirs != ours && plan.set & 1 << column == 0 {
                    carried |= 1 << column;
                }
            }
        }
        for (n, value) in plan.values.iter().enumerate() {
            let word = task.frame[first + n];
            let column = value.column.index();
            new[column] = if !value.delta {
                word
            } else if matches!(table.columns[column].ty, Type::List(_)) {
                let heap = self.world.tables.heap_mut();
                let mut items = if new[column] == NULL { Vec::new() } else { heap.get(new[column]).to_vec() };
                items.extend_from_slice(heap.get(word));
                heap.tuple(&items)
            } else if new[column] == NULL || word == NULL {
                return Err(Failure::NullOperand);
            } else {
                let sum = new[column].checked_add(word).filter(|&sum| sum != NULL);
                sum.ok_or(Failure::Overflow)?
            };
        }
        Ok(carried)
    }

    /// No two rows share a unique combination: the values are locked until the commit, then compared.
    fn check_unique(&mut self, id: Id, program: &Program, table: TableId, slot: u32, new: &[Word]) -> Went {
        for n in 0..self.world.tables.table(table).unique_count() {
            let Some(hash) = self.world.tables.table(table).unique_hash(n, new) else { continue };
            let lock = Lock { table, space: 2 + n as u8, key: hash as Word };
            match self.lock(id, program, lock) {
                Went::On => {}
                other => return other,
            }
            if self.world.tables.table(table).unique_clash(n, new, Some(slot)).is_some() {
                let reason = self.plan.reasons.exists;
                let op = program.op;
                return self.refuse(id, program, op, reason, false);
            }
        }
        Went::On
    }

    /// A hash of the arguments of a request.
    pub(super) fn fingerprint(args: &[Word]) -> u64 {
        Index::hash_all(args.iter().copied())
    }
}

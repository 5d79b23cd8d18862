//! How one row write meets the store: lock, check, new cells, stage.

use super::Engine;
use super::task::Went;
use super::view::TaskView;
use super::world::{Running, Staged, Task};
use crate::kernel::choose::Chooser;
use crate::model::expr::{Code, Failure, eval, next_candidate};
use crate::model::how::OnConflict;
use crate::model::ids::{OpId, TableId};
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

/// Where a row is now, as its transaction sees it.
#[derive(Clone, Copy)]
enum Source {
    /// In the table.
    Table(u32),
    /// Among what the transaction has written.
    Own(Option<Staged>),
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    #[inline]
    pub(super) fn write(&mut self, task: &mut Running, program: &Program, part: u8, number: u8) -> Went {
        let plan = &program.parts[part as usize].writes[number as usize];
        if plan.guarded {
            match self.guard(task, program, part, number) {
                Went::On => {}
                other => return other,
            }
        }
        match &plan.at {
            AtPlan::Fresh => {
                if program.parts[part as usize].otherwise && self.read_values(task, plan).is_err() {
                    return Went::On;
                }
                // No row is read ahead, so the place of its key is free: there a key waits that was drawn before the wait.
                let base = plan.base as usize;
                let key = match std::mem::replace(&mut task.frame[base], NULL) {
                    NULL => self.world.tables.table_mut(plan.table).fresh_key(),
                    drawn => drawn,
                };
                let went = self.write_row(task, program, part, plan, key);
                if went == Went::Waits {
                    task.frame[base] = key;
                }
                went
            }
            AtPlan::Key(code) => {
                let base = plan.base as usize;
                let in_otherwise = program.parts[part as usize].otherwise;
                if in_otherwise {
                    match self.evaluate(task, code, false) {
                        Ok(key) if key != NULL => task.frame[base] = key,
                        _ => return Went::On,
                    }
                    task.frame[base + 1] = 0;
                    if self.read_values(task, plan).is_err() {
                        return Went::On;
                    }
                }
                let key = task.frame[base];
                match self.lock(task, program, Lock { table: plan.table, space: 0, key }) {
                    Went::On => self.write_row(task, program, part, plan, key),
                    other => other,
                }
            }
            AtPlan::Matching(code) => self.write_matching(task, program, part, plan, code),
        }
    }

    /// Locks all rows of the part and looks at what is there now: whether it skips, and what it requires in the statement of
    /// this write.
    fn guard(&mut self, task: &mut Running, program: &Program, part: u8, number: u8) -> Went {
        let of = &program.parts[part as usize];
        for write in &of.writes {
            if matches!(write.at, AtPlan::Key(_)) {
                let key = task.frame[write.base as usize];
                match self.lock(task, program, Lock { table: write.table, space: 0, key }) {
                    Went::On => {}
                    other => return other,
                }
            }
        }
        if let Some(skip) = &of.skip_at_store
            && number == 0
        {
            match self.evaluate(task, skip, false) {
                Ok(1) => {
                    task.skipped.put(part);
                    return Went::To(of.skip_to);
                }
                Ok(_) => {}
                Err(failure) => {
                    let reason = self.failure_reason(of.op, failure);
                    return self.refuse(task, program, of.op, reason, false);
                }
            }
        }
        let here = of.require.iter().zip(&of.guards).filter(|(_, at)| **at == u16::from(number));
        for ((reason, code), _) in here {
            let reason = match self.evaluate(task, code, false) {
                Ok(1) => continue,
                Ok(_) => *reason,
                Err(failure) => self.failure_reason(of.op, failure),
            };
            return self.refuse(task, program, of.op, reason, false);
        }
        Went::On
    }

    fn write_matching(
        &mut self,
        task: &mut Running,
        program: &Program,
        part: u8,
        plan: &WritePlan,
        test: &Code,
    ) -> Went {
        if program.parts[part as usize].otherwise && self.read_values(task, plan).is_err() {
            return Went::On;
        }
        let mut keys = Vec::new();
        let mut at = None;
        loop {
            let mut view = TaskView {
                tables: &mut self.world.tables,
                staged: &task.staged,
                cells: &task.cells,
                reads: None,
                now: self.agenda.now(),
                event: &task.event,
            };
            let next = next_candidate(test, plan.table, at, &task.frame, &mut view, self.scratch);
            let Some(slot) = next else { break };
            at = Some(slot);
            self.scratch.bind_row(0, slot);
            match eval(test, &task.frame, &mut view, self.scratch) {
                Ok(1) => keys.push(view.tables.table(plan.table).cells(slot)[0]),
                Ok(_) | Err(Failure::NullOperand) => {}
                Err(failure) => {
                    let op = program.parts[part as usize].op;
                    let reason = self.failure_reason(op, failure);
                    return self.refuse(task, program, op, reason, false);
                }
            }
        }
        for &key in &keys {
            match self.lock(task, program, Lock { table: plan.table, space: 0, key }) {
                Went::On => {}
                other => return other,
            }
        }
        let (staged, cells) = (task.staged.len(), task.cells.len());
        for key in keys {
            match self.write_row(task, program, part, plan, key) {
                Went::On => {}
                Went::Waits => {
                    // It is run again from the start: the rows before this one are not to be written twice.
                    task.staged.truncate(staged);
                    task.cells.truncate(cells);
                    return Went::Waits;
                }
                other => return other,
            }
        }
        Went::On
    }

    fn write_row(
        &mut self,
        task: &mut Running,
        program: &Program,
        part: u8,
        plan: &WritePlan,
        key: Word,
    ) -> Went {
        let of = &program.parts[part as usize];
        let keyed = matches!(plan.at, AtPlan::Key(_));
        let slot = self.world.tables.table_mut(plan.table).slot(key);
        let table = self.world.tables.table(plan.table);
        let meta = table.meta(slot);
        // What the transaction itself has written there.
        let own =
            task.staged.iter().rfind(|staged| staged.table == plan.table && staged.slot == slot).copied();
        let there = own.map_or(meta.live, |own| !own.delete);
        let version = if meta.live { meta.version } else { 0 };
        let base = if keyed { task.frame[plan.base as usize + 1] as u32 } else { version };
        match (plan.verb, there) {
            (Verb::Set, false) => {
                let reason = self.failure_reason(of.op, Failure::Missing(plan.table));
                return self.refuse(task, program, of.op, reason, false);
            }
            (Verb::Insert, true) => {
                let reason = self.plan.reasons.exists;
                return self.refuse(task, program, of.op, reason, false);
            }
            (Verb::Delete, false) => return Went::On,
            _ => {}
        }
        let mut meant_only = false;
        if plan.versioned && own.is_none() && version != base {
            match self.stale(task, program, plan, there.then_some(slot)) {
                Stale::Write => {}
                Stale::MeantOnly => meant_only = true,
                Stale::Nothing => return Went::On,
                Stale::Conflict => return self.conflict(task, program, plan.table, slot),
            }
        }
        if plan.fresh_values
            && let Err(failure) = self.read_values(task, plan)
        {
            let reason = self.failure_reason(of.op, failure);
            return self.refuse(task, program, of.op, reason, false);
        }
        // Only what was read ahead can be written back as a whole. If the row is as it was read, nothing but what is meant
        // changes either way.
        let unchanged = own.is_none() && version == base;
        let whole = keyed && plan.whole && base != 0 && !meant_only && !unchanged;
        let cells = task.cells.len();
        let from = if own.is_none() && there { Source::Table(slot) } else { Source::Own(own) };
        let (carried, same) = match self.new_cells(task, plan, key, whole, there.then_some(from)) {
            Ok(found) => found,
            Err(failure) => {
                task.cells.truncate(cells);
                let reason = self.failure_reason(of.op, failure);
                return self.refuse(task, program, of.op, reason, false);
            }
        };
        if plan.unique {
            let new = task.cells[cells..].to_vec();
            task.cells.truncate(cells);
            match self.check_unique(task, program, of.op, (plan.table, slot), &new) {
                Went::On => task.cells.extend_from_slice(&new),
                other => return other,
            }
        }
        let at_store = own.is_some() || plan.fresh_values || of.is_guarded();
        let from = match plan.verb {
            _ if at_store => version,
            Verb::Insert => NONE,
            _ if !plan.whole && plan.rmw == 0 && plan.verb != Verb::Delete => NONE,
            Verb::Delete if plan.rmw == 0 => NONE,
            _ => base,
        };
        let mut flags = 0;
        let deletes = plan.verb == Verb::Delete;
        if !deletes && same {
            flags |= install::NOOP;
        }
        if !there {
            flags |= install::CREATE;
        }
        if deletes {
            flags |= install::DELETE;
        }
        if of.otherwise {
            flags |= install::OTHERWISE;
        }
        let staged = Staged {
            table: plan.table,
            slot,
            cells: cells as u32,
            delete: deletes,
            base: from,
            set: plan.set,
            rmw: plan.rmw,
            carried,
            flags,
            part: task.merged,
        };
        if program.loose {
            self.install(task, of.op, commit::EARLY, &[staged]);
            task.cells.truncate(cells);
            self.note_own(task, program, plan.table, slot, key);
        } else {
            task.staged.push(staged);
        }
        Went::On
    }

    /// What an operation without transactions has written is there at once: that is no change by somebody else.
    fn note_own(&self, task: &mut Task, program: &Program, table: TableId, slot: u32, key: Word) {
        let meta = self.world.tables.table(table).meta(slot);
        for (_, _, version) in task.reads.iter_mut().filter(|read| (read.0, read.1) == (table, slot)) {
            *version = meta.version;
        }
        for write in program.parts.iter().flat_map(|part| &part.writes) {
            let base = write.base as usize;
            if write.versioned && write.table == table && task.frame[base] == key {
                task.frame[base + 1] = if meta.live { Word::from(meta.version) } else { 0 };
            }
        }
    }

    /// The version of a row is not the one read: what the policy makes of it.
    #[cold]
    fn stale(&mut self, task: &Task, program: &Program, plan: &WritePlan, current: Option<u32>) -> Stale {
        let by_owner = program.steps.iter().any(|step| matches!(step, crate::model::step::Step::Read(_)));
        // Run by its caller, an operation goes on after a conflict only if the caller insists.
        let insists = by_owner || task.insist;
        let image = &task.frame[plan.base as usize + 2..][..plan.columns as usize];
        let first = plan.base as usize + 2 + plan.columns as usize;
        let mut values =
            plan.values.iter().enumerate().map(|(n, value)| (value.column, task.frame[first + n]));
        let existed = task.frame[plan.base as usize + 1] != 0;
        let current = current.map(|slot| self.world.tables.table(plan.table).cells(slot));
        let conflict =
            program.merged.get(task.merged as usize).map_or(program.conflict, |step| step.conflict);
        match (conflict.0, current) {
            (OnConflict::Force, _) if insists => Stale::Write,
            (OnConflict::Merge, Some(now)) if insists && existed => {
                let untouched = plan.values.iter().all(|v| now[v.column.index()] == image[v.column.index()]);
                if untouched { Stale::MeantOnly } else { Stale::Conflict }
            }
            (OnConflict::Already, Some(now)) if insists && plan.verb != Verb::Delete => {
                if values.all(|(column, value)| now[column.index()] == value) {
                    Stale::Nothing
                } else {
                    Stale::Conflict
                }
            }
            _ => Stale::Conflict,
        }
    }

    /// Adds the cells to be written to those of the task. `there` is where the row is now, if there is one. Returns which
    /// cells are carried along unmeant and differ from what is there, and whether the row stays as it is.
    #[inline]
    fn new_cells(
        &mut self,
        task: &mut Task,
        plan: &WritePlan,
        key: Word,
        whole: bool,
        there: Option<Source>,
    ) -> Result<(u32, bool), Failure> {
        let at = task.cells.len();
        let width = plan.columns as usize;
        let table = self.world.tables.table(plan.table);
        let image = &task.frame[plan.base as usize + 2..][..if whole { width } else { 0 }];
        match there {
            _ if whole => task.cells.extend_from_slice(image),
            Some(Source::Table(slot)) => task.cells.extend_from_slice(table.cells(slot)),
            Some(Source::Own(own)) => {
                let from = own.map_or(0, |own| own.cells as usize);
                task.cells.extend_from_within(from..from + table.width());
            }
            None => {
                let columns = &self.plan.model.table(plan.table).columns;
                task.cells.extend(columns.iter().map(|column| column.default));
            }
        }
        if plan.verb == Verb::Delete {
            return Ok((0, false));
        }
        if let Some(Source::Table(_)) = there
            && !whole
            && !plan.deltas
        {
            // The usual case: the cells are those of the row, so that only what is put in place can differ.
            let (frame, cells) = (&task.frame, &mut task.cells[at..]);
            let mut same = true;
            for (value, &word) in plan.values.iter().zip(&frame[plan.base as usize + 2 + width..]) {
                let cell = &mut cells[value.column.index()];
                same &= *cell == word;
                *cell = word;
            }
            return Ok((0, same));
        }
        let (before, new) = task.cells.split_at_mut(at);
        let now = match there {
            Some(Source::Table(slot)) => Some(table.cells(slot)),
            Some(Source::Own(own)) => own.map(|own| &before[own.cells as usize..][..table.width()]),
            None => None,
        };
        new[0] = key;
        let mut carried = 0;
        if whole && let Some(now) = now {
            for (column, (theirs, ours)) in now.iter().zip(&*new).enumerate() {
                if theirs != ours && plan.set & 1 << column == 0 {
                    carried |= 1 << column;
                }
            }
        }
        let first = plan.base as usize + 2 + width;
        if plan.deltas {
            // Sums may need the heap, which the row that is there must not be borrowed from meanwhile.
            let now = now.map(<[Word]>::to_vec);
            self.add_deltas(task, plan, at, first)?;
            return Ok((carried, now.as_deref() == Some(&task.cells[at..])));
        }
        for (n, value) in plan.values.iter().enumerate() {
            new[value.column.index()] = task.frame[first + n];
        }
        Ok((carried, now == Some(&*new)))
    }

    /// Puts the values of a write in place, or adds them to what is there.
    fn add_deltas(
        &mut self,
        task: &mut Task,
        plan: &WritePlan,
        at: usize,
        first: usize,
    ) -> Result<(), Failure> {
        let columns = &self.plan.model.table(plan.table).columns;
        for (n, value) in plan.values.iter().enumerate() {
            let word = task.frame[first + n];
            let column = value.column.index();
            let cell = &mut task.cells[at + column];
            *cell = if !value.delta {
                word
            } else if matches!(columns[column].ty, Type::List(_)) {
                let heap = self.world.tables.heap_mut();
                let mut items = if *cell == NULL { Vec::new() } else { heap.get(*cell).to_vec() };
                items.extend_from_slice(heap.get(word));
                heap.tuple(&items)
            } else if *cell == NULL || word == NULL {
                return Err(Failure::NullOperand);
            } else {
                let sum = cell.checked_add(word).filter(|&sum| sum != NULL);
                sum.ok_or(Failure::Overflow)?
            };
        }
        Ok(())
    }

    /// No two rows share a unique combination: the values are locked until the commit, then compared.
    fn check_unique(
        &mut self,
        task: &mut Running,
        program: &Program,
        op: OpId,
        (table, slot): (TableId, u32),
        new: &[Word],
    ) -> Went {
        for n in 0..self.world.tables.table(table).unique_count() {
            let Some(hash) = self.world.tables.table(table).unique_hash(n, new) else { continue };
            let lock = Lock { table, space: 2 + n as u8, key: hash as Word };
            match self.lock(task, program, lock) {
                Went::On => {}
                other => return other,
            }
            if self.clashes(task, (table, slot), n, new) {
                let reason = self.plan.reasons.exists;
                return self.refuse(task, program, op, reason, false);
            }
        }
        Went::On
    }

    /// Whether another row has the values of a unique combination, as the transaction sees the rows: what it has written
    /// itself is as it left it.
    fn clashes(&self, task: &Task, (table, slot): (TableId, u32), n: usize, new: &[Word]) -> bool {
        let state = self.world.tables.table(table);
        let last = |at: u32| task.staged.iter().rposition(|own| (own.table, own.slot) == (table, at));
        if state.unique_clash(n, new, Some(slot)).is_some_and(|other| last(other).is_none()) {
            return true;
        }
        task.staged.iter().enumerate().any(|(at, own)| {
            own.table == table
                && own.slot != slot
                && !own.delete
                && state.shares(n, &task.cells[own.cells as usize..], new)
                && last(own.slot) == Some(at)
        })
    }

    /// A hash of the arguments of a request.
    pub(super) fn fingerprint(args: &[Word]) -> u64 {
        Index::hash_all(args.iter().copied())
    }
}

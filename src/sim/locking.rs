//! Locks as a task meets them: it takes one or waits for it, not for ever; deadlocks are found when they close, and what a
//! task gives back wakes those who waited. Who holds what is in `store::locks`.

use super::Engine;
use super::slab::Id;
use super::task::Went;
use super::world::{Ready, Running, Task, What};
use crate::kernel::choose::Chooser;
use crate::model::ids::TableId;
use crate::model::record::{Kind, NONE};
use crate::model::step::Program;
use crate::store::{Hold, Lock, Sink};

/// What is waited for.
#[derive(Clone, Copy)]
enum Wanted {
    Row(Lock),
    Table(TableId, Hold),
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Takes a lock or waits for it.
    #[inline]
    pub(super) fn lock(&mut self, task: &mut Running, program: &Program, lock: Lock) -> Went {
        // Where no lock is held, and this transaction is over before anything else can happen, nobody could ever meet it. At
        // a node that is paused it may yet stand still before its commit.
        if program.loose || task.at_once && self.world.paused == 0 && self.world.locks.is_empty() {
            return Went::On;
        }
        self.give_slot(task);
        task.touched_locks = true;
        if self.world.locks.take(lock, task.id.slot) {
            return Went::On;
        }
        self.wait_for_lock(task, program, Wanted::Row(lock))
    }

    /// The same for a table.
    pub(super) fn lock_table(
        &mut self,
        task: &mut Running,
        program: &Program,
        table: TableId,
        hold: Hold,
    ) -> Went {
        if program.loose || task.at_once && self.world.paused == 0 && self.world.locks.is_empty() {
            return Went::On;
        }
        self.give_slot(task);
        task.touched_locks = true;
        if self.world.locks.take_table(table, hold, task.id.slot) {
            return Went::On;
        }
        self.wait_for_lock(task, program, Wanted::Table(table, hold))
    }

    fn wait_for_lock(&mut self, task: &mut Running, program: &Program, wanted: Wanted) -> Went {
        let Task { path, node, id, .. } = **task;
        self.record(Kind::LockWait, path, &task.ctx, |r| {
            (r.op, r.row, r.flag) = match wanted {
                Wanted::Row(lock) => (lock.table.0, lock.key as u32, 0),
                Wanted::Table(table, _) => (table.0, NONE, 1),
            };
            r.who = node;
        });
        loop {
            let ring = self.world.locks.deadlock(id.slot);
            if ring.is_empty() {
                break;
            }
            self.put_back(task);
            // The one whose name sorts last gives way: no order of arrival, no slot number.
            let name = |slot: u32| self.world.tasks[self.world.tasks.id(slot)].path;
            let victim = ring.iter().copied().max_by_key(|&slot| name(slot)).unwrap_or(id.slot);
            let victim = self.world.tasks.id(victim);
            self.fail_task(victim);
            // What the victim answers may have brought down the replica of both.
            if !self.take_out(id, task) {
                return Went::Gone;
            }
            let taken = match wanted {
                Wanted::Row(lock) => self.world.locks.take(lock, id.slot),
                Wanted::Table(table, hold) => self.world.locks.take_table(table, hold, id.slot),
            };
            if taken {
                // The victim's lock may have come to this very task, which goes on now and need not be woken.
                self.world.ready.retain(|ready| *ready != Ready::Task(id));
                return Went::On;
            }
        }
        task.waits += 1;
        task.waiting = true;
        let step = program.merged.get(task.merged as usize);
        let wait = step.map_or(program.lock_wait, |step| step.lock_wait);
        if !wait.is_ever() {
            self.timer(What::LockTimeout(id, task.waits), wait, path);
        }
        Went::Waits
    }

    /// A task has waited long enough for a lock.
    pub(super) fn lock_timeout(&mut self, id: Id, waits: u32) {
        let Some(task) = self.world.tasks.get(id) else { return };
        if task.waiting && task.waits == waits {
            self.fail_task(id);
        }
    }

    /// Gives back all locks of a task; those that waited go on.
    #[inline]
    pub(super) fn unlock(&mut self, task: &mut Task) {
        if std::mem::take(&mut task.touched_locks) {
            self.release(task.id.slot);
        }
    }

    fn release(&mut self, owner: u32) {
        let mut woken = std::mem::take(&mut self.world.woken);
        woken.clear();
        self.world.locks.release(owner, &mut woken);
        for &slot in &woken {
            let other = self.world.tasks.id(slot);
            let task = &mut self.world.tasks[other];
            task.waiting = false;
            task.waits += 1;
            self.world.ready.push_back(Ready::Task(other));
        }
        self.world.woken = woken;
    }
}

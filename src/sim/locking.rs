//! Locks as a task meets them: it takes one or waits for it, not for ever; deadlocks are found when they close, and what a
//! task gives back wakes those who waited. Who holds what is in `store::locks`.

use super::Engine;
use super::slab::Id;
use super::task::Went;
use super::world::{Ready, Running, Task, What};
use crate::kernel::choose::Chooser;
use crate::model::record::Kind;
use crate::model::step::Program;
use crate::store::{Lock, Sink};

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
        self.wait_for_lock(task, program, lock)
    }

    fn wait_for_lock(&mut self, task: &mut Running, program: &Program, lock: Lock) -> Went {
        let Task { path, node, id, .. } = **task;
        self.record(Kind::LockWait, path, &task.ctx, |r| {
            r.op = lock.table.0;
            r.row = lock.key as u32;
            r.who = node;
        });
        let ring = self.world.locks.deadlock(id.slot);
        if !ring.is_empty() {
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
            if self.world.locks.take(lock, id.slot) {
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

//! Idempotency keys: how a repetition is recognised.
//!
//! Stored *with* the effect, a key is claimed by a lock and set by the commit, so that the two cannot part. Stored before or
//! after, it has a commit of its own, and a crash can fall between.

use super::Engine;
use super::call::arguments;
use super::task::Went;
use super::world::{Ctx, From, Running, Status, Task, What};
use crate::kernel::agenda::Class;
use crate::kernel::choose::Chooser;
use crate::kernel::path::{Path, mix};
use crate::kernel::time::Span;
use crate::model::expr::eval;
use crate::model::how::{Busy, Keep, KeyMemory, KeyPolicy, KeySource, KeyStore, SameKey};
use crate::model::ids::TableId;
use crate::model::plan::NodeKind;
use crate::model::record::Kind;
use crate::model::step::{KeyPlan, Program};
use crate::model::value::{NULL, Word};
use crate::store::{KeyState, Lock, Sink};

/// Locks on keys are locks of no table.
const KEYS: TableId = TableId(u16::MAX);

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Where the keys of a replica's service are kept under a policy.
    pub(super) fn key_place(&self, node: u32, policy: &KeyPolicy) -> usize {
        match (policy.memory, self.plan.nodes.kind(node)) {
            (KeyMemory::Shared, NodeKind::Replica(service, _)) => service.index(),
            _ => self.plan.model.services.len() + node as usize,
        }
    }

    /// The key of a request. `salt` keeps the keys of different operations apart.
    pub(super) fn key_of(
        &mut self,
        plan: &KeyPlan,
        ctx: &Ctx,
        event: Word,
        args: &[Word],
        salt: u64,
    ) -> Word {
        let of = match plan.policy.source {
            KeySource::Intent => ctx.effect,
            KeySource::Call => mix(ctx.call, u64::from(ctx.step)),
            // A message that a relay repeats keeps the id of its event; any other is repeated as another message.
            KeySource::Message if event != NULL => event as u64,
            KeySource::Attempt | KeySource::Message => ctx.sent,
            KeySource::Payload => Self::fingerprint(args),
            KeySource::Computed(_) => match &plan.computed {
                Some(code) => {
                    let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
                    eval(code, args, &mut view, self.scratch).unwrap_or(NULL) as u64
                }
                None => 0,
            },
        };
        // Never the null word.
        (mix(of, salt) >> 1) as Word
    }

    pub(super) fn key_lookup(&mut self, task: &mut Running, program: &Program) -> Went {
        let Some(plan) = &program.key else { return Went::On };
        let args = arguments(&task.frame, program.args);
        let key = self.key_of(plan, &task.ctx, task.event[0], args, u64::from(program.op.0));
        task.fingerprint = Self::fingerprint(args);
        task.key = key;
        self.consult(task, program, plan)
    }

    /// Looks at what is known of the task's key.
    fn consult(&mut self, task: &mut Running, program: &Program, plan: &KeyPlan) -> Went {
        let Task { ref ctx, path, key, fingerprint, node, .. } = **task;
        let place = self.key_place(node, &plan.policy);
        let Some(entry) = self.world.keys[place].get(key) else { return Went::On };
        if entry.fingerprint != fingerprint && plan.policy.same_key == SameKey::Compare {
            let reason = self.plan.reasons.mismatch;
            self.record(Kind::Refused, path, ctx, |r| {
                r.op = program.op.0;
                r.data = reason as u64;
                r.who = node;
                r.row = ctx.step;
            });
            return self.running_answers(task, Status::Refused(reason));
        }
        match entry.state {
            KeyState::Done { refused, reply } => {
                self.record(Kind::Replay, path, ctx, |r| {
                    r.op = program.op.0;
                    r.data = ctx.effect;
                    r.who = node;
                });
                let status = refused.map_or(Status::Ok(reply), Status::Refused);
                if let From::Stop(run) = task.from {
                    self.told_before(run);
                }
                self.running_answers(task, status)
            }
            KeyState::InProgress | KeyState::Claimed(_) => match plan.policy.busy {
                Busy::Ignore => Went::On,
                Busy::Reject | Busy::Wait => self.busy(task, program),
            },
        }
    }

    pub(super) fn busy(&mut self, task: &mut Running, program: &Program) -> Went {
        self.record(Kind::Busy, task.path, &task.ctx, |r| {
            r.op = program.op.0;
            r.who = task.node;
        });
        self.running_answers(task, Status::Busy)
    }

    /// The key is claimed by a lock until the commit.
    pub(super) fn key_claim(&mut self, task: &mut Running, program: &Program) -> Went {
        let Some(plan) = &program.key else { return Went::On };
        let Task { key, node, .. } = **task;
        if plan.policy.busy == Busy::Ignore {
            return Went::On;
        }
        // Two services may use the same key; their locks must not meet.
        let place = self.key_place(node, &plan.policy);
        let lock = Lock { table: KEYS, space: 0, key: mix(place as u64, key as u64) as Word };
        let free = self.world.locks.owner(lock).is_none_or(|owner| owner == task.id.slot);
        if !free && plan.policy.busy == Busy::Reject {
            return self.busy(task, program);
        }
        match self.lock(task, program, lock) {
            Went::On => self.consult(task, program, plan),
            other => other,
        }
    }

    /// The key is stored as done in a commit of its own, before the effect. It is there once: who comes second at the same
    /// time is told so.
    pub(super) fn key_early(&mut self, task: &mut Running, program: &Program) -> Went {
        let Some(plan) = &program.key else { return Went::On };
        match self.consult(task, program, plan) {
            Went::On => {
                self.set_key(task, program);
                Went::On
            }
            other => other,
        }
    }

    /// The key is stored in a commit of its own, after the effect.
    pub(super) fn key_late(&mut self, task: &Task, program: &Program) -> Went {
        self.set_key(task, program);
        Went::On
    }

    /// What the transaction stores besides rows: key and fence.
    pub(super) fn commit_keys(&mut self, task: &Task, program: &Program) {
        if task.store_key {
            self.set_key(task, program);
        }
        if let Some(mark) = task.fence {
            self.commit_fence(task, mark);
        }
    }

    fn set_key(&mut self, task: &Task, program: &Program) {
        let Some(plan) = &program.key else { return };
        let Task { key, fingerprint, refused, reply, node, path, .. } = *task;
        if refused.is_some() && plan.policy.keep != Keep::Any {
            return;
        }
        let early = plan.policy.store == KeyStore::Before;
        let reply = if plan.policy.keep == Keep::Nothing || early { NULL } else { reply };
        let refused = if early { None } else { refused };
        let place = self.key_place(node, &plan.policy);
        self.remember(place, key, fingerprint, KeyState::Done { refused, reply }, plan.policy.ttl, path);
    }

    /// Sets what is known of a key, for so long.
    pub(super) fn remember(
        &mut self,
        place: usize,
        key: Word,
        fingerprint: u64,
        state: KeyState,
        lasts: Span,
        path: Path,
    ) {
        let count = self.world.keys[place].set(key, fingerprint, state);
        if !lasts.is_ever() {
            self.schedule(What::Forget(place as u32, key, count), lasts, Class::Timer, path, true);
        }
    }
}

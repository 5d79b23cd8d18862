//! Tasks: operations being executed, step by step. Steps run one after the other at one instant until one takes time, waits
//! for a lock, or is cut off by a crash.

use super::Engine;
use super::call::arguments;
use super::fault::Weathered;
use super::network::Answered;
use super::slab::Id;
use super::view::TaskView;
use super::world::{Ctx, From, Ready, Staged, Status, Task, What};
use crate::kernel::agenda::LaneId;
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role};
use crate::kernel::time::Span;
use crate::model::expr::{Code, Failure, eval};
use crate::model::flow::Target;
use crate::model::how::OnConflict;
use crate::model::ids::{FlowId, OpId, TableId};
use crate::model::plan::NodeKind;
use crate::model::record::{FLOW, Kind, Masks, NONE, commit};
use crate::model::step::{AtPlan, Program, Step, ThinkPlan};
use crate::model::value::{NULL, Word};
use crate::model::weather::{PointKind, Subject};
use crate::store::{Lock, Sink};

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Went {
    /// On to the next.
    On,
    /// On at another place.
    To(u16),
    /// It waits; the same step comes again.
    Waits,
    /// The task is no more.
    Gone,
}

/// Whether a step is a statement of the database, which takes its time before it takes effect.
fn takes_time(program: &Program, step: Step, task: &Task) -> bool {
    match step {
        Step::KeyLookup | Step::KeyEarly | Step::KeyLate | Step::Lock(_) | Step::Read(_) => true,
        Step::Write(..) | Step::Outbox(_) => true,
        Step::Fence => task.ctx.fenced,
        Step::Custom(n) => program.custom[n as usize].statement,
        Step::Commit => !program.read_only,
        _ => false,
    }
}

impl Task {
    /// Makes a task anew, field by field: by assignment it would be built elsewhere, moved here, and its lists dropped.
    fn reset(&mut self, program: u16, node: u32, ctx: Ctx, path: Path, from: From) {
        self.program = program;
        self.pc = 0;
        self.node = node;
        self.ctx = ctx;
        self.path = path;
        self.from = from;
        self.frame.clear();
        self.staged.clear();
        self.cells.clear();
        self.reads.clear();
        self.open = false;
        self.free = false;
        self.touched_locks = false;
        self.paid = false;
        self.passed = false;
        self.waiting = false;
        self.waits = 0;
        self.refused = None;
        self.in_refusal = false;
        self.skipped = 0;
        self.fenced_off = false;
        self.reply = NULL;
        self.tries = 0;
        self.key = 0;
        self.fingerprint = 0;
        self.store_key = false;
        self.fence = None;
        self.insist = false;
        self.mark = 0;
        self.merged = 0;
        self.merged_done = 0;
        self.outbox.clear();
        self.event = [NULL; 4];
        self.round = 0;
        self.timer = None;
    }
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Begins to execute an operation, or a half of one.
    #[expect(clippy::too_many_arguments, reason = "a request is all of this")]
    pub(super) fn start_task(
        &mut self,
        op: OpId,
        fetch: bool,
        node: u32,
        ctx: Ctx,
        path: Path,
        from: From,
        payload: &[Word],
        insist: bool,
        refused: Option<Word>,
    ) {
        if self.is_hosted(op) {
            return self.ask_guest(op, node, ctx, path, from, payload);
        }
        let plan = &self.plan.operations[op.index()];
        let program = match (plan.whole, plan.halves) {
            (Some(whole), _) => whole,
            (None, Some((reads, _))) if fetch => reads,
            (None, Some((_, writes))) => writes,
            (None, None) => return,
        };
        let id = self.new_task(program, node, ctx, path, from, payload);
        let task = &mut self.world.tasks[id];
        task.insist = insist;
        let refuse = self.plan.programs[program as usize].refuse;
        if let Some(reason) = refused {
            // Its caller found that it refuses: only what is to be done then is left.
            let task = &mut self.world.tasks[id];
            task.refused = Some(reason);
            task.in_refusal = true;
            task.open = true;
            task.pc = refuse;
        }
        self.begin_record(id, op);
        self.world.ready.push_back(Ready::Task(id));
    }

    /// Begins to execute a merged flow.
    pub(super) fn start_merged(
        &mut self,
        flow: FlowId,
        node: u32,
        ctx: Ctx,
        path: Path,
        from: From,
        args: &[Word],
    ) {
        let Some(program) = self.plan.flows[flow.index()].merged else { return };
        let instance = self.instance(ctx, flow);
        let id = self.new_task(program, node, Ctx { instance, ..ctx }, path, from, args);
        self.begin_record(id, OpId(flow.0 | FLOW));
        self.world.ready.push_back(Ready::Task(id));
    }

    /// Begins to execute an operation for an event.
    #[expect(clippy::too_many_arguments, reason = "an event is all of this")]
    pub(super) fn start_subscriber(
        &mut self,
        op: OpId,
        node: u32,
        ctx: Ctx,
        path: Path,
        from: From,
        args: &[Word],
        event: [Word; 4],
    ) {
        let Some(program) = self.plan.operations[op.index()].whole else {
            return self.answer_nothing(from, node, ctx, path);
        };
        let id = self.new_task(program, node, ctx, path, from, args);
        self.world.tasks[id].event = event;
        self.begin_record(id, op);
        self.world.ready.push_back(Ready::Task(id));
    }

    fn answer_nothing(&mut self, from: From, node: u32, ctx: Ctx, path: Path) {
        let what = Answered { node, target: Target::Op(OpId(0)), path, ctx, args: &[], payload: &[] };
        self.answer(from, Status::Error, what);
    }

    fn new_task(
        &mut self,
        program: u16,
        node: u32,
        ctx: Ctx,
        path: Path,
        from: From,
        payload: &[Word],
    ) -> Id {
        self.hold(ctx);
        let of = &self.plan.programs[program as usize];
        let (id, task) = self.world.tasks.take();
        task.reset(program, node, ctx, path, from);
        task.free = match self.plan.nodes.kind(node) {
            NodeKind::Replica(service, _) => self.plan.model.service(service).statement.is_zero(),
            _ => true,
        };
        if task.frame.capacity() == 0 {
            task.frame = self.world.spare.pop().unwrap_or_default();
            task.frame.clear();
        }
        task.frame.extend_from_slice(payload);
        task.frame.resize(of.frame as usize, NULL);
        self.world.places.tasks.join(id.slot, node);
        id
    }

    fn begin_record(&mut self, id: Id, op: OpId) {
        let Task { node, ctx, path, .. } = self.world.tasks[id];
        self.record(Kind::Begin, path, ctx, |r| {
            r.op = op.0;
            r.who = node;
            r.data = ctx.effect;
            r.row = ctx.step;
        });
    }

    /// Runs a task until it ends, takes time or waits.
    pub(super) fn run_task(&mut self, id: Id) {
        let plan = self.plan;
        loop {
            let task = &mut self.world.tasks[id];
            let program = &plan.programs[task.program as usize];
            let step = program.steps[task.pc as usize];
            if !task.paid && !task.free {
                task.paid = true;
                if takes_time(program, step, task)
                    && let NodeKind::Replica(service, _) = plan.nodes.kind(task.node)
                {
                    let (statement, path) = (plan.model.service(service).statement, task.path);
                    self.sleep_task(id, self.lanes.statements[service.index()], statement, path);
                    return;
                }
            }
            match self.task_step(id, program, step) {
                Went::On => {
                    let task = &mut self.world.tasks[id];
                    task.pc += 1;
                    task.paid = false;
                }
                Went::To(pc) => {
                    let task = &mut self.world.tasks[id];
                    task.pc = pc;
                    task.paid = false;
                }
                Went::Waits | Went::Gone => return,
            }
        }
    }

    fn sleep_task(&mut self, id: Id, lane: Option<LaneId>, after: Span, name: Path) {
        let timer = self.timer_in(lane, What::Task(id), after, name);
        let task = &mut self.world.tasks[id];
        task.timer = Some(timer);
        task.waiting = true;
    }

    fn task_step(&mut self, id: Id, program: &Program, step: Step) -> Went {
        match step {
            Step::KeyLookup => self.key_lookup(id, program),
            Step::KeyEarly => self.key_early(id, program),
            Step::Begin => self.begin_transaction(id),
            Step::KeyClaim => self.key_claim(id, program),
            Step::Fence => self.fence(id),
            Step::Weather(part) => self.weather_step(id, program, part),
            Step::Lock(part) => self.lock_reads(id, program, part),
            Step::Read(part) => self.read(id, program, part),
            Step::Think(part) => self.think_step(id, program, part),
            Step::Write(part, write) => self.write(id, program, part, write),
            Step::Verify => self.verify(id, program),
            Step::Outbox(part) => self.outbox_step(id, program, part),
            Step::Reply => self.compute_reply(id, program),
            Step::KeyStore => {
                self.world.tasks[id].store_key = true;
                Went::On
            }
            Step::Commit => self.commit(id, program),
            Step::KeyLate => self.key_late(id, program),
            Step::Publish(part) => self.publish_step(id, program, part),
            Step::Enter(n) => self.enter(id, program, n),
            Step::Leave(n) => self.leave(id, program, n),
            Step::Custom(n) => self.custom_step(id, program, n),
            Step::End => self.end_task(id, program),
        }
    }

    fn begin_transaction(&mut self, id: Id) -> Went {
        let node = self.world.tasks[id].node;
        if !self.database_up(node) {
            self.fail_task(id);
            return Went::Gone;
        }
        let task = &mut self.world.tasks[id];
        task.open = true;
        task.round += 1;
        Went::On
    }

    fn weather_step(&mut self, id: Id, program: &Program, part: u8) -> Went {
        if self.rules.operations.is_empty() && !self.rules.scripted {
            return Went::On;
        }
        let Some(of) = program.parts.get(part as usize) else { return Went::On };
        let Task { ctx, path, node, .. } = self.world.tasks[id];
        let args = self.world.tasks[id].frame.clone();
        let count = self.plan.model.operation(of.op).args;
        let merged = program.merged.get(self.world.tasks[id].merged as usize);
        let first = merged.and_then(|step| step.args.first()).map_or(0, |(_, slot)| *slot as usize);
        let name = merged.map_or(path, |step| path.child(Role::Step, u32::from(step.step)));
        match self.weather_on(of.op, ctx, name, arguments(&args[first..], count)) {
            None => Went::On,
            Some(Weathered::Refused(reason)) => self.refuse(id, program, of.op, reason, true),
            Some(Weathered::Failed) => {
                self.record(Kind::Failed, path, ctx, |r| {
                    r.op = of.op.0;
                    r.who = node;
                    r.row = ctx.step;
                });
                self.abort(id, Status::Error);
                Went::Gone
            }
        }
    }

    /// The operation refuses: what is to be done then comes next.
    pub(super) fn refuse(
        &mut self,
        id: Id,
        program: &Program,
        op: OpId,
        reason: Word,
        weather: bool,
    ) -> Went {
        let Task { ctx, path, node, merged, .. } = self.world.tasks[id];
        self.record(Kind::Refused, path, ctx, |r| {
            r.op = op.0;
            r.data = reason as u64;
            r.who = node;
            r.row = ctx.step;
            r.flag = u8::from(weather);
        });
        let task = &mut self.world.tasks[id];
        if let Some(step) = program.merged.get(merged as usize)
            && step.optional
        {
            let mark = task.mark as usize;
            task.staged.truncate(mark);
            return Went::To(step.next);
        }
        task.staged.clear();
        task.cells.clear();
        task.refused = Some(reason);
        task.in_refusal = true;
        if program.is_fetch {
            return Went::To(program.steps.len() as u16 - 1);
        }
        Went::To(program.refuse)
    }

    /// Evaluates an expression of the operation on what its transaction sees.
    pub(super) fn evaluate(&mut self, id: Id, code: &Code, note_reads: bool) -> Result<Word, Failure> {
        let now = self.agenda.now();
        let task = &mut self.world.tasks[id];
        let mut view = TaskView {
            tables: &mut self.world.tables,
            staged: &task.staged,
            cells: &task.cells,
            reads: note_reads.then_some(&mut task.reads),
            now,
            event: task.event,
        };
        eval(code, &task.frame, &mut view, self.scratch)
    }

    /// The reason that a failed expression refuses with.
    pub(super) fn failure_reason(&self, failure: Failure) -> Word {
        match failure {
            Failure::Missing(_) => self.plan.reasons.missing,
            _ => self.plan.reasons.error,
        }
    }

    /// Takes a lock or waits for it.
    pub(super) fn lock(&mut self, id: Id, program: &Program, lock: Lock) -> Went {
        if program.loose {
            return Went::On;
        }
        self.world.tasks[id].touched_locks = true;
        if self.world.locks.take(lock, id.slot) {
            return Went::On;
        }
        let Task { ctx, path, node, waits, .. } = self.world.tasks[id];
        self.record(Kind::LockWait, path, ctx, |r| {
            r.op = lock.table.0;
            r.row = lock.key as u32;
            r.who = node;
        });
        let ring = self.world.locks.deadlock(id.slot);
        if !ring.is_empty() {
            // The one whose name sorts last gives way: no order of arrival, no slot number.
            let name = |slot: u32| self.world.tasks[self.world.tasks.id(slot)].path;
            let victim = ring.iter().copied().max_by_key(|&slot| name(slot)).unwrap_or(id.slot);
            let victim = self.world.tasks.id(victim);
            self.fail_task(victim);
            if victim == id {
                return Went::Gone;
            }
            if self.world.locks.take(lock, id.slot) {
                return Went::On;
            }
        }
        let task = &mut self.world.tasks[id];
        task.waits = waits + 1;
        task.waiting = true;
        if !program.lock_wait.is_ever() {
            self.timer(What::LockTimeout(id, waits + 1), program.lock_wait, path);
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
    pub(super) fn unlock(&mut self, id: Id) {
        if !std::mem::take(&mut self.world.tasks[id].touched_locks) {
            return;
        }
        let mut woken = std::mem::take(&mut self.world.woken);
        woken.clear();
        self.world.locks.release(id.slot, &mut woken);
        for &slot in &woken {
            let other = self.world.tasks.id(slot);
            let task = &mut self.world.tasks[other];
            task.waiting = false;
            task.waits += 1;
            self.world.ready.push_back(Ready::Task(other));
        }
        self.world.woken = woken;
    }

    fn lock_reads(&mut self, id: Id, program: &Program, part: u8) -> Went {
        for (table, key) in &program.parts[part as usize].reads {
            let lock = match key {
                None => Lock { table: *table, space: 1, key: 0 },
                Some(code) => match self.evaluate(id, code, false) {
                    Ok(key) if key != NULL => Lock { table: *table, space: 0, key },
                    _ => continue,
                },
            };
            match self.lock(id, program, lock) {
                Went::On => {}
                other => return other,
            }
        }
        Went::On
    }

    /// Reads, checks and computes a part at one instant.
    fn read(&mut self, id: Id, program: &Program, part: u8) -> Went {
        let of = &program.parts[part as usize];
        let noted = self.world.tasks[id].reads.len();
        let went = self.read_part(id, program, part);
        let Task { ctx, path, .. } = self.world.tasks[id];
        let reads = self.world.tasks[id].reads.len();
        for n in noted..reads {
            let (table, slot, version) = self.world.tasks[id].reads[n];
            self.record(Kind::Read, path, ctx, |r| {
                r.op = table.0;
                r.row = slot;
                r.ver = version;
            });
        }
        match went {
            Ok(went) => went,
            Err(failure) => {
                let reason = self.failure_reason(failure);
                self.refuse(id, program, of.op, reason, false)
            }
        }
    }

    fn read_part(&mut self, id: Id, program: &Program, part: u8) -> Result<Went, Failure> {
        let of = &program.parts[part as usize];
        for (slot, code) in &of.lets {
            let value = self.evaluate(id, code, true)?;
            self.world.tasks[id].frame[*slot as usize] = value;
        }
        if let Some(skip) = &of.skip
            && self.evaluate(id, skip, true)? == 1
        {
            let task = &mut self.world.tasks[id];
            task.skipped |= 1 << part.min(31);
            return Ok(Went::To(of.skip_to));
        }
        let at_store = of.writes.first().is_some_and(|write| write.guarded);
        if !at_store {
            for (reason, code) in &of.require {
                if self.evaluate(id, code, true)? != 1 {
                    return Ok(self.refuse(id, program, of.op, *reason, false));
                }
            }
        }
        if let ThinkPlan::Computed(code, slot) = &of.think {
            let think = self.evaluate(id, code, true)?;
            self.world.tasks[id].frame[*slot as usize] = think;
        }
        for write in &of.writes {
            let AtPlan::Key(code) = &write.at else {
                self.read_values(id, write)?;
                continue;
            };
            let key = self.evaluate(id, code, true)?;
            if key == NULL {
                return Err(Failure::NullOperand);
            }
            let base = write.base as usize;
            let task = &mut self.world.tasks[id];
            let mut view = TaskView {
                tables: &mut self.world.tables,
                staged: &task.staged,
                cells: &task.cells,
                reads: Some(&mut task.reads),
                now: self.agenda.now(),
                event: task.event,
            };
            let slot = crate::model::expr::View::find(&mut view, write.table, key);
            task.frame[base] = key;
            task.frame[base + 1] = 0;
            if let Some(slot) = slot {
                let version = view.tables.table(write.table).meta(slot).version;
                let cells = view.row(write.table, slot).unwrap_or(&[]);
                task.frame[base + 2..base + 2 + cells.len()].copy_from_slice(cells);
                task.frame[base + 1] = Word::from(version);
            }
            self.read_values(id, write)?;
        }
        Ok(Went::On)
    }

    /// Computes the values of a write.
    pub(super) fn read_values(
        &mut self,
        id: Id,
        write: &crate::model::step::WritePlan,
    ) -> Result<(), Failure> {
        let first = write.base as usize + 2 + write.columns as usize;
        for (n, value) in write.values.iter().enumerate() {
            let word = self.evaluate(id, &value.code, true)?;
            self.world.tasks[id].frame[first + n] = word;
        }
        Ok(())
    }

    fn think_step(&mut self, id: Id, program: &Program, part: u8) -> Went {
        let task = &self.world.tasks[id];
        let (path, round) = (task.path, task.round);
        let name = path.child(Role::Task, u32::from(part) << 16 | round & 0xffff);
        let after = match &program.parts[part as usize].think {
            ThinkPlan::None => Span::ZERO,
            ThinkPlan::Time(dist) => self.chooser.span(name, Ask::Think, dist),
            ThinkPlan::Computed(_, slot) => Span(task.frame[*slot as usize].max(0) as u64),
        };
        if after.is_zero() {
            return Went::On;
        }
        // The thought is paid for like a statement: the step is over when the timer is.
        let task = &mut self.world.tasks[id];
        task.pc += 1;
        task.paid = false;
        self.sleep_task(id, None, after, name);
        Went::Waits
    }

    /// All rows read must still have the versions they were read at.
    fn verify(&mut self, id: Id, program: &Program) -> Went {
        let reads = self.world.tasks[id].reads.len();
        for n in 0..reads {
            let (table, slot, version) = self.world.tasks[id].reads[n];
            let key = self.world.tables.table(table).cells(slot)[0];
            match self.lock(id, program, Lock { table, space: 0, key }) {
                Went::On => {}
                other => return other,
            }
            if self.world.tables.table(table).meta(slot).version != version {
                return self.conflict(id, program, table, slot);
            }
        }
        Went::On
    }

    /// A version has changed: again from the start, or the caller is told.
    pub(super) fn conflict(&mut self, id: Id, program: &Program, table: TableId, slot: u32) -> Went {
        let Task { ctx, path, node, tries, .. } = self.world.tasks[id];
        self.record(Kind::Conflict, path, ctx, |r| {
            r.op = program.op.0;
            r.who = node;
            r.row = slot;
            r.data = u64::from(table.0);
        });
        let (on_conflict, most) = program.conflict;
        let by_owner = program.steps.iter().any(|step| matches!(step, Step::Read(_)));
        if on_conflict == OnConflict::Redo && by_owner && most.is_none_or(|most| tries < most) {
            self.rollback(id);
            let task = &mut self.world.tasks[id];
            task.tries += 1;
            return Went::To(program.redo);
        }
        self.abort(id, Status::Conflict);
        Went::Gone
    }

    /// Computes the events and the reply from what the transaction leaves.
    fn compute_reply(&mut self, id: Id, program: &Program) -> Went {
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
    fn commit(&mut self, id: Id, program: &Program) -> Went {
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

    fn enter(&mut self, id: Id, program: &Program, n: u8) -> Went {
        let step = &program.merged[n as usize];
        self.world.tasks[id].merged = n;
        if let Some(when) = &step.when
            && self.evaluate(id, when, false) != Ok(1)
        {
            let instance = self.world.tasks[id].ctx.instance;
            let Task { ctx, path, node, .. } = self.world.tasks[id];
            self.left_out(ctx, path, instance, step.step, node);
            return Went::To(step.next);
        }
        for (code, slot) in &step.args {
            match self.evaluate(id, code, false) {
                Ok(value) => self.world.tasks[id].frame[*slot as usize] = value,
                Err(failure) => {
                    let reason = self.failure_reason(failure);
                    return self.refuse(id, program, step.op, reason, false);
                }
            }
        }
        let task = &mut self.world.tasks[id];
        task.mark = task.staged.len() as u32;
        Went::On
    }

    fn leave(&mut self, id: Id, program: &Program, n: u8) -> Went {
        let step = &program.merged[n as usize];
        self.world.tasks[id].merged_done |= 1 << n;
        if let Some((code, slot)) = &step.bind {
            let value = self.evaluate(id, code, false).unwrap_or(NULL);
            self.world.tasks[id].frame[*slot as usize] = value;
        }
        Went::On
    }

    /// The operation is over: it answers.
    fn end_task(&mut self, id: Id, program: &Program) -> Went {
        let task = &self.world.tasks[id];
        if program.is_fetch && task.skipped & 1 != 0 {
            // Its caller will ask for nothing more: this is all that becomes of it.
            let ctx = task.ctx;
            self.install(id, program.op, ctx, commit::SKIPPED, &[], &[], 0);
        }
        let task = &self.world.tasks[id];
        let status = match task.refused {
            Some(reason) => Status::Refused(reason),
            None if program.is_fetch && task.skipped & 1 != 0 => Status::Skipped(task.reply),
            None => Status::Ok(task.reply),
        };
        self.task_answers(id, status);
        Went::Gone
    }

    /// Answers whoever asked and ends the task; what it has open is undone.
    pub(super) fn task_answers(&mut self, id: Id, status: Status) {
        self.unlock(id);
        let task = &mut self.world.tasks[id];
        task.open = false;
        if let Some(timer) = task.timer.take() {
            self.call_off(timer);
        }
        let task = &mut self.world.tasks[id];
        let frame = std::mem::take(&mut task.frame);
        let Task { program, node, ctx, path, from, .. } = *task;
        let program = &self.plan.programs[program as usize];
        let target = match program.merged.is_empty() {
            true => Target::Op(program.op),
            false => self.flow_of(ctx).map_or(Target::Op(program.op), Target::Flow),
        };
        let payload = if program.is_fetch { &frame[..] } else { &[] };
        let args = arguments(&frame, program.args);
        // The answer may crash this very node; what it belongs to must outlive the task until it is sent.
        self.hold(ctx);
        self.drop_task(id);
        self.answer(from, status, Answered { node, target, path, ctx, args, payload });
        self.let_go(ctx);
        self.world.spare.push(frame);
    }

    fn flow_of(&self, ctx: Ctx) -> Option<FlowId> {
        (ctx.instance != NONE).then(|| self.world.instances[self.world.instances.id(ctx.instance)].flow)
    }

    fn drop_task(&mut self, id: Id) {
        let Task { ctx, node, .. } = self.world.tasks[id];
        self.world.places.tasks.quit(id.slot, node);
        let rows = std::mem::take(&mut self.world.tasks[id].outbox);
        for &row in &rows {
            self.drop_letter(row);
        }
        self.world.tasks.leave(id);
        self.let_go(ctx);
    }

    /// Undoes what the transaction has done so far.
    pub(super) fn rollback(&mut self, id: Id) {
        let Task { ctx, path, node, program, .. } = self.world.tasks[id];
        let op = self.plan.programs[program as usize].op;
        self.record(Kind::Rollback, path, ctx, |r| {
            r.op = op.0;
            r.who = node;
        });
        self.unlock(id);
        let rows = std::mem::take(&mut self.world.tasks[id].outbox);
        for row in rows {
            self.drop_letter(row);
        }
        let task = &mut self.world.tasks[id];
        task.staged.clear();
        task.cells.clear();
        task.reads.clear();
        task.open = false;
        task.fence = None;
        task.passed = false;
        task.store_key = false;
        task.fenced_off = false;
        task.skipped = 0;
        task.merged_done = 0;
    }

    /// The transaction is undone and the caller told.
    pub(super) fn abort(&mut self, id: Id, status: Status) {
        self.rollback(id);
        self.task_answers(id, status);
    }

    /// A technical error: deadlock, lock timeout, database down.
    pub(super) fn fail_task(&mut self, id: Id) {
        let Task { ctx, path, node, program, .. } = self.world.tasks[id];
        let op = self.plan.programs[program as usize].op;
        self.record(Kind::Failed, path, ctx, |r| {
            r.op = op.0;
            r.who = node;
            r.row = ctx.step;
        });
        self.abort(id, Status::Error);
    }

    /// The node crashed: the task ends without a word.
    pub(super) fn kill_task(&mut self, id: Id) {
        if self.world.tasks[id].open {
            self.rollback(id);
        }
        self.unlock(id);
        if let Some(timer) = self.world.tasks[id].timer.take() {
            self.call_off(timer);
        }
        self.drop_task(id);
    }
}

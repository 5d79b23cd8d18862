//! Tasks: operations being executed, step by step. Steps run one after the other at one instant until one takes time, waits
//! for a lock, or is cut off by a crash. What the steps do is in `key`, `reading`, `write`, `commit`, `outbox`, `merged` and
//! `custom`; how an execution ends, well or not, in `ending`.

use super::Engine;
use super::call::arguments;
use super::due::Due;
use super::fault::Weathered;
use super::network::Answered;
use super::slab::Id;
use super::world::{Ctx, From, Ready, Status, Task};
use crate::kernel::agenda::{Key, LaneId};
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role};
use crate::kernel::time::Span;
use crate::model::flow::Target;
use crate::model::ids::OpId;
use crate::model::plan::NodeKind;
use crate::model::record::Kind;
use crate::model::step::{Program, Step, ThinkPlan};
use crate::model::value::{NULL, Word};
use crate::store::Sink;

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
        self.timer = Key::NONE;
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

    pub(super) fn new_task(
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

    pub(super) fn begin_record(&mut self, id: Id, op: OpId) {
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

    pub(super) fn sleep_task(&mut self, id: Id, lane: Option<LaneId>, after: Span, name: Path) {
        let timer = self.put_timer(Due::Task(id.slot), lane, after, name);
        let task = &mut self.world.tasks[id];
        task.timer = timer;
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
}

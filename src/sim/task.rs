//! Tasks: operations being executed, step by step. Steps run one after the other at one instant until one takes time, waits
//! for a lock, or is cut off by a crash. What the steps do is in `key`, `reading`, `write`, `commit`, `outbox`, `merged` and
//! `custom`; how an execution ends, well or not, in `ending`.

use super::Engine;
use super::call::arguments;
use super::due::Due;
use super::fault::Weathered;
use super::network::Answered;
use super::parts::Parts;
use super::slab::Id;
use super::world::{Asking, Ctx, From, Message, Ready, Running, Status, Task};
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
use crate::model::weather::PointKind;
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
    /// It waits; then the next one comes.
    WaitsBehind,
    /// The task is no more.
    Gone,
}

impl Task {
    /// Makes a task anew, field by field: by assignment it would be built elsewhere, moved here, and its lists dropped.
    #[inline]
    fn reset(&mut self, id: Id, program: u16, node: u32, ctx: &Ctx, path: Path, from: From) {
        self.id = id;
        self.program = program;
        self.pc = 0;
        self.node = node;
        self.ctx = *ctx;
        self.path = path;
        self.from = from;
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
        self.skipped = Parts::NONE;
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
        self.merged_refused = 0;
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
        asking: Asking,
    ) {
        if self.is_hosted(op) {
            return self.ask_guest(op, node, ctx, path, from, payload);
        }
        let Some(program) = self.program_of(op, fetch) else { return };
        let mut task = self.world.blank.take().unwrap_or_default();
        task.reset(Id::NONE, program, node, &ctx, path, from);
        fill(&mut task.frame, payload, self.plan.programs[program as usize].frame);
        self.find_pace(&mut task);
        self.starts_as_asked(&mut task, op, asking);
        self.runs_soon(task);
    }

    /// A request for an operation, or for a half of one, has arrived: it is executed.
    #[inline]
    pub(super) fn request_arrives(&mut self, message: Id, op: OpId, asking: Asking, fetch: bool, name: Path) {
        let Message { to, answer, .. } = self.world.messages[message];
        if self.is_hosted(op) {
            let asked = &self.world.messages[message];
            let ctx = asked.brief.ctx(asked.path);
            let payload = std::mem::take(&mut self.world.messages[message].payload);
            self.world.messages.leave(message);
            self.ask_guest(op, to, ctx, name, answer, payload.all());
            return self.drain();
        }
        let Some(program) = self.program_of(op, fetch) else {
            return self.world.messages.leave(message);
        };
        // A task that is over at once runs without a slot, like most where statements take no time.
        let mut task = self.world.blank.take().unwrap_or_default();
        let asked = &self.world.messages[message];
        task.reset(Id::NONE, program, to, &asked.brief.ctx(asked.path), name, answer);
        fill(&mut task.frame, asked.payload.all(), self.plan.programs[program as usize].frame);
        self.world.messages.leave(message);
        self.find_pace(&mut task);
        if !task.at_once {
            self.give_slot(&mut task);
        }
        self.starts_as_asked(&mut task, op, asking);
        self.run_on(task);
        self.drain();
    }

    /// The program of an operation, or of a half of one.
    #[inline]
    fn program_of(&self, op: OpId, fetch: bool) -> Option<u16> {
        let plan = &self.plan.operations[op.index()];
        match (plan.whole, plan.halves) {
            (Some(whole), _) => Some(whole),
            (None, Some((reads, _))) if fetch => Some(reads),
            (None, Some((_, writes))) => Some(writes),
            (None, None) => None,
        }
    }

    #[inline]
    fn starts_as_asked(&mut self, task: &mut Task, op: OpId, asking: Asking) {
        task.insist = asking.insist;
        if asking.refused != NULL {
            // Its caller found that it refuses: only what is to be done then is left.
            task.refused = Some(asking.refused);
            task.in_refusal = true;
            task.open = true;
            task.pc = self.plan.programs[task.program as usize].refuse;
        }
        self.begin_record(task, op);
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
        self.new_task(program, node, ctx, path, from, args, op, event);
    }

    fn answer_nothing(&mut self, from: From, node: u32, ctx: Ctx, path: Path) {
        let what = Answered { node, target: Target::Op(OpId(0)), path, ctx: &ctx, args: &[], payload: &[] };
        self.answer(from, Status::Error, what);
    }

    /// Makes a task that is ready to run.
    #[expect(clippy::too_many_arguments, reason = "a task is all of this")]
    pub(super) fn new_task(
        &mut self,
        program: u16,
        node: u32,
        ctx: Ctx,
        path: Path,
        from: From,
        payload: &[Word],
        op: OpId,
        event: [Word; 4],
    ) {
        let mut task = self.world.blank.take().unwrap_or_default();
        task.reset(Id::NONE, program, node, &ctx, path, from);
        task.event = event;
        fill(&mut task.frame, payload, self.plan.programs[program as usize].frame);
        self.find_pace(&mut task);
        self.begin_record(&task, op);
        self.runs_soon(task);
    }

    /// A new task gets a slot and is run at this instant, behind what is ready already.
    fn runs_soon(&mut self, mut task: Running) {
        let id = self.put_back(&mut task);
        self.world.blank = Some(task);
        self.world.ready.push_back(Ready::Task(id));
    }

    /// Whether statements take time where a new task runs, and whether nothing else can happen between its first one and
    /// its commit.
    #[inline]
    fn find_pace(&self, task: &mut Task) {
        task.free = self.known.is_free(task.node);
        task.at_once = task.free
            && self.known.at_once[task.program as usize]
            && self.rules.quiet(0, PointKind::Commit)
            && !matches!(task.from, From::Stop(_));
    }

    /// A slot for a task that runs without one: it has to wait, or something may look for it. From now on it belongs to its
    /// intent and lives at its node.
    pub(super) fn give_slot(&mut self, task: &mut Task) {
        if task.id == Id::NONE {
            let (id, before) = self.world.tasks.take();
            // What lies in a slot until the task is put there must not look like somebody who waits for a timer.
            before.timer = Key::NONE;
            task.id = id;
            self.hold(&task.ctx);
            self.world.places.tasks.join(id.slot, task.node);
        }
    }

    fn begin_record(&mut self, task: &Task, op: OpId) {
        self.record(Kind::Begin, task.path, &task.ctx, |r| {
            r.op = op.0;
            r.who = task.node;
            r.data = task.ctx.effect;
            r.row = task.ctx.step;
        });
    }

    /// Runs a task until it ends, takes time or waits.
    pub(super) fn run_task(&mut self, id: Id) {
        let mut task = self.world.blank.take().unwrap_or_default();
        std::mem::swap(&mut self.world.tasks[id], &mut task);
        self.run_on(task);
    }

    fn run_on(&mut self, mut running: Running) {
        let plan = self.plan;
        let task = &mut running;
        let program = &plan.programs[task.program as usize];
        let from = |pc: u16| program.steps[usize::from(pc)..].iter();
        let pc = |behind: &std::slice::Iter<'_, Step>| (program.steps.len() - behind.len()) as u16;
        let free = task.free;
        let mut steps = from(task.pc);
        while let Some(&step) = steps.next() {
            if !free && !task.paid {
                task.paid = true;
                if self.takes_time(program, step, &task.ctx)
                    && let NodeKind::Replica(service, _) = plan.nodes.kind(task.node)
                {
                    let (statement, path) = (plan.model.service(service).statement, task.path);
                    self.sleep_task(task, self.lanes.statements[service.index()], statement, path);
                    self.rest_task(task, pc(&steps) - 1);
                    break;
                }
            }
            match self.task_step(task, program, step) {
                Went::On => {}
                Went::To(to) => steps = from(to),
                Went::Waits => {
                    self.rest_task(task, pc(&steps) - 1);
                    break;
                }
                Went::WaitsBehind => {
                    task.paid = false;
                    self.rest_task(task, pc(&steps));
                    break;
                }
                Went::Gone => break,
            }
            if !free {
                task.paid = false;
            }
        }
        self.world.blank = Some(running);
    }

    /// Whether a step is a statement of the database, which takes its time before it takes effect.
    fn takes_time(&self, program: &Program, step: Step, ctx: &Ctx) -> bool {
        match step {
            Step::KeyLookup | Step::KeyEarly | Step::KeyLate | Step::Read(_) => true,
            Step::Lock(_) | Step::LockTold(_) | Step::Write(..) | Step::Outbox(_) => true,
            Step::Fence => self.is_fenced(ctx),
            Step::Custom(n) => program.custom[n as usize].statement,
            Step::Commit => !program.read_only,
            _ => false,
        }
    }

    /// The running task goes on another time, at this step.
    fn rest_task(&mut self, task: &mut Running, pc: u16) {
        task.pc = pc;
        std::mem::swap(&mut self.world.tasks[task.id], task);
    }

    /// Puts a running task back into its slot, for something that may end it or look at it; `task` is the blank one from
    /// here on. Returns its id.
    pub(super) fn put_back(&mut self, task: &mut Running) -> Id {
        self.give_slot(task);
        let id = task.id;
        std::mem::swap(&mut self.world.tasks[id], task);
        id
    }

    /// Takes a task out of its slot again, if it is still there. If it is not, `task` stays the blank one, and the step is
    /// over: [`Went::Gone`].
    pub(super) fn take_out(&mut self, id: Id, task: &mut Running) -> bool {
        let there = self.world.tasks.has(id);
        if there {
            std::mem::swap(&mut self.world.tasks[id], task);
        }
        there
    }

    pub(super) fn sleep_task(&mut self, task: &mut Task, lane: Option<LaneId>, after: Span, name: Path) {
        debug_assert!(task.timer == Key::NONE, "a task sleeps once at a time");
        self.give_slot(task);
        task.timer = self.put_timer(Due::Task(task.id.slot), lane, after, name);
        task.waiting = true;
    }

    #[inline(always)]
    fn task_step(&mut self, task: &mut Running, program: &Program, step: Step) -> Went {
        match step {
            Step::KeyLookup => self.key_lookup(task, program),
            Step::KeyEarly => self.key_early(task, program),
            Step::Begin => self.begin_transaction(task),
            Step::KeyClaim => self.key_claim(task, program),
            Step::Fence => self.fence(task, program),
            Step::Weather(part) => self.weather_step(task, program, part),
            Step::Lock(part) => self.lock_all(task, program, &program.parts[part as usize].reads),
            Step::LockTold(part) => self.lock_all(task, program, &program.parts[part as usize].told),
            Step::Read(part) => self.read(task, program, part),
            Step::Think(part) => self.think_step(task, program, part),
            Step::Intend(part) => self.lock_all(task, program, &program.parts[part as usize].intends),
            Step::Write(part, write) => self.write(task, program, part, write),
            Step::Verify => self.verify(task, program),
            Step::Outbox(part) => self.outbox_step(task, program, part),
            Step::Reply => self.compute_reply(task, program),
            Step::KeyStore => {
                task.store_key = true;
                Went::On
            }
            Step::Commit => self.commit(task, program),
            Step::KeyLate => self.key_late(task, program),
            Step::Publish(part) => self.publish_step(task, program, part),
            Step::Enter(n) => self.enter(task, program, n),
            Step::Leave(n) => self.leave(task, program, n),
            Step::Custom(n) => self.custom_step(task, program, n),
            Step::End => self.end_task(task, program),
        }
    }

    #[inline]
    fn begin_transaction(&mut self, task: &mut Running) -> Went {
        if !self.database_up(task.node) {
            return self.fail_running(task);
        }
        task.open = true;
        task.round += 1;
        Went::On
    }

    #[inline]
    fn weather_step(&mut self, task: &mut Running, program: &Program, part: u8) -> Went {
        if self.rules.fair_for_operations {
            return Went::On;
        }
        self.weather_on_task(task, program, part)
    }

    fn weather_on_task(&mut self, task: &mut Running, program: &Program, part: u8) -> Went {
        let Some(of) = program.parts.get(part as usize) else { return Went::On };
        let Task { ctx, path, node, .. } = **task;
        let count = self.plan.model.operation(of.op).args;
        let merged = program.merged.get(task.merged as usize);
        let first = merged.and_then(|step| step.args.first()).map_or(0, |(_, slot)| *slot as usize);
        let name = merged.map_or(path, |step| path.child(Role::Step, u32::from(step.step)));
        match self.weather_on(of.op, ctx, name, arguments(&task.frame[first..], count)) {
            None => Went::On,
            Some(Weathered::Refused(reason)) => self.refuse(task, program, of.op, reason, true),
            Some(Weathered::Failed) => {
                self.record(Kind::Failed, path, &ctx, |r| {
                    r.op = of.op.0;
                    r.who = node;
                    r.row = ctx.step;
                });
                let id = self.put_back(task);
                self.abort(id, Status::Error);
                Went::Gone
            }
        }
    }

    fn think_step(&mut self, task: &mut Running, program: &Program, part: u8) -> Went {
        let name = task.path.child(Role::Task, u32::from(part) << 16 | task.round & 0xffff);
        let after = match &program.parts[part as usize].think {
            ThinkPlan::None => Span::ZERO,
            ThinkPlan::Time(dist) => self.chooser.span(name, Ask::Think, dist),
            ThinkPlan::Computed(_, slot) => Span(task.frame[*slot as usize].max(0) as u64),
        };
        if after.is_zero() {
            return Went::On;
        }
        // The thought is paid for like a statement: the step is over when the timer is.
        self.sleep_task(task, None, after, name);
        Went::WaitsBehind
    }
}

/// Makes the frame of a task: what it came with, and room for what it finds out.
#[inline]
fn fill(frame: &mut Vec<Word>, payload: &[Word], len: u16) {
    let len = len as usize;
    if frame.len() != len || payload.len() > len {
        frame.clear();
        frame.extend_from_slice(payload);
        return frame.resize(len, NULL);
    }
    // Most often the task before was as large.
    let (with, rest) = frame.split_at_mut(payload.len());
    with.copy_from_slice(payload);
    rest.fill(NULL);
}

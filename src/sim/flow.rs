//! Flows at their home: plain calls, fire and forget, and the orchestrated saga.
//!
//! A flow is a small state machine ([`Todo`]) over its [`Progress`](super::world::Progress), moved on here group by group.
//! What answers make of it and how it ends is in `flow_end`; the log, the way back and recovery of sagas in `saga`.

use super::Engine;
use super::network::Answered;
use super::slab::Id;
use super::world::{Ctx, From, Owner, Progress, Ready, Run, Status, Todo, What};
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role, mix};
use crate::kernel::time::Span;
use crate::model::expr::{Code, eval};
use crate::model::flow::{Target, numbers};
use crate::model::how::{Answer, Busy, Coordination, Register, SagaPolicy};
use crate::model::ids::FlowId;
use crate::model::plan::{FlowPlan, NodeKind};
use crate::model::record::{FlowMove, Kind, NONE, StepRole, step_word};
use crate::model::value::{NULL, Word};
use crate::store::{KeyState, Sink};

/// Where the key of a flow is kept, and for how long it may be in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    place: usize,
    lasts: Span,
}

impl<'e, C: Chooser, S: Sink> Engine<'e, C, S> {
    pub(super) fn flow_plan(&self, flow: FlowId) -> &'e FlowPlan {
        &self.plan.flows[flow.index()]
    }

    pub(super) fn saga(&self, flow: FlowId) -> Option<&'e SagaPolicy> {
        match &self.flow_plan(flow).coordination {
            Coordination::Saga(saga) => Some(saga),
            _ => None,
        }
    }

    /// For whom and as what a step of a flow is done.
    pub(super) fn step_ctx(&self, flow_ctx: Ctx, step: u8, undo: bool) -> Ctx {
        let role = if undo { StepRole::Undo } else { StepRole::Action };
        let word = step_word(step, role);
        Ctx { step: word, effect: Self::effect(flow_ctx.effect, word), ..flow_ctx }
    }

    pub(super) fn moves(&mut self, run: Id, what: FlowMove, step: u32, data: u64) {
        let Run { flow, ctx, path, instance, .. } = self.world.runs[run];
        self.record(Kind::Flow, path, &ctx, |r| {
            r.op = flow.0;
            r.flag = what as u8;
            r.who = instance;
            r.row = step;
            r.data = data;
        });
    }

    /// Says that a flow starts, and of which step of which flow, called under this context.
    pub(super) fn flow_starts(&mut self, flow: FlowId, path: Path, caller: Ctx, instance: u32, node: u32) {
        self.record(Kind::Flow, path, &caller, |r| {
            r.op = flow.0;
            r.flag = FlowMove::Started as u8;
            r.who = instance;
            r.data = u64::from(node);
            if caller.step != NONE {
                (r.ver, r.row) = (caller.instance, caller.step);
            }
        });
    }

    /// Says that a step is left out because its condition is false.
    pub(super) fn left_out(&mut self, ctx: Ctx, path: Path, instance: u32, step: u8) {
        let flow = match instance {
            NONE => return,
            instance => self.world.instances[self.world.instances.id(instance)].flow,
        };
        self.record(Kind::Flow, path, &ctx, |r| {
            r.op = flow.0;
            r.flag = FlowMove::Done as u8;
            r.who = instance;
            r.row = u32::from(step);
            r.data = u64::MAX;
        });
    }

    /// A flow is asked for.
    pub(super) fn start_flow(
        &mut self,
        flow: FlowId,
        node: u32,
        ctx: Ctx,
        path: Path,
        from: From,
        args: &[Word],
    ) {
        let plan = self.flow_plan(flow);
        if plan.merged.is_some() {
            return self.start_merged(flow, node, ctx, path, from, args);
        }
        let instance = self.instance(ctx, flow);
        let durable = self.saga(flow).is_some_and(|saga| saga.durable);
        let (mut key, mut claim) = (None, None);
        let fingerprint = Self::fingerprint(args);
        if let (Some(by), NodeKind::Replica(..)) = (&plan.key, self.plan.nodes.kind(node)) {
            let place = self.key_place(node, &by.policy);
            let word = self.key_of(by, &ctx, NULL, args, u64::from(flow.0) | 1 << 32);
            key = Some(word);
            let entry = self.world.keys[place].get(word);
            let what = Answered { node, target: Target::Flow(flow), path, ctx: &ctx, args, payload: &[] };
            match entry.map(|entry| entry.state) {
                Some(KeyState::Done { refused, reply }) => {
                    self.record(Kind::Replay, path, &ctx, |r| {
                        r.op = flow.0 | crate::model::record::FLOW;
                        r.data = ctx.effect;
                        r.who = node;
                    });
                    return self.answer(from, refused.map_or(Status::Ok(reply), Status::Refused), what);
                }
                Some(_) if by.policy.busy != Busy::Ignore => {
                    let running = self.running(flow, word);
                    if let (Busy::Wait, Some(running)) = (by.policy.busy, running) {
                        if let From::Guest { asker } = from
                            && let Some(asker) = self.world.askers.get_mut(asker)
                        {
                            asker.waits = true;
                        }
                        self.world.runs[running].waiters.push(from);
                        return;
                    }
                    self.record(Kind::Busy, path, &ctx, |r| {
                        r.op = flow.0 | crate::model::record::FLOW;
                        r.who = node;
                    });
                    return self.answer(from, Status::Busy, what);
                }
                _ => {}
            }
            claim = Some(Claim { place, lasts: by.policy.busy_for });
        }
        self.hold(&ctx);
        let (id, run) = self.world.runs.take();
        let mut slots = std::mem::take(&mut run.progress.slots);
        slots.clear();
        slots.extend_from_slice(args);
        slots.resize(plan.slots as usize, NULL);
        *run = Run {
            flow,
            node,
            ctx: Ctx { instance, ..ctx },
            path,
            instance,
            from,
            progress: Progress { slots, ..Progress::default() },
            key,
            fingerprint,
            ..Run::default()
        };
        self.file_run(id);
        if !durable {
            self.claim(id, claim);
        }
        self.flow_starts(flow, path, ctx, instance, node);
        if matches!(plan.coordination, Coordination::Choreography { .. }) {
            return self.start_choreography(id);
        }
        if durable && !self.open_saga(id, claim) {
            return;
        }
        if plan.answer() == Answer::Accepted {
            self.answer_run(id, Status::Ok(NULL));
        }
        if self.world.runs.has(id) {
            self.world.ready.push_back(Ready::Run(id));
        }
    }

    /// The key of a run is in progress from now on, if it has one.
    pub(super) fn claim(&mut self, id: Id, claim: Option<Claim>) {
        let Run { key, fingerprint, path, .. } = self.world.runs[id];
        if let (Some(key), Some(Claim { place, lasts })) = (key, claim) {
            self.remember(place, key, fingerprint, KeyState::InProgress, lasts, path);
        }
    }

    /// Files a run by where it lives, and by its key if it has one.
    pub(super) fn file_run(&mut self, id: Id) {
        let Run { flow, node, key, .. } = self.world.runs[id];
        self.world.places.runs.join(id.slot, node);
        if let Some(key) = key {
            self.world.keyed.insert(run_hash(flow, key), id.slot);
        }
    }

    /// The run of a flow that is under way under a key, the first by slot.
    fn running(&self, flow: FlowId, key: Word) -> Option<Id> {
        let runs = &self.world.runs;
        let is = |slot: u32| {
            let run = &runs[runs.id(slot)];
            run.flow == flow && run.key == Some(key) && run.todo != Todo::AwaitOver
        };
        self.world.keyed.least(run_hash(flow, key), is).map(|slot| runs.id(slot))
    }

    pub(super) fn sleep_run(&mut self, id: Id, after: Span, name: Path) {
        let timer = self.timer(What::Run(id), after, name);
        let run = &mut self.world.runs[id];
        run.timer = Some(timer);
        run.waiting = true;
    }

    /// Moves a flow on as far as it goes.
    pub(super) fn run_flow(&mut self, id: Id) {
        while self.world.runs.has(id) && !self.world.runs[id].waiting {
            let run = &self.world.runs[id];
            let plan = self.flow_plan(run.flow);
            if run.stop.is_some() || run.todo == Todo::AwaitOver {
                return;
            }
            let went_on = match run.todo {
                Todo::Enter => self.enter_group(id, plan),
                Todo::Send => self.send_group(id, plan),
                Todo::Await | Todo::AwaitUndo if run.open > 0 => false,
                Todo::Await => self.answers_are_in(id, plan),
                Todo::Leave => self.leave_group(id),
                Todo::Turn => self.turn(id),
                Todo::Undo => self.undo_next(id, plan),
                Todo::AwaitUndo => {
                    self.world.runs[id].todo = Todo::Undo;
                    true
                }
                Todo::End => {
                    self.end_flow(id, plan);
                    false
                }
                Todo::AwaitOver => false,
            };
            if !went_on {
                return;
            }
        }
    }

    pub(super) fn evaluate_flow(&mut self, id: Id, code: &Code) -> Option<Word> {
        let slots = std::mem::take(&mut self.world.runs[id].progress.slots);
        let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
        let value = eval(code, &slots, &mut view, self.scratch).ok();
        self.world.runs[id].progress.slots = slots;
        value
    }

    /// The steps of the present group that are not settled yet, a bit each.
    pub(super) fn group(&self, id: Id, plan: &FlowPlan) -> u64 {
        let progress = &self.world.runs[id].progress;
        let group = plan.groups.get(usize::from(progress.at)).copied().unwrap_or(0);
        group & !(progress.done | progress.refused)
    }

    /// Looks which steps of the group are due, and logs that they are asked for.
    fn enter_group(&mut self, id: Id, plan: &FlowPlan) -> bool {
        let at = self.world.runs[id].progress.at;
        if usize::from(at) >= plan.groups.len() {
            let ended = self.saga(self.world.runs[id].flow).is_some();
            return if ended { self.log(id, Todo::End) } else { self.go(id, Todo::End) };
        }
        let mut asked = 0u64;
        for step in numbers(self.group(id, plan)) {
            if let Some(when) = &plan.steps[step as usize].when
                && self.evaluate_flow(id, when) != Some(1)
            {
                self.world.runs[id].progress.done |= 1 << step;
                let Run { ctx, path, instance, .. } = self.world.runs[id];
                self.left_out(ctx, path, instance, step);
                self.world.runs[id].progress.undone |= 1 << step;
                continue;
            }
            asked |= 1 << step;
        }
        if asked == 0 {
            return self.go(id, Todo::Leave);
        }
        let before =
            self.saga(self.world.runs[id].flow).is_some_and(|saga| saga.register == Register::Before);
        let run = &mut self.world.runs[id];
        let known = run.progress.asked & asked == asked;
        run.progress.asked |= asked;
        if before && !known { self.log(id, Todo::Send) } else { self.go(id, Todo::Send) }
    }

    pub(super) fn go(&mut self, id: Id, todo: Todo) -> bool {
        self.world.runs[id].todo = todo;
        true
    }

    /// Asks for all steps of the group that are due.
    fn send_group(&mut self, id: Id, plan: &FlowPlan) -> bool {
        self.world.runs[id].todo = Todo::Await;
        for step in numbers(self.group(id, plan)) {
            if !self.world.runs.has(id) {
                return false;
            }
            if self.world.runs[id].progress.asked & 1 << step == 0 {
                continue;
            }
            let of = &plan.steps[step as usize];
            if let Some(wait) = &of.wait {
                let name = self.world.runs[id].path.child(Role::Step, u32::from(step));
                let after = self.chooser.span(name, Ask::Think, wait);
                self.world.runs[id].progress.done |= 1 << step;
                if !after.is_zero() {
                    self.sleep_run(id, after, name);
                }
                continue;
            }
            self.ask(id, plan, step, false);
        }
        true
    }

    /// Asks for a step or its compensation.
    pub(super) fn ask(&mut self, id: Id, plan: &FlowPlan, step: u8, undo: bool) {
        let of = &plan.steps[step as usize];
        let call = if undo { &of.undo } else { &of.action };
        let Some(call) = call else { return };
        let mut args = std::mem::take(&mut self.world.slots);
        args.clear();
        for code in &call.args {
            args.push(self.evaluate_flow(id, code).unwrap_or(NULL));
        }
        let Run { ctx, path, node, round, .. } = self.world.runs[id];
        let what = if undo { FlowMove::UndoAsked } else { FlowMove::Asked };
        self.moves(id, what, u32::from(step), u64::from(node));
        let role = if undo { Role::Undo } else { Role::Action };
        let mut name = path.child(Role::Step, u32::from(step)).child(role, 0);
        if round > 0 {
            name = name.child(Role::Recovery, round);
        }
        let ctx = Ctx { call: path.0, ..self.step_ctx(ctx, step, undo) };
        let forget =
            !undo && plan.coordination == Coordination::FireAndForget && !self.is_home(call.target, node);
        let (made, slot) = self.world.calls.take();
        slot.reset(Owner::Step(id, step, undo), call.target, node, ctx, name, call.retry);
        slot.args.set(&args);
        self.world.slots = args;
        if forget {
            self.world.calls[made].owner = Owner::Nobody;
            self.world.runs[id].progress.done |= 1 << step;
            self.send_and_forget(made);
            return;
        }
        self.world.runs[id].open += 1;
        self.start_call(made);
    }

    fn is_home(&self, target: Target, node: u32) -> bool {
        match (target, self.plan.nodes.kind(node)) {
            (Target::Op(op), NodeKind::Replica(service, _)) => {
                self.plan.model.operation(op).service == service
            }
            (Target::Flow(flow), NodeKind::Replica(service, _)) => {
                self.plan.model.flow(flow).by == Some(service)
            }
            _ => false,
        }
    }
}

/// Where a run with a key is filed.
pub(super) fn run_hash(flow: FlowId, key: Word) -> u64 {
    mix(u64::from(flow.0), key as u64)
}

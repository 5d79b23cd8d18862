//! Flows at their home: plain calls, fire and forget, and the orchestrated saga with its log.
//!
//! A flow is a small state machine ([`Todo`]) over its [`Progress`](super::world::Progress). Of a saga with a durable log a
//! copy of that progress is written at every log point and taken up again when the home restarts.

use super::Engine;
use super::choreography::home_hash;
use super::network::Answered;
use super::slab::Id;
use super::world::{Ctx, From, Owner, Progress, Ready, Run, SagaRow, Status, Todo, Trouble, What};
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role, mix};
use crate::kernel::time::Span;
use crate::model::expr::{Code, eval};
use crate::model::flow::{Class, Target};
use crate::model::how::{
    Answer, Busy, Coordination, Keep, Recover, Register, SagaPolicy, StuckUndo, UndoOrder,
};
use crate::model::ids::{FlowId, ServiceId};
use crate::model::plan::{CallPlan, FlowPlan, NodeKind};
use crate::model::record::{FlowMove, Kind, NONE, StepRole, step_word};
use crate::model::value::{NULL, Word};
use crate::model::weather::{PointKind, Subject};
use crate::store::{KeyState, Sink};

impl<'e, C: Chooser, S: Sink> Engine<'e, C, S> {
    pub(super) fn flow_plan(&self, flow: FlowId) -> &'e FlowPlan {
        &self.plan.flows[flow.index()]
    }

    fn saga(&self, flow: FlowId) -> Option<&'e SagaPolicy> {
        match &self.flow_plan(flow).coordination {
            Coordination::Saga(saga) => Some(saga),
            _ => None,
        }
    }

    /// For whom and as what a step of a flow is done.
    pub(super) fn step_ctx(&self, flow_ctx: Ctx, step: u8, undo: bool) -> Ctx {
        let role = if undo { StepRole::Undo } else { StepRole::Action };
        let word = step_word(step, role);
        let fenced = match flow_ctx.instance {
            NONE => false,
            instance => {
                let flow = self.world.instances[self.world.instances.id(instance)].flow;
                self.saga(flow).is_some_and(|saga| saga.fence)
            }
        };
        Ctx { step: word, effect: Self::effect(flow_ctx.effect, word), fenced, ..flow_ctx }
    }

    pub(super) fn moves(&mut self, run: Id, what: FlowMove, step: u32, data: u64) {
        let Run { flow, ctx, path, instance, .. } = self.world.runs[run];
        self.record(Kind::Flow, path, ctx, |r| {
            r.op = flow.0;
            r.flag = what as u8;
            r.who = instance;
            r.row = step;
            r.data = data;
        });
    }

    /// Says that a step is left out because its condition is false.
    pub(super) fn left_out(&mut self, ctx: Ctx, path: Path, instance: u32, step: u8, _node: u32) {
        let flow = match instance {
            NONE => return,
            instance => self.world.instances[self.world.instances.id(instance)].flow,
        };
        self.record(Kind::Flow, path, ctx, |r| {
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
        let mut key = None;
        let fingerprint = Self::fingerprint(args);
        if let (Some(by), NodeKind::Replica(..)) = (&plan.key, self.plan.nodes.kind(node)) {
            let place = self.key_place(node, &by.policy);
            let word = self.key_of(by, ctx, NULL, args, u64::from(flow.0) | 1 << 32);
            key = Some(word);
            let entry = self.world.keys[place].get(word);
            let what = Answered { node, target: Target::Flow(flow), path, ctx, args, payload: &[] };
            match entry.map(|entry| entry.state) {
                Some(KeyState::Done { refused, reply }) => {
                    self.record(Kind::Replay, path, ctx, |r| {
                        r.op = flow.0 | crate::model::record::FLOW;
                        r.data = ctx.effect;
                        r.who = node;
                    });
                    return self.answer(from, refused.map_or(Status::Ok(reply), Status::Refused), what);
                }
                Some(_) if by.policy.busy != Busy::Ignore => {
                    let running = self.running(flow, word);
                    if let (Busy::Wait, Some(running)) = (by.policy.busy, running) {
                        self.world.runs[running].waiters.push(from);
                        return;
                    }
                    self.record(Kind::Busy, path, ctx, |r| {
                        r.op = flow.0 | crate::model::record::FLOW;
                        r.who = node;
                    });
                    return self.answer(from, Status::Busy, what);
                }
                _ => {}
            }
            let lasts = by.policy.busy_for;
            self.remember(place, word, fingerprint, KeyState::InProgress, lasts, path);
        }
        self.hold(ctx);
        let mut slots = args.to_vec();
        slots.resize(plan.slots as usize, NULL);
        let (id, run) = self.world.runs.take();
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
        self.moves(id, FlowMove::Started, NONE, u64::from(node));
        if matches!(plan.coordination, Coordination::Choreography { .. }) {
            return self.start_choreography(id);
        }
        if let Some(saga) = self.saga(flow)
            && saga.durable
            && !self.open_saga(id)
        {
            return;
        }
        if plan.answer() == Answer::Accepted {
            self.answer_run(id, Status::Ok(NULL));
        }
        if self.world.runs.has(id) {
            self.world.ready.push_back(Ready::Run(id));
        }
    }

    /// Files a run by where it lives, and by its key if it has one.
    fn file_run(&mut self, id: Id) {
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

    /// The start of a saga is logged, in one commit with its key. Returns whether the home is still up.
    fn open_saga(&mut self, id: Id) -> bool {
        if self.pass_log(0, id) {
            return false;
        }
        let run = &self.world.runs[id];
        let row = SagaRow {
            flow: run.flow,
            node: run.node,
            ctx: run.ctx,
            path: run.path,
            instance: run.instance,
            progress: run.progress.clone(),
            round: 0,
            key: run.key,
            fingerprint: run.fingerprint,
            run: Some(id),
        };
        self.hold(row.ctx);
        let (saga, slot) = self.world.sagas.take();
        self.world.places.sagas.join(saga.slot, row.node);
        *slot = row;
        self.world.runs[id].saga = Some(saga);
        self.moves(id, FlowMove::Logged, NONE, 0);
        !self.pass_log(1, id)
    }

    fn pass_log(&mut self, after: usize, id: Id) -> bool {
        if self.rules.quiet(after, PointKind::Log) {
            return false;
        }
        let Run { flow, node, ctx, path, round, .. } = self.world.runs[id];
        let progress = &self.world.runs[id].progress;
        let name = path.child(Role::Log, progress_word(progress)).child(Role::Recovery, round);
        let slots = progress.slots.clone();
        let args = super::call::arguments(&slots, self.plan.model.flow(flow).args);
        self.passes(after, PointKind::Log, Subject::Flow(flow), node, ctx, name, args)
    }

    /// Writes the log of a saga, then goes on with `todo`. Returns whether it may go on at once.
    fn log(&mut self, id: Id, todo: Todo) -> bool {
        self.world.runs[id].todo = todo;
        let Some(saga) = self.world.runs[id].saga else { return true };
        if self.pass_log(0, id) {
            return false;
        }
        // The note is durable at this instant; the statement's time passes before the next move.
        let node = self.world.runs[id].node;
        let statement = match self.plan.nodes.kind(node) {
            NodeKind::Replica(service, _) => self.plan.model.service(service).statement,
            _ => Span::ZERO,
        };
        self.world.runs[id].progress.clone_into_saga(&mut self.world.sagas[saga]);
        self.moves(id, FlowMove::Logged, NONE, 0);
        if self.pass_log(1, id) {
            return false;
        }
        if statement.is_zero() {
            return true;
        }
        let path = self.world.runs[id].path;
        self.sleep_run(id, statement, path);
        false
    }

    fn sleep_run(&mut self, id: Id, after: Span, name: Path) {
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

    fn evaluate_flow(&mut self, id: Id, code: &Code) -> Option<Word> {
        let slots = std::mem::take(&mut self.world.runs[id].progress.slots);
        let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
        let value = eval(code, &slots, &mut view, self.scratch).ok();
        self.world.runs[id].progress.slots = slots;
        value
    }

    /// The steps of the present group that are not settled yet.
    fn group(&self, id: Id, plan: &FlowPlan) -> Vec<u8> {
        let progress = &self.world.runs[id].progress;
        let open = |n: usize| (progress.done | progress.refused) & 1 << n == 0;
        let of = |(n, step): (usize, &crate::model::plan::StepPlan)| {
            (step.group == progress.at && open(n)).then_some(n as u8)
        };
        plan.steps.iter().enumerate().filter_map(of).collect()
    }

    /// Looks which steps of the group are due, and logs that they are asked for.
    fn enter_group(&mut self, id: Id, plan: &FlowPlan) -> bool {
        let at = self.world.runs[id].progress.at;
        if plan.steps.iter().all(|step| step.group < at) {
            let ended = self.saga(self.world.runs[id].flow).is_some();
            return if ended { self.log(id, Todo::End) } else { self.go(id, Todo::End) };
        }
        let mut asked = 0u64;
        for step in self.group(id, plan) {
            if let Some(when) = &plan.steps[step as usize].when
                && self.evaluate_flow(id, when) != Some(1)
            {
                self.world.runs[id].progress.done |= 1 << step;
                let Run { ctx, path, instance, node, .. } = self.world.runs[id];
                self.left_out(ctx, path, instance, step, node);
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

    fn go(&mut self, id: Id, todo: Todo) -> bool {
        self.world.runs[id].todo = todo;
        true
    }

    /// Asks for all steps of the group that are due.
    fn send_group(&mut self, id: Id, plan: &FlowPlan) -> bool {
        self.world.runs[id].todo = Todo::Await;
        for step in self.group(id, plan) {
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
    fn ask(&mut self, id: Id, plan: &FlowPlan, step: u8, undo: bool) {
        let of = &plan.steps[step as usize];
        let call = if undo { &of.undo } else { &of.action };
        let Some(call) = call else { return };
        let mut args = Vec::with_capacity(call.args.len());
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
        slot.args = args;
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

    /// A step or compensation has been answered, or given up.
    pub(super) fn step_ends(&mut self, id: Id, step: u8, undo: bool, status: Status, maybe: bool) {
        if !self.world.runs.has(id) {
            return;
        }
        let plan = self.flow_plan(self.world.runs[id].flow);
        self.world.runs[id].open -= 1;
        if undo {
            return self.undo_ends(id, step, status);
        }
        let of = &plan.steps[step as usize];
        let bit = 1u64 << step;
        match status {
            Status::Ok(reply) | Status::Skipped(reply) => {
                let run = &mut self.world.runs[id];
                run.progress.done |= bit;
                if let Some(slot) = of.bind {
                    run.progress.slots[slot as usize] = reply;
                }
                self.moves(id, FlowMove::Done, u32::from(step), 0);
            }
            Status::Refused(reason) => {
                self.moves(id, FlowMove::StepRefused, u32::from(step), reason as u64);
                if self.only_forward(id, plan, step, true) {
                    self.world.runs[id].round += 1;
                    return;
                }
                let run_progress = &mut self.world.runs[id].progress;
                if of.optional {
                    run_progress.refused |= bit;
                    if !maybe {
                        run_progress.asked &= !bit;
                    }
                    return;
                }
                // An earlier attempt may have been carried out all the same: then it is still to be undone.
                if !maybe && self.world.runs[id].round == 0 {
                    self.world.runs[id].progress.asked &= !bit;
                }
                self.world.runs[id].progress.trouble = Some(Trouble::Refused(reason));
            }
            Status::Conflict | Status::Error | Status::Busy | Status::Unknown => {
                self.moves(id, FlowMove::StepUnknown, u32::from(step), 0);
                if self.only_forward(id, plan, step, false) {
                    self.world.runs[id].round += 1;
                    return;
                }
                if matches!(status, Status::Conflict | Status::Error)
                    && !maybe
                    && self.world.runs[id].round == 0
                {
                    self.world.runs[id].progress.asked &= !bit;
                }
                self.world.runs[id].progress.trouble.get_or_insert(Trouble::Unknown);
            }
        }
    }

    /// Whether a saga cannot turn back at this step any more: it is past the pivot, the step must succeed, or it is the
    /// pivot itself and may have been passed.
    fn only_forward(&self, id: Id, plan: &FlowPlan, step: u8, refused: bool) -> bool {
        let run = &self.world.runs[id];
        if self.saga(run.flow).is_none() {
            return false;
        }
        let past = plan.pivot.is_some_and(|pivot| run.progress.done & 1 << pivot != 0);
        match plan.steps[step as usize].class {
            Class::Retriable => true,
            Class::Pivot => past || !refused,
            Class::Compensatable | Class::ReadOnly => past,
        }
    }

    /// How long a saga waits before it asks again for what must succeed, once the attempts of a call are used up: as long
    /// as for one attempt.
    fn patience(&self, call: Option<&CallPlan>) -> Span {
        let retry = call.map(|call| &self.plan.retries[call.retry as usize]);
        let finite =
            retry.map(|retry| retry.timeout).filter(|timeout| !timeout.is_ever() && !timeout.is_zero());
        finite.unwrap_or(Span::SECOND)
    }

    /// All steps of the group have been answered. What must succeed and has not is asked for again after a while.
    fn answers_are_in(&mut self, id: Id, plan: &FlowPlan) -> bool {
        let missing = self.world.runs[id].progress.trouble.is_none() && !self.group(id, plan).is_empty();
        if !missing {
            return self.go(id, Todo::Leave);
        }
        let step = self.group(id, plan).first().map(|&step| &plan.steps[step as usize]);
        let after = self.patience(step.and_then(|step| step.action.as_ref()));
        let run = &mut self.world.runs[id];
        run.todo = Todo::Enter;
        let name = run.path.child(Role::Recovery, run.round);
        self.sleep_run(id, after, name);
        false
    }

    /// Goes on after a group, or turns back.
    fn leave_group(&mut self, id: Id) -> bool {
        let flow = self.world.runs[id].flow;
        if self.world.runs[id].progress.trouble.is_some() {
            return match self.saga(flow) {
                Some(_) => self.go(id, Todo::Turn),
                None => self.go(id, Todo::End),
            };
        }
        let after = self.saga(flow).is_some_and(|saga| saga.register == Register::After);
        let run = &mut self.world.runs[id];
        run.progress.at += 1;
        run.todo = Todo::Enter;
        if after { self.log(id, Todo::Enter) } else { true }
    }

    /// The saga turns back.
    fn turn(&mut self, id: Id) -> bool {
        self.moves(id, FlowMove::Compensating, NONE, 0);
        self.world.runs[id].progress.back = true;
        self.log(id, Todo::Undo)
    }

    /// The steps to be undone, in order.
    fn to_undo(&self, id: Id, plan: &FlowPlan, saga: &SagaPolicy) -> Vec<u8> {
        let progress = &self.world.runs[id].progress;
        let registered = match saga.register {
            Register::Before => progress.asked,
            Register::After => progress.done,
        };
        let due = registered & !progress.undone & !progress.parked;
        let mut steps: Vec<u8> = (0..plan.steps.len() as u8)
            .filter(|&n| due & 1 << n != 0 && plan.steps[n as usize].undo.is_some())
            .collect();
        if saga.undo != UndoOrder::Forward {
            steps.reverse();
        }
        steps
    }

    fn undo_next(&mut self, id: Id, plan: &FlowPlan) -> bool {
        let Some(saga) = self.saga(self.world.runs[id].flow) else { return self.go(id, Todo::End) };
        let due = self.to_undo(id, plan, saga);
        if due.is_empty() {
            return self.log(id, Todo::End);
        }
        self.world.runs[id].todo = Todo::AwaitUndo;
        let count = if saga.undo == UndoOrder::Parallel { due.len() } else { 1 };
        for &step in &due[..count] {
            if self.world.runs.has(id) {
                self.ask(id, plan, step, true);
            }
        }
        true
    }

    fn undo_ends(&mut self, id: Id, step: u8, status: Status) {
        let Some(saga) = self.saga(self.world.runs[id].flow) else { return };
        let bit = 1u64 << step;
        match status {
            Status::Ok(_) | Status::Skipped(_) => {
                self.world.runs[id].progress.undone |= bit;
                self.moves(id, FlowMove::Undone, u32::from(step), 0);
            }
            _ => match saga.stuck_undo {
                StuckUndo::Retry => {
                    let plan = self.flow_plan(self.world.runs[id].flow);
                    let after = self.patience(plan.steps[step as usize].undo.as_ref());
                    let run = &mut self.world.runs[id];
                    run.round += 1;
                    let name = run.path.child(Role::Recovery, run.round);
                    if run.open == 0 && !run.waiting {
                        self.sleep_run(id, after, name);
                    }
                }
                StuckUndo::Park => {
                    self.world.runs[id].progress.parked |= bit;
                    self.moves(id, FlowMove::Parked, u32::from(step), 0);
                }
                StuckUndo::Stop => {
                    let run = &mut self.world.runs[id];
                    run.progress.parked = u64::MAX;
                    run.todo = Todo::End;
                }
            },
        }
    }

    /// The flow is over.
    fn end_flow(&mut self, id: Id, plan: &FlowPlan) {
        let run = &self.world.runs[id];
        let (flow, trouble, parked) = (run.flow, run.progress.trouble, run.progress.parked);
        let is_saga = self.saga(flow).is_some();
        let status = match trouble {
            None => {
                let reply = plan.reply.as_ref().and_then(|code| self.evaluate_flow(id, code)).unwrap_or(NULL);
                Status::Ok(reply)
            }
            // What was set aside for a person is not undone, and not done: nobody can say.
            Some(_) if is_saga && parked != 0 && parked != u64::MAX => Status::Unknown,
            Some(Trouble::Refused(reason)) => Status::Refused(reason),
            Some(Trouble::Unknown) if is_saga => Status::Refused(self.plan.reasons.error),
            Some(Trouble::Unknown) => Status::Unknown,
        };
        let what = match (trouble, is_saga) {
            (None, _) => FlowMove::Completed,
            (Some(_), true) if parked == u64::MAX => FlowMove::GaveUp,
            (Some(_), true) if parked != 0 => FlowMove::Escalated,
            (Some(_), true) => FlowMove::Compensated,
            (Some(_), false) => FlowMove::GaveUp,
        };
        self.moves(id, what, NONE, 0);
        self.close_run(id, status);
    }

    /// Remembers the result under the flow's key, answers, and ends the run.
    pub(super) fn close_run(&mut self, id: Id, status: Status) {
        let Run { flow, node, path, key, fingerprint, saga, .. } = self.world.runs[id];
        let plan = self.flow_plan(flow);
        if let (Some(by), Some(key)) = (&plan.key, key) {
            let place = self.key_place(node, &by.policy);
            match (status, by.policy.keep) {
                (Status::Ok(reply), keep) => {
                    let reply = if keep == Keep::Nothing { NULL } else { reply };
                    let done = KeyState::Done { refused: None, reply };
                    self.remember(place, key, fingerprint, done, by.policy.ttl, path);
                }
                (Status::Refused(reason), Keep::Any) => {
                    let done = KeyState::Done { refused: Some(reason), reply: NULL };
                    self.remember(place, key, fingerprint, done, by.policy.ttl, path);
                }
                _ => self.world.keys[place].remove(key),
            }
        }
        if let Some(row) = saga {
            self.drop_saga(row);
        }
        self.answer_run(id, status);
        if self.world.runs.has(id) {
            self.drop_run(id);
        }
    }

    /// Answers all who wait for a flow, once.
    pub(super) fn answer_run(&mut self, id: Id, status: Status) {
        let run = &mut self.world.runs[id];
        if std::mem::replace(&mut run.answered, true) {
            return;
        }
        let from = run.from;
        let waiters = std::mem::take(&mut run.waiters);
        let Run { flow, node, ctx, path, .. } = *run;
        let slots = run.progress.slots.clone();
        let args = super::call::arguments(&slots, self.plan.model.flow(flow).args);
        let what = Answered { node, target: Target::Flow(flow), path, ctx, args, payload: &[] };
        self.hold(ctx);
        self.answer(from, status, what);
        for (n, waiter) in waiters.into_iter().enumerate() {
            let what = Answered { path: path.child(Role::Occurrence, n as u32 + 1), ..what };
            self.answer(waiter, status, what);
        }
        self.let_go(ctx);
    }

    pub(super) fn drop_run(&mut self, id: Id) {
        let ctx = self.world.runs[id].ctx;
        if let Some(timer) = self.world.runs[id].timer.take() {
            self.call_off(timer);
        }
        let Run { flow, node, path, key, todo, listens, .. } = self.world.runs[id];
        self.world.places.runs.quit(id.slot, node);
        if let Some(key) = key {
            self.world.keyed.remove(run_hash(flow, key), id.slot);
        }
        if todo == Todo::AwaitOver {
            self.world.listening.remove(home_hash(path, node), id.slot);
        }
        self.world.runs.leave(id);
        if !listens {
            self.let_go(ctx);
        }
    }

    fn drop_saga(&mut self, row: Id) {
        let SagaRow { ctx, node, .. } = self.world.sagas[row];
        self.world.places.sagas.quit(row.slot, node);
        self.world.sagas.leave(row);
        self.let_go(ctx);
    }

    /// The home crashed: the run is gone; its saga stays in the log.
    pub(super) fn kill_run(&mut self, id: Id) {
        if let Some(row) = self.world.runs[id].saga {
            self.world.sagas[row].run = None;
        }
        self.drop_run(id);
    }

    /// A home that will not come back: another replica takes over, or nobody ever will.
    pub(super) fn abandon_sagas(&mut self, node: u32, service: ServiceId) {
        let first = self.plan.nodes.replica(service, 0);
        let heir = (first..first + self.plan.model.service(service).replicas)
            .find(|&other| !self.world.nodes[other as usize].down);
        let rows = self.world.places.sagas.at(node, &self.world.sagas);
        for row in rows {
            match heir {
                Some(heir) => {
                    self.world.places.sagas.quit(row.slot, node);
                    self.world.places.sagas.join(row.slot, heir);
                    self.world.sagas[row].node = heir;
                    self.recover_saga(row);
                }
                None => self.drop_saga(row),
            }
        }
    }

    /// A restarted home takes its unfinished sagas up again.
    pub(super) fn recover_sagas(&mut self, node: u32) {
        for row in self.world.places.sagas.at(node, &self.world.sagas) {
            if self.world.sagas[row].run.is_none() {
                self.recover_saga(row);
            }
        }
    }

    fn recover_saga(&mut self, row: Id) {
        let saga = &mut self.world.sagas[row];
        saga.round += 1;
        let SagaRow { flow, node, ctx, path, instance, round, key, fingerprint, .. } = *saga;
        let progress = saga.progress.clone();
        let plan = self.flow_plan(flow);
        let Some(policy) = self.saga(flow) else { return };
        self.hold(ctx);
        let (id, run) = self.world.runs.take();
        *run = Run {
            flow,
            node,
            ctx,
            path,
            instance,
            progress,
            key,
            fingerprint,
            round,
            saga: Some(row),
            answered: true,
            ..Run::default()
        };
        self.file_run(id);
        self.world.sagas[row].run = Some(id);
        self.moves(id, FlowMove::Recovered, NONE, u64::from(node));
        let progress = &mut self.world.runs[id].progress;
        let pivot_asked = plan.pivot.is_some_and(|pivot| progress.asked & 1 << pivot != 0);
        let over = plan.steps.iter().all(|step| step.group < progress.at);
        let todo = match (progress.back, policy.recover) {
            (true, _) => Todo::Undo,
            (false, _) if over => Todo::End,
            (false, Recover::Forward) => Todo::Enter,
            // The pivot may have been passed: only forward is safe.
            (false, Recover::Back) if pivot_asked => Todo::Enter,
            // Every step is noted before it is sent: none was.
            (false, Recover::Back) if policy.register == Register::Before && progress.asked == 0 => {
                Todo::Enter
            }
            (false, Recover::Back) => {
                progress.trouble = Some(Trouble::Unknown);
                Todo::Turn
            }
        };
        self.world.runs[id].todo = todo;
        self.world.ready.push_back(Ready::Run(id));
    }
}

/// Where a run with a key is filed.
fn run_hash(flow: FlowId, key: Word) -> u64 {
    mix(u64::from(flow.0), key as u64)
}

/// Names a log write within a run.
fn progress_word(progress: &Progress) -> u32 {
    (progress.asked.count_ones() << 16)
        | (progress.done.count_ones() << 8)
        | (progress.undone.count_ones() << 1)
        | u32::from(progress.back)
}

impl Progress {
    fn clone_into_saga(&self, saga: &mut SagaRow) {
        saga.progress.clone_from(self);
    }
}

//! Choreographed flows: no coordinator; the service of each step tells the next one, or, after a refusal, the one before.
//!
//! What the flow has got so far travels in the message. At each stop a short-lived [`Run`] executes the operation and hands
//! over. Handing over is a publication of its own: after the commit, before it, or through the outbox within it. The home
//! only starts the flow and waits to be told that it is over; nobody else notices a message that is lost.
//!
//! With an outbox, accepting a flow is a transaction of its home: its key is claimed and the first letter written at one
//! instant. If the first step is the home's own, it belongs to that transaction: the letter behind it is the first one, and
//! if the step does not commit, the flow was not accepted. Who has been told that it was must find a letter, so then there is
//! one for a step of the home's own, too.

use super::Engine;
use super::network::{Answered, Outgoing};
use super::slab::Id;
use super::world::{Asking, Ctx, From, Home, Letter, Parcel, Progress, Run, Status, Todo, Trouble};
use crate::kernel::choose::Chooser;
use crate::kernel::path::{Path, Role, mix};
use crate::model::expr::eval;
use crate::model::flow::{Class, Target};
use crate::model::how::{Answer, PublishPolicy};
use crate::model::ids::{FlowId, OpId};
use crate::model::record::{FlowMove, NONE};
use crate::model::value::{NULL, Word};
use crate::model::weather::{PointKind, Subject};
use crate::store::{KeyEntry, KeyState, Sink};

/// The words that travel before the slots of a flow: its path, the steps done and undone, why it turns back, then its
/// [`Home`].
const HEAD: usize = 7;

/// Where the home of a flow is filed while it listens.
pub(super) fn home_hash(path: Path, node: u32) -> u64 {
    mix(path.0, u64::from(node))
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// The home starts the flow and waits.
    pub(super) fn start_choreography(&mut self, id: Id) {
        self.world.runs[id].todo = Todo::AwaitOver;
        let Run { flow, node, ctx, path, key, .. } = self.world.runs[id];
        self.world.listening.insert(home_hash(path, node), id.slot);
        if ctx.intent != NONE {
            self.world.intents.at(ctx.intent).more().homes.push(id);
        }
        let progress = self.world.runs[id].progress.clone();
        let home = Home { node, key: key.unwrap_or(NULL), claim: self.claim_of(flow, node, key) };
        let plan = self.flow_plan(flow);
        let accepts = plan.answer() == Answer::Accepted;
        let outbox = matches!(plan.publish, PublishPolicy::Outbox(_));
        if accepts && !outbox {
            self.answer_run(id, Status::Ok(NULL));
            // What it answers may have brought down the home, before anything else was sent.
            if !self.world.runs.has(id) {
                return;
            }
        }
        self.go_on(flow, node, home, ctx, path, progress, None);
        if accepts && outbox && self.world.runs.has(id) {
            self.answer_run(id, Status::Ok(NULL));
        }
        // From here on the home only listens. If a message gets lost on the way, nothing is left to happen.
        if self.world.runs.has(id) {
            self.world.runs[id].listens = true;
            self.let_go(&ctx);
        }
    }

    /// Nothing can happen for an intent any more: whoever still listens listens in vain.
    pub(super) fn stop_listening(&mut self, intent: u32) {
        let mut homes = std::mem::take(&mut self.world.intents.at(intent).more().homes);
        homes.sort_unstable_by_key(|home| home.slot);
        for home in homes.drain(..) {
            if self.world.runs.get(home).is_some_and(|run| run.listens) {
                self.drop_run(home);
            }
        }
        self.world.intents.at(intent).more().homes = homes;
    }

    fn home_and_state(progress: &Progress, path: Path, home: Home) -> Vec<Word> {
        let why = match progress.trouble {
            None => NULL,
            Some(Trouble::Refused(reason)) => reason,
            Some(Trouble::Unknown) => 0,
        };
        let (done, undone) = (progress.done as Word, progress.undone as Word);
        let Home { node, key, claim } = home;
        let mut words = vec![path.0 as Word, done, undone, why, Word::from(node), key, Word::from(claim)];
        words.extend_from_slice(&progress.slots);
        words
    }

    /// The operation of a stop.
    pub(super) fn hop_op(&self, flow: FlowId, step: u8, undo: bool) -> Option<OpId> {
        let of = self.flow_plan(flow).steps.get(step as usize)?;
        let call = if undo { of.undo.as_ref() } else { of.action.as_ref() };
        match call?.target {
            Target::Op(op) => Some(op),
            Target::Flow(_) => None,
        }
    }

    /// Where a flow goes from here: the next step, the one to undo, or home.
    #[expect(clippy::too_many_arguments, reason = "what travels is all of this")]
    fn go_on(
        &mut self,
        flow: FlowId,
        node: u32,
        home: Home,
        ctx: Ctx,
        path: Path,
        mut progress: Progress,
        at: Option<u8>,
    ) {
        let plan = self.flow_plan(flow);
        let letter = if progress.trouble.is_some() {
            let due = progress.done & !progress.undone;
            let before = at.unwrap_or(plan.steps.len() as u8);
            let back =
                (0..before).rev().find(|&n| due & 1 << n != 0 && plan.steps[n as usize].undo.is_some());
            match (back, progress.trouble) {
                (Some(step), _) => Letter::Hop(flow, step, true),
                (None, Some(Trouble::Refused(reason))) => Letter::Over(flow, Status::Refused(reason)),
                (None, _) => Letter::Over(flow, Status::Unknown),
            }
        } else {
            let mut next = at.map_or(0, |at| at + 1);
            loop {
                let Some(step) = plan.steps.get(next as usize) else {
                    let reply = plan.reply.as_ref().and_then(|code| {
                        let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
                        eval(code, &progress.slots, &mut view, self.scratch).ok()
                    });
                    break Letter::Over(flow, Status::Ok(reply.unwrap_or(NULL)));
                };
                let wanted = match &step.when {
                    None => true,
                    Some(when) => {
                        let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
                        eval(when, &progress.slots, &mut view, self.scratch) == Ok(1)
                    }
                };
                if wanted && step.action.is_some() {
                    break Letter::Hop(flow, next, false);
                }
                self.left_out(ctx, path, ctx.instance, next);
                progress.undone |= 1 << next;
                next += 1;
            }
        };
        let state = Self::home_and_state(&progress, path, home);
        let posts = match plan.publish {
            PublishPolicy::Outbox(_) => at.is_some() || self.is_posted_first(letter, node),
            _ => false,
        };
        if posts {
            self.post(letter, node, ctx, path, &state);
        } else {
            self.carry(letter, node, ctx, path, &state, 1, From::Nobody);
        }
    }

    /// Whether the first letter of a flow goes into the outbox of its home.
    fn is_posted_first(&self, letter: Letter, node: u32) -> bool {
        let Letter::Hop(flow, step, undo) = letter else { return false };
        let service = self.hop_op(flow, step, undo).map(|op| self.plan.model.operation(op).service);
        self.flow_plan(flow).answer() == Answer::Accepted || service != self.plan.nodes.service_at(node)
    }

    /// Whether a run is the first step of a flow within the transaction that accepts it.
    fn accepts(&self, run: &Run) -> bool {
        let outbox = matches!(self.flow_plan(run.flow).publish, PublishPolicy::Outbox(_));
        run.stop.is_some() && outbox && run.from == From::Nobody && !run.handed
    }

    /// The home crashes with a stop: if that was to accept the flow, its key has not been claimed.
    pub(super) fn stop_dies(&mut self, id: Id) {
        let run = &self.world.runs[id];
        if self.accepts(run) {
            let Run { flow, node, path, home, .. } = *run;
            self.settle_claim(flow, Status::Unknown, path, node, home);
        }
    }

    /// Takes a letter of a choreography to where it belongs; `n` counts how often.
    #[expect(clippy::too_many_arguments, reason = "what travels is all of this")]
    pub(super) fn carry(
        &mut self,
        letter: Letter,
        node: u32,
        ctx: Ctx,
        path: Path,
        state: &[Word],
        n: u32,
        answer: From,
    ) -> bool {
        let home = Home::of(state).map_or(node, |home| home.node);
        let (parcel, point, subject, to, name, ctx) = match letter {
            Letter::Hop(flow, step, undo) => {
                let Some(op) = self.hop_op(flow, step, undo) else { return true };
                let role = if undo { Role::Undo } else { Role::Action };
                let name = path.child(Role::Step, u32::from(step)).child(role, 0).child(Role::Try, n);
                let service = self.plan.model.operation(op).service;
                let own = self.plan.nodes.kind(node);
                let here = matches!(own, crate::model::plan::NodeKind::Replica(of, _) if of == service);
                let replicas = self.plan.model.service(service).replicas;
                let to = if here {
                    node
                } else {
                    self.plan.nodes.replica(service, ctx.client.wrapping_add(n) % replicas)
                };
                let ctx = Ctx { call: path.0, ..ctx };
                (Parcel::Hop(flow, step, undo), PointKind::Request, Subject::Op(op), to, name, ctx)
            }
            Letter::Over(flow, status) => {
                let name = path.child(Role::Event, 0).child(Role::Try, n);
                (Parcel::Over(flow, status), PointKind::Event, Subject::Flow(flow), home, name, ctx)
            }
            Letter::Event(_) | Letter::Nothing => return true,
        };
        let name = name.child(Role::Request, 0);
        let ctx = Ctx { sent: name.0, ..ctx };
        if to == node {
            match parcel {
                Parcel::Hop(flow, step, undo) => {
                    self.hop_arrives(flow, (step, undo), to, ctx, name, answer, state)
                }
                Parcel::Over(flow, status) => self.over_arrives(flow, status, to, ctx, name, state, answer),
                _ => {}
            }
            return true;
        }
        self.send(&Outgoing {
            parcel,
            point,
            subject,
            from: node,
            to,
            path: name,
            ctx: &ctx,
            answer,
            payload: state,
            args: &state[HEAD..],
        })
    }

    /// A choreographed flow arrives at a stop.
    #[expect(clippy::too_many_arguments, reason = "what travels is all of this")]
    pub(super) fn hop_arrives(
        &mut self,
        flow: FlowId,
        (step, undo): (u8, bool),
        node: u32,
        ctx: Ctx,
        path: Path,
        answer: From,
        state: &[Word],
    ) {
        let plan = self.flow_plan(flow);
        let Some(op) = self.hop_op(flow, step, undo) else { return };
        let Some(home) = Home::of(state) else { return };
        let trouble = match state[3] {
            NULL => None,
            0 => Some(Trouble::Unknown),
            reason => Some(Trouble::Refused(reason)),
        };
        let progress = Progress {
            done: state[1] as u64,
            undone: state[2] as u64,
            trouble,
            slots: state[HEAD..].to_vec(),
            ..Progress::default()
        };
        self.hold(&ctx);
        let (id, run) = self.world.runs.take();
        *run = Run {
            flow,
            node,
            ctx,
            path: Path(state[0] as u64),
            instance: ctx.instance,
            from: answer,
            progress,
            stop: Some((step, undo)),
            stop_path: path,
            home,
            ..Run::default()
        };
        self.world.places.runs.join(id.slot, node);
        self.moves(
            id,
            if undo { FlowMove::UndoAsked } else { FlowMove::Asked },
            u32::from(step),
            u64::from(node),
        );
        let of = &plan.steps[step as usize];
        let call = if undo { of.undo.as_ref() } else { of.action.as_ref() };
        let slots = self.world.runs[id].progress.slots.clone();
        let mut args = Vec::new();
        for code in call.map_or(&[][..], |call| &call.args) {
            let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
            args.push(eval(code, &slots, &mut view, self.scratch).unwrap_or(NULL));
        }
        let ctx = self.step_ctx(ctx, step, undo);
        self.start_task(op, false, node, ctx, path, From::Stop(id), &args, Asking::PLAINLY);
    }

    /// The commit of an operation at a stop, done or refused: the next letter goes into the outbox with it.
    pub(super) fn hand_over(&mut self, id: Id, status: Status) {
        let Some(run) = self.world.runs.get(id) else { return };
        let plan = self.flow_plan(run.flow);
        if run.handed || !self.is_final(run, status) {
            return;
        }
        match plan.publish {
            PublishPolicy::Outbox(_) => {}
            PublishPolicy::BeforeCommit if matches!(status, Status::Ok(_)) => {}
            _ => return,
        }
        self.world.runs[id].handed = true;
        self.pass_on(id, status);
    }

    /// The operation was recognised as a repetition: what it had to tell is in the outbox since its first execution.
    pub(super) fn told_before(&mut self, id: Id) {
        let Some(run) = self.world.runs.get_mut(id) else { return };
        let flow = run.flow;
        if matches!(self.flow_plan(flow).publish, PublishPolicy::Outbox(_)) {
            self.world.runs[id].handed = true;
        }
    }

    /// Goes on from a stop whose operation ended like this.
    fn pass_on(&mut self, id: Id, status: Status) {
        let Run { flow, node, ctx, path, stop, home, .. } = self.world.runs[id];
        let mut progress = self.world.runs[id].progress.clone();
        let Some((step, undo)) = stop else { return };
        let of = &self.flow_plan(flow).steps[step as usize];
        match (undo, status) {
            (true, Status::Ok(_)) => {
                progress.undone |= 1 << step;
                self.moves(id, FlowMove::Undone, u32::from(step), 0);
            }
            (true, _) => self.moves(id, FlowMove::Parked, u32::from(step), 0),
            (false, Status::Ok(reply)) => {
                progress.done |= 1 << step;
                if let Some(slot) = of.bind {
                    progress.slots[slot as usize] = reply;
                }
                self.moves(id, FlowMove::Done, u32::from(step), 0);
            }
            (false, Status::Refused(reason)) => {
                self.moves(id, FlowMove::StepRefused, u32::from(step), reason as u64);
                if !of.optional {
                    progress.trouble = Some(Trouble::Refused(reason));
                    self.moves(id, FlowMove::Compensating, NONE, 0);
                }
            }
            _ => {}
        }
        self.go_on(flow, node, home, ctx, path, progress, Some(step));
    }

    /// Whether a stop is over with this status. What must succeed is not over when it is refused.
    fn is_final(&self, run: &Run, status: Status) -> bool {
        let Some((step, undo)) = run.stop else { return false };
        match status {
            Status::Ok(_) | Status::Skipped(_) => true,
            Status::Refused(_) => {
                let of = &self.flow_plan(run.flow).steps[step as usize];
                undo || of.optional || of.class != Class::Retriable
            }
            _ => false,
        }
    }

    /// The operation at a stop is over: acknowledge and go on.
    pub(super) fn stop_done(&mut self, id: Id, status: Status) {
        let Run { flow, node, ctx, stop_path: path, from, handed, .. } = self.world.runs[id];
        if self.is_final(&self.world.runs[id], status) {
            if !handed {
                self.pass_on(id, status);
            }
            if self.world.runs.has(id) {
                let what =
                    Answered { node, target: Target::Flow(flow), path, ctx: &ctx, args: &[], payload: &[] };
                self.answer(from, status, what);
            }
        } else if self.accepts(&self.world.runs[id]) {
            let Run { path, home, .. } = self.world.runs[id];
            self.over(flow, status, path, node, home);
        }
        if self.world.runs.has(id) {
            self.drop_run(id);
        }
    }

    /// A flow is over, and its home is told.
    #[expect(clippy::too_many_arguments, reason = "what travels is all of this")]
    pub(super) fn over_arrives(
        &mut self,
        flow: FlowId,
        status: Status,
        node: u32,
        ctx: Ctx,
        name: Path,
        state: &[Word],
        answer: From,
    ) {
        let (Some(&path), Some(home)) = (state.first(), Home::of(state)) else { return };
        self.over(flow, status, Path(path as u64), node, home);
        let what =
            Answered { node, target: Target::Flow(flow), path: name, ctx: &ctx, args: &[], payload: &[] };
        self.answer(answer, status, what);
    }

    fn over(&mut self, flow: FlowId, status: Status, path: Path, node: u32, home: Home) {
        let waiting = |slot: u32| {
            let run = &self.world.runs[self.world.runs.id(slot)];
            run.path == path && run.node == node
        };
        if let Some(slot) = self.world.listening.least(home_hash(path, node), waiting) {
            let id = self.world.runs.id(slot);
            let what = match status {
                Status::Ok(_) => FlowMove::Completed,
                Status::Refused(_) => FlowMove::Compensated,
                _ => FlowMove::GaveUp,
            };
            self.moves(id, what, NONE, 0);
            return self.close_run(id, status);
        }
        // Nobody waits: it has been told before, or has crashed since. Then whoever asks again must not find the flow in progress
        // for ever.
        self.settle_claim(flow, status, path, node, home);
    }

    /// What becomes of the key of a flow that is over, unless somebody else has claimed it meanwhile.
    fn settle_claim(&mut self, flow: FlowId, status: Status, path: Path, node: u32, home: Home) {
        if home.key != NULL
            && let Some(entry) = self.key_entry(flow, node, home.key)
            && entry.state == KeyState::InProgress
            && entry.count == home.claim
        {
            self.settle_key(flow, node, path, (home.key, entry.fingerprint), status);
        }
    }

    /// What the home of a flow knows of its key.
    fn key_entry(&self, flow: FlowId, node: u32, key: Word) -> Option<KeyEntry> {
        let by = self.flow_plan(flow).key.as_ref()?;
        self.world.keys[self.key_place(node, &by.policy)].get(key)
    }

    /// The count of a key that has just been claimed.
    fn claim_of(&self, flow: FlowId, node: u32, key: Option<Word>) -> u32 {
        key.and_then(|key| self.key_entry(flow, node, key)).map_or(0, |entry| entry.count)
    }
}

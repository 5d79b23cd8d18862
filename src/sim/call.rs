//! Calls: requests with their timeouts, repetitions and backoff, by clients and by flows.
//!
//! An operation run by its caller takes two exchanges, a fetch and a request, with a thought between them. `resend` repeats
//! the request, old versions and all; `redo` fetches anew.

use super::Engine;
use super::due::Due;
use super::network::{Outgoing, subject};
use super::slab::Id;
use super::words::Words;
use super::world::{Asking, Call, From, MoreOfCall, Owner, Parcel, Phase, Ready, Status, Who, World};
use crate::kernel::agenda::{Class, Key};
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role};
use crate::kernel::sample::below;
use crate::kernel::time::Span;
use crate::model::flow::Target;
use crate::model::how::{Backoff, Jitter, Late, OnConflict, OnTimeout, Retry};
use crate::model::ids::ServiceId;
use crate::model::record::Kind;
use crate::model::service::Route;
use crate::model::step::ThinkPlan;
use crate::model::value::{NULL, Word};
use crate::model::weather::PointKind;
use crate::store::{Index, Sink};

impl Call {
    /// What a request carries: what was fetched, or else the arguments.
    #[inline]
    fn payload(&self, fetch: bool) -> &[Word] {
        payload(self.args.all(), self.more.as_deref(), fetch)
    }

    /// More about it, made at the first call; the slot keeps it for the next tenant.
    pub(super) fn more(&mut self) -> &mut MoreOfCall {
        self.more.get_or_insert_default()
    }

    /// What its request wants besides.
    #[inline]
    fn asking(&self) -> Asking {
        let refused = self.more.as_ref().and_then(|more| more.refused);
        Asking { insist: self.insist, refused: refused.unwrap_or(NULL) }
    }

    /// Forgets what was fetched: it decides anew.
    fn forget_fetched(&mut self) {
        if let Some(more) = &mut self.more {
            more.frame.clear();
            more.refused = None;
        }
    }

    /// What it asks for: a call under way does.
    #[inline]
    fn target(&self) -> Target {
        self.target.unwrap_or(Target::Op(crate::model::ids::OpId(0)))
    }

    /// Calls its timer off, if there is one, which is then no work left to do.
    #[inline]
    fn wait_no_more(&mut self, work: &mut u32) {
        if std::mem::take(&mut self.timer) != Key::NONE {
            *work -= 1;
        }
    }

    /// Whether an answer to this attempt still counts.
    pub(super) fn accepts(&self, attempt: u32) -> bool {
        attempt >= self.since && attempt <= self.attempt
    }
}

/// What a request carries: what was fetched, or else the arguments.
fn payload<'a>(args: &'a [Word], more: Option<&'a MoreOfCall>, fetch: bool) -> &'a [Word] {
    match more {
        Some(more) if !fetch && !more.frame.is_empty() => &more.frame,
        _ => args,
    }
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    fn retry_of(&self, call: Id) -> &Retry {
        &self.plan.retries[self.world.calls[call].retry as usize]
    }

    fn target_of(&self, call: Id) -> Target {
        self.world.calls[call].target()
    }

    /// Begins a call that has been filled in.
    #[inline(always)]
    pub(super) fn start_call(&mut self, id: Id) {
        let call = &mut self.world.calls[id];
        let way = self.known.way(call.target());
        call.local = way.service.is_none() || way.service == self.plan.nodes.service_at(call.node);
        let (who, node) = (Who::from(&call.brief), call.node);
        self.hold(who);
        self.world.places.calls.join(id.slot, node);
        if way.by_caller {
            self.fetch(id);
        } else {
            self.request(id);
        }
    }

    /// Which of several replicas of a service is asked.
    #[inline(never)]
    fn route(&mut self, service: ServiceId, call: Id, path: Path) -> u32 {
        let of = self.plan.model.service(service);
        let replicas = of.replicas;
        let n = match of.route {
            Route::RoundRobin => {
                let call = &self.world.calls[call];
                let intent = match call.brief.intent {
                    crate::model::record::NONE => 0,
                    slot => self.world.intents[self.world.intents.id(slot)].index,
                };
                (call.brief.client.wrapping_add(intent).wrapping_add(call.requests + call.fetches)) % replicas
            }
            Route::Random => self.chooser.below(path, Ask::Route, u64::from(replicas)) as u32,
            Route::Sticky => {
                let first = self.world.calls[call].args.all().first().copied();
                below(Index::hash(first.unwrap_or(0)), u64::from(replicas)) as u32
            }
        };
        self.plan.nodes.replica(service, n)
    }

    fn fetch(&mut self, id: Id) {
        let call = &mut self.world.calls[id];
        call.phase = Phase::Fetch;
        call.fetches += 1;
        call.insist = false;
        call.forget_fetched();
        let path = call.path.child(Role::Fetch, call.fetches).child(Role::Try, call.fetches);
        let target = call.target();
        let Target::Op(op) = target else { return };
        self.dispatch_call(id, target, path, PointKind::Fetch, Parcel::Fetch(op), true);
    }

    #[inline(always)]
    pub(super) fn request(&mut self, id: Id) {
        let call = &mut self.world.calls[id];
        call.phase = Phase::Request;
        call.requests += 1;
        let role = if matches!(call.owner, Owner::Intent(_)) { Role::Attempt } else { Role::Try };
        let path = call.path.child(role, call.requests);
        let asking = call.asking();
        let target = call.target();
        self.dispatch_call(id, target, path, PointKind::Request, Parcel::Request(target, asking), false);
    }

    #[inline]
    fn dispatch_call(
        &mut self,
        id: Id,
        target: Target,
        path: Path,
        point: PointKind,
        parcel: Parcel,
        fetch: bool,
    ) {
        let now = self.now();
        let call = &mut self.world.calls[id];
        let Retry { late, timeout, .. } = self.plan.retries[call.retry as usize];
        call.attempt += 1;
        call.sent = now;
        if late == Late::Ignore {
            call.since = call.attempt;
        }
        let (attempt, node, local) = (call.attempt, call.node, call.local);
        let retry = call.retry;
        let path = path.child(Role::Request, 0);
        let brief = call.brief;
        let way = self.known.way(target);
        if let Some(service) = way.service.filter(|_| !local) {
            let to = way.alone.unwrap_or_else(|| self.route(service, id, path));
            if !timeout.is_ever() {
                let lane = self.lanes.retries[retry as usize];
                let timer = self.put_timer(Due::Call(id.slot), lane, timeout, path);
                self.world.calls[id].timer = timer;
            }
            let subject = subject(target);
            let answer = From::Remote { node, call: id, attempt, fetch };
            if let Some(after) = self.plainly(point, subject, node, to, path) {
                let message = self.under_way(point, subject, node, to, path, &brief, after);
                let World { messages, calls, .. } = &mut *self.world;
                let (sent, call) = (&mut messages[message], &calls[id]);
                sent.parcel = parcel;
                sent.answer = answer;
                sent.payload.set(call.payload(fetch));
                return;
            }
            // Lent while the message is made: the call may end meanwhile, if sending brings its node down.
            let call = &mut self.world.calls[id];
            let (words, more) = (std::mem::take(&mut call.args), call.more.take());
            let args = words.all();
            let payload = payload(args, more.as_deref(), fetch);
            let ctx = &brief.ctx(path);
            let from = node;
            self.send_in_weather(&Outgoing {
                parcel,
                point,
                subject,
                from,
                to,
                path,
                ctx,
                answer,
                payload,
                args,
            });
            return self.give_back(id, words, more);
        }
        let call = &mut self.world.calls[id];
        let asking = if fetch { Asking::PLAINLY } else { call.asking() };
        let (words, more) = (std::mem::take(&mut call.args), call.more.take());
        let args = words.all();
        let payload = payload(args, more.as_deref(), fetch);
        let from = From::Local { call: id, attempt };
        let ctx = brief.ctx(path);
        match target {
            Target::Op(op) => self.start_task(op, fetch, node, ctx, path, from, payload, asking),
            Target::Flow(flow) => self.start_flow(flow, node, ctx, path, from, payload),
        }
        self.give_back(id, words, more);
    }

    /// What was lent by a call goes back to it, if it is still there.
    fn give_back(&mut self, id: Id, args: Words, more: Option<Box<MoreOfCall>>) {
        if let Some(call) = self.world.calls.get_mut(id) {
            (call.args, call.more) = (args, more);
        }
    }

    /// A call's timer is up: an attempt has waited long enough, a thought is thought, a backoff is over.
    pub(super) fn call_timer(&mut self, id: Id) {
        let call = &mut self.world.calls[id];
        call.timer = Key::NONE;
        match call.phase {
            Phase::Think => self.request(id),
            Phase::Backoff => match call.next {
                Phase::Fetch => self.fetch(id),
                _ => self.request(id),
            },
            Phase::Fetch | Phase::Request => {
                if call.phase == Phase::Request {
                    call.maybe = true;
                }
                let (node, ctx, path, attempt) = (call.node, call.brief, call.path, call.attempt);
                let op = super::target_word(self.target_of(id));
                self.record(Kind::Timeout, path, &ctx, |r| {
                    r.op = op;
                    r.ver = attempt;
                    r.who = node;
                });
                self.attempt_failed(id, Status::Unknown);
            }
        }
    }

    /// A call is answered.
    pub(super) fn answered(&mut self, id: Id, attempt: u32, status: Status) {
        let plan = self.plan;
        let Some(call) = self.world.calls.get_mut(id) else { return };
        if !call.accepts(attempt) {
            return;
        }
        // While it waits to send again, an answer to an attempt given up counts only if late ones do.
        let waits = matches!(call.phase, Phase::Fetch | Phase::Request);
        let late = || plan.retries[usize::from(call.retry)].late;
        if !waits && (call.phase == Phase::Think || call.next == Phase::Fetch || late() == Late::Ignore) {
            return;
        }
        call.wait_no_more(&mut self.world.work);
        call.since = call.attempt + 1;
        let fetching = call.phase == Phase::Fetch;
        match status {
            Status::Ok(_) if fetching => self.think(id),
            Status::Refused(reason) if fetching && self.says_no_at_store(id) => {
                self.world.calls[id].more().refused = Some(reason);
                self.think(id);
            }
            Status::Ok(_) | Status::Skipped(_) => self.call_ends(id, status),
            Status::Refused(_) if self.retry_of(id).give_up_on_refusals => self.call_ends(id, status),
            Status::Conflict => self.conflicted(id),
            Status::Unknown => {
                self.world.calls[id].maybe = true;
                self.attempt_failed(id, status);
            }
            Status::Refused(_) | Status::Error | Status::Busy => self.attempt_failed(id, status),
        }
    }

    /// Whether an operation run by its caller does something when it refuses.
    fn says_no_at_store(&self, id: Id) -> bool {
        match self.target_of(id) {
            Target::Op(op) => {
                let otherwise = &self.plan.model.operation(op).otherwise;
                !otherwise.writes.is_empty() || !otherwise.publish.is_empty()
            }
            Target::Flow(_) => false,
        }
    }

    /// The caller thinks, then sends its request.
    fn think(&mut self, id: Id) {
        let plan = self.plan;
        let Target::Op(op) = self.target_of(id) else { return };
        let Some((fetch, _)) = plan.operations[op.index()].halves else { return };
        let call = &self.world.calls[id];
        let path = call.path.child(Role::Fetch, call.fetches);
        let after = match &plan.programs[fetch as usize].parts[0].think {
            ThinkPlan::None => Span::ZERO,
            ThinkPlan::Time(dist) => self.chooser.span(path, Ask::Think, dist),
            ThinkPlan::Computed(_, slot) => {
                let fetched = call.more.as_ref().and_then(|more| more.frame.get(*slot as usize));
                Span(fetched.map_or(0, |&ns| ns.max(0) as u64))
            }
        };
        if after.is_zero() {
            self.request(id);
            return;
        }
        self.world.calls[id].phase = Phase::Think;
        let timer = self.put(Due::Call(id.slot), after, Class::Timer, path);
        self.world.calls[id].timer = timer;
    }

    /// The version had changed under an operation run by its caller.
    fn conflicted(&mut self, id: Id) {
        let Target::Op(op) = self.target_of(id) else { return self.call_ends(id, Status::Conflict) };
        let Some((_, apply)) = self.plan.operations[op.index()].halves else {
            return self.call_ends(id, Status::Conflict);
        };
        let (on_conflict, tries) = self.plan.programs[apply as usize].conflict;
        let call = &mut self.world.calls[id];
        let more = call.more();
        more.redone += 1;
        match on_conflict {
            OnConflict::Redo if tries.is_none_or(|tries| more.redone <= tries) => self.fetch(id),
            // The refusal names the version there is now; the old values go out again under it.
            OnConflict::Force | OnConflict::Merge | OnConflict::Already if !call.insist => {
                call.insist = true;
                self.request(id);
            }
            _ => self.call_ends(id, Status::Conflict),
        }
    }

    /// An attempt has failed: another one, or the end.
    fn attempt_failed(&mut self, id: Id, status: Status) {
        let retry = self.retry_of(id).clone();
        let now = self.now();
        let by_caller = self.known.way(self.target_of(id)).by_caller;
        let call = &mut self.world.calls[id];
        call.failures += 1;
        if retry.attempts.is_some_and(|attempts| call.failures >= attempts) {
            return self.call_ends(id, status);
        }
        call.next = match call.phase {
            Phase::Fetch => Phase::Fetch,
            _ if by_caller && retry.on_timeout == OnTimeout::Redo => Phase::Fetch,
            _ => Phase::Request,
        };
        call.phase = Phase::Backoff;
        let (failures, sent, path) = (call.failures, call.sent, call.path);
        let waited = call.more.as_ref().map_or(Span::ZERO, |more| more.waited);
        let name = path.child(Role::Occurrence, failures);
        let mut after = self.backoff(&retry, failures, waited, name);
        if retry.jitter == Jitter::Decorrelated {
            self.world.calls[id].more().waited = after;
        }
        if retry.backoff == Backoff::Period {
            after = sent.saturating_add(retry.first).since(now);
        }
        if self.world.calls[id].local && after.is_zero() {
            // Nothing local takes time by itself; a repetition must, or it could repeat without end at one instant.
            after =
                if retry.timeout.is_ever() || retry.timeout.is_zero() { Span::SECOND } else { retry.timeout };
        }
        let timer = self.put(Due::Call(id.slot), after, Class::Timer, name);
        self.world.calls[id].timer = timer;
    }

    /// How long to wait after so many failures.
    pub(super) fn backoff(&mut self, retry: &Retry, failures: u32, waited: Span, name: Path) -> Span {
        let grown = match retry.backoff {
            Backoff::None => return Span::ZERO,
            Backoff::Fixed | Backoff::Period => retry.first,
            Backoff::Exponential => {
                let factor = u64::from(retry.factor).saturating_pow(failures.saturating_sub(1));
                retry.first.saturating_mul(factor).min(retry.cap)
            }
        };
        let word = if retry.jitter == Jitter::None { 0 } else { self.chooser.word(name, Ask::Jitter) };
        let up_to = |span: Span| Span(below(word, span.0.saturating_add(1)));
        match retry.jitter {
            Jitter::None => grown,
            Jitter::Full => up_to(grown),
            Jitter::Equal => Span(grown.0 / 2).saturating_add(up_to(Span(grown.0 / 2))),
            Jitter::Decorrelated => {
                let most = waited.max(retry.first).saturating_mul(3);
                retry.first.saturating_add(up_to(most.saturating_sub(retry.first))).min(retry.cap)
            }
        }
    }

    /// A call is over.
    fn call_ends(&mut self, id: Id, status: Status) {
        let call = &self.world.calls[id];
        let (owner, maybe) = (call.owner, call.maybe);
        match owner {
            Owner::Intent(intent) => {
                self.intent_ends(intent, status, maybe);
                self.end_call(id);
            }
            Owner::Step(run, step, undo) => {
                self.end_call(id);
                self.step_ends(run, step, undo, status, maybe);
                self.world.ready.push_back(Ready::Run(run));
            }
            Owner::Nobody => self.end_call(id),
        }
    }

    /// A call is no more.
    #[inline(always)]
    pub(super) fn end_call(&mut self, id: Id) {
        let World { calls, work, .. } = &mut *self.world;
        let call = &mut calls[id];
        let (who, node) = (Who::from(&call.brief), call.node);
        call.wait_no_more(work);
        self.world.places.calls.quit(id.slot, node);
        self.world.calls.leave(id);
        self.let_go(who);
    }

    /// A request without anybody who waits for the answer.
    pub(super) fn send_and_forget(&mut self, call: Id) {
        let brief = self.world.calls[call].brief;
        self.hold(&brief);
        let target = self.target_of(call);
        let way = self.known.way(target);
        let made = &mut self.world.calls[call];
        made.requests += 1;
        let path = made.path.child(Role::Try, 1).child(Role::Request, 0);
        let ctx = brief.ctx(path);
        let (node, words) = (made.node, made.args.clone());
        let payload = words.all();
        self.world.places.calls.join(call.slot, node);
        if let Some(service) = way.service {
            let to = way.alone.unwrap_or_else(|| self.route(service, call, path));
            self.send(&Outgoing {
                parcel: Parcel::Request(target, Asking::PLAINLY),
                point: PointKind::Request,
                subject: subject(target),
                from: node,
                to,
                path,
                ctx: &ctx,
                answer: From::Nobody,
                payload,
                args: payload,
            });
        }
        if self.world.calls.has(call) {
            self.end_call(call);
        }
    }
}

/// The arguments of an operation among the words of a frame.
pub(super) fn arguments(frame: &[Word], count: u16) -> &[Word] {
    &frame[..frame.len().min(count as usize)]
}

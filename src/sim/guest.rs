//! Services in Rust: requests, replies and timers go to a process, and what it wants done is carried out here.
//!
//! A process has no draws of its own. The names of its messages, timers and commits are children of the name of what it
//! was told: its tag, then how many with that tag came before in the same activation. Commits are in `guest_commit`.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Engine;
use super::fault::Weathered;
use super::network::{Answered, Outgoing, subject};
use super::slab::Id;
use super::view::TaskView;
use super::world::{Asked, Asker, Asking, Chore, ChoreKind, Ctx, From, Origin, Parcel, Status, What};
use crate::kernel::agenda::Class;
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role, mix};
use crate::kernel::sample::below;
use crate::kernel::time::Span;
use crate::model::flow::Target;
use crate::model::ids::{OpId, ServiceId, TableId};
use crate::model::own::{AnyProcess, Db, Effect, Input, Out, Said, Ticket};
use crate::model::plan::NodeKind;
use crate::model::record::{Kind, NONE, commit};
use crate::model::service::Route;
use crate::model::value::{NULL, Word};
use crate::model::weather::PointKind;
use crate::store::{Index, Sink};

/// What a process looked at by key in one activation: table, slot, version.
pub(super) type Looked = Vec<(TableId, u32, u32)>;

/// Where a timer of a process is filed.
fn timer_hash(node: u32, tag: u32, note: Word) -> u64 {
    mix(u64::from(node) << 32 | u64::from(tag), note as u64)
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Starts the processes of all services in Rust.
    pub(super) fn start_guests(&mut self) {
        let plan = self.plan;
        for (at, service) in plan.model.services.iter().enumerate() {
            if service.host.is_none() {
                continue;
            }
            self.world.guests.resize_with(plan.nodes.databases as usize, Default::default);
            for n in 0..service.replicas {
                self.start_guest(plan.nodes.replica(ServiceId(at as u16), n));
            }
        }
        self.drain();
    }

    /// Makes the process of a replica anew, from what is durable.
    pub(super) fn start_guest(&mut self, node: u32) {
        let NodeKind::Replica(service, n) = self.plan.nodes.kind(node) else { return };
        let of = self.plan.model.service(service);
        let Some(process) = of.host.as_ref().and_then(|host| host.process.as_ref()) else { return };
        self.world.guests[node as usize].0 = Some(process.prototype().boxed());
        let life = self.world.nodes[node as usize].life;
        let path = Path::ROOT.child(Role::Local, u32::from(service.0)).child(Role::Replica, n);
        let op = of.operations.first().copied().unwrap_or_default();
        let origin = Origin { ctx: Ctx::default(), op, path: path.child(Role::Recovery, life) };
        self.begin_activation(node, origin);
        self.activate(node, origin, |process, db, out| process.start(db, out));
    }

    /// Whether a process answers an operation.
    pub(super) fn is_hosted(&self, op: OpId) -> bool {
        self.plan.model.operation(op).hosted
    }

    /// Somebody asks a process for an operation.
    pub(super) fn ask_guest(&mut self, op: OpId, node: u32, ctx: Ctx, path: Path, from: From, args: &[Word]) {
        let plan = self.plan;
        self.hold(&ctx);
        let (id, asked) = self.world.asked.take();
        let origin = Origin { ctx, op, path };
        *asked = Asked { node, origin, from, args: args.to_vec() };
        self.world.places.asked.join(id.slot, node);
        self.begin_activation(node, origin);
        if !self.rules.operations.is_empty() {
            match self.weather_on(op, ctx, path, args) {
                None => {}
                Some(Weathered::Refused(reason)) => {
                    return self.answer_asked(id, Said::Refused(reason), (false, false, true));
                }
                Some(Weathered::Failed) => {
                    return self.answer_asked(id, Said::Failed, (false, false, true));
                }
            }
        }
        let name = &plan.model.operation(op).name;
        let ticket = Ticket(id.word());
        self.activate(node, origin, |process, db, out| {
            process.on(Input::Request { ticket, op: name, args }, db, out);
        });
    }

    /// Answers what a process sent: by a message, or, at the same replica, at once.
    pub(super) fn answer_guest(&mut self, asker: Id, status: Status, what: Answered<'_>) {
        let Some(&Asker { node, origin, local, .. }) = self.world.askers.get(asker) else { return };
        if !local {
            return self.reply_to_guest(node, asker, status, what);
        }
        let origin = Origin { ctx: *what.ctx, path: what.path.child(Role::Reply, 0), ..origin };
        self.add_chore(node, origin, ChoreKind::Told { asker, status }, Span::ZERO, false);
    }

    /// An answer to something that a process sent.
    pub(super) fn guest_replied(&mut self, asker: Id, path: Path, status: Status) {
        let Some(&Asker { node, life, origin, tag, note, .. }) = self.world.askers.get(asker) else { return };
        let state = &self.world.nodes[node as usize];
        if state.down || state.life != life {
            return;
        }
        let said = match status {
            Status::Ok(word) | Status::Skipped(word) => Said::Ok(word),
            Status::Refused(reason) => Said::Refused(reason),
            Status::Conflict | Status::Error | Status::Busy | Status::Unknown => Said::Failed,
        };
        let origin = Origin { path, ..origin };
        self.begin_activation(node, origin);
        self.activate(node, origin, |process, db, out| {
            process.on(Input::Reply { tag, note, said }, db, out);
        });
    }

    /// A timer is up, or the time that a commit takes has passed.
    pub(super) fn chore_due(&mut self, id: Id) {
        let Chore { node, origin, kind, .. } = self.take_chore(id);
        match kind {
            ChoreKind::Timer { tag, note } => {
                self.begin_activation(node, origin);
                self.activate(node, origin, |process, db, out| {
                    process.on(Input::Timer { tag, note }, db, out);
                });
            }
            ChoreKind::Commit { commit, tag, note, looked } => {
                if let Some(took_place) = self.guest_commit(node, origin, &commit, &looked) {
                    self.activate(node, origin, |process, db, out| {
                        let input = match took_place {
                            true => Input::Committed { tag, note },
                            false => Input::Dropped { tag, note },
                        };
                        process.on(input, db, out);
                    });
                }
            }
            ChoreKind::Ask { target, args, asker } => {
                let Origin { ctx, path, .. } = origin;
                let from = From::Guest { asker };
                match target {
                    Target::Op(op) => self.ask_guest(op, node, ctx, path, from, &args),
                    Target::Flow(flow) => self.start_flow(flow, node, ctx, path, from, &args),
                }
            }
            ChoreKind::Told { asker, status } => self.guest_replied(asker, origin.path, status),
            ChoreKind::Nothing => {}
        }
        self.let_go(&origin.ctx);
    }

    /// A replica crashes: its process forgets everything, and nobody is answered.
    pub(super) fn drop_guest(&mut self, node: u32) {
        let Some(guest) = self.world.guests.get_mut(node as usize) else { return };
        guest.0 = None;
        for id in self.world.places.asked.at(node, &self.world.asked) {
            self.world.places.asked.quit(id.slot, node);
            let ctx = self.world.asked[id].origin.ctx;
            self.world.asked.leave(id);
            self.let_go(&ctx);
        }
        for id in self.world.places.chores.at(node, &self.world.chores) {
            let Chore { origin, ref kind, .. } = self.world.chores[id];
            if matches!(kind, ChoreKind::Commit { .. }) {
                self.record(Kind::Rollback, origin.path, &origin.ctx, |r| {
                    r.op = origin.op.0;
                    r.who = node;
                });
            }
            self.drop_chore(id);
        }
    }

    fn drop_chore(&mut self, id: Id) {
        let Chore { origin, timer, .. } = self.take_chore(id);
        self.call_off(timer);
        self.let_go(&origin.ctx);
    }

    /// The first timer of a process with this tag and note, by slot.
    fn timer_of(&self, node: u32, tag: u32, note: Word) -> Option<Id> {
        let chores = &self.world.chores;
        let is = |slot: u32| {
            let Chore { node: at, ref kind, .. } = chores[chores.id(slot)];
            at == node && *kind == ChoreKind::Timer { tag, note }
        };
        self.world.timers.least(timer_hash(node, tag, note), is).map(|slot| chores.id(slot))
    }

    fn take_chore(&mut self, id: Id) -> Chore {
        let chore = std::mem::take(&mut self.world.chores[id]);
        if let ChoreKind::Timer { tag, note } = chore.kind {
            self.world.timers.remove(timer_hash(chore.node, tag, note), id.slot);
        }
        self.world.places.chores.quit(id.slot, chore.node);
        self.world.chores.leave(id);
        chore
    }

    pub(super) fn begin_activation(&mut self, node: u32, origin: Origin) {
        self.record(Kind::Begin, origin.path, &origin.ctx, |r| {
            r.op = origin.op.0;
            r.who = node;
            r.data = origin.ctx.effect;
            r.row = origin.ctx.step;
        });
    }

    /// The process of a replica, for what it did wrong.
    pub(super) fn guest_name(&self, node: u32) -> String {
        let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return "a process".into() };
        let host = self.plan.model.service(service).host.as_ref();
        host.map_or_else(|| "a process".into(), |host| format!("process `{}`", host.name))
    }

    /// Lets a process act, and carries out what it wants. A panic in it ends the run.
    fn activate(
        &mut self,
        node: u32,
        origin: Origin,
        act: impl FnOnce(&mut dyn AnyProcess, &mut Db<'_>, &mut Out),
    ) {
        let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return };
        let Some(mut process) = self.world.guests[node as usize].0.take() else { return };
        let (mut looked, mut out, now) = (Looked::new(), Out::new(), self.now());
        let mut view = TaskView {
            tables: &mut self.world.tables,
            staged: &[],
            cells: &[],
            reads: Some(&mut looked),
            now,
            event: &[NULL; 4],
        };
        let mut db = Db::new(&self.plan.model, &mut view, Some(service), now);
        let acted = catch_unwind(AssertUnwindSafe(|| act(&mut *process, &mut db, &mut out)));
        if let Err(panic) = acted {
            let who = self.guest_name(node);
            return self.breaks(who, &*panic);
        }
        self.world.guests[node as usize].0 = Some(process);
        for &(table, slot, version) in &looked {
            self.record(Kind::Read, origin.path, &origin.ctx, |r| {
                r.op = table.0;
                r.row = slot;
                r.ver = version;
            });
        }
        self.carry_out(node, origin, out.take(), &looked);
    }

    /// Carries out what a process wants, as long as its replica is up.
    fn carry_out(&mut self, node: u32, mut origin: Origin, effects: Vec<Effect>, looked: &Looked) {
        let life = self.world.nodes[node as usize].life;
        let path = origin.path;
        let mut tags: BTreeMap<u32, u32> = BTreeMap::new();
        let mut name = |tag: u32, role: Role| {
            let count = tags.entry(tag).or_default();
            *count += 1;
            path.child(Role::Emission, tag).child(role, *count)
        };
        for effect in effects {
            if self.world.nodes[node as usize].life != life || self.world.broken.is_some() {
                return;
            }
            match effect {
                Effect::Answer { ticket, said, again, unchanged } => {
                    let id = Id::of_word(ticket.0);
                    if self.world.asked.has(id) {
                        self.answer_asked(id, said, (again, unchanged, false));
                    }
                }
                Effect::Send { op, args, tag, note } => {
                    let path = name(tag, Role::Try);
                    self.send_for_guest(node, origin, path, &op, &args, tag, note);
                }
                Effect::Commit { commit, tag, note } => {
                    let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return };
                    let statement = self.plan.model.service(service).statement;
                    let after = statement.saturating_mul(commit.writes.len() as u64 + 1);
                    let origin = Origin { path: name(tag, Role::Occurrence), ..origin };
                    let kind = ChoreKind::Commit { commit, tag, note, looked: looked.clone() };
                    self.add_chore(node, origin, kind, after, false);
                }
                Effect::Arm { tag, note, after, idle } => {
                    let ctx = if idle { Ctx::default() } else { origin.ctx };
                    let origin = Origin { path: name(tag, Role::Occurrence), ctx, ..origin };
                    self.add_chore(node, origin, ChoreKind::Timer { tag, note }, after, idle);
                }
                Effect::Disarm { tag, note } => {
                    while let Some(timer) = self.timer_of(node, tag, note) {
                        self.drop_chore(timer);
                    }
                }
                Effect::Resume { key } => {
                    let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) else { return };
                    if let Some(at) = self.kept(service, key) {
                        origin = Origin { path: origin.path, ..self.world.kept[at as usize].origin };
                    }
                }
            }
        }
    }

    fn add_chore(&mut self, node: u32, origin: Origin, kind: ChoreKind, after: Span, idle: bool) {
        self.hold(&origin.ctx);
        let (id, _) = self.world.chores.take();
        let timer = self.schedule(What::Chore(id), after, Class::Timer, origin.path, idle);
        if let ChoreKind::Timer { tag, note } = kind {
            self.world.timers.insert(timer_hash(node, tag, note), id.slot);
        }
        self.world.places.chores.join(id.slot, node);
        self.world.chores[id] = Chore { node, origin, kind, timer };
    }

    /// Answers a request, with the records that a modelled service would leave. `how`: as before; without a change; by
    /// weather.
    fn answer_asked(&mut self, id: Id, said: Said, (again, unchanged, weather): (bool, bool, bool)) {
        let Asked { node, origin, from, args } = std::mem::take(&mut self.world.asked[id]);
        self.world.places.asked.quit(id.slot, node);
        self.world.asked.leave(id);
        let Origin { ctx, op, path } = origin;
        let status = match said {
            Said::Ok(word) => Status::Ok(word),
            Said::Refused(reason) => Status::Refused(reason),
            Said::Failed => Status::Error,
        };
        match said {
            // At a stop of a choreography nothing of it is in the outbox yet: a process does not write there.
            _ if again => self.record(Kind::Replay, path, &ctx, |r| {
                r.op = op.0;
                r.data = ctx.effect;
                r.who = node;
            }),
            Said::Ok(_) if unchanged => self.record(Kind::Commit, path, &ctx, |r| {
                r.op = op.0;
                r.flag = commit::SKIPPED;
                r.data = ctx.effect;
                r.who = ctx.instance;
                r.row = ctx.step;
            }),
            Said::Ok(_) => {}
            Said::Refused(reason) => self.record(Kind::Refused, path, &ctx, |r| {
                r.op = op.0;
                r.data = reason as u64;
                r.who = node;
                r.row = ctx.step;
                r.flag = u8::from(weather);
            }),
            Said::Failed => self.record(Kind::Failed, path, &ctx, |r| {
                r.op = op.0;
                r.who = node;
                r.row = ctx.step;
            }),
        }
        let target = Target::Op(op);
        self.answer(from, status, Answered { node, target, path, ctx: &ctx, args: &args, payload: &[] });
        self.let_go(&ctx);
    }

    #[expect(clippy::too_many_arguments, reason = "a message is all of this")]
    fn send_for_guest(
        &mut self,
        node: u32,
        origin: Origin,
        path: Path,
        name: &str,
        args: &[Word],
        tag: u32,
        note: Word,
    ) {
        let Some(&(target, service)) = self.known.targets.get(name) else {
            let text = format!("sends to `{name}`, which is no operation and no flow that a service runs");
            let who = self.guest_name(node);
            return self.breaks_with(who, &text);
        };
        let path = path.child(Role::Request, 0);
        let life = self.world.nodes[node as usize].life;
        let local = matches!(self.plan.nodes.kind(node), NodeKind::Replica(own, _) if own == service);
        let (asker, made) = self.world.askers.take();
        *made = Asker { node, life, origin, tag, note, local, waits: false };
        if origin.ctx.intent != NONE {
            self.world.intents.at(origin.ctx.intent).more().askers.push(asker);
        }
        // What is asked for under one tag of one operation is one effect, however often it is sent.
        let word = u64::from(super::target_word(target));
        let effect = mix(mix(origin.ctx.effect, u64::from(tag) + 1), word + 1);
        let ctx = Ctx { effect, instance: NONE, step: NONE, call: path.0, sent: path.0, ..origin.ctx };
        if local {
            // A service that calls itself crosses no network: it is at this replica, and whatever becomes of the process becomes
            // of what it asked for.
            let origin = Origin { ctx, path, ..origin };
            let kind = ChoreKind::Ask { target, args: args.to_vec(), asker };
            return self.add_chore(node, origin, kind, Span::ZERO, false);
        }
        let to = self.route_for_guest(service, path, args);
        self.send(&Outgoing {
            parcel: Parcel::Request(target, Asking::PLAINLY),
            point: PointKind::Request,
            subject: subject(target),
            from: node,
            to,
            path,
            ctx: &ctx,
            answer: From::Guest { asker },
            payload: args,
            args,
        });
    }

    fn route_for_guest(&mut self, service: ServiceId, path: Path, args: &[Word]) -> u32 {
        let of = self.plan.model.service(service);
        let replicas = u64::from(of.replicas);
        let n = match of.route {
            _ if replicas == 1 => 0,
            Route::Sticky => below(Index::hash(args.first().copied().unwrap_or(0)), replicas),
            Route::RoundRobin | Route::Random => self.chooser.below(path, Ask::Route, replicas),
        };
        self.plan.nodes.replica(service, n as u32)
    }

    /// Code of the user's own panicked: the run is over.
    pub(super) fn breaks(&mut self, who: String, panic: &(dyn std::any::Any + Send)) {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        self.breaks_with(who, &format!("panicked: {said}"));
    }

    /// The same for a mistake that is found here.
    pub(super) fn breaks_with(&mut self, who: String, text: &str) {
        self.world.broken.get_or_insert_with(|| format!("{who} {text}"));
        // The loop looks at its budget before each event: no look of its own is needed.
        self.budget = 0;
    }
}

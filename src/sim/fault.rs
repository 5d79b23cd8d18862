//! Faults other than those of messages: refusals, crashes, pauses, cuts; and the end of all of them at heal.
//!
//! Two families of crashes: those by the clock have absolute times, the same for every strategy; those at points are
//! decided at each passing of the point, by the name of what passes.

use std::ops::Range;

use super::Engine;
use super::links::nodes_of;
use super::rules::{covers, covers_point};
use super::slab::Id;
use super::world::{Ctx, Owner, Status, What};
use crate::kernel::agenda::Class;
use crate::kernel::choose::{Ask, Chooser};
use crate::kernel::path::{Path, Role};
use crate::kernel::script::Matter;
use crate::kernel::time::{Span, Time};
use crate::model::expr::eval;
use crate::model::ids::{OpId, ServiceId};
use crate::model::own::Hazard;
use crate::model::plan::NodeKind;
use crate::model::record::{Kind, NONE};
use crate::model::value::Word;
use crate::model::weather::{Downtime, FaultVerb, Moment, Place, PointKind, Subject};
use crate::store::Sink;

/// What the weather does to an operation about to execute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Weathered {
    Refused(Word),
    Failed,
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Puts heal and the faults by the clock on the agenda.
    pub(super) fn start_weather(&mut self) {
        let plan = self.plan;
        let weather = &plan.model.weather;
        if weather.faults.is_empty() {
            return;
        }
        let heal = weather.heal.since(Time::ZERO);
        self.schedule(What::Heal, heal, Class::Crash, Path::ROOT.child(Role::Fault, 0), true);
        let rules = self.rules;
        for &rule in &rules.clock {
            match &weather.faults[rule as usize].verb {
                FaultVerb::Cut(_, moment, _) => self.strikes_next(rule, NONE, 0, moment),
                FaultVerb::Crash(place, moment, _) | FaultVerb::Pause(place, moment, _) => {
                    for node in self.struck(*place) {
                        self.strikes_next(rule, node, 0, moment);
                    }
                }
                _ => {}
            }
        }
    }

    /// A service means its replicas, not its database; "any" means all replicas.
    fn struck(&self, place: Place) -> Range<u32> {
        match place {
            Place::Any => 0..self.plan.nodes.databases,
            place => nodes_of(self.plan, place),
        }
    }

    fn strike_name(&self, rule: u16, node: u32, n: u32) -> Path {
        let identity = self.plan.model.weather.faults[rule as usize].identity;
        let nth = match self.plan.nodes.kind(node.min(self.plan.nodes.count - 1)) {
            NodeKind::Replica(_, n) | NodeKind::Client(_, n) => n,
            NodeKind::Database(_) => 0,
        };
        Path(identity).child(Role::Replica, nth).child(Role::Occurrence, n)
    }

    fn strikes_next(&mut self, rule: u16, node: u32, n: u32, moment: &Moment) {
        let name = self.strike_name(rule, node, n);
        let after = match moment {
            Moment::At(at) if n == 0 => at.since(Time::ZERO),
            Moment::Every(every) => self.chooser.span(name, Ask::Strike, every).max(Span::NANOSECOND),
            _ => return,
        };
        let heal = self.plan.model.weather.heal;
        if self.now().saturating_add(after) < heal {
            self.schedule(What::Strike(rule, node, n), after, Class::Crash, name, true);
        }
    }

    /// A fault strikes by the clock.
    pub(super) fn strike(&mut self, rule: u16, node: u32, n: u32) {
        if self.world.calm {
            return;
        }
        let plan = self.plan;
        let fault = &plan.model.weather.faults[rule as usize];
        let name = self.strike_name(rule, node, n);
        let idle = match &fault.verb {
            FaultVerb::Cut(..) => self.world.cuts.has(rule),
            _ => !self.can_fall(node),
        };
        let hits = self.in_season(rule) && self.chance_lets_if(!idle, name, rule);
        match &fault.verb {
            FaultVerb::Crash(_, moment, _) | FaultVerb::Pause(_, moment, _) => {
                if hits {
                    self.note_strike(name, rule, node);
                    self.strike_node(rule, node, name, 0);
                }
                self.strikes_next(rule, node, n + 1, moment);
            }
            FaultVerb::Cut(_, moment, downtime) => {
                if hits && !self.world.cuts.has(rule) {
                    self.world.cuts.cut(rule);
                    self.world.struck[usize::from(rule)] = true;
                    self.record(Kind::Cut, name, &Ctx::default(), |r| {
                        r.flag = 1;
                        r.data = u64::from(rule);
                    });
                    self.note_strike(name, rule, NONE);
                    let lasts = self.lasts(downtime, name);
                    self.chooser.note(name, Matter::LASTS, lasts.map_or(u64::MAX, |span| span.0));
                    if let Some(after) = lasts {
                        self.schedule(What::Mend(rule), after, Class::Crash, name, true);
                    }
                }
                self.strikes_next(rule, node, n + 1, moment);
            }
            _ => {}
        }
    }

    fn note_strike(&mut self, name: Path, rule: u16, node: u32) {
        let now = self.now();
        // Nobody looks a line by the clock up, but it has been kept.
        let identity = self.plan.model.weather.faults[rule as usize].identity;
        let _ = self.chooser.decided(Path(identity), Matter::CLOCK);
        self.chooser.note(name, Matter::CLOCK, u64::from(rule) << 32 | u64::from(node));
        self.chooser.note(name, Matter::AT, now.0);
    }

    /// How long a fault lasts: to heal at the most, an instant at the least; `None`: for ever.
    fn lasts(&mut self, downtime: &Downtime, name: Path) -> Option<Span> {
        let left = self.plan.model.weather.heal.since(self.now());
        match downtime {
            Downtime::For(dist) => {
                Some(self.chooser.span(name, Ask::Last, dist).min(left).max(Span::NANOSECOND))
            }
            Downtime::Ever => None,
        }
    }

    /// Whether its chance lets a rule strike that otherwise would. If not, that is noted: a rule that never strikes by bad
    /// luck only is no mistake.
    #[inline]
    pub(super) fn chance_lets(&mut self, name: Path, rule: u16, identity: u64, ppm: u32) -> bool {
        let lets = self.chooser.hits(name, identity, ppm);
        self.world.unlucky[usize::from(rule)] |= !lets;
        lets
    }

    /// The same of a rule that would strike if `able`, and else comes to nothing in any case.
    fn chance_lets_if(&mut self, able: bool, name: Path, rule: u16) -> bool {
        let identity = self.plan.model.weather.faults[usize::from(rule)].identity;
        let lets = self.chooser.hits(name, identity, self.rules.ppm[usize::from(rule)]);
        self.world.unlucky[usize::from(rule)] |= able && !lets;
        lets
    }

    /// Whether a node can crash or be paused now.
    fn can_fall(&self, node: u32) -> bool {
        let state = &self.world.nodes[node as usize];
        !state.down && !state.paused
    }

    fn in_season(&self, rule: u16) -> bool {
        let during = self.plan.model.weather.faults[rule as usize].during;
        during.is_none_or(|(from, to)| from <= self.now() && self.now() < to)
    }

    /// Whether a rule's selectors other than its chance all match; counts the occurrence.
    pub(super) fn applies(&mut self, rule: u16, ctx: Ctx, args: &[Word]) -> bool {
        let plan = self.plan;
        let fault = &plan.model.weather.faults[rule as usize];
        if !self.in_season(rule) {
            return false;
        }
        if let Some(when) = &plan.fault_when[rule as usize] {
            let (client, intent) = self.who_is(ctx);
            let mut slots = std::mem::take(&mut self.world.slots);
            slots.clear();
            slots.extend_from_slice(args);
            // `client` and `intent` come after the arguments that the rule's condition knows of.
            slots.resize(fault.when_args as usize, crate::model::value::NULL);
            slots.extend([client, intent]);
            let mut view = super::view::plain(&mut self.world.tables, self.agenda.now());
            let holds = eval(when, &slots, &mut view, self.scratch) == Ok(1);
            self.world.slots = slots;
            if !holds {
                return false;
            }
        }
        match self.rules.counter[rule as usize] {
            None => true,
            Some(_) if ctx.intent == NONE => false,
            Some(counter) => {
                let intent = self.world.intents.id(ctx.intent);
                let met = &mut self.world.intents[intent].more().met[counter as usize];
                *met = met.saturating_add(1);
                fault.nth.contains(&u32::from(*met))
            }
        }
    }

    /// The client and the intent as numbers for conditions, counted from 1.
    fn who_is(&self, ctx: Ctx) -> (Word, Word) {
        if ctx.intent == NONE {
            return (0, 0);
        }
        let intent = &self.world.intents[self.world.intents.id(ctx.intent)];
        let client = self.world.clients[intent.client as usize];
        (Word::from(client.number) + 1, Word::from(intent.index) + 1)
    }

    /// Lets the weather refuse or fail an operation.
    pub(super) fn weather_on(&mut self, op: OpId, ctx: Ctx, path: Path, args: &[Word]) -> Option<Weathered> {
        if self.world.calm {
            return None;
        }
        let plan = self.plan;
        let rules = self.rules;
        if rules.scripted {
            if let Some(number) = self.chooser.decided(path, Matter::REFUSED)
                && let FaultVerb::Refuse(_, reason) = plan.model.weather.faults[number as u16 as usize].verb
            {
                self.chooser.note(path, Matter::REFUSED, reason as u64);
                return Some(Weathered::Refused(reason));
            }
            if self.chooser.decided(path, Matter::FAILED).is_some() {
                self.chooser.note(path, Matter::FAILED, 0);
                return Some(Weathered::Failed);
            }
        }
        for &number in rules.operations.of(Subject::Op(op)) {
            let fault = &plan.model.weather.faults[number as usize];
            let (FaultVerb::Refuse(of, _) | FaultVerb::Fail(of)) = fault.verb else { continue };
            if !covers(of, Subject::Op(op))
                || !self.applies(number, ctx, args)
                || !self.chance_lets(path, number, fault.identity, rules.ppm[number as usize])
            {
                continue;
            }
            self.world.struck[usize::from(number)] = true;
            return Some(match fault.verb {
                FaultVerb::Refuse(_, reason) => {
                    self.chooser.note(path, Matter::REFUSED, reason as u64);
                    Weathered::Refused(reason)
                }
                _ => {
                    self.chooser.note(path, Matter::FAILED, 0);
                    Weathered::Failed
                }
            });
        }
        None
    }

    /// Something passes a point: crashes and pauses that are due strike. Returns whether the node that passes it, in its
    /// present life, is no more.
    #[expect(clippy::too_many_arguments, reason = "a point is all of this")]
    #[inline]
    pub(super) fn passes(
        &mut self,
        after: usize,
        kind: PointKind,
        subject: Subject,
        node: u32,
        ctx: Ctx,
        path: Path,
        args: &[Word],
    ) -> bool {
        !self.rules.quiet(after, kind) && self.passes_rules(after, kind, subject, node, ctx, path, args)
    }

    #[expect(clippy::too_many_arguments, reason = "a point is all of this")]
    fn passes_rules(
        &mut self,
        after: usize,
        kind: PointKind,
        subject: Subject,
        node: u32,
        ctx: Ctx,
        path: Path,
        args: &[Word],
    ) -> bool {
        let rules = self.rules;
        if self.world.calm {
            return false;
        }
        let here = rules.points[after][kind as usize].of(subject);
        let life = self.world.nodes[node as usize].life;
        let plan = self.plan;
        let here_now = Matter::point(after, kind as u8);
        for &number in here {
            let fault = &plan.model.weather.faults[number as usize];
            let (FaultVerb::Crash(place, moment, _) | FaultVerb::Pause(place, moment, _)) = &fault.verb
            else {
                continue;
            };
            let (Moment::Before(point) | Moment::After(point)) = moment else { continue };
            if !covers_point(*point, kind, subject) || !self.applies(number, ctx, args) {
                continue;
            }
            let some = self.struck(*place).any(|node| self.can_fall(node));
            if !self.chance_lets_if(some, path, number) {
                continue;
            }
            if let Some(victim) = self.victim(*place, node, path) {
                self.chooser.note(path, here_now, u64::from(number) << 32 | u64::from(victim));
                self.strike_node(number, victim, path.child(Role::Fault, 0), kind as u8 + 1);
            }
        }
        if rules.scripted
            && let Some(number) = self.chooser.decided(path, here_now)
            && let FaultVerb::Crash(place, ..) | FaultVerb::Pause(place, ..) =
                plan.model.weather.faults[number as u16 as usize].verb
            && let Some(victim) = self.victim(place, node, path)
        {
            self.chooser.note(path, here_now, number << 32 | u64::from(victim));
            self.strike_node(number as u16, victim, path.child(Role::Fault, 0), kind as u8 + 1);
        }
        self.world.nodes[node as usize].life != life
    }

    /// Which node of a place a rule at a point means: the one that passes the point if it is one of them, else one drawn.
    fn victim(&mut self, place: Place, node: u32, path: Path) -> Option<u32> {
        if self.struck(place).contains(&node) {
            return Some(node);
        }
        let all = self.struck(place);
        let n = all.len() as u64;
        (n > 0).then(|| all.start + self.chooser.below(path, Ask::Strike, n) as u32)
    }

    /// A node crashes or is paused.
    fn strike_node(&mut self, rule: u16, node: u32, name: Path, point: u8) {
        let plan = self.plan;
        if !self.can_fall(node) {
            return;
        }
        self.world.struck[usize::from(rule)] = true;
        match &plan.model.weather.faults[rule as usize].verb {
            FaultVerb::Crash(_, _, downtime) => {
                let lasts = self.lasts(downtime, name);
                self.chooser.note(name, Matter::LASTS, lasts.map_or(u64::MAX, |span| span.0));
                self.crash(node, rule, name, point, lasts.is_none());
                if let Some(after) = lasts {
                    let life = self.world.nodes[node as usize].life;
                    self.schedule(What::Restart(node, life), after, Class::Crash, name, false);
                }
            }
            FaultVerb::Pause(_, _, downtime) => {
                let lasts = self.lasts(downtime, name);
                self.chooser.note(name, Matter::LASTS, lasts.map_or(u64::MAX, |span| span.0));
                let state = &mut self.world.nodes[node as usize];
                state.paused = true;
                self.world.paused += 1;
                let state = &self.world.nodes[node as usize];
                let life = state.life;
                self.record(Kind::Pause, name, &Ctx::default(), |r| {
                    r.who = node;
                    r.data = u64::from(rule);
                });
                let heal = plan.model.weather.heal.since(self.now());
                let after = lasts.unwrap_or(heal);
                self.world.nodes[node as usize].resumes = self.now().saturating_add(after);
                self.schedule(What::Resume(node, life), after, Class::Crash, name, false);
            }
            _ => {}
        }
    }

    /// A node crashes: everything volatile is gone.
    fn crash(&mut self, node: u32, rule: u16, name: Path, point: u8, for_good: bool) {
        let at_work = self.is_at_work(node);
        let state = &mut self.world.nodes[node as usize];
        state.down = true;
        state.gone = for_good;
        state.life += 1;
        self.record(Kind::Crash, name, &Ctx::default(), |r| {
            r.who = node;
            r.data = u64::from(rule);
            r.flag = point;
        });
        if at_work {
            self.sink.offered(Hazard::Crash, Subject::Any);
        }
        match self.plan.nodes.kind(node) {
            NodeKind::Database(service) => self.database_crashes(service),
            NodeKind::Replica(service, _) => {
                self.drop_volatile(node);
                let keys = self.plan.model.services.len() + node as usize;
                self.world.keys[keys].reset();
                if for_good {
                    self.abandon_sagas(node, service);
                }
            }
            NodeKind::Client(..) => self.drop_volatile(node),
        }
    }

    /// Whether a crash of a node would hit somebody: something goes on there, or it relays an outbox in which something waits;
    /// at a database, a transaction is open.
    fn is_at_work(&self, node: u32) -> bool {
        match self.plan.nodes.kind(node) {
            NodeKind::Database(service) => !self.open_transactions(service).is_empty(),
            NodeKind::Replica(service, _) => {
                self.world.places.is_anybody_at(node)
                    || self.world.relays[service.index()].waiting > 0 && self.relays_at(service) == Some(node)
            }
            NodeKind::Client(..) => self.world.places.is_anybody_at(node),
        }
    }

    /// Tasks, calls and runs at a node end without a word.
    fn drop_volatile(&mut self, node: u32) {
        self.drop_guest(node);
        for task in self.world.places.tasks.at(node, &self.world.tasks) {
            self.kill_task(task);
        }
        for run in self.world.places.runs.at(node, &self.world.runs) {
            // The end of another may have settled the intent that it listened for.
            if self.world.runs.has(run) {
                self.kill_run(run);
            }
        }
        for call in self.world.places.calls.at(node, &self.world.calls) {
            let owner = self.world.calls[call].owner;
            self.end_call(call);
            if let Owner::Intent(intent) = owner {
                self.intent_ends(intent, Status::Unknown, true);
            }
        }
    }

    /// All open transactions abort.
    fn database_crashes(&mut self, service: ServiceId) {
        for task in self.open_transactions(service) {
            // What one answers may have brought down the replica of another.
            if self.world.tasks.has(task) {
                self.fail_task(task);
            }
        }
    }

    fn open_transactions(&self, service: ServiceId) -> Vec<Id> {
        let first = self.plan.nodes.replica(service, 0);
        let mut open: Vec<Id> = Vec::new();
        for node in first..first + self.plan.model.service(service).replicas {
            open.extend(self.world.places.tasks.at(node, &self.world.tasks));
        }
        open.retain(|&task| self.world.tasks[task].open);
        open.sort_unstable_by_key(|task| task.slot);
        open
    }

    /// Whether the database of the service of a node is up.
    #[inline]
    pub(super) fn database_up(&self, node: u32) -> bool {
        // Where nothing can crash there is nothing to look at.
        if !self.rules.crashes {
            return true;
        }
        match self.plan.nodes.kind(node) {
            NodeKind::Replica(service, _) => {
                !self.world.nodes[self.plan.nodes.database(service) as usize].down
            }
            _ => true,
        }
    }

    /// A node is back, with what is durable.
    pub(super) fn restart(&mut self, node: u32, life: u32) {
        let state = &mut self.world.nodes[node as usize];
        if !state.down || state.life != life || state.gone {
            return;
        }
        state.down = false;
        self.record(Kind::Restart, Path::ROOT, &Ctx::default(), |r| r.who = node);
        if let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) {
            self.recover_sagas(node);
            self.wake_relay(service);
            if !self.world.guests.is_empty() {
                self.start_guest(node);
            }
        }
    }

    /// Whether a node is paused.
    #[inline]
    pub(super) fn stands_still(&self, node: u32) -> bool {
        self.world.paused > 0 && self.world.nodes[node as usize].paused
    }

    /// A paused node goes on with all that waited for it.
    pub(super) fn resume(&mut self, node: u32, life: u32) {
        let state = &mut self.world.nodes[node as usize];
        if !state.paused || state.life != life {
            return;
        }
        state.paused = false;
        self.world.paused -= 1;
        self.record(Kind::Resume, Path::ROOT, &Ctx::default(), |r| r.who = node);
        let name = Path::ROOT.child(Role::Replica, node).child(Role::Recovery, life);
        // They come up at once, in the order in which they would have. One name has room for 256 in order; what is beyond
        // them goes on where the next names would be.
        let first = crate::kernel::agenda::tie(Class::Timer, self.chooser.tie_key(), name, 0);
        let held = std::mem::take(&mut self.world.held);
        let (own, others): (Vec<_>, Vec<_>) = held.into_iter().partition(|&(of, _)| of == node);
        self.world.held = others;
        // All of them are timers, whose class stands above these bits.
        let order = |n: u64| first.saturating_add(n).min(first | ((1 << 38) - 1));
        for ((_, key), order) in own.into_iter().zip((0..).map(order)) {
            self.comes_up_again(key, order);
        }
        if let NodeKind::Replica(service, _) = self.plan.nodes.kind(node) {
            self.wake_relay(service);
        }
    }

    /// A cut link is whole again.
    pub(super) fn mend(&mut self, rule: u16) {
        if self.world.cuts.mend(rule) {
            self.record(Kind::Cut, Path::ROOT, &Ctx::default(), |r| r.data = u64::from(rule));
        }
    }

    /// Faults end: nothing is decided any more, everything is mended that is not gone for good.
    pub(super) fn heal(&mut self) {
        self.world.calm = true;
        self.record(Kind::Heal, Path::ROOT, &Ctx::default(), |_| {});
        for rule in self.world.cuts.by_age() {
            self.mend(rule);
        }
        for node in 0..self.world.nodes.len() as u32 {
            let state = &self.world.nodes[node as usize];
            let (life, down, paused) = (state.life, state.down, state.paused);
            if down {
                self.restart(node, life);
            }
            if paused {
                self.resume(node, life);
            }
        }
    }
}

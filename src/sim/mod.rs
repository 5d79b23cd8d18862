//! Runs a plan: the event loop and everything that happens in it.
//!
//! A message's life: `call` sends it, `network` decides the fate of its copies, the agenda holds them, `Engine::run`
//! pops them, `network` delivers, `task` executes the operation step by step against the store, the answer goes the
//! same road back to `call`, and at the last to `client`. `flow` and `choreography` coordinate flows, `outbox`
//! relays events, `fault` is the weather. What strategies are has been compiled away; what invariants are is unknown here.

mod call;
mod choreography;
mod client;
mod commit;
mod context;
mod coordination;
mod custom;
mod due;
mod ending;
mod fault;
mod fence;
mod flow;
mod flow_end;
mod guest;
mod guest_commit;
mod key;
mod known;
mod links;
mod locking;
mod merged;
mod network;
mod outbox;
mod parts;
mod places;
mod reading;
mod rules;
mod saga;
mod slab;
mod task;
#[cfg(test)]
mod tests;
mod view;
mod words;
mod world;
mod write;

use crate::kernel::agenda::{Agenda, Key};
use crate::kernel::choose::{Chooser, Seeded};
use crate::kernel::path::{Path, mix};
use crate::kernel::script::{Note, Scripted};
use crate::kernel::time::Time;
use crate::model::expr::{Failure, Scratch};
use crate::model::ids::OpId;
use crate::model::plan::{End, Plan};
use crate::model::record::{FLOW, Kind, NONE, Record};
use crate::store::{Sink, Tables};
use due::{Due, Lanes};
use known::Known;
use rules::Rules;
use world::{Ctx, Ready, Status, What, Who, World};

/// What is left of a run that a verdict may ask about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Row locks still held.
    pub locks: u32,
    /// Idempotency keys still in progress.
    pub keys: u32,
    /// Transactions still open.
    pub transactions: u32,
}

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// When.
    pub at: Time,
    /// How many events there were.
    pub events: u64,
    /// What was left.
    pub remains: Remains,
}

/// Runs one plan under one seed after another, keeping its memory between runs.
#[derive(Debug)]
pub struct Runner<'p> {
    plan: &'p Plan,
    rules: Rules,
    known: Known,
    template: Tables,
    world: World,
    agenda: Agenda,
    lanes: Lanes,
    scratch: Box<Scratch>,
    /// Which lines of the script the last run asked for.
    asked: Vec<bool>,
    /// Whether anything in the last run that was noted was drawn from its seed.
    drawn: bool,
}

impl<'p> Runner<'p> {
    /// A runner of a plan.
    pub fn new(plan: &'p Plan) -> Runner<'p> {
        let mut agenda = Agenda::new();
        Runner {
            plan,
            rules: Rules::of(plan),
            known: Known::of(plan),
            template: Tables::of(&plan.model),
            world: World::default(),
            lanes: Lanes::of(plan, &mut agenda),
            agenda,
            scratch: Box::default(),
            asked: Vec::new(),
            drawn: false,
        }
    }

    /// The tables as the last run left them.
    pub fn tables(&mut self) -> &mut Tables {
        &mut self.world.tables
    }

    /// What code of the user's own did that ended the last run, if it did.
    pub fn broken(&self) -> Option<&str> {
        self.world.broken.as_deref()
    }

    /// The tables as every run starts with them.
    pub fn initial_tables(&self) -> &Tables {
        &self.template
    }

    /// Runs the plan under a seed; every record goes to the sink.
    pub fn run(&mut self, seed: u64, sink: &mut impl Sink) -> Ended {
        if self.plan.model.weather.script.is_some() {
            return self.run_noting(seed, sink, &mut Vec::new());
        }
        let seeded = Seeded::new(self.plan.model.weather.seed.unwrap_or(seed));
        self.start(seeded, seeded, sink)
    }

    /// Runs the plan under a seed and notes all that was decided in it. See [`Scripted`].
    pub fn run_noting(&mut self, seed: u64, sink: &mut impl Sink, notes: &mut Vec<Note>) -> Ended {
        let plan = self.plan;
        let seeded = Seeded::new(plan.model.weather.seed.unwrap_or(seed));
        let script = plan.model.weather.script.as_ref();
        let mut asked = std::mem::take(&mut self.asked);
        asked.clear();
        asked.resize(script.map_or(0, |script| script.lines.len()), false);
        let decided = script.map_or(&[][..], |script| &script.decided);
        let calm = script.is_some_and(|script| script.calm);
        let mut drawn = false;
        let chooser = Scripted::new(seeded, calm, decided, &mut asked, notes, &mut drawn);
        let ended = self.start(seeded, chooser, sink);
        (self.asked, self.drawn) = (asked, drawn);
        ended
    }

    /// The numbers of the lines of the script that nothing asked for in the last run.
    pub fn unasked(&self) -> Vec<usize> {
        (0..self.asked.len()).filter(|&line| !self.asked[line]).collect()
    }

    /// Which lines of the script the last run asked for; of a run without one, none.
    pub fn asked(&self) -> &[bool] {
        &self.asked
    }

    /// Whether anything in the last run that was noted ([`Runner::run_noting`]) was drawn from its seed, other than the
    /// order of what happens at the same instant.
    pub fn drew(&self) -> bool {
        self.drawn || self.rules.varies(self.plan)
    }

    /// Which fault rules struck in the last run, by number.
    pub fn struck(&self) -> &[bool] {
        &self.world.struck
    }

    /// Which fault rules came to where they strike in the last run and were kept from it by their chance, by number.
    pub fn unlucky(&self) -> &[bool] {
        &self.world.unlucky
    }

    /// Operations of which an expression had no value in the last run, and why at first.
    pub fn failures(&self) -> &[(OpId, Failure)] {
        &self.world.failures
    }

    fn start(&mut self, mut seeded: Seeded, chooser: impl Chooser, sink: &mut impl Sink) -> Ended {
        self.world.reset(self.plan, &self.template, &self.rules);
        self.agenda.reset();
        self.rules.draw(self.plan, &mut seeded);
        let mut engine = Engine {
            plan: self.plan,
            rules: &self.rules,
            known: &self.known,
            world: &mut self.world,
            agenda: &mut self.agenda,
            lanes: &self.lanes,
            scratch: &mut self.scratch,
            chooser,
            sink,
            events: 0,
            budget: self.plan.event_budget,
            emissions: 0,
            cause: Path::ROOT,
        };
        engine.run()
    }
}

/// Runs a plan once.
pub fn run(plan: &Plan, seed: u64, sink: &mut impl Sink) -> Ended {
    Runner::new(plan).run(seed, sink)
}

/// A run under way.
struct Engine<'e, C, S> {
    plan: &'e Plan,
    rules: &'e Rules,
    known: &'e Known,
    world: &'e mut World,
    agenda: &'e mut Agenda,
    lanes: &'e Lanes,
    scratch: &'e mut Scratch,
    chooser: C,
    sink: &'e mut S,
    events: u64,
    /// How many events there may be; 0 once code of the user's own has ended the run.
    budget: u64,
    /// What the present cause has put on the agenda so far.
    emissions: u32,
    cause: Path,
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    fn run(&mut self) -> Ended {
        self.begin();
        let weather = &self.plan.model.weather;
        let limit = weather.end;
        let end = loop {
            if self.world.work == 0 {
                break End::Rest;
            }
            if self.events >= self.budget {
                // What comes up after the end of the run is no event that the budget forbids.
                break match self.agenda.peek_time() {
                    Some(at) if at <= limit => End::Spent,
                    _ => End::NotAtRest,
                };
            }
            let World { events, calls, tasks, .. } = &mut *self.world;
            // A timer is due if it is the one that is waited for; what was called off leaves with its entry.
            let waits = |due: Due, key: Key| match due {
                Due::Call(call) => calls.peek(call).timer == key,
                Due::Task(task) => tasks.peek(task).timer == key,
                _ => true,
            };
            let live = |key: Key| match Due::of(key.slot()) {
                Due::Event(slot) => {
                    let id = events.id(slot);
                    let live = match events[id].what {
                        What::Nothing => false,
                        What::Due(due) => waits(due, key),
                        _ => true,
                    };
                    if !live {
                        events.leave(id);
                    }
                    live
                }
                due => waits(due, key),
            };
            match self.agenda.next_until(limit, live) {
                Some(key) => self.step(key),
                None => break End::NotAtRest,
            }
        };
        self.finish(end)
    }

    fn finish(&mut self, end: End) -> Ended {
        let end = if self.world.broken.is_some() { End::Broken } else { end };
        for rule in self.rules.spared(self.world.spared) {
            self.world.unlucky[usize::from(rule)] = true;
        }
        let world = &*self.world;
        let remains = Remains {
            locks: world.locks.len() as u32,
            keys: world.keys.iter().map(|keys| keys.unfinished() as u32).sum(),
            transactions: world.tasks.iter().filter(|(_, task)| task.open).count() as u32,
        };
        self.record(Kind::End, Path::ROOT, &Ctx::default(), |r| {
            r.flag = end as u8;
            r.data = u64::from(remains.locks + remains.keys + remains.transactions);
        });
        Ended { end, at: self.agenda.now(), events: self.events, remains }
    }

    /// Puts what starts by itself on the agenda.
    fn begin(&mut self) {
        self.start_guests();
        self.start_clients();
        if !self.plan.clean {
            self.start_weather();
        }
    }

    /// Handles one event and all that follows from it at the same instant.
    #[inline]
    fn step(&mut self, key: Key) {
        let due = Due::of(key.slot());
        if self.world.paused > 0 && self.waits_for_node(due, key) {
            return;
        }
        if !self.world.calm && key.time() >= self.plan.model.weather.heal {
            // Whatever comes up at that very instant comes up in calm weather.
            self.heal();
        }
        self.events += 1;
        match due {
            Due::Event(slot) => return self.step_event(slot),
            due => self.come_up(due),
        }
        self.drain();
    }

    /// Something comes up that keeps the run going.
    #[inline]
    fn come_up(&mut self, due: Due) {
        self.world.work -= 1;
        self.emissions = 0;
        match due {
            Due::Message(message) => self.arrive(message),
            Due::Call(call) => self.call_timer(self.world.calls.id(call)),
            Due::Task(task) => {
                let id = self.world.tasks.id(task);
                let task = &mut self.world.tasks[id];
                task.timer = Key::NONE;
                task.waiting = false;
                self.run_task(id);
            }
            Due::Client(client) => self.client_starts(client),
            Due::Event(_) => {}
        }
    }

    /// The same for what has an entry of its own.
    fn step_event(&mut self, slot: u32) {
        let id = self.world.events.id(slot);
        let event = self.world.events[id];
        self.world.events.leave(id);
        if let What::Due(due) = event.what {
            self.come_up(due);
            return self.drain();
        }
        if !event.idle {
            self.world.work -= 1;
        }
        self.emissions = 0;
        match event.what {
            What::LockTimeout(task, waits) => self.lock_timeout(task, waits),
            What::Run(run) => {
                self.world.runs[run].timer = None;
                self.world.runs[run].waiting = false;
                self.world.ready.push_back(Ready::Run(run));
            }
            What::Relay(service) => self.relay_tick(service),
            What::Forget(place, key, count) => self.world.keys[place as usize].expire(key, count),
            What::Strike(rule, node, n) => self.strike(rule, node, n),
            What::Restart(node, life) => self.restart(node, life),
            What::Resume(node, life) => self.resume(node, life),
            What::Mend(rule) => self.mend(rule),
            What::Chore(chore) => self.chore_due(chore),
            What::Heal | What::Due(_) | What::Nothing => {}
        }
        self.drain();
    }

    /// Does all that is ready at this instant; mostly nothing is.
    #[inline(always)]
    fn drain(&mut self) {
        if !self.world.ready.is_empty() {
            self.drain_ready();
        }
    }

    #[inline(never)]
    fn drain_ready(&mut self) {
        while let Some(ready) = self.world.ready.pop_front() {
            match ready {
                Ready::Task(task) if self.world.tasks.has(task) => self.run_task(task),
                Ready::Answer(call, attempt, status) => self.answered(call, attempt, status),
                Ready::Run(run) if self.world.runs.has(run) => self.run_flow(run),
                Ready::Stop(run, status) if self.world.runs.has(run) => self.stop_done(run, status),
                _ => {}
            }
        }
    }

    fn now(&self) -> Time {
        self.agenda.now()
    }

    /// Says that something happened.
    #[inline]
    fn record(&mut self, kind: Kind, path: Path, who: impl Into<Who>, fill: impl FnOnce(&mut Record)) {
        let who = who.into();
        let mut record = Record {
            at: self.agenda.now(),
            path,
            data: 0,
            kind,
            flag: 0,
            op: 0,
            who: NONE,
            client: who.client,
            intent: who.intent,
            row: NONE,
            ver: 0,
        };
        fill(&mut record);
        self.sink.record(&record, &mut self.world.tables);
    }

    /// Something more belongs to the intent.
    #[inline]
    fn hold(&mut self, who: impl Into<Who>) {
        let who = who.into();
        if who.intent != NONE {
            self.world.intents.at(who.intent).holds += 1;
        }
    }

    /// Something less belongs to the intent; at nothing it is settled.
    #[inline(always)]
    fn let_go(&mut self, who: impl Into<Who>) {
        let who = who.into();
        if who.intent == NONE {
            return;
        }
        let intent = self.world.intents.at(who.intent);
        intent.holds -= 1;
        if intent.holds == 0 {
            self.settle(who);
        }
    }

    /// Nothing belongs to the intent any more.
    #[inline(never)]
    fn settle(&mut self, who: Who) {
        let id = self.world.intents.id(who.intent);
        let path = self.world.intents[id].path;
        if self.rules.choreographed {
            self.stop_listening(who.intent);
        }
        self.record(Kind::Settled, path, who, |_| {});
        let World { intents, instances, askers, .. } = &mut *self.world;
        if self.rules.lists {
            let more = intents[id].more();
            for (_, instance) in more.instances.drain(..) {
                instances.leave(instances.id(instance));
            }
            for asker in more.askers.drain(..) {
                if !askers[asker].waits {
                    askers.leave(asker);
                }
            }
        }
        self.world.intents.leave(id);
        if self.plan.serial {
            self.next_in_turn();
        }
    }

    /// The instance of a flow for an intent, made at its first run.
    fn instance(&mut self, ctx: Ctx, flow: crate::model::ids::FlowId) -> u32 {
        if ctx.intent == NONE {
            return NONE;
        }
        let id = self.world.intents.id(ctx.intent);
        let known = &self.world.intents[id].more().instances;
        if let Some(&(_, instance)) = known.iter().find(|(effect, _)| *effect == ctx.effect) {
            return instance;
        }
        let (instance, made) = self.world.instances.take();
        *made = world::Instance { flow, effect: ctx.effect, caller: (ctx.instance, ctx.step) };
        self.world.intents[id].more().instances.push((ctx.effect, instance.slot));
        instance.slot
    }

    /// The effect of a part of an effect.
    fn effect(of: u64, n: u32) -> u64 {
        mix(of, u64::from(n) + 1)
    }

    /// Hands a status to whoever waits for it.
    fn answer(&mut self, from: world::From, status: Status, what: network::Answered<'_>) {
        match from {
            world::From::Nobody => {}
            world::From::Local { call, attempt } => {
                self.world.ready.push_back(Ready::Answer(call, attempt, status))
            }
            world::From::Stop(run) => self.world.ready.push_back(Ready::Stop(run, status)),
            world::From::Remote { node, call, attempt, fetch } => {
                self.send_reply(node, call, attempt, fetch, status, what);
            }
            world::From::Guest { asker } => self.answer_guest(asker, status, what),
            world::From::Relay { node, row, subscriber } => {
                self.send_ack(node, row, subscriber, status, what)
            }
        }
    }
}

/// The code of a target in a record.
fn target_word(target: crate::model::flow::Target) -> u16 {
    match target {
        crate::model::flow::Target::Op(op) => op.0,
        crate::model::flow::Target::Flow(flow) => flow.0 | FLOW,
    }
}

impl World {
    fn reset(&mut self, plan: &Plan, template: &Tables, rules: &Rules) {
        let model = &plan.model;
        self.tables.reset(template);
        self.locks.reset();
        let replicas = plan.nodes.databases as usize;
        self.keys.resize_with(model.services.len() + replicas, Default::default);
        self.keys.iter_mut().for_each(|keys| keys.reset());
        self.fences.resize_with(model.services.len(), Default::default);
        self.fences.iter_mut().for_each(|fence| fence.reset());
        // Clients may be many: where nothing strikes, nobody asks how they are.
        let nodes = if rules.strikes_nodes { plan.nodes.count } else { plan.nodes.servers() };
        self.nodes.clear();
        self.nodes.resize(nodes as usize, world::Node::default());
        self.held.clear();
        // A client has at most one intent and one call under way, unless it does not wait; some messages are sent twice.
        let clients = model.groups.iter().map(|group| group.count as usize).sum::<usize>();
        self.messages.expect(clients + clients / 8);
        self.intents.expect(clients + clients / 8);
        self.calls.expect(clients);
        self.events.reset();
        self.messages.reset();
        self.tasks.reset();
        self.calls.reset();
        self.runs.reset();
        self.sagas.reset();
        self.outbox.reset();
        self.intents.reset();
        self.instances.reset();
        self.places.reset(if rules.crashes { plan.nodes.count } else { 0 });
        self.keyed.clear();
        self.listening.clear();
        self.clients.clear();
        self.relays.resize_with(model.services.len(), Default::default);
        self.relays.iter_mut().for_each(world::RelayState::reset);
        self.sequences.reset();
        self.cuts.reset();
        self.ready.clear();
        self.guests.clear();
        self.asked.reset();
        self.chores.reset();
        self.askers.reset();
        self.kept.clear();
        self.filed.clear();
        self.timers.clear();
        self.failures.clear();
        self.struck.clear();
        self.struck.resize(model.weather.faults.len(), false);
        self.unlucky.clear();
        self.unlucky.resize(model.weather.faults.len(), false);
        self.spared = 0;
        self.broken = None;
        self.work = 0;
        self.paused = 0;
        self.calm = plan.clean;
        self.turn = 0;
    }
}
